"""`public.duckdb`, then one asset a report: what may be published, and the pages made from it."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines.defs.metadata import as_table, describe_tables
from pipelines.defs.places import Places
from pipelines.defs.progress import Progress
from pipelines.defs.retries import tried_again
from pipelines.defs.warehouse import model_key
from pipelines.publish.reports import Report, reports
from pipelines.publish.site import publish
from pipelines.warehouse.audit import Audit, UnsafePublication
from pipelines.warehouse.disclosure import publish_database
from pipelines.warehouse.graph import FUNDING_CATALOG, models, public_models
from schemas.publication import load_publication

PUBLIC = dg.AssetKey("public_database")
AUDIT = "disclosure_audit"
_FIRST = 50
_COLUMNS = {
    "table": "table", "cell": "cellule", "measure": "effectif", "low": "au moins", "high": "au plus",
    "given_by": "d'après",
}  # fmt: skip


def _read_models() -> list[dg.AssetKey]:
    """The models of `funding.duckdb` that disclosure reads."""
    read = {name.removeprefix(f"{FUNDING_CATALOG}.") for model in public_models() for name in model.reads}
    return [model_key(model.name) for model in models() if model.name in read]


@dg.asset(
    key=PUBLIC,
    deps=_read_models(),
    group_name="public",
    kinds={"duckdb", "sql"},
    owners=["team:analystes"],
    description="Ce qui peut être publié, et rien d'autre : les pages n'ouvrent que cette base. Les refus n'y sont que "
    "comptés, jamais nominatifs, et masqués quand ils sont trop peu nombreux.",
    check_specs=[
        dg.AssetCheckSpec(
            AUDIT,
            asset=PUBLIC,
            blocking=True,
            description="Un lecteur qui connaît les règles, toutes les attributions et toutes les publications ne peut "
            "pas deviner un effectif masqué. Sinon, la base publique et les pages précédentes restent en place.",
        )
    ],
    pool="warehouse",
)
def public_database(places: Places, progress: dg.ResourceParam[Progress]) -> Iterator[Any]:
    """Apply disclosure to the analysts' database, aside, attack the result, and swap the public one if it holds."""
    progress.stage("Protection des données")
    try:
        with tried_again(), places.writing():
            result = publish_database(places.funding, places.public, as_of=places.day, parameters=load_publication())
    except UnsafePublication as unsafe:
        yield _audited(unsafe.audit)
        raise dg.Failure(str(unsafe)) from unsafe
    described = describe_tables(places.public, sorted(result.rows))
    rows = "\n".join(f"| {name} | {told['dagster/row_count']} |" for name, told in described.items())
    yield dg.MaterializeResult(
        metadata={
            "tables": dg.MetadataValue.md(f"| table | lignes |\n|---|---|\n{rows}"),
            "date": places.day.isoformat(),
            "secondes de l'audit": round(result.seconds["audit"], 3),
        }
    )
    yield _audited(result.audit)


def _audited(audit: Audit) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=audit.is_passed,
        check_name=AUDIT,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "nombre": audit.findings.height,
            "financeurs et exercices recalculés": audit.n_bounded,
            "cellules devinées": as_table(audit.findings.head(_FIRST).rename(_COLUMNS).to_dicts()),
        },
    )


def report_key(name: str) -> dg.AssetKey:
    """The asset of a report."""
    return dg.AssetKey(["reports", name])


def _spec(report: Report) -> dg.AssetSpec:
    return dg.AssetSpec(
        report_key(report.name),
        deps=[PUBLIC],
        group_name="reports",
        kinds={"html"},
        owners=["team:analystes"],
        description=f"{report.title}. {report.description}",
        metadata={"tables": ", ".join(report.tables)},
        skippable=True,
    )


@dg.multi_asset(name="site", specs=[_spec(report) for report in reports()], can_subset=True, pool="warehouse")
def site(
    context: dg.AssetExecutionContext, places: Places, progress: dg.ResourceParam[Progress]
) -> Iterator[dg.MaterializeResult[Any]]:
    """Write the pages and open-data files of the selected reports; only what changed is rewritten."""
    progress.stage("Publication des pages")
    selected = {key.path[-1] for key in context.selected_asset_keys}
    everything = selected == {report.name for report in reports()}
    with tried_again(), places.writing():
        result = publish(places.public, places.reports_folder, only=None if everything else selected)
    told = {"fichiers": result.files, "réécrits": result.written, "inchangés": result.unchanged}
    for report in reports():
        if report.name in selected:
            page = dg.MetadataValue.path(str(places.reports_folder / report.page))
            yield dg.MaterializeResult(asset_key=report_key(report.name), metadata={"page": page, **told})
