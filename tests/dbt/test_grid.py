"""The grid's derived facts do work for what was touched only, and end as a rebuild from raw ends."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from arrivals import Arrivals

from pipeline import transformation
from warehouse.calendar import load_calendar

PROJECTS = ("+fct_connection_project",)
BILLS = ("+fct_grid_bill_check", "bridge_service_point_meter")
CAPACITY = ("+fct_capacity_month",)
LEFT_OUT = ("--exclude", "tag:stage", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


@pytest.fixture
def grid(arrivals: Arrivals) -> Arrivals:
    """An empty warehouse that knows the working days."""
    load_calendar(arrivals.session)
    return arrivals


def change(key: str, number: str, day: date, flag: str = "I", sequence: int = 1, **columns: Any) -> dict[str, Any]:
    """One change of a master."""
    return {key: number, "change_flag": flag, "change_seq": sequence, "effective_date": day, **columns}


def project(day: date, state: str = "running", flag: str = "I", **other: Any) -> dict[str, Any]:
    """One row of grid_billing.connection_project: a resident's connection, applied for on 9 February 2026."""
    return change(
        "project_id",
        "P1",
        day,
        flag,
        applicant_name="张三",
        project_kind="new_supply",
        voltage_level="220V",
        requested_capacity_kva=8,
        line_id="L1",
        is_green_channel=False,
        applied_on=date(2026, 2, 9),
        state=state,
        **other,
    )


def event(number: int, stage: str, kind: str, day: date) -> dict[str, Any]:
    """One row of grid_billing.connection_stage."""
    at = datetime(day.year, day.month, day.day, 9)
    return dict(project_id="P1", event_no=number, stage=stage, event=kind, event_at=at, department="营销部")


def test_a_project_accumulates_its_milestones(grid: Arrivals) -> None:
    first, festival = date(2026, 2, 9), date(2026, 2, 24)
    grid.receive(
        "grid_billing",
        first,
        {"connection_stage": [event(1, "application", "start", first), event(2, "application", "end", first)]},
    )
    _build(grid, *PROJECTS)
    assert grid.rows("select state, applied_on, application_on, survey_on from core.fct_connection_project") == [
        (None, first, first, None)
    ], "events before their header"

    grid.receive(
        "grid_billing",
        date(2026, 2, 14),
        {
            "connection_project": [project(first)],
            "connection_stage": [event(3, "survey", "start", first), event(4, "survey", "end", date(2026, 2, 12))],
        },
    )
    _build(grid, *PROJECTS)
    reply = "select survey_on, plan_reply_working_days, stages_over_limit from core.fct_connection_project"
    assert grid.rows(reply) == [(date(2026, 2, 12), 3, 0)]

    grid.receive(
        "grid_billing", festival, {"connection_stage": [event(5, "survey", "rework", date(2026, 2, 14))]}, sequence=2
    )
    _build(grid, *PROJECTS)
    assert grid.rows("select survey_on, current_stage_id, rework_count from core.fct_connection_project") == [
        (None, "survey", 1)
    ], "rework opens the stage again"

    done = date(2026, 2, 25)
    grid.receive(
        "grid_billing",
        done,
        {
            "connection_project": [project(done, "energised", "U", energised_on=done)],
            "connection_stage": [
                event(6, "survey", "end", festival),
                event(7, "energising", "start", festival),
                event(8, "energising", "end", done),
            ],
        },
    )
    _build(grid, *PROJECTS)
    assert grid.rows(reply) == [(festival, 6, 1)], "the Saturday of 14 February is worked, the festival is off"
    assert grid.rows(
        "select state, energised_on, grid_working_days, is_within_promise from core.fct_connection_project"
    ) == [("energised", done, 7, False)]

    grid.receive("grid_billing", done, {"connection_stage": [event(6, "survey", "end", date(2026, 2, 13))]}, sequence=2)
    _build(grid, *PROJECTS)
    assert grid.rows("select sum(row_sign), count(*) from core.fct_connection_event") == [(8, 10)]
    assert grid.rows("select survey_on from core.fct_connection_project") == [(date(2026, 2, 13),)]
    _equals_rebuild(grid, PROJECTS, "fct_connection_event", "fct_connection_stage", "fct_connection_project")


