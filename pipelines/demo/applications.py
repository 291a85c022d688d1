"""What was asked and decided: one service's applications, year after year, drawn from a seed.

A line is a mapping of the contract's field names to Python values. How a file writes them is `layouts`' business.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from pipelines.demo.applicants import DEPARTEMENTS, Applicant, dice, pick, wording
from pipelines.demo.funders import FIRST_YEAR, LAST_YEAR, YEARS, Funder, Scheme, Service

if TYPE_CHECKING:
    from random import Random

FREEZE = date(2026, 9, 30)
Value: TypeAlias = "str | int | bool | Decimal | date | None"
Line: TypeAlias = "dict[str, Value]"

SIZE_FACTOR = {1: 0.45, 2: 0.75, 3: 1.1, 4: 1.8, 5: 3.2}
ASKS_AGAIN = {"awarded": 0.86, "refused": 0.45, "inadmissible": 0.6, "withdrawn": 0.4, "closed_no_action": 0.3,
              "cancelled": 0.3, "pending": 0.8}  # fmt: skip
INADMISSIBLE_REASONS = {"late": 22, "incomplete": 34, "ineligible_applicant": 14, "out_of_scope": 16, "duplicate": 4,
                        "already_started": 5, "missing_report": 5}  # fmt: skip
EXAMINED_REASONS = {"budget_exhausted": 34, "low_priority": 26, "weak_project": 12, "unsound_budget": 8,
                    "insufficient_cofunding": 8, "other_funder": 7, "not_renewed": 4, "other": 1}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What is known before the decision."""

    funder: Funder
    service: Service
    scheme: Scheme
    applicant: Applicant
    year: int
    number: int
    renewal: bool
    first: bool
    usual: Decimal | None = None


def service_lines(funder: Funder, service: Service, applicants: tuple[Applicant, ...]) -> list[Line]:
    """Every application to `service`, refusals included, in the order of years and case numbers."""
    rng = dice(f"{funder.slug}/{service.name}")
    themes = {theme for scheme in service.schemes for theme in scheme.themes}
    pool = [one for one in applicants if one.commune.departement in service.area and themes & set(one.themes)]
    lines: list[Line] = []
    last: dict[int, Line] = {}
    running: list[Line] = []
    for year in YEARS:
        if year not in funder.years:
            continue
        running = [line for line in running if int(str(line["agreement_end_year"])) >= year]
        lines += [_next_year(line, year) for line in running if not service.one_line]
        busy = {line["applicant_name"] for line in running}
        free = [one for one in pool if one.name not in busy]
        for number, applicant in enumerate(_who_asks(rng, free, last, _volume(rng, service, year)), start=1):
            before = last.get(applicant.serial)
            funded = before is not None and before["decision_status"] == "awarded"
            request = Request(
                funder, service, _scheme_for(rng, service, applicant), applicant, year, number, funded,
                first=before is None and (year > funder.years[0] or rng.random() < 0.4),
                usual=_usual(before),
            )  # fmt: skip
            line = decide(rng, request, _outcome(rng, request))
            granted = line["decision_status"] == "awarded" and line["amount_awarded"] is not None
            if funded and granted and rng.random() < service.agreements:
                _make_agreement(rng, line, request)
                running.append(line)
            last[applicant.serial] = line
            lines.append(line)
    return lines


