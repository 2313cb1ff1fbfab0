"""`dbt source freshness` says of each table what its contract owes by now, and the answer is kept."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from arrivals import Arrivals

from ingestion.contract import iterate, load_contracts
from ingestion.ledger import agree
from pipeline import freshness, transformation
from warehouse.migration import migrate, read_migrations

TODAY = datetime.now(UTC).date()
FIRST, SECOND = TODAY - timedelta(days=9), TODAY - timedelta(days=8)


@pytest.fixture
def owed(arrivals: Arrivals) -> Iterator[Arrivals]:
    """A grid whose bills are owed every day, first seen nine days ago."""
    migrate(read_migrations("expectations"), arrivals.session)
    arrivals.session.execute("truncate ops.check_result")
    agree(arrivals.session, "grid_billing", load_contracts()["grid_billing"])
    yield arrivals
    arrivals.session.execute("truncate ops.delivery_term")


def deliver(arrivals: Arrivals, day: date, *tables: str) -> None:
    arrivals.receive("grid_billing", day, {table: [] for table in tables})
    arrivals.session.execute("update ops.batch set opened_at = business_date")


def test_every_table_of_every_contract_is_asked(prepared: psycopg.Connection) -> None:
    tables = transformation.manifest().sources.values()
    asked = {(table.source_name, table.name) for table in tables if table.freshness and table.loaded_at_query}
    assert asked == {(contract.source, contract.table) for contract in iterate(load_contracts())}


def test_a_table_is_behind_from_the_deadline_that_it_missed(owed: Arrivals) -> None:
    assert freshness.check(TODAY, "grid_billing").behind == (), "a source that never sent anything owes nothing"
    deliver(owed, FIRST, "bill", "payment")
    deliver(owed, SECOND, "payment")
    report = freshness.check(TODAY, "grid_billing")
    behind = dict(line.split(": ") for line in report.behind)
    missed = owed.rows(
        "select min(due_at) from ops.delivery where table_name = 'bill' and business_date = %s and state = 'overdue'",
        SECOND,
    )
    assert (
        behind["grid_billing.bill"]
        == f"nothing since the deadline of {missed[0][0].astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    )
    assert behind["grid_billing.payment"] > behind["grid_billing.bill"], "the day after was still sent"
    kept = owed.rows(
        "select edge, severity, dimension, success, observed from ops.check_result "
        "where table_name = 'grid_billing.bill' order by check_result_id"
    )
    assert kept == [
        ("source", "warn", "timeliness", True, None),
        ("source", "warn", "timeliness", False, behind["grid_billing.bill"]),
    ]


def test_a_table_that_has_all_that_is_due_is_fresh(owed: Arrivals) -> None:
    for days in range(9, -1, -1):
        deliver(owed, TODAY - timedelta(days=days), "bill")
    report = freshness.check(TODAY, "grid_billing")
    assert "grid_billing.bill" not in {line.split(": ")[0] for line in report.behind} and report.behind and report.fresh
