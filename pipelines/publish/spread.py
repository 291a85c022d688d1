"""Figures of how grants are spread: median and deciles, and concentration among beneficiaries. Legal persons only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import formats
from pipelines.publish.directory import amounts_word
from pipelines.publish.figure import Figure
from pipelines.publish.tables import Column

if TYPE_CHECKING:
    import pandas as pd

LEGAL_ONLY = "Attributions à des personnes morales seulement ; montants positifs."
OBSERVED_ONLY = (
    "Concentration des seules subventions publiques observées ici : les autres ressources des organismes ne sont pas "
    "connues."
)
TOO_FEW = "– (moins de dix attributions)"


def main_part(frame: pd.DataFrame, weight: str) -> tuple[str, str, pd.DataFrame]:
    """The rows of the currency and stage of most `weight`, by year; the others are never added to them."""
    keyed = frame.assign(currency=frame["currency"].fillna("EUR"), stage=frame["stage"].fillna("unknown"))
    sizes = keyed.groupby(["currency", "stage"])[weight].sum().reset_index()
    first = sizes.sort_values([weight, "currency", "stage"], ascending=[False, True, True]).iloc[0]
    part = keyed[(keyed["currency"] == first["currency"]) & (keyed["stage"] == first["stage"])]
    return str(first["currency"]), str(first["stage"]), part.sort_values("fiscal_year").reset_index(drop=True)


def distribution(frame: pd.DataFrame, *, id: str, place: str, source: str) -> Figure:
    """Median and deciles by year. `frame`: `funding_distribution` of one funder, level « funder »."""
    currency, stage, made = main_part(frame[frame["n_positive"] > 0], "n_positive")
    made["label"] = [str(int(year)) for year in made["fiscal_year"]]
    last = made.iloc[-1]
    counted, left = int(made["n_positive"].sum()), int((made["n_not_positive"] + made["n_without_amount"]).sum())
    return Figure(
        id=id,
        headline=(
            f"En {last['label']}, la moitié des attributions ne dépasse pas "
            f"{formats.money(round(float(last['median_amount'])), currency=currency)}"
        ),
        subtitle=f"Répartition des {amounts_word(stage)} par exercice, {place}",
        summary=(
            "La médiane partage les attributions en deux moitiés ; une attribution sur dix est sous le premier décile, "
            "une sur dix au-dessus du neuvième. Le fichier donne aussi la moyenne."
        ),
        frame=made[["label", "n_positive", "decile_1", "median_amount", "decile_9", "mean_amount", "currency"]],
        columns=(
            Column("label", "Exercice", header=True),
            Column("n_positive", "Attributions", "count"),
            Column("decile_1", "Premier décile", "money", absent=TOO_FEW),
            Column("median_amount", "Médiane", "money"),
            Column("decile_9", "Neuvième décile", "money", absent=TOO_FEW),
        ),
        chart=None,
        coverage=(
            f"Sur {formats.plural(counted, 'attribution')}, {formats.count(left)} sans montant positif laissées de côté"
        ),
        source=source,
        method="repartition",
        note=LEGAL_ONLY,
    )


def concentration(frame: pd.DataFrame, *, id: str, place: str, source: str) -> Figure:
    """Share of the ten first beneficiaries by year. `frame`: `funding_concentration_by_funder_year` of one funder."""
    _, stage, made = main_part(frame[frame["n_beneficiaries"] > 0], "n_beneficiaries")
    made["label"] = [str(int(year)) for year in made["fiscal_year"]]
    made["equivalent"] = [formats.number(float(value), decimals=1) for value in made["effective_number"]]
    last, left = made.iloc[-1], int(made["n_without_positive_amount"].sum())
    return Figure(
        id=id,
        headline=(
            f"En {last['label']}, les dix premiers bénéficiaires reçoivent "
            f"{formats.percent(float(last['share_top_10']), decimals=0)} des montants"
            if last["n_beneficiaries"] > 10
            else "Concentration des subventions entre les bénéficiaires"
        ),
        subtitle=f"Part des dix premiers bénéficiaires dans les {amounts_word(stage)}, {place}",
        summary=(
            "Le nombre équivalent est celui de bénéficiaires qui, à parts égales, donneraient la même concentration. "
            + OBSERVED_ONLY
        ),
        frame=made[["label", "n_beneficiaries", "share_top_1", "share_top_5", "share_top_10", "hhi", "equivalent"]],
        columns=(
            Column("label", "Exercice", header=True),
            Column("n_beneficiaries", "Bénéficiaires", "count"),
            Column("share_top_1", "Le premier", "share"),
            Column("share_top_10", "Les 10 premiers", "share"),
            Column("equivalent", "Nombre équivalent"),
        ),
        chart=None,
        coverage=(
            f"Sur {formats.plural(int(last['n_beneficiaries']), 'bénéficiaire')} en {last['label']} ; "
            f"{formats.plural(left, 'cas', 'cas')} sans montant net positif laissés de côté"
        ),
        source=source,
        method="concentration",
        note=LEGAL_ONLY,
    )
