"""dbt, run in this process: one import and one parse serve every step."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from warehouse.connection import connect, url
from warehouse.settings import Settings, get_settings

if TYPE_CHECKING:  # dbt takes seconds to import: functions import it when they need it
    from dbt.artifacts.schemas.freshness import SourceFreshnessResult
    from dbt.artifacts.schemas.results import NodeResult
    from dbt.cli.main import dbtRunner, dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest
    from dbt_common.events.base_types import EventMsg

PROJECT = Path(__file__).resolve().parents[1] / "dbt_project"
FAILED = ("error", "fail", "runtime error")
Progress = Callable[[int, int, str], None]


class TransformationError(RuntimeError):
    """dbt did not do all that it was asked to; the message names what failed, why, and where the log is."""


@dataclass(frozen=True)
class TransformationReport:
    """What one dbt invocation did.

    Attributes:
        models: models and seeds built.
        passed, warned, failed: data tests and unit tests by result.
    """

    models: int = 0
    passed: int = 0
    warned: int = 0
    failed: int = 0

    @property
    def figures(self) -> dict[str, int]:
        """The counts by name, for the record of the step."""
        return asdict(self)

    def __str__(self) -> str:
        tests = f"{self.passed} tests passed, {self.warned} warned, {self.failed} failed"
        return f"{self.models} models built, {tests}"


def run(
    command: str,
    *arguments: str,
    target: str = "dev",
    progress: Progress | None = None,
    note: Callable[[list["NodeResult"]], None] | None = None,
    known_on: datetime | None = None,
) -> TransformationReport:
    """Run `dbt <command> <arguments>` on the warehouse.

    Args:
        command: run, build, test, seed …
        arguments: further arguments, such as `--select`, `tag:stage`.
        target: `dev`, or one with schemas of its own: `rebuild` (DESIGN decision 5), or `change`, which reads what it
            is not asked to build from the living schemas.
        progress: called after each node with (done, all, name).
        note: called with what became of each node, also where something failed.
        known_on: only what was known then is read (`ops.known_on`).

    Raises:
        TransformationError: a model could not be built or a test of severity error failed.
    """
    settings = get_settings()
    living = ("--defer", "--state", str(_living(settings))) if target == "change" else ()
    with _as_known(known_on):
        outcome = _invoke(settings, [command, *arguments, *living], target, progress)
    if outcome.exception is not None:
        raise TransformationError(f"dbt {command}: {outcome.exception}") from outcome.exception
    results = list(outcome.result)
    if note:
        note(results)
    problems = [
        f"  {result.node.resource_type} {result.node.name}: {' '.join((result.message or '').split())}"
        for result in results
        if result.status in FAILED
    ]
    if problems:
        log = settings.logs / "dbt" / "dbt.log"
        raise TransformationError("\n".join([f"dbt {command} failed:", *problems, f"More is in {log}."]))
    tests = Counter(result.status for result in results if result.node.resource_type in ("test", "unit_test"))
    built = sum(result.node.resource_type in ("model", "seed") for result in results)
    return TransformationReport(built, tests["pass"], tests["warn"], 0)


def stage(progress: Progress | None = None) -> TransformationReport:
    """Make the staging views and what identity reads; where they stand as this project makes them, do nothing.

    Args:
        progress: see `run`.

    Raises:
        TransformationError: see `run`.
    """
    project = _fingerprint()
    views = [
        f'"{node.schema}"."{node.alias}"'
        for node in manifest().nodes.values()
        if node.resource_type == "model" and "stage" in node.tags
    ]
    with connect(autocommit=True) as session:
        standing = session.execute(
            "select obj_description(to_regnamespace('staging'), 'pg_namespace'), "
            "(select bool_and(to_regclass(name) is not null) from unnest(%s::text[]) as name)",
            [views],
        ).fetchone()
        if standing == (project, True):
            return TransformationReport()
        report = run("run", "--select", "tag:stage", progress=progress)
        session.execute(f"comment on schema staging is '{project}'")  # type: ignore[arg-type]
    return report


def freshness(*arguments: str) -> list["SourceFreshnessResult"]:
    """Run `dbt source freshness` on the tables of the sources.

    Args:
        arguments: further arguments, such as `--select`, `source:card`.

    Raises:
        TransformationError: the freshness of a table could not be asked; one that is behind is a result.
    """
    outcome = _invoke(get_settings(), ["source", "freshness", *arguments], "dev", None)
    if outcome.exception is not None:
        raise TransformationError(f"dbt source freshness: {outcome.exception}") from outcome.exception
    results = list(outcome.result)
    problems = [f"  {result.node.name}: {result.message}" for result in results if result.status == "runtime error"]
    if problems:
        raise TransformationError("\n".join(["dbt source freshness failed:", *problems]))
    return results


def manifest(target: str = "dev") -> "Manifest":
    """The parsed project, with the names of schemas that a target has."""
    settings = get_settings()
    _set_address(settings)
    return _manifest(settings.home, url(), target)


def keep_living() -> None:
    """Keep the manifest that the living schemas were just built by: a changed project is compared with it."""
    path = _living(get_settings()) / "manifest.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(".partial")
    manifest().writable_manifest().write(str(staged))
    staged.replace(path)


def knows_living() -> bool:
    """Whether the manifest of the last build is kept here."""
    return (_living(get_settings()) / "manifest.json").exists()


def write_docs() -> Path:
    """Write dbt's documentation as one page; returns its path."""
    settings = get_settings()
    outcome = _invoke(settings, ["docs", "generate", "--static"], "dev", None)
    if outcome.exception is not None:
        raise TransformationError(f"dbt docs: {outcome.exception}") from outcome.exception
    page = settings.out / "dbt_docs" / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    (settings.out / "dbt_target" / "static_index.html").replace(page)
    return page


