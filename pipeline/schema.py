"""The one chain of migrations, room by room, in the order in which rooms stand on each other."""

from collections.abc import Callable, Iterator
from functools import cache

from ingestion.contract import Contract, load_contracts
from ingestion.raw_ddl import raw_migrations
from warehouse.calendar import load_calendar
from warehouse.connection import connect, ensure_running
from warehouse.migration import Migration, migrate, read_migrations
from warehouse.roles import DEMO_LOGINS, apply_roles, make_logins

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
            say("loading calendar, roles and logins")
            load_calendar(connection)
            apply_roles(connection)
            make_logins(connection, DEMO_LOGINS)
    return applied
