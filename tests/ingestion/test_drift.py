"""Files that are no longer what their contract says: what each policy does to raw, quarantine and ledger."""

from __future__ import annotations

import gzip
import json
import signal
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import psycopg
import pytest
import trial_loader
import yaml
from sqlalchemy.orm import Session
from trial_sender import (
    DAY,
    POSTING_HEADER,
    TRIAL,
    ask_erasure,
    drifting,
    empty,
    folder_of,
    posting_rows,
    send_all,
    send_control,
    send_daily_reading,
    target_rows,
)
from xlsx_file import workbook

from ingestion.batch import BatchReport, ingest
from ingestion.check import check_file
from ingestion.contract import Column, Contract, Retention
from ingestion.drift import drifted, lines_for
from ingestion.erasure import carry_out
from ingestion.fault import EVOLUTION_POINTS
from ingestion.options import IngestOptions
from ingestion.quarantine import Selection, decide
from ingestion.raw_ddl import table_ddl
from ingestion.release import carry_out as let_out
from ingestion.retention import dispose

NEXT_DAY = DAY + timedelta(days=1)
EVOLVE = {"new_column": "evolve", "lost_column": "evolve", "changed_type": "evolve"}
NAMED = ("posting", "payment", "daily_reading", "manager_target", "customer")
"""Tables whose files name their columns, one of each format and one that is compressed and quoted."""


def send_wider(folder: Path, table: str, name: str, day: date = DAY) -> list[str]:
    """Sends a file with a column more and gives its values in the order of the lines."""
    path = folder / TRIAL[table].file_name(day)
    if table == "posting":
        lines, values = posting_rows(6, day), [f"网点 {n}" for n in range(6)]
        send_lines(path, [f"{POSTING_HEADER}|{name}", *(f"{line}|{v}" for line, v in zip(lines, values, strict=True))])
    elif table == "customer":
        lines = gzip.decompress(path.read_bytes()).decode("utf-8-sig").splitlines()
        values = [f"a, {n}" for n in range(len(lines) - 1)]
        text = "\n".join([f"{lines[0]},{name}", *(f'{line},"{v}"' for line, v in zip(lines[1:], values, strict=True))])
        path.write_bytes(gzip.compress(f"\ufeff{text}\n".encode()))
    elif table == "payment":
        objects = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        values = [f'{{"n": {n}}}' for n in range(len(objects))]
        path.write_text("".join(json.dumps(o | {name: {"n": n}}) + "\n" for n, o in enumerate(objects)), "utf-8")
        send_control(path, len(objects), sum((Decimal(str(o["amount"])) for o in objects), Decimal(0)))
    elif table == "daily_reading":
        frame = pl.read_parquet(send_daily_reading(folder, day=day))
        values = [f"[{n}, {n + 1}]" for n in range(frame.height)]
        frame.with_columns(pl.Series(name, [[n, n + 1] for n in range(frame.height)])).write_parquet(path)
    else:
        rows, values = target_rows(4), ["#REF!", "1.5", "2026-11-01", "文本"]
        header = [column.file_header for column in TRIAL[table].columns]
        cells = ["#REF!", 1.5, date(2026, 11, 1), "文本"]
        path.write_bytes(workbook([[*header, name], *([*row, cell] for row, cell in zip(rows, cells, strict=True))]))
    return values


def send_lines(path: Path, lines: list[str]) -> None:
    """A posting file of these lines and its control file."""
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode("gb18030"))
    at = lines[0].split("|").index("amount")
    amounts = [line.split("|")[at] for line in lines[1:]]
    total = sum((Decimal(amount) for amount in amounts if amount.replace(".", "").isdigit()), Decimal(0))
    send_control(path, len(lines) - 1, total)


def without(lines: list[str], column: str) -> list[str]:
    """Lines of a posting file without one of their columns."""
    at = lines[0].split("|").index(column)
    return ["|".join(line.split("|")[:at] + line.split("|")[at + 1 :]) for line in lines]


