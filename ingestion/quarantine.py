"""What lies in quarantine, and the decisions about it; `ingestion.release` carries them out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import ARRAY, Select, Text, func, insert, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session, contains_eager

from ingestion.models import Decision, QuarantinedRow, SourceFile

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


def groups(ledger: Session, chosen: Selection) -> list[HeldGroup]:
    """What is held, by file and rule, the newest date first."""
    row, file, rows = QuarantinedRow, SourceFile, func.count().label("rows")
    by = [row.source_system, row.table_name, file.business_date, file.file_name, file.state, row.rule, row.column_name]
    example = func.array_agg(aggregate_order_by(row.message, row.line), type_=ARRAY(Text))[1]
    found = ledger.execute(
        _held(chosen, *by, rows, func.min(row.line), example)
        .group_by(*by, file.file_id)
        .order_by(file.business_date.desc(), row.source_system, row.table_name, file.file_id, rows.desc(), row.rule)
    )
    return [HeldGroup(*group) for group in found]


def held_rows(ledger: Session, chosen: Selection, limit: int) -> list[QuarantinedRow]:
    """The rows themselves with their files, at most `limit` of them, in the order of their files."""
    row, file = QuarantinedRow, SourceFile
    found = (
        _held(chosen, row)
        .options(contains_eager(row.file))
        .order_by(file.business_date, row.source_system, row.table_name, row.file_id, row.line)
    )
    return list(ledger.scalars(found.limit(limit)))


def decide(ledger: Session, action: Action, chosen: Selection, reason: str) -> int:
    """Records the decision about the chosen rows of loaded files, one a file; nothing is loaded yet.

    Args:
        ledger: Session of the one who decides: the login is part of the record.
        action: `release`: load the rows as sent; `replay`: put them through the present contract again.
        chosen: Which rows.
        reason: Why, in words.

    Returns:
        The number of decisions; 0 where no row of a loaded file is chosen.
    """
    lines = func.array_agg(aggregate_order_by(QuarantinedRow.line, QuarantinedRow.line))
    held = _held(chosen, QuarantinedRow.file_id, literal(action), lines, literal(reason))
    by_file = held.where(SourceFile.state == "loaded").group_by(QuarantinedRow.file_id).order_by(QuarantinedRow.file_id)
    decided = insert(Decision).from_select(["file_id", "action", "lines", "reason"], by_file)
    made = ledger.scalars(decided.returning(Decision.decision_id)).all()
    ledger.commit()
    return len(made)


def _held(chosen: Selection, *what: Any) -> Select:
    """What is asked about the chosen rows that lie in quarantine, joined with their files."""
    row = QuarantinedRow
    held = select(*what).select_from(row).join(row.file).where(row.state == "held")
    wanted = {
        row.source_system: chosen.source,
        row.table_name: chosen.table,
        SourceFile.business_date: chosen.business_date,
        row.rule: chosen.rule,
    }
    held = held.where(*(column == value for column, value in wanted.items() if value is not None))
    return held if chosen.lines is None else held.where(row.line.in_(chosen.lines))
