"""What the command line shows: progress bars and tables."""

import csv
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from warehouse.connection import connect

if TYPE_CHECKING:  # reports are only named here: who makes them has imported what makes them
    from ingestion.batch import BatchReport
    from ingestion.batch import Progress as LoadingProgress
    from ingestion.check import CheckReport
    from ingestion.release import ReleaseReport
    from pipeline.comparison import Comparison
    from pipeline.party import Party
    from pipeline.plan import Plan
    from pipeline.trace import Trace

NEVER_FOLDED = 20
"""Cells up to this width stay on one line, however narrow the terminal."""

QUIET_VERDICTS = ("load", "nothing")
"""What a plan only counts."""

STATE_STYLE = {"loaded": "green", "complete": "green", "done": "green", "refused": "red", "failed": "red"}


def _bars(console: Console) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn())
    return Progress(
        *columns,
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[what]}"),
        console=console,
        refresh_per_second=4,
        auto_refresh=console.is_terminal,
    )


@contextmanager
def bar(title: str, console: Console) -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar; yields a function (done, all, what) that moves it."""
    with _bars(console) as bars:
        task = bars.add_task(title, total=None, what="")

        def move(done: int, total: int, what: str) -> None:
            bars.update(task, completed=done, total=total, what=what)

        yield move
        total = bars.tasks[0].total
        bars.update(task, completed=total if total is not None else 1, total=total if total is not None else 1, what="")


@contextmanager
def loading(console: Console, title: str = "ingest") -> Iterator["LoadingProgress"]:
    """A progress bar over the files of a batch."""
    with bar(title, console) as move:

        def progress(table: str, event: str, position: int, files: int, rows: int) -> None:
            done = position if event in ("receive", "rows") else position + 1
            move(min(done, files), files, f"{table} {event}" + (f" {rows:,}" if rows else ""))

        yield progress


def batch_table(report: "BatchReport") -> Table:
    """One line a file of a batch: what was sent, loaded, kept in quarantine."""
    title = f"{report.source} {report.business_date}: {report.state}"
    return answer_table(
        ["file", "state", "sent", "loaded", "quarantined", "message"],
        [
            (file.file_name, file.state, file.rows_sent, file.rows_loaded, file.rows_quarantined, file.message)
            for file in report.files
        ],
        title,
    )


def print_plan(console: Console, plan: "Plan") -> None:
    """What the run of a date would do, source by source; of files that need nothing only the number."""
    console.print(f"[bold]{plan.business_date}[/]")
    for source, files in plan.files.items():
        verdicts = Counter(file.verdict for file in files)
        console.print(f"[bold]{source}[/]: " + ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items()))
        if verdicts["missing"] == len(files):
            console.print("  nothing was landed for the date yet")
        elif rows := [(f.file_name, f.verdict, f.bytes, f.why) for f in files if f.verdict not in QUIET_VERDICTS]:
            console.print(answer_table(["file", "verdict", "bytes", "why"], rows))
    if plan.decisions:
        console.print(f"{plan.decisions} decisions about quarantined rows are carried out")
    if plan.batches:
        console.print(f"the build takes up {len(plan.batches)} batches: {', '.join(plan.batches)}", soft_wrap=True)
    console.print("steps: " + " · ".join(f"{step} {state}" for step, state in plan.steps), soft_wrap=True)


def print_comparison(console: Console, comparison: "Comparison") -> None:
    """Every table that differs with its counts, columns and keys; of those that are equal only the number."""
    from pipeline.change_page import by_count

    different = [table for table in comparison.tables if not table.is_equal]
    rows = []
    for table in different:
        columns = [f"{name} {count:,}" for name, count in by_count(table)]
        columns += [f"+{name}" for name in table.new_columns] + [f"-{name}" for name in table.lost_columns]
        columns += [f"no table {table.missing}"] if table.missing else []
        keys = ["/".join(key.values()) for found in table.examples.values() for key in found]
        counts = (table.rows_before, table.rows_after, table.removed, table.added, table.changed)
        rows.append((table.name, *counts, ", ".join(columns), "  ".join(keys)))
    if rows:
        names = ["table", "before", "after", "only before", "only after", "changed", "columns", "keys, for example"]
        console.print(answer_table(names, rows, f"{comparison.before} → {comparison.after}"))
    console.print(str(comparison))


def print_trace(console: Console, trace: "Trace") -> None:
    """What stands behind a figure, level by level: what its parts make, then each part and where it was said."""
    if trace.fold is None:
        console.print(f"{trace.rows:,} rows")
    else:
        console.print(f"[bold]{trace.place}[/] is {escape(_figure(trace.value))}", soft_wrap=True)
    _print_parts(console, trace, 1)


def _print_parts(console: Console, trace: "Trace", depth: int) -> None:
    from pipeline.trace import TableRow, Trace

    def say(text: str, deeper: int = 0) -> None:
        console.print("  " * (depth + deeper) + text, soft_wrap=True)

    ties = "[green]equal[/]" if trace.is_equal else "[red]not equal[/]: data that came later is traced, too"
    total = _figure(trace.total)
    match trace.fold:
        case "computed":
            say(f"= {escape(' '.join((trace.formula or '').replace('seen.', '').split()))}: {ties}")
        case "sum" | "greatest" | "least" if trace.rows != 1 or not trace.is_equal:
            make = "add up to" if trace.fold == "sum" else f"have as their {trace.fold}"
            say(f"{trace.rows:,} parts {make} {total}: {ties}")
        case "each" if not trace.is_equal:
            say(f"{trace.rows:,} rows say {escape(total)}: {ties}")
    for part in trace.parts:
        adds = "" if part.value is None and trace.fold is None else f"{escape(_figure(part.value))}  "
        match part.source:
            case Trace() as behind:
                row = ", ".join(f"{name} {value}" for name, value in behind.key.items() if trace.key.get(name) != value)
                of = f" [dim]of {escape(row)}[/]" if row else ""
                say(f"{adds}[bold]{behind.place}[/]{of}{' [dim](see above)[/]' if behind.is_repeated else ''}")
                _print_parts(console, behind, depth + 1)
            case TableRow() as row:
                place = f"{row.file}, line {row.line}" if row.line else row.file or row.table
                say(f"{adds}[bold]{place}[/]" + (f" [dim]version {row.version}[/]" if row.version else ""))
                say(escape(row.text), 1)
            case origin:
                file = origin.file
                out_of = f", out of quarantine by {file.decision}" if file.decision else ""
                say(
                    f"{adds}[bold]{file.source_system}/{file.business_date}/{file.file_name}, line {origin.line:,}[/]"
                    f" [dim]{file.batch_id}, received {file.received_at:%Y-%m-%d %H:%M}, {file.state}{out_of}[/]"
                )
                lost = "the file as a whole" if origin.line == 0 else "its text cannot be read in landing any more"
                say(escape(origin.text or lost), 1)
    if trace.fold != "computed" and trace.rows > len(trace.parts):
        say(f"[dim]and {trace.rows - len(trace.parts):,} more: --limit[/]")


def _figure(value: object) -> str:
    """A figure for people: amounts with separators, without the zeros of their type."""
    if value is None:
        return "nothing"
    if not isinstance(value, Decimal):
        return str(value)
    whole, _, decimals = f"{round(value, 6):,f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}" if decimals.strip("0") else whole


def print_party(console: Console, party: "Party") -> None:
    """A party's page: who it is, the golden record of each controller, products, and how it came about."""
    kinds = {score.party_kind for score in party.scores if score.party_kind}
    console.print(f"[bold]{party.party_id}[/] {' '.join(sorted(kinds))}")
    for score in party.scores:
        rates = {"complete": score.completeness, "valid": score.validity, "consistent": score.consistency}
        told = ", ".join(f"{name} {rate:.0%}" for name, rate in rates.items() if rate is not None)
        lacks = f"; lacks {score.missing_codes}" if score.missing_codes else ""
        console.print(
            f"{score.controller_id}: data quality {score.quality_score} ({told}; sources: {score.source_count}{lacks})"
        )
    for product in party.products:
        figures = [
            f"{value:,} {name.replace('_', ' ')}"
            for name, value in product._asdict().items()
            if name not in ("controller_id", "snapshot_month") and value
        ]
        console.print(f"{product.controller_id} {product.snapshot_month:%Y-%m}: {' · '.join(figures) or 'no product'}")
    if party.members:
        console.print(f"customers: {', '.join(party.members)}")
    for controller, rows in party.golden.items():
        names = ["attribute", "value", "source", "chosen by", "since", "received", "doubt", "values that lost"]
        console.print(answer_table(names, rows, f"Golden record, as the {controller} may know it"))
    if party.history:
        names = ["known", "customer", "event", "party", "other party", "why", "by"]
        console.print(answer_table(names, party.history, "History of links"))


