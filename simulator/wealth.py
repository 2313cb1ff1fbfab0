"""Wealth business: risk assessments, trades through the settlement account, holdings on days of change."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulator import ledger
from simulator import parameters as p
from simulator.accounts import Accounts
from simulator.calendar import month_end, working_days
from simulator.customers import Customers
from simulator.frames import text
from simulator.organisation import Organisation
from simulator.randomness import Streams, choose, pick

PRODUCTS = (
    ("WM01", "R1", 0),
    ("WM02", "R2", 35),
    ("WM03", "R2", 182),
    ("WF01", "R1", 0),
    ("WF02", "R3", 0),
    ("WF03", "R4", 0),
    ("WI01", "R2", 0),
    ("WB01", "R1", 0),
    ("WG01", "R3", 0),
)
DRIFT = {"R1": (0.0014, 0.0), "R2": (0.0025, 0.001), "R3": (0.004, 0.02), "R4": (0.006, 0.05)}  # a month: mean, spread
ORDER = {"C1": 1, "C2": 2, "C3": 3, "C4": 4, "C5": 5}


class Wealth:
    """Holdings and trades; a holding is one purchase of one product.

    Attributes:
        assessments: Risk assessments.
        holdings: State of all holdings: quantity in 1e-4 units, price in 1e-8 CNY.
    """

    def __init__(
        self,
        streams: Streams,
        customers: Customers,
        accounts: Accounts,
        organisation: Organisation,
        start: date,
        horizon: date,
    ) -> None:
        self.streams, self.accounts, self.customers = streams, accounts, customers
        self.organisation, self.start, self.horizon = organisation, start, horizon
        rng = streams("wealth")
        person = (customers.frame["party_kind"] == "person").to_numpy()
        self.who = np.flatnonzero(person & choose(rng, len(person), p.WEALTH_CUSTOMER_SHARE))
        self.level = pick(rng, list(ORDER), (8, 27, 38, 20, 7), len(self.who))
        self.assessments = self._assess(rng)
        self.trade_no, self.holding_no = 0, 0
        self.open = self._begin(rng)

    def _assess(self, rng: np.random.Generator) -> pl.DataFrame:
        frame, size = self.customers.frame, len(self.who)
        opened = frame["opened_on"].to_numpy().astype("datetime64[D]")[self.who]
        parts = []
        for year in range(2):
            day = np.maximum(opened, np.datetime64(self.start) - 330 + rng.integers(0, 320, size)) + 365 * year
            parts.append(
                pl.DataFrame(
                    {
                        "customer_id": frame["customer_id"].gather(self.who),
                        "assessed_on": day,
                        "risk_level": self.level,
                        "expires_on": day + 364,
                    }
                ).with_columns(
                    channel_id=pl.Series(pick(rng, ("counter", "mobile_bank"), (30, 70), size)), _date=pl.Series(day)
                )
            )
        rows = (
            pl.concat(parts).filter(pl.col("_date") <= self.horizon).sort("_date", "customer_id", maintain_order=True)
        )
        return rows.with_columns(assessment_id=pl.Series([f"RA{i + 1:08d}" for i in range(rows.height)]))

    def _product(self, rng: np.random.Generator, who: np.ndarray) -> np.ndarray:
        """A product that suits the customer's risk level, rarely one above it (a suitability finding)."""
        level = np.array([ORDER[c] for c in self.level])[who] + choose(rng, len(who), 0.01)
        product = rng.integers(0, len(PRODUCTS), len(who))
        risk = np.array([int(x[1][1]) for x in PRODUCTS])
        return np.where(risk[product] > level, pick(rng, (0, 3, 7), None, len(who)), product)

    def _amount(self, rng: np.random.Generator, who: np.ndarray) -> np.ndarray:
        income = self.accounts.income[self.accounts.main[self.who[who]]]
        return np.maximum(np.round(income * np.exp(rng.normal(0, 0.6, len(who))) / 1000), 1).astype(np.int64) * 100_000

    def _begin(self, rng: np.random.Generator) -> pl.DataFrame:
        opened = self.customers.frame["opened_on"].to_numpy().astype("datetime64[D]")[self.who]
        has = np.flatnonzero(choose(rng, len(self.who), 0.6) & (opened < np.datetime64(self.start)))
        product = self._product(rng, has)
        amount = self._amount(rng, has) * 2
        term = np.array([x[2] for x in PRODUCTS])[product]
        ends = np.where(
            term > 0, np.datetime64(self.start) + rng.integers(1, np.maximum(term, 2)), np.datetime64("NaT")
        )
        rows = self._new(has, product, amount, ends.astype("datetime64[D]"))
        return rows

    def _new(self, who: np.ndarray, product: np.ndarray, amount: np.ndarray, ends: np.ndarray) -> pl.DataFrame:
        size = len(who)
        first = self.holding_no
        self.holding_no += size
        main = self.accounts.main[self.who[who]]
        return pl.DataFrame(
            {
                "holding_id": [f"WH{first + i + 1:08d}" for i in range(size)],
                "who": who,
                "account": main,
                "customer_id": self.customers.frame["customer_id"].gather(self.who[who]),
                "account_id": text(self.accounts.ids[main]),
                "product": product,
                "quantity": amount * 100,
                "value": amount,
                "ends_on": ends,
            },
            schema_overrides={
                "holding_id": pl.String,
                "who": pl.Int64,
                "account": pl.Int64,
                "product": pl.Int64,
                "quantity": pl.Int64,
                "value": pl.Int64,
                "ends_on": pl.Date,
            },
        )

    def opening(self, day: date) -> pl.DataFrame:
        """Holdings as they stood at the end of a day before the history."""
        return self._held(self.open.with_columns(_date=pl.lit(day)))

    @staticmethod
    def _held(rows: pl.DataFrame) -> pl.DataFrame:
        products = np.array([x[0] for x in PRODUCTS])
        return rows.select(
            "holding_id",
            "customer_id",
            "account_id",
            holding_date="_date",
            product_id=text(products[rows["product"].to_numpy()]),
            quantity="quantity",
            market_value="value",
            currency=pl.lit("CNY"),
            _date="_date",
        )

    def plan(self, month: date) -> pl.DataFrame:
        """Requests of a month: purchases (only where the money is there), sales and maturities."""
        rng = self.streams("wealth", month)
        last = month_end(month)
        days = working_days(month, last)
        opened = self.customers.frame["opened_on"].to_numpy().astype("datetime64[D]")[self.who]
        buyers = np.flatnonzero(choose(rng, len(self.who), p.WEALTH_BUYS_A_MONTH))
        day = pick(rng, days, None, len(buyers))
        keep = opened[buyers] < day
        buyers, day = buyers[keep], day[keep]
        product, amount = self._product(rng, buyers), self._amount(rng, buyers)
        at = day.astype("datetime64[us]") + rng.integers(33_000, 54_000, len(buyers)).astype("timedelta64[s]")
        term = np.array([x[2] for x in PRODUCTS])[product]
        ends = np.where(term > 0, day + term.astype("timedelta64[D]"), np.datetime64("NaT")).astype("datetime64[D]")
        self.buys = self._new(buyers, product, amount, ends).with_columns(
            _date=pl.Series(day), at=pl.Series(at), side=pl.lit("buy")
        )
        main = self.accounts.main[self.who[buyers]]
        channel = pick(rng, ("mobile_bank", "counter"), (75, 25), len(buyers)).astype(object)
        asked = [
            ledger.requests(
                len(buyers),
                account=main,
                date=day,
                at=at,
                sign=-1,
                amount=amount,
                type="wealth_buy",
                channel=channel,
                mode=ledger.ALL_OR_NOTHING,
                ref=self.buys["holding_id"],
                summary="购买理财",
            )
        ]
        held = self.open
        ending = (held["ends_on"] >= month).fill_null(False).to_numpy() & (held["ends_on"] <= last).fill_null(
            False
        ).to_numpy()
        flexible = held["ends_on"].is_null().to_numpy()
        selling = flexible & choose(rng, held.height, 0.06)
        out = held.filter(pl.Series(ending | selling))
        drawn = pick(rng, days, None, out.height)
        matured = out["ends_on"].to_numpy().astype("datetime64[D]")
        day = np.where(np.isnat(matured), drawn, matured)
        mean = np.array([DRIFT[x[1]][0] for x in PRODUCTS])[out["product"].to_numpy()]
        value = np.round(out["value"].to_numpy() * (1 + mean)).astype(np.int64)
        at = day.astype("datetime64[us]") + np.timedelta64(35_000, "s")
        self.sales = out.with_columns(
            _date=pl.Series(day),
            at=pl.Series(at),
            value=pl.Series(value),
            side=text(np.where(np.isnat(matured), "sell", "maturity")),
        )
        asked.append(
            ledger.requests(
                out.height,
                account=out["account"],
                date=day,
                at=at,
                sign=1,
                amount=value,
                type="wealth_sell",
                channel="batch",
                ref="S" + out["holding_id"],
                summary="理财赎回",
            )
        )
        return pl.concat(asked)

    def book(self, month: date, done: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """Trades and holdings of a month from what the ledger posted.

        Args:
            done: Postings' `ref` (and date) of the month.
        """
        rng = self.streams("wealth book", month)
        bought = self.buys.filter(pl.col("holding_id").is_in(done["ref"].implode()))
        trades = pl.concat([bought, self.sales]).sort("at", "holding_id", maintain_order=True)
        size = trades.height
        product = trades["product"].to_numpy()
        manager = self.customers.frame["manager"].to_numpy()[self.who[trades["who"].to_numpy()]]
        sold = choose(rng, size, 0.6)
        rows = trades.select(
            pl.Series("trade_id", [f"WT{self.trade_no + i + 1:09d}" for i in range(size)], dtype=pl.String),
            "customer_id",
            "account_id",
            product_id=text(np.array([x[0] for x in PRODUCTS])[product]),
            employee_id=text(np.where(sold, self.organisation.managers[manager], None)),
            traded_at="at",
            side="side",
            amount="value",
            fee=pl.when(pl.Series(np.isin(product, (4, 5))))
            .then((pl.col("value") * 0.001).cast(pl.Int64))
            .otherwise(0),
            product_risk_level=text(np.array([x[1] for x in PRODUCTS])[product]),
            customer_risk_level=text(self.level[trades["who"].to_numpy()]),
            _date="_date",
        )
        self.trade_no += size
        gone = self.sales.with_columns(quantity=pl.lit(0, pl.Int64), value=pl.lit(0, pl.Int64))
        kept = self.open.filter(~pl.col("holding_id").is_in(self.sales["holding_id"].implode()))
        state = pl.concat([kept, bought.select(kept.columns)])
        last = month_end(month)
        level = np.array([x[1] for x in PRODUCTS])[state["product"].to_numpy()]
        change = np.array([DRIFT[x][0] for x in level]) + np.array([DRIFT[x][1] for x in level]) * rng.normal(
            0, 1, state.height
        )
        revalued = state.with_columns(
            value=pl.Series(np.round(state["value"].to_numpy() * (1 + change)).astype(np.int64), dtype=pl.Int64),
            _date=pl.lit(last),
        )
        begun = bought.filter(pl.col("_date") < last).select(revalued.columns)
        held = pl.concat([self._held(begun), self._held(gone.select(revalued.columns)), self._held(revalued)])
        self.open = revalued.drop("_date")
        return {"wealth_trade": rows, "wealth_holding": held.sort("_date", "holding_id", maintain_order=True)}
