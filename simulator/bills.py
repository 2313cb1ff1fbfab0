"""Bills with their lines, cancel and rebill, payments (the bridge to core banking) and arrears."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from simulator import ledger, tariffs
from simulator import parameters as p
from simulator.accounts import Accounts
from simulator.calendar import next_month
from simulator.energy import MonthEnergy
from simulator.frames import text
from simulator.grid import Grid
from simulator.randomness import Streams, choose

BANK_CHANNELS = ("bank_debit", "bank_counter", "mobile_bank")
CORE_CHANNEL = {"bank_debit": "batch", "bank_counter": "counter", "mobile_bank": "mobile_bank"}
UNITS = {"energy": "kWh", "fund": "kWh", "power_factor": "CNY", "late_fee": "CNY"}


class Bills:
    """Billing month by month.

    Attributes:
        open: Bills that are not yet paid: what arrears are made of.
    """

    def __init__(self, streams: Streams, grid: Grid, accounts: Accounts, start: date) -> None:
        self.streams, self.grid, self.accounts, self.start = streams, grid, accounts, start
        points = grid.points
        months_before = start.month - 1  # tiers are yearly: what was used before the history
        self.year_to_date = (
            np.where(
                points["opened_on"].to_numpy().astype("datetime64[D]") < np.datetime64(start),
                np.round(points["base_kwh"].to_numpy() * 30.4 * months_before),
                0,
            ).astype(np.int64)
            * 10_000
        )
        self.late_fees: list[tuple[int, date, int]] = []
        self.payment_no = 0
        self.owed: list[pl.DataFrame] = []

    def month(self, month: date, energy: MonthEnergy) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
        """Bills of a billing month, issued on the first days of the next one.

        Returns:
            Facts (`bill`, `bill_line`) and the planned payments.
        """
        rng, points = self.streams("bills", month), self.grid.points
        if month.month == 1:
            self.year_to_date[:] = 0
        who = np.flatnonzero(energy.kwh > 0)
        issued = np.datetime64(next_month(month)) + (who % 4).astype("timedelta64[D]")
        late = self._late_fees_due(who, next_month(month))
        lines, cos_phi = self._lines(
            who, energy.kwh[who], energy.periods[who], energy.kvarh[who], energy.demand[who], late, month
        )
        self.year_to_date[who] += energy.kwh[who]
        ids = np.array([f"B{month:%Y%m}{i + 1:08d}" for i in who], dtype=object)
        consumer = points["consumer"].to_numpy()[who]
        kwh = energy.kwh[who]
        kind = np.where(choose(rng, len(who), 0.01), "estimated", "actual")
        # a few are misread by a tenth, cancelled a week later and billed again
        wrong = choose(rng, len(who), p.CANCEL_REBILL_SHARE) & (late == 0)
        if month == self.start:
            wrong[np.flatnonzero(late == 0)[:1]] = True
        bills = self._bills(ids, who, consumer, month, issued, kind, kwh, cos_phi)
        parts, line_parts, plain = [bills], [lines.with_columns(bill_id=text(ids[lines["at"].to_numpy()]))], ~wrong
        rebilled = np.flatnonzero(wrong)
        if len(rebilled):
            misread = kwh[rebilled] // 1_000_000 * 100_000 + kwh[rebilled]
            scale = misread / kwh[rebilled]
            periods = np.floor(energy.periods[who[rebilled]] * scale[:, None] / 100).astype(np.int64) * 100
            periods[:, 2] += misread - periods.sum(axis=1)
            self.year_to_date[who] -= kwh
            wrong_lines, wrong_phi = self._lines(
                who[rebilled],
                misread,
                periods,
                energy.kvarh[who[rebilled]],
                energy.demand[who[rebilled]],
                late[rebilled],
                month,
            )
            self.year_to_date[who] += kwh
            wrong_ids = ids[rebilled]
            cancel_ids = np.array([f"C{x[1:]}" for x in wrong_ids], dtype=object)
            new_ids = np.array([f"R{x[1:]}" for x in wrong_ids], dtype=object)
            later = issued[rebilled] + np.timedelta64(8, "D")
            first = self._bills(
                wrong_ids,
                who[rebilled],
                consumer[rebilled],
                month,
                issued[rebilled],
                kind[rebilled],
                misread,
                wrong_phi,
            )
            cancel = self._bills(
                cancel_ids,
                who[rebilled],
                consumer[rebilled],
                month,
                later,
                np.full(len(rebilled), "cancel"),
                -misread,
                wrong_phi,
            ).with_columns(cancels_bill_id=text(wrong_ids))
            again = bills.filter(pl.Series(wrong)).with_columns(
                bill_id=text(new_ids),
                bill_kind=pl.lit("rebill"),
                cancels_bill_id=text(wrong_ids),
                issued_on=pl.Series(later),
                due_on=pl.Series(later + np.timedelta64(p.BILL_DUE_DAYS, "D")),
                _date=pl.Series(later),
            )
            parts = [bills.filter(pl.Series(plain)), first, cancel, again]
            at = pl.col("at")
            right = line_parts[0]
            spot = {int(x): i for i, x in enumerate(rebilled)}
            renewed = right.filter(at.is_in(list(spot))).with_columns(
                bill_id=text([new_ids[spot[x]] for x in right.filter(at.is_in(list(spot)))["at"].to_list()])
            )
            first_lines = wrong_lines.with_columns(bill_id=text(wrong_ids[wrong_lines["at"].to_numpy()]))
            back = wrong_lines.with_columns(
                bill_id=text(cancel_ids[wrong_lines["at"].to_numpy()]),
                quantity=-pl.col("quantity"),
                amount=-pl.col("amount"),
            )
            line_parts = [right.filter(~at.is_in(list(spot))), first_lines, back, renewed]
        lines = pl.concat(line_parts)
        bills = pl.concat(parts).sort("_date", "bill_id", maintain_order=True)
        totals = lines.group_by("bill_id").agg(amount=pl.col("amount").sum())
        bills = bills.drop("amount").join(totals, on="bill_id", how="left", maintain_order="left")
        lines = (
            bills.select("bill_id", "_date")
            .join(lines, on="bill_id", how="left", maintain_order="left")
            .with_columns(line_no=pl.int_range(1, pl.len() + 1).over("bill_id"))
            .drop("at", "order")
        )
        payments = self._plan_payments(rng, bills)
        return {"bill": bills.drop("consumer", "point"), "bill_line": lines}, payments

    def _bills(
        self,
        ids: np.ndarray,
        who: np.ndarray,
        consumer: np.ndarray,
        month: date,
        issued: np.ndarray,
        kind: np.ndarray,
        kwh: np.ndarray,
        cos_phi: np.ndarray,
    ) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "bill_id": text(ids),
                "consumer_no": self.grid.frame["customer_id"].gather(consumer),
                "contract_no": text(self.grid.contract_no[consumer]),
                "service_point_id": self.grid.points["service_point_id"].gather(who),
                "issued_on": issued,
                "due_on": issued + np.timedelta64(p.BILL_DUE_DAYS, "D"),
                "bill_kind": pl.Series(kind.astype(str)),
                "kwh": kwh,
                "power_factor": pl.Series(np.where(cos_phi >= 0, cos_phi * 100, -1)).replace(-1, None),
                "amount": np.zeros(len(ids), np.int64),
                "consumer": consumer,
                "point": who,
                "_date": issued,
            }
        ).with_columns(billing_month=pl.lit(month), cancels_bill_id=pl.lit(None, pl.String))

    def _lines(
        self,
        who: np.ndarray,
        kwh: np.ndarray,
        periods: np.ndarray,
        kvarh: np.ndarray,
        demand: np.ndarray,
        late: np.ndarray,
        month: date,
    ) -> tuple[pl.DataFrame, np.ndarray]:
        points = self.grid.points
        tariff = points["tariff_id"].to_numpy()[who]
        capacity = points["capacity"].to_numpy()[who].astype(np.int64)
        consumer = points["consumer"].to_numpy()[who]
        numbers: list[np.ndarray] = []
        labels: list[tuple[int, str, str | None, int | None, str]] = []
        base = np.zeros(len(who), np.int64)

        def add(
            mask: np.ndarray,
            order: int,
            component: str,
            quantity: np.ndarray,
            unit_price: np.ndarray | int,
            unit: str,
            period: str | None = None,
            tier: int | None = None,
            in_base: bool = True,
            amount: np.ndarray | None = None,
        ) -> None:
            at = np.flatnonzero(mask & (quantity != 0))
            if not len(at):
                return
            prices = np.broadcast_to(np.asarray(unit_price, np.int64), len(who))[at]
            value = tariffs.line_amount(quantity[at], prices) if amount is None else amount[at]
            if in_base:
                base[at] += value
            kind = np.full(len(at), len(labels))
            labels.append((order, component, period, tier, unit))
            numbers.append(np.stack([at, quantity[at], prices, value, kind]))

        for name, terms in tariffs.TARIFFS.items():
            mask = tariff == name
            if not mask.any():
                continue
            if terms[4]:
                tiers = tariffs.tier_split(self.year_to_date[who], kwh)
                used = np.cumsum(tiers, axis=0)
                peak_to = [np.round(u * (periods[:, 1] / np.maximum(kwh, 1))).astype(np.int64) for u in used]
                peak_to[2] = periods[:, 1]
                for t in range(3):
                    if name == "R1":
                        add(mask, 1 + t, "energy", tiers[t], tariffs.price(name, "flat", t), "kWh", "flat", t + 1)
                        continue
                    before = peak_to[t - 1] if t else np.zeros(len(who), np.int64)
                    peak = np.clip(
                        np.minimum(peak_to[t], periods[:, 1]) - np.minimum(before, periods[:, 1]), 0, tiers[t]
                    )
                    add(mask, 1 + 2 * t, "energy", peak, tariffs.price(name, "peak", t), "kWh", "peak", t + 1)
                    add(
                        mask,
                        2 + 2 * t,
                        "energy",
                        tiers[t] - peak,
                        tariffs.price(name, "valley", t),
                        "kWh",
                        "valley",
                        t + 1,
                    )
            elif terms[3]:
                for i, period in enumerate(tariffs.PERIODS):
                    add(mask, 1 + i, "energy", periods[:, i], tariffs.price(name, period), "kWh", period)
            else:
                add(mask, 1, "energy", kwh, tariffs.price(name, "flat"), "kWh", "flat")
            if terms[6]:
                add(mask, 10, "basic", capacity * 10_000, round(terms[6] * tariffs.PRICE), "kVA")
            if terms[7]:
                single, double = tariffs.demand_charge(
                    self.grid.contract_demand[consumer].astype(np.int64) * 10_000, demand
                )
                add(mask, 11, "basic", single, round(terms[7] * tariffs.PRICE), "kW")
                add(mask, 12, "basic", double, round(2 * terms[7] * tariffs.PRICE), "kW")
        cos_phi = np.full(len(who), -1, np.int64)
        for name, terms in tariffs.TARIFFS.items():
            applies = (tariff == name) & (kvarh > 0) & (capacity >= 100)
            if terms[8] is None or not applies.any():
                continue
            phi = tariffs.power_factor(kwh, kvarh)
            cos_phi = np.where(applies, phi, cos_phi)
            rate = tariffs.power_factor_rate(round(terms[8] * 100), phi)
            value = np.sign(rate) * ((base * np.abs(rate) + 5_000) // 10_000)
            # quantity is the base in CNY, the price the percentage as a share
            add(
                applies & (rate != 0),
                20,
                "power_factor",
                base * 100,
                rate * (tariffs.PRICE // 10_000),
                "CNY",
                in_base=False,
                amount=value,
            )
        usage = points["usage_class"].to_numpy()[who]
        for kind, fund in p.FUND_PRICE.items():
            if fund:
                add(usage == kind, 30, "fund", kwh, fund, "kWh", in_base=False)
        add(late > 0, 40, "late_fee", late * 100, tariffs.PRICE, "CNY", in_base=False, amount=late)
        columns = ("at", "quantity", "price", "amount", "kind")
        lines = pl.DataFrame(dict(zip(columns, np.concatenate(numbers, axis=1), strict=True)))
        names = {"order": pl.Int64, "component": pl.String, "period": pl.String, "tier": pl.Int64, "unit": pl.String}
        kinds = pl.DataFrame(labels, orient="row", schema=names)[lines["kind"]]
        return lines.drop("kind").hstack(kinds).sort("at", "order", maintain_order=True), cos_phi

    def _late_fees_due(self, who: np.ndarray, issue_month: date) -> np.ndarray:
        """Late fees of bills that were paid late go on the next bill."""
        fees = np.zeros(self.grid.points.height, np.int64)
        rest = []
        billed = set(who.tolist())
        for point, paid_on, fee in self.late_fees:
            if paid_on < issue_month and point in billed:
                fees[point] += fee
            else:
                rest.append((point, paid_on, fee))
        self.late_fees = rest
        return fees[who]

    def _plan_payments(self, rng: np.random.Generator, bills: pl.DataFrame) -> pl.DataFrame:
        cancelled = bills.filter(pl.col("bill_kind") == "cancel")["cancels_bill_id"].implode()
        due = bills.filter((pl.col("bill_kind") != "cancel") & ~pl.col("bill_id").is_in(cancelled))
        size = due.height
        issued, limit = (
            due["issued_on"].to_numpy().astype("datetime64[D]"),
            due["due_on"].to_numpy().astype("datetime64[D]"),
        )
        consumer = due["consumer"].to_numpy()
        fate = rng.random(size)
        late, never = fate < p.LATE_PAYER_SHARE, fate > 1 - p.UNPAID_SHARE
        day = issued + rng.integers(1, p.BILL_DUE_DAYS, size).astype("timedelta64[D]")
        day = np.where(late, limit + rng.integers(3, 30, size).astype("timedelta64[D]"), day)
        channel = self.grid.channel[consumer].astype(object)
        account = self.grid.account[consumer]
        closed = np.isin(channel, BANK_CHANNELS) & ((account < 0) | (self.grid.account_begun[consumer] >= day))
        channel = np.where(closed, "third_party", channel)
        paid = due.select("bill_id", "consumer_no", "consumer", "point", "due_on", "amount").with_columns(
            paid_on=pl.Series(np.where(never, np.datetime64("NaT"), day).astype("datetime64[D]")),
            channel_id=text(channel),
            account=pl.Series(np.where(np.isin(channel, BANK_CHANNELS), account, -1)),
            second=pl.Series(rng.integers(30_000, 75_000, size)),
        )
        first = self.payment_no
        self.payment_no += size
        paid = paid.with_columns(payment_id=text([f"GP{first + i + 1:010d}" for i in range(size)]))
        self.owed.append(paid.select("bill_id", "consumer_no", "consumer", "point", "due_on", "amount", "paid_on"))
        return paid.filter(pl.col("paid_on").is_not_null())

    def ask(self, planned: pl.DataFrame) -> pl.DataFrame:
        """Requests to the ledger for payments that the bank is to collect."""
        own = planned.filter(pl.col("account") >= 0)
        if not own.height:
            return ledger.requests(0)
        channel = own["channel_id"].replace_strict(CORE_CHANNEL, return_dtype=pl.String)
        return ledger.requests(
            own.height,
            account=own["account"],
            date=own["paid_on"],
            at=own.select(
                pl.col("paid_on").cast(pl.Datetime("us")) + pl.duration(seconds=pl.col("second"))
            ).to_series(),
            sign=-1,
            amount=own["amount"],
            type="bill_payment",
            channel=channel,
            mode=ledger.ALL_OR_NOTHING,
            ref=own["payment_id"],
            counterparty_name="国网杭州供电公司",
            counterparty_account="1202020019900000001",
            counterparty_bank="中国工商银行",
            summary="电费 " + own["consumer_no"],
        )

    def book(self, planned: pl.DataFrame, done: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Payments once the ledger has spoken.

        Returns:
            Payments, and those that failed at the bank and are now planned elsewhere five days later.
        """
        posted = done.filter(pl.col("type") == "bill_payment").select(
            payment_id="ref", bank_transaction_id="transaction_id"
        )
        rows = planned.join(posted, on="payment_id", how="left", maintain_order="left")
        failed = (pl.col("account") >= 0) & pl.col("bank_transaction_id").is_null()
        again = (
            rows.filter(failed)
            .drop("bank_transaction_id")
            .with_columns(
                paid_on=pl.col("paid_on") + timedelta(days=5),
                account=pl.lit(-1, pl.Int64),
                channel_id=pl.lit("third_party"),
            )
        )
        paid = rows.filter(~failed)
        moved = dict(zip(again["bill_id"].to_list(), again["paid_on"].to_list(), strict=True))
        if moved:
            self.owed = [
                o.with_columns(
                    paid_on=pl.when(pl.col("bill_id").is_in(list(moved)))
                    .then(pl.col("bill_id").replace_strict(moved, default=None, return_dtype=pl.Date))
                    .otherwise("paid_on")
                )
                for o in self.owed
            ]
        late = paid.filter(pl.col("paid_on") > pl.col("due_on"))
        rates = self.grid.late_rate[late["consumer"].to_numpy()]
        days = (late["paid_on"] - late["due_on"]).dt.total_days().to_numpy()
        fees = (late["amount"].to_numpy() * rates * days + 500_000) // 1_000_000
        self.late_fees += [
            (int(a), b, int(c))
            for a, b, c in zip(late["point"].to_list(), late["paid_on"].to_list(), fees, strict=True)
            if c > 0
        ]
        accounts = self.accounts.ids[np.maximum(paid["account"].to_numpy(), 0)]
        return paid.select(
            "payment_id",
            "consumer_no",
            "bill_id",
            paid_at=pl.col("paid_on").cast(pl.Datetime("us")) + pl.duration(seconds=pl.col("second")),
            amount="amount",
            channel_id="channel_id",
            bank_account=pl.when(pl.col("account") >= 0).then(text(accounts)),
            bank_transaction_id="bank_transaction_id",
            _date="paid_on",
        ), again

    def arrears(self, first: date, last: date) -> pl.DataFrame:
        """Bills overdue on each day of a range, as known at the end of that day."""
        owed = pl.concat(self.owed)
        self.owed = [owed.filter(pl.col("paid_on").is_null() | (pl.col("paid_on") > last))]
        owed = owed.filter(pl.col("due_on") < last)
        days = pl.DataFrame({"as_of": pl.date_range(first, last, "1d", eager=True)})
        rows = owed.join(days, how="cross").filter(
            (pl.col("as_of") > pl.col("due_on")) & (pl.col("paid_on").is_null() | (pl.col("as_of") < pl.col("paid_on")))
        )
        late = (rows["as_of"] - rows["due_on"]).dt.total_days().to_numpy()
        rates = self.grid.late_rate[rows["consumer"].to_numpy()]
        fee = (rows["amount"].to_numpy() * rates * late + 500_000) // 1_000_000
        return rows.select(
            "bill_id",
            "as_of",
            "consumer_no",
            overdue_amount="amount",
            late_fee=pl.Series(fee),
            days_overdue=pl.Series(late),
            _date="as_of",
        ).sort("as_of", "bill_id", maintain_order=True)
