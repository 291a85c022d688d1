"""Which line is which: the stable identity of each, and the lines that say the same."""

from __future__ import annotations

import hashlib
from functools import cache

import duckdb
import polars as pl

from pipelines.ingest.pool import in_threads
from schemas.distinct import is_constant, meeting

_SAMPLE = 1_000
_SLICE = 50_000  # lines worked on at a time: the keys of a million would weigh as much as the file
_FEW = 2_000  # lines below which asking DuckDB takes longer than hashing
_ID = 20  # hexadecimal digits
_BETWEEN = "\x1f"  # no cell holds it: control characters are taken out when the sheet is mapped
_CELL = f"{_BETWEEN}cell "


def repeated(rows: pl.DataFrame) -> pl.Series:
    """The positions of the rows that equal another. Only rows that may are compared.

    Those that share their cell with none in the column that differs most do not; else those whose hashes do not meet.
    """
    telling = max(rows.columns, key=lambda name: rows[name].head(_SAMPLE).n_unique(), default=None)
    if telling is None:
        return pl.Series(dtype=pl.UInt32)
    suspects = meeting(rows[telling].hash())
    if suspects.len() > rows.height / 2:
        suspects = meeting(pl.concat(part.hash_rows() for part in rows.iter_slices(_SLICE)))
    return suspects.filter(rows[suspects].is_duplicated())


def with_identity(lines: pl.DataFrame, raw: pl.DataFrame, again: pl.Series) -> pl.DataFrame:
    """The stable `application_id`: case number, funder, service, applicant and year; else the content of the line.

    Identical lines without a case number are told apart by their order among themselves, so that the same file
    deposited again gives the same identities. `again`: the positions of the rows of `raw` that equal another.
    """
    ranks = _rank_among_equals(lines, raw, again)
    hashed = in_threads(
        lambda start: _hashed(_told(lines.slice(start, _SLICE), raw.slice(start, _SLICE)), ranks.slice(start, _SLICE)),
        range(0, lines.height, _SLICE),
        lines=lines.height,
    )
    return lines.with_columns(pl.concat([pl.Series(dtype=pl.String), *hashed]).alias("application_id"))


def _told(lines: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
    """What identities are made of, line by line; no cell is empty text."""
    stated = lines.select(
        funder=pl.coalesce("funder_siren", "funder_name").fill_null(""),
        year=pl.col("fiscal_year").cast(pl.String).fill_null(""),
        case="case_number",
        service=pl.col("service_name").fill_null(""),
        applicant=pl.coalesce(
            "applicant_siren", "applicant_rna", "applicant_local_id", "applicant_id_raw", "applicant_name"
        ).fill_null(""),
    )
    return pl.concat([stated, raw.rename(lambda name: _CELL + name)], how="horizontal")


def _content(told: pl.DataFrame) -> pl.DataFrame:
    """What makes two lines the same, when they have no case number."""
    return told.drop("service", "applicant")


def _rank_among_equals(lines: pl.DataFrame, raw: pl.DataFrame, again: pl.Series) -> pl.Series:
    """For each line the number of those above that say the same; zero with a case number."""
    rows = _content(_told(lines[again], raw[again]))
    ranks = pl.when(pl.col("case").is_null()).then(pl.int_range(pl.len()).over(rows.columns)).otherwise(0)
    return pl.zeros(lines.height, dtype=pl.Int64, eager=True).scatter(again, rows.select(ranks).to_series())


def _hashed(told: pl.DataFrame, ranks: pl.Series) -> pl.Series:
    ranks = ranks.cast(pl.String)
    cells = [told[name] for name in told.columns if name.startswith(_CELL)]
    key = _one_after_the_other("content", told["funder"], told["year"], *cells, ranks)
    if told["case"].null_count() < told.height:
        names = ("funder", "service", "case", "applicant", "year")
        by_case = pl.concat_str(pl.lit("case"), *names, ranks, separator=_BETWEEN)  # null without a case number
        key = pl.coalesce(by_case, key)
    keys = told.with_columns(key=key).select("key")
    if keys.height < _FEW:
        hashes = [hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() for text in keys["key"]]
        return pl.Series("id", [digits[:_ID] for digits in hashes], dtype=pl.String)
    with _database().cursor() as connection:
        connection.register("keys", keys)
        hashed: pl.DataFrame = connection.sql(f"SELECT substr(md5(key), 1, {_ID}) AS id FROM keys").pl()
    return hashed["id"]


def _one_after_the_other(first: str, *columns: pl.Series) -> pl.Expr:
    """`first`, then the cells of each line; what all lines share is put together once. Blank cells are empty text."""
    parts, shared = [], first
    for column in columns:
        shared += _BETWEEN
        if is_constant(column):
            shared += column[0] or ""
        else:
            cells = pl.lit(column.fill_null("") if column.null_count() else column)
            parts += [pl.lit(shared), cells]
            shared = ""
    return pl.concat_str(*parts, pl.lit(shared))


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One for the whole process: opening it costs more than reading a small file."""
    return duckdb.connect()
