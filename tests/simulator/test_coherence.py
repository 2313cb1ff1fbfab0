"""The world ties: balances, statements, bills, registers, curves, the bridge, managers, shares."""

from datetime import date, timedelta
from decimal import Decimal

import polars as pl

from simulator.calendar import is_working_day
from simulator.general_ledger import LOAN_SUBJECTS

SENT_BAD = 12  # rows that quarantine took out of the middle of chains; each may break one tie


def test_balances_follow_from_postings(table) -> None:
    balances = table("core_banking", "account_balance").sort("account_id", "balance_date")
    postings = table("core_banking", "account_transaction")
    moved = postings.group_by("account_id", balance_date="accounting_date").agg(
        net=pl.when(pl.col("direction") == "C").then(pl.col("amount")).otherwise(-pl.col("amount")).sum()
    )
    chain = balances.with_columns(before=pl.col("balance").shift(1).over("account_id").fill_null(Decimal(0)))
    joined = chain.join(moved, on=["account_id", "balance_date"], how="left")
    wrong = joined.filter(
        (pl.col("balance_date") > date(2025, 9, 30))
        & (pl.col("before") + pl.col("net").fill_null(Decimal(0)) != pl.col("balance"))
    )
    assert joined.height > 50_000
    assert wrong.height <= 3 * SENT_BAD
    assert (balances["balance"] >= 0).all()


def test_postings_close_each_day_at_the_balance(table) -> None:
    postings = table("core_banking", "account_transaction").sort("transaction_id")
    last = postings.group_by("account_id", "accounting_date", maintain_order=True).agg(pl.col("balance_after").last())
    both = last.join(
        table("core_banking", "account_balance"),
        left_on=["account_id", "accounting_date"],
        right_on=["account_id", "balance_date"],
    )
    assert both.filter(pl.col("balance_after") != pl.col("balance")).height <= SENT_BAD


def test_late_transactions_post_on_the_next_day_and_the_year_is_adjusted(table, contracts) -> None:
    cut_off = contracts["core_banking"]["account_transaction"].cut_off
    postings = table("core_banking", "account_transaction").with_columns(
        day=pl.col("transacted_at").str.slice(0, 10).str.to_date()
    )
    late = postings.filter(pl.col("day") != pl.col("accounting_date"))
    assert late.height > 500
    assert (late["accounting_date"] - late["day"]).unique().to_list() == [timedelta(days=1)]
    assert (late["transacted_at"].str.slice(11, 8) >= cut_off.at.isoformat()).all()
    adjusted = postings.filter(pl.col("transaction_type") == "adjustment")
    assert adjusted["accounting_date"].unique().to_list() == [date(2025, 12, 31)]


def test_reversals_cancel_their_posting(table) -> None:
    postings = table("core_banking", "account_transaction")
    pairs = postings.filter(pl.col("reverses_transaction_id").is_not_null()).join(
        postings, left_on="reverses_transaction_id", right_on="transaction_id", suffix="_origin"
    )
    assert pairs.height > 20
    assert (pairs["amount"] == pairs["amount_origin"]).all() and (
        pairs["account_id"] == pairs["account_id_origin"]
    ).all()
    assert (pairs["direction"] != pairs["direction_origin"]).all()


def test_statements_follow_from_card_postings(table) -> None:
    statements, postings = table("card", "statement"), table("card", "posting")
    kinds = {
        "purchases": ["purchase", "cash", "refund", "reversal"],
        "payments": ["repayment"],
        "fees_and_interest": ["fee", "interest"],
    }
    signed = pl.when(pl.col("direction") == "D").then(pl.col("amount")).otherwise(-pl.col("amount"))
    inside = (
        statements.select("statement_id", "card_account_id", "cycle_start", "cycle_end")
        .join(postings, on="card_account_id")
        .filter(pl.col("posted_on").is_between("cycle_start", "cycle_end"))
    )
    for column, names in kinds.items():
        part = inside.filter(pl.col("transaction_type").is_in(names)).group_by("statement_id").agg(sent=signed.sum())
        seen = statements.join(part, on="statement_id", how="left").with_columns(pl.col("sent").fill_null(Decimal(0)))
        value = pl.col(column) if column != "payments" else -pl.col(column)
        assert seen.filter(value != pl.col("sent")).height <= SENT_BAD, column
    assert (
        statements.filter(
            pl.col("opening_balance") + pl.col("purchases") - pl.col("payments") + pl.col("fees_and_interest")
            != pl.col("closing_balance")
        ).height
        == 0
    )
    assert statements.height > 3_000


