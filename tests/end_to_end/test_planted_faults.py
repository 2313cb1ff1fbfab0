"""Every expectation at the edges is silent on the clean world and fires on the fault that is planted for it."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from small_world import FIRST, World

import expectations
from expectations.suite import SUITES, load_suites
from pipeline.steps import SIMULATED_SOURCES
from warehouse.settings import get_settings

pytestmark = pytest.mark.usefixtures("nothing_recorded")

MONTH_END = date(2026, 11, 30)
"""A Monday that ends a month; history begins four months before."""
BILL, POSTING = "raw_grid_billing.bill", "raw_core_banking.account_transaction"
MART = "mart_build.mart_customer_360"
LAST = f"snapshot_month = date '{FIRST:%Y-%m}-01'"

# Suite, then the table that is spoilt, how, and what must fire: (column, severity). The clean world fires nothing.
SPOILT = [
    ("raw/6_bank_grid", POSTING, "set transaction_type = 'fee' where transaction_type = 'bill_payment'",
     {("share_found", "fail"), ("share_found", "warn")}),
    ("raw/6_bank_grid", "raw_grid_billing.payment", "set amount = amount + 0.01 where bank_transaction_id is not null",
     {("amount_apart", "fail")}),
    ("raw/7_grid_bills", "raw_grid_billing.bill_line",
     "set amount = amount + 0.01 where ctid = (select min(ctid) from raw_grid_billing.bill_line)",
     {("share_tied", "warn")}),
    ("raw/7_grid_bills", BILL, "set amount = amount + 0.01 where _line % 5 = 0",
     {("share_tied", "warn"), ("share_tied", "fail")}),
    ("raw/8_core_balances", "raw_core_banking.account_balance", "set balance = balance + 1", {("share_tied", "warn")}),
    ("raw/9_bank_card", "raw_card.payment", "set amount = amount + 0.01 where _line % 3 = 0",
     {("share_found", "warn"), ("share_found", "fail")}),
    ("mart/2_deposits", MART, f"set deposit_balance = deposit_balance * 1.001 where {LAST}", {("share_apart", "warn")}),
    ("mart/2_deposits", MART, f"set deposit_balance = deposit_balance * 1.02 where {LAST}",
     {("share_apart", "warn"), ("share_apart", "fail")}),
    ("mart/3_shift", MART, f"set deposit_balance = deposit_balance * 3, loan_balance = loan_balance * 3 where {LAST}",
     {("deposits_ratio", "warn"), ("loans_ratio", "warn")}),
    ("mart/3_shift", MART, f"set energy_kwh = energy_kwh * 3 where {LAST}", {("energy_ratio", "warn")}),
    ("mart/6_season", MART, f"set energy_kwh = energy_kwh * 3 where {LAST}", {("energy_of_season", "warn")}),
    ("mart/3_shift", MART, f"set as_of = as_of - 1 where {LAST} and greatest(deposit_balance, loan_balance, 0) < 20000",
     {("parties_ratio", "fail")}),
    ("mart/4_unknown", MART, "set party_kind = null where party_key % 3 = 0", {("kind_unknown", "fail")}),
    ("mart/4_unknown", MART,
     "set organisation_id = null, customer_level = null, usage_class = null where party_key % 20 > 0",
     {("organisation_unknown", "warn"), ("level_unknown", "warn"), ("usage_class_unknown", "warn")}),
    ("mart/5_golden", MART, "set deposit_balance = deposit_balance + 1", {("moved_by", "fail")}),
    ("mart/5_golden", MART, "set deposit_balance = null", {("is_there", "fail")}),
]  # fmt: skip

# The same for what looks at history: four months of a table, then what the last day brings instead.
SENT = [
    ("raw/1_arrival", {"complete": False}, {("complete_batches", "fail")}),
    ("raw/1_arrival", {"refused": 1}, {("refused_files", "warn")}),
    ("raw/1_arrival", {"skipped": 3}, {("days_over_rhythm", "warn")}),
    ("raw/2_volume", {"rows": 0}, {("has_rows", "fail"), ("rows_loaded", "warn"), ("of_like_days", "warn")}),
    ("raw/2_volume", {"rows": 4500}, {("most_rows", "warn"), ("of_like_days", "warn")}),
    ("raw/2_volume", {"rows": 1000, "day": MONTH_END + timedelta(days=7)}, {("of_like_days", "warn")}),
    ("raw/3_quarantine", {"quarantined": 40}, {("share_quarantined", "warn")}),
    ("raw/3_quarantine", {"quarantined": 300}, {("share_quarantined", "warn"), ("share_quarantined", "fail")}),
    ("raw/5_distribution", {"codes": {"a": 450, "b": 450, "n": 100}}, {("share_new", "warn")}),
    ("raw/5_distribution", {"codes": {"a": 100, "b": 900}}, {("distance", "warn")}),
    ("raw/5_distribution", {"codes": {"n": 1000}},
     {("distance", "warn"), ("distance", "fail"), ("share_new", "warn"), ("share_vanished", "warn")}),
]  # fmt: skip


@pytest.fixture
def suites(tmp_path: Path) -> Callable[[str], Path]:
    """Makes the folder of suites with the one that is tried."""

    def only(suite: str) -> Path:
        (tmp_path / suite).parent.mkdir(exist_ok=True)
        shutil.copy(SUITES / f"{suite}.yaml", (tmp_path / suite).parent)
        return tmp_path

    return only


def fired(
    suite: str, folder: Path, day: date = FIRST, sources: tuple[str, ...] = SIMULATED_SOURCES
) -> set[tuple[str, str]]:
    """The expectations of a suite that do not hold, by column and severity."""
    try:
        if suite.startswith("raw/"):
            report = expectations.check_raw(get_settings(), day, sources, folder)
        else:
            report = expectations.check_marts(get_settings(), day, folder)
    except expectations.GateClosed as closed:
        report = closed.report
    assert report.results, "the suite did not run"
    return {(str(one.column), one.severity) for one in report.results if not one.success}


@pytest.mark.parametrize("suite", sorted({suite for suite, *_ in SPOILT}))
def test_the_clean_world_fires_nothing(world: World, suites: Callable[[str], Path], suite: str) -> None:
    assert fired(suite, suites(suite)) == set()


@pytest.mark.parametrize(("suite", "table", "fault", "expected"), SPOILT)
def test_a_spoilt_table_fires(
    owner: psycopg.Connection, suites: Callable[[str], Path], suite: str, table: str, fault: str, expected: set
) -> None:
    name = sql.Identifier(*table.split("."))
    owner.execute(sql.SQL("create temp table clean as select * from {}").format(name))
    with ExitStack() as undo:
        undo.callback(owner.execute, sql.SQL("insert into {} select * from clean").format(name))
        undo.callback(owner.execute, sql.SQL("truncate {}").format(name))
        owner.execute(f"update {table} {fault}")  # type: ignore[call-overload]
        assert fired(suite, suites(suite)) == expected


@pytest.fixture
def send(owner: psycopg.Connection) -> Iterator[Callable[..., None]]:
    """Sends a day of the table `shop.sale`: a row of the ledger, and how often each code stands in it."""

    def sent(
        day: date,
        rows: int = 1000,
        quarantined: int = 0,
        refused: int = 0,
        complete: bool = True,
        codes: dict[str, int] | None = None,
    ) -> None:
        batch = f"shop/{day}/1"
        digest = hashlib.sha256(batch.encode()).hexdigest()
        owner.execute(
            "insert into ops.batch (batch_id, source_system, business_date, sequence, state, known_at, completed_at) "
            "values (%s, 'shop', %s, 1, %s, case when %s then now() end, case when %s then now() end)",
            [batch, day, "complete" if complete else "open", complete, complete],
        )
        file_id = int(digest[:15], 16)
        for number, state in enumerate(["loaded"] + ["refused"] * refused):
            loaded = state == "loaded"
            owner.execute(
                "insert into ops.source_file (file_id, batch_id, source_system, table_name, business_date, sequence, "
                "file_name, bytes, sha256, received_at, state, rows_sent, rows_loaded, rows_quarantined, rows_erased) "
                "values (%s, %s, 'shop', %s, %s, 1, 'x', 1, %s, now(), %s, %s, %s, %s, 0)",
                [
                    file_id + number, batch, "sale" if loaded else "return", day, digest, state, rows,
                    rows - quarantined if loaded else None, quarantined if loaded else None,
                ],
            )  # fmt: skip
        for code, count in (codes or {"a": rows // 2, "b": rows // 2}).items():
            if count:
                owner.execute("insert into ops.code_count values (%s, 'kind', %s, %s)", [file_id, code, count])

    yield sent
    owner.execute("delete from ops.code_count where column_name = 'kind'")
    owner.execute("delete from ops.source_file where source_system = 'shop'")
    owner.execute("delete from ops.batch where source_system = 'shop'")


@pytest.mark.parametrize(
    ("suite", "fault", "expected"), [*((suite, {}, set()) for suite in sorted({s for s, *_ in SENT})), *SENT]
)
def test_a_day_unlike_those_before_fires(
    send: Callable[..., None], suites: Callable[[str], Path], suite: str, fault: dict, expected: set
) -> None:
    """Mondays bring 400 rows, month ends 2000, other days 1000; without a fault nothing fires on the last of them."""
    fault = dict(fault)
    last = fault.pop("day", date(2026, 11, 24) if suite != "raw/2_volume" else MONTH_END)
    skipped = fault.pop("skipped", 0)

    def usual(day: date) -> int:
        return 2000 if (day + timedelta(days=1)).day == 1 else 400 if day.isoweekday() == 1 else 1000

    first = date(2026, 7, 30)
    for number in range((last - first).days - skipped):
        send(first + timedelta(days=number), usual(first + timedelta(days=number)))
    send(last, **({"rows": usual(last)} | fault))
    assert fired(suite, suites(suite), last, ("shop",)) == expected


def test_every_expectation_has_its_fault() -> None:
    """Those of the ledger and of the number of rows of marts have theirs in tests/expectations/test_gate.py."""
    elsewhere = {"raw_ledger", "mart_volume"}
    held = {
        (
            f"{edge}_{suite.name.split('_', 1)[1]}",
            expected.kwargs.get("column") or expected.kwargs["column_A"],
            expected.severity,
        )
        for edge in ("raw", "mart")
        for suite in load_suites(edge)
        if suite.name not in elsewhere
        for expected in suite.expectations
        if "column" in expected.kwargs or "column_A" in expected.kwargs
    }
    planted = {
        (f"{suite.split('/')[0]}_{suite.split('_', 1)[1]}", column, severity)
        for suite, *_, fires in [*SPOILT, *SENT]
        for column, severity in fires
    }
    assert held == planted
