"""The one chain of migrations: every room's SQL, applied once, in order, recorded in `ops.migration`."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from warehouse.connection import connect

_LOCK = 3_600_360_001  # advisory lock: one migrator at a time

_LEDGER = """
create schema if not exists ops;
create table if not exists ops.migration (
    room text not null,
    number integer not null,
    name text not null,
    revision integer not null default 1 check (revision >= 1),
    content_hash text not null,
    applied_at timestamptz not null default now(),
    applied_by text not null default session_user,
    primary key (room, number, name, revision)
);
comment on table ops.migration is 'Migrations applied: one row a migration, of generated ones one a revision';
"""


class MigrationError(RuntimeError):
    """A migration failed, or one that was applied has been edited since."""


@dataclass(frozen=True)
class Migration:
    """One step of the schema.

    Attributes:
        room: the room that owns it; rooms are migrated in the order given to `migrate`.
        number: its place in the room.
        name: what it does, in snake case.
        sql: statements; they run in one transaction with the record of it.
        generated: True for SQL made from contracts. It must be idempotent, and runs again whenever its text changes;
            a written migration runs once and must never be edited after.
    """

    room: str
    number: int
    name: str
    sql: str = field(repr=False)
    generated: bool = False

    @property
    def content_hash(self) -> str:
        """sha256 of the SQL text, hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.room}/{self.number:04d}_{self.name}"


def read_migrations(room: str, folder: Path | None = None) -> list[Migration]:
    """The migrations in `<room>/migrations/NNNN_name.sql` (or in `folder`), by number.

    Raises:
        MigrationError: a file of another name, or a number used twice.
    """
    folder = folder or Path(__file__).resolve().parents[1] / room / "migrations"
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        match = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", path.name)
        if not match:
            raise MigrationError(f"{room}/migrations/{path.name}: the name must be NNNN_name.sql")
        number = int(match[1])
        if number in found:
            raise MigrationError(f"{room}/migrations/{path.name}: number {number} is taken by {found[number]}")
        found[number] = Migration(room, number, match[2], path.read_text("utf-8"))
    return list(found.values())


def migrate(migrations: Iterable[Migration], connection: psycopg.Connection | None = None) -> list[Migration]:
    """Apply what is not applied yet, in the order given, each in its own transaction; returns what was applied.

    An advisory lock makes concurrent callers wait for each other. Running again is a no-op.

    Args:
        connection: a session of the owner, no transaction open; None: one of our own.

    Raises:
        MigrationError: a statement failed (nothing of that migration stays), or an applied migration was edited.
    """
    if connection is None:
        with connect() as own:
            return migrate(migrations, own)
    was_autocommit = connection.autocommit
    connection.autocommit = True
    try:
        connection.execute("select pg_advisory_lock(%s)", [_LOCK])
        try:
            return _apply(migrations, connection)
        finally:
            connection.execute("select pg_advisory_unlock(%s)", [_LOCK])
    finally:
        if not connection.closed:
            connection.autocommit = was_autocommit


def _apply(migrations: Iterable[Migration], connection: psycopg.Connection) -> list[Migration]:
    connection.execute("set client_min_messages = warning")
    connection.execute(_LEDGER)
    latest = {
        (room, number, name): (revision, content_hash)
        for room, number, name, revision, content_hash in connection.execute(
            "select room, number, name, revision, content_hash from ops.migration order by revision"
        )
    }
    applied = []
    for migration in migrations:
        revision, content_hash = latest.get((migration.room, migration.number, migration.name), (0, None))
        if content_hash == migration.content_hash:
            continue
        if revision and not migration.generated:
            raise MigrationError(f"{migration} was applied and edited since: write a new migration instead")
        try:
            with connection.transaction():
                connection.execute(migration.sql)  # type: ignore[call-overload]
                connection.execute(
                    "insert into ops.migration (room, number, name, revision, content_hash) "
                    "values (%s, %s, %s, %s, %s)",
                    [migration.room, migration.number, migration.name, revision + 1, migration.content_hash],
                )
        except psycopg.Error as error:
            raise MigrationError(f"{migration}: {error}") from error
        latest[migration.room, migration.number, migration.name] = (revision + 1, migration.content_hash)
        applied.append(migration)
    return applied
