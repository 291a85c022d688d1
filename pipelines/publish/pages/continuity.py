"""« Continuité »: retention, years funded, multi-year money and agreements that end, across funders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import continuity, duration, formats
from pipelines.publish.layout import KeyFigure, Link, Section, figures_of
from pipelines.publish.reports import Output, Report
from pipelines.publish.tables import Column, Table, records

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from pipelines.publish.context import Context

TWO_TOTALS = (
    "Cette page répartit une convention de plusieurs années sur chacune d'elles. "
    "Les autres pages comptent le montant entier dans l'année de la décision : les deux totaux diffèrent, "
    "et c'est voulu."
)
MAX_ENDING = 100


def build(context: Context) -> Iterator[Output]:
    """The page."""
    database, directory = context.database, context.directory
    years = database.table("continuity_by_funder_year")
    known = years.dropna(subset=["retention_rate"])
    latest = known.loc[known.groupby("funder_id")["fiscal_year"].idxmax()] if len(known) else known
    latest = _by_name(context, latest)
    multi = database.table("continuity_multi_year_by_funder_year")
    last = multi.loc[multi.groupby("funder_id")["fiscal_year"].idxmax()] if len(multi) else multi
    everyone = database.query(
        "SELECT years_funded, count(*) AS n_beneficiaries FROM continuity_by_beneficiary GROUP BY ALL ORDER BY ALL"
    )
    kept, funded = int(latest["n_kept_next"].fillna(0).sum()), int(latest["n_funded"].sum())
    figures = {
        "maintien": continuity.retention(
            latest,
            id="maintien",
            title="Financeur",
            label=lambda row: directory.funder_name(row["funder_id"]),
            href=lambda row: directory.funder_href(row["funder_id"]),
            source=context.source,
            interactive=True,
            headline=(
                f"{formats.percent(kept / funded, decimals=0)} des bénéficiaires financés de nouveau l'année suivante"
            )
            if funded
            else None,
            span="dernière année observable de chaque financeur",
            subtitle=(
                "Part des bénéficiaires financés aussi l'année suivante, dernière année observable de chaque financeur"
            ),
        ),
        "pluriannuel": continuity.multi_year(
            _by_name(context, last),
            id="pluriannuel",
            title="Financeur",
            label=lambda row: directory.funder_name(row["funder_id"]),
            href=lambda row: directory.funder_href(row["funder_id"]),
            source=context.source,
            subtitle="Part des montants dans une convention pluriannuelle, dernier exercice de chaque financeur",
        ),
    }
    sections = [
        Section("maintien", "Être financé de nouveau", figures=(figures["maintien"],)),
        Section(
            "annees",
            "Combien d'années",
            figures=(
                continuity.years_funded(
                    everyone, id="annees-financees", place="tous financeurs", source=context.source
                ),
            )
            if len(everyone)
            else (),
        ),
        Section(
            "pluriannuel", "Ce qui est promis pour plusieurs années", (TWO_TOTALS,), figures=(figures["pluriannuel"],)
        ),
        _lasting(context),
        _secured(context),
        _ending(context),
    ]
    yield from context.page(
        REPORT.page,
        "sections.html.j2",
        report=REPORT,
        title="Continuité",
        description=REPORT.description,
        figures=figures_of(sections),
        kicker="Combien de temps",
        lead="Qui est financé d'une année sur l'autre, combien d'années de suite, et ce qui est promis d'avance.",
        key_figures=[
            KeyFigure(
                "Maintien",
                formats.percent(kept / funded, decimals=0) if funded else "–",
                "dernière année observable de chaque financeur",
                "methode.html#maintien",
            ),
            KeyFigure(
                "Financeurs observés deux années de suite",
                f"{formats.count(len(latest))} sur {formats.count(len(directory.funders))}",
            ),
            KeyFigure(
                "Conventions qui se terminent",
                formats.count(_ends(context)["agreement_id"].nunique()),
                "avant la fin de l'année prochaine",
                "continuite.html#fins",
            ),
        ],
        sections=sections,
    )


def _lasting(context: Context) -> Section:
    directory, frame = context.directory, context.database.where("continuity_survival", "level", "funder")
    if frame.empty:
        words = "Aucun financeur n'a assez d'années de données pour suivre une relation depuis son début."
        return Section("duree", "Combien de temps dure une relation", (words,))
    figure = duration.survival(
        _by_name(context, frame),
        id="duree",
        label=lambda row: directory.funder_name(row["funder_id"]),
        href=lambda row: directory.funder_href(row["funder_id"]),
        source=context.source,
    )
    return Section("duree", "Combien de temps dure une relation", figures=(figure,))


def _secured(context: Context) -> Section:
    directory, frame = context.directory, context.database.table("continuity_secured_by_funder_year")
    if frame.empty:
        words = "Aucune convention connue ne court au-delà de la date de référence."
        return Section("acquis", "Ce qui est déjà conventionné", (words,))
    figure = duration.secured(
        _by_name(context, frame),
        id="acquis",
        label=lambda row: directory.funder_name(row["funder_id"]),
        href=lambda row: directory.funder_href(row["funder_id"]),
        source=context.source,
    )
    return Section("acquis", "Ce qui est déjà conventionné", figures=(figure,))


def _by_name(context: Context, frame: pd.DataFrame) -> pd.DataFrame:
    order = {funder_id: place for place, funder_id in enumerate(context.directory.funders)}
    return (
        frame.assign(_place=frame["funder_id"].map(order))
        .sort_values("_place", kind="stable")
        .drop(columns="_place")
        .reset_index(drop=True)
    )


def _ends(context: Context) -> pd.DataFrame:
    frame = context.database.table("continuity_agreements")
    return frame[frame["ends_next_year"].fillna(False).astype(bool)]


def _ending(context: Context) -> Section:
    directory, frame = context.directory, _ends(context)
    if frame.empty:
        words = (
            "Aucune convention pluriannuelle connue ne se termine l'année prochaine. Les fichiers ne disent "
            "pas toujours la durée des conventions."
        )
        return Section("fins", "Ce qui se termine bientôt", (words,))
    names = context.database.query(
        (
            "SELECT organisation_id, any_value(name ORDER BY name) AS name FROM beneficiaries WHERE "
            "list_contains(?, organisation_id) GROUP BY ALL"
        ),
        [sorted(set(frame["organisation_id"]))],
    )
    made = frame.merge(names, on="organisation_id", how="left")
    made["funder_name"] = [directory.funder_name(funder) for funder in made["funder_id"]]
    made["span"] = [formats.years(row["start_year"], row["end_year"]) for row in records(made)]
    made = made.sort_values(["end_year", "funder_name", "name", "agreement_id"], na_position="last", ignore_index=True)
    shown = made.head(MAX_ENDING)
    caption = (
        f"{formats.plural(len(shown), 'convention')}"
        + (f" sur {formats.count(len(made))}" if len(made) > len(shown) else "")
        + ", par année de fin"
    )
    return Section(
        "fins",
        "Ce qui se termine bientôt",
        (
            (
                "Conventions dont la dernière année est l'année prochaine au plus tard. Une convention qui se "
                "termine n'est pas une aide perdue : elle peut être renouvelée."
            ),
        ),
        tables=(
            Table(
                "fins-table",
                caption,
                shown,
                (
                    Column(
                        "name",
                        "Bénéficiaire",
                        "name",
                        absent="non nommé",
                        href=lambda row: directory.beneficiary_href(row["organisation_id"]),
                        header=True,
                    ),
                    Column(
                        "funder_name", "Financeur", "name", href=lambda row: directory.funder_href(row["funder_id"])
                    ),
                    Column("span", "Durée"),
                    Column("amount", "Montant", "money"),
                ),
                sortable=True,
                search="Filtrer les conventions",
            ),
        ),
        links=(Link("Toutes les conventions (CSV)", "data/continuity_agreements.csv"),),
    )


REPORT = Report(
    name="continuite",
    title="Continuité",
    description=(
        "Qui est financé de nouveau, combien d'années de suite, et quelle part des montants est promise pour "
        "plusieurs années."
    ),
    page="continuite.html",
    tables=(
        "beneficiaries",
        "continuity_agreements",
        "continuity_by_beneficiary",
        "continuity_by_funder_year",
        "continuity_multi_year_by_funder_year",
        "continuity_secured_by_funder_year",
        "continuity_survival",
        "funders",
    ),
    build=build,
    order=40,
    menu="Continuité",
)
