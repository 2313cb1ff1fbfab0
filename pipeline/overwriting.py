"""Erasure beyond raw: what the warehouse, its publications and closed assessments had taken up of a person.

The registry (`personal_data.csv`) says which columns hold personal values and by which keys the rows of a person are
found; nothing is listed here. Personal values are overwritten in place and the hashes over them salted, so that
versions, keys and amounts stay: a salt that nobody keeps leaves no way back to the value.

Where the law still holds a person's records (the request is approved and waits), only what readers see is overwritten:
until the hold ends the data are stored and protected, and used for nothing (个人信息保护法, article 47).
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import psycopg
from psycopg import sql

from ingestion.erasure import ERASED
from pipeline.personal_data import Entry, registry
from pipeline.schema import contracts

SEEN = ("mart_build", "mart_data")
"""What readers see, also in publications kept. Reports to supervisors are owed while the law holds the records."""

DELETED = "rows deleted"
"""What the registry says of a table that keeps nothing but a hash of a person's value."""

# Persons to be erased: of a held request only what readers see goes, of a finished one everything.
_GONE = """
create temporary table gone_key on commit drop as
select erased_key.source_system, erased_key.table_name, erased_key.key, true as is_whole
from ops.erased_key
inner join ops.approved_erasure using (erasure_id)
inner join ops.erasure using (erasure_id)
where erasure.completed_at is not null
union
select source_system, table_name, key, false from ops.approved_erasure
"""
_CUSTOMERS = """
create temporary table gone_customer on commit drop as
select customer.source_system, customer.customer_id, customer.customer_key, placed.party_key, customer.controller_id,
    bool_or(gone.is_whole) as is_whole
from gone_key as gone
inner join core.dim_customer as customer
    on customer.source_system = gone.source_system and customer.customer_id = gone.key
    and customer.valid_from = date '0001-01-01'
inner join unnest(%s::text[], %s::text[]) as person (source_system, table_name)
    on person.source_system = gone.source_system and person.table_name = gone.table_name
left join core.bridge_party_source as placed on placed.customer_key = customer.customer_key
group by customer.source_system, customer.customer_id, customer.customer_key, placed.party_key, customer.controller_id
"""


_HOLD = """
with closing as (
    select customer_id, max(coalesce(closed_on, date '9999-12-31')) as closed_on
    from (
        select customer_id, closed_on from core.dim_account where source_system = %(source)s and is_current
        union all
        select customer_id, closed_on from core.dim_card_account where source_system = %(source)s and is_current
    ) as account
    group by customer_id
)

update ops.erasure
set relationship_until = case
    when closing.closed_on < date '9999-12-31'
        then ops.held_until(closing.closed_on, %(since)s::date[], %(periods)s::interval[])
    else closing.closed_on
end
from closing
where erasure.source_system = %(source)s and erasure.table_name = %(table)s and erasure.key = closing.customer_id
"""


class _Column(NamedTuple):
    kind: str
    not_null: bool


def overwrite(session: psycopg.Connection, schemas: Iterable[str] | None = None) -> dict[str, int]:
    """Overwrite what the warehouse holds of erased persons, and of those whose erasure waits what readers see.

    Running it again finds nothing. One transaction; raw and quarantine are `ingestion.erasure`'s.

    Args:
        session: connection of the owner.
        schemas: limits it to the relations of these.

    Returns:
        Rows overwritten by relation.
    """
    done: dict[str, int] = {}
    with session.transaction():
        is_built, is_asked = session.execute(
            "select to_regclass('core.bridge_party_source') is not null, exists (select from ops.approved_erasure)"
        ).fetchone()  # type: ignore[misc]
        if not (is_built and is_asked):
            return done
        session.execute(_GONE)
        people = person_tables()
        session.execute(_CUSTOMERS, [list(people), list(people.values())])
        salt = secrets.token_hex(32)
        for relation, entries in _by_relation(schemas):
            columns = _columns(session, relation)
            for found_by, together in entries.items():
                for condition, chosen in _conditions(relation, found_by, together, columns):
                    rows = session.execute(_update(relation, chosen, condition, columns, salt)).rowcount
                    if rows:
                        done[relation] = done.get(relation, 0) + rows
        if not schemas:
            done |= _lose_evidence(session)
    return done


