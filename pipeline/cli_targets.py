"""`c360 targets`: what people plan, uploaded by one and approved by another."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.console import out

app = typer.Typer(
    help="Targets that people plan: a workbook of years and curves, uploaded by one login and approved by another. "
    "Approved, it counts from the next build on; a month that is closed by then gets a proposed re-assessment.",
    no_args_is_help=True,
)

Number = Annotated[int, typer.Argument(metavar="NUMBER", help="Of the upload, as the list says.")]
Reason = Annotated[str, typer.Option(help="Why, in words; it is kept.")]
Preparer = Annotated[str, typer.Option("--as", metavar="LOGIN", help="Who uploads: a login of the role assessor.")]
Approver = Annotated[str, typer.Option("--as", metavar="LOGIN", help="Who decides: another login of that role.")]


@app.command()
def template(
    output: Annotated[Path, typer.Argument(dir_okay=False, help="Where to.")] = Path("targets.xlsx"),
) -> None:
    """Write an empty workbook: a sheet of targets of the year, and one of plan curves."""
    from assessment.workbook import write_template

    write_template(output)
    out.print(f"written: {output}; fill it in, then `c360 targets upload {output} --reason …`", soft_wrap=True)


@app.command()
def upload(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The workbook.")],
    reason: Reason,
    login: Preparer = "paula",
) -> None:
    """Check a workbook and upload it; it counts when a second person has approved it.

    A target that stands twice, an indicator, owner or curve that is not known, a curve that falls or does not end
    at 1: refused whole, with sheet and line.
    """
    from assessment import plan
    from pipeline.schema import prepare
    from warehouse.connection import connect

    prepare()
    with connect(login) as session:
        out.print(f"upload {plan.upload(file, reason, session)} waits for a second person: `c360 targets approve`")


@app.command("list")
def list_uploads() -> None:
    """The uploads, the newest first."""
    from assessment import plan
    from pipeline.display import answer_table
    from warehouse.connection import connect

    columns = ["upload", "file", "targets", "days of curves", "by", "at", "decision", "decided by"]
    with connect() as session:
        out.print(answer_table(columns, plan.uploads(session), "Uploads"))


@app.command()
def approve(number: Number, reason: Reason, login: Approver = "henry") -> None:
    """Approve an upload that another login prepared."""
    _decide(number, "approved", reason, login)


@app.command()
def reject(number: Number, reason: Reason, login: Approver = "henry") -> None:
    """Reject an upload; it counts nowhere and is kept."""
    _decide(number, "rejected", reason, login)


def _decide(number: int, decision: str, reason: str, login: str) -> None:
    from assessment import plan
    from warehouse.connection import connect

    with connect(login) as session:
        plan.decide_upload(number, decision, reason, session)  # type: ignore[arg-type]
    out.print(f"upload {number} is {decision}")
