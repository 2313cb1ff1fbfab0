"""The step ``identify``: place what is new or changed, and append what was decided."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

import polars as pl
import psycopg

from identity.comparison import Comparison, compare
from identity.frames import fetched
from identity.judgement import Judgements, Key, Pair
from identity.model import load_model
from identity.placement import Customer, Event, Review, ScoredPair, place
from identity.rules import Rules, load_rules
from identity.standardise import COMPARED, standardise

ONE_RESOLVER = 3_600_360_007  # advisory lock: one resolver at a time

_AS_STAGED = (
    *("source_system", "customer_id", "controller_id", "party_kind", "customer_name", "id_type", "id_number"),
    *("phone", "address", "birth_date", "gender"),
)
_RESOLVED_BY = (*_AS_STAGED[2:], "has_matching_basis")
_COLUMNS = (
    *_AS_STAGED,
    *("has_matching_basis", "first_known_at", "identifier_state", "phone_state"),
    *COMPARED,
    *("has_other_identifier", "rule_version"),
)


def _of(table: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{table}.{column}" for column in columns)


_DIFFERS = f"({_of('staged', _RESOLVED_BY)}) is distinct from ({_of('stood', _RESOLVED_BY)})"

_CHANGED = f"""
with customers_as_staged as (
    select
        {", ".join(_AS_STAGED)}, coalesce(has_matching_basis, false) as has_matching_basis, first_known_at
    from intermediate.int_customer__identifiers
)
select
    {_of("staged", _AS_STAGED)}, staged.has_matching_basis,
    coalesce(stood.first_known_at, staged.first_known_at) as first_known_at,
    stood.customer_id is not null as is_placed,
    {_DIFFERS} as is_pending,
    stood.identifier_kind as old_kind, stood.identifier as old_identifier, stood.party_kind as old_party_kind,
    coalesce(stood.has_other_identifier, false) as has_other_identifier
