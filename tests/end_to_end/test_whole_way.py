"""The whole way on simulated extracts: nothing lost, known truths found again, readers see what is theirs."""

import io
import re
import zipfile
from pathlib import Path

import polars as pl
import psycopg
import pytest
from rich.console import Console
from small_world import FIRST, SCALE, SEED, World
from typer.testing import CliRunner

from identity.rematch import rematch
from ingestion.contract import load_contracts
from pipeline import demo, transformation
from pipeline.cli import app
from pipeline.steps import SIMULATED_SOURCES
from warehouse.connection import connect

PERIOD = "2026-10"


def test_every_contracted_file_is_loaded(owner: psycopg.Connection) -> None:
    contracts = load_contracts()
    rows = owner.execute(
        "select source_system, business_date, count(*) from ops.source_file where state = 'loaded' group by 1, 2"
    ).fetchall()
    assert {source for source, _, _ in rows} == set(SIMULATED_SOURCES)
    assert all(files == len(contracts[source]) for source, _, files in rows)
    assert {day for _, day, _ in rows} == {FIRST} and len(rows) == len(SIMULATED_SOURCES)


def test_sent_is_loaded_and_quarantined_in_rows_and_amounts(owner: psycopg.Connection) -> None:
    """SYS-28, DESIGN decision 2: per file, against the sender's own control record."""
    broken = owner.execute(
        "select file_name from ops.source_file where state = 'loaded' and (rows_sent <> rows_loaded + rows_quarantined "
        "+ rows_erased or amount_sent <> amount_loaded + amount_quarantined + amount_erased)"
    ).fetchall()
    assert broken == []


def test_the_ledger_counts_what_the_simulator_wrote(world: World, owner: psycopg.Connection) -> None:
    truth = pl.read_parquet(world.truth / "totals.parquet")
    sent = {
        (source, str(day), table): rows
        for source, day, table, rows in owner.execute(
            "select source_system, business_date, table_name, rows_sent from ops.source_file where state = 'loaded'"
        )
    }
    written = {
        (row["source"], str(row["business_date"]), row["table"]): row["rows"] for row in truth.iter_rows(named=True)
    }
    assert sent == written


def test_raw_holds_every_loaded_row(owner: psycopg.Connection) -> None:
    for source, tables in load_contracts().items():
        if source not in SIMULATED_SOURCES:
            continue
        for table in tables:
            held, said = owner.execute(
                f'select (select count(*) from raw_{source}."{table}"), '  # type: ignore[arg-type]
                "(select sum(rows_loaded) from ops.source_file where source_system = %s and table_name = %s)",
                [source, table],
            ).fetchone()  # type: ignore[misc]
            assert held == said, f"{source}.{table}"


def test_postings_tie_to_balances(owner: psycopg.Connection) -> None:
    """The star's last balance of an account is the running balance of its last posting, to the cent."""
    compared, different = owner.execute(
        """
        with last_posting as (
            select distinct on (account_key) account_key, balance_after
            from core.fct_account_transaction
            where source_system = 'core_banking' and balance_after is not null
            order by account_key, accounting_date desc, transacted_at desc, transaction_id desc
        ),
        last_balance as (
            select account_key, balance from core.fct_account_balance
            where source_system = 'core_banking' and valid_to = date '9999-12-31'
        )
        select count(*), count(*) filter (where balance_after <> balance)
        from last_posting inner join last_balance using (account_key)
        """
    ).fetchone()  # type: ignore[misc]
    assert compared > 50
    assert different <= compared * 0.02, "rows in quarantine explain single accounts, no more"


def test_no_two_parties_are_one(world: World, owner: psycopg.Connection) -> None:
    """Identity never joins customers whom the truth keeps apart (precision 1)."""
    truth = pl.read_parquet(world.truth / "identities.parquet")
    person = {(row["source_system"], row["customer_id"]): row["party_id"] for row in truth.iter_rows(named=True)}
    joined: dict[str, set[str]] = {}
    placed = owner.execute("select source_system, customer_id, party_id from core.bridge_party_source").fetchall()
    for source, customer, party in placed:
        if (source, customer) in person:
            joined.setdefault(party, set()).add(person[source, customer])
    assert len(joined) > 50
    assert [party for party, persons in joined.items() if len(persons) > 1] == []
    across = owner.execute(
        "select count(*) from (select party_id from core.bridge_party_source group by party_id "
        "having count(distinct source_system) > 1) as several"
    ).fetchone()
    assert across[0] > 20, "the three numbers do meet in one party"  # type: ignore[index]


def test_parties_are_measured_against_the_truth(owner: psycopg.Connection) -> None:
    measured = owner.execute(
        "select sum(true_pairs) filter (where stratum <> 'all'), sum(true_pairs) filter (where stratum = 'all'), "
        "min(precision_score), min(recall_score), bool_or(stratum = 'name_phone'), bool_or(stratum = 'name_address') "
        "from mart.mart_quality_identity where business_date = %s",
        [FIRST],
    ).fetchone()
    assert measured[0] == measured[1] > 50  # type: ignore[index]
    precision, recall, *strata = measured[2:]  # type: ignore[index]
    assert precision == 1 and recall >= 0.97 and strata == [True, True]
    rules = owner.execute("select count(distinct rule) from identity.event where event_type = 'link'").fetchone()
    assert rules[0] >= 2, "identifiers and the model"  # type: ignore[index]
    assert rematch(owner).differences == [], "days one after the other come to what matching all at once does"


