"""The rules of who is one party, without a database: properties over worlds that hypothesis makes up."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from identity.name import name_key, names_match
from identity.placement import Customer, Event, Key, Review, ScoredPair, own_party_id, place
from identity.rules import load_rules

RULES = load_rules()
DAY = date(2026, 11, 1)
_START = datetime(2026, 10, 31, 18, tzinfo=UTC)
_CONTROLLERS = {"core_banking": "bank", "card": "bank", "grid_billing": "grid", "retail": "retailer"}


def customer(
    source: str, number: str, identifier: str | None, name: str = "张伟民", basis: bool = True, day: int = 0
) -> Customer:
    """One newcomer."""
    return Customer(
        key=(source, number),
        controller_id=_CONTROLLERS[source],
        party_kind="person",
        name_key=name,
        identifier_kind="resident_id" if identifier else None,
        identifier=identifier,
        identifier_state="valid" if identifier else "missing",
        has_basis=basis,
        known_at=_START + timedelta(days=day),
    )


def apply(customers: list[Customer], events: list[Event]) -> None:
    """Take the decisions over, as the database does."""
    by_key = {one.key: one for one in customers}
    for event in events:
        if event.event_type != "conflict":
            assert by_key[event.key].last_event_id == event.previous_event_id
            by_key[event.key].party_id, by_key[event.key].last_event_id = event.party_id, event.event_id
    for one in customers:
        one.is_pending = False


def parties(customers: list[Customer]) -> set[frozenset[Key]]:
    """The partition that the customers stand in."""
    members: dict[str, set[Key]] = {}
    for one in customers:
        assert one.party_id is not None
        members.setdefault(one.party_id, set()).add(one.key)
    return {frozenset(keys) for keys in members.values()}


_WORLD = st.lists(
    st.builds(
        lambda source, identifier, name, basis, day: (source, identifier, name, basis, day),
        st.sampled_from(sorted(_CONTROLLERS)),
        st.sampled_from([None, "A", "A", "B", "C"]),
        st.sampled_from(["张伟民", "张伟民", "李芳"]),
        st.booleans(),
        st.integers(0, 2),
    ),
    max_size=9,
)


def world(rows: list[tuple]) -> list[Customer]:
    return [customer(row[0], f"{n:03d}", *row[1:]) for n, row in enumerate(rows)]


@settings(deadline=None)
@given(_WORLD, st.booleans())
def test_what_never_happens(rows: list[tuple], at_once: bool) -> None:
    """No two customers of one source, no strangers, no two controllers without a basis, in one party; ever."""
    customers = world(rows)
    batches = [customers] if at_once else [[c for c in customers if (c.known_at - _START).days == d] for d in range(3)]
    known: list[Customer] = []
    for batch in batches:
        known += batch
        apply(known, place(known, RULES, DAY).events)
        assert place(known, RULES, DAY).events == [], "nothing is pending, nothing happens"
    for party in parties(known):
        members = [one for one in known if one.key in party]
        assert len({one.key[0] for one in members}) == len(members)
        assert len(members) == 1 or len({one.identifier for one in members}) == 1
        assert len({one.name_key for one in members}) == 1
        controllers = {one.controller_id for one in members}
        assert len(controllers) == 1 or controllers == {one.controller_id for one in members if one.has_basis}
        assert all(one.party_id in {own_party_id(key) for key in party} for one in members)


@settings(deadline=None)
@given(_WORLD, st.randoms(use_true_random=False))
def test_the_order_of_rows_in_a_batch_does_not_matter(rows: list[tuple], random) -> None:
    one, other = world(rows), world(rows)
    random.shuffle(other)
    apply(one, place(one, RULES, DAY).events)
    apply(other, place(other, RULES, DAY).events)
    assert {c.key: c.party_id for c in one} == {c.key: c.party_id for c in other}


@settings(deadline=None)
@given(st.permutations(sorted(_CONTROLLERS)), st.lists(st.booleans(), min_size=4, max_size=4))
def test_the_order_of_arrival_does_not_change_who_is_one_party(order: list[str], basis: list[bool]) -> None:
    """One person, one customer a source, arriving in any order over four days."""

    def arrive(sources: list[str]) -> set[frozenset[Key]]:
        known: list[Customer] = []
        for day, source in enumerate(sources):
            known.append(customer(source, "1", "A", basis=basis[sorted(_CONTROLLERS).index(source)], day=day))
            apply(known, place(known, RULES, DAY).events)
        return parties(known)

    assert arrive(list(order)) == arrive(sorted(_CONTROLLERS))


def test_duplicates_of_one_source_stay_apart_and_the_earliest_known_gets_the_link() -> None:
    customers = [
        customer("core_banking", "2", "A", day=1),
        customer("core_banking", "1", "A", day=0),
        customer("grid_billing", "9", "A", day=2),
    ]
    events = place(customers, RULES, DAY).events
    apply(customers, events)
    assert parties(customers) == {
        frozenset({("core_banking", "1"), ("grid_billing", "9")}),
        frozenset({("core_banking", "2")}),
    }
    assert [(e.key[1], e.reason, e.other_party_id) for e in events if e.event_type == "conflict"] == [
        ("2", "same_source", own_party_id(("core_banking", "1")))
    ]


def test_without_a_basis_nothing_is_linked_and_nothing_said() -> None:
    customers = [customer("core_banking", "1", "A", basis=False), customer("grid_billing", "9", "A", name="李芳")]
    events = place(customers, RULES, DAY).events
    assert [(e.event_type, e.reason) for e in events] == [("create", "identifier_valid")] * 2


def test_a_basis_joins_parties_and_its_end_parts_them_again_with_the_same_ids() -> None:
    bank, card = customer("core_banking", "1", "A", basis=False), customer("card", "5", "A", basis=False)
    grid = customer("grid_billing", "9", "A")
    customers = [bank, card, grid]
    apply(customers, place(customers, RULES, DAY).events)
    founder = own_party_id(("card", "5"))
    assert {one.key: one.party_id for one in customers} == {
        card.key: founder,
        bank.key: founder,
        grid.key: own_party_id(grid.key),
    }
    bank.has_basis = bank.is_pending = True
    events = place(customers, RULES, DAY).events
    assert [(e.event_type, e.key, e.reason, e.basis) for e in events] == [
        ("link", grid.key, "parties_joined", "matching_basis")
    ]
    apply(customers, events)
    bank.has_basis, bank.is_pending = False, True
    events = place(customers, RULES, DAY).events
    assert [(e.event_type, e.key, e.reason) for e in events] == [("unlink", grid.key, "matching_basis_ended")]
    apply(customers, events)
    assert grid.party_id == own_party_id(grid.key) and bank.party_id == card.party_id == founder


def test_a_changed_identifier_is_reviewed_and_links_nothing() -> None:
    bank = customer("core_banking", "1", "A")
    apply([bank], place([bank], RULES, DAY).events)
    bank.identifier, bank.has_other_identifier, bank.is_pending = "B", True, True
    newcomer = customer("grid_billing", "9", "B", day=1)
    events = place([bank, newcomer], RULES, DAY).events
    assert [(e.event_type, e.key[0], e.reason) for e in events] == [
        ("create", "grid_billing", "identifier_valid"),
        ("conflict", "core_banking", "identifier_changed"),
        ("conflict", "grid_billing", "identifier_under_review"),
    ]


def test_an_identifier_held_by_many_identifies_nobody() -> None:
    customers = [customer("core_banking", str(n), "A") for n in range(4)] + [customer("grid_billing", "9", "A")]
    events = place(customers, RULES, DAY).events
    assert sum(e.event_type == "create" for e in events) == 5
    assert {e.reason for e in events if e.event_type == "conflict"} == {"identifier_overused"}


def likely(one: Customer, other: Customer, weight: float = 20.0, is_match: bool = True) -> ScoredPair:
    """What the model thinks of two customers."""
    left, right = sorted((one.key, other.key))
    return ScoredPair(left, right, weight, 0.999, is_match, "test")


_HOSTILE = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 8), st.floats(-5, 60), st.booleans()),
    max_size=20,
)
_NAMES = ["张伟民", "张伟民", "張偉民", "张伟国", "李芳", "", "?", "张?民"]


@settings(deadline=None)
@given(_WORLD, st.lists(st.sampled_from(_NAMES), min_size=9, max_size=9), _HOSTILE, st.booleans())
def test_no_pair_however_likely_merges_strangers(
    rows: list[tuple], names: list[str], pairs: list[tuple[int, int, float, bool]], at_once: bool
) -> None:
    """Missing, contradictory and hostile identifiers: whatever the model says, the rules hold, on every day."""
    customers = world(rows)
    for one, name in zip(customers, names, strict=False):
        one.name_key = name_key(name, "person", [])
    asked: list[Review] = []
    known: list[Customer] = []
    for day in range(1 if at_once else 3):
        known += customers if at_once else [c for c in customers if (c.known_at - _START).days == day]
        held = {one.key for one in known}
        scored = {
            (pair.left, pair.right): pair
            for a, b, weight, is_match in pairs
            if a < len(customers) and b < len(customers) and a != b
            for pair in [likely(customers[a], customers[b], weight, is_match)]
            if {pair.left, pair.right} <= held and (customers[a].is_pending or customers[b].is_pending)
        }
        decided = place(known, RULES, DAY, list(scored.values()))
        asked += decided.reviews
        apply(known, decided.events)
        again = place(known, RULES, DAY)
        assert again.events == [] and again.reviews == []
    by_key = {one.key: one for one in known}
    for party in parties(known):
        members = [one for one in known if one.key in party]
        assert len({one.key[0] for one in members}) == len(members), "two customers of one source"
        assert len({one.identifier for one in members} - {None}) <= 1, "contradictory valid identifiers"
        controllers = {one.controller_id for one in members}
        assert len(controllers) == 1 or controllers == {one.controller_id for one in members if one.has_basis}
        if len(members) > 1:
            assert all(one.name_key for one in members), "a customer without a name joins nobody"
            assert all(one.name_key != "李芳" for one in members) or len({one.name_key for one in members}) == 1
    for question in asked:
        left, right = by_key[question.left], by_key[question.right]
        assert left.party_kind == right.party_kind


def test_the_model_joins_one_name_and_leaves_brothers_apart() -> None:
    bank, grid = customer("core_banking", "1", "A", name="张建国"), customer("grid_billing", "9", None, name="张建国")
    brother = customer("card", "5", None, name="张建军")
    decided = place([bank, grid, brother], RULES, DAY, [likely(bank, grid), likely(bank, brother, 30.0)])
    links = [(e.key, e.rule, e.reason, e.basis) for e in decided.events if e.event_type == "link"]
    assert links == [(grid.key, "model", "alike", "matching_basis")]
    assert [(r.left, r.right, r.reason) for r in decided.reviews] == [(brother.key, bank.key, "names_differ")]
    assert not names_match("张建国", "张建军")


def test_likely_duplicates_of_one_source_are_a_question_and_the_likeliest_gets_the_link() -> None:
    first, second = customer("core_banking", "1", None), customer("core_banking", "2", None)
    card = customer("card", "5", None)
    pairs = [likely(first, second, 40.0), likely(second, card, 30.0), likely(first, card, 20.0)]
    decided = place([first, second, card], RULES, DAY, pairs)
    apply([first, second, card], decided.events)
    assert second.party_id == card.party_id != first.party_id
    assert [(r.left, r.right, r.reason) for r in decided.reviews] == [(first.key, second.key, "same_source")]


def test_contradictory_numbers_are_never_one_party_however_alike() -> None:
    bank, card = customer("core_banking", "1", "A"), customer("card", "5", "B")
    decided = place([bank, card], RULES, DAY, [likely(bank, card, 60.0)])
    assert {event.event_type for event in decided.events} == {"create"}
    assert [review.reason for review in decided.reviews] == ["identifiers_differ"]
    undecided = place([bank, card], RULES, DAY, [likely(bank, card, 5.0, is_match=False)])
    assert undecided.reviews == [], "two valid numbers are no question"


def test_a_renamed_firm_is_known_by_its_number_and_its_phone() -> None:
    def firm(source: str, name: str, phone: str | None) -> Customer:
        one = customer(source, "1", "91330106MA2", name=name)
        one.party_kind, one.identifier_kind, one.phone_key = "firm", "uscc", phone
        return one

    for phone, joined in (("057188881234", True), (None, False)):
        bank, grid = firm("core_banking", "杭州鼎盛机械", phone), firm("grid_billing", "杭州金桥软件", phone)
        decided = place([bank, grid], RULES, DAY, [likely(bank, grid)])
        apply([bank, grid], decided.events)
        assert (bank.party_id == grid.party_id) is joined
        assert [review.reason for review in decided.reviews] == ([] if joined else ["names_differ"])
