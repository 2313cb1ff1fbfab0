"""Who is one party: pure rules over customers that share an identifier or that the model finds alike. No database here.

Identifiers go first, then pairs of customers in the order of their match weight. What speaks against a party speaks
against it whoever proposes it; a likely pair that is kept apart is a steward's question.

A party holds at most one customer of a source, unless a steward linked more. Customers of several controllers stand in
one party only while each of these controllers has a legal basis for matching (DESIGN 8; PIPL art. 13), shown by any of
its customers in the party: a person gives a consent to a legal entity, not to one of its numbers. Within that, what a
steward has judged of a pair wins.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import combinations
from typing import NamedTuple

from identity.judgement import Judgements, Key, Pair
from identity.name import names_agree, names_match
from identity.rules import Rules

_NOTHING_JUDGED = Judgements()

_LIKE_BY_MODEL = 0.6  # least likeness of the names of all in a party; the two that the model joins must be one name


@dataclass(slots=True)
class Customer:
    """One customer of one source, standardised.

    Attributes:
        key: source system and the source's customer id.
        controller_id: the legal entity that keeps the data.
        party_kind: ``person`` or ``firm``.
        name_key: see :func:`identity.name.name_key`.
        identifier_kind: kind of the identifier, where there is one.
        identifier: its valid written form, else None.
        identifier_state: why there is one or none.
        has_basis: the controller may match this customer with other controllers' customers.
        known_at: time at which the customer was first received.
        party_id: the party it stands in; None for a newcomer.
        last_event_id: the event that put it there; None for a newcomer.
        is_pending: to be looked at in this run.
        phone_key: the usable phone number, None where it has none or many share it.
        door: the same of its address.
        has_other_identifier: it stood in its party under another valid identifier, or joined others without one:
            what it now shows is for a steward to judge, so nothing links by it.
    """

    key: Key
    controller_id: str
    party_kind: str
    name_key: str
    identifier_kind: str | None
    identifier: str | None
    identifier_state: str
    has_basis: bool
    known_at: datetime
    party_id: str | None = None
    last_event_id: str | None = None
    is_pending: bool = True
    has_other_identifier: bool = False
    phone_key: str | None = None
    door: str | None = None

    @property
    def order(self) -> tuple[datetime, Key]:
        """Who was known first; ties by source and number, compared by code point."""
        return self.known_at, self.key


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """Two customers that the model compared.

    Attributes:
        left, right: the two, in order.
        weight: base 2 logarithm of the odds that they are one.
        probability: the same between 0 and 1.
        is_match: it lies in the upper band; else for review.
        model_version: whose weights these are.
    """

    left: Key
    right: Key
    weight: float
    probability: float
    is_match: bool
    model_version: str


@dataclass(slots=True)
class Review:
    """Two customers that may be one party and are kept apart until a steward has judged."""

    left: Key
    right: Key
    reason: str
    scored: ScoredPair | None = None


@dataclass(slots=True)
class Event:
    """What was decided about one customer (one row of ``identity.event``)."""

    event_id: str
    previous_event_id: str | None
    event_type: str
    party_id: str
    other_party_id: str | None
    key: Key
    rule: str
    reason: str
    basis: str | None
    decision_id: int | None = None
    scored: ScoredPair | None = None


@dataclass(slots=True)
class Decisions:
    """What is decided about customers, and what is left to a steward."""

    events: list[Event]
    reviews: list[Review]


class _Cause(NamedTuple):
    """Why a customer is moved, where no identifier moves it."""

    rule: str
    reason: str
    decision_id: int | None = None
    scored: ScoredPair | None = None


@dataclass(slots=True)
class _Conflict:
    """Why a customer was not joined with an elder one, or why nothing links by its identifier."""

    customer: Customer
    elder: Customer | None
    rule: str
    reason: str
    occasion: str = ""


@dataclass(slots=True)
class _Party:
    party_id: str
    is_new: bool
    members: list[Customer] = field(default_factory=list)

    @property
    def age(self) -> tuple[bool, datetime, Key]:
        """Order of parties: standing ones first, then by their first member."""
        return (self.is_new, *min(member.order for member in self.members))

    @property
    def keys(self) -> frozenset[Key]:
        return frozenset(member.key for member in self.members)


def own_party_id(key: Key) -> str:
    """Return the id of the party that a customer founds: always the same, never another customer's."""
    return "p" + hashlib.sha256("\x1f".join(key).encode()).hexdigest()[:20]


