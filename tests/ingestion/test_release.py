"""Rows out of quarantine: by decision, once, with their file and line, known since the decision."""

from __future__ import annotations

import gzip
import json
import signal
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import psycopg
import pytest
import trial_loader
from sqlalchemy.orm import Session
from trial_sender import (
    CONTRACTS,
    CUSTOMER_HEADER,
    DAY,
    POSTING_HEADER,
    TRIAL,
    card_file,
    card_line,
    posting_rows,
    send_all,
    send_control,
    send_posting,
    target_rows,
)
from xlsx_file import workbook

from ingestion.contract import Contract
from ingestion.fault import RELEASE_POINTS
from ingestion.quarantine import Selection, decide, groups, held_rows
from ingestion.release import ReleaseReport, carry_out

LetOut = Callable[..., ReleaseReport]
WRONG_DIRECTION, WRONG_AMOUNT = 5, 8
"""Lines of the posting file that break the code list and the type; the header is line 1."""


def one(session: psycopg.Connection, statement: str, *values: object) -> tuple:
    """The one row of an answer."""
    (row,) = session.execute(statement, values).fetchall()  # type: ignore[call-overload]
    return row


def with_column(contract: Contract, name: str, **changes: object) -> dict[str, dict[str, Contract]]:
    """The trial contracts, one column of one table changed: the next version of the contract."""
    columns = tuple(c.model_copy(update=changes) if c.name == name else c for c in contract.columns)
    now = {field: getattr(contract, field) for field in Contract.model_fields}
    return {"trial": {**TRIAL, contract.table: Contract(**now | {"columns": columns, "version": "2.0.0"})}}


@pytest.fixture
def folder(run: Callable, landing: Path) -> Path:
    """A loaded delivery whose posting file has a row of an unknown code and one of a wrong type in quarantine."""
    folder = send_all(landing)
    lines = posting_rows(40)
    lines[WRONG_DIRECTION - 2] = lines[WRONG_DIRECTION - 2].replace("|D|", "|X|").replace("|C|", "|X|")
    fields = lines[WRONG_AMOUNT - 2].split("|")
    lines[WRONG_AMOUNT - 2] = "|".join([*fields[:5], "ten", *fields[6:]])
    path = folder / TRIAL["posting"].file_name(DAY)
    path.write_bytes(("\r\n".join([POSTING_HEADER, *lines]) + "\r\n").encode("gb18030"))
    good = [line for line in lines if "|ten|" not in line]
    send_control(path, len(lines), sum((Decimal(line.split("|")[5]) for line in good), Decimal("10.00")))
    assert run().state == "complete"
    return folder


@pytest.fixture
def let_out(loader: psycopg.Connection, ledger: Session, landing: Path) -> LetOut:
    """Decides about rows of a table and carries it out; gives the one report."""

    def let_out(action: str, table: str = "posting", contracts: dict = CONTRACTS, **chosen: object) -> ReleaseReport:
        assert decide(ledger, action, Selection("trial", table, **chosen), "agreed with the sender") == 1
        (report,) = carry_out(loader, landing, contracts)
        return report

    return let_out


def test_a_released_row_is_loaded_as_sent(loader, folder, let_out):
    account = "select state, rows_sent, rows_loaded, rows_quarantined, amount_quarantined from ops.source_file "
    before = one(loader, account + "where table_name = 'posting'")
    report = let_out("release", rule="codes")
    assert (report.rows_chosen, report.rows_loaded, report.message) == (1, 1, None)
    row = one(
        loader,
        "select posting.direction, posting.amount, _line, file.file_name, file.rows_sent, file.rows_loaded, "
        "file.amount_loaded, batch.batch_id, batch.state, batch.known_at = decision.decided_at "
        "from raw_trial.posting inner join ops.loaded_file as loaded on loaded.file_id = _file_id "
        "inner join ops.source_file as file using (file_id) inner join ops.batch on batch.batch_id = file.batch_id "
        "inner join quarantine.decision on decision.loaded_as = file.file_id where direction = 'X'",
    )
    amount = Decimal("5.00")
    assert row == (
        "X", amount, WRONG_DIRECTION, "posting_20261101.txt", 1, 1, amount, f"trial/{DAY}/1/q1", "complete", True,
    )  # fmt: skip
    assert one(loader, account + "where table_name = 'posting' and release = 0") == before
    assert loader.execute("select line, state from quarantine.row order by line").fetchall() == [
        (WRONG_DIRECTION, "released"),
        (WRONG_AMOUNT, "held"),
    ]
    decision = one(
        loader, "select action, lines, reason, decided_by = session_user, rows_loaded from quarantine.decision"
    )
    assert decision == ("release", [WRONG_DIRECTION], "agreed with the sender", True, 1)


