"""Figures of how long a funding relation lasts, and of what is already contracted. Nothing here counts a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import formats
from pipelines.publish.charts import Dots
from pipelines.publish.directory import amounts_word
from pipelines.publish.figure import Figure
from pipelines.publish.tables import Column, records

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from pipelines.publish.tables import Row

AGES = (1, 2, 3, 5)
TOO_FEW = "– (moins de vingt relations suivies, ou données trop courtes)"
NOT_OBSERVED = "– (année sans données complètes)"
MAY_BE_FALSE = (
    "Des financeurs ne publient, ou ne semblent publier, qu'au-dessus d'un seuil : une aide devenue plus petite y "
    "ressemble à une fin."
)
MAX_COHORTS = 8  # a funder's page stays under its budget of elements


def survival(
    frame: pd.DataFrame, *, id: str, label: Callable[[Row], str], href: Callable[[Row], str | None], source: str
) -> Figure:
    """Share of each funder's relations still unbroken after some years. `frame`: `continuity_survival` of funders."""
    wide = frame.pivot_table(index="relation_key", columns="age", values="survival", aggfunc="max", sort=False)
    sizes = frame.groupby("relation_key", sort=False).agg(
        n_relations=("n_relations", "max"), n_may_be_false=("n_below_threshold_possible", "sum")
    )
    made = sizes.join(wide.reindex(columns=AGES).rename(columns=lambda age: f"after_{age}"))
    made = made.rename_axis("funder_id").reset_index()
    made["label"] = [label(row) for row in records(made)]
    made["note"] = [_survival_note(row) for row in records(made)]
    known = made[made["after_1"].notna()]
    relations = int(made["n_relations"].sum())
    return Figure(
        id=id,
        headline="Combien de temps dure une relation de financement",
        subtitle="Part des relations encore ininterrompues après un an (Kaplan-Meier), par financeur",
        summary=(
            f"{formats.plural(relations, 'relation')} dont le début est observé : le bénéficiaire n'était pas financé "
            "l'année d'avant, dont les données existent. Une relation que les données ne suivent plus n'est pas une "
            "fin."
        ),
        frame=made[["label", "funder_id", "n_relations", *(f"after_{age}" for age in AGES), "n_may_be_false", "note"]],
        columns=(
            Column("label", "Financeur", "name", href=href, header=True),
            Column("n_relations", "Relations suivies", "count"),
            *(Column(f"after_{age}", f"Après {formats.plural(age, 'an')}", "share", absent=TOO_FEW) for age in AGES),
        ),
        chart=Dots("label", "after_1", "note") if len(known) else None,
        coverage=f"Sur {formats.plural(relations, 'relation')} de {formats.plural(len(made), 'financeur')}",
        source=source,
        method="duree",
        note=MAY_BE_FALSE if made["n_may_be_false"].sum() else "",
    )


def _survival_note(row: Row) -> str:
    if formats.is_missing(row["after_1"]):
        return TOO_FEW
    return f"{formats.percent(float(row['after_1']), decimals=0)} (sur {formats.count(row['n_relations'])})"


def cohorts(frame: pd.DataFrame, *, id: str, place: str, source: str) -> Figure:
    """The triangle: beneficiaries by year of entry, and how many are funded each year after.

    `frame`: `continuity_cohorts` of one funder.
    """
    latest = sorted(set(frame["cohort_year"]))[-MAX_COHORTS:]
    kept = frame[frame["cohort_year"].isin(latest)]
    ages = sorted({int(age) for age in kept["age"] if 1 <= age <= MAX_COHORTS})
    wide = kept.pivot_table(index=["cohort_year", "n_cohort"], columns="age", values="n_funded", aggfunc="max")
    made = wide.reset_index()
    observed = {(int(row["cohort_year"]), int(row["age"])) for row in records(kept) if row["is_year_observed"]}
    reached = {(int(row["cohort_year"]), int(row["age"])) for row in records(kept)}
    made["label"] = [f"entrés en {int(year)}" for year in made["cohort_year"]]
    for age in ages:
        made[f"age_{age}"] = made.get(age)

    def absent(age: int) -> Callable[[Row], str]:
        def mark(row: Row) -> str:
            cell = (int(row["cohort_year"]), age)
            return NOT_OBSERVED if cell in reached - observed else "–"

        return mark

    total = int(made["n_cohort"].sum())
    names = [f"age_{age}" for age in ages]
    return Figure(
        id=id,
        headline="Que deviennent les bénéficiaires entrés la même année",
        subtitle=f"Bénéficiaires encore financés, par année d'entrée, {place}",
        summary=(
            f"{formats.plural(total, 'bénéficiaire')} dont l'entrée est observée. Un bénéficiaire absent une année "
            "peut revenir : il est compté l'année de son retour."
        ),
        frame=made[["label", "cohort_year", "n_cohort", *names]],
        columns=(
            Column("label", "Entrée", header=True),
            Column("n_cohort", "Entrés", "count"),
            *(Column(f"age_{age}", f"{formats.plural(age, 'an')} après", "count", absent=absent(age)) for age in ages),
        ),
        chart=None,
        coverage=f"Sur {formats.plural(total, 'bénéficiaire')}",
        source=source,
        method="duree",
    )


def secured(
    frame: pd.DataFrame, *, id: str, label: Callable[[Row], str], href: Callable[[Row], str | None], source: str
) -> Figure:
    """What agreements bring in the coming years, and what ends. `frame`: `continuity_secured_by_funder_year`."""
    made = frame.reset_index(drop=True)
    made["label"] = [label(row) for row in records(made)]
    made["stage_words"] = [amounts_word(stage) for stage in made["stage"]]
    made["ending_words"] = [
        "–" if not row["n_ending"] else formats.plural(int(row["n_ending"]), "convention") for row in records(made)
    ]
    estimated = int((made["amount_estimated"] > 0).sum())
    return Figure(
        id=id,
        headline="Ce qui est déjà conventionné pour les années qui viennent",
        subtitle="Conventions pluriannuelles réparties sur leurs années, par financeur",
        summary=(
            "Un montant conventionné reste soumis au vote du budget et à la justification de l'aide. "
            "Ce qui finit une année n'est plus conventionné l'année suivante, et peut être renouvelé."
        ),
        frame=made[
            [
                "label", "fiscal_year", "n_agreements", "amount_contracted", "amount_estimated", "n_without_amount",
                "n_ending", "ending_words", "amount_ending", "base_year", "base_amount", "secured_share", "stage_words",
                "currency", "funder_id",
            ]
        ],
        columns=(
            Column("label", "Financeur", "name", href=href, header=True),
            Column("fiscal_year", "Année", "year"),
            Column("n_agreements", "Conventions", "count"),
            Column("amount_contracted", "Conventionné", "money", absent="montant non précisé"),
            Column("amount_ending", "Dont finit cette année", "money"),
            Column("ending_words", "Fins"),
            Column("base_year", "Comparé à", "year"),
            Column("secured_share", "Part de cet exercice", "share"),
            Column("stage_words", "Étape"),
        ),
        chart=None,
        coverage=(
            f"Sur {formats.plural(len(made), 'ligne')}, dont {formats.count(estimated)} où une part est répartie à "
            f"égalité faute de montants annuels ; {formats.count(made['n_without_amount'].sum())} sans montant"
        ),
        source=source,
        method="acquis",
    )  # fmt: skip
