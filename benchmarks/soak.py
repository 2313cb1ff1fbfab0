"""`make soak`: kills loads at random times by the hundred; the last result stands in docs/benchmarks/soak.json."""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime

from benchmarks.result import CHECKOUT, commit, machine

LAST = CHECKOUT / "docs" / "benchmarks" / "soak.json"
TEST = "tests/ingestion/test_ingest_killed.py::test_killed_at_any_time_and_started_again"


def main(arguments: list[str] | None = None) -> int:
    """Runs the test of random kills; 0 and a new record where all tables equalled an undisturbed run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="how many loads are killed (300)")
    parser.add_argument("--seed", type=int, help="repeats the kills of a seed; by chance if not given")
    chosen = parser.parse_args(arguments)
    seed = random.randrange(1_000_000) if chosen.seed is None else chosen.seed
    print(f"{chosen.kills} kills of the loader, its connection and its server process; seed {seed}", flush=True)
    environment = os.environ | {"SOAK_KILLS": str(chosen.kills), "SOAK_SEED": str(seed)}
    begun = time.monotonic()
    outcome = subprocess.run([sys.executable, "-m", "pytest", "-q", TEST], cwd=CHECKOUT, env=environment)
    if outcome.returncode != 0:
        return outcome.returncode
    record = {
        "kills": chosen.kills,
        "seed": seed,
        "seconds": round(time.monotonic() - begun),
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": machine(),
        "code": commit(),
    }
    LAST.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
