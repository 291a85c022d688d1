"""What publishing costs at scale, printed: 300 000 awards to 100 000 beneficiaries, from an invented database.

`python -m tests.bench_site` publishes it three times: from nothing, after one award changed, and with nothing new.
"""

from __future__ import annotations

import datetime as dt
import gzip
import itertools
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from tests.publish_database import PLACES, PURPOSES, THEMES, WORDS, Funder, World, build

AWARDS, BENEFICIARIES = 300_000, 103_000  # of these, 100 000 legal persons
REGIONS, DEPARTEMENTS, EPCIS = 18, 101, 1_250
SEED = 20261127
ENDINGS = ("de Saint-Martin", "des Trois Rivières", "et Loisirs", "pour tous", "du Pays vert", "solidarité", "musique")
PUBLISH = (
    "import resource, sys, time\nfrom pathlib import Path\nfrom pipelines.publish.site import publish\n"
    "if __name__ == '__main__':\n"
    "    started = time.perf_counter()\n"
    "    result = publish(Path(sys.argv[1]), Path(sys.argv[2]))\n"
    "    took = time.perf_counter() - started\n"
    "    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))\n"
    "    work = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime\n"
    "    print(took, work, result.pages, result.files, result.bytes, result.written)\n"
)
EVERY = 0.05
"""Seconds between two weighings of the processes of a publication."""


def large_world(awards: int = AWARDS, beneficiaries: int = BENEFICIARIES, *, epcis: int = EPCIS) -> World:
    """A country: every région and département funds its own, the State everywhere, a hundred towns around them."""
    chance = random.Random(SEED)
    codes = [f"{n:02}" for n in range(1, DEPARTEMENTS + 1)]
    region_of = {code: f"{11 + n % REGIONS}" for n, code in enumerate(codes)}
    epci_of = {f"24{n:07}": codes[n % len(codes)] for n in range(epcis)}
    inside: dict[str, list[str]] = {}
    for epci, code in epci_of.items():
        inside.setdefault(code, []).append(epci)
    everywhere, local = _funders(codes, region_of)
    people = [_person(chance, n, codes, region_of, inside) for n in range(beneficiaries)]
    rows: list[dict[str, Any]] = []
    for person in itertools.chain(people, iter(lambda: chance.choice(people), None)):
        if len(rows) >= awards:
            break
        funder = chance.choice([*everywhere, *local[person["departement_code"]]])
        start = chance.randint(funder[4], funder[5])
        service = chance.choice(funder[7])
        for year in range(start, min(funder[5], start + chance.choice((0, 0, 0, 1, 3))) + 1):
            rows.append(_award(chance, len(rows), person, funder, service, year))
    places: list[tuple[str, str, str, str, str | None]] = [
        *((f"region:{11 + n}", "region", f"{11 + n}", f"Région numéro {n}", None) for n in range(REGIONS)),
        *((f"departement:{c}", "departement", c, f"Département {c}", f"region:{region_of[c]}") for c in codes),
        *((f"epci:{e}", "epci", e, f"Communauté de communes {e[2:]}", f"departement:{c}") for e, c in epci_of.items()),
        ("departement:—", "departement", "—", "non précisé", None),
    ]
    return World(
        pl.DataFrame(rows[:awards], infer_schema_length=None),
        [*everywhere, *_distinct(local)],
        places,
    )


def _distinct(local: dict[str, list[Funder]]) -> list[Funder]:
    return list({funder[0]: funder for funders in local.values() for funder in funders}.values())


def _funders(codes: list[str], region_of: dict[str, str]) -> tuple[list[Funder], dict[str, list[Funder]]]:
    services: list[str | None] = [f"Direction {word}" for word in ("sociale", "culture", "sport", "économie")]
    everywhere: list[Funder] = [("130000001", "État", "state", "awarded", 2019, 2026, "partly", services)]
    regions: dict[str, Funder] = {
        region: (f"2300000{region}", f"Région {region}", "region", "awarded", 2019, 2025, "yes", services)
        for region in sorted(set(region_of.values()))
    }
    local = {}
    for n, code in enumerate(codes):
        stage = "paid" if n % 10 == 0 else "awarded"
        own: Funder = (
            f"220000{code:>03}",
            f"Département {code}",
            "departement",
            stage,
            2019,
            2025,
            "unknown",
            services,
        )
        town: Funder = (f"210000{code:>03}", f"Ville numéro {code}", "commune", "awarded", 2021, 2025, "no", [None])
        local[code] = [regions[region_of[code]], own, town]
    return everywhere, local


