"""Compressed files that are cut, of another kind, of several members, or bombs."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterable

import pyarrow
from corpus.case import BASES, Case, Damage, Loaded, Refused, gz, zipped, zstd
from corpus.damage import after, becomes, cut, first

GOOD = BASES["posting"].data
NO_ROW = Refused("rejected_rows", 2, ("field_count", "reading stopped there"))


def members(*files: tuple[str, bytes]) -> bytes:
    """A zip archive of several files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def encrypted(data: bytes) -> bytes:
    """An archive whose member says that it is encrypted."""
    packed = bytearray(zipped(data))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.find(signature) + offset] |= 1
    return bytes(packed)


def of_method(data: bytes, method: int) -> bytes:
    """An archive whose member says that it is compressed by another method."""
    packed = bytearray(zipped(data))
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        packed[packed.find(signature) + offset] = method
    return bytes(packed)


def bomb(kind: str, head: bytes, piece: bytes, count: int) -> Damage:
    """A compressed file that unpacks to `count` times a megabyte; it is made piece by piece."""
    mega = piece * ((1 << 20) // len(piece))

    def pieces() -> Iterable[bytes]:
        yield head
        for _ in range(count):
            yield mega

    def damage(_: bytes) -> bytes:
        buffer = io.BytesIO()
        if kind == "gz":
            with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1, mtime=0) as file:
                file.writelines(pieces())
        elif kind == "zip":
            with zipfile.ZipFile(buffer, "w") as archive:
                member = zipfile.ZipInfo("posting.txt")
                member.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(member, "w") as file:
                    file.writelines(pieces())
        else:
            sink = pyarrow.BufferOutputStream()
            with pyarrow.CompressedOutputStream(sink, "zstd") as stream:
                for one in pieces():
                    stream.write(one)
            return sink.getvalue().to_pybytes()
        return buffer.getvalue()

    return damage


def packed(base: str, what: str, damage: Damage, verdict: Refused | Loaded) -> Case:
    """The compressed bytes are damaged."""
    return Case(what, base, damage, verdict, packed=True)


KINDS = ("posting_gz", "posting_zip", "posting_zst")
DAMAGED = [
    *(
        packed(base, what, damage, Refused("unreadable", says=(f"decompressed as {base[8:]}",)))
        for base in KINDS
        for what, damage in (("cut", cut(20)), ("cut to its start", first(5)), ("not compressed", becomes(GOOD)))
    ),
    packed("customer", "cut by a byte", cut(1), Refused("unreadable")),
    packed("posting_gz", "empty", becomes(b""), Refused("empty", 1)),
    packed("posting_zip", "empty", becomes(b""), Refused("unreadable")),
    packed("posting_gz", "compressed as zip", becomes(zipped(GOOD)), Refused("unreadable")),
    packed("posting_zip", "compressed as gz", becomes(gz(GOOD)), Refused("unreadable")),
    packed("posting_zst", "compressed as gz", becomes(gz(GOOD)), Refused("unreadable")),
    packed("posting_gz", "compressed twice", becomes(gz(gz(GOOD))), Refused("unreadable", says=("content is gz",))),
    packed(
        "posting_zst", "an archive in it", becomes(zstd(zipped(GOOD))), Refused("unreadable", says=("content is zip",))
    ),
    packed("posting", "compressed", gz, Refused("unreadable", says=("content is gz", "compression"))),
    packed(
        "posting", "a spreadsheet", lambda _: members(("xl/workbook.xml", b"")), Refused("unreadable", says=("xlsx",))
    ),
    packed(
        "card_posting",
        "an old spreadsheet",
        becomes(b"\xd0\xcf\x11\xe0" + bytes(508)),
        Refused("unreadable", says=("xls",)),
    ),
    packed("posting_gz", "rubbish behind it", after(b"rubbish"), Refused("unreadable")),
    packed("posting_zst", "rubbish behind it", after(b"rubbish"), Refused("unreadable")),
    packed("posting_gz", "sent twice in one file", lambda data: data + data, Refused("control_rows")),
    packed("posting_zst", "sent twice in one file", lambda data: data + data, Refused("control_rows")),
    packed("posting_gz", "in two members: as good", becomes(gz(GOOD[:100]) + gz(GOOD[100:])), Loaded()),
    packed("posting_gz", "of nothing", becomes(gz(b"")), Refused("empty", 1)),
    packed("posting_zip", "of nothing", becomes(zipped(b"")), Refused("empty", 1)),
    packed("posting_zst", "of nothing", becomes(zstd(b"")), Refused("empty", 1)),
    packed("posting_zip", "of no file", becomes(members()), Refused("unreadable", says=("holds 0 files",))),
    packed(
        "posting_zip",
        "of a folder",
        becomes(members(("posting/", b""))),
        Refused("unreadable", says=("holds 0 files",)),
    ),
    packed(
        "posting_zip",
        "of two files",
        becomes(members(("a", GOOD), ("b", GOOD))),
        Refused("unreadable", says=("holds 2 files",)),
    ),
    packed(
        "posting_zip", "of a file and its name again", becomes(members(("a", GOOD), ("a", b""))), Refused("unreadable")
    ),
    packed("posting_zip", "encrypted", lambda _: encrypted(GOOD), Refused("unreadable", says=("password",))),
    packed("posting_zip", "of an unknown method", lambda _: of_method(GOOD, 97), Refused("unreadable")),
    packed(
        "posting_zip",
        "of a file named to climb: nothing is unpacked by name",
        lambda _: zipped(GOOD, "../../../etc/passwd"),
        Loaded(),
    ),
    packed("posting_zip", "of a file named as a link", lambda _: zipped(GOOD, "/dev/stdout"), Loaded()),
]

BOMBS = [
    *(
        packed(base, "a bomb of NUL bytes", bomb(base[8:], b"", b"\0" * 64, 200), Refused("encoding", 1))
        for base in KINDS
    ),
    *(
        packed(base, "a bomb of one line", bomb(base[8:], GOOD, b"x" * 64, 200), Refused("line_length", 10))
        for base in KINDS
    ),
    packed("posting_zst", "a bomb of line feeds", bomb("zst", GOOD[: GOOD.find(b"\n") + 1], b"\r\n" * 32, 100), NO_ROW),
    packed("customer", "a bomb of commas", bomb("gz", b"", b"," * 64, 100), Refused("line_length", 1)),
]
"""Each unpacks to a hundred megabytes and more, and must be refused in little memory."""

CASES = {"archives": DAMAGED}
