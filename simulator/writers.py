"""Writes extracts by the layouts of the contracts: nothing here knows a table.

Inside the simulator a numeric(p,s) is a whole number of its last decimal (fen for numeric(18,2)); the writer gives it
its form. A file is written under a temporary name, its totals and control file last, then both are renamed.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl
import pyarrow.parquet

from ingestion.contract import Column, Contract, Delimited, FixedWidth, JsonLines, Parquet, Records
from simulator.faults import Fault, Planter

ROWS_AT_ONCE = 200_000  # bounds the memory of one part
ROWS_HELD = 40_000  # small parts wait for each other
WIDE = re.compile(r"(?P<name>\w+)\[(?P<count>\d+)\]\Z")


@dataclass
class Totals:
    """What one file holds.

    Attributes:
        rows, amount: As the control record says (amount in units of the last decimal, None without an amount column).
        rows_good, amount_good: What a reader that finds every planted fault would load.
    """

    source: str
    table: str
    business_date: date
    file: str
    rows: int = 0
    rows_good: int = 0
    amount: Decimal | None = None
    amount_good: Decimal | None = None
    sha256: str = ""
    faults: list[Fault] = field(default_factory=list)


def number_text(value: pl.Expr, scale: int) -> pl.Expr:
    """Plain decimal text of a whole number of last decimals: 12345 with scale 2 gives 123.45."""
    if scale == 0:
        return value.cast(pl.String)
    size = value.abs()
    text = (size // 10**scale).cast(pl.String) + "." + (size % 10**scale).cast(pl.String).str.zfill(scale)
    return pl.when(value < 0).then("-" + text).otherwise(text)


def text_of(column: Column, value: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """The text of a column in the form of its contract, NULL stays NULL."""
    base = column.base_type
    if kind == pl.Null:
        return pl.lit(None, pl.String)
    if base == "numeric":
        if column.implied_decimals is not None:
            width = column.width or 1
            size = value.abs().cast(pl.String)
            return pl.when(value < 0).then("-" + size.str.zfill(width - 1)).otherwise(size.str.zfill(width))
        return number_text(value.cast(pl.Int64), column.scale or 0)
    if base == "date":
        return value.cast(pl.Date).dt.strftime(column.date_format or "%Y-%m-%d")
    if base == "timestamp":
        return value.cast(pl.Datetime("us")).dt.strftime(column.date_format or "%Y-%m-%d %H:%M:%S")
    if base == "boolean":
        return pl.when(value).then(pl.lit("Y")).when(~value).then(pl.lit("N"))
    return value.cast(pl.String)


class TableFile:
    """One file of one table and business date, written in parts.

    Args:
        contract: The table's contract.
        folder: landing/<source>/<business date>.
        business_date: Date of the batch.
        planter: Plants the faults of this file.
    """

    def __init__(self, contract: Contract, folder: Path, business_date: date, planter: Planter) -> None:
        self.contract, self.planter = contract, planter
        self.path = folder / contract.file_name(business_date)
        self.totals = Totals(contract.source, contract.table, business_date, self.path.name)
        self._temporary = self.path.with_name("." + self.path.name + ".part")
        folder.mkdir(parents=True, exist_ok=True)
        self._sink = _sink(contract, self._temporary, business_date)
        name = contract.control.amount_column
        self._amount = contract.by_name[name] if name else None
        if self._amount:
            self.totals.amount = self.totals.amount_good = Decimal(0)
        self._held: list[pl.DataFrame] = []

    def append(self, frame: pl.DataFrame) -> None:
        """Writes rows; columns that begin with `_` are the simulator's own."""
        missing = set(self.contract.column_names) - set(frame.columns)
        if missing:
            raise KeyError(f"{self.contract.source}.{self.contract.table}: the world lacks {sorted(missing)}")
        if not frame.height:
            return
        own = [name for name in (*self.contract.column_names, "_fault") if name in frame.columns]
        self._held.append(frame.select(own))
        if sum(part.height for part in self._held) >= ROWS_HELD:
            self._write_held()

    def _write_held(self) -> None:
        if self._held:
            frame = pl.concat(self._held, how="vertical_relaxed")
            self._held = []
            for part in frame.iter_slices(ROWS_AT_ONCE):
                self._append(part)

    def _append(self, frame: pl.DataFrame) -> None:
        schema = frame.schema
        texts = frame.select(self._text(c, schema[c.name]).alias(c.name) for c in self.contract.columns)
        marked = frame["_fault"] if "_fault" in frame.columns else None
        texts, faults = self.planter.plant(self.contract, texts, marked)
        self._add_up(texts, faults)
        lines = self._sink.write(texts)
        for fault in faults:
            fault.line = int(lines[fault.position])
            fault.file = self.path.name
        self.totals.faults += faults

    def _text(self, column: Column, kind: pl.DataType) -> pl.Expr:
        value = pl.col(column.name)
        if not column.is_array:
            return text_of(column, value, kind)
        delimiter = getattr(self.contract.layout, "delimiter", ",")
        return value.arr.to_list().list.eval(text_of(column, pl.element(), kind.inner)).list.join(delimiter)

    def _add_up(self, texts: pl.DataFrame, faults: list[Fault]) -> None:
        bad = [f for f in faults if f.outcome == "quarantine"]
        self.totals.rows += texts.height
        self.totals.rows_good += texts.height - len(bad)
        if not self._amount:
            return
        scale = self._amount.scale or 0
        value = pl.col(self._amount.name)
        units = value.str.replace(".", "", literal=True) if self._amount.implied_decimals is None else value
        total = Decimal(texts.select(units.cast(pl.Int64, strict=False).sum()).item() or 0)
        lost = Decimal(0)
        for fault in bad:
            sent = texts[self._amount.name][fault.position]
            try:
                amount = Decimal((sent or "").replace(".", "") or 0)
            except InvalidOperation:
                amount = Decimal(fault.true_amount or 0)
                total += amount
            else:
                if sent is None and fault.true_amount is not None:
                    amount = Decimal(fault.true_amount)
                    total += amount
            lost += amount
        unit = Decimal(1).scaleb(-scale)
        self.totals.amount += total * unit
        self.totals.amount_good += (total - lost) * unit

    def close(self) -> Totals:
        """Writes trailer and control file and gives both files their names."""
        self._write_held()
        self._sink.close(self.totals, self._amount)
        with self._temporary.open("rb") as stream:
            self.totals.sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        control = self.contract.control_file_name(self.totals.business_date)
        if control:
            amount = "" if self.totals.amount is None else f"{self.totals.amount:f}"
            encoding = getattr(self.contract.layout, "encoding", "utf-8")
            ends = getattr(self.contract.layout, "line_end", "\n")
            record = f"{self.path.name}|{self.totals.rows}|{amount}|{self.totals.sha256}"
            text = f"file_name|row_count|amount_total|sha256{ends}{record}{ends}"
            part = self.path.with_name("." + control + ".part")
            part.write_bytes(text.encode(encoding))
            os.replace(self._temporary, self.path)
            os.replace(part, self.path.with_name(control))
        else:
            os.replace(self._temporary, self.path)
        return self.totals


