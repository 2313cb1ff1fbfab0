"""Rows as COPY reads them: nothing of a value is changed, and the row's hash is the published one."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.copy_text import copy_text

XXH64_OF_ABC = 0x44BC2CF5AD770999
"""XXH64, seed 0, of the three letters, as the algorithm's own test vectors have it."""

VALUES = st.none() | st.text(
    st.sampled_from("\t\n\r\\N\x1f,\"'电é") | st.characters(exclude_characters="\0", exclude_categories=["Cs"])
)


@pytest.fixture(scope="module")
def session(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


@given(
    rows=st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=8),
    file_id=st.integers(1, (1 << 63) - 1),
    beside=st.sampled_from([(), ("b",)]),
)
def test_values_come_through_copy_as_they_are(session: psycopg.Connection, rows, file_id, beside) -> None:
    good = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String}, orient="row")
    good = good.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("_line"))
    session.execute("drop table if exists copied")
    session.execute("create table copied (_file_id bigint, _line bigint, _row_hash bigint, a text, b text)")
    with session.cursor() as cursor, cursor.copy("copy copied from stdin") as copy:
        copy.write(copy_text(good, file_id, beside=beside))
    seen = session.execute("select _file_id, _line, a, b, _row_hash is not null from copied order by _line").fetchall()
    assert seen == [(file_id, line, *row, True) for line, row in enumerate(rows, start=1)]


def test_the_hash_is_of_the_row_as_copied() -> None:
    published = pl.DataFrame({"x": ["abc"]}).select(pl.col("x").nchash.xxhash64()).item()
    assert published == XXH64_OF_ABC
    good = pl.DataFrame(
        {"a": ["x", "x", "y"], "b": [None, None, None], "_line": [1, 2, 3]}, schema_overrides={"b": pl.String}
    )
    first, again, other = (line.split("\t")[2] for line in copy_text(good, 1).decode().splitlines())
    assert first == again != other
    of_text = pl.DataFrame({"x": ["x\t\\N\n"]}).select(pl.col("x").nchash.xxhash64().reinterpret(signed=True)).item()
    assert first == str(of_text)


def test_what_the_contract_lacks_is_no_part_of_the_hash() -> None:
    good = pl.DataFrame({"a": ["x"], "+b": ["y"], "_line": [1]})
    with_it, without = copy_text(good, 1, beside=("+b",)).decode(), copy_text(good.drop("+b"), 1).decode()
    assert with_it.split("\t")[:4] == [*without.split("\t")[:3], "x"] and with_it.endswith("\ty\n")


def test_an_erased_row_has_no_hash() -> None:
    good = pl.DataFrame({"a": ["x", "y"], "_line": [1, 2]})
    hashes = [line.split("\t")[2] for line in copy_text(good, 1, pl.Series([True, False])).decode().splitlines()]
    assert hashes[0] == "\\N" != hashes[1]
