"""The home page: what it is, five numbers, what the data do not show, and the way to each question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import call_list, formats, funding, offers
from pipelines.publish.directory import UNKNOWN_TERRITORY, amounts_word, label
from pipelines.publish.funding import Scope
from pipelines.publish.layout import KeyFigure
from pipelines.publish.lists import funder_table
from pipelines.publish.reports import Output, Report
from pipelines.publish.tables import records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.publish.context import Context

MAX_FUNDERS = 60
MAX_CALLS = 5
QUESTIONS = (
    ("Qui finance, et combien ?", "Les financeurs, de l'Europe à la commune.", "financeurs/index.html"),
    ("À qui écrire ?", "Qui fait quoi, par territoire et par besoin.", "qui-fait-quoi/index.html"),
    ("Quels appels sont ouverts ?", "Critères, taux, contacts, et la dernière édition.", "appels/index.html"),
    ("Qui examine ma demande ?", "Les services de chaque financeur.", "services/index.html"),
    ("Qu'est-ce qui est refusé ?", "Les taux, les motifs, et qui ne publie pas.", "refus.html"),
    ("Pour combien de temps ?", "Le maintien d'une année sur l'autre, les conventions.", "continuite.html"),
    ("Fonctionnement ou projet ?", "La nature et le thème de ce qui est payé.", "themes.html"),
    ("Et dans mon département ?", "Les montants, les financeurs et les refus.", "territoires/index.html"),
    ("Qui reçoit ?", "Toutes les associations et structures aidées.", "beneficiaires/index.html"),
    ("Qu'est-ce qui a changé ?", "Un exercice après l'autre : entrées, retours, pertes.", "annees/index.html"),
    ("Peut-on s'y fier ?", "Ce qui est compté, ce qui manque, par source.", "qualite.html"),
)
"""What field actors ask, with the page that answers."""


def build(context: Context) -> Iterator[Output]:
    """The page."""
    directory = context.directory
    frame = context.database.table("funding_by_level_year")
    scope = Scope("tous financeurs", context.source, context.publication.as_of.year, funding.SEVERAL_FUNDERS)
    figures = funding.by_year_and(
        frame,
        scope,
        id="niveaux",
        key="funder_level",
        by="niveau de financeur",
        others="niveaux",
        name=lambda c: label("funder_level", c),
        interactive=True,
    )[:1]
    funders = list(directory.funders.values())
    shown = sorted(
        funders,
        key=lambda row: (
            -(row["amount_awarded"] if row["amount_awarded"] == row["amount_awarded"] else 0),
            row["funder_id"],
        ),
    )
    kept = {row["funder_id"] for row in shown[:MAX_FUNDERS]}
    calls = call_list.ordered(context)
    yield from context.page(
        REPORT.page,
        "home.html.j2",
        report=REPORT,
        title="Qui finance quoi",
        description=REPORT.description,
        figures=figures,
        kicker="Subventions publiques",
        lead=(
            "Ce que les financeurs publics accordent aux associations et aux structures locales, pendant "
            "combien d'années, et ce qu'ils refusent."
        ),
        questions=QUESTIONS,
        key_figures=_key_figures(context),
        is_demonstration=any(call["is_demonstration"] is True for call in calls),
        calls=call_list.next_table(context, calls, id="appels-table", most=MAX_CALLS),
        not_shown=_not_shown(context, has_calls=bool(calls)),
        funders=funder_table(context, [row for row in funders if row["funder_id"] in kept], id="financeurs-table"),
        n_funders=len(funders),
    )


def _key_figures(context: Context) -> list[KeyFigure]:
    frame = context.database.table("funding_by_funder_year")
    services = list(context.directory.services.values())
    published = sum(str(row["refusals_published"]) in {"yes", "partly"} for row in services)
    n_beneficiaries = int(
        context.database.query("SELECT count(DISTINCT organisation_id) AS n FROM beneficiaries")["n"].iloc[0]
    )
    places = sum(code != UNKNOWN_TERRITORY for code in context.directory.territories)
    totals = funding.totals(records(frame))
    first, last = (int(frame["fiscal_year"].min()), int(frame["fiscal_year"].max())) if len(frame) else (None, None)
    currency, stage, amount, awards = totals[0] if totals else ("EUR", "awarded", 0.0, 0)
    return [
        KeyFigure(
            formats.sentence(amounts_word(stage)),
            formats.money_compact(amount, currency=currency),
            f"{formats.plural(awards, 'attribution')}, {formats.years(first, last)}",
            "financeurs/index.html",
        ),
        KeyFigure("Financeurs", formats.count(len(context.directory.funders)), "", "financeurs/index.html"),
        KeyFigure(
            "Bénéficiaires nommés", formats.count(n_beneficiaries), "personnes morales", "beneficiaires/index.html"
        ),
        KeyFigure(
            "Départements",
            formats.count(places) if places else "–",
            "sièges des bénéficiaires" if places else "aucun fichier ne dit où sont les sièges",
            "territoires/index.html",
        ),
        KeyFigure(
            "Services qui publient leurs refus",
            f"{formats.count(published)} sur {formats.count(len(services))}",
            "",
            "refus.html",
        ),
    ]


def _not_shown(context: Context, *, has_calls: bool) -> list[str]:
    frame = context.database.table("funding_by_funder_year")
    funders = list(context.directory.funders.values())
    silent = sum(str(row["refusals_published"]) in {"no", "unknown"} for row in funders)
    without = int(frame["n_without_amount"].fillna(0).sum())
    loans = int(frame["n_loans_excluded"].fillna(0).sum())
    hidden = int(context.database.table("awards_not_nominative")["n_awards"].fillna(0).sum())
    others = funding.totals(records(frame))[1:]
    services = list(context.directory.services.values())
    mute = sum(offers.joined(row["contact_function"], row["contact_mailbox"]) is None for row in services)
    found = [
        "Les financeurs qui n'ont rien déposé ni publié : leur absence ici n'est pas une absence d'aide.",
        f"Les refus de {formats.plural(silent, 'financeur')} sur {formats.count(len(funders))}, qui ne les "
        f"{'publient' if silent > 1 else 'publie'} pas."
        if silent
        else "",
        (
            "Les aides plus petites que le seuil de publication de certains financeurs (souvent 23 000 €) : "
            "une aide qui passe sous ce seuil semble s'arrêter."
        ),
        f"Le nom des bénéficiaires de {formats.plural(hidden, 'attribution')} à des personnes physiques ou "
        "de nature inconnue : elles sont dans les totaux seulement, quand elles y sont assez nombreuses."
        if hidden
        else "",
        f"Le montant de {formats.plural(without, 'attribution')} : le fichier ne le dit pas." if without else "",
        f"{formats.plural(loans, 'prêt ou garantie', 'prêts ou garanties')}, comptés à part des subventions."
        if loans
        else "",
        *(
            f"Dans le total du haut de page : {formats.money_compact(amount, currency=currency)} de "
            f"{amounts_word(stage)}, donnés à part car d'une autre nature."
            for currency, stage, amount, _ in others
        ),
        "Les appels à projets : aucun financeur n'a déposé les siens."
        if not has_calls
        else "Les appels à projets des financeurs qui n'ont pas déposé leur liste.",
        f"À qui écrire pour {formats.plural(mute, 'service')} sur {formats.count(len(services))} : aucun annuaire "
        "déposé ne le dit."
        if mute
        else "",
    ]
    return [words for words in found if words]


REPORT = Report(
    name="accueil",
    title="Accueil",
    description=(
        "Qui finance quoi : les subventions publiques accordées et refusées, par financeur, service et territoire."
    ),
    page="index.html",
    tables=(
        "awards_not_nominative",
        "beneficiaries",
        "calls",
        "funders",
        "funding_by_funder_year",
        "funding_by_level_year",
        "funding_by_territory_year",
        "services",
        "territories",
    ),
    build=build,
    order=0,
    menu="Accueil",
)
