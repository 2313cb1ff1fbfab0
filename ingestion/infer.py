"""A first contract from a file (`c360 contract infer`): what the bytes show, and what a person has to decide.

`sniff` says how the file is written. With that the project's own reader gives the rows as text, and a
type is taken where `validation.type_holds` says so of nearly all values: what is inferred here is judged there alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import yaml
from pydantic import BaseModel

from ingestion.check_digits import is_identity_number
from ingestion.contract import Change, CheckDigit, Column, Contract, Control, CutOff, Drift, as_identifier
from ingestion.options import IngestOptions
from ingestion.readers import open_reader
from ingestion.readers.base import LINE
from ingestion.refusal import Refusal
from ingestion.sniff import sniff
from ingestion.validation import folded, type_holds, value_of

SAMPLE_ROWS = 100_000
NEARLY_ALL = 0.99
"""Share of values that decides a type: a real file holds some that are wrong, and the contract is to say so of them."""

NULL_TOKENS = ("NULL", "null", "\\N", "NA", "N/A", "None", "-", "--")
DATES = ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%d.%m.%Y", "%Y年%m月%d日")
TIMESTAMPS = ("%Y-%m-%d %H:%M:%S", "%Y%m%d%H%M%S", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y %H:%M:%S")
NUMBER = r"^[+-]?[0-9]+(\.[0-9]+)?$"
INTEGER = r"^-?(0|[1-9][0-9]{0,17})$"
MOST_DECIMALS = 9
Model = TypeVar("Model", bound=BaseModel)
MOST_CODES, ROWS_A_CODE, LONGEST_CODE = 20, 20, 20


@dataclass(frozen=True)
class Draft:
    """A contract as a file suggests it.

    Attributes:
        contract: The contract; its status in YAML is *draft*.
        rows: Rows looked at.
        doubts: What the file cannot say, or says badly; one sentence each.
    """

    contract: Contract
    rows: int
    doubts: tuple[str, ...]

    def to_yaml(self) -> str:
        """The contract as an Open Data Contract Standard file, its doubts as comments on top."""
        heading = [f"Draft from {Path(self.contract.path).name}: {self.rows:,} rows were looked at.", *self.doubts]
        comments = "".join(f"# {line}\n" for line in heading)
        return comments + yaml.safe_dump(_as_standard(self.contract), sort_keys=False, allow_unicode=True, width=120)


def infer(path: Path, source: str, table: str, controller: str = "unknown") -> Draft:
    """Drafts the contract of a delimited, JSON lines, Parquet or Excel file.

    Args:
        path: The file; its first 100,000 rows are looked at.
        source: Source system that sends it.
        table: Name of the table.
        controller: The data controller.

    Raises:
        Refusal: the file cannot be read, is empty, or is of a kind that does not show its columns.
    """
    layout, columns = sniff(path)
    plain = Contract(
        source=source,
        table=table,
        version="0.1.0",
        name=table.replace("_", " ").capitalize(),
        description=f"{table.replace('_', ' ').capitalize()}, as {source} sends it.",
        grain="One row is one (to be named).",
        controller=controller,
        columns=tuple(columns),
        layout=layout,
        control=Control(),
        change=Change(kind="append"),
        drift=Drift(),
        path=str(path),
    )
    rows = _rows(_with(plain, drift=Drift(new_column="ignore")), path)
    if rows.is_empty():
        raise Refusal("empty", "there is no row to learn from", "Take a file of a usual day", path.name)
    tokens = _null_tokens(rows)
    rows = rows.with_columns(
        pl.when(pl.col(pl.String).is_in(tokens)).then(None).otherwise(pl.col(pl.String)).name.keep()
    )
    typed = tuple(_typed(column, rows[column.name]) for column in plain.columns)
    rows = rows.with_columns(folded(column) for column in typed if column.full_width)
    key = _key(typed, rows)
    keyed = tuple(
        _with(column, key_position=key.index(column.name) + 1, required=True) if column.name in key else column
        for column in typed
    )
    amount = next((column.name for column in keyed if column.scale == 2), None)
    contract = _with(
        plain,
        columns=keyed,
        layout=_with(layout, null_tokens=("", *tokens)),
        control=Control(amount_column=amount),
        change=Change(kind="append", key=key),
        cut_off=_cut_off(keyed, rows),
    )
    return Draft(contract, rows.height, tuple(_doubts(contract, rows)))


def property_lines(header: str, values: pl.Series, name: str | None = None) -> str:
    """What a contract would say of a column: YAML of the standard, to be put among its properties.

    Args:
        header: The column's name in the file.
        values: Values of it as text.
        name: Name to give it; from the header if not given.
    """
    named = name or as_identifier(header) or "column_to_be_named"
    column = Column(name=named, physical_type="text", header=header if header != named else None)
    found = _with(_typed(column, values), required=False, classification="C3")
    return yaml.safe_dump([_as_property(found)], sort_keys=False, allow_unicode=True, width=120)


def _with(model: Model, **changes: Any) -> Model:
    """A copy with other values; `model_copy` would keep what the properties have worked out from the old ones."""
    return type(model)(**dict(model) | changes)


def _rows(contract: Contract, path: Path) -> pl.DataFrame:
    """The first rows as text, as the project's reader gives them."""
    frames, height = [pl.DataFrame()], 0
    for block in open_reader(contract, path, IngestOptions()).blocks():
        frames.append(block.frame.drop(LINE))
        height += block.frame.height
        if height >= SAMPLE_ROWS:
            break
    return pl.concat(frames, how="diagonal").head(SAMPLE_ROWS)