def columns_of(session: psycopg.Connection, table: str) -> list[str]:
    """Columns of a raw table."""
    return [column.name for column in session.execute(f"select * from raw_trial.{table} limit 0").description or ()]


def values_of(session: psycopg.Connection, table: str, column: str) -> list[object]:
    """Values of one column in the order of the lines."""
    return [value for (value,) in session.execute(f'select "{column}" from raw_trial.{table} order by _line')]


def drift_of(session: psycopg.Connection) -> list[tuple]:
    """What the ledger says of drift."""
    return session.execute("select kind, column_name, policy, kept_as from ops.drift order by 1, 2").fetchall()


def with_columns(contract: Contract, *columns: Column) -> Contract:
    """A contract with more columns."""
    now = {name: getattr(contract, name) for name in Contract.model_fields}
    return Contract(**now | {"columns": (*contract.columns, *columns)})


@pytest.fixture(autouse=True)
def raw_as_before(loader: psycopg.Connection) -> Iterator[None]:
    """Takes the columns that a test's loads have added out of the raw tables."""
    yield
    for table, column in loader.execute("select table_name, column_name from ops.evolved_column").fetchall():
        loader.execute(f'alter table raw_trial.{table} drop column "{column}"')


@pytest.fixture
def load(loader: psycopg.Connection, landing: Path) -> Callable[..., BatchReport]:
    """Ingests a day of the trial source under contracts of its own."""

    def ingested(contracts: dict[str, dict[str, Contract]], day: date = DAY, **options: object) -> BatchReport:
        settings = IngestOptions(**options)  # type: ignore[arg-type]
        return ingest("trial", day, connection=loader, landing=landing, contracts=contracts, options=settings)

    return ingested


@pytest.mark.parametrize("table", NAMED)
@pytest.mark.parametrize("policy", ["evolve", "ignore", "quarantine", "refuse"])
def test_a_new_column_of_every_format(loader, landing, load, table, policy):
    before = columns_of(loader, table)
    values = send_wider(send_all(landing), table, "branch")
    report = load(drifting(new_column=policy))
    file = next(file for file in report.files if file.table == table)
    if policy == "refuse":
        assert (file.state, report.state) == ("refused", "refused") and "[new_column]" in file.message
        return
    assert report.is_complete and file.rows_loaded == len(values), file
    assert f"new_column 'branch' ({policy})" in file.message
    assert drift_of(loader) == [("new_column", "branch", policy, "branch" if policy == "evolve" else None)]
    assert columns_of(loader, table) == before + (["branch"] if policy == "evolve" else [])
    if policy == "evolve":
        assert values_of(loader, table, "branch") == values
        (comment,) = loader.execute(
            "select col_description(%s::regclass, attnum) from pg_attribute where attrelid = %s::regclass "
            "and attname = 'branch'",
            [f"raw_trial.{table}"] * 2,
        ).fetchone()
        assert "personal until classified [C3]" in comment
    held = loader.execute("select column_name, value from quarantine.value order by line").fetchall()
    assert held == ([("branch", value) for value in values] if policy == "quarantine" else [])


def test_files_with_and_without_a_new_column_share_it(loader, landing, load):
    contracts = drifting(new_column="evolve")
    for day, wider in ((DAY, True), (NEXT_DAY, False), (NEXT_DAY + timedelta(days=1), True)):
        folder = send_all(landing, day)
        if wider:
            send_wider(folder, "posting", "branch", day)
        assert load(contracts, day).is_complete
    counted = loader.execute("select count(*), count(branch) from raw_trial.posting").fetchone()
    assert counted == (6 + 20 + 6, 12)
    first = "select file_name from ops.evolved_column inner join ops.source_file using (file_id)"
    assert loader.execute(first).fetchall() == [("posting_20261101.txt",)]


