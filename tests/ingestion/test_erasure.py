"""Erasure: a person's values go from raw and quarantine, stay away, and the account of every file still ties."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.orm import Session
from trial_sender import DAY, TRIAL, ask_erasure, empty, send_all, send_control, send_posting

from ingestion.batch import BatchReport, ingest
from ingestion.contract import Contract, Retention
from ingestion.erasure import ERASED, carry_out, decide, request, requests
from ingestion.options import IngestOptions
from ingestion.quarantine import Selection
from ingestion.quarantine import decide as decide_rows
from ingestion.refusal import Refusal
from ingestion.release import carry_out as let_out
from warehouse.connection import connect
from warehouse.roles import apply_roles

GONE, STAYS = "C010001", "C010002"
"""Two customers of the trial source."""


def amended(contract: Contract, legal_hold: str | None = None, **columns: dict[str, object]) -> Contract:
    """A contract with some columns and its legal hold changed."""
    now = {name: getattr(contract, name) for name in Contract.model_fields}
    changed = tuple(column.model_copy(update=columns.get(column.name, {})) for column in contract.columns)
    return Contract(**now | {"columns": changed, "retention": Retention.model_validate({"legal_hold": legal_hold})})


def persons(**holds: str) -> dict[str, dict[str, Contract]]:
    """The trial contracts, with postings that speak of a customer and payments that speak of a posting."""
    links = {
        "customer": {},
        "posting": {"account_id": {"references": "customer.customer_id", "names_data_subject": True}},
        "payment": {
            "payment_id": {"references": "posting.posting_id", "names_data_subject": True},
            "note": {"classification": "C2"},
        },
    }
    return {"trial": TRIAL | {name: amended(TRIAL[name], holds.get(name), **links[name]) for name in links}}


def posting(number: int, customer: str, direction: str = "D", summary: str = "工资") -> str:
    """A line of the posting file; the amount is the number."""
    return f"P{number:04d}|{customer}|{DAY}|{DAY} 09:00:00|{direction}|{number}.00|N|{summary}"


@pytest.fixture(autouse=True)
def grants(loader: psycopg.Connection) -> None:
    """The tables are younger than the roles of the template."""
    apply_roles(loader)


@pytest.fixture
def folder(landing: Path) -> Path:
    """A delivery: postings 1 and 2 of one customer, 3 and 4 of another, 2 and 4 of them with an unknown code."""
    folder = send_all(landing)
    rows = [posting(1, GONE), posting(2, GONE, "X"), posting(3, STAYS), posting(4, STAYS, "X")]
    send_posting(folder, lines=rows)
    payments = [
        {"payment_id": f"P000{n}", "paid_at": f"{DAY}T10:00:00", "amount": n, "is_late": False, "note": f"note {n}"}
        for n in (1, 3)
    ]
    path = folder / TRIAL["payment"].file_name(DAY)
    path.write_text("".join(json.dumps(payment) + "\n" for payment in payments), encoding="utf-8")
    send_control(path, 2, Decimal(4))
    return folder


@pytest.fixture
def load(loader: psycopg.Connection, landing: Path) -> Callable[..., BatchReport]:
    """Ingests the delivery."""

    def ingest_persons(contracts: dict, **options: object) -> BatchReport:
        settings = IngestOptions(**options)  # type: ignore[arg-type]
        return ingest("trial", DAY, connection=loader, landing=landing, contracts=contracts, options=settings)

    return ingest_persons


def contents(session: psycopg.Connection) -> dict[str, list]:
    """Raw, quarantine and the account of every file."""
    account = "file_name, rows_sent, rows_loaded, rows_quarantined, rows_erased, amount_sent, amount_loaded"
    statements = {
        "customer": "select t::text from raw_trial.customer as t order by 1",
        "posting": "select t::text from raw_trial.posting as t order by 1",
        "payment": "select t::text from raw_trial.payment as t order by 1",
        "quarantine": "select line, state, raw_text, message, amount from quarantine.row order by 1",
        "ledger": f"select {account}, amount_quarantined, amount_erased from ops.source_file order by 1",
        "tombstones": "select table_name, key from ops.erased_key order by 1, 2",
    }
    return {name: session.execute(statement).fetchall() for name, statement in statements.items()}


def test_loaded_before_or_after_the_request_is_the_same(loader: psycopg.Connection, folder: Path, load: Callable):
    contracts = persons()
    assert load(contracts).is_complete
    clear = contents(loader)
    assert ask_erasure(loader, contracts, GONE, "consent withdrawn")
    carry_out(loader, contracts)
    after = contents(loader)

    empty(loader)
    assert ask_erasure(loader, contracts, GONE, "consent withdrawn")
    carry_out(loader, contracts)
    assert load(contracts).is_complete
    assert contents(loader)["posting"] == after["posting"], "what comes later lands overwritten"
    carry_out(loader, contracts)  # payments were loaded before the posting that they speak of
    assert contents(loader) == after

    assert after["tombstones"] == [("customer", GONE), ("posting", "P0001")]
    for name, changed in (("customer", 1), ("posting", 1), ("payment", 1)):
        assert len(after[name]) == len(clear[name])
        assert len(set(after[name]) - set(clear[name])) == changed, name
    values = "customer_name, id_number, limit_amount, id_type"
    erased = loader.execute(f"select {values} from raw_trial.customer where customer_id = %s", [GONE]).fetchone()
    assert erased == (ERASED, None, Decimal("1100.50"), "resident_id")
    assert loader.execute("select posting_id, amount, summary from raw_trial.posting order by 1").fetchall() == [
        ("P0001", 1, None),
        ("P0003", 3, "工资"),
    ]
    assert [row[1:3] for row in after["quarantine"]] == [("erased", ERASED), ("held", posting(4, STAYS, "X"))]
    assert not any(GONE in str(row) for row in after["quarantine"])
    accounts = {row[0].split("_")[0]: row[1:] for row in after["ledger"]}
    assert accounts["posting"] == (4, 1, 2, 1, 10, 3, 6, 1), "sent = loaded + quarantined + erased"
    assert accounts["payment"] == (2, 1, 0, 1, 4, 3, 0, 1)


def test_running_again_finds_nothing_and_every_run_is_on_record(
    loader: psycopg.Connection, ledger: Session, folder: Path, load: Callable
):
    contracts = persons()
    load(contracts)
    ask_erasure(loader, contracts, GONE, "consent withdrawn")
    assert not ask_erasure(loader, contracts, GONE, "again")
    first, second = carry_out(loader, contracts), carry_out(loader, contracts)
    assert first.raw == {"trial.customer": 1, "trial.payment": 1, "trial.posting": 1}
    assert first.quarantined == {"trial.posting": 1}
    assert (second.rows, second.raw) == (0, {})
    taken = "select place, sum(rows)::int, count(*)::int from ops.disposal group by 1 order by 1"
    assert loader.execute(taken).fetchall() == [("quarantine", 1, 1), ("raw", 3, 3)]
    assert loader.execute("select kind, finished_at is null from ops.disposal_run").fetchall() == [
        ("erasure", False),
        ("erasure", False),
    ]
    (entry,) = requests(ledger)
    assert (entry.key, entry.state, entry.held_until) == (GONE, "done", None)


def test_a_legal_hold_wins_until_it_ends(loader: psycopg.Connection, ledger: Session, folder: Path, load: Callable):
    contracts = persons(customer="10 y")
    load(contracts)
    ask_erasure(loader, contracts, GONE, "left the bank")
    assert carry_out(loader, contracts).raw == {"trial.payment": 1, "trial.posting": 1}
    (entry,) = requests(ledger)
    assert (entry.state, entry.held_until) == ("held", date(2036, 11, 1))
    assert carry_out(loader, contracts, date(2036, 10, 31)).rows == 0
    assert carry_out(loader, contracts, date(2036, 11, 1)).raw == {"trial.customer": 1}
    assert requests(ledger)[0].state == "done"


def test_a_request_waits_for_its_first_day(loader: psycopg.Connection, ledger: Session, folder: Path, load: Callable):
    contracts, first_day = persons(), date(2031, 1, 1)
    load(contracts)
    ask_erasure(loader, contracts, GONE, "under investigation", first_day)
    assert carry_out(loader, contracts).rows == 0
    assert (requests(ledger)[0].state, requests(ledger)[0].held_until) == ("held", first_day)
    assert carry_out(loader, contracts, first_day).rows == 4


def test_a_row_let_out_of_quarantine_comes_in_overwritten(
    loader: psycopg.Connection, ledger: Session, folder: Path, load: Callable, landing: Path
):
    contracts = persons()
    load(contracts, raw_text_characters=3)  # so the key does not stand in what quarantine keeps
    ask_erasure(loader, contracts, GONE, "consent withdrawn")
    carry_out(loader, contracts)
    decide_rows(ledger, "release", Selection("trial", "posting", DAY), "the code is new")
    (report,) = let_out(loader, landing, contracts)
    assert report.rows_loaded == 2
    assert loader.execute("select posting_id, summary from raw_trial.posting order by 1").fetchall() == [
        ("P0001", None),
        ("P0002", None),
        ("P0003", "工资"),
        ("P0004", "工资"),
    ]
    lot = "select rows_sent, rows_loaded, rows_erased, amount_loaded, amount_erased from ops.source_file"
    assert loader.execute(f"{lot} where release = 1").fetchall() == [(2, 1, 1, 4, 2)]


def test_only_a_person_can_be_erased(loader: psycopg.Connection):
    with pytest.raises(Refusal, match=r"\[subject\].*posting.*Name one of customer"):
        request(loader, persons(), "trial", "posting", "P0001", "by mistake")


def test_the_law_in_force_says_how_long(loader: psycopg.Connection):
    """domain.md 0.1: five years before 2025, ten from then on; what had been let go before is not held again."""
    since, periods = Retention.model_validate({"legal_hold": "anti_money_laundering"}).hold_terms
    for made, until in (
        (date(1999, 5, 1), date(2007, 1, 1)),
        (date(2019, 6, 1), date(2024, 6, 1)),
        (date(2019, 12, 31), date(2024, 12, 31)),
        (date(2020, 1, 1), date(2030, 1, 1)),
        (date(2026, 11, 1), date(2036, 11, 1)),
    ):
        asked = "select ops.held_until(%s, %s::date[], %s::interval[])"
        assert loader.execute(asked, [made, since, periods]).fetchone() == (until,), made
    assert loader.execute("select ops.held_until('2026-11-01', '{}', '{}')").fetchone() == (None,)
    with pytest.raises(ValueError, match=r"no rule of legal_hold\.yaml"):
        Retention.model_validate({"legal_hold": "for_ever"})


def test_who_requested_cannot_approve_and_nothing_goes_before(
    loader: psycopg.Connection, ledger: Session, folder: Path, load: Callable
):
    contracts = persons()
    load(contracts)
    with connect("stella") as steward:
        request(steward, contracts, "trial", "customer", GONE, "letter of 2026-11-20")
    erasure_id = requests(ledger)[0].erasure_id
    assert carry_out(loader, contracts).rows == 0
    with connect("stella") as steward, pytest.raises(Refusal, match=r"\[approver\].*same login"):
        decide(steward, erasure_id, "approve", "myself")
    with connect("stella") as steward, pytest.raises(Refusal, match=r"\[approver\]"):
        steward.execute("select set_config('role', 'steward', false)")
        decide(steward, erasure_id, "approve", "under another role")
    with connect("sophie") as other, pytest.raises(Refusal, match=r"\[request\]"):
        decide(other, erasure_id + 1, "approve", "of nobody")
    for verdict, until, state, rows in (
        ("reject", None, "rejected", 0),
        ("approve", None, "approved", 0),
        ("hold", date(2031, 1, 1), "held", 0),
        ("hold", date(2026, 1, 1), "done", 4),
    ):
        with connect("sophie") as other:
            decide(other, erasure_id, verdict, f"because: {verdict}", until)
        if verdict != "approve":
            assert carry_out(loader, contracts, date(2026, 11, 25)).rows == rows
        ledger.expire_all()
        assert requests(ledger)[0].state == state
    told = [(decision.verdict, decision.decided_by) for decision in requests(ledger)[0].decisions]
    assert told == [(verdict, "sophie") for verdict in ("reject", "approve", "hold", "hold")]
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        loader.execute("delete from ops.erasure_decision")


def test_a_steward_may_request_and_nobody_else(loader: psycopg.Connection, ledger: Session):
    with connect("stella") as steward:
        assert request(steward, persons(), "trial", "customer", GONE, "consent withdrawn")
    assert requests(ledger)[0].requested_by == "stella"
    with connect("regina") as officer, pytest.raises(psycopg.errors.InsufficientPrivilege):
        request(officer, persons(), "trial", "customer", STAYS, "no right to")
