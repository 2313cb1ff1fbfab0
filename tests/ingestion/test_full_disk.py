"""A disk that is really full: nothing is half loaded, no file is blamed, and with room again all is as undisturbed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from test_ingest_killed import contents
from trial_sender import CONTRACTS, TABLES, empty, posting_rows, send_all, send_posting

from ingestion import load
from ingestion.disk import DiskFull
from ingestion.quarantine import Selection, decide
from ingestion.receipt import Receipt, file_sha256, receipt_path, write_receipt
from ingestion.release import carry_out, open_decisions
from warehouse.connection import orm_session

ROWS = 3_000
"""Rows of the posting file: some forty pages of its table."""

WRONG = 6
"""Line of the row that goes to quarantine."""

OnSmallDisk = Callable[[str], AbstractContextManager[None]]


@pytest.fixture
def delivery(landing: Path) -> Path:
    """A delivery with a rejected row, whose receipts were written before."""
    folder = send_all(landing)
    lines = posting_rows(ROWS)
    lines[WRONG - 2] = lines[WRONG - 2].replace("|D|", "|X|").replace("|C|", "|X|")
    send_posting(folder, lines=lines)
    for path in sorted(folder.iterdir()):
        received = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
        write_receipt(path, Receipt(path.name, path.stat().st_size, file_sha256(path), received))
    return folder


@pytest.fixture
def undisturbed(loader: psycopg.Connection, run: Callable, delivery: Path) -> dict[str, list]:
    """What all tables hold after a load with room enough; they are emptied again."""
    assert run().is_complete
    held = contents(loader)
    assert len(held["posting"]) == ROWS - 1 and len(held["quarantine"]) == 1
    empty(loader)
    return held


@pytest.fixture
def on_small_disk(loader: psycopg.Connection, small_disk) -> Iterator[OnSmallDisk]:
    """Keeps a table on the small disk, as a tablespace of the server."""
    folder = small_disk.path / "tablespace"
    folder.mkdir()
    (data,) = loader.execute("show data_directory").fetchone()
    os.chown(folder, os.stat(data).st_uid, -1)
    loader.execute(f"create tablespace small location '{folder}'")

    @contextmanager
    def kept(table: str) -> Iterator[None]:
        loader.execute(f"alter table {table} set tablespace small")
        try:
            yield
        finally:
            loader.execute(f"alter table {table} set tablespace pg_default")

    try:
        yield kept
    finally:
        loader.execute("drop tablespace small")


def assert_nothing_half_loaded(session: psycopg.Connection) -> None:
    """Of the file whose disk was full nothing is there, and it is not to blame; others are whole or not there."""
    held = contents(session)
    assert (held["posting"], held["quarantine"]) == ([], [])
    states = dict(session.execute("select table_name, state from ops.source_file").fetchall())
    assert states.pop("posting", "received") == "received"
    assert set(states.values()) <= {"received", "loaded"}
    for table in set(TABLES) - {"posting"}:
        assert bool(held[table]) == (states.get(table) == "loaded"), table
    assert session.execute("select count(*) from ops.loaded_file").fetchone() == (0,)


@pytest.mark.parametrize(
    ("table", "leaving"), [("raw_trial.posting", 64 << 10), ("quarantine.row", 0), ("ops.source_file", 0)]
)
def test_no_room_in_the_database(loader, run, small_disk, on_small_disk, undisturbed, table, leaving):
    with on_small_disk(table):
        small_disk.fill(leaving)
        for _ in range(2):  # trying again without room changes nothing
            with pytest.raises(DiskFull, match=r"pg_tblspc.*No space left.*run the same command again") as told:
                run()
            assert isinstance(told.value.__cause__, psycopg.errors.DiskFull)
            assert_nothing_half_loaded(loader)
        small_disk.make_room()
        assert run().is_complete
        assert contents(loader) == undisturbed


@pytest.mark.parametrize("kept_aside", ["rejected rows", "keys"])
def test_no_room_for_temporary_files(loader, run, small_disk, undisturbed, monkeypatch, kept_aside):
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk.path))
    options = {}
    if kept_aside == "keys":
        options |= {"keys_in_memory": ROWS // 2, "block_bytes": 1 << 14}  # runs grow when blocks come together
    else:
        monkeypatch.setattr(load, "SPOOL_IN_MEMORY", 1)
    small_disk.fill()
    with pytest.raises(DiskFull, match=f"^{small_disk.path}: .*No space left"):
        run(**options)
    assert_nothing_half_loaded(loader)
    small_disk.make_room()
    assert run(**options).is_complete
    assert contents(loader) == undisturbed


def test_no_room_for_receipts(loader, landing, run, small_disk):
    landing.symlink_to(small_disk.path)
    folder = send_all(landing)
    sent = sorted(folder.iterdir())
    small_disk.fill()
    with pytest.raises(DiskFull, match=f"^{folder}: .*No space left"):
        run()
    assert sorted(folder.iterdir()) == sent
    assert loader.execute("select count(*) from ops.source_file").fetchone() == (0,)
    small_disk.make_room()
    assert run().is_complete
    assert all(receipt_path(path).exists() for path in sent)
    loaded = contents(loader)
    empty(loader)
    assert run().is_complete
    assert contents(loader) == loaded


def test_no_room_for_released_rows(loader, landing, run, small_disk, on_small_disk, undisturbed):
    run()
    before = contents(loader)
    with orm_session() as session:
        assert decide(session, "release", Selection("trial", "posting"), "agreed with the sender") == 1
    loader.execute("truncate raw_trial.posting")  # room in its last page would do for one row
    with on_small_disk("raw_trial.posting"):
        small_disk.fill()
        with pytest.raises(DiskFull, match="No space left"):
            carry_out(loader, landing, CONTRACTS)
        assert len(open_decisions(loader)) == 1
        assert contents(loader) == before | {"posting": []}
        small_disk.make_room()
        (report,) = carry_out(loader, landing, CONTRACTS)
        assert (report.rows_loaded, open_decisions(loader)) == (1, [])
