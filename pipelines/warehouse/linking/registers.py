"""The official registers, when their stock files are in `raw/reference/`: Sirene (Insee) and RNA (Intérieur).

Files as they are published, CSV or Parquet: `StockUniteLegale*`, `StockEtablissement*` (one line a legal unit, one an
establishment), `rna_waldec*`, `rna_import*` (one line an association). Only what concerns the organisations at hand is
read; no name of a natural person, no address and nobody's contact ever is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

REGISTER = pl.Schema({
    "organisation_key": pl.String(), "register": pl.String(), "legal_name": pl.String(), "short_name": pl.String(),
    "legal_category": pl.String(), "is_active": pl.Boolean(), "is_natural": pl.Boolean(), "is_restricted": pl.Boolean(),
    "seat_commune_code": pl.String(), "other_key": pl.String(),
})  # fmt: skip
NATURAL_CATEGORY = "1"  # catégories juridiques: level I, « Entrepreneur individuel »
_UNITS = {
    "siren": "siren", "denominationUniteLegale": "legal_name", "sigleUniteLegale": "short_name",
    "categorieJuridiqueUniteLegale": "legal_category", "etatAdministratifUniteLegale": "state",
    "statutDiffusionUniteLegale": "diffusion", "nicSiegeUniteLegale": "nic", "identifiantAssociationUniteLegale": "rna",
}  # fmt: skip
_SEATS = {
    "siret": "siret",
    "codeCommuneEtablissement": "seat_commune_code",
    "statutDiffusionEtablissement": "diffusion",
}
_ASSOCIATIONS = {
    "id": "rna", "titre": "legal_name", "siret": "siret", "position": "state", "adrs_codeinsee": "seat_commune_code",
}  # fmt: skip


class RegisterError(ValueError):
    """A register file that cannot be used; the message names it and says why."""


def files(folder: Path | None) -> list[Path]:
    """The register files of `folder`, sorted; none when there is no such folder."""
    patterns = ("StockUniteLegale*", "StockEtablissement*", "rna_waldec*", "rna_import*")
    found = (
        {path for pattern in patterns for path in folder.glob(pattern)}
        if folder is not None and folder.is_dir()
        else set()
    )
    return sorted(path for path in found if path.suffix in (".csv", ".parquet"))


def read_registers(folder: Path | None, *, sirens: Collection[str], rnas: Collection[str]) -> pl.DataFrame:
    """A frame of `REGISTER`: one row for each of `sirens` and `rnas` that a register knows.

    `other_key`: the other register's number of the same body, as this one gives it. Raises `RegisterError` when a file
    lacks a column of its published layout or cannot be read.
    """
    every = files(folder)
    frames = [pl.DataFrame(schema=REGISTER)]
    units = [path for path in every if path.name.startswith("StockUniteLegale")]
    seats = [path for path in every if path.name.startswith("StockEtablissement")]
    if units and sirens:
        frames.append(_sirene(units, seats, sirens))
    # the later file of a kind and the maintained list (waldec) say more than the old one (import)
    associations = [path for path in every if path.name.startswith("rna_")]
    if associations and rnas:
        frames.append(_rna(associations, rnas))
    return pl.concat([frame.select(REGISTER.names()).cast(pl.Schema(REGISTER)) for frame in frames]).sort(
        "organisation_key"
    )


def _sirene(units: list[Path], seats: list[Path], sirens: Collection[str]) -> pl.DataFrame:
    found = pl.concat([_read(path, _UNITS, "siren", sirens) for path in units])
    found = found.unique("siren", keep="last", maintain_order=True).with_columns(siret=pl.col("siren") + pl.col("nic"))
    places = pl.DataFrame(schema={"siret": pl.String, "seat_commune_code": pl.String, "diffusion": pl.String})
    if seats:
        wanted = found["siret"].drop_nulls().to_list()
        places = pl.concat([_read(path, _SEATS, "siret", wanted) for path in seats]).unique("siret", keep="last")
    joined = found.join(places, on="siret", how="left", suffix="_seat")
    natural = pl.col("legal_category").str.starts_with(NATURAL_CATEGORY).fill_null(False)
    # O: everything may be diffused; P: the body asked for restrictions (N, before 2023: nothing of it is diffused)
    restricted = pl.col("diffusion").fill_null("P").ne("O") | pl.col("diffusion_seat").fill_null("O").ne("O")
    shown = ~(natural | restricted)
    return joined.with_columns(
        organisation_key="siren:" + pl.col("siren"),
        register=pl.lit("sirene"),
        legal_name=pl.when(shown).then("legal_name"),
        short_name=pl.when(shown).then("short_name"),
        is_active=pl.col("state") == "A",
        is_natural=natural,
        is_restricted=restricted,
        seat_commune_code=pl.when(shown).then("seat_commune_code"),
        other_key="rna:" + pl.col("rna"),
    )


def _rna(paths: list[Path], rnas: Collection[str]) -> pl.DataFrame:
    ordered = sorted(paths, key=lambda path: (path.name.startswith("rna_waldec"), path.name))
    found = pl.concat([_read(path, _ASSOCIATIONS, "id", rnas) for path in ordered])
    siret = pl.col("siret").str.replace_all(r"\D", "")
    return found.unique("rna", keep="last", maintain_order=True).with_columns(
        organisation_key="rna:" + pl.col("rna"),
        register=pl.lit("rna"),
        short_name=pl.lit(None, dtype=pl.String),
        legal_category=pl.lit("92"),  # an association, whatever its kind
        is_active=pl.col("state") == "A",
        is_natural=pl.lit(False),
        is_restricted=pl.lit(False),
        other_key=pl.when(siret.str.len_chars() == 14).then("siren:" + siret.str.slice(0, 9)),
    )


def _read(path: Path, columns: dict[str, str], key: str, wanted: Collection[str]) -> pl.DataFrame:
    """The wanted lines of a file, its columns renamed, all text, blanks null."""
    try:
        scanned = pl.scan_parquet(path) if path.suffix == ".parquet" else _scan_csv(path)
        present = scanned.collect_schema().names()
        if missing := [name for name in columns if name not in present]:
            raise RegisterError(
                f"{path.name} : colonne absente : {', '.join(missing)}. Déposez dans raw/reference/ le fichier stock"
                " tel qu'il est publié."
            )
        text = [
            pl.col(name).cast(pl.String).str.strip_chars().replace("", None).alias(to) for name, to in columns.items()
        ]
        return scanned.filter(pl.col(key).cast(pl.String).is_in(list(wanted))).select(text).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise RegisterError(
            f"{path.name} : fichier illisible. Déposez-le de nouveau dans raw/reference/, ou retirez-le."
        ) from error


def _scan_csv(path: Path) -> pl.LazyFrame:
    with path.open("rb") as file:
        header = file.readline()
    separator = ";" if header.count(b";") > header.count(b",") else ","
    return pl.scan_csv(path, separator=separator, infer_schema=False, encoding="utf8-lossy")
