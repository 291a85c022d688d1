"""Lists of awards: the first fifty lines on the page, all of them in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import polars as pl

from pipelines.publish import formats
from pipelines.publish.award_lists import AT_ONCE
from pipelines.publish.directory import label
from pipelines.publish.layout import Link, Section
from pipelines.publish.reports import Output, Stream
from pipelines.publish.tables import Column, Row, Table, records

if TYPE_CHECKING:
    from pipelines.publish.context import Context


def section(context: Context, key: str, value: str, *, csv: str, hide: tuple[str, ...] = ()) -> Section:
    """The section « Attributions » of one page. `csv` is the file that has them all."""
    rows, total = context.awards(key).first(value)
    part = _plain(rows)
    if not total:
        words = (
            "Aucune attribution à une personne morale : les aides à des personnes physiques ne figurent "
            "que dans les totaux."
        )
        return Section("attributions", "Attributions", (words,))
    made = part.assign(what=pd.Series([_what(row) for row in records(part)], index=part.index, dtype=object))
    columns = [column for column in _columns(context) if column.name not in hide]
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


def _columns(context: Context) -> list[Column]:
    directory = context.directory
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


def file(context: Context, key: str, value: str, path: str) -> Output | Stream:
    """Every award of one holder of the key, as a comma-separated file."""
    held = context.awards(key)
    if held.total(value) > AT_ONCE:
        return Stream(path, lambda file: file.writelines(held.blocks(value)))
    return Output(path, b"".join(held.blocks(value)))


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
