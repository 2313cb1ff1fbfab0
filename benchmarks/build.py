"""The build of core against the same rows made by hand, its day on long and short histories, and the check of an edge.

Ours is `dbt run` of the dimensions, facts and change logs below, as the step `build` runs it: parsed once a process,
in two threads, with the record of what was taken up, corrections, re-keying and ANALYZE. By hand are the scripts in
`baseline/core/`: the dimensions, then bank and grid in two sessions side by side. Both read the same raw tables of one
simulated world, a CHECKPOINT before each, the side that goes first changing every round; the rows of both are compared.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path

import psycopg
from rich.console import Console

import expectations
import simulator
from benchmarks.result import CHECKOUT, Result
from benchmarks.run import table_of
from benchmarks.server import Server, bench_server
from pipeline import steps, transformation
from pipeline.schema import prepare
from simulator.parameters import HISTORY_END, HISTORY_START
from warehouse.connection import url
from warehouse.server import EmbeddedServer
from warehouse.settings import get_settings

BASELINE = Path(__file__).parent / "baseline"
PLANS = CHECKOUT / "docs" / "benchmarks" / "plans"
DIMENSIONS = ("account", "employee", "card", "card_account", "service_point", "customer")
FACTS = ("account_transaction", "account_balance", "card_transaction", "energy_daily", "load_interval", "grid_bill")
TABLES = (*(f"dim_{name}" for name in DIMENSIONS), *(f"fct_{name}" for name in FACTS))
MODELS = (*(f"int_{name}__changes" for name in DIMENSIONS), "dim_channel", *TABLES)
NOT_BUILT = ("tag:stage", "tag:results", "tag:quality")
SOURCES = ("core_banking", "card", "grid_billing")
"""Those that the statements by hand read."""
SHORT_START = date(2026, 8, 1)
LARGEST = "fct_account_transaction"


class Differs(RuntimeError):
    """Ours and the baseline do not have the same rows: their times are no comparison."""


class World:
    """A simulated world in the database of its own server.

    Args:
        server: where it is loaded.
        scale: 1 is 100,000 parties.
        start: first day of its history.
        days: how many daily batches follow the history, after one to warm up.
    """

    def __init__(self, server: Server, scale: float, start: date, days: int) -> None:
        self.server = server
        self.days = tuple(HISTORY_END + timedelta(days=n + 1) for n in range(days + 1))
        with _said(f"simulate the history from {start} and {days} days"):
            simulated = simulator.simulate(
                get_settings(), scale=scale, history_start=start, history_end=HISTORY_END, daily_dates=self.days
            )
        print(f"  {simulated}", flush=True)
        prepare()
        with _said("make the staging views"):
            transformation.stage()

    def receive(self, day: date) -> None:
        """Ingest what the three sources sent."""
        with _said(f"ingest {day}"):
            for source in SOURCES:
                steps.ingest(source, day)

    def forget(self) -> None:
        """Take the tables of both sides away, as before any build."""
        session = self.server.session
        session.execute("drop schema if exists baseline cascade")
        session.execute("create schema baseline")
        session.execute("truncate ops.batch_taken_up, ops.fact_rekeyed")
        for model in MODELS:
            schema = "intermediate" if model.startswith("int_") else "core"
            session.execute(f"drop table if exists {schema}.{model} cascade")  # type: ignore[arg-type]
        transformation.run("seed", "--select", "channel")

    def core(self) -> float:
        """Seconds that ours takes for the dimensions and facts that the baseline makes too."""
        return self._timed(lambda: transformation.run("run", "--select", *MODELS))

    def others(self) -> float:
        """Seconds that all other models of the step `build` take."""
        return self._timed(lambda: transformation.run("run", "--exclude", *NOT_BUILT, *MODELS))

    def by_hand(self, script: str, day: date) -> float:
        """Seconds that the baseline takes for `first` or `day`."""

        def scripts() -> None:
            self._psql(f"{script}_dimensions", day)
            with ThreadPoolExecutor(2) as both:
                list(both.map(lambda side: self._psql(f"{script}_{side}", day), ("bank", "grid")))

        return self._timed(scripts)

    def keep_plans(self, script: str, day: date) -> None:
        """Run the baseline statement by statement under EXPLAIN and keep the plans."""
        PLANS.mkdir(parents=True, exist_ok=True)
        with psycopg.connect(url(), autocommit=True) as session:
            for part in ("dimensions", "bank", "grid"):
                plans = []
                text = (BASELINE / "core" / f"{script}_{part}.sql").read_text(encoding="utf-8")
                text = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
                for statement in text.replace(":'day'", f"date '{day}'").rstrip().rstrip(";").split(";\n\n"):
                    statement = statement.strip()
                    if not statement.startswith(("create unlogged table", "insert", "with")):
                        session.execute(statement)  # type: ignore[arg-type]
                        continue
                    rows = session.execute(f"explain (analyze, buffers, timing off) {statement}").fetchall()  # type: ignore[arg-type]
                    plans += [f"-- {statement.splitlines()[0]}", *(line for (line,) in rows), ""]
                (PLANS / f"{script}_{part}.txt").write_text("\n".join(plans), encoding="utf-8")

    def compare(self) -> int:
        """Rows of all tables, the same on both sides in the columns that the baseline has.

        Raises:
            Differs: a row stands on one side only.
        """
        rows = 0
        for table in TABLES:
            (columns,) = self._one(
                "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute "
                f"where attrelid = 'baseline.{table}'::regclass and attnum > 0"
            )
            members = f"where {table.removeprefix('dim_')}_key > 0" if table.startswith("dim_") else ""
            ours = f"select {columns} from core.{table} {members}"
            by_hand = f"select {columns} from baseline.{table}"
            (apart,) = self._one(
                f"select count(*) from (({ours} except all {by_hand}) union all ({by_hand} except all {ours})) as apart"
            )
            if apart:
                raise Differs(f"{table}: {apart} rows stand on one side only")
            (count,) = self._one(f"select count(*) from baseline.{table}")
            rows += count
        return rows

    def sizes(self) -> dict[str, int]:
        """Bytes of raw, of our tables and of the baseline's, indexes included."""
        sizes = self.server.session.execute(
            """
            select
                case when nspname like 'raw%%' then 'raw' else nspname end,
                sum(pg_total_relation_size(pg_class.oid))::bigint
            from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
            where relkind = 'r' and (nspname like 'raw%%' or relname = any(%s))
            group by 1 order by 1
            """,
            [list(MODELS)],
        )
        return dict(sizes.fetchall())

    def moved(self, work: Callable[[], float]) -> tuple[float, dict[str, int]]:
        """Seconds of work, with the bytes that the server read, wrote and logged for it, checkpoint included."""
        before = self._moved()
        seconds = work()
        self.server.session.execute("checkpoint")
        return seconds, {name: value - before[name] for name, value in self._moved().items()}

    def copy_speed(self) -> float:
        """Bytes a second of our largest fact by COPY from a file into a table without index or log."""
        with tempfile.NamedTemporaryFile(dir=self.server.home) as file:
            self.server.psql(f"\\copy core.{LARGEST} to '{file.name}' (format csv)", Path("/dev/null"))
            self.server.session.execute(f"create unlogged table baseline.copied (like core.{LARGEST})")
            self.server.session.execute("checkpoint")
            seconds = self.server.psql("\\copy baseline.copied from pstdin (format csv)", Path(file.name))
            (size,) = self._one("select pg_total_relation_size('baseline.copied')")
            self.server.session.execute("drop table baseline.copied")
            return size / seconds

    def _moved(self) -> dict[str, int]:
        time.sleep(1.5)  # a session tells the server what it did at most once a second
        read, written = self._one("select sum(reads * op_bytes), sum((writes + extends) * op_bytes) from pg_stat_io")
        (logged,) = self._one("select wal_bytes from pg_stat_wal")
        return {"read": int(read), "written": int(written), "logged": int(logged)}

    def _timed(self, work: Callable[[], object]) -> float:
        self.server.session.execute("checkpoint")
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun

    def _psql(self, script: str, day: date) -> None:
        file = BASELINE / "core" / f"{script}.sql"
        command = [EmbeddedServer(self.server.home).binaries() / "psql", url(), "-qX", "-o", "/dev/null"]
        subprocess.run([*command, "-v", "ON_ERROR_STOP=1", "-v", f"day={day}", "-f", file], check=True)

    def _one(self, query: str) -> tuple:
        return self.server.session.execute(query).fetchone() or ()  # type: ignore[arg-type]