def place(
    customers: Iterable[Customer],
    rules: Rules,
    business_date: date,
    pairs: Sequence[ScoredPair] = (),
    judged: Judgements = _NOTHING_JUDGED,
) -> Decisions:
    """Decide for every pending customer, and for whom its party draws along.

    Args:
        customers: the pending ones, all others that share an identifier or a scored pair with them or that a steward
            linked with them, and all members of the parties of any of these.
        rules: the rules of resolution.
        business_date: the day of the data; of the changes of an identifier each day's is a conflict of its own.
        pairs: pairs in the upper two bands, each with a pending customer.
        judged: what stewards have judged.
    """
    everyone = {customer.key: customer for customer in customers}
    parties: dict[str, _Party] = {}
    for customer in everyone.values():
        party_id = customer.party_id or own_party_id(customer.key)
        parties.setdefault(party_id, _Party(party_id, customer.party_id is None)).members.append(customer)
    party_of = {member.key: party for party in parties.values() for member in party.members}
    left: dict[Key, _Cause] = {}
    for party in list(parties.values()):
        for side, cause in [*_split_without_basis(party), *_split_judged(party, judged)]:
            for member in side.members:
                party_of[member.key] = side
                left[member.key] = cause
    joined = _join_judged(party_of, judged)
    conflicts = [
        _Conflict(one, None, "same_customer", "identifier_changed", business_date.isoformat())
        for one in everyone.values()
        if one.is_pending and one.has_other_identifier
    ]
    reviews: dict[tuple[Key, Key], Review] = {}
    for kind, group in _groups(everyone.values()):
        for conflict in _join_group(group, party_of, rules, kind, judged):
            conflicts.append(conflict)
            if conflict.elder is not None:
                pair = _ordered(conflict.elder.key, conflict.customer.key)
                reviews.setdefault(pair, Review(*pair, conflict.reason))
    joined |= _join_pairs(pairs, everyone, party_of, reviews, judged)
    events = [
        event
        for customer in everyone.values()
        if (
            event := _membership_event(
                customer, party_of[customer.key], left.get(customer.key), joined.get(customer.key)
            )
        )
    ]
    open_reviews = [one for one in reviews.values() if party_of[one.left] is not party_of[one.right]]
    still = [event for conflict in conflicts if (event := _conflict_event(conflict, party_of))]
    return Decisions(events + still, open_reviews)


def _ordered(one: Key, other: Key) -> tuple[Key, Key]:
    return (one, other) if one < other else (other, one)


def _join_pairs(
    pairs: Sequence[ScoredPair],
    everyone: dict[Key, Customer],
    party_of: dict[Key, _Party],
    reviews: dict[tuple[Key, Key], Review],
    judged: Judgements,
) -> dict[Key, _Cause]:
    """Join the parties of likely pairs where nothing speaks against it, likeliest first; note what is for review.

    What a steward has judged is no question any more.

    Returns:
        Why those moved that were moved.
    """
    causes: dict[Key, _Cause] = {}
    scored = {(pair.left, pair.right) for pair in pairs}
    for pair in sorted(pairs, key=lambda pair: (-pair.weight, pair.left, pair.right)):
        left, right = everyone[pair.left], everyone[pair.right]
        one, other = sorted((party_of[left.key], party_of[right.key]), key=_age)
        if one is other or not _may_match(one.members + other.members):
            continue
        if judged.keeping_apart(one.keys, other.keys) is not None:
            continue
        reason = "review_band" if not pair.is_match else _obstacle_of_pair(left, right, one, other)
        known = reviews.get((pair.left, pair.right))
        if reason is None:
            for member in other.members:
                how = "alike" if member.party_id is None else "parties_joined"
                causes[member.key] = _Cause("model", how, scored=pair)
            _merge(one, other, party_of)
        elif known:
            known.scored = pair
        elif _is_question(left, right, reason) and not _is_asked(left, right, one, other, scored):
            reviews[pair.left, pair.right] = Review(pair.left, pair.right, reason, pair)
    return causes


