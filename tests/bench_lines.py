"""Invented lines in the likeness of a country's, for the bench: who pays, who asks, and what each funder's files say.

What makes a real one costly is kept: two hundred funders of every level and very unequal size, each with its services
and schemes; bodies that several funders pay, one in ten known by a name alone; places written as codes, as a postcode
and a name, or as nothing; as many distinct titles as half the lines; a third of the funders that tell their refusals,
agreements over several years, calls, cofunders, problems. Communes, EPCI and authorities are the real ones. Drawn from
a fixed seed: equal sizes give equal files.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from schemas import territory
from schemas.identifiers import digit_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 20261127
YEARS = range(2016, 2026)
FUNDERS = 200
_NUMBERED = ("siren", "siret", "rna")
_SERVICES = (
    "Direction de la cohésion sociale", "Direction de la culture", "Service des sports", "Direction de l'éducation",
    "Service de la vie associative", "Direction de l'emploi et de l'insertion", "Mission politique de la ville",
    "Direction de l'environnement", "Service jeunesse", "Direction de l'économie", "Direction de l'habitat",
    "Direction de la santé", "Service des relations internationales", "Cabinet", "Service du patrimoine",
)  # fmt: skip
_SCHEMES = (
    "Aide au fonctionnement", "Appel à projets annuel", "Aide alimentaire", "Contrat de ville", "Soutien à la création",
    "Fonds d'initiatives locales", "Aide à l'investissement", "Manifestations", "Emploi associatif", "Insertion",
)  # fmt: skip
_THEMES = (
    "Culture", "Sport", "Action sociale", "Jeunesse", "Environnement", "Logement", "Santé", "Vie associative",
    "Emploi", "Tourisme", "Enseignement", "Solidarités",
)  # fmt: skip
_KINDS = (
    "Association", "Comité", "Club", "Amicale", "Compagnie", "Les Amis de", "Centre", "Union sportive", "Collectif",
    "Foyer rural", "Secours", "Théâtre", "Ensemble", "Régie de quartier", "Banque alimentaire", "Maison",
)  # fmt: skip
_WHAT = (
    "sportive", "culturelle", "des parents d'élèves", "de danse", "d'insertion", "solidaire", "de musique", "laïque",
    "des aînés", "de quartier", "pour l'emploi", "du patrimoine", "de judo", "d'aide à domicile", "des jeunes",
)  # fmt: skip
_DEEDS = (
    "Fonctionnement", "Festival", "Distribution de colis alimentaires", "Atelier de cuisine", "Tournoi annuel",
    "Rénovation des locaux", "Accueil de jour", "Chantier d'insertion", "Création d'un spectacle", "Soutien scolaire",
    "Épicerie solidaire", "Achat de matériel", "Résidence d'artistes", "Hébergement d'urgence", "Jardin partagé",
    "Prévention santé", "Aide aux vacances", "Formation des bénévoles", "Fête du quartier", "Accès aux droits",
)  # fmt: skip
_FOR = (
    "pour les familles", "des jeunes", "du quartier", "en milieu rural", "des habitants", "pour les aînés", "",
    "autour du livre", "et de la mer", "par le sport", "avec les écoles", "hors les murs", "", "",
)  # fmt: skip
_SOUNDS = ("ba", "che", "di", "fou", "gra", "lin", "mon", "ne", "pri", "rol", "sau", "ti", "ver", "zan", "cour", "bel")
_REASONS = ("budget_exhausted", "low_priority", "incomplete", "out_of_scope", "late")
_OUTCOMES = ("awarded", "refused", "inadmissible", "withdrawn", "pending")
_CHANCES = (0.70, 0.20, 0.04, 0.03, 0.03)


@dataclass(frozen=True)
class Funder:
    name: str
    siren: str | None
    level: str
    code: str
    """What its `level` makes of it: a région, a département, or the département it is in; empty for the country."""
    publishes_refusals: bool
    number: int


def funders(communes: pl.DataFrame, rng: np.random.Generator) -> list[Funder]:
    """The State and Europe, thirteen regions, and départements, EPCI, towns and family funds drawn at random."""
    tables = territory.tables()
    regions = [row for row in tables["authorities"].rows(named=True) if row["level"] == "region"][:13]
    departements = tables["departements"].filter(pl.col("code").str.len_chars() == 2)["code", "name"].rows()
    epci = tables["epci"].filter(pl.col("population") > 30_000, ~pl.col("departement_codes").str.contains(" "))
    towns = communes.sort("population", descending=True).head(300)
    found = [("État", "110046018", "state", ""), ("Fonds social européen", None, "europe", "")]
    found += [(row["name"], row["siren"], "region", row["code"]) for row in regions]
    found += [(f"Département {name}", f"22{code:0<2}00018", "departement", code) for code, name in departements[:80]]
    found += [
        (f"Caisse d'allocations familiales {name}", None, "caf", code)
        for code, name in departements[:10]
    ]  # fmt: skip
    for frame, level, name, siren, code in (
        (epci, "epci", "name", "code", "departement_codes"),
        (towns, "commune", "name", "siren", "departement_code"),
    ):
        drawn = frame[np.sort(rng.choice(frame.height, 55, replace=False))]
        found += [(row[name], row[siren], level, row[code]) for row in drawn.rows(named=True)]
    return [Funder(*told, publishes_refusals=n % 3 == 0, number=n) for n, told in enumerate(found[:FUNDERS])]


def bodies(number: int, communes: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Those who ask: `siren`, `siret`, `rna`, `name`, `kind`, and where they are."""
    weights = np.asarray(communes["population"].fill_null(1).to_numpy(), dtype=float) ** 0.8
    seats = communes[rng.choice(communes.height, number, p=weights / weights.sum())]
    words = [_drawn(_words()[:4_000], number, rng, power=1.2) for _ in range(2)]
    frame = pl.DataFrame({
        "name": pl.select(
            pl.concat_str(
                _drawn(np.array(_KINDS), number, rng), _drawn(np.array(_WHAT), number, rng), *words, separator=" "
            )
        ).to_series(),
        "stem": np.arange(number) * 337 % 90_000_000 + 1_000_000,
        "chance": rng.random(number), "in_town": rng.random(number) < 0.3,
    }).hstack(seats.select(
        "departement_code", "region_code", commune_code="code", commune_name="name", town_siren="siren",
        postcode=pl.col("postcodes").str.split(" ").list.first(),
    ))  # fmt: skip
    key = _luhn_key(pl.col("stem") * 10, digits=9)
    frame = frame.with_columns(siren=(pl.col("stem") * 10 + key).cast(pl.String).str.zfill(9))
    is_town, is_bare = pl.col("chance") < 0.06, pl.col("chance").is_between(0.06, 0.16)
    is_person, is_unknown = pl.col("chance").is_between(0.16, 0.18), pl.col("chance").is_between(0.18, 0.22)
    siren = pl.when(is_town).then("town_siren").when(~(is_bare | is_person | is_unknown)).then("siren")
    frame = frame.with_columns(
        siren=siren,
        name=pl.when(is_town).then(pl.format("Commune de {}", "commune_name"))
        .when("in_town").then(pl.format("{} de {}", "name", "commune_name"))
        .otherwise("name"),
        kind=pl.when(is_person).then(pl.lit("natural")).when(is_unknown).then(pl.lit("unknown"))
        .otherwise(pl.lit("legal")),
        rna=pl.when(is_bare & (pl.col("chance") < 0.08))
        .then(pl.format("W{}", pl.col("stem").cast(pl.String).str.zfill(9))),
    )  # fmt: skip
    nic = pl.col("siren").cast(pl.Int64) * 100_000 + 10
    last = _luhn_key(nic, digits=14)
    return frame.with_columns(siret=(nic + last).cast(pl.String).str.zfill(14)).drop("stem", "chance", "in_town")


