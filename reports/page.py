"""Writing the scorecard pages: a ranking and one page for each manager, static, with nothing fetched from elsewhere."""

import re
import shutil
from calendar import month_name
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from statistics import mean
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from reports import charts, labels
from reports.scorecard import EVIDENCE_SHOWN, Run, Scorecard, read_scorecards
from warehouse.connection import connect
from warehouse.settings import Settings

LOGIN = "audrey"
"""The pages are read as the auditor, who sees every mart masked."""

PAR = Decimal(100)
"""Points of a manager who is at par on every item."""

_LOCAL = ZoneInfo("Asia/Shanghai")


class ReportRefused(RuntimeError):
    """There is nothing to show; the message says what to do first."""


def report(
    settings: Settings,
    period: str,
    scheme_id: str = "customer_manager",
    login: str = LOGIN,
    known_on: str | None = None,
) -> Path:
    """Write `<home>/out/reports/<period>/index.html` and one page a manager; returns the path of the index.

    The pages replace those of an earlier run as a whole. They carry run, rule version, publication and freshness.

    Args:
        settings: name the home.
        period: the month, YYYY-MM.
        login: reads the marts.
        known_on: a day or a time stamp: the pages show what was published then, in `<period>_known_on_…`.

    Raises:
        ReportRefused: no assessment of the month is published, or none was then.
    """
    month = date.fromisoformat(f"{period}-01")
    with connect(login) as session, session.transaction():
        session.execute("set transaction isolation level repeatable read, read only")
        if known_on:
            session.execute("select set_config('c360.known_on', %s, true)", [known_on])
        found = read_scorecards(session, month, scheme_id)
    if found is None and known_on:
        raise ReportRefused(f"no assessment of {period} had been published on {known_on}")
    if found is None:
        raise ReportRefused(f"no assessment of {period} is published: run `c360 assess {period}` first")
    run, cards = found
    name = f"{period}_known_on_{re.sub('[^0-9]+', '-', known_on).strip('-')}" if known_on else period
    folder = settings.out / "reports" / name
    staged = folder.with_name(f".{name}.partial")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    write_pages(staged, run, cards)
    shutil.rmtree(folder, ignore_errors=True)
    staged.rename(folder)
    write_list_of_months(folder.parent)
    return folder / "index.html"


def write_list_of_months(folder: Path) -> None:
    """Write `index.html` of the folder of all reports: the months that have pages, the newest first."""
    months = sorted((page.parent.name for page in folder.glob("[0-9]*/index.html")), reverse=True)
    page = _environment().get_template("months.html").render(months=months)
    (folder / "index.html").write_text(page, "utf-8")


def write_pages(folder: Path, run: Run, cards: list[Scorecard]) -> None:
    """Write index and manager pages into an existing folder."""
    (folder / "managers").mkdir(exist_ok=True)
    environment = _environment()
    environment.globals |= {"charts": charts, "labels": labels, "run": run, "par": PAR, "period": period_label(run)}
    environment.filters |= {
        "figure": labels.figure,
        "percent": labels.percent,
        "points": labels.points,
        "local": lambda moment: (
            f"{moment.astimezone(_LOCAL):%Y-%m-%d %H:%M}" if isinstance(moment, datetime) else moment
        ),
    }
    index = environment.get_template("index.html")
    (folder / "index.html").write_text(index.render(cards=cards, summary=_summary(cards), home="."), "utf-8")
    page = environment.get_template("manager.html")
    for position, card in enumerate(cards):
        neighbours = {
            "better": cards[position - 1] if position else None,
            "worse": cards[position + 1] if position + 1 < len(cards) else None,
        }
        text = page.render(card=card, evidence_shown=EVIDENCE_SHOWN, home="..", **neighbours)
        (folder / "managers" / f"{card.manager_id}.html").write_text(text, "utf-8")


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def period_label(run: Run) -> tuple[str, str]:
    """The month in English and in Chinese."""
    month = run.period_month
    return f"{month_name[month.month]} {month.year}", f"{month.year}年{month.month}月"


def _summary(cards: list[Scorecard]) -> dict:
    """Figures over all cards, for the head of the index; means of what the marts hold, nothing else."""
    totals = [card.total_points for card in cards]
    items = {}
    for card in cards:
        for item in card.items:
            items.setdefault(item.kpi_id, []).append(item)
    return {
        "mean": mean(totals),
        "best": max(totals),
        "scale": max(max(totals), PAR) * Decimal("1.02"),
        "at_par": sum(1 for total in totals if total >= PAR),
        "missing": sum(card.missing_count for card in cards),
        "items": [
            (
                members[0],
                mean([member.score for member in members if member.score is not None] or [Decimal(0)]),
                sum(1 for member in members if member.score is not None and member.score >= PAR),
            )
            for members in items.values()
        ],
    }
