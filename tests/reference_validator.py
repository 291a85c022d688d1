"""The reference validator of the legal format: `frictionless` with the official schema and the platform's two rules.

The custom rules are written here as the official platform has them: `french-siret-value` asks python-stdnum about every
filled cell, `one-of-required` wants one of two filled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import frictionless
import stdnum.fr.siret

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_ERRORS = 1_000_000


class _SiretError(frictionless.errors.CellError):
    type = "french-siret-value"
    template = "{cell}"


class _OneOfError(frictionless.errors.RowError):
    type = "one-of-required"
    template = "{note}"


class _Siret(frictionless.Check):
    type = "french-siret-value"
    Errors = [_SiretError]  # noqa: RUF012 - declared so by frictionless

    def __init__(self, column: str) -> None:
        super().__init__()
        self.column = column

    def validate_row(self, row: Any) -> Iterator[Any]:
        if self.column in row and row[self.column] and not stdnum.fr.siret.is_valid(row[self.column]):
            yield _SiretError.from_row(row, note="", field_name=self.column)


class _OneOf(frictionless.Check):
    type = "one-of-required"
    Errors = [_OneOfError]  # noqa: RUF012

    def validate_row(self, row: Any) -> Iterator[Any]:
        if row.get("idBeneficiaire") is None and row.get("rnaBeneficiaire") is None:
            yield _OneOfError.from_row(row, note="")


def validated(resource: frictionless.Resource, *, custom_rules: bool = True) -> frictionless.Report:
    """What the reference says of `resource`, which bears its schema: every error, or the schema's alone."""
    rules = [_Siret("idAttribuant"), _Siret("idBeneficiaire"), _OneOf()] if custom_rules else []
    return resource.validate(frictionless.Checklist(checks=rules), limit_errors=_MOST_ERRORS)
