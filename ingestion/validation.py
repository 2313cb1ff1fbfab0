"""The contract's rules on rows, as Polars expressions over text.

Good rows leave as they go to COPY: text that PostgreSQL reads to the same value, dates in ISO form, arrays in braces.
Bad rows leave with the first rule they break, the column, a message that names all broken rules, and the amount if it
can be read. A rule is never applied twice: what holds here is not repeated as a constraint of the raw table.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import polars as pl

from ingestion.check_digits import CHECKS
from ingestion.contract import TEXTS, Column, Contract, RowRule
from ingestion.cut_off import AccountingDays
from ingestion.keys import SeenKeys
from ingestion.options import IngestOptions
from ingestion.readers.base import AS_SENT, LINE, NEW, Block, DriftSeen, Reject
from ingestion.row_rules import TYPED, columns_named, compiled

INTEGERS = {"smallint": pl.Int16(), "integer": pl.Int32(), "bigint": pl.Int64()}
FLOATS = {"real": (1.5e-45, 3.4028234e38), "double precision": (5e-324, 1.7976931348623157e308)}
ZERO = r"^[+-]?[0.]+([eE]|$)"
BOOLEANS = ("true", "false", "t", "f", "y", "n", "yes", "no", "1", "0")
ISO_DATE = "%Y-%m-%d"
ISO_TIMESTAMP = "%Y-%m-%d %H:%M:%S"
BASIC_DATE, BASIC_TIMESTAMP = "%Y%m%d", "%Y%m%d%H%M%S"  # basic forms of ISO 8601, the second one but for its T
TIME_OF_DAY = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
OFFSET = r"(Z|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)?"
YEAR = "([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"  # there is no year 0000
DIRECTIVES = {
    "%Y": YEAR,
    "%y": "[0-9]{2}",
    "%m": "[0-9]{2}",
    "%d": "[0-9]{2}",
    "%H": "[0-9]{2}",
    "%M": "[0-9]{2}",
    "%S": "[0-9]{2}",
    "%b": "[A-Za-z]{3}",
    "%B": "[A-Za-z]+",
    "%z": "[+-][0-9:]{4,5}",
    "%f": "[0-9]{1,9}",
    "%p": "[AaPp][Mm]",
    "%I": "[0-9]{2}",
    "%j": "[0-9]{3}",
}
AMOUNT = "_amount"
FULL_WIDTH = {chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)} | {"\u3000": " ", "￥": "¥"}


@dataclass(frozen=True)
class Rule:
    """One rule of one column; `holds` is true or null where the row keeps it.

    Attributes:
        waivable: False where the raw table cannot hold, or the warehouse not find, a row that breaks the rule.
    """

    name: str
    column: str
    holds: pl.Expr
    expects: str
    waivable: bool = True


@dataclass(frozen=True)
class Warned:
    """A loaded row that breaks a rule of severity flag."""

    line: int
    rule: str
    column: str


@dataclass
class Checked:
    """A block after its rules: rows for COPY, those of them that were erased, rejected lines, warnings, amounts, values
    set aside of loaded rows."""

    good: pl.DataFrame
    rejects: list[Reject] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    amount: Decimal = Decimal(0)
    is_erased: pl.Series | None = None
    set_aside: pl.DataFrame | None = None


class Validator:
    """Applies one contract's rules to the blocks of one file.

    Args:
        contract: Contract of the file.
        options: Settings of ingestion.
        waived: True for rows that a steward released: only the rules that cannot be waived are applied.
        business_date: Date the file was sent for; None skips the rule that needs it.
    """

    def __init__(
        self, contract: Contract, options: IngestOptions, waived: bool = False, business_date: date | None = None
    ) -> None:
        self.contract = contract
        of_type = type_may_change(contract)
        self._rules = [
            rule
            for column in contract.columns
            for rule in rules_of(column, is_structural=column.name in (*contract.row_key, contract.change.flag))
            if not (waived and rule.waivable) and not (rule.name == "type" and rule.column in of_type)
        ]
        between = [] if waived else [(rule, _row_rule(contract, rule)) for rule in contract.row_rules]
        self._rules += [rule for agreed, rule in between if agreed.severity == "error"]
        self._flags = [rule for agreed, rule in between if agreed.severity == "warning"]
        self._flags += [Rule("type", name, holds, "is not of the contract's type") for name, holds in of_type.items()]
        self._typed = [
            _compared(contract.by_name[name]).alias(TYPED + name)
            for name in dict.fromkeys(
                name for agreed, _ in between for name in columns_named(agreed.holds, contract.column_names)
            )
        ]
        self._out = [
            pl.when(of_type[c.name]).then(out_expression(c)).alias(c.name) if c.name in of_type else out_expression(c)
            for c in contract.columns
        ]
        evolves = contract.drift.changed_type == "evolve"
        self._as_sent = [
            pl.when(~holds).then(pl.col(name)).alias(AS_SENT + name) for name, holds in of_type.items() if evolves
        ]
        self._folded = [folded(column) for column in contract.columns if column.full_width]
        self._days = AccountingDays(contract, business_date) if contract.cut_off and not waived else None
        self._drift_known, self._waived = 0, waived
        self._key = () if waived else contract.row_key
        self._seen = SeenKeys(self._key, options.keys_in_memory)
        self._digits = [] if waived else [column for column in contract.columns if column.check_digit]
        amount = contract.control.amount_column
        self._amount = (
            value_of(contract.by_name[amount]).alias(AMOUNT) if amount else pl.lit(None, pl.Null()).alias(AMOUNT)
        )

    def __call__(self, block: Block) -> Checked:
        """Parts the block into good and bad rows."""
        if self._folded:
            block = replace(block, frame=block.frame.with_columns(self._folded))
        beside = [pl.col(name) for name in block.frame.columns if name.startswith(NEW)] + self._as_sent
        if self._typed:
            block = replace(block, frame=block.frame.with_columns(self._typed))
        frame = block.frame
        holds = (
            pl.all_horizontal([rule.holds for rule in self._rules] or [pl.lit(True)]).fill_null(True).alias("_holds")
        )
        checked = frame.lazy().select(*self._out, pl.col(LINE), self._amount, holds, *beside).collect()
        keeps = checked["_holds"].to_numpy().copy() if frame.height else np.ones(0, dtype=bool)
        rejects = list(block.rejects)
        if not keeps.all():
            rejects += self._broken(block, checked, np.flatnonzero(~keeps))
        warnings = self._check_digits(block, checked, keeps, rejects)
        if self._days:
            warnings += self._check_days(self._days, block, checked, keeps, rejects)
        self._check_keys(block, checked, keeps, rejects)
        warnings += self._check_flags(block, keeps)
        good = checked if keeps.all() else checked.filter(pl.Series(keeps))
        amount = good[AMOUNT].sum() if self.contract.control.amount_column and good.height else None
        empty = [e.meta.output_name() for e in beside if good[e.meta.output_name()].null_count() == good.height]
        return Checked(good.drop(AMOUNT, "_holds", *empty), rejects, warnings, Decimal(amount or 0))

    def expect(self, drift: Sequence[DriftSeen]) -> None:
        """Takes the columns that the file has lost as their policy says; to be told before each block."""
        for seen in drift[self._drift_known :]:
            if seen.kind == "lost_column" and seen.policy == "evolve":
                name = self.contract.by_header[seen.column].name
                self._rules = [rule for rule in self._rules if (rule.name, rule.column) != ("required", name)]
            elif seen.kind == "lost_column" and seen.policy == "quarantine" and not self._waived:
                name = self.contract.by_header[seen.column].name
                lost = Rule("lost_column", name, pl.col(LINE) < 0, "because the file does not have the column")
                self._rules.insert(0, lost)
        self._drift_known = len(drift)

    def _broken(self, block: Block, checked: pl.DataFrame, positions: np.ndarray) -> list[Reject]:
        rows = block.frame[positions]
        verdicts = rows.select(rule.holds.fill_null(True).alias(str(i)) for i, rule in enumerate(self._rules))
        rejects = []
        for index, (verdict, raw) in enumerate(
            zip(verdicts.iter_rows(), block.raw_text(positions.tolist()), strict=True)
        ):
            broken = [rule for rule, holds in zip(self._rules, verdict, strict=True) if not holds]
            messages = [f"{rule.column}: {_shown(rows[rule.column][index])} {rule.expects}" for rule in broken]
            amount = checked[AMOUNT][int(positions[index])]
            rejects.append(
                Reject(rows[LINE][index], broken[0].name, broken[0].column, "; ".join(messages), raw, amount)
            )
        return rejects

    def _check_digits(
        self, block: Block, checked: pl.DataFrame, keeps: np.ndarray, rejects: list[Reject]
    ) -> list[Warned]:
        warnings: list[Warned] = []
        for column in self._digits:
            check = column.check_digit
            assert check is not None
            values = block.frame[column.name]
            wrong = [v for v in values.drop_nulls().unique().to_list() if not CHECKS[check.rule](v)]
            if not wrong:
                continue
            concerned = pl.col(column.name).is_in(wrong)
            for other, codes in check.when.items():
                concerned = concerned & pl.col(other).is_in(codes)
            hit = block.frame.select(concerned.fill_null(False).alias("hit"))["hit"].to_numpy() & keeps
            positions = np.flatnonzero(hit)
            lines = block.frame[LINE]
            if check.severity == "flag":
                warnings += [Warned(lines[int(p)], f"check_digit_{check.rule}", column.name) for p in positions]
                continue
            keeps[positions] = False
            for position, raw in zip(positions, block.raw_text(positions.tolist()), strict=True):
                rejects.append(
                    Reject(
                        lines[int(position)],
                        f"check_digit_{check.rule}",
                        column.name,
                        f"{column.name}: {_shown(values[int(position)])} has a wrong check digit",
                        raw,
                        checked[AMOUNT][int(position)],
                    )
                )
        return warnings

    def _check_days(
        self, days: AccountingDays, block: Block, checked: pl.DataFrame, keeps: np.ndarray, rejects: list[Reject]
    ) -> list[Warned]:
        """Rows that were booked on the wrong day."""
        wrong = [found for found in days.broken(block.frame) if keeps[found[0]]]
        if not wrong:
            return []
        lines, column = block.frame[LINE], days.terms.accounting_date
        if days.terms.severity == "warning":
            return [Warned(lines[position], rule, column) for position, rule, _ in wrong]
        positions = [position for position, *_ in wrong]
        keeps[positions] = False
        for (position, rule, why), raw in zip(wrong, block.raw_text(positions), strict=True):
            rejects.append(Reject(lines[position], rule, column, f"{column}: {why}", raw, checked[AMOUNT][position]))
        return []

    def _check_flags(self, block: Block, keeps: np.ndarray) -> list[Warned]:
        """Rows that are loaded and break a rule of severity warning."""
        warnings = []
        for rule in self._flags:
            broken = block.frame.select(~rule.holds.fill_null(True)).to_series().to_numpy() & keeps
            warnings += [Warned(block.frame[LINE][int(p)], rule.name, rule.column) for p in np.flatnonzero(broken)]
        return warnings

    def _check_keys(self, block: Block, checked: pl.DataFrame, keeps: np.ndarray, rejects: list[Reject]) -> None:
        key = list(self._key)
        if not key or not keeps.any():
            return
        candidates = np.flatnonzero(keeps)
        rows = block.frame.select(key) if keeps.all() else block.frame.select(key)[candidates]
        first = self._seen.first_seen(rows)
        positions = candidates[~first]
        if not len(positions):
            return
        keeps[positions] = False
        for position, raw in zip(positions, block.raw_text(positions.tolist()), strict=True):
            values = ", ".join(str(block.frame[name][int(position)]) for name in key)
            rejects.append(
                Reject(
                    block.frame[LINE][int(position)],
                    "duplicate_key",
                    key[0],
                    f"the key ({', '.join(key)}) = ({values}) occurs before in this file",
                    raw,
                    checked[AMOUNT][int(position)],
                )
            )


def type_may_change(contract: Contract) -> dict[str, pl.Expr]:
    """Whether values are of the type, by columns where one that is not lets the row land all the same."""
    policy = contract.drift.changed_type
    if policy not in ("evolve", "ignore"):
        return {}
    columns = [
        column
        for column in contract.columns
        if not column.is_array
        and column.name not in contract.indispensable
        and not (policy == "ignore" and column.required)
    ]
    return {column.name: holds for column in columns if (holds := type_holds(column)) is not None}


def folded(column: Column) -> pl.Expr:
    """The column's text with full-width characters (全角) as those of ASCII."""
    value = pl.element() if column.is_array else pl.col(column.name)
    plain = value.str.replace_many(list(FULL_WIDTH), list(FULL_WIDTH.values()))
    return pl.col(column.name).list.eval(plain) if column.is_array else plain


