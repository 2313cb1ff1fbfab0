"""Scores of data quality, counted a second time from what was sent."""

from datetime import date
from functools import partial

import polars as pl
import psycopg
import pytest
from small_world import FIRST, World

from pipeline import transformation
from pipeline.data_tests import record_tests
from warehouse.connection import connect


def test_every_table_is_scored_by_what_became_of_its_rows(owner: psycopg.Connection) -> None:
    tables, wrong, broken = owner.execute(
        """
        with counted as (
            select file.source_system || '.' || file.table_name as subject_id, sum(file.rows_sent) as sent,
                (
                    select count(*)
                    from (
                        select file_id, line from quarantine.row
                        union select file_id, line from quarantine.warning
                    ) as broken_row
                    where broken_row.file_id = any(array_agg(file.file_id))
                ) as broken
            from ops.source_file as file where file.state = 'loaded'
            group by file.source_system, file.table_name
        ),

        scored as (
            select subject_id, sum(judged_count - passed_count) as broken, max(judged_count) as sent
            from mart.mart_quality_score
            where subject_kind = 'table'
                and check_id in ('required_values', 'values_valid', 'keys_unique', 'rows_consistent')
            group by subject_id
        )

        select count(*), count(*) filter (where scored.sent is distinct from counted.sent
            or scored.broken is distinct from counted.broken), sum(counted.broken)
        from counted full join scored using (subject_id)
        """
    ).fetchone()  # type: ignore[misc]
    assert tables > 60 and wrong == 0 and broken > 10
    (judged,) = owner.execute(
        "select bool_and(score = 1 and is_met) from mart.mart_quality_score where check_id = 'control_total'"
    ).fetchone()  # type: ignore[misc]
    assert judged, "what was loaded agrees with the senders' control records"


def test_every_file_is_carried_over_and_orphans_are_those_that_were_planted(
    owner: psycopg.Connection, world: World
) -> None:
    """PAIN-02: what the audit found, counted a second time from raw and from the ground truth."""
    audited, apart = owner.execute(
        "select count(distinct file_id), count(*) filter (where not is_met) from core.fct_file_audit "
        "where audit_id in ('rows_carried', 'sums_carried')"
    ).fetchone()  # type: ignore[misc]
    assert audited > 60 and apart == 0
    left_out = owner.execute(
        "select source_system, table_name from ops.source_file where business_date = %s and rows_loaded > 0 "
        "except select source_system, table_name from core.fct_file_audit",
        [FIRST],
    ).fetchall()
    assert left_out == [("core_banking", "complaint")]  # heads of the steps: they come in with those, not as rows
    carried = owner.execute(
        "select found from core.fct_file_audit where audit_id = 'sums_carried' and entity = 'account_transaction' "
        "order by file_id"
    ).fetchall()
    sent = owner.execute(
        "select sum(amount) from raw_core_banking.account_transaction group by _file_id order by _file_id"
    ).fetchall()
    assert carried == sent
    found = owner.execute(
        "select table_name, (expected - found)::int from core.fct_file_audit where audit_id = 'members_known' "
        "and business_date = %s and subject in ('customer_id', 'card_id') and not is_met order by 1",
        [FIRST],
    ).fetchall()
    faults = pl.read_parquet(world.truth / "faults.parquet").filter(
        (pl.col("kind") == "orphan") & (pl.col("business_date") == FIRST) & (pl.col("table") != "payment")
    )
    assert found == sorted(faults.group_by("table").len().rows()) and found


def test_the_ledgers_are_apart_only_where_a_fault_was_planted(owner: psycopg.Connection, world: World) -> None:
    """Sub-ledger and general ledger of every unit, currency and day (总分核对)."""
    days, books, apart = owner.execute(
        "select count(distinct accounting_date), count(distinct (organisation_id, subject_id, currency)), "
        "count(*) filter (where difference <> 0) from core.fct_ledger_tie_out"
    ).fetchone()  # type: ignore[misc]
    faults = pl.read_parquet(world.truth / "faults.parquet").filter(pl.col("table") == "general_ledger")
    assert days > 390 and books > 10 and apart == faults.height > 0
    kept = owner.execute(
        "select bool_and(is_explained), count(*) from dbt_test__audit.sub_ledger_ties_to_general_ledger"
    ).fetchone()
    assert kept == (True, apart)


