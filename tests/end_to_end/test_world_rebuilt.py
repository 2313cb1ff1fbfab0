"""The warehouse beside itself: incremental equals rebuilt, past days come back, changes and backfills are told.

One world goes on from its first publication: daily batches in a random order of arrival, a build that is killed
between two models, builds that take up what is there, a steward who judges. `SOAK_SEED` repeats the order and the kill.
"""

import os
import random
import shutil
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from small_world import FIRST, NEXT, SCALE, SEED, World
from typer.testing import CliRunner, Result

import simulator
from pipeline import steps, transformation
from pipeline.cli import app
from pipeline.rebuilding import RebuildError
from warehouse.connection import connect, create_database, url
from warehouse.settings import get_settings

DAYS = [NEXT + timedelta(days=number) for number in range(5)]
RANDOM_DAYS, BACKFILLED = DAYS[:3], DAYS[3:]
BUILT = ("--exclude", "tag:stage", "tag:results", "tag:quality")


@pytest.fixture(scope="module")
def further_world(finished_world: World) -> Iterator[str]:
    """A copy of the finished world, with five more days in landing; its owner's URL."""
    name = f"{finished_world.database}_further"
    with pytest.MonkeyPatch.context() as patch:
        with psycopg.connect(url(database="postgres"), autocommit=True) as session:  # a template is nobody's
            idle = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s and state = 'idle'"
            session.execute(idle, [finished_world.database])
        create_database(name, finished_world.database)
        patch.setenv("C360_DATABASE", name)
        simulator.simulate(get_settings(), seed=SEED, scale=SCALE, daily_dates=DAYS)
        yield url()
        with psycopg.connect(url(database="postgres"), autocommit=True) as session:
            session.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def owner(further_world: str) -> Iterator[psycopg.Connection]:
    """An autocommit session of the owner of the copy."""
    with psycopg.connect(further_world, autocommit=True) as session:
        yield session


def c360(*arguments: str) -> Result:
    """The command line, in this process: dbt has read the project already."""
    return CliRunner().invoke(app, [*arguments])


def killed_build(after: int) -> None:
    """A build that dies by SIGKILL when so many models are done, in a process of its own."""
    transformation.manifest()

    def die(done: int, of: int, name: str) -> None:
        if done >= after:
            os.kill(os.getpid(), signal.SIGKILL)

    if not (child := os.fork()):
        try:
            transformation.run("run", *BUILT, progress=die)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "it was to be killed on the way"


def judge(owner: psycopg.Connection) -> None:
    """A steward parts the two customers of a party."""
    one, other = owner.execute(
        "select array_agg(source_system || '/' || customer_id order by source_system, customer_id) "
        "from identity.party_source group by party_id having count(*) = 2 order by party_id limit 1"
    ).fetchone()[0]  # type: ignore[index]
    assert c360("steward", "unlink", one, other, "--reason", "two persons").exit_code == 0


def test_incremental_equals_rebuilt_in_any_order_of_arrival(owner: psycopg.Connection) -> None:
    """DESIGN decision 5, for one log of arrivals and one of identity events: every change log, table and mart."""
    chance = random.Random(int(os.environ["SOAK_SEED"]))
    arrivals = [(source, day) for source in steps.SIMULATED_SOURCES for day in RANDOM_DAYS]
    chance.shuffle(arrivals)
    dies, builds = sorted(chance.sample(range(1, len(arrivals)), 2))
    for number, (source, day) in enumerate(arrivals):
        steps.ingest(source, day)
        if number == dies:
            steps.identify(day)
            killed_build(after=chance.randint(5, 120))
        elif number == builds:
            steps.identify(day)
            transformation.run("run", *BUILT)
    judge(owner)
    steps.identify(RANDOM_DAYS[-1])
    steps.build(RANDOM_DAYS[-1])
    steps.publish(RANDOM_DAYS[-1])

    said = c360("rebuild")
    assert said.exit_code == 0, f"SOAK_SEED={os.environ['SOAK_SEED']}\n{said.stdout}{said.exception or ''}"
    compared = {
        name
        for (name,) in owner.execute(
            "select table_name from ops.comparison_table inner join ops.comparison using (comparison_id) "
            "where kind = 'rebuild' and is_equal"
        )
    }
    standing = {
        name
        for (name,) in owner.execute(
            "select relnamespace::regnamespace || '.' || relname from pg_class where relkind = 'r' "
            "and relnamespace = any (array['core', 'intermediate', 'mart_build']::regnamespace[])"
        )
    }
    assert compared == standing, "no table is forgotten, none is made up"
    left = "select count(*) from pg_namespace where nspname like 'rebuild%'"
    assert owner.execute(left).fetchone() == (0,)


