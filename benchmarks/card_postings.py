"""Card postings of the benchmark: any number of rows, the same for the same number, in bounded memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl

from ingestion.contract import Contract, FixedWidth

DAY = date(2026, 11, 1)
SEED = 20261101
AT_ONCE = 500_000
MERCHANTS = ["国网电费代收", "永辉超市", "中国石化加油站", "瑞幸咖啡", "海底捞火锅", "Apple Services", "滴滴出行"]


def postings(rows: int, wrong_share: float = 0.0) -> Iterator[pl.DataFrame]:
    """Postings as text, in the columns of `contracts/card_csv/posting.yaml`, some 120 bytes each.

    Args:
        rows: How many.
        wrong_share: Share of them whose direction is no code of the contract.
    """
    for first in range(0, rows, AT_ONCE):
        yield _postings(first, min(AT_ONCE, rows - first), wrong_share)


def _postings(first: int, rows: int, wrong_share: float) -> pl.DataFrame:
    dice = np.random.default_rng([SEED, first])

    def whole(below: int) -> pl.Series:
        return pl.Series(dice.integers(0, below, rows))

    def one_of(values: list[str]) -> pl.Series:
        return pl.Series(values, dtype=pl.String)[whole(len(values))]

    def digits(prefix: str, width: int) -> pl.Expr:
        return pl.format("{}{}", pl.lit(prefix), pl.lit(whole(10**9)).cast(pl.String).str.zfill(width))

    cents, second = pl.lit(whole(50_000_000)), pl.lit(whole(86_400))
    direction = one_of(["D", "D", "D", "C"])
    if wrong_share:
        direction = direction.zip_with(pl.Series(dice.random(rows) >= wrong_share), pl.Series(["X"]))
    return pl.select(
        posting_id=pl.int_range(first + 1_000_000_000, first + 1_000_000_000 + rows).cast(pl.String),
        card_no=digits("6222021", 9),
        account_no=digits("4001", 12),
        posted_at=pl.datetime(DAY.year, DAY.month, DAY.day) + pl.duration(seconds=second),
        value_date=pl.lit(DAY),
        amount=pl.format("{}.{}", cents // 100, (cents % 100).cast(pl.String).str.zfill(2)),
        currency=one_of(["CNY"] * 18 + ["USD", "HKD"]),
        mcc=one_of(["4900", "5411", "5541", "5814", "5812", "5734", "4121"]),
        merchant=one_of(MERCHANTS),
        auth_code=one_of([f"{n:06d}" for n in range(100_000, 999_999, 997)] + [""] * 100),
        direction=direction,
        channel=one_of(["POS", "ATM", "NET", "QRC"]),
    ).with_columns(pl.col("posted_at").dt.to_string("%Y-%m-%d %H:%M:%S"), pl.col("value_date").dt.to_string("%Y-%m-%d"))


def land(folder: Path, contract: Contract, rows: int, wrong_share: float = 0.0) -> Path:
    """Write a file of postings as the contract says, with its control record, and give its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / contract.file_name(DAY)
    write = _fixed_width if isinstance(contract.layout, FixedWidth) else _delimited
    with path.open("wb") as out:
        write(out.write, contract, rows, wrong_share)
    if control := contract.control_file_name(DAY):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        said = f"file_name|row_count|amount_total|sha256\n{path.name}|{rows}|{_total(rows, wrong_share)}|{digest}\n"
        (folder / control).write_text(said, encoding="utf-8")
    return path


def _delimited(write: Callable[[bytes], object], contract: Contract, rows: int, wrong_share: float) -> None:
    write((",".join(contract.column_names) + "\n").encode())
    for part in postings(rows, wrong_share):
        write(part.write_csv(include_header=False, quote_style="never").encode())


def _fixed_width(write: Callable[[bytes], object], contract: Contract, rows: int, wrong_share: float) -> None:
    codec = contract.layout.encoding
    write(f"H{contract.table:<16}{DAY:%Y%m%d}\n".encode(codec))
    for part in postings(rows, wrong_share):
        text = part.with_columns(pl.col("posted_at", "value_date", "amount").str.replace_all("[^0-9]", ""))
        columns = []
        for column in contract.columns:
            value, width = pl.col(column.name), int(column.width or 0)
            if column.base_type in ("bigint", "numeric"):
                columns.append(value.str.zfill(width))
            else:  # a hanzi is three bytes of UTF-8, two of GB 18030
                hanzi = (value.str.len_bytes() - value.str.len_chars()) // 2
                columns.append(value + pl.lit(" ").repeat_by(width - value.str.len_chars() - hanzi).list.join(""))
        write(text.select(pl.concat_str(pl.lit("D"), *columns, pl.lit("\n")).str.join("")).item().encode(codec))
    write(f"T{rows:012d}{int(_total(rows, wrong_share) * 100):020d}\n".encode(codec))


def _total(rows: int, wrong_share: float) -> Decimal:
    parts = (part["amount"].cast(pl.Decimal(38, 2)).sum() for part in postings(rows, wrong_share))
    return sum(parts, Decimal(0))
