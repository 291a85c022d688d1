"""Names and addresses: which page each funder, service, département and beneficiary has, and what codes are called."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote

from pipelines.publish import formats
from pipelines.publish.tables import Row, records
from schemas.codelist import labels

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pipelines.publish.database import PublicDatabase

TOP_BENEFICIARIES = 300
"""Beneficiaries with a page of their own: the largest totals. The others are in the lists and in the files."""
LARGEST = (
    "SELECT * FROM beneficiaries QUALIFY row_number() OVER (PARTITION BY organisation_id ORDER BY amount_total DESC"
    " NULLS LAST, currency) = 1 ORDER BY amount_total DESC NULLS LAST, organisation_id"
    f" LIMIT {TOP_BENEFICIARIES}"
)
GENERIC_PAGE = "beneficiaire.html"
"""The page of any beneficiary, by what follows the #: `beneficiaire.html#siren=…`."""
RESERVED = re.compile(r"index(-\d+)?")
"""Page names of lists: an entity of that name gets a suffix."""
UNKNOWN_TERRITORY = "—"
UNKNOWN_SEAT = "Siège non précisé"
SEATS = {
    "region": ("region_code", "funding_by_region_year"),
    "departement": ("departement_code", "funding_by_territory_year"),
    "epci": ("epci_code", "funding_by_epci_year"),
}
"""Level of a territory → the column that tells the seat, the table of amounts by seat."""
UNKNOWN_LABELS = {"theme": "thème non précisé", "purpose": "nature non précisée"}
STAGE_WORDS = {
    "requested": "demandés", "proposed": "proposés", "awarded": "accordés", "committed": "engagés", "paid": "versés",
    "clawed_back": "reversés",
}  # fmt: skip


def label(codelist: str, code: object) -> str:
    """The French label of a code; for an unknown or missing code, words that say so."""
    if formats.is_missing(code) or code == "unknown":
        return UNKNOWN_LABELS.get(codelist, "non précisé")
    return labels(codelist).get(str(code), str(code))


def amounts_word(stage: object) -> str:
    """`montants accordés`, `montants versés`…"""
    return f"montants {STAGE_WORDS.get(str(stage), 'non précisés')}"


def source_words(funder: Row) -> str:
    """The source line of a funder's figures: names, licence, date of update."""
    names = funder["source_names"]
    words = names if isinstance(names, str) else formats.joined([str(name) for name in names]) if len(names) else ""
    words = words or f"fichiers de {funder['name']}"
    updated = funder.get("source_updated_at")
    told = [
        *([] if formats.is_missing(funder["licence"]) else [str(funder["licence"])]),
        *([f"mise à jour du {formats.date(updated)}"] if updated is not None and updated == updated else []),
    ]
    return f"{words} ({', '.join(told)})" if told else words


def addresses(rows: Sequence[Row], key: str) -> dict[str, str]:
    """Page names by identifier, safe in a path, unique and independent of the rows' order.

    The slug of the database is kept when it is a slug; several holders of one slug each get six digits of the hash of
    their identifier.
    """
    wanted = {}
    for row in rows:
        given = str(row.get("slug") or "")
        is_slug = re.fullmatch(r"[a-z0-9][a-z0-9-]{0,100}", given) is not None
        wanted[str(row[key])] = given if is_slug else formats.slug(str(row["name"]))[:80].strip("-") or "page"
    holders = Counter(wanted.values())
    return {
        identifier: slug if holders[slug] == 1 and not RESERVED.fullmatch(slug) else f"{slug}-{_digest(identifier)}"
        for identifier, slug in wanted.items()
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]


