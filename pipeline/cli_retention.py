"""`c360 retention`: what was sent is kept as long as its contract says."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console import out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestion.retention import Expired

app = typer.Typer(
    help="The end of retention: landed files, and rows of raw and quarantine, are deleted when their contract says so.",
    no_args_is_help=True,
)

Day = Annotated[
    datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="Day by which periods are counted; today.")
]


@app.command()
def plan(as_of: Day = None) -> None:
    """What a run would delete; nothing is touched."""
    from pipeline import steps
    from pipeline.schema import prepare

    prepare()
    _show(steps.end_of_retention(as_of and as_of.date()), "Would be deleted")


@app.command()
def run(as_of: Day = None) -> None:
    """Delete what has come to the end of its retention. The ledger keeps the account of every file.

    Rows that the warehouse has not taken up yet are kept, whatever their age.
    """
    from pipeline import steps
    from pipeline.display import bar
    from pipeline.schema import prepare

    prepare()
    with bar("delete", out) as progress:
        ended = steps.retire(as_of and as_of.date(), progress)
    _show(ended, "Deleted")


def _show(ended: "Sequence[Expired]", title: str) -> None:
    from pipeline.display import answer_table

    if not ended:
        out.print("Nothing has come to the end of its retention.")
        return
    tables = sorted({(file.source_system, file.table_name) for file in ended})
    rows = []
    for source, table in tables:
        files = [file for file in ended if (file.source_system, file.table_name) == (source, table)]
        rows.append(
            (
                f"{source}.{table}",
                f"{files[0].business_date} to {files[-1].business_date}",
                sum(file.is_landed for file in files),
                sum(file.rows for file in files if file.has_rows),
                sum(file.held for file in files),
            )
        )
    names = ["table", "business dates", "landed files", "rows of raw", "rows held in quarantine"]
    out.print(answer_table(names, rows, title))
    if any(row[-1] for row in rows):
        out.print("Held rows cannot be let out any more once their file or they are deleted: c360 quarantine list")
