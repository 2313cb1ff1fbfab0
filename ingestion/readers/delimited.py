"""Delimited text.

A block is first proved to be regular in its bytes (every line has the contract's number of fields, no delimiter inside
quotes); then Polars splits it at full speed. Only blocks that are not regular are looked at line by line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

import numpy as np
import polars as pl

from ingestion.contract import Delimited
from ingestion.readers.base import LINE, NEW, Block, FileReader, Reject, wrong_line_end
from ingestion.readers.text import Decoder, Lines, TextBlock, text_blocks

UNIT_SEPARATOR = b"\x1f"
csv.field_size_limit(1 << 30)  # a line is no longer than a block; Python's own limit is 131,072 characters


class DelimitedReader(FileReader):
    """Reads delimited files of any delimiter, quoted or not, with a header or without."""

    def blocks(self) -> Iterator[Block]:
        layout = self._layout
        decode = Decoder(layout.encoding, self.path)
        self._file_columns: list[str] = []
        for block in text_blocks(
            self.path, layout.compression, layout.encoding, layout.line_end, self.options.block_bytes
        ):
            text = decode(block)
            if not self._file_columns:
                block, text = self._take_header(block, text)
            if text:
                self.counted += block.lines
                yield self._block(block, text)
        if layout.header and not self._file_columns:
            raise self.refuse("empty", "the file is empty: not even a header line is there", 1)

    @property
    def _layout(self) -> Delimited:
        assert isinstance(self.contract.layout, Delimited)
        return self.contract.layout

    def _take_header(self, block: TextBlock, text: bytes) -> tuple[TextBlock, bytes]:
        """Reads the header line, sets the names of the file's columns, and gives what follows."""
        if not self._layout.header:
            self._file_columns = self.contract.column_names
            return block, text
        line, _, rest = text.partition(b"\n")
        try:
            seen = [name.strip() for name in self._split(line.decode("utf-8"))]
        except csv.Error as problem:
            raise self.refuse("header", f"the header line cannot be read ({problem})", 1) from problem
        if len(seen) == 1 < len(self.contract.columns):
            raise self.refuse("header", f"the header line holds no delimiter {self._layout.delimiter!r}", 1)
        self.check_columns(seen, 1)
        names = {column.file_header: column.name for column in self.contract.columns}
        names |= {name: NEW + name for name in self.new_columns}
        self._file_columns = [names.get(name, f"_new_{position}") for position, name in enumerate(seen)]
        wrong_ends = tuple(position - 1 for position in block.wrong_ends)  # the first line's end is right
        return TextBlock(rest, block.first_line + 1, block.lines - 1, wrong_ends), rest

    def _block(self, block: TextBlock, text: bytes) -> Block:
        split, delimiter = text, self._layout.delimiter.encode()
        if len(delimiter) > 1 and UNIT_SEPARATOR not in text:
            split, delimiter = text.replace(delimiter, UNIT_SEPARATOR), UNIT_SEPARATOR
        lines = Lines(text)
        if not block.wrong_ends and len(delimiter) == 1 and self._is_regular(split, delimiter, block.lines):
            frame = self._parsed(split, delimiter)
            if frame is not None and frame.height == block.lines:
                frame = self._by_contract(frame, np.arange(block.lines) + block.first_line)
                return Block(frame, lines.many)
        return self._line_by_line(block, lines)

    def _is_regular(self, text: bytes, delimiter: bytes, lines: int) -> bool:
        """True when every line has the right number of fields and quotes enclose whole fields without delimiters."""
        if b"\0" in text:
            return False
        data = np.frombuffer(text, dtype=np.uint8)
        marks = np.flatnonzero((data == delimiter[0]) | (data == 0x0A))
        width = len(self._file_columns)
        if len(marks) != lines * width or not (data[marks[width - 1 :: width]] == 0x0A).all():
            return False
        if self._layout.quote is None:
            return True
        quotes = np.flatnonzero(data == ord(self._layout.quote))
        if not len(quotes):
            return True
        if (np.searchsorted(quotes, marks) % 2).any():
            return False
        edges = np.array([delimiter[0], 0x0A, ord(self._layout.quote)], dtype=np.uint8)
        before, after = data[quotes[::2] - 1], data[quotes[1::2] + 1]  # before the first byte stands the last line feed
        return bool(np.isin(before, edges).all() and np.isin(after, edges).all())

    def _parsed(self, text: bytes, delimiter: bytes) -> pl.DataFrame | None:
        """The block by Polars, None where it has to be looked at line by line."""
        try:
            return self._split_at_once(text, delimiter)
        except pl.exceptions.PolarsError:
            return None

    def _split_at_once(self, text: bytes, delimiter: bytes) -> pl.DataFrame:
        return pl.read_csv(
            text,
            has_header=False,
            separator=delimiter.decode(),
            quote_char=self._layout.quote,
            schema={name: pl.String() for name in self._file_columns},
            null_values=[token for token in self._layout.null_tokens if token] or None,
            empty_string_is_null="" in self._layout.null_tokens,
        )

    def _by_contract(self, frame: pl.DataFrame, line: np.ndarray) -> pl.DataFrame:
        columns = [
            pl.col(name) if name in frame.columns else pl.lit(None, pl.String()).alias(name)
            for name in self.contract.column_names
        ]
        columns += [pl.col(NEW + name) for name in self.new_columns]
        frame = frame.select(*columns, pl.Series(LINE, line, dtype=pl.Int64))
        return self.null_tokens_made_null(frame) if self._layout.quote else frame

    def _line_by_line(self, block: TextBlock, lines: Lines) -> Block:
        wrong_ends, width = set(block.wrong_ends), len(self._file_columns)
        good: list[list[str]] = []
        positions: list[int] = []
        rejects: list[Reject] = []
        for position in range(len(lines)):
            line, raw = block.first_line + position, lines[position]
            if position in wrong_ends:
                rejects.append(wrong_line_end(block, position, raw, self._layout.line_end))
            elif "\0" in raw:
                rejects.append(Reject(line, "nul_byte", None, "the line holds a NUL byte", raw.replace("\0", "␀")))
            else:
                try:
                    fields = self._split(raw)
                except csv.Error as problem:
                    rejects.append(
                        Reject(line, "quoting", None, f"the quotes of the line do not close ({problem})", raw)
                    )
                    continue
                if len(fields) != width:
                    rejects.append(
                        Reject(line, "field_count", None, f"{len(fields)} fields, {width} are expected", raw)
                    )
                else:
                    good.append(fields)
                    positions.append(position)
        tokens = set(self._layout.null_tokens)
        columns = {
            name: pl.Series(name, [None if row[i] in tokens else row[i] for row in good], dtype=pl.String)
            for i, name in enumerate(self._file_columns)
        }
        frame = self._by_contract(pl.DataFrame(columns), np.array(positions, dtype=np.int64) + block.first_line)
        return Block(frame, lambda chosen: lines.many([positions[i] for i in chosen]), rejects)

    def _split(self, line: str) -> list[str]:
        if self._layout.quote is None:
            return line.split(self._layout.delimiter)
        if not line:
            return [""]
        rows = list(csv.reader([line], delimiter=self._layout.delimiter, quotechar=self._layout.quote, strict=True))
        return rows[0]