def test_a_name_that_comes_late_in_a_file_is_not_missed(loader, landing, load):
    path = send_all(landing) / TRIAL["payment"].file_name(DAY)
    objects = [
        {"payment_id": f"Z{n}", "paid_at": f"{DAY}T10:00:00", "amount": 1, "note": "a" * 40}
        | ({"late_name": n} if n in (7, 9) else {})
        | ({"later name": None if n == 39 else ""} if n > 30 else {})
        for n in range(40)
    ]
    for separators in ((", ", ": "), (",", ":"), (" , ", " : "), (",", "  :")):
        empty(loader)
        path.write_text("".join(json.dumps(o, separators=separators) + "\n" for o in objects), "utf-8")
        send_control(path, 40, Decimal(40))
        assert load(drifting(new_column="evolve"), block_bytes=512).is_complete
        assert [v for v in values_of(loader, "payment", "late_name") if v] == ["7", "9"]
    assert "later_name" not in columns_of(loader, "payment"), "it has no value"


@pytest.mark.parametrize(
    ("sent_as", "column"),
    [
        ("BranchNo", "branch_no"),
        ("网点", "new_"),
        ("ctid", "ctid__text"),
        ("_line", "line"),
        ("AMOUNT", "amount__text"),
        ("select", "select"),
        ('x"; drop table ops.batch; --', "x_drop_table_ops_batch"),
        ("n" * 150, "n" * 50),
    ],
)
def test_a_column_is_called_as_in_the_file_where_it_can_be(loader, landing, load, sent_as, column):
    values = send_wider(send_all(landing), "posting", sent_as)
    report = load(drifting(new_column="evolve"))
    assert report.is_complete, report
    ((_, name, _, kept_as),) = drift_of(loader)
    assert name == sent_as and kept_as.startswith(column) and len(kept_as) < 64
    assert values_of(loader, "posting", kept_as) == values


def test_two_names_never_share_a_column(loader, landing, load):
    folder = send_all(landing)
    send_wider(folder, "posting", "BranchNo|branch_no|BRANCH-NO")
    lines = (folder / "posting_20261101.txt").read_bytes().decode("gb18030").splitlines()
    send_lines(folder / "posting_20261101.txt", [lines[0], *(f"{line}|b|c" for line in lines[1:])])
    assert load(drifting(new_column="evolve")).is_complete
    kept = {name: kept_as for _, name, _, kept_as in drift_of(loader)}
    assert kept["BranchNo"] == "branch_no" and kept["branch_no"] == "branch_no__text"
    assert len(set(kept.values())) == 3 and kept["BRANCH-NO"].startswith("new_")
    assert values_of(loader, "posting", kept["branch_no"]) == ["b"] * 6
    assert values_of(loader, "posting", kept["BRANCH-NO"]) == ["c"] * 6


def test_a_refused_file_leaves_raw_as_it_was(loader, landing, load):
    before = columns_of(loader, "posting")
    folder = send_all(landing)
    send_wider(folder, "posting", "branch")
    send_control(folder / "posting_20261101.txt", 6, Decimal("1.00"))
    assert load(drifting(new_column="evolve")).state == "refused"
    assert columns_of(loader, "posting") == before
    assert loader.execute("select count(*) from ops.evolved_column").fetchone() == (0,)


def test_a_table_grows_up_to_a_bound(loader, landing, load):
    folder = send_all(landing)
    send_wider(folder, "posting", "one|two|three")
    lines = (folder / "posting_20261101.txt").read_bytes().decode("gb18030").splitlines()
    send_lines(folder / "posting_20261101.txt", [lines[0], *(f"{line}|2|3" for line in lines[1:])])
    report = load(drifting(new_column="evolve"), new_columns=2)
    (refused,) = [file for file in report.files if file.state == "refused"]
    assert "more than 2 columns that are not in the contract" in refused.message
    assert load(drifting(new_column="evolve"), new_columns=3).is_complete
    send_wider(send_all(landing, NEXT_DAY), "posting", "four", NEXT_DAY)
    report = load(drifting(new_column="evolve"), NEXT_DAY, new_columns=3)
    (refused,) = [file for file in report.files if file.state == "refused"]
    assert "has 3 columns beside the contract's, 'four' would be one more" in refused.message


