"""What all tests share: a real embedded server in a home of its own, fresh databases, the folder of real data.

No test touches the checkout's own `.c360`: the environment is replaced before the first test is collected.
"""

import itertools
import os
import random
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import hypothesis
import psycopg
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no error
hypothesis.settings.load_profile("untimed")

_DATA = os.environ.get("C360_DATA", "")
signal.signal(signal.SIGTERM, signal.default_int_handler)  # fixtures stop their servers then, too
_HOME = Path(tempfile.mkdtemp(prefix="c360-test-"))
_HOME.chmod(0o755)  # the server's account must reach it

for _name in [name for name in os.environ if name.startswith("C360_") or name == "DATABASE_URL"]:
    del os.environ[_name]
os.environ["C360_HOME"] = str(_HOME)
os.environ["C360_DATABASE"] = "nothing_before_the_database_fixture"
if _DATA:
    os.environ["C360_DATA"] = _DATA
os.environ.setdefault("SOAK_SEED", str(random.randrange(1_000_000)))  # workers inherit it
# Small files and two workers on two processors: Polars's threads would only wait for each other.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
# Tests may lose their data when the machine dies; the warehouse's own settings are tried in test_server.
os.environ["C360_SERVER_SETTINGS"] = '{"fsync": "off", "shared_buffers": "128MB"}'

from warehouse.calendar import load_calendar  # noqa: E402
from warehouse.connection import connect, create_database, url  # noqa: E402
from warehouse.migration import migrate, read_migrations  # noqa: E402
from warehouse.roles import DEMO_LOGINS, apply_roles, make_logins  # noqa: E402
from warehouse.server import EmbeddedServer  # noqa: E402

_LONGEST_FIRST = ("end_to_end", "dbt")
"""Folders that take minutes: with two workers each is begun at once, and the others follow."""

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest folders first."""
    items.sort(key=lambda item: _folder(item.nodeid) not in _LONGEST_FIRST)


class FolderScheduling(LoadScopeScheduling):
    """What a folder's tests share was costly to make: they stay in one worker, in their order."""

    def _split_scope(self, nodeid: str) -> str:
        return _folder(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FolderScheduling:
    """Hand folders, not tests, to the workers (`--numprocesses`)."""
    return FolderScheduling(config, log)


def _folder(nodeid: str) -> str:
    """The folder of `tests` that a test lies in, named like the room that it tries."""
    return nodeid.split("/")[1]


def pytest_report_header() -> str:
    """The seed of what is left to chance."""
    return f"SOAK_SEED={os.environ['SOAK_SEED']} repeats the random kills of this run"


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    shutil.rmtree(_HOME, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how long each room's tests took, set-up included."""
    seconds: Counter[str] = Counter()
    for report in itertools.chain.from_iterable(terminalreporter.stats.values()):
        if isinstance(report, pytest.TestReport):
            seconds[_folder(report.nodeid)] += report.duration  # type: ignore[misc]
    terminalreporter.section("seconds of each part")
    for room, spent in seconds.most_common():
        terminalreporter.line(f"{spent:8.1f}  {room}")


@pytest.fixture(scope="session")
def home() -> Path:
    """The home (C360_HOME) of this test session."""
    return _HOME


@pytest.fixture(scope="session")
def server(home: Path) -> Iterator[EmbeddedServer]:
    """The embedded PostgreSQL of this session, really running."""
    embedded = EmbeddedServer(home)
    try:
        embedded.start()
        yield embedded
    finally:
        embedded.remove()


@pytest.fixture(scope="session")
def template(server: EmbeddedServer) -> str:
    """A database with the warehouse's migrations, roles, logins and calendar, to be copied."""
    name = "c360_template"
    os.environ["C360_DATABASE"] = name
    create_database(name)
    with connect() as owner:
        prepare(owner)
    return name


def prepare(owner: psycopg.Connection) -> None:
    """Bring the database of `owner` to where every other room's migrations can start."""
    migrate(read_migrations("warehouse"), owner)
    apply_roles(owner)
    make_logins(owner, DEMO_LOGINS)
    load_calendar(owner)


@contextmanager
def _copy_of(template: str, name: str = "") -> Iterator[str]:
    """A copy of the template, named by C360_DATABASE while it lasts; yields its owner's URL."""
    name = name or f"c360_test_{next(_numbers)}"
    create_database(name, template)
    before = os.environ["C360_DATABASE"]
    os.environ["C360_DATABASE"] = name
    try:
        yield url()
    finally:
        os.environ["C360_DATABASE"] = before
        with psycopg.connect(url(database="postgres"), autocommit=True) as session:
            session.execute(f'drop database "{name}" with (force)')


@pytest.fixture(scope="session")
def modelled_database() -> str:
    """Name of the database that dbt builds in, for one folder of tests after the other: another name, another parse."""
    return "c360_modelled"


@pytest.fixture(scope="session")
def fresh_database(template: str) -> Callable[..., AbstractContextManager[str]]:
    """Makes databases, named if wanted, that last as long as their context; the context gives the owner's URL."""
    return partial(_copy_of, template)


@pytest.fixture(scope="module")
def database(fresh_database: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """A fresh database for this module; its owner's URL."""
    with fresh_database() as address:
        yield address


@pytest.fixture
def owner(database: str) -> Iterator[psycopg.Connection]:
    """An autocommit session of the owner on the module's database."""
    with psycopg.connect(database, autocommit=True) as session:
        yield session


class SmallDisk:
    """A file system of its own that can be filled to the last byte.

    Attributes:
        path: where it is mounted; the server's account reaches it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / ".ballast"

    def fill(self, leaving: int = 0) -> None:
        """Leave no more room than so many bytes."""
        with self._ballast.open("wb", buffering=0) as ballast:
            with pytest.raises(OSError, match="No space left"):
                while True:
                    ballast.write(bytes(4096))
            ballast.truncate(ballast.tell() - leaving)

    def make_room(self) -> None:
        """Do what the one who keeps the machine would do."""
        self._ballast.unlink()


@pytest.fixture
def small_disk(home: Path) -> Iterator[SmallDisk]:
    """A small disk; it takes an account that may mount one."""
    path = home / f"disk_{next(_numbers)}"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(path)]
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True)
        refused = mounted.stderr if mounted.returncode else ""
    except OSError as problem:
        refused = str(problem)
    if refused:
        pytest.skip(f"a disk that can be filled has to be mounted, which is not permitted here: {refused.strip()}")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real public data that C360_DATA names."""
    if not _DATA:
        pytest.skip("C360_DATA is not set: it names the folder of real public data that this test reads")
    folder = Path(_DATA)
    if not folder.is_dir():
        pytest.skip(f"C360_DATA names {folder}, which is no folder: this test reads real public data there")
    return folder
