"""One file into its raw table: one transaction with a savepoint (DESIGN decision 3).

Data, quarantine and ledger commit together. Where the file is refused, the transaction goes back to the savepoint,
keeps the rejected rows and the reason, and commits the state *refused*.
"""

from __future__ import annotations

import csv
import os
import queue
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import IO

import polars as pl
import psycopg
from psycopg import sql

from ingestion import disposal, fault, ledger
from ingestion.contract import Contract
from ingestion.control import Settled
from ingestion.copy_text import copy_text
from ingestion.disk import writing_to
from ingestion.erasure import overwrite_quarantine, tombstones
from ingestion.evolution import RawCopy, widened
from ingestion.examine import Examination
from ingestion.options import IngestOptions
from ingestion.raw_ddl import raw_schema
from ingestion.readers.base import LINE, Reject
from ingestion.readers.text import RESEND
from ingestion.refusal import Refusal
from ingestion.validation import Warned

SPOOL_IN_MEMORY = 16 << 20
MESSAGE_CHARACTERS = 1_000
DRIFT_NAMED = 5
OnRows = Callable[[int], None]
VALUES_COPY = (
    "copy quarantine.value (file_id, line, column_name, value) from stdin (format csv, force_not_null (value))"
)
CopyBlock = tuple[bytes, int, tuple[str, ...]]
"""Rows as COPY reads them, how many, and which columns they have beside the contract's."""


def load_file(
    connection: psycopg.Connection,
    contract: Contract,
    entry: ledger.FileRow,
    path: Path,
    control_path: Path | None,
    options: IngestOptions,
    on_rows: OnRows | None = None,
) -> ledger.FileRow:
    """Loads a registered file, or refuses it as a whole.

    Args:
        connection: Autocommit connection of the loader.
        contract: Contract of the file.
        entry: The file as registered.
        path: The file in landing.
        control_path: Its control file, None where the sender sends none.
        options: Settings of ingestion.
        on_rows: Called with the rows read so far.

    Returns:
        The file as the ledger now knows it: loaded or refused.

    Raises:
        DiskFull: There was no room for rows or, in the folder of temporary files, for what was kept aside.
    """
    with (
        writing_to(tempfile.gettempdir()),
        connection.transaction(),
        _Rejected(contract, entry.file_id, options) as rejected,
    ):
        fault.reach("load_started")
        locked = ledger.file(connection, entry.file_id, lock=True)
        if locked.is_loaded:
            return locked
        connection.execute("delete from quarantine.row where file_id = %s", [entry.file_id])
        erased = tombstones(connection, contract, entry.business_date)
        examination = Examination(contract, path, options, entry.business_date, control_path, erased)
        try:
            with connection.transaction():
                account = _copy(connection, contract, entry, examination, path, rejected, options, on_rows)
        except Refusal as refusal:
            kept = rejected.copy_to_quarantine(connection, options.rejects_kept_of_refused)
            ledger.refused(connection, entry.file_id, _with_kept(refusal, kept, rejected.count))
        else:
            rejected.copy_to_quarantine(connection)
            rejected.copy_warnings(connection)
            fault.reach("quarantined")
            ledger.loaded(
                connection,
                entry.file_id,
                account,
                rejected.warned,
                examination.drift,
                contract.version,
                _remarks(examination, entry),
            )
            if entry.sequence > 1:
                ledger.supersede(connection, entry.file_id)
            analyze(connection, contract, account.rows_loaded, options)
        if erased:
            overwrite_quarantine(connection, contract, disposal.today(), file_id=entry.file_id)
        fault.reach("before_commit")
    return ledger.file(connection, entry.file_id)


