"""The awards in the 360Giving Data Standard (JSON): one grant a line of the public table, with what the standard asks.

Organisations are named by their official numbers, after the prefixes `FR-SIREN` and `FR-RNA`; those without a number by
our own identifier. An award without an amount or a date is left out and counted: the
standard requires both.
"""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any

import polars as pl

from pipelines.publish import formats

if TYPE_CHECKING:
    from collections.abc import Iterable

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


_IS_WHOLE = pl.col("amount").is_not_null() & pl.coalesce("signed_date", "decided_date").is_not_null()
_SIREN = r"^\d{9}$"
_FRENCH = pl.lit("FR-SIREN-")


def counted(awards: pl.DataFrame) -> tuple[int, int]:
    """Of some lines of the public table `awards` (stage, amount and dates are enough): grants, and awards left out."""
    chosen = awards.filter(pl.col("stage") == STAGE)
    n_grants = chosen.filter(_IS_WHOLE).height
    return n_grants, chosen.height - n_grants


def write(
    awards: Iterable[pl.DataFrame], file: IO[bytes], *, publication: Publication, terms: Terms, title: str
) -> None:
    """Write the document of some frames of the public table `awards`, all under one licence."""
    head: dict[str, Any] = {
        "title": title,
        "publisher": {"name": publication.publisher_name},
        "issued": f"{publication.as_of:%Y-%m-%d}",
        **({"license": terms.url} if terms.url else {}),
    }
    file.write(f'{json.dumps(head, ensure_ascii=False).removesuffix("}")}, "grants": ['.encode())
    separator = b"\n"
    for frame in awards:
        whole = frame.filter(pl.col("stage") == STAGE, _IS_WHOLE)
        if whole.height:
            file.write(separator)
            grants = _grants(whole)
            grants[:-1].to_frame().write_csv(file, include_header=False, quote_style="never", line_terminator=",\n")
            file.write(grants[-1].encode())
            separator = b",\n"
    file.write(b"\n]}\n")


def _grants(whole: pl.DataFrame) -> pl.Series:
    """Each award of a frame, none of which lacks anything, as a JSON object."""
    long = pl.col("title").replace("", None).fill_null(NO_TITLE)
    short = pl.when(long.str.len_chars() <= LONGEST_TITLE).then(long).otherwise(
        long.str.slice(0, LONGEST_TITLE - 1) + "…"
    )  # fmt: skip
    return whole.select(
        pl.concat_str(
            pl.lit("{"),
            _members(
                id=pl.concat_str(pl.lit(OWN), "application_id", "organisation_id", "currency", separator=":"),
                title=short, description=long, currency="currency", amountAwarded=pl.col("amount").cast(pl.Float64),
                awardDate=pl.coalesce("signed_date", "decided_date").dt.to_string("%Y-%m-%d"),
            ),
            pl.lit(', "fundingOrganization": [{'), *_funder(), pl.lit('}], "recipientOrganization": [{'),
            *_recipient(whole), pl.lit("}]"),
            _if(_is_said("scheme"), ', "grantProgramme": [{', _members(title="scheme"), "}]"),
            _if(pl.col("source_url").str.contains("^https?://"), ", ", _members(dataSource="source_url")),
            pl.lit("}"),
            ignore_nulls=True,
        )
    ).to_series()  # fmt: skip


def _members(**values: str | pl.Expr) -> pl.Expr:
    """`"name":value, …` of some members of a JSON object."""
    named = [(pl.col(value) if isinstance(value, str) else value).alias(name) for name, value in values.items()]
    encoded = pl.struct(named).struct.json_encode()
    return encoded.str.strip_prefix("{").str.strip_suffix("}")


def _if(condition: pl.Expr, *parts: str | pl.Expr) -> pl.Expr:
    """`parts` one after the other, or nothing."""
    pieces = [pl.lit(part) if isinstance(part, str) else part for part in parts]
    return pl.when(condition).then(pl.concat_str(*pieces)).otherwise(pl.lit(""))


def _is_said(name: str) -> pl.Expr:
    return (pl.col(name) != "").fill_null(False)


def _funder() -> tuple[pl.Expr, ...]:
    own, siren = pl.col("funder_id"), pl.col("funder_siret").str.slice(0, 9)
    identifier = (
        pl.when(own.str.contains(_SIREN)).then(_FRENCH + own)
        .when(siren.str.contains(_SIREN)).then(_FRENCH + siren)
        .otherwise(pl.lit(f"{OWN}-") + own)
    )  # fmt: skip
    is_named = _is_said("service_name") & ~pl.col("service_key").str.ends_with("/-")
    named = _if(is_named, ", ", _members(department="service_name"))
    return _members(id=identifier, name="funder_name"), named


def _recipient(awards: pl.DataFrame) -> tuple[pl.Expr, ...]:
    own = pl.col("organisation_id")
    unnumbered = awards.filter(~_is_said("beneficiary_siren"), ~_is_said("beneficiary_rna"))["organisation_id"].unique()
    slugs = {identifier: f"{OWN}-{formats.slug(identifier)}" for identifier in unnumbered}
    identifier = (
        pl.when(_is_said("beneficiary_siren")).then(_FRENCH + pl.col("beneficiary_siren"))
        .when(_is_said("beneficiary_rna")).then(pl.lit("FR-RNA-") + pl.col("beneficiary_rna"))
        .otherwise(own.replace_strict(slugs, default=None, return_dtype=pl.String))
    )  # fmt: skip
    placed = _if(_is_said("commune_name"), ", ", _members(addressLocality="commune_name"))
    return _members(id=identifier, name="beneficiary_name"), placed
