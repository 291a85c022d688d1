"""What lines say of applicants, read in columns: identifiers, those that stand together, names, and nodes.

A frame of `MENTIONS` comes in; there is one mention for what lines say together, hundreds of thousands in all, so that
nothing here is done to one mention at a time.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import polars as pl

from pipelines.warehouse.linking.nodes import NODES

if TYPE_CHECKING:
    from collections.abc import Mapping

MENTIONS = pl.Schema({
    "organisation_key": pl.String(), "siren": pl.String(), "rna": pl.String(), "local_id": pl.String(),
    "name": pl.String(), "kind": pl.String(), "funder_id": pl.String(), "funder_departement_code": pl.String(),
    "commune_code": pl.String(), "departement_code": pl.String(), "n_lines": pl.Int64(),
})  # fmt: skip
_SCOPES = {"siren": pl.lit("siren"), "rna": pl.lit("rna"), "local_id": "local:" + pl.col("funder_id")}


class Mentions:
    """What lines say, by keys.

    `keys`: all of them, sorted. `identifiers`: `key`, `scope`, `number` of those that a list numbers. `names`: `key`,
    `kind`, `name`, `n_lines`.
    """

    def __init__(self, mentions: pl.DataFrame) -> None:
        texts = [name for name, kind in MENTIONS.items() if kind == pl.String]
        self._lines = mentions.select(MENTIONS.names()).with_columns(pl.col(texts).replace("", None))
        self.identifiers = (
            pl.concat(
                self._lines.drop_nulls(column).select(scope=scope, number=column).unique()
                for column, scope in _SCOPES.items()
            )
            .with_columns(key=pl.format("{}:{}", "scope", "number"))
            .unique("key")
        )
        self.keys = pl.concat([self._lines["organisation_key"], self.identifiers["key"]]).unique().sort()
        self.names = (
            self._lines.drop_nulls("name").group_by("kind", "name", key="organisation_key").agg(pl.col("n_lines").sum())
        )

    def numbers(self, keys: pl.Series) -> dict[str, dict[str, str]]:
        """The identifier that some keys are, each by its scope; nothing of those that are names."""
        found = self.identifiers.filter(pl.col("key").is_in(keys.implode()))
        return {key: {scope: number} for key, scope, number in found.select("key", "scope", "number").iter_rows()}

    def together(self) -> pl.DataFrame:
        """Identifiers that stand on one line: `left`, `right`, the scope of each, on how many lines (`n_lines`)."""
        pairs = []
        for (one, scope), (other, scope_other) in combinations(_SCOPES.items(), 2):
            pairs.append(
                self._lines.drop_nulls([one, other])
                .group_by(left_scope=scope, right_scope=scope_other, left=one, right=other)
                .agg(pl.col("n_lines").sum())
                .with_columns(
                    left=pl.format("{}:{}", "left_scope", "left"), right=pl.format("{}:{}", "right_scope", "right")
                )
            )
        return pl.concat(pairs)

    def nodes(self, roots: Mapping[str, str], best: Mapping[str, str]) -> pl.DataFrame:
        """The groups whose names may be compared: legal persons, without a doubt on their kind. Sorted by their root.

        A frame of `NODES`, and `root`. `roots`: the group of each key that is not its own. `best`: the key that names a
        group, where it is not its root.
        """
        names = self.names.with_columns(root=replaced("key", roots))
        identifiers = self.identifiers.with_columns(root=replaced("key", roots))
        lines = self._lines.with_columns(root=replaced("organisation_key", roots))
        is_listed = pl.col("root").is_in(
            identifiers.filter(pl.col("scope").is_in(["siren", "rna"]))["root"].unique().implode()
        )
        found = (
            names.group_by("root")
            .agg(
                is_legal=(pl.col("kind") == "legal").any(),
                is_natural=(pl.col("kind") == "natural").any(),
                is_sure=(pl.col("kind") == "legal").all(),
            )
            .filter("is_legal", ~pl.col("is_natural"), pl.col("is_sure") | is_listed)
            .select("root", key=replaced("root", best))
            .sort("root")
        )
        columns = {
            "names": names.filter(pl.col("kind") == "legal")
            .group_by("root", "name")
            .agg(pl.col("n_lines").sum())
            .sort("root", "n_lines", "name", descending=[False, True, False])
            .select("root", told="name"),
            "numbers": identifiers.unique(["root", "scope", "number"])
            .sort("root", "scope", "number")
            .group_by("root", "scope", maintain_order=True)
            .agg(pl.col("number").str.join("+"))
            .select("root", told=pl.struct("scope", "number")),
            "communes": _codes(lines, "commune_code"),
            "departements": _codes(lines, "departement_code"),
            "areas": _codes(lines.filter(pl.col("departement_code").is_null()), "funder_departement_code"),
            "funders": _codes(lines, "funder_id"),
        }
        for name, told in columns.items():
            listed = told.join(found.select("root"), on="root", how="semi", maintain_order="left")
            listed = listed.group_by("root", maintain_order=True).agg(pl.col("told").alias(name))
            found = found.join(listed, on="root", how="left", maintain_order="left")
        return found.select("root", *NODES.names())


def _codes(lines: pl.DataFrame, column: str) -> pl.DataFrame:
    """The codes of a column, each once for each group."""
    return lines.select("root", told=column).drop_nulls().unique().sort("root", "told")


def replaced(column: str, new: Mapping[str, str]) -> pl.Expr:
    """A column of keys, those that have a new one replaced."""
    return pl.col(column).replace(dict(new)) if new else pl.col(column)