def review(submission: int, day: date, correct: bool) -> dict[str, Any]:
    """One row of grid_billing.design_document."""
    at = datetime(day.year, day.month, day.day, 10)
    return dict(
        document_id="SJ1", submission_no=submission, project_id="P1", document_kind="civil_works", submitted_at=at,
        reviewed_at=at, reviewer_no="G1", is_correct=correct, is_complete=True, is_feasible=True,
    )  # fmt: skip


def visit(number: str, day: date) -> dict[str, Any]:
    """One row of grid_billing.visit: of the leader, to an applicant who is no consumer yet."""
    at = datetime(day.year, day.month, day.day, 14)
    return dict(visit_id=number, project_id="P1", visited_at=at, employee_no="L1", uploaded_at=at)


def test_documents_and_visits_reach_the_project_whenever_they_come(grid: Arrivals) -> None:
    """CTL-06, GT-44, GT-45: late rows touch their project, and the end is that of a rebuild."""
    first, done = date(2026, 2, 9), date(2026, 2, 25)
    grid.receive("grid_billing", first, {"design_document": [review(1, first, False)], "visit": [visit("V1", first)]})
    _build(grid, *PROJECTS)
    seen = (
        "select state, design_resubmission_count, is_design_passed, leader_visits_before, leader_visits_first_month, "
        "is_leader_visit_rule_kept from core.fct_connection_project"
    )
    assert grid.rows(seen) == [(None, 0, False, 0, 0, None)], "before its header: who leads it is not known"
    waiting = [
        event(1, "application", "start", first),
        event(2, "application", "end", first),
        event(3, "survey", "start", date(2026, 2, 24)),
        event(4, "survey", "end", done),
    ]
    header = project(done, "energised", energised_on=done, leader_no="L1") | {"is_green_channel": True}
    grid.receive("grid_billing", done, {"connection_project": [header], "connection_stage": waiting})
    _build(grid, *PROJECTS)
    assert grid.rows(seen) == [("energised", 0, False, 1, 0, False)]
    assert grid.rows(
        "select stage_id, waited_working_days, working_days from core.fct_connection_stage order by 1"
    ) == [
        ("application", 0, 0),
        ("survey", 6, 1),
    ], "waiting is told from working; the festival is neither"
    promise = (
        "select promise_working_days, normal_promise_working_days, is_promise_halved from core.fct_connection_project"
    )
    assert grid.rows(promise) == [(1, 3, True)], "GT-44: the green channel"
    later = date(2026, 3, 25)
    grid.receive("grid_billing", later, {"design_document": [review(2, done, True)], "visit": [visit("V2", later)]})
    _build(grid, *PROJECTS)
    assert grid.rows(seen) == [("energised", 1, True, 1, 1, True)]
    grid.receive("grid_billing", later, {"visit": [visit("V2", date(2026, 3, 26))]}, sequence=2)
    _build(grid, *PROJECTS)
    assert grid.rows(seen) == [("energised", 1, True, 1, 0, False)], "corrected: a day too late"
    _equals_rebuild(grid, PROJECTS, "fct_design_review", "fct_field_record", "fct_connection_project")


