"""A database with the ledger and the raw tables of the trial source; a landing folder of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.orm import Session
from trial_sender import CONTRACTS, DAY, empty

from ingestion.batch import BatchReport, ingest
from ingestion.options import IngestOptions
from ingestion.raw_ddl import raw_migrations
from warehouse.connection import orm_session
from warehouse.migration import migrate, read_migrations


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """An empty landing."""
    return tmp_path / "landing"


@pytest.fixture
def loader(owner: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A session on empty raw tables and an empty ledger."""
    migrate([*read_migrations("ingestion"), *raw_migrations(CONTRACTS)], owner)
    empty(owner)
    yield owner


@pytest.fixture
def ledger(loader: psycopg.Connection) -> Iterator[Session]:
    """A session of the one who looks and decides."""
    with orm_session() as session:
        yield session


@pytest.fixture
def run(loader: psycopg.Connection, landing: Path) -> Callable[..., BatchReport]:
    """Ingests the trial source."""

    def ingest_trial(day: date = DAY, **options: object) -> BatchReport:
        settings = IngestOptions(**options)  # type: ignore[arg-type]
        return ingest("trial", day, connection=loader, landing=landing, contracts=CONTRACTS, options=settings)

    return ingest_trial
