"""Amounts of persons across publications: what the difference of two of them would tell.

A group that one more person joins gives that person's amount to whoever kept the former file. Every publication is
therefore set against each former one: the parts into which the groups of both cut the amounts, and the changes of
amounts, must be safe groups too. Where they are not, the groups of the last publication stay as they were and what is
new waits outside; where even that tells too much, no amount of that funder and year is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.warehouse.persons import ATOMS, BLOCK, LEVELS, NONE, group_names, judged

if TYPE_CHECKING:
    from pipelines.warehouse.publications import Archive
    from schemas.publication import Disclosure

NAME = "persons"
STATE = pl.Schema([*ATOMS.items(), ("told", pl.String)])
_YEAR = ["funder_id", "fiscal_year"]
_ATOM = [*BLOCK, *LEVELS["full"], "unit"]


def decide(archive: Archive, told: pl.DataFrame, limits: Disclosure) -> pl.DataFrame:
    """`told` (`persons.grouped`) with what the publications of `archive` let be told."""
    past = archive.read(NAME, STATE)
    if past.is_empty():
        return told
    found = told
    for other in (_as_before(told, past), told.with_columns(told=pl.lit(NONE))):
        unsafe = _given_away(found, past, limits)
        found = pl.concat([
            found.join(unsafe, on=_YEAR, how="anti"), other.join(unsafe, on=_YEAR, how="semi")
        ])  # fmt: skip
    return found


def new_state(archive: Archive, told: pl.DataFrame) -> pl.DataFrame:
    """What to archive: the amounts told in the funder-years where they are not those archived last."""
    now = told.filter(pl.col("told") != NONE).select(STATE.names())
    last = _last(archive.read(NAME, STATE)).select(STATE.names())
    moved = pl.concat([
        now.join(last, on=STATE.names(), how="anti", nulls_equal=True),
        last.join(now, on=STATE.names(), how="anti", nulls_equal=True),
    ])  # fmt: skip
    return now.join(moved.select(_YEAR).unique(), on=_YEAR, how="semi")


def given_away(archive: Archive, told: pl.DataFrame, limits: Disclosure) -> pl.DataFrame:
    """The funder-years where a former publication and the groups of `told` single out too few: `funder_id`, year."""
    return _given_away(told, archive.read(NAME, STATE), limits)


def _last(past: pl.DataFrame) -> pl.DataFrame:
    return past.filter(pl.col("publication") == pl.col("publication").max().over(_YEAR))


def _as_before(told: pl.DataFrame, past: pl.DataFrame) -> pl.DataFrame:
    """The groups of the last publication that hold the same amounts now; nothing else is told."""
    last = group_names(_last(past).drop("publication"))
    both = last.join(told.select(*_ATOM, "cents"), on=_ATOM, how="left", nulls_equal=True, suffix="_now")
    is_same = (pl.col("cents") == pl.col("cents_now")).fill_null(False)
    whole = both.group_by("group").agg(is_same.all().alias("is_whole")).filter("is_whole")
    kept = last.join(whole, on="group", how="semi").select(*_ATOM, pl.col("told").alias("told_then"))
    return (
        told.join(kept, on=_ATOM, how="left", nulls_equal=True)
        .with_columns(pl.col("told_then").fill_null(NONE).alias("told"))
        .drop("told_then")
    )


def _given_away(told: pl.DataFrame, past: pl.DataFrame, limits: Disclosure) -> pl.DataFrame:
    unsafe = [pl.DataFrame(schema={name: ATOMS[name] for name in _YEAR})]
    now = group_names(told.filter(pl.col("told") != NONE)).select(*_ATOM, "cents", "group")
    for number in past["publication"].unique().sort():
        then = group_names(past.filter(pl.col("publication") == number)).select(*_ATOM, "cents", "group")
        years = then.select(_YEAR).unique()
        parts = (
            now.join(years, on=_YEAR, how="semi")
            .join(then, on=_ATOM, how="full", nulls_equal=True, suffix="_then", coalesce=True)
            .with_columns(
                (pl.col("cents") - pl.col("cents_then")).fill_null(0).alias("moved"),
                pl.coalesce("cents", "cents_then").alias("whole"),
            )
            .with_columns(
                (pl.col("moved") != 0).alias("has_moved"),
                pl.when(pl.col("moved") != 0).then("moved").otherwise("whole").alias("cents"),
            )
        )
        keys = [*_YEAR, "group", "group_then", "has_moved"]
        unsafe.append(judged(parts, keys, limits).filter(~pl.col("is_safe")).select(_YEAR))
    return pl.concat(unsafe).unique()