def _copy(
    connection: psycopg.Connection,
    contract: Contract,
    entry: ledger.FileRow,
    examination: Examination,
    path: Path,
    rejected: _Rejected,
    options: IngestOptions,
    on_rows: OnRows | None,
) -> Settled:
    """Copies the good rows and settles the account; everything in here is undone on refusal."""
    before = _stamp(path)
    rows = 0
    try:
        with (
            closing(_ahead(_blocks(examination, entry.file_id, rejected), options.blocks_ahead)) as blocks,
            RawCopy(connection, contract, entry.file_id, path.name, options) as copy,
        ):
            for data, height, beside in blocks:
                copy.write(data, beside)
                rows += height
                fault.reach("block_copied")
                if on_rows:
                    on_rows(rows)
    except psycopg.DataError as problem:
        detail = f"{problem.diag.message_primary} ({problem.diag.context})"
        raise Refusal(
            "database",
            f"PostgreSQL did not take a row: {detail}",
            "Sharpen the contract so that the row goes to quarantine",
            path.name,
        ) from problem
    except FileNotFoundError as problem:
        raise Refusal("unreadable", "the file has gone from landing", RESEND, path.name) from problem
    fault.reach("copied")
    if _stamp(path) != before:
        raise Refusal(
            "changed_while_loading",
            "the file was written to while it was read",
            "Run the ingest again when it is whole",
            path.name,
        )
    return examination.settle(entry.sha256)


def values_text(set_aside: pl.DataFrame, file_id: int) -> str:
    """Values of columns that the contract lacks, as `VALUES_COPY` reads them."""
    return set_aside.select(pl.lit(file_id), LINE, "column_name", "value").write_csv(include_header=False)


def _blocks(examination: Examination, file_id: int, rejected: _Rejected) -> Iterator[CopyBlock]:
    beside: tuple[str, ...] = ()
    for checked in examination.blocks():
        rejected.add(checked.rejects, checked.warnings, checked.set_aside)
        good, beside = widened(checked.good, beside)
        if good.height:
            yield copy_text(good, file_id, checked.is_erased, beside), good.height, beside


