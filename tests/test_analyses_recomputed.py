"""The analyses, computed again by other hands: pandas, scipy and statsmodels, from the counted lines, to 1e-9.

Survival is compared with statsmodels' `SurvfuncRight`: lifelines requires pandas below 3.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.proportion import proportion_confint

from pipelines.ingest.check import check_file
from pipelines.ingest.normalise import Origin
from pipelines.warehouse.build import build
from pipelines.warehouse.disclosure import publish_database
from schemas.funder import FunderFile
from schemas.publication import load_publication
from tests.conftest import REAL_FILES
from tests.warehouse_staging import AS_OF, Staging, line

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "paris1": "paris/subventions-accordees-et-refusees-2013-2019-partie-1.csv",
    "paris2": "paris/subventions-accordees-et-refusees-2013-2019-partie-2.csv",
    "montpellier": "montpellier/subventions_montpellier_2018_2019.csv",
    "loire": "loire-atlantique/224400028_subventions-aux-associations.csv",
}
RANKS = {"awarded": 1, "refused": 2, "inadmissible": 3, "withdrawn": 4, "closed_no_action": 5, "cancelled": 6,
         "pending": 7, "unknown": 8}  # fmt: skip
CELL = ["funder_id", "fiscal_year", "currency", "stage"]


def close(found: Any, expected: Any) -> bool:
    """Equal to 1e-9, missing where missing."""
    return bool(
        np.allclose(np.asarray(found, float), np.asarray(expected, float), rtol=1e-9, atol=1e-9, equal_nan=True)
    )


def panel(folder: Path) -> Path:
    """Four funders, three services each, nine years of which some without data, four hundred applicants."""
    dice = random.Random(20261127)
    staging = Staging(folder / "staging")
    made = []
    for funder in range(4):
        years = [y for y in range(2015, 2024) if not (funder == 1 and y == 2019) and not (funder == 2 and y < 2018)]
        loyalty = {org: dice.random() for org in range(1, 401)}
        for year in years:
            for org, chance in loyalty.items():
                if dice.random() > 0.25 + 0.6 * chance:
                    continue
                requested = round(dice.lognormvariate(8.5, 1.4), 2)
                status = dice.choices(list(RANKS), [60, 25, 5, 2, 1, 1, 5, 1])[0]
                amount = dice.choice([requested, round(requested * dice.random(), 2), 1000.0, -250.0, 0.0, None])
                deposited = pd.Timestamp(year, dice.randint(1, 6), dice.randint(1, 28)).date()
                decided = (pd.Timestamp(deposited) + pd.Timedelta(days=dice.randint(-5, 200))).date()
                made.append(
                    line(
                        status, org=org, year=year, amount=amount, funder_name=f"Financeur {funder}",
                        service_name=f"Service {dice.randint(1, 3)}", scheme=dice.choice(["A", "B", None]),
                        amount_requested=dice.choice([requested, requested, None]), deposited_date=deposited,
                        decided_date=None if status == "pending" else decided,
                        purpose=dice.choice(["operating", "project", "investment", None]),
                        applicant_kind=dice.choices(["legal", "unknown"], [9, 1])[0],
                        is_first_request=dice.choice([True, False, None]),
                    )
                )  # fmt: skip
    staging.deposit("panneau", made)
    build(staging.inputs(), folder / "funding.duckdb")
    return folder / "funding.duckdb"


def real(folder: Path) -> Path:
    """Paris, Montpellier and Loire-Atlantique, read as the inbox reads them."""
    if not REAL_FILES.is_dir():
        pytest.skip(f"the real files are not there ({REAL_FILES}); set QFQ_REAL_FILES to their folder")
    staging = Staging(folder / "staging")
    for name, path in FILES.items():
        file = REAL_FILES / path
        found = check_file(file.read_bytes(), Origin(name, file.parent.name, file.name, FunderFile()))
        assert found.report.status == "accepted"
        staging.frame(name, found.accepted, depositor=file.parent.name)
    build(staging.inputs(), folder / "funding.duckdb")
    return folder / "funding.duckdb"


@pytest.fixture(scope="session")
def generated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return panel(tmp_path_factory.mktemp("analyses-generated"))


@pytest.fixture(scope="session")
def real_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return real(tmp_path_factory.mktemp("analyses-real"))


@pytest.fixture(scope="session", params=["generated", "real"])
def database(request: pytest.FixtureRequest) -> Path:
    """The warehouse built from the generated panel, then from the real files, once each."""
    path: Path = request.getfixturevalue(f"{request.param}_database")
    return path


@pytest.fixture(scope="session")
def real_public(real_database: Path) -> Path:
    """What is published of the real files."""
    target = real_database.with_name("public.duckdb")
    publish_database(real_database, target, as_of=AS_OF, parameters=load_publication())
    return target


def table(database: Path, sql: str) -> pd.DataFrame:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.sql(sql).df()


def grants(database: Path) -> pd.DataFrame:
    """The counted lines of awards."""
    return table(
        database,
        "SELECT application_id, funder_id, service_key, fiscal_year, currency, stage, organisation_id, purpose,"
        " amount_headline::DOUBLE AS amount FROM applications WHERE is_counted AND is_award AND is_grant",
    )


def decisions(database: Path) -> pd.DataFrame:
    """One row by application, from the lines: the decision that stands."""
    lines = table(
        database,
        "SELECT application_id, line_id, funder_id, service_key, fiscal_year, decision_status, amount_requested::DOUBLE"
        " AS requested, if(is_award, amount_awarded, NULL)::DOUBLE AS awarded, deposited_date, decided_date"
        " FROM applications WHERE is_counted AND is_grant",
    )
    lines["rank"] = lines["decision_status"].map(RANKS)
    return lines.sort_values(["application_id", "rank", "line_id"]).drop_duplicates("application_id")


@pytest.mark.parametrize(("level", "keys"), [("funder", ["funder_id"]), ("service", ["funder_id", "service_key"])])
def test_rates_and_wilson(database: Path, level: str, keys: list[str]) -> None:
    counts = (
        decisions(database)
        .pivot_table(index=[*keys, "fiscal_year"], columns="decision_status", values="line_id", aggfunc="count")
        .reindex(columns=list(RANKS))
        .fillna(0)
    )
    found = table(database, f"FROM refusal_rates WHERE level = '{level}'").set_index([*keys, "fiscal_year"])
    assert len(found) == len(counts)
    counts = counts.loc[found.index]
    decided = counts["awarded"] + counts["refused"]
    assert (found["n_decided"] == decided).all()
    assert (found["n_inadmissible"] == counts["inadmissible"]).all()
    told = found["refusal_rate"].notna()
    assert told.sum() > 5
    assert close(found["refusal_rate"][told], (counts["refused"] / decided)[told])
    low, high = proportion_confint(counts["refused"][told], decided[told], method="wilson")
    assert close(found["wilson_low"][told], low)
    assert close(found["wilson_high"][told], high)
    examined = decided + counts["inadmissible"]
    assert close(found["satisfaction_rate_count"][told], (counts["awarded"] / examined)[told])
    assert (found["comparability"].eq("comparable") == told).all()


def test_satisfaction_by_amount(database: Path) -> None:
    lines = decisions(database)
    lines = lines[(lines["decision_status"] == "refused") | lines["awarded"].notna()]
    lines = lines[lines["decision_status"].isin(["awarded", "refused"]) & lines["requested"].notna()]
    sums = lines.groupby(["funder_id", "fiscal_year"])[["requested", "awarded"]].sum()
    found = table(database, "FROM refusal_rates WHERE level = 'funder' AND satisfaction_rate_amount IS NOT NULL")
    found = found.set_index(["funder_id", "fiscal_year"])
    expected = sums.loc[found.index]
    assert close(found["satisfaction_rate_amount"], expected["awarded"] / expected["requested"])


def test_deciles(database: Path) -> None:
    amounts = grants(database).groupby(["application_id", *CELL], dropna=False)["amount"].sum(min_count=1)
    positive = amounts[amounts > 0].groupby(level=CELL)
    found = table(
        database, "FROM funding_distribution WHERE level = 'funder' AND scope = 'all' AND n_positive > 0"
    ).set_index(CELL)
    assert (positive.size().loc[found.index] == found["n_positive"]).all()
    assert close(found["median_amount"], positive.median().loc[found.index])
    assert close(found["mean_amount"], positive.mean().loc[found.index])
    many = found[found["n_positive"] >= 10]
    assert len(many) > 5
    for decile in (1, 2, 3, 4, 6, 7, 8, 9):
        assert close(many[f"decile_{decile}"], positive.quantile(decile / 10).loc[many.index])


def concentration(amounts: pd.DataFrame, keys: list[str], party: str) -> pd.DataFrame:
    net = amounts.groupby([*keys, party])["amount"].sum(min_count=1).reset_index()
    net["amount"] = net["amount"].round(2)
    net = net[net["amount"] > 0]
    net["share"] = net["amount"] / net.groupby(keys)["amount"].transform("sum")
    shares = net.sort_values("share", ascending=False).groupby(keys)["share"]
    return pd.DataFrame(
        {
            "hhi": shares.apply(lambda s: (s**2).sum()),
            "share_top_1": shares.apply(lambda s: s.head(1).sum()),
            "share_top_5": shares.apply(lambda s: s.head(5).sum()),
            "share_top_10": shares.apply(lambda s: s.head(10).sum()),
            "n": shares.size(),
        }
    )


def test_concentration_among_beneficiaries(database: Path) -> None:
    expected = concentration(grants(database), CELL, "organisation_id")
    found = table(
        database, "FROM funding_concentration_by_funder_year WHERE scope = 'all' AND n_beneficiaries > 0"
    ).set_index(CELL)
    assert len(found) == len(expected)
    for name in ("hhi", "share_top_1", "share_top_5", "share_top_10"):
        assert close(found[name], expected.loc[found.index, name])
    assert close(found["effective_number"], 1 / expected.loc[found.index, "hhi"])
    assert (found["n_beneficiaries"] == expected.loc[found.index, "n"]).all()


def test_concentration_among_funders(database: Path) -> None:
    keys = ["organisation_id", "fiscal_year", "currency", "stage"]
    expected = concentration(grants(database), keys, "funder_id")
    found = table(database, "FROM funding_concentration_by_beneficiary_year WHERE n_funders > 0").set_index(keys)
    assert len(found) == len(expected)
    assert close(found["hhi"], expected.loc[found.index, "hhi"])
    assert close(found["share_top_1"], expected.loc[found.index, "share_top_1"])


def histories(database: Path) -> dict[tuple[str, str], set[int]]:
    """Years funded of each (funder, organisation), inside the funder's observed years."""
    spread = table(
        database,
        "SELECT funder_id, organisation_id, fiscal_year, currency, stage, amount::DOUBLE AS amount FROM funding_years",
    )
    spread["unknown"] = spread["amount"].isna()
    cells = spread.groupby(["funder_id", "organisation_id", "fiscal_year", "currency", "stage"], dropna=False)
    net = cells.agg(amount=("amount", "sum"), unknown=("unknown", "any")).reset_index()
    net = net[(net["amount"].round(2) > 0) | net["unknown"]]
    observed = years_observed(database)
    found: dict[tuple[str, str], set[int]] = {}
    for row in net.itertuples():
        if row.fiscal_year in observed[row.funder_id]:
            found.setdefault((row.funder_id, row.organisation_id), set()).add(int(row.fiscal_year))
    return found


