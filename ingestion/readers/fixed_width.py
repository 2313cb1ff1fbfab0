"""Fixed-width records, widths in bytes of the file's encoding (a hanzi is 2 or 4 bytes of GB 18030).

The block is seen as a matrix of bytes; a separator is put behind every field; then it is decoded and split at once.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from ingestion.contract import FixedWidth, RecordLine
from ingestion.readers.base import LINE, Block, FileReader, Reject, wrong_line_end
from ingestion.readers.text import Decoder, Lines, TextBlock, text_blocks

SEPARATOR = 0x1F
FORBIDDEN = (0x00, SEPARATOR)


class FixedWidthReader(FileReader):
    """Reads header, detail and trailer records."""

    def blocks(self) -> Iterator[Block]:
        layout = self._layout
        self._codec = "utf-8" if layout.encoding == "utf-8-sig" else layout.encoding
        self._widths = [int(column.width or 0) for column in self.contract.columns]
        self._length = len(layout.detail_type.encode()) + sum(self._widths)
        decode = Decoder(layout.encoding, self.path)
        last_line = 0
        for block in text_blocks(
            self.path, layout.compression, layout.encoding, layout.line_end, self.options.block_bytes
        ):
            decode(block)
            lines = Lines(block.data, self._codec)
            last_line = block.first_line + block.lines - 1
            yield self._block(block, lines)
        if not last_line:
            raise self.refuse("empty", "the file is empty", 1)
        self.check_trailer_seen(last_line)

    @property
    def _layout(self) -> FixedWidth:
        assert isinstance(self.contract.layout, FixedWidth)
        return self.contract.layout

    def _block(self, block: TextBlock, lines: Lines) -> Block:
        layout = self._layout
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
        text = self._separated(data, starts[positions])
        try:
            decoded = text.tobytes().decode(self._codec)
        except UnicodeDecodeError:
            positions, cut = self._split_by_whole_characters(text, positions)
            rejects += [
                Reject(
                    block.first_line + int(p),
                    "field_boundary",
                    None,
                    "a field's end cuts a character in two",
                    lines[int(p)],
                )
                for p in cut
            ]
            decoded = self._separated(data, starts[positions]).tobytes().decode(self._codec)
        frame = self._parsed(decoded, positions + block.first_line)
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

    def _separated(self, data: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Matrix of the records' bytes with a separator behind every field and a line feed behind the last."""
        detail = len(self._layout.detail_type.encode())
        if len(starts) and starts[-1] - starts[0] == (len(starts) - 1) * (self._length + 1):
            begin = int(starts[0])
            stop = begin + len(starts) * (self._length + 1)
            matrix = data[begin:stop].reshape(len(starts), self._length + 1)
        else:
            matrix = data[starts[:, None] + np.arange(self._length)]
        out = np.full((len(starts), self._length - detail + len(self._widths)), SEPARATOR, dtype=np.uint8)
        source, target = detail, 0
        for width in self._widths:
            out[:, target : target + width] = matrix[:, source : source + width]
            source, target = source + width, target + width + 1
        out[:, -1] = 0x0A
        return out

    def _split_by_whole_characters(self, text: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows whose every field holds whole characters, and the others."""
        whole = np.ones(len(positions), dtype=bool)
        for index in range(len(positions)):
            try:
                text[index].tobytes().decode(self._codec)
            except UnicodeDecodeError:
                whole[index] = False
        return positions[whole], positions[~whole]

    def _parsed(self, decoded: str, line: np.ndarray) -> pl.DataFrame:
        schema = {column.name: pl.String() for column in self.contract.columns}
        if not decoded:
            return pl.DataFrame(schema=schema | {LINE: pl.Int64()})
        frame = pl.read_csv(
            decoded.encode("utf-8"),
            has_header=False,
            separator=chr(SEPARATOR),
            quote_char=None,
            schema=schema,
            empty_string_is_null=False,
        )
        frame = frame.select(
            *(
                pl.col(c.name).str.strip_chars_end(" ")
                if c.base_type in ("text", "varchar", "char")
                else pl.col(c.name).str.strip_chars(" ")
                for c in self.contract.columns
            ),
            pl.Series(LINE, line, dtype=pl.Int64),
        )
        return self.null_tokens_made_null(frame)
