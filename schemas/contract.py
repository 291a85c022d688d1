"""How a contract declares one field, and how its declaration is read back.

A field's title, description, unit, example and standard names live here once; validation, the template,
receipts, column comments and the data dictionary all read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import pandera.polars as pa
import polars as pl

from schemas import codelist

Euro = pl.Decimal(18, 2)
Share = pl.Decimal(9, 6)
SEVERAL = ";"
"""What stands between the codes of a field that holds several."""
YEAR = "année"
"""The unit of a whole number that is a year; any other whole number is a count."""


@dataclass(frozen=True)
class FieldInfo:
    """What people and other formats need to know of one field."""

    name: str
    title: str
    description: str
    dtype: pl.DataType
    required: bool
    unit: str | None = None
    example: str | None = None
    scdl: str | None = None
    threesixty: str | None = None
    aide: str | None = None
    codelist: str | None = None
    is_several: bool = False
    """The field holds any number of codes of its codelist, joined by `SEVERAL`."""
    is_mailbox: bool = False


def field(
    title: str,
    description: str,
    *,
    unit: str | None = None,
    example: str | None = None,
    scdl: str | None = None,
    threesixty: str | None = None,
    aide: str | None = None,
    codes: str | None = None,
    several: bool = False,
    required: bool = False,
    mailbox: bool = False,
    **checks: Any,
) -> Any:
    """A Pandera field with its French title and description; `scdl`, `threesixty` and `aide` name it elsewhere.

    `codes` names the codelist whose codes are the only values allowed, `several` allows any number of them at once.
    `required` means never null. `mailbox`: the address of a function, not of a person, may stand here; the contract's
    own rule empties any other.
    """
    if codes is not None and several:
        one = "|".join(codelist.codes(codes))
        checks["str_matches"] = rf"^(?:{one})(?:{SEVERAL}(?:{one}))*$"
    elif codes is not None:
        checks["isin"] = codelist.codes(codes)
    return pa.Field(
        nullable=not required,
        title=title,
        description=description,
        metadata={
            "unit": unit,
            "example": example,
            "scdl": scdl,
            "threesixty": threesixty,
            "aide": aide,
            "codelist": codes,
            "several": several,
            "mailbox": mailbox,
        },
        **checks,
    )


def describe(model: type[pa.DataFrameModel]) -> dict[str, FieldInfo]:
    """The fields of `model`, in order, with what was declared of them."""
    schema = model.to_schema()
    described = {}
    for name, column in schema.columns.items():
        meta = column.metadata or {}
        described[name] = FieldInfo(
            name=name,
            title=column.title or name,
            description=column.description or "",
            dtype=column.dtype.type,
            required=not column.nullable,
            unit=meta.get("unit"),
            example=meta.get("example"),
            scdl=meta.get("scdl"),
            threesixty=meta.get("threesixty"),
            aide=meta.get("aide"),
            codelist=meta.get("codelist"),
            is_several=bool(meta.get("several")),
            is_mailbox=bool(meta.get("mailbox")),
        )
    return described


def constraints(model: type[pa.DataFrameModel], name: str) -> dict[str, Any]:
    """What `model` requires of a field, in the words of Table Schema: required, enum, minimum, maximum, pattern."""
    column = model.to_schema().columns[name]
    found: dict[str, Any] = {} if column.nullable else {"required": True}
    for check in column.checks:
        stated = check.statistics or {}
        if check.name == "isin":
            found["enum"] = list(stated["allowed_values"])
        elif check.name == "in_range":
            found |= {"minimum": stated["min_value"], "maximum": stated["max_value"]}
        elif check.name == "str_matches":
            found["pattern"] = stated["pattern"]
    return found


@cache
def polars_schema(model: type[pa.DataFrameModel]) -> pl.Schema:
    """The polars types of `model`'s columns, in order."""
    return pl.Schema({name: info.dtype for name, info in describe(model).items()})