def test_killed_with_a_column_added_and_started_again(database, loader, landing):
    send_wider(send_all(landing), "posting", "branch")
    before = columns_of(loader, "posting")
    for point in EVOLUTION_POINTS:
        loading = trial_loader.start(database, landing, point, drift=EVOLVE)
        loading.join()
        assert loading.exitcode == -signal.SIGKILL, point
        assert columns_of(loader, "posting") == before
    ingest("trial", DAY, connection=loader, landing=landing, contracts=drifting(**EVOLVE))
    assert values_of(loader, "posting", "branch") == [f"网点 {n}" for n in range(6)]
    assert loader.execute("select column_name from ops.evolved_column").fetchall() == [("branch",)]


def test_two_loaders_add_a_column_once(database, loader, landing):
    days = [DAY + timedelta(days=n) for n in range(3)]
    for day in days:
        send_wider(send_all(landing, day), "posting", "branch", day)
    loaders = [trial_loader.start(database, landing, day=day, drift=EVOLVE) for day in days]
    for loading in loaders:
        loading.join()
        assert loading.exitcode == 0
    assert loader.execute("select count(branch), count(distinct _file_id) from raw_trial.posting").fetchone() == (18, 3)
    assert loader.execute("select column_name from ops.evolved_column").fetchall() == [("branch",)]


@pytest.mark.parametrize(
    ("policy", "lost", "words"),
    [
        ("refuse", "summary", "'summary' of the contract is not in the file."),
        ("ignore", "direction", "and it is required"),
        ("ignore", "amount", "no row can do without it"),
        ("evolve", "amount", "no row can do without it"),
        ("evolve", "posting_id", "no row can do without it"),
    ],
)
def test_a_lost_column_refuses_the_file(loader, landing, load, policy, lost, words):
    send_lines_without(send_all(landing), lost)
    report = load(drifting(lost_column=policy))
    (refused,) = [file for file in report.files if file.state == "refused"]
    assert refused.table == "posting" and "[lost_column]" in refused.message and words in refused.message


def send_lines_without(folder: Path, lost: str) -> None:
    """A posting file that lacks a column; the control file says what it would have said."""
    whole = [POSTING_HEADER, *posting_rows(10)]
    path = folder / "posting_20261101.txt"
    path.write_bytes(("\r\n".join(without(whole, lost)) + "\r\n").encode("gb18030"))
    send_control(path, 10, Decimal("68.75"))


@pytest.mark.parametrize(("policy", "lost"), [("evolve", "direction"), ("evolve", "summary"), ("ignore", "summary")])
def test_rows_land_without_a_lost_column(loader, landing, load, policy, lost):
    send_lines_without(send_all(landing), lost)
    assert load(drifting(lost_column=policy)).is_complete
    assert values_of(loader, "posting", lost) == [None] * 10
    assert drift_of(loader) == [("lost_column", lost, policy, None)]


def test_rows_wait_for_a_lost_column_and_are_let_in_without(loader, ledger: Session, landing, load):
    send_lines_without(send_all(landing), "direction")
    report = load(drifting(lost_column="quarantine"))
    assert report.is_complete, "what was agreed does not hold up the batch"
    account = "select rows_sent, rows_loaded, rows_quarantined, amount_quarantined from ops.source_file"
    assert loader.execute(f"{account} where table_name = 'posting'").fetchone() == (10, 0, 10, Decimal("68.75"))
    assert loader.execute("select distinct rule, column_name from quarantine.row").fetchall() == [
        ("lost_column", "direction")
    ]
    decide(ledger, "replay", Selection("trial", "posting", DAY), "still the same contract")
    (again,) = let_out(loader, landing, drifting(lost_column="quarantine"))
    assert again.rows_loaded == 0 and "10 rows stay: lost_column direction 10" in again.message
    decide(ledger, "replay", Selection("trial", "posting", DAY), "the sender has given it up")
    (done,) = let_out(loader, landing, drifting(lost_column="evolve"))
    assert done.rows_loaded == 10 and values_of(loader, "posting", "direction") == [None] * 10


