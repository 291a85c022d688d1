"""The legal format, SCDL 2.1.1, apart from acceptance: what a file lacks to be published as it is, and the CSV that is.

The rules are those of `schemas/scdl.py`. Two questions are answered here and nothing else is decided: does the file,
cell by cell, conform, as the reference validator would say of it (`verdict`); which of its awards, once read, can be
published (`clean_csv`). Neither holds a file nor sets a line aside.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.lines import Lines
from pipelines.ingest.personal import mask
from pipelines.ingest.pool import in_threads
from pipelines.ingest.report import AwardConformity, FileConformity, Lack
from schemas.contract import describe
from schemas.distinct import Distinct, holding, uniform
from schemas.failures import failures
from schemas.scdl import FREE_TEXT, NATURES, NO, RNA, YES, Scdl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import IO

    from pipelines.ingest.recognise import Header

COLUMNS = tuple(describe(Scdl))
FAULTS = pl.Schema({"row": pl.Int32, "column": pl.String, "rule": pl.String})
"""A fault: the row its author sees, the official name of the column (null: the whole row), the rule of `Scdl`."""
NONCONFORMING = pl.Schema(
    {
        "line_id": pl.String,
        "sheet": pl.String,
        "row": pl.Int32,
        "column": pl.String,
        "title": pl.String,
        "rule": pl.String,
    }
)

_FEWEST_OFFICIAL = len(COLUMNS) // 2
_SLICE = 50_000  # lines worked on at a time: text copies of a million lines would double the memory
_FEW = 0.01  # share of the lines above which distinct cells cost more to find than they spare
_MANY = 5_000  # cells from which each distinct one is sought to be written once
_FIRST_PLACES = 5
_RUNS = r"^[=+\-@]"  # a spreadsheet runs a cell that begins so
_TITLES = {name: info.title for name, info in describe(Scdl).items()}


# The file as it is


def official_letters(header: Header) -> dict[str, str]:
    """Official name → letter of the first column that bears it to the letter."""
    letters: dict[str, str] = {}
    for letter in header.sheet.letters:
        title = (header.titles.get(letter) or "").strip()
        if title in COLUMNS:
            letters.setdefault(title, letter)
    return letters


def verdict(header: Header) -> pl.DataFrame:
    """Every fault of a sheet whose columns bear the official names, in the shape of `FAULTS`, by row then column.

    Columns are found by name, in any order, and cells are taken with their spaces. An absent column is no fault of its
    rows (`file_conformity` says it), save that a beneficiary still needs an identifier. A blank row is one fault; a row
    of too few cells has one for each cell that is not there, a row of too many has one for the row.
    """
    letters, sheet = official_letters(header), header.sheet
    above = int((sheet.cells["row"] <= header.row).sum())
    rows = sheet.cells["row"].slice(above)
    nothing = uniform(None, rows.len(), dtype=pl.String)
    columns, known = dict.fromkeys(COLUMNS, nothing), {}
    for name, letter in letters.items():
        column = sheet.distinct.get(letter) or Distinct(sheet.cells[letter])
        cells = _as_text(column.cells, is_date=name == "dateConvention" and sheet.has_title)
        columns[name] = (sheet.cells[letter] if cells is column.cells else column.over(cells)).slice(above)
        # Cells of the rows above are among the distinct ones: no row below has them.
        known[name] = Distinct(columns[name]) if column.places is None else Distinct(cells, column.places.slice(above))
    texts = pl.DataFrame(columns)
    faults = _faults(texts, known).filter(pl.col("column").is_null() | pl.col("column").is_in(list(letters)))
    blank = texts.select(pl.all_horizontal(pl.all().is_null())).to_series()
    faults = faults.filter(~pl.col("index").is_in(blank.arg_true().implode()))
    blanks = pl.DataFrame({"row": rows.filter(blank)}).with_columns(
        pl.lit(None, pl.String).alias("column"), pl.lit("scdl_blank_row").alias("rule")
    )
    found = faults.select(rows.gather(faults["index"]).alias("row"), "column", "rule")
    parts = [pl.DataFrame(schema=FAULTS), found, blanks, _wrong_lengths(header, letters)]
    return pl.concat(parts).sort("row", "column", "rule", nulls_last=True)


def _as_text(cells: pl.Series, *, is_date: bool) -> pl.Series:
    """The cells as the validator takes them, blank ones null. A workbook's reader writes a date as its midnight."""
    cells = _without_blanks(cells)
    return cells.str.strip_suffix(" 00:00:00") if is_date else cells


