"""A wrong rule file stops the steps that would load it or assess by it, before anything is done."""

import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from assessment import RulesRefused
from pipeline import steps, transformation
from warehouse.migration import migrate, read_migrations


@pytest.mark.parametrize("step", [lambda: steps.build("2026-11-03"), lambda: steps.assess("2026-10")])
def test_wrong_rules_are_neither_loaded_nor_assessed(
    owner: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: Callable[[], object]
) -> None:
    migrate([*read_migrations("pipeline"), *read_migrations("assessment")], owner)
    shutil.copytree(transformation.PROJECT / "seeds", tmp_path / "seeds")
    items = tmp_path / "seeds" / "kpi_item.csv"
    items.write_text(items.read_text("utf-8").replace(",higher,25,", ",higher,24,"), "utf-8")
    monkeypatch.setattr(transformation, "PROJECT", tmp_path)
    monkeypatch.setattr(transformation, "run", lambda *_, **__: pytest.fail("dbt was asked to load them"))
    with pytest.raises(RulesRefused, match=r"kpi_item\.csv:\d+: weights of customer_manager-2 add up to 99"):
        step()
    assert owner.execute("select count(*) from assessment.run").fetchone() == (0,)
    [(state, message)] = owner.execute(
        "select state, message from ops.step_run order by step_run_id desc limit 1"
    ).fetchall()
    assert state == "failed" and "kpi_item.csv" in message
