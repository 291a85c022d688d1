"""Pictures of a figure's frame: bars, stacks, dots with intervals, and the grid of years.

Each chart reads the columns it names from the frame it is given, for the page (`html`) and for Plotly (`traces`), so
that picture, interactive version, table and CSV cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from markupsafe import Markup, escape

from pipelines.publish import formats, shades, svg
from pipelines.publish.shades import LegendItem
from pipelines.publish.tables import Row, records, written

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.publish.tables import Kind

LIGHT = ("#154779", "#36a198", "#dd4068", "#843d0b", "#333333")
"""Categorical colours in order; the last is for « Autres ». The style sheet has the same as --c1 … --c4, --c9."""
CSS = ("c1", "c2", "c3", "c4", "c9")
MAX_SERIES = 4
NEUTRAL = frozenset({"others", "unknown"})
"""Columns drawn in the neutral colour."""


class Chart(Protocol):
    """What every chart can do with a frame."""

    def html(self, frame: pd.DataFrame) -> Markup:
        """The rows of the picture."""

    def legend(self, frame: pd.DataFrame) -> list[LegendItem]:
        """The legend, as text; empty when the picture needs none."""

    def traces(self, frame: pd.DataFrame) -> list[dict[str, Any]]:
        """The same values as Plotly traces, with their layout hints under `meta`."""


def _row(label: str, picture: Markup, value: str, *, data: str) -> Markup:
    return Markup(  # noqa: S704  (escaped piece by piece)
        f'<div class="row" data-values="{escape(data)}"><span class="label"><bdi>{escape(label)}</bdi></span>'
        f'<span class="picture">{picture}</span><span class="value">{escape(value)}</span></div>'
    )


def _empty_row(label: str, words: str) -> Markup:
    """A row without a value: the words take the picture's place."""
    return Markup(
        '<div class="row" data-values=""><span class="label"><bdi>{}</bdi></span><span class="absent">{}</span></div>'
    ).format(label, words)


def data_values(*values: Any) -> str:
    """What is drawn, for the tests that hold the picture equal to the table: numbers, empty where there is none."""
    return " ".join(
        "" if formats.is_missing(value) else f"{float(value):.6f}".rstrip("0").rstrip(".") for value in values
    )


def _value(row: Row, column: str, kind: Kind) -> str:
    currency = row.get("currency")
    value = row[column]
    if kind == "money":
        return formats.money_compact(value, currency=currency if isinstance(currency, str) else "EUR")
    return written(value, kind)


@dataclass(frozen=True)
class Bars:
    """One horizontal bar a row: `label` and `value` are columns. Only the first `top` rows are drawn."""

    label: str
    value: str
    kind: Kind = "money"
    top: int = 15

    def html(self, frame: pd.DataFrame) -> Markup:
        """The bars, longest = full width; for shares, 100 % = full width."""
        rows = records(frame.head(self.top))
        known = [float(row[self.value]) for row in rows if not formats.is_missing(row[self.value])]
        largest = 1.0 if self.kind == "share" else max(known, default=0.0)
        drawn = []
        for row in rows:
            value = row[self.value]
            if formats.is_missing(value):
                drawn.append(_empty_row(str(row[self.label]), "–"))
                continue
            share = float(value) / largest if largest > 0 else 0.0
            text = _value(row, self.value, self.kind)
            drawn.append(_row(str(row[self.label]), svg.bar(share), text, data=data_values(value)))
        return Markup("").join(drawn)

    def legend(self, frame: pd.DataFrame) -> list[LegendItem]:
        """A single series needs no legend."""
        return []

    def traces(self, frame: pd.DataFrame) -> list[dict[str, Any]]:
        """One horizontal bar trace."""
        head = frame.head(self.top)
        return [bar_trace(head, self.label, self.value)]


@dataclass(frozen=True)
class Stacks:
    """One stacked bar a row; `parts` are columns with their names, at most four and « Autres »."""

    label: str
    parts: tuple[tuple[str, str], ...]
    kind: Kind = "money"

    def __post_init__(self) -> None:
        if len(self.parts) > len(CSS):
            raise ValueError(f"{len(self.parts)} séries : au plus {MAX_SERIES} et « Autres » se distinguent")

    def _css(self) -> list[str]:
        return [CSS[-1] if column in NEUTRAL else css for (column, _), css in zip(self.parts, CSS, strict=False)]

    def html(self, frame: pd.DataFrame) -> Markup:
        """The stacks; the longest total = full width; the total stands at the end of the row."""
        rows = records(frame)
        values = [[0.0 if formats.is_missing(row[c]) else float(row[c]) for c, _ in self.parts] for row in rows]
        largest = max((sum(parts) for parts in values), default=0.0) or 1.0
        drawn = []
        for row, parts in zip(rows, values, strict=True):
            picture = svg.stack(zip((part / largest for part in parts), self._css(), strict=True))
            text = _value({**row, "_total": sum(parts)}, "_total", self.kind)
            drawn.append(_row(str(row[self.label]), picture, text, data=data_values(*(row[c] for c, _ in self.parts))))
        return Markup("").join(drawn)

    def legend(self, frame: pd.DataFrame) -> list[LegendItem]:
        """One entry a part."""
        return [LegendItem(css, title) for css, (_, title) in zip(self._css(), self.parts, strict=True)]

    def traces(self, frame: pd.DataFrame) -> list[dict[str, Any]]:
        """One horizontal bar trace a part."""
        return [
            bar_trace(frame, self.label, column, css=css, colour=LIGHT[CSS.index(css)], name=title)
            for (column, title), css in zip(self.parts, self._css(), strict=True)
        ]


