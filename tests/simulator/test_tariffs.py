"""Bills by the domain's worked vectors (tiers, power factor, demand, the worked bill)."""

import numpy as np
import pytest

from simulator import tariffs

KWH = 10_000


@pytest.mark.parametrize(
    ("standard", "rates"),
    [
        (90, {66: 1400, 63: 1900, 59: 2700, 32: 8100, 93: -45, 95: -75, 100: -75, 90: 0, 89: 50}),
        (85, {66: 950, 63: 1200, 59: 1700, 32: 7100, 93: -95, 94: -110, 100: -110, 90: -50}),
        (80, {66: 700, 63: 850, 59: 1100, 32: 6100, 93: -130, 91: -115, 90: -100}),
    ],
)
def test_power_factor_table_of_1983(standard: int, rates: dict[int, int]) -> None:
    seen = tariffs.power_factor_rate(standard, np.array(list(rates)))
    assert dict(zip(rates, seen.tolist(), strict=True)) == rates


def test_tiers_split_a_reading_that_crosses_a_limit() -> None:
    first, second, third = tariffs.tier_split(np.array([2_700, 4_700]) * KWH, np.array([400, 400]) * KWH)
    assert (first // KWH).tolist() == [60, 0]
    assert (second // KWH).tolist() == [340, 100]
    assert (third // KWH).tolist() == [0, 300]


def test_worked_bill() -> None:
    """The worked bill of the domain facts, A6: 121,061.30 in all."""
    quantity = np.array([8_000, 40_000, 60_000, 32_000]) * KWH
    prices = np.array([round(0.62 * factor * tariffs.PRICE) for factor in (1.92, 1.6, 1.0, 0.4)])
    energy = tariffs.line_amount(quantity, prices)
    assert energy.tolist() == [952_320, 3_968_000, 3_720_000, 793_600]
    single, double = tariffs.demand_charge(np.array([600 * KWH]), np.array([660 * KWH]))
    basic = tariffs.line_amount(single, 32 * tariffs.PRICE) + tariffs.line_amount(double, 64 * tariffs.PRICE)
    assert basic.tolist() == [2_208_000]
    phi = tariffs.power_factor(np.array([140_000]), np.array([70_000]))
    rate = tariffs.power_factor_rate(90, phi)
    base = int(energy.sum() + basic[0])
    fee = (base * int(rate[0]) + 5_000) // 10_000
    assert (phi[0], rate[0], fee) == (89, 50, 58_210)
    funds = int(tariffs.line_amount(np.array([140_000 * KWH]), 2_900_000)[0])
    assert base + fee + funds == 12_106_130


def test_periods_cover_the_day_once() -> None:
    for tariff in tariffs.TARIFFS:
        hours = np.zeros(24, int)
        for month in range(1, 13):
            assert set(tariffs.period_of_hour(tariff, month)) <= {0, 1, 2, 3}
        if tariffs.TARIFFS[tariff][3] and tariff != "R2":
            for month in range(1, 13):
                hours[:] = 0
                for _, first, last, begin, end in tariffs.COMMERCIAL_HOURS:
                    if first <= month <= last:
                        span = range(begin, end) if begin < end else [*range(begin, 24), *range(end)]
                        hours[list(span)] += 1
                assert (hours == 1).all(), (tariff, month)
