"""« Bénéficiaires »: complete lists by letter and by département, and a page for each of the largest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pipelines.publish import awards, continuity, formats, funding
from pipelines.publish.beneficiary_shards import TABLES
from pipelines.publish.directory import LARGEST, TOP_BENEFICIARIES, UNKNOWN_TERRITORY, amounts_word
from pipelines.publish.layout import KeyFigure, Link, Section, figures_of
from pipelines.publish.lists import PER_PAGE, beneficiary_table, page_path, pager
from pipelines.publish.reports import File, Output, Report
from pipelines.publish.tables import records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.publish.context import Context
    from pipelines.publish.figure import Figure
    from pipelines.publish.tables import Row

SEVERAL_NAMES = (
    "Un même organisme peut apparaître sous plusieurs noms ou sans SIREN selon les fichiers : "
    "les rapprochements ne sont faits que sur un identifiant ou un nom identique."
)
TOP_SHOWN = 50
_OF_THEM = f"WHERE organisation_id IN (SELECT organisation_id FROM ({LARGEST})) ORDER BY ALL"
YEARS = f"SELECT * FROM funding_by_beneficiary_year {_OF_THEM}"
PAIRS = f"SELECT * FROM continuity_by_beneficiary_funder {_OF_THEM}"


def build(context: Context) -> Iterator[File]:
    """The lists, then the pages."""
    yield from context.part(_lists)
    for identifier in context.directory.beneficiaries:
        yield from context.part(_page, identifier)


def _lists(context: Context) -> Iterator[Output]:
    everyone = context.database.query("SELECT * FROM beneficiaries ORDER BY name, organisation_id, currency")
    everyone["_order"] = [formats.slug(str(name)) for name in everyone["name"]]
    everyone["_letter"] = [order[0] if order[:1].isalpha() else "0" for order in everyone["_order"]]
    everyone = everyone.sort_values(["_order", "organisation_id", "currency"], ignore_index=True)
    letters = {str(letter): part for letter, part in everyone.groupby("_letter", sort=True)}
    seats = everyone.assign(departement_code=everyone["departement_code"].fillna(UNKNOWN_TERRITORY))
    places = {str(code): part for code, part in seats.groupby("departement_code", sort=True)}
    yield from _index(context, everyone, letters, places)
    for letter, part in letters.items():
        name = "chiffres et autres signes" if letter == "0" else f"lettre {letter.upper()}"
        yield from _list(context, f"beneficiaires/noms/{letter}", part, name=name)
    for code, part in places.items():
        by_commune = part.assign(
            _commune=[formats.slug("" if formats.is_missing(c) else str(c)) for c in part["commune_name"]]
        )
        by_commune = by_commune.sort_values(["_commune", "_order", "organisation_id"], ignore_index=True)
        yield from _list(
            context, _place_stem(code), by_commune, name=f"{context.directory.territory_name(code)}, par commune"
        )


def _place_stem(code: str) -> str:
    return f"beneficiaires/departements/{formats.slug(code) or 'non-precise'}"


def _index(
    context: Context, everyone: pd.DataFrame, letters: dict[str, pd.DataFrame], places: dict[str, pd.DataFrame]
) -> Iterator[Output]:
    held = context.directory.beneficiaries
    top = everyone[everyone["organisation_id"].isin(list(held)[:TOP_SHOWN])]
    top = top.sort_values(["amount_total", "organisation_id"], ascending=[False, True]).head(TOP_SHOWN)
    caption = f"Les {formats.plural(len(top), 'bénéficiaire')} aux montants les plus élevés"
    sections = [
        Section("recherche", "Par mots", links=(Link("Chercher un bénéficiaire", "recherche.html"),)),
        Section(
            "lettres",
            "Par nom",
            (SEVERAL_NAMES,),
            links=tuple(
                Link(
                    f"{'0–9 et autres' if x == '0' else x.upper()} ({formats.count(len(part))})",
                    f"beneficiaires/noms/{x}.html",
                )
                for x, part in letters.items()
            ),
        ),
        Section(
            "communes",
            "Par département et commune du siège",
            links=tuple(
                Link(f"{context.directory.territory_name(x)} : {formats.count(len(part))}", f"{_place_stem(x)}.html")
                for x, part in places.items()
            ),
        ),
        Section(
            "premiers",
            "Montants les plus élevés",
            (
                (
                    "Ce n'est pas un classement de mérite : un montant élevé tient souvent à la taille ou à "
                    "la mission confiée."
                ),
            ),
            tables=(beneficiary_table(context, top, id="premiers-table", caption=caption),),
        ),
    ]
    yield from context.page(
        REPORT.page,
        "sections.html.j2",
        report=REPORT,
        title="Bénéficiaires",
        description=REPORT.description,
        kicker="Qui reçoit",
        lead=(
            f"{formats.plural(everyone['organisation_id'].nunique(), 'organisme')} ont reçu au moins une "
            "subvention. Les personnes physiques ne sont jamais nommées. "
            f"Les {formats.plural(min(TOP_BENEFICIARIES, len(held)), 'organisme')} aux montants les plus "
            "élevés ont une page entière ; les listes, les fichiers et la recherche les ont tous."
        ),
        key_figures=[],
        sections=sections,
    )


def _list(context: Context, stem: str, frame: pd.DataFrame, *, name: str) -> Iterator[Output]:
    last = -(-len(frame) // PER_PAGE)
    for number in range(1, last + 1):
        part = frame.iloc[(number - 1) * PER_PAGE : number * PER_PAGE]
        place = f", page {number} sur {last}" if last > 1 else ""
        caption = f"{formats.plural(len(frame), 'bénéficiaire')}, {name}{place}"
        yield from context.page(
            page_path(stem, number),
            "sections.html.j2",
            report=REPORT,
            title=f"Bénéficiaires, {name}{place}",
            description=f"Liste des bénéficiaires, {name}{place}.",
            trail=[("Bénéficiaires", REPORT.page)],
            kicker="Qui reçoit",
            lead=SEVERAL_NAMES,
            key_figures=[],
            sections=[
                Section(
                    "liste",
                    "Liste",
                    tables=(beneficiary_table(context, part, id="liste-table", caption=caption),),
                    links=pager(stem, number, last),
                )
            ],
        )


def _page(context: Context, identifier: str) -> Iterator[File]:
    database, beneficiary = context.database, context.directory.beneficiary(identifier)
    years = database.grouped(YEARS, "organisation_id", identifier)
    pairs = database.grouped(PAIRS, "organisation_id", identifier)
    agreements = database.where("continuity_agreements", "organisation_id", identifier)
    csv = f"data/beneficiaires/{beneficiary['page']}.csv"
    yield awards.file(context, "organisation_id", identifier, csv)
    sections = [
        Section("frise", "Année par année", figures=tuple(_timelines(context, beneficiary, years))),
        Section(
            "continuite",
            "Continuité",
            (_continuity_words(context, pairs), *_agreement_words(context, agreements)),
        ),
        awards.section(context, "organisation_id", identifier, csv=csv, hide=("beneficiary_name",)),
    ]
    yield from context.page(
        str(beneficiary["href"]),
        "sections.html.j2",
        report=REPORT,
        title=str(beneficiary["name"]),
        description=f"Qui finance {beneficiary['name']}, de quels montants et pendant combien d'années.",
        trail=[("Bénéficiaires", REPORT.page)],
        data_of={str(funder) for funder in years["funder_id"]},
        figures=figures_of(sections),
        kicker="Bénéficiaire",
        lead=_lead(context, beneficiary),
        key_figures=_key_figures(beneficiary, years),
        sections=sections,
    )


def _lead(context: Context, row: Row) -> str:
    words = [
        "" if formats.is_missing(row["commune_name"]) else f"Siège : {row['commune_name']}",
        ""
        if formats.is_missing(row["departement_code"])
        else context.directory.territory_name(row["departement_code"]),
        "" if formats.is_missing(row["siren"]) else f"SIREN {row['siren']}",
        "" if formats.is_missing(row["rna"]) else f"RNA {row['rna']}",
    ]
    return ", ".join(word for word in words if word) + ". " + SEVERAL_NAMES if any(words) else SEVERAL_NAMES


def _key_figures(row: Row, frame: pd.DataFrame) -> list[KeyFigure]:
    return [
        *(
            KeyFigure(
                formats.sentence(amounts_word(stage)),
                formats.money_compact(amount, currency=currency),
                formats.plural(number, "attribution"),
            )
            for currency, stage, amount, number in funding.totals(records(frame))[:2]
        ),
        KeyFigure("Financeurs", formats.count(row["n_funders"])),
        KeyFigure("Années financées", formats.count(row["years_funded"]), "", "methode.html#annees-financees"),
        KeyFigure(
            "Plus longue suite",
            formats.plural(row["run_max"], "année"),
            f"suite en cours : {formats.plural(row['run_current'], 'année')}",
            "methode.html#annees-financees",
        ),
    ]


def _timelines(context: Context, beneficiary: Row, frame: pd.DataFrame) -> Iterator[Figure]:
    if frame.empty:
        return
    keyed = frame.assign(currency=frame["currency"].fillna("EUR"), stage=frame["stage"].fillna("unknown"))
    for index, ((currency, stage), part) in enumerate(keyed.groupby(["currency", "stage"], sort=True)):
        first, last = int(part["fiscal_year"].min()), int(part["fiscal_year"].max())
        held = {(str(r["funder_id"]), int(r["fiscal_year"])): r for r in records(part)}
        rows = []
        for funder in sorted(
            {key[0] for key in held}, key=lambda funder: (context.directory.funder_name(funder), funder)
        ):
            observed = {*context.database.where("funding_by_funder_year", "funder_id", funder)["fiscal_year"]}
            for year in range(first, last + 1):
                found = held.get((funder, year))
                known = found is not None or year in observed
                rows.append(
                    {
                        "funder_id": funder,
                        "label": context.directory.funder_name(funder),
                        "fiscal_year": year,
                        "amount": float(found["amount"]) if found else 0.0 if known else float("nan"),
                        "n_awards": int(found["n_awards"]) if found else 0,
                        "status": "montant non renseigné" if found else "0" if known else "–",
                        "currency": currency,
                        "stage": stage,
                    }
                )
        yield continuity.timeline(
            pd.DataFrame(rows),
            id=f"frise-{index + 1}",
            what=amounts_word(stage),
            name=str(beneficiary["name"]),
            source=context.source,
        )


def _continuity_words(context: Context, pairs: pd.DataFrame) -> str:
    if pairs.empty:
        return "Aucune mesure de continuité n'est disponible."
    words = []
    for row in records(pairs):
        name = context.directory.funder_name(row["funder_id"])
        gaps = (
            ""
            if not row["gap_years"]
            else f", {formats.plural(row['gap_years'], 'année')} sans aide entre deux années financées"
        )
        words.append(
            f"{name} : {formats.plural(row['years_funded'], 'année financée', 'années financées')} sur "
            f"{formats.count(row['years_observed'])} observables, "
            f"plus longue suite {formats.plural(row['run_max'], 'année')}{gaps}"
        )
    return ". ".join(words) + "."


def _agreement_words(context: Context, agreements: pd.DataFrame) -> tuple[str, ...]:
    if agreements.empty:
        return ("Aucune convention pluriannuelle connue : les fichiers ne la disent pas toujours.",)
    return tuple(
        f"Convention de {context.directory.funder_name(row['funder_id'])}, "
        f"{formats.years(row['start_year'], row['end_year'])}"
        + ("" if formats.is_missing(row["amount"]) else f" : {formats.money(row['amount'])}")
        + (". Elle se termine à la fin de l'année prochaine ou avant." if row["ends_next_year"] else ".")
        for row in records(agreements)
    )


REPORT = Report(
    name="beneficiaires",
    title="Bénéficiaires",
    description=(
        "Qui reçoit des subventions, de qui, et pendant combien d'années : listes complètes par nom et par commune."
    ),
    page="beneficiaires/index.html",
    tables=TABLES,
    build=build,
    order=20,
    menu="Bénéficiaires",
    length=2,
)
