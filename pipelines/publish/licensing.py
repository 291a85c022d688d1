"""Which licence each published file stands under, and the words that name sources, licences and dates of update.

Data under a share-alike licence (ODbL) leave in files of their own, under that licence; so do data whose licence is
unknown or may not be mixed. What brings several sources together (totals of a territory, pairs of funders) is a
database made from all of them: as soon as one is under ODbL the whole file is (ODbL 1.0, article 4.4), which the
Licence Ouverte allows. A page is a work produced from the database: its footer names the source and its licence
(article 4.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipelines.publish import formats
from pipelines.publish.tables import Row, records
from schemas.licence import SHARE_ALIKE, Kind, kind_of, licences, recognised

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipelines.publish.database import PublicDatabase

OWN = frozenset({"changes_by_table", "dictionary", "publication", "sources", "territories"})
"""Tables that say nothing of what a source holds: ours, or made from reference tables."""
FOLDERS: dict[Kind, str] = {"attribution": "", "share_alike": "odbl/", "apart": "autres-licences/"}
"""Where the files of each kind are, under `data/`."""
NOT_STATED = "licence non indiquée"
_NAMED = 3
"""Funders named one by one in a footer; more are counted."""


@dataclass(frozen=True)
class Terms:
    """A licence as a file states it."""

    title: str
    url: str | None = None
    spdx: str | None = None


@dataclass(frozen=True)
class Part:
    """The lines of one table that stand under the same licences. `where` and `parameters` select them."""

    kind: Kind
    terms: tuple[Terms, ...]
    where: str = "true"
    parameters: tuple[list[str], ...] = ()

    @property
    def folder(self) -> str:
        """The folder of its files under `data/`, empty for the main one."""
        return FOLDERS[self.kind]

    @property
    def suffix(self) -> str:
        """What tells its name from the main part's: empty, `-odbl`, `-autres-licences`."""
        return f"-{self.folder.rstrip('/')}" if self.folder else ""


def stated_terms(stated: Any) -> Terms:
    """The licence that a source states, in its own words when it is no known one."""
    if formats.is_missing(stated) or not str(stated).strip():
        return Terms(NOT_STATED)
    known = recognised(str(stated))
    return Terms(str(stated)) if known is None else Terms(known.title, known.url, known.spdx)


