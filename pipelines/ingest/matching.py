"""The same lines in two files: which line of one is which line of the other, one to one, and by which rule.

For one applicant: the same amount under the same or a like title, a very like title with another amount (a restated
line), or an amount that only one line of each side has. Measured on the two publications of one city's year: 96 % of
the shorter one is found, against 63 % by equality alone. Who is the same applicant, and what else must be equal, is
the caller's to say with `keyed`.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from rapidfuzz import fuzz, process

from pipelines.ingest.fold import by_value, fold, fold_words

COLUMNS = (
    "fiscal_year",
    "case_number",
    "applicant_siren",
    "applicant_name",
    "amount_awarded",
    "amount_paid",
    "title",
    "funder_name",
)
LIKE = 80  # rapidfuzz's 0-100 scale
VERY_LIKE = 90
SURE = ("same_case", "same_title")
"""Of the rules, those that leave no doubt: same applicant, amount and decision, same case number or a like title."""
_MOST_PAIRS = 5_000_000  # above, the applicants with most lines are compared for equality only: memory stays bounded
_PAIRS = {"position": pl.UInt32, "position_new": pl.UInt32, "rule": pl.String, "likeness": pl.Float64}


@dataclass(frozen=True)
class Pairs:
    """`found`: `position` and `position_new` of the two lines, `rule` and `likeness` of the titles (0-100).

    No line is twice in it. `uncompared`: lines of the left side that were compared for equality only.
    """

    found: pl.DataFrame
    uncompared: int = 0


def count_matches(old: pl.DataFrame, new: pl.DataFrame, *, by_case: bool, by_funder: bool) -> int:
    """How many lines of `old` are found in `new`, one to one; both have `COLUMNS` and one fiscal year.

    With `by_case`, and case numbers on every line, a line is its case number and applicant, and nothing else.
    """
    sides = [(lines, party_of(lines).fill_null("")) for lines in (old, new)]
    if not sides[0][1].is_in(sides[1][1].implode()).any():  # most files that add up have no applicant in common
        return 0
    if by_case and not old["case_number"].has_nulls() and not new["case_number"].has_nulls():
        keys = ["case_number", "applicant"]
        left, right = (_numbered(lines.select("case_number", party.alias("applicant")), keys) for lines, party in sides)
        return left.join(right, on=[*keys, "ordinal"], how="inner").height
    return pair(*(_fingerprints(lines, party, by_funder=by_funder) for lines, party in sides)).found.height


def _fingerprints(lines: pl.DataFrame, party: pl.Series, *, by_funder: bool) -> pl.DataFrame:
    """Who asks, who pays where both files state it, and the amount: what the files of one depositor are compared on."""
    if by_funder:
        party = party + "\x1f" + by_value(lines["funder_name"], fold).fill_null("")
    amount = lines.select(pl.coalesce("amount_awarded", "amount_paid", pl.lit(0)).cast(pl.Decimal(18, 2))).to_series()
    return keyed(lines.select("title"), applicant=party, stated=amount.cast(pl.String), amount=amount)


def party_of(lines: pl.DataFrame) -> pl.Series:
    """The applicant's SIREN, else its folded name, else null."""
    return pl.select(pl.coalesce(lines["applicant_siren"], by_value(lines["applicant_name"], fold))).to_series()


def keyed(lines: pl.DataFrame, *, applicant: pl.Series, stated: pl.Series, amount: pl.Series) -> pl.DataFrame:
    """What `pair` compares, one row a line.

    Two lines are of one `applicant` (null: of nobody), and equal when their `stated` text is; `amount` tells the
    positive ones. `lines` has `title`, and may have `case_number`, `asked` (an amount that differs only where both
    sides say it), `siren` and `name` (for lines of one name of which a side lacks the SIREN).
    """
    absent = [
        pl.lit(None).alias(name) for name in ("case_number", "asked", "siren", "name") if name not in lines.columns
    ]
    return (
        lines.with_columns(absent)
        .select(
            applicant.alias("applicant"),
            stated.alias("stated"),
            (amount > 0).fill_null(value=False).alias("is_positive"),
            pl.col("asked").cast(pl.Decimal(18, 2)),
            pl.col("case_number", "siren", "name").cast(pl.String),
            by_value(lines["title"], fold_words).fill_null("").alias("title"),
        )
        .with_row_index("position")
    )


def pair(old: pl.DataFrame, new: pl.DataFrame, *, by_case: bool = False) -> Pairs:
    """Which lines of `old` are lines of `new`, the surest rules first; both are made by `keyed`.

    With `by_case`, or once a case number with its applicant and amount is found on both sides, the numbers are of one
    series: another number is another line until somebody says otherwise.
    """
    numbered = _equal(old, new, ["applicant", "case_number", "stated"]).with_columns(rule=pl.lit("same_case"))
    old_rest, new_rest = _rest(old, new, numbered)
    by_case = by_case or not numbered.is_empty()
    alike = _equal(old_rest, new_rest, ["applicant", "stated", "title"])
    if by_case:
        alike = alike.filter(pl.any_horizontal(pl.col("case_number", "case_number_new").is_null()))
    alike = alike.with_columns(
        rule=pl.when(pl.col("title") != "").then(pl.lit("same_title")).otherwise(pl.lit("untitled"))
    )
    pairs, uncompared = _candidates(*_rest(old_rest, new_rest, alike))
    found = [numbered, alike, _best(pairs, by_case=by_case)]
    return Pairs(pl.concat(frame.select(*_PAIRS).cast(_PAIRS) for frame in found), uncompared)  # type: ignore[arg-type]


