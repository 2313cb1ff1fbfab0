"""Answers of the database as frames, block by block, so that no list of all rows stands beside the frame."""

from typing import Any

import polars as pl
import psycopg

_BLOCK = 20_000


def fetched(cursor: psycopg.Cursor[Any], schema: dict[str, Any]) -> pl.DataFrame:
    """Return what a cursor still has to give.

    Args:
        cursor: after a statement that answers rows.
        schema: names and types, in the order of the columns.
    """
    blocks = [pl.DataFrame(schema=schema)]
    while rows := cursor.fetchmany(_BLOCK):
        blocks.append(pl.DataFrame(rows, schema=schema, orient="row"))
    return pl.concat(blocks)
