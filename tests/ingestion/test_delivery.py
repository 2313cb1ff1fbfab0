"""When a file is owed, and what is seen of one that is late, missing, out of order or of a strange size (CTL-01)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trial_sender import CONTRACTS, DAY, TRIAL, send_all, send_posting

from ingestion.batch import BatchReport, ingest
from ingestion.check import check_file
from ingestion.contract import Contract, Delivery, RowCount, load_contract
from ingestion.ledger import agree
from ingestion.plan import plan
from ingestion.receipt import Receipt, file_sha256, write_receipt
from ingestion.refusal import ContractError
from warehouse.calendar import calendar_days

CHINA = ZoneInfo("Asia/Shanghai")
POSTING = Path(__file__).parent / "contracts" / "trial" / "posting.yaml"
NEXT = DAY + timedelta(days=1)
THIRD = DAY + timedelta(days=2)


def with_terms(**terms: Delivery | None) -> dict[str, Contract]:
    """The trial contracts, some with terms of delivery; those not named are optional."""
    return {
        name: contract.model_copy(update={"delivery": terms.get(name), "optional": name not in terms})
        for name, contract in TRIAL.items()
    }


@pytest.fixture
def receive(loader: psycopg.Connection, landing: Path) -> Callable[..., BatchReport]:
    """Ingests a day under contracts with other terms."""

    def ingested(day: date, contracts: dict[str, Contract]) -> BatchReport:
        return ingest("trial", day, connection=loader, landing=landing, contracts={"trial": contracts})

    return ingested


def posting_contract(tmp_path: Path, change: Callable[[dict], object]) -> Contract:
    """The contract of the posting table, changed as text."""
    standard = yaml.safe_load(POSTING.read_text("utf-8"))
    change(standard)
    path = tmp_path / "trial" / "posting.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(standard, allow_unicode=True), "utf-8")
    return load_contract(path)


def sla(*levels: dict) -> Callable[[dict], object]:
    return lambda standard: standard.update(slaProperties=list(levels))


@pytest.mark.parametrize(
    ("levels", "terms"),
    [
        ([], None),
        (
            [{"property": "frequency", "value": 1, "unit": "d"}, {"property": "timeOfAvailability", "value": "02:00"}],
            Delivery(days="every_day", latency=1, available_at=time(2)),
        ),
        (
            [{"property": "frequency", "value": 10, "unit": "d"}, {"property": "latency", "value": 3, "unit": "d"}],
            Delivery(days="ten_day_period_ends", latency=3),
        ),
        ([{"property": "frequency", "value": 1, "unit": "m"}], Delivery(days="month_ends")),
    ],
)
def test_terms_are_read_from_the_service_levels_of_the_standard(tmp_path, levels, terms):
    assert posting_contract(tmp_path, sla(*levels)).delivery == terms


def test_terms_that_nobody_could_keep_are_refused(tmp_path):
    with pytest.raises(ContractError, match="frequency is 2 d"):
        posting_contract(tmp_path, sla({"property": "frequency", "value": 2, "unit": "d"}))
    with pytest.raises(ContractError, match="not in days"):
        posting_contract(tmp_path, sla({"property": "latency", "value": 4, "unit": "h"}))
    for never in ("two", 120, "02:00+08:00", "25:00"):  # YAML reads 2:00 without quotes as 120
        with pytest.raises(ContractError, match="vailab"):
            posting_contract(tmp_path, sla({"property": "timeOfAvailability", "value": never}))


def test_the_extracts_of_the_bank_are_owed_daily_at_two():
    from ingestion.contract import load_contracts

    terms = {contract.delivery for contract in load_contracts()["core_banking"].values()}
    assert terms == {Delivery(days="every_day", latency=1, available_at=time(2))}


WORKING = [day.calendar_date for day in calendar_days(2025, 2026) if day.is_working_day]
PERIOD_ENDS = {day.ten_day_period_to for day in calendar_days(2025, 2026)}


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    day=st.dates(date(2025, 1, 1), date(2026, 11, 30)),
    days=st.sampled_from(["every_day", "working_days", "ten_day_period_ends", "month_ends"]),
    latency=st.integers(0, 5),
)
def test_days_and_deadlines_are_those_of_the_bank_calendar(loader, day, days, latency):
    owed, due = loader.execute(
        "select ops.is_delivery_day(%s, %s), ops.due_at(%s, %s, '02:30', %s)", [days, day, days, latency, day]
    ).fetchone()
    assert (
        owed
        is {
            "every_day": True,
            "working_days": day in WORKING,
            "ten_day_period_ends": day in PERIOD_ENDS,
            "month_ends": (day + timedelta(days=1)).day == 1,
        }[days]
    )
    later = [working for working in WORKING if working > day]
    expected = day + timedelta(days=latency) if days == "every_day" or not latency else later[latency - 1]
    assert due == datetime.combine(expected, time(2, 30), CHINA)


def test_make_up_workdays_count(loader):
    due = "select ops.due_at('working_days', 1, '08:00', %s)"
    for business_date, deadline in ((date(2025, 9, 26), date(2025, 9, 28)), (date(2025, 9, 30), date(2025, 10, 9))):
        assert loader.execute(due, [business_date]).fetchone() == (datetime.combine(deadline, time(8), CHINA),)


def test_late_missing_and_awaited_files_are_seen_by_deadline(loader, landing, receive):
    today = datetime.now(CHINA).date()
    before = today - timedelta(days=1)
    contracts = with_terms(
        posting=Delivery(latency=0, available_at=time(0)), payment=Delivery(available_at=time(23, 59, 59))
    )
    for day in (before - timedelta(days=1), before):
        folder = send_all(landing, day)
        for path in folder.iterdir():
            at = datetime.combine(day, time(1), CHINA)
            write_receipt(path, Receipt(path.name, path.stat().st_size, file_sha256(path), at))
        receive(day, contracts)
    states = "select table_name, business_date, state, received_at > due_at from ops.delivery order by 1, 2"
    assert {row[2] for row in loader.execute(states)} - {"history"} <= {"awaited", "on_time", "overdue"}

    loader.execute("update ops.batch set opened_at = %s", [datetime.combine(before - timedelta(days=9), time(), CHINA)])
    assert loader.execute(states).fetchall() == [
        ("payment", before - timedelta(days=1), "on_time", False),
        ("payment", before, "on_time", False),
        ("payment", today, "awaited", None),
        ("posting", before - timedelta(days=1), "late", True),
        ("posting", before, "late", True),
        ("posting", today, "overdue", None),
    ]
    stamped = "select distinct table_name, due_at from ops.source_file where business_date = %s and due_at is not null"
    assert dict(loader.execute(stamped, [before]).fetchall()) == {
        "payment": datetime.combine(today, time(23, 59, 59), CHINA),
        "posting": datetime.combine(before, time(0), CHINA),
    }

    other = with_terms(posting=Delivery(latency=0, available_at=time(3)))
    agree(loader, "trial", other)
    kept = loader.execute(f"select * from ({states}) as seen where business_date < %s", [today]).fetchall()
    assert [row[2] for row in kept] == ["late", "late"], "a new agreement does not pardon what was late under the old"


def test_a_monthly_table_is_missed_at_the_end_of_the_month_only(landing, loader, receive):
    contracts = with_terms(posting=Delivery(), payment=Delivery(days="month_ends"))
    end = date(2026, 11, 30)
    for day in (DAY, end):
        folder = send_all(landing, day)
        (folder / TRIAL["payment"].file_name(day)).unlink()
    assert receive(DAY, contracts).state == "complete"
    owed = {f.table for f in plan(loader, "trial", end, landing, contracts) if f.verdict == "missing"}
    report = receive(end, contracts)
    assert (report.state, report.missing) == ("open", [TRIAL["payment"].file_name(end)]) and owed == {"payment"}


@pytest.mark.parametrize("gap", ["ignore", "warn", "block"])
def test_a_day_whose_predecessor_has_not_come(loader, landing, receive, gap):
    contracts = with_terms(posting=Delivery(gap=gap))
    send_all(landing)
    assert receive(DAY, contracts).messages == []
    send_all(landing, THIRD)
    foreseen = {file.table: file.verdict for file in plan(loader, "trial", THIRD, landing, contracts)}
    report = receive(THIRD, contracts)
    missing = TRIAL["posting"].file_name(NEXT)
    if gap == "block":
        assert set(foreseen.values()) == {"wait"}
        assert report.state == "open" and any(missing in text for text in report.messages)
        assert {file.state for file in report.files} == {"received"}
        assert loader.execute("select count(*) from ops.loaded_file where business_date = %s", [THIRD]).fetchone() == (
            0,
        )
    else:
        assert set(foreseen.values()) == {"load"} and report.state == "complete"
        assert [f"posting of {NEXT}" in text for text in report.messages] == ([True] if gap == "warn" else [])

    send_posting(landing / "trial" / DAY.isoformat(), day=DAY)
    send_all(landing, NEXT)
    assert receive(NEXT, contracts).state == "complete"
    assert receive(THIRD, contracts).state == "complete"
    assert loader.execute("select count(distinct business_date) from ops.loaded_file").fetchone() == (3,)


def test_rows_outside_the_bounds_refuse_the_file(tmp_path, landing, loader, receive):
    def bounds(**rule: object) -> Contract:
        quality = [{"type": "library", "metric": "rowCount", **rule}]
        return posting_contract(tmp_path, lambda standard: standard["schema"][0].update(quality=quality))

    assert bounds(mustBeBetween=[10, 30]).row_count == RowCount(minimum=10, maximum=30)
    assert bounds(mustBeLessOrEqualTo=5).row_count == RowCount(maximum=5)
    with pytest.raises(ContractError, match="rowCount needs"):
        bounds(mustNotBe=3)

    path = send_posting(tmp_path, rows=20)
    for rule, words in (({"mustBeBetween": [30, 90]}, "30 to 90"), ({"mustBeGreaterOrEqualTo": 21}, "at least 21")):
        report = check_file(bounds(**rule), path, DAY)
        assert report.would == "refuse" and report.refusal.rule == "row_count" and words in str(report.refusal)
    assert check_file(bounds(mustBeBetween=[20, 20]), path, DAY).would == "load"

    send_all(landing)
    contracts = dict(CONTRACTS["trial"]) | {"posting": bounds(mustBeGreaterOrEqualTo=21)}
    report = receive(DAY, contracts)
    assert report.state == "refused" and "20 rows" in "".join(report.messages + [f.message or "" for f in report.files])
    assert loader.execute("select count(*) from raw_trial.posting").fetchone() == (0,)
