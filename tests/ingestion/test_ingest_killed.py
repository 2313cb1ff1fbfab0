"""Kill -9 of the loader at every named point and, with its server, at any time: afterwards all is as undisturbed.

`make soak` kills hundreds of times; SOAK_SEED repeats the kills of a seed, SOAK_KILLS says how many.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import psycopg
import pytest
import trial_loader
from trial_sender import CONTRACTS, DAY, TABLES, empty, posting_rows, send_all, send_posting

from ingestion.batch import ingest
from ingestion.fault import POINTS
from ingestion.receipt import Receipt, file_sha256, write_receipt

KILLS = int(os.environ.get("SOAK_KILLS", "10"))
SEED = int(os.environ["SOAK_SEED"])


def contents(session: psycopg.Connection) -> dict[str, list]:
    """All tables row for row; times of loading stand outside equality."""
    tables = {table: f"select t::text from raw_trial.{table} as t order by 1" for table in TABLES}
    tables["quarantine"] = "select t::text from quarantine.row as t order by 1"
    tables["warning"] = "select t::text from quarantine.warning as t order by 1"
    tables["batch"] = "select batch_id, state, known_at, missing_files, message from ops.batch order by 1"
    tables["source_file"] = (
        "select file_id, batch_id, file_name, sha256, received_at, state, rows_sent, rows_loaded, rows_quarantined, "
        "rows_warned, amount_sent, amount_loaded, amount_quarantined, message from ops.source_file order by 1"
    )
    return {name: session.execute(statement).fetchall() for name, statement in tables.items()}


@pytest.fixture
def delivery(landing: Path) -> Path:
    """A delivery with rejected rows, whose receipts were written before."""
    folder = send_all(landing)
    lines = posting_rows(40)
    lines[3] = lines[3].replace("|D|", "|X|").replace("|C|", "|X|")
    send_posting(folder, lines=lines)
    for path in sorted(folder.iterdir()):
        received = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
        write_receipt(path, Receipt(path.name, path.stat().st_size, file_sha256(path), received))
    return landing


def test_killed_at_every_point_and_started_again(database: str, loader: psycopg.Connection, delivery: Path):
    ingest("trial", DAY, connection=loader, landing=delivery, contracts=CONTRACTS)
    undisturbed = contents(loader)
    assert undisturbed["batch"][0][1] == "complete" and len(undisturbed["quarantine"]) == 1
    for point in POINTS:
        empty(loader)
        loading = trial_loader.start(database, delivery, fault=point)
        loading.join()
        assert loading.exitcode == -signal.SIGKILL, point
        if point not in ("complete", "before_complete"):
            assert loader.execute("select count(*) from ops.loaded_file").fetchone() == (0,), point
        ingest("trial", DAY, connection=loader, landing=delivery, contracts=CONTRACTS)
        assert contents(loader) == undisturbed, point


def test_two_loaders_at_once_load_once(database: str, loader: psycopg.Connection, delivery: Path):
    both = [trial_loader.start(database, delivery) for _ in range(2)]
    for loading in both:
        loading.join()
        assert loading.exitcode == 0
    assert loader.execute("select count(*), count(distinct _line) from raw_trial.posting").fetchone() == (39, 39)
    assert loader.execute("select state from ops.batch").fetchall() == [("complete",)]
    assert DAY.isoformat() in loader.execute("select batch_id from ops.batch").fetchone()[0]


def kill_loader(loading: ForkServerProcess, session: psycopg.Connection) -> None:
    """The loader dies."""
    loading.kill()


def cut_connection(loading: ForkServerProcess, session: psycopg.Connection) -> None:
    """The loader loses its connection."""
    session.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'trial loader'")


def kill_server_process(loading: ForkServerProcess, session: psycopg.Connection) -> None:
    """The loader's process of PostgreSQL dies; the server ends all sessions and recovers."""
    query = "select pid from pg_stat_activity where application_name = 'trial loader'"
    for (pid,) in session.execute(query).fetchall():
        os.kill(pid, signal.SIGKILL)


WAYS = (kill_loader, cut_connection, kill_server_process)


def connected(database: str) -> psycopg.Connection:
    """A session, as soon as the server takes one: it may be recovering from a crash."""
    for _ in range(600):
        try:
            return psycopg.connect(database, autocommit=True)
        except psycopg.OperationalError:
            time.sleep(0.1)
    return psycopg.connect(database, autocommit=True)


def test_killed_at_any_time_and_started_again(
    database: str, loader: psycopg.Connection, delivery: Path, record_property
):
    def load(kill: Callable[[ForkServerProcess, psycopg.Connection], None] | None = None, after: float = 0) -> float:
        with connected(database) as session:
            empty(session)
            begun = time.monotonic()
            loading = trial_loader.start(database, delivery)
            if kill is not None:
                loading.join(after)
                kill(loading, session)
            loading.join()
            return time.monotonic() - begun

    load()
    seconds = load()  # the second finds everything imported
    undisturbed = contents(loader)
    assert undisturbed["batch"][0][1] == "complete"
    chance = random.Random(SEED)
    cut_short = 0
    for number in range(KILLS):
        way, after = WAYS[number % len(WAYS)], chance.uniform(0, seconds)
        load(way, after)
        told = f"SOAK_SEED={SEED}, kill {number}: {way.__doc__} {after:.3f} of {seconds:.3f} s into the load"
        with connected(database) as session:
            cut_short += session.execute("select count(*) from ops.batch where state = 'complete'").fetchone() == (0,)
            ingest("trial", DAY, connection=session, landing=delivery, contracts=CONTRACTS)
            assert contents(session) == undisturbed, told
    record_property("loads cut short", cut_short)
    assert cut_short >= KILLS // 4, f"of {KILLS} kills only {cut_short} came before the end: nothing was tried"
