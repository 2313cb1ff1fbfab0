"""Erasure of a person from raw and quarantine (DESIGN decision 9; 个人信息保护法, article 47).

A request names a key of one source: the customer, cardholder or consumer. The contracts say what is personal (class C2
or C3, neither key nor amount) and of whom a row speaks (relationships marked `data_subject`). Erasing overwrites the
personal columns of all rows that speak of the person, also by way of an account or a complaint, and the text of
rejected rows; keys and amounts stay, and the ledger counts the rows as erased.

Another than the requester approves (复核), and a hold may be placed on it at any time; each decision is kept with login
and reason. A request never ends: its keys are tombstones (`ops.erased_key`), and what a source sends later lands
overwritten. Rows under a legal hold are left alone until it is over; running again erases what it has let go meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

import polars as pl
import psycopg
from psycopg import sql
from sqlalchemy import select
from sqlalchemy.orm import Session

from ingestion import disposal
from ingestion.contract import TEXTS, Column, Contract, FixedWidth
from ingestion.evolution import with_evolved
from ingestion.models import Erasure
from ingestion.raw_ddl import raw_schema
from ingestion.readers.base import LINE
from ingestion.refusal import Refusal
from ingestion.validation import FULL_WIDTH, INTEGERS, value_of

ERASED = "[erased]"
Progress = Callable[[int, int, str], None]
Verdict = Literal["approve", "reject", "hold"]


@dataclass(frozen=True)
class Overwritten:
    """Rows as they land: those of erased persons without their personal values.

    Attributes:
        is_erased: True for the rows that were overwritten, `erased` of them; None where there are none.
    """

    rows: pl.DataFrame
    erased: int = 0
    amount: Decimal = Decimal(0)
    is_erased: pl.Series | None = None


@dataclass
class ErasureReport:
    """What one run overwrote: rows of raw and of quarantine by table of a source; of the warehouse by relation."""

    raw: dict[str, int] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    warehouse: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """All rows that were overwritten."""
        return sum(sum(rows.values()) for rows in (self.raw, self.quarantined, self.warehouse))


class Tombstones:
    """Overwrites what a file brings of erased persons.

    Args:
        contract: Contract of the file.
        keys: Erased keys by the table that they are keys of.
    """

    def __init__(self, contract: Contract, keys: Mapping[str, list[str]]) -> None:
        columns = [(contract.by_name[name], keys[table]) for name, table in contract.subjects.items() if table in keys]
        self.contract, self._amount = contract, contract.control.amount_column
        self._is_erased = [_as_text(column).is_in(erased) for column, erased in columns]
        self._marks = {c.name: pl.lit(_mark(c), pl.String()) for c in contract.personal_columns}

    def __bool__(self) -> bool:
        return bool(self._is_erased)

    def __call__(self, good: pl.DataFrame) -> Overwritten:
        """Overwrites the rows in which a personal value of an erased person stands; what no contract names is one."""
        if not self:
            return Overwritten(good)
        beside = (name for name in good.columns if name != LINE and name not in self.contract.by_name)
        marks = self._marks | {name: pl.lit(None, pl.String()) for name in beside}
        if not marks:
            return Overwritten(good)
        differs = pl.any_horizontal([pl.col(n).cast(pl.String).ne_missing(mark) for n, mark in marks.items()])
        hit = good.select(pl.any_horizontal(self._is_erased).fill_null(False) & differs).to_series()
        if not hit.any():
            return Overwritten(good)
        amount = self._amount and good.filter(hit).select(value_of(self.contract.by_name[self._amount])).to_series()
        marked = [
            pl.when(hit).then(mark.cast(good.schema[name])).otherwise(pl.col(name)).alias(name)
            for name, mark in marks.items()
        ]
        return Overwritten(
            good.with_columns(marked), int(hit.sum()), Decimal(0 if amount is None else amount.sum() or 0), hit
        )


def tombstones(connection: psycopg.Connection, contract: Contract, business_date: date) -> Tombstones:
    """What the load of a file asks; nothing while its rows are under a legal hold."""
    if not contract.subjects or not (contract.personal_columns or contract.drift.keeps_values):
        return Tombstones(contract, {})
    keys = connection.execute(
        sql.SQL(
            """
            with due as ({due}),

            file as (select %(day)s::date as business_date)

            select due.table_name, array_agg(distinct due.key)
            from due
            cross join file
            where due.table_name = any(%(tables)s) and {let_go}
            group by due.table_name
            """
        ).format(due=_DUE, let_go=_LET_GO),
        _values(contract, disposal.today()) | {"day": business_date},
    ).fetchall()
    return Tombstones(contract, dict(keys))


def request(
    connection: psycopg.Connection,
    contracts: Mapping[str, Mapping[str, Contract]],
    source: str,
    table: str,
    key: str,
    reason: str,
    not_before: date | None = None,
) -> bool:
    """Enters a request, to be approved by another (`decide`) and carried out by `carry_out`.

    Args:
        connection: Connection of the one who requests; the login is kept.
        contracts: Contracts by source and table.
        source: Source system.
        table: Table of the source whose key names the person.
        key: The person's key there, as the source writes it.
        reason: Why, in words.
        not_before: First day on which anything may be erased, where a legal hold is known.

    Returns:
        False where it had been requested before.

    Raises:
        Refusal: ``subject``: the table names no person.
    """
    persons = subject_tables(contracts.get(source, {}))
    if table not in persons:
        raise Refusal(
            "subject",
            f"no contract of the source {source} says of {table} that its key names a person",
            f"Name one of {', '.join(persons)}" if persons else "Check the name of the source",
            f"{source}.{table}",
        )
    entered = connection.execute(
        "insert into ops.erasure (source_system, table_name, key, reason, not_before) values (%s, %s, %s, %s, %s) "
        "on conflict (source_system, table_name, key) do nothing",
        [source, table, key.strip(), reason, not_before],
    )
    return entered.rowcount == 1


def decide(
    connection: psycopg.Connection,
    erasure_id: int,
    verdict: Verdict,
    reason: str,
    hold_until: date | None = None,
) -> None:
    """Enters a decision about a request, as the login of the connection; the last one counts.

    Args:
        connection: Connection of the one who decides.
        erasure_id: Number of the request.
        verdict: `approve` (never the one who requested), `reject`, or `hold` until a day.
        reason: Why, in words.
        hold_until: First day on which anything may be erased; with `hold` only.

    Raises:
        Refusal: ``request``: there is no such request. ``approver``: the one who requested cannot approve.
    """
    try:
        entered = connection.execute(
            "insert into ops.erasure_decision (erasure_id, requested_by, verdict, hold_until, reason) "
            "select erasure_id, requested_by, %s, %s, %s from ops.erasure where erasure_id = %s",
            [verdict, hold_until, reason, erasure_id],
        )
    except psycopg.errors.CheckViolation as error:
        if error.diag.constraint_name != "requester_is_not_approver":
            raise
        raise Refusal(
            "approver",
            f"erasure {erasure_id} was requested by the same login",
            "Let another approve it: c360 erasure approve ID --reason … --as LOGIN",
            str(erasure_id),
        ) from error
    if entered.rowcount == 0:
        raise Refusal("request", f"there is no erasure {erasure_id}", "c360 erasure list names them", str(erasure_id))


def subject_tables(tables: Mapping[str, Contract]) -> list[str]:
    """Tables whose key names a person or firm: they hold its personal data and speak of nobody else."""
    return [
        name
        for name, contract in tables.items()
        if contract.personal_columns and set(contract.subjects.values()) == {name}
    ]


def requests(session: Session) -> list[Erasure]:
    """All requests with what was decided about them, as they now stand, the newest first."""
    newest_first = select(Erasure).order_by(Erasure.erasure_id.desc())
    return list(session.scalars(newest_first, execution_options={"populate_existing": True}))


def carry_out(
    connection: psycopg.Connection,
    contracts: Mapping[str, Mapping[str, Contract]],
    as_of: date | None = None,
    progress: Progress | None = None,
) -> ErasureReport:
    """Erases what may be erased of all persons for whom it was requested; running it again erases what came since.

    Args:
        connection: Autocommit connection of the loader.
        contracts: Contracts by source and table.
        as_of: Day by which legal holds are counted; today if not given.
        progress: Called with tables done, all, and the table.
    """
    as_of, report = as_of or disposal.today(), ErasureReport()
    asked = {
        source for (source,) in connection.execute("select distinct source_system from ops.approved_erasure").fetchall()
    }
    personal = [
        contract
        for source in sorted(asked & set(contracts))
        for contract in (with_evolved(connection, contract) for contract in contracts[source].values())
        if contract.subjects and (contract.personal_columns or contract.drift.keeps_values)
    ]
    if not personal:
        return report
    with disposal.run(connection, "erasure", as_of) as run_id:
        for source in sorted(asked & set(contracts)):
            with connection.transaction():
                _reach(connection, source, contracts[source], as_of)
        for position, contract in enumerate(personal, start=1):
            name = f"{contract.source}.{contract.table}"
            with connection.transaction():
                raw = _overwrite_raw(connection, contract, as_of, run_id) if contract.personal_columns else 0
                quarantined = overwrite_quarantine(connection, contract, as_of, run_id)
                quarantined += _delete_values(connection, contract, as_of, run_id)
                report.raw |= {name: raw} if raw else {}
                report.quarantined |= {name: quarantined} if quarantined else {}
            if name in report.raw:  # nobody can reach the old versions of the rows any more
                connection.execute(sql.SQL("vacuum {}").format(_raw(contract)))
            if progress:
                progress(position, len(personal), name)
        _settle(connection, personal, as_of)
    return report


# The tombstones that hold on a day. A request names the key itself; `_reach` adds what is the person's.
_DUE = sql.SQL("""
    select erased_key.table_name, erased_key.key, erased_key.erasure_id
    from ops.erased_key
    inner join ops.approved_erasure as erasure on erased_key.erasure_id = erasure.erasure_id
    where erased_key.source_system = %(source)s and coalesce(erasure.not_before, '-infinity') <= %(as_of)s
