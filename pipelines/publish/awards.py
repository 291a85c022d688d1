"""Lists of awards: the first fifty lines on the page, all of them in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import polars as pl

from pipelines.publish import comma_separated, formats
from pipelines.publish.directory import UNKNOWN_TERRITORY, label
from pipelines.publish.layout import Link, Section
from pipelines.publish.reports import Output
from pipelines.publish.tables import Column, Row, Table, records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipelines.publish.context import Context

SHOWN = 50
MOST_HELD = 60_000
"""Awards held in memory at once, unless one holder has more alone."""
_ORDER = "fiscal_year DESC, amount DESC NULLS LAST, application_id, beneficiary_name, title, organisation_id, currency"
_SHOWN = (
    "fiscal_year", "funder_id", "funder_name", "organisation_id", "beneficiary_name", "amount", "currency", "title",
    "theme", "purpose", "service_key", "service_name",
)  # fmt: skip
KEYS = {
    "funder_id": "funder_id",
    "service_key": "service_key",
    "organisation_id": "organisation_id",
    "region_code": "region_code",
    "departement_code": f"coalesce(departement_code, '{UNKNOWN_TERRITORY}')",
    "epci_code": "epci_code",
}
"""What awards are listed by, as an expression on `awards`."""


class AwardLists:
    """The awards of each of `values` of one key, most recent first, made safe for spreadsheets.

    Pages ask for them in the order of `values`: the awards are read for as many at once as `MOST_HELD` lets.
    """

    def __init__(self, context: Context, key: str, values: Iterable[str]) -> None:
        self._context, self._column = context, KEYS[key]
        counted = context.database.query(f"SELECT {self._column} AS _key, count(*) AS n FROM awards GROUP BY 1")
        self._turns = list(_turns(values, dict(zip(counted["_key"], counted["n"].tolist(), strict=True))))
        self._turn_of = {value: number for number, turn in enumerate(self._turns) for value in turn}
        self._held = -1
        self._places: dict[str, tuple[int, int]] = {}

    def _place(self, value: str) -> tuple[int, int]:
        """Where the awards of `value` begin in what is held, and how many they are."""
        if self._turn_of[value] != self._held:
            self._read(self._turn_of[value])
        return self._places.get(value, (0, 0))

    def _read(self, turn: int) -> None:
        """Hold the awards of one turn, in the place of the former ones."""
        self._rows = self._safe = pl.DataFrame()
        frame = self._context.database.typed(
            f"SELECT *, {self._column} AS _key FROM awards WHERE _key IN (SELECT unnest(?)) ORDER BY _key, {_ORDER}",
            [self._turns[turn]],
        )
        counted = frame.group_by("_key", maintain_order=True).len()
        ends = counted["len"].cast(pl.Int64).cum_sum()
        starts = ends - counted["len"]
        self._places = dict(zip(counted["_key"], zip(starts, counted["len"], strict=True), strict=True))
        self._rows, self._safe = frame.select(_SHOWN), comma_separated.neutralised(frame.drop("_key"))
        self._held = turn

    def section(self, value: str, *, csv: str, hide: tuple[str, ...] = ()) -> Section:
        """The section « Attributions » of one page. `csv` is the file that has them all."""
        start, total = self._place(value)
        part = _plain(self._rows.slice(start, min(total, SHOWN)))
        if not total:
            words = (
                "Aucune attribution à une personne morale : les aides à des personnes physiques ne figurent "
                "que dans les totaux."
            )
            return Section("attributions", "Attributions", (words,))
        made = part.assign(what=pd.Series([_what(row) for row in records(part)], index=part.index, dtype=object))
        columns = [column for column in self._columns() if column.name not in hide]
        shown = (
            f"Les {formats.plural(len(part), 'attribution')} les plus récentes sur {formats.count(total)}"
            if total > len(part)
            else (f"Les {formats.count(total)} attributions" if total > 1 else "La seule attribution")
        )
        return Section(
            "attributions",
            "Attributions",
            (
                (
                    "Seules les attributions à des personnes morales (associations, collectivités, "
                    "entreprises) sont nominatives."
                ),
            ),
            tables=(
                Table(
                    "attributions-table",
                    f"{shown}, de l'exercice le plus récent au plus ancien",
                    made,
                    tuple(columns),
                    sortable=True,
                    search="Filtrer les lignes affichées",
                ),
            ),
            links=(Link(f"Toutes les attributions de cette page ({formats.plural(total, 'ligne')}, CSV)", csv),),
        )

    def _columns(self) -> list[Column]:
        directory = self._context.directory
        return [
            Column("fiscal_year", "Exercice", "year"),
            Column("funder_name", "Financeur", "name", href=lambda row: directory.funder_href(row["funder_id"])),
            Column(
                "beneficiary_name",
                "Bénéficiaire",
                "name",
                href=lambda row: directory.beneficiary_href(row["organisation_id"]),
                header=True,
            ),
            Column("amount", "Montant", "money"),
            Column("title", "Objet", "name"),
            Column("what", "Thème et nature"),
            Column("service_name", "Service", "name", href=lambda row: directory.service_href(row["service_key"])),
        ]

    def file(self, value: str, path: str) -> Output:
        """Every award of one holder of the key, as a comma-separated file."""
        start, total = self._place(value)
        return Output(path, comma_separated.written(self._safe.slice(start, total)))


def _turns(values: Iterable[str], totals: Mapping[str, int]) -> Iterator[list[str]]:
    """Runs of `values` that have `MOST_HELD` awards together at most; who has more is alone."""
    turn: list[str] = []
    held = 0
    for value in values:
        total = totals.get(value, 0)
        if turn and held + total > MOST_HELD:
            yield turn
            turn, held = [], 0
        turn.append(value)
        held += total
    if turn:
        yield turn


def _plain(part: pl.DataFrame) -> pd.DataFrame:
    """A short slice as publication handles frames: amounts as floats."""
    return pd.DataFrame(part.with_columns(pl.col("amount").cast(pl.Float64)).to_dict(as_series=False))


def _what(row: Row) -> str | None:
    told = [name for name in ("theme", "purpose") if not formats.is_missing(row[name]) and row[name] != "unknown"]
    words = [label(name, row[name]) for name in told]
    return formats.sentence(", ".join(words)) or None


def first_last(frame: pd.DataFrame) -> tuple[int | None, int | None]:
    """The first and last fiscal year of `frame`, None when it is empty."""
    if frame.empty:
        return None, None
    return int(frame["fiscal_year"].min()), int(frame["fiscal_year"].max())
