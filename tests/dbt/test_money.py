"""Amounts in the reporting currency follow the rates; sweeps change no group's total; units keep their past."""

import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from arrivals import END, Arrivals, change

from pipeline import transformation
from warehouse.calendar import load_calendar
from warehouse.migration import migrate, read_migrations

LEFT_OUT = ("--exclude", "tag:stage", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
MONEY = ("+fct_account_transaction_reporting", "+fct_account_balance_day")
POOLS = ("+fct_cash_pool_day",)
UNITS = ("+bridge_organisation",)
FRIDAY = date(2026, 10, 30)
SATURDAY, SUNDAY, MONDAY, TUESDAY = (FRIDAY + timedelta(days=n) for n in (1, 2, 3, 4))


@pytest.fixture
def bank(arrivals: Arrivals) -> Arrivals:
    """An empty warehouse that knows the days, and where checks leave their results."""
    load_calendar(arrivals.session)
    migrate(read_migrations("expectations"), arrivals.session)
    return arrivals


def build(arrivals: Arrivals, *models: str, target: str = "dev") -> None:
    if target == "rebuild":
        for schema in ("intermediate", "core"):
            arrivals.session.execute(f"drop schema if exists rebuild_{schema} cascade")  # type: ignore[call-overload]
    transformation.run("build", "--select", *models, *LEFT_OUT, target=target)


def rate(currency: str, day: date, value: str, units: int = 1, kind: str = "central_parity") -> dict[str, Any]:
    """One row of core_banking.exchange_rate."""
    return dict(
        currency=currency, quote_currency="CNY", rate_type=kind, rate_date=day, units=units, rate=Decimal(value)
    )


def posting(number: str, account: str, day: date, amount: str, **other: Any) -> dict[str, Any]:
    """One row of core_banking.account_transaction: a credit, a debit where the amount is negative."""
    value = Decimal(amount)
    row = dict(
        transaction_id=number, account_id=account, accounting_date=day,
        transacted_at=datetime(day.year, day.month, day.day, 9), direction="C" if value > 0 else "D",
        amount=abs(value), currency="CNY", transaction_type="deposit", channel_id="counter",
    )  # fmt: skip
    return row | other


def balance(account: str, day: date, amount: str, currency: str = "CNY") -> dict[str, Any]:
    """One row of core_banking.account_balance."""
    return dict(account_id=account, balance_date=day, balance=Decimal(amount), currency=currency)


def worth(arrivals: Arrivals) -> dict[str, tuple[Any, ...]]:
    """Amount in the reporting currency and day of the rate, by posting."""
    return {
        number: rest
        for number, *rest in arrivals.rows(
            "select transaction_id, amount_reporting, rate_date from core.fct_account_transaction_reporting"
        )
    }


def test_late_and_corrected_rates_reach_the_days_that_they_are_for(bank: Arrivals) -> None:
    postings = [
        posting("T1", "A", FRIDAY, "100", currency="USD"),
        posting("T2", "A", SUNDAY, "100", currency="USD"),
        posting("T3", "A", MONDAY, "100", currency="USD"),
        posting("T4", "B", SUNDAY, "1000", currency="JPY"),
        posting("T5", "C", SUNDAY, "8.88"),
    ]
    bank.receive(
        "core_banking",
        MONDAY,
        {
            "exchange_rate": [
                rate("USD", FRIDAY, "7.1"),
                rate("USD", FRIDAY, "9", kind="month_end"),
                rate("JPY", FRIDAY, "4.8123", units=100),
            ],
            "account_transaction": postings,
            "account_balance": [balance("A", FRIDAY, "100", "USD"), balance("A", MONDAY, "300", "USD")],
        },
    )
    build(bank, *MONEY)
    assert worth(bank) == {
        "T1": [Decimal("710.00"), FRIDAY],
        "T2": [Decimal("710.00"), FRIDAY],  # a Sunday has the rate of the Friday before
        "T3": [Decimal("710.00"), FRIDAY],  # Monday's rate is late
        "T4": [Decimal("48.12"), FRIDAY],  # 48.123
        "T5": [Decimal("8.88"), None],  # needs no rate
    }

    bank.receive(
        "core_banking",
        TUESDAY,
        {
            "exchange_rate": [
                rate("USD", MONDAY, "7.2"),
                rate("USD", TUESDAY, "7.3"),
                rate("JPY", FRIDAY, "5", units=100),
            ]
        },
    )
    build(bank, *MONEY)
    assert worth(bank) | {"T5": None} == {
        "T1": [Decimal("710.00"), FRIDAY],
        "T2": [Decimal("710.00"), FRIDAY],
        "T3": [Decimal("720.00"), MONDAY],
        "T4": [Decimal("50.00"), FRIDAY],  # sent again
        "T5": None,
    }
    assert bank.rows(
        "select valid_from, valid_to, rate::float from core.fct_exchange_rate "
        "where currency = 'USD' and rate_type = 'central_parity' order by 1"
    ) == [(FRIDAY, MONDAY, 7.1), (MONDAY, TUESDAY, 7.2), (TUESDAY, END, 7.3)]
    assert bank.rows(
        "select date_day, balance::int, balance_reporting::int, rate_date from core.fct_account_balance_day order by 1"
    ) == [
        (FRIDAY, 100, 710, FRIDAY),
        (SATURDAY, 100, 710, FRIDAY),
        (SUNDAY, 100, 710, FRIDAY),
        (MONDAY, 300, 2160, MONDAY),
        (TUESDAY, 300, 2190, TUESDAY),
    ]
    assert bank.rows("select count(*), sum(row_sign) from core.fct_account_transaction") == [(5, 5)], "facts stand"
    build(bank, *MONEY, target="rebuild")
    assert bank.differences("core.fct_exchange_rate", "core.fct_account_transaction_reporting") == {}


def test_a_currency_without_a_rate_is_counted_and_loses_no_money(bank: Arrivals) -> None:
    old = FRIDAY - timedelta(days=16)
    bank.receive(
        "core_banking",
        FRIDAY,
        {
            "account": [
                change("A", "I", old) | {"currency": "USD"},
                change("B", "I", old) | {"currency": "GBP"},
                change("C", "I", old),
            ],
            "exchange_rate": [rate("USD", old, "7")],
            "account_transaction": [
                posting("T1", "A", old + timedelta(days=15), "1", currency="USD"),
                posting("T2", "A", FRIDAY, "2", currency="USD"),  # the rate has grown too old
                posting("T3", "B", FRIDAY, "4", currency="GBP"),
                posting("T4", "C", FRIDAY, "8"),
            ],
            "account_balance": [
                balance("A", FRIDAY - timedelta(days=1), "1", "USD"),
                balance("A", FRIDAY, "3", "USD"),
                balance("B", FRIDAY, "4", "GBP"),
                balance("C", FRIDAY, "8"),
            ],
        },
    )
    build(bank, *MONEY, "+fct_quality_check")
    assert bank.rows(
        "select currency, sum(amount)::int, sum(amount_reporting)::int, count(*) - count(amount_reporting) "
        "from core.fct_account_transaction_reporting group by 1 order by 1"
    ) == [("CNY", 8, 8, 0), ("GBP", 4, None, 1), ("USD", 3, 7, 1)]
    assert bank.rows("select currency, sum(amount)::int from core.fct_account_transaction group by 1 order by 1") == [
        ("CNY", 8),
        ("GBP", 4),
        ("USD", 3),
    ]
    assert bank.rows(
        "select judged_on, judged_count::int, passed_count::int from core.fct_quality_check "
        "where check_id = 'currency_rated' order by 1"
    ) == [(FRIDAY - timedelta(days=1), 1, 1), (FRIDAY, 2, 0)]


def test_sweeps_change_no_total_of_a_group(bank: Arrivals) -> None:
    """Random pools, with members that leave: the total of a pool is the bank's, and its flows know no sweep."""
    rng = random.Random(20261101)
    begin = dict(change_flag="I", change_seq=1, effective_date=FRIDAY, starts_on=FRIDAY)
    days = [FRIDAY + timedelta(days=n) for n in range(8)]
    tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
    moved: dict[tuple[str, date], list[Decimal]] = {}
    leaving: dict[str, date] = {}

    def post(account: str, day: date, amount: Decimal, kind: str) -> None:
        number = f"T{len(tables['account_transaction'])}"
        tables["account_transaction"].append(posting(number, account, day, str(amount), transaction_type=kind))

    for pool in range(12):
        kind = ("zero_balance", "target_balance", "notional")[pool % 3]
        target = Decimal(1000) if kind == "target_balance" else Decimal(0)
        accounts = [f"P{pool}-{place}" for place in range(rng.randint(2, 5))]
        agreement = dict(pool_id=f"P{pool}", header_account_id=accounts[0], pool_kind=kind, currency="CNY")
        tables["cash_pool"].append(begin | agreement)
        for account in accounts[1:]:
            if rng.random() < 0.3:
                leaving[account] = rng.choice(days[2:])
            member = begin | dict(pool_member_id=account, pool_id=f"P{pool}", account_id=account)
            tables["cash_pool_member"].append(member)
            if account in leaving:
                day = leaving[account]
                left = dict(change_flag="U", change_seq=2, effective_date=day, ends_on=day - timedelta(days=1))
                tables["cash_pool_member"].append(member | left)
        held = dict.fromkeys(accounts, Decimal(0))
        for day in days:
            linked = [a for a in accounts[1:] if day < leaving.get(a, END) and kind != "notional"]
            inside = [a for a in accounts if day < leaving.get(a, END)]
            flows = {a: Decimal(rng.randint(-500_00, 900_00)) / 100 for a in accounts if rng.random() < 0.6}
            for account, amount in flows.items():
                if amount:
                    post(account, day, amount, "transfer_in" if amount > 0 else "transfer_out")
                    held[account] += amount
            for account in linked:
                if sweep := held[account] - target:
                    post(account, day, -sweep, "sweep")
                    post(accounts[0], day, sweep, "sweep")
                    held[account] -= sweep
                    held[accounts[0]] += sweep
            for account in accounts:
                tables["account_balance"].append(balance(account, day, str(held[account])))
            moved[f"P{pool}", day] = [
                sum((held[a] for a in inside), Decimal(0)),
                sum((f for a, f in flows.items() if a in inside and f > 0), Decimal(0)),
                sum((-f for a, f in flows.items() if a in inside and f < 0), Decimal(0)),
            ]
    half = len(tables["account_transaction"]) // 2
    late = tables["account_transaction"][half:]
    bank.receive("core_banking", days[-2], tables | {"account_transaction": tables["account_transaction"][:half]})
    build(bank, *POOLS)
    bank.receive("core_banking", days[-1], {"account_transaction": late})
    build(bank, *POOLS)

    found = {
        (pool, day): rest
        for pool, day, *rest in bank.rows(
            "select pool.cash_pool_id, fact.date_day, fact.balance, fact.inflow_amount, fact.outflow_amount "
            "from core.fct_cash_pool_day as fact "
            "inner join core.dim_cash_pool as pool on pool.cash_pool_key = fact.cash_pool_key and pool.is_current"
        )
    }
    assert found == moved
    assert bank.rows(
        "select count(*), sum(abs(balance - balance_before_sweeps)), sum(abs(unmatched_sweep_amount)), "
        "sum(sweep_amount) > 0, sum(abs(gross_inflow_amount - inflow_amount - sweep_amount)) "
        "from core.fct_cash_pool_day"
    ) == [(len(moved), 0, 0, True, 0)]
    assert bank.rows(
        "select count(*) from core.fct_cash_pool_account_day "
        "where pool_role = 'member' and balance_before_sweeps <> balance"
    ) != [(0,)]
    build(bank, *POOLS, target="rebuild")
    assert bank.differences("core.bridge_cash_pool_account", "core.fct_cash_pool_day") == {}


def test_a_moved_unit_keeps_its_old_days_under_its_old_parent(bank: Arrivals) -> None:
    def unit(number: str, parent: str | None, day: date, flag: str = "I", sequence: int = 1) -> dict[str, Any]:
        return dict(
            change_flag=flag, change_seq=sequence, effective_date=day, organisation_id=number,
            organisation_name=number, parent_id=parent, organisation_level="outlet", opened_on=FRIDAY,
        )  # fmt: skip

    bank.receive(
        "core_banking",
        FRIDAY,
        {
            "organisation": [
                unit("H", None, FRIDAY),
                unit("B1", "H", FRIDAY),
                unit("B2", "H", FRIDAY),
                unit("O", "B1", FRIDAY),
            ]
        },
    )
    build(bank, *UNITS)
    bank.receive("core_banking", TUESDAY, {"organisation": [unit("O", "B2", MONDAY, "U", 2)]})  # told a day late
    build(bank, *UNITS)

    def above(day: date) -> list[Any]:
        return bank.rows(
            "select tree.depth, above.organisation_id, tree.organisation_path from core.bridge_organisation as tree "
            "inner join core.dim_organisation as above on above.organisation_key = tree.ancestor_organisation_key "
            "and %s >= above.valid_from and %s < above.covers_to "
            "inner join core.dim_organisation as unit "
            "on unit.organisation_key = tree.organisation_key and unit.is_current "
            "where unit.organisation_id = 'O' and %s >= tree.valid_from and %s < tree.valid_to order by 1",
            day,
            day,
            day,
            day,
        )

    assert above(SUNDAY) == [(0, "O", "O"), (1, "B1", "B1 > O"), (2, "H", "H > B1 > O")]
    assert above(MONDAY) == [(0, "O", "O"), (1, "B2", "B2 > O"), (2, "H", "H > B2 > O")]
    build(bank, *UNITS, target="rebuild")
    assert bank.differences("core.bridge_organisation") == {}
