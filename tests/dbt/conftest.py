"""A database with the ledger, identity and all raw tables, and an empty warehouse in it for each test."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import psycopg
import pytest
from arrivals import Arrivals

from ingestion.contract import load_contracts
from ingestion.raw_ddl import raw_migrations
from pipeline import transformation
from warehouse.migration import migrate, read_migrations


@pytest.fixture(scope="package")
def database(fresh_database: Callable[[str], AbstractContextManager[str]], modelled_database: str) -> Iterator[str]:
    """One database for the folder: dbt parses the project anew for another one."""
    with fresh_database(modelled_database) as address:
        yield address


@pytest.fixture(scope="package")
def prepared(database: str) -> Iterator[psycopg.Connection]:
    """The folder's database with the ledger, identity, the consumers' tables and all raw tables."""
    with psycopg.connect(database, autocommit=True) as session:
        migrate(
            [m for room in ("ingestion", "identity", "assessment", "dbt_project") for m in read_migrations(room)],
            session,
        )
        migrate(raw_migrations(load_contracts()), session)
        for target in ("dev", "rebuild"):
            transformation.run("run", "--select", "path:models/staging", target=target)
        yield session


@pytest.fixture
def arrivals(prepared: psycopg.Connection) -> Iterator[Arrivals]:
    """An empty warehouse, left empty for the folder that comes next."""
    arrived = Arrivals(prepared)
    arrived.forget()
    yield arrived
    arrived.forget()
