"""What the cells of a column look like: numbers, identifiers, dates, years, names, few words. For inference only.

Shares are of the filled cells. Nothing here decides what a column means.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.amounts import parse_amounts
from pipelines.ingest.dates import parse_dates, parse_years
from pipelines.ingest.fold import by_value, fold, fold_words
from pipelines.ingest.identifiers import Identifiers, parse_identifiers
from pipelines.ingest.parties import applicant_kind, funder_level
from pipelines.ingest.personal import mask
from pipelines.ingest.titles import title_key
from schemas.application import FIRST_YEAR, LAST_YEAR
from schemas.distinct import uniform

if TYPE_CHECKING:
    from pipelines.ingest.titles import Title

_MONEY = r"(?i)€|\beuros?\b|[.,]\d{2}$"
_CODE = r"^(?:\d[\s\u00a0]*){14}$"
_LONGEST = 60


def _most(numbers: pl.Series) -> float:
    return float(numbers.abs().max() or 0)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Column:
    """One column below a header: `text` has one cell a line, trimmed, blank ones null."""

    letter: str
    title: Title
    text: pl.Series

    @property
    def called(self) -> str:
        """How a question names it: its title, shortened, and its letter."""
        words = " ".join((mask(self.title.text) or "").split())
        if not words:
            return f"la colonne {self.letter}, sans titre"
        short = words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
        return f"« {short} » (colonne {self.letter})"

    @property
    def key(self) -> str:
        """How an answer names it: its title, folded; empty without one."""
        return fold_words(mask(self.title.text) or "")

    @cached_property
    def cells(self) -> pl.Series:
        """The filled cells."""
        return self.text.drop_nulls()

    @cached_property
    def filled(self) -> float:
        """Share of the lines where the cell is filled."""
        return self.cells.len() / self.text.len() if self.text.len() else 0.0

    @cached_property
    def folded(self) -> pl.Series:
        """The cells compared as people compare them; null where blank."""
        return by_value(self.text, fold)

    @cached_property
    def words(self) -> dict[str, str]:
        """The distinct cells by their key: the first way each is written."""
        return {title_key(cell): cell for cell in reversed(self.cells.unique(maintain_order=True).to_list())}

    @cached_property
    def distinct(self) -> int:
        """Number of distinct cells, as people compare them."""
        return self.folded.drop_nulls().n_unique()

    @cached_property
    def amounts(self) -> pl.Series:
        """The cells read as amounts; null where blank or not an amount."""
        return parse_amounts(self.text).values

    @cached_property
    def identifiers(self) -> Identifiers:
        """The cells read as identifiers."""
        return parse_identifiers(self.text)

    @cached_property
    def dates(self) -> pl.Series:
        """The cells read as dates; null where blank or not a date."""
        return parse_dates(self.text).values

    @cached_property
    def years(self) -> pl.Series:
        """The cells read as years of the contract's range, from a year or a date."""
        years = pl.select(pl.coalesce(parse_years(self.text), parse_dates(self.text).years)).to_series()
        return pl.select(pl.when(years.is_between(FIRST_YEAR, LAST_YEAR)).then(years)).to_series()

    def share(self, read: pl.Series) -> float:
        """Share of the filled cells that `read` (a mask, or values) holds."""
        if not self.cells.len():
            return 0.0
        kept = read.fill_null(False).sum() if read.dtype == pl.Boolean else read.is_not_null().sum()
        return float(kept) / self.cells.len()

    @cached_property
    def has_numbers(self) -> bool:
        """Whether the cells are numbers."""
        return self.share(self.text.str.contains(r"\d")) >= 0.8 and self.share(self.amounts) >= 0.8

    @cached_property
    def has_money(self) -> bool:
        """Whether the cells are written as money: decimals or a currency."""
        return self.has_numbers and self.share(self.text.str.contains(_MONEY)) >= 0.2

    @cached_property
    def has_round_numbers(self) -> bool:
        """Whether most numbers are as round as grants are."""
        numbers = self.amounts.drop_nulls().cast(pl.Float64)
        numbers = numbers.filter(numbers != 0)
        return _most(numbers) >= 200 and (numbers % 50 == 0).sum() >= 0.5 * numbers.len()

    @cached_property
    def has_names(self) -> bool:
        """Whether the cells are words."""
        return self.share(self.text.str.contains(r"(?s)\p{L}.*\p{L}")) >= 0.9

    @cached_property
    def has_organisations(self) -> bool:
        """Whether most cells bear a word that only organisations bear."""
        nothing = uniform(None, self.cells.len(), dtype=pl.String)
        lines = pl.DataFrame(
            {
                "applicant_name": self.cells,
                **dict.fromkeys(("applicant_siren", "applicant_siret", "applicant_rna"), nothing),
            }
        )
        no = uniform(False, self.cells.len(), dtype=pl.Boolean)
        kinds = applicant_kind(lines, personal=no, unnamed=no, declared=None, constant=None)["applicant_kind"]
        return bool(self.cells.len()) and float((kinds == "legal").sum()) >= 0.5 * self.cells.len()

    @cached_property
    def has_public_bodies(self) -> bool:
        """Whether nearly all cells name a public body: a town, a département, a ministry."""
        names = self.cells.unique()
        nothing = uniform(None, names.len(), dtype=pl.String)
        known = funder_level(names, nothing).is_not_null().sum()
        return bool(names.len()) and float(known) >= 0.8 * names.len()

    @cached_property
    def has_identifiers(self) -> bool:
        """Whether most cells are SIRET, SIREN or RNA numbers, damaged ones included."""
        found = self.identifiers
        known = found.siret.is_not_null() | found.siren.is_not_null() | found.rna.is_not_null()
        return self.share(known | found.destroyed | found.invalid) >= 0.5

    @cached_property
    def has_sirets(self) -> bool:
        """Whether nearly all cells are fourteen digits, most with a valid key."""
        return self.share(self.text.str.contains(_CODE)) >= 0.9 and self.share(self.identifiers.siret) >= 0.8

    def says_same(self, other: Column) -> bool:
        """Whether the two columns say the same on every line, cell by cell."""
        return self.folded.equals(other.folded) or (
            self.has_numbers and other.has_numbers and self.amounts.equals(other.amounts)
        )
