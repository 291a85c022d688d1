"""`make reference`: the territory tables of `schemas/reference/`, written again from the package that distributes them.

Needs the npm client, which alone knows where packages are; nothing else of the project needs it. Equal versions of the
package (`vintages.toml`) give equal tables.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.territory import FOLDER, vintages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Record = dict[str, Any]
Former = tuple[str, str, str, str]
"""A code or a name that is not, or not only, that of a current commune: code, name, kind, current code."""
KINDS = {"commune-deleguee": "delegated", "commune-associee": "associated", "arrondissement-municipal": "district"}
OLD_SEINE = 1976
"""Codes that left their département before this year are no longer written, and look like others: 75012 was
Boulogne-Billancourt until 1968, and is read today as the twelfth arrondissement. Corsica's 20… left in 1976."""


def main() -> int:
    """Write every table. Returns the exit code."""
    npm = shutil.which("npm")
    if npm is None:
        print("Il faut le client npm pour renouveler les tables de référence.", file=sys.stderr)
        return 2
    told = vintages()
    with tempfile.TemporaryDirectory() as folder:
        read = {year: _package(npm, f"{told.package}@{version}", Path(folder)) for year, version in told.versions}
    latest = read[told.current]
    communes = {row["code"]: row for row in latest["communes"] if row["type"] == "commune-actuelle"}
    successors = now_known_as(latest["communes"], read[told.history]["historique-communes"], communes)
    members = {member["code"]: epci["code"] for epci in latest["epci"] for member in epci["membres"]}
    postcodes = _postcodes([table["communes"] for table in read.values()], communes, successors)
    header: tuple[str, ...] = ("code", "name", "departement_code", "epci_code", "population", "siren", "postcodes")
    rows = [
        (code, row["nom"], row["departement"], members.get(code), row.get("population"), row.get("siren"), written)
        for code, row in communes.items()
        for written in [" ".join(sorted(postcodes[code]))]
    ]
    write_table("communes.csv.gz", header, rows)
    formers = _formers(read, communes, successors, told.history)
    write_table("former_communes.csv.gz", ("code", "name", "kind", "current_code"), formers)
    write_table("former_sirens.csv", ("siren", "current_code"), _former_sirens(read.values(), communes, successors))
    header = ("code", "name", "kind", "population", "departement_codes", "current_code", "first", "last")
    write_table("epci.csv", header, _epci(read, communes, successors, members))
    header = ("code", "name", "region_code", "population")
    inhabitants = _inhabitants(communes, "departement")
    found = [(row["code"], row["nom"], row["region"], inhabitants[row["code"]]) for row in latest["departements"]]
    write_table("departements.csv", header, found)
    inhabitants = _inhabitants(communes, "region")
    regions = [(row["code"], row["nom"], inhabitants[row["code"]]) for row in latest["regions"]]
    write_table("regions.csv", ("code", "name", "population"), regions)
    return 0


def _package(npm: str, wanted: str, folder: Path) -> dict[str, list[Record]]:
    """The JSON tables of one version, by name."""
    packed = subprocess.run(  # noqa: S603 - the client found on PATH, and names of vintages.toml
        [npm, "pack", wanted, "--json", "--pack-destination", str(folder)], check=True, capture_output=True, text=True
    )
    archive = folder / json.loads(packed.stdout)[0]["filename"].replace("@", "").replace("/", "-")
    with tarfile.open(archive) as opened:
        tables = {}
        for member in opened.getmembers():
            path = Path(member.name)
            content = opened.extractfile(member)
            if path.parent.name == "data" and path.suffix == ".json" and content is not None:
                tables[path.stem] = json.load(content)
    return tables


def now_known_as(
    latest: list[Record], history: list[Record], communes: Mapping[str, Record]
) -> dict[str, frozenset[str]]:
    """Code that is no longer, or not only, a commune → the current communes it became; several after a split."""
    found: dict[str, set[str]] = defaultdict(set)
    moved = {
        row["code"]
        for row in history
        if row.get("raisonFin") == "changement de département" and int(row["dateFin"][:4]) < OLD_SEINE
    }
    for row in latest:
        if row["type"] in KINDS:
            found[row["code"]].add(row.get("chefLieu") or row["commune"])
    still = set(found)  # where a place is now comes before where it was
    for row in latest:
        for code in row.get("anciensCodes", ()):
            if code not in moved | still:
                found[code].add(row["code"])
    return {code: frozenset(now) for code, now in found.items() if now <= communes.keys()}


