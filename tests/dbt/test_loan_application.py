"""Applications for loans against their limits on the real calendar, however late and corrected their stages arrive."""

from datetime import date, datetime
from typing import Any

from arrivals import Arrivals

from pipeline import transformation
from warehouse.calendar import load_calendar

LEFT_OUT = ("--exclude", "tag:stage", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
FRIDAY, SATURDAY = date(2026, 2, 13), date(2026, 2, 14)


def stage(name: str, begin: date, end: date | None, decision: str | None = "passed", **other: Any) -> dict[str, Any]:
    """One row of core_banking.loan_application_stage."""
    return dict(
        application_id="LA1",
        stage=name,
        customer_id="C1",
        loan_type="consumer",
        started_at=datetime(begin.year, begin.month, begin.day, 9),
        ended_at=end and datetime(end.year, end.month, end.day, 16),
        employee_id="E1",
        decision=decision,
        **other,
    )


def build(target: str = "dev") -> None:
    transformation.run("build", "--select", "+fct_loan_application", *LEFT_OUT, target=target)


def test_each_limit_is_counted_in_working_days_of_the_bank(arrivals: Arrivals) -> None:
    load_calendar(arrivals.session)
    arrivals.receive(
        "core_banking",
        SATURDAY,
        {
            "loan_application_stage": [
                stage("enquiry", FRIDAY, FRIDAY),
                stage("pre_sort", FRIDAY, SATURDAY),
                stage("review", SATURDAY, None, None),
            ]
        },
    )
    build()
    steps = (
        "select application_working_days, is_application_in_time, decision_working_days, decision_due_on, "
        "is_decision_in_time, limit_days, decision from core.fct_loan_application"
    )
    assert arrivals.rows(steps) == [(1, True, None, date(2026, 3, 3), None, 8, None)], "the Saturday is worked"

    arrivals.receive(
        "core_banking",
        date(2026, 3, 4),
        {
            "loan_application_stage": [
                stage("review", SATURDAY, date(2026, 2, 24)),
                stage("submission", date(2026, 2, 24), date(2026, 3, 4), "approved", contract_no="HT1"),
            ]
        },
    )
    build()
    assert arrivals.rows(steps) == [(1, True, 8, date(2026, 3, 3), False, 8, "approved")], "a day over the festival"

    arrivals.receive(
        "core_banking",
        date(2026, 3, 5),
        {
            "loan_application_stage": [
                stage("pre_sort", FRIDAY, date(2026, 2, 24)),
                stage("submission", date(2026, 2, 24), date(2026, 3, 3), "approved", contract_no="HT1"),
            ]
        },
    )
    build()
    assert arrivals.rows(steps) == [(2, False, 7, date(2026, 3, 3), True, 8, "approved")], "each on its own"
    assert arrivals.rows("select sum(row_sign), count(*) from core.fct_loan_application_stage") == [(4, 10)]

    arrivals.session.execute("drop schema if exists rebuild_intermediate, rebuild_core cascade")
    build("rebuild")
    assert arrivals.differences("core.fct_loan_application_stage", "core.fct_loan_application") == {}
