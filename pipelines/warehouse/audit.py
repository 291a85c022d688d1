"""The audit of a publication: what a reader can narrow down from everything that `public.duckdb` prints.

The attacker knows the rules, the awards (so the number of awards A of every cell), which services, départements and
schemes received applications, which counts are zero without being printed, and every figure of the public tables.
Each hidden count is bounded by what the figures leave possible (`audit_facts`, `audit_bounds`). *Protection required*:
the rule hides a count c of non-awards when 1 ≤ c < `min_count` (or when decisions or awards are too few, which
allows more values still), so a hidden count tells `min_count - 1` values apart by itself: its interval of possible
values must hold as many (be at least `min_count - 2` wide), unless every value in it is one that may be shown
(`suppression.is_safe`). A count of zero is given away too, except inside a cell whose count of 0 is printed, or follows
and may be told. Cells are the rows of the public tables, and the atoms they are made of: no finer cell is told either.

Source: DOMAIN 6 and DESIGN 7; the principle (an attacker's interval of possible values at least as wide as a protection
level) is that of the auditing of suppressed tables: Hundepool et al., *Statistical Disclosure Control*, 2012, ch. 4.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

from pipelines.warehouse import audit_history, audit_margins, audit_others, audit_persons, suppression
from pipelines.warehouse.audit_bounds import NoSolution, System, narrow
from pipelines.warehouse.audit_facts import ATOM, BLOCK, CELL, LEVELS, Facts, read
from pipelines.warehouse.stated_disclosure import STATED_ATOMS
from schemas.source import source_hash

if TYPE_CHECKING:
    import duckdb

    from pipelines.warehouse.publications import Archive
    from schemas.publication import Disclosure

_KEY = (*BLOCK, "measure")
_PIECE = (*_KEY, "piece")
_REST, _NOTHING = "rest", ""
_ATOMS_TABLE = "service × département × dispositif"
CONTRADICTION = "contradiction"
FINDING = pl.Schema({
    "table": pl.String, "cell": pl.String, "measure": pl.String, "low": pl.Float64, "high": pl.Float64,
    "given_by": pl.String,
})  # fmt: skip


@dataclass(frozen=True)
class Audit:
    """`findings`: see `FINDING`, one row per cell given away. `blocks`: the mark of every funder-year with figures;
    `n_bounded` of them were bounded now, the others had been found sound before.
    """

    findings: pl.DataFrame
    blocks: frozenset[str]
    n_bounded: int

    @property
    def is_passed(self) -> bool:
        """True when nothing is given away."""
        return self.findings.is_empty()


class UnsafePublication(RuntimeError):  # noqa: N818 - a state of the data, not a fault of the program
    """The audit found cells given away: the former public database stays. `audit` holds what was found."""

    def __init__(self, audit: Audit) -> None:
        told = " ; ".join(_sentence(finding) for finding in audit.findings.head(5).iter_rows(named=True))
        super().__init__(
            f"Audit de confidentialité : {audit.findings.height} cellule(s) laisseraient deviner un effectif ou un "
            f"montant masqué. {told}. La publication précédente reste en place. Rien ne manque à vos fichiers : les "
            "règles de masquage (suppression.py et persons.py, dans pipelines/warehouse) sont à revoir avant de "
            "publier de nouveau."
        )
        self.audit = audit


def audit(
    connection: duckdb.DuckDBPyConnection,
    atoms: pl.DataFrame,
    limits: Disclosure,
    *,
    archive: Archive,
    persons: pl.DataFrame,
) -> Audit:
    """Attack the current database of `connection` (`funding` attached). `atoms`: see `suppression.ATOMS`.

    `archive`: the former publications; the funder-years that it knows to be sound are not bounded again. `persons`: the
    amounts of others than legal persons, in the groups that are told (`persons_former.decide`).
    """
    facts = read(connection, atoms)
    marks = _marks(facts, limits)
    new = marks.filter(~pl.col("mark").is_in(list(archive.sound())))
    counts = attack(_only(facts, new), limits)
    others = audit_others.findings(connection, limits).select(FINDING.names())
    moved = audit_history.findings(connection, archive, limits)
    columns = [pl.col(name).cast(dtype) for name, dtype in suppression.ATOMS.items()]
    every = pl.concat([atoms.select(columns), connection.sql(STATED_ATOMS).pl().select(columns)])
    margins = audit_margins.findings(facts.values, every, archive, limits)
    amounts = audit_persons.findings(connection, persons, archive, limits)
    return Audit(pl.concat([counts, others, moved, margins, amounts]), frozenset(marks["mark"]), new.height)


def _only(facts: Facts, blocks: pl.DataFrame) -> Facts:
    def kept(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.join(blocks, on=list(BLOCK), how="semi")

    return Facts(*(kept(f) for f in (facts.atoms, facts.cells, facts.values, facts.mixed, facts.contradictions)))


def _marks(facts: Facts, limits: Disclosure) -> pl.DataFrame:
    """One row per funder-year with figures: its keys and a hash of all that its bounds depend on."""
    rule = f"{limits!r} " + source_hash(Path(__file__).parent, suffixes={".py"})
    lines = [
        frame.select(
            *BLOCK,
            line=pl.concat_str([pl.col(c).cast(pl.String).fill_null("-") for c in frame.columns], separator="|"),
        )
        for frame in (facts.values, facts.mixed, facts.contradictions, facts.atoms, facts.cells)
    ]  # fmt: skip
    has_figures = pl.concat([f.select(BLOCK) for f in (facts.values, facts.mixed, facts.contradictions)]).unique()
    joined = (
        pl.concat(lines)
        .join(has_figures, on=list(BLOCK), how="semi")
        .group_by(BLOCK)
        .agg(pl.col("line").sort().str.join("\n"))
        .sort(BLOCK)
    )
    marks = [hashlib.sha256(f"{rule}\n{text}".encode()).hexdigest() for text in joined["line"]]
    return joined.select(BLOCK).with_columns(pl.Series("mark", marks, dtype=pl.String))


def attack(facts: Facts, limits: Disclosure) -> pl.DataFrame:
    """The counts of non-awards that `facts` give away, and the figures that clash. See `FINDING`."""
    given, clash = _attacked(facts, limits)
    return pl.concat([_described(given, facts), _clashes(clash)])


def given_away(facts: Facts, limits: Disclosure) -> pl.DataFrame:
    """The cells and measures given away: `CELL`, measure, n_awarded, low, high."""
    return _attacked(facts, limits)[0]


def _attacked(facts: Facts, limits: Disclosure) -> tuple[pl.DataFrame, pl.DataFrame]:
    told = pl.concat([facts.values.select(_KEY), facts.mixed.select(_KEY)]).unique()
    mixed_blocks = facts.mixed.select(BLOCK).unique()
    atoms = _in_pieces(_open(facts).join(told, on=list(_KEY), how="semi"), facts.values)
    pieces = _piece_values(facts.values)
    targets = _targets(facts, atoms)
    crossed = pl.concat([
        facts.values.filter(pl.col("level") == "scheme").select(_KEY),
        told.join(mixed_blocks, on=list(BLOCK), how="semi").select(_KEY),
    ]).unique()  # fmt: skip
    plain = _plain_bounds(targets.join(crossed, on=list(_KEY), how="anti"), atoms, pieces)
    solved, broken = _solved_bounds(targets.join(crossed, on=list(_KEY), how="semi"), atoms, pieces, facts, limits)
    bounds = pl.concat([plain, solved])
    given = pl.concat([_unsafe(facts, limits), _too_narrow(bounds, facts, limits)])
    negative = pieces.filter(pl.col("value") < -0.5).select(*BLOCK)
    impossible = pl.concat([broken.select(BLOCK), negative]).unique().with_columns(table=pl.lit("refusal_rates"))
    clash = pl.concat([facts.contradictions, impossible], how="diagonal")
    return given, clash


def _unsafe(facts: Facts, limits: Disclosure) -> pl.DataFrame:
    """Counts that are printed, or follow from one printed row, though the rule of a single cell hides them."""
    thresholds = suppression.Thresholds(limits.min_decisions, limits.min_count)
    rows = facts.values.join(facts.cells, on=list(CELL), how="left", nulls_equal=True)
    value = pl.col("value").alias("low"), pl.col("value").alias("high")
    return rows.filter(~suppression.is_safe(thresholds, count="value")).select(
        *CELL, "measure", pl.col("n_awarded").cast(pl.Int64), *value
    )


def _open(facts: Facts) -> pl.DataFrame:
    """The atoms whose count is neither known to be zero nor inside a cell whose printed count is zero."""
    atoms = facts.atoms.filter(~pl.col("is_known_zero"))
    for level, keys in LEVELS.items():
        zero = facts.values.filter((pl.col("level") == level) & (pl.col("value").abs() < 0.5))
        atoms = atoms.join(zero.select(*keys, "measure"), on=[*keys, "measure"], how="anti")
    return atoms


def _known(values: pl.DataFrame, level: str) -> pl.DataFrame:
    keys = [*LEVELS[level], "measure"]
    return values.filter(pl.col("level") == level).group_by(keys).agg(pl.col("value").first())


def _in_pieces(atoms: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """Atoms with the finest printed cell of the tree that holds them: the piece whose count subtraction gives."""
    for level in ("funder", "service", "territory"):
        keys = [*LEVELS[level], "measure"]
        mine = _known(values, level).select(*keys, pl.lit(True).alias(f"in_{level}"))
        atoms = atoms.join(mine, on=keys, how="left")
    return atoms.with_columns(
        pl.when(pl.col("in_territory"))
        .then(pl.format("{}|{}", "service_key", "departement_code"))
        .when(pl.col("in_service"))
        .then(pl.col("service_key"))
        .when(pl.col("in_funder"))
        .then(pl.lit(_REST))
        .otherwise(pl.lit(_NOTHING))
        .alias("piece")
    ).drop("in_funder", "in_service", "in_territory")


def _piece_values(values: pl.DataFrame) -> pl.DataFrame:
    """`_PIECE`, value: printed cells of the tree less the printed cells inside them."""
    funders, services, territories = (_known(values, level) for level in ("funder", "service", "territory"))
    service = [*LEVELS["service"], "measure"]
    inside = territories.group_by(service).agg(pl.col("value").sum().alias("inside"))
    loose = territories.join(services, on=service, how="anti")
    below = (
        pl.concat([services.select(*_KEY, "value"), loose.select(*_KEY, "value")])
        .group_by(_KEY)
        .agg(pl.col("value").sum().alias("inside"))
    )
    return pl.concat([
        territories.select(*_KEY, pl.format("{}|{}", "service_key", "departement_code").alias("piece"), "value"),
        services.join(inside, on=service, how="left").select(
            *_KEY, pl.col("service_key").alias("piece"), pl.col("value") - pl.col("inside").fill_null(0)
        ),
        funders.join(below, on=list(_KEY), how="left").select(
            *_KEY, pl.lit(_REST).alias("piece"), pl.col("value") - pl.col("inside").fill_null(0)
        ),
    ])  # fmt: skip


def _targets(facts: Facts, atoms: pl.DataFrame) -> pl.DataFrame:
    """Every hidden cell and measure with its open atoms: `CELL`, measure, and what tells each atom apart."""
    own = [pl.col(name).alias(f"atom_{name}") for name in ATOM if name not in BLOCK]
    found = [
        atoms.select(
            pl.lit(_ATOMS_TABLE).alias("table"),
            pl.lit("atom").alias("level"),
            *ATOM,
            "measure",
            *own,
            "piece",
            "n_awarded",
        )
    ]
    for level in ("funder", "service", "territory", "scheme"):
        keys = list(LEVELS[level])
        rows = facts.cells.filter(pl.col("level") == level).select(CELL).unique()
        hidden = rows.join(atoms.select(*keys, "measure").unique(), on=keys, how="inner").join(
            facts.values.select(*CELL, "measure"), on=[*CELL, "measure"], how="anti", nulls_equal=True
        )
        inside = atoms.select(*keys, "measure", *own, "piece", "n_awarded")
        found.append(hidden.join(inside, on=[*keys, "measure"], how="inner").select(found[0].columns))
    return pl.concat(found)


def _plain_bounds(targets: pl.DataFrame, atoms: pl.DataFrame, pieces: pl.DataFrame) -> pl.DataFrame:
    """Bounds where only pieces are known: one held whole counts in full, one held in part from 0 to its count."""
    sizes = atoms.group_by(_PIECE).agg(pl.len().alias("size"))
    known = sizes.join(pieces, on=list(_PIECE), how="left")
    per_piece = targets.group_by([*CELL, "measure", "piece"]).agg(
        pl.len().alias("held"), pl.col("n_awarded").sum().alias("n_awarded")
    )
    value = pl.col("value").fill_null(float("inf"))
    is_whole = (pl.col("held") == pl.col("size")) & pl.col("value").is_not_null()
    return (
        per_piece.join(known, on=list(_PIECE), how="left")
        .group_by([*CELL, "measure"])
        .agg(
            pl.col("n_awarded").sum(),
            pl.when(is_whole).then(pl.col("value")).otherwise(0.0).sum().alias("low"),
            value.sum().alias("high"),
        )
    )  # fmt: skip


def _solved_bounds(
    targets: pl.DataFrame, atoms: pl.DataFrame, pieces: pl.DataFrame, facts: Facts, limits: Disclosure
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bounds where schemes cross the tree or figures tie measures together; and the blocks that are impossible."""
    found = [targets.head(0).select(*CELL, "measure", "n_awarded", pl.lit(0.0).alias("low"), pl.lit(0.0).alias("high"))]
    broken = [targets.head(0).select(BLOCK)]
    schemes = _known(facts.values, "scheme")
    for (funder, year), mine in targets.group_by(BLOCK, maintain_order=True):
        here = (pl.col("funder_id") == funder) & (pl.col("fiscal_year") == year)
        part = Facts(
            atoms.filter(here), facts.cells, schemes.filter(here), facts.mixed.filter(here), facts.contradictions
        )
        try:
            found.append(_solved_block(mine, part, pieces.filter(here), limits))
        except NoSolution:
            broken.append(mine.select(BLOCK).unique())
    return pl.concat(found), pl.concat(broken)


