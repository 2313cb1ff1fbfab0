"""Requests of backfills on the real server: who may ask, who may approve, what stays."""

from datetime import date

import psycopg
import pytest

from ingestion.contract import load_contracts
from pipeline import backfill, steps
from pipeline.backfill import BackfillError
from warehouse.connection import connect
from warehouse.migration import migrate, read_migrations
from warehouse.roles import apply_roles

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 3)


@pytest.fixture(autouse=True, scope="module")
def tables(database: str) -> None:
    with psycopg.connect(database) as owner:
        migrate(read_migrations("pipeline"), owner)
        apply_roles(owner)


def test_one_asks_and_another_approves() -> None:
    asked = backfill.request(FIRST, LAST, ["card"], "corrected files", "dora")
    assert (asked.state, asked.dates, asked.requested_by) == ("requested", 3, "dora")
    with pytest.raises(BackfillError, match="is not approved"):
        steps.run_backfill(asked.backfill_id)
    with pytest.raises(BackfillError, match="somebody else must approve"):
        backfill.approve(asked.backfill_id, "dora")
    approved = backfill.approve(asked.backfill_id, "stella")
    assert (approved.state, approved.approved_by) == ("approved", "stella")
    with pytest.raises(BackfillError, match="approved already"):
        backfill.approve(asked.backfill_id, "stella")


def test_the_actor_is_the_login_and_nobody_else(owner: psycopg.Connection) -> None:
    number = backfill.request(FIRST, FIRST, ["card"], "a name is borrowed", "dora").backfill_id
    with connect("dora") as session, pytest.raises(psycopg.errors.CheckViolation, match="preparer_is_not_approver"):
        session.execute("set transaction read write")
        session.execute(
            "insert into ops.backfill_approval (backfill_id, requested_by, approved_by) values (%s, 'dora', 'stella')",
            [number],
        )
    with connect("dora") as session, pytest.raises(psycopg.errors.ForeignKeyViolation):
        session.execute("set transaction read write")
        session.execute("insert into ops.backfill_approval (backfill_id, requested_by) values (%s, 'stella')", [number])
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        backfill.request(FIRST, FIRST, ["card"], "a reader asks", "bianca")
    with pytest.raises(psycopg.errors.RestrictViolation, match="what was asked and approved stays"):
        owner.execute("update ops.backfill set reason = 'another'")


def test_requests_that_cannot_be_are_refused() -> None:
    with pytest.raises(BackfillError, match=r"there are: .*core_banking"):
        backfill.request(FIRST, LAST, ["cards"], "a wrong name", "dora")
    with pytest.raises(BackfillError, match="ends before it begins"):
        backfill.request(LAST, FIRST, list(load_contracts()), "a wrong order", "dora")
    with pytest.raises(BackfillError, match="there is no backfill 999"):
        backfill.approve(999, "stella")


def test_dates_that_are_done_are_left_out_and_one_runs_at_a_time() -> None:
    asked = backfill.approve(backfill.request(FIRST, LAST, ["card"], "again", "dora").backfill_id, "stella")
    backfill.note_done(asked, FIRST)
    with backfill.dates_left(asked) as days:
        assert days == [date(2026, 11, 2), LAST]
        with pytest.raises(BackfillError, match="another backfill runs"), backfill.dates_left(asked):
            pass
    assert backfill.find(asked.backfill_id).dates_done == 1
