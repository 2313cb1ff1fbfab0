"""The golden tests of the tobacco county (GT-01 to GT-10): printed inputs arrive as files, the marts give the figures.

The text blanks the year; here it is 2026, which decides GT-06 only. Three brands stand for all: the text gives sums.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from arrivals import Arrivals

from ingestion import ingest
from ingestion.contract import load_contracts
from pipeline import transformation
from simulator.faults import Planter
from simulator.writers import TableFile
from warehouse.calendar import load_calendar

LEFT_OUT = ("--exclude", "tag:stage", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
MARTS = (
    *("+mart_retail_progress", "+mart_retail_plan", "+mart_retail_report", "+mart_retail_brand"),
    *("+fct_retail_stock", "+fct_retail_allocation", "+fct_retail_seizure"),
)
FOUNDED, SENT, AS_OF = date(2009, 1, 1), date(2026, 1, 29), date(2026, 1, 28)
COUNTY, MANAGER, RETAILER = "Y0101", "Y0002", "330100000001"
# plan and sales of January by brand: a provincial one, one from outside the province, a key brand [000 L162]
PLAN_CASES, SOLD_CASES = (2231, 694, 92), (2157, 807, 118)
PLAN_YUAN = (3017 * 10749 - 694 * 20_000 - 92 * 15_000, 694 * 20_000, 92 * 15_000)
SOLD_YUAN = (3082 * 10655 - 807 * 20_000 - 118 * 15_000, 807 * 20_000, 118 * 15_000)
CURVE = {8: 30, 15: 30, 22: 20, 28: 14, 29: 3, 30: 3}  # per cent of the month's plan, by day: 94 by the 28th (GT-04)
ORDERS = {8: 30, 15: 30, 22: 20, 28: 20}  # per cent of what was sold
PRINTED = {
    ("all", "sold_cases"): 3082, ("all", "plan_cases"): 3017, ("all", "completion"): 102, ("all", "lead"): 8,
    ("out_of_province", "sold_cases"): 807, ("out_of_province", "plan_cases"): 694,
    ("out_of_province", "completion"): 116, ("out_of_province", "lead"): 22,
    ("key", "sold_cases"): 118, ("key", "plan_cases"): 92, ("key", "completion"): 128, ("key", "lead"): 34,
    ("all", "average_price"): 10655, ("all", "planned_average_price"): 10749, ("all", "price_gap"): -94,
    ("out_of_province", "volume_share"): 26, ("out_of_province", "planned_share"): 23,
    ("out_of_province", "share_gap"): 3, ("all", "days_early"): 2, ("all", "working_days_early"): 2,
}  # fmt: skip


def change(day: date, sequence: int = 1, flag: str = "I", **columns: Any) -> dict[str, Any]:
    """One change of a master."""
    return {"change_flag": flag, "change_seq": sequence, "effective_date": day, **columns}


def brand(number: int, day: date = FOUNDED, flag: str = "I", **other: Any) -> dict[str, Any]:
    """One row of retail.brand."""
    row = dict(
        brand_id=f"P{number}", brand_name=f"牌号{number}", manufacturer="卷烟厂", is_key=number == 3,
        is_cultivated=False, origin="out_of_province" if number == 2 else "in_province", price_class=3,
        wholesale_price=10_000_00, retail_price=11_500_00, listed_on=FOUNDED, withdrawn_on=None,
    )  # fmt: skip
    return change(day, flag=flag, **row | other)


def plan(version: int, since: date, cases: int) -> dict[str, Any]:
    """One row of retail.plan: the county's year 2026 [000 L164]."""
    return change(
        since, plan_id=f"2026V{version}", owner_kind="organisation", owner_no=COUNTY, plan_year=2026,
        plan_version=version, in_force_from=since, annual_cases=cases * 10_000, set_by="Y01", approved_by="市局",
        approved_on=since, note=None,
    )  # fmt: skip


def plan_day(plan_id: str, number: int, day: date, cases: Decimal, yuan: Decimal) -> dict[str, Any]:
    """One row of retail.plan_day."""
    return dict(
        plan_id=plan_id, brand_id=f"P{number}", plan_date=day, cases=int(cases * 10_000), amount=int(yuan * 100)
    )


