"""Training: what the levels of the comparisons are worth, learned from the warehouse's own customers.

How often strangers agree (u) is counted among random pairs of one source, which holds hardly anybody twice. How often
one and the same party agrees (m) is counted among customers of several sources who share a valid identifier: no guess,
and no ground truth. Where a level was never seen, half a pair is taken as seen.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from identity.frames import fetched
from identity.linkage import opened, registered
from identity.model import KINDS, WEIGHTS, Model, PartyKind, Settings, load_model, unweighted
from identity.name import names_agree
from identity.rules import load_rules
from identity.standardise import COMPARED

RANDOM_PAIRS = 5_000_000
SEED = 360
LEAST_PAIRS = 50

_STANDING = f"""
select source_system, customer_id, party_kind, {", ".join(COMPARED)}
from identity.standardised_customer
"""


class TrainingError(RuntimeError):
    """The warehouse holds too little to learn from."""


def standing_customers(connection: psycopg.Connection[Any]) -> pl.DataFrame:
    """Return all customers as they were last standardised."""
    names = ["source_system", "customer_id", "party_kind", *COMPARED]
    with connection.cursor() as cursor:
        return fetched(cursor.execute(_STANDING), dict.fromkeys(names, pl.String))


def train(customers: pl.DataFrame, folder: Path = WEIGHTS, progress: Callable[[str], None] | None = None) -> list[Path]:
    """Learn the weights of persons and firms and write them as model files, to be reviewed and committed.

    The same customers give the same files.

    Args:
        customers: standardised ones of all sources.
        folder: where the files go.
        progress: told what is being done.

    Raises:
        TrainingError: too few customers of one kind share an identifier.
    """
    model, written = load_model(), []
    ordered = customers.sort("source_system", "customer_id")
    for kind in KINDS:
        of_kind = ordered.filter(pl.col("party_kind") == kind).select("source_system", "customer_id", *COMPARED)
        if progress:
            progress(f"{kind}: {of_kind.height:,} customers")
        path = folder / f"{kind}.json"
        learned = json.dumps(learn(of_kind, model, kind), indent=1, ensure_ascii=False)
        path.write_text(learned + "\n", encoding="utf-8")
        written.append(path)
    return written


def learn(customers: pl.DataFrame, model: Model, kind: PartyKind) -> dict[str, Any]:
    """Return the content of a model file.

    Args:
        customers: standardised ones of one kind, of all sources.
        model: the definition.
        kind: `person` or `firm`.

    Raises:
        TrainingError: fewer than `LEAST_PAIRS` pairs share an identifier.
    """
    comparable = usable(customers, model.held_by_at_most).with_row_index("customer_no")
    comparable = comparable.with_columns(pl.col("customer_no").cast(pl.Int64))
    labels = _known_pairs(comparable)
    if labels.height < LEAST_PAIRS:
        raise TrainingError(f"only {labels.height} pairs of {kind}s share an identifier: too few to learn from")
    largest = comparable["source_system"].value_counts(sort=True)["source_system"][0]
    strangers = comparable.filter(pl.col("source_system") == largest).unique(
        ["name_key", "born_on" if kind == "person" else "phone_key"], keep="first", maintain_order=True
    )
    both = weights(unweighted(model.of(kind)), comparable, strangers, labels)
    across = sum(one * other for one, other in _sizes(comparable))
    with_identifier = comparable["identifier"].is_not_null().mean()
    likely = labels.height / max(float(with_identifier or 0) ** 2, 0.01) / across  # type: ignore[arg-type]
    both["probability_two_random_records_match"] = _rounded(likely)
    return {
        "version": model.version,
        "party_kind": kind,
        "learned_from": {
            "customers": customers.height,
            "pairs_by_identifier": labels.height,
            "random_pairs": _drawn(strangers),
        },
        "settings": both,
    }


def weights(settings: Settings, customers: pl.DataFrame, strangers: pl.DataFrame, known: pl.DataFrame) -> Settings:
    """Return settings with the weights of every level that has none.

    Args:
        settings: Splink's settings.
        customers: `customer_no` and what the settings compare.
        strangers: some of them, each another party.
        known: `left_no` and `right_no` of pairs of customers that are one party.
    """
    with opened(strangers, settings) as (linker, _):
        linker.training.estimate_u_using_random_sampling(
            max_pairs=RANDOM_PAIRS, seed=SEED, min_count_per_level=None, num_chunks=1
        )
        by_chance = linker.misc.save_model_to_json()
    with opened(customers, settings) as (linker, database):
        labels = known.select(customer_no_l="left_no", customer_no_r="right_no")
        linker.training.estimate_m_from_pairwise_labels(registered(database, labels, "labelled_pairs"))
        by_party = linker.misc.save_model_to_json()
    return _merged(by_chance, by_party, _drawn(strangers), known.height)


def _drawn(strangers: pl.DataFrame) -> int:
    return min(RANDOM_PAIRS, strangers.height * (strangers.height - 1) // 2)


def usable(customers: pl.DataFrame, held_by_at_most: int) -> pl.DataFrame:
    """Return the customers without empty names and without phones and doors that too many names share."""
    for column in ("phone_key", "door"):
        names = pl.col("name_key").n_unique().over(column)
        customers = customers.with_columns(pl.when(names <= held_by_at_most).then(column).alias(column))
    return customers.with_columns(
        name_key=pl.when(pl.col("name_key") != "").then("name_key"),
        name_sound=pl.when(pl.col("name_sound") != "").then("name_sound"),
    )


def _known_pairs(customers: pl.DataFrame) -> pl.DataFrame:
    """Pairs of customers of different sources with one valid identifier and one name."""
    held = customers.filter(pl.col("identifier").is_not_null() & pl.col("name_key").is_not_null()).select(
        "customer_no", "source_system", "identifier_kind", "identifier", "name_key"
    )
    both = held.join(held, on=["identifier_kind", "identifier"], suffix="_right").filter(
        (pl.col("customer_no") < pl.col("customer_no_right"))
        & (pl.col("source_system") != pl.col("source_system_right"))
    )
    likeness = load_rules().likeness_of
    agree = [
        names_agree(one, other, likeness(kind))
        for kind, one, other in both.select("identifier_kind", "name_key", "name_key_right").iter_rows()
    ]
    return (
        both.filter(pl.Series(agree, dtype=pl.Boolean))
        .select(left_no="customer_no", right_no="customer_no_right")
        .sort("left_no", "right_no")
    )


def _sizes(customers: pl.DataFrame) -> list[tuple[int, int]]:
    sizes = customers.group_by("source_system", maintain_order=True).len()["len"].to_list()
    return [(one, other) for place, one in enumerate(sizes) for other in sizes[place + 1 :]]


def _merged(by_chance: Settings, by_party: Settings, drawn: int, labelled: int) -> Settings:
    settings = deepcopy(by_party)
    for ours, theirs in zip(settings["comparisons"], by_chance["comparisons"], strict=True):
        levels = [level for level in ours["comparison_levels"] if not level.get("is_null_level")]
        chances = [level for level in theirs["comparison_levels"] if not level.get("is_null_level")]
        for level, chance in zip(levels, chances, strict=True):
            if level.get("fix_m_probability"):
                continue
            level["u_probability"] = _rounded(_seen(chance.get("u_probability"), drawn))
            level["m_probability"] = _rounded(_seen(level.get("m_probability"), labelled))
    settings.pop("linker_uid", None)
    return settings


def _seen(probability: object, of: int) -> float:
    return max(float(probability), 0.5 / of) if isinstance(probability, int | float) else 0.5 / of


def _rounded(probability: float) -> float:
    return float(f"{probability:.4g}")