def test_a_required_name_that_no_line_of_json_has_is_lost(loader, landing, load):
    path = send_all(landing) / TRIAL["payment"].file_name(DAY)
    objects = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    path.write_text("".join(json.dumps({k: v for k, v in o.items() if k != "paid_at"}) + "\n" for o in objects))
    send_control(path, 6, Decimal("15.6"))
    report = load(drifting(lost_column="refuse"))
    (refused,) = [file for file in report.files if file.state == "refused"]
    assert "[lost_column]" in refused.message and "'paid_at'" in refused.message
    assert load(drifting(lost_column="evolve")).is_complete
    assert values_of(loader, "payment", "paid_at") == [None] * 6


@pytest.mark.parametrize("policy", ["evolve", "ignore", "quarantine", "refuse"])
def test_values_of_another_type(loader, landing, load, policy):
    folder = send_all(landing)
    lines = [POSTING_HEADER, *posting_rows(10)]
    lines[2] = lines[2].replace("|N|", "|perhaps|")  # not required
    lines[3] = lines[3].replace("|2026-11-01|", "|1 Nov|")  # required
    lines[4] = lines[4].replace("|5.00|", "|five|")  # the amount
    send_lines(folder / "posting_20261101.txt", lines)
    send_control(folder / "posting_20261101.txt", 10, Decimal("68.75"))
    report = load(drifting(changed_type=policy))
    if policy == "refuse":
        (refused,) = [file for file in report.files if file.state == "refused"]
        assert refused.table == "posting" and "[changed_type]" in refused.message
        return
    assert report.is_complete
    held = {"evolve": [5], "ignore": [4, 5], "quarantine": [3, 4, 5]}[policy]
    assert loader.execute("select line from quarantine.row where rule = 'type' order by 1").fetchall() == [
        (line,) for line in held
    ]
    flags = loader.execute("select line, column_name from quarantine.warning where rule = 'type' order by 1").fetchall()
    landed = {"evolve": [(3, "is_reversal"), (4, "posted_on")], "ignore": [(3, "is_reversal")], "quarantine": []}[
        policy
    ]
    assert flags == landed
    assert [row[:3] for row in drift_of(loader)] == [("changed_type", column, policy) for _, column in landed]
    assert ("is_reversal__text" in columns_of(loader, "posting")) is (policy == "evolve")
    if policy == "evolve":
        kept = "select _line, is_reversal__text, posted_on__text from raw_trial.posting where is_reversal is null"
        assert loader.execute(f"{kept} or posted_on is null order by 1").fetchall() == [
            (3, "perhaps", None),
            (4, None, "1 Nov"),
        ]


def test_a_contract_takes_up_a_column_that_raw_has(loader, landing, load):
    values = send_wider(send_all(landing), "posting", "BranchNo")
    load(drifting(new_column="evolve"))
    text = with_columns(TRIAL["posting"], Column(name="branch_no", physical_type="text", header="BranchNo"))
    loader.execute(table_ddl(text))
    loader.execute(table_ddl(text))
    assert values_of(loader, "posting", "branch_no") == values, "the column goes on"
    number = with_columns(TRIAL["posting"], Column(name="branch_no", physical_type="integer", header="BranchNo"))
    loader.execute(table_ddl(number))
    assert values_of(loader, "posting", "branch_no__text") == values, "of another type it steps aside"
    assert values_of(loader, "posting", "branch_no") == [None] * 6
    assert loader.execute("select column_name from ops.evolved_column").fetchall() == [("branch_no__text",)]
    send_wider(send_all(landing, NEXT_DAY), "posting", "BranchNo", NEXT_DAY)
    path = folder_of(landing, NEXT_DAY) / "posting_20261102.txt"
    lines = path.read_bytes().decode("gb18030").replace("网点 ", "7").splitlines()
    send_lines(path, lines)
    assert load({"trial": drifting(new_column="evolve")["trial"] | {"posting": number}}, NEXT_DAY).is_complete
    taken = loader.execute("select count(branch_no), count(branch_no__text) from raw_trial.posting").fetchone()
    assert taken == (6, 6)
    loader.execute("alter table raw_trial.posting drop column branch_no")


