"""Figures of funded amounts: by year, by any category, by level and year. Currencies and stages are never added up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.publish import formats, headlines
from pipelines.publish.charts import MAX_SERIES, Bars, Stacks
from pipelines.publish.directory import amounts_word
from pipelines.publish.figure import Figure
from pipelines.publish.tables import Column, records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pipelines.publish.tables import Row

ADDITIVE = ["n_awards", "n_lines", "amount", "n_without_amount", "n_loans_excluded"]
"""Measures that may be added across rows; a number of beneficiaries may not."""

_COUNTS = (
    Column("n_awards", "Attributions", "count"),
    Column("amount", "Montant", "money"),
    Column("n_without_amount", "Sans montant", "count"),
)


@dataclass(frozen=True)
class Scope:
    """What a figure speaks of: the place in words, the source line, the first year not complete yet, a warning."""

    place: str
    source: str
    before: int
    note: str = ""


SEVERAL_FUNDERS = (
    "Le total d'une année dépend des financeurs dont les données existent cette année-là : "
    "d'une année à l'autre, il ne dit pas une évolution."
)
"""The warning of figures by year that bring several funders together."""


def splits(frame: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """The rows of each (currency, stage), the pair with most awards first."""
    if frame.empty:
        return
    keyed = frame.assign(currency=frame["currency"].fillna("EUR"), stage=frame["stage"].fillna("unknown"))
    pairs = set(zip(keyed["currency"].tolist(), keyed["stage"].tolist(), strict=True))
    if len(pairs) == 1:
        [(currency, stage)] = pairs
        yield str(currency), str(stage), keyed
        return
    groups = [(currency, stage, part) for (currency, stage), part in keyed.groupby(["currency", "stage"], sort=True)]
    for currency, stage, part in sorted(groups, key=lambda item: (-item[2]["n_awards"].sum(), item[0], item[1])):
        yield str(currency), str(stage), part


def parts(rows: Iterable[Row]) -> list[tuple[str, str, list[Row]]]:
    """The rows of each (currency, stage) as `splits` has them: pages have thousands of frames of a few rows."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        currency, stage = (
            default if formats.is_missing(row[name]) else str(row[name])
            for name, default in (("currency", "EUR"), ("stage", "unknown"))
        )
        found.setdefault((currency, stage), []).append(row)
    ordered = sorted(found, key=lambda pair: (-sum(row["n_awards"] for row in found[pair]), pair))
    return [(*pair, found[pair]) for pair in ordered]


def added(values: Iterable[Any]) -> float:
    """The sum of the known `values`, NaN when there is none; exact, then rounded once: cents stay cents."""
    known = [value for value in values if not formats.is_missing(value)]
    if not known:
        return float("nan")
    if all(isinstance(value, int) for value in known):
        count: int = sum(known)
        return count
    return math.fsum(known)


def coverage(rows: Sequence[Row]) -> str:
    """On how many awards and lines a figure rests, and how many lack the amount."""
    awards, lines, missing, loans = (
        _number(rows, name) for name in ("n_awards", "n_lines", "n_without_amount", "n_loans_excluded")
    )
    text = f"Sur {formats.plural(awards, 'attribution')} ({formats.plural(lines, 'ligne')}), "
    text += f"{formats.count(missing)} sans montant" if missing else "toutes avec un montant"
    withheld = _number(rows, "n_withheld") if rows and "n_withheld" in rows[0] else 0
    if withheld:
        text += f" ; {formats.plural(withheld, 'montant non diffusable', 'montants non diffusables')} hors du total"
    if loans:
        text += f" ; {formats.plural(loans, 'prêt ou garantie', 'prêts ou garanties')} hors du total"
    return text


def _number(rows: Iterable[Row], name: str) -> int:
    """A count, added over `rows`; an absence is none."""
    return int(sum(row[name] for row in rows if not formats.is_missing(row[name])))


def _suffix(index: int) -> str:
    return "" if index == 0 else f"-{index + 1}"


def _amount(value: float, currency: str) -> str:
    return formats.money_compact(value, currency=currency)


def _grouped(rows: Iterable[Row], key: str, *, missing: Any = None) -> dict[Any, list[Row]]:
    """The rows of each value of `key`, in the order of values."""
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(missing if formats.is_missing(row[key]) else row[key], []).append(row)
    return {value: found[value] for value in sorted(found)}


