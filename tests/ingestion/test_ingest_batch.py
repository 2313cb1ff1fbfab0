"""Whole batches through the real database: what is loaded, what is refused, what the ledger says."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from trial_sender import (
    CONTRACTS,
    DAY,
    TABLES,
    TRIAL,
    card_file,
    card_line,
    folder_of,
    posting_rows,
    send_all,
    send_card_posting,
    send_control,
    send_customer,
    send_daily_reading,
    send_load_curve,
    send_manager_target,
    send_payment,
    send_posting,
)

from ingestion.batch import NothingLanded, ingest
from ingestion.ledger import PROGRAMS
from ingestion.raw_ddl import FILES_EXPECTED
from ingestion.receipt import Receipt, file_sha256, receipt_path, write_receipt
from warehouse.code_version import code_version

NEXT_DAY = date(2026, 11, 2)


def report_of(report, table):
    """The report of one table's file."""
    return next(file for file in report.files if file.table == table)


def scalar(session, statement, *values):
    """One value."""
    return session.execute(statement, values).fetchone()[0]


def assert_only_refused(report, session, table, rule, *words):
    """One file is refused with its rule and words in the message; the others are loaded, nothing of it is."""
    refused = report_of(report, table)
    assert refused.state == "refused", refused
    assert f"[{rule}]" in refused.message
    for word in words:
        assert word in refused.message, refused.message
    assert refused.file_name in refused.message
    assert {file.state for file in report.files if file.table != table} <= {"loaded"}
    assert scalar(session, f"select count(*) from raw_trial.{table}") == 0
    assert report.state == "refused"
    assert scalar(session, "select count(*) from ops.loaded_file") == 0


def test_a_good_delivery_is_complete(run, loader, landing):
    folder = send_all(landing)
    report = run()
    assert report.state == "complete" and report.is_complete
    assert {file.table: (file.state, file.rows_loaded) for file in report.files} == {
        "posting": ("loaded", 20),
        "customer": ("loaded", 5),
        "card_posting": ("loaded", 10),
        "load_curve": ("loaded", 6),
        "payment": ("loaded", 6),
        "daily_reading": ("loaded", 4),
        "manager_target": ("loaded", 6),
    }
    assert scalar(loader, "select count(*) from ops.loaded_file") == len(TABLES)
    versions = loader.execute("select distinct contract_version, code_version from ops.source_file").fetchall()
    assert versions == [("1.0.0", code_version(*PROGRAMS))]
    assert {path.name for path in folder.glob("*.receipt.json")} >= {
        "posting_20261101.txt.receipt.json",
        "posting_20261101.ctl.receipt.json",
    }
    row = loader.execute(
        "select account_id, posted_on, posted_at, amount, is_reversal, summary, _line "
        "from raw_trial.posting order by _line limit 1"
    ).fetchone()
    assert row == ("622200000001", DAY, datetime(2026, 11, 1, 9, 1), Decimal("1.25"), False, "工资 1", 2)
    row = loader.execute(
        "select merchant_name, posted_at, amount, mcc, _line from raw_trial.card_posting order by _line limit 1"
    ).fetchone()
    assert row == ("全聚德𠀀1", datetime(2026, 11, 1, 12, 1), Decimal("1.05"), "5812", 2)
    row = loader.execute(
        "select meter_id, unit, readings, day_kwh, _line from raw_trial.load_curve order by _line limit 1"
    ).fetchone()
    assert row == ("M010000", "kWh", [Decimal("0.5"), Decimal("0.5"), None, Decimal("0.5")], Decimal("1.5"), 3)
    row = loader.execute(
        "select customer_name, limit_amount, effective_date from raw_trial.customer order by _line limit 1"
    ).fetchone()
    assert row == ("王, 明", Decimal("1000.50"), DAY)


