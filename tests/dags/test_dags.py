"""Every DAG imports cheaply, is documented, owned and retried, and holds wiring only (DESIGN, rooms)."""

import ast
import json
from configparser import ConfigParser
from pathlib import Path

import pytest

from pipeline import airflow, steps

DAGS = Path(__file__).resolve().parents[2] / "dags"
CONTRACTS = DAGS.parent / "ingestion" / "contracts"
LIGHT = {"__future__", "airflow", "wiring", "datetime", "functools", "operator", "os", "pathlib", "zoneinfo"}
HEAVY = {"pipeline", "ingestion", "expectations", "polars", "pandas", "pyarrow", "great_expectations", "dbt", "duckdb"}
WRITERS = {"stage", "identify", "build", "check_marts", "publish", "assess", "run_backfill"}
"""Tasks that write what other business dates read; they share the pool of one slot."""


def trees() -> dict[str, ast.Module]:
    """The DAG files by name, parsed as Python."""
    return {file.stem: ast.parse(file.read_text("utf-8")) for file in sorted(DAGS.glob("*.py"))}


def tasks(dag: dict) -> list[dict]:
    return [task["__var"] for task in dag["tasks"]]


def params(dag: dict) -> dict[str, dict]:
    return {name: param | param["schema"]["__var"] for name, param in dag["params"]}


def test_import_without_errors(parsed: dict) -> None:
    """Also says that no DAG has a cycle: Airflow refuses one when it collects it."""
    assert parsed["errors"] == {}


def test_import_nothing_heavy(parsed: dict) -> None:
    assert HEAVY & set(parsed["modules"]) == set()


def test_one_dag_per_source_with_contracts(dags: dict) -> None:
    sources = {folder.name for folder in CONTRACTS.iterdir() if folder.is_dir()}
    assert {name for name in dags if name.startswith("ingest_")} == {f"ingest_{source}" for source in sources}
    for source in sources:
        ingest, arrived = tasks(dags[f"ingest_{source}"])
        assert not ingest.get("outlets") and ingest["downstream_task_ids"] == ["arrived"]
        assert [outlet["__var"]["name"] for outlet in arrived["outlets"]] == [f"raw_{source}"]


def test_building_waits_for_all_sources_of_a_business_date(dags: dict) -> None:
    timetable = dags["build_and_publish"]["timetable"]
    assert timetable["__type"].endswith("PartitionedAssetTimetable")
    condition = timetable["__var"]["asset_condition"]
    assert condition["__type"] == "asset_all"
    assert {asset["name"] for asset in condition["objects"]} == {f"raw_{name}" for name in steps.SIMULATED_SOURCES}


def test_order_of_a_business_date(dags: dict) -> None:
    following = {task["task_id"]: task.get("downstream_task_ids", []) for task in tasks(dags["build_and_publish"])}
    order = ["check_raw"]
    while following[order[-1]]:
        (after,) = following[order[-1]]
        order.append(after)
    assert order == ["check_raw", "stage", "identify", "build", "check_marts", "publish", "document"]
    assert len(order) == len(following)


def test_documented_owned_retried_tagged(dags: dict) -> None:
    for name, dag in dags.items():
        assert dag["doc_md"].strip(), name
        assert dag["tags"], name
        assert dag["max_active_runs"] <= 4, name
        assert not dag.get("catchup"), name
        for task in tasks(dag):
            assert task["owner"] == "data-engineering", (name, task["task_id"])
            assert task["retries"] == 2, (name, task["task_id"])
            assert task["has_retry_policy"], (name, task["task_id"])
            assert task["doc_md"].strip(), (name, task["task_id"])


def test_every_dag_has_a_form(dags: dict) -> None:
    for name, dag in dags.items():
        assert dag["params"], name
        for param in params(dag).values():
            assert param["title"], name
        for param in params(dag).keys() & {"business_date"}:
            assert params(dag)[param]["format"] == "date", name


def test_writers_share_the_pool_of_one_slot(dags: dict) -> None:
    pools = {task["task_id"]: task.get("pool", "default_pool") for dag in dags.values() for task in tasks(dag)}
    assert {task for task, pool in pools.items() if pool == "warehouse"} == WRITERS
    assert {task for task, pool in pools.items() if pool == "arrivals"} == {"arrived"}
    kept = json.loads(airflow.POOLS.read_text("utf-8"))
    assert set(pools.values()) == {"default_pool", *kept}
    assert {pool["slots"] for pool in kept.values()} == {1}


def test_configuration_has_options_that_airflow_knows(parsed: dict) -> None:
    """Airflow reads over others without a word."""
    ours = ConfigParser(interpolation=None)
    ours.read(airflow.CONFIG, "utf-8")
    assert ours["core"]["simple_auth_manager_users"] == f"{airflow.USER}:admin"
    options = {(section, option) for section in ours.sections() for option in ours[section]}
    assert options and options <= {(name, option) for name, told in parsed["options"].items() for option in told}


def test_a_task_calls_one_step() -> None:
    """A function of a DAG file is at most a call and the emission of its asset; *arrived* is the latter alone."""
    called = []
    for file, tree in trees().items():
        if file == "wiring":
            continue
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            if not function.decorator_list:
                continue
            assert len(function.body) <= 4, f"{file}.{function.name} is more than wiring"
            calls = [
                node.args[0].value
                for node in ast.walk(function)
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "wiring.run"
            ]
            assert len(calls) == (function.name != "arrived"), f"{file}.{function.name} calls {calls}"
            called += calls
    assert called and all(callable(getattr(steps, step)) for step in called)


@pytest.mark.parametrize("file", sorted(trees()))
def test_top_level_imports_are_light(file: str) -> None:
    imported = set()
    for node in trees()[file].body:
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert imported <= LIGHT
