"""One small world that goes the whole way once, for every test that looks at what came out."""

import io
import os
from collections.abc import Iterator

import psycopg
import pytest
from rich.console import Console
from small_world import SCALE, SEED, World

from warehouse.connection import url
from warehouse.server import EmbeddedServer
from warehouse.settings import get_settings


@pytest.fixture(scope="session")
def finished_world(server: EmbeddedServer, modelled_database: str) -> World:
    """The whole demo without daily batches, run once a session."""
    from pipeline import demo

    os.environ["C360_DATABASE"] = modelled_database
    said = io.StringIO()
    demo.run(SCALE, SEED, Console(file=said, width=200), daily_dates=[])
    return World(modelled_database, get_settings().home, said.getvalue())


@pytest.fixture
def world(finished_world: World) -> Iterator[World]:
    """The finished world, its database the one that connections go to."""
    before = os.environ["C360_DATABASE"]
    os.environ["C360_DATABASE"] = finished_world.database
    yield finished_world
    os.environ["C360_DATABASE"] = before


@pytest.fixture
def owner(world: World) -> Iterator[psycopg.Connection]:
    """An autocommit session of the owner."""
    with psycopg.connect(url(), autocommit=True) as session:
        yield session


@pytest.fixture
def nothing_recorded(owner: psycopg.Connection) -> Iterator[None]:
    """What is checked on purpose does not stay in the results: others let the publication through."""
    (last,) = owner.execute("select max(check_result_id) from ops.check_result").fetchone()  # type: ignore[misc]
    yield
    owner.execute("delete from ops.check_result where check_result_id > %s", [last])