def persons(**policies: str) -> dict[str, dict[str, Contract]]:
    """Contracts under which a posting speaks of a customer and has no personal column of its own."""
    contracts = drifting(**policies)["trial"]
    posting = contracts["posting"]
    changes = {
        "account_id": {"references": "customer.customer_id", "names_data_subject": True},
        "summary": {"classification": "none"},
    }
    now = {name: getattr(posting, name) for name in Contract.model_fields}
    columns = tuple(column.model_copy(update=changes.get(column.name, {})) for column in posting.columns)
    return {"trial": contracts | {"posting": Contract(**now | {"columns": columns})}}


@pytest.mark.parametrize("policy", ["evolve", "quarantine"])
def test_what_nobody_has_classified_is_erased(loader, landing, load, policy):
    contracts = persons(new_column=policy)
    assert not contracts["trial"]["posting"].personal_columns
    send_wider(send_all(landing), "posting", "branch")
    gone = "622200000002"
    kept = (
        "select _line, branch from raw_trial.posting where branch is not null order by 1"
        if policy == "evolve"
        else "select line, value from quarantine.value order by 1"
    )
    expected = [(n + 2, f"网点 {n}") for n in range(6) if n != 1]

    load(contracts)
    assert len(loader.execute(kept).fetchall()) == 6
    ask_erasure(loader, contracts, gone, "consent withdrawn")
    first = carry_out(loader, contracts)
    assert (first.raw if policy == "evolve" else first.quarantined) == {"trial.posting": 1}
    assert loader.execute(kept).fetchall() == expected
    assert carry_out(loader, contracts).rows == 0

    empty(loader)
    ask_erasure(loader, contracts, gone, "consent withdrawn")
    carry_out(loader, contracts)
    load(contracts)
    assert loader.execute(kept).fetchall() == expected, "it never came in"


def test_rejected_rows_with_what_nobody_has_classified_are_erased(loader, landing, load):
    contracts = persons(new_column="quarantine")
    folder = send_all(landing)
    send_wider(folder, "posting", "branch")
    lines = (folder / "posting_20261101.txt").read_bytes().decode("gb18030").splitlines()
    send_lines(folder / "posting_20261101.txt", [line.replace("|C|", "|X|") for line in lines])
    load(contracts)
    ask_erasure(loader, contracts, "622200000001", "consent withdrawn")
    assert carry_out(loader, contracts).quarantined == {"trial.posting": 1}
    states = loader.execute("select state, raw_text like '%网点%' from quarantine.row order by line").fetchall()
    assert states == [("erased", False), ("held", True), ("held", True)]


def test_the_end_of_retention_takes_the_values(loader, landing, load):
    retention = {"retention": Retention.model_validate({"rows": "1 y"})}
    contracts = {
        "trial": {
            name: contract.model_copy(update=retention)
            for name, contract in drifting(new_column="quarantine")["trial"].items()
        }
    }
    send_wider(send_all(landing), "posting", "branch")
    load(contracts)
    dispose(loader, landing, contracts, date(2028, 1, 1))
    assert loader.execute("select count(*) from quarantine.value").fetchone() == (0,)
    assert loader.execute("select count(*) from raw_trial.posting").fetchone() == (0,)