def _null_tokens(rows: pl.DataFrame) -> list[str]:
    """Tokens that stand among numbers and dates, where they can only mean that there is no value."""
    found = set()
    for values in rows.select(pl.col(pl.String)):
        tokens = values.filter(values.is_in(NULL_TOKENS))
        others = values.filter(~values.is_in(NULL_TOKENS)).drop_nulls()
        if len(tokens) and len(others) and others.str.contains(r"^[+-]?[0-9]").mean() == 1:
            found |= set(tokens.unique())
    return sorted(found)


def _typed(column: Column, values: pl.Series) -> Column:
    """The column with the narrowest type that nearly all its values have, and with what they show of its rules."""
    required = not values.null_count()
    if column.is_array:
        values = values.explode().drop_nulls()
    kind = _of_type(column, values.drop_nulls())
    if kind.base_type == "text" and not column.is_array:
        plain = values.to_frame(column.name).select(folded(column)).to_series()
        if (plain != values).any():
            narrow = _of_type(column, plain.drop_nulls())
            kind = _with(narrow, full_width=True) if narrow.base_type != "text" else kind
    found = _with(kind, required=required, logical_type=_logical(kind.base_type))
    if found.base_type != "text" or column.is_array:
        return found
    texts = values.drop_nulls()
    ids = texts.filter(texts.str.len_chars() == 18)
    if len(ids) > len(texts) / 2 and ids.map_elements(is_identity_number, return_dtype=pl.Boolean).mean() > 0.9:
        return _with(found, check_digit=CheckDigit(rule="id"), classification="C3")
    codes = texts.unique().sort()
    few = 0 < len(codes) <= MOST_CODES and len(texts) >= ROWS_A_CODE * len(codes)
    if few and codes.str.len_chars().max() <= LONGEST_CODE:
        return _with(found, codes=tuple(codes))
    return found


def _of_type(column: Column, values: pl.Series) -> Column:
    """The column with the type of its values, none of which is null."""
    brackets = "[]" if column.is_array else ""
    if column.base_type != "text" or values.is_empty():
        return column
    for changes in _candidates(values):
        candidate = Column(name=column.name, **changes)
        holds = type_holds(candidate)
        share = values.to_frame(column.name).select(holds.fill_null(False).mean()).item() if holds is not None else 0
        if share >= NEARLY_ALL:
            return _with(column, **changes | {"physical_type": changes["physical_type"] + brackets})
    return column


def _candidates(values: pl.Series) -> list[dict[str, Any]]:
    """Types to try, the most telling first."""
    digits = values.str.contains(INTEGER).mean()
    found: list[dict[str, Any]] = [
        {"physical_type": kind, "date_format": None if form in (DATES[0], TIMESTAMPS[0]) else form}
        for kind, forms in (("date", DATES), ("timestamp", TIMESTAMPS))
        for form in forms
        if form != "%Y%m%d" or values.str.contains("^(19|20)[0-9]{6}$").mean() >= NEARLY_ALL
    ]
    if digits >= NEARLY_ALL:
        large = values.str.len_chars().max() > 9
        return [*found, {"physical_type": "bigint" if large else "integer"}]
    marks = "".join(mark for mark in ",$¥￥ " if values.str.contains(mark, literal=True).any())
    plain = values
    for mark in marks:
        plain = plain.str.replace_all(mark, "", literal=True)
    numbers = plain.filter(plain.str.contains(NUMBER))
    padded = numbers.str.contains(r"^[+-]?0[0-9]").any()  # leading zeros: a number of something, not an amount
    if len(numbers) >= NEARLY_ALL * len(plain) and not padded:
        scale = numbers.str.extract(r"\.([0-9]+)$").str.len_chars().max() or 0
        kind = f"numeric({max(18, 10 + scale)},{scale})" if scale <= MOST_DECIMALS else "double precision"
        found.append({"physical_type": kind, "strip": marks})
    if values.str.contains("^(?i)(true|false)$").all():
        found.append({"physical_type": "boolean"})
    return found


def _logical(base: str) -> str:
    named = {"smallint": "integer", "bigint": "integer", "numeric": "number", "double precision": "number"}
    return named.get(base, base if base in ("integer", "boolean", "date", "timestamp") else "string")


def _key(columns: Sequence[Column], rows: pl.DataFrame) -> tuple[str, ...]:
    """The first column, or pair of columns, that tells all rows apart; none where no such thing is there."""
    telling = [
        column.name
        for column in columns
        if column.required and not column.is_array and column.base_type in ("text", "integer", "bigint", "date")
    ]
    for size in (1, 2, 3):
        for names in combinations(telling[:8], size):
            if rows.select(pl.struct(names).n_unique()).item() == rows.height:
                return names
    return ()


