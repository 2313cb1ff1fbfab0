"""Loans: schedule, repayments through the settlement account, delinquency, default, security, ratings, limits."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from simulator import ledger, parties
from simulator import parameters as p
from simulator.accounts import Accounts
from simulator.calendar import month_end
from simulator.changes import history
from simulator.customers import Customers
from simulator.frames import text
from simulator.organisation import Organisation
from simulator.randomness import Streams, choose, pick

DAY = np.timedelta64(1, "D")
PRODUCT = {
    "mortgage": "LN01",
    "consumer": "LN02",
    "vehicle": "LN03",
    "personal_business": "LN04",
    "working_capital": "LN11",
    "fixed_asset": "LN12",
}
SECURITY = {
    "mortgage": "mortgaged",
    "consumer": "credit",
    "vehicle": "mortgaged",
    "personal_business": "guaranteed",
    "working_capital": "guaranteed",
    "fixed_asset": "mortgaged",
}
COLLATERAL = {"mortgage": "housing", "vehicle": "vehicle", "fixed_asset": "commercial_property"}
MODEL_VERSION = {"person": ("retail_pd", "2.1"), "firm": ("corporate_pd", "3.0")}
# delinquency stories: months unpaid until cured; 0 = never cured within the horizon
STORIES = ((1, 45), (2, 25), (4, 10), (0, 20))


class Loans:
    """All loans with their schedule and fate.

    Attributes:
        log: Change log of `loan` (one row whenever principal, days past due, class or state changes).
        schedule, repayments, defaults, recoveries: Facts; their dates are `due_on`, `paid_on`, `defaulted_on`,
            `recovered_on`.
        asked: Requests to the ledger (disbursements and repayments; all are paid, topped up where need be).
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
        self.streams, self.customers, self.accounts, self.organisation = streams, customers, accounts, organisation
        self.start, self.horizon = start, horizon
        self._grant()
        self._plan()
        self._live()
        self._secure()
        self._rate()

    def _grant(self) -> None:
        rng, frame = self.streams("loans"), self.customers.frame
        person = (frame["party_kind"] == "person").to_numpy()
        parts = []
        for kind, share in p.LOAN_SHARES.items():
            side = person if kind in ("mortgage", "consumer", "vehicle", "personal_business") else ~person
            who = np.flatnonzero(side & choose(rng, len(side), share))
            size = len(who)
            wealth = frame["wealth"].to_numpy()[who] * frame["size_factor"].to_numpy()[who]
            base = {
                "mortgage": 900_000,
                "consumer": 80_000,
                "vehicle": 120_000,
                "personal_business": 300_000,
                "working_capital": 2_000_000,
                "fixed_asset": 5_000_000,
            }[kind]
            term = pick(
                rng,
                {
                    "mortgage": (180, 240, 300, 360),
                    "consumer": (12, 24, 36),
                    "vehicle": (24, 36, 60),
                    "personal_business": (12, 24, 36),
                    "working_capital": (6, 12),
                    "fixed_asset": (36, 60, 84),
                }[kind],
                None,
                size,
            )
            span = (self.horizon - self.start).days
            age = np.minimum(term * 30 * 0.95, 2400)
            begin = np.where(
                choose(rng, size, 0.35),
                np.datetime64(self.start) + rng.integers(1, span, size).astype("timedelta64[D]"),
                np.datetime64(self.start) - (rng.random(size) * age).astype(int).astype("timedelta64[D]"),
            )
            begin = np.maximum(begin, frame["opened_on"].to_numpy()[who].astype("datetime64[D]") + 5 * DAY)
            parts.append(
                pl.DataFrame(
                    {
                        "customer": who,
                        "principal": (
                            np.round(base * wealth * rng.uniform(0.5, 1.5, size) / 1000 + 1).astype(np.int64) * 100_000
                        ),
                        "term_months": term,
                        "disbursed_on": begin.astype("datetime64[D]"),
                    }
                ).with_columns(
                    loan_type=pl.lit(kind),
                    annual_rate=pl.Series(
                        np.round((p.LOAN_RATE_PER_CENT[kind] + rng.normal(0, 0.2, size)) * 100).astype(np.int64)
                        * 10_000
                    ),
                )
            )
        loans = pl.concat(parts).filter(pl.col("disbursed_on") <= self.horizon)
        size = loans.height
        day = loans["disbursed_on"].to_numpy().astype("datetime64[D]")
        # due on the same day of the month (at most the 28th), first instalment in the month after the disbursement
        due_day = np.minimum((day - day.astype("datetime64[M]")).astype(int) + 1, 28)
        settlement = self.accounts.main[loans["customer"].to_numpy()]
        delinquent = choose(rng, size, p.DELINQUENT_SHARE)
        story = np.where(delinquent, pick(rng, [s[0] for s in STORIES], [s[1] for s in STORIES], size), -1)
        month_no = rng.integers(0, 11, size)
        # even the smallest world knows one default
        oldest = np.flatnonzero((day < np.datetime64(self.start)) & (loans["term_months"] > 100).to_numpy())[:1]
        story[oldest], month_no[oldest] = 0, 1
        outlets = np.array(self.organisation.outlets)[
            self.customers.frame["outlet"].to_numpy()[loans["customer"].to_numpy()]
        ]
        self.frame = loans.with_columns(
            loan_id=pl.Series([f"L{i + 1:08d}" for i in range(size)]),
            contract_no=pl.Series([f"HT{i + 1:09d}" for i in range(size)]),
            customer_id=self.customers.frame["customer_id"].gather(loans["customer"].to_numpy()),
            account=pl.Series(settlement),
            account_id=text(self.accounts.ids[settlement]),
            organisation_id=pl.Series(outlets),
            due_day=pl.Series(due_day),
            story=pl.Series(story),
            story_month=pl.Series(month_no),
            loan=pl.Series(np.arange(size)),
        )

    def _plan(self) -> None:
        """Equal instalments for retail and fixed-asset loans; interest first, principal at the end for working capital.

        Principal left after k instalments is computed in closed form and rounded to the fen; so the principal parts add
        up to the loan exactly.
        """
        f = self.frame
        term = f["term_months"].to_numpy()
        loan = np.repeat(np.arange(f.height), term)
        k = np.arange(len(loan)) - np.repeat(np.cumsum(term) - term, term) + 1
        amount, n = f["principal"].to_numpy()[loan], term[loan]
        r = f["annual_rate"].to_numpy()[loan] / 1e8 / 12
        bullet = (f["loan_type"] == "working_capital").to_numpy()[loan]

        def left(at: np.ndarray) -> np.ndarray:
            growth = (1 + r) ** n
            value = np.round(amount * (growth - (1 + r) ** at) / (growth - 1)).astype(np.int64)
            value = np.where(at >= n, 0, np.where(at <= 0, amount, value))
            return np.where(bullet, np.where(at >= n, 0, amount), value)

        before, after = left(k - 1), left(k)
        month = f["disbursed_on"].to_numpy().astype("datetime64[M]")[loan] + k.astype("timedelta64[M]")
        due = month.astype("datetime64[D]") + (f["due_day"].to_numpy()[loan] - 1).astype("timedelta64[D]")
        self.plan = pl.DataFrame(
            {
                "loan": loan,
                "instalment_no": k,
                "due_on": due,
                "principal_due": before - after,
                "interest_due": np.round(before * r).astype(np.int64),
                "left": after,
            }
        )
        self.schedule = self.plan.join(
            f.select("loan", "loan_id", "disbursed_on"), on="loan", maintain_order="left"
        ).select("loan_id", "instalment_no", "due_on", "principal_due", "interest_due", _date="disbursed_on")
        first = self.plan.group_by("loan", maintain_order=True).first()
        self.monthly = (first["principal_due"] + first["interest_due"]).to_numpy()

    def _live(self) -> None:
        """Repayments and the change log by the loan's story; every repayment is a debit of the settlement account."""
        f, start, horizon = self.frame, np.datetime64(self.start), np.datetime64(self.horizon)
        plan = self.plan.join(
            f.select("loan", "story", "story_month", "disbursed_on"), on="loan", maintain_order="left"
        )
        due = plan["due_on"].to_numpy().astype("datetime64[D]")
        begin = start.astype("datetime64[M]") + plan["story_month"].to_numpy().astype("timedelta64[M]")
        story = plan["story"].to_numpy()
        # instalments due from the story's month on are unpaid until the cure, all at once on one day
        length = np.where(story == 0, 1000, np.maximum(story, 0))
        missed = (
            (story >= 0)
            & (due.astype("datetime64[M]") >= begin)
            & (due.astype("datetime64[M]") < begin + length.astype("timedelta64[M]"))
        )
        cure = (begin + length.astype("timedelta64[M]")).astype("datetime64[D]") + 9 * DAY
        late = np.where(missed, (cure - due).astype(int), 0)
        paid_on = np.where(missed, np.where(story == 0, np.datetime64("NaT"), cure), due).astype("datetime64[D]")
        interest = plan["interest_due"].to_numpy()
        total = plan["principal_due"].to_numpy() + interest
        rate = f["annual_rate"].to_numpy()[plan["loan"].to_numpy()] / 1e8
        penalty = np.where(missed & (story != 0), np.round(total * rate * p.PENALTY_FACTOR / 360 * late), 0).astype(
            np.int64
        )
        rows = plan.with_columns(paid_on=pl.Series(paid_on), penalty_paid=pl.Series(penalty), missed=pl.Series(missed))
        rows = rows.join(f.select("loan", "loan_id", "account", "account_id"), on="loan", maintain_order="left")
        paid = rows.filter((pl.col("paid_on") >= self.start) & (pl.col("paid_on") <= self.horizon)).sort(
            "paid_on", "loan", "instalment_no", maintain_order=True
        )
        paid = paid.with_columns(amount=pl.col("principal_due") + pl.col("interest_due") + pl.col("penalty_paid"))
        self.repayments = paid.select(
            pl.Series("repayment_id", [f"RP{i + 1:09d}" for i in range(paid.height)]),
            "loan_id",
            "instalment_no",
            "paid_on",
            "amount",
            principal_paid="principal_due",
            interest_paid="interest_due",
            penalty_paid="penalty_paid",
            _date="paid_on",
        )
        at = paid["paid_on"].to_numpy().astype("datetime64[us]") + np.timedelta64(75_600, "s")
        repay = ledger.requests(
            paid.height,
            account=paid["account"],
            date=paid["paid_on"],
            at=at,
            sign=-1,
            amount=paid["amount"],
            type="loan_repayment",
            channel="batch",
            mode=ledger.TOPPED_UP,
            ref=self.repayments["repayment_id"],
            summary="贷款还款",
        )
        new = f.filter(pl.col("disbursed_on") >= self.start)
        at = new["disbursed_on"].to_numpy().astype("datetime64[us]") + np.timedelta64(37_800, "s")
        disburse = ledger.requests(
            new.height,
            account=new["account"],
            date=new["disbursed_on"],
            at=at,
            sign=1,
            amount=new["principal"],
            type="loan_disbursement",
            channel="batch",
            summary="贷款发放",
        )
        used = new.filter(pl.col("loan_type").is_in(["mortgage", "vehicle", "working_capital", "fixed_asset"]))
        at = used["disbursed_on"].to_numpy().astype("datetime64[us]") + np.timedelta64(38_400, "s")
        spend = ledger.requests(
            used.height,
            account=used["account"],
            date=used["disbursed_on"],
            at=at,
            sign=-1,
            amount=used["principal"],
            type="transfer_out",
            channel="counter",
            mode=ledger.TOPPED_UP,
            summary="受托支付",
            counterparty_bank="中国建设银行",
        )
        self.asked = pl.concat([repay, disburse, spend])
        self._log(rows, start, horizon)

    def _log(self, rows: pl.DataFrame, start: np.datetime64, horizon: np.datetime64) -> None:
        f = self.frame
        base = f.select(
            "loan_id",
            "contract_no",
            "account_id",
            "customer_id",
            product_id=pl.col("loan_type").replace_strict(PRODUCT, return_dtype=pl.String),
            organisation_id="organisation_id",
            loan_type="loan_type",
            principal="principal",
            outstanding_principal="principal",
            currency=pl.lit("CNY"),
            annual_rate="annual_rate",
            term_months="term_months",
            monthly_payment=pl.Series(self.monthly),
            guarantee_kind=pl.col("loan_type").replace_strict(SECURITY, return_dtype=pl.String),
            five_class=pl.lit("normal"),
            days_past_due=pl.lit(0, pl.Int64),
            disbursed_on="disbursed_on",
            matures_on=self.plan.group_by("loan", maintain_order=True).agg(pl.col("due_on").max())["due_on"],
            status=pl.lit("running"),
        )
        # state of loans that began before the history, as of the day before it
        old = (
            rows.filter(pl.col("paid_on") < self.start)
            .group_by("loan_id", maintain_order=True)
            .agg(outstanding_principal=pl.col("left").min(), effective_date=pl.col("paid_on").max())
        )
        # what is owed falls by what is paid, also where a later instalment is paid before one that was missed
        paid = (
            rows.filter(pl.col("paid_on") <= self.horizon)
            .group_by("loan_id", "paid_on", maintain_order=True)
            .agg(paid=pl.col("principal_due").sum())
            .join(f.select("loan_id", "principal"), on="loan_id", maintain_order="left")
            .sort("paid_on", maintain_order=True)
            .with_columns(outstanding_principal=pl.col("principal") - pl.col("paid").cum_sum().over("loan_id"))
            .filter(pl.col("paid_on") >= self.start)
        )
        done = pl.when(pl.col("outstanding_principal") == 0).then(pl.lit("settled")).otherwise(pl.lit("running"))
        updates = [
            old.with_columns(status=done),
            paid.select(
                "loan_id",
                "outstanding_principal",
                effective_date="paid_on",
                days_past_due=pl.lit(0, pl.Int64),
                five_class=pl.lit("normal"),
                status=done,
            ),
        ]
        first_missed = (
            rows.filter(pl.col("missed"))
            .group_by("loan_id", maintain_order=True)
            .agg(
                since=pl.col("due_on").min(),
                until=pl.col("paid_on").max(),
                left=pl.col("left").max(),
                due=pl.col("principal_due").first(),
            )
        )
        aged, defaults, recoveries = [], [], []
        for row in first_missed.iter_rows(named=True):
            end = row["until"] or self.horizon
            day = month_end(row["since"])
            while day <= min(end - timedelta(days=1) if row["until"] else end, self.horizon):
                late = (day - row["since"]).days
                grade = next((name for least, name in p.FIVE_CLASS_DAYS if late >= least), "normal")
                aged.append((row["loan_id"], day, late, grade))
                day = month_end(day + timedelta(days=1))
            hit = row["since"] + timedelta(days=91)
            if hit < end and self.start <= hit <= self.horizon:
                exposure = row["left"] + row["due"]
                defaults.append((row["loan_id"], hit, 91, exposure, row["until"]))
        ageing = pl.DataFrame(
            aged,
            orient="row",
            schema={
                "loan_id": pl.String,
                "effective_date": pl.Date,
                "days_past_due": pl.Int64,
                "five_class": pl.String,
            },
        ).with_columns(status=pl.lit("overdue"))
        self.log = history(base, "loan_id", "disbursed_on", [*updates, ageing])
        rng = self.streams("recoveries")
        table = [(f"DF{i + 1:07d}", *d[:4], None) for i, d in enumerate(defaults)]
        self.defaults = pl.DataFrame(
            table,
            orient="row",
            schema={
                "default_id": pl.String,
                "loan_id": pl.String,
                "defaulted_on": pl.Date,
                "days_past_due": pl.Int64,
                "exposure": pl.Int64,
                "cured_on": pl.Date,
            },
        ).with_columns(_date=pl.col("defaulted_on"))
        for default in table:
            day = default[2] + timedelta(days=int(rng.integers(15, 60)))
            while day <= self.horizon:
                amount = int(default[4] * rng.uniform(0.02, 0.10))
                recoveries.append(
                    (
                        default[0],
                        default[1],
                        day,
                        amount,
                        int(amount * 0.03),
                        str(pick(rng, ("cash", "collateral", "guarantor"), (60, 25, 15))[0]),
                    )
                )
                day += timedelta(days=int(rng.integers(25, 80)))
        recoveries.sort(key=lambda r: (r[2], r[0]))
        self.recoveries = pl.DataFrame(
            [(f"RC{i + 1:07d}", *r) for i, r in enumerate(recoveries)],
            orient="row",
            schema={
                "recovery_id": pl.String,
                "default_id": pl.String,
                "loan_id": pl.String,
                "recovered_on": pl.Date,
                "amount": pl.Int64,
                "cost": pl.Int64,
                "recovery_kind": pl.String,
            },
        ).with_columns(_date=pl.col("recovered_on"))

    def _secure(self) -> None:
        rng, f = self.streams("security"), self.frame
        held = f.filter(pl.col("loan_type").is_in(list(COLLATERAL)))
        size = held.height
        base = held.select(
            "loan_id",
            owner_customer_id="customer_id",
            collateral_type=pl.col("loan_type").replace_strict(COLLATERAL, return_dtype=pl.String),
            appraised_value=(pl.col("principal") * pl.Series(rng.uniform(1.2, 2.0, size))).round().cast(pl.Int64)
            // 100_000
            * 100_000,
            appraised_on="disbursed_on",
            registered_no=pl.Series([f"浙(2025)杭州市不动产证明第{n:07d}号" for n in rng.integers(0, 10**7, size)]),
            released_on=pl.lit(None, pl.Date),
        ).with_columns(collateral_id=pl.Series([f"K{i + 1:08d}" for i in range(size)]))
        again = base.filter(pl.Series(choose(rng, size, 0.2)))
        day = parties.later(again["appraised_on"].to_numpy(), rng, self.start, self.horizon)
        revalued = pl.DataFrame(
            {
                "collateral_id": again["collateral_id"],
                "effective_date": day,
                "appraised_value": (again["appraised_value"].to_numpy() * 0.93).astype(np.int64),
                "appraised_on": day,
            }
        )
        self.collateral = history(base, "collateral_id", "appraised_on", [revalued]) if size else base
        backed = f.filter(pl.col("loan_type").is_in(["personal_business", "working_capital"]))
        size = backed.height
        pool = self.customers.frame
        who = rng.integers(0, pool.height, size)
        same = pool["customer_id"].gather(who) == backed["customer_id"]
        who = np.where(same.to_numpy(), (who + 1) % pool.height, who)
        base = backed.select(
            pl.Series("guarantee_id", [f"G{i + 1:08d}" for i in range(size)]),
            "loan_id",
            guarantor_customer_id=pool["customer_id"].gather(who),
            guarantee_amount="principal",
            starts_on="disbursed_on",
            ends_on=pl.lit(None, pl.Date),
        )
        self.guarantees = history(base, "guarantee_id", "starts_on")

    def _rate(self) -> None:
        """Ratings once a year for borrowers and all firms; limits of borrowers and firms."""
        rng, pool = self.streams("ratings"), self.customers.frame
        borrowers = set(self.frame["customer_id"].to_list())
        rated = pool.filter((pl.col("party_kind") == "firm") | pl.col("customer_id").is_in(sorted(borrowers)))
        size, span = rated.height, (self.horizon - self.start).days
        parts = []
        for year in range(2):
            day = (
                np.datetime64(self.start)
                - np.timedelta64(300, "D")
                + rng.integers(0, 360, size).astype("timedelta64[D]")
            )
            day = day + np.timedelta64(365 * year, "D")
            day = np.maximum(day, rated["opened_on"].to_numpy().astype("datetime64[D]") + DAY)
            grade = pick(rng, ("AAA", "AA", "A", "BBB", "BB", "B", "CCC"), (4, 14, 30, 28, 15, 7, 2), size)
            kind = rated["party_kind"].to_list()
            parts.append(
                rated.select("customer_id").with_columns(
                    model=pl.Series([MODEL_VERSION[k][0] for k in kind]),
                    model_version=pl.Series([MODEL_VERSION[k][1] for k in kind]),
                    rating=pl.Series(grade),
                    rated_on=pl.Series(day),
                    expires_on=pl.Series(day + np.timedelta64(364, "D")),
                    is_provisional=pl.Series(choose(rng, size, 0.03)),
                    _date=pl.Series(day),
                )
            )
        ratings = (
            pl.concat(parts)
            .filter(pl.col("_date") <= self.horizon)
            .unique(["customer_id", "rated_on"], keep="first", maintain_order=True)
            .sort("_date", "customer_id", maintain_order=True)
        )
        self.ratings = ratings.with_columns(rating_id=pl.Series([f"RT{i + 1:08d}" for i in range(ratings.height)]))
        begin = np.maximum(
            rated["opened_on"].to_numpy().astype("datetime64[D]") + DAY,
            np.datetime64(self.start) - rng.integers(0, 340, size).astype("timedelta64[D]"),
        )
        base = rated.select("customer_id").with_columns(
            limit_type=pl.when(rated["party_kind"] == "firm").then(pl.lit("comprehensive")).otherwise(pl.lit("single")),
            amount=pl.Series(
                (np.round(rated["wealth"].to_numpy() * rated["size_factor"].to_numpy() * 60) + 1).astype(np.int64)
                * 10_000
                * 100
            ),
            currency=pl.lit("CNY"),
            starts_on=pl.Series(begin),
            ends_on=pl.Series(begin + np.timedelta64(364, "D")),
            limit_id=pl.Series([f"LM{i + 1:08d}" for i in range(size)]),
        )
        raised = base.filter(pl.Series(choose(rng, size, 0.1)))
        day = parties.later(raised["starts_on"].to_numpy(), rng, self.start, self.horizon)
        up = pl.DataFrame(
            {"limit_id": raised["limit_id"], "effective_date": day, "amount": raised["amount"].to_numpy() * 12 // 10}
        )
        gone = base.filter(pl.Series(choose(rng, size, 0.02)))
        day = parties.later(gone["starts_on"].to_numpy(), rng, self.start, self.horizon)
        deleted = pl.DataFrame({"limit_id": gone["limit_id"], "effective_date": day})
        if span:
            self.limits = history(base, "limit_id", "starts_on", [up], deleted)
