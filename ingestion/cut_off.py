"""Which rows were booked on the wrong day: against the cut-off of their source (日切), or after their file's day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache

import numpy as np
import polars as pl

from ingestion.contract import Contract, CutOff
from warehouse.calendar import FIRST_YEAR, LAST_YEAR, calendar_days

ISO_DATE, ISO_MOMENT = "%Y-%m-%d", "%Y-%m-%d %H:%M:%S"


class AccountingDays:
    """Looks at the accounting dates of rows as text, by the contract's term ``cut_off``.

    Args:
        contract: Contract of the file; it has that term.
        business_date: Date the file was sent for; None skips what needs it.
    """

    def __init__(self, contract: Contract, business_date: date | None) -> None:
        assert contract.cut_off is not None
        self.terms, self._business_date = contract.cut_off, business_date
        moment, booked = (contract.by_name[name] for name in (self.terms.moment, self.terms.accounting_date))
        self._moment = _moment(moment.name, moment.date_format)
        self._booked = pl.col(booked.name).str.to_date(booked.date_format or ISO_DATE, strict=False)
        self._is_usual: pl.Expr | None = None
        if self.terms.days == "every_day" and not moment.date_format and not booked.date_format:
            self._is_usual = pl.col(moment.name).str.starts_with(pl.col(booked.name))
            self._is_usual &= pl.col(moment.name).str.slice(11, 8) < self.terms.at.isoformat()
            if business_date:
                self._is_usual &= pl.col(booked.name) <= business_date.isoformat()

    def broken(self, rows: pl.DataFrame) -> Iterator[tuple[int, str, str]]:
        """Positions of rows on the wrong day, with the rule that they break, and in words why."""
        unusual = np.arange(rows.height)
        if self._is_usual is not None:  # for most rows a look at their text is enough
            unusual = rows.select((~self._is_usual.fill_null(False)).arg_true()).to_series().to_numpy()
        if not len(unusual):
            return
        booked, moment = self.terms.accounting_date, self.terms.moment
        ahead = pl.lit(False) if self._business_date is None else self._booked > self._business_date
        seen = rows[unusual].select(
            ahead.fill_null(False).alias("ahead"),
            (~holds(self.terms, self._moment, self._booked)).fill_null(False).alias("wrong"),
            *(pl.col(name) for name in (booked, moment)),
        )
        for position, (is_ahead, is_wrong, day, at) in zip(unusual.tolist(), seen.iter_rows(), strict=True):
            if is_ahead:
                yield position, "business_date", f"{day!r} is after the business date {self._business_date}"
            elif is_wrong:
                yield position, "cut_off", f"{day!r} is not the day of {moment} {at!r}, the cut-off being {self._at}"

    @property
    def _at(self) -> str:
        return self.terms.at.isoformat("minutes")


def holds(terms: CutOff, moment: pl.Expr, accounting_date: pl.Expr) -> pl.Expr:
    """True where the accounting date is that of the moment, null where either is missing."""
    to_midnight = timedelta(days=1) - (datetime.combine(datetime.min, terms.at) - datetime.min)
    first = _on_accounting_day(terms, (moment + to_midnight).dt.date())
    last = first.dt.offset_by(f"{terms.days_later}d")
    if terms.days == "working_days":
        last = _on_accounting_day(terms, first, terms.days_later)
    if terms.batch:
        of_batch = pl.any_horizontal(pl.col(column).is_in(codes) for column, codes in terms.batch.items())
        first = pl.when(of_batch.fill_null(False)).then(_on_accounting_day(terms, moment.dt.date())).otherwise(first)
    return accounting_date.is_between(first, last)


def _moment(name: str, form: str | None) -> pl.Expr:
    """A timestamp from its text, to the second."""
    if form:
        return pl.col(name).str.to_datetime(form, strict=False)
    return pl.col(name).str.slice(0, 19).str.replace("T", " ", literal=True).str.to_datetime(ISO_MOMENT, strict=False)


def _on_accounting_day(terms: CutOff, day: pl.Expr, later: int = 0) -> pl.Expr:
    """The day itself or, where only working days are booked on, the next of them."""
    if terms.days == "every_day":
        return day
    days = _working_days()
    place = pl.lit(days).search_sorted(day).cast(pl.Int64) + later
    return pl.when(day.is_not_null()).then(pl.lit(days).gather(place.clip(0, len(days) - 1)))


@cache
def _working_days() -> pl.Series:
    """All working days of the bank calendar in their order."""
    return pl.Series("days", [day.calendar_date for day in calendar_days(FIRST_YEAR, LAST_YEAR) if day.is_working_day])
