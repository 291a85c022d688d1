"""`datapackage.json` (Frictionless Data Package): every file with its schema, its sum, its licence and its sources.

Types come from the published tables, words from their dictionary, constraints from the Pandera models where a table
holds the lines of a contract. Both the CSV files and their twins for spreadsheets are described as tables; the other
files are listed with their sums.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.publish import formats
from pipelines.publish.open_data import CSV, EXCEL_CSV
from schemas.contract import constraints
from schemas.contracts import APPLICATION, CONTRACTS, fields_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.publish.database import Publication
    from pipelines.publish.licensing import Terms
    from pipelines.publish.open_data import DataFile, Dataset
    from pipelines.publish.tables import Row


@dataclass(frozen=True)
class Extra:
    """A file that is no published table, with its title and licences."""

    file: DataFile
    title: str
    terms: tuple[Terms, ...]


PATH = "data/datapackage.json"
LINES_OF = {"awards": APPLICATION, "calls": "call"}
"""Tables that hold lines of a contract → the contract: what its model requires of a column holds there."""
REFERENCES = {"funder_id": "funders", "service_key": "services"}
"""Columns that name a line of another table."""
_UNLISTED = ("call_", "calls", "changes_", "service_", "sources", "stated_", "who_does_what")
"""How tables begin whose funders and services may have granted nothing, so that no table lists them."""


def package(
    datasets: Sequence[Dataset],
    others: Sequence[Extra],
    *,
    publication: Publication,
    sources: Sequence[Row],
) -> bytes:
    """The file."""
    is_split = any(dataset.part.folder for dataset in datasets)
    resources = [made for dataset in datasets for made in _resources(dataset, has_references=not is_split)]
    resources += [_other(extra) for extra in others]
    terms = dict.fromkeys(each for dataset in datasets for each in dataset.part.terms)
    day = f"{publication.as_of:%Y-%m-%d}"
    content: dict[str, Any] = {
        "profile": "data-package",
        "name": "qui-finance-quoi",
        "title": "Qui finance quoi : subventions publiques",
        "description": (
            "Qui finance qui, combien, pendant combien d'années, et ce qui est refusé. Chaque table est décrite dans "
            "la table dictionary."
        ),
        "version": day.replace("-", "."),
        "created": f"{day}T00:00:00Z",
        "keywords": ["subvention", "données ouvertes", "aide alimentaire"],
        "licenses": [_licence(each) for each in terms],
        "sources": [_source(row) for row in sources],
        "contributors": [{"title": publication.publisher_name, "role": "publisher"}],
        "resources": resources,
    }
    if publication.site_url:
        content["homepage"] = publication.site_url
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()


def _resources(dataset: Dataset, *, has_references: bool) -> list[dict[str, Any]]:
    made = []
    for file in dataset.files:
        resource: dict[str, Any] = {
            "name": _resource_name(dataset.name, file),
            "title": dataset.comment or dataset.table,
            **_described(file, dataset.part.terms),
        }
        if file.kind in (CSV, EXCEL_CSV):
            is_twin = file.kind == EXCEL_CSV
            resource |= {
                "profile": "tabular-data-resource",
                "encoding": "utf-8-sig" if is_twin else "utf-8",
                "dialect": {"delimiter": ";" if is_twin else ",", "lineTerminator": "\r\n", "doubleQuote": True},
                "schema": table_schema(dataset, is_twin=is_twin, has_references=has_references),
            }
        made.append(resource)
    return made


def _other(extra: Extra) -> dict[str, Any]:
    name = extra.file.path.removeprefix("data/").replace("/", "-")
    return {"name": name, "title": extra.title, **_described(extra.file, extra.terms)}


def _resource_name(name: str, file: DataFile) -> str:
    ending = "" if file.kind == CSV else file.kind.ending.replace(".csv", "").replace(".", "-")
    return name.lower() + ending


def _described(file: DataFile, terms: Sequence[Terms]) -> dict[str, Any]:
    return {
        "path": file.path.removeprefix("data/"),
        "format": file.kind.format,
        "mediatype": file.kind.media_type,
        **({} if file.kind in (CSV, EXCEL_CSV) else {"type": "file"}),
        "bytes": file.size,
        "hash": f"sha256:{file.sha256}",
        "licenses": [_licence(each) for each in terms],
    }


def table_schema(dataset: Dataset, *, is_twin: bool = False, has_references: bool = True) -> dict[str, Any]:
    """The Table Schema of a dataset's CSV file, or of its twin."""
    words = {str(row["column_name"]): row for row in dataset.columns}
    fields = []
    for name, dtype in dataset.schema.items():
        entry: dict[str, Any] = {"name": name, **_type(dtype, is_twin=is_twin)}
        if name in words:
            entry |= {"title": str(words[name]["title"]), "description": str(words[name]["description"])}
            if not formats.is_missing(words[name]["unit"]):
                entry["unit"] = str(words[name]["unit"])
        entry |= _declared(dataset, name, dtype)
        fields.append(entry)
    schema: dict[str, Any] = {"fields": fields, "missingValues": [""]}
    if dataset.key and not dataset.incomplete.intersection(dataset.key):
        schema["primaryKey"] = dataset.key
    if has_references and not dataset.table.startswith(_UNLISTED):
        found = [
            {"fields": column, "reference": {"resource": table, "fields": column}}
            for column, table in REFERENCES.items()
            if column in dataset.schema and dataset.table != table
        ]
        if found:
            schema["foreignKeys"] = found
    return schema


def _type(dtype: pl.DataType, *, is_twin: bool) -> dict[str, Any]:
    if dtype == pl.Boolean:
        true, false = ("VRAI", "FAUX") if is_twin else ("true", "false")
        return {"type": "boolean", "trueValues": [true], "falseValues": [false]}
    if dtype.is_integer():
        return {"type": "integer"}
    if dtype.is_numeric():
        return {"type": "number", **({"decimalChar": ","} if is_twin else {})}
    return {"type": "date" if dtype == pl.Date else "string"}


def _declared(dataset: Dataset, name: str, dtype: pl.DataType) -> dict[str, Any]:
    """What the contract says of a column that is one of its fields, of the same type: constraints and other names."""
    contract = LINES_OF.get(dataset.table)
    info = fields_of(contract).get(name) if contract else None
    if contract is None or info is None or not _is_same(info.dtype, dtype):
        return {}
    found: dict[str, Any] = {}
    if rules := constraints(CONTRACTS[contract], name):
        found["constraints"] = rules
    if info.example is not None:
        found["example"] = info.example
    found |= {key: value for key, value in (("scdl", info.scdl), ("threesixty", info.threesixty)) if value}
    return found


def _is_same(declared: pl.DataType, published: pl.DataType) -> bool:
    return declared == published or (declared.is_decimal() and published.is_decimal())


def _licence(terms: Terms) -> dict[str, str]:
    found = {"name": terms.spdx or "other", "title": terms.title}
    return found | ({"path": terms.url} if terms.url else {})


def _source(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {"title": f"{row['name']} : {row['source_name']}", "licence": row["terms"].title}
    if not formats.is_missing(row["source_url"]) and str(row["source_url"]).startswith(("http://", "https://")):
        found["path"] = str(row["source_url"])
    if not formats.is_missing(row["source_updated_at"]):
        found["updated"] = f"{row['source_updated_at']:%Y-%m-%d}"
    return found