def test_what_the_table_cannot_hold_stays(loader, folder, let_out):
    report = let_out("release")
    assert (report.rows_chosen, report.rows_loaded) == (2, 1)
    assert report.message == "1 rows stay: type amount 1"
    report = let_out("release")
    assert (report.rows_chosen, report.rows_loaded) == (1, 0) and "[still_broken]" in str(report.message)
    assert one(loader, "select count(*) from ops.batch where release > 0") == (1,)


def test_carrying_out_again_does_nothing(loader, ledger, folder, landing, let_out, run):
    let_out("release", lines=(WRONG_DIRECTION,))
    count = "select count(*) from raw_trial.posting"
    before = one(loader, count)
    assert carry_out(loader, landing, CONTRACTS) == []
    assert decide(ledger, "release", Selection("trial", "posting", rule="codes"), "again") == 0
    report = run()
    assert report.is_complete and all(file.already for file in report.files)
    assert one(loader, count) == before


def test_a_replayed_row_goes_through_the_contract_as_it_is_now(loader, folder, let_out):
    report = let_out("replay", rule="codes")
    assert (report.rows_loaded, "codes direction 1" in str(report.message)) == (0, True)
    agreed = with_column(TRIAL["posting"], "direction", codes=("D", "C", "X"))
    report = let_out("replay", contracts=agreed)
    assert (report.rows_chosen, report.rows_loaded, report.message) == (2, 1, "1 rows stay: type amount 1")
    assert one(loader, "select contract_version from ops.source_file where release = 1") == ("2.0.0",)
    assert one(loader, "select state from quarantine.row where line = %s", WRONG_DIRECTION) == ("replayed",)


def test_the_second_row_of_a_key_is_released_but_not_replayed(loader, ledger, landing, run, let_out):
    folder = send_all(landing)
    lines = posting_rows(20)
    send_posting(folder, lines=[*lines, lines[3]])
    run()
    assert [group.rule for group in groups(ledger, Selection())] == ["duplicate_key"]
    assert let_out("replay").rows_loaded == 0
    assert let_out("release").rows_loaded == 1
    assert one(loader, "select count(*), count(distinct posting_id), max(_line) from raw_trial.posting") == (21, 20, 22)


def test_rows_of_a_refused_file_wait_for_the_file(loader, ledger, landing, run):
    folder = send_all(landing)
    send_posting(folder, lines=[line.replace("|D|", "|X|") for line in posting_rows(40)])
    assert run().state == "refused"
    (group,) = groups(ledger, Selection("trial"))
    assert (group.file_state, group.rows) == ("refused", 20)
    assert decide(ledger, "release", Selection("trial", "posting"), "let all in") == 0


def test_a_file_that_changed_in_landing_gives_nothing(loader, folder, landing, let_out):
    path = folder / TRIAL["posting"].file_name(DAY)
    sent = path.read_bytes()
    path.write_bytes(sent + b"\r\n")
    report = let_out("release", rule="codes")
    assert report.rows_loaded == 0 and "[landed_file_gone]" in str(report.message)
    path.write_bytes(sent)
    assert let_out("release", rule="codes").rows_loaded == 1


def test_a_correction_supersedes_what_was_released(loader, ledger, folder, landing, run, let_out):
    let_out("release", rule="codes")
    send_posting(folder, rows=40, correction=1)
    report = run()
    assert report.is_complete and report.batch_id == f"trial/{DAY}/2"
    assert loader.execute(
        "select sequence, release, state from ops.source_file where table_name = 'posting' order by 1, 2"
    ).fetchall() == [(1, 0, "superseded"), (1, 1, "superseded"), (2, 0, "loaded")]
    assert decide(ledger, "release", Selection("trial", "posting"), "too late") == 0


