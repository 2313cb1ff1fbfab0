"""The card system: cardholders, accounts, cards, authorisations, postings, statements, payments, disputes.

A statement's closing balance = opening + purchases - payments + fees and interest, and each part is the sum of its
postings in the cycle. Repayments that our own bank carries are requests to the ledger; where the money is not there the
holder pays from another bank, so a planned payment always happens. Purchases by debit card are postings here and
transfers there, and happen only where the ledger posts them.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulator import firms, ledger, parties
from simulator import parameters as p
from simulator.accounts import Accounts
from simulator.calendar import day_array, month_end
from simulator.capture import captured
from simulator.changes import history
from simulator.customers import Customers
from simulator.frames import text
from simulator.identifiers import luhn_complete, padded
from simulator.randomness import Streams, choose, pick

DAY = np.timedelta64(1, "D")
MERCHANT_KINDS = (
    ("5411", "超市", 26, 0.9),
    ("5812", "餐厅", 22, 0.7),
    ("5814", "快餐", 14, 0.2),
    ("5541", "加油站", 8, 1.5),
    ("4111", "公交", 8, 0.05),
    ("5311", "百货", 7, 2.0),
    ("5732", "电器", 3, 6.0),
    ("7011", "酒店", 3, 3.0),
    ("4511", "航空", 2, 6.0),
    ("8062", "医院", 3, 2.5),
    ("5999", "网店", 10, 0.8),
    ("4900", "公用事业", 3, 1.0),
)


class Cards:
    """All card accounts and their life, month by month.

    Attributes:
        holders, account_log, card_log: Change logs; `account_changes` grows as days past due change.
    """

    def __init__(
        self,
        streams: Streams,
        world: pl.DataFrame,
        customers: Customers,
        accounts: Accounts,
        start: date,
        horizon: date,
        cut_off_second: int,
    ) -> None:
        self.streams, self.start, self.horizon, self.accounts = streams, start, horizon, accounts
        self.cut_off_second = cut_off_second
        rng = streams("cards")
        first = customers.frame.filter(~pl.col("is_second")).select("party_id", core="ix", core_opened="opened_on")
        frame = world.filter(pl.col("party_kind") == "person").join(
            first, on="party_id", how="left", maintain_order="left"
        )
        banked = frame["core"].is_not_null().to_numpy()
        credit = choose(rng, frame.height, np.where(banked, p.SHARE_PERSON_CREDIT_CARD, p.SHARE_CARD_ONLY * 10))
        debit = banked & choose(rng, frame.height, p.SHARE_PERSON_DEBIT_CARD)
        credit[np.flatnonzero(banked)[:1]] = True
        members = frame.with_columns(credit=pl.Series(credit), debit=pl.Series(debit)).filter(pl.Series(credit | debit))
        ids = parties.numbers(rng, members.height, "CH", 10)
        self.frame = parties.source_rows(streams, "card", members, ids, world)
        size = self.frame.height
        opened = self.frame.select(pl.coalesce("core_opened", "since")).to_series().to_numpy().astype("datetime64[D]")
        opened = np.maximum(opened + rng.integers(0, 30, size).astype("timedelta64[D]"), np.datetime64("2010-01-01"))
        self.frame = self.frame.with_columns(opened_on=pl.Series(opened.astype("datetime64[D]")))
        base = self.frame.select(
            cardholder_id="customer_id",
            party_kind="party_kind",
            cardholder_name="held_name",
            id_type="id_type",
            id_number="held_id",
            birth_date="held_birth_date",
            gender="gender",
            mobile="held_mobile",
            address="held_address",
            opened_on="opened_on",
            status=pl.lit("active"),
            _fault="id_fault",
        )
        moved = base.filter(
            pl.Series(choose(rng, size, p.PHONE_CHANGE_SHARE * 0.5)) & (self.frame["tie"] != "name_phone")
        )
        day = parties.later(moved["opened_on"].to_numpy(), rng, start, horizon)
        phones = pl.DataFrame(
            {
                "cardholder_id": moved["cardholder_id"],
                "effective_date": day,
                "mobile": parties.people.mobiles(rng, moved.height),
            }
        )
        log = history(base, "cardholder_id", "opened_on", [phones])
        self.holders = captured(log, streams("cardholder capture"), "card", [f"KF{n:03d}" for n in range(1, 30)])
        self._issue(rng)
        self._merchants()
        self.numbers = dict.fromkeys(("authorisation", "posting", "payment", "dispute"), 0)
        self.pending: list[pl.DataFrame] = []

    def _issue(self, rng: np.random.Generator) -> None:
        f = self.frame
        credit, debit = np.flatnonzero(f["credit"].to_numpy()), np.flatnonzero(f["debit"].to_numpy())
        holder = np.concatenate([credit, debit])
        is_credit = np.arange(len(holder)) < len(credit)
        size = len(holder)
        opened = f["opened_on"].to_numpy().astype("datetime64[D]")[holder]
        fresh = choose(rng, size, 0.12) & is_credit
        drawn = parties.later(opened, rng, self.start, self.horizon)
        opened = np.where(fresh, drawn, opened)
        core = f["core"].fill_null(-1).to_numpy()[holder]
        settles = np.where(core >= 0, self.accounts.main[np.maximum(core, 0)], -1)
        wealth = f["wealth"].to_numpy()[holder]
        limit = np.where(is_credit, np.clip(np.round(wealth * 20) * 1_000, 3_000, 300_000), 0).astype(np.int64) * 100
        self.cycle = np.where(is_credit, rng.integers(1, 29, size), 0)
        self.is_credit, self.opened, self.settles, self.limit = (
            is_credit,
            opened.astype("datetime64[D]"),
            settles,
            limit,
        )
        self.wealth = wealth
        self.payer = pick(rng, list(p.PAYER_MIX), list(p.PAYER_MIX.values()), size)
        ids = np.array(
            [
                f"{'CA' if c else 'DA'}{n:016d}"
                for n, c in zip(rng.permutation(size * 9)[:size] + 10**9, is_credit, strict=True)
            ],
            dtype=object,
        )
        self.account_ids = ids
        self.holder_ids = f["customer_id"].to_numpy().astype(object)[holder]
        self.activity = np.exp(rng.normal(-0.18, 0.6, size)) * choose(rng, size, 0.88)
        self.balance = np.where(
            is_credit & (self.opened < np.datetime64(self.start)), np.round(limit * rng.beta(1.2, 8, size)), 0
        ).astype(np.int64)
        self.previous = self.balance.copy()  # closing balance of the last statement
        self.planned = np.zeros(size, np.int64)  # payment that the last statement will get
        self.missed_since = np.full(size, np.datetime64("NaT"), "datetime64[D]")
        self.account_base = pl.DataFrame(
            {
                "card_account_id": text(ids),
                "cardholder_id": text(self.holder_ids),
                "settlement_account_id": text(np.where(settles >= 0, self.accounts.ids[np.maximum(settles, 0)], None)),
                "credit_limit": limit,
                "cycle_day": pl.Series(self.cycle).set(pl.Series(~is_credit), None),
                "opened_on": self.opened,
            }
        ).with_columns(
            currency=pl.lit("CNY"),
            closed_on=pl.lit(None, pl.Date),
            days_past_due=pl.lit(0, pl.Int64),
            status=pl.lit("active"),
        )
        raised = self.account_base.filter(pl.Series(is_credit & choose(rng, size, 0.06)))
        day = parties.later(raised["opened_on"].to_numpy(), rng, self.start, self.horizon)
        self.account_changes = [
            pl.DataFrame(
                {
                    "card_account_id": raised["card_account_id"],
                    "effective_date": day,
                    "credit_limit": raised["credit_limit"].to_numpy() * 12 // 10,
                }
            )
        ]
        # cards: one main card an account, some with an additional or a replaced card
        extra = np.flatnonzero(is_credit & choose(rng, size, 0.12))
        of = np.concatenate([np.arange(size), extra])
        main = np.arange(len(of)) < size
        number = rng.permutation(len(of) * 37)[: len(of)] + 10**7
        body = np.char.add(p.TEST_BIN, padded(number, 9))
        long_body = np.char.add(p.TEST_BIN, padded(number, 12))
        credit_of = is_credit[of]
        pan = np.where(credit_of, luhn_complete(body, 15), luhn_complete(long_body, 18))
        issued = self.opened[of] + np.where(main, 0, 40).astype("timedelta64[D]")
        activated = issued + rng.integers(1, 12, len(of)).astype("timedelta64[D]")
        never = choose(rng, len(of), 0.05)
        never[:1] = False
        # cards of the last years only: an older one was replaced by a card with a later validity
        expires = issued + ((1 + (np.datetime64(self.start) - issued).astype(int).clip(0) // 1826) * 1826 + 0).astype(
            "timedelta64[D]"
        )
        expires = np.where(expires <= np.datetime64(self.horizon), expires + 1826, expires)
        self.card_account = of
        self.card_active_from = np.where(never, np.datetime64("NaT"), activated).astype("datetime64[D]")
        self.card_ids = np.array([f"CD{i + 1:010d}" for i in range(len(of))], dtype=object)
        level = np.where(
            credit_of,
            np.where(limit[of] > 10_000_000, "platinum", np.where(limit[of] > 4_000_000, "gold", "classic")),
            "classic",
        )
        cards = pl.DataFrame(
            {
                "card_id": text(self.card_ids),
                "card_no": pan,
                "card_account_id": text(ids[of]),
                "cardholder_id": text(self.holder_ids[of]),
                "card_kind": np.where(credit_of, "credit", "debit"),
                "brand": np.where(
                    credit_of, pick(rng, ("unionpay", "visa", "mastercard"), (86, 8, 6), len(of)), "unionpay"
                ),
                "card_level": level,
                "product_id": np.where(credit_of, np.where(level == "platinum", "CC02", "CC01"), "DC01"),
                "is_main_card": main,
                "issued_on": issued,
                "expires_on": expires,
            }
        ).with_columns(activated_on=pl.lit(None, pl.Date), status=pl.lit("inactive"))
        live = ~np.isnat(self.card_active_from)
        woken = pl.DataFrame(
            {
                "card_id": text(self.card_ids[live]),
                "effective_date": self.card_active_from[live],
                "activated_on": self.card_active_from[live],
            }
        ).with_columns(status=pl.lit("active"))
        lost_at = np.flatnonzero(live & choose(rng, len(of), 0.03))
        day = parties.later(self.card_active_from[lost_at], rng, self.start, self.horizon)
        self.card_lost = np.full(len(of), np.datetime64("NaT"), "datetime64[D]")
        self.card_lost[lost_at] = day
        lost = pl.DataFrame(
            {
                "card_id": text(self.card_ids[lost_at]),
                "effective_date": day,
            }
        ).with_columns(status=pl.lit("lost"))
        self.card_log = history(cards, "card_id", "issued_on", [woken, lost])

    def _merchants(self) -> None:
        rng = self.streams("merchants")
        size = 600
        kind = pick(rng, np.arange(len(MERCHANT_KINDS)), [k[2] for k in MERCHANT_KINDS], size)
        self.merchant_kind = kind
        trade = pick(rng, firms.TRADE, None, size).astype(object)
        self.merchant_names = np.array(
            [f"杭州{t}{MERCHANT_KINDS[k][1]}" for t, k in zip(trade, kind, strict=True)], dtype=object
        )
        self.merchant_ids = np.array(
            [f"8983310{MERCHANT_KINDS[k][0]}{i:04d}" for i, k in enumerate(kind)], dtype=object
        )
        self.merchant_weight = rng.pareto(1.3, size) + 0.2

    def plan(self, month: date) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
        """Spends, closes the cycles and plans the payments of one month.

        Returns:
            Facts of the month that do not wait for the ledger, and the requests to the ledger (debit card purchases and
            repayments); some of both fall into the next month.
        """
        spent, authorisations = self._spend(month)
        credit = self.is_credit[self.card_account[spent["card"].to_numpy()]]
        credit_rows, debit_rows = spent.filter(pl.Series(credit)), spent.filter(pl.Series(~credit))
        statements, fees, payments = self._statements(month, credit_rows)
        self.payments = payments
        postings = pl.concat([self._rows(credit_rows), fees], how="diagonal")
        disputes = self._disputes(month, self._rows(credit_rows))
        asked = []
        if debit_rows.height:
            account = self.settles[self.card_account[debit_rows["card"].to_numpy()]]
            asked.append(
                ledger.requests(
                    debit_rows.height,
                    account=account,
                    date=debit_rows["posted_on"],
                    at=debit_rows["transacted_at"],
                    sign=-1,
                    amount=debit_rows["amount"],
                    type="transfer_out",
                    channel="pos",
                    mode=ledger.ALL_OR_NOTHING,
                    ref=debit_rows["posting_id"],
                    summary="POS消费",
                    counterparty_name=debit_rows["merchant_name"],
                )
            )
        own = payments.filter(pl.col("account") >= 0)
        asked.append(
            ledger.requests(
                own.height,
                account=own["account"],
                date=own["paid_on"],
                at=own.select(pl.col("paid_on").cast(pl.Datetime("us")) + pl.duration(seconds=70_000)).to_series(),
                sign=-1,
                amount=own["amount"],
                type="card_repayment",
                channel=own["channel"],
                mode=ledger.ALL_OR_NOTHING,
                ref=own["payment_id"],
                summary="信用卡还款",
            )
        )
        self.waiting_debit = debit_rows
        return (
            {"authorisation": authorisations, "posting": postings, "statement": statements, "dispute": disputes},
            pl.concat(asked),
        )

    def _spend(self, month: date) -> tuple[pl.DataFrame, pl.DataFrame]:
        rng = self.streams("card spend", month)
        of = self.card_account
        rate = (
            np.where(self.is_credit[of], p.CREDIT_POSTINGS_A_MONTH, p.DEBIT_POSTINGS_A_MONTH) * self.activity[of] / 0.88
        )
        busy = {11: 1.15, 1: 1.1, 2: 0.95}.get(month.month, 1.0)  # Singles' Day, Spring Festival [domain F2]
        counts = rng.poisson(rate * busy)
        card = np.repeat(np.arange(len(of)), counts)
        size = len(card)
        days = day_array(month, month_end(month))
        posted = pick(rng, days, None, size)
        lag = choose(rng, size, 0.35) & self.is_credit[of[card]]  # posted the next day
        second = np.clip(rng.normal(52_000, 14_000, size), 3_000, self.cut_off_second - 1).astype(int)
        at = (posted - lag.astype("timedelta64[D]")).astype("datetime64[us]") + second.astype("timedelta64[s]")
        merchant = pick(rng, np.arange(600), self.merchant_weight, size)
        kind = self.merchant_kind[merchant]
        amount = np.exp(rng.normal(-0.3, 0.8, size)) * np.array([k[3] for k in MERCHANT_KINDS])[kind]
        amount = np.maximum(np.round(amount * 110 * np.sqrt(self.wealth[of[card]]) * 100), 100).astype(np.int64)
        cash = choose(rng, size, 0.008) & self.is_credit[of[card]]
        amount = np.where(cash, (amount // 10_000 + 1) * 10_000, amount)
        # a card cannot spend more than a tenth of its limit at once, so that limits hold in practice
        amount = np.where(
            self.is_credit[of[card]], np.minimum(amount, np.maximum(self.limit[of[card]] // 15, 10_000)), amount
        )
        ok = at.astype("datetime64[D]") > self.card_active_from[card]
        ok &= np.isnat(self.card_lost[card]) | (posted < self.card_lost[card])
        foreign = choose(rng, size, 0.01) & self.is_credit[of[card]] & ~cash
        frame = (
            pl.DataFrame(
                {
                    "card": card,
                    "posted_on": posted,
                    "transacted_at": at,
                    "amount": amount,
                    "transaction_type": np.where(cash, "cash", "purchase"),
                    "mcc": np.where(cash, "6011", np.array([k[0] for k in MERCHANT_KINDS])[kind]),
                    "merchant_id": text(np.where(cash, None, self.merchant_ids[merchant])),
                    "merchant_name": text(np.where(cash, "银联ATM", self.merchant_names[merchant])),
                    "entry_mode": np.where(
                        cash,
                        "chip",
                        np.where(
                            np.isin(kind, (10, 11)),
                            "online",
                            pick(rng, ("chip", "contactless", "qr", "swipe"), (20, 30, 45, 5), size),
                        ),
                    ),
                    "is_fraud": choose(rng, size, p.FRAUD_SHARE),
                    "foreign": foreign,
                    "declined": choose(rng, size, p.DECLINED_SHARE),
                    "reversed": choose(rng, size, p.REVERSAL_SHARE),
                    "refunded": choose(rng, size, 0.01),
                }
            )
            .filter(pl.Series(ok))
            .sort("transacted_at", "card", maintain_order=True)
        )
        first = self.numbers["authorisation"]
        self.numbers["authorisation"] += frame.height
        frame = frame.with_columns(authorisation_id=text([f"AU{first + i + 1:012d}" for i in range(frame.height)]))
        authorisations = frame.select(
            "authorisation_id",
            card_id=text(self.card_ids[frame["card"].to_numpy()]),
            authorised_at="transacted_at",
            amount="amount",
            currency=pl.lit("CNY"),
            mcc="mcc",
            merchant_id="merchant_id",
            merchant_name="merchant_name",
            entry_mode="entry_mode",
            response_code=pl.when("declined").then(pl.lit("51")).otherwise(pl.lit("00")),
            is_approved=~pl.col("declined"),
            _date="posted_on",
        )
        frame = frame.filter(~pl.col("declined"))
        return frame.with_columns(posting_id=self._number("posting", "PO", frame.height)), authorisations

    def _number(self, kind: str, prefix: str, size: int) -> pl.Series:
        first = self.numbers[kind]
        self.numbers[kind] += size
        return text([f"{prefix}{first + i + 1:012d}" for i in range(size)])

    def _rows(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Postings of purchases and cash, with the reversals and refunds that follow some of them."""
        card = frame["card"].to_numpy()
        rows = frame.select(
            "posting_id",
            card_id=text(self.card_ids[card]),
            card_account_id=text(self.account_ids[self.card_account[card]]),
            account=pl.Series(self.card_account[card], dtype=pl.Int64),
            posted_on="posted_on",
            transacted_at="transacted_at",
            transaction_type="transaction_type",
            direction=pl.lit("D"),
            amount="amount",
            currency=pl.lit("CNY"),
            original_amount=pl.when("foreign").then((pl.col("amount") / 7.1).round().cast(pl.Int64)),
            original_currency=pl.when("foreign").then(pl.lit("USD")),
            mcc="mcc",
            merchant_id="merchant_id",
            merchant_name="merchant_name",
            entry_mode="entry_mode",
            authorisation_id="authorisation_id",
            reverses_posting_id=pl.lit(None, pl.String),
            is_fraud="is_fraud",
            _date="posted_on",
            reversed="reversed",
            refunded="refunded",
        )
        undone = rows.filter(pl.col("reversed") & (pl.col("transacted_at").dt.hour() < 21)).with_columns(
            posting_id="R" + pl.col("posting_id"),
            transaction_type=pl.lit("reversal"),
            direction=pl.lit("C"),
            reverses_posting_id="posting_id",
            is_fraud=pl.lit(False),
            transacted_at=pl.col("transacted_at") + pl.duration(minutes=12),
        )
        end_of_day = pl.col("transacted_at").dt.truncate("1d") + pl.duration(seconds=self.cut_off_second - 1)
        back = rows.filter(
            pl.col("refunded") & ~pl.col("reversed") & (pl.col("transaction_type") == "purchase")
        ).with_columns(
            posting_id="B" + pl.col("posting_id"),
            transaction_type=pl.lit("refund"),
            direction=pl.lit("C"),
            is_fraud=pl.lit(False),
            transacted_at=pl.min_horizontal(pl.col("transacted_at") + pl.duration(minutes=50), end_of_day),
            authorisation_id=pl.lit(None, pl.String),
        )
        return (
            pl.concat([rows, undone, back])
            .drop("reversed", "refunded")
            .sort("posted_on", "transacted_at", "posting_id", maintain_order=True)
        )

    def _statements(self, month: date, spent: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Closes the cycle of every credit account in the month; statements begin with the first whole cycle."""
        rng, size = self.streams("statements", month), len(self.cycle)
        postings = self._rows(spent)
        account, day = postings["account"].to_numpy(), postings["posted_on"].to_numpy().astype("datetime64[D]")
        signed = np.where((postings["direction"] == "D").to_numpy(), 1, -1) * postings["amount"].to_numpy()
        credit = np.flatnonzero(self.is_credit)
        cycle_end = np.datetime64(month) + (np.maximum(self.cycle, 1) - 1).astype("timedelta64[D]")
        inside = day <= cycle_end[account]
        before, after = np.zeros(size, np.int64), np.zeros(size, np.int64)
        np.add.at(before, account[inside], signed[inside])
        np.add.at(after, account[~inside], signed[~inside])
        if not hasattr(self, "carried"):
            self.carried = np.zeros(size, np.int64)
            self.first_month = month
        purchases = self.carried + before
        self.carried = after
        paid = self.planned.copy()
        unpaid = np.maximum(self.previous - paid, 0)
        minimum_before = np.minimum(
            np.maximum((self.previous * p.MINIMUM_PAYMENT_SHARE), 0), self.previous.clip(0)
        ).astype(np.int64)
        running = month != self.first_month
        alive = self.is_credit & (self.opened < cycle_end)
        interest = np.where(
            alive & running & (unpaid > 1_000), np.round(unpaid * p.CARD_INTEREST_A_DAY * 30), 0
        ).astype(np.int64)
        late = alive & running & (paid < minimum_before) & (self.previous > 1_000)
        fee = np.where(late, np.maximum(np.round((minimum_before - paid) * p.LATE_FEE_SHARE), 1_000), 0).astype(
            np.int64
        )
        closing = self.previous + purchases - paid + interest + fee
        # the first cycle of the history is not whole: it only sets the opening balance of the next one
        shown = credit[alive[credit]] if running else np.empty(0, int)
        previous_end = (cycle_end.astype("datetime64[M]") - 1).astype("datetime64[D]") + (
            np.maximum(self.cycle, 1) - 1
        ).astype("timedelta64[D]")
        due = cycle_end + np.timedelta64(p.DUE_AFTER_DAYS, "D")
        minimum = np.clip(np.round(closing * p.MINIMUM_PAYMENT_SHARE), 0, None).astype(np.int64)
        stamp = np.char.replace(cycle_end.astype("U10"), "-", "")
        statements = pl.DataFrame(
            {
                "statement_id": text([f"ST{self.account_ids[a][-12:]}{stamp[a]}" for a in shown]),
                "card_account_id": text(self.account_ids[shown]),
                "cycle_start": previous_end[shown] + DAY,
                "cycle_end": cycle_end[shown],
                "due_on": due[shown],
                "opening_balance": self.previous[shown],
                "purchases": purchases[shown],
                "payments": paid[shown],
                "fees_and_interest": (interest + fee)[shown],
                "closing_balance": closing[shown],
                "minimum_payment": minimum[shown],
                "_date": cycle_end[shown],
            }
        )
        fees = self._fees(cycle_end, interest, fee)
        self._ageing(late, cycle_end, paid, minimum_before)
        self.previous = np.where(alive, closing, self.previous)
        pay = np.select(
            [self.payer == "full", self.payer == "revolver"],
            [closing, np.maximum(minimum, np.round(closing * rng.uniform(0.15, 0.5, size)).astype(np.int64))],
            np.where(choose(rng, size, 0.45), closing, 0),
        )
        pay = np.where(alive & (closing > 0), np.minimum(pay, closing), 0).astype(np.int64)
        self.planned = pay
        who = np.flatnonzero(pay > 0)
        offset = rng.integers(2, p.DUE_AFTER_DAYS + 1, len(who))
        own = (self.settles[who] >= 0) & choose(rng, len(who), 0.8)
        own &= np.isnat(self.accounts.closed[np.maximum(self.settles[who], 0)])
        payments = pl.DataFrame(
            {
                "payment_id": self._number("payment", "PY", len(who)),
                "card": who,
                "card_account_id": text(self.account_ids[who]),
                "paid_on": cycle_end[who] + offset.astype("timedelta64[D]"),
                "amount": pay[who],
                "account": np.where(own, self.settles[who], -1),
                "channel": pick(rng, ("batch", "mobile_bank"), (45, 55), len(who)),
            }
        )
        return statements, fees, payments

    def _fees(self, cycle_end: np.ndarray, interest: np.ndarray, fee: np.ndarray) -> pl.DataFrame:
        main = np.arange(len(self.cycle))  # the main card has its account's index
        parts = []
        for kind, amount in (("interest", interest), ("fee", fee)):
            who = main[amount > 0]
            parts.append(
                pl.DataFrame(
                    {
                        "posting_id": self._number("posting", "PO", len(who)),
                        "card_id": text(self.card_ids[who]),
                        "card_account_id": text(self.account_ids[who]),
                        "posted_on": cycle_end[who],
                        "transacted_at": cycle_end[who].astype("datetime64[us]") + np.timedelta64(85_000, "s"),
                        "amount": amount[who],
                        "_date": cycle_end[who],
                    }
                ).with_columns(
                    transaction_type=pl.lit(kind),
                    direction=pl.lit("D"),
                    currency=pl.lit("CNY"),
                    entry_mode=pl.lit("batch"),
                    is_fraud=pl.lit(False),
                )
            )
        return pl.concat(parts)

    def _ageing(self, late: np.ndarray, cycle_end: np.ndarray, paid: np.ndarray, minimum: np.ndarray) -> None:
        """Days past due, counted on the statement day since the first due date that was missed."""
        was = ~np.isnat(self.missed_since)
        last_due = (
            (cycle_end.astype("datetime64[M]") - 1).astype("datetime64[D]")
            + (np.maximum(self.cycle, 1) - 1).astype("timedelta64[D]")
            + np.timedelta64(p.DUE_AFTER_DAYS, "D")
        )
        self.missed_since = np.where(late & ~was, last_due, np.where(late, self.missed_since, np.datetime64("NaT")))
        who = np.flatnonzero(late)
        cured = np.flatnonzero(was & ~late & (paid >= minimum))
        changed = np.concatenate([who, cured])
        days = np.concatenate([(cycle_end[who] - self.missed_since[who]).astype(int), np.zeros(len(cured), int)])
        if len(changed):
            self.account_changes.append(
                pl.DataFrame(
                    {
                        "card_account_id": text(self.account_ids[changed]),
                        "effective_date": cycle_end[changed],
                        "days_past_due": days.astype(np.int64),
                    }
                )
            )

    def _disputes(self, month: date, rows: pl.DataFrame) -> pl.DataFrame:
        rng = self.streams("disputes", month)
        asked = rows.filter(
            (pl.col("transaction_type") == "purchase")
            & (pl.col("is_fraud") | pl.Series(choose(rng, rows.height, 0.0012)))
        )
        size = asked.height
        # sent with the day it is opened: ten days later or on the month's last day
        opened = np.minimum(asked["posted_on"].to_numpy().astype("datetime64[D]") + 10, np.datetime64(month_end(month)))
        reason = np.where(
            asked["is_fraud"].to_numpy(),
            "fraud",
            pick(rng, ("not_received", "duplicate", "amount", "other"), None, size),
        )
        return pl.DataFrame(
            {
                "dispute_id": text([f"DP{month:%y%m}{i + 1:06d}" for i in range(size)]),
                "posting_id": asked["posting_id"],
                "opened_on": opened,
                "reason": text(reason),
                "amount": asked["amount"],
                "state": text(["open"] * size),
                "closed_on": pl.Series([None] * size, dtype=pl.Date),
                "_date": opened,
            }
        )

    def book(self, done: pl.DataFrame, payments: pl.DataFrame, debit: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """Payments and debit card postings once the ledger has spoken.

        Args:
            done: Postings of the ledger with their `ref`.
            payments: Planned payments of the range of days.
            debit: Debit card purchases of the range of days.
        """
        refs = done["ref"].implode()
        own = pl.col("payment_id").is_in(refs)
        paid = payments.with_columns(own=own)
        rows = paid.select(
            "payment_id",
            "card_account_id",
            paid_on="paid_on",
            amount="amount",
            currency=pl.lit("CNY"),
            source_account=pl.when("own")
            .then(text(self.accounts.ids[np.maximum(paid["account"].to_numpy(), 0)]))
            .otherwise(pl.lit("6222020199000012345")),
            channel_id=pl.when("own").then(pl.col("channel")).otherwise(pl.lit("third_party")),
            _date="paid_on",
        )
        credits = paid.select(
            "card_account_id",
            posting_id="P" + pl.col("payment_id"),
            card_id=text(self.card_ids[paid["card"].to_numpy()]),
            posted_on="paid_on",
            transacted_at=pl.col("paid_on").cast(pl.Datetime("us")) + pl.duration(seconds=70_000),
            transaction_type=pl.lit("repayment"),
            direction=pl.lit("C"),
            amount="amount",
            currency=pl.lit("CNY"),
            entry_mode=pl.lit("batch"),
            is_fraud=pl.lit(False),
            _date="paid_on",
        )
        bought = self._rows(
            debit.filter(pl.col("posting_id").is_in(refs)).with_columns(reversed=pl.lit(False), refunded=pl.lit(False))
        )
        return {"payment": rows, "posting": pl.concat([bought, credits], how="diagonal")}

    def account_log(self) -> pl.DataFrame:
        """Change log of `card_account`, complete once all months are planned."""
        return history(self.account_base, "card_account_id", "opened_on", self.account_changes)
