"""Identity resolution against the truth: simulated worlds that no rule and no weight was tuned on, and Febrl.

The weights in identity/models were learned on the world of seed 4711, the bands chosen on that of 4712 (scale 0.2).
The seeds measured here are others. A share of several worlds is that of the worst.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import polars as pl
import psycopg
from rich.console import Console
from rich.table import Table

import identity
from benchmarks import febrl
from benchmarks.result import Result
from benchmarks.server import bench_server
from identity.quality import Quality, measure
from simulator.population import Population
from warehouse.connection import connect
from warehouse.migration import migrate, read_migrations
from warehouse.settings import get_settings

SEEDS = (20270301, 20270302, 20270303)
SCALE = 0.2
FIRST, NEXT = date(2026, 10, 31), date(2026, 11, 3)
LEAST_PRECISION, LEAST_RECALL, LEAST_F1 = 0.999, 0.97, 0.97
MOST_SECONDS, MOST_MEMORY = 120, 2 << 30
_STAGED = """
create schema intermediate;
create table intermediate.int_customer__identifiers (
    source_system text, customer_id text, controller_id text, party_kind text, customer_name text, id_type text,
    id_number text, phone text, address text, birth_date date, gender text, has_matching_basis boolean,
    first_known_at timestamptz
)
"""


def parties_against_the_truth() -> list[Result]:
    """Precision and recall by stratum on three simulated worlds, after a first load and a daily batch."""
    measured = []
    with _warehouse() as session:
        for seed in SEEDS:
            _forget(session)
            population = Population(seed, SCALE)
            seconds = sum(_arrive(session, population, day) for day in (FIRST, NEXT))
            measured.append((measure(session, *population.truth(NEXT)), seconds))
            Console(width=140).print(_table(seed, measured[-1][0]))
    results = []
    for stratum in ("id", "name_phone", "name_address", "all"):
        worlds = [next(one for one in quality if one.stratum == stratum) for quality, _ in measured]
        took = [seconds for _, seconds in measured]
        for name, worst, goal, rows in (
            ("precision", min(one.precision for one in worlds), f">= {LEAST_PRECISION}", "linked_pairs"),
            ("recall of resolvable pairs", min(one.recall for one in worlds), f">= {LEAST_RECALL}", "resolvable_pairs"),
            ("F1", min(one.f1 for one in worlds), f">= {LEAST_RECALL}", "linked_pairs"),
        ):
            pairs = sum(getattr(one, rows) for one in worlds)
            results.append(
                Result(f"identity, {stratum}: {name}, worst of {len(SEEDS)} seeds", worst, goal, took, [], pairs)
            )
    for name, of_one_source in (("two sources", False), ("one source", True)):
        asked = [
            [one for one in quality if one.stratum != "all" and (one.stratum == "same_source") is of_one_source]
            for quality, _ in measured
        ]
        pairs = [sum(one.review_pairs for one in world) for world in asked]
        right = [sum(one.review_true for one in world) for world in asked]
        worst = min(yes / max(all_, 1) for yes, all_ in zip(right, pairs, strict=True))
        title = f"identity, review band, customers of {name}: precision (no goal)"
        results.append(Result(title, worst, ">= 0", took, [], sum(pairs)))
    return results


def febrl_persons() -> list[Result]:
    """F1 of the pairs of Febrl 1, 2 and 3, over all true pairs; nothing where the data sets are not there."""
    data = get_settings().data
    results = []
    for number in (1, 2, 3):
        path = data / "febrl" / f"dataset{number}.csv" if data else None
        if path is None or not path.exists():
            print("  Febrl is not there: name the folder of real data sets in C360_DATA", flush=True)
            return results
        begun = time.perf_counter()
        f1, precision, recall, pairs = febrl.f1(path)
        took = [time.perf_counter() - begun]
        print(f"  Febrl {number}: precision {precision:.4f}, recall {recall:.4f}, F1 {f1:.4f}", flush=True)
        results.append(Result(f"Febrl {number}: F1", f1, f">= {LEAST_F1}", took, [], pairs))
    return results


def identity_day_at_scale_one() -> list[Result]:
    """The step at 100,000 parties: seconds of the daily one and peak memory, as shares of fixed limits."""
    with _warehouse() as session:
        population = Population(SEEDS[0], 1)
        runs = []
        for day in (FIRST, NEXT):
            customers = _stage(session, population, day)
            command = [sys.executable, "-m", "benchmarks.identity", day.isoformat()]
            runs.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    first, daily = runs
    print(f"  first load: {first['seconds']:.0f} s, {first['memory'] >> 20} MB", flush=True)
    seconds, memory = [daily["seconds"]], max(run["memory"] for run in runs)
    return [
        Result(
            f"identity at scale 1: a daily batch, share of {MOST_SECONDS} s",
            seconds[0] / MOST_SECONDS, "<= 1", seconds, [], customers,
        ),
        Result(
            f"identity at scale 1: peak memory, share of {MOST_MEMORY >> 20} MB",
            memory / MOST_MEMORY, "<= 1", [first["seconds"]], [], customers,
        ),
    ]  # fmt: skip


def _table(seed: int, quality: list[Quality]) -> Table:
    table = Table(title=f"Parties of the world of seed {seed}, scale {SCALE:g}")
    for heading in (
        "stratum",
        "true pairs",
        "resolvable",
        "linked",
        "wrong",
        "precision",
        "recall",
        "F1",
        "review",
        "its precision",
    ):
        table.add_column(heading, justify="left" if heading == "stratum" else "right", no_wrap=True)
    for one in quality:
        counts = (one.true_pairs, one.resolvable_pairs, one.linked_pairs, one.linked_pairs - one.linked_true)
        shares = (f"{share:.4f}" for share in (one.precision, one.recall, one.f1))
        table.add_row(
            one.stratum,
            *(f"{count:,}" for count in counts),
            *shares,
            str(one.review_pairs),
            f"{one.review_precision:.4f}",
        )
    return table


@contextmanager
def _warehouse() -> Iterator[psycopg.Connection]:
    """A server with nothing but identity, and a table where dbt's view stands."""
    with bench_server() as server:
        server.session.execute(_STAGED)
        migrate(read_migrations("identity"), server.session)
        yield server.session


