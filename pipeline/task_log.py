"""What a step did, as plain text for the log of a scheduler's task."""

from dataclasses import fields, is_dataclass

from rich.console import Console
from rich.table import Table

from ingestion.batch import BatchReport
from pipeline.display import answer_table, batch_table
from pipeline.wording import in_words

LONGEST = 200
"""Characters of one value in the table; the ledger holds the whole."""


def tell(report: object) -> str:
    """Print a small table of what a step did.

    Args:
        report: what a function of `pipeline.steps` returned.

    Returns:
        The same in one line.
    """
    summary = in_words(report)
    console = Console(width=150, no_color=True, emoji=False)
    if (table := _table(report)) is not None:
        console.print(table)
    console.print(summary, markup=False)
    return summary


def _table(report: object) -> Table | None:
    if isinstance(report, BatchReport):
        return batch_table(report)
    if not is_dataclass(report):
        return None
    rows = [(field.name.replace("_", " "), _short(getattr(report, field.name))) for field in fields(report)]
    return answer_table([type(report).__name__.removesuffix("Report"), "value"], rows)


def _short(value: object) -> str:
    if isinstance(value, dict):
        value = ", ".join(f"{key} {each}" for key, each in value.items())
    text = f"{len(value):,}" if isinstance(value, tuple | list) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
