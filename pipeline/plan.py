"""What the run of a business date would do, before it does it."""

from dataclasses import dataclass
from datetime import date, timedelta

import psycopg

from ingestion.plan import PlannedFile
from ingestion.plan import plan as plan_source
from ingestion.release import open_decisions
from pipeline.schema import contracts
from pipeline.steps import SIMULATED_SOURCES
from warehouse.connection import connect
from warehouse.settings import get_settings

STEPS = ("check_raw", "stage", "identify", "build", "check_marts", "publish")
"""What follows the ingest of the sources, in order."""


@dataclass(frozen=True)
class Plan:
    """What a run would find.

    Attributes:
        files: Per source, every file that is there or missing.
        decisions: Decisions about quarantined rows that are still to be carried out.
        batches: Complete batches that the next build takes up.
        steps: Step and state of its newest run for the date: done, failed, running, or to do.
    """

    business_date: date
    files: dict[str, list[PlannedFile]]
    decisions: int
    batches: list[str]
    steps: list[tuple[str, str]]


def plan(business_date: date | None = None) -> Plan:
    """Look at landing and ledger and say what the run of a date would do; nothing is written.

    Args:
        business_date: the date; the one after the last that is complete, if not given.
    """
    landing = get_settings().landing
    with connect(autocommit=True) as session:
        day = business_date or _next_date(session)
        sources = [
            source for source in contracts() if source in SIMULATED_SOURCES or (landing / source / f"{day}").is_dir()
        ]
        files = {source: plan_source(session, source, day, landing, contracts()[source]) for source in sources}
        batches = [name for (name,) in session.execute(_NOT_TAKEN_UP)]
        newest = dict(session.execute(_NEWEST_RUNS, [day]).fetchall())
        steps = [(step, newest.get(step, "to do")) for step in STEPS]
        return Plan(day, files, len(open_decisions(session)), batches, steps)


def _next_date(session: psycopg.Connection) -> date:
    (last,) = session.execute("select max(business_date) from ops.batch where state = 'complete'").fetchone()  # type: ignore[misc]
    (unfinished,) = session.execute("select min(business_date) from ops.batch where state <> 'complete'").fetchone()  # type: ignore[misc]
    return unfinished or (last + timedelta(days=1) if last else date.today())


_NOT_TAKEN_UP = """
select batch_id from ops.batch
where state = 'complete' and not exists (
    select 1 from ops.batch_taken_up as taken where taken.batch_id = batch.batch_id
)
order by known_at, batch_id
"""

_NEWEST_RUNS = """
select distinct on (step) step, state from ops.step_run where business_date = %s
order by step, step_run_id desc
"""
