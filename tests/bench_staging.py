"""Invented staging in a folder, as ingest leaves it: `staged(folder, lines)`, seconds for millions; `inputs(folder)`.

What the lines say is drawn in `bench_lines`; here they become deposits: Parquet files, and what the ledger knows.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.warehouse.inputs import DECLARATIONS, DEPOSITS, ISSUES, REJECTIONS, VERSIONS, Inputs
from schemas import territory
from schemas.application import Application
from schemas.call import Call
from schemas.contract import polars_schema
from tests.bench_lines import FUNDERS, SEED, bodies, funders, lines_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tests.bench_lines import Funder

AS_OF = dt.date(2026, 11, 20)
LINES_PER_BODY = 25
PERIODS = ((2016, 2020), (2021, 2025))
"""Each funder deposits one file of each."""
_TOLD = {"deposits": DEPOSITS, "versions": VERSIONS, "declared": DECLARATIONS}


def staged(folder: Path, lines: int) -> None:
    """Write about so many accepted lines (never fewer) under `folder` as ingest does, and what the ledger says."""
    rng = np.random.default_rng(SEED)
    communes = territory.tables()["communes"].join(
        territory.tables()["departements"].select(departement_code="code", region_code="region_code"),
        on="departement_code",
    )
    everybody = bodies(max(1_000, lines // LINES_PER_BODY), communes, rng)
    places: dict[str, NDArray[np.int64]] = {"": np.arange(everybody.height)}
    for column in ("departement_code", "region_code"):
        for (code,), found in everybody.with_row_index().group_by(column):
            places[f"{column}:{code}"] = found["index"].to_numpy().astype(np.int64)
    shares = 1 / np.arange(2, FUNDERS + 2) ** 0.8
    sizes = np.ceil(rng.permutation(shares) / shares.sum() * lines).astype(int)
    deposits, versions = [], []
    for funder, size in zip(funders(communes, rng), sizes, strict=True):
        every = lines_of(funder, int(size), everybody, places, rng)
        for first, last in PERIODS:
            deposit = f"{funder.number:08x}{first:08x}"
            mine = every.filter(pl.col("fiscal_year").is_between(first, last))
            problems = _write(folder / deposit, deposit, mine, funder)
            deposits.append(_deposit(deposit, funder, mine.height, problems))
            versions += [
                {"deposit_id": deposit, "fiscal_year": year, "is_counted": True, "decided_by": "rule"}
                for year in range(first, last + 1)
            ]
    declared = [
        {"depositor": f"financeur-{funder}", "publishes_refusals": True}
        for funder in range(0, FUNDERS, 12)
    ]  # fmt: skip
    for name, rows in (("deposits", deposits), ("versions", versions), ("declared", declared)):
        pl.DataFrame(rows, schema=_TOLD[name], orient="row").write_parquet(folder / f"{name}.parquet")


def inputs(folder: Path) -> Inputs:
    """What a build receives of a folder that `staged` wrote, and `arrived` added to."""
    told = {name: pl.read_parquet(folder / f"{name}.parquet") for name in _TOLD}
    return Inputs(
        stagings=[(deposit, folder / deposit) for deposit in told["deposits"]["deposit_id"]],
        deposits=told["deposits"],
        versions=told["versions"],
        funder_declarations=told["declared"],
        as_of=AS_OF,
    )


def arrived(folder: Path, lines: int) -> None:
    """One more file in `folder`: so many lines of its largest file with refusals, under other numbers, for 2025."""
    deposits, versions = (pl.read_parquet(folder / f"{name}.parquet") for name in ("deposits", "versions"))
    said = pl.scan_parquet(folder / "*" / "accepted.parquet", extra_columns="ignore", missing_columns="insert")
    with_refusals = said.filter(decision_status="refused").select(pl.col("deposit_id").unique()).collect()
    largest = deposits.join(with_refusals, on="deposit_id", how="semi").sort("rows_read", "deposit_id").tail(1)
    deposit = "0123456789abcdef"
    known = pl.read_parquet(folder / largest["deposit_id"][0] / "accepted.parquet")
    ids = pl.format("{}:0:{}", pl.lit(deposit), pl.int_range(2, pl.len() + 2))
    added = known.sample(lines, with_replacement=True, seed=SEED).with_columns(
        deposit_id=pl.lit(deposit), line_id=ids, application_id=ids, fiscal_year=pl.lit(2025, dtype=pl.Int32),
        case_number=pl.when(pl.col("case_number").is_not_null()).then(ids),
    )  # fmt: skip
    (folder / deposit).mkdir()
    added.write_parquet(folder / deposit / "accepted.parquet")
    pl.DataFrame(schema=REJECTIONS).write_parquet(folder / deposit / "rejected.parquet")
    pl.DataFrame(schema=ISSUES).write_parquet(folder / deposit / "issues.parquet")
    count = pl.lit(lines, dtype=pl.Int64)
    one = largest.with_columns(
        deposit_id=pl.lit(deposit), file_name=pl.lit("nouveau.csv"), rows_read=count, rows_accepted=count,
        issues_warning=pl.lit(0, dtype=pl.Int64), relative_path=pl.format("{}/nouveau.csv", "depositor"),
    )  # fmt: skip
    pl.concat([deposits, one]).write_parquet(folder / "deposits.parquet")
    counted = versions.head(1).with_columns(deposit_id=pl.lit(deposit), fiscal_year=pl.lit(2025, dtype=pl.Int32))
    pl.concat([versions, counted]).write_parquet(folder / "versions.parquet")


def _write(folder: Path, deposit: str, lines: pl.DataFrame, funder: Funder) -> int:
    """The Parquet files of one deposit. Returns how many problems it has."""
    schema = polars_schema(Application)
    given = {
        "source_sheet": pl.lit("Feuille1"),
        "record_kind": pl.lit("application" if funder.publishes_refusals else "award"),
        "deposit_id": pl.lit(deposit), "source_row": pl.int_range(2, pl.len() + 2),
        "line_id": pl.format("{}:0:{}", pl.lit(deposit), pl.int_range(2, pl.len() + 2)),
        "application_id": pl.struct(pl.lit(deposit), "number").hash(seed=0).cast(pl.String),
        "funder_name": pl.lit(funder.name), "funder_siren": pl.lit(funder.siren), "funder_level": pl.lit(funder.level),
        "service_name": pl.col("service"), "applicant_siren": pl.col("siren"), "applicant_siret": pl.col("siret"),
        "applicant_rna": pl.col("rna"), "applicant_name": pl.when(pl.col("kind") != "natural").then("name"),
        "applicant_id_raw": pl.coalesce("siret", "rna"), "applicant_kind": pl.col("kind"),
        "purpose": pl.col("deed").replace_strict(
            {"Fonctionnement": "operating", "Rénovation des locaux": "investment"}, default="project"),
        "aid_form": pl.lit("cash"), "currency": pl.lit("EUR"), "headline_stage": pl.lit("awarded"),
        "fiscal_year_basis": pl.lit("column"), "source_name": pl.lit(funder.name), "recognised_by": pl.lit("format"),
        "format_id": pl.lit("modele"), "is_demonstration": pl.lit(False),
    }  # fmt: skip
    every = lines.with_columns(**given)
    folder.mkdir(parents=True)
    filled = [name for name in schema if name in every.columns and every[name].null_count() < every.height]
    every.select(pl.col(name).cast(schema[name]) for name in filled).write_parquet(folder / "accepted.parquet")
    pl.DataFrame(schema=REJECTIONS).write_parquet(folder / "rejected.parquet")
    problems = every.gather_every(100).select(
        sheet="source_sheet", row=pl.col("source_row").cast(pl.Int32), column_letter=pl.lit("F"),
        field=pl.lit("applicant_siret"), value=pl.lit(None, dtype=pl.String), code=pl.lit("siret_invalid"),
        severity=pl.lit("warning"), message=pl.lit("Ce SIRET n'est pas valide."),
    )  # fmt: skip
    problems.select(ISSUES.names()).cast(ISSUES).write_parquet(folder / "issues.parquet")
    calls = every.drop_nulls("call_id").group_by("call_id", maintain_order=True).agg(
        pl.col("service_name", "scheme", "funder_name", "funder_siren", "funder_level", "fiscal_year").first()
    )  # fmt: skip
    if calls.height:
        _write_calls(folder, deposit, calls)
    return problems.height


def _write_calls(folder: Path, deposit: str, calls: pl.DataFrame) -> None:
    schema = polars_schema(Call)
    every = calls.with_columns(
        line_id=pl.format("{}:1:{}", pl.lit(deposit), pl.int_range(2, pl.len() + 2)), deposit_id=pl.lit(deposit),
        source_sheet=pl.lit("Appels"), source_row=pl.int_range(2, pl.len() + 2), source_name="funder_name",
        title=pl.format("Appel {}", "call_id"), recognised_by=pl.lit("format"), format_id=pl.lit("modele-appels"),
        is_demonstration=pl.lit(False), opening_date=pl.date("fiscal_year", 1, 10),
        closing_date=pl.date("fiscal_year", 3, 31),
    )  # fmt: skip
    every.select(
        (pl.col(name) if name in every.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.items()
    ).write_parquet(folder / "calls.parquet")


def _deposit(deposit: str, funder: Funder, lines: int, problems: int) -> dict[str, object]:
    return {
        "deposit_id": deposit, "depositor": f"financeur-{funder.number}", "file_name": f"{deposit}.csv",
        "relative_path": f"financeur-{funder.number}/{deposit}.csv", "sha256": deposit * 4, "size_bytes": 200 * lines,
        "received_at": dt.datetime(2026, 1, 1), "format_id": "modele", "recognised_by": "format", "status": "accepted",
        "is_current": True, "is_demonstration": False, "rows_read": lines, "rows_accepted": lines, "rows_rejected": 0,
        "rows_ignored": 0, "issues_error": 0, "issues_warning": problems, "issues_info": 0,
        "message": "Fichier accepté.",
    }  # fmt: skip