def _solved_block(targets: pl.DataFrame, part: Facts, pieces: pl.DataFrame, limits: Disclosure) -> pl.DataFrame:
    """One funder-year: unknowns are the sets of atoms that no equation tells apart."""
    own = list(ATOM[2:])
    is_mixed = part.mixed.height > 0
    told_apart = ["measure", "piece", *(own if is_mixed else ["scheme"])]
    measures = targets.select("measure").unique()
    atoms = part.atoms.join(measures, on="measure", how="semi")
    unknowns = atoms.group_by(told_apart).agg(pl.len().alias("size")).sort(told_apart).with_row_index("unknown")
    in_atoms = atoms.join(unknowns, on=told_apart, how="left")
    entries = [
        in_atoms.join(values, on=["measure", key], how="inner").select(
            pl.format(f"{key} {{}} {{}}", "measure", key).alias("fact"),
            "unknown",
            pl.lit(1.0).alias("coefficient"),
            pl.col("value").alias("constant"),
        )
        for key, values in (("piece", pieces), ("scheme", part.values))
    ]
    for level, keys in LEVELS.items():
        cells = part.mixed.filter(pl.col("level") == level)
        tied = in_atoms.join(
            cells.select(*keys, "measure", "table", "column", "coefficient", "constant"), on=[*keys, "measure"]
        )
        name = pl.concat_str([pl.lit("mixed"), "table", "column", *keys], separator=" ")
        entries.append(tied.select(name.alias("fact"), "unknown", "coefficient", "constant"))
    facts = pl.concat(entries).unique(maintain_order=True)
    numbered = facts.select("fact", "constant").unique(subset="fact", maintain_order=True).with_row_index("row")
    matrix = _matrix(facts.join(numbered.select("fact", "row"), on="fact"), numbered.height, unknowns.height)
    cells = targets.select(*CELL, "measure").unique(maintain_order=True).with_row_index("row")
    atom_keys = [f"atom_{name}" for name in own]
    placed = (
        targets.join(cells, on=[*CELL, "measure"], how="left", nulls_equal=True)
        .join(
            in_atoms.select("measure", "unknown", "size", *(pl.col(n).alias(f"atom_{n}") for n in own)),
            on=["measure", *atom_keys],
            how="left",
        )
        .group_by("row", "unknown")
        .agg(pl.len().alias("held"), pl.col("size").first(), pl.col("n_awarded").sum())
        .with_columns(pl.lit(1.0).alias("coefficient"))
    )
    whole = placed.filter(pl.col("held") == pl.col("size"))
    system = System(
        matrix,
        numbered["constant"].to_numpy().astype(float),
        _matrix(whole, cells.height, unknowns.height),
        _matrix(placed, cells.height, unknowns.height),
    )
    ends = narrow(system, width=limits.min_count - 2).round(6)
    awarded = placed.group_by("row").agg(pl.col("n_awarded").sum())
    bounds = cells.with_columns(pl.Series("low", ends[:, 0]), pl.Series("high", ends[:, 1])).join(awarded, on="row")
    return bounds.select(*CELL, "measure", "n_awarded", "low", "high")


