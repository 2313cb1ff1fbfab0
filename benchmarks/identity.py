"""Identity resolution against the truth: simulated worlds that no rule and no weight was tuned on, and Febrl.

The weights in identity/models were learned on the world of seed `TRAINED_ON`; thresholds were chosen on that of
`TUNED_ON`. The seeds measured here are others.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import polars as pl
import psycopg

import identity
from benchmarks.server import bench_server
from identity.quality import Quality, measure
from simulator.population import Population
from warehouse.migration import migrate, read_migrations

TRAINED_ON, TUNED_ON = 4711, 4712
SEEDS = (20270301, 20270302, 20270303)
SCALE = 0.2
FIRST, NEXT = date(2026, 10, 31), date(2026, 11, 3)
_STAGED = """
create schema intermediate;
create table intermediate.int_customer__identifiers (
    source_system text, customer_id text, controller_id text, party_kind text, customer_name text, id_type text,
    id_number text, phone text, address text, birth_date date, gender text, has_matching_basis boolean,
    first_known_at timestamptz
)
"""


@contextmanager
def warehouse() -> Iterator[psycopg.Connection]:
    """A server with nothing but identity, and a table where dbt's view stands."""
    with bench_server() as server:
        server.session.execute(_STAGED)
        migrate(read_migrations("identity"), server.session)
        yield server.session


def arrive(session: psycopg.Connection, population: Population, day: date) -> float:
    """Puts the customers in as a day knows them and resolves; returns the seconds of the step."""
    received = datetime(day.year, day.month, day.day, 18, tzinfo=UTC) + timedelta(days=1)
    customers = population.customers(day).with_columns(first_known_at=pl.lit(received))
    session.execute("truncate intermediate.int_customer__identifiers")
    with (
        session.cursor() as cursor,
        cursor.copy(f"copy intermediate.int_customer__identifiers ({', '.join(customers.columns)}) from stdin") as copy,
    ):
        for row in customers.iter_rows():
            copy.write_row(row)
    session.execute("analyze intermediate.int_customer__identifiers")
    begun = time.perf_counter()
    identity.resolve(session, day)
    return time.perf_counter() - begun


def forget(session: psycopg.Connection) -> None:
    """Empties identity, so that another world may arrive."""
    session.execute("drop schema identity cascade; create schema identity")
    session.execute("delete from ops.migration where room = 'identity'")
    migrate(read_migrations("identity"), session)


def measured(seed: int, scale: float, session: psycopg.Connection) -> tuple[list[Quality], list[float]]:
    """Quality after a first load and a daily batch of a world, and the seconds of both."""
    forget(session)
    population = Population(seed, scale)
    seconds = [arrive(session, population, day) for day in (FIRST, NEXT)]
    return measure(session, *population.truth(NEXT)), seconds