def hold_customers(session: psycopg.Connection) -> None:
    """Note of each request until when the relationship with the customer holds it (反洗钱法 2024, article 34).

    What identifies a customer is kept as long as an account is open, and from its closing for the term of the law.
    """
    if not _columns(session, "core.dim_card_account"):
        return
    for source, table in person_tables().items():
        hold, periods = contracts()[source][table].retention.hold_terms
        if hold:
            session.execute(_HOLD, {"source": source, "table": table, "since": hold, "periods": periods})


def same_person(session: psycopg.Connection, source: str, table: str, key: str) -> list[tuple[str, str, str]]:
    """Other customers of the party with the same controller, as source, table and key: it is to a legal entity that
    a person turns."""
    people = person_tables()
    if people.get(source) != table:
        return []
    alike = session.execute(
        """
        select other.source_system, other.customer_id
        from identity.party_source as placed
        inner join identity.party_source as other using (party_id)
        where placed.source_system = %s and placed.customer_id = %s
            and other.source_system = any(%s)
            and (other.source_system, other.customer_id) <> (placed.source_system, placed.customer_id)
        order by other.source_system collate "C", other.customer_id collate "C"
        """,
        [source, key, [one for one in people if _controller(one, people) == _controller(source, people)]],
    ).fetchall()
    return [(other, people[other], customer) for other, customer in alike]


def _controller(source: str, people: dict[str, str]) -> str:
    return contracts()[source][people[source]].controller


def person_tables() -> dict[str, str]:
    """The table of each source whose key is a customer, as the registry tells of `core.dim_customer`."""
    found = {
        part.partition("=")[2]
        for entry in registry()
        if entry.relation == "core.dim_customer"
        for part in entry.found_by.split("; ")
        if part.startswith("customer_id=")
    }
    return {source: table for source, _, table in (one.partition(":") for one in sorted(found))}