def test_killed_at_every_point_and_started_again(database, loader, ledger, folder, landing):
    rows = "select t::text from raw_trial.posting as t order by 1"
    held = "select line, state from quarantine.row order by 1"
    for number, point in enumerate(RELEASE_POINTS, start=1):
        if number > 1:
            loader.execute("delete from raw_trial.posting where direction = 'X'")
            loader.execute("update quarantine.row set state = 'held', decision_id = null")
            loader.execute("delete from quarantine.decision")
            loader.execute("delete from ops.source_file where release > 0; delete from ops.batch where release > 0")
        before = loader.execute(rows).fetchall()
        decide(ledger, "release", Selection("trial", "posting"), "agreed")
        releasing = trial_loader.start_release(database, landing, fault=point)
        releasing.join()
        assert releasing.exitcode == -signal.SIGKILL, point
        assert loader.execute(rows).fetchall() == before, point
        (report,) = carry_out(loader, landing, CONTRACTS)
        assert report.rows_loaded == 1, point
        assert len(loader.execute(rows).fetchall()) == len(before) + 1, point
        assert loader.execute(held).fetchall() == [(WRONG_DIRECTION, "released"), (WRONG_AMOUNT, "held")], point


def test_rows_of_every_format_can_be_released(loader, ledger, landing, run, let_out):
    folder = send_all(landing)
    day = f"{DAY:%Y%m%d}"
    customer = folder / TRIAL["customer"].file_name(DAY)
    lines = [CUSTOMER_HEADER, f'I,1,{day},C1,"王, 明",,,"¥1.00"', f'I,2,{day},C2,,,,"¥2.00"']
    customer.write_bytes(gzip.compress(("\ufeff" + "\n".join(lines) + "\n").encode()))
    cards = [card_line(n, "全聚德", f"{day}120000", 100, mcc) for n, mcc in ((1, "5812"), (2, "58x2"))]
    (folder / TRIAL["card_posting"].file_name(DAY)).write_bytes(card_file(cards, 200))
    payment = folder / TRIAL["payment"].file_name(DAY)
    objects = [{"payment_id": f"Z{n}", "paid_at": at, "amount": 1.5} for n, at in ((1, f"{DAY}T10:00:00"), (2, None))]
    payment.write_text("".join(json.dumps(o) + "\n" for o in objects), "utf-8")
    send_control(payment, 2, Decimal(3))
    reading = folder / TRIAL["daily_reading"].file_name(DAY)
    pl.DataFrame({"meter_id": ["M1", "M2"], "reading_date": [DAY] * 2, "kwh": [1.0, None]}).write_parquet(reading)
    curve = folder / TRIAL["load_curve"].file_name(DAY)
    readings = ["200,M1,kWh", f"300,{DAY},1,1,,1,3", f"300,{DAY - timedelta(1)},1,1,,1,"]
    curve.write_text("\n".join([f"100,load_curve,{day}", *readings, "900,2,3"]) + "\n", "utf-8")
    header, good, bad = [[c.file_header for c in TRIAL["manager_target"].columns], *target_rows(2)]
    (folder / TRIAL["manager_target"].file_name(DAY)).write_bytes(workbook([header, good, [bad[0], None, *bad[2:]]]))
    assert run().is_complete
    expected = {
        "manager_target": 3,
        "customer": 3,
        "card_posting": 3,
        "payment": 2,
        "daily_reading": 2,
        "load_curve": 4,
    }
    assert {row.table_name: row.line for row in held_rows(ledger, Selection("trial"), 99)} == expected
    for table, line in expected.items():
        assert let_out("release", table).rows_loaded == 1, table
        assert one(loader, f"select max(_line), count(*) from raw_trial.{table}") == (line, 2), table
    assert one(loader, "select merchant_name, mcc from raw_trial.card_posting where _line = 3") == ("全聚德", "58x2")
    assert one(loader, "select count(*) from ops.batch where release > 0 and state = 'complete'") == (len(expected),)
