"""The step on a real database: memory, growth with the day's data, and what the log refuses."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random

import polars as pl
import psycopg
import pytest
from stdnum.cn import ric
from stdnum.cn import uscc as credit_code

from identity import resolve
from identity.model import load_model
from identity.placement import own_party_id
from identity.quality import keep, measure
from identity.rematch import rematch
from warehouse.migration import migrate, read_migrations

MONDAY, TUESDAY = date(2026, 11, 2), date(2026, 11, 3)
_RECEIVED = datetime(2026, 11, 2, 20, tzinfo=UTC)
_COLUMNS = [
    *("source_system", "customer_id", "controller_id", "party_kind", "customer_name", "id_type", "id_number"),
    *("phone", "address", "birth_date", "gender", "has_matching_basis", "first_known_at"),
]
A, B = "130503196704010016", "360426199101010071"


def customer(source: str, number: str, **other: object) -> dict[str, object]:
    """One row of ``int_customer__identifiers``."""
    row = dict.fromkeys(_COLUMNS) | {
        "source_system": source,
        "customer_id": number,
        "controller_id": "grid" if source == "grid_billing" else "bank",
        "party_kind": "person",
        "customer_name": "张伟民",
        "id_type": "resident_id",
        "id_number": A,
        "has_matching_basis": True,
        "first_known_at": _RECEIVED,
    }
    return row | other


@pytest.fixture
def staged(owner: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """An empty identity with a table where dbt's view stands in the warehouse."""
    owner.execute("drop schema identity cascade; create schema identity; drop schema intermediate cascade")
    owner.execute("delete from ops.migration where room = 'identity'; create schema intermediate")
    owner.execute(
        "create table intermediate.int_customer__identifiers (source_system text, customer_id text, "
        "controller_id text, party_kind text, customer_name text, id_type text, id_number text, phone text, "
        "address text, birth_date date, gender text, has_matching_basis boolean, first_known_at timestamptz)"
    )
    migrate(read_migrations("identity"), owner)
    yield owner


def stage(connection: psycopg.Connection, *rows: dict[str, object]) -> None:
    with connection.cursor() as cursor, cursor.copy("copy intermediate.int_customer__identifiers from stdin") as copy:
        for row in rows:
            copy.write_row([row[column] for column in _COLUMNS])


def placed(connection: psycopg.Connection) -> dict[tuple[str, str], str]:
    rows = connection.execute("select source_system, customer_id, party_id from identity.party_source")
    return {(source, number): party for source, number, party in rows}


def log(connection: psycopg.Connection) -> list[tuple]:
    return connection.execute("select * from identity.event order by event_no").fetchall()


def test_running_again_is_a_no_op_and_later_customers_find_their_party(staged: psycopg.Connection) -> None:
    stage(staged, customer("core_banking", "C1"), customer("grid_billing", "0001", id_number="130503670401001"))
    report = resolve(staged, MONDAY)
    assert (report.changed, report.created, report.linked, report.parties, report.customers) == (2, 1, 1, 1, 2)
    before = log(staged)
    again = resolve(staged, MONDAY)
    assert (again.changed, again.created, again.linked, again.parties) == (0, 0, 0, 1)
    assert log(staged) == before

    later = _RECEIVED + timedelta(days=1)
    stage(staged, customer("card", "K1", first_known_at=later), customer("card", "K2", id_number=B))
    report = resolve(staged, TUESDAY)
    assert (report.changed, report.created, report.linked) == (2, 1, 1)
    assert placed(staged)["card", "K1"] == own_party_id(("core_banking", "C1"))
    assert log(staged)[: len(before)] == before
    known = staged.execute("select known_at from identity.event where customer_id = 'K1'").fetchone()
    assert known == (later,), "the time of receipt, not of the run"


