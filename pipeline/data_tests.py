"""What dbt's tests of the data found, written down beside the checks of the edges (DESIGN decision 14)."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

import expectations
from expectations import CheckResult
from warehouse.connection import connect

if TYPE_CHECKING:
    from dbt.artifacts.schemas.results import NodeResult

DIMENSIONS = {
    "not_null": "completeness",
    "unique": "uniqueness",
    "unique_combination": "uniqueness",
    "exactly_one": "uniqueness",
    "accepted_values": "validity",
}
"""What a generic test is about; all others look at relations between rows and tables: consistency."""

SUBJECTS = ("column_name", "role", "entity", "key", "columns", "owner", "condition")
"""Arguments of a generic test that say what of a model it looks at, the most telling one first."""


def record_tests(business_date: date, results: Iterable["NodeResult"]) -> None:
    """Append the results of dbt's data tests to `ops.check_result`, edge `core`; unit tests say nothing about data."""
    found = [_result(one) for one in results if one.node.resource_type == "test"]
    if found:
        with connect(autocommit=True) as session:
            run_key = expectations.next_run_key(session, "core", business_date)
            expectations.record(session, run_key, "core", business_date, found)


def _result(one: "NodeResult") -> CheckResult:
    node = one.node
    generic = getattr(node, "test_metadata", None)
    kind = generic.name if generic else node.name
    arguments = generic.kwargs if generic else {}
    about = next(filter(None, map(arguments.get, SUBJECTS)), "")
    about = about if isinstance(about, str) else " ".join(about)
    model = getattr(node, "attached_node", None)
    success = one.status == "pass"
    found = f"{one.failures:,} rows" if one.failures else one.message
    return CheckResult(
        suite="dbt",
        expectation=kind,
        table=model.rpartition(".")[2] if model else "star",
        column=f"{kind}.{about}" if about else kind,
        dimension=DIMENSIONS.get(kind, "consistency"),
        severity="warn" if node.config.severity.lower() == "warn" else "fail",
        success=success,
        subjects=1,
        unexpected=0 if success else 1,
        observed=None if success else found,
        expected="no row that breaks it",
        why=node.description or node.name,
    )