class _TextSink:
    """Lines of text in one encoding."""

    def __init__(self, contract: Contract, path: Path, business_date: date) -> None:
        self.contract, self.business_date = contract, business_date
        self.layout = contract.layout
        self.encoding = self.layout.encoding
        self.ends = self.layout.line_end
        self._stream: BinaryIO = path.open("wb")
        self.line = 0
        self.open()

    def open(self) -> None:
        """Writes what stands before the rows."""

    def put(self, lines: list[str] | pl.Series) -> None:
        """Writes lines."""
        values = lines.to_list() if isinstance(lines, pl.Series) else lines
        if values:
            self._stream.write((self.ends.join(values) + self.ends).encode(self.encoding))
            self.line += len(values)

    def close(self, totals: Totals, amount: Column | None) -> None:
        """Writes what stands behind the rows and closes the file."""
        self.trailer(totals, amount)
        self._stream.close()

    def trailer(self, totals: Totals, amount: Column | None) -> None:
        """Writes the trailer, if the layout has one."""

    def numbered(self, count: int) -> np.ndarray:
        """Numbers of the next lines."""
        return np.arange(count) + self.line + 1


class _DelimitedSink(_TextSink):
    def open(self) -> None:
        if self.layout.header:
            self.put([self.layout.delimiter.join(c.file_header for c in self.contract.columns)])

    def write(self, texts: pl.DataFrame) -> np.ndarray:
        numbers = self.numbered(texts.height)
        self.put(
            texts.select(
                pl.concat_str([pl.col(c).fill_null("") for c in texts.columns], separator=self.layout.delimiter)
            ).to_series()
        )
        return numbers


