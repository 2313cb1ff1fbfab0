"""A first contract from a file: what it infers loads the file that it was inferred from."""

import gzip
import json
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.check import CheckReport, check_file
from ingestion.contract import CONTRACT_FOLDER, Contract, CutOff, load_contract
from ingestion.infer import infer
from ingestion.refusal import Refusal

NAMES = ("张伟", "王芳", "李娜", "刘洋", "陈静")


def drafted(path: Path) -> tuple[Contract, CheckReport]:
    """The contract as it is read from the draft's YAML, and what it makes of the file."""
    folder = path.parent / "drafts"
    folder.mkdir(exist_ok=True)
    written = folder / "sample.yaml"
    written.write_text(infer(path, "drafts", "sample").to_yaml(), "utf-8")
    contract = load_contract(written)
    return contract, check_file(contract, path)


def rows(count: int = 200) -> list[tuple[str, ...]]:
    """Account, branch with leading zeros, name, currency, amount, two dates, a time, a note that is often empty."""
    start = date(2026, 1, 30)
    return [
        (
            str(1_000_000_000 + n),
            f"00{n % 7}",
            NAMES[n % 5],
            ("CNY", "USD")[n % 3 == 0],
            f"{Decimal(n * 37) / 100:.2f}",
            f"{start + timedelta(days=n):%Y%m%d}",
            f"{start + timedelta(days=n):%Y-%m-%d}",
            f"2026-11-0{n % 9 + 1} 08:{n % 60:02}:00",
            "" if n % 4 else f"note {n}",
        )
        for n in range(count)
    ]


HEADER = ("AccountNo", "branch", "户名", "ccy", "amount", "openedOn", "valueDate", "changed_at", "note")
TYPES = ("bigint", "text", "text", "text", "numeric(18,2)", "date", "date", "timestamp", "text")


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t", "\x01", "|+|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_delimited_text_of_every_kind(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = tmp_path / "ACCT_20261101.txt"
    lines = [delimiter.join(cells) for cells in (HEADER, *rows())]
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode(encoding))
    contract, report = drafted(path)
    layout = contract.layout
    assert (layout.encoding, layout.line_end, layout.header) == (encoding, "\r\n", True)
    assert (layout.delimiter, layout.file_name) == (delimiter, "ACCT_{business_date:%Y%m%d}.txt")
    assert tuple(column.physical_type for column in contract.columns) == TYPES
    assert contract.column_names == [
        "account_no", "branch", "column_3", "ccy", "amount", "opened_on", "value_date", "changed_at", "note",
    ]  # fmt: skip
    assert contract.by_name["column_3"].file_header == "户名"
    assert contract.by_name["ccy"].codes == ("CNY", "USD")
    assert contract.by_name["opened_on"].date_format == "%Y%m%d"
    assert [column.name for column in contract.columns if not column.required] == ["note"]
    assert (contract.key, contract.control.amount_column) == (("account_no",), "amount")
    assert (report.would, report.rows_good, report.rows_rejected) == ("load", 200, 0)


def test_quotes_no_header_and_compression(tmp_path: Path) -> None:
    path = tmp_path / "owners.csv.gz"
    text = "".join(f'{n};"{NAMES[n % 5]}; {n}";"{n / 8:.3f}"\n' for n in range(1, 100))
    path.write_bytes(gzip.compress(text.encode()))
    contract, report = drafted(path)
    assert (contract.layout.compression, contract.layout.quote, contract.layout.header) == ("gz", '"', False)
    assert [column.physical_type for column in contract.columns] == ["integer", "text", "numeric(18,3)"]
    assert (report.would, report.rows_good, report.rows_rejected) == ("load", 99, 0)


def test_json_lines_with_arrays(tmp_path: Path) -> None:
    path = tmp_path / "auth-2026-11-01.jsonl"
    objects = [{"id": f"A{n}", "amount": n + 0.25, "online": n % 2 == 0, "marks": [n, n + 1]} for n in range(50)]
    path.write_text("".join(json.dumps(one) + "\n" for one in objects), "utf-8")
    contract, report = drafted(path)
    assert contract.layout.file_name == "auth-{business_date:%Y-%m-%d}.jsonl"
    assert [c.physical_type for c in contract.columns] == ["text", "numeric(18,2)", "boolean", "integer[]"]
    assert (report.would, report.rows_good, report.rows_rejected) == ("load", 50, 0)


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "meters.parquet"
    days = [date(2026, 11, 1) + timedelta(days=n) for n in range(40)]
    pl.DataFrame({"meter": [f"M{n}" for n in range(40)], "day": days, "kwh": [n / 7 for n in range(40)]}).write_parquet(
        path
    )
    contract, report = drafted(path)
    assert [c.physical_type for c in contract.columns] == ["text", "date", "double precision"]
    assert (report.would, report.rows_good, report.rows_rejected) == ("load", 40, 0)


