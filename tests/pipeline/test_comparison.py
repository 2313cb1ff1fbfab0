"""The two-way difference on the real server, against one counted in Python."""

from dataclasses import replace

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.change_page import page
from pipeline.comparison import HIDDEN, Comparison, Difference, Pair, compare
from warehouse.migration import migrate, read_migrations

KEYED = Pair("t", ("core", "t"), ("mart_build", "t"), key=("k",), personal=frozenset({"name"}))
WHOLE = Pair("t", ("core", "t"), ("mart_build", "t"))
VALUES = st.dictionaries(st.integers(0, 8), st.tuples(st.none() | st.integers(0, 2), st.sampled_from("ab")), max_size=8)


@pytest.fixture(autouse=True, scope="module")
def tables(database: str) -> None:
    with psycopg.connect(database) as session:
        migrate(read_migrations("pipeline"), session)


@pytest.fixture(scope="module")
def session(database: str, tables: None):
    with psycopg.connect(database, autocommit=True) as owner:
        for schema in ("core", "mart_build"):
            owner.execute(f"create table {schema}.t (k integer, v integer, name text)")  # type: ignore[arg-type]
        yield owner


def put(session: psycopg.Connection, before: dict, after: dict) -> None:
    for schema, rows in (("core", before), ("mart_build", after)):
        session.execute(f"truncate {schema}.t")  # type: ignore[arg-type]
        with session.cursor() as cursor:
            cursor.executemany(
                f"insert into {schema}.t values (%s, %s, %s)",  # type: ignore[arg-type]
                [(key, *values) for key, values in rows.items()],
            )


def one(session: psycopg.Connection, pair: Pair) -> Difference:
    (table,) = compare(session, "rebuild", [pair], "a", "b").tables
    return table


@settings(max_examples=40)
@given(before=VALUES, after=VALUES)
def test_every_difference_is_counted_once(session: psycopg.Connection, before: dict, after: dict) -> None:
    put(session, before, after)
    both = before.keys() & after.keys()
    changed = [key for key in both if before[key] != after[key]]
    columns = {
        name: count
        for place, name in enumerate(("v", "name"))
        if (count := sum(before[key][place] != after[key][place] for key in both))
    }
    found = one(session, KEYED)
    assert (found.rows_before, found.rows_after) == (len(before), len(after))
    assert (found.removed, found.added) == (len(before.keys() - both), len(after.keys() - both))
    assert (found.changed, found.columns) == (len(changed), columns)
    assert found.is_equal == (before == after)
    whole = one(session, WHOLE)
    assert (whole.removed, whole.added) == (found.removed + found.changed, found.added + found.changed)
    kept = session.execute(
        "select rows_removed, rows_added, rows_changed, columns from ops.comparison_table "
        "order by comparison_id desc offset 1 limit 1"
    ).fetchone()
    assert kept == (found.removed, found.added, found.changed, columns)


def test_rows_without_a_key_count_as_often_as_they_stand(session: psycopg.Connection) -> None:
    put(session, {1: (1, "a")}, {1: (1, "a")})
    session.execute("insert into core.t select * from core.t")
    assert (one(session, WHOLE).removed, one(session, WHOLE).added) == (1, 0)


def test_columns_types_and_tables_that_one_side_lacks_are_told(session: psycopg.Connection) -> None:
    put(session, {1: (1, "a")}, {1: (1, "a")})
    session.execute("create table mart_build.other as select k, v::text as v, name, '{}'::jsonb as more from core.t")
    session.execute("create table core.other as select *, '{}'::json as less from core.t")
    other = Pair("other", ("core", "other"), ("mart_build", "other"), ("k",))
    found = one(session, other)
    assert (found.new_columns, found.lost_columns, found.changed) == (("more",), ("less",), 0)
    assert not found.is_equal
    assert one(session, replace(other, ignored=frozenset({"more", "less"}))).is_equal
    gone = one(session, replace(other, after=("mart_build", "nowhere")))
    assert (gone.missing, gone.removed, gone.is_equal) == ("after", 1, False)


def test_a_page_shows_keys_and_no_personal_values(session: psycopg.Connection) -> None:
    put(session, {1: (1, "王小明"), 2: (0, "李雷")}, {1: (2, "王小明")})
    personal = Pair("t", KEYED.before, KEYED.after, ("k", "name"), frozenset({"name"}))
    found = compare(session, "change", [personal], "publication 1", "this checkout")
    assert found.tables[0].examples == {
        "removed": [{"k": "2", "name": HIDDEN}],
        "changed": [{"k": "1", "name": HIDDEN}],
    }
    text = page(found)
    assert "| `t` | 2 | 1 | 1 | 0 | 1 |" in text and "| `v` | 1 |" in text
    assert "王小明" not in text and "李雷" not in text
    assert "Nothing differs." in page(Comparison(1, "change", "a", "b", (Difference("t"),)))