def _ahead(items: Iterator[CopyBlock], depth: int) -> Iterator[CopyBlock]:
    """Runs an iterator in a thread of its own, up to `depth` items ahead; its exceptions come out here."""
    waiting: queue.Queue = queue.Queue(depth)
    stopped, done = threading.Event(), object()

    def put(item: object) -> bool:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def run() -> None:
        try:
            for item in items:
                if not put(item):
                    return
            put(done)
        except BaseException as problem:  # handed over to the consumer, which raises it
            put(problem)

    thread = threading.Thread(target=run, name="ingestion-reader", daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not done:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        thread.join()


class _Rejected:
    """Rejected rows, warnings and values set aside of one file, spooled until COPY of the data is over."""

    def __init__(self, contract: Contract, file_id: int, options: IngestOptions) -> None:
        self._contract, self._file_id, self._characters = contract, file_id, options.raw_text_characters
        self.count = self.warned = 0

    def __enter__(self) -> _Rejected:
        self._rows, self._warnings, self._values = self._spool(), self._spool(), self._spool()
        self._row_writer = csv.writer(self._rows, lineterminator="\n")
        self._warning_writer = csv.writer(self._warnings, lineterminator="\n")
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()
        self._warnings.close()
        self._values.close()

    def _spool(self) -> IO[str]:
        return tempfile.SpooledTemporaryFile(
            SPOOL_IN_MEMORY, "w+", encoding="utf-8", newline="", prefix="c360-rejected-"
        )

    def add(self, rejects: list[Reject], warnings: list[Warned], set_aside: pl.DataFrame | None = None) -> None:
        """Keeps rejected rows, warnings and values set aside of one block."""
        for reject in rejects:
            raw = _printable(reject.raw_text[: self._characters])
            self._row_writer.writerow(
                [
                    self._file_id,
                    reject.line,
                    self._contract.source,
                    self._contract.table,
                    reject.rule,
                    reject.column,
                    _printable(reject.message)[:MESSAGE_CHARACTERS],
                    raw,
                    reject.amount,
                ]
            )
        for warning in warnings:
            self._warning_writer.writerow([self._file_id, warning.line, warning.rule, warning.column])
        if set_aside is not None:
            self._values.write(values_text(set_aside, self._file_id))
        self.count += len(rejects)
        self.warned += len({warning.line for warning in warnings})

    def copy_to_quarantine(self, connection: psycopg.Connection, limit: int | None = None) -> int:
        """Writes the rejected rows, at most `limit`, and gives their number."""
        kept = self.count if limit is None else min(limit, self.count)
        self._copy(
            connection,
            self._rows,
            kept,
            "copy quarantine.row (file_id, line, source_system, table_name, rule, column_name, message, raw_text, "
            "amount) from stdin (format csv, force_not_null (message, raw_text))",
        )
        return kept

    def copy_warnings(self, connection: psycopg.Connection) -> None:
        """Writes the warnings, and the values of loaded rows that were set aside."""
        self._copy(connection, self._values, None, VALUES_COPY)
        self._copy(
            connection,
            self._warnings,
            None,
            "copy quarantine.warning (file_id, line, rule, column_name) from stdin (format csv)",
        )

    def _copy(self, connection: psycopg.Connection, spool: IO[str], limit: int | None, statement: str) -> None:
        if not spool.tell():
            return
        spool.seek(0)
        lines = spool if limit is None else islice(spool, limit)
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            while chunk := "".join(islice(lines, 10_000)):
                copy.write(chunk)


def _printable(text: str) -> str:
    """Raw text on one line, without what PostgreSQL cannot hold."""
    return text.replace("\0", "␀").replace("\n", "␊").encode("utf-8", "backslashreplace").decode("utf-8")


def _with_kept(refusal: Refusal, kept: int, count: int) -> Refusal:
    if kept < count:
        refusal.advice += f" (quarantine keeps the first {kept:,} of {count:,} rejected rows)"
    return refusal


def _remarks(examination: Examination, entry: ledger.FileRow) -> str | None:
    """What the reader of the ledger should know of a loaded file."""
    remarks, cut_off = [], examination.contract.cut_off
    if cut_off and entry.received_at < cut_off.ends(entry.business_date):
        remarks.append(f"received before the cut-off at {cut_off.at:%H:%M} of its day: what came after is not in it")
    if examination.tally.quarantined:
        remarks.append(f"quarantined: {examination.broken_rules()}")
    if examination.tally.amounts_unreadable:
        remarks.append(
            f"{examination.tally.amounts_unreadable:,} quarantined amounts cannot be read (difference to the total)"
        )
    if examination.warned:
        remarks.append(
            "flagged: " + ", ".join(f"{rule} {column} {n:,}" for (rule, column), n in examination.warned.most_common(5))
        )
    drift = examination.drift
    remarks += [f"{seen.kind} {seen.column!r} ({seen.policy})" for seen in drift[:DRIFT_NAMED]]
    if len(drift) > DRIFT_NAMED:
        remarks.append(f"{len(drift) - DRIFT_NAMED} more in ops.drift")
    return "; ".join(remarks) or None


def analyze(connection: psycopg.Connection, contract: Contract, rows: int, options: IngestOptions) -> None:
    """Statistics belong to the load: a later step took 30 s instead of 0.1 s without them.

    Raw is read file by file, so a small sample does; PostgreSQL's own takes longer than the COPY of 100,000 rows. The
    index of files takes up the new pages at once: those that it does not know yet are read for every file.
    """
    if not rows:
        return
    index = f'"{raw_schema(contract.source)}"."{contract.table}_file_brin"'
    connection.execute("select brin_summarize_new_values(%s::regclass)", [index])
    table = sql.SQL("{}.{}").format(sql.Identifier(raw_schema(contract.source)), sql.Identifier(contract.table))
    known = connection.execute(
        "select reltuples from pg_class where oid = to_regclass(%s)",
        [f'"{raw_schema(contract.source)}"."{contract.table}"'],
    ).fetchone()
    if known is None or known[0] <= 0 or rows >= options.analyze_share * known[0]:
        target = sql.Literal(options.analyze_target)
        connection.execute(sql.SQL("set local default_statistics_target = {}").format(target))
        connection.execute(sql.SQL("analyze {}").format(table))


def _stamp(path: Path) -> tuple[int, int]:
    stat = os.stat(path)
    return stat.st_size, stat.st_mtime_ns
