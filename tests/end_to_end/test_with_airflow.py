"""One business date through a real Airflow: from three triggers over the assets' partitions to a publication."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from small_world import NEXT, SCALE, SEED, World

import simulator
from pipeline import airflow
from pipeline.steps import SIMULATED_SOURCES
from warehouse.connection import url
from warehouse.settings import get_settings

PATIENCE = 2_700
"""Seconds that a run may take on a busy machine; on a quiet one the whole test takes a fraction of it."""


@pytest.fixture(scope="module")
def handle(finished_world: World) -> Iterator[airflow.Handle]:
    """A real Airflow on the home of the finished world, where the extracts of the next day have landed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("C360_DATABASE", finished_world.database)
        simulator.simulate(get_settings(), seed=SEED, scale=SCALE, daily_dates=[NEXT])
        running = airflow.start(get_settings(), port=0)
        yield running
        airflow.stop(running)


def test_a_business_date_goes_its_way(world: World, handle: airflow.Handle, owner: psycopg.Connection) -> None:
    in_force = owner.execute("select number from ops.publication_pointer").fetchone()
    wait(lambda: known_dags(handle) >= {"build_and_publish", *(f"ingest_{source}" for source in SIMULATED_SOURCES)})
    for source in SIMULATED_SOURCES:
        trigger(handle, f"ingest_{source}", NEXT)
    wait(lambda: all(state(handle, f"ingest_{source}") == "success" for source in SIMULATED_SOURCES))
    wait(lambda: state(handle, "build_and_publish") == "success")

    (run,) = runs(handle, "build_and_publish")
    assert (run["partition_key"], run["run_type"]) == (NEXT.isoformat(), "asset_triggered")
    log = log_of(handle, "build_and_publish", run["dag_run_id"], "publish")
    assert f"publication {in_force[0] + 1} is in force" in log
    with psycopg.connect(url("bianca")) as reader:
        assert reader.execute("select number from mart.publication").fetchone() == (in_force[0] + 1,)
        assert reader.execute("select max(as_of) from mart.mart_customer_360").fetchone() == (NEXT,)
    untied = owner.execute(
        "select file_name from ops.source_file where business_date = %s and (state <> 'loaded' "
        "or rows_sent <> rows_loaded + rows_quarantined + rows_erased)",
        [NEXT],
    )
    assert untied.fetchall() == []


def test_a_wrong_date_is_refused_at_the_form(handle: airflow.Handle) -> None:
    for form in ({"business_date": "2026-02-30"}, {"business_date": ""}, {}):
        with pytest.raises(httpx.HTTPStatusError) as refusal:
            handle.request("POST", "/api/v2/dags/ingest_card/dagRuns", json={"logical_date": None, "conf": form})
        assert refusal.value.response.status_code == httpx.codes.BAD_REQUEST
        assert "business_date" in refusal.value.response.text


def test_pages_are_for_those_who_are_logged_in(handle: airflow.Handle) -> None:
    stranger = httpx.get(f"{handle.url}/warehouse/data_docs/", timeout=airflow.REQUEST_SECONDS)
    assert stranger.is_redirect and "/auth/login" in stranger.headers["location"]
    with httpx.Client(base_url=handle.url, cookies={"_token": handle.token}, timeout=airflow.REQUEST_SECONDS) as dora:
        assert "Great Expectations" in dora.get("/warehouse/data_docs/").text
        assert dora.get("/warehouse/dbt_docs/").status_code == httpx.codes.OK
        assert "2026-10" in dora.get("/warehouse/reports/").text
        outside = "/warehouse/data_docs/%2e%2e/%2e%2e/airflow/secrets.json"  # plain dots the client takes away itself
        assert dora.get(outside).status_code == httpx.codes.NOT_FOUND
        assert dora.get("/warehouse/packages/").status_code == httpx.codes.NOT_FOUND


def test_stop_leaves_nothing_running(handle: airflow.Handle) -> None:
    """Last, because the other tests need it running."""
    services = [psutil.Process(pid) for pid, _ in handle.processes.values()]
    family = services + [child for service in services for child in service.children(recursive=True)]
    assert airflow.status(get_settings()) == handle
    airflow.stop(handle)
    assert airflow.status(get_settings()) is None
    assert [process for process in family if process.is_running() and process.status() != "zombie"] == []
    assert not (Path(handle.home) / "airflow" / "running.json").exists()


def wait(until: Callable[[], bool]) -> None:
    """Wait until it is so; give up after `PATIENCE` seconds. A busy server may leave a question unanswered."""
    end = time.monotonic() + PATIENCE
    while True:
        with suppress(httpx.TimeoutException):
            if until():
                return
        assert time.monotonic() < end, "Airflow did not get there"
        time.sleep(3)


def known_dags(handle: airflow.Handle) -> set[str]:
    return {dag["dag_id"] for dag in handle.request("GET", "/api/v2/dags").json()["dags"]}


def trigger(handle: airflow.Handle, dag: str, day: date) -> None:
    """What the form of the user interface sends."""
    form = {"logical_date": None, "conf": {"business_date": day.isoformat()}}
    handle.request("POST", f"/api/v2/dags/{dag}/dagRuns", json=form)


def runs(handle: airflow.Handle, dag: str) -> list[dict]:
    return handle.request("GET", f"/api/v2/dags/{dag}/dagRuns").json()["dag_runs"]


def state(handle: airflow.Handle, dag: str) -> str | None:
    """The state of the DAG's newest run; a failed one ends the test with the logs of its failed tasks."""
    newest = max(runs(handle, dag), key=lambda run: run["run_after"], default=None)
    if newest is None:
        return None
    if newest["state"] == "failed":
        path = f"/api/v2/dags/{dag}/dagRuns/{newest['dag_run_id']}/taskInstances"
        tasks = handle.request("GET", path).json()["task_instances"]
        failed = [task["task_id"] for task in tasks if task["state"] == "failed"]
        pytest.fail("\n".join(log_of(handle, dag, newest["dag_run_id"], task) for task in failed))
    return newest["state"]


def log_of(handle: airflow.Handle, dag: str, run: str, task: str) -> str:
    """What a task wrote in its newest try."""
    path = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}"
    tries = handle.request("GET", path).json()["try_number"]
    lines = handle.request("GET", f"{path}/logs/{tries}").json()["content"]
    return "\n".join(str(line.get("event", line)) for line in lines)
