"""`feeds.toml`: the open data that is fetched into `raw/`, and the limits of fetching. How it is done is elsewhere."""

from __future__ import annotations

import tomllib
from ipaddress import IPv4Network, IPv6Network  # noqa: TC003 - pydantic reads the annotation
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

PATH = Path(__file__).parent / "feeds.toml"
SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".xlsx", ".xlsm", ".xls", ".ods", ".zip")
"""What a file of a feed may be: what the inbox reads."""
FOLDER = r"^[a-z0-9][a-z0-9-]{0,99}$"
_FOR_REGISTERS = "reference"
_ANSWERS = ("confirmer-", "questions-")
"""How the names begin of the files by which a depositor answers: nobody answers from afar."""


class FeedsError(ValueError):
    """A feeds.toml that cannot be used; the French message says where and why."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Strict):
    """Bounds of fetching: bytes, seconds, counts, and the private networks that are permitted all the same."""

    bytes: int = Field(gt=0)
    seconds: float = Field(gt=0)
    silence: float = Field(gt=0)
    attempts: int = Field(ge=1, le=10)
    first_wait: float = Field(ge=0)
    redirects: int = Field(ge=0, le=20)
    pages: int = Field(ge=1)
    permitted_networks: tuple[IPv4Network | IPv6Network, ...] = ()


class Resource(_Strict):
    """One file of a publisher. `file`: its place in the publisher's folder; `checksum`: algorithm and digest."""

    publisher: str = Field(pattern=FOLDER)
    file: str
    url: str
    licence: str | None = None
    source: str | None = None
    page: str | None = None
    sha256: str | None = Field(default=None, pattern=r"^([0-9a-f]{64})?$")
    sha1: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")

    @property
    def place(self) -> str:
        """Where the file is kept, relative to `raw/`: what identifies the resource."""
        return f"{self.publisher}/{self.file}"

    @field_validator("publisher")
    @classmethod
    def _is_no_register(cls, publisher: str) -> str:
        if publisher == _FOR_REGISTERS:
            raise ValueError(f"« {publisher} » est le dossier des fichiers de référence")
        return publisher

    @field_validator("file")
    @classmethod
    def _is_a_deposit(cls, file: str) -> str:
        parts = file.split("/")
        if any(not part.isprintable() or part != part.strip() or part[:1] in ("", ".", "_", "~") for part in parts):
            raise ValueError(f"« {file} » n'est pas un nom de fichier à déposer")
        if "\\" in file or len(file.encode()) > 200 or parts[-1].lower().startswith(_ANSWERS):
            raise ValueError(f"« {file} » n'est pas un nom de fichier à déposer")
        if Path(file).suffix.lower() not in SUFFIXES:
            raise ValueError(f"« {file} » : un fichier à recevoir finit par {', '.join(SUFFIXES)}")
        return file


class Catalogue(_Strict):
    """A search in an udata catalogue: every resource that declares `schema`."""

    url: str
    schema_name: str = Field(alias="schema")
    organisations: tuple[str, ...] = ()


class Feeds(_Strict):
    """The whole file."""

    limits: Limits
    resources: tuple[Resource, ...] = ()
    catalogues: tuple[Catalogue, ...] = ()

    @field_validator("resources")
    @classmethod
    def _each_has_its_place(cls, resources: tuple[Resource, ...]) -> tuple[Resource, ...]:
        places = [resource.place for resource in resources]
        for place in places:
            if places.count(place) > 1:
                raise ValueError(f"deux ressources ont la même place, « {place} »")
        return resources


def load_feeds(path: Path = PATH) -> Feeds:
    """What `path` declares. Raises `FeedsError` when it is not TOML, or holds an unknown key or value."""
    try:
        return Feeds.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FeedsError(f"{path.name} n'est pas un fichier TOML lisible : {error}") from error
    except ValidationError as error:
        problems = " ; ".join(f"{'.'.join(map(str, e['loc']))} : {e['msg']}" for e in error.errors())
        raise FeedsError(f"{path.name} : {problems}") from error
