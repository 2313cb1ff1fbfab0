"""Fixed-width records, widths in bytes of the file's encoding (a hanzi is 2 or 4 bytes of GB 18030).

The block is seen as a matrix of bytes; a separator is put behind every field; then it is split at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

import numpy as np
import polars as pl

from ingestion.contract import TEXTS, Column, FixedWidth, RecordLine
from ingestion.readers.base import LINE, Block, FileReader, Reject, wrong_line_end
from ingestion.readers.text import NEWLINE, Decoder, Lines, TextBlock, line_series, text_blocks

SEPARATOR, BLANK = 0x1F, 0x20
FORBIDDEN = (0x00, SEPARATOR)


class FixedWidthReader(FileReader):
    """Reads header, detail and trailer records."""

    def blocks(self) -> Iterator[Block]:
        layout = self._layout
        self._codec = "utf-8" if layout.encoding == "utf-8-sig" else layout.encoding
        self._widths = [int(column.width or 0) for column in self.contract.columns]
        self._length_of_fields = sum(self._widths)
        self._length = len(layout.detail_type.encode()) + self._length_of_fields
        self._fields_at = list(zip(accumulate(self._widths, initial=0), self._widths, strict=False))
        decode = Decoder(layout.encoding, self.path)
        last_line = 0
        for block in text_blocks(
            self.path, layout.compression, layout.encoding, layout.line_end, self.options.block_bytes
        ):
            last_line = block.first_line + block.lines - 1
            yield self._block(block, Lines(block.data, self._codec), decode)
        if not last_line:
            raise self.refuse("empty", "the file is empty", 1)
        self.check_trailer_seen(last_line)

    @property
    def _layout(self) -> FixedWidth:
        assert isinstance(self.contract.layout, FixedWidth)
        return self.contract.layout

    def _block(self, block: TextBlock, lines: Lines, decode: Decoder) -> Block:
        layout = self._layout
        decode.refuse_foreign(block)
        data = np.frombuffer(block.data, dtype=np.uint8)
        ends = lines.ends
        starts = np.concatenate(([0], ends[:-1] + 1))
        is_row = np.ones(len(ends), dtype=bool)
        if block.first_line == 1 and layout.header_record:
            header = self._fields(layout.header_record, lines.bytes_at(0), 1, "header")
            self.check_table_name(header.get("table_name"), 1)
            self.check_business_date(header.get("business_date"), 1)
            is_row[0] = False
        if layout.trailer_record:
            self._take_trailer(block, lines, data, starts, is_row)
        self.counted += int(is_row.sum())

        detail = layout.detail_type.encode()
        is_detail = ends - starts == self._length
        for offset, byte in enumerate(detail):
            is_detail &= data[np.minimum(starts + offset, len(data) - 1)] == byte
        is_clean = self._clean(data, ends)
        good = is_row & is_detail & is_clean
        good[list(block.wrong_ends)] = False

        if layout.header_record:
            self._refuse_second_header(block, lines, is_row & ~is_detail)
        rejects = [self._reject(block, lines, int(position), is_clean) for position in np.flatnonzero(is_row & ~good)]
        positions = np.flatnonzero(good)
        if len(positions) < block.lines:
            decode(block)  # refuses the file where a line that is no row cannot be decoded
        matrix = self._matrix(data, starts[positions])
        try:
            text = self._decoded(matrix)
        except UnicodeDecodeError:
            decode(block)  # or where a row cannot
            whole = self._is_whole(matrix)
            rejects += [
                Reject(
                    block.first_line + int(p),
                    "field_boundary",
                    None,
                    "a field's end cuts a character in two",
                    lines[int(p)],
                )
                for p in positions[~whole]
            ]
            positions, matrix = positions[whole], matrix[whole]
            text = self._decoded(matrix)
        frame = self._parsed(*text, matrix, positions + block.first_line)
        return Block(frame, lambda chosen: lines.many([int(positions[i]) for i in chosen]), rejects)

    def _fields(self, record: RecordLine, line: bytes, number: int, what: str) -> dict[str, str]:
        """Cuts a header or trailer line into its named fields."""
        kind = record.type.encode()
        length = len(kind) + sum(width for _, width in record.fields)
        if not line.startswith(kind):
            raise self.refuse(
                what,
                f"the line starts with {line[: len(kind)]!r}, the {what} record {record.type!r} is expected",
                number,
            )
        if len(line) < length or line[length:].strip():
            raise self.refuse(what, f"the {what} record is {len(line)} bytes long, {length} are expected", number)
        fields, at = {}, len(kind)
        for name, width in record.fields:
            fields[name] = line[at : at + width].decode(self._codec, errors="replace").strip()
            at += width
        return fields

    def _take_trailer(
        self, block: TextBlock, lines: Lines, data: np.ndarray, starts: np.ndarray, is_row: np.ndarray
    ) -> None:
        record = self._layout.trailer_record
        assert record is not None
        if self.declared is not None:
            raise self.refuse("after_trailer", "lines follow the trailer", block.first_line)
        kind = record.type.encode()
        for position in np.flatnonzero(data[starts] == kind[0]):
            line = lines.bytes_at(int(position))
            if not line.startswith(kind) or (
                len(line) == self._length and line.startswith(self._layout.detail_type.encode())
            ):
                continue
            number = block.first_line + int(position)
            self.declare(self._fields(record, line, number, "trailer"), number)
            if int(position) != len(lines) - 1:
                raise self.refuse("after_trailer", "lines follow the trailer", number + 1)
            is_row[position] = False

    def _refuse_second_header(self, block: TextBlock, lines: Lines, is_foreign: np.ndarray) -> None:
        record = self._layout.header_record
        assert record is not None
        length = len(record.type.encode()) + sum(width for _, width in record.fields)
        for position in np.flatnonzero(is_foreign).tolist():
            line = lines.bytes_at(position)
            if line.startswith(record.type.encode()) and len(line.rstrip()) == length:
                raise self.refuse("record_order", "a second header record", block.first_line + position)

    def _clean(self, data: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """False for lines with a NUL byte or the separator in them."""
        clean = np.ones(len(ends), dtype=bool)
        bad = np.flatnonzero((data == FORBIDDEN[0]) | (data == FORBIDDEN[1]))
        clean[np.searchsorted(ends, bad)] = False
        return clean

    def _reject(self, block: TextBlock, lines: Lines, position: int, is_clean: np.ndarray) -> Reject:
        raw, number = lines[position], block.first_line + position
        if position in block.wrong_ends:
            return wrong_line_end(block, position, raw, self._layout.line_end)
        if not is_clean[position]:
            return Reject(
                number,
                "control_character",
                None,
                "the line holds a NUL byte or a unit separator",
                raw.replace("\0", "␀"),
            )
        detail = self._layout.detail_type
        if not lines.bytes_at(position).startswith(detail.encode()):
            return Reject(
                number, "record_type", None, f"record type {raw[:1]!r} is unknown, {detail!r} is expected", raw
            )
        length = len(lines.bytes_at(position))
        return Reject(
            number, "record_length", None, f"the record is {length} bytes long, {self._length} are expected", raw
        )

    def _matrix(self, data: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """The records' bytes, a row each, without their type; a view where they follow one another."""
        detail = len(self._layout.detail_type.encode())
        if len(starts) and starts[-1] - starts[0] == (len(starts) - 1) * (self._length + 1):
            begin = int(starts[0])
            stop = begin + len(starts) * (self._length + 1)
            return data[begin:stop].reshape(len(starts), self._length + 1)[:, detail : self._length]
        return data[starts[:, None] + np.arange(detail, self._length)]

    def _decoded(self, matrix: np.ndarray) -> tuple[bytes, dict[int, bytes]]:
        """The records as text: a separator behind every field, a line feed behind the last.

        Fields that hold more than ASCII in one of these records are left empty and given by themselves, by their
        position, in UTF-8, a line each: to decode GB 18030 costs most of the reading.

        Raises:
            UnicodeDecodeError: A field's end cuts a character, or the bytes are no text.
        """
        out = np.full((len(matrix), self._length_of_fields + len(self._widths)), SEPARATOR, dtype=np.uint8)
        apart: dict[int, bytes] = {}
        at = 0
        for position, (start, width) in enumerate(self._fields_at):
            field = matrix[:, start : start + width]
            if (field & 0x80).any():
                lines = np.full((len(matrix), width + 1), NEWLINE, dtype=np.uint8)
                lines[:, :-1] = field
                apart[position] = lines.tobytes().decode(self._codec).encode("utf-8")
            else:
                out[:, at : at + width] = field
                at += width
            at += 1
        out[:, at - 1] = NEWLINE
        return out[:, :at].tobytes(), apart

    def _is_whole(self, matrix: np.ndarray) -> np.ndarray:
        """True for rows whose every field holds whole characters."""
        whole = np.ones(len(matrix), dtype=bool)
        for index in range(len(matrix)):
            try:
                self._decoded(matrix[index : index + 1])
            except UnicodeDecodeError:
                whole[index] = False
        return whole

    def _parsed(self, text: bytes, apart: dict[int, bytes], matrix: np.ndarray, line: np.ndarray) -> pl.DataFrame:
        schema = {column.name: pl.String() for column in self.contract.columns}
        if not text:
            return pl.DataFrame(schema=schema | {LINE: pl.Int64()})
        frame = pl.read_csv(
            text,
            has_header=False,
            separator=chr(SEPARATOR),
            quote_char=None,
            schema=schema,
            empty_string_is_null=False,
        )
        decoded = [
            line_series(column.name, apart[at]) for at, column in enumerate(self.contract.columns) if at in apart
        ]
        padded = [
            at in apart or bool((matrix[:, [start, start + width - 1]] == BLANK).any())
            for at, (start, width) in enumerate(self._fields_at)
        ]
        columns = [self._stripped(*column) for column in zip(self.contract.columns, padded, strict=True)]
        frame = frame.with_columns(decoded)
        return self.null_tokens_made_null(frame.select(*columns, pl.Series(LINE, line, dtype=pl.Int64)))

    def _stripped(self, column: Column, is_padded: bool) -> pl.Expr:
        """The column's text without the blanks around it: behind it, and before it where it is no text."""
        value = pl.col(column.name)
        if not is_padded:
            return value
        return value.str.strip_chars_end(" \n") if column.base_type in TEXTS else value.str.strip_chars(" \n")
