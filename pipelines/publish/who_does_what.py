"""Rows of « qui fait quoi »: a service and one of its schemes, what the directory says beside what the data show.

Also the figure of what contradicts what, which several pages print.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.publish import formats, offers
from pipelines.publish.directory import label
from pipelines.publish.figure import Figure
from pipelines.publish.tables import Column, Table, records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipelines.publish.context import Context
    from pipelines.publish.tables import Row

NAMES = (
    "funder_id", "funder_name", "service_key", "service_name", "scheme", "themes", "pays", "pays_not", "area",
    "calendar", "contact", "reviewed_date", "observed",
)  # fmt: skip
OBSERVED = frozenset({"service_name", "funder_name", "scheme", "observed"})
"""What files of awards say; the other columns come from directories."""
NO_DIRECTORY = (
    "Aucun de ces services n'est dans un annuaire : ce qu'il paie, son calendrier et son contact ne sont pas publiés."
)
NOT_IN_DIRECTORY = "pas dans l'annuaire"
NOT_OBSERVED = "aucune attribution connue"
SOURCE = "annuaires déposés par les financeurs, et leurs attributions"
MOST_DIFFERENCES = 60


@dataclass
class Offer:
    """One service and scheme. `declared`: a row of the directory, if any; codes declared and observed by theme."""

    service_key: str
    funder_id: str
    scheme: str | None
    declared: Row | None = None
    themes: set[str] = field(default_factory=set)
    pays: set[str] = field(default_factory=set)
    seen: dict[str, set[str]] = field(default_factory=dict)
    """Theme of the awards → what they pay."""
    n_awards: dict[str, int] = field(default_factory=dict)
    years: dict[str, tuple[int, int]] = field(default_factory=dict)

    def is_about(self, theme: str) -> bool:
        """Whether the directory gives it this theme, or awards have it."""
        return theme in self.themes or theme in self.n_awards

    @property
    def departements(self) -> frozenset[str]:
        """The départements of its declared area."""
        codes = None if self.declared is None else self.declared["departement_codes"]
        return frozenset() if formats.is_missing(codes) or codes is None else frozenset(str(codes).split())

    @property
    def is_national(self) -> bool:
        """Whether its declared area is the whole country."""
        return self.declared is not None and self.declared["is_national"] is True


def read_offers(context: Context, service_key: str | None = None) -> list[Offer]:
    """Every service and scheme of the table `who_does_what`, in the order of funders, services and schemes.

    With `service_key`, those of this service.
    """
    found: dict[tuple[str, str, str], Offer] = {}
    database, table = context.database, "who_does_what"
    rows = records(database.table(table) if service_key is None else database.where(table, "service_key", service_key))
    refs: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        if row["is_declared"] is True:
            refs.setdefault((row["service_key"], _scheme(row)), set()).add(str(row["service_ref"]))
    for row in rows:
        names = refs.get((row["service_key"], _scheme(row)), set())
        own = str(row["service_ref"]) if row["is_declared"] is True else next(iter(names)) if len(names) == 1 else ""
        key = (str(row["service_key"]), own, _scheme(row))
        scheme = None if formats.is_missing(row["scheme"]) else str(row["scheme"])
        offer = found.setdefault(key, Offer(str(row["service_key"]), str(row["funder_id"]), scheme))
        _add(offer, row)
    directory = context.directory
    return sorted(
        found.values(),
        key=lambda offer: (
            formats.slug(directory.funder_name(offer.funder_id)), offer.service_key, formats.slug(offer.scheme or ""),
        ),
    )  # fmt: skip


def _scheme(row: Row) -> str:
    return "" if formats.is_missing(row["scheme"]) else formats.slug(str(row["scheme"]))


def _add(offer: Offer, row: Row) -> None:
    theme, pays = str(row["theme"]), str(row["pays"])
    if row["is_declared"] is True:
        offer.declared = offer.declared or row
        offer.themes.add(theme)
        offer.pays.add(pays)
    if row["is_observed"] is True:
        offer.seen.setdefault(theme, set()).add(pays)
        offer.n_awards[theme] = offer.n_awards.get(theme, 0) + int(row["n_awards"])
        first, last = offer.years.get(theme, (9999, 0))
        offer.years[theme] = min(first, int(row["first_year"])), max(last, int(row["last_year"]))


def frame(context: Context, found: Iterable[Offer], *, theme: str | None = None) -> pd.DataFrame:
    """The rows people read; with `theme`, only the awards of this theme count."""
    return pd.DataFrame([_words(context, offer, theme) for offer in found], columns=list(NAMES))


def _words(context: Context, offer: Offer, theme: str | None) -> dict[str, Any]:
    told: Row = offer.declared or {}
    return {
        "funder_id": offer.funder_id,
        "funder_name": context.directory.funder_name(offer.funder_id),
        "service_key": offer.service_key,
        "service_name": context.directory.service_name(offer.service_key),
        "scheme": offer.scheme,
        "themes": offers.set_words("theme", offer.themes) if told else None,
        "pays": offers.set_words("paid_kind", offer.pays) if told else None,
        "pays_not": told.get("pays_not"),
        "area": told.get("area"),
        "calendar": told.get("calendar"),
        "contact": offers.joined(told.get("contact_function"), told.get("contact_mailbox")),
        "reviewed_date": told.get("reviewed_date"),
        "observed": _observed(offer, theme),
    }


def _observed(offer: Offer, theme: str | None) -> str | None:
    """The awards of one theme, or of all; else those whose files say no theme; None when there is none at all."""
    awarded = [code for code in offer.n_awards if theme is None or code == theme]
    if awarded:
        return _counted(offer, awarded)
    if "unknown" in offer.n_awards:
        return f"{_counted(offer, ['unknown'])}, sans thème connu"
    return "aucune de ce thème" if offer.n_awards else None


def _counted(offer: Offer, themes: list[str]) -> str:
    first, last = min(offer.years[code][0] for code in themes), max(offer.years[code][1] for code in themes)
    paid = offers.set_words("paid_kind", {code for name in themes for code in offer.seen[name]})
    number = formats.plural(sum(offer.n_awards[code] for code in themes), "attribution")
    return f"{number}, {formats.years(first, last)}" + (f" : {paid}" if paid else "")


def columns(context: Context, shown: pd.DataFrame) -> tuple[Column, ...]:
    """The columns of « qui fait quoi »; only what awards say where no service `shown` is in a directory."""
    directory = context.directory
    in_directory = any(directory.is_declared(key) for key in shown["service_key"])

    def absent(row: Row) -> str:
        return offers.NOT_STATED if directory.is_declared(row["service_key"]) else NOT_IN_DIRECTORY

    mark: Callable[[Row], str] = absent
    every = (
        Column(
            "service_name", "Service", "name", href=lambda row: directory.service_href(row["service_key"]), header=True
        ),
        Column("funder_name", "Financeur", "name", href=lambda row: directory.funder_href(row["funder_id"])),
        Column("scheme", "Dispositif", "name", absent=offers.NOT_STATED),
        Column("pays", "Ce qui est payé", absent=mark),
        Column("pays_not", "Ce qui n'est pas payé", absent=mark),
        Column("contact", "Contact", absent=mark),
        Column("observed", "Ce que montrent les données", absent=NOT_OBSERVED),
        Column("calendar", "Calendrier", absent=mark),
        Column("area", "Territoire", absent=mark),
        Column("themes", "Thèmes", absent=mark),
        Column("reviewed_date", "Vérifié le", "date", absent=mark),
    )
    return tuple(column for column in every if in_directory or column.name in OBSERVED)


def table(context: Context, shown: pd.DataFrame, *, id: str, caption: str, hide: str = "") -> Table:
    """The rows as a table that sorts and filters, without the column `hide`."""
    kept = tuple(column for column in columns(context, shown) if column.name != hide)
    return Table(id, caption, shown, kept, sortable=True, search="Filtrer les services")


def differences(context: Context, found: pd.DataFrame, *, place: str, is_one: bool = False) -> Figure:
    """Where the directory and the awards contradict each other, as a table."""
    directory = context.directory
    rows = records(found)
    made = found.assign(
        service_name=pd.Series([directory.service_name(row["service_key"]) for row in rows], index=found.index),
        what=pd.Series([_difference(row) for row in rows], index=found.index),
        about=pd.Series([_subject(context, row) for row in rows], index=found.index, dtype=object),
        seen=pd.Series([offers.awards_words(row) for row in rows], index=found.index, dtype=object),
    )
    shown = [
        Column(
            "service_name", "Service", "name", href=lambda row: directory.service_href(row["service_key"]), header=True
        ),
        Column("what", "Différence", header=is_one),
        Column("about", "Sur quoi", "name"),
        Column("seen", "Ce que montrent les données", absent=NOT_OBSERVED),
    ]
    number = formats.plural(len(found), "différence")
    services = formats.plural(found["service_key"].nunique(), "service")
    return Figure(
        id="differences",
        headline=f"{number} entre l'annuaire et les données",
        subtitle=f"Ce que l'annuaire déclare et ce que montrent les attributions, {place}",
        summary=(
            f"{number} sur {services}. Une différence n'est pas une faute : un annuaire dit le présent, les données le "
            "passé."
        ),
        frame=made.head(MOST_DIFFERENCES),
        columns=tuple(shown[1:] if is_one else shown),
        chart=None,
        coverage=f"Sur {services}{_rest(found)}",
        source=SOURCE,
        method="annuaire",
        search=None if is_one else "Filtrer les différences",
    )


def _rest(found: pd.DataFrame) -> str:
    if len(found) <= MOST_DIFFERENCES:
        return ""
    return f" ; les {formats.count(MOST_DIFFERENCES)} premières, toutes dans la table service_differences"


def _difference(row: Row) -> str:
    return formats.sentence(label("directory_difference", row["difference"]))


def _subject(context: Context, row: Row) -> str | None:
    subject = row["subject"]
    if formats.is_missing(subject):
        return None
    if row["difference"] == "outside_area":
        return context.directory.territory_name(subject)
    if row["difference"] == "pays_not_declared":
        scheme, _, paid = str(subject).rpartition(" · ")
        return f"{scheme} : {label('paid_kind', paid)}"
    return str(subject)