from customers_as_staged as staged
left join identity.standardised_customer as stood using (source_system, customer_id)
where stood.rule_version is distinct from %(rule_version)s or {_DIFFERS}
"""

_TAKE_OVER = f"""
insert into identity.standardised_customer ({", ".join(_COLUMNS)})
select {", ".join(_COLUMNS)} from changed_customer
on conflict (source_system, customer_id) do update set
    {", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[2:])}
"""

_NOTE_CHECKS = """
insert into identity.number_check (source_system, customer_id, number_hash, identifier_state, rule_version, known_at)
select
    source_system, customer_id, md5(concat_ws(' ', id_type, id_number)), identifier_state, rule_version, %s
from changed_customer
where id_type is not null and id_number is not null
on conflict (source_system, customer_id, number_hash) do update set
    identifier_state = excluded.identifier_state, rule_version = excluded.rule_version
"""

# A customer that had no identifier and stands alone may still be linked when it gets one; in company it may not.
_HOLD_GAINED = """
with members_by_party as (
    select party_id, count(*) as members from identity.party_source group by party_id
)
update changed_customer as changed set has_other_identifier = true
from identity.standardised_customer as stood
inner join identity.party_source as placed using (source_system, customer_id)
inner join members_by_party using (party_id)
where
    (stood.source_system, stood.customer_id) = (changed.source_system, changed.customer_id)
    and stood.identifier is null and changed.identifier is not null and members_by_party.members > 1
"""

_CONCERNED = """
with placed as materialized (
    select * from identity.party_source
),
customers_of_touched_identifiers as (
    select stood.source_system, stood.customer_id
    from changed_customer as changed
    inner join identity.standardised_customer as stood using (identifier_kind, identifier, party_kind)
    union
    select source_system, customer_id from changed_customer
    union
    select judged.right_source_system, judged.right_customer_id
    from identity.judgement as judged
    inner join changed_customer as changed
        on (changed.source_system, changed.customer_id) = (judged.left_source_system, judged.left_customer_id)
    union
    select judged.left_source_system, judged.left_customer_id
    from identity.judgement as judged
    inner join changed_customer as changed
        on (changed.source_system, changed.customer_id) = (judged.right_source_system, judged.right_customer_id)
    union
    select source_system, customer_id from likely_customer
),
touched_parties as (
    select distinct party_id from placed
    inner join customers_of_touched_identifiers using (source_system, customer_id)
),
concerned as (
    select source_system, customer_id from customers_of_touched_identifiers
    union
    select source_system, customer_id from placed inner join touched_parties using (party_id)
)
select
    source_system, customer_id, stood.controller_id, stood.party_kind, stood.name_key, stood.identifier_kind,
    stood.identifier, stood.identifier_state, stood.has_matching_basis as has_basis, stood.first_known_at as known_at,
    placed.party_id, placed.event_id as last_event_id, coalesce(changed.is_pending, false) as is_pending,
    stood.has_other_identifier, stood.phone_key, stood.door
from concerned
inner join identity.standardised_customer as stood using (source_system, customer_id)
left join placed using (source_system, customer_id)
left join changed_customer as changed using (source_system, customer_id)
"""

_APPEND = """
insert into identity.event (
    event_id, previous_event_id, event_type, party_id, other_party_id, source_system, customer_id, rule,
    rule_version, reason, basis, decision_id, business_date, known_at, model_version, match_weight
)
select * from decided
on conflict (event_id) do nothing
returning event_type, reason
"""


# A question is answered when one of the two has changed and is no longer asked about, or when both are one party.
_ANSWERED = """
delete from identity.review_pair as asked
where
    (
        not exists (select from review where review.pair_id = asked.pair_id)
        and exists (
            select from changed_customer as c
            where c.is_pending and (c.source_system, c.customer_id) in (
                (asked.left_source_system, asked.left_customer_id), (asked.right_source_system, asked.right_customer_id)
            )
        )
    )
    or exists (
        select from decided as d
        inner join identity.party_source as one
            on (one.source_system, one.customer_id) = (asked.left_source_system, asked.left_customer_id)
        inner join identity.party_source as other
            on (other.source_system, other.customer_id) = (asked.right_source_system, asked.right_customer_id)
        where d.party_id = one.party_id and one.party_id = other.party_id
    )
"""

_ASK = """
insert into identity.review_pair (
    pair_id, left_source_system, left_customer_id, right_source_system, right_customer_id, match_weight,
    match_probability, reason, model_version, found_at
)
select * from review
on conflict (pair_id) do update set
    match_weight = excluded.match_weight, match_probability = excluded.match_probability, reason = excluded.reason,
    model_version = excluded.model_version
"""

_LOG_RUN = """
insert into identity.matching_run (
    business_date, rule_version, model_version, customers_changed, pairs_compared, pairs_match, pairs_review,
    pairs_no_match, largest_party
)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True)
class IdentityReport:
    """What one run decided.

    Attributes:
        business_date: the day of the data.
        changed: customers looked at: new ones and those that changed in what they are resolved by.
        created: parties founded.
        linked: customers that joined a party.
        unlinked: customers that left one because the basis for matching ended.
        conflicts: for review, by reason; nothing was moved for them.
        parties: parties that have a customer now.
        customers: customers placed in all.
        compared: pairs that the model compared.
        matches: pairs of these in the band match.
        in_review: pairs of these in the band review.
        asked: pairs that are a steward's question after the run.
        largest_party: customers of the largest party.
    """

    business_date: date
    changed: int
    created: int
    linked: int
    unlinked: int
    conflicts: dict[str, int]
    parties: int
    customers: int
    compared: int = 0
    matches: int = 0
    in_review: int = 0
    asked: int = 0
    largest_party: int = 0

    @property
    def figures(self) -> dict[str, int]:
        """What the record of the step keeps: pairs by band, and the alarm's figure."""
        return {
            "changed": self.changed,
            "linked": self.linked,
            "pairs_match": self.matches,
            "pairs_review": self.in_review,
            "pairs_no_match": self.compared - self.matches - self.in_review,
            "pairs_asked": self.asked,
            "largest_party": self.largest_party,
        }


