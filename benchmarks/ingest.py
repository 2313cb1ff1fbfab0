"""Rows per second of `ingest` against a plain COPY of the same rows (goal: at least 0.6 of it).

Ours: a delimited GB18030 file of account postings with its control file, as core banking sends it: receipt, SHA-256,
decoding, all rules of the contract, keys unique in the file, quarantine, lineage columns, BRIN index, control totals,
ledger, ANALYZE, batch complete. Baseline: `baseline/copy_account_transaction.sql`, the same rows as UTF-8 CSV into an
equal table. Both run on one embedded server of their own, interleaved, with a CHECKPOINT before each.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import psycopg

from benchmarks.result import Result, interleaved
from ingestion.batch import ingest
from ingestion.contract import Contract, load_contracts
from ingestion.raw_ddl import raw_migrations
from warehouse.connection import connect, ensure_running
from warehouse.migration import migrate, read_migrations
from warehouse.server import EmbeddedServer

BASELINE = Path(__file__).parent / "baseline" / "copy_account_transaction.sql"
SOURCE, TABLE = "core_banking", "account_transaction"
DAY = date(2026, 11, 1)
SEED = 20261101
GOAL = ">= 0.6"


def postings(rows: int) -> pl.DataFrame:
    """Account postings that keep their contract, as text; the same for the same number of rows."""
    dice = np.random.default_rng(SEED)
    number = pl.int_range(rows, eager=True)
    second = pl.Series(dice.integers(0, 86_400, rows))
    cents = pl.Series(dice.integers(1, 50_000_000, rows))
    balance = pl.Series(dice.integers(0, 5_000_000_000, rows))

    def one_of(values: list[str]) -> pl.Series:
        return pl.Series(values)[pl.Series(dice.integers(0, len(values), rows))]

    def money(value: str) -> pl.Expr:
        return pl.format("{}.{}", pl.col(value) // 100, (pl.col(value) % 100).cast(pl.String).str.zfill(2))

    def digits(start: int, width: int) -> pl.Series:
        return (
            pl.Series(dice.integers(0, 10**9, rows))
            .cast(pl.String)
            .str.zfill(width)
            .str.pad_start(width + 4, str(start))
        )

    raw = pl.DataFrame({"number": number, "second": second, "cents": cents, "balance": balance})
    at = pl.format(
        "{} {}:{}:{}",
        pl.lit(DAY.isoformat()),
        *(
            part.cast(pl.String).str.zfill(2)
            for part in (pl.col("second") // 3600, pl.col("second") // 60 % 60, pl.col("second") % 60)
        ),
    )
    return raw.select(
        transaction_id=pl.format("T20261101{}", pl.col("number").cast(pl.String).str.zfill(9)),
        account_id=digits(6, 12),
        accounting_date=pl.lit(DAY.isoformat()),
        transacted_at=at,
        direction=one_of(["D", "C"]),
        amount=money("cents"),
        currency=pl.lit("CNY"),
        balance_after=money("balance"),
        transaction_type=one_of(["transfer_in", "transfer_out", "salary", "bill_payment", "withdrawal"]),
        channel_id=one_of(["mobile_bank", "counter", "atm", "third_party"]),
        counterparty_account=digits(7, 12),
        counterparty_name=one_of(["国网电费代收", "王小明", "李秀英", "某某商贸有限公司", "张伟"]),
        counterparty_bank=one_of(["中国银行", "农业银行", "建设银行"]),
        operator_id=one_of(["E00017", "E00118", ""]),
        summary=one_of(["电费", "转账", "工资", "消费", "还款"]),
        reverses_transaction_id=pl.lit(""),
    )


def land(folder: Path, contract: Contract, rows: pl.DataFrame) -> None:
    """Writes the file as core banking sends it, with its control file."""
    folder.mkdir(parents=True)
    path = folder / contract.file_name(DAY)
    layout = contract.layout
    text = rows.select(contract.column_names).write_csv(
        separator=layout.delimiter, quote_style="never", line_terminator=layout.line_end
    )
    path.write_bytes(text.encode(layout.encoding))
    total = rows.select(pl.col("amount").cast(pl.Decimal(38, 2)).sum()).item()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    control = folder / (contract.control_file_name(DAY) or "")
    control.write_text(
        f"file_name|row_count|amount_total|sha256\n{path.name}|{rows.height}|{total}|{digest}\n", encoding="utf-8"
    )


def measure(rows: int = 1_000_000, rounds: int = 5) -> Result:
    """Measures both sides on a server of their own and takes it down again."""
    home = Path(tempfile.mkdtemp(prefix="c360-bench-"))
    home.chmod(0o755)  # the server's account must reach it
    before = {name: os.environ.get(name) for name in ("C360_HOME", "DATABASE_URL")}
    os.environ["C360_HOME"] = str(home)
    os.environ.pop("DATABASE_URL", None)
    try:
        ensure_running()
        with connect(autocommit=True) as session:
            return _measure(session, home, rows, rounds)
    finally:
        EmbeddedServer(home).remove()
        shutil.rmtree(home, ignore_errors=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _measure(session: psycopg.Connection, home: Path, rows: int, rounds: int) -> Result:
    contract = load_contracts()[SOURCE][TABLE]
    contracts = {SOURCE: {TABLE: contract}}
    migrate([*read_migrations("warehouse"), *read_migrations("ingestion"), *raw_migrations(contracts)], session)
    generated = postings(rows)
    landing = home / "landing"
    land(landing / SOURCE / DAY.isoformat(), contract, generated)
    plain = home / "plain.csv"
    generated.write_csv(plain, include_header=False)
    create, copy = (part.strip() for part in BASELINE.read_text(encoding="utf-8").split(";")[:2])
    session.execute("create schema baseline")
    session.execute(create)

    def ours() -> float:
        session.execute(
            f"truncate raw_{SOURCE}.{TABLE}, ops.batch, ops.source_file, ops.drift, quarantine.row, quarantine.warning "
            "cascade"
        )
        session.execute("checkpoint")
        start = time.perf_counter()
        report = ingest(SOURCE, DAY, connection=session, landing=landing, contracts=contracts)
        seconds = time.perf_counter() - start
        assert report.is_complete and report.files[0].rows_loaded == rows, report
        return seconds

    def baseline() -> float:
        session.execute("truncate baseline.account_transaction")
        session.execute("checkpoint")
        start = time.perf_counter()
        with plain.open("rb") as file, session.cursor() as cursor, cursor.copy(copy) as out:
            while chunk := file.read(1 << 20):
                out.write(chunk)
        return time.perf_counter() - start

    seconds, seconds_baseline = interleaved(ours, baseline, rounds)
    ratio = float(np.median(seconds_baseline) / np.median(seconds))
    return Result("ingest of account postings, rows/s of plain COPY", ratio, GOAL, seconds, seconds_baseline, rows)
