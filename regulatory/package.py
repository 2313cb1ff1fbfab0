"""Packages on disk: data file, companion log, archive and manifest, the same bytes for the same data cut."""

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from regulatory.profile import Profile

LOCAL = ZoneInfo("Asia/Shanghai")
"""Times in files are local to the regulator, wherever the program runs."""


@dataclass(frozen=True)
class PackagedFile:
    """One data file of a package with what the manifest and the ledger say of it."""

    table: str
    data_name: str
    archive_name: str
    rows: int
    bytes: int
    sha256: str
    md5: str
    archive_bytes: int
    archive_sha256: str
    control_totals: dict[str, str]


class DataFile:
    """The data file of one table while it is written, block by block, with its hashes."""

    def __init__(self, path: Path, line_end: bytes, final_line_end: bool) -> None:
        self.path = path
        self.bytes = 0
        self._line_end = line_end
        self._final_line_end = final_line_end
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._stream = path.open("wb")

    def write(self, block: bytes) -> None:
        """Append rows, without the end of the last line: that is only known when more follow or the file closes."""
        if block:
            self._put(self._line_end if self.bytes else b"")
            self._put(block)

    def close(self) -> None:
        """End the file; hashes and size are final then."""
        if self.bytes and self._final_line_end:
            self._put(self._line_end)
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()

    def _put(self, content: bytes) -> None:
        self._stream.write(content)
        self._sha256.update(content)
        self._md5.update(content)
        self.bytes += len(content)

    @property
    def sha256(self) -> str:
        """Of the bytes so far, hexadecimal."""
        return self._sha256.hexdigest()

    @property
    def md5(self) -> str:
        """Of the bytes so far, hexadecimal."""
        return self._md5.hexdigest()


@contextmanager
def staging_folder(packages: Path, name: str) -> Iterator[Path]:
    """A folder beside the packages that becomes one by a rename, or vanishes. What a killed run left is removed."""
    folder = packages / f".{name}.partial"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def close_table(
    profile: Profile, folder: Path, table: str, data: DataFile, rows: int, totals: dict[str, str], created_at: datetime
) -> PackagedFile:
    """Put a closed data file and its log into the archive and remove both; answers with what was packaged.

    Args:
        created_at: the time of creation that log and archive show: that of the data cut, so that bytes depend on the
            cut alone.
    """
    rendering = profile.rendering
    base = data.path.name.removesuffix(rendering.data_suffix)
    local = created_at.astimezone(LOCAL)
    names = {
        "data_name": data.path.name,
        "md5": data.md5 if rows else rendering.log.empty_md5,
        "bytes": data.bytes,
        "rows": rows,
        "created_at": local,
    }
    log = folder / (base + rendering.log.suffix)
    log.write_bytes("\n".join(line.format(**names) for line in rendering.log.lines).encode(rendering.encoding))
    archive = folder / (base + rendering.archive.suffix)
    compression = zipfile.ZIP_STORED if rendering.archive.compression == "stored" else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(archive, "w", compression) as container:
        for member in (data.path, log):
            entry = zipfile.ZipInfo(member.name, local.timetuple()[:6])
            entry.compress_type = compression
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            with (
                container.open(entry, "w", force_zip64=member.stat().st_size >= 2**31) as target,
                member.open("rb") as rows_in,
            ):
                shutil.copyfileobj(rows_in, target, 1 << 20)
    packaged = PackagedFile(
        table=table,
        data_name=data.path.name,
        archive_name=archive.name,
        rows=rows,
        bytes=data.bytes,
        sha256=data.sha256,
        md5=data.md5,
        archive_bytes=archive.stat().st_size,
        archive_sha256=sha256_of(archive),
        control_totals=totals,
    )
    data.path.unlink()
    log.unlink()
    return packaged


def write_manifest(folder: Path, manifest: dict[str, object]) -> None:
    """`manifest.json`, keys in the order given, UTF-8."""
    text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    (folder / "manifest.json").write_text(text, "utf-8")


def move_into_place(staged: Path, package: Path) -> None:
    """Make the staged folder the package in one rename, its files read-only. One without a ledger row gives way."""
    for path in staged.iterdir():
        path.chmod(0o444)
    if package.exists():
        shutil.rmtree(package)
    package.parent.mkdir(parents=True, exist_ok=True)
    os.rename(staged, package)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