def test_the_planner_finds_the_rows_of_a_file(run, loader, landing):
    send_all(landing)
    run()
    index = "raw_trial.posting_file_brin"
    assert scalar(loader, "select brin_summarize_new_values(%s::regclass)", index) == 0  # no page is left
    expected = (
        "select n_distinct from pg_stats where schemaname = 'raw_trial' and tablename = 'posting' and attname = %s"
    )
    assert scalar(loader, expected, "_file_id") == FILES_EXPECTED


def test_sent_is_loaded_and_quarantined_per_file(run, loader, landing):
    send_all(landing)
    run()
    counted = dict(loader.execute("select table_name, counted_by from ops.source_file").fetchall())
    assert counted == {
        "posting": "control file",
        "payment": "control file",
        "card_posting": "trailer",
        "load_curve": "trailer",
        "customer": "line feeds",
        "daily_reading": "parquet metadata",
        "manager_target": "row numbers of the sheet",
    }
    assert scalar(
        loader,
        "select bool_and(rows_sent = rows_loaded + rows_quarantined + rows_erased "
        "and amount_sent = amount_loaded + amount_quarantined + amount_erased) from ops.source_file",
    )


def test_running_again_is_a_no_op(run, loader, landing):
    send_all(landing)
    first = run()
    before = loader.execute("select * from ops.source_file order by file_id").fetchall()
    again = run()
    assert all(file.already for file in again.files) and not any(file.already for file in first.files)
    assert again.known_at == first.known_at
    assert loader.execute("select * from ops.source_file order by file_id").fetchall() == before
    assert scalar(loader, "select count(*) from raw_trial.posting") == 20


def test_rejected_rows_go_to_quarantine_and_the_account_ties_out(run, loader, landing):
    folder = send_all(landing)
    lines = posting_rows(100)
    lines[3] = lines[3].replace("|D|", "|X|").replace("|C|", "|X|")
    lines[10] = lines[10].replace(str(DAY), "2026-02-30", 1)
    lines[20] = lines[20] + "|surplus"
    lines[30] = lines[29]
    path = send_posting(folder, lines=lines)
    total = sum(Decimal(line.split("|")[5]) for line in lines)
    send_control(path, 100, total)
    report = run()
    assert report.state == "complete"
    assert report_of(report, "posting").rows_quarantined == 4
    rows = loader.execute(
        "select line, rule, column_name, raw_text, amount, state from quarantine.row order by line"
    ).fetchall()
    assert [(line, rule, column) for line, rule, column, *_ in rows] == [
        (5, "codes", "direction"),
        (12, "type", "posted_on"),
        (22, "field_count", None),
        (32, "duplicate_key", "posting_id"),
    ]
    assert rows[0][3] == lines[3] and rows[0][4] == Decimal("5.00") and rows[0][5] == "held"
    sent, loaded, quarantined = loader.execute(
        "select amount_sent, amount_loaded, amount_quarantined from ops.source_file where table_name = 'posting'"
    ).fetchone()
    assert sent == total and loaded + quarantined == total
    assert "amounts cannot be read" in report_of(report, "posting").message


def test_flagged_rows_are_loaded_with_a_warning(run, loader, landing):
    send_all(landing)
    report = run()
    assert report_of(report, "customer").rows_warned == 2
    assert loader.execute("select line, rule, column_name from quarantine.warning order by line").fetchall() == [
        (3, "check_digit_id", "id_number"),
        (5, "check_digit_id", "id_number"),
    ]


def test_too_many_rejected_rows_refuse_the_file_and_stay_visible(run, loader, landing):
    folder = send_all(landing)
    lines = [line.replace("|D|", "|X|") for line in posting_rows(20)]
    send_posting(folder, lines=lines)
    report = run(rejects_kept_of_refused=3)
    assert_only_refused(report, loader, "posting", "rejected_rows", "10 of 20 rows", "codes direction 10", "line 3")
    assert scalar(loader, "select count(*) from quarantine.row") == 3
    assert "keeps the first 3 of 10" in report_of(report, "posting").message


