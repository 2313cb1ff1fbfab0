"""The one seam for faults: with `C360_FAULT=<point>` the process kills itself at that point, as a power cut would."""

from __future__ import annotations

import os
import signal

POINTS = (
    "receipt_written",  # beside the file, nothing in the ledger yet
    "received",  # receipts committed, nothing loaded
    "load_started",  # transaction and savepoint open
    "block_copied",  # first block sent
    "copied",  # all rows sent, control not yet compared
    "quarantined",  # rejected rows written, ledger not yet
    "before_commit",  # everything written, nothing committed
    "loaded",  # first file committed, others still to come
    "before_complete",  # all files committed, batch still open
    "complete",  # batch complete
)

EVOLUTION_POINTS = ("column_added",)  # the raw table has got a column, none of its values

RELEASE_POINTS = (
    "decided",  # decision committed, nothing loaded
    "rows_released",  # rows sent, ledger and quarantine not yet
    "before_release_commit",  # everything written, nothing committed
)


def reach(point: str) -> None:
    """Marks a point of a load or a release; ends the process there when the seam asks for it."""
    assert point in POINTS + EVOLUTION_POINTS + RELEASE_POINTS, point
    if os.environ.get("C360_FAULT") == point:
        os.kill(os.getpid(), signal.SIGKILL)