def sale(number: int, day: date, cases: Decimal, yuan: Decimal) -> dict[str, Any]:
    """One row of retail.sale."""
    return dict(
        retailer_no=RETAILER, brand_id=f"P{number}", sale_date=day, manager_no=MANAGER, cases=int(cases * 10_000),
        amount=int(yuan * 100),
    )  # fmt: skip


SEIZED = (
    ("counterfeit", "package", 38), ("loose_handmade", "stick", 76_000), ("irregular_channel", "carton", 78),
    ("smuggled", "carton", 46),
)  # fmt: skip


def field() -> dict[str, list[dict[str, Any]]]:
    """What managers and the joint actions of [000 L166] bring in: counts, allocations, seizures."""
    at = datetime(2026, 1, 8, 9)
    return {
        "stock_count": [
            dict(
                retailer_no=RETAILER, brand_id="P1", counted_at=at + timedelta(days=7 * week), manager_no=MANAGER,
                device_id=None, uploaded_at=at + timedelta(days=7 * week, hours=1), stock_cases=5_000 * week,
                sold_out_cases=10_000,
            )
            for week in (0, 1)
        ],
        "allocation": [
            dict(
                retailer_no=RETAILER, brand_id="P2", delivery_date=date(2026, 1, 8), told_on=date(2026, 1, 6),
                allocated_cases=20_000, ordered_cases=30_000, delivered_cases=20_000,
            )
        ],
        "seizure": [
            dict(
                seizure_id=f"CH{number}", operation_no="4", organisation_id=COUNTY, seized_on=date(2026, 1, 20),
                seizure_kind=kind, quantity=quantity * 10_000, unit=unit,
            )
            for number, (kind, unit, quantity) in enumerate(SEIZED)
        ],
    }  # fmt: skip


def january() -> dict[str, list[dict[str, Any]]]:
    """What the county sends on 29 January."""
    rest = dict(region_code=None, address=None, opened_on=FOUNDED, closed_on=None)
    levels = {"Y01": (None, "city_bureau"), COUNTY: ("Y01", "county_department")}
    days, sales = [plan_day("2026V1", 1, date(2026, 6, 30), Decimal(25_000), Decimal(1))], []
    later = 25_500 - sum(PLAN_CASES)
    days.append(plan_day("2026V2", 1, date(2026, 6, 30), Decimal(later), Decimal(later * 10_749)))
    for number in (1, 2, 3):
        for day, share in CURVE.items():
            part = Decimal(share) / 100
            planned = PLAN_CASES[number - 1] * part, PLAN_YUAN[number - 1] * part
            days.append(plan_day("2026V2", number, date(2026, 1, day), *planned))
        for day, share in ORDERS.items():
            part = Decimal(share) / 100
            sold = SOLD_CASES[number - 1] * part, SOLD_YUAN[number - 1] * part
            sales.append(sale(number, date(2026, 1, day), *sold))
    return {
        "organisation": [
            change(
                FOUNDED, organisation_id=unit, organisation_name=unit, parent_id=above, organisation_level=level, **rest
            )
            for unit, (above, level) in levels.items()
        ],
        "employee": [
            change(
                FOUNDED, employee_no=MANAGER, employee_name="张三", organisation_id=COUNTY, post="customer_manager",
                grade="middle", step="A", employment="regular", serves_rural=True, mobile=None, hired_on=FOUNDED,
                left_on=None,
            )
        ],
        "retailer": [
            change(
                FOUNDED, retailer_no=RETAILER, retailer_name="李四烟酒店", licence_no="330101100001", credit_code=None,
                owner_name="李四", mobile=None, address="杭州市", area_kind="rural", manager_no=MANAGER,
                licensed_on=FOUNDED, closed_on=None, status="active", capture_channel=None, capture_operator=None,
                captured_at=None,
            )
        ],
        "brand": [brand(number) for number in (1, 2, 3)],
        "plan": [plan(1, date(2025, 12, 20), 25_000), plan(2, date(2025, 12, 31), 25_500)],
        "plan_day": days,
        "sale": sales,
        "reported_figure": [
            dict(
                report_no="B202601", organisation_id=COUNTY, period_kind="month", as_of=AS_OF, scope=scope,
                figure=figure, printed_value=value * 10_000, decimals=0,
            )
            for (scope, figure), value in PRINTED.items()
        ],
    }  # fmt: skip