def _obstacle_of_pair(left: Customer, right: Customer, one: _Party, other: _Party) -> str | None:
    """Return what speaks against joining the parties of a likely pair, None where nothing does."""
    obstacle = _obstacle(one, other, 0.0 if _is_renamed(left, right) else _LIKE_BY_MODEL, _NOTHING_JUDGED)
    if obstacle is None and not names_match(left.name_key, right.name_key) and not _is_renamed(left, right):
        return "names_differ"
    return obstacle


def _is_renamed(left: Customer, right: Customer) -> bool:
    """Say whether two firms hold one number and one phone or address: then the name may be the former one."""
    return (
        left.party_kind == "firm"
        and left.identifier is not None
        and (left.identifier_kind, left.identifier) == (right.identifier_kind, right.identifier)
        and (
            (left.phone_key is not None and left.phone_key == right.phone_key)
            or (left.door is not None and left.door == right.door)
        )
    )


def _is_question(left: Customer, right: Customer, reason: str) -> bool:
    """Say whether a steward could tell: strangers of one household are none, nor are two numbers of one kind."""
    both_valid = left.identifier_kind == right.identifier_kind and left.identifier and right.identifier
    if both_valid and left.identifier != right.identifier and reason == "review_band":
        return False
    return names_agree(left.name_key, right.name_key, _LIKE_BY_MODEL)


def _is_asked(left: Customer, right: Customer, one: _Party, other: _Party, scored: set[tuple[Key, Key]]) -> bool:
    """Say whether what stands between two parties is a question of its own: two customers of one source."""
    return left.key[0] != right.key[0] and any(
        a.key[0] == b.key[0] and _ordered(a.key, b.key) in scored for a in one.members for b in other.members
    )


def _groups(customers: Iterable[Customer]) -> Iterator[tuple[str, list[Customer]]]:
    """Yield the customers of each identifier with its kind, where at least one of several is pending."""
    groups: dict[tuple[str, str, str], list[Customer]] = {}
    for customer in customers:
        if customer.identifier is not None and customer.identifier_kind is not None:
            group = (customer.party_kind, customer.identifier_kind, customer.identifier)
            groups.setdefault(group, []).append(customer)
    for (_, kind, _), members in sorted(groups.items()):
        if len(members) > 1 and any(member.is_pending for member in members):
            yield kind, sorted(members, key=lambda member: member.order)


def _join_judged(party_of: dict[Key, _Party], judged: Judgements) -> dict[Key, _Cause]:
    """Join the parties of customers that a steward linked; of two the elder keeps its id.

    Who joins may bring the basis that an earlier link lacked: links are looked at until none joins any more.

    Returns:
        Why those moved that were moved.
    """
    causes: dict[Key, _Cause] = {}
    links = sorted((item for item in judged.linked.items() if item[0] <= party_of.keys()), key=lambda linked: linked[1])
    while joinable := next((link for link in links if _is_joinable(link[0], party_of, judged)), None):
        pair, decision = joinable
        elder, younger = sorted((party_of[key] for key in pair), key=_age)
        causes |= dict.fromkeys(younger.keys, _Cause("steward", "linked_by_steward", decision))
        _merge(elder, younger, party_of)
    return causes


def _is_joinable(pair: Pair, party_of: dict[Key, _Party], judged: Judgements) -> bool:
    one, other = (party_of[key] for key in pair)
    if one is other or not _may_match(one.members + other.members):
        return False
    return judged.keeping_apart(one.keys, other.keys) is None


def _merge(elder: _Party, younger: _Party, party_of: dict[Key, _Party]) -> None:
    elder.members += younger.members
    for member in younger.members:
        party_of[member.key] = elder


