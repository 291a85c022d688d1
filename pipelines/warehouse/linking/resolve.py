"""What lines say of applicants → one identity for each organisation: by identifiers, then decisions, then names.

The identity of a group is the key of its best identifier: SIREN, else RNA, else a funder's own number, else a name.
Deterministic: the order of the lines does not matter.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pipelines.warehouse.linking.decide import link
from pipelines.warehouse.linking.groups import Groups
from pipelines.warehouse.linking.mentions import Mentions, replaced
from pipelines.warehouse.linking.names import parts
from pipelines.warehouse.linking.support import are_supported
from schemas.decisions import SAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipelines.warehouse.linking.model import NameModel
    from schemas.decisions import Decision

KEYS = pl.Schema({"organisation_key": pl.String(), "organisation_id": pl.String()})
LINKS = pl.Schema({
    "left_key": pl.String(), "right_key": pl.String(), "basis": pl.String(), "probability": pl.Float64(),
    "n_lines": pl.Int64(), "decision_line": pl.Int64(),
})  # fmt: skip
REVIEWS = pl.Schema({
    "left_key": pl.String(), "right_key": pl.String(), "left_name": pl.String(), "right_name": pl.String(),
    "probability": pl.Float64(), "reason": pl.String(), "n_lines": pl.Int64(),
})  # fmt: skip
_UNNAMED = pl.Schema({name: kind for name, kind in REVIEWS.items() if not name.endswith("_name")})
DOUBTS = pl.Schema({"organisation_id": pl.String(), "name": pl.String()})
DECISIONS = pl.Schema({
    "line": pl.Int64(), "left_key": pl.String(), "right_key": pl.String(), "decision": pl.String(),
    "author": pl.String(), "reason": pl.String(), "decided_date": pl.Date(), "is_applied": pl.Boolean(),
    "problem": pl.String(),
})  # fmt: skip
_ORDER = ("siren", "rna", "local", "name")
_UNKNOWN = "ligne {line} : aucun organisme n'a la clé « {key} » : la décision attend. Corrigez-la ou retirez la ligne."


@dataclass(frozen=True)
class Resolved:
    """Frames of the schemas above, sorted."""

    keys: pl.DataFrame
    links: pl.DataFrame
    reviews: pl.DataFrame
    doubts: pl.DataFrame
    decisions: pl.DataFrame


def resolve(
    lines: pl.DataFrame,
    model: NameModel,
    *,
    decisions: Sequence[Decision] = (),
    registered: Iterable[tuple[str, str]] = (),
) -> Resolved:
    """Identities from a frame of `MENTIONS`. `registered`: pairs of keys that a register says are one."""
    mentions = Mentions(lines)
    keys = set(mentions.keys)
    known = [decision for decision in decisions if decision.left in keys and decision.right in keys]
    listed = sorted({(min(pair, key=_rank), max(pair, key=_rank)) for pair in registered if keys.issuperset(pair)})
    together = _together(mentions)
    apart = [(decision.left, decision.right) for decision in known if decision.decision != SAME]
    named = [(decision.left, decision.right) for decision in known]
    touched = {key for pair in (*named, *listed, *((one.left, one.right) for one in together)) for key in pair}
    groups = Groups(mentions.numbers(pl.Series(sorted(touched), dtype=pl.String)), apart)
    links: list[tuple[object, ...]] = []
    reviews: list[tuple[object, ...]] = []

    links += [
        (decision.left, decision.right, "decision", None, None, decision.line)
        for decision in known
        if decision.decision == SAME and groups.join(decision.left, decision.right, by_decision=True)
    ]
    for left, right in listed:
        if groups.of(left) == groups.of(right):
            continue
        if groups.join(left, right):
            links.append((left, right, "register", None, None, None))
        else:
            reviews.append((left, right, None, "identifiers", None))
    contested: list[tuple[str, str]] = []  # names do not settle what identifiers leave open
    ambiguous = _ambiguous(together)
    for one in together:
        left, right = one.left, one.right
        if groups.of(left) == groups.of(right):
            continue
        is_clear = not ambiguous & {(left, one.right_scope), (right, one.left_scope)}
        if is_clear and groups.join(left, right):
            links.append((left, right, "shared_identifier", None, one.n_lines, None))
        elif not groups.are_apart(left, right):
            contested.append((left, right))
            reviews.append((left, right, None, "identifiers", one.n_lines))

    joined = groups.joined()
    nodes = mentions.nodes(
        {key: members[0] for members in joined for key in members},
        {members[0]: min(members, key=_rank) for members in joined},
    )
    between = [(groups.of(left), groups.of(right)) for left, right in (*apart, *contested)]
    place = _places(nodes["root"], {root for pair in between for root in pair})
    nodes = nodes.drop("root")
    verdicts = link(
        nodes, model, apart=[(place[one], place[other]) for one, other in between if one in place and other in place]
    )
    key = _keys_at(nodes["key"], [at for verdict in verdicts for at in (verdict.left, verdict.right)])
    del nodes
    groups.know(mentions.numbers(pl.Series(sorted(set(key.values()) - touched), dtype=pl.String)))
    for verdict in verdicts:
        left, right = sorted((key[verdict.left], key[verdict.right]), key=_rank)
        if verdict.reason is None and groups.join(left, right):
            links.append((left, right, "name", verdict.probability, None, None))
        else:
            reviews.append((left, right, verdict.probability, verdict.reason or "conflict", None))
    identity = {member: min(members, key=_rank) for members in groups.joined() for member in members}
    return Resolved(
        keys=pl.DataFrame({"organisation_key": mentions.keys}).with_columns(
            organisation_id=replaced("organisation_key", identity)
        ),
        links=_frame(links, LINKS),
        reviews=_named(pl.DataFrame(reviews, schema=_UNNAMED, orient="row"), mentions),
        doubts=_frame(_doubts(mentions, identity, model), DOUBTS),
        decisions=_frame([_told(decision, keys) for decision in decisions], DECISIONS),
    )


def _places(roots: pl.Series, wanted: set[str]) -> dict[str, int]:
    """The places of some groups among the nodes; nothing of those whose names are not compared."""
    found = pl.DataFrame({"root": roots}).with_row_index("place").filter(pl.col("root").is_in(list(wanted)))
    return dict(zip(found["root"], found["place"], strict=True))


def _keys_at(keys: pl.Series, places: list[int]) -> dict[int, str]:
    """The keys of some nodes."""
    at = sorted(set(places))
    return dict(zip(at, keys.gather(at), strict=True))


@dataclass(frozen=True)
class _Together:
    """Two identifiers that stand on `n_lines` lines, and the lists that give them."""

    left: str
    right: str
    left_scope: str
    right_scope: str
    n_lines: int


def _together(mentions: Mentions) -> list[_Together]:
    """Identifiers that stand together, those of the surest lists first, then in order."""
    columns = ("left", "right", "left_scope", "right_scope", "n_lines")
    found = [_Together(*row) for row in mentions.together().select(columns).iter_rows()]
    return sorted(found, key=lambda one: (_rank(one.left), _rank(one.right)))


def _ambiguous(together: Iterable[_Together]) -> set[tuple[str, str]]:
    """(key, scope) of the identifiers that stand with several of one other list."""
    partners: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for one in together:
        partners[one.left, one.right_scope].add(one.right)
        partners[one.right, one.left_scope].add(one.left)
    return {of for of, others in partners.items() if len(others) > 1}


def _named(reviews: pl.DataFrame, mentions: Mentions) -> pl.DataFrame:
    """Reviews with the name of a legal person that each key most often bears."""
    names = (
        mentions.names.filter(pl.col("kind") == "legal")
        .join(pl.concat([reviews["left_key"], reviews["right_key"]]).unique().to_frame("key"), on="key", how="semi")
        .sort("n_lines", "name", descending=[True, False])
        .unique("key", keep="first", maintain_order=True)
    )
    for side in ("left", "right"):
        reviews = reviews.join(
            names.select("key", pl.col("name").alias(f"{side}_name")), left_on=f"{side}_key", right_on="key", how="left"
        )
    return reviews.select(REVIEWS.names()).sort(pl.all())


def _doubts(mentions: Mentions, identity: dict[str, str], model: NameModel) -> list[tuple[str, str]]:
    """Names of unknown kind that share an identity with a legal person's, and look like none of its names."""
    is_of = [(pl.col("kind") == kind).any().over("organisation_id") for kind in ("unknown", "legal")]
    names = (
        mentions.names.filter(pl.col("kind").is_in(["unknown", "legal"]))
        .select("kind", "name", organisation_id=replaced("key", identity))
        .unique()
        .filter(*is_of)
        .sort("organisation_id", "kind", "name")
    )
    told = pl.concat([names, parts(names["name"])], how="horizontal")
    doubts = []
    for (organisation,), of in told.group_by("organisation_id", maintain_order=True):
        unknown, legal = (of.filter(kind=kind) for kind in ("unknown", "legal"))
        is_supported = are_supported(
            list(unknown.select("main", "aside").iter_rows()), list(legal.select("main", "aside").iter_rows()), model
        )
        doubts += [(organisation, name) for name in unknown["name"].filter(~pl.Series(is_supported))]
    return doubts


def _told(decision: Decision, keys: set[str]) -> tuple[object, ...]:
    unknown = next((key for key in (decision.left, decision.right) if key not in keys), None)
    problem = None if unknown is None else _UNKNOWN.format(line=decision.line, key=unknown)
    return (
        decision.line, decision.left, decision.right, decision.decision, decision.author, decision.reason,
        decision.date, unknown is None, problem,
    )  # fmt: skip


def _rank(key: str) -> tuple[int, str]:
    kind = key.partition(":")[0]
    return (_ORDER.index(kind) if kind in _ORDER else len(_ORDER)), key


def _frame(rows: Sequence[tuple[object, ...]], schema: pl.Schema) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row").sort(pl.all())
