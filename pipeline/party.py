"""What the warehouse knows of one party, as a login may see it: published marts, and identity where granted."""

from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from identity.judgement import Key

Row = tuple[Any, ...]


class PartyUnknown(RuntimeError):
    """There is no such party for this login; the message says what there is."""


@dataclass(frozen=True)
class Party:
    """One party's page.

    Attributes:
        party_id: as identity gave it.
        scores: rows of mart_customer_quality, by controller.
        golden: by controller: attribute, value, source (with the customer where it has several), rule, begin, day of
            receipt, doubts, and what lost in conflict.
        products: figures of the latest month of mart_customer_360, by controller.
        members: its customers as SOURCE/ID; empty where the login may not read identity.
        history: what happened to its customers, oldest first; likewise.
    """

    party_id: str
    scores: list[Any]
    golden: dict[str, list[Row]] = field(default_factory=dict)
    products: list[Any] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    history: list[Row] = field(default_factory=list)


def may_see_clear(session: psycopg.Connection[Any]) -> bool:
    """Say whether the login was granted clear personal data of the golden record (DESIGN decision 16)."""
    asked = session.execute(
        "select has_schema_privilege(space.oid, 'usage') and has_table_privilege(relation.oid, 'select') "
        "from pg_class as relation inner join pg_namespace as space on space.oid = relation.relnamespace "
        "where nspname = 'mart_clear' and relname = 'mart_customer_attribute'"
    ).fetchone()
    return bool(asked and asked[0])


def values_of(session: psycopg.Connection[Any], key: Key, clear: bool = False) -> dict[str, object]:
    """The published values that one customer tells, by attribute; empty where nothing of it is published yet.

    Args:
        session: a login that may read the customer marts.
        key: source system and customer id.
        clear: show them as they are; the login must have been granted that.
    """
    if session.execute("select to_regclass('mart.mart_customer_attribute')").fetchone() == (None,):
        return {}
    rows = session.execute(
        f"select distinct attribute_name, {_value(clear)} from {_mart(clear)} "  # type: ignore[arg-type]
        "where (source_system, customer_id) = (%s, %s) order by attribute_name",
        key,
    ).fetchall()
    return {name: value for name, value in rows if name not in ("party_kind", "party_name", "id_type", "id_number")}


def read_party(session: psycopg.Connection[Any], what: str, clear: bool = False) -> Party:
    """A party's page.

    Args:
        session: whose rights count; rows of its controllers only.
        what: a party id, or a customer as SOURCE/ID.
        clear: names and numbers as they are, where the login was granted them.

    Raises:
        PartyUnknown: nothing is published of it for this login, or it is another party's by now.
    """
    clear = clear and may_see_clear(session)
    reads_identity = session.execute(
        "select has_schema_privilege(oid, 'usage') from pg_namespace where nspname = 'identity'"
    ).fetchone() == (True,)
    party_id = _party_id(session, what, reads_identity)
    with session.cursor(row_factory=namedtuple_row) as named:
        scores = named.execute(_SCORES, [party_id]).fetchall()
        party = Party(party_id, scores, products=named.execute(_PRODUCTS, [party_id]).fetchall())
    query = _GOLDEN.format(value=_value(clear), mart=_mart(clear))
    for controller, *row in session.execute(query, [party_id]).fetchall():  # type: ignore[arg-type]
        party.golden.setdefault(controller, []).append(tuple(row))
    if reads_identity:
        party.members.extend(customer for (customer,) in session.execute(_MEMBERS, [party_id]).fetchall())
        party.history.extend(session.execute(_HISTORY, {"party_id": party_id}).fetchall())
    return party


def _party_id(session: psycopg.Connection[Any], what: str, reads_identity: bool) -> str:
    source, _, customer_id = what.partition("/")
    found = session.execute(
        "select distinct party_id from mart.mart_customer_attribute "
        "where party_id = %s or (source_system, customer_id) = (%s, %s)",
        [what, source, customer_id],
    ).fetchone()
    if found:
        return found[0]
    if reads_identity and (heirs := session.execute(_HEIRS, [what]).fetchall()):
        raise PartyUnknown(f"{what} is no party any more; its customers are of {', '.join(heir for (heir,) in heirs)}")
    raise PartyUnknown(f"nothing is published of {what!r} for this login: give a party id, or a customer as SOURCE/ID")


def _value(clear: bool) -> str:
    return "attribute_value" if clear else "attribute_value_masked"


def _mart(clear: bool) -> str:
    return "mart_clear.mart_customer_attribute" if clear else "mart.mart_customer_attribute"


_SCORES = """
select controller_id, party_kind, source_count, quality_score, completeness, validity, consistency, missing_codes
from mart.mart_customer_quality
where party_id = %s
order by controller_id
"""

_GOLDEN = """
with told as (
    select
        *,
        {value} as shown,
        source_system || case
            when min(customer_id) over customers = max(customer_id) over customers then ''
            else '/' || customer_id
        end as customer
    from {mart}
    where party_id = %s
    window customers as (partition by controller_id, source_system)
)

select
    told.controller_id, told.attribute_name, told.shown, told.customer, told.chosen_by, told.effective_from,
    told.loaded_at::date, told.doubt_codes,
    (
        select string_agg(
            other.shown || ' (' || other.customer || coalesce(', ' || other.doubt_codes, '') || ')', '; '
            order by other.customer
        )
        from told as other
        where other.controller_id = told.controller_id and other.attribute_name = told.attribute_name
            and other.is_conflict and not other.is_surviving
    )
from told
where told.is_surviving
order by told.controller_id, told.attribute_name
"""

_PRODUCTS = """
select distinct on (controller_id)
    controller_id, snapshot_month, account_count as accounts, deposit_balance as deposits, loan_count as loans,
    loan_balance, wealth_market_value as wealth, card_count as cards, service_point_count as service_points,
    bill_amount as bills, arrears_amount as arrears
from mart.mart_customer_360
where party_id = %s
order by controller_id, snapshot_month desc
"""

_MEMBERS = """
select source_system || '/' || customer_id
from identity.party_source
where party_id = %s
order by 1
"""

_HISTORY = """
select
    event.known_at::date, event.source_system || '/' || event.customer_id, event.event_type,
    case when event.party_id = %(party_id)s then 'this' else event.party_id end,
    case when event.other_party_id = %(party_id)s then 'this' else event.other_party_id end,
    event.rule || ': ' || coalesce(decision.reason, event.reason),
    coalesce(decision.decided_by, 'rules ' || event.rule_version)
from identity.event
left join identity.decision using (decision_id)
where event.party_id = %(party_id)s or event.other_party_id = %(party_id)s
order by event.event_no
"""

_HEIRS = """
select distinct placed.party_id
from identity.event
inner join identity.party_source as placed using (source_system, customer_id)
where event.party_id = %s and event.event_type <> 'conflict'
order by 1
"""
