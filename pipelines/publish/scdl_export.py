"""The awards in the format of the law (SCDL « subventions » 2.1.1): every line of the file conforms, or is not in it.

Nothing is made up: an award that lacks a date, a notification or a number that the law asks for is left out, and
counted by what it lacks. Two things are written for what is not stated, because they say so or follow from how we
count: conditions of payment read « non communiquées »; the share is 1, since an amount is already that of its
beneficiary. Amounts committed or paid are not awards: they are in the other files.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

import polars as pl
from pandera.errors import SchemaErrors

from pipelines.publish import comma_separated
from schemas.scdl import LONGEST_RAE, LONGEST_TEXT, NATURES, NO, RNA, YES, Scdl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

STAGE, CURRENCY = "awarded", "EUR"
AT_ONCE = 20_000
"""Lines judged at once: what a line lacks takes more room than the line."""
NOT_TOLD = "non communiquées"
DAY = "%Y-%m-%d"
COLUMNS = (
    "stage", "currency", "funder_name", "funder_siret", "signed_date", "decided_date", "decision_reference",
    "beneficiary_name", "beneficiary_siret", "beneficiary_rna", "title", "amount", "aid_form", "payment_conditions",
    "payment_start_date", "payment_end_date", "rae_id", "eu_notification", "call_id",
)  # fmt: skip
"""What is read of the public table `awards`."""


@dataclass(frozen=True)
class Conforming:
    """The lines that conform, and of those that do not, how many lack what: (column, rule) → lines."""

    frame: pl.DataFrame
    n_left_out: int
    lacking: Mapping[tuple[str, str], int]

    @property
    def cells(self) -> pl.DataFrame:
        """The lines as they are written to a file: amounts are numbers, so that none of them is taken for a formula."""
        return self.frame.with_columns(pl.col("montant", "pourcentageSubvention").cast(pl.Decimal(38, 2)))


@dataclass
class Counted:
    """How many lines of a file conform, how many do not, and of these how many lack what."""

    n_awards: int = 0
    n_left_out: int = 0
    lacking: Counter[tuple[str, str]] = field(default_factory=Counter)


def write(awards: Iterable[pl.DataFrame], file: IO[bytes], counted: Counted) -> None:
    """Write the comma-separated file of some frames of the public table `awards`, and add up in `counted`."""
    comma_separated.write(_cells(awards, counted), file)


def _cells(awards: Iterable[pl.DataFrame], counted: Counted) -> Iterator[pl.DataFrame]:
    for frame in awards:
        found = conforming(frame)
        counted.n_awards += found.frame.height
        counted.n_left_out += found.n_left_out
        counted.lacking.update(found.lacking)
        yield found.cells


def conforming(awards: pl.DataFrame) -> Conforming:
    """The lines of the public table `awards` that are awards in euros, in the law's columns, those that conform."""
    written = _written(awards.filter((pl.col("stage") == STAGE) & (pl.col("currency") == CURRENCY)))
    parts = [_judged(part) for part in written.iter_slices(AT_ONCE)] or [Conforming(written, 0, {})]
    lacking: Counter[tuple[str, str]] = Counter()
    for part in parts:
        lacking.update(part.lacking)
    return Conforming(pl.concat([part.frame for part in parts]), sum(part.n_left_out for part in parts), lacking)


def _judged(written: pl.DataFrame) -> Conforming:
    try:
        Scdl.validate(written, lazy=True)
    except SchemaErrors as errors:
        failures = errors.failure_cases.select("index", "column", "check").unique()
        wrong = failures["index"].unique().drop_nulls()
        counted = failures.group_by("column", "check").agg(pl.col("index").n_unique()).sort("column", "check")
        lacking = {(column, check): n for column, check, n in counted.iter_rows()}
        right = written.with_row_index().filter(~pl.col("index").is_in(wrong.cast(pl.UInt32).implode())).drop("index")
        return Conforming(right, wrong.len(), lacking)
    return Conforming(written, 0, {})


def _written(awards: pl.DataFrame) -> pl.DataFrame:
    """The awards as the law writes them, every cell a text, null where nothing is stated."""
    start, end = pl.col("payment_start_date"), pl.col("payment_end_date")
    period = pl.concat_str([start.dt.to_string(DAY), end.dt.to_string(DAY)], separator="/", ignore_nulls=True)
    rna, rae = pl.col("beneficiary_rna"), pl.col("rae_id")
    return awards.select(
        nomAttribuant=pl.col("funder_name"),
        idAttribuant=pl.col("funder_siret"),
        dateConvention=pl.coalesce("signed_date", "decided_date").dt.to_string(DAY),
        referenceDecision=pl.col("decision_reference"),
        nomBeneficiaire=pl.col("beneficiary_name"),
        idBeneficiaire=pl.col("beneficiary_siret"),
        rnaBeneficiaire=pl.when(rna.str.contains(RNA)).then(rna),
        objet=pl.col("title").str.slice(0, LONGEST_TEXT),
        montant=pl.col("amount").cast(pl.String),
        nature=pl.col("aid_form").replace_strict(NATURES, default=None, return_dtype=pl.String),
        conditionsVersement=pl.col("payment_conditions").str.slice(0, LONGEST_TEXT).fill_null(NOT_TOLD),
        datesPeriodeVersement=pl.when(start.is_not_null()).then(period),
        idRAE=pl.when(rae.str.len_chars() <= LONGEST_RAE).then(rae),
        notificationUE=pl.when("eu_notification").then(pl.lit(YES)).when(~pl.col("eu_notification")).then(pl.lit(NO)),
        pourcentageSubvention=pl.lit("1"),
        dispositifAide=pl.col("call_id"),
    )
