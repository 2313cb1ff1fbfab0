"""Which customers are compared, and how alike the model finds them: from the database to scored pairs."""

from dataclasses import dataclass, field
from typing import Any

import polars as pl
import psycopg

from identity.frames import fetched
from identity.linkage import score
from identity.model import KINDS, Model, PartyKind, weighted
from identity.placement import Key, ScoredPair
from identity.standardise import COMPARED

# A phone or an address under many names is nobody's: it blocks nothing and counts as unknown.
_SHARED = """
create temporary table {table} on commit drop as
select {column} from identity.standardised_customer
where {column} in (select {column} from {of})
group by {column} having count(distinct name_key) > %s
"""
_MANY_MAY_SHARE = ("phone_key", "door")

# Two controllers' customers are compared where each has a basis; without one the comparison itself would be a match.
_BLOCKED = """
select l.source_system, l.customer_id, r.source_system, r.customer_id
from changed_customer as l
inner join identity.standardised_customer as r on {conditions}
where
    l.is_pending and l.party_kind = %(kind)s and r.party_kind = %(kind)s
    and (l.source_system, l.customer_id) <> (r.source_system, r.customer_id)
    and (l.controller_id = r.controller_id or (l.has_matching_basis and r.has_matching_basis))
    {unshared}
"""

_SIDES = ("left_source", "left_id", "right_source", "right_id")


@dataclass
class Comparison:
    """What one run compared.

    Attributes:
        pairs: those in the upper two bands.
        compared: how many were compared in all.
        matches: how many of them lie in the upper band.
    """

    pairs: list[ScoredPair] = field(default_factory=list)
    compared: int = 0
    matches: int = 0


def compare(cursor: psycopg.Cursor[Any], model: Model) -> Comparison:
    """Compare the pending customers of `changed_customer` with all others.

    Args:
        cursor: in the transaction that holds `changed_customer`; `identity.standardised_customer` is up to date.
        model: blocking rules and bands.

    Raises:
        identity.model.ModelError: nothing was trained for this version of the model.
    """
    found = Comparison()
    settings = {kind: weighted(model, kind) for kind in KINDS}
    for column in _MANY_MAY_SHARE:
        table = f"shared_{column}"
        cursor.execute(_SHARED.format(table=table, column=column, of="changed_customer"), [model.held_by_at_most])
    for kind in KINDS:
        pairs = _blocked(cursor, model, kind)
        if pairs.is_empty():
            continue
        customers = _customers(cursor, model, pairs)
        numbers = customers.select("source_system", "customer_id", "customer_no")
        numbered = pairs
        for side in ("left", "right"):
            of_side = numbers.rename(
                {"source_system": f"{side}_source", "customer_id": f"{side}_id", "customer_no": f"{side}_no"}
            )
            numbered = numbered.join(of_side, on=[f"{side}_source", f"{side}_id"], maintain_order="left")
        scores = score(customers.select("customer_no", *COMPARED), numbered, settings[kind])
        bands = model.of(kind).bands
        scored = numbered.join(scores, on=["left_no", "right_no"], maintain_order="left")
        likely = scored.filter(pl.col("match_weight") >= bands.review)
        found.compared += scored.height
        found.pairs += [
            ScoredPair(left, right, weight, probability, weight >= bands.match, model.version)
            for left, right, weight, probability in _as_keys(likely)
        ]
    found.matches = sum(pair.is_match for pair in found.pairs)
    return found


def _as_keys(scored: pl.DataFrame) -> list[tuple[Key, Key, float, float]]:
    columns = [*_SIDES, "match_weight", "match_probability"]
    return [((a, b), (c, d), weight, likely) for a, b, c, d, weight, likely in scored.select(columns).iter_rows()]


def _blocked(cursor: psycopg.Cursor[Any], model: Model, kind: PartyKind) -> pl.DataFrame:
    """Return the pairs of one kind that agree in a blocking rule, each once and in order."""
    parts = []
    for columns in model.of(kind).blocking:
        conditions = " and ".join(f"l.{column} = r.{column}" for column in columns)
        known = "".join(f" and l.{column} <> ''" for column in columns)
        shared = "".join(
            f" and not exists (select from shared_{column} as s where s.{column} = l.{column})"
            for column in columns
            if column in _MANY_MAY_SHARE
        )
        parts.append(_BLOCKED.format(conditions=conditions, unshared=known + shared))
    cursor.execute(" union ".join(parts), {"kind": kind})
    pairs = {(a, b, c, d) if (a, b) < (c, d) else (c, d, a, b) for a, b, c, d in cursor}
    return pl.DataFrame(sorted(pairs), schema=dict.fromkeys(_SIDES, pl.String), orient="row")


def _customers(cursor: psycopg.Cursor[Any], model: Model, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the customers of pairs with a number and the forms that are compared, without what many share."""
    left, right = (pairs.select(source_system=f"{side}_source", customer_id=f"{side}_id") for side in ("left", "right"))
    cursor.execute("create temporary table paired_customer (source_system text, customer_id text) on commit drop")
    with cursor.copy("copy paired_customer from stdin") as copy:
        for row in pl.concat([left, right]).unique().iter_rows():
            copy.write_row(row)
    cursor.execute(
        "create temporary table paired on commit drop as select c.* from identity.standardised_customer as c "
        "inner join paired_customer using (source_system, customer_id); analyze paired"
    )
    usable = {"name_key": "nullif(name_key, '')", "name_sound": "nullif(name_sound, '')"}
    for column in _MANY_MAY_SHARE:
        table = f"paired_{column}"
        cursor.execute(_SHARED.format(table=table, column=column, of="paired"), [model.held_by_at_most])
        usable[column] = (
            f"case when not exists (select from {table} as s where s.{column} = c.{column}) then c.{column} end"
        )
    columns = ", ".join(f"{usable.get(column, column)} as {column}" for column in COMPARED)
    cursor.execute(f"select source_system, customer_id, {columns} from paired as c")
    names = ["source_system", "customer_id", *COMPARED]
    frame = fetched(cursor, dict.fromkeys(names, pl.String))
    cursor.execute("drop table paired_customer, paired, paired_phone_key, paired_door")
    frame = frame.sort("source_system", "customer_id")
    return frame.with_columns(customer_no=pl.int_range(pl.len(), dtype=pl.Int64))