def _matrix(entries: pl.DataFrame, rows: int, columns: int) -> csr_matrix:
    places = (entries["row"].to_numpy().astype(np.int64), entries["unknown"].to_numpy().astype(np.int64))
    return csr_matrix((entries["coefficient"].to_numpy().astype(float), places), shape=(rows, columns))


def _too_narrow(bounds: pl.DataFrame, facts: Facts, limits: Disclosure) -> pl.DataFrame:
    """The cells whose interval is narrower than the rule's, and holds a count that may not be told."""
    a, low, k, n = pl.col("n_awarded"), pl.col("low"), limits.min_count, limits.min_decisions
    is_nothing = (low == 0) & (pl.col("high") == 0) & (a >= n)
    is_large = (low >= k) & (a >= k) & (a + low >= n)
    narrow = bounds.filter((pl.col("high") - low < k - 2) & ~is_nothing & ~is_large)
    if narrow.is_empty():
        return narrow
    values = [
        facts.values.select(*CELL, "measure", "value"),
        bounds.filter(is_nothing).select(*CELL, "measure", value="low"),
    ]
    # all but what is inside a cell that may be told to hold none
    left = _open(replace(facts, values=pl.concat(values)))
    return pl.concat([
        narrow.filter(pl.col("level") == level).join(left, on=[*keys, "measure"], how="semi")
        for level, keys in LEVELS.items()
    ])  # fmt: skip


