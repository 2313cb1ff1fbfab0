"""Kill -9 of the loader at every named point, then again: the tables equal those of an undisturbed run."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import trial_loader
from trial_sender import CONTRACTS, DAY, TABLES, empty, posting_rows, send_all, send_posting

from ingestion.batch import ingest
from ingestion.fault import POINTS
from ingestion.receipt import Receipt, file_sha256, write_receipt


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