def cleaned(column: Column, value: pl.Expr | None = None) -> pl.Expr:
    """The column's text without the characters that its number format strips, implied decimals made explicit."""
    value = pl.col(column.name) if value is None else value
    for character in column.strip:
        value = value.str.replace_all(character, "", literal=True)
    if column.implied_decimals:
        places = column.implied_decimals
        signed = value.str.contains("^[+-]")
        padded = pl.when(signed).then(value.str.zfill(places + 2)).otherwise(value.str.zfill(places + 1))
        explicit = padded.str.head(-places) + pl.lit(".") + padded.str.tail(places)
        value = pl.when(value.str.contains(r"^[+-]?[0-9]+$")).then(explicit).otherwise(value)
    return value


def value_of(column: Column, value: pl.Expr | None = None) -> pl.Expr:
    """The column's typed value, null where the text is not of the type. For comparisons and sums."""
    text = cleaned(column, value)
    base = column.base_type
    if base in INTEGERS:
        return text.cast(INTEGERS[base], strict=False)
    if base == "numeric":
        scale = column.scale if column.scale is not None else 9
        return pl.when(text.str.contains(_numeric_pattern(column))).then(text).cast(pl.Decimal(38, scale), strict=False)
    if base in ("real", "double precision"):
        return text.cast(pl.Float64, strict=False)
    if base == "date":
        return text.str.to_date(column.date_format or ISO_DATE, strict=False)
    if base in ("timestamp", "timestamptz"):
        if column.date_format:
            return text.str.to_datetime(column.date_format, strict=False)
        return text.str.slice(0, 10).str.to_date(ISO_DATE, strict=False)
    return text


