"""The workbook in which the branches plan their year (年度计划): what people would have filled into the template."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import accumulate
from pathlib import Path

from openpyxl import load_workbook

from assessment.workbook import write_template
from simulator.calendar import month_end

WEALTH_OF_A_BRANCH = 1_200_000
"""Wealth sales that a branch plans for the year, in yuan."""

SEASONS = (14, 10, 10, 7, 7, 8, 6, 6, 8, 8, 8, 8)
"""Per cent of the year in each month: the first quarter is strong (开门红)."""

BY_MID_MONTH = 40
"""Per cent of a month's plan that are due by its 15th."""


def write_plan(path: Path, year: int, branches: Sequence[str], set_by: str) -> None:
    """Write the plan of a year: one curve, and for each branch a target that was raised by 2 % for the second half.

    Args:
        path: the workbook; one that is there is replaced.
        branches: organisation numbers.
        set_by: employee who sets the targets.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    write_template(path)
    book, curve = load_workbook(path), f"wealth-{year}"
    for branch in branches:
        for valid_from, target in (
            (datetime(year, 1, 1), WEALTH_OF_A_BRANCH),
            (datetime(year, 7, 1), WEALTH_OF_A_BRANCH * 1.02),
        ):
            book["plan"].append(
                ["wealth_sales", "organisation", branch, year, valid_from, target, "CNY", "cumulative", curve, set_by]
            )
    for month, (share, reached) in enumerate(zip(SEASONS, accumulate(SEASONS), strict=True), start=1):
        last = month_end(date(year, month, 1))
        middle = reached - share + share * BY_MID_MONTH / 100
        book["curve"].append([curve, datetime(year, month, 15), round(middle / 100, 8)])
        book["curve"].append([curve, datetime(year, month, last.day), round(reached / 100, 8)])
    book.save(path)
