"""The chain of migrations, on the real server."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from warehouse.migration import Migration, MigrationError, migrate, read_migrations

ADD = Migration("example", 1, "add_table", "create table public.example (id integer)")


def test_runs_once_and_is_recorded(owner):
    assert migrate([ADD], owner) == [ADD]
    assert migrate([ADD], owner) == []
    assert owner.execute("select name, revision from ops.migration where room = 'example'").fetchall() == [
        ("add_table", 1)
    ]


def test_a_template_is_up_to_date(owner):
    assert migrate(read_migrations("warehouse"), owner) == []


def test_an_edited_migration_is_refused(owner):
    migrate([ADD], owner)
    with pytest.raises(MigrationError, match="edited"):
        migrate([replace(ADD, sql="create table public.other (id integer)")], owner)


def test_a_generated_migration_runs_again_when_its_text_changes(owner):
    first = Migration("example", 2, "made", "create table if not exists public.made (a integer)", generated=True)
    second = replace(first, sql=first.sql + "; alter table public.made add column if not exists b text")
    assert [migrate([each], owner) for each in (first, first, second, second)] == [[first], [], [second], []]
    assert owner.execute("select max(revision) from ops.migration where name = 'made'").fetchone() == (2,)


def test_nothing_of_a_failed_migration_stays(owner):
    broken = Migration("example", 3, "broken", "create table public.half (id integer); select 1 / 0")
    with pytest.raises(MigrationError, match=r"example/0003_broken.*division by zero"):
        migrate([broken], owner)
    assert owner.execute("select to_regclass('public.half')").fetchone() == (None,)
    assert owner.execute("select count(*) from ops.migration where name = 'broken'").fetchone() == (0,)


def test_concurrent_migrators_apply_each_migration_once(database):
    slow = [Migration("crowd", n, f"step_{n}", f"create table public.crowd_{n} ()") for n in (1, 2)]
    applied: list[Migration] = []
    threads = [threading.Thread(target=lambda: applied.extend(migrate(slow))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert applied == slow


def test_file_names_are_checked(tmp_path: Path):
    (tmp_path / "0001_fine.sql").write_text("select 1")
    (tmp_path / "2_not_fine.sql").write_text("select 1")
    with pytest.raises(MigrationError, match="NNNN_name"):
        read_migrations("example", tmp_path)
