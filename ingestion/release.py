"""Rows out of quarantine into raw (DESIGN decision 2): what `quarantine.decision` says, carried out once.

A decision is recorded first. Carrying it out is one transaction: the file is read again from landing, the chosen rows
go into raw as a lot of their own (`ops.batch.release`), known since the decision, with the file's name and line;
quarantine and ledger change with them. Killed at any instant, the next run carries out what is open.

The next build takes the lot up like any other batch: a row enters history as of its own date. A released row counts as
the last word about its key and date, so it corrects a row of the same key that was loaded before.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import psycopg
from psycopg import sql
from psycopg.rows import class_row

from ingestion import fault, ledger
from ingestion.batch import only_loader
from ingestion.contract import Contract
from ingestion.control import Settled
from ingestion.copy_text import copy_text
from ingestion.disk import writing_to
from ingestion.erasure import tombstones
from ingestion.evolution import RawCopy, parted, widened
from ingestion.load import VALUES_COPY, analyze, values_text
from ingestion.options import IngestOptions
from ingestion.quarantine import Action
from ingestion.raw_ddl import raw_schema
from ingestion.readers import open_reader
from ingestion.readers.base import LINE, Block, Reject
from ingestion.receipt import file_id, file_sha256
from ingestion.refusal import Refusal
from ingestion.validation import Validator

RULES_NAMED = 5
STATE_AFTER: dict[Action, str] = {"release": "released", "replay": "replayed"}
Progress = Callable[[int, int, str], None]
ADVICE = "Have the sender correct them, or change the contract and replay them"


@dataclass(frozen=True)
class OpenDecision:
    """A decision that waits to be carried out."""

    decision_id: int
    file_id: int
    source_system: str
    business_date: date
    action: Action
    lines: list[int]
    decided_at: datetime


@dataclass(frozen=True)
class ReleaseReport:
    """What became of one decision.

    Attributes:
        rows_chosen: Rows that it speaks of and that were still held.
        rows_loaded: Rows that now stand in raw; the others stay in quarantine.
        message: Why rows stay; None where none does.
    """

    decision_id: int
    action: Action
    source: str
    table: str
    business_date: date
    file_name: str
    rows_chosen: int
    rows_loaded: int
    message: str | None


def carry_out(
    connection: psycopg.Connection,
    landing: Path,
    contracts: Mapping[str, Mapping[str, Contract]],
    options: IngestOptions | None = None,
    progress: Progress | None = None,
) -> list[ReleaseReport]:
    """Carries out all decisions that are open; running it again does nothing.

    Args:
        connection: Autocommit connection of the loader.
        landing: Folder of landing.
        contracts: Contracts by source and table.
        options: Settings of ingestion; from the environment if not given.
        progress: Called with decisions done, all, and what the last spoke of.

    Raises:
        DiskFull: There was no room for rows; the decision stays open.
    """
    fault.reach("decided")
    reports = []
    waiting = open_decisions(connection)
    for position, decision in enumerate(waiting, start=1):
        with (
            writing_to(tempfile.gettempdir()),
            only_loader(connection, decision.source_system, decision.business_date),
            connection.transaction(),
        ):
            report = _carry_out(connection, decision, landing, contracts, options or IngestOptions())
            fault.reach("before_release_commit")
        if report:
            reports.append(report)
        if progress:
            progress(position, len(waiting), f"{decision.source_system} {decision.business_date}")
    return reports


def open_decisions(connection: psycopg.Connection) -> list[OpenDecision]:
    """Decisions that were not carried out yet, the oldest first."""
    with connection.cursor(row_factory=class_row(OpenDecision)) as cursor:
        return cursor.execute(
            """
            select decision_id, file_id, source_system, business_date, action, lines, decided_at
            from quarantine.decision
            inner join ops.source_file using (file_id)
            where carried_out_at is null
            order by decision_id
            """
        ).fetchall()


def _carry_out(
    connection: psycopg.Connection,
    decision: OpenDecision,
    landing: Path,
    contracts: Mapping[str, Mapping[str, Contract]],
    options: IngestOptions,
) -> ReleaseReport | None:
    """One decision, in a transaction; None where another loader was faster."""
    still_open = connection.execute(
        "select 1 from quarantine.decision where decision_id = %s and carried_out_at is null for update",
        [decision.decision_id],
    ).fetchone()
    if not still_open:
        return None
    entry = ledger.file(connection, decision.file_id, lock=True)
    held = [
        line
        for (line,) in connection.execute(
            "select line from quarantine.row where file_id = %s and line = any(%s) and state = 'held' order by line",
            [entry.file_id, decision.lines],
        )
    ]
    try:
        with connection.transaction():
            lot, loaded, message = _load(connection, decision, entry, held, landing, contracts, options)
    except Refusal as refusal:
        lot, loaded, message = None, 0, str(refusal)
    except psycopg.DataError as problem:
        lot, loaded, message = None, 0, f"PostgreSQL does not take a row: {problem.diag.message_primary}"
    connection.execute(
        "update quarantine.decision set carried_out_at = clock_timestamp(), rows_loaded = %s, loaded_as = %s, "
        "message = %s where decision_id = %s",
        [loaded, lot, message, decision.decision_id],
    )
    return ReleaseReport(
        decision.decision_id,
        decision.action,
        decision.source_system,
        str(entry.table_name),
        entry.business_date,
        entry.file_name,
        len(held),
        loaded,
        message,
    )


def _load(
    connection: psycopg.Connection,
    decision: OpenDecision,
    entry: ledger.FileRow,
    held: list[int],
    landing: Path,
    contracts: Mapping[str, Mapping[str, Contract]],
    options: IngestOptions,
) -> tuple[int, int, str | None]:
    """Loads what can be loaded of the held lines; gives the entry of the ledger, the rows, and why others stay."""
    if not held:
        raise Refusal("not_held", "none of the rows is in quarantine any more", "Nothing to do", entry.file_name)
    path = _landed(connection, decision.source_system, entry, landing)
    contract = contracts[decision.source_system][str(entry.table_name)]
    lot = _lot_id(decision, entry, held)
    batch = ledger.open_release(connection, decision.source_system, entry, lot, decision.decided_at)
    overwrite = tombstones(connection, contract, entry.business_date)
    erased, amount_erased = 0, Decimal(0)
    lines: list[int] = []
    broken: Counter[tuple[str, str | None]] = Counter()
    beside: tuple[str, ...] = ()
    values: list[str] = []
    with RawCopy(connection, contract, lot, entry.file_name, options) as copy:
        for good, rejects in _rows(contract, path, entry, held, decision.action, options):
            landing = overwrite(good)
            rows, set_aside = parted(contract, landing.rows)
            rows, beside = widened(rows, beside)
            copy.write(copy_text(rows, lot, landing.is_erased, beside), beside)
            values += [] if set_aside is None else [values_text(set_aside, lot)]
            erased, amount_erased = erased + landing.erased, amount_erased + landing.amount
            lines += good[LINE].to_list()
            broken.update((reject.rule, reject.column) for reject in rejects)
    with connection.cursor() as cursor, cursor.copy(VALUES_COPY) as copy_values:
        for part in values:
            copy_values.write(part)
    fault.reach("rows_released")
    stays = _why_they_stay(broken)
    if not lines:
        raise Refusal("still_broken", str(stays), ADVICE, entry.file_name)
    amount = _amount(connection, contract, lot)
    account = Settled(
        len(lines),
        len(lines) - erased,
        0,
        amount,
        None if amount is None else amount - amount_erased,
        None if amount is None else Decimal(0),
        "quarantine",
        erased,
        amount_erased,
    )
    ledger.loaded(connection, lot, account, 0, [], contract.version, f"{decision.action} {decision.decision_id}")
    connection.execute(
        "update quarantine.row set state = %s, decision_id = %s where file_id = %s and line = any(%s)",
        [STATE_AFTER[decision.action], decision.decision_id, entry.file_id, lines],
    )
    ledger.settle_batch(connection, batch, "complete", [], None)
    analyze(connection, contract, len(lines), options)
    return lot, len(lines), stays


def _landed(connection: psycopg.Connection, source: str, entry: ledger.FileRow, landing: Path) -> Path:
    """The file as it was loaded.

    Raises:
        Refusal: ``not_loaded``, ``batch_incomplete`` or ``landed_file_gone``.
    """
    if entry.state != "loaded":
        raise Refusal(
            "not_loaded",
            f"the file is {entry.state}: only rows of a loaded file can leave quarantine",
            "A refused file is tried again as a whole (c360 replay); a superseded one was corrected by its sender",
            entry.file_name,
        )
    complete = connection.execute(
        "select state = 'complete' from ops.batch where batch_id = %s", [entry.batch_id]
    ).fetchone()
    if complete != (True,):
        raise Refusal(
            "batch_incomplete",
            f"its batch {entry.batch_id} is not complete",
            f"Complete it first: c360 ingest {source} {entry.business_date}",
            entry.file_name,
        )
    path = landing / source / entry.business_date.isoformat() / entry.file_name
    if path.is_symlink() or not path.is_file() or file_sha256(path) != entry.sha256:
        raise Refusal(
            "landed_file_gone",
            f"the file with SHA-256 {entry.sha256[:12]}… does not lie in landing any more",
            "Bring it back from the archive, or have the sender correct the rows",
            entry.file_name,
        )
    return path


def _rows(
    contract: Contract, path: Path, entry: ledger.FileRow, held: list[int], action: Action, options: IngestOptions
) -> Iterator[tuple[pl.DataFrame, list[Reject]]]:
    """Of the held rows those that can be loaded, and those that cannot; block by block.

    To replay rows, the whole file goes through the contract: a key may be taken by an earlier row.
    """
    validator = Validator(contract, options, action == "release", entry.business_date)
    reader = open_reader(contract, path, options, entry.business_date)
    lines = set(held)
    for block in reader.blocks():
        validator.expect(reader.drift)
        checked = validator(_only(block, held) if action == "release" else block)
        yield (
            checked.good.filter(pl.col(LINE).is_in(held)),
            [reject for reject in checked.rejects if reject.line in lines],
        )


def _only(block: Block, lines: list[int]) -> Block:
    """The rows of a block that stand on these lines."""
    positions = np.flatnonzero(block.frame[LINE].is_in(lines).to_numpy())
    return Block(
        block.frame[positions], lambda chosen: block.raw_text([int(positions[i]) for i in chosen]), block.rejects
    )


def _lot_id(decision: OpenDecision, entry: ledger.FileRow, held: list[int]) -> int:
    """Id of the lot: a function of the file, the action and the lines."""
    content = "\x1f".join([entry.sha256, decision.action, *map(str, held)])
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    return file_id(decision.source_system, str(entry.table_name), entry.business_date, entry.sequence, sha256)


def _amount(connection: psycopg.Connection, contract: Contract, lot: int) -> Decimal | None:
    """Sum of the lot's amounts as they stand in raw; None where the contract declares none."""
    column = contract.control.amount_column
    if column is None:
        return None
    statement = sql.SQL("select coalesce(sum({}), 0) from {}.{} where _file_id = %s").format(
        *map(sql.Identifier, (column, raw_schema(contract.source), contract.table))
    )
    return connection.execute(statement, [lot]).fetchone()[0]  # type: ignore[index]


def _why_they_stay(broken: Counter[tuple[str, str | None]]) -> str | None:
    """Broken rules with their columns and counts; None where nothing stays."""
    if not broken:
        return None
    named = ", ".join(
        f"{rule}{f' {column}' if column else ''} {count:,}" for (rule, column), count in broken.most_common(RULES_NAMED)
    )
    return f"{broken.total():,} rows stay: {named}"
