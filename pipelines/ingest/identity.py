"""Which line is which: the stable identity of each, and the lines that say the same."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from pipelines.ingest.pool import in_threads

if TYPE_CHECKING:
    from collections.abc import Iterable

_SLICE = 50_000  # lines worked on at a time: the keys of a million would weigh as much as the file
_BETWEEN = "\x1f"  # no cell holds it: control characters are taken out when the sheet is mapped
_CELL = f"{_BETWEEN}cell "


def repeated(rows: pl.DataFrame) -> pl.Series:
    """The positions of the rows that equal another. Only rows whose hashes meet are compared."""
    suspects = _meeting(part.hash_rows() for part in rows.iter_slices(_SLICE))
    return suspects.filter(rows[suspects].is_duplicated())


def with_identity(lines: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
    """The stable `application_id`: case number, funder, service, applicant and year; else the content of the line.

    Identical lines without a case number are told apart by their order among themselves, so that the same file
    deposited again gives the same identities.
    """
    parts = [(lines.slice(start, _SLICE), raw.slice(start, _SLICE)) for start in range(0, lines.height, _SLICE)]
    ranks = _rank_among_equals(lines, raw, parts)
    starts = range(0, lines.height, _SLICE)
    hashed = in_threads(
        lambda part: _hashed(_told(*part[0]), ranks.slice(part[1], _SLICE)),
        zip(parts, starts, strict=True),
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


def _rank_among_equals(
    lines: pl.DataFrame, raw: pl.DataFrame, parts: list[tuple[pl.DataFrame, pl.DataFrame]]
) -> pl.Series:
    """For each line the number of those above that say the same; zero with a case number."""
    suspects = _meeting(in_threads(lambda part: _content(_told(*part)).hash_rows(), parts, lines=lines.height))
    rows = _content(_told(lines[suspects], raw[suspects]))
    ranks = pl.when(pl.col("case").is_null()).then(pl.int_range(pl.len()).over(rows.columns)).otherwise(0)
    return pl.zeros(lines.height, dtype=pl.Int64, eager=True).scatter(suspects, rows.select(ranks).to_series())


def _meeting(hashes: Iterable[pl.Series]) -> pl.Series:
    """The positions whose hash is that of another."""
    return pl.concat([pl.Series(dtype=pl.UInt64), *hashes]).is_duplicated().arg_true()


def _hashed(told: pl.DataFrame, ranks: pl.Series) -> pl.Series:
    by_case = pl.concat_str(
        pl.lit("case"), "funder", "service", "case", "applicant", "year", ranks, separator=_BETWEEN
    )  # null without a case number
    cells = (pl.col(name).fill_null("") for name in told.columns if name.startswith(_CELL))
    by_content = pl.concat_str(pl.lit("content"), "funder", "year", *cells, ranks, separator=_BETWEEN)
    stated = told["case"].null_count() < told.height
    key = pl.coalesce(by_case, by_content) if stated else by_content
    with _database().cursor() as connection:
        connection.register("keys", told.select(key=key))
        hashed: pl.DataFrame = connection.sql("SELECT substr(md5(key), 1, 20) AS id FROM keys").pl()
    return hashed["id"]


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One for the whole process: opening it costs more than reading a small file."""
    return duckdb.connect()
