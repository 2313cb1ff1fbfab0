"""Which tables of the sources are behind what their contracts owe: dbt asks, the answers stand beside all other checks.

The rule has one home, the terms of delivery in the contract; `ops.delivery` computes its deadlines on the bank calendar
(docs/decisions/0012) and the dbt sources ask that view (`pipeline.dbt_sources`). A table that is owed at no time, and
one of a source that never sent anything, is behind nothing.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import expectations
from expectations import CheckResult
from pipeline import transformation
from warehouse.connection import connect

if TYPE_CHECKING:
    from dbt.artifacts.schemas.freshness import SourceFreshnessResult


@dataclass(frozen=True)
class FreshnessReport:
    """What `dbt source freshness` said.

    Attributes:
        fresh: tables that have all that was due.
        behind: the others, each with the deadline that it missed first.
    """

    fresh: int
    behind: tuple[str, ...]

    @property
    def figures(self) -> dict[str, int]:
        """The counts by name, for the record of the step."""
        return {"passed": self.fresh, "warned": len(self.behind)}

    def __str__(self) -> str:
        counts = f"{self.fresh} tables are fresh, {len(self.behind)} are behind"
        return "\n".join([counts, *(f"  {table}" for table in self.behind)])


def check(day: date, source: str = "all") -> FreshnessReport:
    """Ask for every table of a source, and append the answers to `ops.check_result`, edge `source`.

    Args:
        day: today; the answers are kept under this date.
        source: one source, or `all`.

    Raises:
        transformation.TransformationError: dbt could not ask.
    """
    arguments = () if source == "all" else ("--select", f"source:{source}")
    found = [_result(one) for one in transformation.freshness(*arguments)]
    with connect(autocommit=True) as session:
        run_key = expectations.next_run_key(session, "source", day)
        expectations.record(session, run_key, "source", day, found)
    behind = tuple(f"{one.table}: {one.observed}" for one in found if not one.success)
    return FreshnessReport(len(found) - len(behind), behind)


def _result(one: "SourceFreshnessResult") -> CheckResult:
    success = one.status == "pass"
    return CheckResult(
        suite="dbt_freshness",
        expectation="source_freshness",
        table=f"{one.node.source_name}.{one.node.name}",
        column="freshness",
        dimension="timeliness",
        severity="warn",
        success=success,
        subjects=1,
        unexpected=0 if success else 1,
        observed=None if success else f"nothing since the deadline of {one.max_loaded_at:%Y-%m-%d %H:%M %Z}",
        expected="all that was due to have come",
        why="A table that its sender owes and has not sent leaves what is built on it behind.",
    )
