"""docs/traceability.yml keeps its word: every query holds, and none holds when its data is taken away."""

from pathlib import Path

import psycopg
import pytest
import yaml
from small_world import World

from warehouse.connection import connect

CHECKOUT = Path(__file__).resolve().parents[2]
ENTRIES = yaml.safe_load((CHECKOUT / "docs" / "traceability.yml").read_text("utf-8"))


def named(entry: dict) -> str:
    return entry["id"]


@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_every_query_shows_what_it_says(world: World, entry: dict) -> None:
    with connect(entry["login"]) as session:
        assert session.execute(entry["query"]).fetchall() == [(True,)]


@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_no_query_holds_without_its_data(owner: psycopg.Connection, entry: dict) -> None:
    with owner.transaction(force_rollback=True):
        owner.execute(f"delete from {entry['taken_away']}")
        assert owner.execute(entry["query"]).fetchone() != (True,)


@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_the_test_named_exists(entry: dict) -> None:
    file, _, name = entry["test"].partition("::")
    begin = f"- name: {name}\n" if file.endswith(".yml") else f"def {name}("  # a unit test of dbt, or one of pytest
    assert begin in (CHECKOUT / file).read_text("utf-8")
