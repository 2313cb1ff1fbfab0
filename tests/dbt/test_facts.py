"""Facts stand on the version of their day, also after late masters and corrections, and lose nothing."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from arrivals import BEGIN, DAY, END, Arrivals, change

from pipeline import transformation

MODELS = (
    *("int_account__changes", "int_employee__changes", "dim_account", "dim_employee", "channel", "dim_channel"),
    *("fct_account_transaction", "fct_account_balance"),
)
FACTS = ("core.fct_account_transaction", "core.fct_account_balance")


def posting(number: str, account: str, day: date, amount: str, **other: Any) -> dict[str, Any]:
    """One row of core_banking.account_transaction."""
    return dict(
        transaction_id=number,
        account_id=account,
        accounting_date=day,
        transacted_at=datetime(day.year, day.month, day.day, 9),
        direction="C",
        amount=Decimal(amount),
        currency="CNY",
        transaction_type="deposit",
        channel_id="counter",
        **other,
    )


def balance(account: str, day: date, amount: int) -> dict[str, Any]:
    """One row of core_banking.account_balance."""
    return dict(account_id=account, balance_date=day, balance=amount, currency="CNY")


def build(arrivals: Arrivals) -> None:
    transformation.run("build", "--select", *MODELS, "--exclude", "test_type:unit", "--indirect-selection", "cautious")


def test_a_fact_before_its_master_finds_an_inferred_member_that_keeps_its_key(arrivals: Arrivals) -> None:
    second = DAY + timedelta(days=1)
    arrivals.receive(
        "core_banking", DAY, {"account_transaction": [posting("T1", "A", DAY, "10"), posting("T2", "A", second, "20")]}
    )
    build(arrivals)
    inferred = arrivals.rows(
        "select account_version_key, is_inferred, valid_from from core.dim_account where account_id = 'A'"
    )
    assert [row[1:] for row in inferred] == [(True, BEGIN)]

    arrivals.receive("core_banking", second, {"account": [change("A", "I", DAY), change("A", "U", second, "frozen")]})
    build(arrivals)
    first, later = arrivals.rows(
        "select account_version_key, is_inferred from core.dim_account where account_id = 'A' order by valid_from"
    )
    assert (first[0], first[1], later[1]) == (inferred[0][0], False, False)
    assert arrivals.rows("select transaction_id, account_version_key from core.fct_account_transaction order by 1") == [
        ("T1", first[0]),
        ("T2", later[0]),
    ]
    assert arrivals.rows("select fact, rows_rekeyed from ops.fact_rekeyed") == [("core.fct_account_transaction", 1)]
    _equals_rebuild(arrivals)


def test_a_fact_is_analyzed_when_it_has_grown_by_a_tenth(arrivals: Arrivals) -> None:
    rows_known = []
    for number, rows in enumerate((1000, 10, 500)):
        day = DAY + timedelta(days=number)
        postings = [posting(f"T{number}-{line}", "A", day, "10") for line in range(rows)]
        arrivals.receive("core_banking", day, {"account_transaction": postings})
        build(arrivals)
        rows_known += arrivals.rows(
            "select reltuples::integer from pg_class where oid = 'core.fct_account_transaction'::regclass"
        )
    assert rows_known == [(1000,), (1000,), (1510,)]


def test_the_primary_keys_of_the_contracts_stand_when_the_rows_do(arrivals: Arrivals) -> None:
    arrivals.receive("core_banking", DAY, {"account_transaction": [posting("T1", "A", DAY, "10")]})
    for _ in range(2):  # made, and written to
        build(arrivals)
        keys = arrivals.rows(
            "select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint "
            "where contype = 'p' and connamespace = 'core'::regnamespace"
        )
        assert set(keys) >= {
            ("core.fct_account_transaction", "PRIMARY KEY (transaction_id, source_system, file_id, row_sign)"),
            ("core.dim_account", "PRIMARY KEY (account_version_key)"),
            ("core.dim_channel", "PRIMARY KEY (channel_key)"),
        }


def test_a_corrected_posting_is_taken_back_and_sums_are_right_at_any_time(arrivals: Arrivals) -> None:
    first = [posting("T1", "A", DAY, "10"), posting("T2", "A", DAY, "5")]
    arrivals.receive("core_banking", DAY, {"account": [change("A", "I", DAY)], "account_transaction": first})
    build(arrivals)
    arrivals.receive("core_banking", DAY, {"account_transaction": [posting("T1", "A", DAY, "12")]}, sequence=2)
    build(arrivals)
    assert arrivals.rows(
        "select amount, row_sign from core.fct_account_transaction where transaction_id = 'T1' order by known_at, 2"
    ) == [
        (Decimal("10.00"), 1),
        (Decimal("-10.00"), -1),
        (Decimal("12.00"), 1),
    ]
    assert arrivals.rows("select sum(amount), sum(row_sign) from core.fct_account_transaction") == [
        (Decimal("17.00"), 2)
    ]
    build(arrivals)
    assert arrivals.rows("select sum(amount), count(*) from core.fct_account_transaction") == [(Decimal("17.00"), 4)]
    _equals_rebuild(arrivals)


def test_balances_are_ranges_also_when_days_arrive_late(arrivals: Arrivals) -> None:
    day = [DAY + timedelta(days=n) for n in range(8)]
    arrivals.receive("core_banking", day[1], {"account_balance": [balance("A", day[1], 10)]})
    build(arrivals)
    arrivals.receive("core_banking", day[5], {"account_balance": [balance("A", day[5], 50), balance("A", day[6], 60)]})
    build(arrivals)
    arrivals.receive("core_banking", day[3], {"account_balance": [balance("A", day[3], 30), balance("A", day[5], 55)]})
    build(arrivals)
    assert arrivals.rows("select valid_from, valid_to, balance::int from core.fct_account_balance order by 1") == [
        (day[1], day[3], 10),
        (day[3], day[5], 30),
        (day[5], day[6], 55),
        (day[6], END, 60),
    ]
    _equals_rebuild(arrivals)


def _equals_rebuild(arrivals: Arrivals) -> None:
    for schema in ("intermediate", "core"):
        arrivals.session.execute(f"drop schema if exists rebuild_{schema} cascade")  # type: ignore[call-overload]
    no_tests = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    transformation.run("build", "--select", *MODELS, *no_tests, target="rebuild")
    assert arrivals.differences(*FACTS) == {}
