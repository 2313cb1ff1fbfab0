"""Publication on the real server: whole or not at all, for every reader, whatever happens on the way."""

import itertools
import multiprocessing
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import date

import psycopg
import pytest

from warehouse.connection import connect
from warehouse.migration import migrate
from warehouse.publication import MartSpec, PublicationError, migration_for, prune, publish, rollback
from warehouse.roles import Login, apply_roles, make_logins, manager_login

_numbers = itertools.count(1)


@pytest.fixture
def mart(owner) -> MartSpec:
    """A fresh mart: bank and grid customers, a manager, a clear phone number; nothing published yet."""
    spec = MartSpec(
        f"mart_customer_{next(_numbers)}",
        [
            ("party_id", "text", True),
            ("month", "date", True),
            ("controller_id", "text", True),
            ("manager_id", "text"),
            ("balance", "numeric(18,2)"),
            ("phone_masked", "text"),
            ("phone", "text", False, "电话 in clear", True),
        ],
        ["party_id", "month"],
        "One row a party and month (客户月视图)",
        controller_column="controller_id",
        manager_column="manager_id",
    )
    make(owner, spec)
    return spec


def make(owner: psycopg.Connection, *specs: MartSpec) -> None:
    migrate([migration_for(spec) for spec in specs], owner)
    for spec in specs:
        columns = ", ".join(f"{column.name} {column.type}" for column in spec.columns)
        owner.execute(f"drop table if exists mart_build.{spec.name}; create table mart_build.{spec.name} ({columns})")


def build(owner: psycopg.Connection, spec: MartSpec, *rows: tuple) -> None:
    """What dbt would leave: (party, balance) of the bank, manager E1, unless the row says more."""
    owner.execute(f"truncate mart_build.{spec.name}")
    for row in rows:
        party, balance, controller, manager = (*row, *("bank", "E1")[len(row) - 2 :])
        owner.execute(
            f"insert into mart_build.{spec.name} values (%s, '2026-10-31', %s, %s, %s, '138****0000', '13812340000')",
            [party, controller, manager, balance],
        )


def seen(spec: MartSpec, login: str = "dora", number: bool = False) -> list[tuple]:
    with connect(login) as session:
        return session.execute(
            f"select party_id, balance{', publication' if number else ''} from mart.{spec.name} order by party_id"
        ).fetchall()


def test_the_difference_is_staged_and_null_is_a_value(owner, mart):
    build(owner, mart, ("a", 1), ("b", None), ("c", 3), ("d", None))
    first = publish([mart], "first", date(2026, 10, 31))
    assert (first.rows_added, first.rows_closed) == (4, 0)
    build(owner, mart, ("a", 1), ("b", None), ("c", None), ("d", 4), ("e", 5))
    second = publish([mart], "second")
    assert (second.rows_added, second.rows_closed, second.staged_against) == (3, 2, first.number)
    assert seen(mart, number=True) == [
        (p, b, second.number) for p, b in zip("abcde", (1, None, None, 4, 5), strict=True)
    ]
    third = publish([mart], "nothing changed")
    assert (third.rows_added, third.rows_closed, third.marts[0].rows_visible) == (0, 0, 5)
    assert seen(mart, number=True)[0] == ("a", 1, third.number)
    with connect("bianca") as session:
        assert session.execute("select number, business_date, note from mart.publication").fetchone() == (
            third.number, date(2026, 10, 31), "nothing changed"
        )  # fmt: skip


def test_marts_not_given_keep_their_rows(owner, mart):
    other = replace(mart, name=mart.name + "_other")
    make(owner, other)
    build(owner, mart, ("a", 1))
    build(owner, other, ("x", 1))
    publish([mart, other], "both")
    build(owner, mart, ("a", 2))
    owner.execute(f"drop table mart_build.{other.name}")
    number = publish([mart], "one").number
    assert seen(mart, number=True) == [("a", 2, number)] and seen(other, number=True) == [("x", 1, number)]


def test_rollback_and_publish_again(owner, mart):
    """Rows of publications rolled back from must not come back with a higher number."""
    build(owner, mart, ("a", 1), ("b", 1))
    first = publish([mart], "good").number
    build(owner, mart, ("a", 2), ("c", 1))
    second = publish([mart], "wrong").number
    assert rollback(first) == first
    assert seen(mart, number=True) == [("a", 1, first), ("b", 1, first)]
    assert rollback(second, "forward again") == second and seen(mart) == [("a", 2), ("c", 1)]
    assert rollback() == first
    build(owner, mart, ("b", 1), ("d", 4))
    third = publish([mart], "right")
    assert third.number > second and third.staged_against == first
    assert seen(mart) == [("b", 1), ("d", 4)]
    assert (third.rows_added, third.rows_closed) == (1, 1)
    with pytest.raises(PublicationError, match="cannot roll back"):
        rollback(second)
    assert rollback(first) == first and seen(mart) == [("a", 1), ("b", 1)]
    actions = owner.execute(
        "select action, from_number, to_number from ops.publication_event order by event_id desc limit 4"
    ).fetchall()
    assert actions[0] == ("roll back", third.number, first) and actions[3] == ("roll back", first, second)


