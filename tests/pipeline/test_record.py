"""The phase-complete record."""

from datetime import date

import psycopg
import pytest

from pipeline.record import is_done, recorded
from warehouse.migration import migrate, read_migrations

DAY = date(2026, 11, 1)


@pytest.fixture(autouse=True, scope="module")
def table(database: str) -> None:
    with psycopg.connect(database) as owner:
        migrate(read_migrations("pipeline"), owner)


def test_a_step_is_done_when_its_newest_run_ended_well(owner: psycopg.Connection) -> None:
    assert not is_done("build", DAY)
    with recorded("build", DAY) as note:
        assert not is_done("build", DAY), "it is still running"
        note.message, note.figures = "3 models", {"models": 3}
    assert is_done("build", DAY)
    assert owner.execute("select message, figures from ops.step_run where step = 'build'").fetchone() == (
        "3 models",
        {"models": 3},
    )


def test_a_failure_is_kept_with_its_reason(owner: psycopg.Connection) -> None:
    with pytest.raises(ValueError, match="no rows"), recorded("publish", DAY, "bank"):
        raise ValueError("no rows")
    assert not is_done("publish", DAY, "bank")
    with recorded("publish", DAY, "bank"):
        pass
    assert is_done("publish", DAY, "bank")
    states = owner.execute("select state, message from ops.step_run where step = 'publish' order by step_run_id")
    assert states.fetchall() == [("failed", "ValueError: no rows"), ("done", "")]
