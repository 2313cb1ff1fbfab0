"""Raw tables that follow their files (contract term ``drift``, docs/decisions/0016).

A column that the contract lacks, or whose values are not of its type, becomes a text column of the raw table in the
transaction of the load that brings the first value: refused or killed, the table is as it was. `ops.evolved_column`
knows these columns; they are personal until their contract classifies them.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from types import TracebackType

import polars as pl
import psycopg
from psycopg import sql

from ingestion import fault
from ingestion.contract import Column, Contract, as_identifier
from ingestion.copy_text import copy_statement
from ingestion.options import IngestOptions
from ingestion.raw_ddl import LINEAGE, raw_schema
from ingestion.readers.base import AS_SENT, LINE, NEW
from ingestion.refusal import Refusal

KINDS = {NEW: "new_column", AS_SENT: "changed_type"}
TEXT_SUFFIX = "__text"
LONGEST = 50  # characters of a name before its suffix; PostgreSQL's names have 63 bytes
PERSONAL = "C3"


def parted(contract: Contract, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """The rows as they go into the raw table, and the values of new columns that wait in quarantine.

    Returns:
        The rows; and `_line`, column_name and value of what is set aside, None where there is nothing.
    """
    new = [name for name in rows.columns if name.startswith(NEW)]
    if not new or contract.drift.new_column != "quarantine":
        return rows, None
    values = rows.select(LINE, *new).unpivot(index=LINE, variable_name="column_name").drop_nulls()
    return rows.drop(new), values.with_columns(pl.col("column_name").str.slice(len(NEW)))


def widened(rows: pl.DataFrame, beside: tuple[str, ...]) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The rows with all columns beside the contract's that they or the blocks before them have, in one order.

    Returns:
        The rows, and the names of these columns.
    """
    own = tuple(name for name in rows.columns if name.startswith((NEW, AS_SENT)))
    if not own and not beside:
        return rows, beside
    beside += tuple(name for name in own if name not in beside)
    missing = [pl.lit(None, pl.String()).alias(name) for name in beside if name not in own]
    return rows.with_columns(missing).select(pl.exclude(beside), *beside), beside


class RawCopy:
    """COPY into the raw table of a contract, which may get columns on the way; to be used in a transaction.

    Args:
        connection: Connection in a transaction.
        contract: Contract of the rows.
        file_id: Entry of the ledger that they are loaded under.
        file_name: Name of their file.
        options: Settings of ingestion.
    """

    def __init__(
        self, connection: psycopg.Connection, contract: Contract, file_id: int, file_name: str, options: IngestOptions
    ) -> None:
        self._connection, self._contract, self._most = connection, contract, options.new_columns
        self._file_id, self._file_name = file_id, file_name
        self._copy: psycopg.Copy | None = None
        self._beside: tuple[str, ...] = ()
        self._open = ExitStack()

    def __enter__(self) -> RawCopy:
        if self._contract.drift.evolves:  # two that add columns while they copy would wait for each other for ever
            self._connection.execute("select pg_advisory_xact_lock(%s)", [_lock_key(self._contract)])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, problem, trace)

    def write(self, data: bytes, beside: tuple[str, ...] = ()) -> None:
        """Rows as `copy_text` gives them, with these columns beside the contract's.

        Raises:
            Refusal: ``new_column``: the raw table would have too many columns.
        """
        if self._copy is None or beside != self._beside:
            self._begin(beside)
        assert self._copy is not None
        self._copy.write(data)

    def _begin(self, beside: tuple[str, ...]) -> None:
        self._open.close()
        added = [self._column(name) for name in beside]
        cursor = self._open.enter_context(self._connection.cursor())
        copy = cursor.copy(copy_statement(self._contract, added))
        self._copy, self._beside = self._open.enter_context(copy), beside

    def _column(self, name: str) -> str:
        """The column of the raw table for one beside the contract's, added where it is not there yet."""
        kind, sent_as = KINDS[name[0]], name[1:]
        if kind == "changed_type":
            sent_as = self._contract.by_name[sent_as].file_header
        table = [self._contract.source, self._contract.table]
        known = {
            tuple(what): column
            for column, *what in self._connection.execute(
                "select column_name, kind, sent_as from ops.evolved_column "
                "where source_system = %s and table_name = %s",
                table,
            )
        }
        there = _columns(self._connection, self._contract)
        column = known.get((kind, sent_as)) or self._free_name(name, there, set(known.values()))
        if (kind, sent_as) not in known:
            if len(known) >= self._most:
                raise Refusal(
                    "new_column",
                    f"the raw table has {len(known)} columns beside the contract's, {sent_as!r} would be one more",
                    "Agree with the sender which columns are meant, then change the contract or its drift policy",
                    self._file_name,
                )
            self._connection.execute(
                "insert into ops.evolved_column (source_system, table_name, column_name, kind, sent_as, file_id) "
                "values (%s, %s, %s, %s, %s, %s)",
                [*table, column, kind, sent_as, self._file_id],
            )
        if column not in there:
            self._add(column, kind, sent_as)
        return column

    def _free_name(self, name: str, there: dict[str, str], added: set[str]) -> str:
        """The name in the file where it can be one here; a text column that a contract once named so is the same."""
        sent_as = name[1:]
        plain = as_identifier(sent_as)[:LONGEST] if name.startswith(NEW) else f"{sent_as[:LONGEST]}{TEXT_SUFFIX}"
        hashed = f"new_{hashlib.sha256(sent_as.encode()).hexdigest()[:16]}"
        names = [plain, f"{plain}{TEXT_SUFFIX}", hashed] if plain else [hashed]
        taken = {*self._contract.column_names, *LINEAGE, *added}
        return next(n for n in names if n not in taken and there.get(n, "text") == "text")

    def _add(self, column: str, kind: str, sent_as: str) -> None:
        self._connection.execute(
            sql.SQL("alter table {} add column {} text").format(_raw(self._contract), sql.Identifier(column))
        )
        what = "a column that the contract lacks" if kind == "new_column" else "values that are not of its type"
        self._connection.execute(
            sql.SQL("comment on column {}.{} is {}").format(
                _raw(self._contract),
                sql.Identifier(column),
                sql.Literal(f"{what}, in the file {sent_as}; personal until classified [{PERSONAL}]"),
            )
        )
        fault.reach("column_added")


def with_evolved(connection: psycopg.Connection, contract: Contract) -> Contract:
    """The contract with the columns that loads have added to its raw table and that it does not name, as personal."""
    added = connection.execute(
        "select column_name, sent_as from ops.evolved_column where source_system = %s and table_name = %s order by 1",
        [contract.source, contract.table],
    ).fetchall()
    columns = tuple(
        Column(name=name, physical_type="text", header=sent_as, classification=PERSONAL)
        for name, sent_as in added
        if name not in contract.by_name
    )
    if not columns:
        return contract
    now = {name: getattr(contract, name) for name in Contract.model_fields}
    return Contract(**now | {"columns": (*contract.columns, *columns)})


def _raw(contract: Contract) -> sql.Identifier:
    return sql.Identifier(raw_schema(contract.source), contract.table)


def _columns(connection: psycopg.Connection, contract: Contract) -> dict[str, str]:
    """Columns of the raw table with their types, the system's own among them."""
    return dict(
        connection.execute(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute "
            "where attrelid = to_regclass(%s) and not attisdropped",
            [f'"{raw_schema(contract.source)}"."{contract.table}"'],
        ).fetchall()
    )


def _lock_key(contract: Contract) -> int:
    name = f"{contract.source}\x1f{contract.table}\x1fevolves"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
