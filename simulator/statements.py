"""Financial statements that firms hand in, some with sales that they never made [CTL-05, C360-60]."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulator import parameters as p
from simulator.calendar import add_months, month_end, months
from simulator.customers import Customers
from simulator.frames import text
from simulator.organisation import Organisation
from simulator.randomness import Streams, choose, pick

AUDITORS = ("浙江天健会计师事务所", "杭州中汇会计师事务所", "杭州萧然会计师事务所")


class Statements:
    """Quarterly and yearly statements.

    Attributes:
        frame: Rows of `financial_statement`; a statement that was verified comes in a second version.
        truth: What was really sold, by statement.
    """

    def __init__(
        self, streams: Streams, customers: Customers, organisation: Organisation, start: date, horizon: date
    ) -> None:
        rng = streams("financial statements")
        firms = customers.frame.filter(pl.col("party_kind") == "firm")
        habit = choose(rng, firms.height, p.OVERSTATING_SHARE)
        habit[:1] = True  # one at least, however small the world
        factor = firms["size_factor"].to_numpy() * firms["wealth"].to_numpy()
        inflated = np.where(habit, rng.uniform(*p.OVERSTATED_BY, firms.height), 1.0)
        parts = []
        for last in (month_end(m) for m in months(start, horizon) if m.month % 3 == 0):
            for kind, length in (("quarter", 3), ("year", 12)):
                if kind == "quarter" or last.month == 12:
                    first = add_months(last, 1 - length)
                    parts.append(self._period(rng, firms, factor, inflated, kind, first, last))
        everything = pl.concat(parts).sort("submitted_on", "customer_id", maintain_order=True)
        everything = everything.with_columns(
            statement_id=text([f"FS{i + 1:09d}" for i in range(everything.height)]),
            version_no=pl.lit(1),
            currency=pl.lit("CNY"),
        )
        verified = self._verified(rng, everything, organisation)
        fields = [c for c in everything.columns if c not in ("true_sales", "is_overstated")]
        self.frame = pl.concat([everything.select(fields), verified.select(fields)]).sort(
            "_date", "statement_id", maintain_order=True
        )
        self.truth = everything.select("statement_id", "customer_id", "period_end", "true_sales", "is_overstated")

    @staticmethod
    def _period(
        rng: np.random.Generator,
        firms: pl.DataFrame,
        factor: np.ndarray,
        inflated: np.ndarray,
        kind: str,
        first: date,
        last: date,
    ) -> pl.DataFrame:
        size, length = firms.height, 3 if kind == "quarter" else 12
        sales = np.round(factor * p.SALES_A_MONTH * length * rng.uniform(0.92, 1.08, size), 2)
        reported = np.round(sales * inflated, 2)
        audited = choose(rng, size, 0.85) if kind == "year" else np.zeros(size, bool)
        opinion = pick(rng, ("unqualified", "qualified", "disclaimer"), (90, 8, 2), size)
        submitted = np.datetime64(last) + rng.integers(*((12, 28) if kind == "quarter" else (60, 115)), size).astype(
            "timedelta64[D]"
        )
        assets = np.round(sales / length * 12 * rng.uniform(0.5, 1.5, size), 2)
        money = {
            "reported_sales": reported,
            "net_profit": np.round(reported * rng.uniform(-0.02, 0.12, size), 2),
            "total_assets": assets,
            "total_liabilities": np.round(assets * rng.uniform(0.3, 0.8, size), 2),
        }
        return (
            pl.DataFrame(
                {
                    "customer_id": firms["customer_id"],
                    **{name: np.round(value * 100).astype(np.int64) for name, value in money.items()},
                    "audit_state": text(np.where(audited, opinion, "unaudited")),
                    "audit_firm": text(np.where(audited, pick(rng, AUDITORS, None, size), None)),
                    "submitted_on": submitted,
                    "_date": submitted,
                    "true_sales": np.round(sales * 100).astype(np.int64),
                    "is_overstated": inflated > 1,
                    "_opened": firms["opened_on"],
                }
            )
            .with_columns(
                period_kind=pl.lit(kind),
                period_start=pl.lit(first),
                period_end=pl.lit(last),
                verification_state=pl.lit("unverified"),
                verified_by=pl.lit(None, pl.String),
                verified_on=pl.lit(None, pl.Date),
            )
            .filter(pl.col("_opened") <= first)
            .drop("_opened")
        )

    @staticmethod
    def _verified(rng: np.random.Generator, rows: pl.DataFrame, organisation: Organisation) -> pl.DataFrame:
        """Statements that an employee looked into (核实); he does not find every false one."""
        chosen = rows.filter(pl.Series(choose(rng, rows.height, p.STATEMENT_VERIFIED_SHARE)))
        doubted = chosen["is_overstated"].to_numpy() & choose(rng, chosen.height, 0.5)
        day = chosen["submitted_on"].to_numpy().astype("datetime64[D]") + rng.integers(3, 20, chosen.height).astype(
            "timedelta64[D]"
        )
        return chosen.with_columns(
            version_no=pl.lit(2),
            verification_state=text(np.where(doubted, "doubtful", "verified")),
            verified_by=text(pick(rng, list(organisation.managers), None, chosen.height)),
            verified_on=pl.Series(day),
            _date=pl.Series(day),
        )
