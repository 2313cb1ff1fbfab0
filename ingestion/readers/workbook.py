"""Excel workbooks (.xlsx) as streams of rows: what may be unpacked, where the rows end, what no reader can know.

openpyxl gives the values. Before, the XML of the sheet is read once on its own: openpyxl's stream neither says that
cells are merged or that a formula was never computed, nor minds rows that go backwards. The same pass counts the rows.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple
from xml.parsers import expat

from openpyxl import load_workbook
from openpyxl.utils import column_index_from_string, get_column_letter

from ingestion.options import IngestOptions
from ingestion.readers.text import RESEND
from ingestion.refusal import Refusal

WORKBOOK_PART = "[Content_Types].xml"
OLD_OR_LOCKED = b"\xd0\xcf\x11\xe0"
MOST_ROWS, MOST_COLUMNS = 1 << 20, 1 << 14  # of a sheet in Excel
SHARE_HELD = 8  # all parts but the sheets are held in memory: at most this part of what may be unpacked
BYTES_PER_MARK = 16  # of them, a mark of XML for this many bytes that may be held: a bomb of empty elements stays small
CHUNK = 1 << 16
CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")

warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")  # of formats that do not concern values


def is_workbook(path: Path) -> bool:
    """True where the file is a zip archive of the kind that Excel writes."""
    try:
        with zipfile.ZipFile(path) as archive:
            return WORKBOOK_PART in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def old_or_locked(path: Path) -> Refusal:
    """The refusal of what only Excel itself can open."""
    return Refusal(
        "unreadable",
        "the content is an old workbook (.xls), or one that is protected by a password",
        "Ask the sender to save it in Excel as a workbook (.xlsx) without a password to open it, then run it again",
        path.name,
    )


def unreadable(path: Path, problem: object) -> Refusal:
    """The refusal of a file that is no workbook, or a damaged one."""
    said = " ".join(str(problem).split())[:200] or type(problem).__name__
    return Refusal(
        "unreadable",
        f"the file cannot be read as an Excel workbook ({said})",
        f"Ask the sender to save it in Excel as a workbook (.xlsx). {RESEND}",
        path.name,
    )


class Cell(NamedTuple):
    """A cell that has a value.

    Attributes:
        is_error: True where the value is an error of Excel, like #REF!.
        number_format: How Excel shows a number.
    """

    value: Any
    is_error: bool = False
    number_format: str = ""


@dataclass(frozen=True)
class Sheet:
    """One sheet of an opened workbook.

    Attributes:
        last_row: The last row that holds a value; 0 where none does.
    """

    path: Path
    last_row: int
    _sheet: Any

    def rows(self) -> Iterator[list[Cell | None]]:
        """The cells of every row from the first to the last that holds a value, None where a cell is empty.

        Raises:
            Refusal: ``unreadable``.
        """
        try:
            for cells in islice(self._sheet.iter_rows(), self.last_row):
                yield [_plain(cell) for cell in cells]
        except Exception as problem:  # openpyxl raises whatever it stumbles over
            raise unreadable(self.path, problem) from problem


def _plain(cell: Any) -> Cell | None:
    """What openpyxl's cell holds; an empty text is no value."""
    if cell.value is None or cell.value == "":
        return None
    is_number = isinstance(cell.value, int | float)
    return Cell(cell.value, cell.data_type == "e", cell.number_format if is_number else "")


@contextmanager
def open_sheet(path: Path, name: str | None, options: IngestOptions) -> Iterator[Sheet]:
    """Opens a sheet of a workbook for one reading.

    Args:
        path: The file.
        name: Name of the sheet; None for the first.
        options: Settings of ingestion: how much may be unpacked.

    Raises:
        Refusal: ``unreadable``; ``unpacked_size`` (a bomb, or more than is kept by hand); ``sheet`` (there is none of
            that name); ``merged_cells``; ``formula`` (never computed); ``line_length`` (a row longer than a block).
    """
    with path.open("rb") as file:
        if file.read(4) == OLD_OR_LOCKED:
            raise old_or_locked(path)
        try:
            _check_parts(file, path, options)
            workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
            sheet = _named(workbook, name, path)
            sheet.reset_dimensions()  # what the file says of its size may be wrong
            survey = _Survey(path, options.block_bytes, sheet._shared_strings)
            with sheet._get_source() as stream:
                survey.read(stream)
        except Refusal:
            raise
        except Exception as problem:  # as in `rows`
            raise unreadable(path, problem) from problem
        yield Sheet(path, survey.last_row, sheet)


def _check_parts(file: IO[bytes], path: Path, options: IngestOptions) -> None:
    """Nothing is unpacked that would not fit: an archive says how large its parts are, and gives no byte more."""
    held = options.workbook_bytes // SHARE_HELD
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
        sheets = [part for part in parts if part.filename.startswith("xl/worksheets/sheet")]
        others = [part for part in parts if part not in sheets]
        for what, size, most in (
            ("the workbook", sum(part.file_size for part in parts), options.workbook_bytes),
            ("all but its sheets", sum(part.file_size for part in others), held),
        ):
            if size > most:
                raise _too_large(path, f"{what} would be {size:,} bytes when unpacked, {most:,} are allowed")
        marks = 0
        for part in others:
            with archive.open(part) as stream:
                while chunk := stream.read(CHUNK):
                    marks += chunk.count(b"<")
                    if b"<!DOCTYPE" in chunk:
                        raise ValueError(f"{part.filename} holds a document type, which no workbook does")
            if marks > held // BYTES_PER_MARK:
                raise _too_large(path, f"it holds more than {held // BYTES_PER_MARK:,} elements beside its sheets")
        for part in sheets:  # openpyxl opens them all
            with archive.open(part) as stream:
                _Lengths(path, options.block_bytes).read(stream)


