"""Uniqueness of keys inside one file, block by block, with bounded memory."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence

import numpy as np
import polars as pl

FILTER_SLOTS = 1 << 26


class SeenKeys:
    """Remembers a 64-bit hash of every key of a file in sorted runs, the big ones on disk.

    A filter of 64 MB, whose slots fill as keys come, says of most new keys that they are in no run: only the others are
    looked up (three in a hundred at two million keys, a quarter at twenty million).

    Two different keys of one file share a hash with a probability of n²/2⁶⁵ (one in 100,000 for 20 million rows); such
    a row would stand in quarantine as `duplicate_key`, visible and releasable.

    Args:
        columns: The key's columns; no columns, no check.
        in_memory: Hashes that stay in memory; longer runs go to a temporary file.
    """

    def __init__(self, columns: Sequence[str], in_memory: int) -> None:
        self._columns = list(columns)
        self._in_memory = in_memory
        self._runs: list[np.ndarray] = []
        self._files: list[tempfile._TemporaryFileWrapper] = []
        self._filter: np.ndarray | None = None

    def first_seen(self, rows: pl.DataFrame) -> np.ndarray:
        """True for every row whose key was not seen before, in this block or in an earlier one."""
        first = np.ones(rows.height, dtype=bool)
        if not self._columns or rows.is_empty():
            return first
        key = pl.col(self._columns[0]) if len(self._columns) == 1 else pl.struct(self._columns)
        hashes = rows.select(key.hash(1).alias("key"))["key"]
        values = hashes.to_numpy()
        run = np.sort(values)
        if (run[1:] == run[:-1]).any():
            first = hashes.is_first_distinct().to_numpy().copy()
        if self._runs and len(looked_up := self._may_be_seen(values)):
            for earlier in self._runs:
                at = np.searchsorted(earlier, values[looked_up])
                first[looked_up] &= earlier[np.minimum(at, len(earlier) - 1)] != values[looked_up]
        self._add(run if first.all() else np.sort(values[first]))
        return first

    def _may_be_seen(self, values: np.ndarray) -> np.ndarray:
        """Positions of the hashes that are not surely new; from now on none of these is."""
        if self._filter is None:  # a file of one block needs none
            self._filter = np.zeros(FILTER_SLOTS, dtype=bool)
            for run in self._runs:
                self._filter[_slots(run)] = True
        slots = _slots(values)
        positions = np.flatnonzero(self._filter[slots])
        self._filter[slots] = True
        return positions

    def _add(self, run: np.ndarray) -> None:
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            merged = np.concatenate((self._runs.pop(), run))
            merged.sort(kind="stable")
            run = merged
        if len(run) > self._in_memory:
            run = self._on_disk(run)
        if len(run):
            self._runs.append(run)

    def _on_disk(self, run: np.ndarray) -> np.ndarray:
        file = tempfile.NamedTemporaryFile(prefix="c360-keys-")  # noqa: SIM115 - lives as long as the run
        self._files.append(file)
        file.write(run.data)  # not through the map: where the disk is full, that would kill the process
        file.flush()
        return np.memmap(file.name, dtype=run.dtype, mode="r", shape=run.shape)


def _slots(hashes: np.ndarray) -> np.ndarray:
    return (hashes & np.uint64(FILTER_SLOTS - 1)).view(np.int64)
