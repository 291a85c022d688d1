"""What people decided of lines that two depositors report (`schemas/line_decisions.csv`), applied to the twins rule.

Lines decided the same are linked before any rule is tried; lines decided different never are. A decision that no
counted line answers to is kept, and said: it may be for a file that was withdrawn, or mistyped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from schemas.decisions import SAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from schemas.decisions import Decision

RULE = "decided"
DECISIONS = pl.Schema({
    "line": pl.Int32(), "left_key": pl.String(), "right_key": pl.String(), "decision": pl.String(),
    "author": pl.String(), "reason": pl.String(), "decided_date": pl.Date(), "is_applied": pl.Boolean(),
    "problem": pl.String(),
})  # fmt: skip


class DecidedLines:
    """Decisions at work in one search for twins: it remembers which lines it met, and which pairs were made of them."""

    def __init__(self, decisions: Sequence[Decision]) -> None:
        self._decisions = decisions
        self._groups = _groups(decisions)
        self._lines = {decision.pair: decision.line for decision in decisions if decision.decision == SAME}
        apart = [
            (self._group(own), self._group(other))
            for decision in decisions
            if decision.decision != SAME
            for own, other in ((decision.left, decision.right), (decision.right, decision.left))
        ]
        self._apart = pl.DataFrame(apart, schema={"group": pl.String, "other_group": pl.String}, orient="row")
        self._met: set[str] = set()
        self._linked: set[str] = set()

    def _group(self, key: str) -> str:
        return self._groups.get(key, key)

    def keyed(self, lines: pl.DataFrame) -> pl.DataFrame:
        """`lines` (of one funder and year, in their files' order) with `line_key`, and the `group` it was decided in.

        A key is `<depositor>:<application_id>`, stable from one deposit to the next; `#2`, `#3`… follow it where
        several lines of the depositor are of one application.
        """
        rank = pl.int_range(1, pl.len() + 1).over("depositor", "application_id")
        suffix = pl.when(rank > 1).then(pl.format("#{}", rank)).otherwise(pl.lit(""))
        keyed = lines.with_columns(pl.format("{}:{}{}", "depositor", "application_id", suffix).alias("line_key"))
        if self._decisions:
            named = {key for decision in self._decisions for key in decision.pair}
            self._met.update(keyed.filter(pl.col("line_key").is_in(named))["line_key"])
        return keyed.with_columns(group=pl.col("line_key").replace(self._groups))

    def same(self, mine: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
        """The lines of both sides that were decided to be one award, joined one to one (`…_new`: the other side)."""
        decided = list(set(self._groups.values()))
        sides = [
            side.filter(pl.col("group").is_in(decided)).unique("group", keep="first", maintain_order=True)
            for side in (mine, theirs)
        ]
        joined = sides[0].join(sides[1], on="group", how="inner", suffix="_new", maintain_order="left")
        self._linked.update([*joined["line_key"], *joined["line_key_new"]])
        direct = [self._lines.get(frozenset(pair)) for pair in joined.select("line_key", "line_key_new").iter_rows()]
        return joined.with_columns(
            pl.Series("decision_line", direct, dtype=pl.Int32),
            rule=pl.lit(RULE),
            likeness=pl.lit(None, dtype=pl.Float64),
        )

    def allowed(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """`pairs` (`line_key`, `other_line_key`) without those that were decided to be two awards."""
        if self._apart.is_empty():
            return pairs
        groups = {
            name: pl.col(key).replace(self._groups)
            for name, key in (("group", "line_key"), ("other_group", "other_line_key"))
        }
        kept = pairs.with_columns(**groups).join(
            self._apart, on=["group", "other_group"], how="anti", maintain_order="left"
        )
        return kept.select(pairs.columns)

    def told(self) -> pl.DataFrame:
        """Every decision, with whether it was followed and, if not, why (French); schema `DECISIONS`."""
        rows = []
        for d in self._decisions:
            problem = self._problem(d)
            rows.append((d.line, d.left, d.right, d.decision, d.author, d.reason, d.date, problem is None, problem))
        return pl.DataFrame(rows, schema=DECISIONS, orient="row")

    def _problem(self, decision: Decision) -> str | None:
        if decision.left.rpartition(":")[0] == decision.right.rpartition(":")[0]:
            return (
                f"ligne {decision.line} : les deux lignes sont d’un même déposant, qui ne sont jamais rapprochées ici"
            )
        unknown = [key for key in (decision.left, decision.right) if key not in self._met]
        if unknown:
            return (
                f"ligne {decision.line} : aucune ligne comptée d’un financeur que deux déposants rapportent n’a la clé "
                f"« {unknown[0]} »"
            )
        if decision.decision == SAME and not {decision.left, decision.right} <= self._linked:
            return (
                f"ligne {decision.line} : les deux lignes ne sont pas du même financeur, exercice, monnaie et étape du "
                "montant, ou une autre ligne du même déposant est déjà rapprochée de l’une d’elles"
            )
        return None


def _groups(decisions: Iterable[Decision]) -> dict[str, str]:
    """Each key decided the same as another → the first key of all that are the same."""
    groups: dict[str, str] = {}
    for decision in decisions:
        if decision.decision == SAME:
            own, other = (groups.setdefault(key, key) for key in (decision.left, decision.right))
            first, last = sorted((own, other))
            groups = {key: first if group == last else group for key, group in groups.items()}
    return groups
