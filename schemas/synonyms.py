"""What titles and words of unknown files may mean: `schemas/synonyms.toml`, checked against the contract.

Only inference reads this table. A format never does: words are mapped per format, never globally.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, model_validator

from schemas import codelist
from schemas.format import COMPOSITES, DERIVED, application_fields

FILE = Path(__file__).parent / "synonyms.toml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Spellings(_Strict):
    """`titles` say the field by themselves; `weak` ones only where nothing else does and the cells agree."""

    titles: tuple[str, ...]
    weak: tuple[str, ...] = ()


class Either(_Strict):
    """Titles that say too little: the name or number of either party, a nature, an amount, a date or a year."""

    name: tuple[str, ...]
    id: tuple[str, ...]
    nature: tuple[str, ...]
    amount: tuple[str, ...]
    date: tuple[str, ...]
    year: tuple[str, ...]


class Lists(_Strict):
    """What a list says of itself: regular expressions over folded words, and titles of the legal list."""

    awards: str
    payments: str
    accounts: str
    subjects: str
    others: str
    published: str
    conventions: tuple[str, ...]
    mandates: tuple[str, ...]


class Synonyms(_Strict):
    """The whole table.

    `statuses`, `purposes`, `aid_forms`, `kinds`: code → words; `unclear`: word → what it may mean.
    """

    fields: dict[str, Spellings]
    either: Either
    ignore: dict[str, tuple[str, ...]]
    statuses: dict[str, tuple[str, ...]]
    unclear: dict[str, str]
    purposes: dict[str, tuple[str, ...]]
    aid_forms: dict[str, tuple[str, ...]]
    kinds: dict[str, tuple[str, ...]]
    lists: Lists

    @model_validator(mode="after")
    def _names_exist(self) -> Synonyms:
        for name in self.fields:
            if name in DERIVED or (name not in COMPOSITES and name not in application_fields()):
                raise ValueError(f"« {name} » is not a field that a format may fill")
        coded = {
            "decision_status": self.statuses,
            "purpose": self.purposes,
            "aid_form": self.aid_forms,
            "applicant_kind": self.kinds,
        }
        for name, words in coded.items():
            for code in words:
                if code not in codelist.codes(name):
                    raise ValueError(f"« {code} » is not in the codelist {name}")
        return self


@cache
def load_synonyms() -> Synonyms:
    """The table, read once."""
    return Synonyms.model_validate(tomllib.loads(FILE.read_text(encoding="utf-8")))