def test_a_backfill_is_asked_for_approved_and_goes_on(owner: psycopg.Connection) -> None:
    """CTL: range, reason, approver, status; what stops it is put right, and it goes on at the date where it stopped."""
    first, last = map(str, BACKFILLED)
    missing = get_settings().landing / "card" / last
    aside = missing.with_name("aside")
    missing.rename(aside)
    try:
        asked = c360("backfill", "request", "--from", first, "--to", last, "--reason", "days were lost")
        assert "requested, 0 of 2 dates done" in asked.stdout
        assert "is not approved" in str(c360("backfill", "run", "1").exception)
        assert "approved, 0 of 2" in c360("backfill", "approve", "1").stdout
        failed = c360("backfill", "run", "1")
        assert f"there is no folder card/{last} in landing" in str(failed.exception)
    finally:
        aside.rename(missing)
    state = "select state, dates_done, message from ops.backfill_state"
    assert owner.execute(state).fetchone()[:2] == ("failed", 1)  # type: ignore[index]
    runs = "select count(*) from ops.step_run where step = 'build' and state = 'done' and business_date = %s"
    before = owner.execute(runs, [BACKFILLED[0]]).fetchone()
    assert "done, 2 of 2 dates done" in c360("backfill", "run", "1").stdout
    assert owner.execute(state).fetchone() == ("done", 2, "2 dates done")
    assert owner.execute(runs, [BACKFILLED[0]]).fetchone() == before, "what is done is not done again"
    assert owner.execute("select business_date from ops.publication_pointer").fetchone() == (BACKFILLED[1],)
    assert "days were lost" in c360("backfill", "list").stdout
    assert "Backfills" in c360("status").stdout


def test_a_past_day_gives_its_rows(owner: psycopg.Connection) -> None:
    """A rebuild from what was known then, a judgement with it, gives that publication; one changed row is seen."""
    then, number = owner.execute(
        "select max(at)::text, max(number) from ops.publication_event inner join ops.publication on number = to_number "
        "where action = 'publish' and business_date = %s",
        [RANDOM_DAYS[-1]],
    ).fetchone()  # type: ignore[misc]
    query = "select count(*), sum(deposit_balance), max(as_of), max(publication) from mart.mart_customer_360"
    with connect("bianca") as reader:
        now = reader.execute(query).fetchone()
        reader.execute("select set_config('c360.known_on', %s, false)", [then])
        past = reader.execute(query).fetchone()
    assert past is not None and now is not None
    assert past[2:] == (RANDOM_DAYS[-1], number) and now[2] == BACKFILLED[1] and past[:2] != now[:2]
    asked = c360("sql", query, "--as", "bianca", "--known-on", then, "--format", "csv")
    assert asked.stdout.splitlines()[1] == ",".join(map(str, past))
    page = c360("report", f"{FIRST:%Y-%m}", "--known-on", then)
    assert page.exit_code == 0 and "_known_on_" in page.stdout

    key = "row(manager_id, period_month, metric_id, pub_from)::text"
    (row,) = owner.execute(
        f"select {key} from mart_data.mart_manager_metric "
        "where pub_from <= %s and pub_to > %s and case_count is not null limit 1",
        [number, number],
    ).fetchone()  # type: ignore[misc]
    more = f"update mart_data.mart_manager_metric set case_count = case_count + %s where {key} = %s"
    owner.execute(more, [1, row])
    try:
        said = c360("rebuild", "--known-on", then)
    finally:
        owner.execute(more, [-1, row])
    assert said.exit_code == 1
    different = owner.execute(
        "select table_name, rows_removed, rows_added, rows_changed, columns from ops.comparison_table "
        "inner join ops.comparison using (comparison_id) where kind = 'as_known' "
        "and (rows_removed, rows_added, rows_changed, columns) is distinct from (0, 0, 0, '{}'::jsonb)"
    )
    assert different.fetchall() == [("mart_manager_metric", 0, 0, 1, {"case_count": 1})], said.stdout
    compared = owner.execute("select sum(rows_after) from ops.comparison_table where rows_removed = 0").fetchone()
    assert compared[0] > 5_000  # type: ignore[index]


