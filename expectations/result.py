"""What checks found: one result an expectation, a report an edge, and their record in ``ops.check_result``."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import psycopg

from expectations.suite import Edge

Place = Edge | Literal["source", "core"]
"""Where something was checked: at an edge; or by others, before them (freshness) or between them (tests of models)."""


@dataclass(frozen=True)
class CheckResult:
    """One expectation, checked once (see ``ops.check_result`` for the meaning of the fields)."""

    suite: str
    expectation: str
    table: str
    column: str | None
    dimension: str
    severity: str
    success: bool
    subjects: int | None
    unexpected: int | None
    observed: str | None
    expected: str
    why: str

    def __str__(self) -> str:
        where = f"{self.table} {self.column or ''}".strip()
        return f"{self.suite}: {where}: expected {self.expected}, found {self.observed or 'otherwise'} ({self.why})"


@dataclass(frozen=True)
class CheckReport:
    """All results of one edge and business date.

    Attributes:
        run_key: ``edge/business date/number of the run``.
        edge: ``raw`` or ``mart``.
        business_date: the day checked.
        results: in the order of the suites.
        data_docs: the start page of Data Docs.
        seconds: time taken, without the import of Great Expectations.
    """

    run_key: str
    edge: Edge
    business_date: date
    results: tuple[CheckResult, ...]
    data_docs: Path
    seconds: float

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """Results of severity *fail* that did not pass: they keep the gate closed."""
        return tuple(result for result in self.results if not result.success and result.severity == "fail")

    @property
    def warned(self) -> tuple[CheckResult, ...]:
        """Results of severity *warn* that did not pass."""
        return tuple(result for result in self.results if not result.success and result.severity == "warn")

    @property
    def figures(self) -> dict[str, int]:
        """How many passed, warned and failed."""
        passed = sum(result.success for result in self.results)
        return {"passed": passed, "warned": len(self.warned), "failed": len(self.failed)}

    def __str__(self) -> str:
        counts = f"{len(self.results):,} checks: " + ", ".join(f"{n:,} {word}" for word, n in self.figures.items())
        return "\n".join(
            [counts, *(f"  warned: {one}" for one in self.warned), *(f"  failed: {one}" for one in self.failed)]
        )


def next_run_key(connection: psycopg.Connection[Any], edge: Place, business_date: date) -> str:
    """Return the key of a new run: results are appended, so a day may be checked again."""
    row = connection.execute(
        "select count(distinct run_key) + 1 from ops.check_result where edge = %s and business_date = %s",
        [edge, business_date],
    ).fetchone()
    return f"{edge}/{business_date}/{row[0] if row else 1}"


def record(
    connection: psycopg.Connection[Any],
    run_key: str,
    edge: Place,
    business_date: date,
    results: Iterable[CheckResult],
) -> None:
    """Append the results of a run, all or none."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.check_result (run_key, edge, business_date, suite, expectation, table_name, column_name,"
            " dimension, severity, success, subjects, unexpected, observed, expected, why)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    run_key,
                    edge,
                    business_date,
                    result.suite,
                    result.expectation,
                    result.table,
                    result.column,
                    result.dimension,
                    result.severity,
                    result.success,
                    result.subjects,
                    result.unexpected,
                    result.observed,
                    result.expected,
                    result.why,
                )
                for result in results
            ],
        )
