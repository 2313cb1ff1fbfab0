"""Tariffs and the calculation of a bill (domain A2-A6), vectorised over bills, in whole numbers.

Energy is in 1e-4 kWh, prices in 1e-8 CNY, money in fen; each line is rounded half-up to the fen and the bill is the sum
of its lines.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulator.changes import history

PERIODS = ("sharp", "peak", "flat", "valley")
TIER_LIMITS = (2_760 * 10_000, 4_800 * 10_000)  # 1e-4 kWh a year, Zhejiang [domain A4]
PRICE = 100_000_000
# tariff id: name, class, voltage, TOU, tiered, interruptible, per kVA, per kW, power factor standard, prices by period
# (three tiers where tiered) in CNY
TARIFFS = {
    "R1": (
        "居民生活（一户一表）",
        "residential",
        "<1kV",
        False,
        True,
        False,
        None,
        None,
        None,
        {"flat": (0.538, 0.588, 0.838)},
    ),
    "R2": (
        "居民生活峰谷（一户一表）",
        "residential",
        "<1kV",
        True,
        True,
        False,
        None,
        None,
        None,
        {"peak": (0.568, 0.618, 0.868), "valley": (0.288, 0.338, 0.588)},
    ),
    "A1": ("农业生产", "agricultural", "<1kV", False, False, False, None, None, 0.80, {"flat": (0.52,)}),
    "C1": ("工商业单一制", "commercial_single_part", "<1kV", False, False, False, None, None, None, {"flat": (0.68,)}),
    "C2": ("工商业单一制分时", "commercial_single_part", "1-10kV", True, False, False, None, None, 0.85, None),
    "D1": ("工商业两部制（容量）", "commercial_two_part", "1-10kV", True, False, False, 23.0, None, 0.90, None),
    "D2": ("工商业两部制（需量）", "commercial_two_part", "1-10kV", True, False, False, None, 32.0, 0.90, None),
    "D3": ("工商业两部制（需量）35千伏", "commercial_two_part", "35kV", True, False, False, None, 32.0, 0.90, None),
    "D4": ("工商业两部制（可中断）", "commercial_two_part", "1-10kV", True, False, True, None, 32.0, 0.90, None),
}
BASE = {"C2": 0.68, "D1": 0.62, "D2": 0.62, "D3": 0.60, "D4": 0.60}
FLOAT = {"sharp": 1.92, "peak": 1.6, "flat": 1.0, "valley": 0.4}  # [domain A3, Sichuan]
# hours of the commercial periods: month range, from, to
COMMERCIAL_HOURS = (
    ("peak", 1, 12, 10, 12),
    ("flat", 1, 12, 7, 10),
    ("flat", 1, 12, 12, 15),
    ("flat", 1, 12, 21, 23),
    ("valley", 1, 12, 23, 7),
    ("peak", 2, 6, 15, 21),
    ("peak", 9, 11, 15, 21),
    ("sharp", 7, 8, 15, 17),
    ("peak", 7, 8, 17, 21),
    ("peak", 12, 12, 15, 19),
    ("sharp", 12, 12, 19, 21),
    ("peak", 1, 1, 15, 19),
    ("sharp", 1, 1, 19, 21),
)
RESIDENTIAL_HOURS = (("peak", 1, 12, 8, 22), ("valley", 1, 12, 22, 8))
IN_FORCE = date(2023, 6, 1)


def period_of_hour(tariff: str, month: int) -> np.ndarray:
    """The period (index into PERIODS) of each hour of the day under a tariff in a month."""
    result = np.full(24, PERIODS.index("flat"))
    if not TARIFFS[tariff][3]:
        return result
    for name, first, last, begin, end in RESIDENTIAL_HOURS if tariff == "R2" else COMMERCIAL_HOURS:
        if first <= month <= last:
            hours = range(begin, end) if begin < end else [*range(begin, 24), *range(end)]
            result[list(hours)] = PERIODS.index(name)
    return result


def price(tariff: str, period: str, tier: int = 0) -> int:
    """Price of a kWh in 1e-8 CNY."""
    prices = TARIFFS[tariff][9]
    value = prices[period][tier] if prices and period in prices else BASE.get(tariff, 0.0) * FLOAT[period]
    return round(value * PRICE)


def masters() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Change logs of `tariff` and `tariff_period`."""
    rows, parts = [], []
    for tariff, (name, usage, voltage, tou, tiered, interruptible, kva, kw, factor, prices) in TARIFFS.items():
        rows.append(
            (
                tariff,
                name,
                usage,
                voltage,
                tou,
                tiered,
                interruptible,
                kva and round(kva * 10**6),
                kw and round(kw * 10**6),
                factor and round(factor * 100),
            )
        )
        hours = (RESIDENTIAL_HOURS if tariff == "R2" else COMMERCIAL_HOURS) if tou else (("flat", 1, 12, 0, 24),)
        for period, first, last, begin, end in hours:
            tiers = len(prices[period]) if prices else 1
            for tier in range(tiers):
                edges = (0, *TIER_LIMITS, None)
                parts.append(
                    (
                        tariff,
                        period,
                        tier + 1 if tiered else None,
                        first,
                        last,
                        f"{begin:02d}:00",
                        f"{end:02d}:00",
                        edges[tier] // 100 if tiered else None,
                        edges[tier + 1] // 100 if tiered and edges[tier + 1] else None,
                        price(tariff, period, tier),
                    )
                )
    tariffs = pl.DataFrame(
        rows,
        orient="row",
        schema={
            "tariff_id": pl.String,
            "tariff_name": pl.String,
            "usage_class": pl.String,
            "voltage_level": pl.String,
            "is_time_of_use": pl.Boolean,
            "is_tiered": pl.Boolean,
            "is_interruptible": pl.Boolean,
            "basic_price_kva": pl.Int64,
            "basic_price_kw": pl.Int64,
            "power_factor_standard": pl.Int64,
        },
    ).with_columns(starts_on=pl.lit(IN_FORCE), ends_on=pl.lit(None, pl.Date))
    renamed = pl.DataFrame(
        {"tariff_id": ["D4"], "effective_date": [date(2026, 6, 1)], "tariff_name": ["工商业两部制（需量，可中断负荷）"]}
    )
    periods = pl.DataFrame(
        parts,
        orient="row",
        schema={
            "tariff_id": pl.String,
            "period": pl.String,
            "tier": pl.Int64,
            "month_from": pl.Int64,
            "month_to": pl.Int64,
            "time_from": pl.String,
            "time_to": pl.String,
            "kwh_from": pl.Int64,
            "kwh_to": pl.Int64,
            "price": pl.Int64,
        },
    )
    periods = periods.with_columns(
        tariff_period_id=pl.Series([f"TP{i + 1:05d}" for i in range(periods.height)]), since=pl.lit(IN_FORCE)
    )
    return history(tariffs, "tariff_id", "starts_on", [renamed]), history(periods, "tariff_period_id", "since").drop(
        "since"
    )


