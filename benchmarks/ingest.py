"""Ingestion against a plain COPY of the same rows, against dlt, its memory, and what quarantine costs.

Ours, always: receipt, SHA-256 of the file, decoding, every rule of the contract on every row, keys unique in the file,
XXH64 of every row, lineage columns, BRIN index, quarantine, control totals, ledger, ANALYZE, batch complete; all of it
committed. The baselines do none of this. Both sides run on one embedded server of their own, interleaved, with a
CHECKPOINT before each round.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from benchmarks import account_postings, card_postings
from benchmarks.result import Result, interleaved
from benchmarks.server import Server, bench_server
from ingestion.batch import ingest
from ingestion.contract import Contract, load_contracts
from ingestion.raw_ddl import raw_migrations
from warehouse.connection import url
from warehouse.migration import migrate, read_migrations

HERE = Path(__file__).parent
BASELINES = HERE / "baseline"
CONTRACTS = load_contracts(HERE / "contracts")
DLT_PYTHON = HERE.parent / ".venv-dlt" / "bin" / "python"
DAY = card_postings.DAY
ROWS, ROUNDS = 2_000_000, 5
MEMORY_GOAL = 512 << 20


def account_postings_vs_copy() -> Result:
    """A million account postings, delimited GB 18030 with a control file, against COPY of the same rows as CSV."""
    contracts = {"core_banking": {"account_transaction": load_contracts()["core_banking"]["account_transaction"]}}
    with _prepared(contracts) as server:
        rows = account_postings.postings(1_000_000)
        account_postings.land(_landing(server, "core_banking"), contracts["core_banking"]["account_transaction"], rows)
        plain = server.home / "plain.csv"
        rows.write_csv(plain)
        copy = _Copy(server, "account_transaction", plain)
        sides = interleaved(lambda: _ours(server, "core_banking", contracts, rows.height), copy, ROUNDS)
    return _of_copy("ingest of account postings, rows/s of plain COPY", ">= 0.6", sides, rows.height)


def card_csv_vs_copy() -> Result:
    """Card postings as CSV against COPY of the same file."""
    with _prepared(CONTRACTS) as server:
        path = card_postings.land(_landing(server, "card_csv"), CONTRACTS["card_csv"]["posting"], ROWS)
        copy = _Copy(server, "card_posting", path)
        sides = interleaved(lambda: _ours(server, "card_csv", CONTRACTS, ROWS), copy, ROUNDS)
    return _of_copy("ingest of card postings, CSV, rows/s of plain COPY", ">= 0.7", sides, ROWS)


def card_fixed_vs_copy() -> Result:
    """Card postings as fixed-width GB 18030 against COPY of the same rows as CSV."""
    with _prepared(CONTRACTS) as server:
        path = card_postings.land(server.home / "plain", CONTRACTS["card_csv"]["posting"], ROWS)
        card_postings.land(_landing(server, "card_fixed"), CONTRACTS["card_fixed"]["posting"], ROWS)
        copy = _Copy(server, "card_posting", path)
        sides = interleaved(lambda: _ours(server, "card_fixed", CONTRACTS, ROWS), copy, ROUNDS)
    return _of_copy("ingest of card postings, fixed-width GB18030, rows/s of plain COPY", ">= 0.35", sides, ROWS)


def card_csv_vs_dlt() -> Result:
    """Card postings as CSV against dlt's fastest way into PostgreSQL: Arrow tables, Parquet files, ADBC."""
    with _prepared(CONTRACTS) as server:
        path = card_postings.land(_landing(server, "card_csv"), CONTRACTS["card_csv"]["posting"], ROWS)

        def dlt() -> float:
            server.session.execute("drop schema if exists dlt_bench cascade")
            server.session.execute("checkpoint")
            command = [DLT_PYTHON, HERE / "dlt_load.py", path, url(), server.home / "dlt"]
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=_without_telemetry())
            (rows,) = server.session.execute("select count(*) from dlt_bench.card_posting").fetchone() or (0,)
            assert rows == ROWS, rows
            return float(json.loads(done.stdout.splitlines()[-1])["seconds"])

        sides = interleaved(lambda: _ours(server, "card_csv", CONTRACTS, ROWS), dlt, ROUNDS)
    return _of_copy("ingest of card postings, CSV, rows/s of dlt", ">= 2", sides, ROWS)