def release_table(reports: "Sequence[ReleaseReport]") -> Table:
    """One line a file: rows meant, rows that came in, why others stay."""
    return answer_table(
        ["decision", "file", "rows meant", "loaded", "why others stay"],
        [
            (report.decision_id, report.file_name, report.rows_chosen, report.rows_loaded, report.message)
            for report in reports
        ],
        f"{reports[0].action} of {reports[0].source}.{reports[0].table}",
    )


def print_check(console: Console, report: "CheckReport") -> None:
    """What loading a file would do: the verdict, then what breaks which rule, and the first rows that do."""
    verdict = "[red]would be refused[/]" if report.refusal else "[green]would be loaded[/]"
    console.print(
        f"{report.file_name} by the contract of {report.table}: {verdict}; "
        f"{report.rows_good:,} rows good, {report.rows_rejected:,} for quarantine"
    )
    if report.refusal:
        console.print(str(report.refusal), markup=False)
    for drift in report.drift:
        console.print(f"{drift.kind.replace('_', ' ')} {drift.column}: {drift.policy}", markup=False)
    if report.suggested:
        console.print("Properties for the contract that would take the new columns in:")
        console.print("".join(report.suggested), markup=False, highlight=False, soft_wrap=True)
    if report.rules:
        console.print(answer_table(["rule", "column", "rows"], report.rules, "Broken rules"))
    if report.warnings:
        console.print(answer_table(["rule", "column", "rows"], report.warnings, "Warnings: loaded all the same"))
    if report.sample:
        first = [(reject.line, reject.rule, reject.message) for reject in report.sample]
        console.print(answer_table(["line", "rule", "what is wrong"], first, "The first rows for quarantine"))


