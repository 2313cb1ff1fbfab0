"""Change logs of masters: one row per change with flag, effective date and the full image after the change."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def history(
    base: pl.DataFrame, key: str, born: str, updates: Sequence[pl.DataFrame] = (), deletions: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Builds the change log of one master.

    Args:
        base: First image of each key.
        key: Key column.
        born: Column of `base` with the date of the first change (I).
        updates: Frames of key, `effective_date` and the changed columns only; NULL means unchanged.
        deletions: Frame of key and `effective_date`.

    Returns:
        `base`'s columns with `change_flag` and `effective_date`; images are full: an update carries earlier ones on.
    """
    columns = base.columns
    first = base.with_columns(change_flag=pl.lit("I"), effective_date=pl.col(born))
    parts = [first]
    for update in updates:
        if update.height:
            kept = update.join(base.select(key, _born=pl.col(born)), on=key, how="inner", maintain_order="left")
            kept = kept.filter(pl.col("effective_date") > pl.col("_born")).drop("_born")
            parts.append(kept.with_columns(change_flag=pl.lit("U")))
    if deletions is not None and deletions.height:
        parts.append(deletions.with_columns(change_flag=pl.lit("D")))
    if len(parts) == 1:
        return first
    log = pl.concat(parts, how="diagonal").with_columns(
        _order=pl.col("change_flag").replace_strict({"I": 0, "U": 1, "D": 2}, return_dtype=pl.Int8)
    )
    log = log.sort(key, "effective_date", "_order", maintain_order=True)
    deleted = (pl.col("change_flag") == "D").cast(pl.Int8).cum_max().over(key)
    log = log.filter((deleted == 0) | (pl.col("change_flag") == "D"))  # nothing follows a deletion
    carried = [c for c in columns if c != key]
    log = log.with_columns(pl.col(carried).forward_fill().over(key))
    # several changes of one key on one day are one row with the last image
    log = log.unique([key, "effective_date", "change_flag"], keep="last", maintain_order=True)
    return log.drop("_order")
