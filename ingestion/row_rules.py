"""Rules between the columns of one row, written in SQL: `closed_on >= opened_on`."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

TYPED = "="  # stands before the name of a column's typed value, where no contract's column can stand
_TOKEN = re.compile(r"'(?:[^']|'')*'|[A-Za-z_][A-Za-z0-9_]*")


def columns_named(expression: str, columns: Sequence[str]) -> list[str]:
    """The columns that an expression names, in its order.

    Raises:
        ValueError: It names none.
    """
    named = [word for word in _TOKEN.findall(expression) if word in columns]
    if not named:
        raise ValueError(f"the rule {expression!r} names no column")
    return list(dict.fromkeys(named))


def compiled(expression: str, columns: Sequence[str]) -> pl.Expr:
    """The expression over the typed values of its columns, which stand in the frame under `TYPED` and their names.

    Args:
        expression: SQL as Polars knows it; where a value is missing it says nothing, and the row keeps the rule.
        columns: Names of the contract's columns.

    Raises:
        ValueError: It is no such SQL, or names what is no column.
    """
    columns_named(expression, columns)

    def typed(word: re.Match[str]) -> str:
        return f'"{TYPED}{word[0]}"' if word[0] in columns else word[0]

    try:
        holds = pl.sql_expr(_TOKEN.sub(typed, expression))
        unknown = [name for name in holds.meta.root_names() if not name.startswith(TYPED)]
    except Exception as problem:  # Polars raises what its parser raises
        raise ValueError(f"the rule {expression!r} is no SQL ({' '.join(str(problem).split())[:200]})") from problem
    if unknown:
        raise ValueError(f"the rule {expression!r} names {', '.join(unknown)}, which the schema does not have")
    return holds
