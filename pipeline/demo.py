"""The demo: the whole way on simulated extracts, in one process, resumable at every step."""

import json
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from rich.panel import Panel

import simulator
from pipeline import steps
from pipeline.display import answer_table, bar, loading
from pipeline.real_data import land_real_data
from pipeline.record import is_done, recorded
from pipeline.schema import prepare
from pipeline.wording import in_words
from simulator.parameters import DAILY_DATES
from simulator.plan import write_plan
from warehouse.connection import connect
from warehouse.settings import get_settings

PROFILE = "pboc_financial_base"
"""The regulator profile of which the demo makes a package."""

OWN_BAR = ("ingest", "stage", "build")
"""Steps that show a progress bar of their own."""


def run(scale: float, seed: int, console: Console, daily_dates: Sequence[date] = DAILY_DATES) -> None:
    """Run the demo, or what is left of it.

    Args:
        scale: 1 is 100,000 parties.
        seed: of the simulated world.
        daily_dates: business dates of the daily batches that follow the first load.
    """
    began = time.monotonic()
    settings = get_settings()
    world = {"seed": seed, "scale": scale}
    state = settings.home / "demo.json"
    kept = json.loads(state.read_text("utf-8")) if state.exists() else None
    if kept and {key: kept[key] for key in world} != world:
        raise steps.StepError(
            f"{settings.home} holds the demo of seed {kept['seed']} and scale {kept['scale']}. "
            "Run `make clean` to start over, or set C360_HOME to another folder."
        )
    with console.status("[bold]prepare[/]", refresh_per_second=4) as status:
        prepare(lambda text: status.update(f"[bold]prepare[/] {text}"))
    if kept and kept["done"]:
        console.print("The demo is complete; there is nothing to do. `make clean` starts over.")
        _summary(console, kept["period"])
        return
    state.write_text(json.dumps(world | {"done": False}), "utf-8")
    with bar("simulate", console) as progress:
        simulated = simulator.simulate(settings, seed=seed, scale=scale, daily_dates=daily_dates, progress=progress)
    period = last_closed_month(simulated.business_dates[-1])
    first = simulated.business_dates[0]
    for day in simulated.business_dates:
        _receive(day, steps.SIMULATED_SOURCES, console)
        _transform(day, console, _plan if day == first else None)
    _assess_and_extract(period, simulated.business_dates[-1], console)
    state.write_text(json.dumps(world | {"done": True, "period": period}), "utf-8")
    console.print(f"[green]The demo is complete[/] after {time.monotonic() - began:.0f} seconds.")
    _summary(console, period)


def run_real(data: Path, console: Console) -> None:
    """Land the real data sets and take each of their business dates the whole way.

    Args:
        data: folder that holds them, as the README of the data describes it.
    """
    began = time.monotonic()
    with console.status("[bold]prepare[/]", refresh_per_second=4) as status:
        prepare(lambda text: status.update(f"[bold]prepare[/] {text}"))
    with bar("land", console) as progress:
        landed = land_real_data(get_settings(), data, progress)
    for source, day in sorted(landed.items(), key=lambda item: item[1]):
        _receive(day, (source,), console)
    _transform(max(landed.values()), console)
    console.print(f"[green]The real data sets are loaded[/] after {time.monotonic() - began:.0f} seconds.")
    with connect(autocommit=True) as session:
        rows = session.execute(_STAR).fetchall()
    console.print(answer_table(["source", "in the star", "rows"], rows, "What came out of the star"))


def last_closed_month(day: date) -> str:
    """The last month, `YYYY-MM`, that had ended on `day`."""
    end = day if (day + timedelta(days=1)).day == 1 else day.replace(day=1) - timedelta(days=1)
    return f"{end:%Y-%m}"


def _receive(day: date, sources: tuple[str, ...], console: Console) -> None:
    for source in sources:
        _step("ingest", day, source, console, lambda source=source: _ingest(source, day, console))
    _step("check_raw", day, "", console, lambda: steps.check_raw(day, sources))


def _transform(day: date, console: Console, before_the_gate: Callable[[date, Console], None] | None = None) -> None:
    _step("stage", day, "", console, lambda: _dbt(steps.stage, day, "stage", console))
    _step("identify", day, "", console, lambda: steps.identify(day))
    _step("build", day, "", console, lambda: _dbt(steps.build, day, "build", console))
    if before_the_gate:
        before_the_gate(day, console)
    _step("check_marts", day, "", console, lambda: steps.check_marts(day))
    _step("publish", day, "", console, lambda: steps.publish(day))


def _plan(day: date, console: Console) -> None:
    """The branches' plan of the year, as people upload and approve it (`c360 targets`)."""
    with connect(autocommit=True) as session:
        branches, setter = session.execute(_BRANCHES).fetchone()  # type: ignore[misc]
    path = get_settings().home / "plans" / f"targets_{day.year}.xlsx"
    write_plan(path, day.year, branches, setter)
    _step("plan", day, "", console, lambda: steps.plan(day, path, "plan of the year", "paula", "henry"))