def test_a_cut_line_is_refused(run, loader, landing):
    folder = send_all(landing)
    path = folder / "posting_20261101.txt"
    path.write_bytes(path.read_bytes()[:-7])
    report = run()
    assert_only_refused(report, loader, "posting", "cut_line", "line 21")


def test_missing_lines_are_refused_by_the_control_file(run, loader, landing):
    folder = send_all(landing)
    path = folder / "posting_20261101.txt"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-3]))
    assert_only_refused(
        run(), loader, "posting", "control_rows", "20 rows, 17 were read", "3 are missing", "run the ingest again"
    )


def test_a_wrong_control_amount_is_refused(run, loader, landing):
    folder = send_all(landing)
    send_control(folder / "posting_20261101.txt", 20, Decimal("262.51"))
    assert_only_refused(run(), loader, "posting", "control_amount", "262.51", "262.50", "0.01")


def test_a_wrong_control_hash_is_refused(run, loader, landing):
    folder = send_all(landing)
    send_control(folder / "posting_20261101.txt", 20, Decimal("262.50"), sha256="0" * 64)
    assert_only_refused(run(), loader, "posting", "control_sha256")


def test_a_missing_control_file_is_refused_and_loads_when_it_comes(run, loader, landing):
    folder = send_all(landing)
    control = folder / "posting_20261101.ctl"
    kept = control.read_bytes()
    control.unlink()
    assert_only_refused(run(), loader, "posting", "control_missing", "posting_20261101.ctl")
    control.write_bytes(kept)
    assert run().state == "complete"


def test_an_unreadable_control_file_is_refused(run, loader, landing):
    folder = send_all(landing)
    (folder / "payment_20261101.ctl").write_text("file_name|row_count\npayment_20261101.jsonl|many\n")
    assert_only_refused(run(), loader, "payment", "control_unreadable", "payment_20261101.ctl")


def test_a_control_file_of_another_file_is_refused(run, loader, landing):
    folder = send_all(landing)
    control = folder / "payment_20261101.ctl"
    control.write_text(control.read_text().replace("payment_20261101", "payment_20261031"))
    assert_only_refused(run(), loader, "payment", "control_file_name", "payment_20261031")


def test_a_cut_gzip_is_refused(run, loader, landing):
    folder = send_all(landing)
    path = folder / "customer_20261101.csv.gz"
    path.write_bytes(path.read_bytes()[:-12])
    assert_only_refused(run(), loader, "customer", "unreadable", "gz")


def test_a_broken_parquet_is_refused(run, loader, landing):
    folder = send_all(landing)
    (folder / "daily_reading_20261101.parquet").write_bytes(b"PAR1 this is none PAR1")
    assert_only_refused(run(), loader, "daily_reading", "unreadable", "Parquet")


def test_wrong_encoding_names_line_and_byte(run, loader, landing):
    folder = send_all(landing)
    path = folder / "posting_20261101.txt"
    content = path.read_bytes().split(b"\r\n")
    content[7] = content[7][:-2] + b"\xff\xff"
    path.write_bytes(b"\r\n".join(content))
    assert_only_refused(run(), loader, "posting", "encoding", "line 8", "byte ", "(FF)", "gb18030")


def test_utf8_where_gb18030_was_agreed_is_refused(run, loader, landing):
    folder = send_all(landing)
    path = folder / "posting_20261101.txt"
    path.write_bytes(path.read_bytes().decode("gb18030").encode("utf-8"))
    assert_only_refused(run(), loader, "posting", "encoding", "UTF-8", "line 2")


def test_wrong_line_ends_are_refused(run, loader, landing):
    folder = send_all(landing)
    path = folder / "posting_20261101.txt"
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n"))
    assert_only_refused(run(), loader, "posting", "line_end", "line 1")