def test_every_managed_party_has_one_accountable_manager(owner: psycopg.Connection) -> None:
    """CTL-22, PAIN-05."""
    days, wrong = owner.execute(
        "select count(*), count(*) filter (where accountable <> 1) from ("
        "select party_key, count(distinct employee_key) filter (where is_accountable) as accountable "
        "from core.bridge_party_manager where %s >= valid_from and %s < valid_to group by party_key) as managed",
        [FIRST, FIRST],
    ).fetchone()  # type: ignore[misc]
    assert days > 50 and wrong == 0


def test_the_managers_are_assessed_for_the_last_closed_month(owner: psycopg.Connection) -> None:
    rows = owner.execute(
        "select count(*), count(*) filter (where total_points is null) from mart.mart_manager_scorecard_total"
    ).fetchone()
    assert rows[0] >= 2 and rows[1] == 0  # type: ignore[index]


def test_the_scorecard_page_shows_every_manager(world: World) -> None:
    page = world.home / "out" / "reports" / PERIOD / "index.html"
    managers = connect("bianca").execute("select manager_id from mart.mart_manager_scorecard_total").fetchall()
    text = page.read_text("utf-8")
    assert managers and all(employee in text for (employee,) in managers)


def test_the_package_opens_as_its_regulator_would_open_it(world: World) -> None:
    archives = list((world.home / "out" / "packages" / demo.PROFILE / PERIOD).rglob("*.zip"))
    assert archives
    for archive in archives:
        with zipfile.ZipFile(archive) as package:
            assert package.testzip() is None
            names = package.namelist()
            assert any(name.endswith(".dat") for name in names) and any(name.endswith(".log") for name in names)


@pytest.mark.parametrize(("login", "controllers"), [("bianca", {"bank"}), ("gary", {"grid"})])
def test_readers_see_their_own_controller_only(world: World, login: str, controllers: set[str]) -> None:
    """DESIGN decision 8."""
    with connect(login) as session:
        seen = {row[0] for row in session.execute("select distinct controller_id from mart.mart_customer_360")}
    assert seen == controllers


def test_a_manager_sees_his_own_customers_only(world: World, owner: psycopg.Connection) -> None:
    employee, login = owner.execute(
        "select employee_id, login from ops.login where role = 'manager' order by login limit 1"
    ).fetchone()  # type: ignore[misc]
    with connect(login) as session:
        seen = session.execute("select distinct manager_id from mart.mart_manager_scorecard_total").fetchall()
    assert seen == [(employee,)]


def test_running_it_again_changes_nothing(world: World, owner: psycopg.Connection) -> None:
    counts = "select (select max(number) from ops.publication), (select count(*) from ops.step_run)"
    before = owner.execute(counts).fetchone()
    said = io.StringIO()
    demo.run(SCALE, SEED, Console(file=said, width=200), daily_dates=[])
    assert owner.execute(counts).fetchone() == before
    assert "nothing to do" in said.getvalue()


def test_the_command_line_tells_of_drift(world: World, owner: psycopg.Connection) -> None:
    said = CliRunner().invoke(app, ["contract", "drift"])
    assert (said.exit_code, said.stdout.strip()) == (0, "All files are as their contracts say.")
    (file_id,) = owner.execute("select file_id from ops.source_file where table_name = 'contact'").fetchone()
    drift = "insert into ops.drift (file_id, kind, column_name, policy) values (%s, 'new_column', %s, 'ignore')"
    owner.execute(drift, [file_id, "MoodScore"])
    try:
        told = CliRunner().invoke(app, ["contract", "drift"]).stdout
        assert "core_banking.contact: new_column 'MoodScore' (ignore), 1 files from" in told
        assert "- name: mood_score\n" in told and "  physicalType: text\n" in told
        assert "Files that differ from their contract" in CliRunner().invoke(app, ["status"]).stdout
    finally:
        owner.execute("delete from ops.drift where column_name = 'MoodScore'")


def test_the_demo_says_where_to_look(world: World) -> None:
    with connect("bianca") as session:
        assert len(session.execute(demo.EXAMPLE).fetchall()) >= 2
    for place in ("reports", "data_docs", "dbt_docs", "packages"):
        assert str(world.home / "out" / place) in world.said


def test_the_documentation_of_models_is_one_page_that_needs_no_internet(world: World) -> None:
    page = Path(world.home / "out" / "dbt_docs" / "index.html").read_text("utf-8")
    addresses = r"<(?:script|link|img)[^>]*(?:src|href)=[\"']?(?:https?:)?//|@import|url\([\"']?(?:https?:)?//"
    assert re.findall(addresses, page) == []
    for model in transformation.manifest().nodes.values():
        if model.resource_type == "model":
            assert f'"{model.unique_id}"' in page and model.description, model.name
