"""Identifiers of bodies that do not exist: SIREN under 9999, with true Luhn keys, and RNA numbers of a tenth office.

Every SIREN here starts with 9999 so that a reader can tell a demonstration number at sight.
"""

from __future__ import annotations

from stdnum import luhn

PREFIX = "9999"


def siren(serial: int) -> str:
    """The nine digits of body number `serial` (0 to 9999)."""
    body = f"{PREFIX}{serial:04d}"
    return body + luhn.calc_check_digit(body)


def siret(siren_: str, *, establishment: int = 1) -> str:
    """The fourteen digits of an establishment of `siren_`."""
    body = f"{siren_}{establishment:04d}"
    return body + luhn.calc_check_digit(body)


def rna(departement: str, serial: int) -> str:
    """`W`, département, 9 (no registry office has this number), six digits."""
    return f"W{departement}9{serial:06d}"