def test_bills_are_the_sum_of_their_lines_and_lines_their_product(table) -> None:
    bills, lines = table("grid_billing", "bill"), table("grid_billing", "bill_line")
    sums = lines.group_by("bill_id").agg(total=pl.col("amount").sum())
    joined = bills.join(sums, on="bill_id", how="left")
    assert joined.height > 4_000 and joined.filter(pl.col("total") != pl.col("amount")).height == 0
    product = lines.with_columns(exact=pl.col("quantity").cast(pl.Float64) * pl.col("price").cast(pl.Float64))
    assert product.filter((pl.col("exact") - pl.col("amount").cast(pl.Float64)).abs() > 0.00501).height == 0
    energy = lines.filter(pl.col("component") == "energy").group_by("bill_id").agg(used=pl.col("quantity").sum())
    assert bills.join(energy, on="bill_id").filter(pl.col("kwh") != pl.col("used")).height == 0
    cancelled = bills.filter(pl.col("bill_kind") == "cancel").join(
        bills, left_on="cancels_bill_id", right_on="bill_id", suffix="_origin"
    )
    assert cancelled.height and (cancelled["amount"] == -cancelled["amount_origin"]).all()
    assert set(bills["bill_kind"]) == {"actual", "estimated", "cancel", "rebill"}
    assert {"sharp", "peak", "flat", "valley"} <= set(lines["period"].drop_nulls())
    assert {"energy", "basic", "power_factor", "fund"} <= set(lines["component"])


def test_billed_energy_is_the_metered_energy(table) -> None:
    read = table("grid_billing", "daily_reading").with_columns(billing_month=pl.col("reading_date").dt.truncate("1mo"))
    metered = read.group_by("service_point_id", "billing_month").agg(metered=pl.col("kwh").sum())
    right = (
        table("grid_billing", "bill")
        .filter(pl.col("bill_kind") != "cancel")
        .sort("issued_on")
        .unique(["service_point_id", "billing_month"], keep="last", maintain_order=True)
    )
    joined = right.join(metered, on=["service_point_id", "billing_month"])
    assert joined.height > 4_000
    assert joined.filter(pl.col("kwh") != pl.col("metered")).height <= SENT_BAD


def test_registers_grow_by_energy_over_multiplier_and_roll_over(table) -> None:
    meters = (
        table("grid_billing", "meter")
        .unique("meter_id", keep="last")
        .select("meter_id", "multiplier", "register_digits")
    )
    read = (
        table("grid_billing", "daily_reading")
        .join(meters, on="meter_id")
        .sort("meter_id", "reading_date")
        .with_columns(
            step=pl.col("register_total") - pl.col("register_total").shift(1).over("meter_id"),
            gap=(pl.col("reading_date") - pl.col("reading_date").shift(1).over("meter_id")).dt.total_days(),
        )
    )
    read = read.filter(pl.col("gap") == 1)
    rolled = read.filter(pl.col("step") < 0)
    assert rolled.height >= 1 and (rolled["register_digits"] == 6).all()
    grown = pl.when(pl.col("step") < 0).then(pl.col("step") + Decimal(1_000_000)).otherwise(pl.col("step"))
    exact = read.with_columns(energy=(grown.cast(pl.Float64) * pl.col("multiplier").cast(pl.Float64)).round(4))
    assert exact.filter((pl.col("energy") - pl.col("kwh").cast(pl.Float64)).abs() > 0.0001).height == 0
    periods = read.filter(pl.col("kwh_peak").is_not_null())
    total = pl.sum_horizontal("kwh_sharp", "kwh_peak", "kwh_flat", "kwh_valley")
    assert periods.filter(total != pl.col("kwh")).height == 0


def test_curves_add_up_to_the_daily_reading(table) -> None:
    curves = table("grid_billing", "load_curve")
    values = curves["readings"].str.strip_chars("{}").str.split(",").list.eval(pl.element().cast(pl.Decimal(38, 4)))
    assert (values.list.len() == 96).all()
    assert (values.list.sum() == curves["day_kwh"]).all()
    joined = curves.join(table("grid_billing", "daily_reading"), on=["service_point_id", "meter_id", "reading_date"])
    assert joined.filter(pl.col("day_kwh") != pl.col("kwh")).height == 0 and joined.height > 1_900


