"""Files that arrive under a wrong name, as a link, twice, or not at all: what stands beside a whole good delivery.

Each case changes a folder of good files; `expected` gives the state and words of the message for every file name that
is no longer simply loaded.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

POSTING, CONTROL, PAYMENT = "posting_20261101.txt", "posting_20261101.ctl", "payment_20261101.jsonl"
CARD, READING = "CARD_POSTING_20261101.dat", "daily_reading_20261101.parquet"


@dataclass(frozen=True)
class Arrival:
    """A change of the folder, and what becomes of the files concerned.

    Attributes:
        expected: State and a word of the message by file name; state None where the file is not reported.
        batch: State of the batch.
        missing: Contracted files that the batch waits for.
    """

    name: str
    change: Callable[[Path], object]
    expected: Mapping[str, tuple[str | None, str]]
    batch: str = "complete"
    missing: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


def renamed(new: str, says: str, old: str = POSTING) -> Arrival:
    """A file under a wrong name: it is unknown, the batch waits for it under its own."""
    shown = new if len(new) < 60 else f"{new[:57]}..."
    return Arrival(
        f"named {shown!r}",
        lambda folder: (folder / old).rename(folder / new),
        {new: ("unknown", says)},
        "open",
        (old,),
    )


def put(name: str, content: bytes = b"x\n") -> Callable[[Path], object]:
    """A file more."""
    return lambda folder: (folder / name).write_bytes(content)


def copied(name: str, source: str = POSTING) -> Callable[[Path], object]:
    """A file twice."""
    return lambda folder: (folder / name).write_bytes((folder / source).read_bytes())


def linked(name: str, target: str) -> Callable[[Path], object]:
    """A link in place of a file, or beside the files."""

    def change(folder: Path) -> None:
        path = folder / name
        if path.exists():
            path.rename(folder.parent / "elsewhere")
        path.symlink_to(target)

    return change


def instead(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    """Something that is no file, under the name of a file."""

    def change(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return change


def bound(path: Path) -> None:
    """A socket; its own name is too long for one, so it is made from its folder."""
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(path.parent)
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.fchdir(here)
        os.close(here)


def receipt(content: bytes | None, **fields: object) -> Callable[[Path], object]:
    """A receipt that the loader did not write."""

    def change(folder: Path) -> None:
        known = {"file_name": POSTING, "bytes": (folder / POSTING).stat().st_size, "sha256": "0" * 64}
        text = json.dumps(known | fields).encode() if content is None else content
        (folder / f"{POSTING}.receipt.json").write_bytes(text)

    return change


RENAME, DATE, OTHER = f"{POSTING} is meant", "another date", "Write a contract"
NAMES = [
    renamed("postings_20261101.txt", RENAME),
    renamed("POSTING_20261101.TXT", RENAME),
    renamed("posting_20261101.txt.tmp", RENAME),
    renamed("posting_20261101.txt ", RENAME),
    renamed(" posting_20261101.txt", RENAME),
    renamed("posting 20261101.txt", RENAME),
    renamed("posting_2026-11-01.txt", RENAME),
    renamed("posting_20261101.csv", RENAME),
    renamed("posting_20261101.txt\n", RENAME),
    renamed("posting_２０２６１１０１.txt", RENAME),
    renamed("posting_20261031.txt", DATE),
    renamed("posting_20261102.txt", DATE),
    renamed("posting_20260230.txt", DATE),
    renamed("CARD_POSTING_20261102.dat", DATE, CARD),
    renamed("posting_20261101_r0.txt", "posting_20261101_r1.txt"),
    renamed("posting_20261101_r01.txt", "posting_20261101_r1.txt"),
    renamed("posting_20261101_r99999.txt", "posting_20261101_r1.txt"),
    renamed("账户流水.txt", OTHER),
    renamed("'; drop table ops.batch; --", OTHER),
    renamed("%2e%2e%2fposting", OTHER),
    renamed("$(reboot).txt", OTHER),
    renamed("\x1b[2J\x07.txt", OTHER),
    renamed("x" * 255, OTHER),
]

OTHERS = [
    Arrival(
        "a copy with a number", copied("posting_20261101 (1).txt"), {"posting_20261101 (1).txt": ("duplicate", POSTING)}
    ),
    Arrival(
        "a copy under the name of another day",
        copied("posting_20261102.txt"),
        {"posting_20261102.txt": ("duplicate", POSTING)},
    ),
    Arrival(
        "a correction that corrects nothing",
        copied("posting_20261101_r1.txt"),
        {"posting_20261101_r1.txt": ("duplicate", POSTING)},
    ),
    Arrival("an empty file of no contract", put("done", b""), {"done": ("unknown", OTHER)}),
    Arrival("the control file of no file", put("posting_20261101_r1.ctl"), {"posting_20261101_r1.ctl": (None, "")}),
    Arrival("a hidden file", put(".posting_20261101.txt.swp"), {".posting_20261101.txt.swp": (None, "")}),
    Arrival(
        "a workbook open in Excel",
        put("~$manager_target_20261101.xlsx"),
        {"~$manager_target_20261101.xlsx": (None, "")},
    ),
    Arrival("a folder beside the files", lambda folder: (folder / "old").mkdir(), {"old": (None, "")}),
    Arrival(
        "the second correction without the first",
        put("posting_20261101_r2.txt"),
        {"posting_20261101_r2.txt": ("received", "")},
        "open",
    ),
    Arrival("not there", lambda folder: (folder / POSTING).unlink(), {POSTING: (None, "")}, "open", (POSTING,)),
    Arrival("not there, but optional", lambda folder: (folder / READING).unlink(), {READING: (None, "")}),
    Arrival(
        "the files of two tables exchanged",
        lambda f: (
            (f / "t").hardlink_to(f / POSTING),
            (f / PAYMENT).replace(f / POSTING),
            (f / "t").rename(f / PAYMENT),
        ),
        {POSTING: ("refused", "[line_end]"), PAYMENT: ("refused", "[line_end]")},
        "refused",
    ),
]

LINKS = [
    *(
        Arrival(
            f"a link to {what} in its place",
            linked(POSTING, target),
            {POSTING: ("unknown", "links are not followed")},
            "open",
            (POSTING,),
        )
        for what, target in (
            ("a file outside", "../elsewhere"),
            ("a password file", "/etc/passwd"),
            ("nothing", "/nowhere"),
            ("itself", POSTING),
            ("a folder", "/"),
            ("a device without end", "/dev/zero"),
        )
    ),
    Arrival(
        "a link beside the files", linked("more.txt", PAYMENT), {"more.txt": ("unknown", "links are not followed")}
    ),
    Arrival(
        "a link to a folder beside the files", linked("more", "/"), {"more": ("unknown", "links are not followed")}
    ),
    *(
        Arrival(
            f"a link to {what} in place of the control file",
            linked(CONTROL, target),
            {POSTING: ("refused", "[symbolic_link]"), CONTROL: ("unknown", "links are not followed")},
            "refused",
        )
        for what, target in (("a file outside", "../elsewhere"), ("nothing", "/nowhere"), ("a device", "/dev/zero"))
    ),
]

NO_FILES = [
    Arrival(f"a {what} in its place", instead(POSTING, make), {POSTING: (None, "")}, "open", (POSTING,))
    for what, make in (("folder", Path.mkdir), ("pipe", os.mkfifo), ("socket", bound))
] + [
    *(
        Arrival(
            f"a {what} in place of the control file",
            instead(CONTROL, make),
            {POSTING: ("refused", "[control_unreadable]")},
            "refused",
        )
        for what, make in (("folder", Path.mkdir), ("pipe", os.mkfifo))
    ),
    Arrival("a pipe of no contract", lambda folder: os.mkfifo(folder / "pipe"), {"pipe": (None, "")}),
]

RECEIPTS = [
    Arrival(f"a receipt {what}", change, {})
    for what, change in (
        ("that is empty", receipt(b"")),
        ("that is cut", receipt(b'{"file_name": "pos')),
        ("of no UTF-8", receipt(b"\xff\xfe")),
        ("that is a list", receipt(b"[]")),
        ("of 100,000 brackets", receipt(b"[" * 100_000)),
        ("of another content", receipt(None, received_at="2026-11-01T00:00:00+00:00")),
        ("of a number for its time", receipt(None, received_at=5)),
        ("of a word for its size", receipt(None, bytes="many", received_at="2026-11-01T00:00:00+00:00")),
    )
]

CASES = {"names": NAMES, "others": OTHERS, "links": LINKS, "no_files": NO_FILES, "receipts": RECEIPTS}
