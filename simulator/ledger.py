"""The ledger of core banking: turns requests into postings whose balances tie to the cent.

An account never goes below zero. Requests of one account are taken in order of time; a debit that finds less than it
asks for is treated by its mode. The running balance with a floor at zero is ``sum - min(0, lowest sum so far)``, so all
accounts are settled at once.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

FLEXIBLE = 0  # takes what is there
ALL_OR_NOTHING = 1  # fails where the balance does not suffice; its outcome is reported by `ref`
TOPPED_UP = 2  # always paid; the missing amount comes in by transfer just before
SWEEP = 3  # closes the account: takes all that is left, must be its last request

COLUMNS = {
    "account": pl.Int32,
    "date": pl.Date,
    "at": pl.Datetime("us"),
    "sign": pl.Int8,
    "amount": pl.Int64,
    "type": pl.String,
    "channel": pl.String,
    "mode": pl.Int8,
    "ref": pl.String,
    "counterparty_account": pl.String,
    "counterparty_name": pl.String,
    "counterparty_bank": pl.String,
    "operator_id": pl.String,
    "summary": pl.String,
}


def requests(rows: int, **columns: object) -> pl.DataFrame:
    """A frame of requests; columns that are not given are NULL, mode is FLEXIBLE.

    Args:
        rows: Number of requests.
        columns: `account` (index), `date` (accounting date), `at` (local time), `sign` (+1 credit, -1 debit),
            `amount` (fen), `type`, `channel`, `mode`, `ref` …: arrays or one value for all.
    """
    data = {}
    for name, kind in COLUMNS.items():
        value = columns.get(name, 0 if name == "mode" else None)
        if isinstance(value, pl.Series):
            data[name] = value.cast(kind)
        elif isinstance(value, np.ndarray):
            data[name] = pl.Series(value.tolist() if value.dtype == object else value).cast(kind)
        else:
            data[name] = pl.Series([value], dtype=kind).new_from_index(0, rows) if rows else pl.Series([], dtype=kind)
    return pl.DataFrame(data)


class Ledger:
    """Balances of all accounts.

    Args:
        balances: Opening balances in fen, by account index.
    """

    def __init__(self, balances: np.ndarray) -> None:
        self.balance = balances.astype(np.int64).copy()
        self.products = np.zeros(len(balances))  # sum of end-of-day balances since the last interest day, in fen days

    def settle(
        self,
        asked: pl.DataFrame,
        first: date,
        last: date,
        reverse: np.random.Generator | None = None,
        reversal_share: float = 0.0,
    ) -> pl.DataFrame:
        """Posts the requests of a range of accounting dates.

        Returns:
            Postings in order of accounting date and time with `transaction_id`, `balance_after` and, for reversals,
            `reverses_transaction_id`. A request that failed does not occur: its `ref` is not among the postings.
        """
        opening = pl.DataFrame(
            {"account": pl.Series(np.arange(len(self.balance)), dtype=pl.Int32), "opening": self.balance}
        )
        rows = (
            asked.sort("date", "at", maintain_order=True)
            .with_row_index("_row")
            .with_columns(_row=pl.col("_row").cast(pl.Int64) * 2)
            .join(opening, on="account", how="left", maintain_order="left")
        )
        wanted = pl.when(pl.col("mode") == SWEEP).then(0).otherwise(pl.col("sign") * pl.col("amount"))
        rows = rows.with_columns(_sum=pl.col("opening") + wanted.cum_sum().over("account"))
        rows = rows.with_columns(_level=pl.col("_sum") - pl.min_horizontal(pl.col("_sum").cum_min().over("account"), 0))
        rows = rows.with_columns(_before=pl.col("_level").shift(1).over("account").fill_null(pl.col("opening")))
        rows = rows.with_columns(
            _missing=pl.when(pl.col("sign") < 0)
            .then(pl.col("amount") - (pl.col("_before") - pl.col("_level")))
            .otherwise(0)
        )
        rows = rows.with_columns(
            _missing=pl.when(pl.col("mode") == SWEEP).then(0).otherwise(pl.col("_missing")),
            _short=pl.col("_missing") > 0,
        )
        top = rows.filter((pl.col("mode") == TOPPED_UP) & (pl.col("_missing") > 0)).with_columns(
            sign=pl.lit(1, pl.Int8),
            amount=pl.col("_missing"),
            type=pl.lit("transfer_in"),
            channel=pl.lit("mobile_bank"),
            _row=pl.col("_row") - 1,
            ref=pl.lit(None, pl.String),
            summary=pl.lit("他行转入"),
            counterparty_account=pl.lit(None, pl.String),
            counterparty_name=pl.lit(None, pl.String),
            counterparty_bank=pl.lit("他行"),
            mode=pl.lit(FLEXIBLE, pl.Int8),
            operator_id=pl.lit(None, pl.String),
        )
        rows = rows.filter(~((pl.col("mode") == ALL_OR_NOTHING) & (pl.col("_missing") > 0))).with_columns(
            amount=pl.when(pl.col("mode") == FLEXIBLE)
            .then(pl.col("amount") - pl.col("_missing"))
            .otherwise(pl.col("amount"))
        )
        rows = rows.filter((pl.col("amount") > 0) | (pl.col("mode") == SWEEP))
        pieces = [rows.with_columns(_pair=pl.lit(None, pl.Int64)), top.with_columns(_pair=pl.lit(None, pl.Int64))]
        if reverse is not None:
            pieces.append(self._reversals(rows, reverse, reversal_share))
        rows = pl.concat(pieces).sort("date", "at", "_row", maintain_order=True)
        swept = pl.col("mode") == SWEEP
        rows = rows.with_columns(amount=pl.when(swept).then(0).otherwise("amount"))
        rows = rows.with_columns(
            _after=pl.col("opening") + (pl.col("sign") * pl.col("amount")).cum_sum().over("account")
        )
        rows = rows.with_columns(
            amount=pl.when(swept).then("_after").otherwise("amount"),
            balance_after=pl.when(swept).then(0).otherwise("_after"),
        ).filter(pl.col("amount") > 0)
        rows = rows.with_columns(
            transaction_id=pl.lit("T")
            + pl.col("date").dt.strftime("%Y%m%d")
            + (pl.int_range(pl.len()).over("date") + 1).cast(pl.String).str.zfill(8)
        )
        origin = rows.filter(pl.col("_pair").is_null()).select(_pair="_row", reverses_transaction_id="transaction_id")
        rows = rows.join(origin, on="_pair", how="left", maintain_order="left")
        self._carry(rows, first, last)
        return rows.select(*COLUMNS, "transaction_id", "balance_after", "reverses_transaction_id")

    def _reversals(self, rows: pl.DataFrame, rng: np.random.Generator, share: float) -> pl.DataFrame:
        """Reversal credits, on the same accounting date, of debits that went wrong."""
        early = (pl.col("at").dt.hour() < 20) & (pl.col("at").dt.date() == pl.col("date"))
        out = (pl.col("type") == "transfer_out") & (pl.col("sign") < 0)
        hit = rows.filter(out & (pl.col("mode") == FLEXIBLE) & early)
        # not on accounts that close in this range: nothing may follow a sweep
        closing = rows.filter(pl.col("mode") == SWEEP)["account"].implode()
        hit = hit.filter(~pl.col("account").is_in(closing))
        hit = hit.filter(pl.Series(rng.random(hit.height) < share))
        seconds = pl.Series(rng.integers(60, 3600, hit.height))
        return hit.with_columns(
            _pair=pl.col("_row"),
            _row=pl.col("_row") + 1,
            sign=pl.lit(1, pl.Int8),
            at=pl.col("at") + pl.duration(seconds=seconds),
            type=pl.lit("reversal"),
            summary=pl.lit("冲正"),
            ref=pl.lit(None, pl.String),
        )

    def _carry(self, rows: pl.DataFrame, first: date, last: date) -> None:
        accounts, signed = rows["account"].to_numpy(), (rows["sign"] * rows["amount"]).to_numpy().astype(np.int64)
        left = (np.datetime64(last) - rows["date"].to_numpy().astype("datetime64[D]")).astype(np.int64) + 1
        self.products += self.balance.astype(float) * ((last - first).days + 1)
        np.add.at(self.products, accounts, (signed * left).astype(float))
        np.add.at(self.balance, accounts, signed)


def end_of_day(postings: pl.DataFrame) -> pl.DataFrame:
    """Balances on days of change: the last balance of each account and accounting date."""
    return postings.group_by("account", "date", maintain_order=True).agg(balance=pl.col("balance_after").last())