def years_complete(database: Path) -> dict[str, set[int]]:
    """Years that are over, with a tenth at least of the awards of the funder's median other year."""
    lines = table(database, "SELECT funder_id, fiscal_year FROM applications WHERE is_counted AND is_award")
    found: dict[str, set[int]] = {}
    for funder, awards in lines.groupby("funder_id")["fiscal_year"]:
        counts = awards.value_counts()
        usual = {year: counts.drop(year).median() if len(counts) > 1 else 0 for year in counts.index}
        found[str(funder)] = {int(y) for y in counts.index if y < AS_OF.year and counts[y] >= 0.1 * usual[y]}
    return found


def years_observed(database: Path) -> dict[str, set[int]]:
    """Complete years and the first incomplete one after them."""
    lines = table(database, "SELECT DISTINCT funder_id, fiscal_year FROM applications WHERE is_counted AND is_award")
    complete = years_complete(database)
    found: dict[str, set[int]] = {}
    for funder, years in lines.groupby("funder_id")["fiscal_year"]:
        known = complete[str(funder)]
        later = [int(y) for y in years if y > max(known, default=0)]
        found[str(funder)] = known | set(sorted(later)[:1])
    return found


def test_survival_is_that_of_statsmodels(database: Path) -> None:
    complete = years_complete(database)
    followed: dict[str, list[tuple[int, int]]] = {}
    for (funder, _), years in histories(database).items():
        entry = min(years)
        if entry - 1 not in complete[funder]:
            continue
        last = entry
        while last + 1 in years:
            last += 1
        ended = last + 1 in complete[funder]
        followed.setdefault(funder, []).append((last + 1 - entry if ended else last - entry, int(ended)))
    found = table(database, "FROM continuity_survival WHERE level = 'funder' ORDER BY relation_key, age")
    compared = 0
    for funder, steps in found.groupby("relation_key"):
        times, ends = (np.array(values) for values in zip(*followed[str(funder)], strict=True))
        expected = SurvfuncRight(times, ends)
        mine = steps[steps["n_ended"] > 0].set_index("age")
        assert list(mine.index) == [int(t) for t in expected.surv_times]
        assert close(mine["survival"], expected.surv_prob)
        assert (mine["n_at_risk"].to_numpy() == expected.n_risk).all()
        partial = mine["survival"].to_numpy() > 0
        assert close(mine["survival_error"][partial], np.asarray(expected.surv_prob_se)[partial])
        compared += len(mine)
    assert compared >= 5


