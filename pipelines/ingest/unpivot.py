"""Wide tables: columns whose titles are values (years, measures) become lines, one for each filled cell.

Rows stay the unit in which a file is counted, since its author sees rows: a row is accepted when a line of it is,
rejected when all that it gives is rejected, ignored when it gives nothing. A line keeps its row and its own column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.normalise import blank_words

if TYPE_CHECKING:
    from pipelines.ingest.map import MappedSheet
    from pipelines.ingest.validate import Validated
    from schemas.format import UnpivotRule

NO_VALUE = "ligne sans aucune valeur dans les colonnes du tableau"
_ZERO = r"^[-+]?0+([.,]0+)?[\s\u00a0]*€?$"


def unpivoted(
    lines: pl.DataFrame, letters: dict[str, str], rule: UnpivotRule
) -> tuple[pl.DataFrame, dict[str, str], dict[str, pl.Series]]:
    """One line for each row and each value of the titles with a filled cell, in the order of rows then columns.

    `lines`: `source_row` and text columns, those to be turned named `<field>.<value>`. Returns the long lines, the
    letter of each field (the first of several), and field → the letter of each line's own cell.
    """
    wide = [name for name in letters if "." in name and name.partition(".")[0] in rule.columns]
    lines = lines.with_columns(blank_words(lines[name]) for name in wide)
    if rule.zero_is_blank:
        lines = lines.with_columns(pl.when(~pl.col(name).str.contains(_ZERO)).then(name).alias(name) for name in wide)
    values = list(dict.fromkeys(name.partition(".")[2] for name in wide))
    long = pl.concat([_lines_of(value, lines, letters, rule, wide) for value in values])
    order = pl.col("source_row"), pl.col(rule.key).cast(pl.Enum(values))
    long = long.sort(order, maintain_order=True)
    own = {name: long[_letter(name)] for name in (rule.key, *rule.columns)}
    first = {name.partition(".")[0]: letters[name] for name in reversed(wide)} | {rule.key: letters[wide[0]]}
    kept = {name: letter for name, letter in letters.items() if name not in wide}
    return long.drop(map(_letter, own)), {**kept, **first}, own


def _letter(name: str) -> str:
    return f"letter of {name}"


def _lines_of(
    value: str, lines: pl.DataFrame, letters: dict[str, str], rule: UnpivotRule, wide: list[str]
) -> pl.DataFrame:
    """The lines of one value: those whose cells of that value are not all blank."""
    own = {whole: f"{whole}.{value}" for whole in rule.columns if f"{whole}.{value}" in wide}
    first = letters[next(iter(own.values()))]
    cells = [
        (pl.col(own[whole]) if whole in own else pl.lit(None, dtype=pl.String)).alias(whole) for whole in rule.columns
    ]
    places = [pl.lit(letters[own[whole]] if whole in own else first).alias(_letter(whole)) for whole in rule.columns]
    return lines.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in own.values())).select(
        pl.all().exclude(wide),
        pl.lit(value).alias(rule.key),
        *cells,
        pl.lit(first).alias(_letter(rule.key)),
        *places,
    )


def row_counts(mapped: MappedSheet, validated: Validated) -> tuple[int, int, int]:
    """Rows accepted, rejected and ignored by validation, of those that gave lines."""
    if not mapped.cell_letters:
        return validated.accepted.height, validated.rejected.height, validated.ignored
    accepted = set(validated.accepted.every["source_row"].filter(validated.accepted.kept).to_list())
    rejected = set(validated.rejected["row"].to_list()) - accepted
    rows = mapped.lines["source_row"].n_unique()
    return len(accepted), len(rejected), rows - len(accepted) - len(rejected)
