"""What every reader yields: rows as text under the contract's column names, and the lines that are no rows."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl

from ingestion.contract import Column, Contract
from ingestion.options import IngestOptions
from ingestion.readers.text import RESEND, TextBlock
from ingestion.refusal import Refusal

LINE = "_line"
NEW, AS_SENT = "+", "~"
"""Stand before the names of columns beside the contract's, where no contract's column can stand: before the header of
one that the contract lacks, and before the name of one whose values are not of its type."""

NAME_CHARACTERS = 200


@dataclass(frozen=True)
class Reject:
    """One line that does not reach the raw table."""

    line: int
    rule: str
    column: str | None
    message: str
    raw_text: str
    amount: Decimal | None = None


@dataclass(frozen=True)
class Block:
    """Rows of a part of the file.

    Attributes:
        frame: The contract's columns as text (arrays as lists of text), null tokens made null, `_line`, and the text of
            columns that the contract lacks, under `NEW` and their names in the file, where their values are kept.
        raw_text: Gives the raw text of the rows at the given positions of the frame.
        rejects: Lines of this part that could not be made rows.
    """

    frame: pl.DataFrame
    raw_text: Callable[[Sequence[int]], list[str]]
    rejects: list[Reject] = field(default_factory=list)


@dataclass(frozen=True)
class Declared:
    """What the sender says was sent."""

    rows: int
    amount: Decimal | None
    by: str
    sha256: str | None = None
    line: int | None = None


@dataclass(frozen=True)
class DriftSeen:
    """A difference between the file's columns and the contract's."""

    kind: str
    column: str
    policy: str


class FileReader(ABC):
    """Reads one file by its contract, once, in blocks.

    Attributes after the blocks are exhausted:
        declared: The trailer's totals, None without a trailer.
        counted: Rows counted a second, independent way, and how (`counted_by`).
        drift: Columns that are new or lost.
        new_columns: Names in the file of the columns that the contract lacks and whose values are kept.
    """

    counted_by = "line feeds"

    def __init__(
        self, contract: Contract, path: Path, options: IngestOptions, business_date: date | None = None
    ) -> None:
        self.contract = contract
        self.path = path
        self.options = options
        self.business_date = business_date
        self.declared: Declared | None = None
        self.counted = 0
        self.drift: list[DriftSeen] = []
        self.new_columns: list[str] = []

    @abstractmethod
    def blocks(self) -> Iterator[Block]:
        """Yields the file's rows; raises Refusal where the file as a whole is unusable."""

    def refuse(self, rule: str, message: str, line: int | None = None, advice: str = RESEND) -> Refusal:
        """A refusal of this file."""
        return Refusal(rule, message, advice, self.path.name, line)

    def check_columns(self, seen: Sequence[str], line: int | None = 1) -> None:
        """Compares the file's column names with the contract's, by the drift policy.

        Raises:
            Refusal: ``new_column`` or ``lost_column`` where the policy says refuse, or cannot do what it says;
                ``header`` for a repeated name, or one that none can be.
        """
        expected = [column.file_header for column in self.contract.columns]
        repeated = sorted(name for name, times in Counter(seen).items() if times > 1)
        if repeated:
            raise self.refuse("header", f"the column names {', '.join(repeated)} occur twice", line)
        known = {(d.kind, d.column) for d in self.drift}
        for name in seen:
            if name not in expected and ("new_column", name) not in known:
                self._take_new(name, line)
        for name in expected:
            if name not in seen and ("lost_column", name) not in known:
                self._take_lost(self.contract.by_header[name], line)

    def _take_new(self, name: str, line: int | None) -> None:
        policy = self.contract.drift.new_column
        if "\0" in name or len(name) > NAME_CHARACTERS:
            why = "it holds a NUL byte" if "\0" in name else f"it has {len(name):,} characters"
            raise self.refuse("header", f"{name[:40]!r} cannot be the name of a column: {why}", line)
        if policy == "refuse":
            raise self._drifted("new_column", f"the column {name!r} is not in the contract", line)
        if not name:
            policy = "ignore"  # what stands behind a delimiter at the end of the header
        if policy in ("evolve", "quarantine"):
            self.new_columns.append(name)
        if len(self.new_columns) > self.options.new_columns:
            many = f"the file has more than {self.options.new_columns} columns that are not in the contract"
            raise self._drifted("new_column", f"{many}: {', '.join(self.new_columns[:5])} …", line)
        self.drift.append(DriftSeen("new_column", name, policy))

    def _take_lost(self, column: Column, line: int | None) -> None:
        policy, lost = (
            self.contract.drift.lost_column,
            f"the column {column.file_header!r} of the contract is not in the file",
        )
        if policy == "refuse":
            raise self._drifted("lost_column", lost, line)
        if policy != "quarantine" and column.name in self.contract.indispensable:
            raise self._drifted("lost_column", f"{lost}, and no row can do without it", line)
        if policy == "ignore" and column.required:
            raise self._drifted("lost_column", f"{lost}, and it is required", line)
        self.drift.append(DriftSeen("lost_column", column.file_header, policy))

    def _drifted(self, kind: str, message: str, line: int | None) -> Refusal:
        return self.refuse(
            kind,
            message,
            line,
            f"Agree the change with the sender, then change the contract (version {self.contract.version}) "
            "or its drift policy and run the ingest again",
        )

    def check_business_date(self, text: str | None, line: int) -> None:
        """The business date in the file's own header must be the batch's."""
        if text is None or self.business_date is None:
            return
        for form in ("%Y%m%d", "%Y-%m-%d"):
            try:
                seen = datetime.strptime(text.strip() if text.isascii() else "", form).date()
            except ValueError:
                continue
            if seen != self.business_date:
                raise self.refuse(
                    "business_date",
                    f"the header says {seen}, the file was sent for {self.business_date}",
                    line,
                    "Ask the sender for the file of the right day and replace it in landing",
                )
            return
        raise self.refuse("header", f"the header's business date {text!r} is no date", line)

    def check_table_name(self, text: str | None, line: int) -> None:
        """The table named in the file's own header must be the contract's."""
        if text is not None and text.strip().lower() != self.contract.table:
            raise self.refuse(
                "table_name",
                f"the header says {text.strip()!r}, a file of {self.contract.table!r} is expected under this name",
                line,
                "Rename the file by its content or ask the sender for the right one, then run the ingest again",
            )

    def declare(self, values: dict[str, str], line: int) -> None:
        """Takes the totals out of a trailer's fields `row_count` and `amount_total`."""
        try:
            rows = whole_number(values["row_count"])
            text = values.get("amount_total", "").strip()
            amount = self._total(text) if text else None
        except (KeyError, ValueError) as problem:
            raise self.refuse("trailer", f"the trailer cannot be read ({problem})", line) from problem
        self.declared = Declared(rows, amount, "trailer", line=line)

    def _total(self, text: str) -> Decimal:
        name = self.contract.control.amount_column
        column = self.contract.by_name[name] if name else None
        amount = decimal_number(text)
        if column and column.implied_decimals and "." not in text:
            return amount.scaleb(-column.implied_decimals)
        return amount

    def check_trailer_seen(self, last_line: int) -> None:
        """A file that ends before its trailer is cut."""
        if self.contract.control.kind == "trailer" and self.declared is None:
            raise self.refuse(
                "trailer_missing", f"the file ends at line {last_line:,} without its trailer: it is cut", last_line
            )

    def null_tokens_made_null(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Replaces the layout's null tokens, also inside arrays."""
        tokens = list(self.contract.layout.null_tokens)
        if not tokens or frame.is_empty():
            return frame
        one = tokens[0] if len(tokens) == 1 else None

        def is_token(value: pl.Expr) -> pl.Expr:
            return value == one if one is not None else value.is_in(tokens)

        expressions = []
        for name in [*self.contract.column_names, *(name for name in frame.columns if name.startswith(NEW))]:
            value = pl.col(name)
            if frame.schema[name] == pl.String:
                expressions.append(pl.when(is_token(value)).then(None).otherwise(value).alias(name))
            else:
                element = pl.element()
                expressions.append(value.list.eval(pl.when(is_token(element)).then(None).otherwise(element)))
        return frame.with_columns(expressions)


def whole_number(text: str) -> int:
    """A count of a control record, in ASCII digits only: `int` also reads 1_0 and the digits of all scripts.

    Raises:
        ValueError: It is no such number.
    """
    if not re.fullmatch(r"[0-9]{1,18}", text.strip()):
        raise ValueError(f"{text[:40]!r} is no number of rows")
    return int(text)


def decimal_number(text: str) -> Decimal:
    """A total of a control record: plain digits, at most 38 of them, no exponent.

    Raises:
        ValueError: It is no such number.
    """
    if not re.fullmatch(r"[+-]?([0-9]{1,29}(\.[0-9]{0,9})?|\.[0-9]{1,9})", text.strip()):
        raise ValueError(f"{text[:40]!r} is no amount")
    return Decimal(text)


def text_schema(columns: Sequence[Column]) -> dict[str, pl.DataType]:
    """Text for every column, a list of text for arrays."""
    return {c.name: pl.List(pl.String()) if c.is_array else pl.String() for c in columns}


def wrong_line_end(block: TextBlock, position: int, raw_text: str, line_end: str) -> Reject:
    """A line inside the file whose end is not the contract's, or that holds the half of a line end."""
    expected = "CR LF" if line_end == "\r\n" else "LF"
    message = f"the line does not end in {expected}, or a carriage return stands inside it"
    return Reject(block.first_line + position, "line_end", None, message, raw_text)
