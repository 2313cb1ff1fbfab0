"""Planted faults: what real extracts get wrong, at stated rates, each written to the ground truth.

Faults of rows stand in good files: the row goes to quarantine (or is loaded and flagged) and the rest of the file is
loaded. Faults of whole files are planted on demand by `damage`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl

from ingestion.contract import Contract, FixedWidth

QUARANTINE, FLAG, REFUSE = "quarantine", "flag", "refuse"
# source, table, column, kind, rate of rows
ROW_FAULTS = (
    ("core_banking", "account_transaction", "amount", "unparsable_amount", 0.00008),
    ("core_banking", "account_transaction", "transaction_type", "bad_code", 0.00008),
    ("core_banking", "account_transaction", "currency", "too_long", 0.00004),
    ("core_banking", "account_transaction", None, "duplicate_key", 0.00006),
    ("core_banking", "contact", "contacted_at", "bad_date", 0.0004),
    ("core_banking", "contact", "employee_id", "missing_required", 0.0003),
    ("core_banking", "contact", "customer_id", "orphan", 0.0004),
    ("core_banking", "queue_ticket", "recognised_level", "out_of_range", 0.0003),
    ("core_banking", "wealth_trade", "amount", "out_of_range", 0.0006),
    ("core_banking", "customer", "customer_level", "out_of_range", 0.0003),
    ("core_banking", "lead", "lead_kind", "bad_code", 0.0006),
    ("core_banking", "general_ledger", "closing_balance", "unbalanced", 0.0001),
    ("card", "posting", "amount", "unparsable_amount", 0.00008),
    ("card", "posting", "posted_on", "bad_date", 0.00006),
    ("card", "posting", None, "duplicate_key", 0.00005),
    ("card", "authorisation", "response_code", "missing_required", 0.0001),
    ("card", "authorisation", "card_id", "orphan", 0.0001),
    ("card", "authorisation", "entry_mode", "bad_code", 0.0001),
    ("grid_billing", "daily_reading", "kwh", "out_of_range", 0.00004),
    ("grid_billing", "daily_reading", "quality", "bad_code", 0.00004),
    ("grid_billing", "payment", "amount", "unparsable_amount", 0.0003),
    ("grid_billing", "payment", "paid_at", "bad_date", 0.0003),
    ("grid_billing", "payment", "bill_id", "orphan", 0.0003),
    ("grid_billing", "arrear", None, "duplicate_key", 0.0005),
    ("grid_billing", "patrol", "finding", "bad_code", 0.002),
    ("grid_billing", "consumer", "usage_class", "bad_code", 0.0005),
)
UNBALANCED_BY = Decimal("100.00")  # so much more than opening balance and turnover make
LEAST_ROWS_A_FAULT = 120  # so that faults stay well below 1 % in small files too
RULES = {
    "unparsable_amount": "type",
    "bad_date": "type",
    "bad_code": "codes",
    "missing_required": "required",
    "out_of_range": "minimum",
    "too_long": "max_length",
    "duplicate_key": "duplicate_key",
    "orphan": "orphan_reference",
    "unbalanced": "closing_follows",
}


@dataclass
class Fault:
    """One planted fault; `position` is the row inside the part that is being written."""

    source: str
    business_date: date
    table: str
    column: str | None
    kind: str
    rule: str
    outcome: str
    position: int = -1
    line: int = 0
    file: str = ""
    value: str | None = None
    true_amount: int | None = None


class Planter:
    """Plants the faults of one file.

    Args:
        rng: The file's random stream.
        business_date: Date of the batch.
        at_least: Plants one fault of each kind at least (the first load), however few the rows are.
    """

    def __init__(self, rng: np.random.Generator, business_date: date, at_least: bool) -> None:
        self.rng, self.business_date = rng, business_date
        self.owed = set(ROW_FAULTS) if at_least else set()
        self.rows = self.planted = 0

    def plant(
        self, contract: Contract, texts: pl.DataFrame, marked: pl.Series | None
    ) -> tuple[pl.DataFrame, list[Fault]]:
        """Damages some rows.

        Args:
            texts: The rows as text.
            marked: Kind of the fault that the world itself put into a row (a wrong check digit), else NULL.
        """
        faults = [f for f in self._marked(contract, texts, marked)]
        plan = [f for f in ROW_FAULTS if f[:2] == (contract.source, contract.table)]
        taken = {f.position for f in faults}
        drawn = min(texts.height, 50 + texts.height // 500) if plan else 0
        free = [int(i) for i in self.rng.choice(texts.height, drawn, replace=False) if int(i) not in taken]
        self.rows += texts.height
        for planned in plan:
            source, table, column, kind, rate = planned
            expected = texts.height * rate
            count = int(expected) + int(self.rng.random() < expected % 1)
            count = max(count, 1) if planned in self.owed else count
            count = min(count, len(free) // 2, self.rows // LEAST_ROWS_A_FAULT - self.planted)
            if count > 0:
                self.owed.discard(planned)
                self.planted += count
            for _ in range(count):
                fault = Fault(
                    source,
                    self.business_date,
                    table,
                    column,
                    kind,
                    RULES[kind],
                    FLAG if kind == "orphan" else QUARANTINE,
                    free.pop(),
                )
                texts = self._damage(contract, texts, fault)
                faults.append(fault)
        return texts, faults

    def _marked(self, contract: Contract, texts: pl.DataFrame, marked: pl.Series | None) -> list[Fault]:
        if marked is None:
            return []
        column = next(c.name for c in contract.columns if c.check_digit)
        return [
            Fault(
                contract.source,
                self.business_date,
                contract.table,
                column,
                kind,
                "check_digit_id",
                FLAG,
                place,
                value=texts[column][place],
            )
            for place, kind in enumerate(marked.to_list())
            if kind is not None
        ]

    def _damage(self, contract: Contract, texts: pl.DataFrame, fault: Fault) -> pl.DataFrame:
        place, amount = fault.position, contract.control.amount_column
        if amount:
            units = (texts[amount][place] or "0").replace(".", "")
            fault.true_amount = int(units)
        if fault.kind == "duplicate_key":
            # the same row again, at the end of the part; the second one is the bad one
            fault.value = texts[contract.row_key[0]][place]
            fault.position = texts.height
            return pl.concat([texts, texts[place : place + 1]])
        column = contract.by_name[fault.column]
        value = self._wrong(contract, fault, column.name, texts[column.name][place])
        fault.value = value
        mask = np.zeros(texts.height, bool)
        mask[place] = True
        return texts.with_columns(
            pl.when(pl.Series(mask)).then(pl.lit(value, pl.String)).otherwise(pl.col(column.name)).alias(column.name)
        )

    @staticmethod
    def _wrong(contract: Contract, fault: Fault, name: str, value: str | None) -> str | None:
        column = contract.by_name[name]
        fixed = isinstance(contract.layout, FixedWidth)
        if fault.kind == "unparsable_amount":
            return "1O2.3S" if not fixed else "0000000001O2S".rjust(column.width or 13, "0")
        if fault.kind == "bad_date":
            return (
                "20261345"
                if column.base_type == "date" and column.date_format
                else "2026-13-45" + (" 10:00:00" if column.base_type == "timestamp" else "")
            )
        if fault.kind == "bad_code":
            return "??"
        if fault.kind == "missing_required":
            return None
        if fault.kind == "too_long":
            return (value or "CNY") + "XXXX"
        if fault.kind == "out_of_range":
            if column.maximum is not None:
                fault.rule = "maximum"
                return str(int(float(column.maximum)) + 92)
            return (
                "-1"
                if column.base_type in ("integer", "bigint")
                else "-1" + ("." + "0" * column.scale if column.scale else "")
            )
        if fault.kind == "unbalanced":
            return f"{Decimal(value or 0) + UNBALANCED_BY}"
        if fault.kind == "orphan":
            return "9" * len(value or "999999")
        raise ValueError(f"unknown fault {fault.kind}")


FILE_FAULTS = ("truncated", "wrong_control_total", "missing_control", "duplicate", "misnamed", "wrong_encoding")


def damage(folder: Path, contract: Contract, business_date: date, kind: str) -> Fault:
    """Damages a whole file that has been written.

    Args:
        kind: One of `FILE_FAULTS`.

    Returns:
        The fault with the rule that ingestion should name.
    """
    path = folder / contract.file_name(business_date)
    control_name = contract.control_file_name(business_date)
    control = folder / control_name if control_name else None
    fault = Fault(contract.source, business_date, contract.table, None, kind, "", REFUSE, file=path.name)
    data = path.read_bytes()
    if kind == "truncated":
        fault.rule = "control_rows" if control else "trailer_missing"
        path.write_bytes(data[: len(data) * 2 // 3])
    elif kind == "wrong_control_total":
        fault.rule = "control_rows"
        if control:
            lines = control.read_bytes().split(b"\n")
            fields = lines[1].split(b"|")
            fields[1] = str(int(fields[1]) + 7).encode()
            lines[1] = b"|".join(fields)
            control.write_bytes(b"\n".join(lines))
        else:
            head, _, last = data.rstrip(b"\n").rpartition(b"\n")
            body = last.decode("ascii")
            first = next(i for i, c in enumerate(body) if c.isdigit() and i > 0 and body[i - 1] in " T,")
            stop = first
            while stop < len(body) and body[stop].isdigit():
                stop += 1
            number = str(int(body[first:stop]) + 7).rjust(stop - first)
            path.write_bytes(head + b"\n" + (body[:first] + number + body[stop:]).encode() + b"\n")
    elif kind == "missing_control":
        fault.rule = "control_missing"
        if control:
            control.unlink()
    elif kind == "duplicate":
        fault.rule, fault.outcome = "duplicate", "duplicate"
        name, dot, rest = path.name.partition(".")
        (folder / f"{name}_r1{dot}{rest}").write_bytes(data)
        if control:
            stem, dot, rest = control.name.partition(".")
            (folder / f"{stem}_r1{dot}{rest}").write_bytes(
                control.read_bytes().replace(path.name.encode(), f"{name}_r1.{path.name.partition('.')[2]}".encode())
            )
    elif kind == "misnamed":
        fault.rule = "file_name"
        os.replace(path, path.with_name(path.name.replace(f"{business_date:%Y%m%d}", f"{business_date:%d%m%Y}")))
    elif kind == "wrong_encoding":
        fault.rule = "encoding"
        text = data.decode(contract.layout.encoding)
        path.write_bytes(
            text.encode("utf-16-le") if contract.layout.encoding.startswith("utf") else text.encode("utf-8")
        )
    else:
        raise ValueError(f"unknown fault of a file: {kind}; one of {', '.join(FILE_FAULTS)}")
    return fault
