"""`c360 erasure`: a person's data are overwritten, and stay overwritten."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console import out

if TYPE_CHECKING:
    from ingestion.erasure import Verdict

app = typer.Typer(
    help="Erasure of a person or firm from what a source sent. Every request is kept with login, time and reason.",
    no_args_is_help=True,
)

Erasure = Annotated[int, typer.Argument(help="Number of the request: `c360 erasure list`.")]
Why = Annotated[str, typer.Option(help="Why, in words; it is kept, so name nobody in it.")]
Approver = Annotated[str, typer.Option("--as", metavar="LOGIN", help="Who decides: a login of a steward.")]
Day = Annotated[
    datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="Day by which legal holds are counted; today.")
]


@app.command()
def request(
    source: Annotated[str, typer.Argument(help="Source system.")],
    table: Annotated[str, typer.Argument(help="Table whose key names the person: customer, cardholder, consumer.")],
    key: Annotated[str, typer.Argument(help="The person's key in that table.")],
    reason: Why,
    not_before: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day on which it may be done (legal hold).")
    ] = None,
    login: Annotated[str, typer.Option("--as", metavar="LOGIN", help="Who requests: a login of a steward.")] = "stella",
) -> None:
    """Request that a person be erased, by one of its keys; its other keys with the same controller are requested, too.

    Nothing happens before another approves it.

    c360 erasure request grid_billing consumer 3100012345 --reason "consent withdrawn, letter of 2026-11-20"
    """
    from pipeline import steps
    from pipeline.schema import prepare

    prepare()
    entered = steps.request_erasure(source, table, key, reason, login, not_before and not_before.date())
    for person in entered:
        out.print(f"Requested: {person}")
    out.print(
        "Another approves it: c360 erasure approve NUMBER --reason …  (numbers: c360 erasure list)"
        if entered
        else "It had been requested before."
    )


@app.command()
def approve(erasure: Erasure, reason: Why, login: Approver = "sophie") -> None:
    """Approve a request (复核) and carry it out: never the one who requested it.

    The personal columns of all rows that speak of the person are overwritten, now and whenever more are sent. Keys and
    amounts stay. Rows under a legal hold are left until it ends; `c360 erasure run` erases what a hold has let go.
    """
    _decide(erasure, "approve", reason, login)
    _run(None)


@app.command()
def reject(erasure: Erasure, reason: Why, login: Approver = "sophie") -> None:
    """Refuse a request: nothing more is erased for it."""
    _decide(erasure, "reject", reason, login)


@app.command()
def hold(
    erasure: Erasure,
    until: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="First day on which it may be done.")],
    reason: Why,
    login: Approver = "sophie",
) -> None:
    """Place a legal hold (法定保存) on a request, or move it: the last one counts."""
    _decide(erasure, "hold", reason, login, until)


@app.command()
def run(as_of: Day = None) -> None:
    """Carry out all requests: what is left of them, and what has come since."""
    from pipeline.schema import prepare

    prepare()
    _run(as_of)


@app.command("list")
def list_() -> None:
    """Who is to be erased, who requested it and why, and what waits for the end of a legal hold."""
    from ingestion.erasure import requests
    from pipeline.display import answer_table
    from warehouse.connection import orm_session

    names = ["erasure", "person", "reason", "requested", "by", "state", "decided by", "held until"]
    with orm_session() as session:
        rows = [
            (
                e.erasure_id,
                f"{e.source_system}.{e.table_name} {e.key}",
                e.reason,
                e.requested_at.date(),
                e.requested_by,
                e.state,
                ", ".join(f"{decision.verdict} {decision.decided_by}" for decision in e.decisions),
                e.held_until,
            )
            for e in requests(session)
        ]
    out.print(answer_table(names, rows) if rows else "Nothing was requested yet.")


def _decide(erasure: int, verdict: "Verdict", reason: str, login: str, until: datetime | None = None) -> None:
    from pipeline import steps
    from pipeline.schema import prepare

    prepare()
    steps.decide_erasure(erasure, verdict, reason, login, until and until.date())


def _run(as_of: datetime | None) -> None:
    from pipeline import steps
    from pipeline.display import answer_table, bar

    with bar("erase", out) as progress:
        report = steps.erase(as_of and as_of.date(), progress)
    rows = [
        (place, table, count)
        for place, tables in (("raw", report.raw), ("quarantine", report.quarantined), ("warehouse", report.warehouse))
        for table, count in sorted(tables.items())
    ]
    if rows:
        out.print(answer_table(["place", "table", "rows"], rows, "Overwritten"))
    else:
        out.print("There was nothing to overwrite.")
    out.print(
        "Landed files go at the end of their retention (c360 retention plan); state of the requests: c360 erasure list"
    )
