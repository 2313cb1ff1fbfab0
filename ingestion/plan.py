"""What an ingest of a source's business date would do, without doing it: no receipt, no row, no entry is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import psycopg

from ingestion import ledger
from ingestion.batch import why_blocked
from ingestion.contract import Contract
from ingestion.landing import Landed, declared_name, look, readable_name, why_unknown
from ingestion.receipt import file_id, file_sha256

Verdict = Literal["load", "nothing", "wait", "refuse", "set aside", "missing"]


@dataclass(frozen=True)
class PlannedFile:
    """What would become of one file.

    Attributes:
        table: None where no contract claims the file.
        bytes: Size of the file; None where it is not there.
        verdict: `load`: it would be read, and loaded unless its content breaks the contract; `nothing`: it is loaded;
            `wait`: for the batch before; `refuse`; `set aside`: it is no part of a batch; `missing`.
        why: Reason of the verdict, empty where it needs none.
    """

    file_name: str
    table: str | None
    sequence: int
    bytes: int | None
    verdict: Verdict
    why: str = ""


def plan(
    connection: psycopg.Connection,
    source: str,
    business_date: date,
    landing: Path,
    contracts: Mapping[str, Contract],
) -> list[PlannedFile]:
    """Every file that lies in landing for the date or is missing there.

    Args:
        connection: Connection to the ledger; it is only read.
        source: Source system.
        business_date: Business date of the batch.
        landing: Folder of landing.
        contracts: Contracts of the source by table.
    """
    folder = landing / source / business_date.isoformat()
    known = [row for row in ledger.files(connection, source, business_date) if row.is_loaded]
    complete = {row.sequence for row in ledger.batches(connection, source, business_date) if row.state == "complete"}
    planned: list[PlannedFile] = []
    there = look(folder, contracts, business_date) if folder.is_dir() else None
    owed = ledger.owed(connection, contracts, business_date)
    blocked = why_blocked(ledger.gaps(connection, source, contracts, business_date), contracts)
    seen: dict[tuple[str, str], str] = {(str(row.table_name), row.sha256): row.file_name for row in known}
    for landed in there.files if there else []:
        verdict, why = _verdict(connection, source, business_date, landed, known, complete, seen)
        if blocked and verdict == "load":
            verdict, why = "wait", f"for {blocked}"
        size = landed.path.stat().st_size
        planned.append(PlannedFile(landed.path.name, landed.contract.table, landed.sequence, size, verdict, why))
    expected = {contract.file_name(business_date): table for table, contract in contracts.items()}
    for path in there.unknown if there else []:
        size = path.lstat().st_size
        planned.append(
            PlannedFile(readable_name(path), None, 1, size, "set aside", why_unknown(path, list(expected)).message)
        )
    delivered = {file.table for file in planned if file.sequence == 1} | {
        row.table_name for row in known if row.sequence == 1
    }
    planned += [
        PlannedFile(name, table, 1, None, "missing", "the batch stays open until it comes")
        for name, table in expected.items()
        if table not in delivered and table in owed
    ]
    return planned


def _verdict(
    connection: psycopg.Connection,
    source: str,
    business_date: date,
    landed: Landed,
    known: list[ledger.FileRow],
    complete: set[int],
    seen: dict[tuple[str, str], str],
) -> tuple[Verdict, str]:
    table, sha256 = landed.contract.table, file_sha256(landed.path)
    loaded = next((row for row in known if (row.table_name, row.sequence) == (table, landed.sequence)), None)
    if loaded is not None:
        if loaded.sha256 == sha256:
            return "nothing", "it is loaded"
        return "refuse", f"other content is loaded under this name; a correction is named {declared_name(landed)}"
    twin = seen.setdefault((table, sha256), landed.path.name)
    if landed.correction and twin != landed.path.name:
        return "set aside", f"the same content as {twin}"
    if landed.contract.change.kind != "full":
        key = file_id(source, table, business_date, landed.sequence, sha256)
        elsewhere = ledger.loaded_elsewhere(connection, source, table, sha256, key)
        if elsewhere:
            return "refuse", f"the same rows were loaded from {elsewhere['file_name']} of {elsewhere['business_date']}"
    if landed.control_path is not None and not landed.control_path.exists():
        return "refuse", f"its control file {landed.control_path.name} is not there"
    if landed.sequence > 1 and landed.sequence - 1 not in complete:
        return "wait", f"for batch {ledger.batch_id(source, business_date, landed.sequence - 1)}"
    return "load", ""
