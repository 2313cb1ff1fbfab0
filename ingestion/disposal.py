"""Runs of retention and erasure, and what each took away, on record (DESIGN decision 9)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Literal

import psycopg

from ingestion.contract import ZONE

Kind = Literal["retention", "erasure"]
Place = Literal["landing", "raw", "quarantine"]
_ONE_RUN = 3_600_360_011  # advisory lock: one run at a time


def today() -> date:
    """The day by which periods are counted."""
    return datetime.now(ZONE).date()


@contextmanager
def run(connection: psycopg.Connection, kind: Kind, as_of: date) -> Iterator[int]:
    """A run on record; a second one waits. Interrupted, it stays without an end and the next takes up what is left.

    Args:
        connection: Autocommit connection of the loader.
        kind: What is done.
        as_of: Day by which periods are counted.
    """
    connection.execute("select pg_advisory_lock(%s)", [_ONE_RUN])
    try:
        run_id = connection.execute(
            "insert into ops.disposal_run (kind, as_of) values (%s, %s) returning run_id", [kind, as_of]
        ).fetchone()[0]  # type: ignore[index]
        yield run_id
        connection.execute("update ops.disposal_run set finished_at = clock_timestamp() where run_id = %s", [run_id])
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(%s)", [_ONE_RUN])


def record(
    connection: psycopg.Connection, run_id: int, file_id: int, place: Place, rows: int, size: int | None = None
) -> None:
    """Enters what was taken away of a file; in the transaction that takes it."""
    connection.execute(
        "insert into ops.disposal as before (run_id, file_id, place, rows, bytes) values (%s, %s, %s, %s, %s) "
        "on conflict (run_id, file_id, place) do update set rows = before.rows + excluded.rows",
        [run_id, file_id, place, rows, size],
    )
