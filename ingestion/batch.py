"""The loading of a batch: one business date of one source (DESIGN decision 3).

Received first: all files are hashed, their receipts written beside them and committed to the ledger. Then each file is
loaded in a transaction of its own. Then the batch is settled: complete when every contracted file is loaded. At any
instant the process may die; running `ingest` again goes on where it stopped, and running it once more does nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg

from ingestion import fault, ledger
from ingestion.contract import Contract, load_contracts
from ingestion.disk import writing_to
from ingestion.landing import Landed, declared_name, look, readable_name, why_copy, why_unknown
from ingestion.load import load_file
from ingestion.memory import keep_freed_memory
from ingestion.options import IngestOptions
from ingestion.readers.text import RESEND
from ingestion.receipt import file_id, file_sha256, receive
from ingestion.refusal import Refusal
from warehouse.connection import connect
from warehouse.settings import get_settings

HASHERS = 2


@dataclass(frozen=True)
class FileReport:
    """What became of one file.

    Attributes:
        state: State in the ledger: loaded, refused, duplicate, superseded, unknown, received.
        already: True where it was loaded before and this run had nothing to do.
    """

    file_name: str
    table: str | None
    sequence: int
    state: str
    already: bool
    rows_sent: int | None
    rows_loaded: int | None
    rows_quarantined: int | None
    rows_warned: int | None
    message: str | None


@dataclass
class BatchReport:
    """What became of a source's business date.

    Attributes:
        batch_id: The latest batch; corrections open batches of their own.
        state: ``complete`` when all its batches are; ``refused`` when a file was refused; else ``open``.
        known_at: Time of receipt by which all of it was known; None until complete.
        missing: Contracted files that are not there.
    """

    source: str
    business_date: date
    batch_id: str = ""
    state: str = "open"
    known_at: datetime | None = None
    files: list[FileReport] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """True when everything contracted is loaded."""
        return self.state == "complete"


Progress = Callable[[str, str, int, int, int], None]
"""Called with table, event (`receive`, `rows`, or the file's state), position of the file, number of files, rows."""


class NothingLanded(Refusal):
    """There is no contract for the source, or no folder for the business date."""


def ingest(
    source: str,
    business_date: date,
    *,
    connection: psycopg.Connection | None = None,
    landing: Path | None = None,
    contracts: Mapping[str, Mapping[str, Contract]] | None = None,
    options: IngestOptions | None = None,
    progress: Progress | None = None,
) -> BatchReport:
    """Receives and loads what lies in `landing/<source>/<business date>/`.

    Args:
        source: Source system, the name of a folder of contracts.
        business_date: Business date of the batch.
        connection: Connection to use, no transaction open; its autocommit mode is given back. None opens one.
        landing: Folder of landing; of the settings if not given.
        contracts: Contracts by source and table; those of `ingestion/contracts` if not given.
        options: Settings of ingestion; from the environment if not given.
        progress: Called as files are received and loaded.

    Returns:
        The report; bad files are in it, they raise nothing.

    Raises:
        NothingLanded: The source has no contracts, or nothing was landed for the date.
        DiskFull: There was no room in landing, for temporary files or in the database.
    """
    keep_freed_memory()
    tables = (contracts if contracts is not None else load_contracts()).get(source)
    if not tables:
        raise NothingLanded(
            "source", f"there are no contracts of a source {source!r}", "Check the name of the source", source
        )
    folder = (landing or get_settings().landing) / source / business_date.isoformat()
    if not folder.is_dir():
        raise NothingLanded(
            "landing",
            f"nothing was landed for {business_date}: there is no folder {folder.parent.name}/{folder.name} in landing",
            "Put the files there or check the date",
            source,
        )
    with writing_to(folder), _autocommit(connection) as session, only_loader(session, source, business_date):
        return _Ingest(session, source, business_date, folder, tables, options or IngestOptions(), progress).run()


@contextmanager
def _autocommit(connection: psycopg.Connection | None) -> Iterator[psycopg.Connection]:
    if connection is None:
        with connect(autocommit=True) as own:
            yield own
        return
    before = connection.autocommit
    connection.autocommit = True
    try:
        yield connection
    finally:
        if not connection.closed:
            connection.autocommit = before


@contextmanager
def only_loader(connection: psycopg.Connection, source: str, business_date: date) -> Iterator[None]:
    """Two loaders at once on one source and date: the second waits, then finds nothing to do."""
    key = file_id(source, "", business_date, 0, "")
    connection.execute("select pg_advisory_lock(%s)", [key])
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(%s)", [key])


class _Ingest:
    """One run over one folder."""

    def __init__(
        self,
        connection: psycopg.Connection,
        source: str,
        business_date: date,
        folder: Path,
        contracts: Mapping[str, Contract],
        options: IngestOptions,
        progress: Progress | None,
    ) -> None:
        self._connection, self._source, self._date, self._folder = connection, source, business_date, folder
        self._contracts, self._options, self._progress = contracts, options, progress or (lambda *_: None)
        self._landing = look(folder, contracts, business_date)
        self._owed = ledger.owed(connection, contracts, business_date)
        self._gaps = ledger.gaps(connection, source, contracts, business_date)
        self._entries: dict[Path, ledger.FileRow] = {}
        self._already: set[int] = set()
        self._set_aside: set[int] = set()

    def run(self) -> BatchReport:
        self._receive()
        fault.reach("received")
        missing: dict[int, list[str]] = {}
        for sequence in self._sequences():
            waits = self._waits(sequence)
            if not waits:
                self._load(sequence)
            missing[sequence] = self._missing(sequence)
            self._settle(sequence, missing[sequence], waits)
        fault.reach("complete")
        return self._report(missing)

    def _sequences(self) -> list[int]:
        known = {row.sequence for row in ledger.batches(self._connection, self._source, self._date)}
        return sorted(known | {1} | {landed.sequence for landed in self._landing.files})

    def _receive(self) -> None:
        """Hashes all files, writes their receipts, enters them into the ledger in one transaction."""
        with ThreadPoolExecutor(HASHERS) as hashers:
            arrivals = list(hashers.map(_arrival, self._landing.files))
            unknown = dict(
                zip(self._landing.unknown, hashers.map(_sha256_of_unknown, self._landing.unknown), strict=True)
            )
        fault.reach("receipt_written")
        with self._connection.transaction():
            ledger.agree(self._connection, self._source, self._contracts)
            ledger.open_batch(self._connection, self._source, self._date, 1)
            known = ledger.files(self._connection, self._source, self._date)
            loaded = {(row.table_name, row.sequence): row for row in known if row.is_loaded}
            arrivals = self._without_copies(arrivals, [row for row in known if row.is_loaded])
            for sequence in sorted({arrival.landed.sequence for arrival in arrivals}):
                ledger.open_batch(self._connection, self._source, self._date, sequence)
            for position, arrival in enumerate(arrivals, start=1):
                landed = arrival.landed
                self._progress(landed.contract.table, "receive", position, len(arrivals), 0)
                self._enter(arrival, loaded.get((landed.contract.table, landed.sequence)))
            expected = [contract.file_name(self._date) for contract in self._contracts.values()]
            for path, sha256 in unknown.items():
                copies = [a.landed.path.name for a in arrivals if a.sha256 == sha256]
                self._enter_aside(path, sha256, why_copy(path, copies[0]) if copies else why_unknown(path, expected))

    def _without_copies(self, arrivals: list[_Arrival], loaded: list[ledger.FileRow]) -> list[_Arrival]:
        """Sets corrections aside that correct nothing: their content is that of the file they would correct."""
        kept: list[_Arrival] = []
        for arrival in arrivals:
            landed, table = arrival.landed, arrival.landed.contract.table
            content = (table, arrival.sha256)
            earlier = [a.landed.path.name for a in kept if (a.landed.contract.table, a.sha256) == content]
            earlier += [
                row.file_name
                for row in loaded
                if (row.table_name, row.sha256) == content and row.sequence < landed.sequence
            ]
            if landed.correction and earlier:
                self._enter_aside(landed.path, arrival.sha256, why_copy(landed.path, earlier[0]))
                self._landing.files.remove(landed)
                self._landing.unknown.append(landed.path)
            else:
                kept.append(arrival)
        return kept

    def _enter(self, arrival: _Arrival, loaded: ledger.FileRow | None) -> None:
        landed = arrival.landed
        key = file_id(self._source, landed.contract.table, self._date, landed.sequence, arrival.sha256)
        if loaded is not None and loaded.file_id == key:
            self._already.add(key)
            self._entries[landed.path] = loaded
            return
        entry = ledger.register(
            self._connection,
            file_id=key,
            source=self._source,
            table=landed.contract.table,
            business_date=self._date,
            sequence=landed.sequence,
            file_name=landed.path.name,
            size=arrival.size,
            sha256=arrival.sha256,
            received_at=arrival.received_at,
        )
        ledger.received_again(self._connection, key, arrival.received_at)
        if loaded is not None:
            self._refuse_undeclared(landed, entry, loaded)
            self._set_aside.add(key)
        else:
            ledger.replace_refused(self._connection, entry)
            if arrival.refusal is not None:
                ledger.refused(self._connection, key, arrival.refusal)
                self._set_aside.add(key)
            elif landed.contract.change.kind != "full":
                self._refuse_replayed(landed, entry)
        self._entries[landed.path] = ledger.file(self._connection, key)

    def _refuse_undeclared(self, landed: Landed, entry: ledger.FileRow, loaded: ledger.FileRow) -> None:
        """Other content under the name of a loaded file is a correction, and a correction is declared."""
        refusal = Refusal(
            "correction_undeclared",
            f"a file of this name with other content (SHA-256 {loaded.sha256[:12]}…) is loaded",
            f"Send it as a declared correction under the name {declared_name(landed)}",
            landed.path.name,
        )
        ledger.refused(self._connection, entry.file_id, refusal)

    def _refuse_replayed(self, landed: Landed, entry: ledger.FileRow) -> None:
        """Rows that were loaded for another business date are not new rows or changes of this one."""
        table = landed.contract.table
        twin = ledger.loaded_elsewhere(self._connection, self._source, table, entry.sha256, entry.file_id)
        if twin is None:
            return
        refusal = Refusal(
            "duplicate",
            f"the same rows were loaded from {twin['file_name']} of {twin['business_date']}",
            f"Ask the sender for the file of {self._date}, replace it in landing and run the ingest again",
            landed.path.name,
        )
        ledger.refused(self._connection, entry.file_id, refusal, state="duplicate")
        self._set_aside.add(entry.file_id)

    def _enter_aside(self, path: Path, sha256: str, refusal: Refusal) -> None:
        """Enters a file that is no part of a batch: unknown, or a copy."""
        name = readable_name(path)
        self._entries[path] = ledger.register(
            self._connection,
            file_id=file_id(self._source, f"?{name}", self._date, 1, sha256),
            source=self._source,
            table=None,
            business_date=self._date,
            sequence=1,
            file_name=name,
            size=path.lstat().st_size,
            sha256=sha256,
            received_at=datetime.now(UTC),
            state="duplicate" if refusal.rule == "duplicate" else "unknown",
            refusal=refusal,
        )

    def _load(self, sequence: int) -> None:
        files = self._landing.files
        for position, landed in enumerate(files, start=1):
            entry = self._entries[landed.path]
            if landed.sequence != sequence or entry.file_id in self._already | self._set_aside:
                continue
            table = landed.contract.table
            done = load_file(
                self._connection,
                landed.contract,
                entry,
                landed.path,
                landed.control_path,
                self._options,
                lambda rows, at=position, name=table: self._progress(name, "rows", at, len(files), rows),
            )
            self._entries[landed.path] = done
            self._progress(table, done.state, position, len(files), done.rows_loaded or 0)
            fault.reach("loaded")

    def _waits(self, sequence: int) -> str:
        """For what a batch waits before anything of it is loaded; empty where it need not."""
        if sequence > 1:
            before = ledger.batch_id(self._source, self._date, sequence - 1)
            return "" if self._is_complete(sequence - 1) else f"batch {before} to be complete"
        return why_blocked(self._gaps, self._contracts)

    def _missing(self, sequence: int) -> list[str]:
        """Contracted files of the delivery that are not there; a correction lacks nothing."""
        if sequence > 1:
            return []
        loaded = self._loaded_tables(sequence)
        there = {landed.contract.table for landed in self._landing.files if landed.sequence == sequence}
        return [
            contract.file_name(self._date)
            for table, contract in self._contracts.items()
            if table in self._owed and table not in loaded and table not in there
        ]

    def _loaded_tables(self, sequence: int) -> set[str]:
        return {
            str(row.table_name)
            for row in ledger.files(self._connection, self._source, self._date)
            if row.sequence == sequence and row.is_loaded
        }

    def _settle(self, sequence: int, missing: list[str], waits: str) -> None:
        fault.reach("before_complete")
        loaded = self._loaded_tables(sequence)
        there = [landed for landed in self._landing.files if landed.sequence == sequence]
        bad = [landed.path.name for landed in there if landed.contract.table not in loaded]
        if waits:
            state, message = "open", f"waits for {waits}"
        elif bad:
            state, message = "refused", f"not loaded: {', '.join(bad)}"
        elif missing or not loaded:
            state, message = "open", f"waits for {', '.join(missing)}" if missing else "nothing is loaded"
        else:
            state, message = "complete", why_incomplete(self._gaps) if self._gaps and sequence == 1 else None
        ledger.settle_batch(
            self._connection, ledger.batch_id(self._source, self._date, sequence), state, missing, message
        )

    def _is_complete(self, sequence: int) -> bool:
        return any(
            row.sequence == sequence and row.state == "complete"
            for row in ledger.batches(self._connection, self._source, self._date)
        )

    def _report(self, missing: dict[int, list[str]]) -> BatchReport:
        rows = ledger.batches(self._connection, self._source, self._date)
        states = {row.state for row in rows}
        report = BatchReport(self._source, self._date, rows[-1].batch_id)
        report.state = next(state for state in ("refused", "open", "complete") if state in states)
        report.known_at = rows[-1].known_at if report.is_complete else None
        report.missing = [] if report.is_complete else [name for names in missing.values() for name in names]
        report.messages = [f"{row.batch_id}: {row.message}" for row in rows if row.message]
        current = {row.file_id: row for row in ledger.files(self._connection, self._source, self._date)}
        for path in [landed.path for landed in self._landing.files] + self._landing.unknown:
            entry = current[self._entries[path].file_id]
            report.files.append(
                FileReport(
                    file_name=entry.file_name,
                    table=entry.table_name,
                    sequence=entry.sequence,
                    state=entry.state,
                    already=entry.file_id in self._already,
                    rows_sent=entry.rows_sent,
                    rows_loaded=entry.rows_loaded,
                    rows_quarantined=entry.rows_quarantined,
                    rows_warned=entry.rows_warned,
                    message=entry.message,
                )
            )
        return report


def why_blocked(gaps: Mapping[str, date], contracts: Mapping[str, Contract]) -> str:
    """Names of the files before this date without which the contracts let nothing of it be loaded."""
    blocking = {table: contracts[table].delivery for table in gaps}
    return ", ".join(
        contracts[table].file_name(gaps[table]) for table, terms in blocking.items() if terms and terms.gap == "block"
    )


def why_incomplete(gaps: Mapping[str, date]) -> str:
    """Says what had not come when a batch was loaded."""
    return "loaded before " + ", ".join(f"{table} of {day}" for table, day in gaps.items())


@dataclass(frozen=True)
class _Arrival:
    """A file as it was found: size, hash, time of receipt; why it cannot even be read."""

    landed: Landed
    size: int
    sha256: str
    received_at: datetime
    refusal: Refusal | None = None


def _arrival(landed: Landed) -> _Arrival:
    """Receives a file; a control file that came later moves its time of receipt."""
    try:
        receipt = receive(landed.path)
    except OSError as problem:
        refusal = Refusal("unreadable", f"the file cannot be read ({problem.strerror})", RESEND, landed.path.name)
        return _Arrival(landed, 0, hashlib.sha256(b"").hexdigest(), datetime.now(UTC), refusal)
    received_at = receipt.received_at
    with suppress(OSError):
        if landed.control_path is not None and landed.control_path.exists():
            received_at = max(received_at, receive(landed.control_path).received_at)
    return _Arrival(landed, receipt.bytes, receipt.sha256, received_at)


def _sha256_of_unknown(path: Path) -> str:
    """Hash of a file that no contract claims; of a link, of where it points, since it is not followed."""
    if path.is_symlink():
        return hashlib.sha256(os.fsencode(path.readlink())).hexdigest()
    try:
        return file_sha256(path)
    except OSError:  # nobody may read it, and nobody has to
        return hashlib.sha256(b"").hexdigest()
