"""A PostgreSQL of the benchmarks' own, taken down when they are done."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from warehouse.connection import connect, ensure_running, url
from warehouse.server import EmbeddedServer


@dataclass(frozen=True)
class Server:
    """The server that is measured.

    Attributes:
        home: Its folder, for files too.
        session: Autocommit session of the owner.
    """

    home: Path
    session: psycopg.Connection

    def psql(self, script: str, stdin: Path) -> float:
        """Seconds that PostgreSQL's own client takes for a script, with a file as its input."""
        command = [EmbeddedServer(self.home).binaries() / "psql", url(), "-qX", "-v", "ON_ERROR_STOP=1", "-c", script]
        with stdin.open("rb") as file:
            begun = time.perf_counter()
            subprocess.run(command, stdin=file, check=True)
            return time.perf_counter() - begun


@contextmanager
def bench_server() -> Iterator[Server]:
    """A server in a temporary home; the environment names it while the context lasts."""
    home = Path(tempfile.mkdtemp(prefix="c360-bench-"))
    home.chmod(0o755)  # the server's account must reach it
    before = {name: os.environ.get(name) for name in ("C360_HOME", "DATABASE_URL")}
    os.environ["C360_HOME"] = str(home)
    os.environ.pop("DATABASE_URL", None)
    try:
        ensure_running()
        with connect(autocommit=True) as session:
            yield Server(home, session)
    finally:
        EmbeddedServer(home).remove()
        shutil.rmtree(home, ignore_errors=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