def _luhn_key(number: pl.Expr, *, digits: int) -> pl.Expr:
    """The last digit that makes `number`, which ends with zero, pass Luhn's test."""
    sums = number.fill_null(0).map_batches(
        lambda cells: pl.Series(digit_sums(cells.to_numpy(), digits=digits, luhn=True)), return_dtype=pl.UInt16
    )
    return (10 - sums.cast(pl.Int64) % 10) % 10


def lines_of(
    funder: Funder, size: int, bodies: pl.DataFrame, places: dict[str, NDArray[np.int64]], rng: np.random.Generator
) -> pl.DataFrame:
    """The lines of one funder, ordered by year: relations that begin, last some years, and ask once or twice a year."""
    relations = _relations(funder, size, bodies, places, rng)
    year = pl.int_ranges("first_year", "last_year", dtype=pl.Int32)
    every = relations.with_columns(fiscal_year=year).explode("fiscal_year", empty_as_null=False)
    every = every.sort("fiscal_year", "relation", maintain_order=True)
    while every.height < size:
        every = pl.concat([every, every.head(size - every.height)])
    every = every[np.sort(rng.choice(every.height, size, replace=False))]
    n = every.height
    statuses = rng.choice(_OUTCOMES, n, p=_CHANCES) if funder.publishes_refusals else np.full(n, "awarded")
    amount = np.round(np.asarray(every["usual"].to_numpy()) * rng.lognormal(0, 0.15, n) / 10) * 10 + 50
    day = pl.date("fiscal_year", 1, 1) + pl.duration(days="day")
    is_award = pl.col("decision_status") == "awarded"
    is_told = funder.publishes_refusals
    never = pl.lit(None)
    every = every.with_columns(
        decision_status=pl.Series(statuses), amount=pl.Series(amount).cast(pl.Decimal(18, 2)),
        day=pl.Series(rng.integers(0, 150, n)), delay=pl.Series(rng.integers(20, 200, n)),
        more=pl.Series(1 + rng.random(n).round(1)), reason=pl.Series(rng.choice(_REASONS, n)),
        luck=pl.Series(rng.random(n)), number=pl.int_range(1, n + 1),
    )  # fmt: skip
    title = (
        pl.when(pl.col("style") < 0.3).then(pl.format("{} {}", "deed", "fiscal_year"))
        .when(pl.col("style") < 0.6).then(pl.format("{} {} à {}", "deed", "of", "commune_name"))
        .when(pl.col("style") < 0.9).then(pl.format("{} {} « {} »", "deed", "of", "word"))
        .otherwise("deed")
    )  # fmt: skip
    is_long = pl.col("is_agreed") & (pl.col("last_year") - pl.col("first_year") > 2)
    return every.with_columns(
        case_number=pl.when(pl.lit(is_told) | (pl.col("kind") == "natural"))
        .then(pl.format("{}-{}", "fiscal_year", "number")),
        title=title.str.replace_all("  ", " ", literal=True).str.strip_chars(),
        amount_requested=pl.when(pl.lit(is_told))
        .then((pl.col("amount") * pl.col("more")).round(2).cast(pl.Decimal(18, 2))),
        amount_awarded=pl.when(is_award).then("amount"),
        deposited_date=pl.when(pl.lit(is_told)).then(day),
        decided_date=pl.when(pl.lit(is_told) & (pl.col("decision_status") != "pending"))
        .then(day + pl.duration(days="delay")),
        signed_date=pl.when(pl.lit(not is_told)).then(day + pl.duration(days="delay")),
        refusal_reason=pl.when(pl.col("decision_status") == "refused", pl.col("luck") < 0.6).then("reason"),
        is_multi_year=pl.when(is_long).then(pl.lit(True)),
        agreement_id=pl.when(is_long).then(pl.format("CPO-{}-{}", "first_year", "relation")),
        agreement_start_year=pl.when(is_long).then("first_year"),
        agreement_end_year=pl.when(is_long).then(pl.col("last_year") - 1),
        call_id=pl.when(pl.col("scheme") == _SCHEMES[1]).then(
            pl.format("AAP-{}-{}", "fiscal_year", pl.col("service").rank("dense"))),
        cofunders=pl.when(pl.col("luck") > 0.98).then(pl.lit("Région et Département")),
        action_territory_name=pl.when(pl.col("luck") < 0.3).then("commune_name").otherwise(never),
        action_territory_level=pl.when(pl.col("luck") < 0.3).then(pl.lit("commune")).otherwise(never),
        budget_programme=pl.when(pl.lit(funder.level == "state"))
        .then(pl.format("{}-14", 100 + pl.col("relation") % 250)),
        theme_raw=pl.when(pl.lit(funder.number % 2 == 0)).then("theme_raw"),
        **_seat(funder.number),
    )  # fmt: skip


