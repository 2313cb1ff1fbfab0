"""Foreign currency: rates of exchange (汇率), and the accounts kept in other currencies with their postings."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from simulator import ledger
from simulator import parameters as p
from simulator.accounts import SUBJECTS
from simulator.calendar import month_end, working_days
from simulator.changes import history
from simulator.customers import Customers
from simulator.organisation import Organisation
from simulator.randomness import Streams, pick

EVE_DAYS = 15  # rates before the history, so that its first days, a holiday, have one


def exchange_rates(streams: Streams, start: date, horizon: date) -> pl.DataFrame:
    """Rates of working days: the central parity (中间价), and at the end of a month that to close it (月末折算价)."""
    days = working_days(start - timedelta(days=EVE_DAYS), horizon)
    months = days.astype("datetime64[M]")
    closes = np.append(months[1:] != months[:-1], month_end(horizon) == horizon)
    parts = []
    for currency, (units, begin, sway) in p.EXCHANGE_RATES.items():
        walk = begin * np.exp(np.cumsum(streams("rate", currency).normal(0, sway, len(days))))
        rate = np.round(walk * 10_000).astype(np.int64) * 10_000  # published to four decimals
        for rate_type, mask in (("central_parity", np.ones(len(days), bool)), ("month_end", closes)):
            parts.append(
                pl.DataFrame({"rate_date": days[mask], "rate": rate[mask]}).with_columns(
                    currency=pl.lit(currency), units=pl.lit(units, pl.Int64), rate_type=pl.lit(rate_type)
                )
            )
    rates = pl.concat(parts).with_columns(quote_currency=pl.lit("CNY"), _date=pl.max_horizontal("rate_date", start))
    return rates.sort("rate_date", "currency", "rate_type")


class ForeignAccounts:
    """Accounts in foreign currency of customers who were there before the history; each has a ledger line of its own.

    Attributes:
        log, holders: Change logs of `account` and `account_holder`.
        ids, currencies: By index of the account.
        opening: Balances on the eve of the history, in the last decimal of numeric(18,2).
    """

    def __init__(self, streams: Streams, customers: Customers, organisation: Organisation, start: date) -> None:
        self.streams = streams
        rng = streams("foreign accounts")
        frame = customers.frame.filter(pl.col("opened_on") < start)
        firm = (frame["party_kind"] == "firm").to_numpy()
        order = rng.permutation(frame.height)
        firms = order[firm[order]][: max(4, round(firm.sum() * p.FOREIGN_FIRM_SHARE))]
        persons = order[~firm[order]][: max(4, round((~firm).sum() * p.FOREIGN_PERSON_SHARE))]
        owners = frame[np.concatenate([firms, persons])]
        count = owners.height
        self.firm = (owners["party_kind"] == "firm").to_numpy()
        self.currencies = np.resize(np.array(p.FOREIGN_CURRENCIES, object), count)
        self.ids = np.array([f"62{5 * 10**15 + n * 7919:016d}" for n in range(count)], object)
        self.mean = np.where(self.firm, 45_000, 1_800) * np.where(self.currencies == "JPY", 150, 1)
        self.opening = self._amounts(rng, np.arange(count), 4.0)
        kind = np.where(self.firm, "corporate_general", "personal_demand")
        outlets = np.array(organisation.outlets)[owners["outlet"].to_numpy()]
        base = pl.DataFrame(
            {
                "account_id": self.ids.tolist(),
                "customer_id": owners["customer_id"],
                "product_id": ("FD" + self.currencies).tolist(),
                "organisation_id": outlets.tolist(),
                "account_type": kind.tolist(),
                "account_class": pl.Series(np.where(self.firm, None, "I").tolist(), dtype=pl.String),
                "currency": self.currencies.tolist(),
                "interest_rate": np.full(count, round(p.DEMAND_RATE_PER_CENT * 1_000_000)),
                "opened_on": owners["opened_on"],
            }
        ).with_columns(
            gl_subject=pl.col("account_type").replace_strict(SUBJECTS, return_dtype=pl.String),
            closed_on=pl.lit(None, pl.Date),
            matures_on=pl.lit(None, pl.Date),
            status=pl.lit("active"),
        )
        self.log = history(base, "account_id", "opened_on")
        self.holders = owned(base, "HF")
        self.ledger = ledger.Ledger(self.opening)

    def _amounts(self, rng: np.random.Generator, account: np.ndarray, factor: float) -> np.ndarray:
        amount = self.mean[account] * factor * np.exp(rng.normal(-0.3, 0.8, len(account))) * 100
        step = np.where(self.currencies[account] == "JPY", 100, 1)  # the yen has no smaller coin
        return np.maximum(np.round(amount / step), 1).astype(np.int64) * step

    def month(self, month: date) -> pl.DataFrame:
        """Postings of one month: receipts from abroad and payments."""
        rng = self.streams("foreign postings", month)
        last = month_end(month)
        counts = rng.poisson(np.where(self.firm, p.FOREIGN_POSTINGS_A_MONTH, p.FOREIGN_POSTINGS_A_MONTH / 3))
        account = np.repeat(np.arange(len(counts)), counts)
        size = len(account)
        sign = pick(rng, (1, -1), None, size)
        day = pick(rng, working_days(month, last), None, size)
        asked = ledger.requests(
            size,
            account=account,
            date=day,
            at=day.astype("datetime64[us]") + rng.integers(32_400, 61_200, size).astype("timedelta64[s]"),
            sign=sign,
            amount=self._amounts(rng, account, 1.0),
            type=np.where(sign > 0, "transfer_in", "transfer_out").astype(object),
            channel="net_bank",
            summary=np.where(sign > 0, "境外汇入", "汇出汇款").astype(object),
        )
        return self.ledger.settle(asked, month, last).with_columns(
            transaction_id=pl.col("transaction_id").str.replace("T", "TF")
        )


def owned(accounts: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """Change log of `account_holder` for accounts of one owner each."""
    base = accounts.select(
        "account_id", "customer_id", "opened_on", holder_role=pl.lit("owner"), share=pl.lit(1_000_000, pl.Int64)
    ).with_columns(holder_id=pl.Series([f"{prefix}{n + 1:07d}" for n in range(accounts.height)]))
    return history(base, "holder_id", "opened_on").drop("opened_on")
