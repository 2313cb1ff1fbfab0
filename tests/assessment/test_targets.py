"""Workbooks of targets: read as they are, refused with sheet and line, uploaded by one and approved by another."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from assessment.plan import decide_upload, upload, uploads
from assessment.workbook import PlanRefused, read_workbook, write_template
from warehouse.connection import connect
from warehouse.migration import migrate, read_migrations

TARGET = (
    "deposit_average_balance",
    "employee",
    "E1",
    2026,
    datetime(2026, 1, 1),
    1_200_000,
    "CNY",
    "cumulative",
    "c",
    "E1",
)
CURVE = (("c", datetime(2026, 1, 31), 0.1), ("c", datetime(2026, 12, 31), 1))


def filled(path: Path, targets: tuple = (TARGET,), curves: tuple = CURVE) -> Path:
    """The template with these lines."""
    if not path.exists():
        write_template(path)
    book = load_workbook(path)
    for name, lines in (("plan", targets), ("curve", curves)):
        for line in lines:
            book[name].append(line)
    book.save(path)
    return path


def changed(**values: object) -> tuple:
    """The target with other values."""
    names = (
        "kpi_id",
        "owner_kind",
        "owner_id",
        "plan_year",
        "valid_from",
        "target_value",
        "unit",
        "spread",
        "curve_id",
    )
    return tuple({**dict(zip(names, TARGET, strict=False)), **values}.values()) + TARGET[-1:]


@pytest.fixture(scope="module")
def prepared(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as owner:
        migrate(read_migrations("assessment"), owner)
        owner.execute(
            """
            create table core.kpi_item (kpi_id text);
            create table core.kpi_metric as select 'deposit_average_balance' as metric_id;
            create table core.dim_employee as select 'E1' as employee_id, true as is_current;
            create table core.dim_organisation as select '3001' as organisation_id, true as is_current;
            grant select on all tables in schema core to assessor;
            """
        )


@pytest.fixture
def paula(prepared: None) -> Iterator[psycopg.Connection]:
    """A session of a preparer."""
    with connect("paula") as session:
        yield session


def test_what_was_filled_in_is_read(tmp_path: Path) -> None:
    plan = read_workbook(filled(tmp_path / "plan.xlsx"))
    [target] = plan.targets
    assert (target.number, target["target_value"], target["valid_from"]) == (3, Decimal(1_200_000), date(2026, 1, 1))
    assert [(line["day"], line["cumulative_share"]) for line in plan.curves] == [
        (date(2026, 1, 31), Decimal("0.1")),
        (date(2026, 12, 31), Decimal(1)),
    ]


@pytest.mark.parametrize(
    ("targets", "curves", "reason"),
    [
        ((TARGET, TARGET), CURVE, r"\[plan\]:4: the target of .* stands in line 3 already"),
        ((changed(target_value="1200000"),), CURVE, r"\[plan\]:3: target_value: '1200000' is no number"),
        ((changed(target_value=True),), CURVE, r"\[plan\]:3: target_value: True is no number"),
        ((changed(valid_from="2026-01-01"),), CURVE, r"\[plan\]:3: valid_from: .* is no date"),
        ((changed(valid_from=datetime(2026, 1, 1, 9)),), CURVE, r"\[plan\]:3: valid_from: .* is no date"),
        ((changed(valid_from=datetime(2027, 1, 1)),), CURVE, r"\[plan\]:3: valid_from 2027-01-01 lies behind"),
        ((changed(owner_id=1001),), CURVE, r"\[plan\]:3: owner_id: 1001 is no text"),
        ((changed(owner_kind="team"),), CURVE, r"\[plan\]:3: owner_kind: 'team' is none of employee, organisation"),
        ((changed(target_value=None),), CURVE, r"\[plan\]:3: target_value is empty"),
        ((changed(spread="level"),), CURVE, r"\[plan\]:3: a cumulative target has a curve_id, a level none"),
        ((changed(plan_year=2027),), CURVE, r"\[plan\]:3: curve c is of 2026, the target of 2027"),
        ((), (("c", datetime(2026, 5, 1), 0.9), ("c", datetime(2026, 12, 31), 0.8)), r"\[curve\]:4: curve c falls"),
        ((), CURVE[:1], r"\[curve\]:3: curve c ends at 0.1, not at 1"),
        ((), (*CURVE, CURVE[1]), r"\[curve\]:5: 2026-12-31 of curve c stands in line 4 already"),
        ((), (*CURVE, ("c", datetime(2027, 1, 31), 1)), r"\[curve\]:5: curve c goes over more than one year"),
        ((), (("c", datetime(2026, 1, 31), 1.1),), r"\[curve\]:3: cumulative_share 1.1 is not between 0 and 1"),
        ((), (), "no line is filled in"),
    ],
)
def test_a_wrong_line_is_refused(tmp_path: Path, targets: tuple, curves: tuple, reason: str) -> None:
    with pytest.raises(PlanRefused, match=reason):
        read_workbook(filled(tmp_path / "plan.xlsx", targets, curves))


def test_a_file_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plan.xlsx").write_bytes(b"kpi_id,owner_kind")
    with pytest.raises(PlanRefused, match="is no workbook that can be read"):
        read_workbook(tmp_path / "plan.xlsx")


def test_a_template_that_was_filled_in_is_not_overwritten(tmp_path: Path) -> None:
    write_template(tmp_path / "plan.xlsx")
    with pytest.raises(PlanRefused, match="the file is there"):
        write_template(tmp_path / "plan.xlsx")


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.decimals(-(10**10), 10**10, places=4))
def test_numbers_are_read_to_the_last_digit(tmp_path: Path, value: Decimal) -> None:
    path = tmp_path / "plan.xlsx"
    path.unlink(missing_ok=True)
    [target] = read_workbook(filled(path, (changed(target_value=value),))).targets
    assert target["target_value"] == value


def test_the_preparer_does_not_approve(tmp_path: Path, paula: psycopg.Connection) -> None:
    number = upload(filled(tmp_path / "own.xlsx", (changed(target_value=1),)), "year plan", paula)
    with pytest.raises(PlanRefused, match="preparer_is_not_approver: paula prepared it"):
        decide_upload(number, "approved", "fine", paula)
    with pytest.raises(psycopg.errors.RestrictViolation):
        paula.execute("update assessment.plan_target set target_value = 1")


def test_a_second_person_approves_once(tmp_path: Path, paula: psycopg.Connection) -> None:
    number = upload(filled(tmp_path / "approved.xlsx"), "year plan", paula)
    with connect("henry") as henry:
        decide_upload(number, "approved", "as agreed", henry)
        assert uploads(henry)[0][:5] == (number, "approved.xlsx", 1, 2, "paula")
        with pytest.raises(PlanRefused, match="was approved by henry"):
            decide_upload(number, "rejected", "or not", henry)
    with pytest.raises(PlanRefused, match=f"is upload {number} of paula already"):
        upload(tmp_path / "approved.xlsx", "again", paula)
    later = filled(tmp_path / "later.xlsx", (changed(target_value=1_300_000),), ())
    assert upload(later, "raised, by the curve that is known", paula) > number


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"kpi_id": "depozit"}, r"\[plan\]:3: kpi_id: 'depozit' is no known indicator"),
        ({"owner_id": "E2"}, r"\[plan\]:3: owner_id: 'E2' is no known employee"),
        ({"owner_kind": "organisation"}, r"\[plan\]:3: owner_id: 'E1' is no known organisation"),
        ({"curve_id": "d"}, r"\[plan\]:3: curve_id: there is no curve 'd'"),
    ],
)
def test_what_is_unknown_is_refused(tmp_path: Path, paula: psycopg.Connection, values: dict, reason: str) -> None:
    with pytest.raises(PlanRefused, match=reason):
        upload(filled(tmp_path / "wrong.xlsx", (changed(**values),)), "year plan", paula)
    assert paula.execute("select count(*) from assessment.plan_upload where file_name = 'wrong.xlsx'").fetchone() == (
        0,
    )
