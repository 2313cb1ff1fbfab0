"""`make bench`: measures every ratio, appends it to docs/benchmarks/results.jsonl, prints the table."""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from benchmarks import identity, ingest
from benchmarks.result import Result

BENCHMARKS: dict[str, Callable[[], Result | list[Result]]] = {
    measure.__name__: measure
    for measure in (
        ingest.account_postings_vs_copy,
        ingest.card_csv_vs_copy,
        ingest.card_fixed_vs_copy,
        ingest.card_csv_vs_dlt,
        ingest.quarantine_of_one_percent,
        ingest.memory_of_small_file,
        ingest.memory_of_large_file,
        identity.parties_against_the_truth,
        identity.febrl_persons,
        identity.identity_day_at_scale_one,
    )
}


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmarks; 0 where every goal is kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *BENCHMARKS], help="benchmarks to run; all if none is named")
    names = parser.parse_args(arguments).names or list(BENCHMARKS)
    results: list[Result] = []
    for name in names:
        print(f"{name}: {BENCHMARKS[name].__doc__}", flush=True)
        found = BENCHMARKS[name]()
        for result in found if isinstance(found, list) else [found]:
            result.append()
            results.append(result)
    Console(width=140).print(table_of(results))
    return 0 if all(result.is_met for result in results) else 1


def table_of(results: list[Result]) -> Table:
    """The results as a table."""
    table = Table(title="Benchmarks (medians of interleaved rounds)")
    for heading in ("benchmark", "ratio", "goal", "kept", "seconds", "baseline", "rounds", "rows"):
        table.add_column(heading, justify="left" if heading == "benchmark" else "right", no_wrap=True)
    for result in results:
        table.add_row(
            result.name,
            f"{result.ratio:.4f}" if result.goal.startswith(">= 0.9") else f"{result.ratio:.2f}",
            result.goal,
            "yes" if result.is_met else "NO",
            f"{statistics.median(result.seconds):.2f}",
            f"{statistics.median(result.seconds_baseline):.2f}" if result.seconds_baseline else "",
            str(len(result.seconds)),
            f"{result.rows:,}",
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
