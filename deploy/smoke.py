"""Try the containers for real: build, start, take two business dates through them, restart, and away with it all.

`make containers` runs it. It needs Docker with Compose v2 or docker-compose 1.29, and Python's own library. All is of a
trial of its own (project, secrets, ports, volumes, image tag): a warehouse that runs on this machine is left alone.
"""

import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

CHECKOUT = Path(__file__).resolve().parents[1]
TRIAL = "c360-trial"
IMAGE_TAG = "trial"
SERVICES = {"postgres", "api-server", "scheduler", "dag-processor", "triggerer"}
SOURCES = ("core_banking", "card", "grid_billing", "retail")
SCALE = "0.002"
BY_HAND, BY_AIRFLOW, MONTH = "2026-10-31", "2026-11-01", "2026-10"
"""The first two business dates of the simulated world, and the month that the first one closes."""
PROFILE = "pboc_financial_base"
IN_FORCE = "select number, (select max(as_of) from mart.mart_customer_360) as as_of from mart.publication"
PATIENCE = 1_800
"""Seconds that anything may take on a busy machine."""


class TrialFailed(Exception):
    """The containers are not as they should be; the message says what was seen."""


class Trial:
    """The containers of the trial: compose commands, commands inside, and Airflow's REST API."""

    def __init__(self, folder: Path) -> None:
        self._environment_file = folder / "env"
        self._settings = example_settings()
        mentioned = {*self._settings, "COMPOSE_FILE", "COMPOSE_PROJECT_NAME"} - {"PIP_INDEX_URL"}
        self._environment = {name: value for name, value in os.environ.items() if name not in mentioned}
        self._environment["C360_IMAGE_TAG"] = IMAGE_TAG
        self._compose = compose_command()
        self.fill_in()

    @property
    def secret_names(self) -> list[str]:
        """What .env.example wants to be filled in."""
        return [name for name in self._settings if name.endswith(("_PASSWORD", "_SECRET", "_KEY"))]

    def fill_in(self, without: str | None = None) -> None:
        """Write the .env of the trial, as .env.example says; one secret may be left out."""
        made = {name: secrets.token_urlsafe(48) for name in self.secret_names}
        made["AIRFLOW_FERNET_KEY"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        made |= {name: str(free_port()) for name in self._settings if name.endswith("_PORT")}
        self._settings |= made
        kept = self._settings | ({without: ""} if without else {})
        self._environment_file.touch(mode=0o600)
        self._environment_file.write_text("".join(f"{name}={value}\n" for name, value in kept.items()), "utf-8")

    def compose(self, *arguments: str) -> str:
        """Run a compose command and return what it printed.

        Raises:
            TrialFailed: it failed.
        """
        trial = ("--env-file", str(self._environment_file), "--project-name", TRIAL)
        return run([*self._compose, *trial, *arguments], self._environment)

    def inside(self, service: str, *command: str) -> str:
        """Run a command in the running container of a service; raises as `compose`."""
        return self.compose("exec", "-T", service, *command)

    def states(self) -> dict[str, str]:
        """Service → health, or where it has no check, its state and exit code."""
        told = '{{index .Config.Labels "com.docker.compose.service"}}={{if .State.Health}}{{.State.Health.Status}}'
        told += "{{else}}{{.State.Status}} {{.State.ExitCode}}{{end}}"
        containers = self.compose("ps", "--all", "--quiet").split()
        lines = run(["docker", "inspect", "--format", told, *containers], self._environment).splitlines()
        return dict(line.split("=") for line in lines)

    def request(self, method: str, path: str, body: dict | None = None, token: str = "") -> str:
        """Call Airflow from outside the containers, as a browser on this machine would.

        Raises:
            urllib.error.URLError: no answer, or one of 400 and above.
        """
        headers = {"Authorization": f"Bearer {token}", "Cookie": f"_token={token}"} if token else {}
        data = None if body is None else json.dumps(body).encode()
        address = f"http://127.0.0.1:{self._settings['AIRFLOW_PORT']}{path}"
        headers["Content-Type"] = "application/json"
        with build_opener(ProxyHandler({})).open(Request(address, data, headers, method=method), timeout=180) as answer:
            return answer.read().decode()

    def token(self) -> str:
        """Log dora in; returns what the API knows her by."""
        login = {"username": "dora", "password": self._settings["AIRFLOW_PASSWORD"]}
        return json.loads(self.request("POST", "/auth/token", login))["access_token"]

    def answer(self, path: str, token: str) -> dict:
        """What the API says below `/api/v2/dags`; raises as `request`."""
        return json.loads(self.request("GET", f"/api/v2/dags{path}", token=token))

    def runs(self, dag: str, token: str) -> list[dict]:
        """The runs of a DAG."""
        return self.answer(f"/{dag}/dagRuns", token)["dag_runs"]

    def log_of_failure(self, run: dict, token: str) -> str:
        """What the failed tasks of a run wrote."""
        path = f"/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances"
        said = []
        for task in self.answer(path, token)["task_instances"]:
            if task["state"] == "failed":
                log = self.answer(f"{path}/{task['task_id']}/logs/{task['try_number']}", token)["content"]
                said += [f"{run['dag_id']}.{task['task_id']}:", *(line["event"] for line in log)]
                raised = [error for line in log for error in line.get("error_detail", ())]
                said += [f"{error['exc_type']}: {error['exc_value']}" for error in raised]
        return "\n".join(said)

    def in_force(self) -> str:
        """Number and date of the publication that the analyst sees."""
        return self.inside("scheduler", "c360", "sql", IN_FORCE, "--as", "bianca", "--format", "csv").strip()

    def last_words(self) -> str:
        """The states of the containers and the end of what they said, where there are any."""
        try:
            return f"{self.states()}\n{self.compose('logs', '--no-color', '--tail', '40')}"
        except TrialFailed:
            return "No container is there."

    def remove(self) -> None:
        """Take away containers, volumes and image."""
        self.compose("down", "--volumes", "--remove-orphans")
        subprocess.run(
            ["docker", "image", "rm", f"c360:{IMAGE_TAG}"], env=self._environment, capture_output=True, check=False
        )


def try_all(trial: Trial) -> None:
    """Everything that is to be seen, in order."""
    with step("refuse a missing secret, naming it"):
        for secret in trial.secret_names:
            trial.fill_in(without=secret)
            try:
                trial.compose("config", "--quiet")
            except TrialFailed as refusal:
                expect(f"set {secret} in .env" in str(refusal), f"{secret} is missing; it says {refusal}")
            else:
                raise TrialFailed(f"{secret} is missing, and nothing says so")
        trial.fill_in()
    with step("build"):
        trial.compose("build")
    with step("start, until all is healthy"):
        start(trial)
    with step("run as nobody special"):
        owners = {service: trial.inside(service, "stat", "-c", "%u", "/proc/1").strip() for service in SERVICES}
        expect("0" not in owners.values(), f"some run as root: {owners}")
    with step(f"{BY_HAND} by hand"):
        by_hand(trial)
    with step(f"{BY_AIRFLOW} by Airflow"):
        by_airflow(trial)
    with step("assess, report, extract"):
        trial.inside("scheduler", "c360", "assess", MONTH)
        trial.inside("scheduler", "c360", "extract", PROFILE, MONTH)
        pages = trial.request("GET", "/warehouse/reports/", token=trial.token())
        expect(MONTH in pages, f"the scorecards of {MONTH} are not among the pages")
    with step("restart, and all is there"):
        before = trial.in_force(), trial.runs("build_and_publish", trial.token())
        trial.compose("down")
        start(trial)
        after = trial.in_force(), trial.runs("build_and_publish", trial.token())
        expect(before == after, f"before the restart: {before}; after it: {after}")


def start(trial: Trial) -> None:
    """Bring the containers up and wait until every one is healthy."""
    trial.compose("up", "--detach")
    wanted = dict.fromkeys(SERVICES, "healthy") | {"prepare": "exited 0"}
    wait(lambda: trial.states() == wanted, "the containers are not healthy")


def by_hand(trial: Trial) -> None:
    """The first business date, command by command."""
    trial.inside("scheduler", "c360", "simulate", "--scale", SCALE)
    for source in SOURCES:
        trial.inside("scheduler", "c360", "ingest", source, BY_HAND)
    for command in ("check", "build", "publish"):
        trial.inside("scheduler", "c360", command, BY_HAND)
    seen = trial.in_force()
    expect(seen.endswith(BY_HAND), f"in force is {seen}")


def by_airflow(trial: Trial) -> None:
    """The next one from the form of `run_business_date` to its publication and its pages."""
    token = trial.token()
    expect("<html" in trial.request("GET", "/", token=token), "the user interface is no page")
    awaited = {*(f"ingest_{source}" for source in SOURCES), "build_and_publish"}
    needed = {*awaited, "run_business_date"}
    wait(lambda: needed <= {dag["dag_id"] for dag in trial.answer("", token)["dags"]}, "there are not all DAGs")
    form = {"logical_date": None, "conf": {"business_date": BY_AIRFLOW}}
    trial.request("POST", "/api/v2/dags/run_business_date/dagRuns", form, token)

    def ended() -> bool:
        runs = [run for dag in awaited for run in trial.runs(dag, token)]
        failed = [run for run in runs if run["state"] == "failed"]
        expect(not failed, "\n".join(trial.log_of_failure(run, token) for run in failed))
        return {run["dag_id"] for run in runs if run["state"] == "success"} == awaited

    wait(ended, f"{BY_AIRFLOW} is not published")
    seen = trial.in_force()
    expect(seen.endswith(BY_AIRFLOW), f"in force is {seen}")
    expect("Great Expectations" in trial.request("GET", "/warehouse/data_docs/", token=token), "there are no Data Docs")


def example_settings() -> dict[str, str]:
    """The settings of .env.example, as they stand there."""
    lines = (CHECKOUT / ".env.example").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def compose_command() -> list[str]:
    """`docker compose` where it is there, otherwise `docker-compose`."""
    for command in (["docker", "compose"], ["docker-compose"]):
        try:
            if subprocess.run([*command, "version"], capture_output=True, check=False).returncode == 0:
                return command
        except OSError:
            continue
    raise TrialFailed("neither `docker compose` nor `docker-compose` runs here")


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command: list[str], environment: dict[str, str]) -> str:
    """Run a command in the checkout and return its output; raises TrialFailed with the end of what it said."""
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
        raise TrialFailed(f"`{' '.join(command)}` ended with {done.returncode}:\n{said}")
    return done.stdout


def wait(until: Callable[[], bool], otherwise: str) -> None:
    """Wait until it is so; a server that does not answer yet is asked again."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            if until():
                return
            seen = ""
        except (URLError, TimeoutError) as problem:
            seen = f" ({problem})"
        expect(time.monotonic() < end, f"after {PATIENCE} seconds {otherwise}{seen}")
        time.sleep(3)


def expect(holds: bool, otherwise: str) -> None:
    """Raises TrialFailed where it does not hold."""
    if not holds:
        raise TrialFailed(otherwise)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is tried, and how long it took."""
    began = time.monotonic()
    print(f"{what:<40}", end="", flush=True)
    yield
    print(f"{time.monotonic() - began:7.1f} s", flush=True)


def main() -> int:
    """Try all and take all away; returns 1 where something was not as it should be."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with TemporaryDirectory() as folder:
        try:
            trial = Trial(Path(folder))
        except TrialFailed as problem:
            print(problem, file=sys.stderr)
            return 1
        try:
            try_all(trial)
        except TrialFailed as problem:
            print("", trial.last_words(), problem, sep="\n\n", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\ninterrupted; the trial is taken away", file=sys.stderr)
            return 130
        finally:
            trial.remove()
    print("The containers do what they should; the trial is taken away.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
