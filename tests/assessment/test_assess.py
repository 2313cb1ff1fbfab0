"""Assessment runs on the real server: pinned, sealed, idempotent, never silently changed (DESIGN, decision 11)."""

import csv
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
import yaml
from published import publish_rows

from assessment import AssessmentRefused, Period, assess, decide, last_closed_month, rerun
from assessment.adjustment import adjust, appeal, decide_adjustment, decide_appeal
from warehouse.connection import connect
from warehouse.migration import migrate, read_migrations
from warehouse.roles import apply_roles

SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"
MONTH = date(2026, 10, 1)
PUBLISHED = date(2026, 11, 3)


def load_rules(owner: psycopg.Connection) -> None:
    """The rule seeds as dbt would load them: their own column types, empty as NULL."""
    for seed in yaml.safe_load((SEEDS / "_kpi__seeds.yml").read_text("utf-8"))["seeds"]:
        types = seed["config"]["column_types"]
        columns = ", ".join(f"{name} {type_}" for name, type_ in types.items())
        owner.execute(f"drop table if exists core.{seed['name']}; create table core.{seed['name']} ({columns})")
        with (SEEDS / f"{seed['name']}.csv").open(encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                owner.execute(
                    f"insert into core.{seed['name']} ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})",
                    [value or None for value in row.values()],
                )


def marts(deposits: str = "900000.000000") -> dict[str, list[dict]]:
    """One manager with one deposit account behind one metric, and a target."""
    own = {"manager_id": "E1", "period_month": MONTH, "organisation_id": "3001", "controller_id": "bank"}
    counted = {"as_of": date(2026, 10, 31), "is_closed": True}
    portfolio = {
        **own,
        **counted,
        "days": 31,
        "working_days": 18,
        "employee_key": 1,
        "manager_name": "王小明",
        "manager_position": "customer_manager",
        "organisation_name": "第1网点",
        "source_system": "core_banking",
        "customer_limit": 300,
        "is_over_limit": False,
    }
    portfolio |= dict.fromkeys(("customer_count", "accountable_count", "party_count", "person_count", "firm_count"), 1)
    measured = {"numerator": Decimal(deposits) * 31, "denominator": Decimal(31), "case_count": 1}
    metric = {
        **own,
        **counted,
        **measured,
        "metric_id": "deposit_average_balance",
        "metric_name": "Average daily deposits",
        "metric_name_zh": "日均存款余额",
        "unit": "CNY",
        "metric_value": Decimal(deposits),
    }
    evidence = {
        **own,
        "metric_id": "deposit_average_balance",
        "evidence_id": "1/1",
        "party_key": 1,
        "customer_id": "100000000001",
        "customer_name_masked": "张**",
        "subject_kind": "account",
        "subject_label": "****0001",
        "numerator": Decimal(deposits) * 31,
        "share": Decimal(1),
    }
    target = {
        "kpi_id": "deposit_average_balance",
        "owner_kind": "employee",
        "owner_id": "E1",
        "period_month": MONTH,
        "target_value": Decimal(1000000),
        "unit": "CNY",
        "target_id": "TG1",
        "set_by": "S1",
        "approved_by": "H1",
        "in_force_from": date(1, 1, 1),
        "controller_id": "bank",
    }
    return {
        "mart_manager_portfolio": [portfolio],
        "mart_manager_metric": [metric],
        "mart_manager_evidence": [evidence],
        "mart_manager_target": [target],
    }


@pytest.fixture(scope="module")
def prepared(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as owner:
        migrate([*read_migrations("dbt_project"), *read_migrations("assessment")], owner)
        load_rules(owner)


@pytest.fixture
def warehouse(owner: psycopg.Connection, prepared: None) -> Iterator[psycopg.Connection]:
    """The module's database with one publication and no assessment yet."""
    tables = ["run", "decision", "evidence_lost", *DECIDED, *(f"sealed_{name}" for name in SEALED)]
    for table in tables:
        owner.execute(f"alter table assessment.{table} disable trigger append_only")
    owner.execute(f"truncate {', '.join(f'assessment.{table}' for table in tables)}")
    for table in tables:
        owner.execute(f"alter table assessment.{table} enable trigger append_only")
    publish_rows(owner, marts(), PUBLISHED)
    yield owner


@pytest.fixture(scope="module")
def assessors(prepared: None, database: str) -> None:
    """The two demo logins that may write assessments, as the roles grant it."""
    with psycopg.connect(database, autocommit=True) as owner:
        apply_roles(owner)


DECIDED = ("appeal", "appeal_decision", "adjustment", "adjustment_decision")
SEALED = ("item", "ladder", "grade", "owner", "target", "metric", "evidence")


def test_a_run_pins_rules_cut_and_evidence(warehouse: psycopg.Connection) -> None:
    report = assess("2026-10", connection=warehouse)
    assert (report.outcome, report.run_id) == ("sealed", "customer_manager/2026-10/1")
    assert report.scheme_version_id == "customer_manager-2"
    assert report.rows == {"item": 7, "ladder": 5, "grade": 5, "owner": 1, "target": 1, "metric": 1, "evidence": 1}
    assert report.cut.as_of == PUBLISHED
    sealed = warehouse.execute("select metric_value from assessment.sealed_metric").fetchall()
    assert sealed == [(Decimal("900000.000000"),)]


def test_the_same_inputs_make_no_new_run(warehouse: psycopg.Connection) -> None:
    first = assess("2026-10", connection=warehouse)
    publish_rows(warehouse, marts(), date(2026, 11, 4))
    again = assess("2026-10", connection=warehouse)
    assert (again.outcome, again.run_id) == ("unchanged", first.run_id)
    assert warehouse.execute("select count(*) from assessment.run").fetchone() == (1,)


def test_a_late_fact_is_proposed_and_never_silent(warehouse: psycopg.Connection) -> None:
    first = assess("2026-10", connection=warehouse)
    publish_rows(warehouse, marts("950000.000000"), date(2026, 11, 4))
    second = assess("2026-10", connection=warehouse)
    assert (second.outcome, second.kind, second.supersedes_run_id) == ("proposed", "reassessment", first.run_id)
    [difference] = second.differences
    assert (difference.owner_id, difference.change) == ("E1", Decimal("50000.000000"))
    assert states(warehouse) == {first.run_id: "in_force", second.run_id: "proposed"}
    assert assess("2026-10", connection=warehouse).outcome == "unchanged"

    with pytest.raises(AssessmentRefused, match="preparer_is_not_approver"):
        decide(second.run_id, "accepted", "agreed", warehouse)
    warehouse.execute("grant select, insert on all tables in schema assessment to stella")
    warehouse.execute("grant usage on schema assessment to stella")
    with connect("stella") as approver:
        decide(second.run_id, "accepted", "late posting of 30 October", approver)
    assert states(warehouse) == {first.run_id: "superseded", second.run_id: "in_force"}


def test_a_rejected_proposal_is_not_made_again(warehouse: psycopg.Connection) -> None:
    first = assess("2026-10", connection=warehouse)
    publish_rows(warehouse, marts("950000.000000"), date(2026, 11, 4))
    second = assess("2026-10", connection=warehouse)
    warehouse.execute("grant select, insert on all tables in schema assessment to stella")
    warehouse.execute("grant usage on schema assessment to stella")
    with connect("stella") as approver:
        decide(second.run_id, "rejected", "belongs to November", approver)
    assert assess("2026-10", connection=warehouse).outcome == "unchanged"
    assert states(warehouse) == {first.run_id: "in_force", second.run_id: "rejected"}


def test_a_final_run_replaces_a_provisional_one(warehouse: psycopg.Connection) -> None:
    early = assess("2026-10", kind="provisional", connection=warehouse)
    final = assess("2026-10", connection=warehouse)
    assert final.supersedes_run_id == early.run_id
    assert states(warehouse) == {early.run_id: "superseded", final.run_id: "in_force"}


@pytest.mark.parametrize("statement", ["update {} set run_id = run_id", "delete from {}", "truncate {} cascade"])
def test_what_was_sealed_cannot_be_changed(warehouse: psycopg.Connection, statement: str) -> None:
    assess("2026-10", connection=warehouse)
    for table in ("assessment.run", "assessment.sealed_metric", "assessment.sealed_item"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            warehouse.execute(statement.format(table))


def test_an_open_month_is_not_final(warehouse: psycopg.Connection) -> None:
    with pytest.raises(AssessmentRefused, match="not over"):
        assess("2026-11", connection=warehouse)


def test_wrong_rules_stop_the_assessment(warehouse: psycopg.Connection) -> None:
    with warehouse.transaction(force_rollback=True):
        warehouse.execute("update core.kpi_item set weight = weight + 1 where scheme_version_id = 'customer_manager-2'")
        with pytest.raises(AssessmentRefused, match="add up to 107"):
            assess("2026-10", connection=warehouse)


def test_a_draft_is_never_used(warehouse: psycopg.Connection) -> None:
    with warehouse.transaction(force_rollback=True):
        warehouse.execute("update core.kpi_scheme_version set state = 'draft' where version_no = 2")
        with pytest.raises(AssessmentRefused, match="0 approved versions"):
            assess("2026-10", connection=warehouse)


@pytest.mark.parametrize(("month", "version"), [("2026-06", "customer_manager-1"), ("2026-07", "customer_manager-2")])
def test_the_weights_are_those_of_the_period(warehouse: psycopg.Connection, month: str, version: str) -> None:
    begins = date.fromisoformat(f"{month}-01")
    rows = {mart: [row | {"period_month": begins} for row in own] for mart, own in marts().items()}
    publish_rows(warehouse, rows, PUBLISHED)
    report = assess(month, connection=warehouse)
    assert report.scheme_version_id == version
    weight = "select weight from {} where scheme_version_id = %s and kpi_id = 'deposit_average_balance'"
    sealed = "select weight from assessment.sealed_item where run_id = %s and kpi_id = 'deposit_average_balance'"
    expected = warehouse.execute(weight.format("core.kpi_item"), [version]).fetchone()
    assert warehouse.execute(sealed, [report.run_id]).fetchone() == expected


def test_a_run_made_again_gathers_what_it_sealed(warehouse: psycopg.Connection) -> None:
    run = assess("2026-10", connection=warehouse)
    publish_rows(warehouse, marts("950000.000000"), date(2026, 11, 4))
    again = rerun(run.run_id, warehouse)
    assert again.is_kept and again.gathered == run.rows and again.changed == {}
    with warehouse.transaction(force_rollback=True):
        warehouse.execute("update core.kpi_item set cap_score = 130 where scheme_version_id = 'customer_manager-2'")
        assert rerun(run.run_id, warehouse).changed.keys() == {"item"}
    with pytest.raises(AssessmentRefused, match="there is no run"):
        rerun("customer_manager/2026-10/9", warehouse)


def test_one_person_adjusts_and_another_approves(warehouse: psycopg.Connection, assessors: None) -> None:
    run = assess("2026-10", connection=warehouse).run_id
    with connect("paula") as paula:
        raised = appeal(run, "E1", "the posting of 30 October is mine", paula)
        with pytest.raises(AssessmentRefused, match=f"appeal {raised}: preparer_is_not_approver: paula"):
            decide_appeal(raised, "upheld", "so it is", paula)
        number = adjust(run, "E1", Decimal("1.5"), "late posting", paula, raised)
        with pytest.raises(AssessmentRefused, match=f"adjustment {number}: preparer_is_not_approver: paula"):
            decide_adjustment(number, "approved", "so it is", paula)
    with connect("henry") as henry:
        decide_appeal(raised, "upheld", "so it is", henry)
        decide_adjustment(number, "approved", "as upheld", henry)
        with pytest.raises(AssessmentRefused, match="was approved by henry"):
            decide_adjustment(number, "rejected", "or not", henry)
    state = "select state, prepared_by, decided_by, points from assessment.adjustment_state"
    assert warehouse.execute(state).fetchall() == [("approved", "paula", "henry", Decimal("1.50"))]
    with pytest.raises(psycopg.errors.RestrictViolation):
        warehouse.execute("update assessment.adjustment set points = 20")


def test_only_what_is_in_force_and_assessed_is_adjusted(warehouse: psycopg.Connection, assessors: None) -> None:
    early = assess("2026-10", kind="provisional", connection=warehouse).run_id
    final = assess("2026-10", connection=warehouse).run_id
    with connect("paula") as paula:
        with pytest.raises(AssessmentRefused, match="is superseded"):
            adjust(early, "E1", Decimal(1), "why", paula)
        with pytest.raises(AssessmentRefused, match="did not assess E2"):
            appeal(final, "E2", "why", paula)
        with pytest.raises(AssessmentRefused, match="appeal 99999 is none of E1"):
            adjust(final, "E1", Decimal(1), "why", paula, 99999)


def test_months_and_their_ends() -> None:
    assert Period.month("2028-02").end == date(2028, 2, 29)
    assert last_closed_month(date(2026, 10, 31)) == "2026-10"
    assert last_closed_month(date(2026, 11, 3)) == "2026-10"
    with pytest.raises(ValueError, match="no month"):
        Period.month("2026-13")


def states(session: psycopg.Connection) -> dict[str, str]:
    return dict(session.execute("select run_id, state from assessment.run_state").fetchall())
