"""`c360 backfill`: business dates taken through the steps again, as a recorded and approved request."""

from datetime import datetime
from typing import Annotated

import typer

from pipeline.console import out

app = typer.Typer(
    help="""Take a range of business dates through the steps again 补数: a recorded request, approved by another.

  c360 backfill request --from 2026-11-01 --to 2026-11-03 --source card --reason "corrected files of the card system"
  c360 backfill approve 1 --as stella
  c360 backfill run 1                  goes on where it stopped; Airflow's form `run_backfill` does the same
  c360 backfill list
""",
    rich_markup_mode="rich",
    no_args_is_help=True,
)

Number = Annotated[int, typer.Argument(metavar="NUMBER", help="Number of the request (c360 backfill list).")]


@app.command()
def request(
    first: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DATE", help="First business date.")
    ],
    last: Annotated[
        datetime, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DATE", help="Last business date, included.")
    ],
    reason: Annotated[str, typer.Option(help="Why, in words; it is kept.")],
    source: Annotated[
        list[str] | None,
        typer.Option(help="Source to receive, more than once for several; all of bank and grid if not."),
    ] = None,
    login: Annotated[str, typer.Option("--as", metavar="LOGIN", help="Who asks.")] = "dora",
) -> None:
    """Ask for a backfill. Nothing runs before another login has approved it."""
    from pipeline import backfill, steps
    from pipeline.schema import prepare

    prepare()
    asked = backfill.request(first.date(), last.date(), source or steps.SIMULATED_SOURCES, reason, login)
    out.print(f"{asked}\nNow another approves: c360 backfill approve {asked.backfill_id} --as LOGIN", soft_wrap=True)


@app.command()
def approve(
    number: Number,
    login: Annotated[
        str, typer.Option("--as", metavar="LOGIN", help="Who approves: not the one who asked.")
    ] = "stella",
) -> None:
    """Approve a request of somebody else."""
    from pipeline import backfill
    from pipeline.schema import prepare

    prepare()
    out.print(f"{backfill.approve(number, login)}\nNow it may run: c360 backfill run {number}", soft_wrap=True)


@app.command()
def run(number: Number) -> None:
    """Run an approved backfill: ingest, check, build and publish date by date. Killed, it goes on where it stopped."""
    from pipeline import steps
    from pipeline.display import bar
    from pipeline.schema import prepare

    prepare()
    with bar("backfill", out) as progress:
        report = steps.run_backfill(number, progress)
    out.print(str(report), soft_wrap=True)


@app.command("list")
def list_() -> None:
    """All requests: range, reason, who asked, who approved, how far they are."""
    from pipeline.backfill import backfills
    from pipeline.display import answer_table
    from pipeline.schema import prepare

    prepare()
    names = ["backfill", "from", "to", "sources", "state", "dates", "done", "reason", "asked", "approved", "message"]
    rows = [
        (
            one.backfill_id,
            one.first_date,
            one.last_date,
            ", ".join(one.sources),
            one.state,
            one.dates,
            one.dates_done,
            one.reason,
            one.requested_by,
            one.approved_by,
            one.message,
        )
        for one in backfills()
    ]
    out.print(answer_table(names, rows) if rows else "No backfill was asked for yet.")