def _compared(column: Column) -> pl.Expr:
    """The value for rules between columns: of a moment its local time to the second, where `value_of` knows the day."""
    if column.base_type in ("timestamp", "timestamptz") and not column.date_format:
        moment = cleaned(column).str.slice(0, 19).str.replace("T", " ", literal=True)
        return moment.str.to_datetime(ISO_TIMESTAMP, strict=False)
    return value_of(column)


def type_holds(column: Column, value: pl.Expr | None = None) -> pl.Expr | None:
    """True where the text is of the column's type, null where there is none; None where every text is."""
    text = cleaned(column, value)
    base = column.base_type
    if base in INTEGERS:
        return text.cast(INTEGERS[base], strict=False).is_not_null() | text.is_null()
    if base == "numeric":
        return text.str.contains(_numeric_pattern(column))
    if base in ("real", "double precision"):
        number, (least, most) = text.cast(pl.Float64, strict=False), FLOATS[base]
        holds = number.abs().is_between(least, most) | ((number == 0) & text.str.contains(ZERO))
        return holds.fill_null(False) | text.is_null()
    if base == "boolean":
        return text.str.to_lowercase().is_in(BOOLEANS)
    if base == "jsonb":
        return text.map_elements(is_json, pl.Boolean())
    if base == "time":
        return text.str.contains(f"^{TIME_OF_DAY}$")
    if base == "date":
        holds = text.str.contains(_format_pattern(column.date_format or ISO_DATE))
        return (holds & value_of(column, value).is_not_null()) | text.is_null()
    if base in ("timestamp", "timestamptz"):
        offset = OFFSET if base == "timestamptz" else ""
        pattern = (
            _format_pattern(column.date_format)
            if column.date_format
            else f"^{YEAR}-[0-9]{{2}}-[0-9]{{2}}[ T]{TIME_OF_DAY}{offset}$"
        )
        return (text.str.contains(pattern) & value_of(column, value).is_not_null()) | text.is_null()
    return None


