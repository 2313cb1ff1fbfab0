"""The published figures of the real data sets come out of the star; each figure is a test.

The figures are those of the sets' own documentation and of the README beside the data, not of this warehouse.
"""

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from rich.console import Console
from small_world import World

from pipeline import demo, steps, transformation

FACTS = ("fct_account_transaction", "fct_card_transaction", "fct_load_interval", "fct_standing_order", "fct_loan_month")


@pytest.fixture(scope="session")
def loaded(finished_world: World, data_folder: Path) -> str:
    """All three sets taken the whole way once, beside the simulated ones; what was said about it."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("C360_DATABASE", finished_world.database)
        demo.run_real(data_folder, Console(file=said, width=200))
    return said.getvalue()


@pytest.fixture
def star(loaded: str, owner: psycopg.Connection) -> psycopg.Connection:
    """A session of the owner on the database with the three sets."""
    return owner


def one(star: psycopg.Connection, query: str) -> tuple:
    row = star.execute(query).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return row


def test_every_row_sent_is_loaded(star: psycopg.Connection) -> None:
    ledger = star.execute(
        "select source_system, table_name, rows_sent, rows_loaded, rows_quarantined from ops.source_file "
        "where source_system in ('berka', 'tabformer', 'sgsc')"
    ).fetchall()
    assert {(source, table): sent for source, table, sent, _, _ in ledger} == {
        ("berka", "account"): 4500,
        ("berka", "card"): 892,
        ("berka", "client"): 5369,
        ("berka", "disp"): 5369,
        ("berka", "district"): 77,
        ("berka", "loan"): 682,
        ("berka", "order"): 6471,
        ("berka", "trans"): 99999,
        ("tabformer", "card"): 6146,
        ("tabformer", "transaction"): 19963,
        ("tabformer", "user"): 2000,
        ("sgsc", "interval_reading"): 1363009,
    }
    assert all(sent == loaded + quarantined and quarantined == 0 for *_, sent, loaded, quarantined in ledger)


def test_amounts_tie_out(star: psycopg.Connection) -> None:
    untied = star.execute(
        "select source_system, table_name from ops.source_file where amount_sent <> amount_loaded + amount_quarantined"
    ).fetchall()
    assert untied == []


def test_accounts(star: psycopg.Connection) -> None:
    assert one(star, """
        select count(*), count(distinct organisation_key), min(opened_on), max(opened_on) from core.dim_account
        where source_system = 'berka' and is_current and not is_inferred
    """) == (4500, 77, date(1993, 1, 1), date(1997, 12, 29))  # fmt: skip


def test_customers_are_parties(star: psycopg.Connection) -> None:
    assert one(star, """
        select count(*), count(distinct party_key) from core.bridge_party_source where source_system = 'berka'
    """) == (5369, 5369)  # fmt: skip


def test_birth_number_tells_birth_date_and_sex(star: psycopg.Connection, data_folder: Path) -> None:
    with (data_folder / "berka" / "client.asc").open(newline="") as file:
        numbers = {row["client_id"]: row["birth_number"] for row in csv.DictReader(file, delimiter=";")}
    expected = {
        client: (
            "F" if int(number[2:4]) > 12 else "M",
            date(1900 + int(number[:2]), int(number[2:4]) % 50, int(number[4:])),
        )
        for client, number in numbers.items()
    }
    got = star.execute(
        "select customer_id, gender, birth_date from core.dim_customer where source_system = 'berka' and is_current"
    ).fetchall()
    assert {client: (gender, born) for client, gender, born in got} == expected


def test_owners_and_disponents(star: psycopg.Connection) -> None:
    roles = star.execute("""
        select holder_role, count(*), sum(share) from core.bridge_account_party
        where source_system = 'berka' and is_current group by holder_role order by holder_role
    """).fetchall()
    assert roles == [("disponent", 869, 0), ("owner", 4500, 4500)]


@pytest.mark.parametrize(
    ("source_status", "status", "loans"),
    [("A", "settled", 203), ("B", "overdue", 31), ("C", "running", 403), ("D", "overdue", 45)],
)
def test_loans_by_status(star: psycopg.Connection, source_status: str, status: str, loans: int) -> None:
    assert one(star, f"""
        select count(*), count(distinct loan_key), min(status), max(status) from core.fct_loan_month
        where source_system = 'berka' and loan_month = '1998-12-01' and source_status = '{source_status}'
    """) == (loans, loans, status, status)  # fmt: skip


def test_loans(star: psycopg.Connection) -> None:
    assert one(star, """
        select count(*), sum(principal), bool_and(account_key > 0 and customer_key > 0) from core.dim_loan
        where source_system = 'berka' and is_current
    """) == (682, Decimal("103261740.00"), True)  # fmt: skip


def test_cards(star: psycopg.Connection) -> None:
    levels = star.execute("""
        select card_level, count(*) from core.dim_card
        where source_system = 'berka' and is_current and account_key > 0 and customer_key > 0 group by 1 order by 1
    """).fetchall()
    assert levels == [("classic", 659), ("gold", 88), ("junior", 145)] and sum(n for _, n in levels) == 892


def test_standing_orders(star: psycopg.Connection) -> None:
    assert one(star, """
        select count(*), sum(amount) from core.fct_standing_order where source_system = 'berka' and is_current
    """) == (6471, Decimal("21228993.60"))  # fmt: skip


def test_account_transactions(star: psycopg.Connection) -> None:
    assert one(star, """
        select count(*), sum(row_sign), sum(amount), count(distinct account_key), min(account_key) > 0
        from core.fct_account_transaction where source_system = 'berka'
    """) == (99999, 99999, Decimal("632551754.10"), 1515, True)  # fmt: skip


def test_the_undocumented_third_type_is_kept_and_flagged(star: psycopg.Connection) -> None:
    types = star.execute("""
        select source_type, is_documented_type, direction, count(*) from core.fct_account_transaction
        where source_system = 'berka' group by 1, 2, 3 order by source_type collate "C"
    """).fetchall()
    assert [row for row in types if row[0] == "VYBER"] == [("VYBER", False, "D", 1563)]
    assert [row[:3] for row in types] == [("PRIJEM", True, "C"), ("VYBER", False, "D"), ("VYDAJ", True, "D")]


def test_every_transaction_has_a_canonical_type(star: psycopg.Connection) -> None:
    types = dict(star.execute("""
        select transaction_type, count(*) from core.fct_account_transaction where source_system = 'berka' group by 1
    """).fetchall())  # fmt: skip
    assert types.pop("interest") == 18242 + 110  # UROK, SANKC. UROK
    assert types == {
        "deposit": 17862,
        "transfer_in": 3812 + 3425,
        "transfer_out": 842 + 4280,
        "bill_payment": 1601 + 9396 + 289,
        "loan_repayment": 598,
        "fee": 12968,
        "withdrawal": 1563 + 24880 + 89 + 42,
    }


def test_postings_lead_from_balance_to_balance(star: psycopg.Connection) -> None:
    """The sign is right: on days with one posting the balance moves by it (the source rounds to a tenth)."""
    assert one(star, """
        with posting as (
            select
                balance_after, case direction when 'C' then amount else -amount end as moved,
                lag(balance_after) over by_day as before,
                count(*) over (partition by account_key, accounting_date) as on_day,
                lag(accounting_date) over by_day as day_before, account_key
            from core.fct_account_transaction where source_system = 'berka'
            window by_day as (partition by account_key order by accounting_date)
        )
        select avg((abs(before + moved - balance_after) <= 1)::integer) > 0.8 from posting
        where on_day = 1 and before is not null
    """) == (True,)  # fmt: skip


def test_card_transactions_and_frauds(star: psycopg.Connection) -> None:
    assert one(star, """
        select sum(row_sign), count(*) filter (where is_fraud), count(distinct mcc), count(distinct card_key),
            min(card_key) > 0 and min(card_account_key) > 0
        from core.fct_card_transaction where source_system = 'tabformer'
    """) == (19963, 27, 94, 5, True)  # fmt: skip


def test_refunds_are_in_favour_of_the_holder(star: psycopg.Connection) -> None:
    assert one(star, """
        select count(*) filter (where direction = 'C'), count(*) filter (where transaction_type = 'refund'),
            sum(case direction when 'D' then amount else -amount end), min(amount) >= 0
        from core.fct_card_transaction where source_system = 'tabformer'
    """) == (650, 650, Decimal("1622991.69"), True)  # fmt: skip


def test_errors_of_card_transactions_are_kept(star: psycopg.Connection) -> None:
    assert one(star, """
        select count(*) filter (where source_type like '% · %'),
            count(*) filter (where source_type like '%Insufficient Balance%')
        from core.fct_card_transaction where source_system = 'tabformer'
    """) == (19963 - 19389, 469 + 1)  # fmt: skip


def test_cardholders_and_cards(star: psycopg.Connection) -> None:
    assert one(star, """
        select count(*), count(distinct customer_key), count(*) filter (where card_kind = 'prepaid'),
            min(customer_key) > 0
        from core.dim_card where source_system = 'tabformer' and is_current
    """) == (6146, 2000, 578, True)  # fmt: skip
    assert one(star, """
        select customer_name, birth_date from core.dim_customer where source_system = 'tabformer' and customer_id = '0'
    """) == ("Hazel Robinson", date(1966, 11, 1))  # fmt: skip


def test_interval_readings_and_energy(star: psycopg.Connection) -> None:
    assert one(star, """
        select sum(row_sign), sum(kwh), count(distinct service_point_key), min(service_point_key) > 0
        from core.fct_load_interval where source_system = 'sgsc'
    """) == (1363009, Decimal("284738.4810"), 51, True)  # fmt: skip


def test_an_interval_begins_half_an_hour_before_its_reading(star: psycopg.Connection) -> None:
    first, last, wrong_day = one(star, """
        select min(interval_start)::text, max(interval_start)::text,
            count(*) filter (where reading_date <> interval_start::date)
        from core.fct_load_interval where source_system = 'sgsc'
    """)  # fmt: skip
    assert (first, last, wrong_day) == ("2011-12-02 06:30:00", "2014-03-03 11:30:00", 0)


def test_households_are_parties_with_a_service_point(star: psycopg.Connection) -> None:
    assert one(star, """
        select count(*), count(distinct placed.party_key) from core.dim_service_point as point
        inner join core.bridge_party_source as placed using (customer_key)
        where point.source_system = 'sgsc' and point.is_current
    """) == (51, 51)  # fmt: skip


def test_no_party_reaches_over_controllers(star: psycopg.Connection) -> None:
    mixed = star.execute(
        "select party_key from core.bridge_party_source group by party_key having count(distinct controller_id) > 1 "
        "and bool_or(source_system in ('berka', 'tabformer', 'sgsc'))"
    ).fetchall()
    assert mixed == []
    controllers = star.execute(
        "select distinct source_system, controller_id from core.bridge_party_source "
        "where source_system in ('berka', 'tabformer', 'sgsc')"
    ).fetchall()
    assert dict(controllers) == {"berka": "berka_bank", "tabformer": "tabformer_bank", "sgsc": "sgsc_grid"}


def test_a_second_build_doubles_nothing(star: psycopg.Connection) -> None:
    def counted() -> dict[str, int]:
        return {fact: one(star, f"select count(*) from core.{fact}")[0] for fact in FACTS}

    before = counted()
    transformation.run("run", "--select", *FACTS)
    assert counted() == before


def test_what_was_built_by_increments_is_what_a_rebuild_makes(star: psycopg.Connection) -> None:
    """Full extracts, deltas and facts of all sources side by side (DESIGN decision 5)."""
    comparison = steps.rebuild()
    assert [table for table in comparison.tables if not table.is_equal] == []
    assert sum(table.rows_before for table in comparison.tables) > 300_000
