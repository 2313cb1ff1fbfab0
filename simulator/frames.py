"""Small helpers for columns."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl


def text(values: Iterable[object]) -> pl.Series:
    """A text column of any values; None stays NULL, also where there is nothing else."""
    if isinstance(values, pl.Series):
        return values.cast(pl.String)
    if isinstance(values, np.ndarray):
        values = values.tolist()
    return pl.Series(list(values), dtype=pl.String, strict=False)