""")
_HELD_UNTIL = sql.SQL("ops.held_until(file.business_date, %(hold_since)s::date[], %(hold_periods)s::interval[])")
_LET_GO = sql.SQL("coalesce({} <= %(as_of)s, true)").format(_HELD_UNTIL)
"""No legal hold of the contract speaks for the rows of a file."""


def _reach(connection: psycopg.Connection, source: str, tables: Mapping[str, Contract], as_of: date) -> None:
    """Enters the tombstones: the key asked for, then the keys of what is the person's, from table to table."""
    connection.execute(
        """
        insert into ops.erased_key (source_system, table_name, key, erasure_id)
        select source_system, table_name, key, erasure_id from ops.approved_erasure
        where source_system = %s and coalesce(not_before, '-infinity') <= %s
        on conflict do nothing
        """,
        [source, as_of],
    )
    named = {table for contract in tables.values() for table in contract.subjects.values() if table != contract.table}
    links = [
        (tables[name], column, owner)
        for name in sorted(named)
        for column, owner in tables[name].subjects.items()
        if owner != name
    ]
    while any([_reach_by(connection, *link) for link in links]):
        pass


def _reach_by(connection: psycopg.Connection, contract: Contract, column: str, owner: str) -> int:
    """Tombstones for the keys of a table whose rows speak of an erased key of `owner`; how many are new."""
    return connection.execute(
        sql.SQL(
            """
            insert into ops.erased_key (source_system, table_name, key, erasure_id)
            select distinct %(source)s, %(table)s, sent.{key}::text, erased_key.erasure_id
            from {raw} as sent
            inner join ops.erased_key on sent.{column}::text = erased_key.key
            where erased_key.source_system = %(source)s and erased_key.table_name = %(owner)s
            on conflict do nothing
            """
        ).format(key=sql.Identifier(contract.key[0]), column=sql.Identifier(column), raw=_raw(contract)),
        {"source": contract.source, "table": contract.table, "owner": owner},
    ).rowcount


