"""The ledger in `ops`: statements on batches and files, no decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import psycopg
from psycopg.rows import class_row, dict_row

from ingestion.contract import Contract
from ingestion.control import Settled
from ingestion.readers.base import DriftSeen
from ingestion.refusal import Refusal
from warehouse.code_version import code_version

PROGRAMS = ("ingestion/*.py", "ingestion/readers/*.py")
"""Those that decide what is loaded of a file."""

IS_LOADED = ("loaded", "superseded")


@dataclass(frozen=True)
class FileRow:
    """A file as the ledger knows it."""

    file_id: int
    batch_id: str
    table_name: str | None
    business_date: date
    sequence: int
    file_name: str
    sha256: str
    received_at: datetime
    state: str
    rule: str | None
    message: str | None
    rows_sent: int | None
    rows_loaded: int | None
    rows_quarantined: int | None
    rows_warned: int | None

    @property
    def is_loaded(self) -> bool:
        """True where its rows stand in the raw table."""
        return self.state in IS_LOADED


@dataclass(frozen=True)
class BatchRow:
    """A batch as the ledger knows it."""

    batch_id: str
    sequence: int
    state: str
    known_at: datetime | None
    missing_files: list[str]
    message: str | None


_FILE = """
select file_id, batch_id, table_name, business_date, sequence, file_name, sha256, received_at, state, rule, message,
    rows_sent, rows_loaded, rows_quarantined, rows_warned