def test_what_was_found_of_a_number_outlives_it_and_is_known_since_it_came(staged: psycopg.Connection) -> None:
    wrong = f"{A[:-1]}7"  # another check digit
    found = "select number_hash, identifier_state from identity.number_check_known order by number_hash"
    digest = {number: hashlib.md5(f"resident_id {number}".encode()).hexdigest() for number in (A, wrong)}
    stage(staged, customer("card", "K1", id_number=wrong))
    resolve(staged, MONDAY, known_at=_RECEIVED)
    assert staged.execute(found).fetchall() == [(digest[wrong], "invalid")]
    staged.execute("update intermediate.int_customer__identifiers set id_number = %s", [A])
    resolve(staged, TUESDAY, known_at=_RECEIVED + timedelta(days=1))
    assert staged.execute(found).fetchall() == sorted([(digest[wrong], "invalid"), (digest[A], "valid")])
    staged.execute("select set_config('c360.known_on', %s, false)", [_RECEIVED.isoformat()])
    assert staged.execute(found).fetchall() == [(digest[wrong], "invalid")]


PHONE, HOME = "13957112345", "浙江省杭州市西湖区翠苑街道文一西路12号翠苑新村3幢1单元502室"
UNKNOWN = {"id_type": None, "id_number": None}


def questions(connection: psycopg.Connection) -> list[tuple]:
    return connection.execute(
        "select left_customer_id, right_customer_id, reason from identity.review_pair order by 1, 2"
    ).fetchall()


def test_name_and_phone_or_name_and_address_are_one_party_by_the_model(staged: psycopg.Connection) -> None:
    stage(
        staged,
        customer("core_banking", "C1", phone=PHONE, address=HOME),
        customer("card", "K1", **UNKNOWN, phone=f"+86 {PHONE}", address="宁波市海曙区解放路1号2幢3室"),
        customer("grid_billing", "1", **UNKNOWN, customer_name="張偉民", address="西湖区文一西路12号翠苑新村3#1-502"),
        customer("grid_billing", "2", **UNKNOWN, customer_name="李芳", phone=PHONE, address=HOME),
        customer("grid_billing", "3", **UNKNOWN),
    )
    report = resolve(staged, MONDAY)
    placed_now = placed(staged)
    assert placed_now["core_banking", "C1"] == placed_now["card", "K1"] == placed_now["grid_billing", "1"]
    assert len(set(placed_now.values())) == 3, "neither the spouse nor a bare name"
    rows = staged.execute(
        "select rule, reason, model_version, match_weight > 13 from identity.event where event_type = 'link'"
    ).fetchall()
    assert rows == [("model", "alike", load_model().version, True)] * 2
    run = staged.execute(
        "select pairs_compared, pairs_match, pairs_review, pairs_no_match, largest_party from identity.matching_run"
    ).fetchall()
    assert report.matches == 3, "the spouse too is alike; her name keeps her apart"
    assert run == [(report.compared, 3, report.in_review, report.figures["pairs_no_match"], 3)]
    assert report.largest_party == 3 and resolve(staged, MONDAY).compared == 0


def test_a_day_compares_only_what_is_new_with_all_that_stands(staged: psycopg.Connection) -> None:
    stage(staged, customer("core_banking", "C1", phone=PHONE), customer("core_banking", "C2", id_number=B))
    resolve(staged, MONDAY)
    before = log(staged)
    stage(staged, customer("card", "K1", **UNKNOWN, phone=PHONE), customer("card", "K2", id_number=B))
    report = resolve(staged, TUESDAY)
    assert (report.changed, report.linked, report.compared) == (2, 2, 2)
    assert placed(staged)["card", "K1"] == own_party_id(("core_banking", "C1"))
    assert log(staged)[: len(before)] == before


def test_a_question_is_asked_once_and_goes_when_new_data_answers_it(staged: psycopg.Connection) -> None:
    stage(
        staged,
        customer("core_banking", "C1", phone=PHONE),
        customer("core_banking", "C2", **UNKNOWN, phone=PHONE),
        customer("card", "K1", **UNKNOWN, phone=PHONE, customer_name="张伟国"),
    )
    assert resolve(staged, MONDAY).asked == 3
    assert ("C1", "C2", "same_source") in questions(staged) and ("K1", "C1", "review_band") in questions(staged)
    found = staged.execute("select distinct found_at, match_weight is not null from identity.review_pair").fetchall()
    assert found == [(_RECEIVED, True)], "the time of receipt, not of the run"
    staged.execute(
        "update intermediate.int_customer__identifiers set phone = '13600001111' where customer_id in ('C2', 'K1')"
    )
    assert resolve(staged, TUESDAY).asked == 1
    assert questions(staged) == [("K1", "C2", "review_band")]


