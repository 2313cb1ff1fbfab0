"""Accounts and loans are held against the general ledger day by day; what is not explained closes the build."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from arrivals import DAY, Arrivals, change

from pipeline import transformation
from pipeline.transformation import TransformationError

MODELS = (
    *("int_organisation__changes", "int_account__changes", "int_loan__changes", "dim_organisation", "dim_account"),
    *("dim_loan", "dim_date", "dim_source_system", "general_ledger_subject", "fct_account_balance"),
    *("fct_general_ledger", "fct_ledger_tie_out", "sub_ledger_ties_to_general_ledger"),
)
FACTS = ("core.fct_general_ledger", "core.fct_ledger_tie_out")
DAYS = [DAY + timedelta(days=n) for n in range(4)]
HELD = "O1|2111|CNY|2026-11-02|C|130.00|0.00|20.00|250.00"


def balance(account: str, day: date, amount: int) -> dict[str, Any]:
    """One row of core_banking.account_balance."""
    return dict(account_id=account, balance_date=day, balance=amount, currency="CNY")


def account(number: str, flag: str = "I", day: date = DAY, unit: str = "O1", sequence: int = 1) -> dict[str, Any]:
    """One row of core_banking.account, a personal demand deposit."""
    return change(number, flag, day, sequence=sequence) | {"gl_subject": "2111", "organisation_id": unit}


def loan(flag: str, day: date, owed: int, sequence: int) -> dict[str, Any]:
    """One row of core_banking.loan, a mortgage."""
    return dict(
        change_flag=flag, change_seq=sequence, effective_date=day, loan_id="L1", contract_no="H1", account_id="A1",
        customer_id="C1", product_id="P1", organisation_id="O1", loan_type="mortgage", principal=1000,
        outstanding_principal=owed, currency="CNY", annual_rate=3, term_months=12, guarantee_kind="mortgaged",
        five_class="normal", days_past_due=0, disbursed_on=DAY, matures_on=date(2027, 11, 1), status="running",
    )  # fmt: skip


def book(subject: str, day: date, opening: int, closing: int, unit: str = "O1") -> dict[str, Any]:
    """One row of core_banking.general_ledger."""
    side = "D" if subject.startswith("13") else "C"
    debit, credit = max(opening - closing, 0), max(closing - opening, 0)
    if side == "D":
        debit, credit = credit, debit
    return dict(
        organisation_id=unit, subject_id=subject, currency="CNY", accounting_date=day, balance_side=side,
        opening_balance=opening, debit_amount=debit, credit_amount=credit, closing_balance=closing,
    )  # fmt: skip


def build() -> None:
    transformation.run("build", "--select", *MODELS, "--exclude", "test_type:unit", "--indirect-selection", "cautious")


def hold(arrivals: Arrivals, table: str, day: date, text: str) -> None:
    """A row lies in the quarantine of the day's file of a table."""
    arrivals.session.execute(
        "insert into quarantine.row (file_id, line, source_system, table_name, rule, message, raw_text) "
        "select file_id, 99, source_system, table_name, 'type', 'garbled', %s from ops.source_file "
        "where table_name = %s and business_date = %s",
        [text, table, day],
    )


def apart(arrivals: Arrivals) -> list[Any]:
    """Differences that the last build kept: unit, subject, day, amount, explained or not."""
    return arrivals.rows(
        "select organisation_id, subject_id, accounting_date, difference::int, is_explained "
        "from dbt_test__audit.sub_ledger_ties_to_general_ledger order by 1, 2, 3"
    )


@pytest.fixture
def two_days(arrivals: Arrivals) -> Arrivals:
    """Two accounts and a loan of one unit; on the second day one account grows and the loan is paid down."""
    arrivals.receive(
        "core_banking",
        DAY,
        {
            "account": [account("A1"), account("A2")],
            "account_balance": [balance("A1", DAY, 100), balance("A2", DAY, 30)],
            "loan": [loan("I", DAY, 1000, 1)],
            "general_ledger": [book("2111", DAY, 0, 130), book("1311", DAY, 0, 1000)],
        },
    )
    build()
    arrivals.receive(
        "core_banking",
        DAYS[1],
        {
            "account_balance": [balance("A1", DAYS[1], 120)],
            "loan": [loan("U", DAYS[1], 900, 2)],
            "general_ledger": [book("2111", DAYS[1], 130, 150), book("1311", DAYS[1], 1000, 900)],
        },
    )
    build()
    return arrivals