def quarantine_of_one_percent() -> Result:
    """A file of which one row in a hundred breaks a rule, against the same rows without a fault."""
    with _prepared(CONTRACTS) as server:
        contract = CONTRACTS["card_csv"]["posting"]
        good, bad = server.home / "good", server.home / "bad"
        card_postings.land(good / "card_csv" / DAY.isoformat(), contract, ROWS)
        card_postings.land(bad / "card_csv" / DAY.isoformat(), contract, ROWS, wrong_share=0.01)
        sides = interleaved(
            lambda: _ours(server, "card_csv", CONTRACTS, ROWS, bad),
            lambda: _ours(server, "card_csv", CONTRACTS, ROWS, good),
            ROUNDS,
        )
    ratio = statistics.median(sides[0]) / statistics.median(sides[1])
    return Result("ingest with 1 % of the rows in quarantine, seconds of one without", ratio, "<= 1.1", *sides, ROWS)


def memory_of_small_file() -> Result:
    """Peak memory of the loader, interpreter included, for 0.25 GB of CSV."""
    return _memory(2_000_000)


def memory_of_large_file() -> Result:
    """Peak memory of the loader, interpreter included, for 2.5 GB of CSV."""
    return _memory(20_000_000)


def _memory(rows: int) -> Result:
    with _prepared(CONTRACTS) as server:
        path = card_postings.land(_landing(server, "card_csv"), CONTRACTS["card_csv"]["posting"], rows)
        size = path.stat().st_size
        begun = time.perf_counter()
        loader = psutil.Popen([sys.executable, "-m", "benchmarks.ingest", server.home / "landing"], cwd=HERE.parent)
        peak = 0
        while loader.poll() is None:
            peak = max(peak, _memory_of_tree(loader))
            time.sleep(0.02)
        seconds = time.perf_counter() - begun
        assert loader.returncode == 0
        loaded = server.session.execute("select sum(rows_loaded) from ops.source_file").fetchone()
        assert loaded == (rows,), loaded
    name = f"peak memory of the ingest of a {size / 1e9:.2f} GB file, share of 512 MB"
    return Result(name, peak / MEMORY_GOAL, "<= 1", [seconds], [], rows)


def _memory_of_tree(process: psutil.Process) -> int:
    """Bytes of a process and its children that no other process has, and their part of what is shared."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_full_info().pss
        except psutil.Error:  # it has just ended
            continue
    return total


@contextmanager
def _prepared(contracts: Mapping[str, Mapping[str, Contract]]) -> Iterator[Server]:
    with bench_server() as server:
        migrations = [*read_migrations("warehouse"), *read_migrations("ingestion"), *raw_migrations(contracts)]
        migrate(migrations, server.session)
        server.session.execute("create schema baseline")
        yield server


def _landing(server: Server, source: str) -> Path:
    return server.home / "landing" / source / DAY.isoformat()


def _ours(
    server: Server, source: str, contracts: Mapping[str, Mapping[str, Contract]], rows: int, landing: Path | None = None
) -> float:
    (table,) = contracts[source]
    landing = landing or server.home / "landing"
    for receipt in (landing / source / DAY.isoformat()).glob("*.receipt*"):
        receipt.unlink()
    server.session.execute(
        f"truncate raw_{source}.{table}, ops.batch, ops.source_file, ops.drift, quarantine.row, quarantine.warning "
        "cascade"
    )
    server.session.execute("checkpoint")
    begun = time.perf_counter()
    report = ingest(source, DAY, connection=server.session, landing=landing, contracts=contracts)
    seconds = time.perf_counter() - begun
    (file,) = report.files
    assert report.is_complete and (file.rows_loaded or 0) + (file.rows_quarantined or 0) == rows, report
    return seconds


class _Copy:
    """psql's own `\\copy` of a file into an equal table, as the baseline's script says."""

    def __init__(self, server: Server, name: str, file: Path) -> None:
        create, self._copy = (BASELINES / f"copy_{name}.sql").read_text(encoding="utf-8").split(";\n\n")
        self._server, self._table, self._file = server, f"baseline.{name}", file
        server.session.execute(create)

    def __call__(self) -> float:
        self._server.session.execute(f"truncate {self._table}")
        self._server.session.execute("checkpoint")
        return self._server.psql(self._copy.strip(), self._file)


def _of_copy(name: str, goal: str, sides: tuple[list[float], list[float]], rows: int) -> Result:
    return Result(name, statistics.median(sides[1]) / statistics.median(sides[0]), goal, *sides, rows)


def _without_telemetry() -> dict[str, str]:
    return os.environ | {"RUNTIME__DLTHUB_TELEMETRY": "false", "DO_NOT_TRACK": "1"}


def main() -> None:
    """Load the card postings of a landing once, for the measurement of memory."""
    with psycopg.connect(url(), autocommit=True) as session:
        ingest("card_csv", DAY, connection=session, landing=Path(sys.argv[1]), contracts=CONTRACTS)


if __name__ == "__main__":
    main()
