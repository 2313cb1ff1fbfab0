"""Receipts: what arrived, and when it was first seen (DESIGN decisions 3 and 4).

A receipt stands beside the file as `<file>.receipt.json`. It is written once per content and kept: a rebuild of the
database reads the same times of receipt, so it knows what was known when.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from stat import S_ISREG

from ingestion.disk import writing_to

SUFFIX = ".receipt.json"


@dataclass(frozen=True)
class Receipt:
    """One receipt.

    Attributes:
        file_name: Name of the file.
        bytes: Its size.
        sha256: Hash of its bytes as landed (compressed files: of the compressed bytes), hexadecimal.
        received_at: When this content was first seen, with time zone.
    """

    file_name: str
    bytes: int
    sha256: str
    received_at: datetime


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def receipt_path(path: Path) -> Path:
    """Where the receipt of a file stands."""
    return path.with_name(path.name + SUFFIX)


def receive(path: Path, received_at: datetime | None = None) -> Receipt:
    """Gives the receipt of a file as it now is, and writes it beside the file if there is none for this content.

    Args:
        path: The landed file.
        received_at: Time of receipt to write where there is none yet; now if not given.

    Raises:
        DiskFull: There is no room for the receipt.
        OSError: The file cannot be read, or is a link, a pipe or a device, which could be read without end.
    """
    stat = path.lstat()
    if not S_ISREG(stat.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    seen = Receipt(path.name, stat.st_size, file_sha256(path), received_at or datetime.now(UTC))
    kept = read_receipt(path)
    if kept and kept.sha256 == seen.sha256 and kept.bytes == seen.bytes:
        return kept
    write_receipt(path, seen)
    return seen


def read_receipt(path: Path) -> Receipt | None:
    """The receipt that stands beside a file; None where there is none or it cannot be read."""
    try:
        kept = json.loads(receipt_path(path).read_text(encoding="utf-8"))
        received_at = datetime.fromisoformat(kept["received_at"])
        if received_at.tzinfo is None:
            return None
        return Receipt(kept["file_name"], int(kept["bytes"]), kept["sha256"], received_at)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def write_receipt(path: Path, receipt: Receipt) -> None:
    """Writes a receipt beside its file, whole or not at all.

    Raises:
        DiskFull: There is no room for it.
    """
    target = receipt_path(path)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with writing_to(path.parent), draft.open("w", encoding="utf-8") as file:
            json.dump(asdict(receipt) | {"received_at": receipt.received_at.isoformat()}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def file_id(source: str, table: str, business_date: date, sequence: int, sha256: str) -> int:
    """Id of a file: 63 positive bits of the SHA-256 of source, table, business date, sequence and content.

    The same file has the same id in every database, so a rebuild gives equal rows.
    """
    canonical = "\x1f".join((source, table, business_date.isoformat(), str(sequence), sha256))
    return int.from_bytes(hashlib.sha256(canonical.encode()).digest()[:8], "big") & 0x7FFF_FFFF_FFFF_FFFF