def _join_group(
    group: list[Customer], party_of: dict[Key, _Party], rules: Rules, kind: str, judged: Judgements
) -> list[_Conflict]:
    """Join the parties of one identifier where nothing speaks against it, eldest first; return the conflicts."""
    sources = [member.key[0] for member in group]
    if max(sources.count(source) for source in sources) > rules.held_by_at_most:
        return [_Conflict(member, None, f"same_{kind}", "identifier_overused") for member in group if member.is_pending]
    likeness = rules.likeness_of(kind)
    parties = sorted({party_of[member.key].party_id: party_of[member.key] for member in group}.values(), key=_age)
    while pair := _first_joinable(parties, likeness, judged):
        elder, younger = pair
        _merge(elder, younger, party_of)
        parties.remove(younger)
    return list(_conflicts(group, party_of, likeness, kind, judged))


def _age(party: _Party) -> tuple[bool, datetime, Key]:
    return party.age


def _first_joinable(parties: list[_Party], likeness: float, judged: Judgements) -> tuple[_Party, _Party] | None:
    for elder, younger in combinations(parties, 2):
        members = elder.members + younger.members
        touched = any(member.is_pending for member in members)
        if touched and _may_match(members) and _obstacle(elder, younger, likeness, judged) is None:
            return elder, younger
    return None


def _may_match(members: list[Customer]) -> bool:
    """Say whether all these may stand in one party: one controller, or each with a basis."""
    controllers = {member.controller_id for member in members}
    return len(controllers) == 1 or controllers == {member.controller_id for member in members if member.has_basis}


def _obstacle(one: _Party, other: _Party, likeness: float, judged: Judgements) -> str | None:
    """Return what speaks against joining two parties that may be compared, None where nothing does."""
    if judged.keeping_apart(one.keys, other.keys) is not None:
        return "judged_apart"
    if {member.key[0] for member in one.members} & {member.key[0] for member in other.members}:
        return "same_source"
    if any(member.has_other_identifier for member in one.members + other.members):
        return "identifier_under_review"
    identifiers = {(m.identifier_kind, m.identifier) for m in one.members + other.members if m.identifier}
    if len(identifiers) > len({identifier_kind for identifier_kind, _ in identifiers}):
        return "identifiers_differ"
    if not all(names_agree(a.name_key, b.name_key, likeness) for a in one.members for b in other.members):
        return "names_differ"
    return None


def _conflicts(
    group: list[Customer], party_of: dict[Key, _Party], likeness: float, kind: str, judged: Judgements
) -> Iterator[_Conflict]:
    """Yield a conflict for each pair of customers that one identifier names and that may not be one party.

    It is the younger's. Where there is no basis nothing is said: the note itself would be a match. Nor is what a
    steward has judged.
    """
    for elder, younger in combinations(group, 2):
        one, other = party_of[elder.key], party_of[younger.key]
        if one is other or not (elder.is_pending or younger.is_pending):
            continue
        if elder.controller_id != younger.controller_id and not _may_match(one.members + other.members):
            continue
        of_one_source = elder.key[0] == younger.key[0]
        obstacle = _obstacle(one, other, likeness, judged)
        if obstacle == "judged_apart":
            continue
        reason = "same_source" if of_one_source else obstacle
        if reason is None or (reason == "same_source") != of_one_source:
            continue  # what stands between the parties is told of other customers of theirs
        yield _Conflict(younger, elder, f"same_{kind}", reason)


def _split_without_basis(party: _Party) -> list[tuple[_Party, _Cause]]:
    """Take the controllers without a basis out of a party."""
    if _may_match(party.members):
        return []
    with_basis = {member.controller_id for member in party.members if member.has_basis}
    sides: dict[str, list[Customer]] = {}
    for member in party.members:
        side = "" if member.controller_id in with_basis else member.controller_id
        sides.setdefault(side, []).append(member)
    cause = _Cause("matching_basis", "matching_basis_ended")
    return [(side, cause) for side in _take_out(party, list(sides.values()))]


