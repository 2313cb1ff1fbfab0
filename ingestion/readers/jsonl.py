"""JSON lines: one object a line. Numbers are read as text, so that money never passes through a float."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from ingestion.readers.base import LINE, Block, FileReader, Reject, text_schema, wrong_line_end
from ingestion.readers.text import Decoder, Lines, TextBlock, text_blocks

LONG_NUMBER = re.compile(rb"[:\[,]\s*-?[0-9.]{16,}")  # beyond 15 digits a double is no longer exact
KEYS_SAMPLED = 200


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
            lines = Lines(text, np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == 0x0A))
            self.counted += len(lines)
            self._check_keys(lines, block.first_line)
            frame = self._at_once(text, len(lines)) if not block.wrong_ends else None
            if frame is None:
                yield self._line_by_line(block, lines)
            else:
                yield Block(self._by_contract(frame, np.arange(len(lines)) + block.first_line), lines.many)

    def _at_once(self, text: bytes, height: int) -> pl.DataFrame | None:
        """The block by Polars, None where it has to be looked at line by line."""
        if LONG_NUMBER.search(text) or b"\\u0000" in text or b"\0" in text:
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
                value = json.loads(raw, parse_float=str, parse_int=str, parse_constant=str)
            except (ValueError, RecursionError) as problem:
                rejects.append(Reject(line, "json", None, f"the line is no JSON ({problem})", raw.replace("\0", "␀")))
                continue
            if not isinstance(value, dict):
                rejects.append(Reject(line, "json", None, "the line is no JSON object", raw))
            elif any("\0" in v for v in value.values() if isinstance(v, str)):
                rejects.append(Reject(line, "nul_byte", None, "a value holds a NUL character", raw))
            else:
                good.append({name: _as_text(value.get(name), kind) for name, kind in self._schema.items()})
                positions.append(position)
        frame = pl.DataFrame(good, schema=self._schema) if good else pl.DataFrame(schema=self._schema)
        table = self._by_contract(frame, np.array(positions, dtype=np.int64) + block.first_line)
        return Block(table, lambda chosen: lines.many([positions[i] for i in chosen]), rejects)

    def _by_contract(self, frame: pl.DataFrame, line: np.ndarray) -> pl.DataFrame:
        frame = frame.select(
            *(pl.col(c.file_header).alias(c.name) for c in self.contract.columns), pl.Series(LINE, line, dtype=pl.Int64)
        )
        return self.null_tokens_made_null(frame)

    def _check_keys(self, lines: Lines, first_line: int) -> None:
        """New keys are looked for in the first lines of every block; lost ones show as rows without required values."""
        expected = set(self._schema)
        for position in range(min(KEYS_SAMPLED, len(lines))):
            try:
                value = json.loads(lines[position])
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict) and not value.keys() <= expected:
                seen = [*self._schema, *(name for name in value if name not in expected)]
                self.check_columns(seen, first_line + position)


def _as_text(value: Any, kind: pl.DataType) -> Any:
    if value is None:
        return None
    if isinstance(kind, pl.List):
        return [_as_text(v, pl.String()) for v in value] if isinstance(value, list) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