def test_cohorts(database: Path) -> None:
    complete, past = years_complete(database), histories(database)
    entered: dict[tuple[str, int], list[set[int]]] = {}
    for (funder, _), years in past.items():
        if {min(years) - 1, min(years)} <= complete[funder]:
            entered.setdefault((funder, min(years)), []).append(years)
    found = table(database, "FROM continuity_cohorts WHERE level = 'funder'")
    assert {(r.funder_id, r.cohort_year) for r in found.itertuples()} == set(entered)
    for row in found.itertuples():
        cohort = entered[(row.funder_id, row.cohort_year)]
        assert row.n_cohort == len(cohort)
        span = range(row.cohort_year, row.fiscal_year + 1)
        if row.fiscal_year not in complete[row.funder_id]:
            assert pd.isna(row.n_funded)
            assert not row.is_year_observed
            continue
        assert row.n_funded == sum(row.fiscal_year in years for years in cohort)
        if complete[row.funder_id].issuperset(span):
            assert row.n_uninterrupted == sum(years.issuperset(span) for years in cohort)
        else:
            assert pd.isna(row.n_uninterrupted)


def test_change_at_renewal_and_volatility(database: Path) -> None:
    spread = table(
        database,
        "SELECT funder_id, organisation_id, fiscal_year, currency, stage, amount::DOUBLE AS amount FROM funding_years"
        " WHERE purpose IS DISTINCT FROM 'investment'",
    )
    keys = ["funder_id", "organisation_id", "currency", "stage"]
    complete = years_complete(database)
    spread = spread[[y in complete[f] for f, y in zip(spread["funder_id"], spread["fiscal_year"], strict=True)]]
    net = spread.groupby([*keys, "fiscal_year"])["amount"].sum(min_count=1).round(2)
    net = net[net > 0].reset_index().sort_values([*keys, "fiscal_year"])
    before = net.groupby(keys)[["amount", "fiscal_year"]].shift()
    net["change"] = (
        np.log(net["amount"] / before["amount"]).abs().where(before["fiscal_year"] == net["fiscal_year"] - 1)
    )
    renewed = net.dropna(subset=["change"]).groupby(CELL)["change"]
    found = table(database, "FROM continuity_renewal_amounts WHERE level = 'funder'").set_index(CELL)
    assert len(found) == renewed.ngroups > 0
    assert close(found["median_log_change"], renewed.median().loc[found.index])
    assert (found["n_renewals_with_amount"] == renewed.size().loc[found.index]).all()
    assert close(found["share_up"] + found["share_down"] + found["share_equal"], np.ones(len(found)))
    each = net.groupby(keys)["amount"]
    spreads = (each.std(ddof=1) / each.mean())[each.size() >= 3].groupby(["funder_id", "currency", "stage"])
    volatility = table(database, "FROM continuity_volatility WHERE level = 'funder'")
    volatility = volatility.set_index(["funder_id", "currency", "stage"])
    assert len(volatility) == spreads.ngroups
    assert close(volatility["median_variation"], spreads.median().loc[volatility.index])