def _fingerprint() -> str:
    """A name of the project's content: other files, another name."""
    digest = hashlib.sha256()
    for file in sorted(file for file in PROJECT.rglob("*") if file.suffix in (".sql", ".yml", ".csv")):
        digest.update(file.relative_to(PROJECT).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return f"made by project {digest.hexdigest()}"


def _invoke(settings: Settings, command: list[str], target: str, progress: Progress | None) -> "dbtRunnerResult":
    from dbt.cli.main import dbtRunner

    _set_address(settings)
    runner = dbtRunner(
        manifest=_manifest(settings.home, url(), target), callbacks=[_counter(progress)] if progress else None
    )
    artifacts = [] if command[0] == "docs" else ["--no-write-json"]
    return _outcome(runner, [*command, *artifacts, *_options(settings, target)])


def _outcome(runner: "dbtRunner", arguments: list[str]) -> "dbtRunnerResult":
    """What dbt made of the arguments; Ctrl-C goes on to whoever waits for it."""
    outcome = runner.invoke(arguments)
    if isinstance(outcome.exception, KeyboardInterrupt):
        raise outcome.exception
    return outcome


@cache
def _manifest(home: Path, address: str, target: str) -> "Manifest":
    """The parsed project, once a process for a home, an address and a target."""
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    settings = get_settings()
    outcome = _outcome(dbtRunner(), ["parse", *_options(settings, target)])
    if not outcome.success or not isinstance(outcome.result, Manifest):
        raise TransformationError(f"dbt cannot read the project: {outcome.exception or outcome.result}")
    return outcome.result


@contextmanager
def _as_known(moment: datetime | None) -> Iterator[None]:
    """Sessions that dbt opens meanwhile look back to that moment; libpq reads the variable."""
    before = os.environ.get("PGOPTIONS")
    if moment is not None:
        os.environ["PGOPTIONS"] = f"-c c360.known_on={moment.isoformat()}"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("PGOPTIONS", None)
        else:
            os.environ["PGOPTIONS"] = before


def _living(settings: Settings) -> Path:
    """The folder of the manifest that the living schemas were last built by."""
    return settings.out / "dbt_living"


def _target_path(settings: Settings, target: str) -> Path:
    return settings.out / ("dbt_target" if target == "dev" else f"dbt_target_{target}")


def _options(settings: Settings, target: str) -> list[str]:
    target_path = _target_path(settings, target)
    return [
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target", target),
        *("--target-path", str(target_path), "--log-path", str(settings.logs / "dbt")),
        *("--log-level", "none", "--log-level-file", "info", "--no-use-colors", "--no-send-anonymous-usage-stats"),
    ]


def _set_address(settings: Settings) -> None:
    address = urlsplit(url())
    os.environ |= {
        "C360_DB_HOST": address.hostname or "127.0.0.1",
        "C360_DB_PORT": str(address.port or 5432),
        "C360_DB_USER": unquote(address.username or ""),
        "C360_DB_PASSWORD": unquote(address.password or ""),
        "C360_DB_NAME": unquote(address.path.lstrip("/")),
        "DO_NOT_TRACK": "1",
    }


def _counter(progress: Progress) -> Callable[["EventMsg"], None]:
    def count(event: "EventMsg") -> None:
        if event.info.name in ("LogModelResult", "LogSeedResult"):
            progress(event.data.index, event.data.total, event.data.node_info.node_name)
        elif event.info.name == "LogTestResult":
            progress(event.data.index, event.data.num_models, event.data.node_info.node_name)

    return count