def _cut_off(columns: Sequence[Column], rows: pl.DataFrame) -> CutOff | None:
    """The time from which on what happens is booked on the next day, where a moment and a date show one."""
    for moment in (c for c in columns if c.physical_type == "timestamp"):
        form = moment.date_format or "%Y-%m-%d %H:%M:%S"
        at = pl.col(moment.name).str.replace("T", " ", literal=True).str.to_datetime(form, strict=False)
        for booked in (c for c in columns if c.physical_type == "date"):
            later = (value_of(booked) - at.dt.date()).dt.total_days()
            seen = rows.select(later.alias("later"), at.dt.time().alias("time")).drop_nulls()
            same, next_day = (seen.filter(pl.col("later") == days)["time"] for days in (0, 1))
            usual = len(same) + len(next_day) >= NEARLY_ALL * seen.height
            if usual and len(same) and len(next_day) and same.max() < next_day.min():
                begin = next_day.min().replace(second=0, microsecond=0)
                rounded = (begin.replace(minute=begin.minute // step * step) for step in (30, 15, 5, 1))
                found = next((time for time in rounded if time > same.max()), next_day.min())
                return CutOff(at=found, moment=moment.name, accounting_date=booked.name)
    return None


def _doubts(contract: Contract, rows: pl.DataFrame) -> list[str]:
    """What a person has to decide before the contract is used."""
    said = [
        "Decide: controller, grain, classification of every column (C3 sensitive … none), what each column means.",
        "Decide: change.kind append, delta (I/U/D) or full; the control record; whether the codes are all of them.",
        "Decide: when it is owed (slaProperties frequency, latency, timeOfAvailability), how many rows are plausible,"
        " how old the newest of them may be (freshness).",
        "Decide: what a new column, a lost one and a changed type do (drift: evolve, ignore, quarantine or refuse).",
    ]
    if cut_off := contract.cut_off:
        said.append(
            f"From {cut_off.at:%H:%M} on, {cut_off.moment} is booked on the next {cut_off.accounting_date}: ask the"
            " sender whether that is the cut-off (日切), and which rows of the end-of-day run it does not bind."
        )
    if not contract.key:
        said.append("No column, pair or triple of columns tells the rows apart: name the key, or leave it out.")
    if "{business_date" not in contract.layout.file_name:
        said.append("The file's name bears no date: write layout.file_name with {business_date:%Y%m%d} if others do.")
    for column in contract.columns:
        if column.name.startswith("column_"):
            said.append(f"Name {column.name}" + (f" ({column.header})." if column.header else "."))
        holds = type_holds(column) if not column.is_array else None
        wrong = rows.select((~holds).fill_null(False).sum()).item() if holds is not None else 0
        if wrong:
            said.append(f"{wrong:,} values of {column.name} are no {column.physical_type}: they go to quarantine.")
    return said


def _as_standard(contract: Contract) -> dict[str, Any]:
    """The contract as the standard writes it."""
    layout = contract.layout.model_dump(exclude_defaults=True) | {"format": contract.layout.format}
    layout["null_tokens"] = list(contract.layout.null_tokens)
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": f"{contract.source}.{contract.table}",
        "name": contract.name,
        "version": contract.version,
        "status": "draft",
        "domain": contract.source,
        "description": {"purpose": contract.description},
        "schema": [
            {
                "name": contract.table,
                "physicalName": contract.table,
                "physicalType": "table",
                "logicalType": "object",
                "businessName": contract.name,
                "description": contract.description,
                "dataGranularityDescription": contract.grain,
                "properties": [_as_property(column) for column in contract.columns],
            }
        ],
        "customProperties": [
            {"property": name, "value": value}
            for name, value in {
                "controller": contract.controller,
                "layout": {"format": layout.pop("format"), **layout},
                "control": contract.control.model_dump(exclude_none=True),
                "change": {"kind": contract.change.kind, "key": list(contract.change.key)},
                "drift": contract.drift.model_dump(),
                "cut_off": contract.cut_off and contract.cut_off.model_dump(mode="json", exclude_defaults=True),
            }.items()
            if value
        ],
    }


def _as_property(column: Column) -> dict[str, Any]:
    custom = {
        "header": column.header,
        "codes": list(column.codes) if column.codes else None,
        "date_format": column.date_format,
        "decimal_format": {"strip": column.strip} if column.strip else None,
        "full_width": column.full_width,
        "check_digit": column.check_digit.model_dump(exclude_defaults=True) if column.check_digit else None,
    }
    kept = [{"property": name, "value": value} for name, value in custom.items() if value]
    return {
        "name": column.name,
        "logicalType": column.logical_type,
        "physicalType": column.physical_type,
        "description": f"{column.header or column.name.replace('_', ' ')} (to be described)",
        **({"primaryKey": True, "primaryKeyPosition": column.key_position} if column.key_position else {}),
        **({"required": True} if column.required else {}),
        "classification": column.classification or "none",
        **({"customProperties": kept} if kept else {}),
    }
