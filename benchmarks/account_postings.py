"""Account postings of the benchmark, as core banking sends them: delimited GB 18030 with a control file."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from ingestion.contract import Contract

DAY = date(2026, 11, 1)
SEED = 20261101


def postings(rows: int) -> pl.DataFrame:
    """Account postings that keep their contract, as text; the same for the same number of rows."""
    dice = np.random.default_rng(SEED)
    number = pl.int_range(rows, eager=True)
    second = pl.Series(dice.integers(0, 80_000, rows))  # before the cut-off: later ones would be of the next day
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


def land(folder: Path, contract: Contract, rows: pl.DataFrame) -> Path:
    """Write the file as core banking sends it, with its control file, and give its path."""
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
    return path