def test_a_phone_of_many_names_links_nobody(staged: psycopg.Connection) -> None:
    names = ["张伟民", "王芳", "李强", "赵敏", "钱多", "孙立"]
    stage(
        staged,
        *[
            customer("core_banking", f"C{n}", **UNKNOWN, customer_name=name, phone=PHONE)
            for n, name in enumerate(names)
        ],
        customer("card", "K1", **UNKNOWN, phone=PHONE),
    )
    report = resolve(staged, MONDAY)
    assert (report.compared, report.linked, report.asked) == (0, 0, 0), "a company's phone"


def test_without_a_basis_nothing_is_compared(staged: psycopg.Connection) -> None:
    stage(
        staged,
        customer("core_banking", "C1", phone=PHONE, has_matching_basis=True),
        customer("grid_billing", "1", **UNKNOWN, phone=PHONE, has_matching_basis=False),
    )
    assert (resolve(staged, MONDAY).compared, questions(staged)) == (0, [])
    staged.execute("update intermediate.int_customer__identifiers set has_matching_basis = true")
    assert resolve(staged, TUESDAY).linked == 1


def test_matching_afresh_tells_what_would_change_and_changes_nothing(staged: psycopg.Connection) -> None:
    stage(staged, customer("core_banking", "C1", phone=PHONE), customer("card", "K1", phone=PHONE))
    resolve(staged, MONDAY)
    assert rematch(staged).differences == []
    staged.execute("update intermediate.int_customer__identifiers set id_number = %s where customer_id = 'K1'", [B])
    resolve(staged, TUESDAY)
    before = (log(staged), questions(staged), placed(staged))
    found = rematch(staged)
    assert [(one.customer[1], one.change, one.others[0][1]) for one in found.differences] == [
        ("K1", "parted", "C1"),
        ("C1", "parted", "K1"),
    ]
    assert (found.parties, found.parties_afresh) == (1, 2)
    assert (log(staged), questions(staged), placed(staged)) == before


def test_two_customers_of_one_source_are_never_merged(staged: psycopg.Connection) -> None:
    stage(staged, *[customer("core_banking", f"C{n}") for n in (1, 2)], customer("grid_billing", "1"))
    report = resolve(staged, MONDAY)
    assert report.conflicts == {"same_source": 1} and report.parties == 2
    parties = placed(staged)
    assert parties["grid_billing", "1"] == parties["core_banking", "C1"] != parties["core_banking", "C2"]
    assert staged.execute("select source_system, customer_id, reason from identity.review").fetchall() == [
        ("core_banking", "C2", "same_source")
    ]


def test_no_link_between_controllers_without_a_basis(staged: psycopg.Connection) -> None:
    stage(
        staged,
        customer("core_banking", "C1", has_matching_basis=False),
        customer("card", "K1", has_matching_basis=False),
        customer("grid_billing", "1", has_matching_basis=True),
        customer("grid_billing", "2", has_matching_basis=None, id_number=B),
        customer("core_banking", "C2", id_number=B),
    )
    report = resolve(staged, MONDAY)
    assert (report.parties, report.linked, report.conflicts) == (4, 1, {})
    parties = placed(staged)
    assert parties["core_banking", "C1"] == parties["card", "K1"]
    assert len({parties["core_banking", "C1"], parties["grid_billing", "1"]}) == 2

    staged.execute("update intermediate.int_customer__identifiers set has_matching_basis = true")
    assert resolve(staged, TUESDAY).linked == 2
    assert len(set(placed(staged).values())) == 2
    staged.execute("update intermediate.int_customer__identifiers set has_matching_basis = false")
    assert resolve(staged, TUESDAY).unlinked == 2
    assert placed(staged) == parties, "the same parties as before the consent"