def masters(price: str = "0.5") -> dict[str, list[dict[str, Any]]]:
    """A point with its meter, contract, and a tariff of one price."""
    day = date(2020, 1, 1)
    return {
        "service_point": [
            change(
                "service_point_id",
                "SP1",
                day,
                consumer_no="C1",
                premise_address="杭州",
                voltage_level="220V",
                metering_mode="LV_LV",
                opened_on=day,
                status="in_service",
            )
        ],
        "meter": [
            change(
                "meter_id",
                "M1",
                day,
                service_point_id="SP1",
                multiplier=1,
                register_digits=6,
                installed_on=day,
                start_reading=0,
                has_load_curve=False,
            )
        ],
        "supply_contract": [
            change(
                "contract_no",
                "HT1",
                day,
                consumer_no="C1",
                tariff_id="T1",
                voltage_level="220V",
                contract_capacity_kva=8,
                late_fee_rate=0,
                signed_on=day,
            )
        ],
        "tariff": [
            change(
                "tariff_id",
                "T1",
                day,
                tariff_name="居民",
                usage_class="residential",
                voltage_level="<1kV",
                is_time_of_use=False,
                is_tiered=False,
                is_interruptible=False,
                starts_on=day,
            )
        ],
        "tariff_period": [tariff_price(price, day)],
    }


def tariff_price(price: str, day: date, flag: str = "I") -> dict[str, Any]:
    """One row of grid_billing.tariff_period."""
    return change(
        "tariff_period_id",
        "TP1",
        day,
        flag,
        tariff_id="T1",
        period="flat",
        month_from=1,
        month_to=12,
        price=Decimal(price),
    )


def readings(month: date, kwh: int = 2, days: int | None = None) -> list[dict[str, Any]]:
    """Daily readings of a month, of a register that started with the year."""
    count = days or ((month + timedelta(days=31)).replace(day=1) - month).days
    return [reading(month + timedelta(days=n), kwh) for n in range(count)]


def reading(day: date, kwh: int = 2) -> dict[str, Any]:
    """One row of grid_billing.daily_reading."""
    register = 2 * (day - JANUARY).days + 1000 + kwh
    return dict(
        service_point_id="SP1", meter_id="M1", reading_date=day, register_total=register, kwh=kwh, quality="actual"
    )


def bill(number: str, month: date, kwh: int, price: str = "0.5", kind: str = "actual", **other: Any) -> dict[str, Any]:
    """One bill with its only line, as rows of grid_billing.bill and bill_line."""
    amount = Decimal(price) * kwh
    issued = (month + timedelta(days=31)).replace(day=2)
    line = dict(bill_id=number, line_no=1, component="energy", period="flat", quantity=kwh, unit="kWh", price=price)
    return dict(
        bill=[
            dict(
                bill_id=number,
                consumer_no="C1",
                contract_no="HT1",
                service_point_id="SP1",
                billing_month=month,
                issued_on=issued,
                due_on=issued + timedelta(days=20),
                bill_kind=kind,
                kwh=kwh,
                amount=amount,
                **other,
            )
        ],
        bill_line=[dict(line, amount=amount)],
    )


CHECKED = "select bill_id, check_state, explanation from core.fct_grid_bill_check order by bill_id"


