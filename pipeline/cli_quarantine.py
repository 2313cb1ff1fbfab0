"""`c360 quarantine`: rows that were kept out, and how they come in."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console import out

if TYPE_CHECKING:
    from ingestion.quarantine import Selection

app = typer.Typer(
    help="Rows that were kept out: look at them, let them in. Every decision is kept with login, time and reason.",
    no_args_is_help=True,
)

AnySource = Annotated[str | None, typer.Argument(metavar="[SOURCE]", help="Source system; all if not given.")]
AnyTable = Annotated[str | None, typer.Argument(metavar="[TABLE]", help="Table of the source; all if not given.")]
Source = Annotated[str, typer.Argument(help="Source system.")]
Table = Annotated[str, typer.Argument(help="Table of the source.")]
Date = Annotated[
    datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Business date of the file; all if not given.")
]
Rule = Annotated[str | None, typer.Option(help="Only rows that break this rule.")]
Lines = Annotated[list[int] | None, typer.Option("--line", help="Only this line of the file; may be given again.")]
Reason = Annotated[str, typer.Option(help="Why, in words; it is kept.")]
Steward = Annotated[str, typer.Option("--as", metavar="LOGIN", help="Who decides: a login of the role steward.")]


@app.command("list")
def list_(
    source: AnySource = None,
    table: AnyTable = None,
    day: Date = None,
    rule: Rule = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many lines.")] = 50,
) -> None:
    """What lies in quarantine, by file and rule."""
    from ingestion.quarantine import groups
    from pipeline.display import answer_table
    from warehouse.connection import orm_session

    with orm_session() as session:
        found = groups(session, _selection(source, table, day, rule))
    rows = [
        (
            g.business_date,
            f"{g.source_system}.{g.table_name}",
            f"{g.rule} {g.column_name or ''}",
            g.rows,
            g.first_line,
            g.example,
        )
        for g in found[:limit]
    ]
    names = ["date", "table", "rule", "rows", "first line", "for example"]
    waiting = sorted({f"{group.file_name} is {group.file_state}" for group in found if group.file_state != "loaded"})
    out.print(answer_table(names, rows) if rows else "Nothing lies in quarantine.")
    if len(found) > limit:
        out.print(f"and {len(found) - limit} more: --limit, or name a source and table")
    if waiting:
        out.print(f"Rows of these files cannot be let out one by one: {', '.join(waiting)}")


@app.command()
def show(
    source: AnySource = None,
    table: AnyTable = None,
    day: Date = None,
    rule: Rule = None,
    line: Lines = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 20,
) -> None:
    """The rows themselves, as their files sent them."""
    from ingestion.quarantine import held_rows
    from warehouse.connection import orm_session

    with orm_session() as session:
        found = held_rows(session, _selection(source, table, day, rule, line), limit)
    for row in found:
        out.print(
            f"[bold]{row.source_system}/{row.file.business_date}/{row.file.file_name}, line {row.line:,}[/]",
            soft_wrap=True,
        )
        out.print(f"  [{row.rule}] {row.message}", markup=False, soft_wrap=True)
        out.print(f"  {row.raw_text}", markup=False, soft_wrap=True)
    if not found:
        out.print("Nothing lies in quarantine.")


@app.command()
def release(
    source: Source,
    table: Table,
    reason: Reason,
    day: Date = None,
    rule: Rule = None,
    line: Lines = None,
    login: Steward = "stella",
) -> None:
    """Load rows as they were sent, in spite of the rules that they break.

    What the table cannot hold (a wrong type) or the warehouse cannot find (no key) stays. A released row is the last
    word about its key and date: where its sender has sent it again meanwhile, do not release it.
    """
    _let_out("release", source, table, day, rule, line, reason, login)


@app.command()
def replay(
    source: Source,
    table: Table,
    reason: Reason,
    day: Date = None,
    rule: Rule = None,
    line: Lines = None,
    login: Steward = "stella",
) -> None:
    """Put rows through the contract again, as it is now; those that keep it are loaded."""
    _let_out("replay", source, table, day, rule, line, reason, login)


@app.command()
def decisions(source: AnySource = None) -> None:
    """Who let what out, when and why."""
    from pipeline.display import answer_table
    from warehouse.connection import connect

    with connect(autocommit=True) as session:
        cursor = session.execute(_DECISIONS, {"source": source})
        names = [column.name.replace("_", " ") for column in cursor.description or ()]
        rows = cursor.fetchall()
    out.print(answer_table(names, rows) if rows else "Nothing was decided yet.")


def _let_out(
    action: str,
    source: str,
    table: str,
    day: datetime | None,
    rule: str | None,
    line: list[int] | None,
    reason: str,
    login: str,
) -> None:
    from pipeline import steps
    from pipeline.display import bar, release_table
    from pipeline.schema import prepare

    prepare()
    with bar(action, out) as progress:
        reports = steps.let_out(action, _selection(source, table, day, rule, line), reason, login, progress)  # type: ignore[arg-type]
    if not reports:
        out.print("No row of a loaded file is meant: see `c360 quarantine list`.")
        raise typer.Exit(1)
    out.print(release_table(reports))
    if not any(report.rows_loaded for report in reports):
        raise typer.Exit(1)
    out.print("The next build takes them up.")


def _selection(
    source: str | None, table: str | None, day: datetime | None, rule: str | None, line: list[int] | None = None
) -> "Selection":
    from ingestion.quarantine import Selection

    return Selection(source, table, day.date() if day else None, rule, tuple(line) if line else None)


_DECISIONS = """
select decision.decision_id as decision, decision.decided_at, decision.decided_by, decision.action,
    file.source_system as source, file.file_name as file, cardinality(decision.lines) as rows_meant,
    decision.rows_loaded, decision.reason, decision.message
from quarantine.decision as decision
inner join ops.source_file as file using (file_id)
where %(source)s::text is null or file.source_system = %(source)s
order by decision.decision_id desc
"""