def resolve(
    connection: psycopg.Connection[Any],
    business_date: date,
    progress: Callable[[str], None] | None = None,
    known_at: datetime | None = None,
) -> IdentityReport:
    """Place the customers of all sources into parties by identifiers and by the model, and append the decisions.

    Reads ``intermediate.int_customer__identifiers``, one transaction, one resolver at a time. Only new and changed
    customers are looked at, compared with all that stand; running again is a no-op. DESIGN decisions 7 and 8, rules in
    ``rules.yaml`` and ``model.yaml``.

    Args:
        connection: a session of the owner or the resolver.
        business_date: the day of the data, noted with every event.
        progress: told what is being done.
        known_at: time of receipt of the batches of the day, for decisions about customers known before; without
            it the latest first receipt of any customer. Newcomers carry their own.

    Raises:
        psycopg.Error: the input is missing or ``identity``'s migrations are not applied.
        identity.model.ModelError: nothing was trained for the version of the model.
    """
    rules, model = load_rules(), load_model()
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [ONE_RESOLVER])
        changed = _changed_customers(cursor, rules)
        if progress:
            progress(f"identity: {changed.height:,} customers new or changed")
        decided: dict[str, int] = {}
        conflicts: dict[str, int] = {}
        found = Comparison()
        if changed.height:
            received = known_at or cast(datetime, changed["first_known_at"].max())
            _take_over(cursor, changed, received)
            found = compare(cursor, model)
            if progress:
                progress(f"identity: {found.compared:,} pairs compared")
            note_likely(cursor, found.pairs)
            decisions = place(concerned_customers(cursor), rules, business_date, found.pairs, judged=judgements(cursor))
            newcomers = changed.filter(~pl.col("is_placed"))
            first_known = {
                (source, customer): first
                for source, customer, first in newcomers.select(
                    "source_system", "customer_id", "first_known_at"
                ).iter_rows()
            }
            for event_type, reason in append(cursor, decisions.events, rules, business_date, received, first_known):
                decided[event_type] = decided.get(event_type, 0) + 1
                if event_type == "conflict":
                    conflicts[reason] = conflicts.get(reason, 0) + 1
            _ask(cursor, decisions.reviews, received)
            cursor.execute(
                "analyze identity.event, identity.standardised_customer, identity.number_check, identity.review_pair"
            )
        cursor.execute(
            "select count(*), coalesce(sum(members), 0)::bigint, coalesce(max(members), 0) from "
            "(select count(*) as members from identity.party_source group by party_id) as party"
        )
        parties, customers, largest = cursor.fetchone() or (0, 0, 0)
        cursor.execute("select count(*) from identity.review_pair")
        (asked,) = cursor.fetchone() or (0,)
        in_review = len(found.pairs) - found.matches
        if changed.height:
            bands = (found.compared, found.matches, in_review, found.compared - len(found.pairs))
            cursor.execute(_LOG_RUN, (business_date, rules.version, model.version, changed.height, *bands, largest))
    return IdentityReport(
        business_date=business_date,
        changed=changed.height,
        created=decided.get("create", 0),
        linked=decided.get("link", 0),
        unlinked=decided.get("unlink", 0),
        conflicts=dict(sorted(conflicts.items())),
        parties=parties,
        customers=customers,
        compared=found.compared,
        matches=found.matches,
        in_review=in_review,
        asked=asked,
        largest_party=largest,
    )


def _changed_customers(cursor: psycopg.Cursor[Any], rules: Rules) -> pl.DataFrame:
    """Return the customers that are new or changed, standardised."""
    cursor.execute(_CHANGED, {"rule_version": rules.version})
    text = dict.fromkeys([*_AS_STAGED, "old_kind", "old_identifier", "old_party_kind"], pl.String)
    flags = {column: pl.Boolean for column in ("has_matching_basis", "is_placed", "is_pending", "has_other_identifier")}
    schema: dict[str, Any] = {**text, **flags, "birth_date": pl.Date, "first_known_at": pl.Datetime("us", "UTC")}
    names = [column.name for column in cursor.description or ()]
    rows = fetched(cursor, {name: schema[name] for name in names})
    if rows.is_empty():
        return rows
    had_another = pl.col("old_identifier").is_not_null() & (
        pl.col("identifier").ne_missing(pl.col("old_identifier"))
        | pl.col("identifier_kind").ne_missing(pl.col("old_kind"))
        | pl.col("party_kind").ne_missing(pl.col("old_party_kind"))
    )
    return standardise(rows, rules).with_columns(
        has_other_identifier=pl.col("has_other_identifier") | had_another,
        rule_version=pl.lit(rules.version),
        is_pending=pl.col("is_pending") | had_another,
    )


