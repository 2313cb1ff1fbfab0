"""JSON lines: one object a line. Numbers are read as text, so that money never passes through a float."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from ingestion.readers.base import LINE, NEW, Block, FileReader, Reject, text_schema, wrong_line_end
from ingestion.readers.text import Decoder, Lines, TextBlock, text_blocks

INEXACT_NUMBER = re.compile(rb"[:\[,]\s*-?(?:[0-9.]{16}|[0-9.]+[eE]|0\.0000)")  # not the same text through a double
HALF_A_PAIR = re.compile(  # a surrogate without its other half is no character
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)
NO_CHARACTER = re.compile("[\0\ud800-\udfff]")
DIGITS_AT_MOST = 60


class JsonLinesReader(FileReader):
    """Reads JSON lines; a line that is no JSON object is rejected alone."""

    def blocks(self) -> Iterator[Block]:
        layout = self.contract.layout
        decode = Decoder(layout.encoding, self.path)
        self._schema = {
            c.file_header: kind
            for c, kind in zip(self.contract.columns, text_schema(self.contract.columns).values(), strict=True)
        }
        for block in text_blocks(
            self.path, layout.compression, layout.encoding, layout.line_end, self.options.block_bytes
        ):
            text = decode(block)
            lines = Lines(text)
            self.counted += block.lines
            is_plain = self._check_names(text, lines, block.first_line) and not block.wrong_ends
            frame = self._at_once(text, block.lines) if is_plain else None
            if frame is None:
                yield self._line_by_line(block, lines)
            else:
                yield Block(self._by_contract(frame, np.arange(block.lines) + block.first_line), lines.many)

    def _at_once(self, text: bytes, height: int) -> pl.DataFrame | None:
        """The block by Polars, None where it has to be looked at line by line."""
        if b"\\u0000" in text or b"\0" in text or INEXACT_NUMBER.search(text):
            return None
        if (b"\\ud" in text or b"\\uD" in text) and HALF_A_PAIR.search(text):
            return None
        try:
            frame = pl.read_ndjson(text, schema=self._schema)
        except (pl.exceptions.PolarsError, ValueError):
            return None
        return frame if frame.height == height else None

    def _line_by_line(self, block: TextBlock, lines: Lines) -> Block:
        good: list[dict[str, Any]] = []
        positions: list[int] = []
        rejects: list[Reject] = []
        for position in range(len(lines)):
            line, raw = block.first_line + position, lines[position]
            if position in block.wrong_ends:
                rejects.append(wrong_line_end(block, position, raw, self.contract.layout.line_end))
                continue
            try:
                value = json.loads(
                    raw, parse_float=_plain, parse_int=_Number, parse_constant=str, object_pairs_hook=_named_once
                )
            except (ValueError, RecursionError) as problem:
                rejects.append(Reject(line, "json", None, f"the line is no JSON ({problem})", raw.replace("\0", "␀")))
                continue
            if not isinstance(value, dict):
                rejects.append(Reject(line, "json", None, "the line is no JSON object", raw))
                continue
            no_list = [n for n, kind in self._schema.items() if kind == pl.List and not _may_be_list(value.get(n))]
            if no_list:
                what = f"{no_list[0]}: one value stands where a list is expected"
                rejects.append(Reject(line, "type", no_list[0], what, raw))
                continue
            row = {name: _as_text(value.get(name), kind) for name, kind in self._schema.items()}
            wrong = [name for name, text in row.items() if _no_character(text)]
            if wrong:
                what = f"{wrong[0]}: the value holds a NUL character or half a surrogate pair"
                rejects.append(Reject(line, "nul_byte", wrong[0], what, raw))
            else:
                good.append(row)
                positions.append(position)
        frame = pl.DataFrame(good, schema=self._schema) if good else pl.DataFrame(schema=self._schema)
        table = self._by_contract(frame, np.array(positions, dtype=np.int64) + block.first_line)
        return Block(table, lambda chosen: lines.many([positions[i] for i in chosen]), rejects)

    def _by_contract(self, frame: pl.DataFrame, line: np.ndarray) -> pl.DataFrame:
        frame = frame.select(
            *(pl.col(c.file_header).alias(c.name) for c in self.contract.columns),
            *(pl.col(name).alias(NEW + name) for name in self.new_columns),
            pl.Series(LINE, line, dtype=pl.Int64),
        )
        return self.null_tokens_made_null(frame)

    def _check_names(self, text: bytes, lines: Lines, first_line: int) -> bool:
        """Looks for names that are new and, in the first block, for required ones that are lost.

        An optional name that is nowhere is taken for one without values, as is usual in JSON.

        Returns:
            True where no name stands twice in a line, as far as counting can tell.
        """
        names = [*self._schema, *(seen.column for seen in self.drift if seen.column not in self._schema)]
        is_odd = b"  :" in text or b"\t:" in text
        ends = (b'":', b'" :') if b'" :' in text else (b'":',)
        count = [sum(text.count(_start(name) + end) for end in ends) for name in names]
        lost = [
            column.file_header
            for column, times in zip(self.contract.columns, count, strict=False)
            if first_line == 1 and column.required and not times
        ]
        if is_odd or lost or sum(count) < sum(text.count(end) for end in ends):
            self._look_at_names(lines, first_line, lost)
        return not is_odd and max(count) <= len(lines)

    def _look_at_names(self, lines: Lines, first_line: int, lost: list[str]) -> None:
        """The names of a block, line by line; of those that may be `lost` it says which are."""
        seen: dict[str, int] = {}
        for position in range(len(lines)):
            try:
                value = json.loads(lines[position])
            except (ValueError, RecursionError):
                continue
            for name in value if isinstance(value, dict) else ():
                seen.setdefault(name, position)
        there = [name for name in self._schema if not seen or name in seen or name not in lost]
        new = [name for name in seen if name not in self._schema]
        self.check_columns([*there, *new], first_line + (seen[new[0]] if new else 0))
        self._schema |= dict.fromkeys(self.new_columns, pl.String())


class _Number(str):
    """Text of a number."""


def _start(name: str) -> bytes:
    """A name as it stands in an object, up to the quote behind it."""
    return json.dumps(name, ensure_ascii=False).encode()[:-1]


def _may_be_list(value: Any) -> bool:
    return value is None or isinstance(value, list)


def _as_text(value: Any, kind: pl.DataType) -> Any:
    if value is None:
        return None
    if isinstance(kind, pl.List):
        return [_as_text(v, pl.String()) for v in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str) else json.dumps(_nested(value), ensure_ascii=False)


def _nested(value: Any) -> Any:
    """A nested value with its numbers as numbers, as the fast path gives it."""
    if isinstance(value, dict):
        return {name: _nested(v) for name, v in value.items()}
    if isinstance(value, list):
        return [_nested(v) for v in value]
    if not isinstance(value, _Number):
        return value
    return float(value) if "." in value or len(value) > DIGITS_AT_MOST else int(value)


def _no_character(text: str | list[str | None] | None) -> bool:
    """True where PostgreSQL cannot hold the text."""
    return any(NO_CHARACTER.search(part) for part in (text if isinstance(text, list) else [text]) if part)


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names occur once; of two values none is known to be the right one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        name = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the name {name!r} occurs twice")
    return found


def _plain(number: str) -> _Number:
    """A number without exponent and trailing zeros, as the fast path gives it; a giant stays as it was sent."""
    value = Decimal(number)
    if abs(value.adjusted()) > DIGITS_AT_MOST:
        return _Number(number)
    text = f"{value:f}"
    return _Number(text.rstrip("0").rstrip(".") if "." in text else text)