class _FixedWidthSink(_TextSink):
    def open(self) -> None:
        self._sizes: dict[str, int] = {}
        record = self.layout.header_record
        if record:
            values = {"table_name": self.contract.table, "business_date": f"{self.business_date:%Y%m%d}"}
            self.put([record.type + "".join(values.get(name, "").ljust(width) for name, width in record.fields)])

    def write(self, texts: pl.DataFrame) -> np.ndarray:
        numbers = self.numbered(texts.height)
        padded = [pl.lit(self.layout.detail_type)]
        frame = texts.select(pl.all().fill_null(""))
        extra = []
        for column in self.contract.columns:
            width = int(column.width or 0)
            values = frame[column.name]
            if values.str.len_bytes().eq(values.str.len_chars()).all():
                if values.str.len_bytes().max() > width:
                    raise ValueError(f"{self.contract.table}.{column.name}: a value is longer than {width} bytes")
                padded.append(pl.col(column.name).str.pad_end(width))
                continue
            unique = values.unique(maintain_order=True)
            filled = [self._pad(v, width) for v in unique.to_list()]
            extra.append(values.replace_strict(unique, pl.Series(filled)).alias(column.name))
            padded.append(pl.col(column.name))
        self.put(frame.with_columns(extra).select(pl.concat_str(padded)).to_series())
        return numbers

    def _pad(self, value: str, width: int) -> str:
        size = len(value.encode(self.encoding))
        while size > width:  # cut by bytes, never inside a character
            value = value[:-1]
            size = len(value.encode(self.encoding))
        return value + " " * (width - size)

    def trailer(self, totals: Totals, amount: Column | None) -> None:
        record = self.layout.trailer_record
        if not record:
            return
        text = ""
        if totals.amount is not None and amount is not None:
            implied = amount.implied_decimals
            text = f"{totals.amount:f}" if implied is None else str(int(totals.amount.scaleb(implied)))
        values = {"row_count": str(totals.rows), "amount_total": text}
        self.put([record.type + "".join(values.get(name, "").rjust(width) for name, width in record.fields)])


