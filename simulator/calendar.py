"""Days: working days of the bank (public holidays and make-up days), when a day ends, and months."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import chinese_calendar
import numpy as np

from ingestion.contract import Contract


@cache
def is_working_day(day: date) -> bool:
    """True on a working day by the published holiday arrangement; Monday to Friday where none is published yet."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def days(first: date, last: date) -> list[date]:
    """All days from first to last, both included."""
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


def day_array(first: date, last: date) -> np.ndarray:
    """The same as numpy days."""
    return np.arange(np.datetime64(first), np.datetime64(last) + 1)


def working_days(first: date, last: date) -> np.ndarray:
    """Working days of a range as numpy days."""
    return np.array([d for d in days(first, last) if is_working_day(d)], dtype="datetime64[D]")


def cut_off_second(contract: Contract) -> int:
    """Second of the day from which on it is booked on the next one, by the contract's cut-off (日切)."""
    assert contract.cut_off is not None, f"the contract of {contract.source}.{contract.table} has no cut_off"
    at = contract.cut_off.at
    return at.hour * 3600 + at.minute * 60 + at.second


def month_start(day: date) -> date:
    """First day of the month."""
    return day.replace(day=1)


def next_month(day: date) -> date:
    """First day of the next month."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def add_months(day: date, count: int) -> date:
    """First day of the month that is `count` months away."""
    index = day.year * 12 + day.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)


def month_end(day: date) -> date:
    """Last day of the month."""
    return next_month(day) - timedelta(days=1)


def months(first: date, last: date) -> list[date]:
    """First days of the months that touch a range."""
    result = [month_start(first)]
    while next_month(result[-1]) <= last:
        result.append(next_month(result[-1]))
    return result