from ops.source_file
"""


def batch_id(source: str, business_date: date, sequence: int, release: int = 0) -> str:
    """`source/business date/sequence`; rows out of quarantine are the batch `…/q<lot>`."""
    return f"{source}/{business_date.isoformat()}/{sequence}" + (f"/q{release}" if release else "")


def open_batch(connection: psycopg.Connection, source: str, business_date: date, sequence: int) -> str:
    """Makes the batch where it is not there yet and gives its id."""
    key = batch_id(source, business_date, sequence)
    connection.execute(
        """
        insert into ops.batch (batch_id, source_system, business_date, sequence, state)
        values (%s, %s, %s, %s, 'open')
        on conflict (batch_id) do nothing
        """,
        [key, source, business_date, sequence],
    )
    return key


def batches(connection: psycopg.Connection, source: str, business_date: date) -> list[BatchRow]:
    """What the source sent for one business date, by sequence; without what was let out of quarantine."""
    with connection.cursor(row_factory=class_row(BatchRow)) as cursor:
        return cursor.execute(
            """
            select batch_id, sequence, state, known_at, missing_files, message
            from ops.batch
            where source_system = %s and business_date = %s and release = 0
            order by sequence
            """,
            [source, business_date],
        ).fetchall()


def register(
    connection: psycopg.Connection,
    *,
    file_id: int,
    source: str,
    table: str | None,
    business_date: date,
    sequence: int,
    file_name: str,
    size: int,
    sha256: str,
    received_at: datetime,
    state: str = "received",
    refusal: Refusal | None = None,
) -> FileRow:
    """Enters a file and gives its row; one that is there already stays as it is."""
    connection.execute(
        """
        insert into ops.source_file (
            file_id, batch_id, source_system, table_name, business_date, sequence, file_name, bytes, sha256,
            received_at, state, rule, message, due_at
        )
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, (
            select ops.due_at(days, latency, available_at, %s)
            from ops.delivery_term
            where source_system = %s and table_name = %s
        ))
        on conflict (file_id) do nothing
        """,
        [
            file_id, batch_id(source, business_date, sequence), source, table, business_date, sequence, file_name, size,
            sha256, received_at, state, refusal and refusal.rule, refusal and str(refusal),
            business_date, source, table,
        ],
    )  # fmt: skip
    return file(connection, file_id)


def agree(connection: psycopg.Connection, source: str, contracts: Mapping[str, Contract]) -> None:
    """Enters when each table of a source is owed, as its contract has it now."""
    terms = [
        (
            source,
            table,
            contract.delivery.days,
            contract.delivery.latency,
            contract.delivery.available_at,
            contract.version,
        )
        for table, contract in contracts.items()
        if not contract.optional and contract.delivery is not None and contract.delivery.available_at is not None
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from ops.delivery_term where source_system = %s and table_name <> all (%s)",
            [source, [table for _, table, *_ in terms]],
        )
        cursor.executemany(
            """
            insert into ops.delivery_term as term
                (source_system, table_name, days, latency, available_at, contract_version)
            values (%s, %s, %s, %s, %s, %s)
            on conflict (source_system, table_name) do update
            set
                days = excluded.days,
                latency = excluded.latency,
                available_at = excluded.available_at,
                contract_version = excluded.contract_version
            where (term.days, term.latency, term.available_at, term.contract_version)
                is distinct from (excluded.days, excluded.latency, excluded.available_at, excluded.contract_version)
            """,
            terms,
        )


def owed(connection: psycopg.Connection, contracts: Mapping[str, Contract], business_date: date) -> set[str]:
    """Tables without whose file the batch of a business date is not whole."""
    days = {table: contract.delivery.days for table, contract in contracts.items() if contract.delivery is not None}
    rows = connection.execute(
        "select days from unnest(%s::text[]) as days where ops.is_delivery_day(days, %s)",
        [sorted(set(days.values())), business_date],
    ).fetchall()
    today = {name for (name,) in rows}
    return {
        table for table, contract in contracts.items() if not contract.optional and days.get(table, "") in today | {""}
    }


def gaps(
    connection: psycopg.Connection, source: str, contracts: Mapping[str, Contract], business_date: date
) -> dict[str, date]:
    """Tables whose last file before a business date has not come, with its business date.

    The first delivery of a table has none before it.
    """
    terms = {
        table: contract.delivery.days
        for table, contract in contracts.items()
        if contract.delivery is not None and contract.delivery.gap != "ignore" and not contract.optional
    }
    return dict(
        connection.execute(
            """
            with day_before as (
                select days, (
                    select max(day)::date
                    from generate_series(%(date)s::date - 31, %(date)s::date - 1, interval '1 day') as day
                    where ops.is_delivery_day(days, day::date)
                ) as business_date
                from (select distinct unnest(%(days)s::text[]) as days) as kind
            )

            select owed.table_name, day_before.business_date
            from unnest(%(tables)s::text[], %(days)s::text[]) as owed (table_name, days)
            inner join day_before on owed.days = day_before.days
            where
                exists (
                    select 1 from ops.source_file as file
                    where file.source_system = %(source)s and file.table_name = owed.table_name
                        and file.business_date < day_before.business_date and file.state in ('loaded', 'superseded')
                )
                and not exists (
                    select 1 from ops.source_file as file
                    where file.source_system = %(source)s and file.table_name = owed.table_name
                        and file.business_date = day_before.business_date and file.state in ('loaded', 'superseded')
                )
            order by owed.table_name
            """,
            {"date": business_date, "source": source, "tables": list(terms), "days": list(terms.values())},
        ).fetchall()
    )


def file(connection: psycopg.Connection, file_id: int, lock: bool = False) -> FileRow:
    """A file by id, locked against other loaders until the transaction ends if asked for."""
    with connection.cursor(row_factory=class_row(FileRow)) as cursor:
        found = cursor.execute(f"{_FILE} where file_id = %s" + (" for update" if lock else ""), [file_id]).fetchone()
    assert found is not None, f"file {file_id} is not registered"
    return found


def files(connection: psycopg.Connection, source: str, business_date: date) -> list[FileRow]:
    """All files that a source sent for one business date."""
    with connection.cursor(row_factory=class_row(FileRow)) as cursor:
        return cursor.execute(
            f"""
            {_FILE}
            where source_system = %s and business_date = %s and release = 0
            order by sequence, table_name collate "C", file_name collate "C", file_id
            """,
            [source, business_date],
        ).fetchall()


def loaded_elsewhere(connection: psycopg.Connection, source: str, table: str, sha256: str, file_id: int) -> dict | None:
    """Another loaded file of the table with this content and at least one row."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """
            select file_name, business_date
            from ops.source_file
            where source_system = %s and table_name = %s and sha256 = %s and file_id <> %s
                and state in ('loaded', 'superseded') and rows_sent > 0 and release = 0
            order by business_date
            limit 1
            """,
            [source, table, sha256, file_id],
        ).fetchone()


def replace_refused(connection: psycopg.Connection, by: FileRow) -> None:
    """Files of the table that were never loaded give way to the one that now stands in landing."""
    connection.execute(
        """
        update ops.source_file
        set state = 'replaced'
        where batch_id = %s and table_name = %s and file_id <> %s and state in ('received', 'refused', 'duplicate')
        """,
        [by.batch_id, by.table_name, by.file_id],
    )


def received_again(connection: psycopg.Connection, file_id: int, received_at: datetime) -> None:
    """A file that is not loaded stands in landing (again); a control file that came later moves its receipt."""
    connection.execute(
        """
        update ops.source_file
        set
            state = case when state in ('replaced', 'duplicate') then 'received' else state end,
            received_at = %s
        where file_id = %s and state in ('received', 'refused', 'duplicate', 'replaced')
        """,
        [received_at, file_id],
    )


def refused(connection: psycopg.Connection, file_id: int, refusal: Refusal, state: str = "refused") -> None:
    """Enters a refusal."""
    connection.execute(
        "update ops.source_file set state = %s, rule = %s, line = %s, message = %s where file_id = %s",
        [state, refusal.rule, refusal.line, str(refusal), file_id],
    )


def loaded(
    connection: psycopg.Connection,
    file_id: int,
    account: Settled,
    rows_warned: int,
    drift: Sequence[DriftSeen],
    contract_version: str,
    message: str | None,
) -> None:
    """Enters the account of a loaded file and in what it differed from its contract."""
    connection.execute(
        """
        update ops.source_file
        set
            state = 'loaded',
            rule = null,
            line = null,
            message = %(message)s,
            rows_sent = %(rows_sent)s,
            rows_loaded = %(rows_loaded)s,
            rows_quarantined = %(rows_quarantined)s,
            rows_erased = %(rows_erased)s,
            rows_warned = %(rows_warned)s,
            amount_sent = %(amount_sent)s,
            amount_loaded = %(amount_loaded)s,
            amount_quarantined = %(amount_quarantined)s,
            amount_erased = case when %(amount_sent)s::numeric is not null then %(amount_erased)s::numeric end,
            counted_by = %(counted_by)s,
            contract_version = %(contract_version)s,
            code_version = %(code_version)s,
            loaded_at = clock_timestamp()
        where file_id = %(file_id)s
        """,
        {
            "file_id": file_id,
            "message": message,
            "rows_sent": account.rows_sent,
            "rows_loaded": account.rows_loaded,
            "rows_quarantined": account.rows_quarantined,
            "rows_erased": account.rows_erased,
            "rows_warned": rows_warned,
            "amount_sent": account.amount_sent,
            "amount_loaded": account.amount_loaded,
            "amount_quarantined": account.amount_quarantined,
            "amount_erased": account.amount_erased,
            "counted_by": account.counted_by,
            "contract_version": contract_version,
            "code_version": code_version(*PROGRAMS),
        },
    )
    for seen in drift:
        connection.execute(
            """
            insert into ops.drift (file_id, kind, column_name, policy, kept_as)
            select file.file_id, %(kind)s, %(column)s, %(policy)s, evolved.column_name
            from ops.source_file as file
            left join ops.evolved_column as evolved
                on
                    file.source_system = evolved.source_system
                    and file.table_name = evolved.table_name
                    and evolved.kind = %(kind)s
                    and evolved.sent_as = %(column)s
                    and %(policy)s = 'evolve'
            where file.file_id = %(file_id)s
            on conflict do nothing
            """,
            {"file_id": file_id, "kind": seen.kind, "column": seen.column, "policy": seen.policy},
        )


def supersede(connection: psycopg.Connection, file_id: int) -> None:
    """A loaded correction supersedes the earlier files of its table and business date."""
    connection.execute(
        """
        update ops.source_file as earlier
        set state = 'superseded', superseded_by = correction.file_id
        from ops.source_file as correction
        where correction.file_id = %s
            and earlier.source_system = correction.source_system
            and earlier.table_name = correction.table_name
            and earlier.business_date = correction.business_date
            and earlier.sequence < correction.sequence
            and earlier.state in ('loaded', 'superseded')
        """,
        [file_id],
    )


def open_release(connection: psycopg.Connection, source: str, of: FileRow, file_id: int, decided_at: datetime) -> str:
    """Enters the next lot of rows out of the quarantine of a file, as a batch and an entry of its own.

    Args:
        connection: Connection in a transaction that holds the loader's lock on the source and date.
        source: Source system.
        of: The file in whose quarantine the rows lie.
        file_id: Id of the new entry.
        decided_at: When it was decided; the time of receipt of the lot, since nothing of it was known before.

    Returns:
        The id of the batch, which is open.
    """
    lot = connection.execute(
        """
        select coalesce(max(release), 0) + 1
        from ops.batch
        where source_system = %s and business_date = %s and sequence = %s
        """,
        [source, of.business_date, of.sequence],
    ).fetchone()[0]  # type: ignore[index]
    key = batch_id(source, of.business_date, of.sequence, lot)
    connection.execute(
        """
        insert into ops.batch (batch_id, source_system, business_date, sequence, release, state)
        values (%s, %s, %s, %s, %s, 'open')
        """,
        [key, source, of.business_date, of.sequence, lot],
    )
    connection.execute(
        """
        insert into ops.source_file (
            file_id, batch_id, source_system, table_name, business_date, sequence, release, released_from, file_name,
            bytes, sha256, received_at, state
        )
        select
            %s, %s, source_system, table_name, business_date, sequence, %s, file_id, file_name, bytes, sha256, %s,
            'received'
        from ops.source_file
        where file_id = %s
        """,
        [file_id, key, lot, decided_at, of.file_id],
    )
    return key


def settle_batch(
    connection: psycopg.Connection, batch_id: str, state: str, missing: Sequence[str], message: str | None
) -> None:
    """Enters the state of a batch; completing it fixes `known_at` to the latest receipt of its loaded files.

    Statistics of the ledger belong to it: every staging view joins it, and without them the planner takes it for empty.
    """
    connection.execute(
        """
        update ops.batch
        set
            state = %(state)s,
            missing_files = %(missing)s,
            message = %(message)s,
            known_at = case when %(state)s = 'complete' then (
                select max(source_file.received_at)
                from ops.source_file
                where source_file.batch_id = batch.batch_id and source_file.state in ('loaded', 'superseded')
            ) end,
            completed_at = case when %(state)s = 'complete' then clock_timestamp() end
        where batch_id = %(batch_id)s and state <> 'complete'
        """,
        {"state": state, "missing": list(missing), "message": message, "batch_id": batch_id},
    )
    connection.execute("analyze ops.batch, ops.source_file")