def _formers(
    read: Mapping[int, dict[str, list[Record]]],
    communes: Mapping[str, Record],
    successors: Mapping[str, frozenset[str]],
    history: int,
) -> list[Former]:
    """Every other code and name that a vintage or the history gives to what is now a commune."""
    latest = read[max(read)]["communes"]
    found: dict[tuple[str, str, str], str] = {}
    for row in latest:
        if row["type"] in KINDS:
            found[row["code"], row["nom"], row.get("chefLieu") or row["commune"]] = KINDS[row["type"]]
    others = [row for tables in read.values() for row in tables["communes"]] + read[history]["historique-communes"]
    for row in others:
        code = row["code"]
        for now in successors.get(code, ()) if code not in communes else (code,):
            if row["nom"] != communes[now]["nom"] or code != now:
                found.setdefault((code, row["nom"], now), "former")
    named = {code for code, _, _ in found}
    for code, current in successors.items():  # a code of which no vintage gives the name
        if code not in named and code not in communes:
            found.update({(code, "", now): "former" for now in current})
    return [(code, name, kind, now) for (code, name, now), kind in found.items()]


def _inhabitants(communes: Mapping[str, Record], level: str) -> defaultdict[str, int | None]:
    """Inhabitants of each département or région; nothing where nobody lives."""
    found: defaultdict[str, int | None] = defaultdict(lambda: None)
    for row in communes.values():
        if row.get("population"):
            found[row[level]] = (found[row[level]] or 0) + row["population"]
    return found


def _postcodes(
    tables: Iterable[list[Record]], communes: Mapping[str, Record], successors: Mapping[str, frozenset[str]]
) -> dict[str, set[str]]:
    """Postcodes of each current commune, in any vintage: a file of 2019 writes those of 2019."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in (row for table in tables for row in table):
        for now in (row["code"],) if row["code"] in communes else successors.get(row["code"], ()):
            found[now].update(row.get("codesPostaux", ()))
    return found


def _former_sirens(
    tables: Iterable[dict[str, list[Record]]], communes: Mapping[str, Record], successors: Mapping[str, frozenset[str]]
) -> list[tuple[str, str]]:
    """SIRENs of communes that merged, as the members of former EPCI give them."""
    now = {row.get("siren") for row in communes.values()}
    found: dict[str, set[str]] = defaultdict(set)
    for member in (m for table in tables for epci in table["epci"] for m in epci["membres"]):
        code = member["code"]
        if member["siren"] not in now:
            found[member["siren"]] |= {code} if code in communes else successors.get(code, frozenset())
    return sorted((siren, *codes) for siren, codes in found.items() if len(codes) == 1)  # type: ignore[misc]


def _epci(
    read: Mapping[int, dict[str, list[Record]]],
    communes: Mapping[str, Record],
    successors: Mapping[str, frozenset[str]],
    members: Mapping[str, str],
) -> list[tuple[object, ...]]:
    """One row per EPCI of any vintage; `current_code` when all its members are now in one, itself if it still is."""
    seen: dict[str, tuple[Record, int, int]] = {}
    for year in sorted(read):
        for row in [*read[year]["epci"], *read[year].get("ept", [])]:
            seen[row["code"]] = (row, seen[row["code"]][1] if row["code"] in seen else year, year)
    found: list[tuple[object, ...]] = []
    for code, (row, first, last) in seen.items():
        places = [
            {member["code"]} if member["code"] in communes else successors.get(member["code"], frozenset())
            for member in row["membres"]
        ]
        now = {members.get(place) for some in places for place in some} if all(places) else {None}
        current = code if last == max(read) and row["type"] != "EPT" else now.pop() if len(now) == 1 else None
        departements = sorted({communes[place]["departement"] for some in places for place in some})
        inhabitants = row["populationMunicipale"]
        found.append((code, row["nom"], row["type"], inhabitants, " ".join(departements), current, first, last))
    return found


def write_table(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """One table, sorted; a compressed one bears neither name nor date."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    written = sorted(["" if cell is None else str(cell) for cell in row] for row in rows)
    writer.writerows(written)
    content = text.getvalue().encode()
    (FOLDER / name).write_bytes(gzip.compress(content, 9, mtime=0) if name.endswith(".gz") else content)
    print(f"{name:<24} {len(written):>6} lignes  {(FOLDER / name).stat().st_size:>8} octets")


if __name__ == "__main__":
    sys.exit(main())
