"""The command line `c360`: every step that the DAGs run, for a terminal or any scheduler.

Exit codes: 0 done · 1 a step failed or a check closed the gate · 2 the command was given wrongly.
"""

import sys
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from pipeline import cli_rebuild
from pipeline.cli_assessment import app as assessment
from pipeline.cli_backfill import app as backfill
from pipeline.cli_erasure import app as erasure
from pipeline.cli_identity import app as identity
from pipeline.cli_quarantine import app as quarantine
from pipeline.cli_retention import app as retention
from pipeline.cli_steward import app as steward
from pipeline.cli_targets import app as targets
from pipeline.console import err, out

HELP = """Customer-360 warehouse of a bank and its power grid.

A business date goes: [bold]ingest[/] each source · [bold]check[/] · [bold]build[/] (stage, identify, build) ·
[bold]publish[/] · and, as due, [bold]assess[/] and [bold]extract[/]. Each command may be run again: it goes on where it
stopped and says so when there is nothing to do.

  c360 demo                                     everything, on simulated extracts, in minutes
  c360 simulate --until 2026-11-06              further days after the demo, to ingest by hand or in Airflow
  c360 plan                                     what the next run would do
  c360 status                                   what was sent, loaded, refused, built, published
  c360 quarantine list                          rows that were kept out, and how they come in
  c360 steward list                             customers that may be one party, for people to decide
  c360 party core_banking/100000010129          all that is known of a party, on one screen
  c360 sql "select * from mart.mart_customer_360 limit 5" --as bianca
"""

app = typer.Typer(
    help=HELP, rich_markup_mode="rich", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
database = typer.Typer(help="The database: start, stop, address.", no_args_is_help=True)
contract = typer.Typer(help="The contracts of source tables.", no_args_is_help=True)
app.add_typer(database, name="db")
app.add_typer(contract, name="contract")
app.add_typer(assessment, name="assessment")
app.add_typer(quarantine, name="quarantine")
app.add_typer(erasure, name="erasure")
app.add_typer(identity, name="identity")
app.add_typer(retention, name="retention")
app.add_typer(steward, name="steward")
app.add_typer(targets, name="targets")
app.add_typer(backfill, name="backfill")
app.command("rebuild")(cli_rebuild.rebuild)
app.command("change-report")(cli_rebuild.change_report)

BusinessDate = Annotated[
    datetime, typer.Argument(formats=["%Y-%m-%d"], metavar="DATE", help="Business date, YYYY-MM-DD.")
]
Kind = TypeVar("Kind")
Period = Annotated[str, typer.Argument(metavar="PERIOD", help="Month, YYYY-MM.")]
KnownOn = Annotated[
    str | None,
    typer.Option(metavar="DAY", help="What was published on that day: YYYY-MM-DD (to its end), or a time stamp."),
]


class Format(StrEnum):
    """How an answer is printed."""

    table = "table"
    csv = "csv"
    json = "json"


@app.command()
def demo(
    scale: Annotated[float, typer.Option(help="1 is 100,000 parties; 0.01 is 1,000.")] = 0.01,
    seed: Annotated[int, typer.Option(help="Another seed gives another world.")] = 20261101,
) -> None:
    """The whole way on simulated extracts: land, ingest, check, build, publish, assess, extract.

    Running it again is a no-op; an interrupted run continues; `make clean` starts over.
    """
    from pipeline.demo import run

    run(scale, seed, out)


@app.command("demo-real")
def demo_real(data: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the real data sets.")]) -> None:
    """Load real public data sets (Berka bank, TabFormer cards, SGSC meters) beside the demo, into the same star."""
    from pipeline.demo import run_real

    run_real(data, out)


@database.command("start")
def db_start() -> None:
    """Start the embedded PostgreSQL (where no DATABASE_URL is given) and bring its schemas up to date."""
    from pipeline.schema import prepare
    from warehouse.connection import url

    applied = prepare()
    out.print(f"{len(applied)} migrations applied. Address: {_without_password(url())}")


@database.command("stop")
def db_stop() -> None:
    """Stop the embedded PostgreSQL."""
    from warehouse.server import EmbeddedServer
    from warehouse.settings import get_settings

    EmbeddedServer(get_settings().home).stop()


@database.command("remove")
def db_remove() -> None:
    """Stop the embedded PostgreSQL and delete its cluster with all data (part of `make clean`)."""
    from warehouse.server import EmbeddedServer
    from warehouse.settings import get_settings

    EmbeddedServer(get_settings().home).remove()


@database.command("url")
def db_url(
    login: Annotated[str | None, typer.Option("--as", metavar="LOGIN", help="Another login than the owner.")] = None,
) -> None:
    """Print the address of the database with its password, for psql and BI tools: psql "$(c360 db url --as bianca)"."""
    from warehouse.connection import url

    print(url(login))


@app.command()
def simulate(
    scale: Annotated[float, typer.Option(help="1 is 100,000 parties.")] = 0.01,
    seed: Annotated[int, typer.Option(help="Another seed gives another world.")] = 20261101,
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="Last daily batch; the demo's last one if not given."),
    ] = None,
) -> None:
    """Write simulated extracts of the source systems into landing, with their ground truth beside.

    After a demo, `--until` gives its world further days (same scale and seed): files to ingest by hand or in Airflow.
    """
    import simulator
    from pipeline.display import bar
    from simulator.parameters import DAILY_DATES, HISTORY_END, HORIZON_DAYS
    from warehouse.settings import get_settings

    first, last = DAILY_DATES[0], until.date() if until else DAILY_DATES[-1]
    horizon = HISTORY_END + timedelta(days=HORIZON_DAYS)
    if not HISTORY_END <= last <= horizon:
        raise typer.BadParameter(f"{last} is not between {HISTORY_END} and {horizon}, the end of this world")
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    with bar("simulate", out) as progress:
        report = simulator.simulate(get_settings(), seed=seed, scale=scale, daily_dates=days, progress=progress)
    out.print(
        f"{report.files:,} files with {report.rows:,} rows of {report.parties:,} parties lie in landing: "
        f"{report.business_dates[0]} with the history, then {len(days)} daily batches"
        + (f" until {days[-1]}" if days else "")
    )


