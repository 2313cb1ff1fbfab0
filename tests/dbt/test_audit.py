"""Bad input by the real way: what is quarantined, what is mapped and counted, and that all sums still tie out."""

import hashlib
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from arrivals import BEGIN, DAY, END, Arrivals

from ingestion.batch import BatchReport, ingest
from ingestion.contract import load_contracts
from pipeline import transformation
from pipeline.transformation import TransformationError

SOURCE = "core_banking"
SENT = {name: load_contracts()[SOURCE][name] for name in ("account", "account_transaction", "queue_ticket")}
NEXT = DAY + timedelta(days=1)
EARLIER, SPRING = date(2026, 1, 1), date(2026, 3, 1)


def send(landing: Path, day: date, **tables: Sequence[str]) -> None:
    """Files of the tables, by their contracts, and their control records; columns left out at the end are empty."""
    folder = landing / SOURCE / day.isoformat()
    folder.mkdir(parents=True)
    for table, contract in SENT.items():
        names, layout = contract.column_names, contract.layout
        rows = [f"{row}{'|' * (len(names) - 1 - row.count('|'))}" for row in tables.get(table, ())]
        path = folder / contract.file_name(day)
        path.write_bytes("".join(f"{row}\r\n" for row in ["|".join(names), *rows]).encode(layout.encoding))
        amount = contract.control.amount_column
        total = sum((Decimal(row.split("|")[names.index(amount)]) for row in rows), Decimal(0)) if amount else ""
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        text = f"file_name|row_count|amount_total|sha256\r\n{path.name}|{len(rows)}|{total}|{digest}\r\n"
        path.with_name(contract.control_file_name(day)).write_bytes(text.encode(layout.encoding))


def account(number: str, flag: str, sequence: int, day: date, status: str, closed: str = "") -> str:
    """A line of account: opened in spring."""
    kind = "personal_demand|I|CNY|2111|0.35"
    return f"{flag}|{sequence}|{day}|{number}|C1|P1|O1|{kind}|{SPRING}|{closed}||{status}"


def posting(number: str, of: str, day: date, amount: str) -> str:
    """A line of account_transaction: a deposit at the counter."""
    return f"{number}|{of}|{day}|{day} 09:00:00|C|{amount}|CNY||deposit|counter"


@pytest.fixture
def first_day(arrivals: Arrivals, tmp_path: Path) -> tuple[Arrivals, BatchReport]:
    """One batch with everything that may be wrong in it, ingested and built."""
    send(
        tmp_path,
        DAY,
        account=[
            account("A1", "I", 1, SPRING, "active"),
            account("A1", "U", 2, EARLIER, "dormant"),  # holds from before what was sent first
            account("A1", "U", 3, DAY, "dormant"),
            account("A1", "U", 4, DAY, "frozen"),  # the same day twice: the last sequence wins
            account("A2", "I", 5, SPRING, "closed", closed="2026-02-28"),  # closed before it was opened
        ],
        account_transaction=[
            posting("T1", "A1", SPRING, "10.00"),
            posting("T2", "A1", DAY, "20.00"),
            posting("T2", "A1", DAY, "20.00"),  # twice
            posting("T3", "A3", DAY, "30.00"),  # of an account that nobody sent
            posting("T4", "A1", date(2025, 12, 31), "40.00"),  # before the account began
            posting("T5", "A1", NEXT, "50.00"),  # of a day that has not come
        ],
        queue_ticket=[
            f"Q1|O1||{DAY} 09:00:00|{DAY} 09:10:00|{DAY} 09:15:00",
            f"Q2|O1||{DAY} 09:00:00|{DAY} 09:10:00|{DAY} 09:05:00",  # served for less than no time
            f"Q3|O1||{NEXT} 09:00:00",  # of a day that has not come, where the contract has no cut-off
        ],
    )
    report = ingest(SOURCE, DAY, connection=arrivals.session, landing=tmp_path, contracts={SOURCE: SENT})
    no_tests = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    transformation.run("build", "--select", "+fct_file_audit", "--exclude", "path:models/staging", *no_tests)
    return arrivals, report


def test_bad_rows_are_quarantined_mapped_or_counted_and_sums_tie(first_day: tuple[Arrivals, BatchReport]) -> None:
    arrivals, report = first_day
    rows = arrivals.rows
    assert report.is_complete
    assert rows("select table_name, rule, split_part(raw_text, '|', 1) from quarantine.row order by 1, 2") == [
        ("account", "closed_after_opened", "I"),
        ("account_transaction", "business_date", "T5"),
        ("account_transaction", "duplicate_key", "T2"),
        ("queue_ticket", "ended_after_called", "Q2"),
    ]
    # sent = loaded + quarantined; what was loaded is in the facts
    assert rows(
        "select amount_sent::int, amount_loaded::int, amount_quarantined::int, (select sum(amount)::int from "
        "core.fct_account_transaction) from ops.source_file where table_name = 'account_transaction'"
    ) == [(170, 100, 70, 100)]
    # versions that were sent across each other: one after the other, no day twice
    assert rows("select status, valid_from, valid_to from core.dim_account where account_id = 'A1' order by 2") == [
        ("dormant", BEGIN, SPRING),
        ("active", SPRING, DAY),
        ("frozen", DAY, END),
    ]
    # the orphan has a member of its own, the event before birth stands on the first version
    assert rows(
        "select fact.transaction_id, account.is_inferred, account.valid_from from core.fct_account_transaction as fact "
        "inner join core.dim_account as account using (account_version_key) where transaction_id in ('T3', 'T4') "
        "order by 1"
    ) == [("T3", True, BEGIN), ("T4", False, BEGIN)]
    assert rows(
        "select audit_id, subject, expected::int, found::int from core.fct_file_audit "
        "where entity = 'account_transaction' and subject <> 'operator_id' order by 1, 2"
    ) == [
        ("dates_in_window", "", 4, 4),
        ("members_alive", "account_id", 1, 0),
        ("members_known", "account_id", 4, 3),
        ("rows_carried", "", 4, 4),
        ("sums_carried", "amount", 100, 100),
    ]
    assert rows(
        "select entity, audit_id, expected::int, found::int from core.fct_file_audit where subject = '' "
        "and entity in ('account', 'queue_ticket') order by 1, 2"
    ) == [
        ("account", "dates_in_window", 4, 4),
        ("account", "rows_carried", 3, 3),
        ("queue_ticket", "dates_in_window", 2, 1),
        ("queue_ticket", "rows_carried", 2, 2),
    ]
    audited = ("--select", "fct_file_audit", "type2_history_dim_account*", "--exclude", "test_type:unit")
    transformation.run("test", *audited)
    # a row lost on the way is found, kept, and closes the build
    arrivals.session.execute("delete from core.fct_account_transaction where transaction_id = 'T2'")
    arrivals.session.execute("drop table core.fct_file_audit")
    arrivals.build("fct_file_audit")
    with pytest.raises(TransformationError, match="is_met"):
        transformation.run("test", *audited)
    assert rows(
        "select audit_id, expected::int, found::int from core.fct_file_audit where not is_met "
        "and entity = 'account_transaction' and audit_id like '%carried' order by 1"
    ) == [("rows_carried", 4, 3), ("sums_carried", 100, 80)]
    (kept,) = rows(
        "select table_name from information_schema.tables where table_schema = 'dbt_test__audit' "
        "and table_name like 'holds_fct_file_audit%'"
    )
    assert rows(f"select count(*) from dbt_test__audit.{kept[0]}") == [(2,)]
