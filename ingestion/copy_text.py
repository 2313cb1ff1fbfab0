"""Good rows as COPY reads them, with their lineage.

PostgreSQL reads its own text form faster than CSV. The row's hash is taken of that text: XXH64 (seed 0) of the
contract's columns in their order, separated by tabs, NULL as ``\\N``, in UTF-8, the line feed included; rows sent as
the same text have the same hash. It stands in raw as a signed number, and NULL where the row's
personal values were erased (DESIGN decisions 6 and 9).
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import polars as pl
import polars_hash  # noqa: F401 - gives expressions the namespace `nchash`
from psycopg import sql

from ingestion.contract import Contract
from ingestion.raw_ddl import LINEAGE, raw_schema
from ingestion.readers.base import LINE
from ingestion.readers.text import line_series

FILE_ID, _, ROW_HASH = LINEAGE
NULL, TAB, LINE_FEED, BACKSLASH = "\\N", 0x09, 0x0A, 0x5C
ESCAPED = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def copy_statement(contract: Contract, beside: Sequence[str] = ()) -> sql.Composed:
    """COPY into the raw table of a contract, from what `copy_text` gives; `beside` are columns of it alone."""
    return sql.SQL("copy {}.{} ({}) from stdin").format(
        sql.Identifier(raw_schema(contract.source)),
        sql.Identifier(contract.table),
        sql.SQL(", ").join(map(sql.Identifier, [*LINEAGE, *contract.column_names, *beside])),
    )


def copy_text(
    good: pl.DataFrame, file_id: int, is_erased: pl.Series | None = None, beside: Sequence[str] = ()
) -> bytes:
    """The rows as COPY reads them.

    Args:
        good: The contract's columns as they go to PostgreSQL, and `_line`.
        file_id: Of the file that they came from.
        is_erased: True for rows whose personal values were overwritten; None where there are none.
        beside: Columns that the contract lacks; they are no part of the hash.
    """
    row = line_series("row", _values_text(good[[name for name in good.columns if name not in (LINE, *beside)]]))
    row_hash = pl.col("row").nchash.xxhash64().reinterpret(signed=True)  # type: ignore[attr-defined]
    if is_erased is not None:
        row_hash = pl.when(is_erased).then(None).otherwise(row_hash)
    text = pl.col("row")
    if beside:
        text = text.str.strip_chars_end("\n") + "\t" + line_series("beside", _values_text(good.select(beside)))
    frame = pl.DataFrame({"row": row}).select(
        pl.lit(file_id).alias(FILE_ID), good[LINE], row_hash.alias(ROW_HASH), text
    )
    return _written(frame, line_end="")


def _values_text(values: pl.DataFrame) -> bytes:
    text = _written(values)
    if _is_plain(text, values):
        return text
    return _written(values.with_columns(pl.col(pl.String).str.replace_many(ESCAPED)))


def _is_plain(text: bytes, values: pl.DataFrame) -> bool:
    """True where no value holds a character that means something to COPY: all of them are the writer's own."""
    data = np.frombuffer(text, dtype=np.uint8)
    nulls = sum(series.null_count() for series in values)
    return (
        b"\r" not in text
        and np.count_nonzero(data == TAB) == values.height * (values.width - 1)
        and np.count_nonzero(data == LINE_FEED) == values.height
        and (np.count_nonzero(data == BACKSLASH) == nulls if nulls else b"\\" not in text)
    )


def _written(frame: pl.DataFrame, line_end: str = "\n") -> bytes:
    buffer = io.BytesIO()
    frame.write_csv(
        buffer, include_header=False, separator="\t", quote_style="never", null_value=NULL, line_terminator=line_end
    )
    return buffer.getvalue()
