"""The gate on a real database: what opens it, what closes it, and what is written down."""

import json
import re
import shutil
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from urllib.parse import unquote

import psycopg
import pytest

import expectations
from expectations.suite import SUITES
from warehouse.migration import migrate, read_migrations
from warehouse.settings import get_settings

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 2), date(2026, 11, 3), date(2026, 11, 4)
DAYS = [date(2026, 10, 31), date(2026, 11, 1), MONDAY, TUESDAY, WEDNESDAY]


@pytest.fixture
def warehouse(owner: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A ledger with five business dates of one source, and one mart that is published."""
    migrate([*read_migrations("ingestion"), *read_migrations("expectations")], owner)
    owner.execute(
        """
        truncate ops.source_file, ops.batch cascade; truncate ops.check_result;
        drop schema if exists raw_shop cascade; create schema raw_shop;
        create table raw_shop.sale (sale_id text, _file_id bigint, _line bigint);
        drop schema if exists mart_build cascade; create schema mart_build;
        create table mart_build.mart_sale as select n as sale_id from generate_series(1, 100) as n;
        """
    )
    for number, day in enumerate(DAYS):
        owner.execute(
            "insert into ops.batch (batch_id, source_system, business_date, sequence, state, known_at, completed_at)"
            " values (%s, 'shop', %s, 1, 'complete', now(), now())",
            [f"shop/{day}/1", day],
        )
        owner.execute(
            "insert into ops.source_file (file_id, batch_id, source_system, table_name, business_date, sequence,"
            " file_name, bytes, sha256, received_at, state, rows_sent, rows_loaded, rows_quarantined, rows_erased)"
            " values (%s, %s, 'shop', 'sale', %s, 1, 'x', 1, %s, now(), 'loaded', 100, 100, 0, 0)",
            [number, f"shop/{day}/1", day, f"{number:064d}"],
        )
        owner.execute("insert into raw_shop.sale select n, %s, n from generate_series(1, 100) as n", [number])
    yield owner


def results(connection: psycopg.Connection, run_key: str) -> dict[tuple[str, str | None], tuple[bool, str | None]]:
    rows = connection.execute(
        "select suite, column_name, success, observed from ops.check_result where run_key = %s", [run_key]
    )
    return {(name, column): (success, observed) for name, column, success, observed in rows}


def kept(connection: psycopg.Connection, run_key: str) -> int:
    row = connection.execute("select count(*) from ops.check_result where run_key = %s", [run_key]).fetchone()
    return row[0] if row else 0


def test_a_good_day_passes_and_is_written_down(warehouse: psycopg.Connection) -> None:
    report = expectations.check_raw(get_settings(), WEDNESDAY, ["shop"])
    assert (report.run_key, report.failed, report.warned) == ("raw/2026-11-04/1", (), ())
    assert report.figures["passed"] == len(report.results) == kept(warehouse, report.run_key)
    again = expectations.check_raw(get_settings(), WEDNESDAY, ["shop"])
    assert again.run_key == "raw/2026-11-04/2", "results are appended"


def test_data_docs_lead_to_every_result_and_ask_nothing_of_the_internet(
    warehouse: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("C360_DATA_DOCS_RUNS", "2")
    for day in (MONDAY, TUESDAY):
        expectations.check_raw(get_settings(), day, ["shop"])
    start = expectations.check_raw(get_settings(), WEDNESDAY, ["shop"]).data_docs
    pages = list(start.parent.rglob("*.html"))
    assert len(pages) > 5
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert re.findall(r"(?:src|href)=[\"']?(?:https?:)?//|url\(['\"]?http|<script|@import", text) == [], page
        for target in re.findall(r'href="([^"#]+)"', text):
            assert (page.parent / unquote(target)).is_file(), f"{page}: {target}"
    led_to = {
        (start.parent / unquote(target)).resolve()
        for target in re.findall(r'href="([^"#]+)"', start.read_text("utf-8"))
    }
    assert led_to >= {page.resolve() for page in pages}


def test_no_password_and_no_query_result_but_measurements_is_kept(warehouse: psycopg.Connection, home: Path) -> None:
    expectations.check_raw(get_settings(), WEDNESDAY, ["shop"])
    files = list((get_settings().out / "great_expectations").rglob("*.json"))
    assert files
    secrets = json.loads((home / "secrets.json").read_text())
    for file in files:
        assert not any(str(secret) in file.read_text(encoding="utf-8") for secret in secrets.values())


def test_raw_that_differs_from_the_ledger_closes_the_gate(warehouse: psycopg.Connection) -> None:
    warehouse.execute("delete from raw_shop.sale where _file_id = 4 and _line <= 5")
    with pytest.raises(expectations.GateClosed, match=r"rows_over_ledger.*shop\.sale: -5") as closed:
        expectations.check_raw(get_settings(), WEDNESDAY, ["shop"])
    assert [one.column for one in closed.value.report.failed] == ["rows_over_ledger"]
    assert results(warehouse, closed.value.report.run_key)["raw_ledger", "rows_over_ledger"] == (False, "shop.sale: -5")


def test_a_small_file_warns_and_an_empty_one_closes_the_gate(warehouse: psycopg.Connection) -> None:
    def deliver(rows: int) -> None:
        warehouse.execute("update ops.source_file set rows_sent = %s, rows_loaded = %s where file_id = 4", [rows, rows])
        warehouse.execute("delete from raw_shop.sale where _file_id = 4 and _line > %s", [rows])

    deliver(10)
    report = expectations.check_raw(get_settings(), WEDNESDAY, ["shop"])
    assert [one.column for one in report.warned] == ["rows_loaded"]
    deliver(0)
    with pytest.raises(expectations.GateClosed) as closed:
        expectations.check_raw(get_settings(), WEDNESDAY, ["shop"])
    assert [one.column for one in closed.value.report.failed] == ["has_rows"]


def test_a_table_that_brings_rows_now_and_then_may_bring_none(warehouse: psycopg.Connection) -> None:
    warehouse.execute("update ops.source_file set rows_sent = 0, rows_loaded = 0 where file_id in (1, 2, 4)")
    warehouse.execute("delete from raw_shop.sale where _file_id in (1, 2, 4)")
    assert expectations.check_raw(get_settings(), WEDNESDAY, ["shop"]).warned == ()


def test_a_missing_source_closes_the_gate(warehouse: psycopg.Connection) -> None:
    with pytest.raises(expectations.GateClosed) as closed:
        expectations.check_raw(get_settings(), WEDNESDAY, ["shop", "stall"])
    assert [one.observed for one in closed.value.report.failed] == ["stall: 0"]


def test_a_mart_that_lost_rows_is_not_published(warehouse: psycopg.Connection, tmp_path: Path) -> None:
    (tmp_path / "mart").mkdir()
    shutil.copy(SUITES / "mart" / "1_volume.yaml", tmp_path / "mart")
    check_marts = partial(expectations.check_marts, get_settings(), WEDNESDAY, tmp_path)
    assert check_marts().failed == ()
    warehouse.execute(
        "insert into ops.publication (number, state, note, staged_against, published_at)"
        " values (1, 'published', 'x', 0, now());"
        " insert into ops.publication_mart values (1, 'mart_sale', 100, 0, 100, 1);"
        " update ops.publication_pointer set number = 1"
    )
    assert check_marts().failed == ()
    warehouse.execute("delete from mart_build.mart_sale where sale_id > 60")
    with pytest.raises(expectations.GateClosed, match=r"mart_sale: 0\.6"):
        check_marts()
    warehouse.execute("truncate mart_build.mart_sale")
    with pytest.raises(expectations.GateClosed, match="mart_sale: 0"):
        check_marts()


def test_a_check_that_cannot_be_made_has_not_passed(warehouse: psycopg.Connection) -> None:
    with pytest.raises(expectations.GateClosed, match=r"no table mart_build\.mart_customer_360"):
        expectations.check_marts(get_settings(), WEDNESDAY)
