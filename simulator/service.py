"""Service and steering: contacts, leads, campaigns, complaints, queue tickets, targets, scores, external series."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from simulator import parameters as p
from simulator.accounts import Accounts
from simulator.calendar import add_months, month_end, months, working_days
from simulator.changes import history
from simulator.customers import Customers
from simulator.frames import text
from simulator.organisation import Organisation
from simulator.randomness import Streams, choose, pick

TARGETS = (
    ("deposit_average_balance", "CNY"),
    ("new_customers", "count"),
    ("loan_balance", "CNY"),
    ("wealth_sales", "CNY"),
    ("contacts_daily", "count"),
    ("card_active_rate", "ratio"),
)
NOTES = (
    "客户咨询定期利率",
    "已介绍新客理财，客户考虑中",
    "回访贷后资金用途",
    "提醒信用卡还款",
    "节日问候",
    "预约下周上门",
    "客户暂无需求",
)


class Service:
    """Service events by month, and the masters of campaigns, targets and scores."""

    def __init__(
        self,
        streams: Streams,
        customers: Customers,
        accounts: Accounts,
        organisation: Organisation,
        loan_total: np.ndarray,
        start: date,
        horizon: date,
    ) -> None:
        self.streams, self.customers, self.accounts = streams, customers, accounts
        self.organisation, self.start, self.horizon = organisation, start, horizon
        self.counts = dict.fromkeys(("contact", "lead", "complaint", "ticket"), 0)
        self.portfolio = customers.frame["manager"].to_numpy()
        self.campaigns = self._campaigns()
        self.targets, self.scores = self._steer(loan_total)

    def _number(self, kind: str, prefix: str, size: int) -> pl.Series:
        first = self.counts[kind]
        self.counts[kind] += size
        return text([f"{prefix}{first + i + 1:09d}" for i in range(size)])

    def _campaigns(self) -> pl.DataFrame:
        rng = self.streams("campaigns")
        starts = [add_months(self.start, 2 * i) for i in range(8)]
        names = ("年终存款季", "开门红", "春季理财节", "信用卡焕新", "夏日消费贷", "金秋存款", "岁末答谢", "新春礼遇")
        products = ("TD12", "TD12", "WM02", "CC01", "LN02", "TD24", "WM03", "TD12")
        base = pl.DataFrame(
            {
                "campaign_id": [f"CP{i + 1:04d}" for i in range(8)],
                "campaign_name": names,
                "product_id": products,
                "starts_on": starts,
                "ends_on": [month_end(add_months(s, 1)) for s in starts],
                "budget": (rng.integers(5, 60, 8) * 1_000_000).astype(np.int64),
            }
        )
        base = base.filter(pl.col("starts_on") <= self.horizon)
        raised = base.select(
            "campaign_id", effective_date=pl.col("starts_on") + timedelta(days=12), budget=pl.col("budget") * 11 // 10
        )[:3]
        return history(base, "campaign_id", "starts_on", [raised])

    def _steer(self, loan_total: np.ndarray) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Targets by manager, branch and month; scores after its end. Setter and approver differ."""
        rng, org = self.streams("targets"), self.organisation
        count = len(org.managers)
        deposits = np.zeros(count)
        np.add.at(
            deposits, self.portfolio[self.accounts.frame["customer"].to_numpy()], self.accounts.opening.astype(float)
        )
        loans = np.zeros(count)
        np.add.at(loans, self.portfolio, loan_total.astype(float))
        head, office = org.branch_heads, org.back_office
        parts, scores = [], []
        for index, month in enumerate(months(self.start, self.horizon)):
            growth = 1 + 0.004 * index
            values = {
                "deposit_average_balance": np.round(deposits / 100 * growth * rng.uniform(0.95, 1.2, count), -3)
                + 50_000,
                "new_customers": rng.integers(1, 4, count).astype(float),
                "loan_balance": np.round(loans / 100 * growth * rng.uniform(0.9, 1.15, count), -3) + 100_000,
                "wealth_sales": np.round(rng.uniform(10_000, 80_000, count), -3),
                "contacts_daily": np.round(rng.uniform(1.2, 2.2, count), 1),
                "card_active_rate": np.round(rng.uniform(0.55, 0.75, count), 2),
            }
            for kpi, unit in TARGETS:
                parts.append(
                    pl.DataFrame(
                        {"owner_id": org.managers, "target_value": np.round(values[kpi] * 10_000).astype(np.int64)}
                    ).with_columns(
                        kpi_id=pl.lit(kpi),
                        unit=pl.lit(unit),
                        owner_kind=pl.lit("employee"),
                        period_month=pl.lit(month),
                        set_by=pl.Series(org.manager_supervisor),
                        approved_by=pl.lit(str(head[0])),
                    )
                )
                total = values[kpi].sum() if unit != "ratio" else values[kpi].mean()
                parts.append(
                    pl.DataFrame(
                        {
                            "owner_id": org.branches,
                            "target_value": [round(total / (len(org.branches) if unit != "ratio" else 1) * 10_000)]
                            * len(org.branches),
                        }
                    )
                    .with_columns(
                        kpi_id=pl.lit(kpi),
                        unit=pl.lit(unit),
                        owner_kind=pl.lit("organisation"),
                        period_month=pl.lit(month),
                        set_by=pl.lit(str(office[0])),
                        approved_by=pl.lit(str(office[1])),
                    )
                    .select(parts[-1].columns)
                )
            scores.append(
                pl.DataFrame(
                    {
                        "employee_id": org.managers,
                        "score": np.round(np.clip(rng.normal(84, 7, count), 40, 100) * 100).astype(np.int64),
                    }
                ).with_columns(
                    kpi_id=pl.lit("service_quality"),
                    period_month=pl.lit(month),
                    scored_by=pl.Series(org.manager_supervisor),
                    note=pl.lit(None, pl.String),
                )
            )
        base = pl.concat(parts)
        # set by the 25th of the month before; those of the year's first quarter in December
        base = base.with_columns(
            target_id=pl.Series([f"TG{i + 1:08d}" for i in range(base.height)]),
            set_on=pl.col("period_month").dt.offset_by("-1mo").dt.offset_by("24d"),
        )
        some = base.filter((pl.col("owner_kind") == "employee") & pl.Series(choose(rng, base.height, 0.02)))
        revised = some.select(
            "target_id",
            effective_date=pl.col("set_on") + timedelta(days=16),
            target_value=pl.col("target_value") * 9 // 10,
        )
        log = history(base, "target_id", "set_on", [revised]).drop("set_on")
        score = pl.concat(scores)
        score = score.with_columns(
            score_id=pl.Series([f"SC{i + 1:08d}" for i in range(score.height)]),
            scored_on=pl.col("period_month").dt.offset_by("1mo").dt.offset_by("1d"),
        )
        again = score.filter(pl.Series(choose(rng, score.height, 0.03))).select(
            "score_id",
            effective_date=pl.col("scored_on") + timedelta(days=3),
            score=(pl.col("score") - 200).clip(0, 10_000),
            note=pl.lit("复核后调整"),
        )
        return log, history(score, "score_id", "scored_on", [again]).drop("scored_on")

    def month(self, month: date) -> dict[str, pl.DataFrame]:
        """Events of one month."""
        days = working_days(month, month_end(month))
        return {
            **self._contacts(month, days),
            **self._leads(month, days),
            **self._queue(month, days),
            **self._complaints(month),
            **self._campaign_targets(month),
            **self._external(month),
            **self._system_usage(month, days),
        }

    def _customer_of(self, rng: np.random.Generator, manager: np.ndarray) -> np.ndarray:
        order = np.argsort(self.portfolio, kind="stable")
        starts = np.searchsorted(self.portfolio[order], np.arange(len(self.organisation.managers)))
        sizes = np.bincount(self.portfolio, minlength=len(self.organisation.managers))
        offset = (rng.random(len(manager)) * np.maximum(sizes[manager], 1)).astype(int)
        return np.where(sizes[manager] > 0, order[np.minimum(starts[manager] + offset, len(order) - 1)], 0)

    def _old_enough(self, customer: np.ndarray, day: np.ndarray) -> np.ndarray:
        return self.customers.frame["opened_on"].to_numpy().astype("datetime64[D]")[customer] <= day

    def _contacts(self, month: date, days: np.ndarray) -> dict[str, pl.DataFrame]:
        rng, count = self.streams("contacts", month), len(self.organisation.managers)
        zeal = self.streams("zeal").uniform(0.6, 1.4, count)
        per = rng.poisson(np.repeat(zeal * p.CONTACTS_A_MANAGER_DAY, len(days)))
        manager = np.repeat(np.repeat(np.arange(count), len(days)), per)
        day = np.repeat(np.tile(days, count), per)
        customer = self._customer_of(rng, manager)
        keep = self._old_enough(customer, day)
        manager, day, customer = manager[keep], day[keep], customer[keep]
        size = len(day)
        at = day.astype("datetime64[us]") + rng.integers(31_000, 63_000, size).astype("timedelta64[s]")
        kind = pick(rng, ("visit", "phone", "message", "counter"), (15, 50, 25, 10), size)
        annotated = choose(rng, size, 0.12)
        rows = pl.DataFrame(
            {
                "customer_id": self.customers.frame["customer_id"].gather(customer),
                "employee_id": self.organisation.managers[manager],
                "contacted_at": at,
                "contact_kind": kind,
                "purpose": pick(
                    rng,
                    ("care", "product", "lead", "collection", "complaint", "annual_check"),
                    (35, 30, 15, 8, 4, 8),
                    size,
                ),
                "outcome": pick(rng, ("reached", "not_reached", "refused", "deal"), (66, 18, 9, 7), size),
                "note": pl.Series(pick(rng, NOTES, None, size)).set(pl.Series(choose(rng, size, 0.4)), None),
                "annotated_by": text(np.where(annotated, self.organisation.manager_supervisor[manager], None)),
                "annotated_at": pl.Series(
                    np.where(annotated, at + np.timedelta64(7_200, "s"), np.datetime64("NaT")).astype("datetime64[us]")
                ),
                "_date": day,
            }
        ).sort("contacted_at", "customer_id", maintain_order=True)
        return {"contact": rows.with_columns(contact_id=self._number("contact", "CT", rows.height))}

    def _leads(self, month: date, days: np.ndarray) -> dict[str, pl.DataFrame]:
        rng = self.streams("leads", month)
        per = rng.poisson(p.LEADS_A_MANAGER_MONTH, len(self.organisation.managers))
        manager = np.repeat(np.arange(len(per)), per)
        day = pick(rng, days, None, len(manager))
        customer = self._customer_of(rng, manager)
        keep = self._old_enough(customer, day)
        manager, day, customer = manager[keep], day[keep], customer[keep]
        size = len(day)
        at = day.astype("datetime64[us]") + rng.integers(25_000, 30_000, size).astype("timedelta64[s]")
        handled = choose(rng, size, 0.85)
        when = at + rng.integers(3_600, 30_000, size).astype("timedelta64[s]")
        rows = pl.DataFrame(
            {
                "customer_id": self.customers.frame["customer_id"].gather(customer),
                "employee_id": self.organisation.managers[manager],
                "lead_kind": pick(
                    rng,
                    ("large_inflow", "maturity", "card_due", "new_firm", "wealth", "loan"),
                    (25, 20, 15, 5, 20, 15),
                    size,
                ),
                "created_at": at,
                "due_on": day + np.timedelta64(5, "D"),
                "handled_at": pl.Series(np.where(handled, when, np.datetime64("NaT")).astype("datetime64[us]")),
                "disposition": text(
                    np.where(handled, pick(rng, ("won", "lost", "invalid"), (30, 55, 15), size), "open")
                ),
                "_date": day,
            }
        ).sort("created_at", "customer_id", maintain_order=True)
        return {"lead": rows.with_columns(lead_id=self._number("lead", "LD", rows.height))}

    def _queue(self, month: date, days: np.ndarray) -> dict[str, pl.DataFrame]:
        rng, outlets = self.streams("queue", month), np.array(self.organisation.outlets)
        per = rng.poisson(p.QUEUE_TICKETS_AN_OUTLET_DAY, len(outlets) * len(days))
        outlet = np.repeat(np.repeat(np.arange(len(outlets)), len(days)), per)
        day = np.repeat(np.tile(days, len(outlets)), per)
        size = len(day)
        customer = rng.integers(0, self.customers.frame.height, size)
        known = choose(rng, size, 0.6) & self._old_enough(customer, day)
        taken = day.astype("datetime64[us]") + rng.integers(32_400, 59_000, size).astype("timedelta64[s]")
        called = taken + np.maximum(rng.exponential(700, size), 5).astype("timedelta64[s]")
        ended = called + np.maximum(rng.exponential(420, size), 30).astype("timedelta64[s]")
        left = choose(rng, size, 0.04)
        nothing = np.datetime64("NaT")
        rows = pl.DataFrame(
            {
                "organisation_id": outlets[outlet],
                "customer_id": self.customers.frame["customer_id"].gather(customer).set(pl.Series(~known), None),
                "taken_at": taken,
                "called_at": pl.Series(np.where(left, nothing, called).astype("datetime64[us]")),
                "ended_at": pl.Series(np.where(left, nothing, ended).astype("datetime64[us]")),
                "counter_no": pl.Series(rng.integers(1, 6, size)).cast(pl.String).set(pl.Series(left), None),
                "recognised_level": self.customers.frame["customer_level"]
                .gather(customer)
                .set(pl.Series(~known), None),
                "_date": day,
            }
        ).sort("taken_at", "organisation_id", maintain_order=True)
        return {"queue_ticket": rows.with_columns(ticket_id=self._number("ticket", "Q", rows.height))}

    def _complaints(self, month: date) -> dict[str, pl.DataFrame]:
        rng, frame = self.streams("complaints", month), self.customers.frame
        size = max(1, rng.poisson(frame.height * p.COMPLAINTS_A_YEAR_PER_CUSTOMER / 12))
        last = month_end(month)
        day = np.datetime64(month) + rng.integers(0, last.day, size).astype("timedelta64[D]")
        customer = rng.integers(0, frame.height, size)
        keep = self._old_enough(customer, day)
        day, customer = day[keep], customer[keep]
        size = len(day)
        at = day.astype("datetime64[us]") + rng.integers(31_000, 70_000, size).astype("timedelta64[s]")
        manager = self.portfolio[customer]
        rows = pl.DataFrame(
            {
                "customer_id": frame["customer_id"].gather(customer),
                "organisation_id": np.array(self.organisation.outlets)[frame["outlet"].to_numpy()[customer]],
                "employee_id": text(np.where(choose(rng, size, 0.5), self.organisation.managers[manager], None)),
                "received_at": at,
                "category": pick(
                    rng, ("service", "fee", "product", "system", "privacy", "other"), (40, 20, 12, 15, 3, 10), size
                ),
                "channel_id": pick(rng, ("hotline", "counter", "mobile_bank"), (60, 25, 15), size),
                "severity": pick(rng, ("ordinary", "serious"), (93, 7), size),
                "is_valid": choose(rng, size, 0.6),
                "_date": day,
            },
            schema_overrides={"customer_id": pl.String},
        ).sort("received_at", "customer_id", maintain_order=True)
        rows = rows.with_columns(complaint_id=self._number("complaint", "CM", rows.height))
        steps, offset = [], np.zeros(rows.height, np.int64)
        for number, step in enumerate(("received", "assigned", "answered", "closed"), start=1):
            # all on the day of receipt but the answer, so that each step is sent with its own day
            when = rows["received_at"].to_numpy().astype("datetime64[us]") + offset.astype("timedelta64[s]")
            steps.append(
                rows.select(
                    "complaint_id",
                    step_no=pl.lit(number),
                    step=pl.lit(step),
                    step_at=pl.Series(when),
                    employee_id=pl.lit(str(self.organisation.back_office[0])),
                    note=pl.lit("已答复客户" if step == "answered" else None, pl.String),
                    _date=pl.Series(when.astype("datetime64[D]")),
                )
            )
            offset = offset + rng.integers(600, 40_000 if number > 1 else 3_000, rows.height)
        return {
            "complaint": rows,
            "complaint_step": pl.concat(steps).sort("step_at", "complaint_id", maintain_order=True),
        }

    def _campaign_targets(self, month: date) -> dict[str, pl.DataFrame]:
        rng, frame = self.streams("campaign targets", month), self.customers.frame
        parts = []
        live = self.campaigns.filter((pl.col("change_flag") == "I") & (pl.col("starts_on") == month))
        for campaign in live.iter_rows(named=True):
            customer = np.flatnonzero(
                choose(rng, frame.height, 0.08) & self._old_enough(np.arange(frame.height), np.datetime64(month))
            )
            size = len(customer)
            day = np.datetime64(month) + rng.integers(0, 5, size).astype("timedelta64[D]")
            outcome = pick(rng, ("bought", "interested", "refused", "no_response"), (12, 20, 18, 50), size)
            bought = outcome == "bought"
            parts.append(
                pl.DataFrame(
                    {
                        "campaign_id": [campaign["campaign_id"]] * size,
                        "customer_id": frame["customer_id"].gather(customer),
                        "employee_id": self.organisation.managers[self.portfolio[customer]],
                        "targeted_on": day,
                        "responded_on": pl.Series(
                            np.where(outcome == "no_response", np.datetime64("NaT"), day + 14).astype("datetime64[D]")
                        ),
                        "outcome": outcome,
                        "amount": pl.Series((rng.integers(1, 30, size) * 1_000_000).astype(np.int64)).set(
                            pl.Series(~bought), None
                        ),
                        # sent when the outcome is known: a fortnight after the choice
                        "_date": day + np.timedelta64(14, "D"),
                    },
                    schema_overrides={"campaign_id": pl.String},
                )
            )
        return {"campaign_target": pl.concat(parts).sort("_date", "customer_id", maintain_order=True)} if parts else {}

    def _external(self, month: date) -> dict[str, pl.DataFrame]:
        rng = self.streams("external", month)
        firms = self.customers.frame.filter((pl.col("party_kind") == "firm") & (pl.col("opened_on") <= month))
        before, size = add_months(month, -1), firms.height
        parts = []
        plan = (
            ("tax_paid", 0.9, 9_000.0, "CNY", "税务局"),
            ("electricity_use", 0.7, 12_000.0, "kWh", "供电公司"),
            ("customs_export", 0.12, 60_000.0, "CNY", "海关"),
            ("court_notice", 0.01, 1.0, "count", "法院公告"),
            ("land_grant", 0.004, 1.0, "count", "自然资源局"),
        )
        for series, share, base, unit, provider in plan:
            hit = pl.Series(choose(rng, size, share))
            rows = firms.filter(hit)
            factor = rows["size_factor"].to_numpy() * rows["wealth"].to_numpy() * rng.uniform(0.7, 1.3, rows.height)
            value = np.round(factor * base, 2) if unit != "count" else np.ones(rows.height)
            # a series of a month is delivered on the 2nd of the next one
            parts.append(
                pl.DataFrame(
                    {"customer_id": rows["customer_id"], "value": np.round(value * 10_000).astype(np.int64)},
                ).with_columns(
                    series=pl.lit(series),
                    series_month=pl.lit(before),
                    unit=pl.lit(unit),
                    provider=pl.lit(provider),
                    _date=pl.lit(month + timedelta(days=1)),
                )
            )
        return {"external_series": pl.concat(parts)}

    def _system_usage(self, month: date, days: np.ndarray) -> dict[str, pl.DataFrame]:
        """Logins of managers day by day: some are keen on a system, others hardly use it."""
        rng, count = self.streams("system usage", month), len(self.organisation.managers)
        habit = self.streams("system habits").uniform(0.3, 1.2, (count, len(p.SYSTEM_USE_A_DAY)))
        release = 1 + (month.year * 12 + month.month) // p.SYSTEM_RELEASE_MONTHS % 100
        parts = []
        for column, (system, share) in enumerate(p.SYSTEM_USE_A_DAY.items()):
            day = np.repeat(days, count)
            manager = np.tile(np.arange(count), len(days))
            used = rng.random(len(day)) < share * habit[manager, column]
            day, manager = day[used], manager[used]
            logins = rng.integers(1, 6, len(day))
            parts.append(
                pl.DataFrame(
                    {
                        "usage_date": day,
                        "employee_id": self.organisation.managers[manager],
                        "login_count": logins,
                        "minutes_used": logins * rng.integers(5, 45, len(day)),
                        "_date": day,
                    }
                ).with_columns(system_id=pl.lit(system), system_version=pl.lit(f"{release // 4}.{release % 4}"))
            )
        return {"system_usage": pl.concat(parts).sort("usage_date", "employee_id", "system_id")}