def _overwrite_raw(connection: psycopg.Connection, contract: Contract, as_of: date, run_id: int) -> int:
    """Overwrites rows of one raw table and moves them from loaded to erased in the ledger."""
    amount = contract.control.amount_column
    files = connection.execute(
        sql.SQL(
            """
            with due as ({due}),

            overwritten as (
                update {raw} as sent
                set {marks}, _row_hash = null
                from ops.source_file as file
                where sent._file_id = file.file_id and {let_go}
                    and {speaks_of_erased} and {differs}
                returning sent._file_id, {amount} as amount
            )

            select _file_id, count(*), sum(amount) from overwritten group by _file_id
            """
        ).format(
            due=_DUE,
            let_go=_LET_GO,
            raw=_raw(contract),
            marks=sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(column.name), sql.Literal(_mark(column)))
                for column in contract.personal_columns
            ),
            speaks_of_erased=_speaks_of_erased(contract),
            differs=_differs(contract),
            amount=sql.SQL("sent.{}").format(sql.Identifier(amount)) if amount else sql.SQL("null::numeric"),
        ),
        _values(contract, as_of),
    ).fetchall()
    for file_id, rows, total in files:
        connection.execute(
            """
            update ops.source_file
            set
                rows_loaded = rows_loaded - %(rows)s, rows_erased = rows_erased + %(rows)s,
                amount_loaded = amount_loaded - %(amount)s, amount_erased = amount_erased + %(amount)s
            where file_id = %(file)s
            """,
            {"rows": rows, "amount": total or 0, "file": file_id},
        )
        disposal.record(connection, run_id, file_id, "raw", rows)
    return sum(rows for _, rows, _ in files)