def decide(rng: Random, request: Request, status: str) -> Line:
    """The line of `request` once `status` is known: amounts, dates, reason."""
    service, scheme, applicant, year = request.service, request.scheme, request.applicant, request.year
    theme = next(theme for theme in (*applicant.themes, *scheme.themes) if theme in scheme.themes)
    purpose = rng.choice(scheme.purposes)
    in_kind = scheme.in_kind is not None and purpose != "investment" and rng.random() < 0.3
    requested = _requested(rng, request, purpose)
    awarded = _awarded(rng, requested, service) if status in ("awarded", "cancelled") else None
    line: Line = {
        "fiscal_year": year, "funder_name": request.funder.name, "funder_siret": request.funder.siret,
        "service_name": service.name, "scheme": scheme.name, "budget_programme": scheme.programme,
        "call_id": f"{scheme.call}-{year}" if scheme.call else None,
        "case_number": f"{service.code}-{year}-{request.number:04d}",
        "applicant_name": applicant.name, "applicant_siret": applicant.siret, "applicant_rna": applicant.rna,
        "seat_commune_code": applicant.commune.code, "seat_postcode": applicant.commune.postcode,
        "seat_commune_name": applicant.commune.name, "title": rng.choice(wording()["titles"][theme][purpose]),
        "theme": theme, "purpose": purpose, "aid_form": "cash", "amount_requested": requested,
        "amount_awarded": awarded, "decision_status": status, "is_multi_year": False, "is_renewal": request.renewal,
        "is_first_request": request.first,
    }  # fmt: skip
    line |= _place(rng, applicant, purpose) | _dates(rng, line) | _reason(rng, service, status)
    if in_kind:
        line |= _in_kind(rng, scheme)
    return line


def _volume(rng: Random, service: Service, year: int) -> int:
    growth = 1 + 0.02 * (year - FIRST_YEAR) + (0.12 if year == 2020 else 0)
    return round(service.per_year * growth * rng.uniform(0.92, 1.08))