def _too_large(path: Path, message: str) -> Refusal:
    return Refusal(
        "unpacked_size",
        message,
        "Ask the sender for delimited text or Parquet, or set C360_INGEST_WORKBOOK_BYTES if the file is as agreed",
        path.name,
    )


def _named(workbook: Any, name: str | None, path: Path) -> Any:
    sheets = {sheet.title: sheet for sheet in workbook.worksheets}
    if not sheets:
        raise ValueError("it holds no sheet; a workbook saved as Strict Open XML is not read")
    if name is None:
        return next(iter(sheets.values()))
    if name not in sheets:
        raise Refusal(
            "sheet",
            f"there is no sheet {name!r}; there are: {', '.join(sheets)[:300]}",
            "Rename the sheet that is meant, or set layout.sheet of the contract",
            path.name,
        )
    return sheets[name]


@dataclass
class _Open:
    """A cell while its XML is read."""

    place: str
    kind: str
    is_formula: bool = False
    text: list[str] = field(default_factory=list)


class _Lengths:
    """Reads the XML of a sheet once, holding next to nothing, and refuses what openpyxl would have to hold."""

    def __init__(self, path: Path, block_bytes: int) -> None:
        self._path, self._block_bytes = path, max(block_bytes, CHUNK)
        self._row = 0
        self._in_row = False
        self._start = self._outside = 0
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.StartElementHandler = self._element
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype

    def read(self, stream: IO[bytes]) -> None:
        """Reads all of it, piece by piece."""
        read = 0
        while chunk := stream.read(CHUNK):
            read += len(chunk)
            self._parser.Parse(chunk)
            self._check_length(read)
        self._parser.Parse(b"", True)

    def _check_length(self, read: int) -> None:
        """A row is held as a whole, and what stands between the rows to the end."""
        if self._in_row and read - self._start > self._block_bytes:
            raise Refusal(
                "line_length",
                f"the row is longer than a block ({self._block_bytes:,} bytes)",
                f"Look at the row in Excel, then: {RESEND}",
                self._path.name,
                self._row,
            )
        if not self._in_row and self._outside + read - self._start > self._block_bytes:
            raise _too_large(self._path, f"more than {self._block_bytes:,} bytes of a sheet are no rows")

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        if name.endswith("}row"):
            number = int(attributes.get("r", self._row + 1))
            if not self._row < number <= MOST_ROWS:
                raise ValueError(f"row {number} follows row {self._row}")
            self._row, self._in_row = number, True
            self._outside += self._parser.CurrentByteIndex - self._start
            self._start = self._parser.CurrentByteIndex

    def _end(self, name: str) -> None:
        if name.endswith("}row"):
            self._in_row, self._start = False, self._parser.CurrentByteIndex

    def _doctype(self, *_: object) -> None:
        raise ValueError("the sheet holds a document type, which no workbook does")


class _Survey(_Lengths):
    """Looks at every cell as well.

    Attributes:
        last_row: The last row that holds a value.
    """

    def __init__(self, path: Path, block_bytes: int, strings: list[str]) -> None:
        super().__init__(path, block_bytes)
        self._no_text = {str(position) for position, text in enumerate(strings) if not text}
        self.last_row = self._column = 0
        self._cell: _Open | None = None
        self._is_value = False
        self._parser.CharacterDataHandler = self._characters

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        super()._element(name, attributes)
        kind = name.rpartition("}")[2]
        if kind == "row":
            self._column = 0
        elif kind == "c":
            self._start_cell(attributes)
        elif kind == "mergeCell":
            raise self._merged(attributes.get("ref", ""))
        elif self._cell is not None:
            self._cell.is_formula |= kind == "f"
            self._is_value = kind in ("v", "t")

    def _start_cell(self, attributes: dict[str, str]) -> None:
        place = attributes.get("r")
        if place is None:
            column, row = self._column + 1, self._row
        elif found := CELL.fullmatch(place):
            column, row = column_index_from_string(found[1]), int(found[2])
        else:
            raise ValueError(f"{place!r} is no cell")
        if row != self._row or not self._column < column <= MOST_COLUMNS:
            raise ValueError(f"the cell {place} stands in row {self._row} after column {self._column}")
        self._column = column
        self._cell = _Open(f"{get_column_letter(column)}{row}", attributes.get("t", "n"))

    def _end(self, name: str) -> None:
        super()._end(name)
        kind = name.rpartition("}")[2]
        if kind in ("v", "t"):
            self._is_value = False
        elif kind == "c" and self._cell is not None:
            self._take(self._cell)
            self._cell = None

    def _take(self, cell: _Open) -> None:
        text = "".join(cell.text)
        if cell.is_formula and not text and cell.kind != "str":
            raise Refusal(
                "formula",
                f"the formula in {cell.place} has no value: the file was never computed by Excel",
                "Ask the sender to open the file in Excel and save it, or to put values for formulas, then run again",
                self._path.name,
                self._row,
            )
        if text and not (cell.kind == "s" and text in self._no_text):
            self.last_row = self._row

    def _characters(self, text: str) -> None:
        if self._is_value and self._cell is not None:
            self._cell.text.append(text)

    def _merged(self, place: str) -> Refusal:
        return Refusal(
            "merged_cells",
            f"the cells {place} are merged: only the first of them has a value",
            "Ask the sender to unmerge them and to fill every cell, then run the ingest again",
            self._path.name,
            int(found[2]) if (found := CELL.match(place)) else None,
        )
