"""Accepted lines on disk: only filled columns are written, every column of the contract is read back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb
import polars as pl
from polars.testing import assert_frame_equal

from pipelines.ingest.check import check_file
from pipelines.ingest.normalise import Origin
from pipelines.ingest.stage import stage
from pipelines.ingest.staged import ACCEPTED, scan_accepted
from pipelines.warehouse.inputs import register
from schemas.application import Application
from schemas.contract import polars_schema
from schemas.funder import FunderFile
from tests.warehouse_staging import Staging

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "nomAttribuant;nomBeneficiaire;exerciceBudgetaire;statutLabel;montantDemande;montant;objet"
LINE = "Ville d'Essai;Association Un;2024;attribuée;1000;900;Projet"
IN_KIND = (
    "nomAttribuant,nomBeneficiaire,dateConvention,montant,nature\nVille d'Essai,Association Deux,2024-01-05,,nature\n"
)


def staged(folder: Path, content: str) -> Path:
    source = folder / "depot.csv"
    source.write_text(content, encoding="utf-8")
    target = folder / "staging" / str(len(content))
    stage(source, Origin("d1", "ville", source.name, FunderFile()), target)
    return target


def test_only_filled_columns_are_written_and_all_are_read_back(tmp_path: Path) -> None:
    content = f"{HEADER}\n{LINE}\n"
    folder = staged(tmp_path, content)
    accepted = check_file(content.encode(), Origin("d1", "ville", "depot.csv", FunderFile())).accepted
    assert accepted.height == 1
    written = pl.read_parquet_schema(folder / ACCEPTED)
    assert set(written) == {name for name in accepted.columns if accepted[name].null_count() == 0}
    assert "amount_paid" not in written
    assert scan_accepted(folder).collect_schema() == polars_schema(Application)
    assert_frame_equal(scan_accepted(folder).collect(), accepted)


def test_a_file_without_accepted_lines_keeps_their_number(tmp_path: Path) -> None:
    folder = staged(tmp_path, f"{HEADER}\n{LINE.replace(';900;', ';beaucoup;')}\n")
    assert scan_accepted(folder).collect().height == 0
    assert scan_accepted(folder).collect_schema() == polars_schema(Application)


def test_the_warehouse_reads_files_of_different_columns_and_none_as_one_table(tmp_path: Path) -> None:
    one, two = staged(tmp_path, f"{HEADER}\n{LINE}\n"), staged(tmp_path, IN_KIND)
    assert set(pl.read_parquet_schema(one / ACCEPTED)) != set(pl.read_parquet_schema(two / ACCEPTED))
    inputs, known = Staging(tmp_path / "none").inputs(), None
    for stagings, height in (([], 0), ([("d1", one), ("d2", two)], 2), ([("d1", one), ("d2", two)] * 60, 120)):
        with duckdb.connect() as connection:
            register(connection, replace(inputs, stagings=stagings))
            table = connection.sql("FROM staged_applications").pl()
            types = {
                (name, str(dtype)) for name, dtype, *_ in connection.sql("DESCRIBE staged_applications").fetchall()
            }
        assert (table.height, set(table.schema.items())) == (height, set(polars_schema(Application).items()))
        assert known in (None, types)
        known = types
    table = table.unique()
    expected = pl.concat([scan_accepted(one).collect(), scan_accepted(two).collect()])
    assert_frame_equal(table.select(expected.columns).sort("applicant_name"), expected.sort("applicant_name"))
