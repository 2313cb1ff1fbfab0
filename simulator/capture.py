"""Who took a customer's data down: channel, operator and time on every change of a customer master [CTL-04]."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from simulator import parameters as p
from simulator.frames import text
from simulator.randomness import pick


def captured(log: pl.DataFrame, rng: np.random.Generator, source: str, operators: Sequence[str]) -> pl.DataFrame:
    """A change log with the channel, the operator and the moment of each change.

    Args:
        log: Change log of customers of one source.
        rng: A stream of its own.
        source: Names the channels (`parameters.CAPTURE_CHANNELS`).
        operators: Numbers of those who work at staffed channels; by electronic ones the customer enters it himself.
    """
    shares = p.CAPTURE_CHANNELS[source]
    channel = pick(rng, list(shares), list(shares.values()), log.height)
    operator = pick(rng, list(operators), None, log.height)
    day = log["effective_date"].to_numpy().astype("datetime64[us]")
    return log.with_columns(
        capture_channel=text(channel),
        capture_operator=text(np.where(np.isin(channel, p.ELECTRONIC_CAPTURE), None, operator)),
        captured_at=pl.Series(day + rng.integers(32_000, 61_000, log.height).astype("timedelta64[s]")),
    )
