"""Assessment periods (考核期). Months so far; the other cadences of KPI-56 get constructors of their own."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Period:
    """A period by its first and last day, both inclusive."""

    start: date
    end: date

    @classmethod
    def month(cls, text: str) -> "Period":
        """The month `text`, written YYYY-MM.

        Raises:
            ValueError: `text` is no month.
        """
        match = re.fullmatch(r"(\d{4})-(\d{2})", text)
        if not match or not 1 <= int(match[2]) <= 12:
            raise ValueError(f"{text!r} is no month: write YYYY-MM, such as 2026-10")
        year, month = int(match[1]), int(match[2])
        return cls(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))

    @property
    def label(self) -> str:
        """YYYY-MM, as it stands in run ids, folders and headings."""
        return f"{self.start:%Y-%m}"


def last_closed_month(as_of: date) -> str:
    """The last month whose every day is in data up to and including `as_of`, as YYYY-MM."""
    following = as_of + timedelta(days=1)
    return f"{following.replace(day=1) - timedelta(days=1):%Y-%m}"
