"""Raw tables from contracts: one schema `raw_<source>` per source, one table per contract.

A raw table holds the contract's columns and the row's lineage: `_file_id` (ops.source_file), `_line` (1-based line of
the file, or row of a Parquet file) and `_row_hash` (`copy_text`). It is append-only; `_file_id` is indexed by BRIN,
since rows of one file lie together, and the planner is told to expect many files: of the first few it would read the
whole table for one. Columns carry no NOT NULL and no CHECK: the contract's rules are enforced while reading, where a
broken row goes to quarantine instead of failing the file.
"""

from __future__ import annotations

from collections.abc import Mapping

from ingestion.contract import Column, Contract
from warehouse.migration import Migration

LINEAGE = ("_file_id", "_line", "_row_hash")
FILES_EXPECTED = 1000
"""Order of magnitude of the files of one table."""


def raw_schema(source: str) -> str:
    """Schema of a source's raw tables."""
    return f"raw_{source}"


def raw_table(contract: Contract) -> str:
    """Qualified and quoted name of the raw table of a contract."""
    return f'"{raw_schema(contract.source)}"."{contract.table}"'


def table_ddl(contract: Contract) -> str:
    """Idempotent DDL of one raw table; a column that a later contract version adds is added to the table.

    Where a load has added one of that name (`ingestion.evolution`), it is taken up or steps aside.
    """
    table = raw_table(contract)
    lines = [f'    "{column.name}" {column.physical_type}' for column in contract.columns]
    lines += ["    _file_id bigint not null", "    _line bigint not null", "    _row_hash bigint"]
    statements = [f"create table if not exists {table} (\n" + ",\n".join(lines) + "\n);"]
    agreed = [[c.name for c in contract.columns], [c.file_header for c in contract.columns]]
    agreed.append([c.physical_type for c in contract.columns])
    arrays = ", ".join(f"array[{', '.join(map(_text, values))}]" for values in agreed)
    statements.append(f"select ops.set_evolved_aside('{contract.source}', '{contract.table}', {arrays});")
    statements += [
        f'alter table {table} add column if not exists "{column.name}" {column.physical_type};'
        for column in contract.columns
    ]
    statements.append(f"alter table {table} add column if not exists _row_hash bigint;")
    statements.append(f'create index if not exists "{contract.table}_file_brin" on {table} using brin (_file_id);')
    statements.append(f"alter table {table} alter column _file_id set (n_distinct = {FILES_EXPECTED});")
    statements.append(f"comment on table {table} is {_text(_table_comment(contract))};")
    statements += [
        f'comment on column {table}."{column.name}" is {_text(_column_comment(column))};' for column in contract.columns
    ]
    statements += [
        f"comment on column {table}._file_id is 'file that the row came from, ops.source_file';",
        f"comment on column {table}._line is 'line of the file, from 1; row in a Parquet file';",
        f"comment on column {table}._row_hash is 'XXH64 of the row as loaded; null where personal values were erased';",
    ]
    return "\n".join(statements)


def source_ddl(source: str, contracts: Mapping[str, Contract]) -> str:
    """Idempotent DDL of all raw tables of one source."""
    schema = raw_schema(source)
    head = [
        f'create schema if not exists "{schema}";',
        f"comment on schema \"{schema}\" is 'rows as received from {source}, append-only';",
    ]
    return "\n".join(head + [table_ddl(contract) for contract in contracts.values()])


def raw_migrations(contracts: Mapping[str, Mapping[str, Contract]]) -> list[Migration]:
    """One generated migration per source, applied again whenever its content changes."""
    return [
        Migration(
            room="ingestion",
            number=9000 + position,
            name=f"raw_{source}",
            sql=source_ddl(source, tables),
            generated=True,
        )
        for position, (source, tables) in enumerate(sorted(contracts.items()))
    ]


def _table_comment(contract: Contract) -> str:
    grain = f" One row: {contract.grain}." if contract.grain else ""
    return f"{contract.name}.{grain} Data controller: {contract.controller}."


def _column_comment(column: Column) -> str:
    return f"{column.description} [{column.classification}]" if column.classification else column.description


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
