"""What the texts of the staged lines say of a theme, by the rule of `schemas/themes.toml`.

Every distinct text is read once. Which text decides for a line is said by the macro `theme_basis`, in SQL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from schemas.themes import Themes, fold, folded, programme_code, themes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

TEXTS = "given_theme_texts"
PROGRAMMES = "given_theme_programmes"
FIELDS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "scheme": {"sure": ("words", "schemes"), "hint": ("hints",)},
    "title": {"sure": ("words", "schemes"), "hint": ("hints",)},
    "theme_raw": {"sure": ("words",), "hint": ("hints",)},
    "applicant_name": {"sure": ("words", "names"), "hint": ("hints", "name_hints")},
    "service_name": {"sure": ("words",), "hint": ("hints",)},
}
"""Field → what is searched in it, surely and less surely: keys of the rule."""

_PROGRAMME = "budget_programme"
_RULE_SIZE = 100_000  # a match is ranked by its theme, then by the place of its expression among those of the theme
_NEVER = 9999


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make `given_theme_texts` and `given_theme_programmes` readable by models, from the view `staged_applications`."""
    rule, texts = themes(), _texts(connection, (*FIELDS, _PROGRAMME))
    connection.register(TEXTS, pl.concat([said(texts[field], field, rule) for field in FIELDS]))
    connection.register(PROGRAMMES, programmes(texts[_PROGRAMME], rule))


def said(texts: pl.Series, field: str, rule: Themes) -> pl.DataFrame:
    """Those of `texts` (distinct, without null) that say something: field, text, theme, expression, hint…

    `theme` / `expression`: what is concluded surely, and by which words of the rule; `hint` / `hint_expression`: less
    surely. A `theme_raw` that speaks of several themes says none: a list of sectors is no theme.
    """
    patterns = _patterns(field, rule)
    searched = patterns["pattern"].unique().sort().to_list()
    lines = (
        pl.LazyFrame({"text": texts})
        .with_columns(folded=fold(pl.col("text")))
        .collect(engine="streaming")  # every processor, where one text after the other uses one
        .with_row_index("place")
    )
    found = lines.select("place", pattern=pl.col("folded").str.extract_many(searched, overlapping=True)).explode(
        "pattern", empty_as_null=False
    )
    if field == "service_name":
        found = pl.concat([found, _whole(lines, rule)])
    hits = found.join(patterns.select("pattern", "level", "order", "rank"), on="pattern").drop("pattern")
    barred = hits.filter(pl.col("level") == "unless").select("place", "order")
    kept = hits.filter(pl.col("level") != "unless").join(barred, on=["place", "order"], how="anti")
    best = kept.group_by("place").agg(
        sure=pl.col("rank").filter(pl.col("level") == "sure").min(),
        hint=pl.col("rank").filter(pl.col("level") == "hint").min(),
        n_themes=pl.col("order").n_unique(),
    )
    if field == "theme_raw":
        best = best.filter(pl.col("n_themes") == 1)
    ranked = patterns.filter(pl.col("level") != "unless").select("rank", "theme", "expression")
    weaker = ranked.select(hint="rank", hint_theme="theme", hint_expression="expression")
    return (
        best.join(ranked, left_on="sure", right_on="rank", how="left")
        .join(weaker, on="hint", how="left")
        .join(lines, on="place")
        .sort("place")
        .select(pl.lit(field).alias("field"), "text", "theme", "expression", "hint_theme", "hint_expression")
    )


def programmes(texts: pl.Series, rule: Themes) -> pl.DataFrame:
    """What each writing of a budget programme means: text, theme, expression (the code), is_broad, first and last year.

    An action that the rule names comes before its programme; a programme that it does not name has no row.
    """
    meant = pl.DataFrame(
        [
            (one.code, theme, is_broad, one.first_year or 0, one.last_year or _NEVER)
            for theme, said_of in rule.themes.items()
            for is_broad, listed in ((False, said_of.programmes), (True, said_of.broad_programmes))
            for one in listed
        ],
        schema={
            "expression": pl.String,
            "theme": pl.String,
            "is_broad": pl.Boolean,
            "first_year": pl.Int32,
            "last_year": pl.Int32,
        },
        orient="row",
    )
    code = pl.col("code")
    return (
        pl.DataFrame({"text": texts, "code": programme_code(texts)})
        .with_columns(
            expression=pl.when(code.is_in(meant["expression"].to_list())).then(code).otherwise(code.str.head(3))
        )
        .join(meant, on="expression")
        .select("text", "theme", "expression", "is_broad", "first_year", "last_year")
        .sort("text", "first_year")
    )


def _texts(connection: duckdb.DuckDBPyConnection, fields: Sequence[str]) -> dict[str, pl.Series]:
    """The distinct values of some fields of the staged lines, sorted, by field: lines are read once for all."""
    sets = ", ".join(f"({field})" for field in fields)
    found: pl.DataFrame = connection.sql(
        f"SELECT {', '.join(fields)} FROM staged_applications GROUP BY GROUPING SETS ({sets})"
    ).pl()
    return {field: found[field].drop_nulls().cast(pl.String).sort() for field in fields}


def _whole(lines: pl.DataFrame, rule: Themes) -> pl.DataFrame:
    """Services called by one of their usual short names: nothing else stands in the text."""
    names = folded([name for one in rule.themes.values() for name in one.services])
    return lines.filter(pl.col("folded").is_in(names)).select("place", pattern=pl.lit("=") + pl.col("folded"))


def _patterns(field: str, rule: Themes) -> pl.DataFrame:
    """What is searched in `field`: pattern, theme and its order, level (sure, hint, unless), expression, its rank."""
    found = []
    for order, (theme, one) in enumerate(rule.themes.items()):
        levels = {**FIELDS[field], "unless": ("unless",)}
        written = [(level, text) for level, keys in levels.items() for key in keys for text in getattr(one, key)]
        patterns = folded([expression for _, expression in written])
        if field == "service_name":
            written += [("hint", name) for name in one.services]
            patterns += ["=" + name for name in folded(one.services)]
        found += [
            (pattern, order, theme, level, expression, order * _RULE_SIZE + place)
            for place, (pattern, (level, expression)) in enumerate(zip(patterns, written, strict=True))
        ]
    columns = {
        "pattern": pl.String,
        "order": pl.Int32,
        "theme": pl.String,
        "level": pl.String,
        "expression": pl.String,
        "rank": pl.Int64,
    }
    return pl.DataFrame(found, schema=columns, orient="row")