def _without_blanks(text: pl.Series) -> pl.Series:
    """`text` where it is some; the same, not copied, when it all is."""
    is_text = text != ""
    return text if is_text.all() else pl.select(pl.when(is_text).then(text).alias(text.name)).to_series()


def _wrong_lengths(header: Header, letters: dict[str, str]) -> pl.DataFrame:
    """Rows with more or fewer cells than titles, as the reader met them."""
    places: list[tuple[int, str | None, str]] = []
    position = {letter: rank for rank, letter in enumerate(header.sheet.letters)}
    for problem in header.sheet.problems:
        if problem.code == "row_length" and problem.row > header.row:
            missing = [
                name for name, at in letters.items() if problem.cells is not None and position[at] >= problem.cells
            ]
            places += [(problem.row, name, "scdl_row_length") for name in missing or (None,)]
    return pl.DataFrame(places, schema=FAULTS, orient="row")


def file_conformity(header: Header) -> FileConformity:
    """The verdict on one sheet, counted; without half of the official names the cells are not looked at."""
    letters = official_letters(header)
    if len(letters) < _FEWEST_OFFICIAL:
        return FileConformity(header.sheet.name, is_official=False)
    titles = [(header.titles.get(letter) or "").strip() for letter in header.sheet.letters]
    present = list(letters)
    faults = verdict(header)
    return FileConformity(
        header.sheet.name,
        is_official=True,
        missing=[name for name in COLUMNS if name not in letters],
        is_in_order=present == [name for name in COLUMNS if name in letters],
        repeated=[name for name in present if titles.count(name) > 1],
        unknown=[mask(title) or "" for title in titles if title and title not in COLUMNS],
        rows=int((header.sheet.cells["row"] > header.row).sum()),
        rows_wrong=faults["row"].n_unique(),
        lacks=_lacks(faults, sheet=header.sheet.name, letters=letters),
    )


# The awards, once read


def clean_csv(accepted: pl.DataFrame) -> tuple[bytes, pl.DataFrame]:
    """The SCDL 2.1.1 CSV of the awards that conform, and what the others lack, in the shape of `NONCONFORMING`.

    `accepted` has the columns of `Application`. The CSV is UTF-8, comma-separated, in the official order, one line per
    beneficiary, amounts with a point. Nothing is made up: an award without a date of agreement, say, is not in it. Left
    out and listed nowhere: what is no award, what is no grant (loan, guarantee, payment), what is not known to go to a
    legal person.

    A free text that begins with = + - or @ gets a space before it, so that a spreadsheet that opens the file runs
    nothing; a machine that trims reads the same text. An RNA number that the official pattern does not know (a letter,
    in Corsica or overseas) is left out when a SIRET says who the beneficiary is.
    """
    lacking, kept = [pl.DataFrame(schema=NONCONFORMING)], [pl.Series(dtype=pl.Boolean)]
    for part in _assessed(Lines.of(accepted)):
        titles = pl.col("column").replace_strict(_TITLES, default=_TITLES["idBeneficiaire"], return_dtype=pl.String)
        lacking.append(part.faults.select("line_id", "sheet", "row", "column", titles.alias("title"), "rule"))
        kept.append(part.conforming)
    buffer = io.BytesIO()
    write_clean_csv(accepted, pl.concat(kept), buffer)
    return buffer.getvalue(), pl.concat(lacking)


def award_conformity(accepted: Lines) -> tuple[AwardConformity, pl.Series]:
    """What `clean_csv` keeps and why not the rest, counted, and which of the lines kept are in the CSV."""
    awarded = accepted.lazy().filter(pl.col("decision_status") == "awarded")
    left_out = awarded.select(condition.sum().alias(reason) for reason, condition in _LEFT_OUT.items()).collect()
    found = AwardConformity(left_out={reason: n for reason, n in left_out.row(0, named=True).items() if n})
    kept = [pl.Series(dtype=pl.Boolean)]
    lacks: list[Lack] = []
    for part in _assessed(accepted):
        found.awards += part.awards
        found.conforming += int(part.conforming.sum())
        kept.append(part.conforming)
        for (sheet,), group in part.faults.group_by("sheet", maintain_order=True):
            lacks += _lacks(group, sheet=str(sheet), letters={})
    found.lacks = _added(lacks)
    return found, pl.concat(kept)