def _who_asks(rng: Random, pool: list[Applicant], last: dict[int, Line], wanted: int) -> list[Applicant]:
    back = [one for one in pool
            if one.serial in last and rng.random() < ASKS_AGAIN[str(last[one.serial]["decision_status"])]]  # fmt: skip
    others = [one for one in pool if one not in back]
    fresh = max(wanted - len(back), wanted // 12)
    chosen = back + rng.sample(others, min(len(others), fresh))
    rng.shuffle(chosen)
    while len(chosen) < wanted:  # a small pool asks several times for different actions
        chosen.append(rng.choice(pool))
    return chosen[:wanted]


def _scheme_for(rng: Random, service: Service, applicant: Applicant) -> Scheme:
    fitting = [scheme for scheme in service.schemes if set(scheme.themes) & set(applicant.themes)]
    return rng.choice(fitting)


def _usual(before: Line | None) -> Decimal | None:
    """What the applicant asked for one year last time."""
    asked = before["amount_requested"] if before else None
    if before is None or not isinstance(asked, Decimal):
        return None
    return asked / Decimal(str(before.get("years_in_one_line", 1)))


def _outcome(rng: Random, request: Request) -> str:
    service = request.service
    if request.year == LAST_YEAR and rng.random() < service.pending:
        return "pending"
    refused = service.refused * (0.7 if request.renewal else 1.25)
    shares = {"refused": refused * (1 - service.inadmissible), "inadmissible": service.inadmissible,
              "withdrawn": service.withdrawn, "closed_no_action": service.closed,
              "cancelled": service.cancelled}  # fmt: skip
    return pick(rng, {**shares, "awarded": max(0.0, 1 - sum(shares.values()))})


def _requested(rng: Random, request: Request, purpose: str) -> Decimal:
    if request.usual is not None and rng.random() < 0.8:
        euros = float(request.usual) * rng.uniform(0.93, 1.12)
    else:
        middle = request.scheme.median * SIZE_FACTOR[request.applicant.size]
        euros = middle * rng.lognormvariate(0.0, 0.5)
    if purpose == "investment" and request.service.ending is None:  # an invoice has cents
        return Decimal(max(round(euros * 100), 15000)) / 100
    return _rounded(euros, request.service)


def _rounded(euros: float, service: Service) -> Decimal:
    step = 50 if euros < 3000 else 100 if euros < 20000 else 500
    amount = max(round(euros / step) * step, 200)
    return Decimal(amount if service.ending is None else amount // 100 * 100 + service.ending)


def _awarded(rng: Random, requested: Decimal, service: Service) -> Decimal:
    if rng.random() < 0.42:
        return requested
    return min(requested, _rounded(float(requested) * rng.triangular(0.35, 0.97, 0.75), service))


def _dates(rng: Random, line: Line) -> Line:
    year, status = int(str(line["fiscal_year"])), line["decision_status"]
    opening = date(year, 4, 1) if status == "pending" else date(year - 1, 11, 20)
    deposited = opening + timedelta(days=rng.randrange(125))
    dates: Line = {"deposited_date": deposited}
    if status in ("pending", "withdrawn"):
        return dates
    decided = deposited + timedelta(days=rng.randrange(45, 165))
    decided = max(decided, date(year, 1, 8))
    dates |= {"decided_date": decided, "decision_reference": f"DEL-{year}-{decided:%m}-{rng.randrange(1, 90):02d}"}
    if status not in ("awarded", "cancelled"):
        return dates
    signed = min(decided + timedelta(days=rng.randrange(7, 45)), date(year, 12, 20), FREEZE)
    starts = date(year, 1, 1) if line["purpose"] == "operating" else decided.replace(day=1)
    ends = date(year, 12, 31) if line["purpose"] == "operating" else starts + timedelta(days=364)
    dates |= {"signed_date": signed, "period_start": starts, "period_end": ends,
              "payment_conditions": pick(rng, {"unique": 3, "échelonné": 1})}  # fmt: skip
    paid = signed + timedelta(days=rng.randrange(12, 70))
    awarded = line["amount_awarded"]
    if paid <= FREEZE and isinstance(awarded, Decimal):
        cancelled = status == "cancelled"
        dates |= {"first_paid_date": None if cancelled else paid, "amount_paid": Decimal(0) if cancelled else awarded}
    return dates


def _reason(rng: Random, service: Service, status: str) -> Line:
    if status == "inadmissible":
        return {"refusal_reason": pick(rng, INADMISSIBLE_REASONS)}
    if status != "refused":
        return {}
    chance = rng.random()
    if chance < service.discloses:
        return {"refusal_reason": pick(rng, EXAMINED_REASONS)}
    return {"refusal_reason": "not_disclosed" if chance < service.discloses + (1 - service.discloses) * 0.6 else None}


def _place(rng: Random, applicant: Applicant, purpose: str) -> Line:
    if purpose == "operating" or rng.random() < 0.5:
        return {}
    if rng.random() < 0.6:
        return {"action_territory_level": "commune", "action_territory_code": applicant.commune.code,
                "action_territory_name": applicant.commune.name}  # fmt: skip
    code = applicant.commune.departement
    return {"action_territory_level": "departement", "action_territory_code": code,
            "action_territory_name": DEPARTEMENTS[code]}  # fmt: skip


def _in_kind(rng: Random, scheme: Scheme) -> Line:
    if scheme.in_kind == "locaux":
        return {"aid_form": "both", "in_kind_type": "mise à disposition de locaux"}
    return {"aid_form": "in_kind", "in_kind_type": f"denrées alimentaires ({rng.randrange(2, 60)} tonnes)",
            "amount_requested": None, "amount_awarded": None, "amount_paid": None, "first_paid_date": None}  # fmt: skip


def _make_agreement(rng: Random, line: Line, request: Request) -> None:
    """Turn an award into the first year of an agreement (or its only line, with the sum of its years)."""
    years = pick(rng, {3: 2, 4: 1})
    line |= {"is_multi_year": True, "agreement_id": f"CPO-{line['case_number']}", "agreement_start_year": request.year,
             "agreement_end_year": request.year + years - 1, "year_certainty": "firm"}  # fmt: skip
    if request.service.one_line:
        for name in ("amount_requested", "amount_awarded"):
            line[name] = Decimal(str(line[name])) * years
        line["years_in_one_line"] = years
        line |= {"period_start": date(request.year, 1, 1), "period_end": date(request.year + years - 1, 12, 31),
                 "payment_conditions": "échelonné"}  # fmt: skip


def _next_year(line: Line, year: int) -> Line:
    """The line of a later year of an agreement: same case, same decision, that year's payment."""
    certainty = "forecast" if year == LAST_YEAR else "firm"
    paid = date(year, 4, 15)
    return {**line, "fiscal_year": year, "year_certainty": certainty, "is_renewal": None, "is_first_request": None,
            "first_paid_date": paid, "period_start": date(year, 1, 1), "period_end": date(year, 12, 31)}  # fmt: skip