def _person(
    chance: random.Random, n: int, codes: list[str], region_of: dict[str, str], inside: dict[str, list[str]]
) -> dict[str, Any]:
    code = codes[min(int(chance.paretovariate(0.7)) - 1, len(codes) - 1)]
    return {
        "organisation_id": f"siren:{300_000_000 + n * 7}",
        "beneficiary_name": f"{chance.choice(WORDS)} {chance.choice(PLACES)} {chance.choice(ENDINGS)} {n // 40}",
        "kind": "natural" if n % 40 == 7 else "legal",
        "beneficiary_siren": f"{300_000_000 + n * 7}",
        "region_code": region_of[code],
        "departement_code": code,
        "epci_code": chance.choice(inside[code]) if code in inside else None,
        "commune_name": f"{chance.choice(('Saint-Jean', 'Villeneuve', 'Montfort', 'Le Bourg'))} {n % 300}",
    }


def _award(
    chance: random.Random, n: int, person: dict[str, Any], funder: Funder, service: str | None, year: int
) -> dict[str, Any]:
    multi = funder[2] == "region" and n % 5 == 0
    return {
        "application_id": f"{funder[0]}-{n:07}",
        "funder_id": funder[0], "funder_name": funder[1], "level": funder[2], "stage": funder[3],
        "service_name": service, "scheme": "Subvention annuelle" if n % 3 else "Appel à projets",
        **person,
        "title": f"{chance.choice(('Fonctionnement', 'Projet', 'Achat de matériel', 'Festival'))} {n % 5000}",
        "theme": chance.choice(THEMES), "purpose": chance.choice(PURPOSES), "fiscal_year": year,
        "amount": f"{500 * chance.paretovariate(0.9):.2f}" if n % 50 else None, "currency": "EUR",
        "decided_date": dt.date(year, 1 + n % 12, 1 + n % 28),
        "agreement_id": f"cpo-{n}" if multi else None,
        "agreement_start_year": year if multi else None, "agreement_end_year": year + 2 if multi else None,
    }  # fmt: skip


def publication(database: Path, reports: Path) -> str:
    """What one publication costs in a process of its own and those it starts, in words."""
    command = [sys.executable, "-c", PUBLISH, str(database), str(reports)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        resident = proportional = 0
        while running.poll() is None:
            now = weights(running.pid)
            resident, proportional = max(resident, now[0]), max(proportional, now[1])
            time.sleep(EVERY)
        answer = running.stdout.read() if running.stdout else ""
    took, work, pages, files, octets, written = (float(word) for word in answer.split())
    return (
        f"{took:.0f} s (120 at most wanted from nothing), {work:.0f} s of processor,"
        f" {resident / 1e6:.0f} MB resident at most, all processes added, {proportional / 1e6:.0f} MB with what they"
        f" share counted once (2 000 at most wanted); {pages:.0f} pages,"
        f" {files:.0f} files, {octets / 1e6:.0f} MB, {written:.0f} written"
    )


def weights(process: int) -> tuple[int, int]:
    """Bytes of memory of a process and of those below it at this instant: resident (RSS) and proportional (PSS)."""
    resident = proportional = 0
    waiting = [process]
    while waiting:
        folder = Path(f"/proc/{waiting.pop()}")
        try:
            told = dict(line.split(":", 1) for line in (folder / "smaps_rollup").read_text().splitlines()[1:])
            waiting += [int(child) for task in (folder / "task").iterdir() for child in _children(task)]
        except OSError:  # ended between two looks
            continue
        resident += int(told["Rss"].split()[0]) * 1024
        proportional += int(told["Pss"].split()[0]) * 1024
    return resident, proportional


def _children(task: Path) -> list[str]:
    return (task / "children").read_text().split()


def whole_site(folder: Path) -> list[tuple[str, str]]:
    """Three publications of the large site, each with its cost in words."""
    folder.mkdir(exist_ok=True)
    database = build(folder / "public.duckdb", world=large_world())
    found = [("from nothing", publication(database, folder / "reports"))]
    with duckdb.connect(str(database)) as db:
        db.execute(
            "UPDATE awards SET title = 'Autre objet' WHERE application_id = (SELECT min(application_id) FROM awards)"
        )
    found.append(("one title changed", publication(database, folder / "reports")))
    found.append(("nothing new", publication(database, folder / "reports")))
    for kind, what in (("m", "words"), ("l", "lines"), ("b", "beneficiaries"), ("a", "awards")):
        sizes = sorted(len(gzip.compress(path.read_bytes())) for path in (folder / f"reports/s/{kind}").glob("*.js"))
        most = sizes[len(sizes) * 95 // 100] / 1e3, sizes[-1] / 1e3
        found.append(
            (f"shards of {what}", f"{len(sizes)}, of {most[0]:.0f} KB compressed (p95), {most[1]:.0f} at most")
        )
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        for what, cost in whole_site(Path(name)):
            print(f"site of {AWARDS} awards, {what}: {cost}", flush=True)