def test_delays(database: Path) -> None:
    lines = decisions(database)
    lines = lines[lines["decision_status"].isin(["awarded", "refused", "inadmissible"])]
    days = (pd.to_datetime(lines["decided_date"]) - pd.to_datetime(lines["deposited_date"])).dt.days
    measured = lines.assign(days=days)[days >= 0].groupby(["funder_id", "fiscal_year"])["days"]
    found = table(
        database, "FROM decision_delays WHERE level = 'funder' AND step = 'deposit_to_decision' AND n_measured > 0"
    ).set_index(["funder_id", "fiscal_year"])
    assert len(found) == measured.ngroups
    assert close(found["median_days"], measured.median().reindex(found.index))
    assert close(found["days_90"], measured.quantile(0.9).reindex(found.index))


PARIS = {
    2013: (8300, 3378, 240502938), 2014: (7650, 2857, 258237727), 2015: (8214, 3512, 270822332),
    2016: (8819, 3465, 275349227), 2017: (8640, 3182, 276239759), 2018: (8397, 2986, 271370958),
    2019: (9110, 3510, 281924511),
}  # fmt: skip
"""The control figures of the set: lines, lines voted at zero (the publisher's refusals), euros voted."""
DIRECTIONS = {
    "ddct": (12402, 37.5), "dac": (9502, 39.2), "dases": (7315, 36.4), "djs": (6914, 28.9), "dae": (4708, 41.3),
    "dasco": (3723, 48.7), "dfpe": (3462, 20.1), "dpsp": (3167, 65.1),
}  # fmt: skip
"""Lines, and per cent of them voted at zero."""
YEARS_GRANTED = [1999, 743, 415, 354, 277, 457, 1090]
"""Valid SIRETs by number of distinct granted years, 1 to 7."""


