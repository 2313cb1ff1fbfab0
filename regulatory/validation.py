"""Every row against the declared specification: format, length, codes, cross-field. Failures are named, not mended."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from regulatory.profile import Profile, ReportField, ReportTable
from regulatory.rendering import SOURCE, context, decimal_parts


@dataclass(frozen=True)
class Finding:
    """One rule that one row breaks.

    Attributes:
        row: number of the row in the table, from 1, in the order of the file.
        key: values of the key fields, as reported.
        field: number and name of the field; empty for a rule between fields.
        value: the raw value, withheld where the field is a personal identifier.
    """

    table: str
    row: int
    key: str
    field: str
    rule: str
    severity: str
    value: str
    message: str


@dataclass(frozen=True)
class _Rule:
    name: str
    severity: str
    field: ReportField | None
    broken: pl.Expr
    message: str


class Validator:
    """Checks the rendered blocks of one table and collects findings, at most `limit` of them in words, all in number.

    Key uniqueness holds over all blocks, so one validator serves one table from the first block to the last.
    """

    def __init__(self, profile: Profile, table: ReportTable, period_end: date, limit: int = 1000) -> None:
        self._table = table
        self._limit = limit
        self._rules = _rules(profile, table, period_end)
        self._key = pl.concat_str([pl.col(name).fill_null("") for name in table.key], separator="/")
        self._keys: set[str] = set()
        self._rows = 0
        self.findings: list[Finding] = []
        self.must_fix = 0
        self.must_verify = 0

    def check(self, rendered: pl.DataFrame) -> None:
        """Check the next block, as `regulatory.rendering.render` gave it."""
        flagged = rendered.with_columns(self._key.alias("_key")).with_row_index("_row", self._rows + 1)
        broken = flagged.select(
            rule.broken.fill_null(False).sum().alias(str(position)) for position, rule in enumerate(self._rules)
        ).row(0)
        for rule, count in zip(self._rules, broken, strict=True):
            if count:
                self._add(rule, flagged.filter(rule.broken.fill_null(False)))
        duplicates = flagged.filter(pl.col("_key").is_duplicated() | pl.col("_key").is_in(self._keys))
        if duplicates.height:
            self._add(
                _Rule("duplicate_key", "must_fix", None, pl.lit(True), "the key stands more than once"), duplicates
            )
        self._keys.update(flagged["_key"])
        self._rows += rendered.height

    def tie_out(self, counted: int, totals: dict[str, tuple[Decimal, Decimal]]) -> None:
        """Compare the file with rows and sums that the database counted apart; a difference must be fixed."""
        compared = {"rows": (Decimal(self._rows), Decimal(counted)), **totals}
        for name, (written, expected) in compared.items():
            if written != expected:
                self.must_fix += 1
                message = f"the file holds {written}, the mart {expected}"
                self.findings.append(Finding(self._table.table, 0, "", name, "tie_out", "must_fix", "", message))

    @property
    def rows(self) -> int:
        """Rows checked so far."""
        return self._rows

    def _add(self, rule: _Rule, rows: pl.DataFrame) -> None:
        if rule.severity == "must_fix":
            self.must_fix += rows.height
        else:
            self.must_verify += rows.height
        field = rule.field
        for row in rows.head(max(0, self._limit - len(self.findings))).iter_rows(named=True):
            value = ""
            if field is not None:
                raw = row[SOURCE + field.source] if field.source is not None else row[field.id]
                value = "(withheld)" if field.pii is not None else str(raw if raw is not None else "")
            self.findings.append(
                Finding(
                    table=self._table.table,
                    row=row["_row"],
                    key=row["_key"],
                    field=f"{field.number} {field.name}" if field is not None else "",
                    rule=rule.name,
                    severity=rule.severity,
                    value=value,
                    message=rule.message,
                )
            )


def _rules(profile: Profile, table: ReportTable, period_end: date) -> list[_Rule]:
    rules = [rule for field in table.fields for rule in _field_rules(profile, field)]
    names = context(profile, table, period_end)
    for check in table.checks:
        broken = ~pl.sql_expr(check.rule.format(**names))
        rules.append(_Rule(check.id, check.severity, None, broken, check.message))
    return rules


def _field_rules(profile: Profile, field: ReportField) -> list[_Rule]:
    value = pl.col(field.id)
    raw = pl.col(SOURCE + field.source) if field.source is not None else value
    is_given = raw.is_not_null() & (raw != "")
    rules = []

    def must(name: str, broken: pl.Expr, message: str) -> None:
        rules.append(_Rule(name, "must_fix", field, broken, message))

    if field.map is not None:
        must("code_unmapped", is_given & value.is_null(), f"not in the code list {field.map}")
    if field.required:
        must("missing", ~is_given & value.is_null(), "required and empty")
    if field.codes is not None:
        must("code_unknown", value.is_not_null() & ~value.is_in(field.codes), f"not one of {', '.join(field.codes)}")
    if field.pattern is not None:
        must("pattern", ~value.str.contains(f"^(?:{field.pattern})$"), f"does not match {field.pattern}")
    match field.type:
        case "text":
            rules += _text_rules(profile, field, value)
        case "date":
            must("date", is_given & value.is_null(), "no valid date")
        case "integer":
            must("integer", ~value.str.contains(r"^-?\d+$"), "no whole number")
        case "decimal":
            whole, fraction = decimal_parts(raw)
            digits = int(field.precision or 0) - int(field.scale or 0)
            must("decimal", is_given & whole.is_null(), "no decimal number")
            must("too_precise", fraction.str.len_chars() > int(field.scale or 0), f"more than {field.scale} decimals")
            must(
                "too_large",
                whole.str.strip_chars_start("0").str.len_chars() > digits,
                f"more than {digits} whole digits",
            )
    return rules


def _text_rules(profile: Profile, field: ReportField, value: pl.Expr) -> list[_Rule]:
    rendering = profile.rendering
    rules = []
    if rendering.length_unit == "characters":
        length = value.str.len_chars()
    elif rendering.encoding.lower().replace("-", "") == "utf8":
        length = value.str.len_bytes()
    else:
        length = value.map_elements(
            lambda text: len(text.encode(rendering.encoding, errors="replace")), return_dtype=pl.Int64
        )
    if field.length is not None:
        message = f"not {field.length} {rendering.length_unit}"
        rules.append(_Rule("length", "must_fix", field, length != field.length, message))
    if field.max_length is not None:
        message = f"more than {field.max_length} {rendering.length_unit}"
        rules.append(_Rule("too_long", "must_fix", field, length > field.max_length, message))
    forbidden = pl.any_horizontal(
        [value.str.contains(character, literal=True) for character in rendering.forbidden_characters]
    )
    rules.append(_Rule("forbidden_character", "must_fix", field, forbidden, "a delimiter or control character"))
    if rendering.encoding.lower().replace("-", "") not in ("utf8", "gb18030"):
        unmappable = value.map_elements(lambda text: not _encodes(text, rendering.encoding), return_dtype=pl.Boolean)
        message = f"a character that {rendering.encoding} lacks"
        rules.append(_Rule("unmappable_character", "must_fix", field, unmappable, message))
    return rules


def _encodes(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
