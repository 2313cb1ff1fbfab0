"""Empty sheets for what is kept by hand (`c360 template`): made from the contract, loaded by it when filled in."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from ingestion.contract import TEXTS, Column, Contract, Delimited, Xlsx
from ingestion.readers.workbook import MOST_ROWS
from ingestion.readers.xlsx import DIGITS_KEPT
from ingestion.refusal import Refusal

NOTES, CODES = "说明 Notes", "代码 Codes"
REQUIRED, OPTIONAL = PatternFill("solid", fgColor="FFD966"), PatternFill("solid", fgColor="E7E6E6")
BOLD = Font(bold=True)
WRAPPED = Alignment(wrap_text=True, vertical="top")
NARROWEST, WIDEST = 10, 40  # columns, in characters
FORMATS = {
    **dict.fromkeys(TEXTS, "@"),
    **dict.fromkeys(("smallint", "integer", "bigint"), "0"),
    "date": "yyyy-mm-dd",
    "timestamp": "yyyy-mm-dd hh:mm:ss",
    "time": "hh:mm:ss",
}
WHOLE = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 10**DIGITS_KEPT - 1}
MOST_CHARACTERS = 32_767  # of a cell in Excel
FIRST_DAY, LAST_DAY = date(1900, 3, 1), date(9999, 12, 31)  # Excel believes in 1900-02-29


def suffix_of(contract: Contract) -> str:
    """How the name of a template ends that the contract can load when it is filled in.

    Raises:
        Refusal: ``layout``: there is none.
    """
    layout = contract.layout
    if isinstance(layout, Xlsx):
        return ".xlsx"
    if isinstance(layout, Delimited) and layout.header and layout.compression == "none":
        return ".csv"
    what = {"delimited": "delimited text without a header line, or compressed"}.get(layout.format, layout.format)
    raise Refusal(
        "layout",
        f"the layout of {contract.source}.{contract.table} is {what}, which nobody fills in by hand",
        "Where the table is kept by hand, set layout.format of its contract to xlsx",
        Path(contract.path).name,
    )


def write_template(contract: Contract, path: Path) -> None:
    """Writes an empty sheet that the contract loads when it is filled in.

    Args:
        contract: The contract.
        path: Where; ends in ``.xlsx`` for a layout of that format, in anything else for delimited text.

    Raises:
        Refusal: ``layout`` (a file of that kind would not load by the contract); ``exists`` (nothing is overwritten);
            ``folder`` (there is none).
    """
    suffix = suffix_of(contract)
    if (path.suffix.lower() == ".xlsx") != (suffix == ".xlsx"):
        raise Refusal(
            "layout",
            f"the contract of {contract.source}.{contract.table} reads {contract.layout.format}, and could not load it",
            f"Write a file that ends in {suffix}, or set layout.format of the contract first",
            path.name,
        )
    if path.exists():
        raise Refusal("exists", "the file is there, perhaps filled in", "Move it away or name another", path.name)
    if not path.parent.is_dir():
        raise Refusal("folder", f"there is no folder {path.parent}", "Make it or name another", path.name)
    if isinstance(contract.layout, Delimited):
        _write_text(contract.layout, [column.file_header for column in contract.columns], path)
    else:
        _workbook(contract).save(path)


def file_name_pattern(contract: Contract) -> str:
    """The name to save the file under, its date as YYYYMMDD."""
    return _by_date(contract.layout.file_name)


def _by_date(name: str) -> str:
    def written(found: re.Match[str]) -> str:
        return (found[1] or "%Y-%m-%d").replace("%Y", "YYYY").replace("%m", "MM").replace("%d", "DD")

    return re.sub(r"\{business_date:?([^}]*)\}", written, name)


def _write_text(layout: Delimited, names: list[str], path: Path) -> None:
    with path.open("w", encoding=layout.encoding, newline="") as file:
        if layout.quote:
            csv.writer(
                file, delimiter=layout.delimiter, quotechar=layout.quote, lineterminator=layout.line_end
            ).writerow(names)
        else:
            file.write(layout.delimiter.join(names) + layout.line_end)


def _workbook(contract: Contract) -> Workbook:
    assert isinstance(contract.layout, Xlsx)
    book = Workbook()
    sheet = book.active
    sheet.title = contract.layout.sheet or contract.table[:31]
    notes, codes = book.create_sheet(NOTES), book.create_sheet(CODES)
    codes.sheet_state = "hidden"
    for place, column in enumerate(contract.columns, start=1):
        _add_column(sheet, codes, place, column)
    sheet.freeze_panes = "A2"
    _write_notes(notes, contract)
    return book


def _add_column(sheet: Worksheet, codes: Worksheet, place: int, column: Column) -> None:
    """Its name with a comment, and format, width and validation of the cells below."""
    letter = get_column_letter(place)
    head = sheet.cell(1, place, column.file_header)
    head.data_type = "s"  # a name that begins with = is no formula
    head.number_format = "@"
    head.font, head.fill = BOLD, REQUIRED if column.required else OPTIONAL
    lines = [column.business_name, *(f"{name}: {said}" for name, said in _facts(column) if said)]
    head.comment = Comment("\n".join(line for line in lines if line), "c360", width=320, height=160)
    below = sheet.column_dimensions[letter]
    below.number_format = _format(column)
    below.width = min(WIDEST, max(NARROWEST, 2 + _width(column.file_header), 2 * len(column.business_name)))
    validation = _validation(codes, column)
    if validation is not None:
        validation.errorTitle = column.name
        validation.error = "; ".join(f"{name}: {said}" for name, said in _facts(column)[1:] if said)[:220]
        validation.showErrorMessage = True
        validation.allow_blank = not column.required
        validation.add(f"{letter}2:{letter}{MOST_ROWS}")
        sheet.add_data_validation(validation)


def _width(text: str) -> int:
    """Hanzi are twice as wide as letters."""
    return sum(1 if character.isascii() else 2 for character in text)


def _format(column: Column) -> str:
    """The number format: text stays as it is typed, with leading zeros and all digits of long numbers."""
    if column.base_type == "numeric" and column.scale is not None:
        return "0." + "0" * column.scale if column.scale else "0"
    return FORMATS.get(
        column.base_type, "General" if column.base_type in ("numeric", "real", "double precision") else "@"
    )


def _facts(column: Column) -> list[tuple[str, str]]:
    """What is to be known of a column, under the headings of the notes."""
    low, high = column.minimum, column.maximum
    if column.base_type in TEXTS:
        low, high = (None if n is None else f"{n} characters" for n in (column.min_length, _longest(column)))
    bounds = (f"from {low}" if low is not None else "", f"to {high}" if high is not None else "")
    return [
        ("说明 meaning", column.description),
        ("类型 type", column.physical_type),
        ("必填 required", "yes" if column.required else ""),
        ("代码 codes", ", ".join(column.codes or ())),
        ("范围 bounds", " ".join(bound for bound in bounds if bound)),
        ("格式 pattern", column.pattern or ""),
    ]


def _longest(column: Column) -> int | None:
    return min((n for n in (column.size, column.max_length) if n is not None), default=None)


def _validation(codes: Worksheet, column: Column) -> DataValidation | None:
    """What Excel lets be typed into the column; None where everything is."""
    base, low, high = column.base_type, column.minimum, column.maximum
    if column.codes or base == "boolean":
        return DataValidation("list", formula1=_listed(codes, column))
    if base in TEXTS:
        longest = _longest(column)
        bounded = column.min_length or longest is not None
        return _between("textLength", column.min_length or 0, longest or MOST_CHARACTERS) if bounded else None
    if base in ("date", "timestamp"):
        first, last = (date.fromisoformat(bound[:10]) if bound else None for bound in (low, high))
        return _between("date", _day(first or FIRST_DAY), _day(last or LAST_DAY))
    if base == "time":
        return _between("time", 0, "0.999999")
    if column.implied_decimals or column.strip:
        return None
    if base in WHOLE:
        return _between("whole", low or -WHOLE[base], high or WHOLE[base])
    if base == "numeric":
        most = 10**DIGITS_KEPT - 1
        return _between("decimal", low or -most, high or most)
    return None


def _between(kind: str, low: object, high: object) -> DataValidation:
    return DataValidation(kind, operator="between", formula1=str(low), formula2=str(high))


def _listed(codes: Worksheet, column: Column) -> str:
    """Where the codes stand: on a sheet of their own, since a list in the rule itself holds 255 characters only."""
    values: list[Any] = list(column.codes or ("true", "false"))
    if column.base_type in WHOLE:
        values = [int(value) for value in values]
    place = 1 if codes["A1"].value is None else codes.max_column + 1
    for row, value in enumerate([column.name, *values], start=1):
        cell = codes.cell(row, place, value)
        cell.number_format = "@" if isinstance(value, str) else "0"
        cell.data_type = "s" if isinstance(value, str) else "n"
    letter = get_column_letter(place)
    return f"'{CODES}'!${letter}$2:${letter}${len(values) + 1}"


def _day(day: date) -> str:
    return f"DATE({day.year},{day.month},{day.day})"


def _write_notes(notes: Worksheet, contract: Contract) -> None:
    for line in chain(_guide(contract), [[]], _table(contract)):
        notes.append(line)
        for cell in notes[notes.max_row] if line else ():
            cell.data_type, cell.alignment = "s", WRAPPED
    notes["A1"].font = BOLD
    heading = next(row for row in notes.iter_rows() if row[0].value == _HEADINGS[0])
    for cell in heading:
        cell.font = BOLD
    for letter, width in zip("ABCDEFGH", (24, 60, 40, 16, 12, 30, 24, 24), strict=True):
        notes.column_dimensions[letter].width = width


_HEADINGS = ("列 column", "中文名 business name")


def _guide(contract: Contract) -> Iterator[list[str]]:
    """What to do with the file."""
    source, table, name = contract.source, contract.table, file_name_pattern(contract)
    folder = f"landing/{source}/YYYY-MM-DD/"
    yield [f"{contract.name} ({source}.{table})"]
    yield ["内容 content", " ".join(part for part in (contract.description, contract.grain) if part)]
    yield [
        "填写 fill in",
        "One line a row from row 2 on, no empty row between, no merged cells; yellow columns must be filled.\n"
        "每行一条记录，从第 2 行起；中间不留空行，不合并单元格；黄色列必填。",
    ]
    yield [
        "文本 text",
        "Columns of text keep leading zeros and long numbers as they are typed; look at them after pasting.\n"
        "文本列保留前导零和长号码；粘贴之后请检查。",
    ]
    yield ["检查 check", f"c360 contract check {source} {table} FILE"]
    yield ["保存 save as", f"{name}, the date being the business date 业务日期"]
    yield ["放入 put into", f"{folder}, the folder of that business date"]
    if contract.control.kind == "control_file":
        yield ["控制文件 control", f"{_by_date(contract.control.file_name or '')} beside it, as the contract says"]
    yield ["导入 load", f"c360 ingest {source} YYYY-MM-DD"]


def _table(contract: Contract) -> Iterator[list[str]]:
    """One line a column."""
    yield [*_HEADINGS, *(name for name, _ in _facts(contract.columns[0]))]
    for column in contract.columns:
        yield [column.file_header, column.business_name, *(said for _, said in _facts(column))]