def overwrite_quarantine(
    connection: psycopg.Connection,
    contract: Contract,
    as_of: date,
    run_id: int | None = None,
    file_id: int | None = None,
) -> int:
    """Overwrites the text of rejected rows in which an erased key stands; they can no longer be let out.

    Where a table has no personal columns, that is done of files with columns that its contract lacks.

    Args:
        connection: Connection in a transaction.
        contract: Contract of the rows' table.
        as_of: Day by which legal holds are counted.
        run_id: Run to record it under; None while a file is loaded.
        file_id: Limits it to one file.
    """
    text = sql.SQL("held.raw_text")
    if any(contract.by_name[name].full_width for name in contract.subjects):
        text = sql.SQL("translate(held.raw_text, %(full_width)s, %(half_width)s)")
    whole = sql.SQL("position(due.key in {}) > 0").format(text)  # fixed-width fields need no gap between them
    apart = sql.SQL(
        r"{} ~ ('(^|[^0-9A-Za-z])' || regexp_replace(due.key, '(\W)', '\\\1', 'g') || '($|[^0-9A-Za-z])')"
    ).format(text)
    files = connection.execute(
        sql.SQL(
            """
            with due as ({due}),

            overwritten as (
                update quarantine.row as held
                set
                    raw_text = {mark},
                    message = {mark},
                    state = case held.state when 'held' then 'erased' else held.state end
                from ops.source_file as file
                where held.file_id = file.file_id and held.source_system = %(source)s and held.table_name = %(table)s
                    and {let_go} and held.raw_text <> {mark}
                    and (%(file)s::bigint is null or held.file_id = %(file)s)
                    and (
                        %(is_personal)s
                        or exists (
                            select 1 from ops.drift
                            where drift.file_id = held.file_id and drift.kind = 'new_column'
                        )
                    )
                    and exists (select 1 from due where due.table_name = any(%(tables)s) and {holds_key})
                returning held.file_id
            )

            select file_id, count(*) from overwritten group by file_id
            """
        ).format(
            due=_DUE,
            let_go=_LET_GO,
            mark=sql.Literal(ERASED),
            holds_key=whole if isinstance(contract.layout, FixedWidth) else apart,
        ),
        _values(contract, as_of)
        | {
            "file": file_id,
            "is_personal": bool(contract.personal_columns),
            "full_width": "".join(FULL_WIDTH),
            "half_width": "".join(FULL_WIDTH.values()),
        },
    ).fetchall()
    for at, rows in files if run_id is not None else ():
        disposal.record(connection, run_id, at, "quarantine", rows)  # type: ignore[arg-type]
    return sum(rows for _, rows in files)


