"""From any figure of any mart to the lines that were sent, or to the rules; what is found there makes the figure."""

import io
from collections.abc import Iterator

import psycopg
import pytest
from rich.console import Console
from small_world import FIRST, World

from ingestion.trace import Origin
from pipeline.display import print_trace
from pipeline.trace import TableRow, Trace, TraceError, trace_figure, trace_rows
from pipeline.trace_rules import traced_marts, traces_of
from warehouse.connection import connect

WITHOUT_A_VALUE = {
    "mart_manager_assessment_run": {"supersedes_run_id", "decided_by", "decided_at", "decision_reason"},
    "mart_manager_scorecard": {"missing_reason"},
    "mart_manager_scorecard_result": {"adjustment_points", "adjustment_count", "adjustment_reasons"},
    "mart_manager_scorecard_total": {"missing_count"},
}
"""Columns that may be empty in all rows of this world: nothing was assessed again or adjusted, and nothing missing."""


@pytest.mark.parametrize("mart", traced_marts())
def test_what_every_figure_is_traced_to_makes_it(world: World, mart: str) -> None:
    traces = traces_of(mart)
    with connect("dora") as session:
        made = {column: _ties(session, mart, column) for column in traces.ways}
    assert {column: wrong for column, (_, wrong) in made.items() if wrong} == {}
    assert {column for column, (parts, _) in made.items() if not parts} <= WITHOUT_A_VALUE.get(mart, set())


def test_a_figure_whose_rows_changed_is_no_longer_made(owner: psycopg.Connection) -> None:
    with owner.transaction(force_rollback=True):
        owner.execute("update core.fct_account_balance set balance = balance + 0.01 where valid_to > current_date")
        owner.execute("update intermediate.int_customer__changes set gender = 'X' where gender is not null")
        owner.execute("delete from core.kpi_item where kpi_id = 'loan_balance'")
        for mart, column in [
            ("mart_customer_360", "deposit_balance"),
            ("mart_customer_360", "gender"),
            ("mart_manager_evidence", "numerator"),
            ("mart_manager_scorecard", "weight"),
            ("mart_regulatory_deposit", "balance"),
        ]:
            assert _ties(owner, mart, column)[1] > 0, (mart, column)


def test_a_figure_leads_to_the_lines_that_were_sent(world: World) -> None:
    with connect("dora") as session:
        controller, party, month, transaction, amount = session.execute(
            "select month.controller_id, month.party_key, month.figures_month, fact.transaction_id, fact.amount "
            "from core.fct_party_month as month inner join core.bridge_account_party as holder "
            "on holder.party_key = month.party_key and holder.is_owner and holder.share = 1 "
            "inner join core.fct_account_transaction as fact on fact.account_key = holder.account_key "
            "and date_trunc('month', fact.accounting_date) = month.figures_month "
            "where fact.direction = 'C' and fact.currency = 'CNY' and month.inflow_amount > 0 "
            "order by fact.amount desc, 1, 2, 3, 4 limit 1"
        ).fetchone()  # type: ignore[misc]
    where = f"controller_id = '{controller}' and party_key = {party} and snapshot_month = '{month}'"
    trace = trace_figure("mart_customer_360", "inflow_amount", where, "dora", limit=10_000)
    assert trace.value and trace.is_equal
    assert len(trace.parts) == trace.rows
    sent = [(part.source, part.value) for part in trace.parts if isinstance(part.source, Origin)]
    (origin,) = [at for at, part in sent if part == amount and at.text and transaction in at.text]
    assert (origin.file.source_system, origin.file.business_date) == ("core_banking", FIRST)

    (found,) = trace_rows("core.fct_account_transaction", f"transaction_id = '{transaction}'", "dora", 5).parts
    assert found.source == origin


def test_a_score_leads_to_evidence_lines_and_rules(world: World) -> None:
    """A scorecard figure goes to its sealed evidence, this to events and to lines; target and rules to theirs."""
    with connect("dora") as session:
        manager, evidence = session.execute(
            "select manager_id, min(evidence_id) from mart.mart_manager_scorecard_evidence "
            "where metric_id = 'wealth_sales' group by manager_id order by manager_id limit 1"
        ).fetchone()  # type: ignore[misc]
    where = f"manager_id = '{manager}' and kpi_id = 'wealth_sales'"
    trace = trace_figure("mart_manager_scorecard", "points", where, "dora", limit=1000)
    behind = list(_all(trace))
    assert all(one.is_equal for one in behind)
    assert {one.place.partition(".")[0] for one in behind} >= {
        "mart_manager_scorecard",
        "mart_manager_scorecard_evidence",
        "mart_manager_evidence",
        "mart_manager_target",
    }
    parts = [part for one in behind for part in one.parts]
    lines = [part.source for part in parts if isinstance(part.source, Origin)]
    assert any(at.file.table_name == "wealth_trade" and at.text and evidence in at.text for at in lines)
    assert any(at.file.table_name == "manager_target" and at.text and manager in at.text for at in lines)
    rules = [part.source for part in parts if isinstance(part.source, TableRow) and part.source.file]
    assert ("dbt_project/seeds/kpi_item.csv", "customer_manager-2") in {(row.file, row.version) for row in rules}
    assert all(row.line for row in rules)

    said = io.StringIO()
    print_trace(Console(file=said, width=200), trace)
    assert "not equal" not in said.getvalue()
    assert all(text in said.getvalue() for text in ("effective_weight / 100", evidence, "kpi_item.csv"))


def test_a_shared_figure_leads_to_the_lines_of_who_shared_it(world: World) -> None:
    with connect("dora") as session:
        row = session.execute(
            "select party_key, snapshot_month from mart.mart_customer_360 "
            "where controller_id = 'grid' and deposit_balance > 0 order by 1, 2 limit 1"
        ).fetchone()
    assert row is not None
    where = f"controller_id = 'grid' and party_key = {row[0]} and snapshot_month = '{row[1]}'"
    trace = trace_figure("mart_customer_360", "deposit_balance", where, "dora", 10)
    assert trace.value and trace.is_equal
    assert {part.source.file.source_system for part in trace.parts if isinstance(part.source, Origin)} == {
        "core_banking"
    }


def test_what_cannot_be_traced_is_said(world: World) -> None:
    with pytest.raises(TraceError, match="names 2 rows of mart_customer_360: name one"):
        trace_figure("mart_customer_360", "inflow_amount", "true", "dora", 5)
    with pytest.raises(TraceError, match=r"carries no file and line.*mart_customer_360"):
        trace_rows("core.dim_party", "true", "dora", 5)


def _ties(session: psycopg.Connection, mart: str, column: str) -> tuple[int, int]:
    """How many parts a column has in all rows, and in how many rows they do not make it."""
    traces = traces_of(mart)
    return session.execute(
        "select coalesce(sum(parts), 0), count(*) filter (where is_equal is not true) "
        f"from ({traces.ties(column, traces.relation)}) as tie"  # type: ignore[arg-type]
    ).fetchone()  # type: ignore[return-value]


def _all(trace: Trace) -> Iterator[Trace]:
    yield trace
    for part in trace.parts:
        if isinstance(part.source, Trace):
            yield from _all(part.source)
