"""One measured ratio, and where all of them are kept."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
RESULTS = CHECKOUT / "docs" / "benchmarks" / "results.jsonl"


@dataclass(frozen=True)
class Result:
    """A ratio of ours to a baseline that was measured in the same run.

    Attributes:
        name: What was measured.
        ratio: Median of ours by the median of the baseline, in the unit the goal speaks of.
        goal: Exactly `>= x` or `<= x`.
        seconds: Seconds of each of our rounds.
        seconds_baseline: Seconds of each round of the baseline; empty where the limit is a fixed one.
        rows: Rows of one round.
        notes: What else the record keeps, such as the scale.
    """

    name: str
    ratio: float
    goal: str
    seconds: list[float]
    seconds_baseline: list[float]
    rows: int
    notes: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_met(self) -> bool:
        """True where the ratio keeps its goal."""
        sign, bound = self.goal.split(" ")
        return self.ratio >= float(bound) if sign == ">=" else self.ratio <= float(bound)

    def append(self) -> None:
        """Appends the result to `docs/benchmarks/results.jsonl`."""
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        record = asdict(self)
        record |= record.pop("notes") | {
            "rounds": len(self.seconds),
            "seconds": round(statistics.median(self.seconds), 3),
            "seconds_baseline": round(statistics.median(self.seconds_baseline), 3) if self.seconds_baseline else None,
            "ratio": round(self.ratio, 3),
            "seconds_of_rounds": [round(s, 3) for s in self.seconds],
            "seconds_of_rounds_baseline": [round(s, 3) for s in self.seconds_baseline],
            "machine": machine(),
            "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "code": commit(),
        }
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def interleaved(
    ours: Callable[[], float], baseline: Callable[[], float], rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds of both sides, round by round, the side that goes first changing every round; one round to warm up."""
    sides: Sequence[tuple[list[float], Callable[[], float]]] = ([], ours), ([], baseline)
    ours(), baseline()
    for number in range(rounds):
        for seconds, side in sides if number % 2 else reversed(sides):
            seconds.append(side())
    return sides[0][0], sides[1][0]


def machine() -> str:
    """Processor, number of processors, memory, system, Python."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
    memory = Path("/proc/meminfo")
    kilobytes = int(memory.read_text().split()[1]) if memory.exists() else 0
    python = platform.python_version()
    return f"{model}, {os.cpu_count()} processors, {kilobytes >> 20} GB, {platform.system()}, Python {python}"


def commit() -> str:
    """The commit that is measured, marked where files differ from it."""
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=CHECKOUT, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"
