"""Apache Parquet, in batches of rows. Values are brought to the text that the contract's rules read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import polars as pl
import pyarrow
import pyarrow.parquet

from ingestion.contract import Column
from ingestion.readers.base import LINE, Block, FileReader

EXACT_ENOUGH = 1e-9  # a double this close to the contract's decimals is taken as them


class ParquetReader(FileReader):
    """Reads Parquet; the rows of the file's metadata are the independent count."""

    counted_by = "parquet metadata"

    def blocks(self) -> Iterator[Block]:
        try:
            with pyarrow.parquet.ParquetFile(self.path) as file:
                self.check_columns(file.schema_arrow.names, None)
                self.counted = file.metadata.num_rows
                names = [c.file_header for c in self.contract.columns if c.file_header in file.schema_arrow.names]
                line = 1
                for batch in file.iter_batches(batch_size=self.options.rows_per_block, columns=names):
                    typed = pl.DataFrame(pl.from_arrow(batch))
                    yield Block(self._as_text(typed, line), _raw_text(typed))
                    line += typed.height
        except (pyarrow.ArrowException, OSError) as problem:
            raise self.refuse(
                "unreadable", f"the file cannot be read as Parquet ({str(problem).splitlines()[0]})"
            ) from problem

    def _as_text(self, typed: pl.DataFrame, first_line: int) -> pl.DataFrame:
        columns = [
            text_of(pl.col(c.file_header), typed.schema[c.file_header], c).alias(c.name)
            if c.file_header in typed.columns
            else pl.lit(None, pl.String()).alias(c.name)
            for c in self.contract.columns
        ]
        frame = typed.select(columns) if typed.width else typed
        line = pl.int_range(first_line, first_line + pl.len(), dtype=pl.Int64).alias(LINE)
        return self.null_tokens_made_null(frame.with_columns(line))


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
    if kind == pl.Binary:
        return value.cast(pl.String, strict=False)
    return value.cast(pl.String)


def _raw_text(typed: pl.DataFrame):
    def of(positions: Sequence[int]) -> list[str]:
        return [
            json.dumps(row, ensure_ascii=False, default=str) for row in typed[list(positions)].iter_rows(named=True)
        ]

    return of
