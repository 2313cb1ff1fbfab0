"""Workbooks for tests: the same rows give the same bytes, and single parts of them can be changed."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence

from openpyxl import Workbook

SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
TYPES = "[Content_Types].xml"
NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHARED = (
    f'<Override PartName="/{STRINGS}" ContentType="application/vnd.openxmlformats-officedocument.'
    'spreadsheetml.sharedStrings+xml"/></Types>'
).encode()
MODIFIED = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


def workbook(rows: Iterable[Sequence[object]], title: str = "Sheet1", change: Callable = lambda sheet: None) -> bytes:
    """A workbook of one sheet, in which text stays text; `change` gets the sheet before it is saved."""
    book = Workbook()
    sheet = book.active
    sheet.title = title
    for row, values in enumerate(rows, start=1):
        for column, value in enumerate(values, start=1):
            if value is not None:
                cell = sheet.cell(row, column, value)
                if isinstance(value, str) and not value.startswith("#"):
                    cell.data_type = "s"
    change(sheet)
    buffer = io.BytesIO()
    book.save(buffer)
    contents = parts(buffer.getvalue())
    contents[TYPES] = contents[TYPES].replace(b"</Types>", SHARED)  # openpyxl writes every text into its cell
    return packed({STRINGS: f'<sst xmlns="{NAMESPACE}"/>'.encode(), **contents})


def parts(data: bytes) -> dict[str, bytes]:
    """The parts of a workbook by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(contents: Mapping[str, bytes]) -> bytes:
    """A workbook of these parts, without the time at which it was made."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in contents.items():
            member = zipfile.ZipInfo(name, (2026, 11, 1, 0, 0, 0))
            archive.writestr(member, MODIFIED.sub(rb"\g<1>2026-11-01T00:00:00Z", content), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def in_part(name: str, old: bytes | str, new: bytes | str) -> Callable[[bytes], bytes]:
    """A damage: bytes of one part become others."""
    before, after = (text.encode() if isinstance(text, str) else text for text in (old, new))

    def damage(data: bytes) -> bytes:
        contents = parts(data)
        assert before in contents[name], contents[name]
        return packed(contents | {name: contents[name].replace(before, after, 1)})

    return damage