def line_amount(quantity: np.ndarray, unit_price: np.ndarray | int) -> np.ndarray:
    """Fen of a line: quantity (1e-4) times price (1e-8), rounded half-up; quantities are not negative."""
    return (np.asarray(quantity, np.int64) * np.asarray(unit_price, np.int64) + 5 * 10**9) // 10**10


def tier_split(before: np.ndarray, quantity: np.ndarray) -> list[np.ndarray]:
    """Splits a quantity over the three yearly tiers, given what was used in the year before (1e-4 kWh)."""
    edges = [0, *TIER_LIMITS, np.iinfo(np.int64).max // 4]
    return [
        np.clip(np.minimum(before + quantity, edges[i + 1]) - np.maximum(before, edges[i]), 0, None) for i in range(3)
    ]


def power_factor(kwh: np.ndarray, kvarh: np.ndarray) -> np.ndarray:
    """cos phi in hundredths, rounded half-up [domain A5]."""
    active, reactive = kwh.astype(float), kvarh.astype(float)
    return np.floor(active / np.maximum(np.hypot(active, reactive), 1e-9) * 100 + 0.5).astype(np.int64)


def power_factor_rate(standard: int, cos_phi: np.ndarray) -> np.ndarray:
    """Adjustment in 1/100 per cent by the 1983 table [domain A5]: negative is a reward.

    Args:
        standard: 90, 85 or 80 (hundredths).
        cos_phi: Power factor in hundredths.
    """
    c = np.asarray(cos_phi, np.int64)
    below = standard - c
    penalty = np.where(
        below <= 20, 50 * below, np.where(below <= 25, 1000 + 100 * (below - 20), 1500 + 200 * (below - 25))
    )
    above = c - standard
    if standard == 90:
        reward = np.where(above >= 5, 75, 15 * above)
    elif standard == 85:
        reward = np.select([above <= 5, above <= 8], [10 * above, 50 + 15 * (above - 5)], 110)
    else:
        reward = np.select([above <= 10, above == 11], [10 * above, 115], 130)
    return np.where(below > 0, penalty, -reward)


def demand_charge(contract: np.ndarray, actual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quantities billed at the single and at the double demand price [domain A2, variant contract x 1.05].

    Args:
        contract, actual: Demand in 1e-4 kW.
    """
    limit = contract * 105 // 100
    over = np.maximum(actual - limit, 0)
    return np.where(over > 0, limit, contract), over