def measure(scale: float, rounds: int, days: int) -> Iterator[Result]:
    """All measurements of the build, long history first.

    Args:
        scale: of both worlds.
        rounds: of the first build; the daily increment has one a day.
        days: daily batches of each world.
    """
    notes: dict[str, object] = {"scale": scale}
    with bench_server() as server:
        world = World(server, scale, HISTORY_START, days)
        with _said("what dbt takes where there is nothing to do"):
            fixed_first, fixed_day = _fixed(world, rounds)
            _check(HISTORY_END)  # loads Great Expectations
            fixed_check = [_check(HISTORY_END) for _ in range(rounds)]
        world.receive(HISTORY_END)
        yield _first_build(world, rounds, statistics.median(fixed_first), notes)
        yield _edge(world, rounds, statistics.median(fixed_check), notes)
        with _said("all other models of the first build"):
            steps.identify(HISTORY_END)
            transformation.run("seed")
            world.others()
        increment, long_core, long_all = _increments(world, statistics.median(fixed_day), notes)
        yield increment
    with bench_server() as server:
        world = World(server, scale, SHORT_START, days)
        world.receive(HISTORY_END)
        with _said("first build of the short history"):
            steps.identify(HISTORY_END)
            transformation.run("seed")
            world.core()
            world.others()
        short_core, short_all, rows = [], [], 0
        for day in world.days:
            world.receive(day)
            steps.identify(day)
            core, others = world.core(), world.others()
            if day == world.days[0]:
                continue
            short_core.append(core)
            short_all.append(core + others)
            rows += _rows_of(world, day)
    for name, long, short in (
        ("core", long_core, short_core),
        ("all models", long_all, short_all),
    ):
        ratio = statistics.median(long) / statistics.median(short)
        title = f"a day of {name} on 13 months of history, seconds of one on 3 months"
        yield Result(title, ratio, "<= 1.2", long, short, rows, notes)


