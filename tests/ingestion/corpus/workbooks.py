"""Excel workbooks as hands, other programs and enemies leave them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from datetime import datetime

from corpus.archives import encrypted, members, of_method
from corpus.case import BASES, Case, Damage, Loaded, Refused
from corpus.damage import becomes, cut, first
from trial_sender import TRIAL, target_rows
from xlsx_file import NAMESPACE, SHEET, STRINGS, in_part, packed, parts, workbook

HEADER = [column.file_header for column in TRIAL["manager_target"].columns]
ROWS = [[f"01{row[0]}", *row[1:]] for row in target_rows(6)]
LETTERS = dict(zip(TRIAL["manager_target"].column_names, "ABCDEFGHI", strict=True))


def sheet(change: Callable) -> Damage:
    """The good sheet, changed by a hand."""
    return lambda _: workbook([HEADER, *ROWS], change=change)


def typed(column: str, value: object, line: int = 4, number_format: str | None = None) -> Damage:
    """One cell is another."""

    def change(good) -> None:
        cell = good[f"{LETTERS.get(column, column)}{line}"]
        cell.value = value
        if number_format:
            cell.number_format = number_format

    return sheet(change)


def shared(line: int, texts: str, number: int) -> Damage:
    """The note of a line is one of the workbook's shared texts."""
    cell = f'<c r="I{line}" t="s"><v>{number}</v></c>'

    def damage(data: bytes) -> bytes:
        old = f'<c r="I{line}" t="inlineStr"><is><t>备注 {line - 1}</t></is></c>' if line < 8 else "</sheetData>"
        new = cell if line < 8 else f'<row r="{line}">{cell}</row></sheetData>'
        with_cell = in_part(SHEET, old, new)(data)
        return packed(parts(with_cell) | {STRINGS: f'<sst xmlns="{NAMESPACE}">{texts}</sst>'.encode()})

    return damage


def case(name: str, damage: Damage, verdict: Refused | Loaded) -> Case:
    """A broken workbook."""
    return Case(name, "manager_target", damage, verdict)


def rejected(name: str, damage: Damage, rule: str, column: str | None, line: int = 4) -> Case:
    """One row goes to quarantine."""
    return case(name, damage, Loaded(((line, rule, column),)))


def shown(name: str, damage: Damage, column: str, text: str) -> Case:
    """One value is loaded as another text."""
    return case(name, damage, Loaded(shows={(4, column): text}))


def refused(name: str, damage: Damage, rule: str, line: int | None = None, *says: str) -> Case:
    """The file is refused."""
    return case(name, damage, Refused(rule, line, says))


def of_size(data: bytes, size: int) -> bytes:
    """A workbook whose first part says that it is larger than it is."""
    packed = bytearray(data)
    at = packed.find(b"PK\x01\x02") + 24
    packed[at : at + 4] = size.to_bytes(4, "little")
    return bytes(packed)


