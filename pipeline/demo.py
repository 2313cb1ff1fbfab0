"""The demo: the whole way on simulated extracts, in one process, resumable at every step."""

import json
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console
from rich.panel import Panel

import simulator
from pipeline import marts, steps
from pipeline.display import answer_table, bar, loading
from pipeline.real_data import land_real_data
from pipeline.record import is_done, recorded
from pipeline.schema import prepare
from pipeline.transformation import PROJECT
from warehouse.connection import connect, url
from warehouse.settings import CHECKOUT, get_settings

PROFILE = "pboc_financial_base"
"""The regulator profile of which the demo makes a package."""


def run(scale: float, seed: int, console: Console) -> None:
    """Run the demo, or what is left of it.

    Args:
        scale: 1 is 100,000 parties.
        seed: of the simulated world.
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
    with console.status("[bold]prepare[/]") as status:
        prepare(lambda text: status.update(f"[bold]prepare[/] {text}"))
    if kept and kept["done"]:
        console.print("The demo is complete; there is nothing to do. `make clean` starts over.")
        _summary(console, kept["period"])
        return
    state.write_text(json.dumps(world | {"done": False}), "utf-8")
    with bar("simulate", console) as progress:
        simulated = simulator.simulate(settings, seed=seed, scale=scale, progress=progress)
    period = last_closed_month(simulated.business_dates[-1])
    for day in simulated.business_dates:
        _business_date(day, steps.SIMULATED_SOURCES, console)
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
    with console.status("[bold]prepare[/]") as status:
        prepare(lambda text: status.update(f"[bold]prepare[/] {text}"))
    with bar("land", console) as progress:
        landed = land_real_data(get_settings(), data, progress)
    for source, day in sorted(landed.items(), key=lambda item: item[1]):
        _step("ingest", day, source, console, lambda source=source, day=day: _ingest(source, day, console))
    last = max(landed.values())
    _transform(last, list(landed), console)
    console.print(f"[green]The real data sets are loaded[/] after {time.monotonic() - began:.0f} seconds.")
    console.print(marts.counts_table())


def last_closed_month(day: date) -> str:
    """The last month, `YYYY-MM`, that had ended on `day`."""
    end = day if (day + timedelta(days=1)).day == 1 else day.replace(day=1) - timedelta(days=1)
    return f"{end:%Y-%m}"


def _business_date(day: date, sources: tuple[str, ...], console: Console) -> None:
    for source in sources:
        _step("ingest", day, source, console, lambda source=source: _ingest(source, day, console))
    _transform(day, list(sources), console)


def _transform(day: date, sources: list[str], console: Console) -> None:
    if is_done("publish", day):
        return
    _step("check_raw", day, "", console, lambda: steps.check_raw(day, sources))
    _step("stage", day, "", console, lambda: _dbt(steps.stage, day, "stage", console))
    _step("identify", day, "", console, lambda: steps.identify(day))
    _step("build", day, "", console, lambda: _dbt(steps.build, day, "build", console))
    _step("check_marts", day, "", console, lambda: steps.check_marts(day))
    _step("publish", day, "", console, lambda: steps.publish(day))


def _assess_and_extract(period: str, day: date, console: Console) -> None:
    month_end = steps.last_day(period)
    _step("assess", month_end, period, console, lambda: steps.assess(period))
    _step("report", month_end, period, console, lambda: steps.report(period))
    _step("extract", month_end, f"{PROFILE} {period}", console, lambda: steps.extract(PROFILE, period))
    if not is_done("document", day):
        with console.status("[bold]document[/] the models"), recorded("document", day):
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
    with console.status(f"[bold]{step}[/] {subject}") if step not in ("ingest", "stage", "build") else _nothing():
        outcome = work()
    what = f"{len(outcome.files)} files" if step == "ingest" else outcome
    console.print(f"{day} [bold]{step:<11}[/] {subject} {what} [dim]{time.monotonic() - began:.1f} s[/]", soft_wrap=True)


def _summary(console: Console, period: str) -> None:
    with connect(autocommit=True) as session:
        cursor = session.execute(_FIGURES)
        names, rows = [column.name for column in cursor.description or ()], cursor.fetchall()
        page = session.execute("select max(publication) from ops.publication").fetchone()
    console.print(answer_table(names, rows, "What happened to every row that was sent"))
    settings = get_settings()
    places = [
        ("Scorecards of the managers", settings.out / "reports" / period / "index.html"),
        ("Data Docs (checks)", settings.out / "data_docs" / "index.html"),
        ("dbt docs (models, columns)", settings.out / "dbt_docs" / "index.html"),
        ("Regulator package", settings.out / "packages"),
        ("The truth about the world", settings.home / "truth"),
    ]
    command = "c360" if PROJECT.parent != CHECKOUT else ".venv/bin/c360"
    lines = [f"{title:<28} {path}" for title, path in places]
    lines += [
        f'{"Ask the marts":<28} {command} sql "select * from mart.mart_manager_scorecard_total" --as bianca',
        f"{'Open psql':<28} psql \"$({command} db url --as dora)\"",
        f"{'Start Airflow':<28} make airflow",
    ]
    console.print(Panel("\n".join(lines), title=f"Where to look · publication {page and page[0]}", expand=False))


_FIGURES = """
with files as (
    select source_system as source, count(*) as files, sum(rows_sent) as sent, sum(rows_loaded) as loaded,
        sum(rows_quarantined) as quarantined, sum(amount_sent) as amount_sent,
        bool_and(rows_sent = rows_loaded + rows_quarantined + rows_erased) as rows_tie,
        bool_and(coalesce(amount_sent = amount_loaded + amount_quarantined + amount_erased, true)) as amounts_tie
    from ops.source_file where state = 'loaded' group by source_system
)
select * from files order by source
"""
