"""In what loaded files differ from their contracts, and the lines that would take it in (`c360 contract drift`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl
import psycopg
from psycopg import sql
from psycopg.rows import class_row

from ingestion.contract import Contract
from ingestion.infer import property_lines
from ingestion.raw_ddl import raw_schema

VALUES_LOOKED_AT = 10_000


@dataclass(frozen=True)
class Drifted:
    """One difference that the present contract still has.

    Attributes:
        column_name: The column's name in the file.
        kept_as: Column of the raw table that holds its values; None where none does.
        since, last: Business dates of the first and the last file that had it.
        files: How many had it.
    """

    source_system: str
    table_name: str
    kind: str
    column_name: str
    policy: str
    kept_as: str | None
    since: date
    last: date
    files: int


def drifted(connection: psycopg.Connection, contracts: Mapping[str, Mapping[str, Contract]]) -> list[Drifted]:
    """What loaded files brought that their present contracts do not say, table by table.

    Args:
        connection: Connection to the ledger; it is only read.
        contracts: Contracts by source and table.
    """
    with connection.cursor(row_factory=class_row(Drifted)) as cursor:
        seen = cursor.execute(
            """
            select
                file.source_system, file.table_name, drift.kind, drift.column_name,
                (array_agg(drift.policy order by file.business_date desc))[1] as policy,
                max(drift.kept_as) as kept_as,
                min(file.business_date) as since, max(file.business_date) as last, count(*) as files
            from ops.drift as drift
            inner join ops.source_file as file on drift.file_id = file.file_id
            group by 1, 2, 3, 4
            order by 1, 2, 3, 4
            """
        ).fetchall()
    return [
        one
        for one in seen
        if (contract := contracts.get(one.source_system, {}).get(one.table_name))
        and (one.column_name in contract.by_header) != (one.kind == "new_column")
    ]


def lines_for(connection: psycopg.Connection, contract: Contract, one: Drifted) -> str:
    """What to write into the contract, in YAML of the standard or in words.

    Args:
        connection: Connection to raw and quarantine; it is only read.
        contract: Contract of the table.
        one: What it does not say yet.
    """
    if one.kind == "lost_column":
        return f"# Take the property {contract.by_header[one.column_name].name} out if the sender has given it up."
    values = pl.Series("values", _values(connection, contract, one), dtype=pl.String)
    if one.kind == "new_column":
        return property_lines(one.column_name, values, one.kept_as)
    column = contract.by_header[one.column_name]
    text = property_lines(one.column_name, values, f"{column.name}_as_sent")
    return f"# In place of {column.name}, under another name, since raw keeps the type of a column:\n{text}"


def _values(connection: psycopg.Connection, contract: Contract, one: Drifted) -> list[str]:
    """Values that were kept of the column."""
    if one.kept_as:
        column = [sql.SQL("{}::text").format(sql.Identifier(one.kept_as))]
        if one.kind == "changed_type":
            column.append(sql.SQL("{}::text").format(sql.Identifier(contract.by_header[one.column_name].name)))
        query = sql.SQL(
            "select value from (select coalesce({}) as value from {}) as kept where value is not null"
        ).format(sql.SQL(", ").join(column), sql.Identifier(raw_schema(contract.source), contract.table))
    else:
        query = sql.SQL(
            "select value from quarantine.value inner join ops.source_file as file using (file_id) "
            "where file.source_system = {} and file.table_name = {} and value.column_name = {}"
        ).format(contract.source, contract.table, one.column_name)
    query += sql.SQL(" limit {}").format(VALUES_LOOKED_AT)
    return [value for (value,) in connection.execute(query).fetchall()]