def test_a_fixed_width_file_without_its_trailer_is_refused(run, loader, landing):
    folder = send_all(landing)
    path = folder / "CARD_POSTING_20261101.dat"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert_only_refused(run(), loader, "card_posting", "trailer_missing", "line 11")


def test_a_trailer_that_does_not_match_names_its_line(run, loader, landing):
    folder = send_all(landing)
    lines = [card_line(1, "全聚德", "20261101120000", 100, "5812")]
    (folder / "CARD_POSTING_20261101.dat").write_bytes(card_file(lines, 101))
    assert_only_refused(run(), loader, "card_posting", "control_amount", "line 3", "1.01", "1.00")


def test_the_file_of_another_day_is_refused(run, loader, landing):
    folder = send_all(landing)
    path = folder / "CARD_POSTING_20261101.dat"
    send_card_posting(folder, day=NEXT_DAY).rename(path)
    assert_only_refused(run(), loader, "card_posting", "business_date", "2026-11-02", "line 1")


def test_a_misnamed_file_is_reported_and_the_batch_waits(run, loader, landing):
    folder = send_all(landing)
    (folder / "posting_20261101.txt").rename(folder / "postings_20261101.txt")
    report = run()
    assert report.state == "open"
    assert report.missing == ["posting_20261101.txt"]
    unknown = next(file for file in report.files if file.state == "unknown")
    assert "posting_20261101.txt is meant" in unknown.message
    assert scalar(loader, "select state from ops.source_file where table_name is null") == "unknown"
    (folder / "postings_20261101.txt").rename(folder / "posting_20261101.txt")
    assert run().state == "complete"


def test_a_copy_under_another_name_is_a_duplicate(run, loader, landing):
    folder = send_all(landing)
    (folder / "posting_20261101 (1).txt").write_bytes((folder / "posting_20261101.txt").read_bytes())
    report = run()
    assert report.state == "complete"
    copy = next(file for file in report.files if file.table is None)
    assert copy.state == "duplicate" and "the same content as posting_20261101.txt" in copy.message
    assert scalar(loader, "select count(*) from raw_trial.posting") == 20


def test_yesterdays_rows_sent_again_are_a_duplicate(run, loader, landing):
    send_all(landing)
    run()
    folder = send_all(landing, NEXT_DAY)
    path = send_posting(folder, day=NEXT_DAY, lines=posting_rows(20, DAY))
    assert path.name == "posting_20261102.txt"
    report = run(NEXT_DAY)
    assert report_of(report, "posting").state == "duplicate"
    assert "posting_20261101.txt of 2026-11-01" in report_of(report, "posting").message
    assert report.state == "refused"
    send_posting(folder, day=NEXT_DAY)
    assert run(NEXT_DAY).state == "complete"


def test_other_content_under_a_loaded_name_has_to_be_declared(run, loader, landing):
    folder = send_all(landing)
    first = run()
    send_posting(folder, rows=25)
    report = run()
    assert report.state == "complete" and report.known_at == first.known_at
    refused = report_of(report, "posting")
    assert refused.state == "refused" and "posting_20261101_r1.txt" in refused.message
    assert scalar(loader, "select count(*) from raw_trial.posting") == 20


def test_a_declared_correction_supersedes(run, loader, landing):
    folder = send_all(landing)
    run()
    send_posting(folder, rows=25, correction=1)
    report = run()
    assert report.state == "complete" and report.batch_id == "trial/2026-11-01/2"
    assert loader.execute(
        "select sequence, state, superseded_by is not null from ops.source_file "
        "where table_name = 'posting' order by sequence"
    ).fetchall() == [(1, "superseded", True), (2, "loaded", False)]
    assert scalar(loader, "select count(*) from raw_trial.posting") == 45
    assert scalar(loader, "select count(*) from ops.loaded_file where table_name = 'posting'") == 2