def _split_judged(party: _Party, judged: Judgements) -> list[tuple[_Party, _Cause]]:
    """Take out of a party who may not stand with the others by a steward's judgement.

    The customers judged are set apart first, eldest first; every other goes with those that a steward linked it with,
    else with those that show its identifier, else with the eldest.
    """
    keys = party.keys
    parting = {pair: decision for pair, decision in judged.apart.items() if pair <= keys}
    if not parting:
        return []
    named = frozenset[Key]().union(*parting)
    sides: list[list[Customer]] = []

    def ties(member: Customer, side: list[Customer]) -> tuple[bool, bool]:
        linked = any(frozenset((member.key, other.key)) in judged.linked for other in side)
        return linked, member.identifier is not None and any(member.identifier == other.identifier for other in side)

    for member in sorted(party.members, key=lambda member: (member.key not in named, member.order)):
        open_to = [side for side in sides if judged.keeping_apart([member.key], [one.key for one in side]) is None]
        if open_to:
            max(open_to, key=lambda side: ties(member, side)).append(member)
        else:
            sides.append([member])
    cause = _Cause("steward", "unlinked_by_steward", max(parting.values()))
    return [(side, cause) for side in _take_out(party, sides)]


def _take_out(party: _Party, sides: list[list[Customer]]) -> list[_Party]:
    """Leave one side in a party, the founder's or else the eldest; return the others, each a party of its own.

    A side that leaves gets the id of its first known customer: the one it had, if it ever founded a party.
    """
    staying = next(
        (side for side in sides if any(own_party_id(member.key) == party.party_id for member in side)),
        min(sides, key=lambda side: min(member.order for member in side)),
    )
    party.members = staying
    return [
        _Party(own_party_id(min(side, key=lambda member: member.order).key), False, side)
        for side in sides
        if side is not staying
    ]


def _membership_event(customer: Customer, party: _Party, left: _Cause | None, joined: _Cause | None) -> Event | None:
    """Return the event that brings a customer into its party, None where it is there already."""
    if customer.party_id == party.party_id:
        return None
    if customer.party_id is None and party.party_id == own_party_id(customer.key):
        event_type, basis = "create", None
        cause = _Cause("first_seen", f"identifier_{customer.identifier_state}")
    elif left and _was_split_off(customer, party):
        event_type, basis, cause = "unlink", None, left
    else:
        event_type = "link"
        cause = joined or _Cause(
            f"same_{customer.identifier_kind}", "same_identifier" if customer.party_id is None else "parties_joined"
        )
        controllers = {member.controller_id for member in party.members}
        basis = "matching_basis" if len(controllers) > 1 else "same_controller"
    event_id = _event_id(event_type, customer.key, party.party_id, customer.last_event_id or "")
    return Event(
        event_id,
        customer.last_event_id,
        event_type,
        party.party_id,
        customer.party_id,
        customer.key,
        cause.rule,
        cause.reason,
        basis,
        cause.decision_id,
        cause.scored,
    )


def _was_split_off(customer: Customer, party: _Party) -> bool:
    return party.party_id in {own_party_id(m.key) for m in party.members if m.party_id == customer.party_id}


def _conflict_event(conflict: _Conflict, party_of: dict[Key, _Party]) -> Event | None:
    """Return the event that tells of a conflict, None where the two came into one party after all."""
    customer, elder = conflict.customer, conflict.elder
    party, other = party_of[customer.key], party_of[elder.key] if elder else None
    if party is other:
        return None
    other_id = other.party_id if other else None
    event_id = _event_id("conflict", customer.key, other_id or "", f"{conflict.reason}{conflict.occasion}")
    return Event(
        event_id, None, "conflict", party.party_id, other_id, customer.key, conflict.rule, conflict.reason, None
    )


def _event_id(event_type: str, key: Key, party_id: str, discriminator: str) -> str:
    """Return the hash of what happened: no personal data but the key goes into it, and no clock."""
    return hashlib.sha256("\x1f".join((event_type, *key, party_id, discriminator)).encode()).hexdigest()
