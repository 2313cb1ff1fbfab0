"""Rows of a mart as a regulator wants them: constants, code lists, transformations, formats. Declared, never guessed.

All work is on columns of text in blocks of rows. A value that does not fit becomes NULL here only where the raw value
cannot be expressed at all; `regulatory.validation` finds each such case from the raw value. Nothing is truncated.
"""

import hashlib
from datetime import date

import polars as pl

from regulatory.profile import Pii, Profile, ReportField, ReportTable

SOURCE = "source."
"""Prefix of the mart's columns in a block; fields stand under their ids."""


def context(profile: Profile, table: ReportTable, period_end: date) -> dict[str, object]:
    """What templates of the profile (constants, file names, checks) may name."""
    return {**profile.parameters, "table": table.table, "period_end": period_end}


def source_columns(table: ReportTable) -> list[str]:
    """The columns of the mart that the table reads, each once, in the order of the fields."""
    return list(dict.fromkeys(field.source for field in table.fields if field.source is not None))


def render(block: pl.DataFrame, profile: Profile, table: ReportTable, period_end: date) -> pl.DataFrame:
    """The block with every field of the table added under its id, as text or NULL.

    Args:
        block: columns `source.<column>` of `source_columns`, all text.
    """
    names = context(profile, table, period_end)
    rendered = block.with_columns(_value(field, profile, names).alias(field.id) for field in table.fields)
    masked = [field for field in table.fields if field.pii is not None]
    return rendered.with_columns(_transformed(field.id, field.pii).alias(field.id) for field in masked)


def _value(field: ReportField, profile: Profile, names: dict[str, object]) -> pl.Expr:
    value = pl.lit(field.constant.format(**names)) if field.constant is not None else pl.col(SOURCE + str(field.source))
    if field.map is not None:
        value = value.replace_strict(profile.code_lists[field.map], default=None, return_dtype=pl.String)
    for character in field.remove:
        value = value.str.replace_all(character, "", literal=True)
    match field.type:
        case "decimal":
            value = _decimal(value, int(field.scale or 0))
        case "date":
            value = value.str.to_date("%Y-%m-%d", strict=False).dt.strftime(profile.rendering.date_format)
        case _:
            value = pl.when(value == "").then(None).otherwise(value)
    return value.fill_null(pl.lit(field.when_null)) if field.when_null is not None else value


def decimal_parts(value: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Digits before the point, and digits after it without closing zeros; NULL where the text is no decimal number."""
    is_decimal = value.str.contains(r"^-?\d+(\.\d+)?$")
    whole = pl.when(is_decimal).then(value.str.extract(r"^-?(\d+)"))
    fraction = pl.when(is_decimal).then(value.str.extract(r"\.(\d+)$").fill_null("").str.strip_chars_end("0"))
    return whole, fraction


def _decimal(value: pl.Expr, scale: int) -> pl.Expr:
    whole, fraction = decimal_parts(value)
    sign = (
        pl.when(value.str.starts_with("-") & ((whole.str.strip_chars("0") != "") | (fraction != "")))
        .then(pl.lit("-"))
        .otherwise(pl.lit(""))
    )
    if scale == 0:
        return pl.when(fraction == "").then(sign + whole)
    fits = fraction.str.len_chars() <= scale
    return pl.when(fits).then(sign + whole + pl.lit(".") + fraction.str.pad_end(scale, "0"))


def _transformed(field_id: str, pii: Pii) -> pl.Expr:
    """PBoC masking of 证件代码 as public bank code does it (regulatory_fields.md 3.1): [T], so all of it is declared.

    `prefix_and_md5`: the first characters of the upper-cased number and its lower-case MD5 for the kinds named in
    `prefixed_when`; the MD5 alone for other kinds; unchanged for the kinds named in `unchanged_when`.
    """
    upper = pl.col(field_id).str.to_uppercase()
    digest = upper.map_elements(lambda text: hashlib.md5(text.encode()).hexdigest(), return_dtype=pl.String)
    if pii.transform == "md5":
        return digest
    prefixed = _any(pii.prefixed_when)
    return (
        pl.when(_any(pii.unchanged_when))
        .then(pl.col(field_id))
        .when(prefixed)
        .then(upper.str.slice(0, pii.prefix) + digest)
        .otherwise(digest)
    )


def _any(conditions: dict[str, list[str]]) -> pl.Expr:
    matches = [pl.col(field).is_in(values).fill_null(False) for field, values in conditions.items()]
    return pl.any_horizontal(matches) if matches else pl.lit(False)


def to_bytes(rows: pl.DataFrame, profile: Profile, table: ReportTable) -> bytes:
    """The fields of rendered rows as the file's bytes, `line_end` between rows and none after the last."""
    rendering = profile.rendering
    text = rows.select(field.id for field in table.fields).write_csv(
        include_header=False,
        separator=rendering.delimiter,
        line_terminator=rendering.line_end,
        quote_style="never",
        null_value=rendering.null_text,
    )
    return text.removesuffix(rendering.line_end).encode(rendering.encoding)