def test_a_session_may_look_back(owner, mart):
    """`c360.known_on` shows what was in force then, through the same row policy; what is not kept is told."""
    build(owner, mart, ("a", 1), ("b", 1, "grid", "G1"))
    first = publish([mart], "first", date(2026, 10, 31)).number
    (then,) = owner.execute("select clock_timestamp()::text").fetchone()
    build(owner, mart, ("a", 2))
    second = publish([mart], "second", date(2026, 11, 1)).number
    (before_rollback,) = owner.execute("select clock_timestamp()::text").fetchone()
    rollback(first)

    def looking_back(login: str, moment: str) -> list[tuple]:
        with connect(login) as session:
            session.execute("select set_config('c360.known_on', %s, false)", [moment])
            rows = session.execute(
                f"select party_id, balance, publication, published_business_date from mart.{mart.name} order by 1"
            ).fetchall()
            assert session.execute("select number from mart.publication").fetchone() == (rows[0][2],)
            return rows

    past = date(2026, 10, 31)
    assert looking_back("dora", then) == [("a", 1, first, past), ("b", 1, first, past)]
    assert looking_back("bianca", then) == [("a", 1, first, past)], "her own controller's rows, then as now"
    assert looking_back("dora", before_rollback) == [("a", 2, second, date(2026, 11, 1))]
    assert (
        looking_back("dora", "2999-12-31") == looking_back("dora", "") == [("a", 1, first, past), ("b", 1, first, past)]
    )
    build(owner, mart, ("a", 3))
    publish([mart], "third")
    with pytest.raises(psycopg.errors.NoDataFound, match=rf"publication {second}, in force on .* is not kept"):
        looking_back("dora", before_rollback)
    with pytest.raises(psycopg.errors.NoDataFound, match="is not kept"):
        prune(1)
        looking_back("dora", then)


def test_known_on_counts_a_day_to_its_end_in_china(owner):
    def moment(setting: str) -> str:
        owner.execute("select set_config('c360.known_on', %s, false)", [setting])
        return owner.execute(
            "select to_char(ops.known_on() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
        ).fetchone()[0]

    try:
        assert moment("2026-11-02") == "2026-11-02 15:59:59.999999"
        assert moment("2026-11-02T08:00:00+08:00") == "2026-11-02 00:00:00.000000"
        owner.execute("select set_config('c360.known_on', '', false)")
        assert owner.execute("select ops.known_on() = 'infinity'").fetchone() == (True,)
        with pytest.raises(psycopg.errors.DataError):
            moment("yesterday noon")
    finally:
        owner.execute("select set_config('c360.known_on', '', false)")


def test_prune_keeps_the_last_ones_whole(owner, mart):
    numbers = []
    for balance in range(1, 6):
        build(owner, mart, ("a", balance), ("b", 0), (f"only_{balance}", 1))
        numbers.append(publish([mart], f"number {balance}").number)
    prune(2)
    count = f"select count(*) from mart_data.{mart.name}"
    assert owner.execute(count).fetchone() == (5,)  # a and only_ of the last two, b
    assert prune(2) == 0
    with pytest.raises(PublicationError, match="cannot roll back"):
        rollback(numbers[2])
    assert rollback(numbers[3]) == numbers[3]
    assert seen(mart) == [("a", 4), ("b", 0), ("only_4", 1)]
    prune(1)  # what lies beyond the one in force stays until something new is published
    assert rollback(numbers[4]) == numbers[4] and seen(mart) == [("a", 5), ("b", 0), ("only_5", 1)]


def test_a_broken_mart_leaves_the_old_publication_in_force(owner, mart):
    other = replace(mart, name=mart.name + "_other")
    make(owner, other)
    build(owner, mart, ("a", 1))
    build(owner, other, ("x", 1))
    first = publish([mart, other], "good").number
    build(owner, mart, ("a", 2))
    build(owner, other, ("x", 2), ("x", 3))
    with pytest.raises(PublicationError, match=f"{other.name}.*duplicate key"):
        publish([mart, other], "broken key")
    assert seen(mart, number=True) == [("a", 1, first)] and seen(other) == [("x", 1)]
    assert owner.execute("select state from ops.publication order by number desc limit 1").fetchone() == ("failed",)
    owner.execute(f"alter table mart_build.{other.name} drop column balance")
    with pytest.raises(PublicationError, match=r"lacks balance \(build it\)"):
        publish([mart, other], "column gone")
    make(owner, other)
    build(owner, other, ("x", 3))
    publish([mart, other], "mended")
    assert seen(mart) == [("a", 2)] and seen(other) == [("x", 3)]


