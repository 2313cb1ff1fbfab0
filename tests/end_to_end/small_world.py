"""The small world that the end-to-end tests look at."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

SCALE, SEED = 0.001, 20261101
FIRST, NEXT = date(2026, 10, 31), date(2026, 11, 1)
"""The first load goes the way of the demo; the daily batch of the next day is left to Airflow."""


@dataclass(frozen=True)
class World:
    """What the demo left behind at scale 0.001 (100 parties, 13 months of history)."""

    database: str
    home: Path
    said: str

    @property
    def truth(self) -> Path:
        """The simulator's ground truth."""
        return self.home / "truth"
