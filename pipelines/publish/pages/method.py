"""« Méthode »: definitions, formulas, thresholds and glossary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import changelog, formats
from pipelines.publish.reports import Output, Report
from pipelines.publish.tables import records
from schemas.codelist import labels, rows
from schemas.themes import themes

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from pipelines.publish.context import Context
    from pipelines.publish.database import PublicDatabase
    from schemas.themes import Programme

THEME_KEYS = {
    "words": "Dans tous les textes",
    "names": "Dans le nom du demandeur",
    "schemes": "Dans le dispositif et l'objet",
    "hints": "Indices",
    "name_hints": "Indices dans le nom du demandeur",
    "services": "Noms courts de services (indices)",
    "unless": "Sauf si le même texte contient",
}
"""Keys of the rule of a theme → what the page calls them."""
TABLES_OF = {
    "montants": ("funding_", "awards", "beneficiaries", "territor", "theme_"),
    "continuite": ("continuity_",),
    "cofinancements": ("cofund",),
    "refus": ("refusal_", "stated_"),
    "annuaire": ("service", "who_does_what"),
    "appels": ("call",),
    "seuils": ("masked_titles",),
    "qualite": ("data_quality_",),
}
"""Part of the page → how the names of the tables that it explains begin."""
GLOSSARY = (
    ("Attribution", "Une demande qui a reçu une subvention, en tout ou partie."),
    ("Bénéficiaire", "L'organisme ou la personne qui reçoit. Avant la décision, on dit demandeur."),
    ("CCAS, CIAS", "Centre communal, ou intercommunal, d'action sociale."),
    ("CAF", "Caisse d'allocations familiales."),
    (
        "Convention pluriannuelle",
        (
            "Un engagement écrit sur plusieurs années, souvent sous réserve du vote du budget. Une aide "
            "annuelle répétée n'en est pas une."
        ),
    ),
    ("Dispositif", "Le programme dans lequel une aide est donnée."),
    ("EPCI", "Intercommunalité : métropole ou communauté de communes."),
    ("Exercice", "L'année budgétaire dans laquelle la décision est comptée."),
    ("Financeur", "Celui qui décide et paie."),
    ("Irrecevable", "Demande écartée sans examen au fond : dossier incomplet, hors délai ou hors critères."),
    ("MSA", "Mutualité sociale agricole."),
    ("Refus", "Demande examinée, puis non retenue."),
    ("RNA", "Répertoire national des associations."),
    ("Sans suite", "Dossier fermé sans attribution ni refus."),
    ("Service", "Celui qui examine la demande au sein du financeur."),
    ("SIREN, SIRET", "Numéros d'un organisme (9 chiffres) et de l'un de ses établissements (14 chiffres)."),
)


def build(context: Context) -> Iterator[Output]:
    """The page."""
    described = [(name, context.database.comment(name) or "") for name in context.database.tables()]
    yield from context.page(
        REPORT.page,
        "method.html.j2",
        report=REPORT,
        title="Méthode",
        description=REPORT.description,
        kicker="Comment c'est fait",
        lead="Les définitions, les calculs, les seuils, et ce que les pages ne montrent pas.",
        glossary=GLOSSARY,
        statuses=rows("decision_status"),
        theme_bases=[row for row in rows("theme_basis") if row["code"] not in ("stated", "none")],
        theme_rules=list(_theme_rules()),
        described={
            section: [(name, words) for name, words in described if name.startswith(starts)]
            for section, starts in TABLES_OF.items()
        },
        licences=_licences(context.database.table("funders")),
        changes=_changes(context.database),
    )


def _changes(database: PublicDatabase) -> str:
    """What the last publication that changed something changed, in one sentence."""
    numbers = changelog.numbers(database)
    if not numbers:
        return "Rien : aucune publication précédente n'est connue, ou elle disait la même chose."
    tables = changelog.of(database, changelog.BY_TABLE, numbers[0])
    first = records(tables)[0]
    lines = [
        formats.plural(int(tables[name].fillna(0).sum()), one, many)
        for name, one, many in (
            ("n_added", "ligne ajoutée", "lignes ajoutées"),
            ("n_changed", "modifiée", "modifiées"),
            ("n_removed", "retirée", "retirées"),
        )
    ]
    since, until = formats.date(first["former_as_of"]), formats.date(first["as_of"])
    return f"Le {until}, par rapport à la publication du {since}, toutes tables comprises : {formats.joined(lines)}."


def _licences(funders: pd.DataFrame) -> list[dict[str, object]]:
    """Every licence, how many funders' sources are under it, and the latest date that they state."""
    named = funders.assign(licence=funders["licence"].fillna("licence non renseignée"))
    return [
        {"licence": licence, "n": len(part), "updated": max(part["source_updated_at"].dropna(), default=None)}
        for licence, part in named.groupby("licence", sort=True)
    ]


def _theme_rules() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The rule of every theme in words, each winning over the next: its label, then (what, expressions)."""
    for theme, rule in themes().themes.items():
        told = [
            (words, formats.joined([f"« {expression} »" for expression in getattr(rule, key)]))
            for key, words in THEME_KEYS.items()
            if getattr(rule, key)
        ]
        programmes = [
            (words, formats.joined([_programme(one) for one in listed]))
            for words, listed in (
                ("Programmes budgétaires", rule.programmes),
                ("Programmes budgétaires, après le nom du demandeur", rule.broad_programmes),
            )
            if listed
        ]
        yield labels("theme")[theme], told + programmes


def _programme(programme: Programme) -> str:
    match programme.first_year, programme.last_year:
        case None, None:
            return programme.code
        case first, None:
            return f"{programme.code} (à partir de {first})"
        case None, last:
            return f"{programme.code} (jusqu'à {last})"
        case first, last:
            return f"{programme.code} ({first} à {last})"


REPORT = Report(
    name="methode",
    title="Méthode",
    description="Définitions, calculs, seuils de publication et glossaire.",
    page="methode.html",
    tables=("changes_by_table", "funders", "publication"),
    build=build,
    order=70,
    menu="Méthode",
)
