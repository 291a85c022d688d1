"""The same award reported by two depositors: which line is which, and which of the two is counted.

Only counted lines of one funder, one fiscal year, one currency and one stage are compared, and only where two
depositors have some: an award and its payment are never the same line. What no rule makes sure stays counted on both
sides, and goes to the review list, where people decide. Two lines of one depositor are never compared here.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.decided_lines import DECISIONS, RULE, DecidedLines
from pipelines.ingest.fold import by_value, fold
from pipelines.ingest.matching import SURE, Pairs, keyed, pair, party_of
from pipelines.ingest.staged import scan_accepted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from schemas.decisions import Decision
    from schemas.funder import FunderFile

_STAGES = ("requested", "proposed", "awarded", "committed", "paid", "clawed_back")
_READ = (
    "line_id", "deposit_id", "source_sheet", "source_row", "fiscal_year", "funder_siren", "funder_name", "currency",
    "headline_stage", "decision_status", "case_number", "applicant_siren", "applicant_name", "title", "amount_loan",
    "amount_guarantee", "is_demonstration", "aid_form", "application_id", *(f"amount_{stage}" for stage in _STAGES),
)  # fmt: skip
_GRANTED = ("awarded", "unknown")
PAIRS = pl.Schema({
    "line_id": pl.String(), "deposit_id": pl.String(), "other_line_id": pl.String(), "other_deposit_id": pl.String(),
    "fiscal_year": pl.Int32(), "stage": pl.String(), "rule": pl.String(), "likeness": pl.Float64(),
    "is_sure": pl.Boolean(), "line_key": pl.String(), "other_line_key": pl.String(), "decision_line": pl.Int32(),
})  # fmt: skip


@dataclass(frozen=True)
class Holder:
    """A current deposit some of whose years are counted: `years`. `staging` holds its accepted lines."""

    deposit_id: str
    depositor: str
    sha256: str
    format_id: str
    stated_date: date | None
    funder_file: FunderFile
    staging: Path
    years: frozenset[int]


@dataclass
class Twins:
    """`pairs`: schema `PAIRS`, sorted by `line_id`; where `is_sure`, `line_id` is no longer counted and
    `other_line_id` is. `uncompared`: depositor → lines compared for equality only, being too many for one applicant.
    `decisions`: what people decided, followed or not (schema `decided_lines.DECISIONS`).
    """

    pairs: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PAIRS))
    uncompared: dict[str, int] = field(default_factory=dict)
    decisions: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DECISIONS))

    def counts(self) -> pl.DataFrame:
        """`deposit_id`, `other_deposit_id`, `fiscal_year`, and how many pairs are sure (`lines`) or `to_review`."""
        return (
            self.pairs.group_by("deposit_id", "other_deposit_id", "fiscal_year")
            .agg(pl.col("is_sure").sum().alias("lines"), (~pl.col("is_sure")).sum().alias("to_review"))
            .sort("deposit_id", "other_deposit_id", "fiscal_year")
        )


def find_twins(holders: Iterable[Holder], decisions: Sequence[Decision] = ()) -> Twins:
    """Pairs of lines that two depositors report of one award; nothing depends on the order of `holders`.

    `decisions`: what people decided of pairs of lines; it comes before any rule.
    """
    known = {holder.deposit_id: holder for holder in sorted(holders, key=lambda holder: holder.deposit_id)}
    twins = Twins()
    decided = DecidedLines(decisions)
    found = []
    for funder, places in _shared(_presence(known)).items():
        lines = _lines_of(known, funder, places)
        for _, year in sorted(lines.partition_by("is_demonstration", "fiscal_year", as_dict=True).items()):
            found += _of_one_year(decided.keyed(year), funder, known, twins, decided)
    if found:
        twins.pairs = pl.concat(found).sort("line_id", "other_line_id")
    twins.decisions = decided.told()
    return twins


@dataclass(frozen=True)
class _Funder:
    """One payer: every SIREN-and-name pair under which files write it, and what these say of who it is."""

    key: str
    written: frozenset[tuple[str | None, str]]


def _presence(known: Mapping[str, Holder]) -> pl.DataFrame:
    """The distinct funders and counted years of each deposit: four columns of its file are read."""
    if not known:
        return pl.DataFrame()
    every = scan_accepted(*(holder.staging for holder in known.values()))
    met = every.select("deposit_id", "funder_siren", "funder_name", "fiscal_year").unique().collect(engine="streaming")
    counted = pl.DataFrame(
        [(name, holder.depositor, year) for name, holder in known.items() for year in sorted(holder.years)],
        schema={"deposit_id": pl.String, "depositor": pl.String, "fiscal_year": met.schema["fiscal_year"]},
        orient="row",
    )
    return met.join(counted, on=["deposit_id", "fiscal_year"])


def _shared(presence: pl.DataFrame) -> dict[_Funder, dict[str, list[int]]]:
    """The funders that two depositors report for one year: deposit → those years.

    A funder is its SIREN; lines without one are of the only SIREN that their funder's name has elsewhere, else of the
    name itself, without case or accents.
    """
    if presence.is_empty():
        return {}
    folded = presence.with_columns(folded=by_value(presence["funder_name"], fold))
    sirens = folded.drop_nulls("funder_siren").group_by("folded").agg(pl.col("funder_siren").unique().alias("sirens"))
    alone = sirens.filter(pl.col("sirens").list.len() == 1).select(
        "folded", pl.col("sirens").list.first().alias("alone")
    )
    named = folded.join(alone, on="folded", how="left").with_columns(key=pl.coalesce("funder_siren", "alone", "folded"))
    several = pl.col("depositor").n_unique().over("key", "fiscal_year") > 1
    shared = named.filter(several).sort("key", "deposit_id", "fiscal_year")
    found: dict[_Funder, dict[str, list[int]]] = {}
    for (key,), rows in shared.partition_by("key", as_dict=True, maintain_order=True).items():
        written = frozenset(named.filter(pl.col("key") == key).select("funder_siren", "funder_name").iter_rows())
        places: dict[str, list[int]] = defaultdict(list)
        for name, year in rows.select("deposit_id", "fiscal_year").unique(maintain_order=True).iter_rows():
            places[name].append(year)
        found[_Funder(str(key), written)] = dict(places)
    return found


def _lines_of(known: Mapping[str, Holder], funder: _Funder, places: Mapping[str, list[int]]) -> pl.DataFrame:
    """The lines that `funder` pays in the deposits and years of `places`, with the amount of the stage each states."""
    written = pl.DataFrame(sorted(funder.written, key=str), schema=["funder_siren", "funder_name"], orient="row")
    told = pl.DataFrame(
        [(name, rank, known[name].depositor, years) for rank, (name, years) in enumerate(places.items())],
        schema={"deposit_id": pl.String, "rank": pl.Int32, "depositor": pl.String, "fiscal_year": pl.List(pl.Int32)},
        orient="row",
    )
    lines = (
        scan_accepted(*(known[name].staging for name in places))
        .select(_READ)
        .join(
            written.cast({"funder_siren": pl.String}).lazy(),
            on=["funder_siren", "funder_name"],
            how="semi",
            nulls_equal=True,
        )
        .join(told.explode("fiscal_year").lazy(), on=["deposit_id", "fiscal_year"])
        .collect(engine="streaming")
    )
    of_stage = pl.coalesce(
        pl.when(pl.col("headline_stage").fill_null("awarded") == stage).then(f"amount_{stage}") for stage in _STAGES
    )
    grants = pl.coalesce(f"amount_{stage}" for stage in _STAGES)
    loans = pl.coalesce("amount_loan", "amount_guarantee")
    is_loan = pl.col("aid_form").is_in(["loan", "guarantee"]).fill_null(value=False) | (
        loans.is_not_null() & grants.is_null()
    )
    is_granted = pl.col("decision_status").is_in(_GRANTED)
    return lines.sort("rank", "source_sheet", "source_row", "line_id").select(
        *_READ[:5],
        "currency", "decision_status", "case_number", "applicant_siren", "applicant_name", "title", "is_demonstration",
        "application_id",
        "depositor",
        pl.when(is_loan).then(pl.lit("loan")).otherwise(pl.col("headline_stage").fill_null("awarded")).alias("stage"),
        pl.when(is_loan).then(loans).otherwise(of_stage).fill_null(0).alias("amount"),
        pl.when(~is_granted).then("amount_requested").alias("asked"),
    )  # fmt: skip


def _of_one_year(
    lines: pl.DataFrame, funder: _Funder, known: Mapping[str, Holder], twins: Twins, decided: DecidedLines
) -> list[pl.DataFrame]:
    """The pairs of one funder and year: the depositors one after the other, in the order of precedence."""
    by_depositor = lines.partition_by("depositor", as_dict=True)
    order = sorted(
        (name for (name,) in by_depositor), key=lambda name: precedence(by_depositor[name,], str(name), funder, known)
    )
    standing = by_depositor[order[0],]
    met, found = _marks(standing, known), []
    for name in order[1:]:
        own = by_depositor[name,]
        marks = _marks(own, known)
        if not met.isdisjoint(marks):
            pairs = _between(own, standing, known, twins, decided)
            found.append(pairs)
            gone = pairs.filter("is_sure")["line_id"]
            own = own.filter(~pl.col("line_id").is_in(gone.implode()))
        standing = pl.concat([standing, own])
        met |= marks
    return found


def _marks(lines: pl.DataFrame, known: Mapping[str, Holder]) -> set[str | None]:
    """What lines are compared by: without one in common (applicant, decision on lines, file), none is another's."""
    names = by_value(lines["applicant_name"], fold)
    contents = {known[name].sha256 for name in lines["deposit_id"].unique()}
    return {*lines["applicant_siren"], *names, *lines["group"], *contents} - {None}