def test_kill_9_while_staging(owner, mart):
    """The publisher dies after the first mart was staged and committed; its session dies with it."""
    other = replace(mart, name=mart.name + "_other")
    make(owner, other)
    build(owner, mart, ("a", 1), ("b", 1))
    build(owner, other, ("x", 1))
    first = publish([mart, other], "before").number
    build(owner, mart, ("a", 2))
    build(owner, other, ("x", 2))
    with connect() as blocker:
        blocker.execute(f"lock table mart_data.{other.name} in exclusive mode")
        publisher = multiprocessing.get_context("fork").Process(target=publish, args=([mart, other], "killed"))
        publisher.start()
        staged = f"select count(*) from mart_data.{mart.name} where pub_from > {first}"
        while publisher.is_alive() and owner.execute(staged).fetchone() == (0,):
            time.sleep(0.05)
        publisher.kill()
        publisher.join()
    assert owner.execute(staged).fetchone() == (1,)
    assert seen(mart, number=True) == [("a", 1, first), ("b", 1, first)]
    owner.execute("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() "
                  "and datname = current_database() and query ~ 'update mart_data'")  # fmt: skip
    build(owner, mart, ("b", 1))
    again = publish([mart, other], "again")
    assert again.number == first + 2 and again.staged_against == first
    assert seen(mart) == [("b", 1)] and seen(other) == [("x", 2)]
    assert owner.execute("select state from ops.publication where number = %s", [first + 1]).fetchone() == (
        "abandoned",
    )


def test_readers_see_whole_publications_only(owner, mart):
    """Concurrent REPEATABLE READ transactions (the logins' default) over six marts, publications and rollbacks."""
    marts = [replace(mart, name=f"{mart.name}_{n}") for n in range(6)]
    make(owner, *marts)

    def version(number: int) -> None:
        for spec in marts:
            owner.execute(
                f"truncate mart_build.{spec.name}; insert into mart_build.{spec.name} "
                f"select 'p' || n, '2026-10-31', case n % 2 when 0 then 'bank' else 'grid' end, 'E1', "
                f"case when n % 3 = 0 then 0 else {number} end, null, null from generate_series(1, 600) as n"
            )

    version(1)
    publish(marts, "version 1")
    stop, found, wrong = threading.Event(), Counter(), []

    def read() -> None:
        with connect("bianca") as session:
            while not stop.is_set():
                answers = set()
                for spec in (marts[0], marts[3], marts[5]):
                    answers.add(
                        session.execute(
                            "select count(*), max(balance), min(balance) filter (where balance > 0), min(publication), "
                            f"max(publication) from mart.{spec.name}"
                        ).fetchone()
                    )
                    time.sleep(0.005)
                session.commit()
                rows, most, least, number, last_number = answers.pop()
                if answers or rows != 300 or most != least or number != last_number:
                    wrong.append((rows, most, least, number, last_number, answers))
                found[number] += 1

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(2, 8):
        version(number)
        publish(marts, f"version {number}")
        if number == 5:
            rollback()
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == [] and len(found) >= 3 and found.total() >= 10


def test_a_running_transaction_keeps_its_publication(owner, mart):
    build(owner, mart, ("a", 1))
    first = publish([mart], "first").number
    with connect("bianca") as session:
        question = f"select balance, publication from mart.{mart.name}"
        assert session.execute(question).fetchall() == [(1, first)]
        build(owner, mart, ("a", 2))
        publish([mart], "second")
        prune(1)
        assert session.execute(question).fetchall() == [(1, first)]
        session.commit()
        assert session.execute(question).fetchall() == [(2, first + 1)]


# --- who sees what ----------


def test_controller_and_manager_see_their_own_rows(owner, mart):
    make_logins(owner, [manager_login("E1"), manager_login("E2"), Login("old_bianca", "bi_reader", "bank",
                                                                      valid_to=date(2020, 1, 1))])  # fmt: skip
    build(owner, mart, ("a", 1), ("b", 2, "bank", "E2"), ("g", 3, "grid", "E1"), ("n", 4, "bank", None))
    publish([mart], "rows of several controllers")
    expected = {"dora": "abgn", "audrey": "abgn", "bianca": "abn", "gary": "g", "mgr_e1": "a", "mgr_e2": "b",
                "old_bianca": "", "stella": "abgn"}  # fmt: skip
    assert {login: "".join(party for party, _ in seen(mart, login)) for login in expected} == expected