def answer_table(names: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None) -> Table:
    """A table of any answer; numbers to the right, states in colour; only long text is folded."""
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(names):
        numeric = any(isinstance(row[place], int | float | Decimal) for row in rows)
        widest = max((cell_len(Text.from_markup(_cell(row[place])).plain) for row in rows), default=0)
        least = widest if widest <= NEVER_FOLDED else None
        table.add_column(name, justify="right" if numeric else "left", overflow="fold", min_width=least)
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    return table


def print_answer(console: Console, names: Sequence[str], rows: Sequence[Sequence[object]], form: str) -> None:
    """Print the rows of a query as a table, as CSV or as JSON (numerics and dates as text, so that none is rounded)."""
    if form == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(names)
        writer.writerows(rows)
    elif form == "json":
        print(json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str, ensure_ascii=False))
    else:
        console.print(answer_table(names, rows))
        console.print(f"[dim]{len(rows):,} rows[/]")


def print_status(console: Console) -> None:
    """Batches, files that need a hand, newest steps, publication in force."""
    with connect(autocommit=True) as session:
        for title, query in _STATUS.items():
            cursor = session.execute(query)  # type: ignore[call-overload]
            rows = cursor.fetchall()
            if rows:
                console.print(answer_table([column.name for column in cursor.description or ()], rows, title))
            else:
                console.print(f"{title}: none")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        return f"{value:,f}"
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    style = STATE_STYLE.get(text)
    return f"[{style}]{text}[/]" if style else text.replace("[", r"\[")


_STATUS = {
    "Batches": """
        select batch.source_system as source, batch.business_date, batch.sequence, batch.release, batch.state,
            count(file.file_id) as files, sum(file.rows_sent)::bigint as sent, sum(file.rows_loaded)::bigint as loaded,
            sum(file.rows_quarantined)::bigint as quarantined, sum(file.rows_erased)::bigint as erased,
            coalesce(sum(file.amount_sent), 0) = coalesce(sum(file.amount_loaded), 0)
                + coalesce(sum(file.amount_quarantined), 0) + coalesce(sum(file.amount_erased), 0) as amounts_tie
        from ops.batch as batch
        left join ops.source_file as file on file.batch_id = batch.batch_id and file.state in ('loaded', 'superseded')
        group by batch.batch_id
        order by batch.business_date, batch.source_system, batch.sequence, batch.release""",
    "Files that need a hand": """
        select source_system as source, business_date, file_name, state, rule, line, message
        from ops.source_file where state in ('refused', 'unknown')
        order by business_date, source_system, file_name""",
    "Files that are missing": """
        select source_system as source, business_date, unnest(missing_files) as file_name
        from ops.batch where state <> 'complete' order by 2, 1, 3""",
    "Deliveries late or overdue, last 31 days (times of Asia/Shanghai)": """
        select source_system as source, business_date, state, count(*) as files,
            to_char(min(due_at) at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI') as due_from,
            to_char(max(received_at) at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI') as last_received,
            case count(*) when 1 then min(table_name) else min(table_name) || ' …' end as tables
        from ops.delivery
        where state in ('late', 'overdue') and business_date > current_date - 31
        group by source_system, business_date, state order by 2, 1, 3""",
    "Quarantine by rule": """
        select source_system as source, table_name, rule, count(*) as rows, min(message) as example
        from quarantine.row where state = 'held'
        group by source_system, table_name, rule order by count(*) desc, 1, 2, 3 limit 20""",
    "Files that differ from their contract, last 31 days (c360 contract drift says how to take it in)": """
        select file.source_system as source, file.table_name, drift.kind, drift.column_name, drift.policy,
            drift.kept_as, min(file.business_date) as since, max(file.business_date) as last, count(*) as files
        from ops.drift as drift
        inner join ops.source_file as file on drift.file_id = file.file_id
        where file.business_date > current_date - 31
        group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 7""",
    "Erasures that wait": """
        select erasure_id, source_system as source, table_name, key, requested_by, held_until
        from ops.erasure where completed_at is null order by erasure_id""",
    "Backfills (c360 backfill list has all)": """
        select backfill_id as backfill, first_date, last_date, sources, state, dates, dates_done, requested_by,
            approved_by
        from ops.backfill_state order by state = 'done', backfill_id desc limit 10""",
    "Comparisons, the newest of each kind": """
        select distinct on (kind) comparison_id as comparison, kind, before, after, is_equal as equal, compared_at
        from ops.comparison order by kind, comparison_id desc""",
    "Newest run of each step": """
        select distinct on (business_date, step, subject) business_date, step, subject, state,
            round(extract(epoch from ended_at - started_at), 1) as seconds, message
        from ops.step_run order by business_date, step, subject, step_run_id desc""",
    "Publications": """
        select * from ops.publication order by 1 desc limit 5""",
}
