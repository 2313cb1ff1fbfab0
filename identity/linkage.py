"""Comparing customers with Splink on DuckDB; both are loaded only where there is something to compare."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import polars as pl

from identity.model import Settings
from warehouse.settings import get_settings

if TYPE_CHECKING:
    from splink import Linker


def score(customers: pl.DataFrame, pairs: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """Weigh pairs of customers.

    Args:
        customers: `customer_no` and the columns that the settings speak of.
        pairs: `left_no` and `right_no`.
        settings: Splink's settings with weights.

    Returns:
        `left_no`, `right_no`, `match_weight` (base 2 logarithm of the odds) and `match_probability` of every pair.
    """
    numbers = dict.fromkeys(("left_no", "right_no"), pl.Int64)
    columns = {**numbers, "match_weight": pl.Float64, "match_probability": pl.Float64}
    if pairs.is_empty():
        return pl.DataFrame(schema=columns)
    with opened(customers, settings) as (linker, database):
        keys = pairs.select(match_key=pl.lit("0"), join_key_l="left_no", join_key_r="right_no")
        linker.table_management.register_blocked_pairs_for_predict(registered(database, keys, "blocked_pairs"))
        scored = linker.inference.predict(warning_mode="never").as_duckdbpyrelation()
        rows = scored.select(
            "customer_no_l as left_no, customer_no_r as right_no, match_weight, match_probability"
        ).pl()
    return rows.cast(columns)


@contextmanager
def opened(customers: pl.DataFrame, settings: Settings) -> Iterator[tuple[Linker, Any]]:
    """Give a linker over customers, and its engine, within the bounds of memory and threads that are set.

    Args:
        customers: `customer_no` and the columns that the settings speak of.
        settings: Splink's settings.
    """
    import duckdb
    from splink import Linker
    from splink.backends.duckdb import DuckDBAPI

    bounds = get_settings()
    config = {"memory_limit": bounds.identity_memory, "threads": bounds.identity_threads}
    with duckdb.connect(":memory:", config=config) as connection:
        database = DuckDBAPI(connection)
        table = registered(database, customers, "customers")
        yield Linker(table, settings, log_level=None, validate_settings=False), database


def registered(database: Any, frame: pl.DataFrame, name: str) -> Any:
    """Hand a frame over to the engine."""
    return database.register(frame.to_arrow(), table_name=name)
