"""The bank calendar against the official working days 2007-2026, and its ten-day periods (旬)."""

import csv
import itertools
from datetime import date, timedelta

from warehouse.calendar import LAST_YEAR, calendar_days, last_known_year, load_calendar, ten_day_period


def test_loading_again_changes_nothing(owner):
    assert load_calendar(owner) == 0
    question = "select count(*), min(calendar_date), max(calendar_date) from ops.bank_calendar"
    assert owner.execute(question).fetchone() == (
        (date(2031, 1, 1) - date(1990, 1, 1)).days, date(1990, 1, 1), date(LAST_YEAR, 12, 31)
    )  # fmt: skip


def test_another_version_of_the_library_replaces_the_days(owner):
    owner.execute(
        "update ops.bank_calendar set calendar_version = 'older', is_working_day = false, is_makeup_workday = false"
    )
    assert load_calendar(owner) > 0
    assert owner.execute("select count(distinct calendar_version), count(*) filter (where is_working_day) > 5000 "
                         "from ops.bank_calendar").fetchone() == (1, True)  # fmt: skip


def test_equals_the_official_calendar(owner, data_folder):
    """7,305 days on which two independent sources agree."""
    with (data_folder / "cn_calendar" / "cn_calendar_2007_2026.derived.csv").open(encoding="utf-8-sig") as file:
        official = list(csv.DictReader(file))
    ours = {
        day: (not working, makeup)
        for day, working, makeup in owner.execute(
            "select calendar_date, is_working_day, is_makeup_workday from ops.bank_calendar where not is_provisional"
        )
    }
    assert len(official) == 7305
    wrong = [
        row["date"]
        for row in official
        if ours[date.fromisoformat(row["date"])]
        != (row["is_off_chinesecalendar"] == "1", row["is_makeup_workday_chinesedays"] == "1")
    ]
    assert wrong == []


def test_known_days():
    days = {day.calendar_date: day for day in calendar_days(2025, 2026)}
    assert days[date(2025, 10, 1)].holiday_name_cn == "国庆节" and not days[date(2025, 10, 1)].is_working_day
    assert days[date(2025, 9, 28)].is_makeup_workday and days[date(2025, 9, 28)].is_working_day  # a Sunday
    assert not days[date(2025, 11, 1)].is_holiday and not days[date(2025, 11, 1)].is_working_day  # a Saturday


def test_years_without_a_notice_are_provisional_weekends():
    later = list(calendar_days(last_known_year() + 1, LAST_YEAR))
    assert later and all(day.is_provisional and not day.is_holiday for day in later)
    assert all(day.is_working_day == (day.calendar_date.weekday() < 5) for day in later)


def test_ten_day_periods_tile_every_month():
    day, seen = date(2024, 1, 1), []
    while day.year == 2024:
        number, first, last = ten_day_period(day)
        assert first <= day <= last
        if not seen or seen[-1] != (number, first, last):
            seen.append((number, first, last))
        day += timedelta(days=1)
    assert len(seen) == 36 and all(a[2] + timedelta(days=1) == b[1] for a, b in itertools.pairwise(seen))
    assert ten_day_period(date(2024, 2, 29)) == (3, date(2024, 2, 21), date(2024, 2, 29))
