"""What the DAG files share: sources, assets, forms, retries and the call of a step.

Only names of folders are read here; everything that costs time to import waits until a task runs.
"""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from airflow.sdk import (
    Asset,
    CronPartitionTimetable,
    ExceptionRetryPolicy,
    Param,
    PartitionedAtRuntime,
    RetryAction,
    RetryRule,
)
from airflow.sdk.exceptions import AirflowFailException

CHECKOUT = Path(__file__).resolve().parents[1]
CONTRACTS = CHECKOUT / "ingestion" / "contracts"
SOURCES = sorted(folder.name for folder in CONTRACTS.iterdir() if folder.is_dir())
"""Every source that has contracts; a new folder of contracts is a new DAG."""
SIMULATED_SOURCES = ("core_banking", "card", "grid_billing", "retail")
"""The sources of the bank, the grid and the retail distributor: a business date is built when all have arrived."""
PROFILES = sorted(file.stem for file in (CHECKOUT / "regulatory" / "profiles").glob("*.yaml"))

RAW = {source: Asset(name=f"raw_{source}", uri=f"c360://raw/{source}", group="raw") for source in SOURCES}
"""One asset per source, partitioned by business date."""
MARTS = Asset(name="marts", uri="c360://mart", group="mart")
"""What readers see, partitioned by business date."""

POOL = "warehouse"
"""One slot: stage to publish of one business date never run beside those of another."""
ARRIVALS = "arrivals"
"""One slot: sources that arrive at the same instant would start nothing (docs/decisions/0010)."""
TIMEZONE = "Asia/Shanghai"
NIGHT = os.environ.get("C360_INGEST_CRON")
"""When every source is ingested, such as `0 2 * * *` (Beijing time); unset: only when someone or something triggers."""

DEFAULTS = {
    "owner": "data-engineering",
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
    # A refused file, a closed gate or a failed test is not cured by waiting; a database that restarts is.
    "retry_policy": ExceptionRetryPolicy(
        [RetryRule("psycopg.OperationalError", RetryAction.RETRY, reason="the database did not answer")],
        default=RetryAction.FAIL,
    ),
}
PAGES = """
**Look at** [Data Docs](/warehouse/data_docs/) (checks) · [dbt docs](/warehouse/dbt_docs/) (models and lineage) ·
[scorecards 记分卡](/warehouse/reports/) · the same from a terminal: `c360 status`.
"""


def ingest_schedule() -> CronPartitionTimetable | PartitionedAtRuntime:
    """Every night for the day before, where C360_INGEST_CRON says when; otherwise on demand."""
    if NIGHT:
        return CronPartitionTimetable(NIGHT, timezone=TIMEZONE, run_offset=-1, key_format="%Y-%m-%d")
    return PartitionedAtRuntime()


def date_form(required: bool) -> Param:
    """The form's field for a business date 账务日期."""
    return Param(
        **({} if required else {"default": None}),
        type="string" if required else ["null", "string"],
        format="date",
        title="Business date 账务日期",
        description="The banking day of the extracts." + ("" if required else " Empty: the run's partition key."),
    )


def month_form() -> Param:
    """The form's field for a month."""
    return Param(
        None,
        type=["null", "string"],
        pattern=r"^\d{4}-(0[1-9]|1[0-2])$",
        title="Period 期间",
        description="A month as YYYY-MM. Empty: the last month that has ended.",
    )


def business_date(dag_run, params) -> str:
    """The one date that a run is for: its partition key, or what the form says.

    Raises:
        AirflowFailException: no date, two different dates, or no date of the calendar.
    """
    given = {day for day in (dag_run.partition_key, params.get("business_date")) if day}
    if len(given) != 1:
        raise AirflowFailException(f"A run is for exactly one business date, this one names {sorted(given) or 'none'}.")
    try:
        return date.fromisoformat(given.pop()).isoformat()
    except ValueError as problem:
        raise AirflowFailException(f"The business date is no date: {problem}.") from problem


def period(dag_run, params) -> str:
    """The month of the form, or the last one that had ended when the run was made (Beijing time)."""
    ended = dag_run.run_after.astimezone(ZoneInfo(TIMEZONE)).replace(day=1) - timedelta(days=1)
    return params.get("period") or f"{ended:%Y-%m}"


MACROS = {"business_date": business_date, "period": period}
BUSINESS_DATE = "{{ business_date(dag_run, params) }}"
PERIOD = "{{ period(dag_run, params) }}"


def run(step: str, *arguments: str) -> str:
    """Run one step of the pipeline, print a table of what it did, and return its summary for XCom."""
    from pipeline import steps, task_log

    return task_log.tell(getattr(steps, step)(*arguments))