def test_the_bridge_ties_to_the_cent(table) -> None:
    payments = table("grid_billing", "payment")
    carried = payments.filter(pl.col("bank_transaction_id").is_not_null())
    postings = table("core_banking", "account_transaction").filter(pl.col("transaction_type") == "bill_payment")
    joined = carried.join(postings, left_on="bank_transaction_id", right_on="transaction_id", suffix="_bank")
    assert joined.height > 1_000
    assert abs(joined.height - carried.height) + abs(joined.height - postings.height) <= SENT_BAD
    assert (joined["amount"] == joined["amount_bank"]).all() and (joined["bank_account"] == joined["account_id"]).all()
    bills = payments.join(table("grid_billing", "bill"), on="bill_id", suffix="_bill")
    assert (bills["amount"] == bills["amount_bill"]).all()
    assert payments["bill_id"].n_unique() == payments.height


def test_loans_tie_to_schedule_and_settlement_account(table) -> None:
    schedule = (
        table("core_banking", "repayment_schedule").group_by("loan_id").agg(planned=pl.col("principal_due").sum())
    )
    loans = table("core_banking", "loan")
    first = loans.filter(pl.col("change_flag") == "I").join(schedule, on="loan_id")
    assert first.height > 50 and (first["principal"] == first["planned"]).all()
    repaid = table("core_banking", "repayment")
    debits = table("core_banking", "account_transaction").filter(pl.col("transaction_type") == "loan_repayment")
    assert (
        abs(repaid["amount"].sum() - debits["amount"].sum()) <= Decimal(0)
        or abs(repaid.height - debits.height) <= SENT_BAD
    )
    assert (repaid["amount"] == repaid["principal_paid"] + repaid["interest_paid"] + repaid["penalty_paid"]).all()
    assert table("core_banking", "loan_default").height and table("core_banking", "recovery").height


def test_one_accountable_manager_and_shares_of_one(table) -> None:
    log = (
        table("core_banking", "manager_assignment")
        .sort("change_seq")
        .unique("assignment_id", keep="last", maintain_order=True)
    )
    log = log.with_columns(pl.col("ends_on").fill_null(date(9999, 12, 31)))
    for day in (date(2025, 10, 1), date(2026, 4, 30), date(2026, 10, 31)):
        now = log.filter((pl.col("starts_on") <= day) & (pl.col("ends_on") >= day))
        by = now.group_by("customer_id").agg(
            owners=(pl.col("assignment_role") == "accountable").sum(), share=pl.col("share").sum()
        )
        assert (by["owners"] == 1).all() and (by["share"] == 1).all()
        known = table("core_banking", "customer").filter((pl.col("change_flag") == "I") & (pl.col("opened_on") <= day))
        assert by.height == known.height or abs(by.height - known.height) <= SENT_BAD
    assert log["customer_id"].n_unique() < log.height


def test_consents_have_the_agreed_shares(table, truth) -> None:
    people = truth("identities")
    both = set(people.filter(pl.col("source_system") == "core_banking")["party_id"]) & set(
        people.filter(pl.col("source_system") == "grid_billing")["party_id"]
    )

    def in_force(source: str, key: str, purpose: str) -> float:
        log = table(source, "consent").sort("change_seq").unique("consent_id", keep="last", maintain_order=True)
        now = log.filter(
            (pl.col("purpose") == purpose)
            & pl.col("withdrawn_on").is_null()
            & (pl.col("given_on") <= date(2026, 10, 31))
        )
        held = people.filter((pl.col("source_system") == source) & pl.col("customer_id").is_in(now[key].implode()))
        return len(set(held["party_id"]) & both) / len(both)

    assert 0.50 <= in_force("core_banking", "customer_id", "party_matching") <= 0.70
    assert 0.15 <= in_force("grid_billing", "consumer_no", "share_grid_to_bank") <= 0.35
    assert 0.15 <= in_force("core_banking", "customer_id", "share_bank_to_grid") <= 0.35


def test_keys_lead_to_their_masters(table) -> None:
    for source, name, column, master, key in (
        ("core_banking", "account_transaction", "account_id", "account", "account_id"),
        ("core_banking", "account", "customer_id", "customer", "customer_id"),
        ("core_banking", "wealth_trade", "product_id", "product", "product_id"),
        ("core_banking", "manager_target", "set_by", "employee", "employee_id"),
        ("card", "posting", "card_account_id", "card_account", "card_account_id"),
        ("card", "card", "cardholder_id", "cardholder", "cardholder_id"),
        ("grid_billing", "service_point", "line_id", "line", "line_id"),
        ("grid_billing", "bill", "contract_no", "supply_contract", "contract_no"),
        ("grid_billing", "supply_contract", "tariff_id", "tariff", "tariff_id"),
    ):
        missing = table(source, name).filter(~pl.col(column).is_in(table(source, master)[key].unique().implode()))
        assert missing[column].n_unique() <= 3, (source, name, column)


