"""Headlines of figures: a finding when a stated condition holds, a neutral title otherwise. Never a fixed claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import formats

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHANGE = 0.05
"""Below this relative change, amounts are called almost stable."""
TENFOLD = 10
"""Beyond this ratio of two years, one of them is taken for a part of itself: no change is claimed."""
MAJORITY = 0.5
LEAD = 0.25


def trend(
    amounts: Mapping[int, float], *, what: str, before: int, sources: Mapping[int, frozenset[str]] | None = None
) -> str:
    """What the last two complete years say of `what` (« montants accordés »), else a neutral title.

    `amounts` maps years to sums; years from `before` on (the year in progress) are left out; the two years compared
    follow each other, both are above 0 and neither is over ten times the other. When `sources` gives the funders behind
    each year, they must be the same in both: a funder whose data begin is not a rise.
    """
    neutral = f"{formats.sentence(what)} par exercice"
    complete = sorted(year for year in amounts if year < before)
    if len(complete) < 2:
        return neutral
    last, previous = complete[-1], complete[-2]
    if last != previous + 1 or amounts[previous] <= 0 or amounts[last] <= 0:
        return neutral
    if sources is not None and sources[last] != sources[previous]:
        return neutral
    ratio = amounts[last] / amounts[previous]
    if not 1 / TENFOLD <= ratio <= TENFOLD:
        return neutral
    change = ratio - 1
    if abs(change) < CHANGE:
        return f"{formats.sentence(what)} presque stables entre {previous} et {last}"
    way = "hausse" if change > 0 else "baisse"
    return f"{formats.sentence(what)} en {way} de {formats.percent(abs(change), decimals=0)} entre {previous} et {last}"


def leader(amounts: Sequence[tuple[str, float]], *, neutral: str, unknown: str = "") -> str:
    """Who comes first, when the first has at least a quarter of the whole and is known; else `neutral`."""
    total = sum(amount for _, amount in amounts)
    if len(amounts) < 2 or total <= 0:
        return neutral
    name, first = max(amounts, key=lambda item: (item[1], item[0]))
    share = first / total
    if name == unknown or share < LEAD:
        return neutral
    if share >= MAJORITY:
        return f"{formats.sentence(name)} : {formats.percent(share, decimals=0)} des montants"
    return f"{formats.sentence(name)} en tête, avec {formats.percent(share, decimals=0)} des montants"


def coverage(published: int, total: int, *, one: str = "service") -> str:
    """How many publish their refusals: the first thing to say of them."""
    many = f"{one}s"
    if total == 0:
        return "Aucun service connu"
    if published == 0:
        return f"Aucun {one} sur {formats.count(total)} ne publie ses refus"
    if published == total:
        return (
            f"Les {formats.plural(total, one)} publient leurs refus" if total > 1 else f"Le seul {one} publie ses refus"
        )
    verb = "publient" if published > 1 else "publie"
    return (
        f"{formats.plural(published, one, many)} sur {formats.count(total)} {verb} leurs refus"
        if published > 1
        else (f"1 {one} sur {formats.count(total)} {verb} ses refus")
    )


def retention(rates: Mapping[int, float]) -> str:
    """The latest known share of beneficiaries funded again, else a neutral title."""
    if not rates:
        return "Bénéficiaires financés de nouveau l'année suivante"
    year = max(rates)
    share = formats.percent(rates[year], decimals=0)
    return f"{share} des bénéficiaires de {year} financés de nouveau en {year + 1}"


def entries(new: int, funded: int, year: int) -> str:
    """The share of beneficiaries that a funder helps for the first time, from half of them on; else a neutral title."""
    if funded == 0 or new / funded < MAJORITY:
        return f"Entrées, retours et pertes en {year}, par financeur"
    share = formats.percent(new / funded, decimals=0)
    return f"{share} des bénéficiaires de {year} entrent chez leur financeur"


def rate_range(rates: Sequence[float]) -> str:
    """The spread of refusal rates, without ranking anybody."""
    if len(rates) < 2:
        return "Taux de refus après instruction"
    low, high = formats.percent(min(rates), decimals=0), formats.percent(max(rates), decimals=0)
    if low == high:
        return f"Taux de refus après instruction : {low}"
    return f"Taux de refus après instruction : de {low} à {high} selon le service"


def several_funders(projects: int, total: int) -> str:
    """The share of projects that several funders help; words that say so when there is none."""
    if total == 0 or projects == 0:
        return "Aucun projet aidé par plusieurs financeurs ne se voit"
    return f"{formats.sentence(formats.percent(projects / total))} des projets aidés par plusieurs financeurs"


def first_pair(pairs: Sequence[tuple[str, int]], total: int, *, neutral: str) -> str:
    """The pair of most projects, when no other equals it and it has a quarter of all projects; else `neutral`."""
    if not pairs or total <= 0:
        return neutral
    ranked = sorted((n for _, n in pairs), reverse=True)
    label, first = max(pairs, key=lambda item: item[1])
    if first / total < LEAD or (len(ranked) > 1 and ranked[1] == first):
        return neutral
    return f"{label} : {formats.percent(first / total, decimals=0)} des projets cofinancés"


def missing(shares: Sequence[float]) -> str:
    """How many of the useful informations lack on more than half of the lines; else how many lack on some; else none.

    `shares` are those of the lines that have each.
    """
    total = formats.count(len(shares))
    for most, where in (
        (MAJORITY, "dans plus de la moitié des attributions"),
        (1.0, "dans une partie des attributions"),
    ):
        lacking = sum(share < most for share in shares)
        if lacking:
            verb = "manquent" if lacking > 1 else "manque"
            return f"{formats.plural(lacking, 'information utile', 'informations utiles')} sur {total} {verb} {where}"
    return f"Les {total} informations utiles sont toujours là"
