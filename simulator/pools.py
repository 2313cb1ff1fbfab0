"""Cash pools (资金池) of groups: agreements, their accounts, and the sweeps (资金归集) between them.

A member's surplus over its target goes to the header account at the end of a working day (上划), what it lacks for its
payments comes down before they are made (下拨). A notional pool (虚拟) moves nothing.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from simulator import parameters as p
from simulator.accounts import SUBJECTS
from simulator.calendar import working_days
from simulator.changes import history
from simulator.currencies import owned
from simulator.customers import Customers
from simulator.frames import text
from simulator.organisation import Organisation
from simulator.randomness import Streams

KINDS = ("zero_balance", "target_balance", "notional")
LATE_START, EARLY_END = 45, 100  # days into the history: every fourth pool begins late, one member of others leaves


class Pools:
    """Cash pools and everything posted to their accounts; these accounts serve the pool only.

    Attributes:
        pools, members: Change logs of `cash_pool` and `cash_pool_member`.
        log, holders: Change logs of `account` and `account_holder`.
        eve: Balances on the eve of the history.
        postings, balances: Rows of `account_transaction` and `account_balance`, amounts in fen.
    """

    def __init__(
        self, streams: Streams, customers: Customers, organisation: Organisation, start: date, horizon: date
    ) -> None:
        self.streams, self.start = streams, start
        self.days = working_days(start, horizon)
        accounts, pools, members, self._rows, openings = [], [], [], [], []
        for number, (head, member, known) in enumerate(self._groups(customers).iter_rows()):
            pool_id, kind = f"CP{number + 1:05d}", KINDS[number % len(KINDS)]
            firms = [head, head, member, member][: 3 + number % 2]  # header, the head's own operations, the subsidiary
            ids = [f"62{6 * 10**15 + (number * 4 + place) * 7919:016d}" for place in range(len(firms))]
            begin = start + timedelta(days=LATE_START) if number % 4 == 3 else start - timedelta(days=200)
            begin = max(begin, known)
            left = max(begin, start) + timedelta(days=EARLY_END) if number % 4 == 1 else None
            target = p.POOL_TARGET_FEN if kind == "target_balance" else 0
            accounts += [(account, firm, known) for account, firm in zip(ids, firms, strict=True)]
            pools.append((pool_id, ids[0], kind, begin))
            members += [
                (pool_id, account, target or None, begin, left if account == ids[-1] else None) for account in ids[1:]
            ]
            swept = [
                (begin, left if left and account == ids[-1] else date.max) if kind != "notional" else None
                for account in ids[1:]
            ]
            opening = self._run(pool_id, ids, swept, target, known)
            openings += zip(ids, opening, strict=True) if known < start else []
        self._masters(accounts, pools, members, customers, organisation)
        self._facts(openings)

    def _groups(self, customers: Customers) -> pl.DataFrame:
        """Heads and members of groups that nothing ends, and the day from which both are customers."""
        rows = customers.relations.filter(pl.len().over("relation_id") == 1)
        rows = rows.filter((pl.col("relation_type") == "group_member") & pl.col("ends_on").is_null())
        for side in ("from", "to"):
            known = customers.frame.select(pl.col("customer_id").alias(f"{side}_customer_id"), **{side: "opened_on"})
            rows = rows.join(known, on=f"{side}_customer_id", maintain_order="left")
        rows = rows.with_columns(known=pl.max_horizontal("from", "to")).sort("relation_id")
        rows = rows.select("from_customer_id", "to_customer_id", "known")
        return rows.head(max(3, round(rows.height * p.CASH_POOL_SHARE)))

    def _run(
        self, pool_id: str, ids: list[str], swept: list[tuple[date, date] | None], target: int, known: date
    ) -> list[int]:
        """Posts the working days of one pool; returns the opening balances of one that is older than the history."""
        rng = self.streams("cash pool", pool_id)
        opening = [p.POOL_HEADER_FEN, *([target] * len(swept))]
        balance = list(opening) if known < self.start else [0] * len(ids)
        funded = known < self.start
        flows = rng.random((len(self.days), len(ids), 3))
        amounts = np.round(p.POOL_FLOW_FEN * np.exp(1.2 * (flows[:, :, 1:] - 0.5) * 2)).astype(np.int64)
        active = flows[:, :, 0] < p.POOL_ACTIVE_DAY_SHARE
        for number, day in enumerate(self.days.astype(object)):
            if day <= known:
                continue
            if not funded:
                self._post(ids, balance, 0, day, 32_400, p.POOL_HEADER_FEN, "transfer_in", "资金池开户")
                funded = True
            at_work = [place for place in range(len(ids)) if active[number, place]]
            received, paid = amounts[number].T.tolist()
            linked = [place for place, span in enumerate(swept, start=1) if span and span[0] <= day < span[1]]
            for place in at_work:
                self._post(ids, balance, place, day, 36_000, received[place], "transfer_in", "货款")
            for place in linked:
                wanted = target + (paid[place] if place in at_work else 0)
                lacking = min(max(wanted - balance[place], 0), balance[0])
                self._sweep(ids, balance, 0, place, day, 46_800, lacking, "资金下拨")
            for place in at_work:
                self._post(ids, balance, place, day, 54_000, -min(paid[place], balance[place]), "transfer_out", "货款")
            for place in linked:
                self._sweep(ids, balance, place, 0, day, 75_600, max(balance[place] - target, 0), "资金归集")
        return opening

    def _sweep(
        self, ids: list[str], balance: list[int], giver: int, taker: int, day: date, at: int, amount: int, note: str
    ) -> None:
        self._post(ids, balance, giver, day, at, -amount, "sweep", note, ids[taker])
        self._post(ids, balance, taker, day, at, amount, "sweep", note, ids[giver])

    def _post(
        self,
        ids: list[str],
        balance: list[int],
        place: int,
        day: date,
        at: int,
        amount: int,
        kind: str,
        note: str,
        other: str | None = None,
    ) -> None:
        if amount:
            balance[place] += amount
            self._rows.append((ids[place], day, at, amount, balance[place], kind, note, other))

    def _masters(
        self, accounts: list, pools: list, members: list, customers: Customers, organisation: Organisation
    ) -> None:
        firm = customers.frame.select("customer_id", "outlet")
        frame = pl.DataFrame(
            accounts,
            orient="row",
            schema={"account_id": pl.String, "customer_id": pl.String, "opened_on": pl.Date},
        )
        frame = frame.join(firm, on="customer_id", how="left", maintain_order="left")
        outlets = np.array(organisation.outlets)[frame["outlet"].to_numpy()]
        base = frame.with_columns(
            organisation_id=text(outlets),
            product_id=pl.lit("DD11"),
            account_type=pl.lit("corporate_general"),
            account_class=pl.lit(None, pl.String),
            currency=pl.lit("CNY"),
            gl_subject=pl.lit(SUBJECTS["corporate_general"]),
            interest_rate=pl.lit(round(p.DEMAND_RATE_PER_CENT * 1_000_000), pl.Int64),
            closed_on=pl.lit(None, pl.Date),
            matures_on=pl.lit(None, pl.Date),
            status=pl.lit("active"),
        ).drop("outlet")
        self.log = history(base, "account_id", "opened_on")
        self.holders = owned(base, "HP")
        agreement = pl.DataFrame(
            pools,
            orient="row",
            schema={
                "pool_id": pl.String, "header_account_id": pl.String, "pool_kind": pl.String, "starts_on": pl.Date,
            },
        )  # fmt: skip
        self.pools = history(
            agreement.with_columns(currency=pl.lit("CNY"), ends_on=pl.lit(None, pl.Date)), "pool_id", "starts_on"
        )
        joined = pl.DataFrame(
            members,
            orient="row",
            schema={
                "pool_id": pl.String, "account_id": pl.String, "target_balance": pl.Int64, "starts_on": pl.Date,
                "_left": pl.Date,
            },
        )  # fmt: skip
        joined = joined.with_columns(pool_member_id=pl.Series([f"PM{n + 1:06d}" for n in range(joined.height)]))
        leaving = joined.filter(pl.col("_left").is_not_null()).select(
            "pool_member_id", effective_date="_left", ends_on=pl.col("_left") - pl.duration(days=1)
        )
        self.members = history(
            joined.drop("_left").with_columns(ends_on=pl.lit(None, pl.Date)), "pool_member_id", "starts_on", [leaving]
        )

    def _facts(self, openings: list[tuple[str, int]]) -> None:
        eve = pl.DataFrame(openings, orient="row", schema={"account_id": pl.String, "balance": pl.Int64})
        self.eve = eve.with_columns(
            balance_date=pl.lit(self.start - timedelta(days=1)), currency=pl.lit("CNY"), _date=pl.lit(self.start)
        )
        rows = pl.DataFrame(
            self._rows,
            orient="row",
            schema={
                "account_id": pl.String, "accounting_date": pl.Date, "_second": pl.Int64, "_amount": pl.Int64,
                "balance_after": pl.Int64, "transaction_type": pl.String, "summary": pl.String,
                "counterparty_account": pl.String,
            },
        ).sort("accounting_date", "_second", maintain_order=True)  # fmt: skip
        sweep = pl.col("transaction_type") == "sweep"
        self.postings = rows.with_columns(
            transaction_id=pl.lit("TP")
            + pl.col("accounting_date").dt.strftime("%Y%m%d")
            + (pl.int_range(pl.len()).over("accounting_date") + 1).cast(pl.String).str.zfill(8),
            transacted_at=pl.col("accounting_date").cast(pl.Datetime("us")) + pl.duration(seconds="_second"),
            direction=pl.when(pl.col("_amount") > 0).then(pl.lit("C")).otherwise(pl.lit("D")),
            amount=pl.col("_amount").abs(),
            currency=pl.lit("CNY"),
            channel_id=pl.when(sweep).then(pl.lit("batch")).otherwise(pl.lit("net_bank")),
            _date="accounting_date",
        )
        self.balances = self.postings.group_by("account_id", "accounting_date", maintain_order=True).agg(
            balance=pl.col("balance_after").last()
        )
        self.balances = self.balances.rename({"accounting_date": "balance_date"}).with_columns(
            currency=pl.lit("CNY"), _date="balance_date"
        )