def _by_relation(schemas: Iterable[str] | None) -> list[tuple[str, dict[str, list[Entry]]]]:
    grouped: dict[str, dict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
    for entry in registry():
        is_chosen = schemas is None or entry.relation.split(".")[0] in schemas
        if is_chosen and entry.on_erasure in ("overwritten", DELETED) and entry.found_by not in ("", "contract"):
            for prefix in ("", "rebuild_", "change_"):  # what a comparison left is overwritten, too
                grouped[prefix + entry.relation][entry.found_by].append(entry)
    return [(relation, dict(entries)) for relation, entries in grouped.items()]


def _columns(session: psycopg.Connection, relation: str) -> dict[str, _Column]:
    rows = session.execute(
        "select attname, format_type(atttypid, null), attnotnull from pg_attribute "
        "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
        [relation],
    ).fetchall()
    return {name: _Column(kind, not_null) for name, kind, not_null in rows}


def _conditions(
    relation: str, found_by: str, entries: list[Entry], columns: dict[str, _Column]
) -> Iterable[tuple[sql.Composable, list[Entry]]]:
    """Of each way in which rows of a person are found: the condition, and which columns go."""
    if not columns:
        return
    is_seen = relation.split(".")[0].endswith(SEEN) and not relation.split(".")[1].startswith("mart_regulatory")
    whole = sql.SQL("") if is_seen else sql.SQL("where is_whole")
    if "=" not in found_by:
        names = [sql.Identifier(name) for name in found_by.split()]
        keys = sql.SQL(", ").join(names)
        found = sql.SQL("({}) in (select {} from gone_customer {})").format(
            sql.SQL(", ").join(sql.SQL("held.{}").format(name) for name in names), keys, whole
        )
        if found_by == "party_key":  # of several controllers: what the others told is computed anew
            found = sql.SQL(
                "held.party_key in (select party_key from gone_customer {}) and not exists ("
                "select from core.bridge_party_source as placed where placed.party_key = held.party_key "
                "and placed.customer_key not in (select customer_key from gone_customer {}))"
            ).format(whole, whole)
        sources = sorted({source for entry in entries for source in entry.sources})
        if sources and found_by == "customer_key" and "source_system" in columns:
            found = sql.SQL("held.source_system = any({}) and {}").format(sql.Literal(sources), found)
        yield found, entries
        return
    ways = [part.partition("=") for part in found_by.split("; ")]
    for source in sorted({target.partition(":")[0] for _, _, target in ways}):
        chosen = [entry for entry in entries if source in entry.sources]
        if not chosen:
            continue
        of_source = sql.SQL("held.source_system = {} and ").format(sql.Literal(source))
        holds = sql.SQL(" or ").join(
            sql.SQL("held.{} in (select key from gone_key where source_system = {} and table_name = {} {})").format(
                sql.Identifier(column),
                sql.Literal(source),
                sql.Literal(target.partition(":")[2]),
                sql.SQL("") if is_seen else sql.SQL("and is_whole"),
            )
            for column, _, target in ways
            if target.startswith(f"{source}:")
        )
        yield sql.SQL("{}({})").format(of_source if "source_system" in columns else sql.SQL(""), holds), chosen


def _update(
    relation: str, entries: list[Entry], condition: sql.Composable, columns: dict[str, _Column], salt: str
) -> sql.Composed:
    if entries[0].on_erasure == DELETED:
        return sql.SQL("delete from {} as held where {}").format(sql.Identifier(*relation.split(".")), condition)
    marks = [(sql.Identifier(entry.column), _mark(entry, columns[entry.column])) for entry in entries]
    sets = [sql.SQL("{} = {}").format(*mark) for mark in marks]
    if "attribute_hash" in columns:
        salted = "sha256(convert_to({} || held.attribute_hash, 'UTF8'))"
        anew = sql.SQL(f"attribute_hash = ('x' || left(encode({salted}, 'hex'), 16))::bit(64)::bigint")
        sets.append(anew.format(sql.Literal(salt)))
    differs = sql.SQL(" or ").join(sql.SQL("held.{} is distinct from {}").format(*mark) for mark in marks)
    return sql.SQL("update {} as held set {} where {} and ({})").format(
        sql.Identifier(*relation.split(".")), sql.SQL(", ").join(sets), condition, differs
    )


def _mark(entry: Entry, column: _Column) -> sql.Composable:
    """What takes the place of a value: as in raw, `[erased]` where a source requires a text, else nothing."""
    is_required = column.not_null or any(_is_required(place) for place in entry.comes_from.split())
    if column.kind != "text" or not is_required:
        return sql.SQL("null::{}").format(sql.SQL(column.kind))  # type: ignore[arg-type]
    return sql.Literal("" if entry.relation.startswith("identity.") else ERASED)


def _is_required(place: str) -> bool:
    """Whether a source's contract requires the value."""
    relation, _, column = place.rpartition(".")
    schema, _, table = relation.partition(".")
    contract = contracts().get(schema.removeprefix("raw_"), {}).get(table)
    return bool(contract and contract.by_name[column].required)


def _lose_evidence(session: psycopg.Connection) -> dict[str, int]:
    """Closed assessments keep their figures and lose the person's evidence rows; an audit row says how much went."""
    found = session.execute(
        "select sum(assessment.lose_evidence(party_key, customer_id, 'erasure')) from gone_customer "
        "where party_key is not null and is_whole"
    ).fetchone()
    lost = {"assessment.sealed_evidence": int(found[0])} if found and found[0] else {}
    for schema in SEEN:
        mart = sql.Identifier(schema, "mart_manager_scorecard_evidence")
        if session.execute(
            "select to_regclass(%s) is null", [f"{schema}.mart_manager_scorecard_evidence"]
        ).fetchone() == (True,):
            continue
        rows = session.execute(
            sql.SQL(
                "delete from {} where (party_key, customer_id) in "
                "(select party_key, customer_id from gone_customer where is_whole)"
            ).format(mart)
        ).rowcount
        lost |= {f"{schema}.mart_manager_scorecard_evidence": rows} if rows else {}
    return lost
