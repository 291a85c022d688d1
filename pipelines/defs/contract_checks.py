"""Asset checks made from the Pandera contract, by one factory: each of its named rules is a check on `staging`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import dagster as dg

from pipelines.defs.metadata import as_table
from schemas.contracts import CONTRACTS
from schemas.issues import issue_kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.ingest.deposited import Deposit

_PLACES = 20


def rules() -> list[str]:
    """The named rules of every contract, sorted: those that `schemas/issues.toml` explains."""
    schemas = [model.to_schema() for model in CONTRACTS.values()]
    columns = [check for schema in schemas for column in schema.columns.values() for check in column.checks]
    checks = columns + [check for schema in schemas for check in schema.checks]
    return sorted({check.name for check in checks if check.name in issue_kinds()})


def specs(asset: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """One check specification for each rule."""
    kinds = issue_kinds()
    return [
        dg.AssetCheckSpec(rule, asset=asset, description=f"{kinds[rule].title}. {kinds[rule].remedy}")
        for rule in rules()
    ]


def results(asset: dg.AssetKey, deposits: Iterable[Deposit]) -> Iterator[dg.AssetCheckResult]:
    """What current deposits say of each rule: how many cells break it, and where first."""
    issues = [(deposit, issue) for deposit in deposits for issue in deposit.report.issues]
    counts = Counter(issue.code for _, issue in issues)
    for rule in rules():
        places = [
            {"fichier": deposit.path, "feuille": issue.sheet, "ligne": issue.row, "colonne": issue.column}
            for deposit, issue in issues
            if issue.code == rule
        ]
        yield dg.AssetCheckResult(
            passed=counts[rule] == 0,
            asset_key=asset,
            check_name=rule,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"nombre": counts[rule], "premiers endroits": as_table(places[:_PLACES])},
        )