def write_clean_csv(accepted: pl.DataFrame, conforming: pl.Series, target: IO[bytes]) -> None:
    """Write to `target` the lines of `accepted` where `conforming` is true (see `clean_csv`)."""
    target.write(pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String)).write_csv(line_terminator="\r\n").encode())
    for start in range(0, accepted.height, _SLICE):
        lines = accepted.select(CSV_FIELDS).slice(start, _SLICE).filter(conforming.slice(start, _SLICE))
        _texts(lines)[0].write_csv(target, include_header=False, line_terminator="\r\n", quote_style="necessary")


_LEFT_OUT = {
    "natural": pl.col("applicant_kind") == "natural",
    "unknown": pl.col("applicant_kind") == "unknown",
    "loan": (pl.col("applicant_kind") == "legal") & pl.col("aid_form").is_in(["loan", "guarantee"]),
    "payment": (pl.col("applicant_kind") == "legal")
    & ~pl.col("aid_form").is_in(["loan", "guarantee"]).fill_null(False)
    & (pl.col("record_kind") == "payment"),
}
"""Awards that the legal CSV leaves out, each for one reason."""


CSV_FIELDS = (
    *("line_id", "source_sheet", "source_row", "funder_name", "funder_siret", "signed_date", "decision_reference"),
    *(
        "applicant_name",
        "applicant_siret",
        "applicant_rna",
        "title",
        "amount_total",
        "amount_awarded",
        "amount_in_kind",
    ),
    *("currency", "aid_form", "payment_conditions", "payment_start_date", "payment_end_date", "rae_id"),
    *("eu_notification", "beneficiary_share", "call_id"),
)
"""The fields of `Application` that the legal CSV is made from: a filter copies them alone."""


def _is_publishable() -> pl.Expr:
    left_out = pl.any_horizontal(condition.fill_null(False) for condition in _LEFT_OUT.values())
    return (pl.col("decision_status") == "awarded") & ~left_out


@dataclass(frozen=True)
class _Assessed:
    """Of some lines: how many awards may be published, their faults (each with its line), which lines kept can be."""

    awards: int
    faults: pl.DataFrame
    conforming: pl.Series


def _assessed(accepted: Lines) -> list[_Assessed]:
    return in_threads(_assess, accepted.slices(_SLICE), lines=accepted.every.height)


def _assess(accepted: Lines) -> _Assessed:
    lines = accepted.every
    candidates = lines.select(_is_publishable()).to_series() & accepted.kept
    awards = lines.select(CSV_FIELDS).filter(candidates)
    texts, known = _texts(awards)
    faults = _faults(texts, known)
    concerned = awards.select("line_id", sheet="source_sheet", row="source_row")[faults["index"]]
    wrong = candidates.arg_true().gather(faults["index"].unique())
    places = pl.int_range(lines.height, dtype=pl.UInt32, eager=True)
    conforming = candidates & ~places.is_in(wrong.implode())
    return _Assessed(awards.height, concerned.hstack(faults.select("column", "rule")), conforming.filter(accepted.kept))