def _relations(
    funder: Funder, size: int, bodies: pl.DataFrame, places: dict[str, NDArray[np.int64]], rng: np.random.Generator
) -> pl.DataFrame:
    pool = places[""]
    if funder.code:
        pool = places.get(f"{'region' if funder.level == 'region' else 'departement'}_code:{funder.code}", pool)
    n = max(4, size // 2)
    first = rng.integers(YEARS.start - 5, YEARS.stop, n)
    last = np.minimum(first + rng.geometric(0.28, n), YEARS.stop)
    first = np.maximum(first, YEARS.start)
    services = np.array([f"{name} {k + 1}".removesuffix(" 1") for k in range(2) for name in _SERVICES])
    services = services[: 4 + funder.number % 14]
    schemes = np.roll(np.array(_SCHEMES), funder.number)[: 3 + funder.number % 5]
    table = pl.DataFrame({
        "relation": np.arange(n), "first_year": first, "last_year": last,
        "body": pool[np.minimum((rng.random(n) ** 1.6 * len(pool)).astype(int), len(pool) - 1)],
        "service": _drawn(services, n, rng, power=1.5), "scheme": _drawn(schemes, n, rng),
        "deed": _drawn(np.array(_DEEDS), n, rng), "of": _drawn(np.array(_FOR), n, rng),
        "word": _drawn(_words(), n, rng), "style": rng.random(n), "is_agreed": rng.random(n) < 0.1,
        "usual": np.minimum(rng.lognormal(8.3, 1.4, n), 5_000_000), "theme_raw": _drawn(np.array(_THEMES), n, rng),
    })  # fmt: skip
    known = table.filter(pl.col("last_year") > pl.col("first_year"))
    return known.with_columns(pl.col("first_year", "last_year").cast(pl.Int32)).hstack(
        bodies[known["body"].to_numpy()].select(
            *_NUMBERED, "name", "kind", "commune_code", "commune_name", "postcode", "departement_code"
        )
    )


def _seat(number: int) -> dict[str, pl.Expr]:
    """A funder writes where its applicants are as a code, as a postcode and a name, as a name alone, or not."""
    written = {"code": {0, 1, 2, 5, 7}, "name": {3, 4, 8, 9}}
    is_coded, is_named = number % 10 in written["code"], number % 10 in written["name"]
    return {
        "seat_commune_code": pl.col("commune_code") if is_coded else pl.lit(None, dtype=pl.String),
        "seat_commune_name": pl.col("commune_name") if is_named else pl.lit(None, dtype=pl.String),
        "seat_postcode": pl.col("postcode") if is_named and number % 2 else pl.lit(None, dtype=pl.String),
    }


def _drawn(of: NDArray[np.str_], number: int, rng: np.random.Generator, *, power: float = 1.0) -> pl.Series:
    """So many of `of`, the first ones oftener when `power` is above 1."""
    places = (rng.random(number) ** power * len(of)).astype(int)
    return pl.Series(of)[places]


@cache
def _words() -> NDArray[np.str_]:
    """Twenty thousand invented words."""
    chance = random.Random(SEED)
    return np.array(["".join(chance.choices(_SOUNDS, k=chance.randint(2, 4))).capitalize() for _ in range(20_000)])