HANDS = [
    rejected("an error of Excel", typed("target_value", "#REF!"), "cell_error", "target_value"),
    rejected("an error in a text", typed("note", "#N/A"), "cell_error", "note"),
    rejected(
        "a date that Excel cannot show", typed("target_month", 9_999_999, 4, "yyyy-mm-dd"), "cell_error", "target_month"
    ),
    rejected("a long id as a number", typed("note", 622202123456789012), "lost_digits", "note"),
    rejected("a long id in scientific notation", typed("note", "6.22E+18"), "lost_digits", "note"),
    rejected("a count of sixteen digits", typed("customers", 1234567890123456), "lost_digits", "customers"),
    rejected("no leading zero left", typed("target_id", 1), "min_length", "target_id"),
    shown("leading zeros shown by a format", typed("target_id", 77, 4, "00000"), "target_id", "00077"),
    shown("a sum with noise", typed("target_value", 0.1 + 0.2), "target_value", "0.3"),
    shown("an amount as text", typed("target_value", "12.5"), "target_value", "12.5"),
    shown("an id as a number", typed("note", 42.0), "note", "42"),
    shown("a date as a note", typed("note", datetime(2026, 11, 3)), "note", "2026-11-03"),
    shown("a date as text", typed("target_month", "2026-12-01"), "target_month", "2026-12-01"),
    shown("a count as a float", typed("customers", 7.0), "customers", "7"),
    shown("two lines in a cell", typed("note", "上\n下"), "note", "上\n下"),
    rejected("half a customer", typed("customers", 7.5), "type", "customers"),
    rejected("three decimals", typed("target_value", 1.005), "type", "target_value"),
    rejected("a date as the number behind it", typed("target_month", 46328, 4, "General"), "type", "target_month"),
    rejected("a date with a time", typed("target_month", datetime(2026, 11, 1, 9)), "type", "target_month"),
    rejected("a date as Chinese text", typed("target_month", "2026年11月"), "type", "target_month"),
    rejected("another code", typed("kpi", "deposit"), "codes", "kpi"),
    rejected("a value left out", typed("kpi", None), "required", "kpi"),
    rejected("a remark beside the table", typed("K", "see mail"), "field_count", None),
    rejected("the same target twice", typed("target_id", "01001"), "duplicate_key", "target_id"),
    case("an empty row between", sheet(lambda good: good.insert_rows(4)), Loaded(((4, "empty_row", None),), good=6)),
    case(
        "formats below and beside the rows",
        sheet(lambda good: good["Z400"].__setattr__("number_format", "@")),
        Loaded(),
    ),
    case("a column that was not agreed", typed("J", "owner", 1), Loaded()),
    refused("a title above the names", sheet(lambda good: good.insert_rows(1)), "empty", 1),
    refused("a title over merged cells", sheet(lambda good: good.merge_cells("A1:I1")), "merged_cells", 1, "A1:I1"),
    refused("merged cells", sheet(lambda good: good.merge_cells("B3:B5")), "merged_cells", 3, "B3:B5"),
    refused("a formula never computed", typed("target_value", "=1+1"), "formula", 4, "D4"),
    refused("a name missing", typed("kpi", None, 1), "header", 1, "B1"),
    refused("a name twice", typed("kpi", "target_id", 1), "header", 1),
    refused("another name", typed("kpi", "KPI", 1), "lost_column", 1),
]
FILES = [
    refused("cut", cut(200), "unreadable"),
    refused("cut to its start", first(100), "unreadable"),
    refused("empty", becomes(b""), "unreadable"),
    refused("text under its name", becomes(b"target_id,kpi\n1,loans\n"), "unreadable", None, "Excel"),
    refused("old or locked", becomes(b"\xd0\xcf\x11\xe0" + bytes(508)), "unreadable", None, "password", ".xls"),
    refused("an encrypted part", encrypted, "unreadable"),
    refused("of an unknown method", lambda data: of_method(data, 97), "unreadable"),
    refused("of a size that nobody keeps by hand", lambda data: of_size(data, 1 << 30), "unpacked_size", None, "bytes"),
    refused("another archive", becomes(members(("a.txt", b"a"))), "unreadable"),
    refused("no row at all", becomes(workbook([])), "empty", 1),
    refused(
        "a part missing", lambda data: members(*((n, p) for n, p in parts(data).items() if n != SHEET)), "unreadable"
    ),
    refused("broken XML", in_part(SHEET, "</sheetData>", ""), "unreadable"),
    refused("rows that go backwards", in_part(SHEET, '<row r="4"', '<row r="2"'), "unreadable", None, "row 2"),
    refused("a cell of another row", in_part(SHEET, 'r="B4"', 'r="B5"'), "unreadable", None, "B5"),
    refused("a row beyond the last of Excel", in_part(SHEET, '<row r="7"', '<row r="9999999"'), "unreadable"),
    refused("no number", in_part(SHEET, "<v>3</v>", "<v>three</v>"), "unreadable"),
    case(
        "texts that are shared, as Excel writes them",
        shared(4, "<si><t>a</t></si><si><r><t>贷款</t></r></si>", 1),
        Loaded(shows={(4, "note"): "贷款"}),
    ),
    case("a shared text that is empty, at the end", shared(9, "<si><t/></si>", 0), Loaded()),
    refused("a shared text that is not there", shared(4, "<si><t>a</t></si>", 7), "unreadable"),
    refused(
        "entities", in_part(SHEET, "<worksheet", '<!DOCTYPE w [<!ENTITY a "b">]><worksheet'), "unreadable", None, "type"
    ),
    case("a wrong size", in_part(SHEET, 'dimension ref="A1:I7"', 'dimension ref="A1:A1"'), Loaded()),
    Case(
        "a sheet of another name",
        "manager_target_sheet",
        becomes(workbook([HEADER], title="目标")),
        Refused("sheet", None, ("目标", "2026")),
    ),
]


def bomb(name: str, start: bytes, piece: bytes, end: bytes, megabytes: int) -> Damage:
    """The good workbook, one part of which unpacks to many megabytes."""

    def pieces() -> Iterable[bytes]:
        yield start
        for _ in range(megabytes):
            yield piece * ((1 << 20) // len(piece))
        yield end

    def damage(data: bytes) -> bytes:
        assert name in parts(data)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for part, content in parts(data).items():
                with archive.open(part, "w") as file:
                    file.writelines(pieces() if part == name else [content])
        return buffer.getvalue()

    return damage


WORKSHEET, TEXTS = (f'<{kind} xmlns="{NAMESPACE}">'.encode() for kind in ("worksheet", "sst"))
CELL = WORKSHEET + b'<sheetData><row r="1"><c r="A1" t="inlineStr"><is>'
BOMBS = [
    refused("a bomb", bomb(SHEET, CELL, b"<t>a</t>", b"", 257), "unpacked_size", None, "when unpacked"),
    refused("a bomb of texts", bomb(STRINGS, TEXTS, b"<si><t/></si>", b"</sst>", 40), "unpacked_size"),
    refused("a bomb of no texts", bomb(STRINGS, TEXTS, b"<si/>", b"</sst>", 28), "unpacked_size"),
    refused("a bomb of one cell", bomb(SHEET, CELL, b"<t>a</t>", b"", 40), "line_length", 1),
    refused("a bomb beside the rows", bomb(SHEET, WORKSHEET, b"<x/>", b"", 40), "unpacked_size"),
]
"""Each must be refused in little memory."""

CASES = {"workbooks by hand": HANDS, "workbooks broken": FILES}
assert BASES["manager_target"].rows == len(ROWS)
