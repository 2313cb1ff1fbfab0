"""The end of retention: files leave landing, rows leave raw and quarantine; the ledger keeps their account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest
from trial_sender import DAY, TRIAL, folder_of, posting_rows, send_all, send_posting

from ingestion.contract import Contract, Retention
from ingestion.retention import dispose, expired

NEXT_DAY = DAY + timedelta(days=1)
LANDING_ENDS, ROWS_END = DAY + timedelta(days=31), date(2027, 11, 2)
"""First days after 30 days, and after one year."""


def kept(**terms: str) -> dict[str, dict[str, Contract]]:
    """The trial contracts with a retention for all tables."""
    retention = Retention.model_validate(terms)
    return {"trial": {name: contract.model_copy(update={"retention": retention}) for name, contract in TRIAL.items()}}


@pytest.fixture
def two_days(run: Callable, landing: Path) -> Path:
    """Two loaded deliveries; the first has a row in quarantine."""
    for day in (DAY, NEXT_DAY):
        folder = send_all(landing, day)
        lines = posting_rows(20, day)
        if day == DAY:
            lines[4] = lines[4].replace("|D|", "|X|").replace("|C|", "|X|")
        send_posting(folder, lines=lines, day=day)
        assert run(day).is_complete
    return landing


def rows(session: psycopg.Connection) -> dict[date, int]:
    """Postings in raw by business date."""
    counted = session.execute(
        "select business_date, count(*) from raw_trial.posting inner join ops.source_file on file_id = _file_id "
        "group by business_date"
    )
    return dict(counted.fetchall())


def test_landed_files_are_deleted_whole(loader: psycopg.Connection, two_days: Path):
    contracts = kept(landing="30 d")
    assert dispose(loader, two_days, contracts, LANDING_ENDS - timedelta(days=1)) == []
    stray = folder_of(two_days) / "notes.txt"
    stray.write_text("no contract claims it")
    sizes = {path.name: path.stat().st_size for path in folder_of(two_days).iterdir()}
    ended = dispose(loader, two_days, contracts, LANDING_ENDS)
    assert {(file.business_date, file.is_landed, file.has_rows) for file in ended} == {(DAY, True, False)}
    assert len(ended) == len(TRIAL)
    assert [path.name for path in folder_of(two_days).iterdir()] == ["notes.txt"], "receipts and control files go, too"
    assert len(list(folder_of(two_days, NEXT_DAY).iterdir())) > len(TRIAL)
    freed = loader.execute(
        "select file_name, disposal.bytes from ops.disposal inner join ops.source_file using (file_id) "
        "where place = 'landing'"
    ).fetchall()
    assert dict(freed) == {name: sizes[name] for name in dict(freed)} and len(freed) == len(TRIAL)
    assert rows(loader) == {DAY: 19, NEXT_DAY: 20}
    assert dispose(loader, two_days, contracts, LANDING_ENDS) == []


def test_rows_leave_raw_and_quarantine_and_the_account_stays(loader: psycopg.Connection, two_days: Path):
    contracts = kept(rows="1 y")
    account = "select file_id, rows_sent, rows_loaded, rows_quarantined, amount_sent from ops.source_file order by 1"
    before = loader.execute(account).fetchall()
    ended = expired(loader, contracts, ROWS_END)
    assert sum(file.held for file in ended) == 1
    assert dispose(loader, two_days, contracts, ROWS_END) == ended
    assert rows(loader) == {NEXT_DAY: 20}
    assert loader.execute("select count(*) from quarantine.row").fetchone() == (0,)
    assert loader.execute(account).fetchall() == before
    taken = "select place, sum(rows)::int from ops.disposal inner join ops.source_file using (file_id)"
    assert loader.execute(f"{taken} where table_name = 'posting' group by 1 order by 1").fetchall() == [
        ("quarantine", 1),
        ("raw", 19),
    ]
    assert dispose(loader, two_days, contracts, ROWS_END) == []


def test_rows_that_are_still_needed_stay(loader: psycopg.Connection, two_days: Path):
    contracts = kept(rows="1 y")
    assert dispose(loader, two_days, contracts, ROWS_END, kept_batches=[f"trial/{DAY}/1"]) == []
    assert rows(loader)[DAY] == 19


def test_interrupted_between_file_and_ledger(loader: psycopg.Connection, two_days: Path):
    contracts = kept(landing="30 d")
    gone = folder_of(two_days) / TRIAL["posting"].file_name(DAY)
    gone.unlink()
    ended = dispose(loader, two_days, contracts, LANDING_ENDS)
    assert gone.name in {file.file_name for file in ended}
    assert not (two_days / "trial" / DAY.isoformat()).exists(), "nothing else lay there"
    deleted = "select count(*) from ops.source_file where landing_deleted_at is not null"
    assert loader.execute(deleted).fetchone() == (len(TRIAL),)


def test_a_deleted_file_that_is_sent_again_is_known(loader: psycopg.Connection, two_days: Path, run: Callable):
    dispose(loader, two_days, kept(landing="30 d", rows="1 y"), ROWS_END)
    lines = posting_rows(20)
    lines[4] = lines[4].replace("|D|", "|X|").replace("|C|", "|X|")
    send_posting(folder_of(two_days), lines=lines)
    report = run(DAY)
    assert [(file.state, file.already) for file in report.files if file.table == "posting"] == [("loaded", True)]
    assert rows(loader) == {NEXT_DAY: 20}


def test_without_a_term_everything_is_kept(loader: psycopg.Connection, two_days: Path):
    assert expired(loader, kept(), date(2126, 1, 1)) == []