def test_what_cannot_be_rebuilt_is_said(owner: psycopg.Connection) -> None:
    for moment, why in (("2020-01-01", "the first publication is of"), ("some day", "neither a day")):
        refused = c360("rebuild", "--known-on", moment)
        assert isinstance(refused.exception, RebuildError) and why in str(refused.exception)
    gone = (
        "update ops.source_file set rows_deleted_at = %s where file_name = (select min(file_name) from ops.source_file)"
    )
    owner.execute(gone, [datetime.now(UTC)])
    try:
        refused = c360("rebuild")
    finally:
        owner.execute(gone, [None])
    assert isinstance(refused.exception, RebuildError) and "left raw at the end of their" in str(refused.exception)


def stand_on(name: str) -> set[str]:
    """What is built of a model or seed, directly or by others."""
    manifest = transformation.manifest()
    (root,) = [node.unique_id for node in manifest.nodes.values() if node.name == name and node.package_name == "c360"]
    found, waits = set(), [root]
    while waits:
        children = set(manifest.child_map[waits.pop()]) - found
        found |= children
        waits += children
    return {manifest.nodes[node].name for node in found if node in manifest.nodes}


def test_a_change_is_told_before_it_is_merged(
    owner: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule table and an incremental fact differ: their marts beside the published ones; what lives is not touched."""
    living = (
        "select (select md5(string_agg(told::text, '|' order by told::text)) from core.fct_system_usage as told), "
        "(select md5(string_agg(told::text, '|' order by told::text)) from core.survivorship_source as told), "
        "(select count(*) from ops.batch_taken_up)"
    )
    before = owner.execute(living).fetchone()
    changed = tmp_path / "dbt_project"
    shutil.copytree(transformation.PROJECT, changed)
    for file, old, new in (
        ("seeds/survivorship_source.csv", "\ncard,3,", "\ncard,0,"),
        (
            "models/core/fct_system_usage.sql",
            "row_taken_up.login_count,",
            "row_taken_up.login_count + 1 as login_count,",
        ),
    ):
        text = (changed / file).read_text("utf-8")
        assert old in text
        (changed / file).write_text(text.replace(old, new), "utf-8")
    monkeypatch.setattr(transformation, "PROJECT", changed)
    transformation._manifest.cache_clear()
    said = c360("change-report", "--output", str(tmp_path / "change.md"))
    transformation._manifest.cache_clear()
    assert said.exit_code == 0, said.exception
    different = owner.execute(
        "select table_name, rows_removed, rows_added, columns from ops.comparison_table "
        "inner join ops.comparison using (comparison_id) where kind = 'change' "
        "and (rows_removed, rows_added, rows_changed, columns) is distinct from (0, 0, 0, '{}'::jsonb) order by 1"
    ).fetchall()
    columns = {mart: set(moved) for mart, _, _, moved in different}
    assert columns["mart_manager_system_usage"] == {"login_count"} and "party_name" in columns["mart_customer_360"]
    moved = stand_on("survivorship_source") | stand_on("fct_system_usage")
    assert [row for row in different if row[0] not in moved] == []
    page = (tmp_path / "change.md").read_text("utf-8")
    assert "## mart_customer_360" in page and "| `party_name` |" in page
    names = owner.execute("select distinct party_name from core.dim_party where party_name is not null").fetchall()
    assert len(names) > 50 and not any(name in page for (name,) in names), "keys and counts, no personal values"
    assert owner.execute(living).fetchone() == before
    assert owner.execute("select count(*) from pg_namespace where nspname like 'change%'").fetchone() == (0,)
