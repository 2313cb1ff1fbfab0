"""Applications of persons for loans (贷款申请): their stages, from enquiry to approval, and those turned down."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl

from simulator import parameters as p
from simulator.calendar import is_working_day
from simulator.loans import Loans
from simulator.organisation import Organisation
from simulator.randomness import Streams

STAGES = ("enquiry", "pre_sort", "review", "evaluation", "verification", "collateral", "submission")
TURNED_DOWN_AT = "verification"
COLUMNS = {
    "application_id": pl.String,
    "stage": pl.String,
    "customer_id": pl.String,
    "loan_type": pl.String,
    "started_at": pl.Datetime("us"),
    "ended_at": pl.Datetime("us"),
    "employee_id": pl.String,
    "contract_no": pl.String,
    "decision": pl.String,
}


def loan_applications(streams: Streams, loans: Loans, organisation: Organisation, start: date) -> pl.DataFrame:
    """Rows of `loan_application_stage`, dated by the end of each stage.

    Every loan of a person that was paid out in the history was applied for; before some of them an application was
    turned down. The manager takes it in, a supervisor examines it, a head of a branch approves it.

    Args:
        start: first day of the facts; what was paid out shortly after it was applied for before.
    """
    rows: list[tuple[object, ...]] = []
    persons = loans.frame.filter(pl.col("loan_type").is_in(p.LOAN_TYPES_OF_PERSONS))
    known = loans.customers.frame.select("customer_id", "manager", "opened_on")
    persons = persons.join(known, on="customer_id", maintain_order="left")
    since = pl.max_horizontal("opened_on", pl.lit(start)) + timedelta(days=p.LOAN_APPLICATION_DAYS)
    persons = persons.filter(pl.col("disbursed_on") > since)
    for number, loan in enumerate(persons.sort("disbursed_on", "loan_id").iter_rows(named=True)):
        rng = streams("loan application", loan["loan_id"])
        manager = loan["manager"]
        staff = (organisation.managers[manager], organisation.manager_supervisor[manager], organisation.branch_heads[0])
        if number % 4 == 1:
            earlier = loan["disbursed_on"] - timedelta(days=p.LOAN_APPLICATION_DAYS // 2)
            rows += _stages(rng, f"LA{loan['loan_id'][1:]}0", loan, staff, earlier, number, approved=False)
        rows += _stages(rng, f"LA{loan['loan_id'][1:]}1", loan, staff, loan["disbursed_on"], number, approved=True)
    frame = pl.DataFrame(rows, orient="row", schema=COLUMNS)
    return frame.with_columns(_date=pl.col("ended_at").dt.date()).sort(
        "ended_at", "application_id", maintain_order=True
    )


def _stages(
    rng: np.random.Generator,
    application: str,
    loan: dict[str, object],
    staff: tuple[str, str, str],
    before: date,
    number: int,
    approved: bool,
) -> list[tuple[object, ...]]:
    """The stages of one application, the last of which ends on a working day before `before`.

    Every third application is taken in late, every fourth decided late.
    """
    spent = [0, int(rng.integers(0, 2)), *rng.integers(0, 2, 5).tolist()]
    spent[1] += 2 * (number % 3 == 0)
    spent[4] += 8 * (number % 4 == 0)
    stages = STAGES if approved else STAGES[: STAGES.index(TURNED_DOWN_AT) + 1]
    ends, day = [], _working_day_before(before)
    for working_days in reversed(spent[: len(stages)]):
        ends.append(day)
        for _ in range(working_days):
            day = _working_day_before(day)
    ends.reverse()
    rows, begin = [], day
    for place, (stage, end) in enumerate(zip(stages, ends, strict=True)):
        decision = "passed"
        if place == len(stages) - 1:
            decision = "approved" if approved else "rejected"
        by = staff[0] if place < 2 else staff[2] if stage == "submission" else staff[1]
        rows.append(
            (
                *(application, stage, loan["customer_id"], loan["loan_type"]),
                datetime.combine(begin, time(9 + place)),
                datetime.combine(end, time(9 + place, int(rng.integers(20, 55)))),
                str(by),
                loan["contract_no"] if decision == "approved" else None,
                decision,
            )
        )
        begin = end
    return rows


def _working_day_before(day: date) -> date:
    day -= timedelta(days=1)
    while not is_working_day(day):
        day -= timedelta(days=1)
    return day
