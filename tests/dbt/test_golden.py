"""The golden record (DESIGN 5, 7, 10): computed for the parties touched, and equal to the one computed from scratch."""

import random
from datetime import timedelta
from typing import Any

from arrivals import DAY, END, SCHEMAS, Arrivals
from psycopg import sql

from pipeline import transformation

SEEDS = ("survivorship_rule", "survivorship_attribute_source", "survivorship_source", "doubt_rule")
MODELS = ("int_customer__changes", "dim_customer", "bridge_party_source", "bridge_party_attribute", "dim_party")
BUILT = ("core.bridge_party_source", "core.bridge_party_attribute", "core.dim_party")
_ONLY = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
PEOPLE = [f"GOLD{number}" for number in range(8)]


def build(*names: str, target: str = "dev") -> None:
    """The models named, with what they read of seeds."""
    transformation.run("build", "--select", *names, *_ONLY, target=target)


def differences(arrivals: Arrivals) -> dict[str, list[Any]]:
    """What differs from a rebuild in schemas of its own."""
    for schema in SCHEMAS:
        arrivals.session.execute(
            sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(f"rebuild_{schema}"))
        )
    build(*SEEDS, *MODELS, target="rebuild")
    for seed in SEEDS:  # also those that a test has changed
        arrivals.session.execute(
            sql.SQL("truncate {to}; insert into {to} select * from {seed}").format(
                to=sql.Identifier("rebuild_core", seed), seed=sql.Identifier("core", seed)
            )
        )
    for model in MODELS[2:]:
        arrivals.session.execute(sql.SQL("drop table {}").format(sql.Identifier("rebuild_core", model)))
    build(*MODELS[2:], target="rebuild")
    return arrivals.differences(*BUILT)


def place(arrivals: Arrivals, source: str, customer: str, party: str) -> None:
    """An event of identity that moves a customer, as the resolver or a steward appends it."""
    arrivals.session.execute(
        """
        insert into identity.event (
            event_id, previous_event_id, event_type, party_id, other_party_id, source_system, customer_id, rule,
            rule_version, reason, basis, business_date, known_at
        )
        select gen_random_uuid()::text, placed.event_id,
            case when placed.event_id is null then 'create' else 'link' end,
            %(party)s, placed.party_id, %(source)s, %(customer)s, 'test', '1', 'test',
            case when placed.event_id is not null then 'same_controller' end, %(day)s, '2026-11-01 12:00+00'
        from (select 1) as one
        left join identity.party_source as placed
            on placed.source_system = %(source)s and placed.customer_id = %(customer)s
        where placed.party_id is distinct from %(party)s
        """,
        {"source": source, "customer": customer, "party": party, "day": DAY},
    )


