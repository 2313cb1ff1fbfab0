"""What lies in quarantine, and the decisions about it; `ingestion.release` carries them out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import psycopg
from psycopg.rows import class_row

Action = Literal["release", "replay"]


@dataclass(frozen=True)
class Selection:
    """Which rows are meant; what is not given does not limit.

    Attributes:
        source, table: source system and its table.
        business_date: business date of the file.
        rule: first rule that the row breaks.
        lines: lines of the file.
    """

    source: str | None = None
    table: str | None = None
    business_date: date | None = None
    rule: str | None = None
    lines: tuple[int, ...] | None = None


@dataclass(frozen=True)
class HeldRow:
    """One row in quarantine, as its file sent it."""

    source_system: str
    table_name: str
    business_date: date
    file_name: str
    line: int
    rule: str
    column_name: str | None
    message: str
    raw_text: str
    amount: Decimal | None


@dataclass(frozen=True)
class HeldGroup:
    """Rows in quarantine that break one rule on one column of one file.

    Attributes:
        file_state: `loaded`: the rows can be let out; `refused`: the whole file waits; `superseded`: a correction came.
        first_line: the first of them, whose message is the example.
    """

    source_system: str
    table_name: str
    business_date: date
    file_name: str
    file_state: str
    rule: str
    column_name: str | None
    rows: int
    first_line: int
    example: str


@dataclass(frozen=True)
class Decision:
    """A decision that waits to be carried out."""

    decision_id: int
    file_id: int
    source_system: str
    business_date: date
    action: Action
    lines: list[int]
    decided_at: datetime


_CHOSEN = """
from quarantine.row as held
inner join ops.source_file as file using (file_id)
where held.state = 'held'
    and (%(source)s::text is null or held.source_system = %(source)s)
    and (%(table)s::text is null or held.table_name = %(table)s)
    and (%(business_date)s::date is null or file.business_date = %(business_date)s)
    and (%(rule)s::text is null or held.rule = %(rule)s)
    and (%(lines)s::bigint[] is null or held.line = any(%(lines)s))
"""


def groups(session: psycopg.Connection, chosen: Selection) -> list[HeldGroup]:
    """What is held, by file and rule, the newest date first."""
    with session.cursor(row_factory=class_row(HeldGroup)) as cursor:
        return cursor.execute(
            f"""
            select held.source_system, held.table_name, file.business_date, file.file_name, file.state as file_state,
                held.rule, held.column_name, count(*) as rows, min(held.line) as first_line,
                (array_agg(held.message order by held.line))[1] as example
            {_CHOSEN}
            group by held.source_system, held.table_name, file.business_date, file.file_id, file.file_name, file.state,
                held.rule, held.column_name
            order by file.business_date desc, held.source_system, held.table_name, file.file_id, rows desc, held.rule
            """,  # type: ignore[arg-type]
            _values(chosen),
        ).fetchall()


def held_rows(session: psycopg.Connection, chosen: Selection, limit: int) -> list[HeldRow]:
    """The rows themselves, at most `limit` of them, in the order of their files."""
    with session.cursor(row_factory=class_row(HeldRow)) as cursor:
        return cursor.execute(
            f"""
            select held.source_system, held.table_name, file.business_date, file.file_name, held.line, held.rule,
                held.column_name, held.message, held.raw_text, held.amount
            {_CHOSEN}
            order by file.business_date, held.source_system, held.table_name, held.file_id, held.line
            limit %(limit)s
            """,  # type: ignore[arg-type]
            _values(chosen) | {"limit": limit},
        ).fetchall()


def decide(session: psycopg.Connection, action: Action, chosen: Selection, reason: str) -> int:
    """Records the decision about the chosen rows of loaded files, one a file; nothing is loaded yet.

    Args:
        session: Session of the one who decides: the login is part of the record.
        action: `release`: load the rows as sent; `replay`: put them through the present contract again.
        chosen: Which rows.
        reason: Why, in words.

    Returns:
        The number of decisions; 0 where no row of a loaded file is chosen.
    """
    with session.transaction():
        return session.execute(
            f"""
            insert into quarantine.decision (file_id, action, lines, reason)
            select held.file_id, %(action)s, array_agg(held.line order by held.line), %(reason)s
            {_CHOSEN}
                and file.state = 'loaded'
            group by held.file_id
            order by held.file_id
            """,  # type: ignore[arg-type]
            _values(chosen) | {"action": action, "reason": reason},
        ).rowcount


def open_decisions(session: psycopg.Connection) -> list[Decision]:
    """Decisions that were not carried out yet, the oldest first."""
    with session.cursor(row_factory=class_row(Decision)) as cursor:
        return cursor.execute(
            """
            select decision_id, file_id, source_system, business_date, action, lines, decided_at
            from quarantine.decision
            inner join ops.source_file using (file_id)
            where carried_out_at is null
            order by decision_id
            """
        ).fetchall()


def _values(chosen: Selection) -> dict[str, object]:
    return asdict(chosen) | {"lines": None if chosen.lines is None else list(chosen.lines)}