def receive(arrivals: Arrivals, landing: Path, day: date, tables: Mapping[str, list[dict[str, Any]]]) -> None:
    """Write the files by their contracts, ingest them, build the marts."""
    for name, contract in load_contracts()["retail"].items():
        planter = Planter(np.random.default_rng(0), day, at_least=False)
        file = TableFile(contract, landing / "retail" / f"{day}", day, planter)
        if rows := tables.get(name):
            file.append(pl.DataFrame(rows, infer_schema_length=None))
        file.close()
    report = ingest("retail", day, connection=arrivals.session, landing=landing)
    assert report.is_complete, report
    transformation.run("build", "--select", *MARTS, *LEFT_OUT)


@pytest.fixture
def county(arrivals: Arrivals, tmp_path: Path) -> Iterator[Arrivals]:
    """The county's January, sent, ingested and built."""
    load_calendar(arrivals.session)
    receive(arrivals, tmp_path, SENT, january() | field())
    yield arrivals


def test_the_countys_january(county: Arrivals) -> None:
    """GT-01 to GT-10."""
    progress = {
        scope: row
        for scope, *row in county.rows(
            "select scope, round(completion * 100, 4), round(plan_progress * 100, 4), round(lead * 100, 0) "
            "from mart_build.mart_retail_progress "
            "where owner_id = %s and period_kind = 'month' and as_of = %s",
            COUNTY,
            AS_OF,
        )
    }
    assert progress["all"] == [Decimal("102.1545"), Decimal(94), Decimal(8)]  # GT-01, GT-04
    assert progress["out_of_province"] == [Decimal("116.2824"), Decimal(94), Decimal(22)]  # GT-02
    assert progress["key"] == [Decimal("128.2609"), Decimal(94), Decimal(34)]  # GT-03

    # GT-05: the calendar would give 12 percentage points and not the 8 that are printed
    by_calendar = (
        "select round(calendar_progress * 100, 2), round(calendar_lead * 100, 2) from mart_build.mart_retail_progress "
        "where owner_id = %s and period_kind = 'month' and scope = 'all' and as_of = %s"
    )
    assert county.rows(by_calendar, COUNTY, AS_OF) == [(Decimal("90.32"), Decimal("11.83"))]
    reported = {
        (scope, figure): (verdict, difference, follows_calendar)
        for scope, figure, verdict, difference, follows_calendar in county.rows(
            "select scope, figure_id, verdict, round(difference, 2), follows_calendar "
            "from mart_build.mart_retail_report"
        )
    }
    assert reported["all", "lead"] == ("follows", Decimal("-0.15"), False)

    # GT-06: both printed facts are kept; in 2026 the plan is reached 3 days and 2 working days before the month ends
    assert reported["all", "working_days_early"][:2] == ("follows", 0)
    assert reported["all", "days_early"][:2] == ("does_not_follow", -1)
    # GT-01 to GT-04, GT-07 and GT-08: every other printed figure follows from its inputs
    assert {key for key, (verdict, *_) in reported.items() if verdict != "follows"} == {("all", "days_early")}
    assert reported.keys() == PRINTED.keys()

    # GT-07, GT-10: price and amount apart from the volume
    assert county.rows(
        "select average_price, planned_average_price, price_gap, sold_amount, plan_amount, "
        "round(amount_completion * 100, 4), round(average_price / planned_average_price * 100, 4) "
        "from mart_build.mart_retail_progress "
        "where owner_id = %s and period_kind = 'month' and scope = 'all' and as_of = %s",
        COUNTY,
        AS_OF,
    ) == [(10655, 10749, -94, 32_838_710, 32_429_733, Decimal("101.2611"), Decimal("99.1255"))]
    assert county.rows(
        "select round(completion * 100, 4), plan_version from mart_build.mart_retail_progress "
        "where owner_id = %s and period_kind = 'year' and scope = 'all' and as_of = %s",
        COUNTY,
        AS_OF,
    ) == [(Decimal("12.0863"), 2)]
    # GT-08
    assert county.rows(
        "select round(volume_share * 100, 4), round(planned_share * 100, 4), round(share_gap * 100, 4) "
        "from mart_build.mart_retail_progress "
        "where owner_id = %s and period_kind = 'month' and scope = 'out_of_province' and as_of = %s",
        COUNTY,
        AS_OF,
    ) == [(Decimal("26.1843"), Decimal("23.0030"), Decimal("3.1813"))]
    # GT-09
    assert county.rows(
        "select plan_version, annual_cases, revised_by_cases, revised_by, days_gap, is_in_force "
        "from mart_build.mart_retail_plan order by plan_version"
    ) == [(1, 25_000, None, None, 0, False), (2, 25_500, 500, Decimal("0.02"), 0, True)]


