"""Airflow on this machine: its database, its four services, and their end.

``start`` brings up a real Airflow 3 beside the warehouse: metadata in a database of its own on the same PostgreSQL
server, LocalExecutor, api-server, scheduler, DAG processor and triggerer in one process group, all on the loopback
interface. Everything it keeps lies in ``<home>/airflow``. ``stop`` ends what ``start`` began, in any process that
can read that folder; ``run_foreground`` is both, around a wait for Ctrl-C or SIGTERM (``make airflow``).
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import httpx
import psutil

from warehouse import connection
from warehouse.secret import write_whole
from warehouse.server import EmbeddedServer
from warehouse.settings import Settings

CHECKOUT = Path(__file__).resolve().parents[1]
CONFIG = CHECKOUT / "dags" / "airflow.cfg"
POOLS = CHECKOUT / "dags" / "pools.json"
DATABASE = "airflow"
USER = "dora"
"""The demo's data engineer; her login in the warehouse has the same name (`warehouse.roles`)."""
DEFAULT_PORT = 8080
SERVICES = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
"""Service → arguments of the `airflow` command. Logs are files on this machine, so no service needs to serve them."""
START_SECONDS = 1_200
REQUEST_SECONDS = 180
STOP_SECONDS = 25


class AirflowError(RuntimeError):
    """Airflow could not be started; the message says why and where the log lies."""


@dataclass(frozen=True)
class Handle:
    """A running Airflow: what is needed to use it and to stop it."""

    home: str
    url: str
    user: str
    password: str
    processes: dict[str, tuple[int, float]]
    """Service → process id and the time of its creation (an id alone may be another process by now)."""
    stop_database: bool
    """Whether `stop` also stops the embedded PostgreSQL, because `start` started it."""

    def request(self, method: str, path: str, **options) -> httpx.Response:
        """Call Airflow's REST API as the data engineer.

        Args:
            method: HTTP method.
            path: path below the server's address, such as ``/api/v2/dags``.
            options: passed to ``httpx.request`` (``json``, ``params`` …).

        Raises:
            httpx.HTTPStatusError: the server answered 4xx or 5xx.
            httpx.TimeoutException: it did not answer within three minutes.
        """
        login = {"Authorization": f"Bearer {self.token}"}
        response = httpx.request(method, self.url + path, headers=login, timeout=REQUEST_SECONDS, **options)
        return response.raise_for_status()

    @cached_property
    def token(self) -> str:
        """What the API knows the data engineer by; fetched at the first use and good for a day."""
        answer = httpx.post(
            f"{self.url}/auth/token",
            json={"username": self.user, "password": self.password},
            timeout=REQUEST_SECONDS,
        )
        return answer.raise_for_status().json()["access_token"]


def folder(settings: Settings) -> Path:
    """Return the folder that holds everything Airflow keeps (``<home>/airflow``)."""
    return settings.home / "airflow"


def status(settings: Settings) -> Handle | None:
    """Return the Airflow that runs for this home, or None."""
    try:
        kept = json.loads((folder(settings) / "running.json").read_text())
    except FileNotFoundError:
        return None
    kept["processes"] = {name: (pid, created) for name, (pid, created) in kept["processes"].items()}
    handle = Handle(password=_secrets(settings)["password"], **kept)
    return handle if _services(handle.processes) else None


def start(
    settings: Settings,
    *,
    port: int = DEFAULT_PORT,
    dags: Path = CHECKOUT / "dags",
    progress: Callable[[str], None] = print,
) -> Handle:
    """Start Airflow and wait until it is healthy.

    Args:
        settings: those of the environment (`warehouse.settings.get_settings`): the home and the PostgreSQL server.
        port: wanted TCP port of the user interface; a free one is taken where it is in use.
        dags: folder of the DAG files; ``plugins`` in it is the plugins folder.
        progress: called with one line per step.

    Returns:
        The running Airflow.

    Raises:
        AirflowError: it runs already, a service ended, or it was not healthy after twenty minutes.
    """
    if running := status(settings):
        raise AirflowError(f"Airflow runs already at {running.url}; stop it first.")
    folder(settings).mkdir(parents=True, exist_ok=True)
    server = EmbeddedServer(settings.home)
    stop_database = settings.database_url is None and not server.is_running()
    with ExitStack() as undo:
        if stop_database:
            undo.callback(server.stop)
        connection.ensure_running()
        connection.create_database(DATABASE)
        port = _free_port(port)
        environment = _environment(settings, port, dags)
        progress("Airflow: preparing its database (half a minute at the first start)")
        _prepare(settings, environment)
        progress("Airflow: starting api-server, scheduler, dag-processor and triggerer")
        processes: dict[str, tuple[int, float]] = {}
        undo.callback(_end, processes)
        began = datetime.now(UTC)
        _spawn(settings, environment, processes)
        address, password = f"http://127.0.0.1:{port}", _secrets(settings)["password"]
        handle = Handle(str(settings.home), address, USER, password, processes, stop_database)
        _keep(handle)
        undo.callback(_forget, handle)
        _wait_until_healthy(handle, began, progress)
        undo.pop_all()
    return handle


