"""« Recherche »: any beneficiary and any award, without a server; and the page of every beneficiary without its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.publish import award_shards, beneficiary_shards, finder, formats
from pipelines.publish.directory import GENERIC_PAGE, amounts_word
from pipelines.publish.layout import Link
from pipelines.publish.reports import File, Output, Report
from pipelines.publish.script_json import script_json
from pipelines.publish.shards import shard
from pipelines.publish.words import STOP_WORDS, spelt_out
from schemas.codelist import labels

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from pipelines.publish.context import Context

AWARDS_PAGE = "attributions.html"
WITHOUT_SCRIPT = (
    Link("Listes des bénéficiaires, par nom et par commune", "beneficiaires/index.html"),
    Link("Attributions par territoire", "territoires/index.html"),
    Link("Tous les bénéficiaires (CSV)", "data/beneficiaries.csv"),
    Link("Toutes les attributions (CSV)", "data/awards.csv"),
)


def build(context: Context) -> Iterator[File]:
    """The shards, then the three pages that lead to them."""
    names, output = shard("n", _names(context))
    yield output
    common = {"names": names, "stop": STOP_WORDS, "spelt": spelt_out()}
    found = yield from context.part(_finder)
    awards: list[list[Any]] = []
    for year in award_shards.years(context):
        awards += yield from context.part(award_shards.of_year, str(year))
    buckets = yield from beneficiary_shards.index(context)
    yield from _generic(context, common | {"buckets": buckets})
    yield from _awards(context, common | {"awards": awards, "total": sum(entry[2] for entry in awards)})
    yield from _page(
        context,
        REPORT.page,
        script="finder.js",
        form="chercher",
        index=common | found,
        title="Chercher un bénéficiaire",
        lead=(
            f"Parmi {formats.plural(found['count'], 'organisme')}, par nom, commune ou département du siège, SIREN,"
            " SIRET ou RNA ; dans n'importe quel ordre, avec ou sans accents."
        ),
    )


def _finder(context: Context) -> Generator[Output, None, dict[str, Any]]:
    found, outputs = finder.index(context)
    yield from outputs
    return found


def _names(context: Context) -> dict[str, Any]:
    """What codes stand for: funders, services, themes, purposes, stages, départements, currencies, years observed."""
    directory = context.directory
    observed: dict[str, list[int]] = {}
    frame = context.database.table("funding_by_funder_year")
    for funder, year in sorted(set(zip(frame["funder_id"], frame["fiscal_year"], strict=True))):
        observed.setdefault(str(funder), []).append(int(year))
    return {
        "f": {key: [row["name"], row["href"]] for key, row in directory.funders.items()},
        "s": {key: [row["name"], row["href"]] for key, row in directory.services.items()},
        "t": dict(labels("theme")),
        "p": dict(labels("purpose")),
        "h": dict(labels("headline_stage")),
        "g": {stage: formats.sentence(amounts_word(stage)) for stage in labels("headline_stage")},
        "d": {code: row["title"] for code, row in directory.territories.items()},
        "c": formats.SYMBOLS,
        "y": observed,
    }


def _awards(context: Context, index: dict[str, Any]) -> Iterator[Output]:
    years = sorted({entry[0] for entry in index["awards"]})
    complete = [year for year in years if year < context.publication.as_of.year]
    index["year"] = (complete or years or [context.publication.as_of.year])[-1]
    yield from _page(
        context,
        AWARDS_PAGE,
        script="awards.js",
        form="chercher-attributions",
        index=index,
        title="Chercher une attribution",
        lead=(
            f"{formats.plural(index['total'], 'attribution')} à des personnes morales, par objet, bénéficiaire,"
            " commune, financeur, thème, année et département du siège."
        ),
    )


def _generic(context: Context, index: dict[str, Any]) -> Iterator[Output]:
    yield from _page(
        context,
        GENERIC_PAGE,
        script="beneficiary.js",
        form="fiche",
        index=index,
        title="Bénéficiaire",
        lead=(
            "Qui finance cet organisme, de quels montants et pendant combien d'années. Un même organisme peut"
            " apparaître sous plusieurs noms ou sans SIREN selon les fichiers."
        ),
    )


def _page(
    context: Context, path: str, *, script: str, form: str, index: dict[str, Any], title: str, lead: str
) -> Iterator[Output]:
    yield from context.page(
        path,
        "search.html.j2",
        report=REPORT,
        title=title,
        description=lead,
        trail=[] if path == REPORT.page else [("Recherche", REPORT.page)],
        kicker="Recherche" if path != GENERIC_PAGE else "Bénéficiaire",
        lead=lead,
        script=script,
        form=form,
        index=script_json(index),
        links=WITHOUT_SCRIPT,
        stop_words=", ".join(STOP_WORDS),
    )


REPORT = Report(
    name="recherche",
    title="Recherche",
    description="Chercher un bénéficiaire ou une attribution, et télécharger exactement ce qui est trouvé.",
    page="recherche.html",
    tables=tuple(sorted((*beneficiary_shards.TABLES, "services"))),
    build=build,
    order=5,
    menu="Recherche",
    length=5,
)