def precedence(
    lines: pl.DataFrame, depositor: str, funder: _Funder, known: Mapping[str, Holder]
) -> tuple[bool, bool, int, str]:
    """Sort key of the depositors that report one funder's year, the one whose lines stay counted first.

    The funder itself; then who also reports what was not granted; then the most recent date that a file states of
    itself; then the name of the folder. When files arrived plays no part.
    """
    holders = [known[name] for name in lines["deposit_id"].unique()]
    names = {fold(name) for _, name in funder.written}
    declared = holders[0].funder_file
    is_funder = (
        fold(depositor) in names
        or (declared.siret or "")[:9] == funder.key
        or (declared.name is not None and fold(declared.name) in names)
    )
    tells_all = not lines["decision_status"].is_in(_GRANTED).all()
    newest = max((h.stated_date.toordinal() for h in holders if h.stated_date is not None), default=0)
    return (not is_funder, not tells_all, -newest, depositor)


def _between(
    own: pl.DataFrame, standing: pl.DataFrame, known: Mapping[str, Holder], twins: Twins, decided: DecidedLines
) -> pl.DataFrame:
    """The lines of one depositor that are among the `standing` ones of others, by currency and stage."""
    found = [pl.DataFrame(schema=PAIRS)]
    others = standing.partition_by("currency", "stage", as_dict=True)
    for kind, mine in own.partition_by("currency", "stage", as_dict=True).items():
        if kind not in others:
            continue
        same = _as_pairs(decided.same(mine, others[kind]))
        mine, theirs = _left(mine, others[kind], same)
        same_file = decided.allowed(_of_one_file(mine, theirs, known))
        mine, theirs = _left(mine, theirs, same_file)
        formats = {known[name].format_id for side in (mine, theirs) for name in side["deposit_id"].unique()}
        pairs = pair(_keyed(mine), _keyed(theirs), by_case=len(formats) == 1)
        told = _told(mine, theirs, pairs)
        alike = decided.allowed(told)
        found += [same, same_file, alike]
        for side in range(2) if alike.height < told.height else ():  # two lines decided different may each have another
            mine, theirs = _left(mine, theirs, found[-1])
            others_than = (mine, _left(mine, theirs, told)[1]), (_left(mine, theirs, told)[0], theirs)
            again = pair(*map(_keyed, others_than[side]), by_case=len(formats) == 1)
            found.append(decided.allowed(_told(*others_than[side], again)))
        if pairs.uncompared:
            name = str(mine["depositor"][0])
            twins.uncompared[name] = twins.uncompared.get(name, 0) + pairs.uncompared
    return pl.concat(found)