def stop(handle: Handle) -> None:
    """Stop the services, the tasks that they run, and the embedded PostgreSQL if ``start`` started it.

    SIGTERM first; what still runs after 25 seconds is killed. A task that is cut off leaves nothing half done in the
    warehouse: every step commits as a whole.
    """
    _end(handle.processes)
    _forget(handle)
    if handle.stop_database:
        EmbeddedServer(Path(handle.home)).stop()


def run_foreground(settings: Settings, *, port: int = DEFAULT_PORT) -> int:
    """Start Airflow, say where it is, and stop it at Ctrl-C, SIGTERM or SIGHUP.

    Returns:
        An exit code: 0 when it was stopped, 1 when it could not start or a service ended by itself.
    """
    wanted_end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: wanted_end.set() if wanted_end.is_set() else _interrupt(wanted_end))
    try:
        handle = start(settings, port=port)
    except AirflowError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    print(
        f"\nAirflow      {handle.url}\nUser         {handle.user}\nPassword     {handle.password}"
        f"\nLogs         {folder(settings) / 'logs'}\n\nCtrl-C stops it.",
        flush=True,
    )
    try:
        while not (dead := _dead_services(handle)):
            time.sleep(2)
    except KeyboardInterrupt:
        dead = []
    print("Airflow: stopping", flush=True)
    stop(handle)
    for name in dead:
        print(f"{name} ended by itself; see {_log(settings, name)}", file=sys.stderr)
    return 1 if dead else 0


def _interrupt(wanted_end: threading.Event) -> None:
    """Turn the first signal into KeyboardInterrupt; later ones must not disturb the stopping."""
    wanted_end.set()
    raise KeyboardInterrupt


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise AirflowError("No free TCP port on 127.0.0.1.")


def _secrets(settings: Settings) -> dict[str, str]:
    """Return the generated secrets of this home's Airflow, made at the first call and kept for their owner only."""
    path = folder(settings) / "secrets.json"
    if not path.exists():
        made = {name: secrets.token_urlsafe(64) for name in ("jwt_secret", "secret_key")}
        made["fernet_key"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        made["password"] = secrets.token_urlsafe(12)
        write_whole(path, json.dumps(made))
    return json.loads(path.read_text())


def _environment(settings: Settings, port: int, dags: Path) -> dict[str, str]:
    """Return the environment of the services: ours, the warehouse's place, and what Airflow's configuration lacks."""
    kept = _secrets(settings)
    metadata = connection.url(database=DATABASE).replace("postgresql://", "postgresql+psycopg2://", 1)
    here = folder(settings)
    write_whole(here / "passwords.json", json.dumps({USER: kept["password"]}))
    airflow = {
        "CORE__DAGS_FOLDER": dags,
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "CORE__FERNET_KEY": kept["fernet_key"],
        "CORE__PLUGINS_FOLDER": dags / "plugins",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": here / "passwords.json",
        "DATABASE__SQL_ALCHEMY_CONN": metadata,
        "API__BASE_URL": f"http://127.0.0.1:{port}",
        "API__HOST": "127.0.0.1",
        "API__INSTANCE_NAME": "Customer-360 warehouse 客户360数据仓库",
        "API__PORT": port,
        "API__SECRET_KEY": kept["secret_key"],
        "API_AUTH__JWT_SECRET": kept["jwt_secret"],
        "LOGGING__BASE_LOG_FOLDER": here / "logs",
    }
    return {
        **os.environ,
        "AIRFLOW_CONFIG": str(CONFIG),
        "AIRFLOW_HOME": str(here),
        "C360_HOME": str(settings.home),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
        # Tasks end without a farewell to the semaphores of their libraries; it would stand as an error in every log.
        "PYTHONWARNINGS": "ignore:resource_tracker:UserWarning",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        **{f"AIRFLOW__{name}": str(value) for name, value in airflow.items()},
    }


def _command(arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "airflow", *arguments]


def _log(settings: Settings, name: str) -> Path:
    path = folder(settings) / "logs" / "services" / f"{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _prepare(settings: Settings, environment: dict[str, str]) -> None:
    """Bring Airflow's database to the version that is installed, and its pools to what `dags/pools.json` says."""
    log = _log(settings, "prepare")
    with log.open("w") as output:
        for arguments in (["db", "migrate"], ["pools", "import", str(POOLS)]):
            done = subprocess.run(
                _command(arguments), env=environment, stdout=output, stderr=subprocess.STDOUT, check=False
            )
            if done.returncode:
                raise AirflowError(f"Airflow's database could not be prepared:\n{_tail(log)}")


def _spawn(settings: Settings, environment: dict[str, str], processes: dict[str, tuple[int, float]]) -> None:
    """Start the services in one new process group, so that a Ctrl-C of the terminal reaches only the launcher."""
    group = 0
    for name, arguments in SERVICES.items():
        with _log(settings, name).open("w") as output:
            process = subprocess.Popen(
                _command(arguments),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=group,
            )
        processes[name] = (process.pid, psutil.Process(process.pid).create_time())
        group = group or process.pid


def _keep(handle: Handle) -> None:
    kept = asdict(handle)
    del kept["password"]
    write_whole(Path(handle.home) / "airflow" / "running.json", json.dumps(kept))


def _forget(handle: Handle) -> None:
    (Path(handle.home) / "airflow" / "running.json").unlink(missing_ok=True)


def _end(processes: dict[str, tuple[int, float]]) -> None:
    family = _family(processes)
    for process in family:
        _signal(process, signal.SIGTERM)
    _, stubborn = psutil.wait_procs(family, timeout=STOP_SECONDS)
    stubborn = list({*stubborn, *_family(processes)})
    for process in stubborn:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=STOP_SECONDS)  # a killed process is gone only when the kernel has time for it