class Directory:
    """Looks entities up by identifier. Hrefs are relative to the site's root."""

    def __init__(self, database: PublicDatabase) -> None:
        self._database = database
        self._places: dict[str, dict[str, Row]] = {}

    @cached_property
    def funders(self) -> dict[str, Row]:
        """Funders by identifier, with `href`, in the order of their names."""
        rows = records(self._database.table("funders"))
        pages = addresses(rows, "funder_id")
        rows.sort(key=lambda row: (formats.slug(str(row["name"])), str(row["funder_id"])))
        return {
            row["funder_id"]: {
                **row,
                "page": pages[row["funder_id"]],
                "href": f"financeurs/{pages[row['funder_id']]}.html",
            }
            for row in rows
        }

    @cached_property
    def services(self) -> dict[str, Row]:
        """Services with lines or in a directory, by key, with `href` and the funder's name, by funder then name.

        A service whose funder is known by its directory alone has no page.
        """
        funders = self.funders
        rows = [
            row
            for row in records(self._database.table("services"))
            if row["funder_id"] in funders and (row["n_lines"] > 0 or row["is_declared"] is True)
        ]
        for row in rows:
            funder = funders[row["funder_id"]]
            own = formats.slug(str(row.get("slug") or row["name"])) or "non-precise"
            row["funder_name"] = funder["name"]
            row["slug"] = own if own.startswith(f"{funder['page']}-") else f"{funder['page']}-{own}"
        pages = addresses(rows, "service_key")
        rows.sort(
            key=lambda row: (formats.slug(row["funder_name"]), formats.slug(str(row["name"])), row["service_key"])
        )
        return {
            row["service_key"]: {
                **row,
                "page": pages[row["service_key"]],
                "href": f"services/{pages[row['service_key']]}.html",
            }
            for row in rows
        }

    def funder(self, funder_id: str) -> Row:
        """One funder."""
        return self.funders[funder_id]

    def service(self, service_key: str) -> Row:
        """One service that has a page."""
        return self.services[service_key]

    def beneficiary(self, organisation_id: str) -> Row:
        """One beneficiary that has a page."""
        return self.beneficiaries[organisation_id]

    def services_by(self, funder_id: str) -> list[Row]:
        """The services of one funder."""
        return self._by_funder.get(funder_id, [])

    @cached_property
    def _by_funder(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self.services.values():
            found.setdefault(row["funder_id"], []).append(row)
        return found

    def services_of(self, departements: Collection[str]) -> list[Row]:
        """The services that say they cover one of `departements`, or have granted there."""
        keys = {key for code in departements for key in self._covering.get(code, ())}
        return [row for key, row in self.services.items() if key in keys]

    @cached_property
    def _covering(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for row in records(self._database.table("service_departements")):
            found.setdefault(row["departement_code"], []).append(row["service_key"])
        return found

    @cached_property
    def territories(self) -> dict[str, Row]:
        """Départements met as seats of applicants, by code, with `href`; the unknown one last."""
        return self.places("departement")

    def places(self, level: str) -> dict[str, Row]:
        """Territories of one level met as seats of applicants, by code, with `title`, `page` and `href`.

        Only the départements have a page for the seats that no file tells; it comes last.
        """
        if level not in self._places:
            self._places[level] = self._placed(level)
        return self._places[level]

    def place(self, level: str, code: str) -> Row:
        """One territory that has a page."""
        return self.places(level)[code]

    def _placed(self, level: str) -> dict[str, Row]:
        known = {
            str(row["code"]): row
            for row in records(self._database.table("territories"))
            if row["level"] == level or (row["code"] == UNKNOWN_TERRITORY and level == "departement")
        }
        key, table = SEATS[level]
        met = {str(code) for code in self._database.table(table)[key]}
        if level != "departement":
            met.discard(UNKNOWN_TERRITORY)
        rows = []
        for code in met:
            unknown = code == UNKNOWN_TERRITORY
            row = known.get(code, {})
            name = UNKNOWN_SEAT if unknown else str(row.get("name") or code)
            prefix = "" if level == "departement" else f"{level}-"
            page = "siege-non-precise" if unknown else prefix + formats.slug(code)
            title = f"{name} ({code})" if level == "departement" and not unknown else name
            parent = row.get("parent_id")
            rows.append({
                "level": level, "code": code, "name": name, "title": title, "page": page,
                "href": f"territoires/{page}.html", "parent_id": None if formats.is_missing(parent) else str(parent),
            })  # fmt: skip

        def place(row: Row) -> tuple[object, ...]:
            own = row["code"] if level == "departement" else formats.slug(str(row["name"]))
            return (row["code"] == UNKNOWN_TERRITORY, own, row["code"])

        return {str(row["code"]): row for row in sorted(rows, key=place)}

    @cached_property
    def beneficiaries(self) -> dict[str, Row]:
        """The beneficiaries that have a page, by identifier, largest first, with `href`."""
        rows = records(self._database.query(LARGEST))
        pages = addresses(rows, "organisation_id")
        return {
            row["organisation_id"]: {
                **row,
                "page": pages[row["organisation_id"]],
                "href": f"beneficiaires/{pages[row['organisation_id']]}.html",
            }
            for row in rows
        }

    def funder_href(self, funder_id: object) -> str | None:
        """The funder's page, None when it has none."""
        row = self.funders.get(str(funder_id))
        return None if row is None else str(row["href"])

    def service_href(self, service_key: object) -> str | None:
        """The service's page, None when it has none."""
        row = self.services.get(str(service_key))
        return None if row is None else str(row["href"])

    def territory_href(self, code: object, level: str = "departement") -> str | None:
        """The territory's page, None when it has none."""
        row = self.places(level).get(str(code))
        return None if row is None else str(row["href"])

    def beneficiary_href(self, organisation_id: object) -> str | None:
        """The beneficiary's page: its own, else the one that reads shards; None for who is not a beneficiary."""
        identifier = str(organisation_id)
        row = self.beneficiaries.get(identifier)
        if row is not None:
            return str(row["href"])
        if identifier not in self._named:
            return None
        kind, _, rest = identifier.partition(":")
        return f"{GENERIC_PAGE}#{kind}={quote(rest, safe='')}"

    @cached_property
    def _named(self) -> frozenset[str]:
        """Every beneficiary, by identifier."""
        return frozenset(self._database.query("SELECT DISTINCT organisation_id FROM beneficiaries")["organisation_id"])

    def funder_name(self, funder_id: object) -> str:
        """The funder's name, its identifier when unknown."""
        row = self.funders.get(str(funder_id))
        return str(funder_id) if row is None else str(row["name"])

    def service_name(self, service_key: object) -> str:
        """The service's name, its key when unknown."""
        row = self._known_services.get(str(service_key))
        return str(service_key) if row is None else str(row["name"])

    def is_declared(self, service_key: object) -> bool:
        """Whether a directory describes the service."""
        row = self._known_services.get(str(service_key))
        return row is not None and row["is_declared"] is True

    @cached_property
    def _known_services(self) -> dict[str, Row]:
        return {row["service_key"]: row for row in records(self._database.table("services"))}

    def territory_name(self, code: object, level: str = "departement") -> str:
        """`Hérault (34)`, `Occitanie`; words that say so when the seat is unknown."""
        if formats.is_missing(code) or code == UNKNOWN_TERRITORY:
            return UNKNOWN_SEAT
        row = self.places(level).get(str(code))
        return str(code) if row is None else str(row["title"])
