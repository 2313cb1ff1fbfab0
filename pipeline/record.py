"""The phase-complete record: which step ran for which business date, and what came of it (checklist 8)."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from psycopg.types.json import Jsonb

from warehouse.connection import connect


@dataclass
class Note:
    """What a running step wants to have recorded."""

    message: str = ""
    figures: dict[str, int] = field(default_factory=dict)


@contextlib.contextmanager
def recorded(step: str, business_date: date, subject: str = "") -> Iterator[Note]:
    """Record a run of a step in `ops.step_run`: running, then done, or failed with the reason.

    Args:
        step: the step's name, such as `build`.
        business_date: the date that it is run for.
        subject: source, profile or period where the step has one.
    """
    with connect(autocommit=True) as session:
        run_id = session.execute(
            "insert into ops.step_run (business_date, step, subject, state) values (%s, %s, %s, 'running') "
            "returning step_run_id",
            [business_date, step, subject],
        ).fetchone()[0]  # type: ignore[index]
    note = Note()
    try:
        yield note
    except BaseException as problem:
        note.message = f"{type(problem).__name__}: {problem}"[:2000]
        _end(run_id, "failed", note)
        raise
    _end(run_id, "done", note)


def is_done(step: str, business_date: date, subject: str = "") -> bool:
    """Whether the newest run of the step for this date and subject ended well."""
    with connect(autocommit=True) as session:
        newest = session.execute(
            "select state from ops.step_run where step = %s and business_date = %s and subject = %s "
            "order by step_run_id desc limit 1",
            [step, business_date, subject],
        ).fetchone()
    return newest == ("done",)


def _end(run_id: int, state: str, note: Note) -> None:
    with connect(autocommit=True) as session:
        session.execute(
            "update ops.step_run set state = %s, message = %s, figures = %s, ended_at = clock_timestamp() "
            "where step_run_id = %s",
            [state, note.message, Jsonb(note.figures), run_id],
        )
