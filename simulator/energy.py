"""Metered energy: daily readings whose register grows by kWh / multiplier (with roll-over), and 96-point curves.

Energy is in 1e-4 kWh, registers in hundredths of their unit. A register grows by whole hundredths, so
``kwh = (register - register before) * multiplier`` holds exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from simulator import parameters as p
from simulator import tariffs
from simulator.calendar import day_array, is_working_day, month_end
from simulator.changes import history
from simulator.frames import text
from simulator.grid import Grid
from simulator.randomness import Streams, choose

HOUR_SHAPE = {
    "residential": np.array(
        [3, 2.5, 2.2, 2, 2, 2.2, 3, 3.8, 3.6, 3.2, 3.2, 3.8, 4.2, 3.8, 3.4, 3.4, 3.8, 4.8, 6.2, 7.4, 7.6, 7, 5.6, 4.2]
    ),
    "agricultural": np.array([3, 3, 3, 3, 3, 4, 5, 6, 6, 6, 5, 5, 4, 4, 5, 5, 5, 5, 4, 3, 3, 3, 3, 3.0]),
    "commercial_single_part": np.array(
        [
            1.5,
            1.3,
            1.2,
            1.2,
            1.2,
            1.5,
            2.2,
            3.5,
            5.5,
            6.5,
            6.8,
            6.6,
            6.2,
            6.5,
            6.8,
            6.8,
            6.6,
            6.2,
            5.8,
            5.2,
            4.4,
            3.4,
            2.4,
            1.8,
        ]
    ),
    "commercial_two_part": np.array(
        [3.4, 3.3, 3.2, 3.2, 3.2, 3.3, 3.6, 4.2, 5, 5.2, 5.2, 4.8, 4.4, 5, 5.2, 5.2, 5, 4.6, 4.4, 4.2, 4, 3.8, 3.6, 3.5]
    ),
}


@dataclass
class MonthEnergy:
    """Energy of one month.

    Attributes:
        readings, curves: Facts.
        kwh: Energy by point; `periods` by point and period; `kvarh` by point, 0 where not metered; 1e-4 units.
        demand: Maximum demand by point in 1e-4 kW.
        meters: Meter changes of the month: base rows of new meters and updates of old ones.
    """

    readings: pl.DataFrame
    curves: pl.DataFrame
    kwh: np.ndarray
    periods: np.ndarray
    kvarh: np.ndarray
    demand: np.ndarray


class Energy:
    """The meters, month after month."""

    def __init__(self, streams: Streams, grid: Grid) -> None:
        self.streams, self.grid = streams, grid
        points = grid.points
        self.register = points["register"].to_numpy().astype(np.int64).copy()
        self.meter = points["meter_id"].to_numpy().astype(object).copy()
        self.new_meters: list[tuple] = []
        self.old_meters: list[tuple] = []
        size = points.height
        self.reactive = streams("reactive").uniform(0.25, 0.75, size)
        self.own_weekend = streams("weekend").uniform(0.45, 0.95, size)

    def month(self, month: date) -> MonthEnergy:
        """Reads all meters on every day of a month."""
        rng, points = self.streams("energy", month), self.grid.points
        days = day_array(month, month_end(month))
        size, count = points.height, len(days)
        usage = points["usage_class"].to_numpy()
        target = (
            points["base_kwh"].to_numpy()[:, None]
            * self._season(usage, days, month)
            * np.exp(rng.normal(-0.02, 0.18, (size, count)))
        )
        opened = points["opened_on"].to_numpy().astype("datetime64[D]")
        alive = opened[:, None] <= days[None, :]
        multiplier = points["multiplier"].to_numpy()
        steps = np.where(alive, np.round(target / multiplier[:, None] * 100), 0).astype(np.int64)
        kwh = steps * (multiplier * 100)[:, None]
        modulus = 10 ** points["digits"].to_numpy() * 100
        start = self.register
        level = start[:, None] + np.cumsum(steps, axis=1)
        meter = np.repeat(self.meter[:, None], count, axis=1)
        change = self.grid.meter_change
        for i in np.flatnonzero((change >= days[0]) & (change <= days[-1])):
            at = int((change[i] - days[0]).astype(int))
            before = level[i, at - 1] if at else start[i]
            number = f"N{self.meter[i][1:]}"
            self.old_meters.append((self.meter[i], change[i].astype(object), int(before % modulus[i])))
            self.new_meters.append((number, int(i), change[i].astype(object)))
            level[i, at:] -= before
            meter[i, at:] = number
            self.meter[i] = number
        self.register = level[:, -1] % modulus
        shares = self._periods(rng, month, kwh)
        has_curve = points["has_curve"].to_numpy()
        curves, demand_curve, shares = self._curves(rng, month, days, kwh, meter, shares, has_curve, alive)
        tou = np.array([tariffs.TARIFFS[t][3] for t in points["tariff_id"].to_list()])
        metered = (points["capacity"].to_numpy() >= 100) & (usage != "residential")
        kvarh = (
            np.where(
                metered[:, None], np.round(kwh / 100 * self.reactive[:, None] * rng.uniform(0.9, 1.1, (size, count))), 0
            ).astype(np.int64)
            * 100
        )
        demand = np.round(kwh / 24 * rng.uniform(1.5, 2.2, (size, count)) / 100).astype(np.int64) * 100
        demand = np.where(has_curve[:, None], demand_curve, demand)
        high = points["high"].to_numpy() | has_curve
        estimated = choose(rng, size * count, p.ESTIMATED_SHARE).reshape(size, count)
        rows, cols = np.nonzero(alive)

        def optional(values: np.ndarray, mask: np.ndarray) -> pl.Series:
            return pl.Series(values[rows, cols]).set(pl.Series(~mask[rows]), None)

        readings = pl.DataFrame(
            {
                "service_point_id": points["service_point_id"].gather(rows),
                "meter_id": text(meter[rows, cols]),
                "reading_date": days[cols],
                "register_total": (level % modulus[:, None])[rows, cols],
                "kwh": kwh[rows, cols],
                "kwh_sharp": optional(shares[0], tou),
                "kwh_peak": optional(shares[1], tou),
                "kwh_flat": optional(shares[2], tou),
                "kwh_valley": optional(shares[3], tou),
                "kvarh": optional(kvarh, metered),
                "max_demand_kw": optional(demand, high),
                "quality": np.where(estimated[rows, cols] & ~has_curve[rows], "estimated", "actual"),
                "_date": days[cols],
            }
        )
        return MonthEnergy(
            readings,
            curves,
            kwh.sum(axis=1),
            np.stack([s.sum(axis=1) for s in shares], axis=1),
            kvarh.sum(axis=1),
            np.where(alive, demand, 0).max(axis=1),
        )

    def _season(self, usage: np.ndarray, days: np.ndarray, month: date) -> np.ndarray:
        factor = np.ones((len(usage), len(days)))
        festival = p.SPRING_FESTIVAL.get(month.year)
        work = np.array([is_working_day(d) for d in days.astype(object)])
        holiday = np.array([bool(festival) and festival[0] <= d <= festival[1] for d in days.astype(object)])
        for kind, season in p.SEASON.items():
            mask = usage == kind
            factor[mask] *= season[month.month - 1]
            if kind.startswith("commercial"):
                factor[np.ix_(mask, ~work)] *= self.own_weekend[mask][:, None]
            factor[np.ix_(mask, holiday)] *= p.SPRING_FESTIVAL_LOAD[kind]
        return factor

    def _periods(self, rng: np.random.Generator, month: date, kwh: np.ndarray) -> list[np.ndarray]:
        """Energy by period from the class's daily shape, in hundredths of kWh; the rest goes to flat or valley."""
        points = self.grid.points
        shape = np.zeros((points.height, 4))
        tariff, usage = points["tariff_id"].to_numpy(), points["usage_class"].to_numpy()
        for name in tariffs.TARIFFS:
            for kind in HOUR_SHAPE:
                mask = (tariff == name) & (usage == kind)
                if mask.any():
                    hours = tariffs.period_of_hour(name, month.month)
                    weight = np.bincount(hours, HOUR_SHAPE[kind], minlength=4)
                    shape[mask] = weight / weight.sum()
        noise = shape[:, None, :] * rng.uniform(0.85, 1.15, (*kwh.shape, 4))
        noise /= noise.sum(axis=2, keepdims=True)
        parts = [np.floor(kwh * noise[:, :, i] / 100).astype(np.int64) * 100 for i in range(4)]
        rest = kwh - sum(parts)
        household = tariff == "R2"
        parts[2] = parts[2] + np.where(household[:, None], 0, rest)
        parts[3] = parts[3] + np.where(household[:, None], rest, 0)
        return parts

    def _curves(
        self,
        rng: np.random.Generator,
        month: date,
        days: np.ndarray,
        kwh: np.ndarray,
        meter: np.ndarray,
        shares: list[np.ndarray],
        has_curve: np.ndarray,
        alive: np.ndarray,
    ) -> tuple[pl.DataFrame, np.ndarray, list[np.ndarray]]:
        points = self.grid.points
        who = np.flatnonzero(has_curve)
        count = len(days)
        usage = points["usage_class"].to_numpy()[who]
        shape = np.stack([np.repeat(HOUR_SHAPE[u], 4) for u in usage]) if len(who) else np.zeros((0, 96))
        weight = shape[:, None, :] * np.exp(rng.normal(0, 0.08, (len(who), count, 96)))
        weight /= np.maximum(weight.sum(axis=2, keepdims=True), 1e-9)
        values = np.floor(kwh[who][:, :, None] * weight).astype(np.int64)
        values[:, :, 47] += kwh[who] - values.sum(axis=2)
        demand = np.zeros_like(kwh)
        demand[who] = values.max(axis=2) * 4
        tariff = points["tariff_id"].to_numpy()[who]
        for place, point in enumerate(who):
            hours = np.repeat(tariffs.period_of_hour(tariff[place], month.month), 4)
            for i in range(4):
                shares[i][point] = values[place][:, hours == i].sum(axis=1)
        rows, cols = np.nonzero(alive[who])
        frame = pl.DataFrame(
            {
                "service_point_id": points["service_point_id"].gather(who[rows]),
                "meter_id": text(meter[who[rows], cols]),
                "reading_date": days[cols],
                "readings": pl.Series(values[rows, cols], dtype=pl.Array(pl.Int64, 96))
                if len(rows)
                else pl.Series([], dtype=pl.Array(pl.Int64, 96)),
                "day_kwh": kwh[who[rows], cols],
                "_date": days[cols],
            }
        ).with_columns(interval_minutes=pl.lit(15), unit=pl.lit("kWh"), quality=pl.lit("actual"))
        return frame, demand, shares

    def meter_log(self) -> pl.DataFrame:
        """Change log of `meter`, complete once all months are read."""
        base = self.grid.meter_base
        old = pl.DataFrame(
            self.old_meters,
            orient="row",
            schema={"meter_id": pl.String, "effective_date": pl.Date, "end_reading": pl.Int64},
        ).with_columns(removed_on="effective_date")
        new = pl.DataFrame(
            self.new_meters, orient="row", schema={"meter_id": pl.String, "ix": pl.Int64, "installed_on": pl.Date}
        )
        fresh = new.join(
            self.grid.points.select(
                "ix",
                "service_point_id",
                multiplier=pl.col("multiplier") * 10_000,
                register_digits="digits",
                has_load_curve="has_curve",
            ),
            on="ix",
            maintain_order="left",
        ).with_columns(
            start_reading=pl.lit(0, pl.Int64), removed_on=pl.lit(None, pl.Date), end_reading=pl.lit(None, pl.Int64)
        )
        # the meters of the start are those of the points before any change
        start = base.with_columns(start_reading=pl.lit(0, pl.Int64))
        return history(pl.concat([start, fresh.select(start.columns)]), "meter_id", "installed_on", [old])
