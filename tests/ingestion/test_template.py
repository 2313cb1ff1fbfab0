"""Empty sheets from contracts: what Excel is told, and that a filled-in sheet loads by the contract unchanged."""

from __future__ import annotations

import io
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from test_readers import read, with_layout
from trial_sender import DAY, TRIAL, folder_of, send_all
from xlsx_file import SHEET, in_part, workbook

from ingestion.check import check_file
from ingestion.contract import Contract
from ingestion.infer import infer
from ingestion.refusal import Refusal
from ingestion.template import suffix_of, write_template

TARGET = TRIAL["manager_target"]
HEADER = [column.file_header for column in TARGET.columns]


def template(tmp_path: Path, contract: Contract = TARGET):
    """The template of a contract, opened again."""
    path = tmp_path / f"template{suffix_of(contract)}"
    write_template(contract, path)
    return path, load_workbook(path)


def filled(path: Path, rows: list[list[object]]) -> Path:
    """The template with rows, saved as Excel would under the contract's name."""
    book = load_workbook(path)
    for row in rows:
        book.worksheets[0].append(row)
    named = path.with_name(TARGET.file_name(DAY))
    book.save(named)
    return named


def test_the_sheet_says_what_is_expected(tmp_path):
    _, book = template(tmp_path)
    assert book.sheetnames == ["manager_target", "说明 Notes", "代码 Codes"]
    sheet, notes, codes = book.worksheets
    assert [cell.value for cell in sheet[1]] == HEADER and sheet.max_row == 1 and sheet.freeze_panes == "A2"
    heads = {column.name: cell for column, cell in zip(TARGET.columns, sheet[1], strict=True)}
    assert all(cell.font.b for cell in heads.values())
    colours = {name: cell.fill.fgColor.rgb for name, cell in heads.items()}
    assert colours["target_id"] == colours["kpi"] != colours["note"] == colours["customers"]
    assert heads["note"].value == "备注" and "目标编号" in heads["target_id"].comment.text
    for words in ("number of the target", "varchar(6)", "from 3 characters to 6 characters", "yes"):
        assert words in heads["target_id"].comment.text
    assert "deposits, loans, cards" in heads["kpi"].comment.text
    formats = [sheet.column_dimensions[letter].number_format for letter in "ABCDEFGHI"]
    assert formats == ["@", "@", "yyyy-mm-dd", "0.00", "0", "General", "yyyy-mm-dd hh:mm:ss", "@", "@"]
    assert codes.sheet_state == "hidden" and [cell.value for cell in codes["A"]][1:] == ["deposits", "loans", "cards"]
    said = "\n".join(str(cell.value) for row in notes.iter_rows() for cell in row if cell.value)
    for words in (
        "manager_target_YYYYMMDD.xlsx",
        "landing/trial/",
        "c360 contract check trial manager_target",
        "客户数",
    ):
        assert words in said


def test_excel_checks_what_is_typed(tmp_path):
    _, book = template(tmp_path)
    rules = {str(v.sqref).split("2:")[0]: v for v in book.worksheets[0].data_validations.dataValidation}
    kinds = {letter: (rule.type, rule.formula1, rule.formula2) for letter, rule in rules.items()}
    assert kinds == {
        "A": ("textLength", "3", "6"),
        "B": ("list", "'代码 Codes'!$A$2:$A$4", None),
        "C": ("date", "DATE(2020,1,1)", "DATE(9999,12,31)"),
        "D": ("decimal", "0", "999999999999999"),
        "E": ("whole", "-2147483647", "2147483647"),
        "G": ("date", "DATE(1900,3,1)", "DATE(9999,12,31)"),
        "H": ("list", "'代码 Codes'!$B$2:$B$3", None),
    }
    assert all(rule.showErrorMessage and rule.error and len(rule.error) < 256 for rule in rules.values())
    assert rules["C"].operator in (None, "between") and not rules["A"].allow_blank and rules["E"].allow_blank


def test_a_filled_template_is_ingested(tmp_path, run, landing, loader):
    folder = send_all(landing)
    path, _ = template(tmp_path)
    rows = [
        ["007", "cards", date(2026, 11, 1), 0.1 + 0.2, 3, 0.1, datetime(2026, 10, 30, 9, 30), True, "备注"],
        ["0008", "loans", datetime(2026, 12, 1), 1250, None, None, None, None, None],
        ["0009", "gold", date(2026, 11, 1), 1],
    ]
    (folder / TARGET.file_name(DAY)).write_bytes(filled(path, rows).read_bytes())
    report = run()
    state = {file.table: (file.state, file.rows_loaded, file.rows_quarantined) for file in report.files}
    assert (report.state, state["manager_target"]) == ("complete", ("loaded", 2, 1)), report
    found = loader.execute(
        "select target_id, kpi, target_month::text, target_value::text, customers, _line from raw_trial.manager_target"
        " order by _line"
    ).fetchall()
    assert found == [
        ("007", "cards", "2026-11-01", "0.30", 3, 2),
        ("0008", "loans", "2026-12-01", "1250.00", None, 3),
    ]
    held = loader.execute(
        "select line, rule, raw_text from quarantine.row where table_name = 'manager_target'"
    ).fetchone()
    assert held[:2] == (4, "codes") and '"kpi": "gold"' in held[2]
    assert folder == folder_of(landing)


def test_an_empty_template_has_no_rows(tmp_path):
    path, _ = template(tmp_path)
    report = check_file(TARGET, path)
    assert (report.would, report.rows_good, report.rows_rejected) == ("load", 0, 0)


