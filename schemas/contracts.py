"""The contracts a format may describe, by name: one Pandera model each. To add one, write its module and name it here.

A line of any contract says where it comes from by the same columns (`line_id`, `deposit_id`, `source_sheet`,
`source_row`); what a model does not declare, no line of it has.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from schemas.application import Application
from schemas.call import Call
from schemas.contract import FieldInfo, describe
from schemas.decision_count import DecisionCount
from schemas.service import Service

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandera.polars as pa

APPLICATION = "application"
DECISION_COUNT = "decision_count"
CALL = "call"
SERVICE = "service"

CONTRACTS: Mapping[str, type[pa.DataFrameModel]] = MappingProxyType(
    {APPLICATION: Application, DECISION_COUNT: DecisionCount, CALL: Call, SERVICE: Service}
)


@cache
def fields_of(contract: str) -> dict[str, FieldInfo]:
    """The fields of a contract, in order, read once. Raises `KeyError` when there is no such contract."""
    return describe(CONTRACTS[contract])


@cache
def field_title(name: str) -> str | None:
    """The French title of a field, in the first contract that has it; None when none does."""
    return next((fields_of(contract)[name].title for contract in CONTRACTS if name in fields_of(contract)), None)


def others() -> list[str]:
    """The contracts besides `application`: what is staged under `staged_name`."""
    return [contract for contract in CONTRACTS if contract != APPLICATION]


def staged_name(contract: str) -> str:
    """The name of the accepted lines of a contract besides `application`, without suffix: `decision_counts`."""
    return f"{contract}s"
