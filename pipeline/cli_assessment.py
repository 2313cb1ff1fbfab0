"""`c360 assessment`: what people decide on results."""

from decimal import Decimal
from typing import Annotated

import typer

from pipeline.console import out

app = typer.Typer(
    help="Decisions on results: proposed re-assessments, adjustments by hand, appeals. One login prepares, another "
    "decides; results show it when they are built next (`c360 assess PERIOD`).",
    no_args_is_help=True,
)

Run = Annotated[str, typer.Argument(metavar="RUN", help="Such as customer_manager/2026-10/1.")]
Manager = Annotated[str, typer.Argument(help="Employee number 工号.")]
Number = Annotated[int, typer.Argument(metavar="NUMBER")]
Reason = Annotated[str, typer.Option(help="Why, in words; it is kept.")]
Preparer = Annotated[str, typer.Option("--as", metavar="LOGIN", help="Who: a login of the role assessor.")]
Approver = Annotated[str, typer.Option("--as", metavar="LOGIN", help="Who decides: another login of that role.")]


@app.command()
def differences(earlier: Run, later: Run) -> None:
    """What changed between two runs, metric by metric (差异报告)."""
    from assessment import differences as between
    from pipeline.display import answer_table
    from warehouse.connection import connect

    with connect() as session:
        rows = [
            (one.owner_id, one.metric_id, one.earlier_value, one.later_value, one.change)
            for one in between(earlier, later, session)
        ]
    out.print(answer_table(["manager", "metric", "earlier", "later", "change"], rows, f"{earlier} → {later}"))


@app.command()
def accept(run: Run, reason: Reason, login: Approver = "henry") -> None:
    """Put a proposed re-assessment in force."""
    _decide_run(run, "accepted", reason, login)


@app.command()
def reject(run: Run, reason: Reason, login: Approver = "henry") -> None:
    """Reject a proposed re-assessment; the run before it stays in force."""
    _decide_run(run, "rejected", reason, login)


@app.command()
def appeal(run: Run, manager: Manager, reason: Reason, login: Preparer = "paula") -> None:
    """Take down a manager's appeal against a result that is in force (申诉)."""
    from assessment import adjustment
    from warehouse.connection import connect

    with connect(login) as session:
        number = adjustment.appeal(run, manager, reason, session)
    out.print(f"appeal {number} waits for a second person: `c360 assessment answer {number}`")


@app.command()
def answer(
    number: Number,
    reason: Reason,
    uphold: Annotated[bool, typer.Option("--uphold/--reject", help="What is decided.")] = True,
    login: Approver = "henry",
) -> None:
    """Uphold or reject an appeal; what follows for the total is an adjustment."""
    from assessment import adjustment
    from warehouse.connection import connect

    with connect(login) as session:
        adjustment.decide_appeal(number, "upheld" if uphold else "rejected", reason, session)
    out.print(f"appeal {number} is {'upheld' if uphold else 'rejected'}")


@app.command(context_settings={"ignore_unknown_options": True})
def adjust(
    run: Run,
    manager: Manager,
    points: Annotated[str, typer.Argument(help="Added to the total, or taken off where below zero.")],
    reason: Reason,
    answers: Annotated[int | None, typer.Option(metavar="NUMBER", help="The appeal that it answers.")] = None,
    login: Preparer = "paula",
) -> None:
    """Propose points for a total (人工调整); they count when a second person approves them."""
    from assessment import adjustment
    from warehouse.connection import connect

    with connect(login) as session:
        number = adjustment.adjust(run, manager, Decimal(points), reason, session, answers)
    out.print(f"adjustment {number} waits for a second person: `c360 assessment approve {number}`")


@app.command()
def approve(
    number: Number,
    reason: Reason,
    refuse: Annotated[bool, typer.Option("--refuse", help="Reject it instead.")] = False,
    login: Approver = "henry",
) -> None:
    """Approve an adjustment that another login prepared, or refuse it."""
    from assessment import adjustment
    from warehouse.connection import connect

    with connect(login) as session:
        adjustment.decide_adjustment(number, "rejected" if refuse else "approved", reason, session)
    out.print(f"adjustment {number} is {'rejected' if refuse else 'approved'}")


def _decide_run(run: str, decision: str, reason: str, login: str) -> None:
    from assessment import decide
    from warehouse.connection import connect

    with connect(login) as session:
        decide(run, decision, reason, session)  # type: ignore[arg-type]
    out.print(f"{run} is {decision}")
