"""Accounts of core banking: master, holders, and the requests of everyday life that the ledger settles."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from simulator import firms, ledger, parties, people
from simulator import parameters as p
from simulator.calendar import day_array, is_working_day, month_end
from simulator.changes import history
from simulator.customers import Customers
from simulator.frames import text
from simulator.identifiers import padded
from simulator.organisation import Organisation
from simulator.randomness import Streams, choose, pick

DAY = np.timedelta64(1, "D")
BANKS = ("中国工商银行", "中国农业银行", "中国银行", "中国建设银行", "交通银行", "招商银行", "浙商银行", "杭州银行")
SUBJECTS = {
    "personal_demand": "2111",
    "personal_time": "2112",
    "corporate_basic": "2011",
    "corporate_general": "2011",
    "corporate_time": "2012",
    "loan_settlement": "2011",
}
# kind of spontaneous posting: type, channel, sign, share, factor of the mean amount, summary, counterparty
PERSONAL_KINDS = (
    ("transfer_out", "third_party", -1, 50, 0.5, "快捷支付", False),
    ("transfer_out", "mobile_bank", -1, 15, 2.2, "转账", True),
    ("transfer_in", "mobile_bank", 1, 9, 1.6, "转入", True),
    ("transfer_in", "third_party", 1, 9, 0.5, "提现转入", False),
    ("withdrawal", "atm", -1, 7, 1.8, "ATM取款", False),
    ("deposit", "counter", 1, 3, 4.0, "现金存入", False),
    ("withdrawal", "counter", -1, 2, 5.0, "现金支取", False),
    ("transfer_out", "net_bank", -1, 3, 3.0, "网银转账", True),
    ("fee", "batch", -1, 2, 0.004, "短信服务费", False),
)
CORPORATE_KINDS = (
    ("transfer_in", "net_bank", 1, 40, 1.15, "货款", True),
    ("transfer_out", "net_bank", -1, 46, 0.95, "货款", True),
    ("transfer_out", "counter", -1, 5, 1.2, "往来款", True),
    ("transfer_in", "counter", 1, 5, 1.2, "往来款", True),
    ("withdrawal", "counter", -1, 1, 0.1, "备用金", False),
    ("fee", "batch", -1, 3, 0.0006, "汇划手续费", False),
)


class Accounts:
    """All accounts, those that open within the horizon too.

    Attributes:
        frame: One row an account with `ix`, customer's index, kind, opening and closing day, opening balance (fen).
        log: Change log of `account`; `holders` that of `account_holder`.
        main: Index of the settlement account of each customer.
    """

    def __init__(
        self,
        streams: Streams,
        customers: Customers,
        organisation: Organisation,
        start: date,
        horizon: date,
        cut_off_second: int,
    ) -> None:
        self.streams, self.organisation, self.start, self.horizon = streams, organisation, start, horizon
        self.customers, self.cut_off_second = customers, cut_off_second
        rng = streams("accounts")
        frame = customers.frame
        person = (frame["party_kind"] == "person").to_numpy()
        size = frame.height
        opened = frame["opened_on"].to_numpy().astype("datetime64[D]")
        every = np.arange(size)
        parts = [
            self._part(
                every, np.where(person, "personal_demand", "corporate_basic"), np.where(person, "I", None), opened
            )
        ]

        def more(mask: np.ndarray, kind: str, level: str | None) -> None:
            who = every[mask]
            day = parties.later(opened[who], rng, start - timedelta(days=900), horizon)
            parts.append(self._part(who, np.full(len(who), kind), np.full(len(who), level, dtype=object), day))

        more(person & choose(rng, size, p.SECOND_CLASS_ACCOUNT_SHARE), "personal_demand", "II")
        more(~person & choose(rng, size, p.CORPORATE_GENERAL_SHARE), "corporate_general", None)
        more(~person & choose(rng, size, p.CORPORATE_GENERAL_SHARE), "loan_settlement", None)
        plain = pl.concat(parts)
        time_of = np.concatenate(
            [
                every[person & choose(rng, size, p.TIME_DEPOSIT_SHARE)],
                every[~person & choose(rng, size, p.CORPORATE_TIME_SHARE)],
            ]
        )
        months = pick(rng, list(p.TIME_RATES_PER_CENT), (20, 25, 35, 12, 8), len(time_of))
        span = (horizon - start).days
        # opened so that it still runs at the start of the history, or within the history
        within = choose(rng, len(time_of), 0.45)
        back = (rng.random(len(time_of)) * months * 30).astype(int)
        day = np.where(
            within,
            np.datetime64(start) + rng.integers(1, span, len(time_of)).astype("timedelta64[D]"),
            np.datetime64(start) - (back + 1).astype("timedelta64[D]"),
        )
        day = np.maximum(day, opened[time_of] + DAY)
        matures = day + (months * 365 // 12).astype("timedelta64[D]")
        time = self._part(
            time_of,
            np.where(person[time_of], "personal_time", "corporate_time"),
            np.full(len(time_of), None, dtype=object),
            day,
        ).with_columns(months=pl.Series(months), matures_on=pl.Series(matures.astype("datetime64[D]")))
        both = pl.concat([plain.with_columns(months=pl.lit(None, pl.Int64), matures_on=pl.lit(None, pl.Date)), time])
        count = both.height
        kind = both["account_type"].to_numpy().astype(str)
        secondary = np.isin(kind, ("corporate_general",)) | (both["account_class"] == "II").fill_null(False).to_numpy()
        closes = secondary & choose(rng, count, p.ACCOUNT_CLOSE_SHARE_A_YEAR * span / 365)
        begun = both["opened_on"].to_numpy().astype("datetime64[D]")
        end = parties.later(begun + 60 * DAY, rng, start + timedelta(days=20), horizon)
        closed = np.where(closes & (end <= np.datetime64(horizon)), end, np.datetime64("NaT"))
        matured = both["matures_on"].to_numpy().astype("datetime64[D]")
        closed = np.where(~np.isnat(matured) & (matured <= np.datetime64(horizon)), matured, closed)
        wealth = frame["wealth"].to_numpy()[both["customer"].to_numpy()]
        factor = frame["size_factor"].to_numpy()[both["customer"].to_numpy()]
        income = np.where(
            np.char.startswith(kind, "corporate") | (kind == "loan_settlement"),
            320_000 * factor * wealth,
            p.MEDIAN_MONTHLY_INCOME * wealth,
        )
        base = np.select(
            [
                np.char.endswith(kind, "_time"),
                (both["account_class"] == "II").fill_null(False).to_numpy(),
                kind == "loan_settlement",
            ],
            [income * 4.5, income * 0.3, income * 0.2],
            income * 2.4,
        )
        opening = np.round(base * np.exp(rng.normal(0, 0.9, count)) * 100).astype(np.int64)
        timed = np.char.endswith(kind, "_time")
        opening = np.where(timed, (opening // 100_000 + 5) * 100_000, opening)
        self.time_amount = np.where(timed, opening, 0)
        opening = np.where(begun >= np.datetime64(start), 0, opening)
        opening = np.where(~np.isnat(closed) & (closed < np.datetime64(start)), 0, opening)
        rate = np.where(timed, 0.0, p.DEMAND_RATE_PER_CENT)
        months_all = both["months"].to_numpy()
        for term, value in p.TIME_RATES_PER_CENT.items():
            rate = np.where(months_all == term, value, rate)
        self.rate = np.round(rate * 1_000_000).astype(np.int64)
        self.income, self.kind, self.opening = income, kind, opening
        self.opened, self.closed = begun, closed.astype("datetime64[D]")
        outlets = np.array(organisation.outlets)[frame["outlet"].to_numpy()]
        number = rng.permutation(count * 9)[:count] + 1
        products = np.select(
            [
                kind == "personal_time",
                kind == "corporate_time",
                (both["account_class"] == "II").fill_null(False).to_numpy(),
                kind == "personal_demand",
            ],
            [*[np.char.add("TD", padded(np.nan_to_num(months_all, nan=3), 2))] * 2, "DD02", "DD01"],
            "DD11",
        )
        general = np.flatnonzero(kind == "corporate_general")
        special = choose(streams("guarantee accounts"), len(general), p.GUARANTEE_ACCOUNT_SHARE)
        special[:2] = True  # one of each, however small the world
        products[general[special]] = np.resize(["DD12", "DD13"], int(special.sum()))
        self.frame = both.with_columns(
            ix=pl.Series(np.arange(count)),
            account_id=pl.Series([f"62{n:016d}" for n in number * 7919 % 10**15 + 10**14]),
            customer_id=frame["customer_id"].gather(both["customer"].to_numpy()),
            customer_name=frame["held_name"].gather(both["customer"].to_numpy()),
            product_id=pl.Series(products.astype(str)),
            organisation_id=pl.Series(outlets[both["customer"].to_numpy()]),
            closed_on=pl.Series(self.closed),
            opening=pl.Series(opening),
            interest_rate=pl.Series(self.rate),
        )
        if self.frame["account_id"].n_unique() != count:
            raise ValueError("account numbers are not distinct")
        self.ids = self.frame["account_id"].to_numpy().astype(object)
        self.main = np.arange(size)
        self.log, self.holders = self._logs()
        pool = streams("counterparties")
        males = choose(pool, 400, 0.5)
        self.other_names = np.concatenate(
            [people.names(pool, males), firms.draw(pool, 200)["name"].to_numpy().astype(str)]
        )
        self.other_accounts = np.array([f"62{n:016d}" for n in pool.integers(10**13, 9 * 10**13, 600)])
        self.other_banks = pick(pool, BANKS, None, 600)

    @staticmethod
    def _part(who: np.ndarray, kind: np.ndarray, level: np.ndarray, opened: np.ndarray) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "customer": who,
                "account_type": pl.Series(kind.astype(str)),
                "account_class": text(level),
                "opened_on": pl.Series(opened.astype("datetime64[D]")),
            }
        )

    def _logs(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        rng = self.streams("account log")
        base = self.frame.select(
            "account_id",
            "customer_id",
            "product_id",
            "organisation_id",
            "account_type",
            "account_class",
            currency=pl.lit("CNY"),
            gl_subject=pl.col("account_type").replace_strict(SUBJECTS, return_dtype=pl.String),
            interest_rate="interest_rate",
            opened_on="opened_on",
            closed_on=pl.lit(None, pl.Date),
            matures_on="matures_on",
            status=pl.lit("active"),
        )
        ends = self.frame.filter(pl.col("closed_on").is_not_null()).select(
            "account_id", effective_date="closed_on", closed_on="closed_on", status=pl.lit("closed")
        )
        some = self.frame.filter(pl.Series(choose(rng, self.frame.height, 0.01)) & pl.col("closed_on").is_null())
        day = parties.later(some["opened_on"].to_numpy(), rng, self.start, self.horizon)
        states = pl.DataFrame(
            {
                "account_id": some["account_id"],
                "effective_date": day,
                "status": pick(rng, ("dormant", "frozen"), (85, 15), some.height),
            }
        )
        log = history(base, "account_id", "opened_on", [ends, states])
        owners = self.frame.select("account_id", "customer_id", "opened_on", holder_role=pl.lit("owner"))
        personal = self.frame.filter(pl.col("account_type") == "personal_demand")
        joint = personal.filter(pl.Series(choose(rng, personal.height, 0.03)))
        persons = self.customers.frame.filter(pl.col("party_kind") == "person")
        others = persons["customer_id"].gather(rng.integers(0, persons.height, joint.height))
        extra = joint.select(
            "account_id",
            customer_id=others,
            opened_on="opened_on",
            holder_role=pl.Series(pick(rng, ("joint_owner", "agent"), (70, 30), joint.height)),
        )
        extra = (
            extra.join(joint.select("account_id", owner="customer_id"), on="account_id", maintain_order="left")
            .filter(pl.col("owner") != pl.col("customer_id"))
            .drop("owner")
        )
        born = self.customers.frame.select("customer_id", other_since="opened_on")
        extra = (
            extra.join(born, on="customer_id", maintain_order="left")
            .with_columns(opened_on=pl.max_horizontal("opened_on", "other_since"))
            .drop("other_since")
        )
        shared = extra.filter(pl.col("holder_role") == "joint_owner")["account_id"].implode()
        both = pl.concat([owners, extra]).with_columns(
            share=pl.when(pl.col("holder_role") == "agent")
            .then(pl.lit(None, pl.Int64))
            .when(pl.col("account_id").is_in(shared))
            .then(500_000)
            .otherwise(1_000_000)
        )
        both = both.with_columns(holder_id=pl.Series([f"H{i + 1:08d}" for i in range(both.height)]))
        agents = both.filter((pl.col("holder_role") == "agent") & pl.Series(choose(rng, both.height, 0.3)))
        day = parties.later(agents["opened_on"].to_numpy(), rng, self.start, self.horizon)
        gone = pl.DataFrame({"holder_id": agents["holder_id"], "effective_date": day})
        return log, history(both, "holder_id", "opened_on", (), gone).drop("opened_on")

    def standing_orders(self, grid_links: pl.DataFrame) -> pl.DataFrame:
        """Change log of standing orders.

        Args:
            grid_links: `account_id`, `consumer_no`, `starts_on` of the agreements that debit electricity bills.
        """
        rng = self.streams("standing orders")
        grid = grid_links.select(
            "account_id",
            counterparty_bank=pl.lit("中国工商银行"),
            counterparty_account=pl.lit("1202020019900000001"),
            amount=pl.lit(None, pl.Int64),
            purpose=pl.lit("grid_bill"),
            payee_customer_no="consumer_no",
            frequency=pl.lit("on_demand"),
            starts_on="starts_on",
        )
        some = self.frame.filter(
            (pl.col("account_type") == "personal_demand") & pl.Series(choose(rng, self.frame.height, 0.12))
        )
        begin = parties.later(some["opened_on"].to_numpy(), rng, self.start - timedelta(days=700), self.horizon)
        other = some.select(
            "account_id",
            counterparty_bank=pl.Series(pick(rng, BANKS, None, some.height)),
            counterparty_account=pl.Series([f"62{n:016d}" for n in rng.integers(10**13, 9 * 10**13, some.height)]),
            amount=pl.Series((rng.integers(1, 60, some.height) * 5000).astype(np.int64)),
            purpose=pl.Series(
                pick(
                    rng,
                    ("water_bill", "gas_bill", "rent", "insurance", "household", "other"),
                    (25, 25, 15, 15, 10, 10),
                    some.height,
                )
            ),
            payee_customer_no=pl.lit(None, pl.String),
            frequency=pl.Series(pick(rng, ("monthly", "quarterly", "yearly"), (85, 5, 10), some.height)),
            starts_on=pl.Series(begin),
        )
        base = pl.concat([grid, other]).with_columns(ends_on=pl.lit(None, pl.Date))
        base = base.with_columns(order_id=pl.Series([f"O{i + 1:08d}" for i in range(base.height)]))
        rest = pl.col("purpose") != "grid_bill"
        ended = base.filter(rest & pl.Series(choose(rng, base.height, 0.05)))
        day = parties.later(ended["starts_on"].to_numpy(), rng, self.start, self.horizon)
        ends = pl.DataFrame({"order_id": ended["order_id"], "effective_date": day, "ends_on": day})
        gone = base.filter(
            rest & pl.Series(choose(rng, base.height, 0.06)) & ~pl.col("order_id").is_in(ended["order_id"].implode())
        )
        day = parties.later(gone["starts_on"].to_numpy(), rng, self.start, self.horizon)
        return history(
            base, "order_id", "starts_on", [ends], pl.DataFrame({"order_id": gone["order_id"], "effective_date": day})
        )

    def everyday(self, month: date) -> pl.DataFrame:
        """Requests of one month: salaries, transfers, cash, fees, time deposits, closings, year-end adjustments."""
        rng = self.streams("everyday", month)
        last = month_end(month)
        first_day, last_day = np.datetime64(month), np.datetime64(last)
        alive = (self.opened <= last_day) & (np.isnat(self.closed) | (self.closed > first_day))
        level_two = (self.frame["account_class"] == "II").fill_null(False).to_numpy()
        rates = np.zeros(len(self.kind))
        for kind, rate in p.POSTINGS_A_MONTH.items():
            rates[self.kind == kind] = rate
        rates[level_two] = p.POSTINGS_A_MONTH["class_two"]
        rates = np.where(alive, rates, 0.0)
        activity = np.exp(self.streams("activity").normal(-0.125, 0.5, len(rates)))
        corporate = np.isin(self.kind, ("corporate_basic", "corporate_general", "loan_settlement"))
        parts = [
            self._spontaneous(rng, month, rates * activity * np.where(corporate, 0.0, 1.0), PERSONAL_KINDS, 0.95),
            self._spontaneous(rng, month, rates * activity * corporate, CORPORATE_KINDS, 1.0),
            self._salaries(rng, month, alive),
            self._time_deposits(month),
            self._closings(month),
        ]
        if month.month == 12:
            parts.append(self._year_end(rng, month, alive & corporate))
        return pl.concat(parts)

    def _spontaneous(
        self, rng: np.random.Generator, month: date, rates: np.ndarray, kinds: tuple, spend: float
    ) -> pl.DataFrame:
        counts = rng.poisson(rates)
        account = np.repeat(np.arange(len(rates)), counts)
        size = len(account)
        kind = pick(rng, np.arange(len(kinds)), [k[3] for k in kinds], size)
        days = day_array(month, month_end(month))
        weight = np.array(
            [1.0 if is_working_day(d) else 0.45 if kinds is CORPORATE_KINDS else 0.9 for d in days.astype(object)]
        )
        day = pick(rng, days, weight, size)
        mean = self.income[account] * spend / np.maximum(rates[account] * 0.80, 0.5)
        amount = mean * np.array([k[4] for k in kinds])[kind] * np.exp(rng.normal(-0.4, 0.9, size)) * 100
        amount = np.maximum(np.round(amount), 1).astype(np.int64)
        kind_type = np.array([k[0] for k in kinds], dtype=object)[kind]
        channel = np.array([k[1] for k in kinds], dtype=object)[kind]
        cash = np.isin(kind_type, ("withdrawal", "deposit"))
        amount = np.where(cash, (amount // 10_000 + 1) * 10_000, amount)
        counter = channel == "counter"
        second = np.where(
            counter | np.isin(channel, ("net_bank",)),
            rng.integers(32_400, 61_200, size),
            np.clip(rng.normal(52_000, 14_000, size), 3_600, self.cut_off_second - 1).astype(int),
        )
        second = np.where(channel == "batch", 3_000, second)
        late = choose(rng, size, p.AFTER_CUT_OFF_SHARE) & np.isin(channel, ("third_party", "mobile_bank", "atm"))
        second = np.where(late, rng.integers(self.cut_off_second, 86_399, size), second)
        at = (day - np.where(late, 1, 0).astype("timedelta64[D]")).astype("datetime64[us]") + second.astype(
            "timedelta64[s]"
        )
        named = np.array([k[6] for k in kinds])[kind]
        who = rng.integers(0, 600, size)
        rows = ledger.requests(
            size,
            account=account,
            date=day,
            at=at,
            sign=np.array([k[2] for k in kinds])[kind],
            amount=amount,
            type=kind_type,
            channel=channel,
            counterparty_account=np.where(named, self.other_accounts[who].astype(object), None),
            counterparty_name=np.where(named, self.other_names[who].astype(object), None),
            counterparty_bank=np.where(named, self.other_banks[who].astype(object), None),
            operator_id=np.where(counter, pick(rng, self.organisation.tellers, None, size).astype(object), None),
            summary=np.array([k[5] for k in kinds], dtype=object)[kind],
        )
        within = (day >= self.opened[account]) & (at.astype("datetime64[D]") >= self.opened[account])
        within &= np.isnat(self.closed[account]) | (day < self.closed[account])
        return rows.filter(pl.Series(within))

    def _salaries(self, rng: np.random.Generator, month: date, alive: np.ndarray) -> pl.DataFrame:
        steady = self.streams("salaries")
        paid = choose(steady, len(alive), 0.72) & (self.kind == "personal_demand") & alive
        paid &= ~(self.frame["account_class"] == "II").fill_null(False).to_numpy()
        day_of = pick(steady, (5, 10, 15), None, len(alive))
        who = np.flatnonzero(paid)
        day = np.datetime64(month) + (day_of[who] - 1).astype("timedelta64[D]")
        bonus = np.where(choose(rng, len(who), 0.9 if month.month == 1 else 0.03), rng.uniform(1.3, 3.0, len(who)), 1.0)
        amount = np.round(self.income[who] * 100 * rng.uniform(0.95, 1.05, len(who)) * bonus).astype(np.int64)
        rows = ledger.requests(
            len(who),
            account=who,
            date=day,
            at=day.astype("datetime64[us]") + np.timedelta64(34_200, "s"),
            sign=1,
            amount=amount,
            type="salary",
            channel="batch",
            summary="工资",
            counterparty_bank="本行",
            counterparty_name=self.other_names[400 + who % 200].astype(object),
        )
        keep = (day >= self.opened[who]) & (np.isnat(self.closed[who]) | (day < self.closed[who]))
        return rows.filter(pl.Series(keep))

    def _time_deposits(self, month: date) -> pl.DataFrame:
        """Openings come from the settlement account (topped up), maturities go back to it with interest."""
        first, last = np.datetime64(month), np.datetime64(month_end(month))
        timed = self.time_amount > 0
        main = self.main[self.frame["customer"].to_numpy()]
        parts = []
        new = np.flatnonzero(
            timed & (self.opened >= first) & (self.opened <= last) & (self.opened >= np.datetime64(self.start))
        )
        if len(new):
            at = self.opened[new].astype("datetime64[us]") + np.timedelta64(36_000, "s")
            common = {"date": self.opened[new], "amount": self.time_amount[new], "channel": "mobile_bank"}
            parts.append(
                ledger.requests(
                    len(new),
                    account=main[new],
                    at=at,
                    sign=-1,
                    type="transfer_out",
                    summary="转存定期",
                    mode=ledger.TOPPED_UP,
                    counterparty_account=self.ids[new],
                    **common,
                )
            )
            parts.append(
                ledger.requests(
                    len(new),
                    account=new,
                    at=at + np.timedelta64(1, "s"),
                    sign=1,
                    type="deposit",
                    summary="定期开户",
                    counterparty_account=self.ids[main[new]],
                    **common,
                )
            )
        old = np.flatnonzero(
            timed & (self.closed >= first) & (self.closed <= last) & (self.closed >= np.datetime64(self.start))
        )
        if len(old):
            months = self.frame["months"].to_numpy()[old].astype(int)
            amount = self.time_amount[old]
            interest = np.round(amount * (self.rate[old] / 1e8) * months / 12).astype(np.int64)
            day = self.closed[old]
            at = day.astype("datetime64[us]") + np.timedelta64(5_400, "s")
            parts.append(
                ledger.requests(
                    len(old),
                    account=old,
                    date=day,
                    at=at,
                    sign=1,
                    amount=interest,
                    type="interest",
                    channel="batch",
                    summary="定期利息",
                )
            )
            parts.append(
                ledger.requests(
                    len(old),
                    account=old,
                    date=day,
                    at=at + np.timedelta64(1, "s"),
                    sign=-1,
                    amount=amount + interest,
                    type="transfer_out",
                    channel="batch",
                    summary="到期转活期",
                    mode=ledger.SWEEP,
                    counterparty_account=self.ids[main[old]],
                )
            )
            parts.append(
                ledger.requests(
                    len(old),
                    account=main[old],
                    date=day,
                    at=at + np.timedelta64(2, "s"),
                    sign=1,
                    amount=amount + interest,
                    type="transfer_in",
                    channel="batch",
                    summary="定期到期",
                    counterparty_account=self.ids[old],
                )
            )
        return pl.concat(parts) if parts else ledger.requests(0)

    def _closings(self, month: date) -> pl.DataFrame:
        first, last = np.datetime64(month), np.datetime64(month_end(month))
        ending = np.flatnonzero(
            (self.time_amount == 0)
            & (self.closed >= first)
            & (self.closed <= last)
            & (self.closed >= np.datetime64(self.start))
        )
        day = self.closed[ending]
        return ledger.requests(
            len(ending),
            account=ending,
            date=day,
            at=day.astype("datetime64[us]") + np.timedelta64(39_600, "s"),
            sign=-1,
            amount=0,
            type="withdrawal",
            channel="counter",
            summary="销户结清",
            mode=ledger.SWEEP,
            operator_id=self.organisation.tellers[ending % len(self.organisation.tellers)].astype(object),
        )

    def _year_end(self, rng: np.random.Generator, month: date, alive: np.ndarray) -> pl.DataFrame:
        last = month_end(month)
        who = np.flatnonzero(alive & (self.opened < np.datetime64(last)) & np.isnat(self.closed))
        hit = choose(rng, len(who), p.YEAR_END_ADJUSTMENT_SHARE)
        if len(who) and not hit.any():
            hit[0] = True
        who = who[hit]
        return ledger.requests(
            len(who),
            account=who,
            date=np.full(len(who), np.datetime64(last)),
            at=np.full(len(who), np.datetime64(f"{last}T23:40:00", "us")),
            sign=pick(rng, (1, -1), None, len(who)),
            amount=rng.integers(100, 90_000, len(who)),
            type="adjustment",
            channel="batch",
            summary="年终调整",
        )

    def interest(self, day: date, products: np.ndarray) -> pl.DataFrame:
        """Credits demand interest of a quarter: sum of daily balances times rate over 360 [domain C4]."""
        amount = np.floor(products * (self.rate / 1e8) / 360 + 0.5).astype(np.int64)
        open_now = (self.opened < np.datetime64(day)) & (np.isnat(self.closed) | (self.closed > np.datetime64(day)))
        who = np.flatnonzero((amount > 0) & (self.time_amount == 0) & open_now)
        at = np.full(len(who), np.datetime64(f"{day}T01:00:00", "us"))
        return ledger.requests(
            len(who),
            account=who,
            date=np.full(len(who), np.datetime64(day)),
            at=at,
            sign=1,
            amount=amount[who],
            type="interest",
            channel="batch",
            summary="结息",
        )
