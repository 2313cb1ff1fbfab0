"""The end of retention (DESIGN decision 9): landed files are deleted whole, rows leave raw and quarantine file by file.

The ledger keeps the account of every file for good. Kept are rows that the warehouse has not taken up yet, files that
wait to be loaded, and files that no contract claims. Interrupted at any instant, the next run takes up what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from ingestion import disposal
from ingestion.contract import Contract
from ingestion.landing import without_correction
from ingestion.raw_ddl import raw_schema
from ingestion.receipt import receipt_path

SETTLED = ("loaded", "superseded", "duplicate", "replaced", "refused")
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Expired:
    """What of a file has come to the end of its retention.

    Attributes:
        is_landed: The landed file is to be deleted.
        has_rows: Its rows in raw and quarantine are to be deleted.
        rows: Rows that the file brought.
        held: Rows in quarantine about which nothing was decided.
    """

    file_id: int
    source_system: str
    table_name: str
    business_date: date
    file_name: str
    bytes: int
    is_landed: bool
    has_rows: bool
    rows: int
    held: int


def expired(
    connection: psycopg.Connection,
    contracts: Mapping[str, Mapping[str, Contract]],
    as_of: date | None = None,
    kept_batches: Collection[str] = (),
) -> list[Expired]:
    """What a run would delete, the oldest first.

    Args:
        connection: Connection to the ledger.
        contracts: Contracts by source and table; they say how long.
        as_of: Day by which periods are counted; today if not given.
        kept_batches: Batches whose rows are still needed.
    """
    terms = [contract for tables in contracts.values() for contract in tables.values()]
    with connection.cursor(row_factory=class_row(Expired)) as cursor:
        return cursor.execute(
            """
            with term as (
                select *
                from unnest(%(sources)s::text[], %(tables)s::text[], %(landing)s::interval[], %(rows)s::interval[])
                    as term (source_system, table_name, landing, rows)
            ),

            file as (
                select
                    file.*,
                    coalesce(file.business_date + term.landing < %(as_of)s, false)
                        and file.landing_deleted_at is null and file.release = 0 as is_landed,
                    coalesce(file.business_date + term.rows < %(as_of)s, false)
                        and file.rows_deleted_at is null and file.batch_id <> all(%(kept)s) as has_rows
                from ops.source_file as file
                inner join term on file.source_system = term.source_system and file.table_name = term.table_name
                where file.state = any(%(settled)s)
            )

            select
                file_id, source_system, table_name, business_date, file_name, bytes, is_landed, has_rows,
                coalesce(rows_loaded + rows_erased, 0) as rows,
                (select count(*) from quarantine.row where row.file_id = file.file_id and row.state = 'held') as held
            from file
            where is_landed or has_rows
            order by business_date, source_system collate "C", table_name collate "C", file_id
            """,
            {
                "sources": [contract.source for contract in terms],
                "tables": [contract.table for contract in terms],
                "landing": [_interval(contract, "landing") for contract in terms],
                "rows": [_interval(contract, "rows") for contract in terms],
                "as_of": as_of or disposal.today(),
                "kept": list(kept_batches),
                "settled": list(SETTLED),
            },
        ).fetchall()


def dispose(
    connection: psycopg.Connection,
    landing: Path,
    contracts: Mapping[str, Mapping[str, Contract]],
    as_of: date | None = None,
    kept_batches: Collection[str] = (),
    progress: Progress | None = None,
) -> list[Expired]:
    """Deletes what has come to the end of its retention; running it again finds nothing.

    Args:
        connection: Autocommit connection of the loader.
        landing: Folder of landing.
        contracts: Contracts by source and table; they say how long.
        as_of: Day by which periods are counted; today if not given.
        kept_batches: Batches whose rows are still needed.
        progress: Called with files done, all, and the file.

    Returns:
        What was deleted.
    """
    as_of = as_of or disposal.today()
    ended = expired(connection, contracts, as_of, kept_batches)
    if not ended:
        return []
    with disposal.run(connection, "retention", as_of) as run_id:
        for position, file in enumerate(ended, start=1):
            contract = contracts[file.source_system][file.table_name]
            if file.is_landed:
                _delete_landed(connection, landing, contract, file, run_id)
            if file.has_rows:
                _delete_rows(connection, contract, file, run_id)
            if progress:
                progress(position, len(ended), f"{file.source_system}/{file.business_date}/{file.file_name}")
    return ended


def _delete_landed(
    connection: psycopg.Connection, landing: Path, contract: Contract, file: Expired, run_id: int
) -> None:
    """Deletes the file with its receipt and control file, then the folder where nothing else lies in it.

    The file goes first: killed before the ledger knows, the next run finds it gone and enters that.
    """
    path = landing / file.source_system / file.business_date.isoformat() / file.file_name
    size = path.lstat().st_size if path.is_file() else 0
    _, correction = without_correction(file.file_name)
    control = contract.control_file_name(file.business_date, correction)
    for gone in (path, path.with_name(control)) if control else (path,):
        gone.unlink(missing_ok=True)
        receipt_path(gone).unlink(missing_ok=True)
    with suppress(OSError):  # something else lies there, or the folder is gone
        path.parent.rmdir()
    with connection.transaction():
        connection.execute(
            "update ops.source_file set landing_deleted_at = clock_timestamp() where file_id = %s", [file.file_id]
        )
        disposal.record(connection, run_id, file.file_id, "landing", 0, size)


def _delete_rows(connection: psycopg.Connection, contract: Contract, file: Expired, run_id: int) -> None:
    """Deletes a file's rows from raw and quarantine in one transaction."""
    raw = sql.Identifier(raw_schema(contract.source), contract.table)
    with connection.transaction():
        deleted = connection.execute(sql.SQL("delete from {} where _file_id = %s").format(raw), [file.file_id])
        disposal.record(connection, run_id, file.file_id, "raw", deleted.rowcount)
        connection.execute("delete from quarantine.warning where file_id = %s", [file.file_id])
        connection.execute("delete from quarantine.value where file_id = %s", [file.file_id])
        rejected = connection.execute("delete from quarantine.row where file_id = %s", [file.file_id])
        disposal.record(connection, run_id, file.file_id, "quarantine", rejected.rowcount)
        connection.execute(
            "update ops.source_file set rows_deleted_at = clock_timestamp() where file_id = %s", [file.file_id]
        )


def _interval(contract: Contract, what: str) -> str | None:
    period = getattr(contract.retention, what)
    return period.interval if period else None