@app.command()
def ingest(
    source: Annotated[str, typer.Argument(help="Source system, a folder of contracts.")], day: BusinessDate
) -> None:
    """Receive and load what a source landed for a date. Bad files are refused whole, bad rows quarantined."""
    from pipeline import steps
    from pipeline.display import batch_table, loading
    from pipeline.schema import prepare

    prepare()
    with loading(out) as progress:
        report = steps.ingest(source, day.date(), progress)
    out.print(batch_table(report))


@app.command()
def plan(
    day: Annotated[
        datetime | None,
        typer.Argument(formats=["%Y-%m-%d"], metavar="[DATE]", help="Business date; the next one if not given."),
    ] = None,
) -> None:
    """What the run of a date would do: files to load, refused or missing, steps to take. Nothing is written."""
    from pipeline.display import print_plan
    from pipeline.plan import plan
    from pipeline.schema import prepare

    prepare()
    print_plan(out, plan(day.date() if day else None))


@app.command()
def replay(
    source: Annotated[str, typer.Argument(help="Source system.")],
    table: Annotated[str, typer.Argument(help="Table of the source.")],
    day: BusinessDate,
    reason: Annotated[str, typer.Option(help="Why, in words; it is kept.")],
    login: Annotated[str, typer.Option("--as", metavar="LOGIN", help="Who decides: a steward.")] = "stella",
) -> None:
    """Take what is not loaded of a table and date through its contract again: the refused file, the rows kept out."""
    from ingestion.quarantine import Selection
    from pipeline import steps
    from pipeline.display import bar, batch_table, loading, release_table
    from pipeline.schema import prepare

    prepare()
    with loading(out) as progress:
        out.print(batch_table(steps.ingest(source, day.date(), progress)))
    with bar("replay", out) as moved:
        reports = steps.let_out("replay", Selection(source, table, day.date()), reason, login, moved)
    out.print(release_table(reports) if reports else "No row of a loaded file is kept out.")


@app.command()
def check(day: BusinessDate) -> None:
    """Check what was loaded for a date, and the marts once they are built; write Data Docs."""
    from pipeline import steps
    from pipeline.record import is_done

    out.print(f"raw: {steps.check_raw(day.date())}")
    if is_done("build", day.date()):
        out.print(f"marts: {steps.check_marts(day.date())}")


