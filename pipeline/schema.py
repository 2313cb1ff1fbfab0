"""The one chain of migrations, room by room, in the order in which rooms stand on each other."""

from collections.abc import Callable, Iterator
from functools import cache

from ingestion.contract import Contract, load_contracts
from ingestion.raw_ddl import raw_migrations
from warehouse import calendar, roles
from warehouse.connection import connect, ensure_running
from warehouse.migration import Migration, migrate, read_migrations

ROOMS = ("warehouse", "ingestion", "identity", "expectations", "assessment", "regulatory", "dbt_project", "pipeline")


@cache
def contracts() -> dict[str, dict[str, Contract]]:
    """All contracts by source and table, read once a process."""
    return load_contracts()


def chain() -> Iterator[Migration]:
    """Every written migration of every room, then the raw tables made from the contracts."""
    for room in ROOMS:
        yield from read_migrations(room)
    yield from raw_migrations(contracts())


def prepare(progress: Callable[[str], None] | None = None) -> list[Migration]:
    """Bring the database to the shape that this code expects: server, schemas, tables, calendar, roles and logins.

    Running it again changes nothing.

    Returns:
        The migrations that were applied now.
    """
    say = progress or (lambda text: None)
    say("starting PostgreSQL")
    ensure_running()
    say("applying migrations")
    with connect() as connection:
        applied = migrate(chain(), connection)
        if applied:
            calendar.load(connection)
        roles.apply(connection)
        connection.commit()
    return applied
