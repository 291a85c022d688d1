"""« Données »: every public table in every format, the page and dictionary of each, and what machines read of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pipelines.publish import changelog, data_package, formats
from pipelines.publish.comma_separated import MOST_FOR_EXCEL
from pipelines.publish.data_package import Extra
from pipelines.publish.dcat import Catalogue
from pipelines.publish.layout import Link, Section
from pipelines.publish.open_data import EXCEL_CSV, XLSX, DataFile, Dataset, FileKind, data_file, datasets, source_words
from pipelines.publish.reports import File, Output, Report
from pipelines.publish.standards import Standard, standards
from pipelines.publish.tables import Column, Table
from pipelines.publish.workbooks import MOST_LINES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.publish.context import Context

JSON = FileKind("JSON", ".json", "json", "application/json")
NO_WORKBOOK = f"plus de {formats.count(MOST_LINES)} lignes : pas de XLSX, prenez le CSV ou le Parquet"
NOT_FOR_EXCEL = (
    f"plus de {formats.count(MOST_FOR_EXCEL)} lignes : Excel en couperait, ni XLSX ni CSV pour lui ; prenez le Parquet"
    " ou le CSV"
)


def build(context: Context) -> Iterator[File]:
    """The files, their sums and description, the page that lists them, and the page of each table."""
    data = yield from datasets(context)
    listed = yield from standards(context)
    others = [Extra(each.file, f"Attributions, format {each.file.kind.title}", each.terms) for each in listed]
    changes = changelog.document(context.database)
    others.append(
        Extra(
            data_file(JSON, changelog.PATH, changes),
            "Changements d'une publication à l'autre",
            context.licensing.mixed,
        )
    )
    yield Output(changelog.PATH, changes)
    described = data_package.package(data, others, publication=context.publication, sources=context.licensing.sources)
    yield Output(data_package.PATH, described)
    files = [file for dataset in data for file in dataset.files] + [extra.file for extra in others]
    yield _sums([*files, data_file(JSON, data_package.PATH, described)])
    by_table: dict[str, list[Dataset]] = {}
    for dataset in data:
        by_table.setdefault(dataset.table, []).append(dataset)
    yield from _downloads(context, data, list(by_table), listed)
    yield from _dictionary(context, list(by_table))
    for name, parts in by_table.items():
        yield from _table(context, name, parts)


def _sums(files: Sequence[DataFile]) -> Output:
    lines = sorted((file.path.removeprefix("data/"), file.sha256) for file in files)
    return Output("data/SHA256SUMS.txt", "".join(f"{digest}  {path}\n" for path, digest in lines).encode())


def _page(table: str) -> str:
    return f"dictionnaire/{table}.html"


def _downloads(
    context: Context, datasets: Sequence[Dataset], tables: Sequence[str], listed: Sequence[Standard]
) -> Iterator[Output]:
    catalogue = Catalogue(context.publication, root="")
    pages = [(_page(name), name) for name in tables]
    yield from context.page(
        REPORT.page,
        "downloads.html.j2",
        report=REPORT,
        title="Données",
        description=REPORT.description,
        kicker="Réutiliser",
        lead="Toutes les données de ces pages, à télécharger. Rien n'est coupé : chaque fichier a toutes ses lignes.",
        json_ld=catalogue.catalogue(pages, REPORT.page, "Qui finance quoi", REPORT.description),
        datasets=datasets,
        n_tables=len(tables),
        has_several_licences=any(dataset.part.folder for dataset in datasets),
        lacking=_lacking,
        standards=_standards(listed),
    )


def _standards(listed: Sequence[Standard]) -> Table:
    """The files in formats that others read, and what each leaves out."""
    rows = [
        {
            "kind": standard.file.kind.title,
            "href": standard.file.path,
            "n_awards": standard.n_awards,
            "left_out": standard.left_out,
            "licence": formats.joined([terms.title for terms in standard.terms]),
            "size": formats.size(standard.file.size),
        }
        for standard in listed
    ]
    return Table(
        "standards",
        "Les attributions, dans des formats que d'autres outils lisent",
        pd.DataFrame(rows, columns=["kind", "href", "n_awards", "left_out", "licence", "size"]),
        (
            Column("kind", "Format", href=lambda row: str(row["href"]), header=True),
            Column("n_awards", "Attributions", "count"),
            Column("left_out", "Laissées de côté", absent="aucune"),
            Column("licence", "Licence"),
            Column("size", "Taille"),
        ),
    )


def _dictionary(context: Context, tables: Sequence[str]) -> Iterator[Output]:
    yield from context.page(
        "dictionnaire.html",
        "dictionary.html.j2",
        report=REPORT,
        title="Dictionnaire des données",
        description="Chaque table publiée et chacune de ses colonnes.",
        kicker="Réutiliser",
        lead="Chaque table publiée, et ce que dit chacune de ses colonnes.",
        trail=[("Données", REPORT.page)],
        tables=[(name, context.database.comment(name)) for name in tables],
    )


def _table(context: Context, name: str, datasets: Sequence[Dataset]) -> Iterator[Output]:
    """The page of one table: its files with their sums, its columns, its sources."""
    first = datasets[0]
    sources = list(dict.fromkeys(source_words(row) for dataset in datasets for row in dataset.sources))
    sections = [
        Section("fichiers", "Fichiers", _licence_words(datasets), tables=(_files(datasets),)),
        Section("colonnes", "Colonnes", tables=(_columns(first),)),
    ]
    if first.table not in {"dictionary", "publication", "territories"} and sources:
        shown = tuple(sources[:40])
        more = () if len(sources) == len(shown) else ("Les autres sources sont dans la table sources.",)
        links = (Link("La table des sources", _page("sources")),)
        sections.append(Section("sources", "Sources", (*shown, *more), links=links))
    yield from context.page(
        _page(name),
        "sections.html.j2",
        report=REPORT,
        title=name,
        description=f"La table {name} : ses fichiers et ses colonnes.",
        kicker="Dictionnaire des données",
        lead=first.comment or "Table sans description.",
        trail=[("Données", REPORT.page), ("Dictionnaire", "dictionnaire.html")],
        json_ld=Catalogue(context.publication, root="../").dataset(datasets, _page(name)),
        key_figures=[],
        sections=sections,
    )


def _licence_words(datasets: Sequence[Dataset]) -> tuple[str, ...]:
    said = [
        f"{formats.sentence(formats.plural(dataset.rows, 'ligne'))} sous "
        f"{formats.joined([terms.title for terms in dataset.part.terms])}."
        for dataset in datasets
    ]
    if lacking := _lacking(max(datasets, key=lambda dataset: dataset.rows)):
        said.append(formats.sentence(f"{lacking}."))
    return (" ".join(said),)


def _lacking(dataset: Dataset) -> str | None:
    """Why a table is not given in all formats; None when it is."""
    if dataset.file(EXCEL_CSV) is None:
        return NOT_FOR_EXCEL
    return None if dataset.file(XLSX) else NO_WORKBOOK


def _files(datasets: Sequence[Dataset]) -> Table:
    rows = [
        {
            "kind": file.kind.title,
            "href": file.path,
            "licence": formats.joined([terms.title for terms in dataset.part.terms]),
            "rows": dataset.rows,
            "size": formats.size(file.size),
            "sha256": file.sha256,
        }
        for dataset in datasets
        for file in dataset.files
    ]
    return Table(
        "fichiers-table",
        formats.plural(len(rows), "fichier"),
        pd.DataFrame(rows),
        (
            Column("kind", "Format", href=lambda row: str(row["href"]), header=True),
            Column("licence", "Licence"),
            Column("rows", "Lignes", "count"),
            Column("size", "Taille"),
            Column("sha256", "Empreinte sha256", "code"),
        ),
    )


def _columns(dataset: Dataset) -> Table:
    names = ["column_name", "title", "description", "unit", "is_key"]
    frame = pd.DataFrame(
        [{**row, "is_key": "clé" if row["is_key"] else None} for row in dataset.columns], columns=names
    )
    return Table(
        "colonnes-table",
        formats.plural(len(frame), "colonne"),
        frame,
        (
            Column("column_name", "Colonne", "code", header=True),
            Column("title", "Titre"),
            Column("description", "Ce qu'elle dit"),
            Column("unit", "Unité"),
            Column("is_key", "Clé"),
        ),
    )


REPORT = Report(
    name="donnees",
    title="Données à télécharger",
    description=(
        "Chaque table publiée en CSV, XLSX et Parquet, avec son dictionnaire, sa licence, ses sources, ses empreintes."
    ),
    page="donnees.html",
    tables=("*",),
    build=build,
    order=80,
    menu="Données",
    length=6,
)
