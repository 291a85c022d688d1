"""« Qualité »: what was received, what was counted, what is missing, per source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pipelines.publish import formats, quality
from pipelines.publish.directory import addresses
from pipelines.publish.layout import KeyFigure, Link, Section, figures_of
from pipelines.publish.lists import PER_PAGE, page_path, pager
from pipelines.publish.reports import Output, Report
from pipelines.publish.tables import SUPPRESSED, Column, Table, records
from schemas.codelist import labels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.publish.context import Context

STATUSES = {"accepted": "accepté", "held": "en attente de confirmation", "refused": "refusé"}
REASONS = {
    "counted": "compté",
    "replaced": "remplacé par un fichier plus récent",
    "restated": "corrigé par un autre fichier",
    "withdrawn": "retiré par le déposant",
    "held": "en attente de confirmation",
}
DECIDED = {"rule": "règle commune", "funder_file": "choix du financeur"}
EVERY_FIELD = Link("Champ par champ : la table", "dictionnaire/data_quality_by_field.html")
COUNTS = ["rows_read", "rows_accepted", "rows_rejected", "rows_ignored"]


def build(context: Context) -> Iterator[Output]:
    """The summary, then one page a depositor."""
    deposits = context.database.table("data_quality_by_deposit")
    deposits = deposits.sort_values(["depositor", "received_at", "file_name", "deposit_id"], ignore_index=True)
    names = sorted({str(name) for name in deposits["depositor"]}, key=lambda name: (formats.slug(name), name))
    pages = addresses([{"depositor": name, "name": name} for name in names], "depositor")
    groups = {str(name): part for name, part in deposits.groupby("depositor", sort=False)}
    yield from _summary(context, deposits, names, pages, groups)
    for name in names:
        yield from _source(context, name, pages[name], groups[name])


def _summary(
    context: Context, deposits: pd.DataFrame, names: list[str], pages: dict[str, str], groups: dict[str, pd.DataFrame]
) -> Iterator[Output]:
    read, accepted, rejected, _ = _totals(deposits)
    rows = [
        {
            "depositor": name,
            "href": f"qualite/{pages[name]}.html",
            "n_deposits": len(groups[name]),
            **{column: groups[name][column].sum(skipna=False) for column in COUNTS},
            "updated": _latest(groups[name]),
        }
        for name in names
    ]
    personal = context.database.table("awards_not_nominative")
    hidden = int(personal["n_awards"].fillna(0).sum())
    parts = [rows[start : start + PER_PAGE] for start in range(0, len(rows), PER_PAGE)] or [[]]
    for number, part in enumerate(parts, start=1):
        table = Table(
            "sources-table",
            f"{formats.plural(len(rows), 'source')}, par ordre alphabétique",
            pd.DataFrame(part, columns=["depositor", "href", "n_deposits", *COUNTS, "updated"]),
            (
                Column("depositor", "Source", "name", href=lambda row: str(row["href"]), header=True),
                Column("n_deposits", "Fichiers", "count"),
                *_count_columns(),
                Column("updated", "Mise à jour", "date", absent="non renseignée"),
            ),
            sortable=True,
            search="Filtrer les sources",
        )
        sections = [
            Section(
                "sources",
                "Par source",
                (
                    (
                        "Chaque ligne lue est acceptée, écartée avec son motif, ou ignorée avec son motif "
                        "(ligne vide, total, titre)."
                    ),
                ),
                tables=(table,),
                links=pager("qualite", number, len(parts)),
            )
        ]
        if number == 1:
            sections += [
                *_rhythms(context.database.table("data_quality_rhythms")),
                Section(
                    "causes",
                    "Problèmes rencontrés",
                    figures=quality.issues(
                        context.database.table("data_quality_issues"), place="toutes sources", source=context.source
                    ),
                ),
                Section(
                    "champs",
                    "Ce que les fichiers ne disent pas",
                    figures=quality.fields(
                        context.database.table("data_quality_by_field"), place="toutes sources", source=context.source
                    ),
                    links=(EVERY_FIELD,),
                ),
                Section(
                    "personnes",
                    "Personnes physiques",
                    (
                        _persons(hidden),
                        *_withheld(int(personal["n_withheld"].fillna(0).sum())),
                        *_masked(context.database.table("masked_titles")),
                    ),
                    links=(Link("La règle", "methode.html#seuils"),),
                ),
            ]
        yield from context.page(
            page_path("qualite", number),
            "sections.html.j2",
            report=REPORT,
            title="Qualité des sources" if number == 1 else f"Qualité des sources, page {number}",
            description=REPORT.description,
            figures=figures_of(sections),
            kicker="Ce que valent les données",
            lead=_balance(deposits),
            key_figures=[
                KeyFigure("Fichiers reçus", formats.count(len(deposits)), formats.plural(len(names), "source")),
                KeyFigure(
                    "Lignes acceptées", formats.percent(accepted / read) if read else "–", formats.count(accepted)
                ),
                KeyFigure(
                    "Lignes écartées", formats.percent(rejected / read) if read else "–", formats.count(rejected)
                ),
                KeyFigure(
                    "Attributions non nominatives",
                    formats.count(hidden),
                    "personnes physiques ou nature inconnue",
                    "qualite.html#personnes",
                ),
            ],
            sections=sections,
        )


def _rhythms(rhythms: pd.DataFrame) -> tuple[Section, ...]:
    """When each public funder usually brings a year, and which ones are late; no section when none is followed."""
    if rhythms.empty:
        return ()
    made = rhythms.assign(late_words=["en retard" if late else "à jour" for late in rhythms["is_late"]])
    late = int(rhythms["is_late"].sum())
    table = Table(
        "rythmes-table",
        f"{formats.plural(len(made), 'financeur public', 'financeurs publics')}, dont {formats.count(late)} en retard",
        made,
        (
            Column("depositor", "Source", "name", header=True),
            Column("last_year", "Dernier exercice", "year"),
            Column("last_delivered_date", "Apporté le", "date"),
            Column("next_year", "Exercice attendu", "year"),
            Column("expected_date", "D'habitude vers le", "date", absent="habitude non dite"),
            Column("n_observations", "Exercices observés", "count"),
            Column("due_date", "En retard après le", "date"),
            Column("late_words", "État"),
        ),
        sortable=True,
    )
    rule = (
        "L'habitude est le délai médian entre la fin d'un exercice et le jour où un fichier l'apporte. Elle n'est dite "
        "qu'à partir de deux exercices observés ; sans elle, un exercice est en retard après le 31 mars qui suit, les "
        "subventions devant être publiées trois mois après leur signature (décret 2017-779)."
    )
    return (Section("rythme", "Qui publie quand", (rule,), tables=(table,)),)


def _totals(deposits: pd.DataFrame) -> tuple[int, int, int, int]:
    """Lines read, accepted, rejected and ignored of the deposits whose numbers may be shown."""
    read, accepted, rejected, ignored = (int(deposits[column].fillna(0).sum()) for column in COUNTS)
    return read, accepted, rejected, ignored


def _balance(deposits: pd.DataFrame) -> str:
    """The account of lines, in words: read = accepted + rejected + ignored."""
    read, accepted, rejected, ignored = _totals(deposits)
    hidden = int(deposits["rows_read"].isna().sum())
    text = (
        f"{formats.plural(read, 'ligne lue', 'lignes lues')} = {formats.count(accepted)} acceptées + "
        f"{formats.count(rejected)} écartées + {formats.count(ignored)} ignorées."
    )
    if hidden == len(deposits):
        text = "Les nombres de lignes ne sont pas diffusables."
    if hidden:
        text += (
            f" Sans {formats.plural(hidden, 'fichier')} dont les nombres de lignes ne sont pas diffusables : "
            "ils laisseraient deviner un petit nombre de refus."
        )
    return text


def _persons(hidden: int) -> str:
    verb = "figure" if hidden < 2 else "figurent"
    return (
        f"{formats.plural(hidden, 'attribution')} à des personnes physiques ou à des demandeurs de nature inconnue "
        f"{verb} dans les totaux et dans aucune liste nominative."
    )


def _withheld(lines: int) -> tuple[str, ...]:
    words = (
        f"Le montant de {formats.plural(lines, 'ligne')} d'entre elles n'entre dans aucun total : trop peu de "
        "personnes y seraient réunies. D'autres n'entrent pas dans les tableaux plus fins ; la colonne « Montants "
        "non diffusables » des fichiers les compte."
    )
    return (words,) if lines else ()


def _masked(marks: pd.DataFrame) -> tuple[str, ...]:
    """What was taken out of titles, in one sentence; nothing when nothing was."""
    told = formats.joined([f"« {row['mask']} » ({formats.count(row['n_awards'])})" for row in records(marks)])
    words = (
        f"Intitulés d'attributions dont un passage a été remplacé avant publication : {told}. Un nom que rien "
        "n'annonce n'est pas reconnu : signalez-le à l'adresse de correction."
    )
    return () if marks.empty else (words,)


def _count_columns() -> tuple[Column, ...]:
    words = ("Lignes lues", "Acceptées", "Écartées", "Ignorées")
    return tuple(Column(name, title, "count", absent=SUPPRESSED) for name, title in zip(COUNTS, words, strict=True))


def _latest(deposits: pd.DataFrame) -> object:
    dates = deposits["source_updated_at"].dropna()
    return dates.max() if len(dates) else None


def _source(context: Context, name: str, page: str, deposits: pd.DataFrame) -> Iterator[Output]:
    database = context.database
    identifiers = set(deposits["deposit_id"])

    def mine(table: str) -> pd.DataFrame:
        return database.among(table, "deposit_id", identifiers)

    made = deposits.assign(
        status_words=[STATUSES.get(str(value), str(value)) for value in deposits["status"]],
        read_words=[labels("recognised_by").get(str(value), "non reconnu") for value in deposits["recognised_by"]],
    )
    table = Table(
        "fichiers-table",
        f"{formats.plural(len(made), 'fichier')} de la source {name}",
        made,
        (
            Column("file_name", "Fichier", "name", header=True),
            Column("status_words", "État"),
            Column("read_words", "Lu par"),
            *_count_columns(),
            Column("n_awards_elsewhere", "Accordées comptées ailleurs", "count"),
            Column("source_updated_at", "Mise à jour", "date", absent="non renseignée"),
        ),
    )
    elsewhere = int(made["n_awards_elsewhere"].fillna(0).sum())
    sections = [
        Section(
            "fichiers",
            "Fichiers",
            (_elsewhere(elsewhere),) if elsewhere else (),
            tables=(table,),
            links=(Link("La règle", "methode.html#deux-sources"),) if elsewhere else (),
        ),
        Section(
            "causes",
            "Problèmes rencontrés",
            figures=quality.issues(mine("data_quality_issues"), place=name, source=context.source),
        ),
        Section(
            "champs",
            "Ce que les fichiers ne disent pas",
            figures=quality.fields(mine("data_quality_by_field"), place=name, source=context.source),
            links=(EVERY_FIELD,),
        ),
        _versions(mine("data_quality_versions")),
    ]
    yield from context.page(
        f"qualite/{page}.html",
        "sections.html.j2",
        report=REPORT,
        title=f"Qualité : {name}",
        description=f"Ce que valent les fichiers de la source {name}.",
        trail=[("Qualité", REPORT.page)],
        is_demonstration=bool(deposits["is_demonstration"].fillna(False).any()),
        figures=figures_of(sections),
        kicker="Source",
        lead=_balance(deposits),
        key_figures=[],
        sections=sections,
    )


def _elsewhere(awards: int) -> str:
    """What becomes of the awards that another source reports too."""
    return (
        f"{formats.plural(awards, 'ligne accordée figure', 'lignes accordées figurent')} aussi dans les fichiers d'une "
        "autre source, où l'aide est comptée : elle ne l'est pas deux fois."
    )


def _versions(frame: pd.DataFrame) -> Section:
    intro = (
        "Quand deux fichiers d'une même source parlent d'une même année, un seul est compté. Voici lequel, et "
        "combien de lignes ils ont en commun."
    )
    if frame.empty:
        return Section("versions", "Versions", (intro, "Aucune version n'est enregistrée."))
    made = frame.sort_values(
        ["fiscal_year", "is_counted", "deposit_id"], ascending=[False, False, True], ignore_index=True
    )
    rows = records(made)
    made = made.assign(
        reason_words=[REASONS.get(str(row["reason"]), str(row["reason"])) for row in rows],
        decided=[DECIDED.get(str(row["decided_by"]), "–") for row in rows],
    )
    table = Table(
        "versions-table",
        f"{formats.plural(len(made), 'couple')} fichier et exercice",
        made,
        (
            Column("fiscal_year", "Exercice", "year"),
            Column("file_name", "Fichier", "name", header=True),
            Column("reason_words", "Sort"),
            Column("lines", "Lignes", "count", absent=SUPPRESSED),
            Column("other_file_name", "Autre fichier", "name"),
            Column("lines_matched", "Lignes communes", "count"),
            Column("shared", "Part commune", "share"),
            Column("decided", "Décidé par"),
        ),
    )
    return Section(
        "versions",
        "Quel fichier est compté",
        (intro,),
        tables=(table,),
        links=(Link("La règle", "methode.html#versions"),),
    )


REPORT = Report(
    name="qualite",
    title="Qualité des sources",
    description=(
        "Par source : fichiers reçus, lignes lues, acceptées, écartées et ignorées, informations absentes, versions."
    ),
    page="qualite.html",
    tables=(
        "awards_not_nominative",
        "data_quality_by_deposit",
        "data_quality_by_field",
        "data_quality_issues",
        "data_quality_rhythms",
        "data_quality_versions",
        "funders",
        "masked_titles",
    ),
    build=build,
    order=60,
    menu="Qualité",
)
