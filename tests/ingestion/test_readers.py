"""Readers without a database: what each format yields, what it rejects, what refuses the file."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import zstandard
from trial_sender import (
    DAY,
    TRIAL,
    card_file,
    card_line,
    posting_rows,
    send_card_posting,
    send_customer,
    send_daily_reading,
    send_load_curve,
    send_payment,
    send_posting,
)

from ingestion.check import check_file
from ingestion.contract import Contract
from ingestion.options import IngestOptions
from ingestion.readers import open_reader
from ingestion.refusal import Refusal


def read(contract: Contract, path: Path, **options):
    """All rows, all rejects, and the reader."""
    reader = open_reader(contract, path, IngestOptions(**options), DAY)
    blocks = list(reader.blocks())
    frames = [block.frame for block in blocks]
    return pl.concat(frames) if frames else None, [r for b in blocks for r in b.rejects], reader


def with_layout(contract: Contract, **changes) -> Contract:
    """A contract with another layout."""
    return contract.model_copy(update={"layout": contract.layout.model_copy(update=changes)})


def test_delimited(tmp_path):
    frame, rejects, reader = read(TRIAL["posting"], send_posting(tmp_path, rows=3))
    assert not rejects and reader.counted == 3
    assert frame.row(0) == (
        "P01000001",
        "622200000001",
        "2026-11-01",
        "2026-11-01 09:01:00",
        "C",
        "1.25",
        "N",
        "工资 1",
        2,
    )


@pytest.mark.parametrize("delimiter", ["|+|", "\x01", "@@", "\t"])
def test_any_delimiter(tmp_path, delimiter):
    contract = with_layout(TRIAL["posting"], delimiter=delimiter)
    path = send_posting(tmp_path, rows=4)
    path.write_bytes(path.read_bytes().replace(b"|", delimiter.encode()))
    frame, rejects, _ = read(contract, path)
    assert not rejects and frame["summary"].to_list() == ["工资 1", "工资 2", "工资 3", "工资 4"]


def test_without_header(tmp_path):
    contract = with_layout(TRIAL["posting"], header=False)
    path = tmp_path / "posting.txt"
    path.write_bytes(("\r\n".join(posting_rows(3)) + "\r\n").encode("gb18030"))
    frame, _, _ = read(contract, path)
    assert frame["_line"].to_list() == [1, 2, 3]


def test_columns_are_found_by_name_in_any_order(tmp_path):
    path = tmp_path / "customer_20261101.csv.gz"
    header = "授信额度,customer_id,customer_name,id_type,id_number,change_flag,change_seq,effective_date"
    text = f"{header}\n5,C1,王,,,I,1,20261101\n"
    path.write_bytes(gzip.compress(text.encode("utf-8-sig")))
    frame, _, _ = read(TRIAL["customer"], path)
    assert frame.row(0, named=True)["limit_amount"] == "5" and frame.row(0, named=True)["customer_id"] == "C1"


def test_quoted_fields_and_null_tokens(tmp_path):
    path = tmp_path / "customer.csv.gz"
    header = "change_flag,change_seq,effective_date,customer_id,customer_name,id_type,id_number,授信额度"
    rows = ['I,1,20261101,C1,"a ""b"", c",NULL,"",', 'I,2,20261101,C2,"open,x,,', 'I,3,20261101,C3,"d;e",x,"NULL",1']
    path.write_bytes(gzip.compress(("\n".join([header, *rows]) + "\n").encode("utf-8-sig")))
    frame, rejects, _ = read(TRIAL["customer"], path)
    assert frame["customer_name"].to_list() == ['a "b", c', "d;e"]
    assert frame["id_type"].to_list() == [None, "x"] and frame["id_number"].to_list() == [None, None]
    assert [(r.line, r.rule) for r in rejects] == [(3, "quoting")]


def test_a_stray_quote_harms_only_its_own_line(tmp_path):
    contract = with_layout(TRIAL["customer"], compression="none")
    path = tmp_path / "customer.csv"
    header = "change_flag,change_seq,effective_date,customer_id,customer_name,id_type,id_number,授信额度"
    rows = ['I,1,20261101,C1,"x,,,', "I,2,20261101,C2,y,,,", 'I,3,20261101,C3,z",,,']
    path.write_text("﻿" + "\n".join([header, *rows]) + "\n", encoding="utf-8")
    frame, rejects, _ = read(contract, path)
    assert "C2" in frame["customer_id"].to_list()
    assert 2 in [r.line for r in rejects] and 3 not in [r.line for r in rejects]


def test_nul_bytes_and_stray_line_ends_are_rejected_alone(tmp_path):
    lines = posting_rows(5)
    lines[1] = lines[1].replace("工资", "\0")
    path = send_posting(tmp_path, lines=lines)
    path.write_bytes(path.read_bytes().replace("工资 4".encode("gb18030"), b"a\nb"))
    frame, rejects, _ = read(TRIAL["posting"], path)
    assert frame.height == 3
    assert [(r.line, r.rule) for r in rejects] == [(3, "nul_byte"), (5, "line_end"), (6, "field_count")]


@pytest.mark.parametrize("kind", ["gz", "zst", "zip"])
def test_compressions(tmp_path, kind):
    contract = with_layout(TRIAL["posting"], compression=kind)
    path = send_posting(tmp_path, rows=50)
    raw = path.read_bytes()
    if kind == "gz":
        path.write_bytes(gzip.compress(raw))
    elif kind == "zst":
        path.write_bytes(zstandard.compress(raw))
    else:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("posting.txt", raw)
        path.write_bytes(buffer.getvalue())
    frame, _, _ = read(contract, path, block_bytes=256)
    assert frame.height == 50
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Refusal) as refused:
        read(contract, path)
    assert refused.value.rule == "unreadable"


def test_an_archive_of_two_files_is_refused(tmp_path):
    path = tmp_path / "posting.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "a")
        archive.writestr("b", "b")
    with pytest.raises(Refusal, match="holds 2 files"):
        read(with_layout(TRIAL["posting"], compression="zip"), path)


def test_fixed_width_in_bytes_of_gb18030(tmp_path):
    frame, rejects, reader = read(TRIAL["card_posting"], send_card_posting(tmp_path, rows=3), block_bytes=128)
    assert not rejects and reader.declared.rows == 3 and reader.declared.amount == Decimal("6.15")
    assert frame["merchant_name"].to_list() == ["全聚德𠀀1", "全聚德𠀀2", "全聚德𠀀3"]
    assert frame["amount"].to_list() == ["000000000000105", "000000000000205", "000000000000305"]


def test_fixed_width_rejects(tmp_path):
    good = card_line(1, "全聚德", "20261101120000", 100, "5812")
    cut = card_line(3, "x" * 23, "20261101120000", 100, "5812")
    cut = cut[:34] + "德".encode("gb18030") + cut[36:]
    lines = [good, good[:-1], cut, b"X" + good[1:], good.replace(b" ", b"\0", 1), good]
    path = tmp_path / "CARD_POSTING_20261101.dat"
    path.write_bytes(card_file(lines, 600))
    frame, rejects, reader = read(TRIAL["card_posting"], path)
    assert frame["_line"].to_list() == [2, 7]
    assert sorted((r.line, r.rule) for r in rejects) == [
        (3, "record_length"),
        (4, "field_boundary"),
        (5, "record_type"),
        (6, "control_character"),
    ]
    assert reader.counted == 6


def test_lines_after_the_trailer_refuse(tmp_path):
    path = send_card_posting(tmp_path, rows=3)
    content = path.read_bytes()
    path.write_bytes(content + content)
    for block_bytes in (8 << 20, 256):
        with pytest.raises(Refusal) as refused:
            read(TRIAL["card_posting"], path, block_bytes=block_bytes)
        assert refused.value.rule == "after_trailer"


def test_records_carry_parents_down_across_blocks(tmp_path):
    for block_bytes in (8 << 20, 64):
        frame, rejects, reader = read(TRIAL["load_curve"], send_load_curve(tmp_path, meters=5), block_bytes=block_bytes)
        assert not rejects and frame.height == 10 and reader.declared.rows == 10
        assert frame["meter_id"].to_list() == [f"M01{i // 2:04d}" for i in range(10)]
        assert frame["readings"][2].to_list() == ["1.5", "1.5", None, "1.5"]


def test_records_rejects(tmp_path):
    path = tmp_path / "load_curve_20261101.csv"
    lines = [
        "100,load_curve,20261101",
        "300,2026-11-01,1,1,1,1,4",
        "200,M1,kWh",
        "300,2026-11-01,1,1,1,4",
        "777,x",
        "300,2026-11-01,1,1,1,1,4",
        "200,M2",
        "300,2026-11-01,1,1,1,1,4",
        "900,5,8",
    ]
    path.write_text("\n".join(lines) + "\n")
    frame, rejects, _ = read(TRIAL["load_curve"], path)
    assert frame.is_empty()
    assert [(r.line, r.rule) for r in rejects] == [
        (2, "parent"),
        (4, "field_count"),
        (5, "record_type"),
        (6, "parent"),
        (8, "parent"),
    ]


def test_json_lines_keep_money_exact(tmp_path):
    path = tmp_path / "payment_20261101.jsonl"
    lines = [
        '{"payment_id": "a", "paid_at": "2026-11-01T10:00:00", "amount": 0.10, "is_late": true}',
        '{"payment_id": "b", "paid_at": "2026-11-01 10:00:00", "amount": 9007199254740993.01}',
        '{"payment_id": "c", "amount": 1,',
        "[1]",
        '{"payment_id": "d\\u0000", "amount": 1}',
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    frame, rejects, reader = read(TRIAL["payment"], path)
    assert [Decimal(a) for a in frame["amount"]] == [Decimal("0.1"), Decimal("9007199254740993.01")]
    assert [(r.line, r.rule) for r in rejects] == [(3, "json"), (4, "json"), (5, "nul_byte")]
    assert reader.counted == 5


def test_json_lines_notice_new_keys(tmp_path):
    path = send_payment(tmp_path, rows=2)
    rows = [json.loads(line) | {"operator": "x"} for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    _, _, reader = read(TRIAL["payment"], path)
    assert [(d.kind, d.column) for d in reader.drift] == [("new_column", "operator")]


def test_parquet(tmp_path):
    path = send_daily_reading(tmp_path, rows=3)
    frame, _, reader = read(TRIAL["daily_reading"], path, rows_per_block=2)
    assert frame.rows() == [
        ("M0", "2026-11-01", "0.1000", 1),
        ("M1", "2026-11-01", "1.1000", 2),
        ("M2", "2026-11-01", "2.1000", 3),
    ]
    assert reader.counted == 3


def test_parquet_values_that_do_not_fit_are_rejected_one_by_one(tmp_path):
    path = tmp_path / "daily_reading_20261101.parquet"
    pl.DataFrame(
        {
            "meter_id": ["a", "b", "c", "d"] * 10,
            "reading_date": [DAY] * 40,
            "kwh": [0.12345678, float("nan"), -1.0, 1.0] * 10,
        }
    ).with_columns(meter_id=pl.col("meter_id") + pl.int_range(40).cast(pl.String)).write_parquet(path)
    report = check_file(TRIAL["daily_reading"], path, DAY, options=IngestOptions(reject_threshold=1))
    assert report.would == "load" and report.rows_good == 10
    assert dict(((r, c), n) for r, c, n in report.rules) == {("type", "kwh"): 20, ("minimum", "kwh"): 10}


def test_a_line_longer_than_a_block_is_refused(tmp_path):
    path = send_posting(tmp_path, rows=2)
    path.write_bytes(path.read_bytes().replace("工资 2".encode("gb18030"), b"x" * 5000))
    with pytest.raises(Refusal) as refused:
        read(TRIAL["posting"], path, block_bytes=1024)
    assert refused.value.rule == "line_length" and refused.value.line == 3


def test_utf8_with_an_unexpected_mark_is_refused(tmp_path):
    path = send_payment(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    with pytest.raises(Refusal, match="byte order mark"):
        read(TRIAL["payment"], path)


def test_dry_run_of_a_file(tmp_path):
    report = check_file(TRIAL["posting"], send_posting(tmp_path), DAY)
    assert (report.would, report.rows_good, report.rows_rejected) == ("load", 20, 0)
    report = check_file(TRIAL["customer"], send_customer(tmp_path), DAY)
    assert report.warnings == [("check_digit_id", "id_number", 2)]
    assert check_file(TRIAL["posting"], tmp_path / "nothing.txt", DAY).would == "refuse"