def _assess_and_extract(period: str, day: date, console: Console) -> None:
    month_end = steps.last_day(period)
    _step("assess", month_end, period, console, lambda: steps.assess(period))
    _step("report", month_end, period, console, lambda: steps.report(period))
    _step("extract", month_end, f"{PROFILE} {period}", console, lambda: steps.extract(PROFILE, period))
    if not is_done("document", day):
        with console.status("[bold]document[/] the models", refresh_per_second=4), recorded("document", day):
            steps.document()


def _ingest(source: str, day: date, console: Console) -> object:
    with loading(console, source) as progress:
        return steps.ingest(source, day, progress)


def _dbt(step: Callable, day: date, title: str, console: Console) -> object:
    with bar(title, console) as progress:
        return step(day, progress)


def _step(step: str, day: date, subject: str, console: Console, work: Callable[[], object]) -> None:
    """Run one step unless its newest run ended well; say what came of it and how long it took."""
    if is_done(step, day, subject):
        return
    began = time.monotonic()
    with nullcontext() if step in OWN_BAR else console.status(f"[bold]{step}[/] {subject}", refresh_per_second=4):
        outcome = work()
    took = f"[dim]{time.monotonic() - began:.1f} s[/]"
    console.print(f"{day} [bold]{step:<11}[/] {subject} {in_words(outcome)} {took}", soft_wrap=True)


def _summary(console: Console, period: str) -> None:
    with connect(autocommit=True) as session:
        for title, query in (("What became of every row", _ROWS), ("What was built and checked", _WORK)):
            cursor = session.execute(query)  # type: ignore[call-overload]
            console.print(answer_table([column.name for column in cursor.description or ()], cursor.fetchall(), title))
        number = session.execute("select number from ops.publication_pointer").fetchone()
    settings = get_settings()
    where = {
        "Scorecards of the managers": settings.out / "reports" / period / "index.html",
        "Data Docs (checks)": settings.out / "data_docs" / "index.html",
        "dbt docs (models, columns)": settings.out / "dbt_docs" / "index.html",
        "Regulator package": settings.out / "packages" / PROFILE / period,
        "The truth of this world": settings.home / "truth",
        "Ask the marts": f'{C360} sql "{EXAMPLE}" --as bianca',
        "Open psql": f'psql "$({C360} db url --as dora)"',
        "State of everything": f"{C360} status",
        "Start Airflow": "make airflow (in containers it runs already)",
    }
    lines = "\n".join(f"{what:<28} {place}" for what, place in where.items())
    console.print(Panel(lines, title=f"Where to look · publication {number[0] if number else 0}", expand=False))


C360 = "c360" if shutil.which("c360") else ".venv/bin/c360"

EXAMPLE = "select manager_name, total_points, result_grade_zh from mart.mart_manager_scorecard_total order by 2 desc"
"""A question to the marts to begin with."""

_STAR = """
select source_system, 'customers', count(*) from core.bridge_party_source where source_system in
    ('berka', 'tabformer', 'sgsc') group by 1
union all select source_system, 'accounts', count(*) from core.dim_account where is_current and source_system = 'berka'
    group by 1
union all select source_system, 'cards', count(*) from core.dim_card where is_current and source_system in
    ('berka', 'tabformer') group by 1
union all select source_system, 'account transactions', count(*) from core.fct_account_transaction
    where source_system = 'berka' group by 1
union all select source_system, 'card transactions', count(*) from core.fct_card_transaction
    where source_system = 'tabformer' group by 1
union all select source_system, 'interval readings', count(*) from core.fct_load_interval
    where source_system = 'sgsc' group by 1
order by 1, 2"""

_BRANCHES = """
select array_agg(distinct owner_id order by owner_id), min(set_by)
from core.fct_kpi_target where owner_kind = 'organisation' and is_current"""
"""Branches that have targets, and who sets them."""

_ROWS = """
select source_system as source, count(*) as files, sum(rows_sent)::bigint as sent, sum(rows_loaded)::bigint as loaded,
    sum(rows_quarantined)::bigint as quarantined, sum(rows_warned)::bigint as warned,
    bool_and(rows_sent = rows_loaded + rows_quarantined + rows_erased) as "rows tie",
    bool_and(coalesce(amount_sent = amount_loaded + amount_quarantined + amount_erased, true)) as "amounts tie"
from ops.source_file where state = 'loaded' and release = 0
group by source_system order by source_system"""

_WORK = """
with newest as (
    select distinct on (business_date, step, subject) * from ops.step_run
    order by business_date, step, subject, step_run_id desc
)
select step, count(*) as runs, sum((figures ->> 'models')::integer)::bigint as models,
    sum((figures ->> 'passed')::integer)::bigint as passed,
    sum((figures ->> 'warned')::integer)::bigint as warned,
    sum((figures ->> 'failed')::integer)::bigint as failed,
    round(sum(extract(epoch from ended_at - started_at)), 1) as seconds
from newest group by step order by min(step_run_id)"""