def is_json(text: str) -> bool:
    """True where PostgreSQL takes the text as jsonb."""
    try:
        plain = json.dumps(json.loads(text, parse_constant=_no_constant, parse_float=str), ensure_ascii=False)
        plain.encode("utf-8")
    except (ValueError, RecursionError):
        return False
    return "\\u0000" not in plain


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def rules_of(column: Column, is_structural: bool = False) -> list[Rule]:
    """The rules of one column in the order in which they are reported.

    Args:
        column: The column.
        is_structural: True where it says which row is meant, or what is to become of it: part of the key, change flag.
    """
    value = pl.col(column.name)
    rules = []

    def rule(name: str, holds: pl.Expr | None, expects: str, waivable: bool = True) -> None:
        if holds is not None:
            rules.append(Rule(name, column.name, holds, expects, waivable))

    if column.required:
        rule("required", value.is_not_null(), "where a value is required", waivable=not is_structural)
    kind = column.physical_type + (f" in the form {column.date_format}" if column.date_format else "")
    if column.is_array:
        holds = type_holds(column, pl.element())
        rule(
            "type",
            None if holds is None else value.list.eval(holds).list.all(),
            f"holds a value that is no {kind.removesuffix('[]')}",
            waivable=False,
        )
        return rules
    rule("type", type_holds(column), f"is no {kind}", waivable=False)
    if column.codes:
        expects = f"is not one of {', '.join(column.codes)}"
        rule("codes", value.is_in(column.codes), expects, waivable=not is_structural)
    if column.base_type in TEXTS:
        longest = min((n for n in (column.size, column.max_length) if n is not None), default=None)
        if longest is not None:
            rule(
                "max_length",
                value.str.len_chars() <= longest,
                f"is longer than {longest} characters",
                waivable=column.size is None,
            )
        if column.min_length:
            rule(
                "min_length",
                value.str.len_chars() >= column.min_length,
                f"is shorter than {column.min_length} characters",
            )
        if column.pattern:
            rule("pattern", value.str.contains(column.pattern), f"does not match {column.pattern}")
        return rules
    if column.minimum is not None:
        rule("minimum", value_of(column) >= _bound(column, column.minimum), f"is below {column.minimum}")
    if column.maximum is not None:
        rule("maximum", value_of(column) <= _bound(column, column.maximum), f"is above {column.maximum}")
    return rules


