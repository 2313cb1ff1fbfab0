"""What waits for a steward, and what stewards decide: decisions stand above rules and models (DESIGN decision 7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row

from identity.judgement import Key
from identity.placement import own_party_id, place
from identity.resolution import ONE_RESOLVER, append, concerned_customers, judgements, note_likely
from identity.rules import load_rules

Verdict = Literal["link", "unlink", "dismiss"]


class StewardRefused(Exception):
    """A decision that cannot be; the message says why."""


@dataclass(frozen=True)
class Item:
    """One thing that waits for a steward (a row of ``identity.steward_queue``).

    Attributes:
        item: its number; P: a pair found by a model, E: a conflict in the log of events.
        reason: what was found.
        match_probability: of the model, 0 to 1; None where an identifier names the pair.
        right_customer_id: None where there is no other customer to compare with.
    """

    item: str
    found_at: datetime
    reason: str
    match_probability: float | None
    left_source_system: str
    left_customer_id: str
    right_source_system: str | None
    right_customer_id: str | None
    left_party_id: str
    right_party_id: str | None

    @property
    def left(self) -> Key:
        """The customer of whom it is told."""
        return self.left_source_system, self.left_customer_id

    @property
    def right(self) -> Key | None:
        """The one to compare it with."""
        if self.right_source_system is None or self.right_customer_id is None:
            return None
        return self.right_source_system, self.right_customer_id


@dataclass(frozen=True)
class Decided:
    """What became of a decision.

    Attributes:
        decision_id: its number.
        decided_by: the database login.
        moved: customers that changed their party, with the party left and the party entered.
    """

    decision_id: int
    decided_by: str
    moved: list[tuple[Key, str, str]]


_MASKED_NAME = """
case
    when customer_name is null then null
    when party_kind = 'firm' then left(customer_name, 4) || '****'
    else left(customer_name, 1) || repeat('*', greatest(least(length(customer_name) - 1, 4), 1))
end"""
_MASKED_NUMBER = "'****' || right(id_number, 4)"

_EVIDENCE = """
select
    placed.party_id, stood.controller_id, stood.party_kind, {name} as customer_name, stood.id_type,
    {number} as id_number, stood.identifier_state, stood.has_matching_basis, stood.first_known_at,
    (
        select count(*) from identity.party_source as fellow where fellow.party_id = placed.party_id
    ) as customers_of_party
