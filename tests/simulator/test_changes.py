"""Change logs of masters hold full images and nothing after a deletion."""

from datetime import date

import polars as pl

from simulator.changes import history

BASE = pl.DataFrame({"id": ["a", "b"], "born": [date(2026, 1, 1)] * 2, "name": ["A", "B"], "town": ["x", "y"]})


def test_updates_carry_earlier_changes_on() -> None:
    moved = pl.DataFrame({"id": ["a"], "effective_date": [date(2026, 2, 1)], "town": ["z"]})
    named = pl.DataFrame({"id": ["a"], "effective_date": [date(2026, 3, 1)], "name": ["AA"]})
    log = history(BASE, "id", "born", [moved, named]).filter(pl.col("id") == "a")
    assert log.select("change_flag", "name", "town").rows() == [("I", "A", "x"), ("U", "A", "z"), ("U", "AA", "z")]


def test_nothing_follows_a_deletion() -> None:
    gone = pl.DataFrame({"id": ["b"], "effective_date": [date(2026, 2, 1)]})
    late = pl.DataFrame({"id": ["b"], "effective_date": [date(2026, 3, 1)], "town": ["q"]})
    log = history(BASE, "id", "born", [late], gone).filter(pl.col("id") == "b")
    assert log.select("change_flag", "town").rows() == [("I", "y"), ("D", "y")]


def test_two_changes_on_one_day_are_one_row() -> None:
    one = pl.DataFrame({"id": ["a"], "effective_date": [date(2026, 2, 1)], "town": ["z"]})
    two = pl.DataFrame({"id": ["a"], "effective_date": [date(2026, 2, 1)], "name": ["AA"]})
    log = history(BASE, "id", "born", [one, two]).filter((pl.col("id") == "a") & (pl.col("change_flag") == "U"))
    assert log.select("name", "town").rows() == [("AA", "z")]
