"""What a plan says is what the ingest then does; the plan itself writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from trial_sender import DAY, TRIAL, folder_of, send_all, send_card_posting, send_posting

from ingestion.plan import PlannedFile, plan

BECOMES = {
    "load": {"loaded"},
    "nothing": {"loaded"},
    "refuse": {"refused", "duplicate"},
    "set aside": {"unknown", "duplicate"},
    "wait": {"received"},
}


@pytest.fixture
def planned(loader: psycopg.Connection, landing: Path) -> Callable[..., dict[str, PlannedFile]]:
    """The plan of the trial source by file name; asserts that planning leaves no trace."""

    def planned(day=DAY) -> dict[str, PlannedFile]:
        before = (sorted(landing.rglob("*")), loader.execute("select * from ops.source_file order by 1").fetchall())
        files = plan(loader, "trial", day, landing, TRIAL)
        after = (sorted(landing.rglob("*")), loader.execute("select * from ops.source_file order by 1").fetchall())
        assert after == before
        return {file.file_name: file for file in files}

    return planned


def assert_comes_true(files: dict[str, PlannedFile], report) -> None:
    """Every file became what was said, and what was missing is missing."""
    states = {file.file_name: file.state for file in report.files}
    for name, file in files.items():
        if file.verdict == "missing":
            assert name in report.missing
        else:
            assert states[name] in BECOMES[file.verdict], (name, file, states[name])


def test_a_day_without_files_lacks_all(planned):
    files = planned()
    assert {file.verdict for file in files.values()} == {"missing"}
    assert {file.table for file in files.values()} == {
        name for name, contract in TRIAL.items() if not contract.optional
    }


def test_a_good_delivery_is_loaded_and_then_nothing_is_left(planned, run, landing):
    send_all(landing)
    files = planned()
    assert {file.verdict for file in files.values()} == {"load"} and len(files) == len(TRIAL)
    assert_comes_true(files, run())
    assert {file.verdict for file in planned().values()} == {"nothing"}


def test_what_is_wrong_with_a_delivery_is_foreseen(planned, run, landing):
    folder = send_all(landing)
    (folder / TRIAL["payment"].file_name(DAY)).with_suffix(".ctl").unlink()
    (folder / TRIAL["customer"].file_name(DAY)).unlink()
    (folder / "postings_20261101.txt").write_text("x")
    files = planned()
    verdicts = {name: file.verdict for name, file in files.items() if file.verdict != "load"}
    assert verdicts == {
        "payment_20261101.jsonl": "refuse",
        "customer_20261101.csv.gz": "missing",
        "postings_20261101.txt": "set aside",
    }
    assert "payment_20261101.ctl" in files["payment_20261101.jsonl"].why
    assert_comes_true(files, run())


def test_corrections_are_foreseen(planned, run, landing):
    folder = send_all(landing)
    run()
    send_posting(folder, rows=21)  # other content under the name of a loaded file
    send_card_posting(folder, rows=11)
    original = folder / TRIAL["payment"].file_name(DAY)
    copy = folder / TRIAL["payment"].file_name(DAY, 1)
    copy.write_bytes(original.read_bytes())
    files = planned()
    assert (
        files["posting_20261101.txt"].verdict == "refuse"
        and "posting_20261101_r1.txt" in files["posting_20261101.txt"].why
    )
    assert files[copy.name].verdict == "set aside" and original.name in files[copy.name].why
    assert_comes_true(files, run())


def test_a_correction_of_an_incomplete_delivery_waits(planned, run, landing):
    folder = folder_of(landing)
    send_posting(folder, rows=20)
    send_posting(folder, rows=21, correction=1)
    files = planned()
    assert files["posting_20261101_r1.txt"].verdict == "wait"
    assert_comes_true(files, run())


def test_rows_of_another_date_are_foreseen(planned, run, landing):
    folder = send_all(landing)
    run()
    later = DAY + timedelta(days=1)
    send_all(landing, later)
    replayed = folder_of(landing, later) / TRIAL["payment"].file_name(later)
    replayed.write_bytes((folder / TRIAL["payment"].file_name(DAY)).read_bytes())
    files = planned(later)
    assert files[replayed.name].verdict == "refuse" and DAY.isoformat() in files[replayed.name].why
    assert_comes_true(files, run(later))