@pytest.mark.parametrize(
    ("encoding", "delimiter", "quote"), [("utf-8-sig", ",", '"'), ("gb18030", "|", None), ("utf-8", "|+|", None)]
)
def test_text_is_written_as_the_contract_reads_it(tmp_path, encoding, delimiter, quote):
    layout = {"compression": "none", "encoding": encoding, "delimiter": delimiter, "quote": quote}
    contract = with_layout(TRIAL["customer"], **layout)
    path = tmp_path / f"customer{suffix_of(contract)}"
    write_template(contract, path)
    assert path.suffix == ".csv" and path.read_bytes().startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-sig")
    line = delimiter.join(["I", "1", "20261101", "C1", "王", "", "", "5"]) + contract.layout.line_end
    path.write_bytes(path.read_bytes() + line.encode(encoding.removesuffix("-sig")))
    report = check_file(contract, path)
    assert (report.would, report.rows_good, report.rows_rejected) == ("load", 1, 0), report


@pytest.mark.parametrize(
    ("contract", "name", "rule", "says"),
    [
        (TRIAL["posting"], "a.xlsx", "layout", "ends in .csv"),
        (TARGET, "a.csv", "layout", "ends in .xlsx"),
        (TRIAL["card_posting"], "a.xlsx", "layout", "fixed_width"),
        (TRIAL["customer"], "a.csv", "layout", "compressed"),
        (with_layout(TRIAL["posting"], header=False), "a.csv", "layout", "header line"),
        (TARGET, "nowhere/a.xlsx", "folder", "nowhere"),
        (TARGET, "there.xlsx", "exists", "perhaps filled in"),
    ],
)
def test_what_could_not_be_loaded_is_not_written(tmp_path, contract, name, rule, says):
    (tmp_path / "there.xlsx").write_bytes(b"mine")
    with pytest.raises(Refusal) as refusal:
        write_template(contract, tmp_path / name)
    assert refusal.value.rule == rule and says in str(refusal.value)
    assert [path.name for path in tmp_path.iterdir()] == ["there.xlsx"]
    assert (tmp_path / "there.xlsx").read_bytes() == b"mine"


TEXT = st.text(st.characters(codec="gb18030", exclude_categories=["Cs"], exclude_characters="\r_"), max_size=20).filter(
    lambda text: not ILLEGAL_CHARACTERS_RE.search(text) and not text.startswith("#") and "E+" not in text
)
ROW = st.tuples(
    TEXT,
    st.one_of(st.none(), st.sampled_from(["deposits", "loans"])),
    st.dates(date(1900, 3, 1), date(9999, 12, 30)),
    st.integers(-(10**13) + 1, 10**13 - 1),
    st.one_of(st.none(), st.integers(-(10**15) + 1, 10**15 - 1)),
    st.one_of(st.none(), st.floats(-1e300, 1e300)),
    st.datetimes(datetime(1900, 3, 1), datetime(2200, 1, 1)).map(lambda moment: moment.replace(microsecond=0)),
    st.one_of(st.none(), st.booleans()),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=8), st.sampled_from([1, 3, 100]))
def test_what_excel_holds_comes_back(tmp_path_factory, rows, rows_per_block):
    path = tmp_path_factory.mktemp("any") / "any.xlsx"
    path.write_bytes(workbook([HEADER, *([*row[:3], row[3] / 100, *row[4:], f"n{n}"] for n, row in enumerate(rows))]))
    frame, rejects, reader = read(TARGET, path, rows_per_block=rows_per_block)
    assert not rejects and reader.counted == len(rows) and frame["_line"].to_list() == [*range(2, len(rows) + 2)]
    for row, found in zip(rows, frame.rows(), strict=True):
        text, code, day, cents, count, growth, moment, flag = row
        whole, part = divmod(abs(cents), 100)
        amount = f"{'-' if cents < 0 else ''}{whole}.{part:02d}".rstrip("0").rstrip(".")
        assert found[:5] == (text or None, code, str(day), amount, None if count is None else str(count))
        assert growth is None or float(found[5]) == pytest.approx(growth, rel=1e-15)
        assert found[6] == str(moment) and found[7] == (None if flag is None else str(flag).lower())


def test_a_workbook_is_inferred(tmp_path):
    path = tmp_path / "targets_20261101.xlsx"
    rows = [[f"{n:03d}", date(2026, 11, 1), n / 4, n % 2 == 0, 10**9 + n] for n in range(1, 31)]
    path.write_bytes(workbook([["No", "month", "目标值", "final", "customerNo"], *rows]))
    contract = infer(path, "hand", "target").contract
    assert (contract.layout.format, contract.layout.file_name) == ("xlsx", "targets_{business_date:%Y%m%d}.xlsx")
    assert [c.physical_type for c in contract.columns] == ["text", "date", "numeric(18,2)", "boolean", "bigint"]
    assert (contract.key, contract.columns[2].file_header) == (("no",), "目标值")
    report = check_file(contract, path)
    assert (report.would, report.rows_good, report.rows_rejected) == ("load", 30, 0)
    path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    with pytest.raises(Refusal, match=r"old workbook .*Ask the sender"):
        infer(path, "hand", "target")


def test_formulas_count_by_the_value_that_excel_kept(tmp_path):
    path = tmp_path / "sums.xlsx"
    data = workbook([HEADER, ["001", "cards", DAY, 5]])
    book = load_workbook(io.BytesIO(data))
    book.worksheets[0]["D2"] = "=2+3"
    book.save(path)
    with pytest.raises(Refusal) as refusal:
        read(TARGET, path)
    assert (refusal.value.rule, refusal.value.line) == ("formula", 2) and "D2" in str(refusal.value)
    path.write_bytes(in_part(SHEET, "<f>2+3</f><v />", "<f>2+3</f><v>5</v>")(path.read_bytes()))
    frame, rejects, _ = read(TARGET, path)
    assert not rejects and frame["target_value"].to_list() == ["5"]