def test_a_correction_that_corrects_nothing_is_a_duplicate(run, loader, landing):
    folder = send_all(landing)
    (folder / "posting_20261101_r1.txt").write_bytes((folder / "posting_20261101.txt").read_bytes())
    for _ in range(2):
        report = run()
        assert report.state == "complete" and report.batch_id == "trial/2026-11-01/1"
        copy = next(file for file in report.files if file.file_name == "posting_20261101_r1.txt")
        assert copy.state == "duplicate" and "posting_20261101.txt" in copy.message
    assert scalar(loader, "select count(*) from raw_trial.posting") == 20


def test_the_file_of_another_table_is_refused(run, loader, landing):
    folder = send_all(landing)
    path = folder / "load_curve_20261101.csv"
    path.write_text(path.read_text().replace("100,load_curve", "100,bill_line"))
    assert_only_refused(run(), loader, "load_curve", "table_name", "'bill_line'", "line 1")


def test_utf16_is_refused(run, loader, landing):
    folder = send_all(landing)
    path = folder / "payment_20261101.jsonl"
    path.write_bytes(path.read_bytes().decode().encode("utf-16-le"))
    assert_only_refused(run(), loader, "payment", "encoding", "UTF-16", "line 1")


def test_a_few_rejected_rows_do_not_refuse_a_small_file(run, loader, landing):
    folder = send_all(landing)
    send_posting(folder, lines=[line.replace("|D|", "|X|") for line in posting_rows(6)])
    report = run()
    assert report.state == "complete" and report_of(report, "posting").rows_quarantined == 3


def test_a_correction_waits_for_its_delivery(run, loader, landing):
    folder = send_all(landing)
    control = folder / "posting_20261101.ctl"
    kept = control.read_bytes()
    control.unlink()
    send_posting(folder, rows=25, correction=1)
    report = run()
    assert any("waits for batch trial/2026-11-01/1" in message for message in report.messages)
    assert scalar(loader, "select count(*) from raw_trial.posting") == 0
    control.write_bytes(kept)
    assert run().state == "complete"


def test_a_refused_file_is_replaced_and_the_run_goes_on(run, loader, landing):
    folder = send_all(landing)
    path = folder / "posting_20261101.txt"
    good = path.read_bytes()
    path.write_bytes(good[:-7])
    assert run().state == "refused"
    path.write_bytes(good)
    report = run()
    assert report.state == "complete"
    assert loader.execute(
        "select state from ops.source_file where table_name = 'posting' order by state"
    ).fetchall() == [
        ("loaded",),
        ("replaced",),
    ]


def test_an_optional_file_may_be_absent_and_an_empty_one_is_complete(run, loader, landing):
    folder = send_all(landing)
    (folder / "daily_reading_20261101.parquet").unlink()
    send_posting(folder, rows=0)
    send_customer(folder, rows=0)
    send_card_posting(folder, rows=0)
    send_load_curve(folder, meters=0)
    send_payment(folder, rows=0)
    send_manager_target(folder, rows=0)
    report = run()
    assert report.state == "complete", report
    assert {file.rows_sent for file in report.files} == {0}


def test_an_empty_file_without_a_header_is_refused(run, loader, landing):
    folder = send_all(landing)
    path = folder / "posting_20261101.txt"
    path.write_bytes(b"")
    send_control(path, 0, Decimal(0))
    assert_only_refused(run(), loader, "posting", "empty")


def test_a_symbolic_link_is_not_followed(run, loader, landing):
    folder = send_all(landing)
    path = folder / "posting_20261101.txt"
    path.rename(landing / "elsewhere.txt")
    path.symlink_to(landing / "elsewhere.txt")
    report = run()
    assert report.state == "open"
    assert "symbolic_link" in next(file for file in report.files if file.state == "unknown").message


def test_receipts_are_kept_so_a_rebuild_knows_what_was_known_when(run, loader, landing):
    folder = send_all(landing)
    received = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)
    for path in sorted(folder.iterdir()):
        write_receipt(path, Receipt(path.name, path.stat().st_size, file_sha256(path), received))
    assert run().known_at == received
    send_posting(folder, rows=30, correction=1)
    assert run().known_at > received
    assert json.loads(receipt_path(folder / "posting_20261101.txt").read_text())["received_at"] == received.isoformat()