def test_values_that_are_wrong_do_not_decide_the_type(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    cells = [[*row] for row in rows(1000)]
    cells[10][4], cells[20][5], cells[30][4] = "12,5x", "20260230", "NULL"
    path.write_text("".join(",".join(c.replace(",", ".") for c in row) + "\n" for row in (HEADER, *cells)), "utf-8")
    draft = infer(path, "drafts", "sample")
    contract, report = drafted(path)
    assert [c.physical_type for c in contract.columns] == list(TYPES)
    assert "1 values of amount are no numeric(18,2): they go to quarantine." in draft.doubts
    assert "1 values of opened_on are no date: they go to quarantine." in draft.doubts
    assert (report.would, sorted(reject.line for reject in report.sample)) == ("load", [12, 22])
    assert contract.layout.null_tokens == ("", "NULL") and not contract.by_name["amount"].required


def test_identity_numbers_are_recognised(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    valid = ["11010519491231002X", "440524188001010014", "91350100M000100Y43"]  # GB 11643 and GB 32100, published
    path.write_text("id_no,nr\n" + "".join(f"{valid[n % 3]},{n}\n" for n in range(60)), "utf-8")
    column = drafted(path)[0].by_name["id_no"]
    assert column.check_digit is not None and (column.check_digit.rule, column.classification) == ("id", "C3")


def test_a_cut_off_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "bookings_20261101.csv"
    days = [date(2026, 10, 1) + timedelta(days=n % 30) for n in range(200)]
    times = [f"{n % 22:02}:{n % 60:02}:00" if n % 10 else f"2{2 + n % 20 // 10}:3{n % 10}:10" for n in range(200)]
    booked = [day + timedelta(days=time > "22:30") for day, time in zip(days, times, strict=True)]
    lines = [f"{n},{d} {t},{b}" for n, (d, t, b) in enumerate(zip(days, times, booked, strict=True))]
    path.write_text("\n".join(["nr,happened_at,booked_on", *lines]) + "\n", "utf-8")
    draft = infer(path, "drafts", "sample")
    contract, report = drafted(path)
    assert contract.cut_off == CutOff(at=time(22, 30), moment="happened_at", accounting_date="booked_on")
    assert any("From 22:30 on, happened_at is booked on the next booked_on" in doubt for doubt in draft.doubts)
    assert (report.would, report.rows_rejected) == ("load", 0)
    path.write_text("\n".join(["nr,happened_at,booked_on", *lines[:9], f"9,2026-10-01 08:00:00,{days[9]}"]) + "\n")
    assert infer(path, "drafts", "sample").contract.cut_off is None


def test_full_width_digits_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    wide = str.maketrans("0123456789.-", "０１２３４５６７８９．－")
    rows = [(str(n), f"{n}.50", f"2026-11-{n % 30 + 1:02}", f"单位{n}") for n in range(1, 80)]
    cells = [tuple(cell.translate(wide) for cell in row) if n % 3 else row for n, row in enumerate(rows)]
    path.write_text("".join(",".join(row) + "\n" for row in [("nr", "sum", "day", "note"), *cells]), "utf-8")
    contract, report = drafted(path)
    assert [c.physical_type for c in contract.columns] == ["integer", "numeric(18,2)", "date", "text"]
    assert [c.full_width for c in contract.columns] == [True, True, True, False]
    assert (report.would, report.rows_good, report.rows_rejected) == ("load", 79, 0)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "empty"),
        (b"H0120261101\nD000123ABC\nT000001\n", "delimiter"),
        (b"a,b\n", "empty"),
        (b"a,b\n\xff\xff,1\n", "encoding"),
        (b"\x1f\x8bnot gz at all", "unreadable"),
    ],
)
def test_what_cannot_be_inferred_is_said(tmp_path: Path, content: bytes, rule: str) -> None:
    path = tmp_path / "odd.txt"
    path.write_bytes(content)
    with pytest.raises(Refusal) as refusal:
        infer(path, "drafts", "sample")
    assert refusal.value.rule == rule and refusal.value.advice


TEXT = st.text(st.characters(codec="gb18030", exclude_categories=("C", "Z"), exclude_characters='",'), max_size=12)
CELLS = st.one_of(
    TEXT,
    st.integers(-(10**12), 10**12).map(str),
    st.decimals(-(10**9), 10**9, places=2).map(str),
    st.dates(date(1950, 1, 1), date(2090, 1, 1)).map(str),
)


@settings(max_examples=40)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=2, max_size=30))
def test_whatever_the_values_the_file_loads(tmp_path_factory: pytest.TempPathFactory, cells: list) -> None:
    path = tmp_path_factory.mktemp("any") / "any.csv"
    path.write_text("".join(",".join(("k", "left", "right") if n == 0 else (str(n), *row[1:])) + "\n"
                            for n, row in enumerate([("", "", ""), *cells])), "utf-8")  # fmt: skip
    contract, report = drafted(path)
    assert (report.would, report.rows_good + report.rows_rejected) == ("load", len(cells))
    assert report.rows_rejected <= len(cells) * 0.01 * len(contract.columns)


def test_the_drafts_of_simulated_files_load_them(tmp_path: Path) -> None:
    from simulator import simulate
    from warehouse.settings import Settings

    simulate(Settings(home=tmp_path), scale=0.001, history_start=date(2026, 10, 1), daily_dates=[])
    right = looked_at = 0
    for real_path in sorted(CONTRACT_FOLDER.glob("*/*.yaml")):
        real = load_contract(real_path)
        day = date(2026, 10, 31)
        path = tmp_path / "landing" / real.source / f"{day}" / real.file_name(day)
        if not path.exists() or real.layout.format not in ("delimited", "jsonl", "parquet"):
            continue
        if check_file(real, path).rows_good < 20:
            continue
        contract, report = drafted(path)
        assert report.would == "load", report.refusal
        for name, column in contract.by_name.items():
            known = real.by_name.get(name)
            looked_at += 1
            right += known is not None and _family(known.base_type) == _family(column.base_type)
    assert looked_at > 100
    assert right > 0.8 * looked_at


def _family(base_type: str) -> str:
    return {"bigint": "whole", "integer": "whole", "smallint": "whole", "varchar": "text", "char": "text"}.get(
        base_type, base_type
    )