class _JsonSink(_TextSink):
    QUOTED = ("text", "varchar", "char", "date", "timestamp", "timestamptz", "time")

    def write(self, texts: pl.DataFrame) -> np.ndarray:
        numbers = self.numbered(texts.height)
        pieces = []
        for place, column in enumerate(self.contract.columns):
            value = pl.col(column.name)
            if column.base_type in self.QUOTED or column.base_type == "boolean":
                escaped = value.str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
                shown = pl.lit('"') + escaped + pl.lit('"')
            else:  # a number stands bare; what is no number can only be text
                bare = value.str.contains(r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$")
                shown = pl.when(bare).then(value).otherwise(pl.lit('"') + value + pl.lit('"'))
            pieces.append(pl.lit(("{" if place == 0 else ",") + f'"{column.file_header}":') + shown.fill_null("null"))
        self.put(texts.select(pl.concat_str([*pieces, pl.lit("}")])).to_series())
        return numbers


class _RecordsSink(_TextSink):
    """Header, parents that carry the columns their rows share, rows, trailer."""

    def open(self) -> None:
        for code, record in self.layout.of_role("header").items():
            values = {"table_name": self.contract.table, "business_date": f"{self.business_date:%Y%m%d}"}
            self.put([self.layout.delimiter.join([code, *(values.get(f, "") for f in record.fields)])])
        self._last: str | None = None

    def write(self, texts: pl.DataFrame) -> np.ndarray:
        delimiter = self.layout.delimiter
        frame = texts
        parents = list(self.layout.of_role("parent").items())
        ((row_code, row),) = self.layout.of_role("row").items()
        line = pl.concat_str([pl.lit(row_code), *(self._field(f) for f in row.fields)], separator=delimiter)
        if not parents:
            numbers = self.numbered(texts.height)
            self.put(frame.select(line).to_series())
            return numbers
        ((code, parent),) = parents
        head = pl.concat_str([pl.lit(code), *(pl.col(f).fill_null("") for f in parent.fields)], separator=delimiter)
        frame = frame.select(_head=head, _line=line)
        before = frame["_head"].shift(1)
        before = before.set(pl.Series([True] + [False] * (frame.height - 1)), self._last)
        new = (frame["_head"] != before).fill_null(True)
        self._last = frame["_head"][-1]
        start = self.line
        frame = frame.with_columns(
            _text=pl.when(new).then(pl.col("_head") + self.ends + pl.col("_line")).otherwise("_line")
        )
        self._stream.write((self.ends.join(frame["_text"].to_list()) + self.ends).encode(self.encoding))
        added = new.cast(pl.Int64).cum_sum().to_numpy()
        self.line += frame.height + int(added[-1])
        return start + np.arange(frame.height) + 1 + added

    @staticmethod
    def _field(name: str) -> pl.Expr:
        wide = WIDE.match(name)
        return pl.col(wide["name"] if wide else name).fill_null("")

    def trailer(self, totals: Totals, amount: Column | None) -> None:
        for code, record in self.layout.of_role("trailer").items():
            values = {
                "row_count": str(totals.rows),
                "amount_total": "" if totals.amount is None else f"{totals.amount:f}",
            }
            self.put([self.layout.delimiter.join([code, *(values.get(f, "") for f in record.fields)])])


class _ParquetSink:
    """Typed columns: dates, decimals, whole numbers."""

    def __init__(self, contract: Contract, path: Path, business_date: date) -> None:
        self.contract, self.path = contract, path
        self.schema = pl.DataFrame(schema={c.file_header: self._kind(c) for c in contract.columns}).to_arrow().schema
        self._writer = pyarrow.parquet.ParquetWriter(
            path, self.schema, compression="zstd", version="2.6", store_schema=False
        )
        self.line = 0

    @staticmethod
    def _kind(column: Column) -> pl.DataType:
        base = column.base_type
        if base == "numeric":
            return pl.Decimal(column.size or 38, column.scale or 0)
        return {
            "integer": pl.Int32(),
            "bigint": pl.Int64(),
            "boolean": pl.Boolean(),
            "date": pl.Date(),
            "timestamp": pl.Datetime("us"),
        }.get(base, pl.String())

    def write(self, texts: pl.DataFrame) -> np.ndarray:
        numbers = np.arange(texts.height) + self.line + 1
        columns = []
        for c in self.contract.columns:
            value = pl.col(c.name)
            kind = self._kind(c)
            if c.base_type == "date":
                value = value.str.to_date("%Y-%m-%d")
            elif c.base_type == "boolean":
                value = value == "Y"
            elif c.base_type == "timestamp":
                value = value.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us")
            elif c.base_type == "numeric":
                value = value.cast(kind)
            else:
                value = value.cast(kind)
            columns.append(value.alias(c.file_header))
        self._writer.write_table(texts.select(columns).to_arrow().cast(self.schema))
        self.line += texts.height
        return numbers

    def close(self, totals: Totals, amount: Column | None) -> None:
        self._writer.close()


SINKS = {
    Delimited: _DelimitedSink,
    FixedWidth: _FixedWidthSink,
    JsonLines: _JsonSink,
    Records: _RecordsSink,
    Parquet: _ParquetSink,
}


def _sink(contract: Contract, path: Path, business_date: date) -> _TextSink | _ParquetSink:
    return SINKS[type(contract.layout)](contract, path, business_date)
