"""`public.duckdb`: what may be published, and physically nothing else.

Protected against a reader who has every table of the database and does arithmetic on them, and who knows the awards
(they are nominative, so the number of awards of any cell is known):
- a refused, inadmissible, withdrawn, closed, pending, cancelled or unknown application is in no table; applicants
  without an award, natural persons and organisations of unknown kind are in no nominative one;
- counts of those applications, one by one and by difference between funder-years, services, départements, schemes and
  reasons: `suppression` (rule, tree, crossing with schemes). What a hidden count would follow from (decisions, totals,
  rates, intervals, bounds, shares) is hidden with it, and a cell without any award has no row at all;
- totals stated by a funder: what was submitted beside what was awarded tells what was not, under the same rule;
- services that show no refusal and declare nothing are known to have none: they protect no other;
- requested amounts: enough applicants and no dominant one, among decided and among refused; all the services of a
  funder and year, or none;
- lines of files: read and accepted rows are given only for files whose every funder and year is tellable, other
  counts are rounded, fields are measured on awarded lines, and deposits bear no name, hash or size made of content;
- e-mail addresses, telephone, bank and social security numbers written in titles.

Left to the audit of publications: differences between two releases; what whole numbers and positive counts allow
beyond exact sums and differences; names of persons in free text and in names of organisations; `application_id`, an
unsalted hash in which whoever knows its other parts may try case numbers; what a funder publishes elsewhere; what
applicants know of themselves and of the others of their cell.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from pipelines.warehouse import comments, stated_disclosure, suppression
from pipelines.warehouse.build import count_rows, create
from pipelines.warehouse.connection import quoted, run, set_variables, written_aside
from pipelines.warehouse.graph import public_models
from pipelines.warehouse.inputs import register_contracts

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import duckdb

    from schemas.publication import Publication

_ATOMS = """
    WITH counted AS (
        SELECT
            funder_id, fiscal_year, service_key, departement_code, scheme,
            sum(n_awarded) AS n_awarded, sum(n_refused) AS refused, sum(n_inadmissible) AS inadmissible,
            sum(n_withdrawn) AS withdrawn, sum(n_closed) AS closed, sum(n_pending) AS pending,
            sum(n_cancelled) AS cancelled, sum(n_unknown) AS unknown,
            any_value(basis) AS basis
        FROM funding.decision_counts
        GROUP BY funder_id, fiscal_year, service_key, departement_code, scheme
    ),
    told AS (
        SELECT
            *,
            basis <> 'declared' AND sum(refused) OVER service_year = 0 AS is_no_refusal,
            basis <> 'declared' AND sum(refused + inadmissible) OVER service_year = 0 AS is_no_inadmissible
        FROM counted
        WINDOW service_year AS (PARTITION BY funder_id, fiscal_year, service_key)
    ),
    long AS (
        UNPIVOT told ON refused, inadmissible, withdrawn, closed, pending, cancelled, unknown
        INTO NAME measure VALUE "count"
    )
    SELECT
        funder_id, fiscal_year, service_key, departement_code, scheme, measure,
        n_awarded::BIGINT AS n_awarded, "count"::BIGINT AS "count",
        (measure = 'refused' AND is_no_refusal) OR (measure = 'inadmissible' AND is_no_inadmissible) AS is_known_zero
    FROM long
    ORDER BY ALL
"""
_PUBLISHED = """
    SELECT funder_id, fiscal_year, NULL::TEXT AS service_key FROM funding.refusal_rates_by_funder_year WHERE published
    UNION ALL
    SELECT funder_id, fiscal_year, service_key FROM funding.refusal_rates_by_service_year WHERE published
"""
_PUBLISHED_SCHEMES = "SELECT funder_id, fiscal_year, scheme FROM funding.refusal_rates_by_scheme_year WHERE published"
_REASONS = """
    SELECT
        funder_id, fiscal_year, if(stage = 'examined', 'refused', 'inadmissible') AS measure, refusal_reason,
        n::BIGINT AS "count"
    FROM funding.refusal_reasons_by_funder_year
"""


@dataclass
class PublicResult:
    """Rows of every public table, seconds of every model, and by level how many counts exist and how many are shown."""

    rows: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)
    total_seconds: float = 0.0


def publish_database(funding: Path, target: Path, *, as_of: date, parameters: Publication) -> PublicResult:
    """Build `target` from the database `funding`, aside, and swap it in.

    Raises `duckdb.Error`, `target` untouched, when `funding` lacks a table.
    """
    started = time.perf_counter()
    result = PublicResult()
    graph = public_models()
    with written_aside(target) as connection:
        run(connection, f"ATTACH {quoted(funding)} AS funding (READ_ONLY)")
        set_variables(connection, as_of=as_of, publication=parameters)
        register_contracts(connection)
        result.shown = _register_shown(connection, parameters)
        run(connection, "BEGIN")
        for model in graph:
            moment = time.perf_counter()
            create(connection, model)
            result.seconds[model.name] = time.perf_counter() - moment
        connection.register("column_words", comments.dictionary(connection))
        run(connection, f"CREATE TABLE {comments.DICTIONARY} AS SELECT * FROM column_words")
        comments.write(connection, graph)
        run(connection, "COMMIT")
        result.rows = count_rows(connection)
        run(connection, "DETACH funding")
    result.total_seconds = time.perf_counter() - started
    return result


def _register_shown(connection: duckdb.DuckDBPyConnection, parameters: Publication) -> dict[str, int]:
    """Decide what is shown, and make it readable by the models as `shown_…`. Returns the number of shown counts."""
    limits = parameters.disclosure
    shown = suppression.protect(
        _frame(connection, _ATOMS),
        suppression.Thresholds(limits.min_decisions, limits.min_count),
        published=_frame(connection, _PUBLISHED),
        published_schemes=_frame(connection, _PUBLISHED_SCHEMES),
    )
    levels = {
        "funder_year": (shown.funder_year, suppression.FUNDER_YEAR),
        "service_year": (shown.service_year, suppression.SERVICE_YEAR),
        "territory_year": (shown.territory_year, suppression.TERRITORY_YEAR),
        "scheme_year": (shown.scheme_year, suppression.SCHEME_YEAR),
    }
    for level, (cells, keys) in levels.items():
        wide = cells.group_by(keys).agg(
            (pl.col("measure") == measure).any().alias(measure) for measure in suppression.MEASURES
        )
        connection.register(f"shown_{level}", wide)
    reasons = suppression.shown_reasons(_frame(connection, _REASONS), shown.funder_year, min_count=limits.min_count)
    stage = pl.when(pl.col("measure") == "refused").then(pl.lit("examined")).otherwise(pl.lit("inadmissible"))
    connection.register(
        "shown_reasons", reasons.select(*suppression.FUNDER_YEAR, stage.alias("stage"), "refusal_reason")
    )
    stated = stated_disclosure.register_shown(connection, limits)
    return {level: cells.height for level, (cells, _) in levels.items()} | {"reason": reasons.height, **stated}


def _frame(connection: duckdb.DuckDBPyConnection, sql: str) -> pl.DataFrame:
    frame: pl.DataFrame = connection.sql(sql).pl()
    return frame