def by_year(frame: pd.DataFrame, scope: Scope, *, id: str, interactive: bool = False) -> list[Figure]:
    """One figure per currency and stage: amounts by fiscal year, with the years that have no data."""
    figures = []
    for index, (currency, stage, rows) in enumerate(parts(records(frame))):
        found = _grouped(rows, "fiscal_year")
        first, last = int(min(found)), int(max(found))
        every = range(first, last + 1)
        measures = {name: [added(row[name] for row in found.get(year, ())) for year in every] for name in ADDITIVE}
        columns: tuple[Column, ...] = (Column("fiscal_year", "Exercice", "year", header=True), *_COUNTS)
        if len(found) == len(rows):
            measures["n_beneficiaries"] = [added(row["n_beneficiaries"] for row in found.get(y, ())) for y in every]
            columns = (*columns, Column("n_beneficiaries", "Bénéficiaires", "count"))
        tidy = pd.DataFrame({"fiscal_year": every, **measures, "currency": currency, "stage": stage})
        word = amounts_word(stage)
        amounts = {year: float(a) for year, a in zip(every, measures["amount"], strict=True) if a == a}
        figures.append(
            Figure(
                id=f"{id}{_suffix(index)}",
                headline=headlines.trend(amounts, what=word, before=scope.before, sources=_funders_by_year(found)),
                subtitle=f"{formats.sentence(word)} par exercice, {scope.place}, {formats.years(first, last)}",
                summary=_year_summary(measures["n_awards"], every, amounts, currency, scope.before),
                frame=tidy,
                columns=columns,
                chart=Bars("fiscal_year", "amount", top=40),
                coverage=coverage(rows),
                source=scope.source,
                method="montants",
                interactive=interactive and index == 0,
                note=scope.note,
            )
        )
    return figures


def _funders_by_year(rows: Mapping[int, list[Row]]) -> dict[int, frozenset[str]]:
    return {int(year): frozenset(str(row["funder_id"]) for row in of_year) for year, of_year in rows.items()}


def _year_summary(
    n_awards: Sequence[float], every: Sequence[int], amounts: dict[int, float], currency: str, before: int
) -> str:
    awards = formats.plural(int(sum(n for n in n_awards if n == n)), "attribution")
    text = f"{awards} pour {_amount(sum(amounts.values()), currency)} au total."
    if len(amounts) > 1:
        best = max(amounts, key=lambda year: (amounts[year], year))
        text += f" L'exercice le plus élevé est {best} : {_amount(amounts[best], currency)}."
    gaps = [str(year) for year, n in zip(every, n_awards, strict=True) if n != n]
    if gaps:
        text += f" Aucune donnée pour {formats.joined(gaps)} : ce n'est pas un zéro."
    if amounts and max(amounts) >= before:
        text += f" L'exercice {max(amounts)} est en cours : il est incomplet."
    return text


def by_category(
    frame: pd.DataFrame,
    scope: Scope,
    *,
    id: str,
    key: str,
    title: str,
    by: str,
    name: Callable[[Any], str],
    href: Callable[[Row], str | None] | None = None,
    unknown: str = "unknown",
    interactive: bool = False,
    method: str = "montants",
) -> list[Figure]:
    """One figure per currency and stage: amounts by `key` over all years, largest first, the unknown last.

    `title` heads the column, `by` ends « montants accordés par … », `name` gives a code's words.
    """
    figures = []
    for index, (currency, stage, rows) in enumerate(parts(records(frame))):
        found = _grouped(rows, key, missing=unknown)
        ranked = _ranked(
            [
                {key: code, **{name: added(row[name] for row in of_code) for name in ADDITIVE}, "label": name(code)}
                for code, of_code in found.items()
            ],
            is_last=lambda row: row[key] == unknown,
        )
        total = _total(ranked)
        for row in ranked:
            row["share"] = row["amount"] / total if total > 0 else float("nan")
        tidy = pd.DataFrame(ranked).assign(currency=currency, stage=stage)
        word = amounts_word(stage)
        listed = [(str(row["label"]), float(row["amount"])) for row in ranked if row["amount"] == row["amount"]]
        first, last = (int(edge(row["fiscal_year"] for row in rows)) for edge in (min, max))
        figures.append(
            Figure(
                id=f"{id}{_suffix(index)}",
                headline=headlines.leader(listed, neutral=f"{formats.sentence(word)} par {by}", unknown=name(unknown)),
                subtitle=f"{formats.sentence(word)} par {by}, {scope.place}, {formats.years(first, last)}",
                summary=_category_summary(listed, total, currency),
                frame=tidy,
                columns=(
                    Column("label", title, "name", href=href, header=True),
                    *_COUNTS,
                    Column("share", "Part", "share"),
                ),
                chart=Bars("label", "amount"),
                coverage=coverage(rows) + _unknown_part(found.get(unknown, [])),
                source=scope.source,
                method=method,
                interactive=interactive and index == 0,
                note="Le graphique montre les 15 premières lignes, le tableau les a toutes." if len(tidy) > 15 else "",
            )
        )
    return figures


