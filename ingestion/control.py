"""What the sender says was sent, and whether it is what was read (DESIGN decision 2)."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from ingestion.contract import Contract
from ingestion.readers.base import Declared, FileReader, decimal_number, whole_number
from ingestion.readers.text import RESEND
from ingestion.refusal import Refusal

FIELDS = ("file_name", "row_count", "amount_total", "sha256")
DELIMITER = "|"
BYTES_AT_MOST = 1 << 16


@dataclass
class Tally:
    """Rows and amounts of one file as they were read; erased ones land without their personal values."""

    loaded: int = 0
    erased: int = 0
    quarantined: int = 0
    amount_loaded: Decimal = Decimal(0)
    amount_erased: Decimal = Decimal(0)
    amount_quarantined: Decimal = Decimal(0)
    amounts_unreadable: int = 0

    @property
    def rows(self) -> int:
        """Rows read."""
        return self.loaded + self.erased + self.quarantined

    @property
    def amount(self) -> Decimal:
        """Sum of all amounts that could be read."""
        return self.amount_loaded + self.amount_erased + self.amount_quarantined


@dataclass(frozen=True)
class Settled:
    """The file's account after its control record was compared: what goes into the ledger."""

    rows_sent: int
    rows_loaded: int
    rows_quarantined: int
    amount_sent: Decimal | None
    amount_loaded: Decimal | None
    amount_quarantined: Decimal | None
    counted_by: str
    rows_erased: int = 0
    amount_erased: Decimal = Decimal(0)


def read_control_file(contract: Contract, path: Path, data_file: str) -> Declared:
    """Reads a control file: a header line and one data line `file_name|row_count|amount_total|sha256`.

    Args:
        contract: Contract of the data file.
        path: The control file.
        data_file: Name of the data file that it must speak of.

    Raises:
        Refusal: ``control_missing``, ``symbolic_link``, ``control_unreadable`` or ``control_file_name``; names the data
            file.
    """
    if path.is_symlink():
        raise Refusal(
            "symbolic_link",
            f"its control file {path.name} is a link, and links are not followed",
            "Put the control file itself into landing and run the ingest again",
            data_file,
        )
    if not path.exists():
        raise Refusal(
            "control_missing",
            f"its control file {path.name} is not there",
            "Ask the sender for the control file, put it beside the data and run the ingest again",
            data_file,
        )
    layout = contract.layout
    encoding = "utf-8-sig" if layout.encoding == "utf-8" else layout.encoding
    try:
        if not path.is_file():
            raise ValueError("it is no file")
        with path.open("rb") as file:
            content = file.read(BYTES_AT_MOST + 1)
        if len(content) > BYTES_AT_MOST:
            raise ValueError(f"it is longer than {BYTES_AT_MOST:,} bytes")
        text = content.decode(encoding)
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=DELIMITER) if row]
        header, values = [cell.strip() for cell in rows[0]], [cell.strip() for cell in rows[1]]
        record = dict(zip(header, values, strict=True))
        count, file_name = whole_number(record["row_count"]), record["file_name"]
        total = decimal_number(record["amount_total"]) if record.get("amount_total") else None
        declared = Declared(count, total, "control file", record.get("sha256") or None)
    except (OSError, UnicodeDecodeError, csv.Error, IndexError, KeyError, ValueError) as problem:
        raise Refusal(
            "control_unreadable",
            f"its control file {path.name} cannot be read ({type(problem).__name__}: {problem}); "
            f"a header line {DELIMITER.join(FIELDS)} and one data line are expected",
            RESEND,
            data_file,
        ) from problem
    if len(rows) != 2:
        raise Refusal(
            "control_unreadable",
            f"its control file {path.name} has {len(rows)} lines, 2 are expected",
            RESEND,
            data_file,
        )
    if file_name != data_file:
        raise Refusal(
            "control_file_name",
            f"its control file {path.name} speaks of {file_name[:80]!r}",
            "Ask the sender for the control file of this file",
            data_file,
        )
    return declared


def settle(contract: Contract, reader: FileReader, tally: Tally, declared: Declared | None, sha256: str) -> Settled:
    """Compares what was read with what was sent.

    Where the sender sends no control record, the rows read are compared with a count taken another way (line feeds,
    Parquet metadata). An amount that cannot be read stands in a quarantined row: the difference to the control total is
    then its amount, and that only.

    Raises:
        Refusal: ``control_rows``, ``control_amount``, ``control_sha256`` or ``counted_rows``.
    """
    name = reader.path.name
    declared = declared or reader.declared
    if declared is None:
        if reader.counted != tally.rows:
            raise Refusal(
                "counted_rows",
                f"{tally.rows:,} rows were read, {reader.counted:,} counted by {reader.counted_by}",
                "Keep the file and report this: it is a fault of the reader",
                name,
            )
        declared = Declared(tally.rows, None, reader.counted_by)
    where = "the trailer" if declared.by == "trailer" else f"the {declared.by}"
    if declared.rows != tally.rows:
        raise Refusal(
            "control_rows",
            f"{where} says {declared.rows:,} rows, {tally.rows:,} were read"
            + _more_or_less(declared.rows - tally.rows),
            RESEND,
            name,
            declared.line,
        )
    amounts = _amounts(contract, tally, declared, where, name)
    if declared.sha256 and declared.sha256.lower() != sha256:
        raise Refusal(
            "control_sha256",
            f"{where} says SHA-256 {declared.sha256[:12]}…, the file has {sha256[:12]}…: "
            "its content was changed on the way",
            RESEND,
            name,
        )
    return Settled(
        declared.rows, tally.loaded, tally.quarantined, *amounts, declared.by, tally.erased, tally.amount_erased
    )


def _amounts(
    contract: Contract, tally: Tally, declared: Declared, where: str, name: str
) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    column = contract.control.amount_column
    if column is None:
        return None, None, None
    if declared.amount is None:
        return tally.amount, tally.amount_loaded, tally.amount_quarantined
    if declared.amount != tally.amount and not tally.amounts_unreadable:
        raise Refusal(
            "control_amount",
            f"{where} says {column} {declared.amount:,}, the rows add up to {tally.amount:,}, "
            f"a difference of {declared.amount - tally.amount:,}",
            RESEND,
            name,
            declared.line,
        )
    return declared.amount, tally.amount_loaded, declared.amount - tally.amount_loaded - tally.amount_erased


def _more_or_less(missing: int) -> str:
    return f": {missing:,} are missing, the file is cut" if missing > 0 else f": {-missing:,} too many"