def test_file_ids_are_equal_in_every_database(run, loader, landing):
    send_all(landing)
    run()
    ids = loader.execute("select file_id from ops.source_file order by file_id").fetchall()
    loader.execute(
        "truncate ops.batch, ops.source_file, ops.drift, quarantine.decision, quarantine.row, quarantine.warning "
        "cascade"
    )
    run()
    assert loader.execute("select file_id from ops.source_file order by file_id").fetchall() == ids


def test_new_columns_are_noted_and_lost_ones_refuse(run, loader, landing):
    folder = send_all(landing)
    path = folder / "customer_20261101.csv.gz"
    lines = gzip.decompress(path.read_bytes()).decode("utf-8-sig").splitlines()
    wider = [lines[0] + ",segment", *(line + ",A" for line in lines[1:])]
    path.write_bytes(gzip.compress(("﻿" + "\n".join(wider) + "\n").encode()))
    narrower = [
        line.rpartition("|")[0]
        for line in ["posting_id|account_id|posted_on|posted_at|direction|amount|is_reversal|summary", *posting_rows(5)]
    ]
    posting = folder / "posting_20261101.txt"
    posting.write_bytes(("\r\n".join(narrower) + "\r\n").encode("gb18030"))
    send_control(posting, 5, Decimal("18.75"))
    report = run()
    assert_only_refused(report, loader, "posting", "lost_column", "'summary'", "line 1")
    assert "new_column 'segment'" in report_of(report, "customer").message
    assert loader.execute("select kind, column_name, policy from ops.drift").fetchall() == [
        ("new_column", "segment", "quarantine")
    ]


def test_nothing_landed_says_so(loader, landing):
    with pytest.raises(NothingLanded, match="no contracts"):
        ingest("nowhere", DAY, connection=loader, landing=landing, contracts=CONTRACTS)
    with pytest.raises(NothingLanded, match="2026-11-01"):
        ingest("trial", DAY, connection=loader, landing=landing, contracts=CONTRACTS)


def test_small_blocks_give_the_same_rows(run, loader, landing):
    send_all(landing)
    run()
    tables = [table for table in TABLES if table != "daily_reading"]
    whole = {t: loader.execute(f"select t::text from raw_trial.{t} as t order by _line").fetchall() for t in tables}
    loader.execute(
        "truncate ops.batch, ops.source_file, ops.drift, quarantine.decision, quarantine.row, quarantine.warning "
        "cascade"
    )
    loader.execute(f"truncate {', '.join(f'raw_trial.{t}' for t in TABLES)}")
    run(block_bytes=200, rows_per_block=1)
    assert whole == {
        t: loader.execute(f"select t::text from raw_trial.{t} as t order by _line").fetchall() for t in tables
    }


def test_every_file_name_of_the_trial_source_is_matched():
    assert TRIAL["posting"].file_name(DAY, 2) == "posting_20261101_r2.txt"
    assert TRIAL["customer"].file_name(DAY, 1) == "customer_20261101_r1.csv.gz"


def test_progress_is_told(loader, landing):
    send_all(landing)
    seen = []
    ingest(
        "trial",
        DAY,
        connection=loader,
        landing=landing,
        contracts=CONTRACTS,
        progress=lambda *event: seen.append(event),
    )
    assert ("posting", "receive", 7, 7, 0) in seen
    assert {event for _, event, *_ in seen} == {"receive", "rows", "loaded"}


def test_daily_reading_doubles_become_exact_decimals(run, loader, landing):
    send_all(landing)
    send_daily_reading(folder_of(landing), rows=4)
    run()
    assert scalar(loader, "select sum(kwh) from raw_trial.daily_reading") == Decimal("6.4")
