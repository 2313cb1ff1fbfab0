"""The models of the ledger are the ledger: what migrations made and what SQLAlchemy would make are one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import time
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, MetaData, NullPool, Table, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from trial_sender import DAY, posting_rows, send_all, send_posting

from ingestion.models import Base, Batch, Delivery, DeliveryTerm, LoadedFile, View
from warehouse.connection import engine, orm_session
from warehouse.migration import migrate, read_migrations

SCHEMAS = ("ops", "quarantine")
DEFINITIONS = """
with defined as (
    select conrelid as relation, pg_get_constraintdef(oid) as definition from pg_constraint
    union all
    select indrelid, pg_get_indexdef(indexrelid) from pg_index
)

select relation::regclass::text, definition from defined where relation::regclass::text = any(%(tables)s)
"""
"""Constraints and indexes as PostgreSQL itself writes them: Alembic sees no checks, nor where an index is partial."""


@pytest.fixture
def platform(fresh_database: Callable[[], AbstractContextManager[str]]) -> Iterator[set[str]]:
    """A database with the migrations of the platform and of ingestion; gives the tables of the platform."""
    with fresh_database() as address, psycopg.connect(address, autocommit=True) as owner:
        before = owner.execute("select schemaname || '.' || tablename from pg_tables").fetchall()
        migrate(read_migrations("ingestion"), owner)
        yield {name for (name,) in before}


@pytest.fixture
def connection(platform: set[str]) -> Iterator[Connection]:
    """A session of SQLAlchemy on that database."""
    with engine(poolclass=NullPool).connect() as session:
        yield session


def definitions(session: psycopg.Connection) -> set[tuple[str, str]]:
    """Constraints and indexes of the ledger's tables."""
    found = session.execute(DEFINITIONS, {"tables": list(Base.metadata.tables)}).fetchall()
    assert len(found) > len(Base.metadata.tables)
    return set(found)


def test_models_are_the_migrated_tables(connection: Connection, platform: set[str]):
    """Every table that ingestion's migrations make, its columns, types, defaults, keys, indexes and comments."""

    def is_ours(name: str | None, kind: str, within: dict) -> bool:
        if kind == "schema":
            return name in SCHEMAS
        return kind != "table" or f"{within['schema_name']}.{name}" not in platform

    options = {
        "include_schemas": True,
        "include_name": is_ours,
        "compare_type": True,
        "compare_server_default": True,
    }
    context = MigrationContext.configure(connection, opts=options)
    assert compare_metadata(context, Base.metadata) == []


def test_models_have_the_constraints_of_the_migrated_tables(
    connection: Connection, fresh_database: Callable[[], AbstractContextManager[str]]
):
    migrated = definitions(connection.connection.driver_connection)  # type: ignore[arg-type]
    with fresh_database() as address, psycopg.connect(address, autocommit=True) as session:
        session.execute("create schema if not exists quarantine")
        Base.metadata.create_all(engine(poolclass=NullPool))
        assert definitions(session) == migrated


def test_mapped_views_are_those_of_the_database(connection: Connection):
    for mapped in View.metadata.sorted_tables:
        found = Table(mapped.name, MetaData(), schema=mapped.schema, autoload_with=connection)
        assert [described(column) for column in mapped.columns] == [described(column) for column in found.columns]
        assert mapped.comment == found.comment


def described(column: Column) -> tuple[str, str, str | None]:
    """What can be said of a column of a view; of keys and NULLs it knows nothing."""
    return column.name, column.type.compile(postgresql.dialect()), column.comment


def test_the_ledger_is_asked_through_the_models(loader: psycopg.Connection, run: Callable, landing: Path):
    lines = posting_rows(20)
    lines[4] = lines[4].replace("|D|", "|X|").replace("|C|", "|X|")
    send_posting(send_all(landing), lines=lines)
    assert run().is_complete
    with orm_session() as ledger:
        (batch,) = ledger.scalars(select(Batch).where(Batch.business_date == DAY))
        posting = next(file for file in batch.files if file.table_name == "posting")
        assert (posting.rows_sent, posting.rows_loaded) == (20, 19)
        (row,) = posting.quarantined
        assert (row.rule, row.line, row.file.batch.state) == ("codes", 6, "complete")
        loaded = ledger.scalars(select(LoadedFile)).all()
        assert {file.file_id for file in loaded} == {file.file_id for file in batch.files}
        assert {file.known_at for file in loaded} == {batch.known_at}
        ledger.add(
            DeliveryTerm(
                source_system="trial",
                table_name="posting",
                days="every_day",
                latency=0,
                available_at=time(6),
                contract_version="1",
            )
        )
        first = select(Delivery).where(Delivery.table_name == "posting", Delivery.business_date == DAY)
        owed = ledger.scalars(first).one()
        assert (owed.file_id, owed.state) == (posting.file_id, "history")


def test_a_view_cannot_be_written(loader: psycopg.Connection):
    with orm_session() as ledger:
        ledger.add(LoadedFile(file_id=1, batch_id="trial/2026-11-01/1", source_system="trial", table_name="posting"))
        with pytest.raises(DBAPIError, match="cannot insert into view"):
            ledger.flush()
