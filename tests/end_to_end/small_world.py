"""The small world that the end-to-end tests look at."""

from dataclasses import dataclass
from pathlib import Path

SCALE, SEED = 0.001, 20261101


@dataclass(frozen=True)
class World:
    """What the demo left behind at scale 0.001 (100 parties, 13 months, three daily batches)."""

    database: str
    home: Path
    said: str

    @property
    def truth(self) -> Path:
        """The simulator's ground truth."""
        return self.home / "truth"