def _fixed(world: World, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds of the models where no row has come: making the empty tables, and an increment of nothing."""
    first, day = [], []
    for _ in range(rounds):
        world.forget()
        first.append(world.core())
        day.append(world.core())
    world.forget()
    return first, day


def _first_build(world: World, rounds: int, fixed: float, notes: dict[str, object]) -> Result:
    ours, by_hand = [], []
    moved: dict[str, dict[str, int]] = {}
    with _said("first build by hand, for its plans"):
        world.forget()
        world.keep_plans("first", HISTORY_END)
    for number in range(rounds):
        world.forget()
        sides = [
            ("ours", ours, world.core),
            ("by hand", by_hand, lambda: world.by_hand("first", HISTORY_END)),
        ]
        for name, seconds, side in sides if number % 2 else reversed(sides):
            took, moved[name] = world.moved(side)
            seconds.append(took)
            print(f"  first build, {name}: {took:.1f} s", flush=True)
    rows = world.compare()
    speed, sizes = world.copy_speed(), world.sizes()
    for name, bytes_moved in moved.items():
        print(f"  {name}: " + ", ".join(f"{value / 1e6:,.0f} MB {what}" for what, value in bytes_moved.items()))
    print("  on disk: " + ", ".join(f"{schema} {size / 1e6:,.0f} MB" for schema, size in sizes.items()))
    made = sizes["core"] + sizes.get("intermediate", 0)
    print(
        f"  COPY writes {speed / 1e6:,.0f} MB of table a second, "
        f"our first build {made / statistics.median(ours) / 1e6:,.0f} MB of tables and indexes",
        flush=True,
    )
    ratio = (statistics.median(ours) - fixed) / statistics.median(by_hand)
    notes = notes | {
        "seconds_fixed": round(fixed, 3),
        "bytes": moved,
        "sizes": sizes,
        "copy_bytes_a_second": int(speed),
    }
    return Result(
        "first build of core less dbt's start, seconds of that by hand", ratio, "<= 1.3", ours, by_hand, rows, notes
    )


def _increments(world: World, fixed: float, notes: dict[str, object]) -> tuple[Result, list[float], list[float]]:
    """The increment against the one by hand, then the days of core and of all models."""
    ours, by_hand, everything, rows = [], [], [], 0
    for number, day in enumerate(world.days):
        world.receive(day)
        steps.identify(day)
        if number == 0:
            world.core(), world.others()
            world.keep_plans("day", day)
            continue
        sides = [(ours, world.core), (by_hand, lambda day=day: world.by_hand("day", day))]
        for seconds, side in sides if number % 2 else reversed(sides):
            seconds.append(side())
        print(f"  {day}: ours {ours[-1]:.2f} s, by hand {by_hand[-1]:.2f} s", flush=True)
        everything.append(ours[-1] + world.others())
        rows += _rows_of(world, day)
    world.compare()
    ratio = (statistics.median(ours) - fixed) / statistics.median(by_hand)
    notes = notes | {"seconds_fixed": round(fixed, 3)}
    title = "daily increment of core less dbt's start, seconds of that by hand"
    return Result(title, ratio, "<= 1.3", ours, by_hand, rows, notes), ours, everything


def _edge(world: World, rounds: int, fixed: float, notes: dict[str, object]) -> Result:
    """The check of the batches of the first load against the same figures from one scan of each table."""
    ours, by_hand = [], []

    def check() -> float:
        world.server.session.execute("truncate ops.code_count")  # codes are counted once a file
        return world._timed(lambda: _check(HISTORY_END))

    for number in range(rounds):
        sides = [
            (ours, check),
            (by_hand, lambda: world._timed(lambda: world._psql("../check_raw", HISTORY_END))),
        ]
        for seconds, side in sides if number % 2 else reversed(sides):
            seconds.append(side())
    (rows,) = world._one("select sum(rows_loaded)::bigint from ops.source_file")
    ratio = (statistics.median(ours) - fixed) / statistics.median(by_hand)
    notes = notes | {"seconds_fixed": round(fixed, 3)}
    title = "check of raw less Great Expectations' start, seconds of a scan by hand"
    return Result(title, ratio, "<= 1.5", ours, by_hand, rows, notes)


def _check(day: date) -> float:
    begun = time.perf_counter()
    with suppress(expectations.GateClosed):  # where nothing has come yet
        expectations.check_raw(get_settings(), day, SOURCES)
    return time.perf_counter() - begun


def _rows_of(world: World, day: date) -> int:
    (rows,) = world._one(f"select sum(rows_loaded)::bigint from ops.source_file where business_date = date '{day}'")
    return rows


@contextmanager
def _said(what: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    print(f"{what}: {time.perf_counter() - begun:.1f} s", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the measurements; 0 where every one could be told and keeps its goal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.build", description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.1, help="of the simulated world; 1 is 100,000 parties (0.1)")
    parser.add_argument("--rounds", type=int, default=3, help="of the first build and of the check (3)")
    parser.add_argument(
        "--days", type=int, default=5, help="daily batches after one to warm up, a round of the increment each (5)"
    )
    chosen = parser.parse_args(arguments)
    results = []
    told = True
    for result in measure(chosen.scale, chosen.rounds, chosen.days):
        if result.ratio <= 0:  # ours took no longer than its start
            print(f"{result.name}: the world is too small to tell", flush=True)
            told = False
            continue
        result.append()
        results.append(result)
        print(f"{result.name}: {result.ratio:.2f} (goal {result.goal})", flush=True)
    Console(width=140).print(table_of(results))
    return 0 if told and all(result.is_met for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