from identity.standardised_customer as stood
inner join identity.party_source as placed using (source_system, customer_id)
where (source_system, customer_id) = (%s, %s)
"""


def queue(session: psycopg.Connection[Any], item: str | None = None, limit: int | None = None) -> list[Item]:
    """What waits, likeliest first, then newest.

    Args:
        session: a login that may read ``identity``.
        item: only those whose number begins so.
        limit: at most so many.
    """
    with session.cursor(row_factory=class_row(Item)) as cursor:
        return cursor.execute(
            "select * from identity.steward_queue where %(item)s::text is null or starts_with(item, %(item)s) "
            "order by match_probability desc nulls last, found_at desc, item limit %(limit)s",
            {"item": item, "limit": limit},
        ).fetchall()


def evidence(session: psycopg.Connection[Any], key: Key, clear: bool = False) -> dict[str, object]:
    """What identity knows of a customer; name and number masked, unless asked otherwise.

    Args:
        session: a login that may read ``identity``.
        key: source system and customer id.
        clear: show name and number as they are.

    Raises:
        StewardRefused: there is no such customer.
    """
    shown = (
        {"name": "customer_name", "number": "id_number"} if clear else {"name": _MASKED_NAME, "number": _MASKED_NUMBER}
    )
    cursor = session.execute(_EVIDENCE.format(**shown), key)  # type: ignore[call-overload]
    row = cursor.fetchone()
    if row is None:
        raise StewardRefused(f"{'/'.join(key)} is no customer that stands in a party")
    return dict(zip((column.name for column in cursor.description or ()), row, strict=True))


def decisions(session: psycopg.Connection[Any], key: Key) -> list[tuple[int, str, str, str, str, str, datetime]]:
    """What was decided about a customer: number, verdict, both customers, reason, login and time, oldest first."""
    return session.execute(
        "select decision_id, verdict, left_source_system || '/' || left_customer_id, "
        "coalesce(right_source_system || '/' || right_customer_id, ''), reason, decided_by, decided_at "
        "from identity.decision where (left_source_system, left_customer_id) = (%(source)s, %(id)s) "
        "or (right_source_system, right_customer_id) = (%(source)s, %(id)s) order by decision_id",
        {"source": key[0], "id": key[1]},
    ).fetchall()


def decide(session: psycopg.Connection[Any], verdict: Verdict, one: Key, other: Key | None, reason: str) -> Decided:
    """Record a decision as the session's login and carry it out: who moves is appended to the log of events.

    ``link`` joins the parties of two customers, also where rules speak against it or both are of one source; the party
    first known keeps its id. ``unlink`` parts them, now and for good; those who leave get the id of their first known
    customer, which is the one they had if they ever were a party. ``dismiss`` moves nobody. Core follows at the next
    build.

    Args:
        session: a login that may write to ``identity``, in no transaction.
        verdict: see above.
        one: a customer.
        other: the other one; None only where an item of the queue that names one customer is dismissed.
        reason: why, in words; kept.

    Raises:
        StewardRefused: a customer stands in no party, the reason is empty, both are the same, a controller has no
            basis for matching, or an earlier judgement of other customers of the two parties says the contrary.
    """
    if not reason.strip():
        raise StewardRefused("a decision needs a reason in words")
    pair = sorted({one, other} - {None})  # type: ignore[type-var]
    if verdict != "dismiss" and len(pair) != 2:
        raise StewardRefused(f"{verdict} is about two customers")
    with session.transaction(), session.cursor() as cursor:
        cursor.execute("set transaction isolation level read committed")  # see what the one before has appended
        cursor.execute("select pg_advisory_xact_lock(%s)", [ONE_RESOLVER])
        for key in pair:
            evidence(session, key)
        decision_id, decided_at, decided_by = _record(cursor, verdict, pair, reason)  # type: ignore[arg-type]
        # Until a steward has judged, a customer whose identifier changed links nothing: now one has.
        for key in pair:
            cursor.execute(
                "update identity.standardised_customer set has_other_identifier = false "
                "where has_other_identifier and (source_system, customer_id) = (%s, %s)",
                key,
            )
        moved = [] if verdict == "dismiss" else _carry_out(cursor, verdict, pair, decided_at)  # type: ignore[arg-type]
    return Decided(decision_id, decided_by, moved)


def _record(
    cursor: psycopg.Cursor[Any], verdict: Verdict, pair: Sequence[Key], reason: str
) -> tuple[int, datetime, str]:
    left, right = pair[0], pair[1] if len(pair) > 1 else (None, None)
    recorded = cursor.execute(
        "insert into identity.decision (verdict, left_source_system, left_customer_id, right_source_system, "
        "right_customer_id, reason) values (%s, %s, %s, %s, %s, %s) returning decision_id, decided_at, decided_by",
        [verdict, *left, *right, reason],
    ).fetchone()
    return recorded  # type: ignore[return-value]


def _carry_out(
    cursor: psycopg.Cursor[Any], verdict: Verdict, pair: Sequence[Key], decided_at: datetime
) -> list[tuple[Key, str, str]]:
    """Place the customers of both parties anew under the judgements, and append who moves."""
    cursor.execute(
        "create temporary table changed_customer on commit drop as "
        "select *, false as is_pending from identity.standardised_customer "
        "where (source_system, customer_id) in ((%s, %s), (%s, %s))",
        [*pair[0], *pair[1]],
    )
    note_likely(cursor, [])
    customers = {customer.key: customer for customer in concerned_customers(cursor)}
    judged = judgements(cursor)
    day = cursor.execute("select max(business_date) from identity.event").fetchone()
    rules = load_rules()
    events = place(customers.values(), rules, day[0], judged=judged).events  # type: ignore[index]
    party_of = {key: customer.party_id or own_party_id(key) for key, customer in customers.items()}
    moved = [(event.key, party_of[event.key], event.party_id) for event in events]
    party_of |= {event.key: event.party_id for event in events}
    if verdict == "link" and party_of[pair[0]] != party_of[pair[1]]:
        sides = [[key for key, party in party_of.items() if party == party_of[one]] for one in pair]
        if (decision := judged.keeping_apart(*sides)) is not None:
            raise StewardRefused(f"decision {decision} keeps customers of these two parties apart: link those first")
        raise StewardRefused("the customers are of two controllers, and one of them has no legal basis for matching")
    append(cursor, events, rules, day[0], decided_at)  # type: ignore[index]
    return moved
