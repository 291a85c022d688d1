"""Identities depend on what a line says, not on how many lines there are beside it."""

import polars as pl

from pipelines.ingest.identity import repeated, with_identity

_MANY = 2_500  # more than are hashed in Python


def test_lines_keep_their_identity_in_a_shorter_file() -> None:
    names = ("funder_siren", "funder_name", "fiscal_year", "case_number", "service_name", "applicant_siren",
             "applicant_rna", "applicant_local_id", "applicant_id_raw", "applicant_name")  # fmt: skip
    lines = pl.DataFrame({name: [None] * _MANY for name in names}, schema=dict.fromkeys(names, pl.String)).with_columns(
        funder_name=pl.lit("Métropole"), fiscal_year=pl.lit(2024, dtype=pl.Int32),
        case_number=pl.Series([f"N° {n}" if n % 3 == 0 else None for n in range(_MANY)]),
    )  # fmt: skip
    raw = pl.DataFrame({"title": [f"Épicerie {n}" for n in range(_MANY)], "amount": [None, "1"] * (_MANY // 2)})

    def identities(rows: slice) -> pl.Series:
        return with_identity(lines[rows], raw[rows], repeated(raw[rows]))["application_id"]

    whole = identities(slice(0, _MANY))
    assert whole.n_unique() == _MANY
    assert whole.str.contains("^[0-9a-f]{20}$").all()
    pieces = pl.concat(identities(slice(start, start + 100)) for start in range(0, _MANY, 100))
    assert whole.to_list() == pieces.to_list()
