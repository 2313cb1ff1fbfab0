"""Excel workbooks, kept by hand: every cell becomes the text that a CSV would have, or is said to be unknowable.

What Excel has changed before cannot be seen: a number in a column of text may have had leading zeros. What it changed
and left a trace is never guessed: it keeps 15 digits of a number, so a longer one is rejected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
from openpyxl.utils import get_column_letter

from ingestion.contract import TEXTS, Column, Xlsx
from ingestion.options import IngestOptions
from ingestion.readers.base import LINE, NEW, Block, FileReader, Reject
from ingestion.readers.workbook import Cell, open_sheet
from ingestion.refusal import Refusal

DIGITS_KEPT = 15  # by Excel, of any number
SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]{2}")  # what Excel makes of a long number
LEADING_ZEROS = re.compile(r"0{2,}")  # the number format of a code
BYTES_PER_CELL = 32  # beside its text
FLOATS = ("real", "double precision")


@dataclass
class Unknowable(Exception):
    """A cell that has no value a reader may believe."""

    rule: str
    message: str
    column: str | None = None


@dataclass
class _Rows:
    """Rows on their way into a block."""

    lines: list[int] = field(default_factory=list)
    values: list[dict[str, str]] = field(default_factory=list)
    cells: list[Sequence[Cell | None]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    size: int = 0


class XlsxReader(FileReader):
    """Reads one sheet; empty rows at its end are none, an empty one before is rejected as a blank line of text is."""

    counted_by = "row numbers of the sheet"

    def blocks(self) -> Iterator[Block]:
        assert isinstance(self.contract.layout, Xlsx)
        with open_sheet(self.path, self.contract.layout.sheet, self.options) as sheet:
            rows = sheet.rows()
            self._header = header_of(rows, self.path)
            self.check_columns(self._header, 1)
            columns = {column.file_header: column for column in self.contract.columns}
            columns |= {name: Column(name=NEW + name, physical_type="text") for name in self.new_columns}
            self._columns = [columns.get(name) for name in self._header]
            self.counted = sheet.last_row - 1
            found = _Rows()
            for line, cells in enumerate(rows, start=2):
                self._take(found, line, cells)
                held = len(found.lines) + len(found.rejects)
                if found.size > self.options.block_bytes or held >= self.options.rows_per_block:
                    yield self._block(found)
                    found = _Rows()
            yield self._block(found)

    def _take(self, found: _Rows, line: int, cells: Sequence[Cell | None]) -> None:
        """One row: its texts, or why it has none."""
        found.size += BYTES_PER_CELL * len(cells)
        try:
            values = self._values(line, cells)
        except Unknowable as problem:
            found.rejects.append(Reject(line, problem.rule, problem.column, problem.message, self._raw_text(cells)))
        else:
            found.size += sum(map(len, values.values()))
            found.lines.append(line)
            found.values.append(values)
            found.cells.append(cells)

    def _values(self, line: int, cells: Sequence[Cell | None]) -> dict[str, str]:
        """The texts of a row by columns; cells of columns whose values are not kept are not looked at."""
        if not any(cells):
            raise Unknowable("empty_row", "the row is empty, and others follow")
        values = {}
        for position, cell in enumerate(cells):
            at = f"{get_column_letter(position + 1)}{line}"
            if cell and position >= len(self._columns):
                raise Unknowable("field_count", f"{at} holds a value, but its column has no name in the first row")
            column = self._columns[position] if cell else None
            if cell is None or column is None:
                continue
            try:
                values[column.name] = text_of(cell, column)
            except Unknowable as problem:
                if column.name.startswith(NEW):  # nobody agreed what stands there
                    values[column.name] = str(cell.value)
                    continue
                raise Unknowable(problem.rule, f"{column.name}: {at} {problem.message}", column.name) from problem
        return values

    def _block(self, found: _Rows) -> Block:
        columns = [
            pl.Series(name, [row.get(name) for row in found.values], dtype=pl.String)
            for name in [*self.contract.column_names, *(NEW + name for name in self.new_columns)]
        ]
        frame = pl.DataFrame([*columns, pl.Series(LINE, found.lines, dtype=pl.Int64)])
        return Block(
            self.null_tokens_made_null(frame),
            lambda chosen: [self._raw_text(found.cells[position]) for position in chosen],
            found.rejects,
        )

    def _raw_text(self, cells: Sequence[Cell | None]) -> str:
        """A row as it stands in the sheet, by the names of the first row."""
        names = [*self._header, *(get_column_letter(at + 1) for at in range(len(self._header), len(cells)))]
        values = (None if cell is None else cell.value for cell in cells)
        return json.dumps(dict(zip(names, values, strict=False)), ensure_ascii=False, default=str)


def header_of(rows: Iterable[Sequence[Cell | None]], path: Path) -> list[str]:
    """The column names in the first row; empty cells to the right of them are none.

    Raises:
        Refusal: ``empty``; ``header`` (a name is missing between others).
    """
    names = ["" if cell is None else str(cell.value).strip() for cell in next(iter(rows), ())]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise Refusal(
            "empty",
            "the first row of the sheet is empty; the column names are expected there",
            "Put the names into the first row, as `c360 template` writes them, and run the ingest again",
            path.name,
            1,
        )
    if "" in names:
        raise Refusal(
            "header",
            f"{get_column_letter(names.index('') + 1)}1 is empty between the names of other columns",
            "Put a name there or take the column out, then run the ingest again. Ask the sender which is meant",
            path.name,
            1,
        )
    return names


def column_names(path: Path) -> list[str]:
    """The names in the first row of a workbook's first sheet.

    Raises:
        Refusal: as in `open_sheet` and `header_of`.
    """
    with open_sheet(path, None, IngestOptions()) as sheet:
        return header_of(sheet.rows(), path)


def text_of(cell: Cell, column: Column) -> str:
    """The text of a cell as the contract's column expects it in a text file.

    Raises:
        Unknowable: ``cell_error``; ``lost_digits``.
    """
    value = cell.value
    if cell.is_error:
        raise Unknowable("cell_error", f"holds {value}, an error of Excel and no value")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value, cell.number_format, column)
    if isinstance(value, datetime | date | time | timedelta):
        return _moment(value, column)
    text = str(value)
    if column.base_type in TEXTS and SCIENTIFIC.fullmatch(text):
        raise Unknowable("lost_digits", f"holds {text}: a long number of which Excel kept the first digits only")
    return text


def _number(value: int | float, number_format: str, column: Column) -> str:
    """Plain digits; the noise of sums, which Excel does not show either, is taken off all but doubles."""
    if column.base_type in FLOATS:
        return str(value)
    if abs(value) >= 10**DIGITS_KEPT:
        raise Unknowable(
            "lost_digits",
            f"holds the number {Decimal(value):.5E}, of which Excel keeps the first {DIGITS_KEPT} digits; "
            "type the whole number anew into a cell of the format Text",
        )
    text = f"{Decimal(f'{value:.{DIGITS_KEPT}g}'):f}"
    padded = column.base_type in TEXTS and text.isdigit() and LEADING_ZEROS.fullmatch(number_format)
    return text.zfill(len(number_format)) if padded else text


def _moment(value: datetime | date | time | timedelta, column: Column) -> str:
    """ISO, or the contract's own form; a date with a time of day is no date."""
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
    if isinstance(value, time):
        return value.isoformat()
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    has_time = value.time() != time()
    if column.base_type in ("timestamp", "timestamptz"):
        return value.strftime(column.date_format) if column.date_format else value.isoformat(" ")
    if has_time:
        return value.isoformat(" ")
    return value.strftime(column.date_format) if column.date_format else value.date().isoformat()
