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
- e-mail addresses, telephone, bank and social security numbers, dates of birth, and names that a civility or an aid to
  a person announces, written in titles;
- amounts of natural persons and of organisations of unknown kind: in public sums by groups only (`persons`), in
  publications one after the other too (`persons_former`); sums that cut them otherwise are of legal persons alone.

- two publications, by difference: rows keep former figures, with their date (`publications`, `holding`, `former`);
- all of this is attacked before the file is swapped in, and archived: `audit` (what is required, and of whom), and
  `audit_others`, `audit_persons`, `audit_history`. A finding leaves the former file and the archive as they are.

Not guaranteed: names of persons that nothing announces, in free text and in names of organisations; `application_id`,
an unsalted hash in which whoever knows its other parts may try case numbers; what a funder publishes elsewhere; what
applicants know of themselves and of the others of their cell, or suppose of a count that was hidden before;
publications are compared two by two, not three together; rounded numbers of problems, and numbers of lines of files,
are judged one by one and not together with counts; of requested amounts only sums and differences of printed ones are
attacked: an applicant's own is left to the dominance rule.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from pipelines.warehouse import (
    changes,
    comments,
    crossing,
    former,
    holding,
    persons,
    persons_former,
    stated_disclosure,
    suppression,
)
from pipelines.warehouse.audit import FINDING, Audit, UnsafePublication, audit
from pipelines.warehouse.audit_facts import NOT_AWARDED
from pipelines.warehouse.build import count_rows, create
from pipelines.warehouse.connection import quoted, run, set_variables, written_aside
from pipelines.warehouse.graph import public_models
from pipelines.warehouse.inputs import register_contracts
from pipelines.warehouse.publications import PRINTED, REASONS, Archive, Decided, archived_counts, decide, decide_reasons

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import duckdb

    from schemas.publication import Disclosure, Publication