def test_what_comes_from_the_field(county: Arrivals, tmp_path: Path) -> None:
    """KPI-09, SYS-110, SYS-112, SYS-117, SYS-119: each stands with its members, and a correction takes it back."""
    seized = (
        "select seizure_kind, unit, sum(quantity), count(distinct organisation_key) "
        "from core.fct_retail_seizure where organisation_key > 0 group by 1, 2 order by 1"
    )
    assert county.rows(seized) == [(kind, unit, quantity, 1) for kind, unit, quantity in sorted(SEIZED)]
    assert county.rows(
        "select stock_cases, sold_out_cases, uploaded_at - counted_at, "
        "customer_key > 0 and employee_key > 0 and brand_key > 0 "
        "from core.fct_retail_stock order by counted_at"
    ) == [(0, 1, timedelta(hours=1), True), (Decimal("0.5"), 1, timedelta(hours=1), True)]
    given = "select sum(allocated_cases), sum(ordered_cases), sum(delivered_cases) from core.fct_retail_allocation"
    assert county.rows(given) == [(2, 3, 2)]
    short = field()["allocation"][0] | {"delivered_cases": 15_000}
    receive(county, tmp_path, date(2026, 1, 30), {"allocation": [short]})
    assert county.rows(given) == [(2, 3, Decimal("1.5"))]


def test_a_correction_a_new_version_and_a_late_brand(county: Arrivals, tmp_path: Path) -> None:
    """What comes later changes sums from its day on; what was printed stays as it was sent."""
    day = date(2026, 1, 30)
    raised = january()["plan_day"][1:]
    receive(
        county,
        tmp_path,
        day,
        {
            "sale": [sale(2, date(2026, 1, 28), Decimal(100), Decimal(2_000_000))],  # was 161.4
            "brand": [brand(1, FOUNDED, "U", is_key=True) | {"change_seq": 2}],
            "plan": [plan(3, day, 26_000)],
            "plan_day": [row | {"plan_id": "2026V3"} for row in raised],
        },
    )
    month = (
        "select sold_cases, plan_version from mart_build.mart_retail_progress "
        "where owner_id = %s and period_kind = 'month' and scope = %s and as_of = %s"
    )
    assert county.rows(month, COUNTY, "out_of_province", AS_OF) == [(Decimal("745.6"), 2)]
    assert county.rows(month, COUNTY, "key", AS_OF) == [(2157 + 118, 2)], "a key brand from the first day on"
    assert county.rows(month, COUNTY, "all", day) == [(Decimal("3020.6"), 3)], "the new version holds from its day on"
    assert county.rows(
        "select plan_version, in_force_to, days_gap from mart_build.mart_retail_plan where plan_version > 1 order by 1"
    ) == [(2, day, 0), (3, date(2027, 1, 1), 500)]
    assert county.rows("select sum(row_sign), count(*), sum(cases) from core.fct_retail_sale") == [
        (12, 14, Decimal("3020.6"))
    ]
    assert county.rows(
        "select printed_value, verdict from mart_build.mart_retail_report "
        "where scope = 'out_of_province' and figure_id = 'sold_cases'"
    ) == [(807, "does_not_follow")]
    assert county.rows(
        "select brand_id, retailers_with_brand, listing_rate from mart_build.mart_retail_brand "
        "where owner_id = %s and month_start = '2026-01-01' order by 1",
        MANAGER,
    ) == [(f"P{number}", 1, 1) for number in (1, 2, 3)]
    for schema in ("intermediate", "core", "mart_build"):
        county.session.execute(f"drop schema if exists rebuild_{schema} cascade")
    transformation.run("build", "--select", "+fct_retail_progress", "+fct_retail_report", *LEFT_OUT, target="rebuild")
    built = ("dim_brand", "dim_retail_plan", "fct_retail_sale", "fct_retail_plan", "fct_retail_report")
    assert county.differences(*(f"core.{name}" for name in (*built, "fct_retail_progress"))) == {}