def test_control_figures_of_paris_by_year_are_public(real_public: Path) -> None:
    """Exact, but for the amounts that persons withhold: the total is then below, and says of how many lines."""
    told = table(
        real_public,
        "SELECT fiscal_year, sum(n_awarded)::INTEGER AS awarded, sum(n_refused)::INTEGER AS refused,"
        " bool_and(status IN ('shown', 'not_published')) AS is_told"
        " FROM refusal_rates_by_funder_year WHERE funder_id LIKE '%paris%' GROUP BY ALL ORDER BY ALL",
    )
    assert [(r.fiscal_year, r.awarded + r.refused, r.refused) for r in told.itertuples()] == [
        (year, lines, refused) for year, (lines, refused, _) in PARIS.items()
    ]
    assert told["is_told"].all()
    sums = table(
        real_public,
        "SELECT fiscal_year, sum(amount)::DOUBLE AS euros, sum(n_withheld)::INTEGER AS withheld"
        " FROM funding_by_funder_year WHERE funder_id LIKE '%paris%' GROUP BY ALL ORDER BY ALL",
    )
    exact = [r.fiscal_year for r in sums.itertuples() if r.euros == PARIS[r.fiscal_year][2]]
    below = [r for r in sums.itertuples() if r.euros < PARIS[r.fiscal_year][2]]
    assert len(exact) >= 5
    assert len(exact) + len(below) == len(PARIS)
    assert all(r.withheld == 0 for r in sums.itertuples() if r.fiscal_year in exact)
    assert all(0 < r.withheld <= 5 for r in below)


def test_control_figures_of_paris_by_direction(real_database: Path, real_public: Path) -> None:
    """The shares of the set for analysts; what the public is told of a direction and a year is the same number."""
    found = table(
        real_database,
        "SELECT split_part(service_key, '/', 2) AS direction, sum(n_total)::INTEGER AS lines,"
        " sum(n_refused) / sum(n_total) AS share FROM refusal_rates"
        " WHERE level = 'service' AND funder_id LIKE '%paris%' GROUP BY ALL",
    ).set_index("direction")
    for direction, (lines, share) in DIRECTIONS.items():
        assert found.loc[direction, "lines"] == lines
        assert round(100 * found.loc[direction, "share"], 1) == share
    columns = "funder_id, service_key, fiscal_year, n_awarded, n_refused"
    public = table(real_public, f"SELECT {columns} FROM refusal_rates_by_service_year WHERE n_refused IS NOT NULL")
    truth = table(real_database, f"SELECT {columns} FROM refusal_rates WHERE level = 'service'")
    both = public.merge(truth, on=["funder_id", "service_key", "fiscal_year"], suffixes=("", "_truth"))
    assert len(both) == len(public) > 40
    assert (both["n_refused"] == both["n_refused_truth"]).all()
    assert (both["n_awarded"] == both["n_awarded_truth"]).all()
    assert {key.split("/")[1] for key in both["service_key"]} >= set(DIRECTIONS)


def test_control_figures_of_paris_by_years_granted(real_public: Path) -> None:
    found = table(
        real_public,
        "SELECT n_years, count(*) AS n FROM (SELECT beneficiary_siret, count(DISTINCT fiscal_year) AS n_years"
        " FROM awards WHERE funder_id LIKE '%paris%' AND amount > 0 AND beneficiary_siret IS NOT NULL GROUP BY ALL)"
        " GROUP BY ALL ORDER BY ALL",
    )
    assert list(found["n"]) == YEARS_GRANTED


def test_control_figures_of_montpellier_are_public(real_public: Path) -> None:
    found = table(
        real_public,
        "SELECT fiscal_year, n_lines, amount::DOUBLE AS amount, n_withheld FROM funding_by_funder_year"
        " WHERE funder_id = '213401722' ORDER BY ALL",
    )
    assert [tuple(r)[1:] for r in found.itertuples()] == [(2018, 730, 3916576, 0), (2019, 1030, 6065161, 0)]
