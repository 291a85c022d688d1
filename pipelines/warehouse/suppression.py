"""Which counts of non-awards may be shown: primary rule, then suppression of what subtraction would give back.

Pure functions on frames. The atoms are the applications of one funder and year by service, département and scheme; a
published cell is a set of atoms. The number of awards A of every cell is public (awards are nominative), so a count c
is protected together with A.

*Safe* set of atoms: `c = 0` and `A >= min_decisions`, or `c >= min_count`, `A >= min_count` and
`A + c >= min_decisions` (DOMAIN 6; n is taken as A + c, the strictest reading). The union of disjoint safe sets is
safe: so if every piece into which the published cells cut the atoms is safe, every sum and difference of published
cells that is itself a set of atoms is safe too.

*Tree* (funder-year, service-year, service × département-year): under a shown parent, the hidden children together are
one piece, `parent - shown children`. While that piece is not safe, the next smallest child is hidden as well. Counts
known to be zero without being printed (services that show no refusal and declare nothing) are taken out first.
*Schemes* cut the same atoms another way: a scheme is shown only if each of its intersections with the pieces of the
tree is safe, and the hidden schemes together too, so that the two cannot be combined. *Reasons* are children of the
funder-year alone.

Hiding one more cell only takes knowledge away, so a later step may always hide more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

MEASURES = ("refused", "inadmissible", "withdrawn", "closed", "pending", "cancelled", "unknown")
FUNDER_YEAR = ("funder_id", "fiscal_year")
SERVICE_YEAR = (*FUNDER_YEAR, "service_key")
TERRITORY_YEAR = (*SERVICE_YEAR, "departement_code")
SCHEME_YEAR = (*FUNDER_YEAR, "scheme")

ATOMS = pl.Schema({
    "funder_id": pl.String, "fiscal_year": pl.Int32, "service_key": pl.String, "departement_code": pl.String,
    "scheme": pl.String, "measure": pl.String, "n_awarded": pl.Int64, "count": pl.Int64, "is_known_zero": pl.Boolean,
})  # fmt: skip
"""One row per atom and measure. `is_known_zero`: the count is zero and readers know it without being told."""

_REST = "rest"


@dataclass(frozen=True)
class Thresholds:
    """`min_decisions` applications at least, `min_count` on either side."""

    min_decisions: int
    min_count: int


@dataclass(frozen=True)
class Shown:
    """The cells whose count may be shown, one row per cell and measure: keys, `measure`."""

    funder_year: pl.DataFrame
    service_year: pl.DataFrame
    territory_year: pl.DataFrame
    scheme_year: pl.DataFrame


def is_safe(thresholds: Thresholds, *, awarded: str = "n_awarded", count: str = "count") -> pl.Expr:
    """True where a count may be told, given the public number of awards."""
    a, c = pl.col(awarded), pl.col(count)
    k, n = thresholds.min_count, thresholds.min_decisions
    return ((c == 0) & (a >= n)) | ((c >= k) & (a >= k) & (a + c >= n))


def protect(
    atoms: pl.DataFrame, thresholds: Thresholds, *, published: pl.DataFrame, published_schemes: pl.DataFrame
) -> Shown:
    """Choose the cells to show.

    `atoms`: see `ATOMS`. `published`: funder_id, fiscal_year, service_key (null for the funder-year itself) of the
    cells whose refusals are published; no other cell is ever shown. `published_schemes`: the same with `scheme`.
    """
    is_public = published.filter(pl.col("service_key").is_null()).select(FUNDER_YEAR).unique()
    roots = (
        _cells(atoms.filter(~pl.col("is_known_zero")), FUNDER_YEAR)
        .join(is_public, on=FUNDER_YEAR, how="semi")
        .with_columns(is_safe(thresholds).alias("is_shown"))
    )
    services = _services(atoms, roots, published, thresholds)
    territories = _territories(atoms, services, thresholds)
    schemes = _schemes(atoms, roots, services, territories, published_schemes, thresholds)
    return Shown(
        funder_year=_kept(roots, FUNDER_YEAR),
        service_year=_kept(services, SERVICE_YEAR),
        territory_year=_kept(territories, TERRITORY_YEAR),
        scheme_year=_kept(schemes, SCHEME_YEAR),
    )


def shown_reasons(reasons: pl.DataFrame, roots: pl.DataFrame, *, min_count: int) -> pl.DataFrame:
    """The reasons to show: keys, `measure`, `refusal_reason`.

    `reasons`: funder_id, fiscal_year, measure, refusal_reason, count. `roots`: the shown counts they add up to. Below
    `min_count` a reason is hidden; the hidden ones together reach it, hiding the next smallest.
    """
    keys = [*FUNDER_YEAR, "measure"]
    ordered = (
        reasons.join(roots, on=keys, how="semi")
        .with_columns((pl.col("count") < min_count).alias("is_bad"))
        .sort([*keys, "is_bad", "count", "refusal_reason"], descending=[*[False] * len(keys), True, False, False])
        .with_columns(
            pl.col("count").cum_sum().over(keys).alias("_sum"),
            pl.int_range(1, pl.len() + 1).over(keys).alias("_rank"),
            pl.col("is_bad").sum().over(keys).alias("_bad"),
        )
    )
    is_enough = (pl.col("_rank") >= pl.col("_bad")) & (pl.col("_sum") >= min_count)
    last_hidden = (
        pl.when(pl.col("_bad") == 0)
        .then(0)
        .otherwise(pl.col("_rank").filter(is_enough).min().over(keys).fill_null(pl.len().over(keys)))
    )
    return ordered.filter(pl.col("_rank") > last_hidden).select(*keys, "refusal_reason").sort(pl.all())


def _cells(atoms: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    return (
        atoms.group_by([*keys, "measure"])
        .agg(pl.col("n_awarded").sum(), pl.col("count").sum())
        .sort([*keys, "measure"])
    )


def _kept(cells: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    return cells.filter(pl.col("is_shown")).select(*keys, "measure").sort(pl.all())


def _services(
    atoms: pl.DataFrame, roots: pl.DataFrame, published: pl.DataFrame, thresholds: Thresholds
) -> pl.DataFrame:
    is_public = (
        published.drop_nulls("service_key").select(SERVICE_YEAR).unique().with_columns(is_published=pl.lit(True))
    )
    cells = (
        _cells(atoms.filter(~pl.col("is_known_zero")), SERVICE_YEAR)
        .join(is_public, on=list(SERVICE_YEAR), how="left")
        .join(
            roots.select(
                *FUNDER_YEAR, "measure", pl.col("is_shown").alias("parent"), pl.col("count").alias("parent_count")
            ),
            on=[*FUNDER_YEAR, "measure"],
            how="left",
        )
        .with_columns(
            # under a parent whose refusals are not published, a service stands for itself
            (pl.col("is_published").fill_null(False) & is_safe(thresholds) & pl.col("parent").fill_null(True)).alias(
                "is_candidate"
            )
        )
    )
    return _hide_until_safe(cells, FUNDER_YEAR, "service_key", thresholds)


def _territories(atoms: pl.DataFrame, services: pl.DataFrame, thresholds: Thresholds) -> pl.DataFrame:
    cells = (
        _cells(atoms.filter(~pl.col("is_known_zero")), TERRITORY_YEAR)
        .join(
            services.select(
                *SERVICE_YEAR, "measure", pl.col("is_shown").alias("parent"), pl.col("count").alias("parent_count")
            ),
            on=[*SERVICE_YEAR, "measure"],
            how="left",
        )
        .with_columns(
            (is_safe(thresholds) & pl.col("parent").fill_null(False) & (pl.col("n_awarded") > 0)).alias("is_candidate")
        )
    )
    return _hide_until_safe(cells, SERVICE_YEAR, "departement_code", thresholds)


def _hide_until_safe(cells: pl.DataFrame, parent: Sequence[str], child: str, thresholds: Thresholds) -> pl.DataFrame:
    """Hide the candidates, smallest first, until the hidden children of a shown parent are a safe set with a count.

    A hidden set whose count is zero would give each of its children away: it must reach `min_count`, unless the
    parent's own count is zero and says as much. A child whose applications are all of other outcomes is one of them:
    were it alone, its zero would follow.
    """
    keys = [*parent, "measure"]
    ordered = (
        cells.with_columns((pl.col("n_awarded") + pl.col("count")).alias("_size"))
        .sort([*keys, "is_candidate", "_size", child])
        .with_columns(
            pl.col("n_awarded").cum_sum().over(keys).alias("_awarded"),
            pl.col("count").cum_sum().over(keys).alias("_count"),
            pl.int_range(1, pl.len() + 1).over(keys).alias("_rank"),
            (pl.col("_size") > 0).cum_sum().over(keys).alias("_sized"),
            (~pl.col("is_candidate")).sum().over(keys).alias("_hidden"),
        )
    )
    is_enough = (
        (pl.col("_rank") >= pl.col("_hidden"))
        & (pl.col("_sized") >= 2)
        & (pl.col("_count") >= thresholds.min_count)
        & is_safe(thresholds, awarded="_awarded", count="_count")
    )
    last_hidden = (
        pl.when((pl.col("_hidden") == 0) | (pl.col("parent_count") == 0) | ~pl.col("parent").fill_null(False))
        .then(pl.col("_hidden"))
        .otherwise(pl.col("_rank").filter(is_enough).min().over(keys).fill_null(pl.len().over(keys)))
    )
    return (
        ordered.with_columns((pl.col("is_candidate") & (pl.col("_rank") > last_hidden)).alias("is_shown"))
        .select(*parent, child, "measure", "n_awarded", "count", "is_shown")
        .sort([*parent, child, "measure"])
    )


def _schemes(
    atoms: pl.DataFrame,
    roots: pl.DataFrame,
    services: pl.DataFrame,
    territories: pl.DataFrame,
    published_schemes: pl.DataFrame,
    thresholds: Thresholds,
) -> pl.DataFrame:
    keys = [*FUNDER_YEAR, "measure"]
    pieces = _pieces(atoms.filter(~pl.col("is_known_zero")), services, territories)
    crossed = (
        pieces.group_by([*keys, "piece", "scheme"])
        .agg(pl.col("n_awarded").sum(), pl.col("count").sum())
        .filter((pl.col("n_awarded") > 0) | (pl.col("count") > 0))
    )
    is_public = published_schemes.select(SCHEME_YEAR).unique().with_columns(is_published=pl.lit(True))
    is_crossed_safely = crossed.group_by([*keys, "scheme"]).agg(is_safe(thresholds).all().alias("is_crossed_safely"))
    cells = (
        _cells(atoms, SCHEME_YEAR)
        .join(is_public, on=list(SCHEME_YEAR), how="left")
        .join(is_crossed_safely, on=[*keys, "scheme"], how="left")
        .join(roots.select(*keys, pl.col("is_shown").alias("parent")), on=keys, how="left")
        .with_columns(
            (
                pl.col("is_published").fill_null(False)
                & pl.col("is_crossed_safely").fill_null(False)
                & pl.col("parent").fill_null(True)
                & (pl.col("n_awarded") > 0)
            ).alias("is_shown"),
            (pl.col("n_awarded") + pl.col("count")).alias("size"),
        )
    )
    while True:
        more = _schemes_to_hide(crossed, cells, thresholds)
        if more.is_empty():
            return cells.sort([*SCHEME_YEAR, "measure"])
        cells = (
            cells.join(more.with_columns(_hide=pl.lit(True)), on=[*keys, "scheme"], how="left")
            .with_columns((pl.col("is_shown") & pl.col("_hide").is_null()).alias("is_shown"))
            .drop("_hide")
        )


def _pieces(atoms: pl.DataFrame, services: pl.DataFrame, territories: pl.DataFrame) -> pl.DataFrame:
    """Atoms with the piece of the tree they belong to: a shown département, the rest of a shown service, the rest."""
    return (
        atoms.join(
            territories.select(*TERRITORY_YEAR, "measure", pl.col("is_shown").alias("is_territory")),
            on=[*TERRITORY_YEAR, "measure"],
            how="left",
        )
        .join(
            services.select(*SERVICE_YEAR, "measure", pl.col("is_shown").alias("is_service")),
            on=[*SERVICE_YEAR, "measure"],
            how="left",
        )
        .with_columns(
            pl.when(pl.col("is_territory").fill_null(False))
            .then(pl.format("territory {} {}", "service_key", "departement_code"))
            .when(pl.col("is_service").fill_null(False))
            .then(pl.format("service {}", "service_key"))
            .otherwise(pl.lit(_REST))
            .alias("piece")
        )
    )


def _schemes_to_hide(crossed: pl.DataFrame, cells: pl.DataFrame, thresholds: Thresholds) -> pl.DataFrame:
    """For each piece that the hidden schemes cut unsafely, the smallest shown scheme that meets it."""
    keys = [*FUNDER_YEAR, "measure"]
    known = crossed.join(cells.select(*keys, "scheme", "is_shown", "size"), on=[*keys, "scheme"], how="left")
    unsafe = (
        known.filter(~pl.col("is_shown"))
        .group_by([*keys, "piece"])
        .agg(pl.col("n_awarded").sum(), pl.col("count").sum())
        .filter(~is_safe(thresholds))
    )
    return (
        known.filter(pl.col("is_shown"))
        .join(unsafe.select(*keys, "piece"), on=[*keys, "piece"], how="semi")
        .sort([*keys, "piece", "size", "scheme"])
        .group_by([*keys, "piece"], maintain_order=True)
        .agg(pl.col("scheme").first())
        .select(*keys, "scheme")
        .unique()
    )
