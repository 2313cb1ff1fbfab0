"""Suites as data: they are complete, their queries are SQL, and nothing they look at is a row of a person."""

import re
from datetime import date
from pathlib import Path

import psycopg
import pytest
import yaml
from pydantic import ValidationError

from expectations.suite import Suite, load_suites, render

FACTS = {
    "business_date": date(2026, 11, 1),
    "sources": ["core_banking", "o'brien"],
    "files": [
        {"file_id": 7, "source_system": "core_banking", "table_name": "account_transaction", "rows_loaded": 3},
        {"file_id": 8, "source_system": "grid_billing", "table_name": "bill", "rows_loaded": 0},
    ],
    "marts": [{"name": "mart_one", "rows_published": None}, {"name": "mart_two", "rows_published": 12}],
}
SUITES = [(edge, suite) for edge in ("raw", "mart") for suite in load_suites(edge)]


@pytest.mark.parametrize(("edge", "suite"), SUITES, ids=[suite.name for _, suite in SUITES])
def test_every_suite_names_its_subjects_its_reasons_and_renders(edge: str, suite: Suite) -> None:
    assert suite.name.startswith(f"{edge}_")
    query = render(suite, **FACTS)
    assert re.search(r"\bas subject\b|\bsubject,", query) and "{{" not in query
    for expected in suite.expectations:
        assert expected.type.startswith("Expect") and len(expected.why) > 20
        for name in ("column", "column_A", "column_B"):
            assert expected.kwargs.get(name, "subject") in query


def test_names_of_suites_are_unique() -> None:
    assert len({suite.name for _, suite in SUITES}) == len(SUITES)


@pytest.mark.parametrize("edge", ["raw", "mart"])
def test_without_files_or_marts_a_query_still_is_sql(owner: psycopg.Connection, edge: str) -> None:
    facts = FACTS | {"files": [], "marts": [], "sources": ["it's"]}
    for suite in load_suites(edge):
        if not suite.needs_tables and "ops." not in suite.measures and "quarantine." not in suite.measures:
            assert owner.execute(render(suite, **facts)).fetchall() == []


def test_a_suite_with_an_unknown_field_is_refused() -> None:
    known = SUITES[0][1].model_dump()
    with pytest.raises(ValidationError, match="severty"):
        Suite.model_validate(known | {"severty": "fail"})
    with pytest.raises(ValidationError, match="expects nothing"):
        Suite.model_validate(known | {"expectations": []})


def test_expectations_judge_measurements_never_rows() -> None:
    """Single values, keys and codes are the business of contracts and of dbt's tests (DESIGN decision 14)."""
    judging = {
        "ExpectTableRowCountToBeBetween",
        "ExpectColumnValuesToBeBetween",
        "ExpectColumnPairValuesAToBeGreaterThanB",
    }
    assert {expected.type for _, suite in SUITES for expected in suite.expectations} <= judging
    for _, suite in SUITES:
        assert re.search(r"\b(count|sum|max|median_rows|to_jsonb)\b", suite.measures), f"{suite.name} measures nothing"


def test_no_rule_stands_twice() -> None:
    """Neither in two expectations, nor on a column of the same table that a contract or a model of dbt holds."""
    rules = [
        (suite.about, str(sorted(expected.kwargs.items())), expected.severity)
        for _, suite in SUITES
        for expected in suite.expectations
        if expected.kwargs.get("column") or expected.kwargs.get("column_A")
    ]
    twice = {rule for rule in rules if rules.count(rule) > 1}
    assert twice == set()
    assert len({expected.why for _, suite in SUITES for expected in suite.expectations}) == sum(
        len(suite.expectations) for _, suite in SUITES
    ), "a reason that two expectations share is one rule"
    measured = {
        (suite.about.rpartition(".")[2], expected.kwargs.get("column"))
        for _, suite in SUITES
        for expected in suite.expectations
    }
    assert measured & _tested_columns() == set()


def _tested_columns() -> set[tuple[str, str]]:
    """Tables and columns of contracts and models."""
    root = Path(__file__).resolve().parents[2]
    held = set()
    for file in (root / "dbt_project" / "models").rglob("*.yml"):
        for model in (yaml.safe_load(file.read_text("utf-8")) or {}).get("models", []):
            held |= {(model["name"], column["name"]) for column in model.get("columns", [])}
    for file in (root / "ingestion" / "contracts").rglob("*.yaml"):
        for table in yaml.safe_load(file.read_text("utf-8"))["schema"]:
            held |= {(table["name"], column["name"]) for column in table["properties"]}
    return held