def _equal(left: pl.DataFrame, right: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Lines equal on `keys`, none of them null, in their order; what both sides asked for may not differ."""
    sides = (_numbered(lines.drop_nulls(keys), keys) for lines in (left, right))
    pairs = next(sides).join(next(sides), on=[*keys, "ordinal"], how="inner", suffix="_new")
    likeness = pl.lit(100.0) if "title" in keys else pl.lit(None, dtype=pl.Float64)
    return pairs.filter(_asked_alike()).with_columns(likeness=likeness)


def _asked_alike() -> pl.Expr:
    return (pl.col("asked") == pl.col("asked_new")).fill_null(value=True)


def _numbered(lines: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Identical lines are told apart by their order: two grants of one file match two of the other."""
    return lines.with_columns(pl.int_range(pl.len()).over(keys).alias("ordinal"))


def _rest(old: pl.DataFrame, new: pl.DataFrame, pairs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    taken = pairs.select("position", "position_new")
    return (
        old.join(taken, on="position", how="anti", maintain_order="left"),
        new.join(taken, left_on="position", right_on="position_new", how="anti", maintain_order="left"),
    )


def _candidates(left: pl.DataFrame, right: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Pairs of lines of one applicant, by identity or, when a side lacks the SIREN, by name; and lines left out."""
    with_siren, without = pl.col("siren").is_not_null(), pl.col("siren").is_null()
    same_party, left_out = _joined(left, right, "applicant")
    named = [
        _joined(left.filter(own), right.filter(other), "name")[0]
        for own, other in ((with_siren, without), (without, with_siren))
    ]
    return pl.concat([same_party, *named]), left_out


def _joined(left: pl.DataFrame, right: pl.DataFrame, key: str) -> tuple[pl.DataFrame, int]:
    """Every pair with the same `key`, applicants with few lines first, up to `_MOST_PAIRS` pairs."""
    weights = (
        left.group_by(key).len("l").join(right.group_by(key).len("r"), on=key).sort(pl.col("l") * pl.col("r"), key)
    )
    fits = (pl.col("l") * pl.col("r")).cum_sum() <= _MOST_PAIRS
    kept = weights.filter(fits).select(key, pl.col(key).alias("party"))
    pairs = left.join(kept, on=key).join(right, on=key, suffix="_new")
    columns = [name for name in right.columns if name not in ("applicant", "name")]
    both = [*columns, *(f"{name}_new" for name in columns)]
    return pairs.select("party", *both), int(weights.filter(~fits)["l"].sum())


def _best(pairs: pl.DataFrame, *, by_case: bool) -> pl.DataFrame:
    """The pairs that a rule makes, one to one: the surest rule first, then the likest titles, then the files' order."""
    numbers = pl.col("case_number") == pl.col("case_number_new")
    is_same_case, is_other_case = (
        (by_case & numbers).fill_null(value=False),
        (by_case & ~numbers).fill_null(value=False),
    )
    same = (pl.col("stated") == pl.col("stated_new")) & _asked_alike()
    like, very_like = pl.col("likeness") >= LIKE, pl.col("likeness") >= VERY_LIKE
    is_alone = pl.len().over("party", "stated", "stated_new") == 1
    ranked = (
        pairs.with_columns(_likeness(pairs))
        .with_columns(
            pl.when(is_other_case)
            .then(pl.when(same & like).then(3))
            .when(same & like)
            .then(0)
            .when(is_same_case | very_like)
            .then(1)
            .when(same & pl.col("is_positive") & is_alone)
            .then(2)
            .alias("tier")
        )
        .drop_nulls("tier")
        .sort(["tier", "likeness", "position", "position_new"], descending=[False, True, False, False])
    )
    taken_left: set[int] = set()
    taken_right: set[int] = set()
    is_kept = []
    for position, other in ranked.select("position", "position_new").iter_rows():
        is_kept.append(position not in taken_left and other not in taken_right)
        if is_kept[-1]:
            taken_left.add(position)
            taken_right.add(other)
    names = {0: "same_title", 1: "restated", 2: "unique_amount", 3: "other_case"}
    rule = pl.col("tier").replace_strict(names, return_dtype=pl.String)
    return ranked.filter(pl.Series(is_kept, dtype=pl.Boolean)).with_columns(rule.alias("rule"))


def _likeness(pairs: pl.DataFrame) -> pl.Series:
    """How like the two titles are, 0-100, computed once for each pair of titles."""
    titles = pairs.select("title", "title_new").unique(maintain_order=True)
    scores = process.cpdist(titles["title"].to_list(), titles["title_new"].to_list(), scorer=fuzz.token_set_ratio)
    scored = titles.with_columns(pl.Series("likeness", scores, dtype=pl.Float64))
    return pairs.join(scored, on=["title", "title_new"], how="left", maintain_order="left")["likeness"]
