"""The step ``identify``: place what is new or changed, and append what was decided."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

import polars as pl
import psycopg

from identity.judgement import Judgements, Key, Pair
from identity.placement import Customer, Event, place
from identity.rules import Rules, load_rules
from identity.standardise import standardise

ONE_RESOLVER = 3_600_360_007  # advisory lock: one resolver at a time

_CHANGED = """
with customers_as_staged as (
    select
        source_system, customer_id, controller_id, party_kind, customer_name, id_type, id_number,
        coalesce(has_matching_basis, false) as has_matching_basis, first_known_at
    from intermediate.int_customer__identifiers
)
select
    staged.source_system, staged.customer_id, staged.controller_id, staged.party_kind, staged.customer_name,
    staged.id_type, staged.id_number, staged.has_matching_basis,
    coalesce(stood.first_known_at, staged.first_known_at) as first_known_at,
    stood.customer_id is not null as is_placed,
    (
        staged.controller_id, staged.party_kind, staged.customer_name, staged.id_type, staged.id_number,
        staged.has_matching_basis
    ) is distinct from (
        stood.controller_id, stood.party_kind, stood.customer_name, stood.id_type, stood.id_number,
        stood.has_matching_basis
    ) as is_pending,
    stood.identifier_kind as old_kind, stood.identifier as old_identifier, stood.party_kind as old_party_kind,
    coalesce(stood.has_other_identifier, false) as has_other_identifier
from customers_as_staged as staged
left join identity.standardised_customer as stood using (source_system, customer_id)
where
    stood.rule_version is distinct from %(rule_version)s
    or (
        staged.controller_id, staged.party_kind, staged.customer_name, staged.id_type, staged.id_number,
        staged.has_matching_basis
    ) is distinct from (
        stood.controller_id, stood.party_kind, stood.customer_name, stood.id_type, stood.id_number,
        stood.has_matching_basis
    )
"""

_AS_STAGED = ["source_system", "customer_id", "controller_id", "party_kind", "customer_name", "id_type", "id_number"]
_COLUMNS = [
    *_AS_STAGED,
    *("has_matching_basis", "first_known_at", "name_key", "identifier_kind", "identifier", "identifier_state"),
    *("has_other_identifier", "rule_version"),
]

_TAKE_OVER = f"""
insert into identity.standardised_customer ({", ".join(_COLUMNS)})
select {", ".join(_COLUMNS)} from changed_customer
on conflict (source_system, customer_id) do update set
    {", ".join(f"{column} = excluded.{column}" for column in _COLUMNS[2:])}
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
    stood.identifier, stood.identifier_state, stood.has_matching_basis, stood.first_known_at,
    placed.party_id, placed.event_id, coalesce(changed.is_pending, false) as is_pending, stood.has_other_identifier
from concerned
inner join identity.standardised_customer as stood using (source_system, customer_id)
left join placed using (source_system, customer_id)
left join changed_customer as changed using (source_system, customer_id)
"""

_APPEND = """
insert into identity.event (
    event_id, previous_event_id, event_type, party_id, other_party_id, source_system, customer_id, rule,
    rule_version, reason, basis, decision_id, business_date, known_at
)
select * from decided
on conflict (event_id) do nothing
returning event_type, reason
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
    """

    business_date: date
    changed: int
    created: int
    linked: int
    unlinked: int
    conflicts: dict[str, int]
    parties: int
    customers: int


def resolve(
    connection: psycopg.Connection[Any],
    business_date: date,
    progress: Callable[[str], None] | None = None,
    known_at: datetime | None = None,
) -> IdentityReport:
    """Place the customers of all sources into parties by their identifiers, and append the decisions.

    Reads ``intermediate.int_customer__identifiers``, one transaction, one resolver at a time. Only new and changed
    customers are looked at; running again is a no-op. DESIGN decisions 7 and 8, rules in ``rules.yaml``.

    Args:
        connection: a session of the owner or the resolver.
        business_date: the day of the data, noted with every event.
        progress: told what is being done.
        known_at: time of receipt of the batches of the day, for decisions about customers known before; without
            it the latest first receipt of any customer. Newcomers carry their own.

    Raises:
        psycopg.Error: the input is missing or ``identity``'s migrations are not applied.
    """
    rules = load_rules()
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [ONE_RESOLVER])
        changed = _changed_customers(cursor, rules)
        if progress:
            progress(f"identity: {changed.height:,} customers new or changed")
        decided: dict[str, int] = {}
        conflicts: dict[str, int] = {}
        if changed.height:
            _take_over(cursor, changed)
            events = place(concerned_customers(cursor), rules, business_date, judgements(cursor))
            received = known_at or cast(datetime, changed["first_known_at"].max())
            newcomers = changed.filter(~pl.col("is_placed"))
            first_known = {
                (source, customer): first
                for source, customer, first in newcomers.select(
                    "source_system", "customer_id", "first_known_at"
                ).iter_rows()
            }
            for event_type, reason in append(cursor, events, rules, business_date, received, first_known):
                decided[event_type] = decided.get(event_type, 0) + 1
                if event_type == "conflict":
                    conflicts[reason] = conflicts.get(reason, 0) + 1
            cursor.execute("analyze identity.event, identity.standardised_customer")
        cursor.execute("select count(distinct party_id), count(*) from identity.party_source")
        parties, customers = cursor.fetchone() or (0, 0)
    return IdentityReport(
        business_date=business_date,
        changed=changed.height,
        created=decided.get("create", 0),
        linked=decided.get("link", 0),
        unlinked=decided.get("unlink", 0),
        conflicts=dict(sorted(conflicts.items())),
        parties=parties,
        customers=customers,
    )


def _changed_customers(cursor: psycopg.Cursor[Any], rules: Rules) -> pl.DataFrame:
    """Return the customers that are new or changed, standardised."""
    cursor.execute(_CHANGED, {"rule_version": rules.version})
    text = {column: pl.String for column in [*_AS_STAGED, "old_kind", "old_identifier", "old_party_kind"]}
    flags = {column: pl.Boolean for column in ("has_matching_basis", "is_placed", "is_pending", "has_other_identifier")}
    schema: dict[str, Any] = {**text, **flags, "first_known_at": pl.Datetime("us", "UTC")}
    names = [column.name for column in cursor.description or ()]
    rows = pl.DataFrame(cursor.fetchall(), schema={name: schema[name] for name in names}, orient="row")
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


def _take_over(cursor: psycopg.Cursor[Any], changed: pl.DataFrame) -> None:
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


def concerned_customers(cursor: psycopg.Cursor[Any]) -> list[Customer]:
    """Return the customers of ``changed_customer`` and all that stand or may come to stand with them."""
    cursor.execute(_CONCERNED)
    return [Customer((source, customer_id), *rest) for source, customer_id, *rest in cursor]


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
        "decision_id bigint, business_date date, known_at timestamptz) on commit drop"
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
                )
            )
    return cursor.execute(_APPEND).fetchall()
