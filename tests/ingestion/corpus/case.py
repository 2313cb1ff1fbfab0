"""One broken file: the good file it was, the damage done to it, and the verdict that is expected."""

from __future__ import annotations

import gzip
import io
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path

import zstandard
from trial_sender import (
    DAY,
    TRIAL,
    posting_rows,
    send_card_posting,
    send_customer,
    send_daily_reading,
    send_load_curve,
    send_manager_target,
    send_payment,
    send_posting,
)

from ingestion.contract import Contract, load_contracts

CORPUS = load_contracts(Path(__file__).parent / "contracts")["corpus"]
Damage = Callable[[bytes], bytes]
TYPED_HEADER = "thing_id|small|ratio|wide|share|seen_at|clock|detail|city|id_number"
BOOKING_HEADER = "booking_id|amount|booked_on|happened_at|channel|fee|id_number"
BOOKING_ROW = "{}|12.50|2026-11-01|2026-11-01 22:29:59|app|0.50|11010519491231002X"
TYPED_ROW = '{}|7|0.5|1e300|0.2500|2026-11-01 10:00:00+08:00|10:00:00|{{"a": 1}}|Hangzhou|11010519491231002X'


@dataclass(frozen=True)
class Refused:
    """The whole file is refused: by which rule, at which line, with which words in the message."""

    rule: str
    line: int | None = None
    says: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """The file is loaded, all its rows but the rejected ones.

    Attributes:
        rejects: Rejected rows as line, rule, column.
        good: Rows loaded; by default the rows of the good file but the rejected ones.
        shows: Values that the damage changed and that are loaded as they are, by line and column.
    """

    rejects: tuple[tuple[int, str, str | None], ...] = ()
    good: int | None = None
    shows: Mapping[tuple[int, str], str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Base:
    """A good file before it is damaged; `data` is not compressed."""

    contract: Contract
    data: bytes
    rows: int
    amount: Decimal | None = None
    pack: Callable[[bytes], bytes] = bytes

    def named(self, table: str) -> bytes:
        """The good file as a file of another table: two formats name the table in their header."""
        own = self.contract.table
        return self.data.replace(f"Hcard_posting{'':8}".encode(), f"H{table:<20}".encode(), 1).replace(
            f"100,{own},".encode(), f"100,{table},".encode(), 1
        )


@dataclass(frozen=True)
class Case:
    """One broken file.

    Attributes:
        packed: True where the damage is done to the compressed bytes.
        control: What is done to the control file; None takes it away, where the contract wants one.
        one_block: True where the verdict needs the file in one block, as lines longer than a small block do.
    """

    name: str
    base: str
    damage: Damage
    verdict: Refused | Loaded
    control: Callable[[bytes], bytes] | None = bytes
    packed: bool = False
    one_block: bool = False

    def __str__(self) -> str:
        return f"{self.base}: {self.name}"

    def write(self, folder: Path, contract: Contract | None = None) -> Path:
        """Writes the broken file and its control file, named by a contract."""
        base = BASES[self.base]
        contract = contract or base.contract
        good = base.named(contract.table)
        path = folder / contract.file_name(DAY)
        path.write_bytes(self.damage(base.pack(good)) if self.packed else base.pack(self.damage(good)))
        control = contract.control_file_name(DAY)
        if control and self.control:
            text = f"file_name|row_count|amount_total|sha256\r\n{path.name}|{base.rows}|{base.amount}|\r\n"
            (folder / control).write_bytes(self.control(text.encode()))
        return path


def zipped(data: bytes, name: str = "posting.txt") -> bytes:
    """A zip archive of one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name, (2026, 11, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def zstd(data: bytes) -> bytes:
    """A Zstandard frame with a checksum."""
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def gz(data: bytes) -> bytes:
    """A gzip member."""
    return gzip.compress(data, mtime=0)


def _with(contract: Contract, **layout: object) -> Contract:
    return contract.model_copy(update={"layout": contract.layout.model_copy(update=layout)})


def drifting(contract: Contract, **policies: str) -> Contract:
    """A contract with other policies of drift."""
    return contract.model_copy(update={"drift": contract.drift.model_copy(update=policies)})


@cache
def _bases() -> dict[str, Base]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        posting = send_posting(folder, lines=posting_rows(8)).read_bytes()
        customer = gzip.decompress(send_customer(folder, rows=5).read_bytes())
        card = send_card_posting(folder, rows=6).read_bytes()
        load_curve = send_load_curve(folder, meters=3).read_bytes()
        payment = send_payment(folder, rows=6).read_bytes()
        daily_reading = send_daily_reading(folder, rows=4).read_bytes()
        manager_target = send_manager_target(folder, rows=6).read_bytes()
    total = Decimal("45.00")
    typed = "\n".join([TYPED_HEADER, *(TYPED_ROW.format(f"T{i}") for i in range(1, 5))]) + "\n"
    tagged = "".join(f'{{"thing_id": "G{i}", "tags": ["a", "王"], "counts": [1, {i}]}}\n' for i in range(1, 5))
    booking = "\n".join([BOOKING_HEADER, *(BOOKING_ROW.format(f"B{i}") for i in range(1, 5))]) + "\n"
    booked = {
        f"booking_{policy}": drifting(
            CORPUS["booking"], **dict.fromkeys(("new_column", "lost_column", "changed_type"), policy)
        )
        for policy in ("evolve", "ignore", "quarantine", "refuse")
    }
    contract = TRIAL["posting"]
    return {
        "posting": Base(contract, posting, 8, total),
        "posting_gz": Base(_with(contract, compression="gz"), posting, 8, total, gz),
        "posting_zip": Base(_with(contract, compression="zip"), posting, 8, total, zipped),
        "posting_zst": Base(_with(contract, compression="zst"), posting, 8, total, zstd),
        "posting_wide": Base(_with(contract, delimiter="|+|"), posting.replace(b"|", b"|+|"), 8, total),
        "posting_bare": Base(_with(contract, header=False), posting.partition(b"\n")[2], 8, total),
        "posting_strict": Base(drifting(contract, new_column="refuse", changed_type="refuse"), posting, 8, total),
        "customer": Base(TRIAL["customer"], customer, 5, None, gz),
        "card_posting": Base(TRIAL["card_posting"], card, 6),
        "load_curve": Base(TRIAL["load_curve"], load_curve, 6),
        "payment": Base(TRIAL["payment"], payment, 6, Decimal("15.6")),
        "daily_reading": Base(TRIAL["daily_reading"], daily_reading, 4),
        "manager_target": Base(TRIAL["manager_target"], manager_target, 6),
        "manager_target_sheet": Base(_with(TRIAL["manager_target"], sheet="2026"), manager_target, 6),
        "typed": Base(CORPUS["typed"], typed.encode(), 4),
        "tagged": Base(CORPUS["tagged"], tagged.encode(), 4),
        "booking": Base(CORPUS["booking"], booking.encode(), 4),
        **{name: Base(contract, booking.encode(), 4) for name, contract in booked.items()},
    }


BASES = _bases()