def _delete_values(connection: psycopg.Connection, contract: Contract, as_of: date, run_id: int) -> int:
    """Deletes values of columns that the contract lacks, set aside of rows that speak of an erased person."""
    files = connection.execute(
        sql.SQL(
            """
            with due as ({due}),

            deleted as (
                delete from quarantine.value as held
                using {raw} as sent, ops.source_file as file
                where held.file_id = sent._file_id and held.line = sent._line and sent._file_id = file.file_id
                    and {let_go} and {speaks_of_erased}
                returning held.file_id, held.line
            )

            select file_id, count(distinct line) from deleted group by file_id
            """
        ).format(due=_DUE, raw=_raw(contract), let_go=_LET_GO, speaks_of_erased=_speaks_of_erased(contract)),
        _values(contract, as_of),
    ).fetchall()
    for file_id, rows in files:
        disposal.record(connection, run_id, file_id, "quarantine", rows)
    return sum(rows for _, rows in files)


def _settle(connection: psycopg.Connection, personal: list[Contract], as_of: date) -> None:
    """Enters of every request whether it is done, or until when rows of it are held."""
    held: dict[int, date] = {}
    for contract in personal:
        if contract.retention.legal_hold is None:
            continue
        for erasure_id, until in connection.execute(
            sql.SQL(
                """
                with due as ({due})

                select due.erasure_id, max({held_until})
                from {raw} as sent
                inner join ops.source_file as file on sent._file_id = file.file_id
                inner join due on {names_key}
                where {held_until} > %(as_of)s and (
                    {differs}
                    or exists (
                        select 1 from quarantine.value as held
                        where held.file_id = sent._file_id and held.line = sent._line
                    )
                )
                group by due.erasure_id
                """
            ).format(
                due=_DUE,
                held_until=_HELD_UNTIL,
                raw=_raw(contract),
                names_key=_names_key(contract),
                differs=_differs(contract),
            ),
            _values(contract, as_of),
        ).fetchall():
            held[erasure_id] = max(until, held.get(erasure_id, until))
    connection.execute(
        """
        update ops.erasure
        set held_until = held.until, completed_at = case when held.until is null then coalesce(completed_at, now()) end
        from (
            select erasure.erasure_id, greatest(case when not_before > %s then not_before end, seen.until) as until
            from ops.approved_erasure as erasure
            left join unnest(%s::bigint[], %s::date[]) as seen (erasure_id, until)
                on erasure.erasure_id = seen.erasure_id
        ) as held
        where erasure.erasure_id = held.erasure_id
        """,
        [as_of, list(held), list(held.values())],
    )


def _values(contract: Contract, as_of: date) -> dict[str, object]:
    since, periods = contract.retention.hold_terms
    return {
        "source": contract.source,
        "table": contract.table,
        "tables": sorted(set(contract.subjects.values())),
        "hold_since": since,
        "hold_periods": periods,
        "as_of": as_of,
    }


def _raw(contract: Contract) -> sql.Identifier:
    return sql.Identifier(raw_schema(contract.source), contract.table)


def _speaks_of_erased(contract: Contract) -> sql.Composable:
    """The row holds an erased key; one hashed set of keys a column, whatever their number."""
    return sql.SQL("({})").format(
        sql.SQL(" or ").join(
            sql.SQL("sent.{}::text in (select key from due where table_name = {})").format(
                sql.Identifier(column), sql.Literal(table)
            )
            for column, table in contract.subjects.items()
        )
    )


def _names_key(contract: Contract) -> sql.Composable:
    return sql.SQL("({})").format(
        sql.SQL(" or ").join(
            sql.SQL("(due.table_name = {} and due.key = sent.{}::text)").format(
                sql.Literal(table), sql.Identifier(column)
            )
            for column, table in contract.subjects.items()
        )
    )


def _differs(contract: Contract) -> sql.Composable:
    """A personal value stands in the row."""
    differs = [
        sql.SQL("sent.{} is distinct from {}").format(sql.Identifier(column.name), sql.Literal(_mark(column)))
        for column in contract.personal_columns
    ]
    return sql.SQL("({})").format(sql.SQL(" or ").join(differs or [sql.SQL("false")]))


def _mark(column: Column) -> str | None:
    """What stands in the place of a personal value: nothing, or a text where a value is required."""
    if not column.required or column.base_type not in TEXTS:
        return None
    return ERASED[: column.size]


def _as_text(column: Column) -> pl.Expr:
    """The key as PostgreSQL writes it."""
    if column.base_type in INTEGERS:
        return pl.col(column.name).cast(pl.Int64(), strict=False).cast(pl.String())
    return pl.col(column.name)
