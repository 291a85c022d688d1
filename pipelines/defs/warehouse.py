"""The models of `funding.duckdb`: one subsettable multi-asset, one asset a SQL file, its checks beside it."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from pipelines.defs.metadata import as_table, describe_tables
from pipelines.defs.places import Places
from pipelines.defs.progress import Progress
from pipelines.defs.retries import tried_again
from pipelines.defs.staging import STAGING
from pipelines.warehouse.analysts import KINDS, pending, write_changes, write_queue
from pipelines.warehouse.build import BlockedBuild, BuildResult, build, models
from pipelines.warehouse.current import load_inputs
from pipelines.warehouse.graph import Model, checks, kept_upstream

CHECKED = dg.AssetKey(["funding", "applications"])
REVIEW = "review_queue"
KEPT = tuple(model for model in models() if not model.is_temporary)
_FIRST = 50  # rows of a table in metadata
_WHOLE = 300  # characters of a question


def model_key(name: str) -> dg.AssetKey:
    """The asset of a model of `funding.duckdb`."""
    return dg.AssetKey(["funding", name])


def _spec(model: Model) -> dg.AssetSpec:
    depends_on, reads = kept_upstream(model, graph=models())
    upstream = [model_key(name) for name in sorted(depends_on)]
    if any(name.startswith(("staged_", "given_")) for name in reads):
        upstream.append(STAGING)
    marts = ("funding_by", "continuity", "refusal", "cofunding", "data_quality")
    return dg.AssetSpec(
        model_key(model.name),
        deps=upstream,
        description=model.description,
        kinds={"duckdb", "sql"},
        group_name="marts" if model.name.startswith(marts) else "warehouse",
        owners=["team:analystes"],
        skippable=True,
    )


@dg.multi_asset(
    name="funding_database",
    specs=[_spec(model) for model in KEPT],
    check_specs=[
        dg.AssetCheckSpec(check.name, asset=CHECKED, description=check.description, blocking=check.is_blocking)
        for check in checks()
    ],
    can_subset=True,
    pool="warehouse",
)
def funding_database(
    context: dg.AssetExecutionContext, places: Places, progress: dg.ResourceParam[Progress]
) -> Iterator[Any]:
    """Rebuild the selected models and all that depends on them, aside, check them, and swap the database once."""
    progress.stage("Consolidation")
    selected = {key.path[-1] for key in context.selected_asset_keys}
    everything = selected == {model.name for model in KEPT}
    try:
        with tried_again(), places.writing():
            inputs = load_inputs(places.warehouse_folder, as_of=places.day, registers=places.registers)
            result = build(inputs, places.funding, select=None if everything else selected)
            told = _told(result, places)
    except BlockedBuild as blocked:
        yield from _check_results(blocked.result, context)
        raise dg.Failure(str(blocked)) from blocked
    described = describe_tables(places.funding, sorted(selected))
    for name in (model.name for model in KEPT if model.name in selected):
        seconds = round(result.seconds.get(name, 0.0), 3)
        metadata = {**described[name], "secondes": seconds, **told.get(name, {})}
        yield dg.MaterializeResult(asset_key=model_key(name), metadata=metadata)
    yield from _check_results(result, context)


def _told(result: BuildResult, places: Places) -> dict[str, dict[str, Any]]:
    """What the run changed, on `applications`, and what waits for a decision, on `review_queue`; and their pages."""
    changes, waiting = result.changes, pending(places.funding)
    changed_page = write_changes(changes, places.warehouse_folder, at=datetime.now(UTC))
    queue_page = write_queue(waiting, places.warehouse_folder, as_of=places.day)
    moved = [
        {
            "financeur": row["funder_name"],
            "étape": row["stage"],
            "ajoutées": row["n_added"],
            "retirées": row["n_removed"],
            "modifiées": row["n_changed"],
            "montant avant": row["amount_before"],
            "montant après": row["amount_after"],
            "monnaie": row["currency"],
        }
        for row in changes.funders.head(_FIRST).to_dicts()
    ]
    totals = changes.totals
    first = [
        {"montant": item.amount, "sorte": KINDS[item.kind], "quoi": item.place, "question": item.question,
         "où répondre": item.answer_in, "que répondre": item.answer}
        for item in waiting[:_FIRST]
    ]  # fmt: skip
    by_kind = Counter(item.kind for item in waiting)
    return {
        CHECKED.path[-1]: {
            "lignes ajoutées par ce passage": totals["n_added"],
            "lignes retirées par ce passage": totals["n_removed"],
            "lignes modifiées par ce passage": totals["n_changed"],
            "changements de ce passage, par financeur": as_table(moved),
            "fichiers arrivés et partis": as_table(
                [{"fichier": path, "": "arrivé" if came else "parti"} for path, came in changes.files[:_FIRST]]
            ),
            "page des changements": dg.MetadataValue.path(str(changed_page)),
        },
        REVIEW: {
            **{title: by_kind[kind] for kind, title in KINDS.items()},
            "à décider": as_table(first, longest=_WHOLE),
            "page de ce qui est à décider": dg.MetadataValue.path(str(queue_page)),
        },
    }


def _check_results(result: BuildResult, context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult]:
    wanted = {key.name for key in context.selected_asset_check_keys}
    for found in result.checks:
        if found.check.name in wanted:
            severity = dg.AssetCheckSeverity.ERROR if found.check.is_blocking else dg.AssetCheckSeverity.WARN
            yield dg.AssetCheckResult(
                passed=found.is_passed,
                asset_key=CHECKED,
                check_name=found.check.name,
                severity=severity,
                metadata={"nombre": found.n_offenders, "premiers": as_table(found.sample.to_dicts())},
            )
