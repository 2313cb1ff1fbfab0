"""Which customers are compared, and how alike the model finds them: from the database to scored pairs."""

from dataclasses import dataclass, field
from typing import Any

import polars as pl
import psycopg

from identity.linkage import score
from identity.model import KINDS, Model, PartyKind, weighted
from identity.placement import Key, ScoredPair
from identity.standardise import COMPARED

# A phone or an address under many names is nobody's: it blocks nothing and counts as unknown.
_SHARED = """
create temporary table shared_{column} on commit drop as
select {column} from {standing}
where {column} in (select {column} from changed_customer where is_pending)
group by {column} having count(distinct name_key) > %s
"""

# Two controllers' customers are compared where each has a basis; without one the comparison itself would be a match.
_BLOCKED = """
select l.source_system, l.customer_id, r.source_system, r.customer_id
from changed_customer as l
inner join {standing} as r on {conditions}
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


def compare(cursor: psycopg.Cursor[Any], model: Model, standing: str = "identity.standardised_customer") -> Comparison:
    """Compare the pending customers of `changed_customer` with all others.

    Args:
        cursor: in the transaction that holds `changed_customer`.
        model: blocking rules and bands.
        standing: all customers as they stand, the changed ones included.
    """
    found = Comparison()
    for column in ("phone_key", "door"):
        cursor.execute(_SHARED.format(column=column, standing=standing), [model.held_by_at_most])
    for kind in KINDS:
        pairs = _blocked(cursor, model, kind, standing)
        if pairs.is_empty():
            continue
        keys = pl.concat(
            [
                pairs.select(source_system="left_source", customer_id="left_id"),
                pairs.select(source_system="right_source", customer_id="right_id"),
            ]
        ).unique(maintain_order=True)
        customers = _customers(cursor, keys, standing).with_row_index("customer_no")
        customers = customers.with_columns(pl.col("customer_no").cast(pl.Int64))
        numbers = customers.select("source_system", "customer_id", "customer_no")
        numbered = pairs
        for side in ("left", "right"):
            numbered = numbered.join(
                numbers.rename(
                    {"source_system": f"{side}_source", "customer_id": f"{side}_id", "customer_no": f"{side}_no"}
                ),
                on=[f"{side}_source", f"{side}_id"],
                how="left",
                maintain_order="left",
            )
        scores = score(customers.select("customer_no", *COMPARED), numbered, weighted(model, kind))
        bands = model.of(kind).bands
        scored = numbered.join(scores, on=["left_no", "right_no"], how="inner", maintain_order="left")
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


def _blocked(cursor: psycopg.Cursor[Any], model: Model, kind: PartyKind, standing: str) -> pl.DataFrame:
    parts = []
    for columns in model.of(kind).blocking:
        conditions = " and ".join(f"l.{column} = r.{column}" for column in columns)
        known = "".join(f" and l.{column} <> ''" for column in columns)
        shared = "".join(
            f" and not exists (select from shared_{column} as s where s.{column} = l.{column})"
            for column in columns
            if column in ("phone_key", "door")
        )
        parts.append(_BLOCKED.format(conditions=conditions, standing=standing, unshared=known + shared))
    cursor.execute(" union ".join(parts), {"kind": kind})
    pairs = {(a, b, c, d) if (a, b) < (c, d) else (c, d, a, b) for a, b, c, d in cursor}
    return pl.DataFrame(sorted(pairs), schema=dict.fromkeys(_SIDES, pl.String), orient="row")


def _customers(cursor: psycopg.Cursor[Any], keys: pl.DataFrame, standing: str) -> pl.DataFrame:
    """Return the forms of customers that are compared, without what many share."""
    cursor.execute("create temporary table wanted_customer (source_system text, customer_id text) on commit drop")
    with cursor.copy("copy wanted_customer from stdin") as copy:
        for row in keys.iter_rows():
            copy.write_row(row)
    usable = {
        "phone_key": "case when not exists (select from shared_phone_key as s where s.phone_key = c.phone_key) "
        "then phone_key end",
        "door": "case when not exists (select from shared_door as s where s.door = c.door) then door end",
        "name_key": "nullif(name_key, '')",
        "name_sound": "nullif(name_sound, '')",
    }
    columns = ", ".join(f"{usable.get(column, column)} as {column}" for column in COMPARED)
    cursor.execute(
        f"select source_system, customer_id, {columns} from {standing} as c "
        "inner join wanted_customer using (source_system, customer_id)"
    )
    names = ["source_system", "customer_id", *COMPARED]
    frame = pl.DataFrame(cursor.fetchall(), schema=dict.fromkeys(names, pl.String), orient="row")
    cursor.execute("drop table wanted_customer")
    return frame.sort("source_system", "customer_id")
