"""Statements are held against what others tell: the planted false ones are found, the grid speaks only where it may."""

import polars as pl
import psycopg
from small_world import World

COMPARED = "check_state not in ('incomplete', 'other_currency')"


def test_the_overstated_statements_are_found(world: World, owner: psycopg.Connection) -> None:
    """PAIN-20, C360-60: against the ground truth, by taxes and electricity of whole periods."""
    truth = pl.read_parquet(world.truth / "statements.parquet")
    false = set(truth.filter(pl.col("is_overstated"))["statement_id"])
    rows = owner.execute(
        "select statement_id, bool_or(check_state = 'overstated') from core.fct_statement_check "
        f"where series in ('tax_paid', 'electricity_use') and {COMPARED} group by 1"
    ).fetchall()
    flagged = {statement for statement, is_flagged in rows if is_flagged}
    compared = {statement for statement, _ in rows}
    assert compared & false and compared - false, "nothing to tell apart"
    assert compared & false <= flagged
    assert len(flagged - false) <= len(compared - false) // 10


def test_suspects_are_firms_that_reported_more_than_they_sold(world: World, owner: psycopg.Connection) -> None:
    """C360-60: the mart's suspects against the ground truth, the grid's meters among what speaks."""
    truth = pl.read_parquet(world.truth / "statements.parquet")
    false = set(truth.filter(pl.col("is_overstated"))["statement_id"])
    rows = owner.execute(
        f"select statement_id, bool_or(is_suspect) from mart.mart_risk_statement_check where {COMPARED} group by 1"
    ).fetchall()
    suspect = {statement for statement, is_suspect in rows if is_suspect}
    assert suspect & false
    assert len(suspect - false) <= len(rows) // 10


def test_the_grid_tells_of_firms_with_a_basis_only(world: World, owner: psycopg.Connection) -> None:
    """C360-64 through the gate of DESIGN decision 8."""
    told, metered = (
        {customer for (customer,) in owner.execute(query)}
        for query in (
            "select customer_key from core.fct_statement_check where series = 'grid_energy'",
            """
            select placed.customer_key
            from core.bridge_party_source as placed
            inner join core.fct_financial_statement as statement using (customer_key)
            inner join core.fct_party_month as month
                on month.party_key = placed.party_key and month.controller_id = 'grid' and month.service_point_count > 0
                and month.figures_month between statement.period_start and statement.period_end
            """,
        )
    )
    based = {
        customer
        for (customer,) in owner.execute(
            "select placed.customer_key from core.bridge_party_source as placed "
            "inner join core.bridge_sharing_basis as basis using (party_key) "
            "where placed.controller_id = 'bank' and basis.from_controller_id = 'grid' and basis.is_current"
        )
    }
    assert told and told <= metered & based
    assert metered - based, "no firm without a basis to keep silent about"
    assert not told & (metered - based)