COUNTED_ATOMS = """
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
    audit: Audit = field(default_factory=lambda: Audit(pl.DataFrame(schema=FINDING), frozenset(), 0))
    total_seconds: float = 0.0


def publish_database(
    funding: Path, target: Path, *, as_of: date, parameters: Publication, archive: Archive | None = None
) -> PublicResult:
    """Build `target` from the database `funding`, aside, audit it, archive it, and swap it in.

    `archive`: the former publications, by default in the folder `publications` beside `target`. Raises `duckdb.Error`,
    `target` and archive untouched, when `funding` lacks a table; `UnsafePublication`, likewise, when the audit finds a
    cell given away.
    """
    started = time.perf_counter()
    result = PublicResult()
    archive = archive or Archive(target.parent / "publications")
    limits = parameters.disclosure
    graph = public_models()
    with written_aside(target) as connection:
        run(connection, f"ATTACH {quoted(funding)} AS funding (READ_ONLY)")
        set_variables(connection, as_of=as_of, publication=parameters)
        register_contracts(connection)
        atoms, stated = _frame(connection, COUNTED_ATOMS), _frame(connection, stated_disclosure.STATED_ATOMS)
        every = pl.concat(
            [frame.select(suppression.ATOMS.names()).cast(suppression.ATOMS) for frame in (atoms, stated)]
        )
        decided = decide(
            archive,
            every,
            _wanted(connection, atoms, stated, limits),
            _thresholds(limits),
            narrowed=lambda mine, wanted: crossing.without_narrow_schemes(mine, wanted, limits),
        )
        reasons = _reasons(connection, decided, archive, limits)
        result.shown = _register(connection, decided.fresh, reasons)
        run(connection, "BEGIN")
        for model in graph:
            moment = time.perf_counter()
            create(connection, model)
            result.seconds[model.name] = time.perf_counter() - moment
        former.hold(connection, archive, min_count=limits.min_count)
        told = persons_former.decide(archive, persons.grouped(persons.read(connection), limits), limits)
        persons.hold(connection, told)
        changes.create(connection)
        connection.register("column_words", comments.dictionary(connection))
        run(connection, f"CREATE TABLE {comments.DICTIONARY} AS SELECT * FROM column_words")
        comments.write(connection, graph, others=changes.DESCRIPTIONS)
        run(connection, "COMMIT")
        changes.record(connection, (target, archive.folder / changes.LAST))
        result.rows = count_rows(connection)
        moment = time.perf_counter()
        result.audit = audit(connection, atoms, limits, archive=archive, persons=told)
        result.seconds["audit"] = time.perf_counter() - moment
        if not result.audit.is_passed:
            raise UnsafePublication(result.audit)
        files = _to_archive(every, decided, reasons) | former.new_rows(connection, archive)
        state = persons_former.new_state(archive, told)
        files |= {persons_former.NAME: state} if state.height else {}
        if files:
            archive.write(files, {"as_of": as_of.isoformat(), "disclosure": limits.model_dump()})
        archive.keep_sound(result.audit.blocks)
        run(connection, "DETACH funding")
    changes.keep(target, archive.folder)
    result.total_seconds = time.perf_counter() - started
    return result


def _thresholds(limits: Disclosure) -> suppression.Thresholds:
    return suppression.Thresholds(limits.min_decisions, limits.min_count)


def _wanted(
    connection: duckdb.DuckDBPyConnection, atoms: pl.DataFrame, stated: pl.DataFrame, limits: Disclosure
) -> pl.DataFrame:
    """The rows and measures that the rule lets show, whatever was published before (`publications.PRINTED`)."""
    shown = suppression.protect(
        atoms,
        _thresholds(limits),
        published=_frame(connection, _PUBLISHED),
        published_schemes=_frame(connection, _PUBLISHED_SCHEMES),
    )
    levels = {
        holding.FUNDER: shown.funder_year,
        holding.SERVICE: shown.service_year,
        holding.TERRITORY: shown.territory_year,
        holding.SCHEME: shown.scheme_year,
    }
    parts = [cells.with_columns(pl.lit(level).alias("level")) for level, cells in levels.items()]
    empty = pl.DataFrame(schema=PRINTED)
    return pl.concat([empty, *parts, stated_disclosure.shown_cells(stated, limits)], how="diagonal_relaxed")


def _reasons(
    connection: duckdb.DuckDBPyConnection, decided: Decided, archive: Archive, limits: Disclosure
) -> pl.DataFrame:
    """Every reason of the funder-years printed anew, and whether it is shown (`publications.REASONS`)."""
    keys = [*suppression.FUNDER_YEAR, "measure"]
    reasons = _frame(connection, _REASONS)
    roots = decided.fresh.filter(pl.col("level") == holding.FUNDER).select(keys)
    shown = suppression.shown_reasons(reasons, roots, min_count=limits.min_count).with_columns(is_shown=pl.lit(True))
    marked = (
        reasons.join(roots, on=keys, how="semi")
        .join(shown, on=[*keys, "refusal_reason"], how="left")
        .with_columns(pl.col("is_shown").fill_null(False))
    )
    return marked.join(decide_reasons(archive, marked, min_count=limits.min_count), on=keys, how="semi")


def _register(connection: duckdb.DuckDBPyConnection, fresh: pl.DataFrame, reasons: pl.DataFrame) -> dict[str, int]:
    """Make what is shown readable by the models as `shown_…`. Returns the number of shown counts by level."""
    counts = {}
    levels = {
        holding.FUNDER: suppression.FUNDER_YEAR,
        holding.SERVICE: suppression.SERVICE_YEAR,
        holding.TERRITORY: suppression.TERRITORY_YEAR,
        holding.SCHEME: suppression.SCHEME_YEAR,
    }
    is_stated = pl.col("measure") == NOT_AWARDED
    for level, keys in levels.items():
        cells = fresh.filter((pl.col("level") == level) & ~is_stated)
        wide = cells.group_by(keys).agg(
            (pl.col("measure") == measure).any().alias(measure) for measure in suppression.MEASURES
        )
        connection.register(f"shown_{level}_year", wide)
        counts[f"{level}_year"] = cells.height
    stage = pl.when(pl.col("measure") == "refused").then(pl.lit("examined")).otherwise(pl.lit("inadmissible"))
    told = reasons.filter(pl.col("is_shown"))
    connection.register("shown_reasons", told.select(*suppression.FUNDER_YEAR, stage.alias("stage"), "refusal_reason"))
    return counts | {"reason": told.height} | stated_disclosure.register(connection, fresh.filter(is_stated))


def _to_archive(atoms: pl.DataFrame, decided: Decided, reasons: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """What changed of the counts and of what they let show, by file of the archive."""
    blocks = list(suppression.FUNDER_YEAR)
    if decided.changed.is_empty():
        return {}
    return {
        "marks": decided.changed,
        "counts": archived_counts(atoms, decided.changed),
        "printed": decided.fresh.join(decided.changed, on=blocks, how="semi"),
        "reasons": reasons.join(decided.changed, on=blocks, how="semi").select(REASONS.names()),
    }


def _frame(connection: duckdb.DuckDBPyConnection, sql: str) -> pl.DataFrame:
    frame: pl.DataFrame = connection.sql(sql).pl()
    return frame
