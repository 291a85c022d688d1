"""« Refus »: who publishes them first, then rates with their base, outcomes and reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import formats, refusals
from pipelines.publish.layout import KeyFigure, Link, Section, figures_of
from pipelines.publish.lists import PER_PAGE
from pipelines.publish.reports import Output, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from pipelines.publish.context import Context
    from pipelines.publish.tables import Row

CAREFUL = (
    "Un taux de refus dit la pression de la demande autant que la sévérité d'un service : une enveloppe "
    "fixe et des demandes "
    "plus nombreuses suffisent à le faire monter. Deux services ne se comparent que s'ils publient les "
    "mêmes issues pour le même "
    "type d'aide. Les services sont donnés par ordre alphabétique, sans classement."
)


def build(context: Context) -> Iterator[Output]:
    """The page."""
    database, directory, publication = context.database, context.directory, context.publication
    services = list(directory.services.values())
    published = [row for row in services if str(row["refusals_published"]) in {"yes", "partly"}]
    rates = database.table("refusal_rates_by_service_year")
    by_service = _latest(rates[rates["service_key"].isin([row["service_key"] for row in published])], "service_key")
    by_service = _ordered(context, by_service)

    def service(row: Row) -> str:
        return (
            f"{formats.sentence(directory.service_name(row['service_key']))} "
            f"({directory.funder_name(row['funder_id'])})"
        )

    def href(row: Row) -> str | None:
        return directory.service_href(row["service_key"])

    sections = [
        Section(
            "couverture",
            "Qui publie ses refus",
            (
                (
                    "Avant tout taux, il faut savoir ce qui est publié. Un service qui ne publie que ses "
                    "accords n'a pas un taux de refus nul."
                ),
            ),
            figures=(refusals.publication_coverage(services, id="couverture-services", source=context.source),),
            links=(Link("La liste des services, avec ceux qui ne publient pas", "services/index.html"),),
        ),
    ]
    if len(by_service):
        shown = by_service.head(PER_PAGE)
        sections += [
            Section(
                "services",
                "Par service",
                (CAREFUL,),
                figures=(
                    refusals.rates(
                        shown,
                        id="refus-services",
                        title="Service",
                        label=service,
                        href=href,
                        interactive=True,
                        source=context.source,
                        subtitle=(
                            "Refus ÷ (accords + refus), dernier exercice connu de chaque service qui publie ses refus"
                        ),
                    ),
                ),
                links=(Link("Tous les exercices (CSV)", "data/refusal_rates_by_service_year.csv"),),
            ),
            Section(
                "issues",
                "Irrecevables, retirées, en attente",
                (
                    (
                        "Une demande irrecevable n'a pas été examinée au fond : elle n'est dans aucun taux de "
                        "refus. Elle dit le plus souvent un dossier à clarifier."
                    ),
                ),
                figures=(
                    refusals.outcomes(
                        shown,
                        id="devenir",
                        title="Service",
                        label=service,
                        href=href,
                        source=context.source,
                        subtitle="Demandes par issue, dernier exercice connu de chaque service qui publie ses refus",
                    ),
                ),
            ),
        ]
    territory = _territories(context)
    sections += [territory] if territory else []
    reasons = refusals.reasons(
        database.table("refusal_reasons_by_funder_year"),
        id="motifs",
        subtitle="Tous financeurs et exercices",
        source=context.source,
    )
    words = (
        ()
        if reasons
        else ("Aucun motif de refus n'est publiable : les financeurs n'ont en général pas à motiver un refus.",)
    )
    sections.append(Section("motifs", "Motifs", words, figures=(reasons,) if reasons else ()))
    yield from context.page(
        REPORT.page,
        "sections.html.j2",
        report=REPORT,
        title="Refus",
        description=REPORT.description,
        figures=figures_of(sections),
        kicker="Ce qui est refusé",
        lead=(
            "Les demandes refusées ne sont jamais nommées : seuls des nombres assez grands pour ne désigner "
            "personne sont publiés."
        ),
        key_figures=[
            KeyFigure(
                "Services qui publient leurs refus",
                f"{formats.count(len(published))} sur {formats.count(len(services))}",
                "",
                "refus.html#couverture",
            ),
            KeyFigure(
                "Seuil de publication",
                formats.plural(publication.min_decisions, "décision"),
                f"et un refus nul, ou au moins {publication.min_count} refus et {publication.min_count} accords",
                "methode.html#seuils",
            ),
        ],
        sections=sections,
    )


def _latest(frame: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """The latest year of each holder of `keys`."""
    return frame.loc[frame.groupby(list(keys))["fiscal_year"].idxmax()] if len(frame) else frame


def _ordered(context: Context, frame: pd.DataFrame) -> pd.DataFrame:
    order = {key: place for place, key in enumerate(context.directory.services)}
    made = frame.assign(_place=frame["service_key"].map(order))
    return made.sort_values(["_place", "fiscal_year"]).drop(columns="_place").reset_index(drop=True)


def _territories(context: Context) -> Section | None:
    """The service × territory rates that may be shown, latest year of each, by territory then service."""
    directory = context.directory
    frame = context.database.table("refusal_rates_by_service_territory_year")
    latest = _latest(frame, "service_key", "departement_code")
    shown = latest[latest["status"].isin(["shown", "bounds"])]
    if shown.empty:
        return None
    shown = (
        _ordered(context, shown).sort_values("departement_code", kind="stable").head(PER_PAGE).reset_index(drop=True)
    )
    figure = refusals.rates(
        shown,
        id="refus-territoires",
        title="Territoire et service",
        label=lambda row: (
            f"{directory.territory_name(row['departement_code'])} : {directory.service_name(row['service_key'])}"
        ),
        href=lambda row: directory.territory_href(row["departement_code"]),
        subtitle="Refus ÷ (accords + refus), par département du siège et service, dernier exercice publiable",
        source=context.source,
    )
    words = (
        f"{formats.plural(len(shown), 'croisement')} d'un service et d'un département sur {formats.count(len(latest))} "
        f"{'peut être montré' if len(shown) < 2 else 'peuvent être montrés'} ; les autres ne sont pas "
        "publiés ou ont un effectif trop faible."
    )
    return Section("territoires", "Par territoire", (words,), figures=(figure,))


REPORT = Report(
    name="refus",
    title="Refus",
    description="Quels services publient leurs refus, quels taux, sur combien de décisions, et pour quels motifs.",
    page="refus.html",
    tables=(
        "funders",
        "publication",
        "refusal_rates_by_service_territory_year",
        "refusal_rates_by_service_year",
        "refusal_reasons_by_funder_year",
        "services",
        "territories",
    ),
    build=build,
    order=50,
    menu="Refus",
)