def _services(processes: dict[str, tuple[int, float]]) -> dict[str, psutil.Process]:
    """Return the services that still run."""
    running = {}
    for name, (pid, created) in processes.items():
        try:
            process = psutil.Process(pid)
            if process.create_time() == created and process.status() != psutil.STATUS_ZOMBIE:
                running[name] = process
        except psutil.NoSuchProcess:
            continue
    return running


def _dead_services(handle: Handle) -> list[str]:
    return sorted(handle.processes.keys() - _services(handle.processes).keys())


def _family(processes: dict[str, tuple[int, float]]) -> list[psutil.Process]:
    """Return the running services and all that descends from them (a task has a process group of its own)."""
    family: list[psutil.Process] = []
    for service in _services(processes).values():
        try:
            family += [service, *service.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
    return family


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _wait_until_healthy(handle: Handle, began: datetime, progress: Callable[[str], None]) -> None:
    """Wait until the API answers and scheduler, DAG processor and triggerer have sent a heartbeat since `began`."""
    logs = Path(handle.home) / "airflow" / "logs" / "services"
    waiting: set[str] = set()
    while (seconds := (datetime.now(UTC) - began).total_seconds()) < START_SECONDS:
        if dead := _dead_services(handle):
            raise AirflowError(f"{dead[0]} ended while starting:\n{_tail(logs / f'{dead[0]}.log')}")
        unhealthy = _unhealthy(handle, began)
        if not unhealthy:
            progress(f"Airflow: healthy after {seconds:.0f} s")
            return
        if unhealthy != waiting:
            waiting = unhealthy
            progress(f"Airflow: waiting for {', '.join(sorted(waiting))}")
        time.sleep(1)
    raise AirflowError(f"Airflow was not healthy after {START_SECONDS} s; its logs: {logs}")


def _unhealthy(handle: Handle, began: datetime) -> set[str]:
    try:
        answer = httpx.get(f"{handle.url}/api/v2/monitor/health", timeout=REQUEST_SECONDS).json()
    except (httpx.HTTPError, ValueError):
        return {"api-server"}
    parts = {part: answer[part][f"latest_{part}_heartbeat"] for part in ("scheduler", "dag_processor", "triggerer")}
    return {part for part, beat in parts.items() if beat is None or datetime.fromisoformat(beat) < began}


def _tail(log: Path, lines: int = 25) -> str:
    return "\n".join([*log.read_text(errors="replace").splitlines()[-lines:], f"(the whole log: {log})"])
