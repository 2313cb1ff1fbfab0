"""The DAG files as Airflow reads them, in a process of its own: its settings and imports must not touch other tests."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

DAGS = Path(__file__).resolve().parents[2] / "dags"

READ = """
import json, sys
import airflow.sdk
from airflow.configuration import conf
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.serialization.serialized_objects import DagSerialization

folder = sys.argv[1]
before = set(sys.modules)
bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags-folder")
modules = sorted({name.partition(".")[0] for name in set(sys.modules) - before})
dags = {name: DagSerialization.to_dict(dag)["dag"] for name, dag in bag.dags.items()}
options = {section: list(told["options"]) for section, told in conf.configuration_description.items()}
answer = {"errors": bag.import_errors, "modules": modules, "dags": dags, "options": options}
open(sys.argv[2], "w").write(json.dumps(answer, default=str))
"""


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What Airflow makes of the DAG files: import errors, modules, serialized DAGs; and the options that it knows."""
    home = tmp_path_factory.mktemp("airflow")
    environment = os.environ | {
        "AIRFLOW_CONFIG": str(DAGS / "airflow.cfg"),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
    }
    done = subprocess.run(
        [sys.executable, "-c", READ, str(DAGS), str(home / "answer.json")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((home / "answer.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def dags(parsed: dict) -> dict[str, dict]:
    """The serialized DAGs by id."""
    return parsed["dags"]