def test_the_general_ledger_is_the_sum_of_accounts_and_loans(table) -> None:
    ledger = table("core_banking", "general_ledger")
    book = ["organisation_id", "subject_id", "currency"]
    accounts = table("core_banking", "account").unique("account_id", keep="first", maintain_order=True)
    balances = table("core_banking", "account_balance").join(
        accounts.select("account_id", "organisation_id", subject_id="gl_subject"), on="account_id"
    )
    loans = table("core_banking", "loan").with_columns(
        subject_id=pl.col("loan_type").replace_strict(LOAN_SUBJECTS, return_dtype=pl.String)
    )
    for day in (date(2025, 10, 1), date(2026, 3, 21), date(2026, 11, 3)):
        held = [
            rows.filter(pl.col(of) <= day)
            .sort(of, maintain_order=True)
            .unique(key, keep="last")
            .select(*book, owed=owed)
            for rows, key, of, owed in (
                (balances, "account_id", "balance_date", "balance"),
                (loans, "loan_id", "effective_date", "outstanding_principal"),
            )
        ]
        sums = pl.concat(held).group_by(book).agg(pl.col("owed").sum())
        both = ledger.filter(pl.col("accounting_date") == day).join(sums, on=book, how="full", coalesce=True)
        apart = both.filter(pl.col("closing_balance").fill_null(Decimal(0)) != pl.col("owed").fill_null(Decimal(0)))
        assert both.height > 15 and apart.height <= 1, apart  # a planted fault may have taken one row out
    assert {"D", "C"} == set(ledger["balance_side"])
    carried = ledger.sort("accounting_date").with_columns(before=pl.col("closing_balance").shift(1).over(book))
    days = (pl.col("accounting_date") - pl.col("accounting_date").shift(1).over(book)).dt.total_days()
    assert carried.filter((days == 1) & (pl.col("before") != pl.col("opening_balance"))).height == 0


def test_sweeps_move_money_inside_their_pool(table) -> None:
    """Each sweep has its other side in the same pool, and a zero-balance member ends its days at zero."""
    pools = table("core_banking", "cash_pool")
    members = table("core_banking", "cash_pool_member")
    accounts = pl.concat(
        [pools.select("pool_id", account_id="header_account_id"), members.select("pool_id", "account_id")]
    )
    postings = table("core_banking", "account_transaction")
    sweeps = postings.filter(pl.col("transaction_type") == "sweep").join(accounts.unique(), on="account_id", how="left")
    assert sweeps.height > 500 and sweeps["pool_id"].null_count() == 0
    assert set(pools["pool_kind"]) == {"zero_balance", "target_balance", "notional"}
    signed = pl.when(pl.col("direction") == "C").then(pl.col("amount")).otherwise(-pl.col("amount"))
    net = sweeps.group_by("pool_id", "accounting_date").agg(net=signed.sum())
    assert net.filter(pl.col("net") != 0).height <= SENT_BAD
    staying = members.filter(pl.col("ends_on").is_null() & pl.col("target_balance").is_null())
    staying = staying.join(pools.filter(pl.col("pool_kind") == "zero_balance"), on="pool_id", how="semi")
    held = table("core_banking", "account_balance").join(staying, on="account_id")
    held = held.filter(pl.col("balance_date") >= pl.col("starts_on"))
    assert held.height > 0 and (held["balance"] == 0).all()


def test_rates_stand_on_working_days_and_cover_the_history(table) -> None:
    rates = table("core_banking", "exchange_rate")
    parity = rates.filter(pl.col("rate_type") == "central_parity")
    assert all(is_working_day(day) for day in parity["rate_date"].unique())
    assert parity["rate_date"].min() < date(2025, 10, 1)
    kept = set(table("core_banking", "account")["currency"]) - {"CNY"}
    assert kept == set(parity["currency"])
    assert set(rates.filter(pl.col("currency") == "JPY")["units"]) == {100}
    closing = rates.filter(pl.col("rate_type") == "month_end").join(parity, on=["currency", "rate_date"])
    assert closing.height > 40 and (closing["rate"] == closing["rate_right"]).all()
