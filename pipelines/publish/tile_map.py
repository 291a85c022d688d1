"""A map in tiles, one square a territory: no outline is needed, so no geometry whose licence would bind the site.

`tile_map.toml` says where each tile stands. A territory that the layout does not know is drawn after the others.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pipelines.publish import formats, shades
from pipelines.publish.charts import bar_trace, data_values
from pipelines.publish.shades import LegendItem
from pipelines.publish.tables import Row, records

if TYPE_CHECKING:
    import pandas as pd

EMPTY = ".."


@cache
def _layouts() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def layout(level: str) -> list[list[str]]:
    """The rows of the map of `level` (`departement` or `region`), INSEE codes and `EMPTY`."""
    return [row.split() for row in _layouts()[level]]


@dataclass(frozen=True)
class TileMap:
    """One tile a territory of `level`; `code`, `label` and `value` (money) are columns, one row a territory.

    The value is written in the tile where the screen is wide enough; the words of the shades are in the legend.
    """

    level: str
    code: str
    label: str
    value: str

    def html(self, frame: pd.DataFrame) -> Markup:
        """The rows of tiles; those of no row of the frame are hatched."""
        rows = {str(row[self.code]): row for row in records(frame)}
        limits = shades.bounds(frame[self.value])
        lines = layout(self.level)
        placed = {code for line in lines for code in line}
        others = [code for code in rows if code not in placed]
        drawn = [
            Markup('<div class="tier">{}</div>').format(
                Markup("").join(
                    Markup("<i></i>") if code == EMPTY else self._tile(code, rows.get(code), limits) for code in line
                )
            )
            for line in (*lines, *([others] if others else []))
        ]
        return Markup("").join(drawn)

    def _tile(self, code: str, row: Row | None, limits: list[float]) -> Markup:
        short = _layouts()["short"].get(code, code) if self.level == "region" else code
        if row is None or formats.is_missing(row[self.value]):
            return Markup('<span class="tile">{}</span>').format(short)
        value = float(row[self.value])
        words = formats.money_compact(value, currency=str(row.get("currency") or "EUR"))
        return Markup(
            '<span class="tile s{}" title="{} : {}" data-values="{}"><b>{}</b> <small>{}</small></span>'
        ).format(shades.shade(value, limits), row[self.label], words, data_values(value), short, words)

    def legend(self, frame: pd.DataFrame) -> list[LegendItem]:
        """The amounts of each shade, and what the hatching says."""
        codes = {code for line in layout(self.level) for code in line} - {EMPTY}
        known = {str(row[self.code]) for row in records(frame) if not formats.is_missing(row[self.value])}
        currency = str(frame["currency"].iloc[0]) if "currency" in frame and len(frame) else "EUR"
        absent = [LegendItem("none", "aucune attribution connue")] if codes - known else []
        return [*shades.legend(shades.bounds(frame[self.value]), currency=currency), *absent]

    def traces(self, frame: pd.DataFrame) -> list[dict[str, Any]]:
        """One horizontal bar trace: the interactive version compares, it is no map."""
        return [bar_trace(frame, self.label, self.value)]