def test_bills_are_checked_again_when_what_they_stand_on_changes(grid: Arrivals) -> None:
    grid.receive("grid_billing", date(2026, 1, 31), {**masters(), "daily_reading": readings(JANUARY)[:-1]})
    grid.receive("grid_billing", date(2026, 2, 2), bill("B1", JANUARY, 62))
    _build(grid, *BILLS)
    assert grid.rows(CHECKED) == [("B1", "explained", "readings missing")]
    grid.receive("grid_billing", date(2026, 2, 3), {"daily_reading": readings(JANUARY)[-1:]})
    _build(grid, *BILLS)
    assert grid.rows(CHECKED) == [("B1", "agrees", None)], "the last reading came late"

    grid.receive("grid_billing", date(2026, 2, 28), {"daily_reading": readings(FEBRUARY)})
    grid.receive("grid_billing", date(2026, 3, 2), bill("B2", FEBRUARY, 560))
    _build(grid, *BILLS)
    assert grid.rows(CHECKED)[1:] == [("B2", "differs", None)], "misread by a tenth"
    again = [
        bill("C2", FEBRUARY, -560, kind="cancel", cancels_bill_id="B2"),
        bill("R2", FEBRUARY, 56, kind="rebill", cancels_bill_id="B2"),
    ]
    grid.receive(
        "grid_billing",
        date(2026, 3, 10),
        {table: [r for b in again for r in b[table]] for table in ("bill", "bill_line")},
    )
    _build(grid, *BILLS)
    assert grid.rows(CHECKED)[1:] == [("B2", "explained", "cancelled and billed again"), ("R2", "agrees", None)]

    grid.receive("grid_billing", date(2026, 3, 11), {"tariff_period": [tariff_price("0.6", FEBRUARY, "U")]})
    _build(grid, *BILLS)
    assert grid.rows(CHECKED)[::2] == [("B1", "agrees", None), ("R2", "differs", None)], "a price from February on"
    grid.receive("grid_billing", date(2026, 3, 12), {"daily_reading": [reading(date(2026, 1, 31), 3)]}, sequence=2)
    _build(grid, *BILLS)
    assert grid.rows(CHECKED)[0] == ("B1", "differs", None), "a corrected reading"
    (point,) = masters()["service_point"]
    moved = dict(point, change_flag="U", effective_date=FEBRUARY, opened_on=date(2026, 2, 3))
    grid.receive("grid_billing", date(2026, 3, 13), {"service_point": [moved]})
    _build(grid, *BILLS)
    assert grid.rows("select bill_id, days_to_read from core.fct_grid_bill_basis order by 1") == [
        ("B1", 31),
        ("B2", 26),
        ("R2", 26),
    ], "a service point that was corrected"
    assert grid.rows("select reading_month, days_read, register_state from core.fct_meter_month order by 1") == [
        (JANUARY, 31, "agrees"),
        (FEBRUARY, 28, "differs"),
    ]
    _equals_rebuild(
        grid,
        BILLS,
        *("fct_grid_bill_total", "fct_meter_month", "fct_grid_bill_basis", "fct_grid_bill_check"),
        "bridge_service_point_meter",
    )


def test_capacity_follows_a_line_that_is_corrected(grid: Arrivals) -> None:
    day, fields = date(2020, 1, 1), dict(line_name="L", substation="S", voltage_level="10kV")
    month = dict(line_id="L1", max_load_kw=100)
    grid.receive("grid_billing", FEBRUARY, {"line_capacity_month": [dict(month, month=JANUARY, open_capacity_kva=700)]})
    _build(grid, *CAPACITY)
    capacity = "select capacity_kva::int, open_capacity_kva::int from core.fct_capacity_month order by capacity_month"
    assert grid.rows(capacity) == [(None, 700)], "the line has not come"
    grid.receive("grid_billing", FEBRUARY, {"line": [change("line_id", "L1", day, capacity_kva=900, **fields)]}, 2)
    _build(grid, *CAPACITY)
    assert grid.rows(capacity) == [(900, 700)]
    later = {
        "line": [change("line_id", "L1", date(2026, 2, 20), "U", capacity_kva=1500, **fields)],
        "line_capacity_month": [
            dict(month, month=JANUARY, open_capacity_kva=690),
            dict(month, month=FEBRUARY, open_capacity_kva=1290),
        ],
    }
    grid.receive("grid_billing", date(2026, 3, 1), later)
    _build(grid, *CAPACITY)
    assert grid.rows(capacity) == [(900, 690), (1500, 1290)]
    _equals_rebuild(grid, CAPACITY, "fct_capacity_month")


def _build(grid: Arrivals, *models: str) -> None:
    transformation.run("build", "--select", *models, *LEFT_OUT)


def _equals_rebuild(grid: Arrivals, models: tuple[str, ...], *facts: str) -> None:
    for schema in ("intermediate", "core"):
        grid.session.execute(f"drop schema if exists rebuild_{schema} cascade")  # type: ignore[call-overload]
    transformation.run("build", "--select", *models, *LEFT_OUT, target="rebuild")
    assert grid.differences(*(f"core.{fact}" for fact in facts)) == {}
