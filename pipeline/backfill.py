"""The record of backfills 补数: who asked for which range of business dates, who approved it, how far it is.

`steps.run_backfill` takes the dates through the steps.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

import psycopg
from psycopg.rows import class_row

from pipeline.schema import contracts
from warehouse.connection import connect

_ONE_RUN = 3_600_360_011  # advisory lock: backfills run one after the other


class BackfillError(RuntimeError):
    """A backfill cannot be requested, approved or run; the message says what to do next."""


@dataclass(frozen=True)
class Backfill:
    """One request and what became of it, as a row of `ops.backfill_state`."""

    backfill_id: int
    first_date: date
    last_date: date
    sources: list[str]
    state: str
    dates: int
    dates_done: int
    reason: str
    requested_by: str
    requested_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    message: str | None

    def __str__(self) -> str:
        return (
            f"backfill {self.backfill_id} of {', '.join(self.sources)} from {self.first_date} to {self.last_date}: "
            f"{self.state}, {self.dates_done} of {self.dates} dates done"
        )


def request(first: date, last: date, sources: Sequence[str], reason: str, login: str) -> Backfill:
    """Ask as `login` for a backfill.

    Args:
        first, last: business dates, both included.
        sources: source systems whose files of these dates are received again.
        reason: why, in words.
        login: who asks.

    Raises:
        BackfillError: an unknown source, or a range that ends before it begins.
    """
    unknown = [source for source in sources if source not in contracts()]
    if unknown or not sources:
        raise BackfillError(f"no source {', '.join(unknown) or 'is named'}; there are: {', '.join(contracts())}")
    if first > last:
        raise BackfillError(f"the range ends before it begins: --from {first} --to {last}")
    (number,) = _append(
        login,
        "insert into ops.backfill (first_date, last_date, sources, reason) values (%s, %s, %s, %s) "
        "returning backfill_id",
        [first, last, list(sources), reason],
    )
    return find(number)


def approve(number: int, login: str) -> Backfill:
    """Approve a request as `login`, who must not be the one who asked: a constraint of the database holds it.

    Raises:
        BackfillError: no such request, approved already, or asked for by the same login.
    """
    asked = find(number)
    try:
        _append(
            login,
            "insert into ops.backfill_approval (backfill_id, requested_by) values (%s, %s) returning backfill_id",
            [number, asked.requested_by],
        )
    except psycopg.errors.CheckViolation as problem:
        raise BackfillError(f"{login} asked for backfill {number}: somebody else must approve it") from problem
    except psycopg.errors.UniqueViolation as problem:
        raise BackfillError(f"backfill {number} is approved already: c360 backfill run {number}") from problem
    return find(number)


def to_run(number: int) -> Backfill:
    """The request of that number, fit to run.

    Raises:
        BackfillError: it is not approved.
    """
    asked = find(number)
    if asked.approved_by is None:
        raise BackfillError(f"backfill {number} is not approved: c360 backfill approve {number} --as LOGIN")
    return asked


@contextmanager
def dates_left(asked: Backfill) -> Iterator[list[date]]:
    """The business dates that are not done, in order; while they are taken no other backfill runs.

    Raises:
        BackfillError: another one runs.
    """
    with connect(autocommit=True) as session:
        if session.execute("select pg_try_advisory_lock(%s)", [_ONE_RUN]).fetchone() != (True,):
            raise BackfillError("another backfill runs: wait for its end (c360 backfill list)")
        rows = session.execute(
            "select day::date from generate_series(%s::date, %s::date, interval '1 day') as day "
            "where not exists (select from ops.backfill_date where backfill_id = %s and business_date = day) "
            "order by day",
            [asked.first_date, asked.last_date, asked.backfill_id],
        ).fetchall()
        yield [day for (day,) in rows]


def note_done(asked: Backfill, day: date) -> None:
    """Remember that a business date went the whole way."""
    with connect(autocommit=True) as session:
        session.execute(
            "insert into ops.backfill_date (backfill_id, business_date) values (%s, %s)", [asked.backfill_id, day]
        )


def find(number: int) -> Backfill:
    """The request of that number.

    Raises:
        BackfillError: there is none.
    """
    found = [one for one in backfills() if one.backfill_id == number]
    if not found:
        raise BackfillError(f"there is no backfill {number}; c360 backfill list shows all")
    return found[0]


def backfills() -> list[Backfill]:
    """All requests, the newest first."""
    with connect(autocommit=True) as session:
        rows = session.cursor(row_factory=class_row(Backfill))
        return rows.execute("select * from ops.backfill_state order by backfill_id desc").fetchall()


def _append(login: str, statement: str, values: list[object]) -> tuple:
    """One row by a login whose sessions only read by default: its role may append to these tables."""
    with connect(login) as session:
        session.execute("set transaction read write")
        row = session.execute(statement, values).fetchone()  # type: ignore[call-overload]
        assert row is not None
        return row