def customer(source: str, number: str, flag: str, sequence: int, chance: random.Random) -> dict[str, Any]:
    """A row of a source's master with attributes left to chance."""
    names = {"core_banking": ("customer_id", "customer_name"), "card": ("cardholder_id", "cardholder_name")}[source]
    return {
        "change_flag": flag,
        "change_seq": sequence,
        "effective_date": DAY + timedelta(days=sequence // 20),
        names[0]: number,
        "party_kind": "person",
        names[1]: chance.choice(["王芳", "王方", "测试"]),
        "id_type": "resident_id",
        "id_number": "130503196704010016",
        "gender": chance.choice(["F", "M", None]),
        "mobile": chance.choice(["13800138000", "13712345678", "13912345678", None]),
        "address": chance.choice(["杭州市", "浙江省杭州市", None]),
        "opened_on": DAY,
        "status": "active",
    }


def test_touched_parties_are_what_a_rebuild_makes_of_them(arrivals: Arrivals) -> None:
    """Customers change, enter and leave parties, parties vanish and come back, and a rule changes: in any order."""
    chance = random.Random(20261125)
    sent: set[tuple[str, str]] = set()
    build(*SEEDS)
    for day in range(6):
        for source, table in (("core_banking", "customer"), ("card", "cardholder")):
            rows = []
            for number in chance.sample(PEOPLE, 3):
                rows.append(customer(source, number, "U" if (source, number) in sent else "I", day * 20, chance))
                sent.add((source, number))
            arrivals.receive(source, DAY + timedelta(days=day), {table: rows})
        for source, number in sorted(sent):
            if chance.random() < 0.4 or not arrivals.rows(
                "select 1 from identity.party_source where source_system = %s and customer_id = %s", source, number
            ):
                place(arrivals, source, number, f"p{chance.choice(PEOPLE)}")
        build(*MODELS)
    assert differences(arrivals) == {}
    assert arrivals.rows("select count(*) > 0 from core.bridge_party_attribute where is_conflict") == [(True,)]
    assert arrivals.rows("select count(distinct customer_key) from core.bridge_party_attribute") == [(len(sent),)]

    # nothing but events: one party takes in all of the core bank's customers, the others lose them
    for source, number in sorted(sent):
        if source == "core_banking":
            place(arrivals, source, number, "pGOLD")
    build(*MODELS)
    assert differences(arrivals) == {}
    parties = arrivals.rows("select count(distinct party_key) from core.bridge_party_source")
    assert arrivals.rows("select count(*) from core.dim_party where is_current and party_key > 0") == parties

    # nothing but a rule
    before = arrivals.rows("select * from core.dim_party where is_current and party_key > 0 order by party_key")
    arrivals.session.execute(
        "update core.survivorship_rule set first_criterion = 'completeness', second_criterion = null"
    )
    build(*MODELS)
    assert differences(arrivals) == {}
    assert arrivals.rows("select * from core.dim_party where is_current and party_key > 0 order by party_key") != before

    build(*MODELS)  # nothing new: nothing changes
    assert differences(arrivals) == {}


def test_a_rule_begins_and_ends_for_all_parties_on_its_day(arrivals: Arrivals) -> None:
    """The business date brings a rule into force, not the clock; also for parties that nothing else touches."""
    chance = random.Random(2)
    build(*SEEDS)
    arrivals.session.execute(
        "update core.survivorship_rule set first_criterion = 'source_priority' where attribute_name = 'party_name'"
    )
    arrivals.session.execute(
        "insert into core.survivorship_attribute_source values ('party_name', 'card', 0, %s, %s, 'for a day')",
        [DAY + timedelta(days=2), DAY + timedelta(days=3)],
    )
    for source, table in (("core_banking", "customer"), ("card", "cardholder")):
        row = customer(source, PEOPLE[0], "I", 0, chance)
        row[next(name for name in row if name.endswith("_name"))] = source
        arrivals.receive(source, DAY, {table: [row]})
        place(arrivals, source, PEOPLE[0], "pNAMED")
    build(*MODELS)
    names = []
    for days in (1, 2, 3):
        other = customer("core_banking", PEOPLE[1], "I" if days == 1 else "U", days * 20, chance)
        arrivals.receive("core_banking", DAY + timedelta(days=days), {"customer": [other]})
        build(*MODELS)
        names += arrivals.rows("select party_name from core.dim_party where party_id = 'pNAMED' and is_current")
    assert names == [("core_banking",), ("card",), ("core_banking",)]
    assert differences(arrivals) == {}


def test_only_touched_parties_are_written(arrivals: Arrivals) -> None:
    chance = random.Random(1)
    build(*SEEDS)
    arrivals.receive("core_banking", DAY, {"customer": [customer("core_banking", n, "I", 0, chance) for n in PEOPLE]})
    for number in PEOPLE:
        place(arrivals, "core_banking", number, f"p{number}")
    build(*MODELS)
    # xmin tells the transaction that wrote a row
    written = "select customer_id, min(xmin::text) from core.bridge_party_attribute group by customer_id order by 1"
    before = dict(arrivals.rows(written))
    assert before.keys() == set(PEOPLE)
    place(arrivals, "core_banking", PEOPLE[0], f"p{PEOPLE[1]}")
    changed = customer("core_banking", PEOPLE[2], "U", 20, chance) | {"mobile": "13500000001"}
    arrivals.receive("core_banking", DAY + timedelta(days=1), {"customer": [changed]})
    build(*MODELS)
    after = dict(arrivals.rows(written))
    assert {number for number in PEOPLE if after[number] != before[number]} == set(PEOPLE[:3])
    assert arrivals.rows(
        "select mobile, valid_to from core.dim_party where party_id = %s order by valid_from desc limit 1",
        f"p{PEOPLE[2]}",
    ) == [("13500000001", END)]
    assert arrivals.rows(f"select count(*) from core.dim_party where party_id = 'p{PEOPLE[0]}'") == [(0,)]
