"""Which line is which: the stable identity of each, and the lines that say the same."""

from __future__ import annotations

import duckdb
import polars as pl

_SLICE = 100_000  # lines worked on at a time: the keys of a million would weigh as much as the file
_BETWEEN = "\x1f"  # no cell holds it: control characters are taken out when the sheet is mapped
_CELL = f"{_BETWEEN}cell "


def repeated(rows: pl.DataFrame) -> pl.Series:
    """The positions of the rows that equal another. Only rows whose hashes meet are compared."""
    if rows.is_empty():
        return pl.Series(dtype=pl.UInt32)
    suspects = pl.concat([part.hash_rows() for part in rows.iter_slices(_SLICE)]).is_duplicated()
    return suspects.arg_true().filter(rows.filter(suspects).is_duplicated())


def with_identity(lines: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
    """The stable `application_id`: case number, funder, service, applicant and year; else the content of the line.

    Identical lines without a case number are told apart by their order among themselves, so that the same file
    deposited again gives the same identities.
    """
    stated = lines.select(
        funder=pl.coalesce("funder_siren", "funder_name").fill_null(""),
        year=pl.col("fiscal_year").cast(pl.String).fill_null(""),
        case="case_number",
        service=pl.col("service_name").fill_null(""),
        applicant=pl.coalesce(
            "applicant_siren", "applicant_rna", "applicant_local_id", "applicant_id_raw", "applicant_name"
        ).fill_null(""),
    )
    told = pl.concat([stated, raw.rename(lambda name: _CELL + name)], how="horizontal")
    told = told.with_columns(rank=_rank_among_equals(told.drop("service", "applicant")))
    by_case = pl.concat_str(pl.lit("case"), "funder", "service", "case", "applicant", "year", separator=_BETWEEN)
    cells = (pl.col(_CELL + name).fill_null("") for name in raw.columns)
    by_content = pl.concat_str(pl.lit("content"), "funder", "year", *cells, separator=_BETWEEN)
    key = pl.concat_str(pl.coalesce(by_case, by_content), "rank", separator=_BETWEEN)  # no case number: no `by_case`
    with duckdb.connect() as connection:
        hashed = [_hashed(part.select(key=key), connection) for part in told.iter_slices(_SLICE)]
    return lines.with_columns(pl.concat([pl.Series(dtype=pl.String), *hashed]).alias("application_id"))


def _rank_among_equals(rows: pl.DataFrame) -> pl.Series:
    """For each row the number of those above that say the same (no cell is empty text); zero with a case number."""
    places = repeated(rows)
    above = pl.int_range(pl.len()).over(rows.columns)
    ranks = rows[places].select(pl.when(pl.col("case").is_null()).then(above).otherwise(0)).to_series()
    return pl.zeros(rows.height, dtype=pl.Int64, eager=True).scatter(places, ranks)


def _hashed(keys: pl.DataFrame, connection: duckdb.DuckDBPyConnection) -> pl.Series:
    connection.register("keys", keys)
    hashed: pl.DataFrame = connection.sql("SELECT substr(md5(key), 1, 20) AS id FROM keys").pl()
    return hashed["id"]
