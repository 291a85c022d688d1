"""What lines say of applicants → one identity for each organisation: by identifiers, then decisions, then names.

The identity of a group is the key of its best identifier: SIREN, else RNA, else a funder's own number, else a name.
Deterministic: the order of the lines does not matter.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from pipelines.warehouse.linking.decide import link
from pipelines.warehouse.linking.groups import Groups
from pipelines.warehouse.linking.pairs import Node
from pipelines.warehouse.linking.support import unsupported
from schemas.decisions import SAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipelines.warehouse.linking.model import NameModel
    from schemas.decisions import Decision

MENTIONS = pl.Schema({
    "organisation_key": pl.String(), "siren": pl.String(), "rna": pl.String(), "local_id": pl.String(),
    "name": pl.String(), "kind": pl.String(), "funder_id": pl.String(), "funder_departement_code": pl.String(),
    "commune_code": pl.String(), "departement_code": pl.String(), "n_lines": pl.Int64(),
})  # fmt: skip
KEYS = pl.Schema({"organisation_key": pl.String(), "organisation_id": pl.String()})
LINKS = pl.Schema({
    "left_key": pl.String(), "right_key": pl.String(), "basis": pl.String(), "probability": pl.Float64(),
    "n_lines": pl.Int64(), "decision_line": pl.Int64(),
})  # fmt: skip
REVIEWS = pl.Schema({
    "left_key": pl.String(), "right_key": pl.String(), "left_name": pl.String(), "right_name": pl.String(),
    "probability": pl.Float64(), "reason": pl.String(), "n_lines": pl.Int64(),
})  # fmt: skip
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


@dataclass(slots=True)
class _Said:
    """What the lines of one key say, by names and kinds. Small: there is one for each of a million keys."""

    numbers: dict[str, str] = field(default_factory=dict)
    names: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    communes: frozenset[str] = frozenset()
    departements: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    funders: frozenset[str] = frozenset()
    lines: int = 0


def resolve(
    mentions: pl.DataFrame,
    model: NameModel,
    *,
    decisions: Sequence[Decision] = (),
    registered: Iterable[tuple[str, str]] = (),
) -> Resolved:
    """Identities from `mentions` (a frame of `MENTIONS`). `registered`: pairs of keys that a register says are one."""
    said, together = _read(mentions)
    keys = sorted(said)
    place = {key: number for number, key in enumerate(keys)}
    known = [d for d in decisions if d.left in place and d.right in place]
    apart = [(place[d.left], place[d.right]) for d in known if d.decision != SAME]
    groups = Groups((said[key].numbers for key in keys), apart)
    links: list[tuple[object, ...]] = []
    reviews: list[tuple[object, ...]] = []

    links += [
        (decision.left, decision.right, "decision", None, None, decision.line)
        for decision in known
        if decision.decision == SAME and groups.join(place[decision.left], place[decision.right], by_decision=True)
    ]
    for left, right in sorted({(min(pair, key=_rank), max(pair, key=_rank)) for pair in registered}):
        if left in place and right in place and groups.of(place[left]) != groups.of(place[right]):
            if groups.join(place[left], place[right]):
                links.append((left, right, "register", None, None, None))
            else:
                reviews.append((left, right, _name(said, left), _name(said, right), None, "identifiers", None))
    contested: list[tuple[int, int]] = []  # names do not settle what identifiers leave open
    ambiguous = _ambiguous(together, said)
    for left, right, lines in _shared(together):
        if groups.of(place[left]) == groups.of(place[right]):
            continue
        is_clear = not ambiguous & {(left, _scope(said, right)), (right, _scope(said, left))}
        if is_clear and groups.join(place[left], place[right]):
            links.append((left, right, "shared_identifier", None, lines, None))
        elif not groups.are_apart(place[left], place[right]):
            contested.append((place[left], place[right]))
            reviews.append((left, right, _name(said, left), _name(said, right), None, "identifiers", lines))

    nodes, members = _nodes(keys, said, groups)
    node_of = {member: number for number, group in enumerate(members) for member in group}
    between = [
        (node_of[left], node_of[right]) for left, right in (*apart, *contested) if left in node_of and right in node_of
    ]
    for verdict in link(nodes, model, apart=between):
        left, right = sorted((nodes[verdict.left].key, nodes[verdict.right].key), key=_rank)
        if verdict.reason is None and groups.join(place[left], place[right]):
            links.append((left, right, "name", verdict.probability, None, None))
        else:
            reason = verdict.reason or "conflict"
            reviews.append((left, right, _name(said, left), _name(said, right), verdict.probability, reason, None))
    identity = {key: min((keys[m] for m in groups.members(place[key])), key=_rank) for key in keys}
    return Resolved(
        keys=_frame([(key, identity[key]) for key in keys], KEYS),
        links=_frame(links, LINKS),
        reviews=_frame(reviews, REVIEWS),
        doubts=_frame(_doubts(keys, said, identity, model), DOUBTS),
        decisions=_frame([_told(decision, place) for decision in decisions], DECISIONS),
    )


def _read(mentions: pl.DataFrame) -> tuple[dict[str, _Said], Counter[tuple[str, str]]]:
    """What is said of each key, and on how many lines two identifiers stand together."""
    said: defaultdict[str, _Said] = defaultdict(_Said)
    together: Counter[tuple[str, str]] = Counter()
    for (
        organisation_key, siren, rna, local_id, name, kind, funder_id, area, commune, departement, n_lines,
    ) in mentions.select(MENTIONS.names()).iter_rows():  # fmt: skip
        scopes = (("siren", siren), ("rna", rna), (f"local:{funder_id}", local_id))
        identifiers = [(f"{scope}:{number}", scope, number) for scope, number in scopes if number]
        for at, (key, scope, number) in enumerate(identifiers):
            said[key].numbers[scope] = number
            for other, _, _ in identifiers[at + 1 :]:
                together[key, other] += n_lines
        mine = said[organisation_key]
        mine.lines += n_lines
        mine.funders = _with(mine.funders, funder_id)
        if name:
            mine.names[kind][name] += n_lines
        mine.communes = _with(mine.communes, commune)
        mine.departements = _with(mine.departements, departement)
        if not departement:
            mine.areas = _with(mine.areas, area)
    return dict(said), together


def _with(known: frozenset[str], code: str | None) -> frozenset[str]:
    """`known` and one more; itself when there is nothing to add."""
    return known | {code} if code and code not in known else known


def _union(sets: list[frozenset[str]]) -> frozenset[str]:
    """All of them; a set that is alone is not copied."""
    return sets[0].union(*sets[1:]) if len(sets) > 1 else sets[0]


def _added(counts: list[Counter[str]]) -> Counter[str]:
    """All of them; one that is alone is not copied."""
    return counts[0] if len(counts) == 1 else sum(counts, Counter())


def _shared(together: Counter[tuple[str, str]]) -> list[tuple[str, str, int]]:
    """Identifiers that stand together, those of the surest lists first, then in order."""
    ordered = sorted(together.items(), key=lambda item: (_rank(item[0][0]), _rank(item[0][1])))
    return [(left, right, lines) for (left, right), lines in ordered]


def _ambiguous(together: Iterable[tuple[str, str]], said: dict[str, _Said]) -> set[tuple[str, str]]:
    """(key, scope) of the identifiers that stand with several of one other list."""
    partners: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for left, right in together:
        for key, other in ((left, right), (right, left)):
            partners[key, _scope(said, other)].add(other)
    return {of for of, others in partners.items() if len(others) > 1}


def _nodes(keys: list[str], said: dict[str, _Said], groups: Groups) -> tuple[list[Node], list[list[int]]]:
    """The groups whose names may be compared: legal persons, without a doubt on their kind."""
    nodes, members = [], []
    for number in range(len(keys)):
        if groups.of(number) != number:
            continue
        group = [said[keys[member]] for member in groups.members(number)]
        names = _added([one.names["legal"] for one in group if "legal" in one.names])
        kinds = {kind for one in group for kind, found in one.names.items() if found}
        numbers = groups.numbers(number)
        is_identified = "siren" in numbers or "rna" in numbers
        if not names or "natural" in kinds or (kinds != {"legal"} and not is_identified):
            continue
        best = min((keys[member] for member in groups.members(number)), key=_rank)
        nodes.append(
            Node(
                best,
                tuple(sorted(names, key=lambda name: (-names[name], name))),
                {scope: "+".join(sorted(found)) for scope, found in sorted(numbers.items())},
                _union([one.communes for one in group]),
                _union([one.departements for one in group]),
                _union([one.areas for one in group]),
                _union([one.funders for one in group]),
            )
        )
        members.append(groups.members(number))
    return nodes, members


def _doubts(
    keys: list[str], said: dict[str, _Said], identity: dict[str, str], model: NameModel
) -> list[tuple[str, str]]:
    """Names of unknown kind that share an identity with a legal person's, and look like none of its names."""
    names: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for key in keys:
        for kind, found in said[key].names.items():
            names[identity[key]][kind] |= set(found)
    return [
        (organisation, name)
        for organisation, kinds in sorted(names.items())
        if kinds.get("unknown") and kinds.get("legal")
        for name in unsupported(sorted(kinds["unknown"]), sorted(kinds["legal"]), model)
    ]


def _told(decision: Decision, place: dict[str, int]) -> tuple[object, ...]:
    unknown = next((key for key in (decision.left, decision.right) if key not in place), None)
    problem = None if unknown is None else _UNKNOWN.format(line=decision.line, key=unknown)
    return (
        decision.line, decision.left, decision.right, decision.decision, decision.author, decision.reason,
        decision.date, unknown is None, problem,
    )  # fmt: skip


def _scope(said: dict[str, _Said], key: str) -> str:
    return next(iter(said[key].numbers))


def _name(said: dict[str, _Said], key: str) -> str | None:
    names: Counter[str] = said[key].names.get("legal", Counter())
    return min(names, key=lambda name: (-names[name], name)) if names else None


def _rank(key: str) -> tuple[int, str]:
    kind = key.partition(":")[0]
    return (_ORDER.index(kind) if kind in _ORDER else len(_ORDER)), key


def _frame(rows: Sequence[tuple[object, ...]], schema: pl.Schema) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row").sort(pl.all())