@app.command()
def freshness(source: Annotated[str, typer.Argument(help="A source, or all.")] = "all") -> None:
    """Which tables are behind what their contracts owe by now (dbt source freshness); the answers are recorded."""
    from pipeline import steps

    out.print(f"freshness: {steps.check_freshness(source)}")


@app.command()
def build(day: BusinessDate) -> None:
    """Stage, identify and build: views, parties, change logs, star, marts, with their tests."""
    from pipeline import steps
    from pipeline.display import bar

    with bar("stage", out) as progress:
        steps.stage(day.date(), progress)
    out.print(f"identify: {steps.identify(day.date())}")
    with bar("build", out) as progress:
        report = steps.build(day.date(), progress)
    out.print(f"build: {report}")


@app.command()
def publish(
    day: BusinessDate,
    rollback: Annotated[int | None, typer.Option(metavar="NUMBER", help="Go back to this publication.")] = None,
) -> None:
    """Open the gate and make the marts of a date current, all at once; or roll back to an earlier publication."""
    from pipeline import steps
    from warehouse import publication

    if rollback is not None:
        out.print(f"publication {publication.rollback(rollback, 'rolled back by hand')} is in force")
        return
    out.print(f"gate: {steps.check_marts(day.date())}")
    out.print(f"publish: {steps.publish(day.date())}")


@app.command()
def assess(
    period: Period,
    kind: Annotated[str, typer.Option(help="provisional or final.")] = "final",
) -> None:
    """Assess the customer managers for a month, publish the scorecards and write their page."""
    from pipeline import steps

    report = steps.assess(period, kind)
    out.print(f"assessment: {report.outcome}, run {report.run_id}, scheme {report.scheme_version_id}")
    out.print(f"page: {steps.report(period)}", soft_wrap=True)


@app.command()
def rerun(run: Annotated[str, typer.Argument(metavar="RUN", help="Such as customer_manager/2026-10/1.")]) -> None:
    """Make an assessment again, in a schema of its own, and compare it row by row with what was sealed and scored."""
    from pipeline import steps

    out.print(steps.rerun(run))


@app.command()
def report(period: Period, known_on: KnownOn = None) -> None:
    """Write the scorecard pages of a month from what is published, or from what was published on a past day.

    c360 report 2026-10 --known-on 2026-11-05
    """
    from pipeline import steps

    out.print(f"page: {steps.report(period, known_on)}", soft_wrap=True)


@app.command()
def extract(profile: Annotated[str, typer.Argument(help="Profile in regulatory/profiles.")], period: Period) -> None:
    """Make the regulator package of a month: validated, numbered, with manifest."""
    from pipeline import steps

    out.print(steps.extract(profile, period), soft_wrap=True)


@app.command()
def status() -> None:
    """What was sent, loaded, quarantined and refused, what ran, and which publication is in force."""
    from pipeline.display import print_status

    print_status(out)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One statement.")],
    login: Annotated[str, typer.Option("--as", metavar="LOGIN", help="Who asks; a login, never SET ROLE.")] = "dora",
    form: Annotated[Format, typer.Option("--format", help="How to print the answer.")] = Format.table,
    known_on: KnownOn = None,
) -> None:
    """Ask the database as one of its logins (by default the data engineer's, who may read everything but secrets).

    c360 sql "select * from mart.mart_manager_scorecard_total" --known-on 2026-11-05
        the marts as they were published then; in any other tool: set c360.known_on = '2026-11-05'
    """
    from pipeline.display import print_answer
    from warehouse.connection import connect

    with connect(login) as session:
        if known_on:
            session.execute("select set_config('c360.known_on', %s, false)", [known_on])
        cursor = session.execute(query)  # type: ignore[call-overload]
        if cursor.description is not None:
            print_answer(out, [column.name for column in cursor.description], cursor.fetchall(), form)


@app.command()
def party(
    what: Annotated[str, typer.Argument(metavar="ID", help="A party id, or a customer as SOURCE/ID.")],
    login: Annotated[str, typer.Option("--as", metavar="LOGIN", help="Who asks.")] = "dora",
    clear: Annotated[bool, typer.Option("--clear", help="Names and numbers as they are, where granted.")] = False,
) -> None:
    """A party's page: members, golden record with sources and conflicts, products, history of links.

    Masked by default; a login sees the rows of its own controller, and of others what their customers have allowed.

    c360 party core_banking/100000010129
    """
    from pipeline.display import print_party
    from pipeline.party import read_party
    from warehouse.connection import connect

    with connect(login, autocommit=True) as session:
        page = read_party(session, what, clear)
    print_party(out, page)


