"""Standardised forms of what customers are resolved by, whole columns at a time."""

import polars as pl

from identity.identifier import CHECKS, compact
from identity.name import name_key
from identity.rules import Rules


def standardise(customers: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Add the standardised identifier and name to customers.

    Each different number is checked once.

    Args:
        customers: ``party_kind``, ``customer_name``, ``id_type``, ``id_number`` as text, among other columns.
        rules: which types of document count for whom.

    Returns:
        The same rows in the same order with

        - ``identifier_kind``: the rule's kind, null where no rule knows the document for this kind of party;
        - ``identifier``: the one written form of a valid number, else null;
        - ``identifier_state``: ``valid``, ``missing``, ``not_applicable``, ``placeholder`` or ``invalid``;
        - ``name_key``: the form of the name that is compared.
    """
    kinds = pl.DataFrame(
        [
            {"party_kind": rule.party_kind, "id_type": id_type, "identifier_kind": rule.kind}
            for rule in rules.identifiers
            for id_type in rule.id_types
        ],
        schema={"party_kind": pl.String, "id_type": pl.String, "identifier_kind": pl.String},
    )
    with_kind = customers.join(kinds, on=["party_kind", "id_type"], how="left", maintain_order="left")
    numbers = with_kind.select("identifier_kind", "id_number").drop_nulls().unique()
    checks = {rule.kind: CHECKS[rule.check] for rule in rules.identifiers}
    written = [checks[kind](compact(number)) for kind, number in numbers.iter_rows()]
    checked = numbers.with_columns(pl.Series("identifier", written, dtype=pl.String))
    names = with_kind.select("customer_name", "party_kind").unique()
    keys = [name_key(name, kind, rules.firm_suffixes) for name, kind in names.iter_rows()]
    named = names.with_columns(pl.Series("name_key", keys, dtype=pl.String))
    placeholders = pl.DataFrame(
        [{"identifier_kind": kind, "identifier": one} for kind, all_ in rules.placeholders.items() for one in all_],
        schema={"identifier_kind": pl.String, "identifier": pl.String},
    ).with_columns(is_placeholder=True)
    return (
        with_kind.join(checked, on=["identifier_kind", "id_number"], how="left", maintain_order="left")
        .join(named, on=["customer_name", "party_kind"], how="left", nulls_equal=True, maintain_order="left")
        .join(placeholders, on=["identifier_kind", "identifier"], how="left", maintain_order="left")
        .with_columns(
            identifier_state=pl.when(pl.col("id_number").fill_null("").str.strip_chars() == "")
            .then(pl.lit("missing"))
            .when(pl.col("identifier_kind").is_null())
            .then(pl.lit("not_applicable"))
            .when(pl.col("is_placeholder"))
            .then(pl.lit("placeholder"))
            .when(pl.col("identifier").is_null())
            .then(pl.lit("invalid"))
            .otherwise(pl.lit("valid"))
        )
        .with_columns(
            identifier=pl.when(pl.col("identifier_state") == "valid").then("identifier"),
        )
        .drop("is_placeholder")
    )