def test_names_that_differ_grossly_are_reviewed(staged: psycopg.Connection) -> None:
    stage(staged, customer("core_banking", "C1"), customer("grid_billing", "1", customer_name="欧阳建国"))
    report = resolve(staged, MONDAY)
    assert (report.parties, report.conflicts) == (2, {"names_differ": 1})
    staged.execute(
        "update intermediate.int_customer__identifiers set customer_name = '张 伟民' where customer_id = '1'"
    )
    assert resolve(staged, TUESDAY).linked == 1, "a corrected name is looked at again"


def test_a_changed_identifier_never_moves_a_customer(staged: psycopg.Connection) -> None:
    stage(staged, customer("core_banking", "C1"), customer("card", "K1"), customer("grid_billing", "1", id_number=B))
    resolve(staged, MONDAY)
    before = placed(staged)
    staged.execute("update intermediate.int_customer__identifiers set id_number = %s where customer_id = 'K1'", [B])
    report = resolve(staged, TUESDAY)
    assert placed(staged) == before
    assert report.conflicts == {"identifier_changed": 1, "identifier_under_review": 1}
    assert resolve(staged, TUESDAY).conflicts == {}


def test_an_identifier_that_comes_later_links_a_customer_that_stood_alone(staged: psycopg.Connection) -> None:
    stage(staged, customer("core_banking", "C1"), customer("grid_billing", "1", id_number="130503196704010017"))
    assert resolve(staged, MONDAY).parties == 2
    staged.execute("update intermediate.int_customer__identifiers set id_number = %s", [A])
    assert resolve(staged, TUESDAY).linked == 1
    events = staged.execute("select event_type, rule, reason from identity.event order by event_no").fetchall()
    assert events[-1] == ("link", "same_resident_id", "parties_joined")


def test_firms_and_persons_are_kept_apart(staged: psycopg.Connection) -> None:
    firm = {"party_kind": "firm", "id_type": "uscc", "id_number": "91110000600037341L"}
    stage(
        staged,
        customer("core_banking", "F1", **firm | {"customer_name": "杭州明珠贸易有限公司"}),
        customer("grid_billing", "1", **firm | {"customer_name": "杭州明珠贸易有限责任公司"}),
        customer("card", "K1", **firm | {"party_kind": "person", "customer_name": "杭州明珠贸易"}),
    )
    report = resolve(staged, MONDAY)
    assert (report.parties, report.linked) == (2, 1)


def test_the_log_cannot_be_changed(staged: psycopg.Connection) -> None:
    stage(staged, customer("core_banking", "C1"))
    resolve(staged, MONDAY)
    for statement in (
        "update identity.event set reason = 'x'",
        "delete from identity.event",
        "truncate identity.event cascade",
    ):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            staged.execute(statement)


def test_a_failure_leaves_nothing_behind(staged: psycopg.Connection) -> None:
    stage(staged, customer("core_banking", "C1"))
    staged.execute("alter table identity.event add constraint nothing_new check (customer_id <> 'C1')")
    with pytest.raises(psycopg.errors.CheckViolation):
        resolve(staged, MONDAY)
    assert staged.execute("select count(*) from identity.standardised_customer").fetchone() == (0,)
    staged.execute("alter table identity.event drop constraint nothing_new")
    assert resolve(staged, MONDAY).created == 1