def test_ledgers_tie_also_when_an_account_moves_and_a_balance_comes_late(two_days: Arrivals) -> None:
    assert two_days.rows(
        "select subject_id, accounting_date, ledger_balance::int, sub_ledger_balance::int, difference::int "
        "from core.fct_ledger_tie_out order by 1, 2"
    ) == [("1311", DAY, 1000, 1000, 0), ("1311", DAYS[1], 900, 900, 0), ("2111", DAY, 130, 130, 0),
          ("2111", DAYS[1], 150, 150, 0)]  # fmt: skip
    two_days.receive(
        "core_banking",
        DAYS[2],
        {
            "account": [account("A2", "U", DAYS[2], "O2", 2)],
            "account_balance": [],
            "general_ledger": [
                book("2111", DAYS[2], 150, 120), book("2111", DAYS[2], 0, 30, "O2"), book("1311", DAYS[2], 900, 900)
            ],
        },
    )  # fmt: skip
    build()
    assert apart(two_days) == []
    # a balance of the second day is corrected, and with it the ledger of both days
    two_days.receive(
        "core_banking",
        DAYS[1],
        {
            "account_balance": [balance("A2", DAYS[1], 35)],
            "general_ledger": [book("2111", DAYS[1], 130, 155)],
        },
        sequence=2,
    )
    two_days.receive(
        "core_banking",
        DAYS[2],
        {"general_ledger": [book("2111", DAYS[2], 155, 120), book("2111", DAYS[2], 0, 35, "O2")]},
        sequence=2,
    )
    build()
    assert apart(two_days) == []
    assert two_days.rows(
        "select organisation_id, accounting_date, sub_ledger_balance from core.fct_ledger_tie_out "
        "where subject_id = '2111' and accounting_date > %s order by 2, 1", DAY
    ) == [("O1", DAYS[1], Decimal(155)), ("O1", DAYS[2], Decimal(120)), ("O2", DAYS[2], Decimal(35))]  # fmt: skip
    for schema in ("intermediate", "core"):
        two_days.session.execute(f"drop schema if exists rebuild_{schema} cascade")  # type: ignore[call-overload]
    no_tests = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    transformation.run("build", "--select", *MODELS, *no_tests, target="rebuild")
    assert two_days.differences(*FACTS) == {}


def test_a_difference_is_blocked_until_quarantine_explains_it(two_days: Arrivals) -> None:
    two_days.receive(
        "core_banking",
        DAYS[1],
        {"general_ledger": [book("2111", DAYS[1], 130, 250)]},
        sequence=2,
    )
    with pytest.raises(TransformationError, match="sub_ledger_ties_to_general_ledger"):
        build()
    assert apart(two_days) == [("O1", "2111", DAYS[1], -100, False)]
    hold(two_days, "general_ledger", DAYS[0], HELD)  # a row of an earlier file says nothing of this day
    with pytest.raises(TransformationError):
        build()
    hold(two_days, "account_balance", DAYS[1], "A2|2026-11-02|1O0.00|CNY")
    build()
    assert apart(two_days) == [("O1", "2111", DAYS[1], -100, True)]


def test_a_balance_without_its_account_is_apart_under_the_unknown_unit(two_days: Arrivals) -> None:
    two_days.receive(
        "core_banking",
        DAYS[2],
        {
            "account": [],
            "account_balance": [balance("A3", DAYS[2], 7)],
            "general_ledger": [book("2111", DAYS[2], 150, 157), book("1311", DAYS[2], 900, 900)],
        },
    )
    hold(two_days, "account", DAYS[2], "I|1|2026-11-03|A3|C1|P1|O1|??|CNY|2111|0")
    build()
    # mapped to the unknown member, and the sum of all differences is nought
    assert apart(two_days) == [("O1", "2111", DAYS[2], -7, True), ("unknown", "unknown", DAYS[2], 7, True)]
    two_days.release("core_banking", DAYS[2], {"account": [account("A3", "I", DAYS[2])]})
    two_days.session.execute("delete from quarantine.row")
    build()
    assert apart(two_days) == []
