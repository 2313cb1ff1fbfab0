"""Precision and recall of the parties against a known truth, for worlds that have one.

A pair is two customers in one party. Pairs that no basis allows to be compared count for neither side. A stratum is
what the two customers of a true pair share; a wrong pair falls into that of what misled.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from identity.model import load_model

_SIDES = ("left_source_system", "left_customer_id", "right_source_system", "right_customer_id")

_PLACED = """
select
    source_system, customer_id, placed.party_id as placed_in, stood.controller_id, stood.has_matching_basis,
    stood.identifier_kind, stood.identifier, stood.phone_key, stood.door
from identity.party_source as placed
inner join identity.standardised_customer as stood using (source_system, customer_id)
"""

_KEEP = """
insert into identity.quality (
    business_date, model_version, stratum, true_pairs, resolvable_pairs, resolvable_found, linked_pairs, linked_true,
    review_pairs, review_true
)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (business_date, model_version, stratum) do update set
    true_pairs = excluded.true_pairs, resolvable_pairs = excluded.resolvable_pairs,
    resolvable_found = excluded.resolvable_found, linked_pairs = excluded.linked_pairs,
    linked_true = excluded.linked_true, review_pairs = excluded.review_pairs, review_true = excluded.review_true
"""


@dataclass(frozen=True)
class Quality:
    """Pairs of one stratum, or of all together.

    Attributes:
        stratum: what the true pairs share; `all`.
        true_pairs: pairs that are one party and may be compared.
        resolvable_pairs: those of them that share enough to be known for one.
        resolvable_found: those of them that are in one party.
        linked_pairs: pairs in one party.
        linked_true: those of them that are rightly there.
        review_pairs: pairs that are a steward's question.
        review_true: those of them that are one party.
    """

    stratum: str
    true_pairs: int
    resolvable_pairs: int
    resolvable_found: int
    linked_pairs: int
    linked_true: int
    review_pairs: int
    review_true: int

    @property
    def precision(self) -> float:
        """Share of the pairs in one party that are rightly there; 1 where there is none."""
        return self.linked_true / self.linked_pairs if self.linked_pairs else 1.0

    @property
    def recall(self) -> float:
        """Share of the resolvable pairs that are in one party; 1 where there is none."""
        return self.resolvable_found / self.resolvable_pairs if self.resolvable_pairs else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    @property
    def review_precision(self) -> float:
        """Share of the questions whose answer is yes; 1 where there is none."""
        return self.review_true / self.review_pairs if self.review_pairs else 1.0


def measure(connection: psycopg.Connection[Any], identities: pl.DataFrame, pairs: pl.DataFrame) -> list[Quality]:
    """Measure the parties as they stand, one row a stratum and one for `all`.

    Args:
        connection: a session that reads `identity`.
        identities: `source_system`, `customer_id` and the true `party_id`.
        pairs: true pairs with `stratum` and `is_resolvable`, as the simulator writes them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PLACED)
        columns = [column.name for column in cursor.description or ()]
        placed = pl.DataFrame(cursor.fetchall(), schema=columns, orient="row", infer_schema_length=None)
        cursor.execute(f"select {', '.join(_SIDES)} from identity.review_pair")
        asked = pl.DataFrame(cursor.fetchall(), schema=dict.fromkeys(_SIDES, pl.String), orient="row")
    known = placed.join(
        identities.select("source_system", "customer_id", "party_id"), on=["source_system", "customer_id"]
    )
    basis = (
        pl.col("controller_id").filter(pl.col("has_matching_basis")).unique().over("party_id", mapping_strategy="join")
    )
    known = known.with_columns(
        has_basis=basis.list.contains(pl.col("controller_id")),
        order=pl.concat_str("source_system", "customer_id", separator=" "),
    )
    true = _joined(pairs.select(*_SIDES, "stratum", "is_resolvable"), known)
    true = true.filter(
        (pl.col("controller_id") == pl.col("controller_id_right")) | (pl.col("has_basis") & pl.col("has_basis_right"))
    ).with_columns(found=pl.col("placed_in") == pl.col("placed_in_right"))
    linked = known.join(known, on="placed_in", suffix="_right").filter(pl.col("order") < pl.col("order_right"))
    linked = _with_stratum(linked.select(pl.exclude("stratum")), pairs)
    asked = _with_stratum(_joined(asked, known), pairs)
    strata = sorted(set(true["stratum"]) | set(linked["stratum"]) | set(asked["stratum"]))
    return [_quality(stratum, true, linked, asked) for stratum in [*strata, "all"]]


def measure_against(connection: psycopg.Connection[Any], truth: Path) -> list[Quality]:
    """Measure against the ground truth that the simulator left in a folder; nothing where it left none."""
    files = [truth / f"{name}.parquet" for name in ("identities", "pairs")]
    if not all(file.exists() for file in files):
        return []
    return measure(connection, *map(pl.read_parquet, files))


def keep(connection: psycopg.Connection[Any], business_date: date, measured: list[Quality]) -> None:
    """Write what was measured down, for the quality mart."""
    version = load_model().version
    with connection.transaction(), connection.cursor() as cursor:
        for one in measured:
            counts = (one.true_pairs, one.resolvable_pairs, one.resolvable_found, one.linked_pairs, one.linked_true)
            cursor.execute(_KEEP, (business_date, version, one.stratum, *counts, one.review_pairs, one.review_true))


def _joined(pairs: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Give pairs what is known of both sides."""
    left = pairs.join(known, left_on=_SIDES[:2], right_on=["source_system", "customer_id"])
    return left.join(known, left_on=_SIDES[2:], right_on=["source_system", "customer_id"], suffix="_right").rename(
        {"left_source_system": "source_system", "left_customer_id": "customer_id"}
        | {"right_source_system": "source_system_right", "right_customer_id": "customer_id_right"}
    )


def _with_stratum(pairs: pl.DataFrame, true: pl.DataFrame) -> pl.DataFrame:
    """Give pairs the stratum of the truth, or of what misled, and whether they are one party."""
    both = ["source_system", "customer_id", "source_system_right", "customer_id_right"]
    names = dict(zip(_SIDES, both, strict=True))
    misled = (
        pl.when(pl.col("identifier") == pl.col("identifier_right"))
        .then(pl.lit("id"))
        .when(pl.col("phone_key") == pl.col("phone_key_right"))
        .then(pl.lit("name_phone"))
        .when(pl.col("door") == pl.col("door_right"))
        .then(pl.lit("name_address"))
        .otherwise(pl.lit("nothing"))
    )
    marked = pairs.join(true.select(*_SIDES, "stratum").rename(names), on=both, how="left")
    return marked.with_columns(
        stratum=pl.coalesce("stratum", misled), is_true=pl.col("party_id") == pl.col("party_id_right")
    )


def _quality(stratum: str, true: pl.DataFrame, linked: pl.DataFrame, asked: pl.DataFrame) -> Quality:
    here = pl.lit(True) if stratum == "all" else pl.col("stratum") == stratum
    true, linked, asked = true.filter(here), linked.filter(here), asked.filter(here)
    return Quality(
        stratum,
        true.height,
        true["is_resolvable"].sum(),
        true.filter("is_resolvable")["found"].sum(),
        linked.height,
        linked["is_true"].sum(),
        asked.height,
        asked["is_true"].sum(),
    )
