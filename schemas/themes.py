"""The rule that concludes a theme where no file states one: `schemas/themes.toml`, checked against the models below.

Here is what the rule says, and how words are compared; the warehouse applies it, the method page prints it.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from schemas import codelist

if TYPE_CHECKING:
    from collections.abc import Sequence

Texts = TypeVar("Texts", pl.Series, pl.Expr)
FILE = Path(__file__).with_name("themes.toml")
UNKNOWN = "unknown"
FIRST = "food_aid"
"""The theme that comes before every other, whatever says it."""


class ThemesError(ValueError):
    """A rule file that cannot be used; the message, in French, names the file, the theme and the expression."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Programme(_Strict):
    """A State budget programme (three digits) or one of its actions (`304-14`), and the years when it meant a theme.

    `first_year`, `last_year`: fiscal years, both included; None leaves that side open.
    """

    code: str = Field(pattern=r"^\d{3}(-\d{2})?$")
    first_year: int | None = Field(default=None, ge=2006, le=2100)
    last_year: int | None = Field(default=None, ge=2006, le=2100)

    @model_validator(mode="before")
    @classmethod
    def _code_alone(cls, value: object) -> object:
        return {"code": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _years_in_order(self) -> Programme:
        if self.first_year and self.last_year and self.first_year > self.last_year:
            raise ValueError(f"programme {self.code} : {self.first_year} est après {self.last_year}")
        return self

    def overlaps(self, other: Programme) -> bool:
        """True when both say something of the same programme in the same year."""
        return (
            self.code == other.code
            and (self.first_year or 0) <= (other.last_year or 9999)
            and (other.first_year or 0) <= (self.last_year or 9999)
        )


class ThemeRule(_Strict):
    """What leads to one theme: the keys of `themes.toml`, explained there."""

    words: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    name_hints: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    programmes: tuple[Programme, ...] = ()
    broad_programmes: tuple[Programme, ...] = ()

    @field_validator("words", "names", "schemes", "hints", "name_hints", "services", "unless")
    @classmethod
    def _can_be_searched(cls, expressions: tuple[str, ...]) -> tuple[str, ...]:
        for expression, text in zip(expressions, folded(expressions), strict=True):
            if len(text.strip(" ")) < 2:
                raise ValueError(f"« {expression} » a moins de deux lettres ou chiffres")
            if "*" in expression.removesuffix("*"):
                raise ValueError(f"« {expression} » : l'étoile ne se met qu'à la fin")
        return expressions


class Themes(_Strict):
    """The rule of every theme, the first of them winning in one text."""

    themes: dict[str, ThemeRule]

    @model_validator(mode="after")
    def _is_consistent(self) -> Themes:
        known = set(codelist.codes("theme")) - {UNKNOWN}
        for theme in self.themes:
            if theme not in known:
                raise ValueError(f"« {theme} » n'est pas un thème de la liste")
        if next(iter(self.themes), None) != FIRST:
            raise ValueError(f"le premier thème est « {FIRST} »")
        for keys in (("words", "names"), ("words", "schemes"), ("hints", "name_hints"), ("services",)):
            self._check_one_theme_each(keys)
        programmes = [
            (theme, programme)
            for theme, rule in self.themes.items()
            for programme in (*rule.programmes, *rule.broad_programmes)
        ]
        for n, (theme, programme) in enumerate(programmes):
            for other, rival in programmes[:n]:
                if programme.overlaps(rival):
                    raise ValueError(f"le programme {programme.code} mène à « {other} » et à « {theme} » la même année")
        return self

    def _check_one_theme_each(self, keys: tuple[str, ...]) -> None:
        seen: dict[str, str] = {}
        for theme, rule in self.themes.items():
            expressions = [expression for key in keys for expression in getattr(rule, key)]
            for expression, text in zip(expressions, folded(expressions), strict=True):
                if text in seen:
                    other = seen[text]
                    places = f"à « {other} » et à « {theme} »" if other != theme else f"deux fois à « {theme} »"
                    raise ValueError(f"« {expression} » mène {places} : n'en garder qu'un")
                seen[text] = theme


def folded(expressions: Sequence[str]) -> list[str]:
    """Expressions as they are searched: folded like texts, a space on both sides, none at the end for a star."""
    texts = fold(pl.Series(expressions, dtype=pl.String)).to_list()
    return [
        text.rstrip() if expression.endswith("*") else text for text, expression in zip(texts, expressions, strict=True)
    ]


def fold(texts: Texts) -> Texts:
    """Texts without case, accents, punctuation or the plural mark of words of four letters or more.

    Every word has a space on both sides: ` epicerie sociale `. Null stays null.
    """
    words = (
        texts.str.to_lowercase()
        .str.replace_many(["œ", "æ"], ["oe", "ae"])
        .str.normalize("NFKD")
        .str.replace_all(r"\p{M}", "")
        .str.replace_all(r"[^a-z0-9]+", " ")
        .str.replace_all(r"([a-z]{3})[sx]\b", "$1")
        .str.strip_chars(" ")
    )
    return " " + words + " "


def programme_code(texts: pl.Series) -> pl.Series:
    """The programme, `163`, or its action, `304-14`, that a text of any writing names; null when none is recognised.

    Known writings: `304-14`, `P304`, `BOP 163`, `0163-04-01`, `Santé et sports: 219 - Sport`.
    """
    parts = texts.str.extract_groups(
        r"(?i)(?:^|: ?)(?:programme +|bop +|p)?0?(?<code>\d{3})(?:-(?<action>\d{2}))?(?:\D|$)"
    )
    return pl.select(
        pl.concat_str(parts.struct.field("code"), "-" + parts.struct.field("action").fill_null("")).str.strip_suffix(
            "-"
        )
    ).to_series()


def load_themes(path: Path = FILE) -> Themes:
    """The rule declared in `path`. Raises `ThemesError` naming the file and what is wrong in it."""
    try:
        return Themes.model_validate({"themes": tomllib.loads(path.read_text(encoding="utf-8"))["themes"]})
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise ThemesError(f"{path.name} : ce n'est pas une règle de thèmes ({error})") from error
    except ValidationError as error:
        told = [f"{'.'.join(str(part) for part in one['loc'])} : {one['msg']}" for one in error.errors()]
        raise ThemesError(f"{path.name} : " + " ; ".join(re.sub("Value error, ", "", line) for line in told)) from error


@cache
def themes() -> Themes:
    """The project's rule, read once."""
    return load_themes()
