"""What lies in landing for one source and business date, matched with the contracts."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from ingestion.contract import Contract, with_correction
from ingestion.receipt import SUFFIX
from ingestion.refusal import Refusal

CORRECTION = re.compile(r"(?P<stem>.+)_r(?P<number>[1-9][0-9]{0,3})")
NO_CORRECTION = re.compile(r"_r[0-9]+\Z")
DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class Landed:
    """A file that a contract claims."""

    contract: Contract
    path: Path
    control_path: Path | None
    correction: int

    @property
    def sequence(self) -> int:
        """Sequence of the batch it belongs to: 1 the delivery, n + 1 the declared correction n."""
        return self.correction + 1


@dataclass
class Landing:
    """Files of one source and business date."""

    files: list[Landed] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)


def look(folder: Path, contracts: Mapping[str, Contract], business_date: date) -> Landing:
    """Matches the files of a folder with the contracts of a source.

    Receipts, hidden files, the marks of workbooks that are open in Excel (``~$``) and what is no file (a folder, a
    pipe, a socket, a device) are passed over. A symbolic link is never followed: it counts as unknown.
    """
    by_name = {contract.file_name(business_date): contract for contract in contracts.values()}
    controls = {contract.control_file_name(business_date) for contract in contracts.values()} - {None}
    landing = Landing()
    order = {table: position for position, table in enumerate(contracts)}
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "~$")) or path.name.endswith(SUFFIX) or not (path.is_symlink() or path.is_file()):
            continue
        base, correction = without_correction(path.name)
        if path.name in by_name or path.name in controls:
            base, correction = path.name, 0
        contract = by_name.get(base)
        if path.is_symlink():
            landing.unknown.append(path)
        elif contract is not None:
            control = contract.control_file_name(business_date, correction)
            landing.files.append(Landed(contract, path, path.with_name(control) if control else None, correction))
        elif base not in controls:
            landing.unknown.append(path)
    landing.files.sort(key=lambda landed: (landed.correction, order[landed.contract.table]))
    return landing


def without_correction(file_name: str) -> tuple[str, int]:
    """`account_20261101_r2.txt` gives `account_20261101.txt` and 2; any other name itself and 0."""
    stem, dot, rest = file_name.partition(".")
    found = CORRECTION.fullmatch(stem)
    return (f"{found['stem']}{dot}{rest}", int(found["number"])) if found else (file_name, 0)


def readable_name(path: Path) -> str:
    """The name of a file as a ledger and a message can hold it: bytes that are no UTF-8 are written `\\xd5`."""
    return os.fsencode(path.name).decode("utf-8", "backslashreplace")


def why_unknown(path: Path, expected: list[str]) -> Refusal:
    """Why a file is not read that no contract claims."""
    name = readable_name(path)
    if path.is_symlink():
        return Refusal("symbolic_link", "links are not followed", "Put the file itself into landing", name)
    stem, dot, rest = name.partition(".")
    base = stem.rpartition("_r")[0] + dot + rest
    if base in expected and NO_CORRECTION.search(stem):
        return Refusal(
            "file_name",
            "a correction is numbered from 1 to 9999, without zeros before the number",
            f"Rename it, the first correction to {with_correction(base, 1)}, and run the ingest again",
            name,
        )
    by_lower = {name.lower(): name for name in expected}
    near = [by_lower[found] for found in difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)]
    if near and near[0] != name and DIGITS.sub("", name) == DIGITS.sub("", near[0]):
        return Refusal(
            "file_name",
            f"the name is like {near[0]}, with another date or number",
            "Move it to the folder of its business date, or ask the sender which date it is for",
            name,
        )
    hint = f"Perhaps {near[0]} is meant: rename it" if near else "Write a contract for it or take it out of landing"
    return Refusal("file_name", "no contract of the source claims this name", f"{hint} and run the ingest again", name)


def why_copy(path: Path, original: str) -> Refusal:
    """Why a second copy of a file is not read."""
    return Refusal("duplicate", f"the same content as {original}", "Take it out of landing", readable_name(path))


def declared_name(landed: Landed) -> str:
    """Name under which other content for a loaded file has to be sent."""
    base, _ = without_correction(landed.path.name) if landed.correction else (landed.path.name, 0)
    return with_correction(base, landed.correction + 1)
