"""The two steps: check what was loaded, and check what is to be published."""

import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from expectations.profile import count_codes
from expectations.result import CheckReport, CheckResult, next_run_key, record
from expectations.suite import SUITES, Edge, Expected, Suite, load_suites, render
from warehouse.connection import connect
from warehouse.settings import Settings

_FILES = """
select file_id, source_system, table_name, rows_loaded + rows_erased as rows_loaded
from ops.source_file
where
    business_date = %s and source_system = any(%s) and state = 'loaded' and release = 0 and rows_deleted_at is null
order by source_system collate "C", table_name collate "C", file_id
"""

# All marts that dbt built and that a publication takes: `results` are published on their own, after the gate.
_MARTS = """
select
    built.relname as name,
    (
        select published.rows_visible from ops.publication_mart as published
        inner join ops.publication using (number)
        where
            published.mart = built.relname and publication.state = 'published'
            and published.number <= (select number from ops.publication_pointer)
        order by published.number desc limit 1
    ) as rows_published
from pg_class as built
where built.relnamespace = 'mart_build'::regnamespace and built.relkind in ('r', 'm', 'v')
order by built.relname collate "C"
"""


class GateClosed(RuntimeError):
    """A check of severity *fail* failed: what comes next must not run, the publication in force stays.

    Attributes:
        report: all results; they are recorded.
    """

    def __init__(self, report: CheckReport) -> None:
        self.report = report
        super().__init__(f"{report.edge} {report.business_date}: the gate stays closed\n{report}")


def check_raw(settings: Settings, business_date: date, sources: Sequence[str], suites: Path = SUITES) -> CheckReport:
    """Check what the batches of one business date brought, beyond what the contracts hold.

    Volumes against the batches before, distributions, agreement between sources, freshness.

    Args:
        settings: whose Data Docs are written (``out/data_docs``).
        business_date: the day.
        sources: the source systems that take part in it.
        suites: folder of the suites.

    Raises:
        GateClosed: an expectation of severity *fail* did not hold; the results are recorded all the same.
    """
    with connect(autocommit=True) as session:
        count_codes(session, list(sources), suites)
        files = _rows(session, _FILES, [business_date, list(sources)])
        facts = {"business_date": business_date, "sources": sorted(sources), "files": files}
        return _check(session, settings, "raw", suites, business_date, facts)


def check_marts(settings: Settings, business_date: date, suites: Path = SUITES) -> CheckReport:
    """Check what dbt built before readers see it: the gate of DESIGN decision 12.

    Args:
        settings: whose Data Docs are written (``out/data_docs``).
        business_date: the day that the marts were built for.
        suites: folder of the suites.

    Raises:
        GateClosed: an expectation of severity *fail* did not hold; the results are recorded all the same.
    """
    with connect(autocommit=True) as session:
        sources = [
            row["source_system"]
            for row in _rows(session, "select distinct source_system from ops.batch where state = 'complete'", [])
        ]
        facts = {"business_date": business_date, "sources": sorted(sources), "marts": _rows(session, _MARTS, [])}
        return _check(session, settings, "mart", suites, business_date, facts)


def _check(
    session: psycopg.Connection[Any],
    settings: Settings,
    edge: Edge,
    suites: Path,
    business_date: date,
    facts: dict[str, Any],
) -> CheckReport:
    """Run the suites that apply, record the results, build Data Docs, and open or close the gate."""
    from expectations.engine import run_suites

    began = time.monotonic()
    run_key = next_run_key(session, edge, business_date)
    applying = [one for one in load_suites(edge, suites) if set(one.needs_sources) <= set(facts["sources"])]
    results, ready = [], []
    for suite in applying:
        missing = [name for name in suite.needs_tables if not _is_there(session, name)]
        if missing:
            results += [_cannot_run(suite, one, missing) for one in suite.expectations]
        else:
            ready.append((suite, render(suite, **facts)))
    results += run_suites(settings, run_key, ready)
    report = CheckReport(
        run_key=run_key,
        edge=edge,
        business_date=business_date,
        results=tuple(results),
        data_docs=settings.out / "data_docs" / "index.html",
        seconds=time.monotonic() - began,
    )
    record(session, report.run_key, edge, business_date, results)
    if report.failed:
        raise GateClosed(report)
    return report


def _cannot_run(suite: Suite, expected: Expected, missing: list[str]) -> CheckResult:
    """A check that cannot be made has not passed."""
    return CheckResult(
        suite=suite.name,
        expectation=expected.type,
        table=suite.about,
        column=expected.kwargs.get("column"),
        dimension=expected.dimension,
        severity=expected.severity,
        success=False,
        subjects=None,
        unexpected=None,
        observed=f"no table {', '.join(missing)}",
        expected="what it reads to be there",
        why=expected.why,
    )


def _is_there(session: psycopg.Connection[Any], name: str) -> bool:
    row = session.execute("select to_regclass(%s) is not null", [name]).fetchone()
    return bool(row and row[0])


def _rows(session: psycopg.Connection[Any], query: str, arguments: list[Any]) -> list[dict[str, Any]]:
    with session.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return cursor.execute(query, arguments).fetchall()