def _take_over(cursor: psycopg.Cursor[Any], changed: pl.DataFrame, received: datetime) -> None:
    """Make ``changed_customer`` for this transaction and bring the standardised customers up to date."""
    cursor.execute(
        "create temporary table changed_customer on commit drop as "
        "select *, true as is_pending from identity.standardised_customer with no data"
    )
    columns = [*_COLUMNS, "is_pending"]
    with cursor.copy(f"copy changed_customer ({', '.join(columns)}) from stdin") as copy:  # type: ignore[arg-type]
        for row in changed.select(columns).iter_rows():
            copy.write_row(row)
    cursor.execute("analyze changed_customer")
    cursor.execute(_HOLD_GAINED)
    cursor.execute(_TAKE_OVER)
    cursor.execute(_NOTE_CHECKS, [received])


def note_likely(cursor: psycopg.Cursor[Any], pairs: Iterable[ScoredPair]) -> None:
    """Make ``likely_customer``: who stands in a pair of the upper two bands."""
    cursor.execute("create temporary table likely_customer (source_system text, customer_id text) on commit drop")
    keys: set[Key] = {key for pair in pairs for key in (pair.left, pair.right)}
    _copy(cursor, "likely_customer", sorted(keys))


def _ask(cursor: psycopg.Cursor[Any], reviews: list[Review], found_at: datetime) -> None:
    """Bring the questions for stewards up to date."""
    cursor.execute("create temporary table review (like identity.review_pair) on commit drop")
    rows = [
        (
            hashlib.sha256("\x1f".join((*one.left, *one.right)).encode()).hexdigest(),
            *one.left,
            *one.right,
            round(one.scored.weight, 3) if one.scored else None,
            round(one.scored.probability, 6) if one.scored else None,
            one.reason,
            one.scored.model_version if one.scored else None,
            found_at,
        )
        for one in sorted(reviews, key=lambda one: (one.left, one.right))
    ]
    _copy(cursor, "review", rows)
    cursor.execute(_ANSWERED)
    cursor.execute(_ASK)


def _copy(cursor: psycopg.Cursor[Any], table: str, rows: Iterable[Sequence[object]]) -> None:
    with cursor.copy(f"copy {table} from stdin") as copy:  # type: ignore[arg-type]
        for row in rows:
            copy.write_row(row)


def concerned_customers(cursor: psycopg.Cursor[Any]) -> list[Customer]:
    """Return the customers of ``changed_customer`` and all that stand or may come to stand with them."""
    cursor.execute(_CONCERNED)
    names = [column.name for column in cursor.description or ()][2:]
    return [Customer((source, number), **dict(zip(names, rest, strict=True))) for source, number, *rest in cursor]


def judgements(cursor: psycopg.Cursor[Any]) -> Judgements:
    """Return what stewards have judged, as in force."""
    cursor.execute("select * from identity.judgement")
    judged: dict[str, dict[Pair, int]] = {"link": {}, "unlink": {}}
    for decision_id, verdict, *pair in cursor:
        judged[verdict][frozenset(((pair[0], pair[1]), (pair[2], pair[3])))] = decision_id
    return Judgements(linked=judged["link"], apart=judged["unlink"])


def append(
    cursor: psycopg.Cursor[Any],
    events: Iterable[Event],
    rules: Rules,
    business_date: date,
    known_at: datetime,
    first_known: Mapping[Key, datetime] | None = None,
) -> list[tuple[str, str]]:
    """Append events; return type and reason of those that were not there.

    Args:
        cursor: in the transaction of the decision.
        events: what was decided.
        rules: the rules by which.
        business_date: the day of the data.
        known_at: when it became known what the decisions rest on.
        first_known: the same of newcomers, each its own.
    """
    cursor.execute(
        "create temporary table decided ("
        "event_id text, previous_event_id text, event_type text, party_id text, other_party_id text, "
        "source_system text, customer_id text, rule text, rule_version text, reason text, basis text, "
        "decision_id bigint, business_date date, known_at timestamptz, model_version text, match_weight numeric) "
        "on commit drop"
    )
    with cursor.copy("copy decided from stdin") as copy:
        for event in sorted(events, key=lambda one: (one.event_type == "conflict", one.party_id, one.key)):
            copy.write_row(
                (
                    event.event_id,
                    event.previous_event_id,
                    event.event_type,
                    event.party_id,
                    event.other_party_id,
                    *event.key,
                    event.rule,
                    rules.version,
                    event.reason,
                    event.basis,
                    event.decision_id,
                    business_date,
                    (first_known or {}).get(event.key, known_at),
                    event.scored.model_version if event.scored else None,
                    round(event.scored.weight, 3) if event.scored else None,
                )
            )
    return cursor.execute(_APPEND).fetchall()