@app.command()
def trace(
    place: Annotated[str, typer.Argument(metavar="MART|RELATION", help="A mart, a fact or a change log.")],
    figure: Annotated[
        str | None, typer.Argument(metavar="[FIGURE]", help="Of a mart: the column; none: a list of them.")
    ] = None,
    where: Annotated[str, typer.Option(help="Which row, in SQL over its columns.")] = "true",
    login: Annotated[str, typer.Option("--as", metavar="LOGIN", help="Who asks.")] = "dora",
    limit: Annotated[
        int, typer.Option(min=1, help="At most so many parts; half as many of each figure behind a figure, and so on.")
    ] = 10,
) -> None:
    """From a figure back to files and lines: what was sent, when, and the text that stood there.

    Every column of every mart can be asked. A score leads to its sealed evidence, evidence to accounts, customers and
    events, these to lines of files; what comes out of rules leads to the rule table and its version; the parts of each
    figure are added up and compared with it.

    c360 trace mart_manager_scorecard
        what stands behind each of its columns

    c360 trace mart_customer_360 inflow_amount --where "party_key = 1 and snapshot_month = '2026-10-01'"

    c360 trace mart_manager_scorecard points --where "manager_id = 'E0001' and kpi_id = 'loan_balance'"

    c360 trace core.fct_account_transaction --where "transaction_id = 'T1'"
        the lines of these rows
    """
    from pipeline.display import answer_table, print_trace
    from pipeline.trace import trace_figure, trace_rows, traceable

    place = place.removeprefix("mart.").removeprefix("mart_clear.")
    if figure:
        print_trace(out, trace_figure(place, figure, where, login, limit))
    elif place.startswith("mart_"):
        out.print(answer_table(["column", "what stands behind it"], traceable(place)))
    else:
        print_trace(out, trace_rows(place, where, login, limit))


@app.command()
def template(
    source: Annotated[str, typer.Argument(help="Source system.")],
    table: Annotated[str, typer.Argument(help="Table of the source.")],
    output: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where to; TABLE.xlsx or TABLE.csv if not given.")
    ] = None,
) -> None:
    """Write an empty sheet for a table that is kept by hand, made from its contract: Excel, or CSV where it says so."""
    from ingestion.contract import load_contracts
    from ingestion.template import file_name_pattern, suffix_of, write_template

    tables = _named(source, load_contracts(), "source")
    kept = _named(table, tables, f"table of {source}")
    path = output or Path(f"{table}{suffix_of(kept)}")
    write_template(kept, path)
    out.print(
        f"written: {path}\nFill it in, try it with `c360 contract check {source} {table} FILE`, and put it into "
        f"landing/{source}/YYYY-MM-DD/ as {file_name_pattern(kept)}",
        markup=False,
        soft_wrap=True,
    )


@contract.command("check")
def contract_check(
    source: Annotated[str, typer.Argument(help="Source system.")],
    table: Annotated[str, typer.Argument(help="Table of the source.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file to try.")],
    day: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="Its business date: the control record is checked, too."),
    ] = None,
) -> None:
    """Try a real file against its contract; nothing is loaded. Exit code 1 where it would be refused."""
    from ingestion.check import check_file
    from ingestion.contract import load_contracts
    from pipeline.display import print_check

    contracts = load_contracts()
    tables = _named(source, contracts, "source")
    report = check_file(_named(table, tables, f"table of {source}"), file, day.date() if day else None)
    print_check(out, report)
    if report.refusal:
        raise typer.Exit(1)


@contract.command("infer")
def contract_infer(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A file of a usual day.")],
    source: Annotated[str, typer.Option(help="Source system that sends it.")] = "new_source",
    table: Annotated[str, typer.Option(help="Name of the table.")] = "new_table",
    controller: Annotated[str, typer.Option(help="Data controller 数据控制者.")] = "unknown",
) -> None:
    """Draft a contract from a file (delimited, JSON lines, Parquet, Excel) and print it, with what is left to decide.

    c360 contract infer FILE --source NAME --table NAME > ingestion/contracts/NAME/NAME.yaml
    """
    from ingestion.infer import infer

    print(infer(file, source, table, controller).to_yaml(), end="")