def _described(given: pl.DataFrame, facts: Facts) -> pl.DataFrame:
    """Findings in an analyst's words, with the printed figures of their funder-year and measure that tell them."""
    by = (
        facts.values.group_by(_KEY)
        .agg(pl.concat_str(["table", pl.lit(" "), "column"]).unique().sort().str.join(", ").alias("given_by"))
        .select(*_KEY, "given_by")
    )
    name = pl.concat_str([pl.col(c).cast(pl.String) for c in ATOM], separator=" · ", ignore_nulls=True)
    return (
        given.join(by, on=list(_KEY), how="left")
        .select("table", name.alias("cell"), "measure", "low", "high", pl.col("given_by").fill_null("…"))
        .sort(pl.all())
    )


def _clashes(clash: pl.DataFrame) -> pl.DataFrame:
    """Figures that contradict one another: they belong to two states of the data, whose difference is a disclosure."""
    name = pl.concat_str([pl.col(c).cast(pl.String) for c in ATOM], separator=" · ", ignore_nulls=True)
    return clash.select(
        "table", name.alias("cell"), pl.lit(CONTRADICTION).alias("measure"),
        pl.lit(None, dtype=pl.Float64).alias("low"), pl.lit(None, dtype=pl.Float64).alias("high"),
        pl.col("column").fill_null("plusieurs tableaux").alias("given_by"),
    ).sort("table", "cell")  # fmt: skip


def _sentence(finding: dict[str, object]) -> str:
    low, high = finding["low"], finding["high"]
    within = "" if low is None else f", entre {low:g} et {high:g}"
    return f"« {finding['table']} », {finding['cell']} ({finding['measure']}{within}), d'après {finding['given_by']}"