def _left(mine: pl.DataFrame, theirs: pl.DataFrame, pairs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The lines of both sides that are in no pair."""
    return (
        mine.join(pairs, on="line_id", how="anti", maintain_order="left"),
        theirs.join(pairs, left_on="line_id", right_on="other_line_id", how="anti", maintain_order="left"),
    )


def _keyed(lines: pl.DataFrame) -> pl.DataFrame:
    stated = pl.select(
        pl.format("{}:{}", lines["decision_status"], lines["amount"].cast(pl.Decimal(18, 2)))
    ).to_series()
    told = lines.select(
        "title", "case_number", "asked", pl.col("applicant_siren").alias("siren"),
        by_value(lines["applicant_name"], fold).alias("name"),
    )  # fmt: skip
    return keyed(told, applicant=party_of(lines), stated=stated, amount=lines["amount"])


def _of_one_file(mine: pl.DataFrame, theirs: pl.DataFrame, known: Mapping[str, Holder]) -> pl.DataFrame:
    """Two depositors put the very same bytes in their folders: a line is the line of the same sheet and row."""
    content = {name: holder.sha256 for name, holder in known.items()}
    keys = ["sha256", "source_sheet", "source_row", "ordinal"]
    sides = [
        side.with_columns(sha256=pl.col("deposit_id").replace_strict(content, return_dtype=pl.String)).with_columns(
            ordinal=pl.int_range(pl.len()).over("sha256", "source_sheet", "source_row")
        )
        for side in (mine, theirs)
    ]
    pairs = sides[0].join(sides[1], on=keys, how="inner", suffix="_new")
    return _as_pairs(pairs.with_columns(rule=pl.lit("same_file"), likeness=pl.lit(None, dtype=pl.Float64)))


def _told(mine: pl.DataFrame, theirs: pl.DataFrame, pairs: Pairs) -> pl.DataFrame:
    """`pairs` by the lines' identities."""
    left, right = (side.with_row_index("position") for side in (mine, theirs))
    joined = pairs.found.join(left, on="position").join(
        right, left_on="position_new", right_on="position", suffix="_new"
    )
    return _as_pairs(joined)


def _as_pairs(joined: pl.DataFrame) -> pl.DataFrame:
    is_sure = pl.col("rule").is_in([RULE, "same_file", *SURE])
    renamed = {name: f"other_{name}" for name in ("line_id", "deposit_id", "line_key")}
    named = joined.rename({f"{name}_new": other for name, other in renamed.items()})
    if "decision_line" not in named.columns:
        named = named.with_columns(decision_line=pl.lit(None, dtype=pl.Int32))
    return named.with_columns(is_sure.alias("is_sure")).select(PAIRS.names()).cast(dict(PAIRS))  # type: ignore[arg-type]