@contract.command("drift")
def contract_drift() -> None:
    """What loaded files brought that their contracts do not say, and the lines that would take it in."""
    from ingestion.drift import drifted, lines_for
    from pipeline.schema import contracts, prepare
    from warehouse.connection import connect

    prepare()
    with connect() as session:
        for one in (found := drifted(session, contracts())):
            kept = f", values in raw_{one.source_system}.{one.table_name}.{one.kept_as}" if one.kept_as else ""
            out.print(
                f"{one.source_system}.{one.table_name}: {one.kind} {one.column_name!r} ({one.policy}{kept}), "
                f"{one.files:,} files from {one.since} to {one.last}",
                markup=False,
                soft_wrap=True,
            )
            lines = lines_for(session, contracts()[one.source_system][one.table_name], one)
            out.print(lines, markup=False, highlight=False, soft_wrap=True)
    if not found:
        out.print("All files are as their contracts say.")


@contract.command("dbt-sources")
def contract_dbt_sources() -> None:
    """Write the dbt sources of all raw tables from the contracts."""
    from pipeline.dbt_sources import write_all

    changed = write_all()
    out.print("\n".join(f"written: {path.name}" for path in changed) or "nothing to change")


@app.command()
def airflow(port: Annotated[int, typer.Option(help="Port of the user interface.")] = 8080) -> None:
    """Run Airflow on this machine until Ctrl-C; prints address, user and password."""
    from pipeline.airflow import run_foreground
    from pipeline.schema import prepare
    from warehouse.settings import get_settings

    prepare()
    raise typer.Exit(run_foreground(get_settings(), port=port))


def main() -> None:
    """Run the command line; a problem that a user can solve is told in words, without a stack."""
    try:
        app()
    except KeyboardInterrupt:
        err.print("interrupted; run the same command again to continue")
        sys.exit(130)
    except _expected() as problem:
        said = getattr(problem, "orig", problem)  # SQLAlchemy wraps what the driver says
        err.print(f"[bold red]c360:[/] {type(said).__name__}", markup=True)
        err.print(str(said), markup=False, soft_wrap=True)
        sys.exit(1)


def _expected() -> tuple[type[Exception], ...]:
    """Errors that carry a message for the user; those of rooms that were not imported cannot have been raised."""
    import psycopg

    named = {
        "sqlalchemy.exc": ["DBAPIError"],
        "identity.steward": ["StewardRefused"],
        "pipeline.party": ["PartyUnknown"],
        "pipeline.steps": ["StepError"],
        "pipeline.rebuilding": ["RebuildError"],
        "pipeline.backfill": ["BackfillError"],
        "pipeline.trace_rules": ["TraceError"],
        "pipeline.transformation": ["TransformationError"],
        "pipeline.real_data": ["RealDataMissing"],
        "ingestion.disk": ["DiskFull"],
        "ingestion.refusal": ["Refusal"],
        "expectations": ["GateClosed"],
        "assessment": ["AssessmentRefused", "RulesRefused"],
        "assessment.workbook": ["PlanRefused"],
        "regulatory": ["ValidationFailed", "ProfileError"],
        "reports": ["ReportRefused"],
        "warehouse.server": ["ServerError"],
        "warehouse.connection": ["LoginError"],
        "warehouse.migration": ["MigrationError"],
        "warehouse.publication": ["PublicationError"],
    }
    loaded = [(sys.modules[module], name) for module, names in named.items() if module in sys.modules for name in names]
    found = [getattr(module, name) for module, name in loaded if hasattr(module, name)]
    return (psycopg.Error, *found)


def _named(name: str, those: dict[str, Kind], what: str) -> Kind:
    """The one of that name; where there is none, what it may be called.

    Raises:
        typer.BadParameter: there is none.
    """
    if name not in those:
        raise typer.BadParameter(f"{name!r} is no {what}; there are: {', '.join(those)}")
    return those[name]


def _without_password(address: str) -> str:
    scheme, _, rest = address.partition("://")
    account, _, place = rest.rpartition("@")
    return f"{scheme}://{account.partition(':')[0]}@{place}"
