"""Judgements of stewards over worlds that hypothesis makes up: they win, they last, and ids stay."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st
from test_placement import _WORLD, DAY, RULES, apply, customer, parties, world

from identity.judgement import Judgements, Key, Pair
from identity.placement import Customer, own_party_id, place


def judge(known: list[Customer], judged: Judgements, verdict: str, pair: Pair) -> Judgements:
    """A decision more, carried out."""
    number = len(judged.linked) + len(judged.apart) + 1
    linked = {other: n for other, n in judged.linked.items() if other != pair}
    apart = {other: n for other, n in judged.apart.items() if other != pair}
    (linked if verdict == "link" else apart)[pair] = number
    judged = Judgements(linked, apart)
    apply(known, place(known, RULES, DAY, judged=judged).events)
    return judged


def may_match(members: list[Customer]) -> bool:
    controllers = {one.controller_id for one in members}
    return len(controllers) == 1 or controllers == {one.controller_id for one in members if one.has_basis}


@given(
    _WORLD.filter(lambda rows: len(rows) > 1),
    st.lists(st.tuples(st.sampled_from(["link", "unlink"]), st.integers(0, 99), st.integers(0, 99)), max_size=6),
)
def test_judgements_win_over_rules_and_outlast_them(rows: list[tuple], decisions: list[tuple]) -> None:
    known, judged = world(rows), Judgements()
    apply(known, place(known, RULES, DAY).events)
    for verdict, one, other in decisions:
        pairs = list(combinations([customer.key for customer in known], 2))
        judged = judge(known, judged, verdict, frozenset(pairs[(one * 100 + other) % len(pairs)]))
    for one in known:
        one.is_pending = True  # everything is looked at again, by the rules as they are
    apply(known, place(known, RULES, DAY, judged=judged).events)

    party_of = {key: party for party in parties(known) for key in party}
    members = {party: [one for one in known if one.key in party] for party in party_of.values()}
    for pair in judged.apart:
        one, other = pair
        assert party_of[one] is not party_of[other]
    for pair in judged.linked:
        one, other = pair
        if party_of[one] is not party_of[other]:
            both = members[party_of[one]] + members[party_of[other]]
            assert not may_match(both) or judged.keeping_apart(party_of[one], party_of[other]) is not None
    for party, those in members.items():
        assert may_match(those)
        assert {one.party_id for one in those} <= {own_party_id(key) for key in party}
    assert len({those[0].party_id for those in members.values()}) == len(members), "no two parties share an id"


def test_a_split_leaves_the_id_to_the_founder_and_the_others_go_with_whom_they_belong_to() -> None:
    known = [
        customer("core_banking", "1", "A"),
        customer("card", "2", "A", day=1),
        customer("grid_billing", "3", "A", day=2),
        customer("retail", "4", None, day=2),
    ]
    apply(known, place(known, RULES, DAY).events)
    judged = judge(known, Judgements(), "link", frozenset({("card", "2"), ("retail", "4")}))
    founder = own_party_id(("core_banking", "1"))
    assert {one.party_id for one in known} == {founder}

    judge(known, judged, "unlink", frozenset({("core_banking", "1"), ("card", "2")}))
    assert {one.key[0]: one.party_id for one in known} == {
        "core_banking": founder,
        "grid_billing": founder,
        "card": own_party_id(("card", "2")),
        "retail": own_party_id(("card", "2")),
    }


def test_those_who_were_joined_by_mistake_get_their_former_party_back() -> None:
    known: list[Customer] = [customer("core_banking", "1", "A"), customer("card", "2", "B", day=1)]
    apply(known, place(known, RULES, DAY).events)
    before = {one.key: one.party_id for one in known}
    pair: Pair = frozenset[Key](before)
    judged = judge(known, Judgements(), "link", pair)
    assert {one.party_id for one in known} == {own_party_id(("core_banking", "1"))}
    judge(known, judged, "unlink", pair)
    assert {one.key: one.party_id for one in known} == before


def test_a_later_link_brings_the_basis_that_an_earlier_one_lacked() -> None:
    known: list[Customer] = [
        customer("card", "1", None, basis=True),
        customer("grid_billing", "2", None, basis=False),
        customer("grid_billing", "3", None, basis=True),
    ]
    apply(known, place(known, RULES, DAY).events)
    judged = judge(known, Judgements(), "link", frozenset({("card", "1"), ("grid_billing", "2")}))
    assert len({one.party_id for one in known}) == 3, "the grid has no basis"
    judge(known, judged, "link", frozenset({("grid_billing", "2"), ("grid_billing", "3")}))
    assert len({one.party_id for one in known}) == 1
