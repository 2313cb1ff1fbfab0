"""The bank calendar (`ops.bank_calendar`): working days, holidays, make-up workdays (调休), ten-day periods (旬).

The State Council decides them every year; the library chinesecalendar keeps its notices. Years that it does not know
are provisional: weekends off, nothing else. A newer library overwrites them, and the version stands in every row.
"""

import calendar
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from datetime import date, timedelta
from importlib.metadata import version

import chinese_calendar
import psycopg

FIRST_YEAR = 1990
"""Early enough for the facts of every source; working days are known from `first_known_year` on."""

LAST_YEAR = 2030

_TEN_DAY_PERIODS = {1: ("上旬", 1), 2: ("中旬", 11), 3: ("下旬", 21)}


@dataclass(frozen=True)
class CalendarDay:
    """One day, as a row of `ops.bank_calendar`."""

    calendar_date: date
    is_working_day: bool
    is_makeup_workday: bool
    is_holiday: bool
    holiday_name: str | None
    holiday_name_cn: str | None
    ten_day_period: int
    ten_day_period_name_cn: str
    ten_day_period_from: date
    ten_day_period_to: date
    is_provisional: bool
    calendar_version: str


def calendar_version() -> str:
    """Name and version of the library that knows the notices."""
    return f"chinesecalendar {version('chinesecalendar')}"


def first_known_year() -> int:
    """The first year whose holidays the library knows."""
    return min(day.year for day in chinese_calendar.holidays)


def last_known_year() -> int:
    """The last year whose notice the library knows."""
    return max(day.year for day in chinese_calendar.holidays)


def ten_day_period(day: date) -> tuple[int, date, date]:
    """The 旬 of `day` (1, 2 or 3) with its first and last day; the third ends with the month."""
    number = min((day.day - 1) // 10, 2) + 1
    first = day.replace(day=_TEN_DAY_PERIODS[number][1])
    last = day.replace(day=calendar.monthrange(day.year, day.month)[1] if number == 3 else number * 10)
    return number, first, last


def calendar_days(first_year: int = FIRST_YEAR, last_year: int = LAST_YEAR) -> Iterator[CalendarDay]:
    """Every day from 1 January of `first_year` to 31 December of `last_year`."""
    stamp, known = calendar_version(), range(first_known_year(), last_known_year() + 1)
    day = date(first_year, 1, 1)
    while day.year <= last_year:
        is_provisional = day.year not in known
        holiday = None if is_provisional else chinese_calendar.holidays.get(day)
        is_makeup = not is_provisional and day in chinese_calendar.workdays
        names = chinese_calendar.Holiday(holiday) if holiday else None
        number, first, last = ten_day_period(day)
        yield CalendarDay(
            calendar_date=day,
            is_working_day=is_makeup or (holiday is None and day.weekday() < 5),
            is_makeup_workday=is_makeup,
            is_holiday=holiday is not None,
            holiday_name=names.value if names else None,
            holiday_name_cn=names.chinese if names else None,
            ten_day_period=number,
            ten_day_period_name_cn=_TEN_DAY_PERIODS[number][0],
            ten_day_period_from=first,
            ten_day_period_to=last,
            is_provisional=is_provisional,
            calendar_version=stamp,
        )
        day += timedelta(days=1)


def load_calendar(owner: psycopg.Connection) -> int:
    """Bring `ops.bank_calendar` to what the installed library knows; returns the number of days changed.

    One transaction; nothing happens where the table already carries this version.
    """
    expected = (date(LAST_YEAR, 12, 31) - date(FIRST_YEAR, 1, 1)).days + 1
    with owner.transaction():
        owner.execute("lock table ops.bank_calendar in share row exclusive mode")
        present = owner.execute(
            "select count(*) from ops.bank_calendar where calendar_version = %s", [calendar_version()]
        ).fetchone()
        if present == (expected,):
            return 0
        owner.execute("delete from ops.bank_calendar")
        columns = ", ".join(field.name for field in fields(CalendarDay))
        with owner.cursor().copy(f"copy ops.bank_calendar ({columns}) from stdin") as rows:  # type: ignore[arg-type]
            for day in calendar_days():
                rows.write_row(astuple(day))
        owner.execute("analyze ops.bank_calendar")
    return expected
