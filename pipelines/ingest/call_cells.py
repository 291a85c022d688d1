"""Cells of lists of calls that hold several fields at once: who pays, whom to ask, where, at which rates.

The formats are those of the French « dispositif-aide » schema (0.0.2 and 0.2.0) and of Aides-territoires.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.ingest.personal import MASK, PATTERNS, masked
from schemas.contract import Share

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.ingest.findings import Findings

COMPOSITES = frozenset({"funders", "carriers", "contacts", "area_codes", "rates"})
_MAIL = PATTERNS["adresse électronique"]
_BETWEEN_NAMES = re.compile(r"\s*(?:;|\||[\n\r]+|,(?=\S))\s*")  # a comma of the name itself has a space after it
_LEVELS = {"REG": "region", "DEP": "departement", "COM": "commune", "EPCI": "epci", "PAYS": "country"}
_COUNTRY = "PAYS"
_LOWEST = r"(?i)min[^\d]*(\d+(?:[.,]\d+)?)"
_HIGHEST = r"(?i)max[^\d]*(\d+(?:[.,]\d+)?)"
_ONE_RATE = r"^\s*(\d+(?:[.,]\d+)?)\s*%?\s*$"


def parse(name: str, text: pl.Series, findings: Findings) -> dict[str, pl.Series]:
    """The contract's columns that the composite column `name` fills; what cannot be read is a finding."""
    readers: dict[str, Callable[[pl.Series, Findings], dict[str, pl.Series]]] = {
        "funders": _funders,
        "carriers": _carriers,
        "contacts": _contacts,
        "area_codes": _area_codes,
        "rates": _rates,
    }
    return readers[name](text, findings)


def _columns(rows: list[dict[str, str]], *names: str) -> dict[str, pl.Series]:
    return {name: pl.Series(name, [row.get(name) or None for row in rows], dtype=pl.String) for name in names}


def _funders(text: pl.Series, findings: Findings) -> dict[str, pl.Series]:
    """« Région,ADEME »: the first one is the funder, the others fund with it."""
    rows = []
    for cell in text.to_list():
        names = [name for name in _BETWEEN_NAMES.split(cell or "") if name]
        rows.append({"funder_name": names[0], "cofunders": " ; ".join(names[1:])} if names else {})
    return _columns(rows, "funder_name", "cofunders")


def _carriers(text: pl.Series, findings: Findings) -> dict[str, pl.Series]:
    """`[{ nom: 'ADEME', siren: '385290309', roles: ['financeur'] }]`: funders, and the service that examines."""
    names = ("funder_name", "funder_siren", "cofunders", "service_name")
    cells = [_records(cell) for cell in text.to_list()]
    findings.add("carriers_unreadable", "carriers", text, pl.Series([cell is None for cell in cells]))
    return _columns([_carried(cell or []) for cell in cells], *names)


def _records(cell: str | None) -> list[dict[str, Any]] | None:
    """The records of a cell in JSON, or in the schema's own way of writing it; None when it is neither."""
    if cell is None:
        return []
    quoted = re.sub(r"([{,]\s*)([a-z_]+)\s*:", r'\1"\2":', cell)
    single = re.sub(r"(?<=[\[{:,])(\s*)'(.*?)'(?=\s*[,\]}])", lambda m: m[1] + json.dumps(m[2]), quoted)
    for written in (cell, quoted, single):
        try:
            found = json.loads(written)
        except json.JSONDecodeError:
            continue
        if isinstance(found, list) and all(isinstance(item, dict) and item.get("nom") for item in found):
            return found
    return None


def _carried(records: list[dict[str, Any]]) -> dict[str, str]:
    if not records:
        return {}
    paying = [record for record in records if "financeur" in (record.get("roles") or [])]
    others = [record for record in records if (record.get("roles") or []) != ["instructeur"]]
    funders = paying or others or records
    examining = [record for record in records if "instructeur" in (record.get("roles") or [])]
    return {
        "funder_name": str(funders[0]["nom"]),
        "funder_siren": re.sub(r"\D", "", str(funders[0].get("siren") or "")),
        "cofunders": " ; ".join(str(record["nom"]) for record in funders[1:]),
        "service_name": str(examining[0]["nom"]) if examining and examining[0] is not funders[0] else "",
    }


def _contacts(text: pl.Series, findings: Findings) -> dict[str, pl.Series]:
    """Free words with an address among them: the words without personal values, and the first address.

    Whether the address is that of a function is the contract's question.
    """
    address = text.str.extract(f"({_MAIL})")
    findings.add("mailboxes_several", "contacts", text, text.str.count_matches(_MAIL) > 1)
    words, found = masked(text.str.replace_all(_MAIL, " "))
    for kind, mask in found.items():
        findings.count_personal(kind, mask)
    words = words.str.replace_all(MASK, " ", literal=True).str.replace_all(r"\s+", " ")
    words = words.str.replace_all(r"^[\s,;:/<>-]+|[\s,;:/<>-]+$", "")
    told = pl.select(pl.when(words.str.contains(r"\p{L}{3}")).then(words)).to_series()
    return {"contact": told.alias("contact"), "contact_mailbox": address.alias("contact_mailbox")}


def _area_codes(text: pl.Series, findings: Findings) -> dict[str, pl.Series]:
    """`REG-76`, `DEP-31|DEP-82`: one code is read; several are kept as words, no one stands for all."""
    rows = []
    unread = []
    for cell in text.to_list():
        codes = [code.strip() for code in (cell or "").split("|") if code.strip()]
        parts = [code.partition("-") for code in codes]
        unread.append(any(level not in _LEVELS or not code for level, _, code in parts))
        rows.append(_area(parts, cell or ""))
    findings.add("area_codes_unreadable", "area_codes", text, pl.Series(unread, dtype=pl.Boolean))
    return _columns(rows, "area_code", "area_level", "area_name")


def _area(parts: list[tuple[str, str, str]], cell: str) -> dict[str, str]:
    if len(parts) != 1:
        return {"area_name": cell.replace("|", ", ")}
    level, _, code = parts[0]
    if level == _COUNTRY:
        return {"area_level": "country", "area_name": "France"}
    return {"area_code": code, "area_level": _LEVELS[level]} if level in _LEVELS and code else {"area_name": cell}


def _rates(text: pl.Series, findings: Findings) -> dict[str, pl.Series]:
    """« Min : 20 Max : 50 », in percent; a number alone is the highest rate, as the portal says to write it."""
    low = text.str.extract(_LOWEST)
    high = pl.select(pl.coalesce(text.str.extract(_HIGHEST), text.str.extract(_ONE_RATE))).to_series()
    findings.add("number_unreadable", "rates", text, text.is_not_null() & low.is_null() & high.is_null())
    return {"rate_min": _share(low).alias("rate_min"), "rate_max": _share(high).alias("rate_max")}


def _share(number: pl.Series) -> pl.Series:
    percent = number.str.replace(",", ".", literal=True).cast(pl.Decimal(18, 6), strict=False)
    return (percent / 100).cast(Share, strict=False)