def test_contacts_without_text_are_reported_for_each_manager(owner: psycopg.Connection) -> None:
    """CTL-08, PAIN-13: as the lines that were sent say it."""
    scored = owner.execute(
        "select subject_id, sum(judged_count), sum(passed_count) from mart.mart_quality_score "
        "where check_id = 'contact_text' and subject_kind = 'employee' group by 1 order by 1"
    ).fetchall()
    sent = owner.execute(
        "select employee_id, count(*), count(note) from raw_core_banking.contact group by 1 union all "
        "select manager_no, count(*), count(*) filter (where has_note) from raw_retail.visit group by 1 order by 1"
    ).fetchall()
    assert scored == sent
    assert any(passed < judged for _, judged, passed in scored)


def test_units_are_scored_by_their_managers(owner: psycopg.Connection) -> None:
    """CTL-03."""
    units, wrong = owner.execute(
        """
        with of_managers as (
            select
                organisation_id as subject_id, period_month, check_id,
                sum(judged_count) as judged, sum(passed_count) as passed
            from mart.mart_quality_score where subject_kind = 'employee' and organisation_id is not null
            group by 1, 2, 3
        )

        select count(*), count(*) filter (where unit.judged_count is distinct from of_managers.judged
            or unit.passed_count is distinct from of_managers.passed)
        from (select * from mart.mart_quality_score where subject_kind = 'organisation') as unit
        full join of_managers using (subject_id, period_month, check_id)
        """
    ).fetchone()  # type: ignore[misc]
    assert units > 10 and wrong == 0


def test_late_uploads_are_those_of_the_records(owner: psycopg.Connection) -> None:
    """SYS-112, CTL-07: a day after it was taken down at the latest."""
    scored = owner.execute(
        "select sum(judged_count), sum(passed_count) from mart.mart_quality_score "
        "where check_id = 'field_in_time' and subject_kind = 'employee'"
    ).fetchone()
    sent = owner.execute(
        """
        select count(*), count(*) filter (where uploaded_at - taken_down_at < interval '1 day')
        from (
            select patrolled_at as taken_down_at, uploaded_at from raw_grid_billing.patrol
            union all
            select visited_at, uploaded_at from raw_grid_billing.visit
        ) as record
        """
    ).fetchone()
    assert scored == sent and scored is not None and scored[0] > scored[1] > 0


def test_use_of_systems_is_what_was_sent(owner: psycopg.Connection) -> None:
    """SYS-07, PAIN-12."""
    measured = owner.execute(
        "select system_id, sum(days_used), sum(login_count), sum(minutes_used) from mart.mart_manager_system_usage "
        "group by 1 order by 1"
    ).fetchall()
    sent = owner.execute(
        "select system_id, count(*), sum(login_count), sum(minutes_used) from raw_core_banking.system_usage "
        "group by 1 order by 1"
    ).fetchall()
    assert measured == sent and len(sent) == 5


def test_checks_of_all_kinds_land_in_one_mart(world: World) -> None:
    """DESIGN decision 14: the gate of the day and the tests of the models, in the publication that they let through."""
    with connect("dora") as session:
        kinds = session.execute(
            """
            select substring(check_id from '^(raw|mart|dbt)'), count(*), count(*) filter (where not is_met)
            from mart.mart_quality_score where subject_kind = 'edge' group by 1 order by 1
            """
        ).fetchall()
    assert [kind for kind, _, _ in kinds] == ["dbt", "mart", "raw"]
    assert all(checks > 10 and failed == 0 for _, checks, failed in kinds)


def test_every_check_has_a_name_of_its_own(owner: psycopg.Connection) -> None:
    twice = owner.execute(
        "select run_key, table_name, column_name from ops.check_result where edge = 'core' "
        "group by run_key, suite, table_name, column_name, severity having count(*) > 1"
    )
    assert twice.fetchall() == []


def test_a_failing_test_of_a_model_is_written_down(owner: psycopg.Connection) -> None:
    someday = date(2000, 1, 1)
    twice = "select 1, source_system, channel_id, channel_name, channel_name_zh, channel_kind"  # no contract forbids it
    owner.execute(f"insert into core.dim_channel {twice} from core.dim_channel where channel_id = 'atm'")
    try:
        with pytest.raises(transformation.TransformationError, match="unique_combination_dim_channel_channel_id"):
            transformation.run("test", "--select", "dim_channel", note=partial(record_tests, someday))
        found = owner.execute(
            "select run_key, column_name, dimension, success, observed from ops.check_result "
            "where business_date = %s and not success order by column_name",
            [someday],
        ).fetchall()
    finally:
        owner.execute("delete from core.dim_channel where channel_key = 1")
        owner.execute("delete from ops.check_result where business_date = %s", [someday])
    assert found == [("core/2000-01-01/1", "unique_combination.channel_id", "uniqueness", False, "1 rows")]