def test_a_day_costs_what_the_day_brings(staged: psycopg.Connection) -> None:
    """2,500 customers of three sources take under two seconds of our processor, a day of fifty much less."""
    random = Random(20261101)

    def number(person: bool) -> str:
        if person:
            first = f"330106{random.randint(1950, 2005)}{random.randint(1, 12):02d}{random.randint(1, 28):02d}"
            first += f"{random.randint(1, 995):03d}"
            return first + ric.calc_check_digit(first + "0")
        first = "91330106" + "".join(random.choices("0123456789ABCDEFGHJKLMNPQRTUWXY", k=9))
        return first + credit_code.calc_check_digit(first)

    rows = []
    for n in range(1000):
        person = n % 10 > 0
        shared = {
            "party_kind": "person" if person else "firm",
            "id_type": "resident_id" if person else "uscc",
            "id_number": number(person),
            "customer_name": "".join(random.choices("王李张刘陈杨赵黄周吴", k=3)),
        }
        sources = ["core_banking", "card", "grid_billing"][: 3 if n % 2 else 2]
        rows += [customer(source, f"{n:05d}", **shared) for source in sources]
    stage(staged, *rows[50:])
    resolve(staged, MONDAY)  # the first run loads libraries
    staged.execute("set session_replication_role = replica; delete from identity.event")
    staged.execute("set session_replication_role = origin; delete from identity.standardised_customer")
    report = resolve(staged, MONDAY)
    stage(staged, *rows[:50])
    daily = resolve(staged, TUESDAY)
    assert (report.customers, daily.changed, daily.parties) == (len(rows) - 50, 50, 1000)


def test_quality_counts_pairs_against_the_truth_and_leaves_out_what_may_not_be_compared(
    staged: psycopg.Connection,
) -> None:
    stage(
        staged,
        customer("core_banking", "C1", phone=PHONE),
        customer("card", "K1", **UNKNOWN, phone=PHONE),
        customer("core_banking", "C2", id_number=B, customer_name="李芳", phone="13600001111"),
        customer("card", "K2", **UNKNOWN, customer_name="李芳", phone="13600001111"),
        customer("core_banking", "C3", **UNKNOWN, customer_name="王强", phone="13700002222", has_matching_basis=False),
        customer("grid_billing", "3", **UNKNOWN, customer_name="王强", phone="13700002222"),
        customer("core_banking", "C4", **UNKNOWN, customer_name="赵敏"),
        customer("card", "K4", **UNKNOWN, customer_name="赵敏"),
        customer("core_banking", "C5", **UNKNOWN, customer_name="赵敏", phone="13800007777"),
        customer("core_banking", "C6", **UNKNOWN, customer_name="赵敏", phone="13800007777"),
    )
    resolve(staged, MONDAY)
    party = {"C1": "one", "K1": "one", "C2": "two", "K2": "stranger", "C3": "three", "3": "three", "C4": "four"}
    party |= {"K4": "four", "C5": "five", "C6": "five"}
    rows = staged.execute("select source_system, customer_id from identity.party_source").fetchall()
    identities = pl.DataFrame(
        [(source, number, party[number]) for source, number in rows],
        schema=["source_system", "customer_id", "party_id"],
        orient="row",
    )
    sides = ["left_source_system", "left_customer_id", "right_source_system", "right_customer_id"]
    pairs = pl.DataFrame(
        [
            ("card", "K1", "core_banking", "C1", "name_phone", True),
            ("core_banking", "C3", "grid_billing", "3", "name_phone", True),
            ("card", "K4", "core_banking", "C4", "nothing", False),
            ("core_banking", "C5", "core_banking", "C6", "same_source", False),
        ],
        schema=[*sides, "stratum", "is_resolvable"],
        orient="row",
    )
    by_stratum = {one.stratum: one for one in measure(staged, identities, pairs)}
    phone, everything = by_stratum["name_phone"], by_stratum["all"]
    assert (phone.true_pairs, phone.resolvable_pairs, phone.resolvable_found) == (1, 1, 1), "three have no basis"
    assert (phone.linked_pairs, phone.linked_true, phone.precision, phone.recall) == (2, 1, 0.5, 1.0)
    assert (by_stratum["nothing"].true_pairs, by_stratum["nothing"].linked_pairs) == (1, 0)
    assert (everything.review_pairs, everything.review_precision) == (1, 1.0)
    keep(staged, MONDAY, list(by_stratum.values()))
    keep(staged, MONDAY, list(by_stratum.values()))
    assert staged.execute("select count(*) from identity.quality").fetchone() == (len(by_stratum),)