def test_readers_cannot_go_round_the_view(owner, mart):
    build(owner, mart, ("a", 1))
    publish([mart], "first")
    build(owner, mart, ("a", 2))
    publish([mart], "second")
    for login in ("bianca", "dora", "audrey"):
        for relation in (f"mart_data.{mart.name}", f"mart_build.{mart.name}", "ops.login", "mart.nothing"):
            if login == "dora" and relation.startswith(("mart_build", "ops")):
                continue  # the data engineer may look there
            if login == "audrey" and relation == "ops.login":
                continue
            with (
                connect(login) as session,
                pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable)),
            ):
                session.execute(f"select * from {relation}")
    with connect("bianca") as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute("set role owner")
    with connect("regina") as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute(f"select * from mart.{mart.name}")


def test_the_policy_itself_filters_the_publication(owner, mart):
    """Also where a reader was given the schema by mistake: no other publication, no other controller."""
    build(owner, mart, ("a", 1), ("g", 1, "grid", "E1"))
    publish([mart], "first")
    build(owner, mart, ("a", 2), ("g", 2, "grid", "E1"))
    publish([mart], "second")
    owner.execute("grant usage on schema mart_data to bi_reader")
    try:
        with connect("bianca") as session:
            assert session.execute(f"select party_id, balance from mart_data.{mart.name}").fetchall() == [("a", 2)]
    finally:
        owner.execute("revoke usage on schema mart_data from bi_reader")


def test_clear_personal_data_only_where_granted(owner, mart):
    make_logins(owner, [manager_login("E1")])
    build(owner, mart, ("a", 1))
    publish([mart], "first")
    for login in ("bianca", "mgr_e1"):
        with connect(login) as session, pytest.raises(psycopg.errors.UndefinedColumn):
            session.execute(f"select phone from mart.{mart.name}")
    with connect("mgr_e1") as session:
        assert session.execute(f"select phone, phone_masked from mart_clear.{mart.name}").fetchall() == [
            ("13812340000", "138****0000")
        ]
    with connect("bianca") as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute(f"select phone from mart_clear.{mart.name}")


def test_a_publisher_needs_no_owner(owner, mart):
    make_logins(owner, [Login("paul", "publisher", "*")])
    apply_roles(owner)  # grants on what was made in mart_build meanwhile
    build(owner, mart, ("a", 1))
    with connect("paul") as session:
        number = publish([mart], "by its role", connection=session).number
    assert seen(mart, number=True) == [("a", 1, number)]
    assert owner.execute("select actor from ops.publication where number = %s", [number]).fetchone() == ("paul",)


# --- the tables under the marts ----------


def test_migration_is_idempotent_and_extends(owner, mart):
    build(owner, mart, ("a", 1))
    publish([mart], "before the change")
    assert migrate([migration_for(mart)], owner) == []
    columns = [column for column in mart.columns if column.name not in ("balance", "manager_id")]
    wider = replace(mart, columns=(*columns, ("balance", "numeric(20,4)"), ("tier", "text", True)), manager_column=None)
    assert len(migrate([migration_for(wider)], owner)) == 1
    assert seen(mart) == [("a", 1)]
    make(owner, wider)
    owner.execute(f"insert into mart_build.{mart.name} values ('a', '2026-10-31', 'bank', null, null, 1.2345, 'gold')")
    publish([wider], "after")
    with connect("bianca") as session:
        assert session.execute(f"select balance::text, tier from mart.{mart.name}").fetchall() == [("1.2345", "gold")]
    rollback()
    with connect("bianca") as session:
        assert session.execute(f"select balance, tier from mart.{mart.name}").fetchall() == [(1, None)]


def test_a_changed_key_is_refused(owner, mart):
    with pytest.raises(Exception, match="primary key of published mart"):
        migrate([migration_for(replace(mart, primary_key=("month", "party_id")))], owner)


def test_a_rebuild_in_mart_build_does_not_touch_readers(owner, mart):
    """What dbt drops (STACK, 'What a dbt rebuild drops') is not what readers use."""
    build(owner, mart, ("a", 1))
    publish([mart], "first")
    owner.execute(f"drop table mart_build.{mart.name} cascade")
    assert seen(mart, "bianca") == [("a", 1)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Mart; drop"},
        {"columns": [("party_id", "text; drop table x")]},
        {"primary_key": []},
        {"primary_key": ["absent"]},
        {"columns": [("party_id", "text"), ("publication", "integer")]},
        {"controller_column": "absent"},
    ],
)
def test_a_description_is_checked(wrong):
    right = {"name": "mart_x", "columns": [("party_id", "text")], "primary_key": ["party_id"]}
    MartSpec(**right)
    with pytest.raises(PublicationError):
        MartSpec(**(right | wrong))