def _row_rule(contract: Contract, agreed: RowRule) -> Rule:
    """A rule between columns, reported under the first of them."""
    column = columns_named(agreed.holds, contract.column_names)[0]
    said = f" ({agreed.description})" if agreed.description else ""
    return Rule(agreed.name, column, compiled(agreed.holds, contract.column_names), f"breaks {agreed.holds}{said}")


def out_expression(column: Column) -> pl.Expr:
    """What goes to COPY: the text itself where PostgreSQL reads it to the same value, the typed value elsewhere."""
    if column.is_array:
        element = cleaned(column, pl.element())
        if column.base_type in TEXTS:
            escaped = element.str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
            element = pl.lit('"') + escaped + pl.lit('"')
        joined = pl.col(column.name).list.eval(element.fill_null("NULL")).list.join(",")
        return (pl.lit("{") + joined + pl.lit("}")).alias(column.name)
    if column.base_type in ("date", "timestamp", "timestamptz"):
        if column.date_format == BASIC_TIMESTAMP:
            text = pl.col(column.name)
            return (text.str.head(8) + pl.lit("T") + text.str.tail(6)).alias(column.name)
        if column.date_format not in (None, ISO_DATE, BASIC_DATE, ISO_TIMESTAMP):
            return value_of(column).alias(column.name)
    return cleaned(column).alias(column.name)


def _numeric_pattern(column: Column) -> str:
    if column.size is None:
        return r"^[+-]?([0-9]{1,29}(\.[0-9]{0,9})?|\.[0-9]{1,9})$"
    scale = column.scale or 0
    whole = column.size - scale
    before = rf"0*[0-9]{{1,{whole}}}" if whole else "0+"
    if not scale:
        return rf"^[+-]?{before}(\.0*)?$"
    return rf"^[+-]?({before}(\.[0-9]{{0,{scale}}}0*)?|\.[0-9]{{1,{scale}}}0*)$"


def _format_pattern(form: str) -> str:
    pattern, at = "", 0
    while at < len(form):
        directive = form[at : at + 2]
        if directive in DIRECTIVES:
            pattern, at = pattern + DIRECTIVES[directive], at + 2
        else:
            character = form[at]
            pattern, at = pattern + ("\\" + character if character in r"\.^$*+?()[]{}|" else character), at + 1
    return f"^{pattern}$"


def _bound(column: Column, text: str) -> pl.Expr:
    if column.base_type in INTEGERS:
        return pl.lit(int(Decimal(text)))
    if column.base_type == "numeric":
        return pl.lit(Decimal(text))
    if column.base_type == "date":
        return pl.lit(date.fromisoformat(text))
    if column.base_type in ("timestamp", "timestamptz"):
        moment = datetime.fromisoformat(text)
        return pl.lit(moment if column.date_format else moment.date())
    return pl.lit(float(text))


def _shown(value: object) -> str:
    if value is None:
        return "no value"
    if isinstance(value, pl.Series):
        value = value.to_list()
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…'"