class Licensing:
    """The licences of one database."""

    def __init__(self, database: PublicDatabase) -> None:
        self._database = database
        self.own = stated_terms(database.publication.licence)
        known = licences()[SHARE_ALIKE]
        self.share_alike = Terms(known.title, known.url, known.spdx)

    @cached_property
    def sources(self) -> list[Row]:
        """The sources with their funder's name, `terms` and `kind`, by name of the funder."""
        names = {str(row["funder_id"]): str(row["name"]) for row in records(self._database.table("funders"))}
        rows = []
        for row in records(self._database.table("sources")):
            stated = None if formats.is_missing(row["licence"]) else str(row["licence"])
            name = names.get(str(row["funder_id"]), str(row["source_name"]))
            rows.append({**row, "name": name, "terms": stated_terms(stated), "kind": kind_of(stated)})
        return sorted(rows, key=lambda row: (formats.slug(row["name"]), str(row["source_name"]), row["content"]))

    @cached_property
    def _funders(self) -> dict[Kind, list[str]]:
        """The funders whose grants or totals ask for more than attribution: one that has several asks the most."""
        found: dict[Kind, set[str]] = {"share_alike": set(), "apart": set()}
        for row in self._asking:
            found[row["kind"]].add(str(row["funder_id"]))
        return {"share_alike": sorted(found["share_alike"]), "apart": sorted(found["apart"] - found["share_alike"])}

    @cached_property
    def _asking(self) -> list[Row]:
        """The sources of grants and totals that ask for more than attribution."""
        return [row for row in self.sources if row["kind"] != "attribution" and row["content"] != "calls"]

    @property
    def is_simple(self) -> bool:
        """True when every source may be mixed with the others."""
        return not any(self._funders.values()) and all(row["kind"] == "attribution" for row in self.sources)

    def parts(self, table: str) -> list[Part]:
        """The parts of a table, the main one first; the others may hold no line."""
        if table in OWN or self.is_simple:
            return [Part("attribution", (self.own,))]
        columns = self._database.columns(table)
        if "licence" in columns:
            stated = self._database.query(f'SELECT DISTINCT licence FROM "{table}" WHERE licence IS NOT NULL')[
                "licence"
            ]
            split = self._split("licence", [str(each) for each in stated])
        elif "funder_id" in columns and "other_funder_id" not in columns:
            split = self._split("funder_id", None)
        else:
            split = [Part("attribution", self.mixed)]
        return split

    def _split(self, column: str, stated: list[str] | None) -> list[Part]:
        """The parts of a table by the value of `column`: a licence among those `stated`, or a funder."""
        by_kind = {
            kind: funders if stated is None else sorted(one for one in stated if kind_of(one) == kind)
            for kind, funders in self._funders.items()
        }
        held = [values for values in by_kind.values() if values]
        listed = f'list_contains(?, "{column}")'
        others = " AND ".join([f"NOT coalesce({listed}, false)"] * len(held)) or "true"
        parts = [Part("attribution", (self.own,), others, tuple(held))]
        terms = {"share_alike": (self.share_alike,), "apart": self._apart}
        return parts + [Part(kind, terms[kind], listed, (values,)) for kind, values in by_kind.items() if values]

    def sources_of(self, part: Part) -> tuple[Row, ...]:
        """The sources that the lines of a part come from: all of them where it brings them together."""
        together = part.terms == self.mixed and part.terms != (self.own,)
        return tuple(row for row in self.sources if together or row["kind"] == part.kind)

    def part(self, table: str, folder: str) -> Part:
        """The part of a table whose files are in `folder`."""
        return next(part for part in self.parts(table) if part.folder == folder)

    def sources_in(self, table: str, folder: str) -> tuple[Row, ...]:
        """The sources that the lines of that part come from."""
        return self.sources_of(self.part(table, folder))

    @cached_property
    def _apart(self) -> tuple[Terms, ...]:
        return tuple(dict.fromkeys(row["terms"] for row in self.sources if row["kind"] == "apart"))

    @cached_property
    def mixed(self) -> tuple[Terms, ...]:
        """What brings all the sources together stands under."""
        return ((self.share_alike if self._funders["share_alike"] else self.own), *self._apart)

    def words(self, funders: Collection[str] | None = None) -> str:
        """The licence of a page's files, in one or two sentences. `funders`: those it speaks of, all by default."""
        asking = [row for row in self._asking if funders is None or str(row["funder_id"]) in funders]
        if not asking:
            return f"Données : {self.own.title}."
        mine = set(funders) if funders is not None else {str(row["funder_id"]) for row in self.sources}
        alike = [row for row in asking if row["kind"] == "share_alike"]
        apart = [row for row in asking if row["kind"] == "apart"]
        said = []
        if alike:
            alone = mine <= set(self._funders["share_alike"])
            why = "" if alone else f", parce qu'ils mêlent des données sous {self.own.title} à des données"
            said.append(f"Fichiers de cette page : {self.share_alike.title}{why} de {_named(alike)}.")
        elif apart:
            said.append(f"Données : {self.own.title}, sauf ce qui vient de {_named(apart)}.")
        if alike and apart:
            said.append(f"Ce qui vient de {_named(apart)} reste sous la licence de sa source.")
        return " ".join(said)


def _named(rows: list[Row]) -> str:
    """« Ville d'Exemple (ODbL 1.0, mise à jour du 3 mars 2026) », a count when there are many."""
    newest: dict[str, Row] = {}
    for row in rows:
        former = newest.get(row["name"])
        if former is None or _day(row) > _day(former):
            newest[row["name"]] = row
    if len(newest) > _NAMED:
        return f"{formats.plural(len(newest), 'financeur')} (voir les mentions)"
    return formats.joined([f"{name} ({row['terms'].title}, {updated_words(row)})" for name, row in newest.items()])


def _day(row: Row) -> str:
    return "" if formats.is_missing(row["source_updated_at"]) else f"{row['source_updated_at']:%Y%m%d}"


def updated_words(row: Row) -> str:
    """« mise à jour du 3 mars 2026 », or that the source does not say."""
    if formats.is_missing(row["source_updated_at"]):
        return "date de mise à jour non indiquée"
    return f"mise à jour du {formats.date(row['source_updated_at'])}"
