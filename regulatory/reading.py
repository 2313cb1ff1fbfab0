"""Reading a mart as the regulator's login, in blocks, all values as text."""

from collections.abc import Iterator
from datetime import date

import polars as pl
import psycopg
from psycopg import sql

from regulatory.profile import ReportTable
from regulatory.rendering import SOURCE, source_columns

BLOCK = 16 << 20
"""Bytes of CSV that make one block: memory stays a small multiple of this, however long the table is."""


def _condition(table: ReportTable, period_end: date) -> sql.Composed:
    conditions = [sql.SQL("period_end = {}").format(sql.Literal(period_end))]
    conditions += [
        sql.SQL("{} = {}").format(sql.Identifier(column), sql.Literal(value)) for column, value in table.where.items()
    ]
    return sql.SQL(" and ").join(conditions)


def _mart(table: ReportTable) -> sql.Identifier:
    return sql.Identifier(table.read_from, table.mart)


def blocks(
    session: psycopg.Connection, table: ReportTable, period_end: date, size: int = BLOCK
) -> Iterator[pl.DataFrame]:
    """The rows of the table for a period, ordered, in blocks with columns `source.<column>`."""
    columns = source_columns(table)
    query = sql.SQL(
        "copy (select {} from {} where {} order by {}) to stdout with (format csv, encoding 'utf8')"
    ).format(
        sql.SQL(", ").join(sql.Identifier(column) for column in columns),
        _mart(table),
        _condition(table, period_end),
        sql.SQL(", ").join(sql.SQL('{}::text collate "C"').format(sql.Identifier(column)) for column in table.order_by),
    )
    schema = {SOURCE + column: pl.String for column in columns}
    with session.cursor() as cursor, cursor.copy(query) as rows:
        pending, length = [], 0
        for row in rows:
            pending.append(bytes(row))
            length += len(row)
            if length >= size:
                yield pl.read_csv(b"".join(pending), has_header=False, schema=schema)
                pending, length = [], 0
        if pending:
            yield pl.read_csv(b"".join(pending), has_header=False, schema=schema)


def control_totals(session: psycopg.Connection, table: ReportTable, period_end: date) -> tuple[int, dict[str, str]]:
    """Rows and sums of the control fields as the database counts them, apart from the blocks."""
    sources = {field.id: field.source for field in table.fields}
    sums = [sql.SQL("coalesce(sum({}), 0)").format(sql.Identifier(str(sources[name]))) for name in table.control_totals]
    query = sql.SQL("select {} from {} where {}").format(
        sql.SQL(", ").join([sql.SQL("count(*)"), *sums]), _mart(table), _condition(table, period_end)
    )
    rows, *totals = session.execute(query).fetchone() or (0,)
    return rows, {name: str(total) for name, total in zip(table.control_totals, totals, strict=True)}