@dataclass(frozen=True)
class Dots:
    """One dot a row on a scale from 0 to 100 %, with an interval when `low` and `high` name columns.

    `note` names the column with the words of the row's end (« 12 sur 48 »), written instead of the missing value too.
    """

    label: str
    value: str
    note: str
    low: str | None = None
    high: str | None = None
    top: int = 40

    def html(self, frame: pd.DataFrame) -> Markup:
        """A scale, then the rows."""
        ticks = Markup("").join(
            Markup("<span>{}</span>").format(formats.percent(x / 100, decimals=0)) for x in (0, 50, 100)
        )
        scale = Markup(
            '<div class="row scale"><span class="label"></span><span class="ticks">{}</span><span></span></div>'
        )
        drawn = [scale.format(ticks)]
        for row in records(frame.head(self.top)):
            numbers = [None if c is None or formats.is_missing(row[c]) else float(row[c]) for c in self._columns()]
            if all(number is None for number in numbers):
                drawn.append(_empty_row(str(row[self.label]), str(row[self.note])))
                continue
            picture = svg.dot(numbers[0], low=numbers[1], high=numbers[2])
            drawn.append(_row(str(row[self.label]), picture, str(row[self.note]), data=data_values(*numbers)))
        return Markup("").join(drawn)

    def _columns(self) -> tuple[str | None, str | None, str | None]:
        return (self.value, self.low, self.high)

    def legend(self, frame: pd.DataFrame) -> list[LegendItem]:
        """The dot and the interval; a dot alone needs no legend."""
        if self.low is None:
            return []
        return [
            LegendItem("c1 round", "taux"),
            LegendItem("c1 thin", "intervalle de Wilson à 95 %, indicatif, ou bornes"),
        ]

    def traces(self, frame: pd.DataFrame) -> list[dict[str, Any]]:
        """One trace of markers with horizontal error bars; rows without a rate are left out, as on the page."""
        known = frame.head(self.top).dropna(subset=[self.value])
        values = [round(float(v), 6) for v in known[self.value]]
        trace: dict[str, Any] = {
            "type": "scatter",
            "mode": "markers",
            "x": values,
            "y": [str(label) for label in known[self.label]],
            "marker": {"color": LIGHT[0], "size": 11},
            "meta": {"css": "c1", "percent": True},
            "name": "",
        }
        if self.low is not None and self.high is not None:
            low, high = known[self.low].tolist(), known[self.high].tolist()
            trace["error_x"] = {
                "type": "data",
                "symmetric": False,
                "array": [round(b - v, 6) if b == b else 0 for b, v in zip(high, values, strict=True)],
                "arrayminus": [round(v - b, 6) if b == b else 0 for b, v in zip(low, values, strict=True)],
            }
        return [trace]


def bar_trace(
    frame: pd.DataFrame, label: str, value: str, *, css: str = CSS[0], colour: str = LIGHT[0], name: str = ""
) -> dict[str, Any]:
    """One trace of horizontal bars, for Plotly."""
    return {
        "type": "bar",
        "orientation": "h",
        "y": [str(item) for item in frame[label]],
        "x": [None if formats.is_missing(v) else round(float(v), 2) for v in frame[value]],
        "marker": {"color": colour},
        "name": name,
        "meta": {"css": css, "percent": False},
    }


@dataclass(frozen=True)
class YearGrid:
    """A real table, rows × years, each cell in one of five shades with its value printed.

    The frame is tidy: one row per (`label`, `fiscal_year`) with `value`, and `status` for cells without one.
    """

    label: str
    value: str
    status: str

    def html(self, frame: pd.DataFrame) -> Markup:
        """Head and body of the table (the caption and the scrolling region are the template's)."""
        limits, years = shades.bounds(frame[self.value]), sorted({int(year) for year in frame["fiscal_year"]})
        head = Markup("").join(Markup('<th scope="col">{}</th>').format(str(year)) for year in years)
        body = []
        for label, group in frame.groupby(self.label, sort=False):
            cells = {int(row["fiscal_year"]): row for row in records(group)}
            drawn = Markup("").join(self._cell(cells.get(year), limits) for year in years)
            body.append(Markup('<tr><th scope="row"><bdi>{}</bdi></th>{}</tr>').format(label, drawn))
        title = Markup('<th scope="col">Financeur</th>')
        return Markup("<thead><tr>{}{}</tr></thead><tbody>{}</tbody>").format(title, head, Markup("").join(body))

    def _cell(self, row: Row | None, limits: list[float]) -> Markup:
        if row is None or formats.is_missing(row[self.value]):
            return Markup('<td class="mark">{}</td>').format("–" if row is None else row[self.status])
        text = _value(row, self.value, "money")
        shade = shades.shade(float(row[self.value]), limits)
        return Markup('<td class="s{}" data-values="{}">{}</td>').format(shade, data_values(row[self.value]), text)

    def legend(self, frame: pd.DataFrame) -> list[LegendItem]:
        """The amounts each shade stands for."""
        return shades.legend(shades.bounds(frame[self.value]))

    def traces(self, frame: pd.DataFrame) -> list[dict[str, Any]]:
        """One vertical bar trace a row."""
        return [
            {
                "type": "bar",
                "x": [str(int(y)) for y in group["fiscal_year"]],
                "y": [None if formats.is_missing(v) else round(float(v), 2) for v in group[self.value]],
                "name": str(escape(label)),
                "meta": {"percent": False},
            }
            for label, group in frame.groupby(self.label, sort=False)
        ]
