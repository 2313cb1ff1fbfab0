"""Packages made from a published mart on the real server, opened as a regulator would open them."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from published import publish_rows

from regulatory import ExtractRefused, PackageReport, ValidationFailed, extract
from warehouse.migration import migrate, read_migrations
from warehouse.settings import Settings, get_settings

PROFILE = "pboc_financial_base"
MART = "mart_regulatory_deposit"
DEPOSIT = {
    "period_end": date(2026, 10, 31),
    "source_system": "core_banking",
    "controller_id": "bank",
    "organisation_id": "3001",
    "licence_no": "B0001S333010001",
    "customer_id": "100000000001",
    "customer_region_code": "330102",
    "registered_address": "杭州市 上城区 1号",
    "gl_subject": "2011",
    "starts_on": date(2020, 1, 31),
    "currency": "CNY",
    "interest_rate": Decimal("0.350000"),
    "account_status": "active",
    "is_reported": True,
}


def deposit(account: str, balance: str, kind: str = "person", **changes: object) -> dict[str, object]:
    document = ("resident_id", "110105194912310021") if kind == "person" else ("uscc", "91110000MAC360DA06")
    row = {
        **DEPOSIT,
        "account_id": account,
        "agreement_code": account,
        "party_kind": kind,
        "id_type": document[0],
        "id_number": document[1],
        "account_type": "personal_demand" if kind == "person" else "corporate_basic",
        "balance": Decimal(balance),
        "balance_cny": Decimal(balance),
    }
    return {**row, **changes}


ROWS = [deposit("A2", "20.10"), deposit("A1", "1000000.00"), deposit("F1", "5.00", "firm")]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return get_settings().model_copy(update={"home": tmp_path})


@pytest.fixture
def warehouse(owner: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """The module's database with the ledger of submissions and one publication of three deposits."""
    migrate([*read_migrations("dbt_project"), *read_migrations("regulatory")], owner)
    publish_rows(owner, {MART: ROWS}, date(2026, 11, 3))
    yield owner


def parsed(report: PackageReport, table: str) -> list[list[str]]:
    """The rows of a table, read from the archive by its own description alone."""
    assert report.folder is not None
    [archive] = report.folder.glob(f"*_{table}_20261031.zip")
    with zipfile.ZipFile(archive) as package:
        data_name, log_name = sorted(package.namelist())
        data, log = package.read(data_name), package.read(log_name).decode().split("\n")
    rows = [line.split("|") for line in data.decode().split("\n")] if data else []
    assert data_name == archive.stem + ".dat"
    assert log[:3] == [data_name, hashlib.md5(data).hexdigest() if data else "", str(len(data))]
    assert log[4] == str(len(rows))
    assert not data.endswith(b"\n")
    return rows


def test_a_package_holds_what_the_mart_holds(warehouse: psycopg.Connection, settings: Settings) -> None:
    report = extract(settings, PROFILE, "2026-10")
    assert (report.outcome, report.sequence, report.kind) == ("packaged", 1, "first")
    personal = parsed(report, "JS_202_CLGRCK")
    assert [(row[5], row[11]) for row in personal] == [("A1", "1000000.00"), ("A2", "20.10")]
    assert {len(row) for row in personal} == {15}
    [firm] = parsed(report, "JS_202_FTYDWC")
    assert (firm[3], firm[4], firm[6], firm[12]) == ("91110000MAC360DA06", "杭州市上城区1号", "F1", "5.00")
    assert report.folder is not None
    manifest = json.loads((report.folder / "manifest.json").read_text("utf-8"))
    assert manifest["files"][0]["control_totals"] == {"balance": "1000020.1", "balance_cny": "1000020.1"}
    for file in manifest["files"]:
        archive = (report.folder / file["archive"]["name"]).read_bytes()
        assert hashlib.sha256(archive).hexdigest() == file["archive"]["sha256"]
    recorded = warehouse.execute("select row_count from ops.regulatory_submission_file order by table_name").fetchall()
    assert recorded == [(2,), (1,)]

    again = extract(settings, PROFILE, "2026-10")
    assert (again.outcome, again.sequence) == ("unchanged", 1)


def test_the_same_cut_gives_the_same_bytes(warehouse: psycopg.Connection, settings: Settings, tmp_path: Path) -> None:
    packages = []
    for home in ("one", "two"):
        warehouse.execute("alter table ops.regulatory_submission_file disable trigger append_only")
        warehouse.execute("alter table ops.regulatory_submission disable trigger append_only")
        warehouse.execute("truncate ops.regulatory_submission, ops.regulatory_submission_file")
        warehouse.execute("alter table ops.regulatory_submission_file enable trigger append_only")
        warehouse.execute("alter table ops.regulatory_submission enable trigger append_only")
        report = extract(settings.model_copy(update={"home": tmp_path / home}), PROFILE, "2026-10")
        assert report.folder is not None
        packages.append({path.name: path.read_bytes() for path in sorted(report.folder.iterdir())})
    assert packages[0] == packages[1]


def test_changed_data_is_a_replacement(warehouse: psycopg.Connection, settings: Settings) -> None:
    publish_rows(warehouse, {MART: [*ROWS, deposit("A4", "8.00")]}, date(2026, 11, 4))
    first = extract(settings, PROFILE, "2026-10")
    publish_rows(warehouse, {MART: [*ROWS, deposit("A3", "7.00")]}, date(2026, 11, 4))
    second = extract(settings, PROFILE, "2026-10")
    assert (second.outcome, second.kind) == ("packaged", "replacement")
    assert second.sequence == (first.sequence or 0) + 1
    assert first.folder is not None and first.folder.is_dir()
    with pytest.raises(psycopg.errors.RestrictViolation):
        warehouse.execute("update ops.regulatory_submission set reason = 'none'")


def test_a_row_that_does_not_fit_blocks_the_package(warehouse: psycopg.Connection, settings: Settings) -> None:
    publish_rows(warehouse, {MART: [*ROWS, deposit("A9", "1.00", customer_region_code="33")]}, date(2026, 11, 5))
    with pytest.raises(ValidationFailed, match="A9") as refusal:
        extract(settings, PROFILE, "2026-10")
    listed = list(csv.DictReader(io.StringIO(refusal.value.report.findings_file.read_text("utf-8-sig"))))
    assert {(row["key"], row["rule"]) for row in listed} == {("A9/A9", "length"), ("A9/A9", "pattern")}
    assert not list((settings.out / "packages").rglob("*.zip"))


def test_a_month_that_still_runs_is_refused(warehouse: psycopg.Connection, settings: Settings) -> None:
    with pytest.raises(ExtractRefused, match="not over"):
        extract(settings, PROFILE, "2026-12")
