"""Apache Parquet, in batches of rows. Values are brought to the text that the contract's rules read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import polars as pl
import polars.selectors as cs
import pyarrow
import pyarrow.parquet

from ingestion.contract import Column
from ingestion.readers.base import LINE, NEW, Block, FileReader, Reject, text_schema

EXACT_ENOUGH = 1e-9  # a double this close to the contract's decimals is taken as them


class ParquetReader(FileReader):
    """Reads Parquet; the rows of the file's metadata are the independent count."""

    counted_by = "parquet metadata"

    def blocks(self) -> Iterator[Block]:
        try:
            with pyarrow.parquet.ParquetFile(self.path) as file:
                self.check_columns(file.schema_arrow.names, None)
                self._check_types(file.schema_arrow)
                self.counted = file.metadata.num_rows
                names = [c.file_header for c in self.contract.columns if c.file_header in file.schema_arrow.names]
                names += self.new_columns
                line = 1
                for batch in file.iter_batches(batch_size=self.options.rows_per_block, columns=names):
                    batch.validate(full=True)
                    yield self._block(pl.DataFrame(pl.from_arrow(_decoded(batch, self.new_columns))), line)
                    line += batch.num_rows
        except (pyarrow.ArrowException, OSError) as problem:
            raise self.refuse(
                "unreadable", f"the file cannot be read as Parquet ({str(problem).splitlines()[0]})"
            ) from problem

    def _check_types(self, schema: pyarrow.Schema) -> None:
        """A value must have a text that the contract's rules can read."""
        for column in self.contract.columns:
            at = schema.get_field_index(column.file_header)
            kind = schema.field(at).type if at >= 0 else None
            if kind is not None and not _has_text(kind, column.is_array):
                raise self.refuse(
                    "changed_type",
                    f"the column {column.file_header!r} is of the Parquet type {kind}, "
                    f"a {column.physical_type} cannot be read from it",
                    advice="Agree the change with the sender, then change the contract",
                )

    def _block(self, typed: pl.DataFrame, first_line: int) -> Block:
        frame, raw_text = self._as_text(typed, first_line), _raw_text(typed)
        holds_nul = pl.any_horizontal(
            (pl.col(name).list.join("") if kind == pl.List else pl.col(name)).str.contains("\0", literal=True)
            for name, kind in frame.schema.items()
            if kind in (pl.String, pl.List)
        ).fill_null(False)
        bad = frame.select(holds_nul.arg_true()).to_series().to_list()
        if not bad:
            return Block(frame, raw_text)
        rejects = [
            Reject(first_line + at, "nul_byte", None, "a value holds a NUL character", raw)
            for at, raw in zip(bad, raw_text(bad), strict=True)
        ]
        good = frame.select((~holds_nul).arg_true()).to_series().to_list()
        return Block(frame[good], lambda chosen: raw_text([good[at] for at in chosen]), rejects)

    def _as_text(self, typed: pl.DataFrame, first_line: int) -> pl.DataFrame:
        columns = [
            text_of(pl.col(c.file_header), typed.schema[c.file_header], c).alias(c.name)
            if c.file_header in typed.columns
            else pl.lit(None, kind).alias(c.name)
            for c, kind in zip(self.contract.columns, text_schema(self.contract.columns).values(), strict=True)
        ]
        columns += [
            text_of(pl.col(name), typed.schema[name], Column(name=name, physical_type="text")).alias(NEW + name)
            for name in self.new_columns
        ]
        frame = typed.select(columns) if typed.width else typed
        line = pl.int_range(first_line, first_line + pl.len(), dtype=pl.Int64).alias(LINE)
        return self.null_tokens_made_null(frame.with_columns(line))


def _has_text(kind: pyarrow.DataType, is_array: bool) -> bool:
    """True where Polars can make text of the type."""
    types = pyarrow.types
    if is_array:
        is_list = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
        return is_list and _has_text(kind.value_type, False)
    if types.is_dictionary(kind):
        kind = kind.value_type
    return any(
        check(kind)
        for check in (
            types.is_string,
            types.is_large_string,
            types.is_binary,
            types.is_large_binary,
            types.is_boolean,
            types.is_integer,
            types.is_floating,
            types.is_decimal128,
            types.is_date,
            types.is_timestamp,
            types.is_time,
            types.is_null,
        )
    )


def _decoded(batch: pyarrow.RecordBatch, new_columns: Sequence[str] = ()) -> pyarrow.RecordBatch:
    """Columns without a type are bytes; what some senders mean is text in UTF-8. What has no text becomes JSON."""
    for at, field in enumerate(batch.schema):
        if field.name in new_columns and not _has_text(field.type, False):
            values = [None if v is None else _json(v) for v in batch.column(at).to_pylist()]
            batch = batch.set_column(at, field.name, pyarrow.array(values, pyarrow.large_string()))
        elif pyarrow.types.is_binary(field.type) or pyarrow.types.is_large_binary(field.type):
            batch = batch.set_column(at, field.name, batch.column(at).cast(pyarrow.large_string()))
    return batch


def text_of(value: pl.Expr, kind: pl.DataType, column: Column) -> pl.Expr:
    """The text of a typed value as the contract's column expects it in a text file (ISO dates, plain decimals)."""
    if isinstance(kind, pl.List):
        return value.list.eval(text_of(pl.element(), kind.inner, column))
    if kind == pl.Date:
        return value.dt.to_string(column.date_format or "%Y-%m-%d")
    if isinstance(kind, pl.Datetime):
        if column.base_type == "date":
            midnight = value.dt.truncate("1d") == value
            return (
                pl.when(midnight)
                .then(value.dt.to_string(column.date_format or "%Y-%m-%d"))
                .otherwise(value.dt.to_string("%Y-%m-%d %H:%M:%S"))
            )
        form = "%Y-%m-%d %H:%M:%S%z" if column.base_type == "timestamptz" and kind.time_zone else "%Y-%m-%d %H:%M:%S"
        return value.dt.to_string(column.date_format or form)
    if kind == pl.Boolean:
        return pl.when(value).then(pl.lit("true")).when(~value).then(pl.lit("false"))
    if kind.is_float() and column.base_type == "numeric" and column.scale is not None:
        rounded = value.round(column.scale)
        fits = (value - rounded).abs() <= EXACT_ENOUGH * pl.max_horizontal(value.abs(), pl.lit(1.0))
        exact = rounded.cast(pl.Decimal(38, column.scale), strict=False).cast(pl.String)
        return pl.when(fits).then(exact).otherwise(value.cast(pl.String))
    if kind.is_float() and column.base_type in ("smallint", "integer", "bigint"):
        return (
            pl.when(value == value.floor())
            .then(value.cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(value.cast(pl.String))
        )
    return value.cast(pl.String)


def _raw_text(typed: pl.DataFrame):
    def of(positions: Sequence[int]) -> list[str]:
        return [
            _json(row)
            for row in typed[list(positions)].with_columns(cs.temporal().cast(pl.String)).iter_rows(named=True)
        ]

    return of


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