@pytest.mark.parametrize("policy", ["evolve", "quarantine"])
def test_lines_for_the_contract_are_suggested(loader, landing, load, tmp_path, policy):
    contracts = drifting(new_column=policy, lost_column="ignore", changed_type="evolve")
    folder = send_all(landing)
    lines = without([POSTING_HEADER, *posting_rows(60)], "summary")
    lines = [
        lines[0] + "|BranchNo",
        *(f"{line.replace('|N', '|vielleicht')}|{n:05d}" for n, line in enumerate(lines[1:])),
    ]
    send_lines(folder / "posting_20261101.txt", lines)
    report = check_file(contracts["trial"]["posting"], folder / "posting_20261101.txt", DAY)
    (suggested,) = report.suggested
    assert load(contracts).is_complete
    found = {one.kind: one for one in drifted(loader, contracts)}
    assert [(kind, one.column_name, one.policy, one.files) for kind, one in found.items()] == [
        ("changed_type", "is_reversal", "evolve", 1),
        ("lost_column", "summary", "ignore", 1),
        ("new_column", "BranchNo", policy, 1),
    ]
    posting = contracts["trial"]["posting"]
    new, changed = (yaml.safe_load(lines_for(loader, posting, found[kind])) for kind in ("new_column", "changed_type"))
    assert new == yaml.safe_load(suggested)
    assert (new[0]["name"], new[0]["physicalType"], new[0]["classification"]) == ("branch_no", "text", "C3")
    assert new[0]["customProperties"] == [{"property": "header", "value": "BranchNo"}]
    assert (changed[0]["name"], changed[0]["physicalType"]) == ("is_reversal_as_sent", "text")
    assert "summary" in lines_for(loader, posting, found["lost_column"])
    taken = with_columns(posting, Column(name="branch_no", physical_type="text", header="BranchNo"))
    assert "new_column" not in {one.kind for one in drifted(loader, {"trial": {"posting": taken}})}


def test_released_rows_bring_their_new_column(loader, ledger: Session, landing, load):
    contracts = drifting(new_column="evolve")
    folder = send_all(landing)
    send_wider(folder, "posting", "branch")
    lines = (folder / "posting_20261101.txt").read_bytes().decode("gb18030").splitlines()
    send_lines(folder / "posting_20261101.txt", [line.replace("|C|", "|X|") for line in lines])
    load(contracts)
    decide(ledger, "release", Selection("trial", "posting", DAY), "the code is new")
    (released,) = let_out(loader, landing, contracts)
    assert released.rows_loaded == 3
    assert values_of(loader, "posting", "branch") == [f"网点 {n}" for n in range(6)]
    aside = drifting(new_column="quarantine")
    empty(loader)
    load(aside)
    decide(ledger, "release", Selection("trial", "posting", DAY), "the code is new")
    let_out(loader, landing, aside)
    assert loader.execute("select line, value from quarantine.value order by 1").fetchall() == [
        (n + 2, f"网点 {n}") for n in range(6)
    ]


def test_an_erased_key_in_full_width_digits_is_found_in_rejected_rows(loader, landing, load):
    contracts = persons()
    posting = contracts["trial"]["posting"]
    changes = {"account_id": {"full_width": True}, "summary": {"classification": "C2"}}
    columns = tuple(column.model_copy(update=changes.get(column.name, {})) for column in posting.columns)
    now = {name: getattr(posting, name) for name in Contract.model_fields}
    contracts["trial"]["posting"] = Contract(**now | {"columns": columns})
    lines = [line.replace("622200000001", "６２２２０００００００１").replace("|C|", "|X|") for line in posting_rows(3)]
    send_lines(send_all(landing) / "posting_20261101.txt", [POSTING_HEADER, *lines])
    load(contracts)
    ask_erasure(loader, contracts, "622200000001", "consent withdrawn")
    assert carry_out(loader, contracts).quarantined == {"trial.posting": 1}
