"""Loans, security, ratings and cards of the bank: late and corrected rows leave histories and sums right."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from arrivals import BEGIN, DAY, END, Arrivals, change

from pipeline import transformation

MASTERS = (
    *("organisation", "employee", "customer", "product", "account", "loan", "card_account", "card", "campaign"),
    *("rating", "collateral", "device", "service_subscription"),
)
DERIVED = (
    *("core.fct_loan_instalment", "core.fct_card_month", "core.fct_account_event"),
    *("core.fct_repayment", "core.fct_repayment_schedule", "core.fct_default", "core.fct_recovery"),
    *("core.fct_lead", "core.fct_complaint_step", "core.fct_campaign_target", "core.fct_queue_ticket"),
    *("core.fct_external_series", "core.fct_card_statement", "core.fct_card_payment", "core.fct_card_dispute"),
    *("core.fct_card_authorisation", "core.dim_rating", "core.dim_device", "core.dim_campaign", "core.dim_collateral"),
    *("core.bridge_loan_security", "core.fct_financial_statement", "core.fct_customer_attribute"),
    "core.dim_service_subscription",
)
MODELS = (
    *(f"int_{name}__changes" for name in (*MASTERS, "guarantee", "customer_relation")),
    *(f"dim_{name}" for name in MASTERS),
    *("channel", "dim_channel", "lead_rule", "merchant_category", "dim_merchant_category", "dim_source_system"),
    *(
        "bridge_party_source",
        "fct_contact",
        "fct_financial_statement",
        "fct_customer_attribute",
        "fct_card_transaction",
        *(name.removeprefix("core.") for name in DERIVED),
    ),
    *("bridge_party_party", "bridge_party_group"),
)
SECOND, THIRD = DAY + timedelta(days=1), DAY + timedelta(days=2)


def at(day: date, hour: int = 9) -> datetime:
    return datetime(day.year, day.month, day.day, hour)


def repayment(number: str, instalment: int, day: date, principal: int, interest: int = 0) -> dict[str, Any]:
    """One row of core_banking.repayment."""
    return dict(
        repayment_id=number, loan_id="L1", instalment_no=instalment, paid_on=day, amount=principal + interest,
        principal_paid=principal, interest_paid=interest, penalty_paid=0,
    )  # fmt: skip


def due(instalment: int, day: date, principal: int, interest: int) -> dict[str, Any]:
    """One row of core_banking.repayment_schedule."""
    return dict(loan_id="L1", instalment_no=instalment, due_on=day, principal_due=principal, interest_due=interest)


def posting(number: str, day: date, amount: int, kind: str = "purchase") -> dict[str, Any]:
    """One row of card.posting."""
    return dict(
        posting_id=number, card_id="K1", card_account_id="KA1", posted_on=day, transacted_at=at(day),
        transaction_type=kind, direction="D", amount=amount, currency="CNY", mcc="5411",
    )  # fmt: skip


def authorisation(number: str, day: date, mcc: str | None, approved: bool = True) -> dict[str, Any]:
    """One row of card.authorisation."""
    return dict(
        authorisation_id=number, card_id="K1", authorised_at=at(day), amount=10, currency="CNY", mcc=mcc,
        entry_mode="chip", response_code="00", is_approved=approved,
    )  # fmt: skip


def rating(number: str, grade: str, day: date, provisional: bool = False) -> dict[str, Any]:
    """One row of core_banking.credit_rating."""
    return dict(
        rating_id=number, customer_id="C1", model="corporate_pd", model_version="3.0", rating=grade, rated_on=day,
        expires_on=day + timedelta(days=364), is_provisional=provisional,
    )  # fmt: skip


def collateral(flag: str, day: date, value: int, sequence: int = 1) -> dict[str, Any]:
    """One row of core_banking.collateral."""
    return dict(
        change_flag=flag, change_seq=sequence, effective_date=day, collateral_id="P1", loan_id="L1",
        owner_customer_id="C1", collateral_type="housing", appraised_value=value, appraised_on=day,
    )  # fmt: skip


def statement(version: int, sales: int, state: str = "unverified") -> dict[str, Any]:
    """One row of core_banking.financial_statement."""
    return dict(
        statement_id="FS1", version_no=version, customer_id="C1", period_kind="quarter", period_start=date(2026, 7, 1),
        period_end=date(2026, 9, 30), currency="CNY", reported_sales=sales, net_profit=1, total_assets=9,
        total_liabilities=3, audit_state="unaudited", verification_state=state, submitted_on=DAY,
    )  # fmt: skip


def customer(day: date, flag: str, mobile: str, address: str, channel: str) -> dict[str, Any]:
    """One row of core_banking.customer, taken down by a channel."""
    return dict(
        change_flag=flag, change_seq=1, effective_date=day, customer_id="C1", party_kind="person", customer_name="张三",
        mobile=mobile, address=address, home_organisation_id="O1", opened_on=DAY, status="active",
        capture_channel=channel, captured_at=at(day),
    )  # fmt: skip


def subscription(flag: str, day: date, status: str, sequence: int, **other: Any) -> dict[str, Any]:
    """One row of core_banking.service_subscription: of a product whose own row never comes."""
    return dict(
        change_flag=flag, change_seq=sequence, effective_date=day, subscription_id="W1", customer_id="C1",
        product_id="P9", channel_id="net_bank", signed_on=DAY, status=status, **other,
    )  # fmt: skip


def contact(number: str, day: date, outcome: str = "reached") -> dict[str, Any]:
    """One row of core_banking.contact: an annual check."""
    return dict(
        contact_id=number, customer_id="C1", employee_id="E1", contacted_at=at(day), contact_kind="visit",
        purpose="annual_check", outcome=outcome,
    )  # fmt: skip


@pytest.fixture
def three_days(arrivals: Arrivals) -> Arrivals:
    """Three builds: facts before their masters, a late schedule, corrections of facts and masters of days before."""
    basic = change("A1", "I", DAY) | {"account_type": "corporate_basic"}
    arrivals.receive(
        "core_banking",
        DAY,
        {
            "repayment": [repayment("R1", 1, DAY, 100, 10)],
            "credit_rating": [rating("T1", "A", DAY)],
            "contact": [contact("V1", DAY)],
            "service_subscription": [subscription("U", SECOND, "active", 2, activated_on=SECOND)],
            "financial_statement": [statement(1, 700)],
            "customer": [customer(DAY, "I", "1", "杭州", "low_counter")],
            "guarantee": [
                dict(change_flag="I", change_seq=1, effective_date=DAY, guarantee_id="G1", loan_id="L1",
                     guarantor_customer_id="C2", guarantee_amount=500, starts_on=DAY)
            ],
            "lead": [dict(lead_id="D1", customer_id="C1", employee_id="E1", lead_kind="loan", created_at=at(DAY),
                          due_on=THIRD, disposition="open")],
            "queue_ticket": [dict(ticket_id="Q1", organisation_id="O1", taken_at=at(DAY))],
            "campaign_target": [dict(campaign_id="M1", customer_id="C1", targeted_on=DAY, outcome="bought", amount=9)],
            "external_series": [dict(customer_id="C1", series="tax_paid", series_month=DAY, value=Decimal("1.5"),
                                     unit="CNY", provider="税务局")],
            "complaint": [dict(complaint_id="B1", customer_id="C1", organisation_id="O1", received_at=at(DAY),
                               category="fee", channel_id="hotline", severity="ordinary", is_valid=True)],
            "complaint_step": [dict(complaint_id="B1", step_no=1, step="received", step_at=at(DAY), employee_id="E1")],
        },
    )  # fmt: skip
    arrivals.receive(
        "card",
        DAY,
        {
            "posting": [posting("X1", DAY, 40), posting("X2", DAY, 2, "fee")],
            "authorisation": [authorisation("U1", DAY, "5411"), authorisation("U2", DAY, None, approved=False)],
            "payment": [dict(payment_id="Y1", card_account_id="KA1", paid_on=DAY, amount=5, currency="CNY",
                             channel_id="mobile_bank")],
            "dispute": [dict(dispute_id="Z1", posting_id="X1", opened_on=DAY, reason="fraud", amount=40, state="open")],
        },
    )  # fmt: skip
    build()
    arrivals.receive(
        "core_banking",
        SECOND,
        {
            "account": [basic],
            "service_subscription": [subscription("I", DAY, "signed", 1)],
            "customer": [customer(THIRD, "U", "2", "宁波", "customer_manager")],
            "repayment_schedule": [due(1, DAY, 100, 10), due(2, DAY, 100, 5)],
            "repayment": [repayment("R2", 2, SECOND, 60)],
            "credit_rating": [rating("T2", "BBB", SECOND), rating("T3", "D", SECOND, provisional=True)],
            "collateral": [collateral("I", DAY, 900)],
            "contact": [contact("V2", SECOND), contact("V3", SECOND, "not_reached")],
            "loan_default": [dict(default_id="F1", loan_id="L1", defaulted_on=SECOND, days_past_due=91, exposure=105)],
        },
    )
    arrivals.receive("card", SECOND, {"posting": [posting("X3", SECOND, 7)]})
    build()
    arrivals.receive(
        "core_banking",
        THIRD,
        {
            "account": [basic | {"change_flag": "U", "effective_date": THIRD, "closed_on": THIRD, "change_seq": 2}],
            "financial_statement": [statement(2, 700, "doubtful"), statement(1, 705)],
            "customer": [customer(SECOND, "U", "2", "杭州", "mobile_bank")],
            "repayment": [repayment("R3", 2, THIRD, 40, 5), repayment("R1", 1, SECOND, 100, 10)],
            "collateral": [collateral("U", THIRD, 800, 2)],
            "recovery": [dict(recovery_id="H1", default_id="F1", loan_id="L1", recovered_on=THIRD, amount=50, cost=1,
                              recovery_kind="cash")],
            "loan_default": [
                dict(default_id="F1", loan_id="L1", defaulted_on=SECOND, days_past_due=91, exposure=105, cured_on=THIRD)
            ],
        },
    )  # fmt: skip
    arrivals.receive(
        "card",
        THIRD,
        {
            "posting": [posting("X1", DAY, 50)],
            "statement": [dict(statement_id="S1", card_account_id="KA1", cycle_start=DAY, cycle_end=THIRD, due_on=END,
                               opening_balance=0, purchases=57, payments=0, fees_and_interest=2, closing_balance=59,
                               minimum_payment=6)],
        },
    )  # fmt: skip
    build()
    return arrivals


def build() -> None:
    transformation.run("build", "--select", *MODELS, "--exclude", "test_type:unit", "--indirect-selection", "cautious")


def test_three_days_leave_every_figure_right_and_equal_to_a_rebuild(three_days: Arrivals) -> None:
    rows = three_days.rows
    assert rows(
        "select instalment_no, due_on, principal_paid::int, settled_on, days_late, payment_count "
        "from core.fct_loan_instalment order by 1"
    ) == [(1, DAY, 100, SECOND, 1, 1), (2, DAY, 100, THIRD, 2, 2)]
    assert rows(
        "select purchase_count, purchase_amount::int, fee_amount::int, approved_count, declined_count "
        "from core.fct_card_month"
    ) == [(2, 57, 2, 1, 1)]
    assert rows("select event_type, event_date, contact_id from core.fct_account_event order by 2, 1") == [
        ("opening", date(2020, 1, 1), ""),
        ("annual_check", DAY, "V1"),
        ("annual_check", SECOND, "V2"),
        ("closing", THIRD, ""),
    ]
    assert rows(
        "select rating, is_provisional, valid_to from core.dim_rating where rating_key > 0 order by rating_no"
    ) == [
        ("A", False, SECOND),
        ("BBB", False, END),
        ("D", True, END),
    ]
    assert rows(
        "select security_kind, secured_amount::int, valid_from, valid_to from core.bridge_loan_security order by 1, 3"
    ) == [("collateral", 900, DAY, THIRD), ("collateral", 800, THIRD, END), ("guarantee", 500, DAY, END)]
    assert rows("select cured_on, sum(row_sign), sum(exposure)::int from core.fct_default group by 1 order by 1") == [
        (THIRD, 1, 105),
        (None, 0, 0),
    ]
    assert rows(
        "select authorisation_id, merchant_category_key > 0, merchant_category_key from core.fct_card_authorisation "
        "where mcc is null or merchant_category_key <= 0"
    ) == [("U2", False, -2)]
    assert rows("select channel.channel_id, category from core.fct_complaint_step join core.dim_channel as channel "
                "using (channel_key)") == [("hotline", "fee")]  # fmt: skip
    assert rows("select rule_id, rule_version from core.fct_lead") == [("LR06", 1)]
    assert rows(
        "select status, activated_on, valid_to, customer_id, product_key > 0 from core.dim_service_subscription "
        "where service_subscription_key > 0 order by valid_from"
    ) == [("signed", None, SECOND, "C1", True), ("active", SECOND, END, "C1", True)], "signed became known last"
    assert rows(
        "select version_no, verification_state, sum(reported_sales)::int, count(*) from core.fct_financial_statement "
        "group by 1, 2 order by 1"
    ) == [(1, "unverified", 705, 3), (2, "doubtful", 700, 1)]
    assert rows(
        "select attribute_id, attribute_value, capture_channel_id, valid_from, valid_to "
        "from core.fct_customer_attribute where attribute_id in ('address', 'mobile') order by 1, 4"
    ) == [
        ("address", "杭州", "low_counter", BEGIN, THIRD),
        ("address", "宁波", "customer_manager", THIRD, END),
        ("mobile", "1", "low_counter", BEGIN, SECOND),
        ("mobile", "2", "mobile_bank", SECOND, END),
    ], "the change of the second day came after that of the third"
    # members that rows spoke of before their masters came
    assert rows("select count(*) from core.dim_campaign where campaign_id = 'M1' and is_inferred") == [(1,)]

    three_days.session.execute("drop schema if exists rebuild_intermediate, rebuild_core cascade")
    no_tests = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    transformation.run("build", "--select", *MODELS, *no_tests, target="rebuild")
    assert three_days.differences(*DERIVED) == {}
