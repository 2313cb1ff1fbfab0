"""From file id and line back to the file that was sent, and to the text that stood there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import psycopg
from psycopg.rows import class_row

from ingestion.contract import Contract
from ingestion.options import IngestOptions
from ingestion.readers import open_reader
from ingestion.readers.base import LINE
from ingestion.receipt import file_sha256
from ingestion.refusal import Refusal


@dataclass(frozen=True)
class SentFile:
    """A file as the ledger knows it.

    Attributes:
        decision: `release` or `replay` and its number, where the rows came out of quarantine; else None.
    """

    file_id: int
    source_system: str
    table_name: str
    business_date: date
    batch_id: str
    file_name: str
    sha256: str
    received_at: datetime
    state: str
    decision: str | None


@dataclass(frozen=True)
class Origin:
    """Where a row of the warehouse was sent.

    Attributes:
        line: Line of the file, from 1; 0 where the file as a whole says it (a key that is missing in a full extract).
        text: The line as sent; None where it cannot be read in landing any more.
    """

    file: SentFile
    line: int
    text: str | None


def origins(
    connection: psycopg.Connection,
    places: Iterable[tuple[int, int]],
    landing: Path,
    contracts: Mapping[str, Mapping[str, Contract]],
    options: IngestOptions | None = None,
) -> list[Origin]:
    """Where rows were sent, in the order of the places.

    Args:
        connection: Connection to the ledger.
        places: File id and line of each row.
        landing: Folder of landing, where the text is read.
        contracts: Contracts by source and table.
        options: Settings of ingestion; from the environment if not given.
    """
    wanted = list(places)
    files = {file.file_id: file for file in _files(connection, {file_id for file_id, _ in wanted})}
    texts: dict[tuple[int, int], str] = {}
    for file_id, file in files.items():
        lines = {line for at, line in wanted if at == file_id and line > 0}
        contract = contracts.get(file.source_system, {}).get(file.table_name)
        path = landing / file.source_system / file.business_date.isoformat() / file.file_name
        if contract and lines and path.is_file() and file_sha256(path) == file.sha256:
            texts |= {(file_id, line): text for line, text in _texts(contract, path, lines, options).items()}
    return [Origin(files[file_id], line, texts.get((file_id, line))) for file_id, line in wanted]


def _files(connection: psycopg.Connection, file_ids: set[int]) -> list[SentFile]:
    with connection.cursor(row_factory=class_row(SentFile)) as cursor:
        return cursor.execute(
            """
            select file_id, source_system, table_name, business_date, batch_id, file_name, sha256, received_at, state,
                case when release > 0 then message end as decision
            from ops.source_file
            where file_id = any(%s)
            """,
            [list(file_ids)],
        ).fetchall()


def _texts(contract: Contract, path: Path, lines: set[int], options: IngestOptions | None) -> dict[int, str]:
    """The text of the lines; the file is read no further than the last of them."""
    found: dict[int, str] = {}
    try:
        for block in open_reader(contract, path, options or IngestOptions()).blocks():
            positions = [at for at, line in enumerate(block.frame[LINE].to_list()) if line in lines]
            found |= dict(zip((block.frame[LINE][at] for at in positions), block.raw_text(positions), strict=True))
            if len(found) == len(lines):
                break
    except Refusal:  # by a later contract the file may no longer be readable: what was found is told
        pass
    return found