def _texts(awards: pl.DataFrame) -> tuple[pl.DataFrame, Mapping[str, Distinct]]:
    """Awards as the text cells of the legal CSV, conforming or not, and the same by distinct ones."""
    in_kind = pl.when(pl.col("aid_form").is_in(["in_kind", "both"])).then(pl.col("amount_in_kind"))
    amount = pl.coalesce("amount_total", "amount_awarded", in_kind)
    notified = pl.col("eu_notification")
    signed, starts, ends = (_written(awards[f"{name}_date"]) for name in ("signed", "payment_start", "payment_end"))
    lasts = pl.lit(starts)
    if ends.null_count() < ends.len():
        lasts += pl.when(pl.lit(ends) != pl.lit(starts)).then("/" + pl.lit(ends)).otherwise(pl.lit(""))
    rna = pl.col("applicant_rna")
    if awards["applicant_siret"].null_count() < awards.height:  # else the number that there is, whatever its form
        rna = pl.when(rna.str.contains(RNA) | pl.col("applicant_siret").is_null()).then(rna)
    share = _written(awards["beneficiary_share"], lambda text: text.str.strip_chars_end("0").str.strip_suffix("."))
    cells = {
        "nomAttribuant": pl.col("funder_name"),
        "idAttribuant": pl.col("funder_siret"),
        "dateConvention": pl.lit(signed),
        "referenceDecision": pl.col("decision_reference"),
        "nomBeneficiaire": pl.col("applicant_name"),
        "idBeneficiaire": pl.col("applicant_siret"),
        "rnaBeneficiaire": rna,
        "objet": pl.col("title"),
        "montant": pl.when(pl.col("currency") == "EUR").then(amount.cast(pl.String)),
        "nature": pl.col("aid_form").replace_strict(NATURES, default=None, return_dtype=pl.String),
        "conditionsVersement": pl.col("payment_conditions"),
        "datesPeriodeVersement": lasts,
        "idRAE": pl.col("rae_id"),
        "notificationUE": pl.when(notified).then(pl.lit(YES)).when(~notified).then(pl.lit(NO)),
        "pourcentageSubvention": pl.lit(share),
        "dispositifAide": pl.col("call_id"),
    }  # fmt: skip
    frame = awards.select(cells[name].alias(name) for name in COLUMNS)
    columns = {name: Distinct.of(frame[name], most=_FEW) for name in COLUMNS}
    runs = holding({name: columns[name] for name in FREE_TEXT}, pl.all().str.contains(_RUNS))
    for name in runs:
        text = columns[name].cells
        safe = pl.select(pl.when(text.str.contains(_RUNS)).then(" " + pl.lit(text)).otherwise(text)).to_series()
        columns[name] = replace(columns[name], cells=safe)
    blank = holding(columns, pl.all() == "")
    columns |= {name: replace(columns[name], cells=_without_blanks(columns[name].cells)) for name in blank}
    return frame.with_columns(columns[name].over(columns[name].cells).alias(name) for name in {*runs, *blank}), columns


def _written(values: pl.Series, finish: Callable[[pl.Series], pl.Series] = lambda text: text) -> pl.Series:
    """`values` as text, each distinct one written once when they are many."""
    if values.len() < _MANY:
        return finish(values.cast(pl.String))
    distinct = values.drop_nulls().unique()
    return values.replace_strict(distinct, finish(distinct.cast(pl.String)), default=None, return_dtype=pl.String)


# Shared


def _faults(texts: pl.DataFrame, known: Mapping[str, Distinct]) -> pl.DataFrame:
    """The failures of `Scdl` on a frame of its columns: `index` of the line, `column` (null for the line), `rule`.

    `known`: the same columns by distinct cells, where they have been sought.
    """
    on_line = pl.col("rule") == "scdl_one_identifier"
    return failures(Scdl, texts, known=known).select("index", pl.when(~on_line).then("column").alias("column"), "rule")


def _lacks(faults: pl.DataFrame, *, sheet: str, letters: dict[str, str]) -> list[Lack]:
    """Faults by column and rule, in the official order, with how many and the first rows."""
    found = faults.group_by("column", "rule", maintain_order=True).agg(
        pl.len().alias("n"), pl.col("row").sort().head(_FIRST_PLACES).alias("rows")
    )
    lacks = [
        Lack(column, None if column is None else letters.get(column), rule, n, [(sheet, row) for row in rows])
        for column, rule, n, rows in found.iter_rows()
    ]
    return list(_in_order(lacks))


def _added(lacks: list[Lack]) -> list[Lack]:
    """The same lacks of several slices or sheets, put together."""
    together: dict[tuple[str | None, str], Lack] = {}
    for lack in lacks:
        known = together.setdefault((lack.column, lack.rule), Lack(lack.column, lack.letter, lack.rule, 0, []))
        known.count += lack.count
        known.places = [*known.places, *lack.places][:_FIRST_PLACES]
    return list(_in_order(together.values()))


def _in_order(lacks: Iterable[Lack]) -> Iterator[Lack]:
    rank = {name: position for position, name in enumerate(COLUMNS)}
    return iter(sorted(lacks, key=lambda lack: (rank.get(lack.column or "", len(rank)), lack.rule)))
