"""From any figure that can be traced to the lines that were sent, and the parts add up to the figure."""

import pytest
from small_world import FIRST, World

from pipeline.trace import TraceError, figures_of, parts_of, trace_figure, trace_rows, traced_marts
from warehouse.connection import connect

FIGURES = [(mart, figure) for mart in traced_marts() for figure in figures_of(mart)]


@pytest.mark.parametrize(("mart", "figure"), FIGURES)
def test_the_parts_of_a_figure_add_up_to_it(world: World, mart: str, figure: str) -> None:
    with connect("dora") as session:
        rows, wrong = session.execute(
            f"""
            with parts as (
                select controller_id, party_key, snapshot_month, sum(part) as total
                from ({parts_of(mart, figure)}) as part
                group by controller_id, party_key, snapshot_month
            )

            select count(parts.total), count(*) filter (
                -- a figure is kept to the cent: half a cent is what half a joint account's odd cent may differ by
                where abs(coalesce(parts.total, 0) - coalesce(figures.{figure}, 0)) > 0.005
            )
            from parts
            full join mart.{mart} as figures using (controller_id, party_key, snapshot_month)
            inner join core.controller using (controller_id)
            -- a figure of another kind of controller is the other's, shown by a sharing basis: it is traced there
            where parts.total is not null or controller_kind in (
                select kind.controller_kind from parts inner join core.controller as kind using (controller_id)
            )
            """  # type: ignore[arg-type]
        ).fetchone()  # type: ignore[misc]
    assert rows > 0
    assert wrong == 0


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
    assert trace.value and trace.total is not None and abs(trace.value - trace.total) < 0.005
    assert len(trace.parts) == trace.rows
    (origin,) = [at for at, part in trace.parts if part == amount and at.text and transaction in at.text]
    assert (origin.file.source_system, origin.file.business_date) == ("core_banking", FIRST)

    (found,) = trace_rows("core.fct_account_transaction", f"transaction_id = '{transaction}'", "dora", 5).parts
    assert found[0] == origin


def test_what_cannot_be_traced_is_said(world: World) -> None:
    with pytest.raises(TraceError, match="inflow_amount"):
        trace_figure("mart_customer_360", "gender", "true", "dora", 5)
    with pytest.raises(TraceError, match="mart_customer_360"):
        trace_figure("mart_manager_target", "target_value", "true", "dora", 5)
    with pytest.raises(TraceError, match="name one"):
        trace_figure("mart_customer_360", "inflow_amount", "true", "dora", 5)
    with pytest.raises(TraceError, match="carries no file and line"):
        trace_rows("core.dim_party", "true", "dora", 5)
