"""The awards in the 360Giving Data Standard (JSON): one grant a line of the public table, with what the standard asks.

Organisations are named by their official numbers, after the prefixes `FR-SIREN` and `FR-RNA`; those without a number by
our own identifier. An award without an amount or a date is left out and counted: the
standard requires both.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.publish import formats

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from pipelines.publish.database import Publication
    from pipelines.publish.licensing import Terms

STAGE = "awarded"
OWN = "QFQ"
"""The prefix of what bears our identifiers only."""
NO_TITLE = "Objet non précisé"
LONGEST_TITLE = 140
"""Characters that the standard asks of a title, at most."""
COLUMNS = (
    "application_id", "organisation_id", "currency", "stage", "title", "scheme", "amount", "decided_date",
    "signed_date",
    "funder_id", "funder_name", "funder_siret", "service_name", "service_key", "beneficiary_name", "beneficiary_siren",
    "beneficiary_rna", "commune_name", "source_url",
)  # fmt: skip


@dataclass(frozen=True)
class Grants:
    """The document, and the numbers of grants in it and of awards left out."""

    content: bytes
    n_grants: int
    n_left_out: int


def grants(awards: pl.DataFrame, *, publication: Publication, terms: Terms, title: str) -> Grants:
    """The grants of some lines of the public table `awards`, under one licence."""
    chosen = awards.filter(awards["stage"] == STAGE).select(COLUMNS)
    head: dict[str, Any] = {
        "title": title,
        "publisher": {"name": publication.publisher_name},
        "issued": f"{publication.as_of:%Y-%m-%d}",
        **({"license": terms.url} if terms.url else {}),
    }
    written = io.BytesIO()  # one grant after the other: a country has hundreds of thousands
    written.write(f'{json.dumps(head, ensure_ascii=False).removesuffix("}")}, "grants": ['.encode())
    made = 0
    for made, grant in enumerate(_grants(chosen), start=1):
        written.write(f"{',' if made > 1 else ''}\n{json.dumps(grant, ensure_ascii=False)}".encode())
    written.write(b"\n]}\n")
    return Grants(written.getvalue(), made, chosen.height - made)


def _grants(awards: pl.DataFrame) -> Iterator[dict[str, Any]]:
    for row in awards.iter_rows(named=True):
        day = row["signed_date"] or row["decided_date"]
        if row["amount"] is None or day is None:
            continue
        title = row["title"] or NO_TITLE
        grant: dict[str, Any] = {
            "id": ":".join((OWN, row["application_id"], row["organisation_id"], row["currency"])),
            "title": title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…",
            "description": title,
            "currency": row["currency"],
            "amountAwarded": float(row["amount"]),
            "awardDate": day.isoformat(),
            "fundingOrganization": [_funder(row)],
            "recipientOrganization": [_recipient(row)],
        }
        if row["scheme"]:
            grant["grantProgramme"] = [{"title": row["scheme"]}]
        if row["source_url"] and row["source_url"].startswith(("http://", "https://")):
            grant["dataSource"] = row["source_url"]
        yield grant


def _funder(row: dict[str, Any]) -> dict[str, str]:
    siren = row["funder_id"] if _is_siren(row["funder_id"]) else (row["funder_siret"] or "")[:9]
    identifier = f"FR-SIREN-{siren}" if _is_siren(siren) else f"{OWN}-{row['funder_id']}"
    found = {"id": identifier, "name": row["funder_name"]}
    is_named = row["service_name"] and not row["service_key"].endswith("/-")
    return found | ({"department": row["service_name"]} if is_named else {})


def _recipient(row: dict[str, Any]) -> dict[str, str]:
    if row["beneficiary_siren"]:
        identifier = f"FR-SIREN-{row['beneficiary_siren']}"
    elif row["beneficiary_rna"]:
        identifier = f"FR-RNA-{row['beneficiary_rna']}"
    else:
        identifier = f"{OWN}-{formats.slug(row['organisation_id'])}"
    found = {"id": identifier, "name": row["beneficiary_name"]}
    return found | ({"addressLocality": row["commune_name"]} if row["commune_name"] else {})


def _is_siren(text: str) -> bool:
    return len(text) == 9 and text.isdigit()