def _forget(session: psycopg.Connection) -> None:
    """Empties identity, so that another world may arrive."""
    session.execute("drop schema identity cascade; create schema identity")
    session.execute("delete from ops.migration where room = 'identity'")
    migrate(read_migrations("identity"), session)


def _stage(session: psycopg.Connection, population: Population, day: date) -> int:
    """Puts the customers in as a day knows them; returns how many there are."""
    received = datetime(day.year, day.month, day.day, 18, tzinfo=UTC) + timedelta(days=1)
    customers = population.customers(day).with_columns(first_known_at=pl.lit(received))
    session.execute("truncate intermediate.int_customer__identifiers")
    statement = f"copy intermediate.int_customer__identifiers ({', '.join(customers.columns)}) from stdin"
    with session.cursor() as cursor, cursor.copy(statement) as copy:
        for row in customers.iter_rows():
            copy.write_row(row)
    session.execute("analyze intermediate.int_customer__identifiers")
    return customers.height


def _arrive(session: psycopg.Connection, population: Population, day: date) -> float:
    """Stages a day and resolves it; returns the seconds of the step."""
    _stage(session, population, day)
    begun = time.perf_counter()
    identity.resolve(session, day)
    return time.perf_counter() - begun


def _resolve_alone(day: date) -> None:
    """Resolves a staged day in a process of its own and prints seconds and peak memory."""
    import resource

    begun = time.perf_counter()
    with connect(autocommit=True) as session:
        identity.resolve(session, day)
    taken = {"seconds": time.perf_counter() - begun, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10}
    print(json.dumps(taken))


if __name__ == "__main__":
    _resolve_alone(date.fromisoformat(sys.argv[1]))
