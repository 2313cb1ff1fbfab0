"""Golden records: agreed on from the landed files, met by the marts, and a figure that moves keeps the gate closed."""

import csv
import shutil
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import golden
import psycopg
import pytest
from small_world import FIRST, World

import expectations
from expectations.suite import SUITES
from pipeline.transformation import PROJECT
from warehouse.settings import get_settings

pytestmark = pytest.mark.usefixtures("nothing_recorded")

AGREED_MONTH = date(2026, 9, 1)


def agreed(world: World) -> list[dict[str, str]]:
    """The records that were agreed on files of this world."""
    landing = get_settings().landing
    sent = {golden.sha256(golden.first_load(landing, table)) for table in (golden.BALANCES, golden.BILLS)}
    with (PROJECT / "seeds" / "golden_record.csv").open(encoding="utf-8") as seed:
        return [row for row in csv.DictReader(seed) if row["agreed_on_file"] in sent]


def test_what_was_agreed_is_what_the_files_say(world: World) -> None:
    derived = golden.figures(get_settings().landing, AGREED_MONTH)
    records = agreed(world)
    assert len(records) >= 8 and {row["source_system"] for row in records} == {"core_banking", "grid_billing"}
    for row in records:
        found = derived[row["source_system"], row["source_key"], row["mart_column"]]
        assert found == Decimal(row["agreed_value"]) and row["period_month"] == f"{AGREED_MONTH}", row["record_id"]


def test_the_mart_says_what_the_files_say_of_everybody_derived(owner: psycopg.Connection) -> None:
    """The derivation itself is right: not only for those whom people agreed on."""
    in_mart = {
        (source, customer, column): value
        for source, customer, deposits, billed in owner.execute(
            "select source_system, customer_id, deposit_balance, bill_amount from core.bridge_party_source "
            "inner join mart_build.mart_customer_360 using (party_key, controller_id) where snapshot_month = %s",
            [AGREED_MONTH],
        )
        for column, value in (("deposit_balance", deposits), ("bill_amount", billed))
    }
    derived = golden.figures(get_settings().landing, AGREED_MONTH)
    assert len(derived) > 100
    assert {key: (value, in_mart.get(key)) for key, value in derived.items() if in_mart.get(key) != value} == {}


@pytest.fixture
def suites(tmp_path: Path) -> Path:
    """The folder of suites with the one that is tried."""
    (tmp_path / "mart").mkdir()
    shutil.copy(SUITES / "mart" / "5_golden.yaml", tmp_path / "mart")
    return tmp_path


@pytest.fixture
def moved(world: World, owner: psycopg.Connection) -> Iterator[str]:
    """The id of a record whose figure a build has moved by 0.01."""
    record = next(row for row in agreed(world) if row["mart_column"] == "deposit_balance")
    move = (
        "update mart_build.mart_customer_360 as mart set deposit_balance = deposit_balance + %s "
        "from core.bridge_party_source as placed where placed.party_key = mart.party_key and mart.snapshot_month = %s "
        "and placed.source_system = 'core_banking' and placed.customer_id = %s and mart.controller_id = 'bank'"
    )
    owner.execute(move, [Decimal("0.01"), AGREED_MONTH, record["source_key"]])
    yield record["record_id"]
    owner.execute(move, [Decimal("-0.01"), AGREED_MONTH, record["source_key"]])


def test_a_figure_that_moves_keeps_the_gate_closed(world: World, suites: Path, moved: str) -> None:
    message = rf"{moved} deposit_balance 2026-09, agreed by [^:]+ on 2026-\d\d-\d\d: 0\.01"
    with pytest.raises(expectations.GateClosed, match=message) as closed:
        expectations.check_marts(get_settings(), FIRST, suites)
    (failed,) = closed.value.report.failed
    assert (failed.column, failed.unexpected) == ("moved_by", 1) and failed.subjects == len(agreed(world))


def test_the_golden_records_hold(world: World, suites: Path) -> None:
    report = expectations.check_marts(get_settings(), FIRST, suites)
    assert report.failed == () and {one.subjects for one in report.results} == {len(agreed(world))}
