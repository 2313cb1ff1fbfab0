"""Standardised forms of what customers are resolved by, whole columns at a time; the originals stay beside them."""

from collections.abc import Callable

import polars as pl

from identity.address import parse
from identity.identifier import CHECKS, compact
from identity.name import name_key, sound
from identity.phone import phone_key
from identity.rules import Rules

COMPARED = (
    *("name_key", "name_sound", "phone_key", "division", "building", "door", "born_on", "sex"),
    *("identifier_kind", "identifier", "id_written"),
)
"""The standardised forms that the model compares, all of them text."""

_TEXT = pl.String


def standardise(customers: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Add the standardised forms to customers.

    Each different value is looked at once.

    Args:
        customers: ``party_kind``, ``customer_name``, ``id_type``, ``id_number`` as text, and where the sources have
            them ``phone``, ``address``, ``birth_date``, ``gender``, among other columns.
        rules: which types of document count for whom.

    Returns:
        The same rows in the same order with

        - ``identifier_kind``: the rule's kind, null where no rule knows the document for this kind of party;
        - ``identifier``: the one written form of a valid number, else null;
        - ``identifier_state``: ``valid``, ``missing``, ``not_applicable``, ``placeholder`` or ``invalid``;
        - ``id_written``: what a number says that is not valid, but may be a typing error of one; or the valid one;
        - ``name_key``, ``name_sound``: the form of the name that is compared, and a person's pinyin;
        - ``phone_key`` and ``phone_state``;
        - ``division``, ``building``, ``door``: see :class:`identity.address.Address`;
        - ``born_on``, ``sex``: as held, else as a valid resident id says.
    """
    for column, dtype in (("phone", _TEXT), ("address", _TEXT), ("birth_date", pl.Date), ("gender", _TEXT)):
        if column not in customers.columns:
            customers = customers.with_columns(pl.lit(None, dtype).alias(column))
    return _with_birth(
        _with_address(_with_phone(_with_name(_with_identifier(customers, rules), rules), rules)),
    )


def _with_identifier(customers: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    kinds = pl.DataFrame(
        [
            {"party_kind": rule.party_kind, "id_type": id_type, "identifier_kind": rule.kind}
            for rule in rules.identifiers
            for id_type in rule.id_types
        ],
        schema={"party_kind": _TEXT, "id_type": _TEXT, "identifier_kind": _TEXT},
    )
    with_kind = customers.join(kinds, on=["party_kind", "id_type"], how="left", maintain_order="left")
    numbers = with_kind.select("identifier_kind", "id_number").drop_nulls().unique()
    checks = {rule.kind: CHECKS[rule.check] for rule in rules.identifiers}
    written = [compact(number) for number in numbers["id_number"]]
    valid = [checks[kind](number) for kind, number in zip(numbers["identifier_kind"], written, strict=True)]
    checked = numbers.with_columns(
        pl.Series("identifier", valid, dtype=_TEXT), pl.Series("id_written", written, dtype=_TEXT)
    )
    placeholders = pl.DataFrame(
        [{"identifier_kind": kind, "identifier": one} for kind, all_ in rules.placeholders.items() for one in all_],
        schema={"identifier_kind": _TEXT, "identifier": _TEXT},
    ).with_columns(is_placeholder=True)
    return (
        with_kind.join(checked, on=["identifier_kind", "id_number"], how="left", maintain_order="left")
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
            id_written=pl.when(pl.col("identifier_state").is_in(["valid", "invalid"])).then(
                pl.coalesce("identifier", "id_written")
            ),
        )
        .drop("is_placeholder")
    )


def _with_name(customers: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    names = customers.select("customer_name", "party_kind").unique()
    keys = [name_key(name, kind, rules.firm_suffixes) for name, kind in names.iter_rows()]
    sounds = [sound(key) if kind == "person" else None for key, kind in zip(keys, names["party_kind"], strict=True)]
    named = names.with_columns(pl.Series("name_key", keys, dtype=_TEXT), pl.Series("name_sound", sounds, dtype=_TEXT))
    return customers.join(
        named, on=["customer_name", "party_kind"], how="left", nulls_equal=True, maintain_order="left"
    )


def _with_phone(customers: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    placeholders = frozenset(rules.placeholder_phones)
    return _mapped(
        customers, "phone", {"phone_key": _TEXT, "phone_state": _TEXT}, lambda phone: phone_key(phone, placeholders)
    )


def _with_address(customers: pl.DataFrame) -> pl.DataFrame:
    def parts(address: str | None) -> tuple[str | None, ...]:
        parsed = parse(address)
        return parsed.division, parsed.building, parsed.door

    return _mapped(customers, "address", {"division": _TEXT, "building": _TEXT, "door": _TEXT}, parts)


def _mapped(
    customers: pl.DataFrame, column: str, added: dict[str, type], form: Callable[[str | None], tuple[str | None, ...]]
) -> pl.DataFrame:
    values = customers.select(column).unique()
    rows = [form(value) for value in values[column]]
    forms = values.hstack(pl.DataFrame(rows, schema=added, orient="row"))
    return customers.join(forms, on=column, how="left", nulls_equal=True, maintain_order="left")


def _with_birth(customers: pl.DataFrame) -> pl.DataFrame:
    number = pl.when(pl.col("identifier_kind") == "resident_id").then("identifier")
    return customers.with_columns(
        born_on=pl.coalesce("birth_date", number.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)).cast(_TEXT),
        sex=pl.coalesce(
            pl.when(pl.col("gender").is_in(["M", "F"])).then("gender"),
            pl.when(number.str.slice(16, 1).cast(pl.Int8, strict=False) % 2 == 1)
            .then(pl.lit("M"))
            .when(number.is_not_null())
            .then(pl.lit("F")),
        ),
    )
