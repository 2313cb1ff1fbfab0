"""Independent random streams by name: a change in one subject moves no number of another (and no clock, no hash)."""

from __future__ import annotations

import zlib

import numpy as np


class Streams:
    """Random streams of one simulation.

    Args:
        seed: The seed of the whole world.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, *names: object) -> np.random.Generator:
        """The stream of a subject, e.g. ``streams("card", 2026, 3)``; the same names always give the same numbers."""
        words = [zlib.crc32(str(name).encode()) for name in names]
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, *words])))


def pick(rng: np.random.Generator, values: object, shares: object = None, size: int = 1) -> np.ndarray:
    """Draws values with the given shares (scaled to sum to 1) as an object or numeric array."""
    options = np.asarray(values)
    if shares is None:
        return options[rng.integers(0, len(options), size)]
    weights = np.cumsum(np.asarray(shares, dtype=float))
    return options[np.searchsorted(weights / weights[-1], rng.random(size), side="right").clip(0, len(options) - 1)]


def choose(rng: np.random.Generator, size: int, share: float) -> np.ndarray:
    """A mask that is true for about the given share of rows."""
    return rng.random(size) < share