def _ranked(rows: list[Row], *, is_last: Callable[[Row], bool]) -> list[Row]:
    """The largest amounts first, those not known after them, equal ones by label."""

    def order(row: Row) -> tuple[bool, bool, float, str]:
        is_known = row["amount"] == row["amount"]
        return is_last(row), not is_known, -row["amount"] if is_known else 0.0, row["label"]

    return sorted(rows, key=order)


def _total(rows: Iterable[Row]) -> float:
    return math.fsum(row["amount"] for row in rows if not formats.is_missing(row["amount"]))


def _unknown_part(rows: Sequence[Row]) -> str:
    missing = _number(rows, "n_awards")
    return f" ; {formats.count(missing)} sans cette information" if missing else " ; toutes avec cette information"


def _category_summary(listed: list[tuple[str, float]], total: float, currency: str) -> str:
    if total <= 0:
        return "Aucun montant n'est renseigné."
    said = len(listed) if len(listed) <= 4 else 3
    words = [
        f"{name}, {_amount(amount, currency)} ({formats.percent(amount / total)})" for name, amount in listed[:said]
    ]
    text = f"{formats.sentence(' ; '.join(words))}."
    if len(listed) > said:
        others = sum(amount for _, amount in listed[said:])
        text += f" Les {formats.count(len(listed) - said)} autres : {_amount(others, currency)}."
    return text


def by_year_and(
    frame: pd.DataFrame,
    scope: Scope,
    *,
    id: str,
    key: str,
    by: str,
    others: str,
    name: Callable[[Any], str],
    interactive: bool = False,
) -> list[Figure]:
    """One figure per currency and stage: years in rows, the four largest values of `key` and the others in columns."""
    figures = []
    for index, (currency, stage, part) in enumerate(splits(frame)):
        keyed = part.assign(**{key: part[key].fillna("unknown")})
        rows = records(keyed)
        totals = keyed.groupby(key)["amount"].sum()
        ranked = [
            str(code) for code in sorted(totals.index, key=lambda code: (code == "unknown", -totals[code], str(code)))
        ]
        kept = ranked if len(ranked) <= MAX_SERIES else ranked[:MAX_SERIES]
        pivot = keyed.pivot_table(index="fiscal_year", columns=key, values="amount", aggfunc="sum", fill_value=0.0)
        tidy = pd.DataFrame({code: pivot.get(code, 0.0) for code in kept}, index=pivot.index)
        parts = [(code, formats.sentence(name(code))) for code in kept]
        if len(ranked) > len(kept):
            tidy["others"] = pivot[[code for code in ranked[MAX_SERIES:] if code in pivot]].sum(axis=1)
            parts.append(("others", f"Autres {others}" + (" ou non précisé" if ranked[-1] == "unknown" else "")))
        tidy["total"] = tidy.sum(axis=1)
        tidy = tidy.reset_index()
        tidy["currency"], tidy["stage"] = currency, stage
        word = amounts_word(stage)
        listed = [(name(code), float(totals[code])) for code in ranked]
        first, last = int(tidy["fiscal_year"].min()), int(tidy["fiscal_year"].max())
        figures.append(
            Figure(
                id=f"{id}{_suffix(index)}",
                headline=headlines.leader(
                    listed, neutral=f"{formats.sentence(word)} par {by}", unknown=name("unknown")
                ),
                subtitle=f"{formats.sentence(word)} par exercice et {by}, {scope.place}, {formats.years(first, last)}",
                summary=_category_summary(listed, float(totals.sum()), currency),
                frame=tidy,
                columns=(
                    Column("fiscal_year", "Exercice", "year", header=True),
                    *(Column(code, title, "money") for code, title in parts),
                    Column("total", "Total", "money"),
                ),
                chart=Stacks("fiscal_year", tuple(parts)),
                coverage=coverage(rows) + _unknown_part([row for row in rows if row[key] == "unknown"]),
                source=scope.source,
                method="montants",
                interactive=interactive and index == 0,
                note=scope.note,
            )
        )
    return figures


def totals(rows: Iterable[Row]) -> list[tuple[str, str, float, int]]:
    """(currency, stage, amount, awards) of each pair, the one with most awards first."""
    return [(currency, stage, _total(part), _number(part, "n_awards")) for currency, stage, part in parts(rows)]


def total_words(frame: pd.DataFrame) -> str:
    """Every total in one line: `281,9 M€ accordés ; 12 M€ versés`."""
    every = totals(records(frame))
    found = [f"{_amount(amount, c)} {amounts_word(s).removeprefix('montants ')}" for c, s, amount, _ in every]
    return " ; ".join(found) or "aucun montant"


def latest(frame: pd.DataFrame, year: int) -> list[Row]:
    """The rows of `year`."""
    return records(frame[frame["fiscal_year"] == year])
