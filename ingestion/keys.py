"""Uniqueness of keys inside one file, block by block, with bounded memory."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
import polars as pl

FILTER_SLOTS = 1 << 26
MERGED_AT_ONCE = 1 << 17
SEARCHED_AT_ONCE = 1 << 20


class SeenKeys:
    """Remembers a 64-bit hash of every key of a file in sorted runs, the big ones on disk.

    A filter of 64 MB, whose slots fill as keys come, says of most new keys that they are in no run: only the others are
    looked up (three in a hundred at two million keys, a quarter at twenty million).

    Two different keys of one file share a hash with a probability of n²/2⁶⁵ (one in 100,000 for 20 million rows); such
    a row would stand in quarantine as `duplicate_key`, visible and releasable.

    Args:
        columns: The key's columns; no columns, no check.
        in_memory: Hashes of a run that stays in memory; longer runs go to a temporary file.
    """

    def __init__(self, columns: Sequence[str], in_memory: int) -> None:
        self._columns = list(columns)
        self._in_memory = in_memory
        self._runs: list[np.ndarray] = []
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
        if self._runs and len(known := self._known(values)):
            first &= ~np.isin(values, known)
        self._add(run if first.all() else np.sort(values[first]))
        return first

    def _known(self, values: np.ndarray) -> np.ndarray:
        """The hashes that an earlier block had; from now on the filter knows all of these."""
        if self._filter is None:  # a file of one block needs none
            self._filter = np.zeros(FILTER_SLOTS, dtype=bool)
            for run in self._runs:
                self._filter[_slots(run)] = True
        slots = _slots(values)
        looked_up = np.sort(values[self._filter[slots]])
        self._filter[slots] = True
        is_known = np.zeros(len(looked_up), dtype=bool)
        for part in chain.from_iterable(map(_parts, self._runs if len(looked_up) else ())):
            first, last = np.searchsorted(looked_up, part[0]), np.searchsorted(looked_up, part[-1], "right")
            at = np.searchsorted(part, looked_up[first:last])
            is_known[first:last] |= part[at] == looked_up[first:last]
            _let_go(part)
        return looked_up[is_known]

    def _add(self, run: np.ndarray) -> None:
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = self._merged(self._runs.pop(), run)
        if len(run):
            self._runs.append(run)

    def _merged(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        size = len(one) + len(other)
        if size <= self._in_memory:
            return np.concatenate(list(_in_order(one, other)))
        with tempfile.TemporaryFile(prefix="c360-keys-") as file:
            for part in _in_order(one, other):
                file.write(part.data)  # not through a map: where the disk is full, that would kill the process
                _let_go(one)
                _let_go(other)
            file.flush()
            return np.memmap(file, dtype=one.dtype, mode="r", shape=(size,))


def _slots(hashes: np.ndarray) -> np.ndarray:
    return (hashes & np.uint64(FILTER_SLOTS - 1)).view(np.int64)


def _parts(run: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(run), SEARCHED_AT_ONCE):
        yield run[start : start + SEARCHED_AT_ONCE]


def _in_order(one: np.ndarray, other: np.ndarray) -> Iterator[np.ndarray]:
    """Two sorted runs as one, part by part."""
    while len(one) and len(other):
        parts = one[:MERGED_AT_ONCE], other[:MERGED_AT_ONCE]
        end = min(part[-1] for part in parts)
        taken = [int(np.searchsorted(part, end, "right")) for part in parts]
        merged = np.concatenate([part[:count] for part, count in zip(parts, taken, strict=True)])
        merged.sort(kind="stable")
        yield merged
        one, other = one[taken[0] :], other[taken[1] :]
    rest = one if len(one) else other
    for start in range(0, len(rest), MERGED_AT_ONCE):
        yield np.asarray(rest[start : start + MERGED_AT_ONCE])


def _let_go(run: np.ndarray) -> None:
    """Let the pages of a run on disk go, which counted as this process's memory once they were read."""
    if isinstance(run, np.memmap) and run._mmap is not None:
        run._mmap.madvise(mmap.MADV_DONTNEED)
