"""Ways to damage a file: each makes a function from good bytes to bad bytes, and fails where there is nothing to do."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import polars as pl
import pyarrow
import pyarrow.parquet
from corpus.case import BASES, Damage

from ingestion.contract import Delimited


def nothing(data: bytes) -> bytes:
    """The file as it was; the damage lies elsewhere."""
    return data


def becomes(data: bytes) -> Damage:
    """Other content altogether."""
    return lambda _: data


def swap(old: bytes | str, new: bytes | str, count: int = 1) -> Damage:
    """The first occurrences of some bytes become others."""
    before, after = _bytes(old), _bytes(new)

    def damage(data: bytes) -> bytes:
        assert before in data, before
        return data.replace(before, after, count)

    return damage


def line(number: int, change: Callable[[bytes], bytes]) -> Damage:
    """One line, without its line feed, is changed."""

    def damage(data: bytes) -> bytes:
        lines = data.split(b"\n")
        assert number < len(lines), number
        lines[number - 1] = change(lines[number - 1])
        return b"\n".join(lines)

    return damage


def in_line(number: int, old: bytes | str, new: bytes | str) -> Damage:
    """Bytes of one line become others."""
    return line(number, swap(old, new))


def without_line(number: int) -> Damage:
    """One line is lost."""
    return _lines(lambda lines: lines[: number - 1] + lines[number:])


def with_line(number: int, text: bytes | str) -> Damage:
    """A line is put in before the one with this number; the text bears its line end."""
    return _lines(lambda lines: [*lines[: number - 1], _bytes(text), *lines[number - 1 :]])


def twice(number: int) -> Damage:
    """A line is doubled."""
    return _lines(lambda lines: [*lines[:number], *lines[number - 1 :]])


def changed_places(one: int, other: int) -> Damage:
    """Two lines change places."""

    def damage(lines: list[bytes]) -> list[bytes]:
        lines[one - 1], lines[other - 1] = lines[other - 1], lines[one - 1]
        return lines

    return _lines(damage)


def cut(count: int) -> Damage:
    """The last bytes are lost."""
    return lambda data: data[:-count]


def first(count: int) -> Damage:
    """Only the first bytes arrived."""
    return lambda data: data[:count]


def before(text: bytes | str) -> Damage:
    """Something stands before the file."""
    return lambda data: _bytes(text) + data


def after(text: bytes | str) -> Damage:
    """Something stands behind the file."""
    return lambda data: data + _bytes(text)


def flipped(at: int) -> Damage:
    """All bits of one byte are turned; a negative place counts from the end."""

    def damage(data: bytes) -> bytes:
        place = at % len(data)
        return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]

    return damage


def recoded(source: str, target: str) -> Damage:
    """The text in another encoding."""
    return lambda data: data.decode(source).encode(target)


def both(*damages: Damage) -> Damage:
    """One damage after the other."""

    def damage(data: bytes) -> bytes:
        for one in damages:
            data = one(data)
        return data

    return damage


def cell(base: str, number: int, column: str, text: str) -> Damage:
    """One value of a file becomes another text: raw text, of JSON lines raw JSON."""
    contract = BASES[base].contract
    layout = contract.layout
    names = contract.column_names
    if layout.format == "fixed_width":
        start = 1 + sum(int(c.width or 0) for c in contract.columns[: names.index(column)])
        width = int(contract.by_name[column].width or 0)
        value = text.encode("gb18030").ljust(width)
        assert len(value) == width, value
        return line(number, lambda old: old[:start] + value + old[start + width :])
    if layout.format == "jsonl":
        return line(number, lambda old: _json_with(old, column, text))
    if layout.format == "records":
        at = {"meter_id": 1, "unit": 2, "reading_date": 1, "readings": 2, "day_kwh": 6}[column]
        return line(number, lambda old: _field_with(old, b",", at, text.encode()))
    assert isinstance(layout, Delimited)
    if layout.quote:
        return line(number, lambda old: _quoted_with(old, names.index(column), text))
    return line(
        number,
        lambda old: _field_with(old, layout.delimiter.encode(), names.index(column), text.encode(layout.encoding)),
    )


def parquet(**columns: object) -> Damage:
    """A Parquet file of two readings with other columns; a column that becomes None is left out."""
    readings = {
        "meter_id": pyarrow.array(["M0", "M1"]),
        "reading_date": pyarrow.array(pl.Series(["2026-11-01"] * 2).str.to_date().to_arrow()),
        "kwh": pyarrow.array([0.1, 1.1]),
    }
    return parquet_of(pyarrow.table({name: v for name, v in (readings | columns).items() if v is not None}))


def parquet_of(table: pyarrow.Table) -> Damage:
    """A Parquet file of another table."""
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer)
    return becomes(buffer.getvalue())


def _lines(change: Callable[[list[bytes]], list[bytes]]) -> Damage:
    return lambda data: b"".join(change(data.splitlines(keepends=True)))


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _field_with(old: bytes, delimiter: bytes, at: int, value: bytes) -> bytes:
    end = b"\r" if old.endswith(b"\r") else b""
    fields = old.removesuffix(b"\r").split(delimiter)
    fields[at] = value
    return delimiter.join(fields) + end


def _quoted_with(old: bytes, at: int, value: str) -> bytes:
    fields = [f'"{f}"' if "," in f else f for f in next(csv.reader([old.decode()]))]
    fields[at] = value
    return ",".join(fields).encode()


def _json_with(old: bytes, column: str, value: str) -> bytes:
    parts = {name: json.dumps(v, ensure_ascii=False) for name, v in json.loads(old).items()} | {column: value}
    return ("{" + ", ".join(f'"{name}": {raw}' for name, raw in parts.items()) + "}").encode()
