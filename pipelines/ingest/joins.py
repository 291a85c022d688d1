"""Columns that a format takes from another sheet of the same workbook: a list of parties, the payments of each post."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.amounts import parse_amounts
from pipelines.ingest.dates import parse_dates, parse_years
from pipelines.ingest.fold import fold_header
from pipelines.ingest.french import count
from pipelines.ingest.recognise import spellings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.ingest.recognise import Header
    from pipelines.ingest.sheet import Sheet
    from schemas.format import JoinRule

JOINED = "lue pour compléter la feuille principale"


@dataclass(frozen=True)
class _Joined:
    """`header` with the joined columns, why the other sheet is not read for itself, and what of it found no line."""

    header: Header
    reason: str
    lost: str | None = None


def with_joins(header: Header, sheets: list[Sheet]) -> tuple[Header, dict[str, str], list[str]]:
    """`header` with the joined columns as columns of its sheet, the reason of each sheet they come from, and messages.

    A joined column is lettered by its own sheet and letter (`Tiers!B`): that is where its author sees it. The messages
    (French) name the rows of the other sheet whose amounts belong to no line.
    """
    reasons: dict[str, str] = {}
    messages: list[str] = []
    for rule in header.format.layout.joins:
        for other in sheets:
            if other.name == header.sheet.name or other.cells.is_empty():
                continue
            joined = _joined(header, other, rule)
            if joined is not None:
                header, reasons[other.name] = joined.header, joined.reason
                messages += [joined.lost] if joined.lost else []
                break
    return header, reasons, messages


def _joined(header: Header, other: Sheet, rule: JoinRule) -> _Joined | None:
    titles = _titles(other, rule)
    on = _letter(header.titles, rule.on)
    if titles is None or on is None:
        return None
    row, named = titles
    known, taken = spellings(header.format), set(header.fields.values())
    place = _place(header, other, rule)
    wanted = {
        letter: (f"{rule.prefix} {title}", name)
        for letter, title in named.items()
        if (name := known.get(fold_header(f"{rule.prefix} {title}"))) and name not in taken
    }
    if not wanted:
        return None
    rows = _keyed(other.cells.filter(pl.col("row") > row), named, rule, key=rule.key, year=rule.year_key)
    lines = _keyed(header.sheet.cells, header.titles, rule, key=rule.on, year=rule.year_on)
    if rule.added:
        added = {letter for letter in wanted if fold_header(named[letter]) in {fold_header(t) for t in rule.added}}
        earliest = {
            letter for letter in wanted if fold_header(named[letter]) in {fold_header(t) for t in rule.earliest}
        }
        table = _gathered(rows, added, earliest)
        # Two lines of one key share nothing: the first one takes all, so that the sum stays that of the sheet.
        lines = lines.with_columns(pl.int_range(pl.len()).over("__key").alias("__ordinal"))
        lost = _lost(rows, set(lines.filter(pl.col("row") > header.row)["__key"].drop_nulls()), added, other, named)
        first = pl.when(pl.col("__ordinal") == 0).then("__key")
        lines = lines.with_columns(first.alias("__key")).drop("__ordinal")
        reason = f"{JOINED} : ses lignes y sont additionnées"
    else:
        table, lost, reason = rows.unique("__key", keep="first"), None, JOINED
    table = table.select("__key", *(pl.col(letter).alias(place(letter)) for letter in wanted))
    cells = lines.join(table, on="__key", how="left", maintain_order="left").drop("__key")
    joined = replace(
        header,
        sheet=replace(header.sheet, cells=cells, distinct={}),
        titles={**header.titles, **{place(letter): title for letter, (title, _) in wanted.items()}},
        fields={**header.fields, **{place(letter): name for letter, (_, name) in wanted.items()}},
    )
    return _Joined(joined, reason, lost)


def _letter(titles: Mapping[str, str], wanted: str) -> str | None:
    return next((letter for letter, title in titles.items() if fold_header(title) == fold_header(wanted)), None)


def _keyed(
    cells: pl.DataFrame, titles: Mapping[str, str], rule: JoinRule, *, key: str, year: str | None
) -> pl.DataFrame:
    """`cells` with `__key`: what the lines of the two sheets have in common, the year included where the rule says."""
    letter, of_year = _letter(titles, key), _letter(titles, year) if year is not None else None
    parts = [pl.col(letter or "").str.strip_chars()]
    if rule.year_key is not None:
        years = parse_years(cells[of_year]) if of_year is not None else pl.Series([None] * cells.height, dtype=pl.Int32)
        parts.append(pl.lit(years.cast(pl.String)))
    return cells.with_columns(pl.concat_str(parts, separator="\x1f").alias("__key"))


def _gathered(rows: pl.DataFrame, added: set[str], earliest: set[str]) -> pl.DataFrame:
    """One row a key: the amounts of `added` added up, the first date of `earliest`; null where no row has any."""
    read = rows.with_columns(
        *(parse_amounts(rows[letter]).values.alias(letter) for letter in added),
        *(parse_dates(rows[letter]).values.alias(letter) for letter in earliest),
    )
    return (
        read.drop_nulls("__key")
        .group_by("__key", maintain_order=True)
        .agg(
            *(pl.when(pl.col(letter).is_not_null().any()).then(pl.col(letter).sum()).alias(letter) for letter in added),
            *(pl.col(letter).min() for letter in earliest),
        )
        .with_columns(pl.col(letter).cast(pl.String) for letter in (*added, *earliest))
    )


def _lost(rows: pl.DataFrame, keys: set[str], added: set[str], other: Sheet, titles: Mapping[str, str]) -> str | None:
    """What is said of the rows of `other` that state an amount and belong to no line, or whose amount is not one."""
    for letter in sorted(added):
        amounts = parse_amounts(rows[letter])
        unread = rows[letter].is_not_null() & amounts.values.is_null()
        stated = rows[letter].is_not_null() & (unread | (amounts.values != 0))
        alone = stated & (unread | ~rows["__key"].is_in(list(keys)).fill_null(False))
        if alone.any():
            places = rows.filter(alone)["row"]
            where = f"Feuille «\u00a0{other.name}\u00a0», colonne «\u00a0{titles[letter]}\u00a0»"
            return (
                f"{where} : {count(places.len(), 'ligne')} (d'abord la ligne {places[0]}) ne se rattachent à aucune "
                "ligne de la feuille principale, ou ne sont pas des montants : elles ne sont pas comptées. À quelles "
                "lignes appartiennent-elles ?"
            )
    return None


def _place(header: Header, other: Sheet, rule: JoinRule) -> Callable[[str], str]:
    """How a joined column is lettered; a sheet joined twice adds what for."""
    again = any(letter.startswith(f"{other.name}!") for letter in header.sheet.letters)
    return lambda letter: f"{other.name}!{letter}" + (f" ({rule.prefix})" if again else "")


def _titles(sheet: Sheet, rule: JoinRule) -> tuple[int, dict[str, str]] | None:
    """Row and titles of the sheet's header, when it has all that the rule names."""
    wanted = {fold_header(title) for title in (*rule.sheet, rule.key)}
    for cells in sheet.cells.head(20).iter_rows(named=True):
        titles = {letter: text for letter, text in cells.items() if letter != "row" and text}
        if wanted <= {fold_header(title) for title in titles.values()}:
            return int(cells["row"]), titles
    return None
