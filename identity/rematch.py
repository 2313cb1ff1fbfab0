"""What matching everybody afresh would change, for approval: nothing is written (DESIGN decision 7)."""

from dataclasses import dataclass
from typing import Any

import psycopg

from identity.comparison import compare
from identity.judgement import Key
from identity.model import load_model
from identity.placement import Customer, own_party_id, place
from identity.resolution import judgements
from identity.rules import load_rules

_EVERYBODY = """
create temporary table changed_customer on commit drop as
select *, true as is_pending from identity.standardised_customer
"""

_CUSTOMERS = """
select
    source_system, customer_id, controller_id, party_kind, name_key, identifier_kind, identifier, identifier_state,
    has_matching_basis as has_basis, first_known_at as known_at, phone_key, door
from identity.standardised_customer
"""

_PLACED = "select source_system, customer_id, party_id, rule from identity.party_source"


@dataclass(frozen=True)
class Difference:
    """One customer whom a fresh matching would put elsewhere.

    Attributes:
        customer: source system and customer id.
        party_id: where it stands.
        rule: what put it there.
        change: `joined` others, or `parted` from some that it stands with.
        others: with whom it would newly stand, or from whom it would part.
    """

    customer: Key
    party_id: str
    rule: str
    change: str
    others: tuple[Key, ...]


@dataclass(frozen=True)
class Rematch:
    """What a fresh matching would change.

    Attributes:
        customers: how many were matched.
        parties: how many parties there are.
        parties_afresh: how many there would be.
        differences: customer by customer, in order.
    """

    customers: int
    parties: int
    parties_afresh: int
    differences: list[Difference]

    def __str__(self) -> str:
        joined = sum(one.change == "joined" for one in self.differences)
        return (
            f"{self.customers:,} customers are {self.parties:,} parties and would be {self.parties_afresh:,}: "
            f"{joined:,} would join others, {len(self.differences) - joined:,} would part"
        )


def rematch(connection: psycopg.Connection[Any]) -> Rematch:
    """Match all customers as if none had a party, and compare with the parties that stand.

    Customers stand as they were last standardised, and what stewards have judged holds. Everything happens in a
    transaction that is rolled back.

    Args:
        connection: a session that reads `identity`.
    """
    rules, model = load_rules(), load_model()
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        cursor.execute(_EVERYBODY)
        cursor.execute("analyze changed_customer")
        found = compare(cursor, model)
        cursor.execute(_CUSTOMERS)
        names = [column.name for column in cursor.description or ()][2:]
        customers = [
            Customer((source, number), **dict(zip(names, rest, strict=True))) for source, number, *rest in cursor
        ]
        cursor.execute(_PLACED)
        standing = {(source, number): (party, rule) for source, number, party, rule in cursor}
        judged = judgements(cursor)
    if not customers:
        return Rematch(0, 0, 0, [])
    last = max(customer.known_at for customer in customers).date()
    afresh = {customer.key: own_party_id(customer.key) for customer in customers}
    for event in place(customers, rules, last, found.pairs, judged).events:
        if event.event_type != "conflict":
            afresh[event.key] = event.party_id
    with_now = _companions({key: party for key, (party, _) in standing.items()})
    with_then = _companions(afresh)
    differences = []
    for key, (party, rule) in sorted(standing.items()):
        now, then = with_now[key], with_then.get(key, frozenset({key}))
        for change, others in (("joined", then - now), ("parted", now - then)):
            if others:
                differences.append(Difference(key, party, rule, change, tuple(sorted(others))))
    parties = len({party for party, _ in standing.values()})
    return Rematch(len(customers), parties, len(set(afresh.values())), differences)


def _companions(party_of: dict[Key, str]) -> dict[Key, frozenset[Key]]:
    members: dict[str, set[Key]] = {}
    for key, party in party_of.items():
        members.setdefault(party, set()).add(key)
    return {key: frozenset(members[party]) for key, party in party_of.items()}
