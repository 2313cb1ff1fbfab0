"""Text files in blocks: decompressed, cut at line ends, checked for encoding, turned into UTF-8.

Memory is bounded by the block size, whatever the size of the file. Cutting at the byte 0x0A is safe in all encodings
supported: GBK and GB18030 never use it inside a character (GB 18030-2022, table of code ranges).
"""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, cast

import numpy as np
import polars as pl
import pyarrow

from ingestion.refusal import Refusal

NEWLINE, CARRIAGE_RETURN = 0x0A, 0x0D
BYTES_PER_LINE = 32  # a block holds a line for this many of its bytes at most: a bomb of line feeds stays small
UTF8_MARK, GB18030_MARK = b"\xef\xbb\xbf", b"\x84\x31\x95\x33"
PACKED = {b"\x1f\x8b": "gz", b"PK\x03\x04": "zip (or xlsx)", b"\x28\xb5\x2f\xfd": "zst", b"\xd0\xcf\x11\xe0": "xls"}
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    OverflowError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)
RESEND = "Ask the sender for the file again, replace it in landing and run the ingest again"


@dataclass(frozen=True)
class TextBlock:
    """Whole lines of a file in its own encoding, each ending in one ``\\n``.

    Attributes:
        data: The bytes.
        first_line: Number of the first line, from 1.
        lines: How many lines there are.
        wrong_ends: Positions (from 0) of lines in the block whose line end is not the contract's.
    """

    data: bytes
    first_line: int
    lines: int
    wrong_ends: tuple[int, ...] = ()


class Lines:
    """Text of single lines of a block, cut out when asked for."""

    def __init__(self, data: bytes, encoding: str = "utf-8") -> None:
        self._data, self._encoding = data, encoding

    @cached_property
    def ends(self) -> np.ndarray:
        """Positions of the line feeds."""
        return np.flatnonzero(np.frombuffer(self._data, dtype=np.uint8) == NEWLINE)

    def __getitem__(self, position: int) -> str:
        return self.bytes_at(position).decode(self._encoding, errors="backslashreplace")

    def __len__(self) -> int:
        return len(self.ends)

    def bytes_at(self, position: int) -> bytes:
        """One line without its line end."""
        start = int(self.ends[position - 1]) + 1 if position else 0
        return self._data[start : int(self.ends[position])]

    def many(self, positions: Sequence[int]) -> list[str]:
        """Several lines."""
        return [self[position] for position in positions]


def open_bytes(path: Path, compression: str) -> IO[bytes]:
    """Opens a file for reading its decompressed bytes; a zip archive must hold exactly one file.

    Raises:
        Refusal: rule ``unreadable``.
    """
    try:
        if compression == "gz":
            return gzip.open(path, "rb")
        if compression == "zst":
            return cast(IO[bytes], pyarrow.CompressedInputStream(pyarrow.OSFile(str(path)), "zstd"))
        if compression == "zip":
            archive = zipfile.ZipFile(path)
            members = [m for m in archive.infolist() if not m.is_dir()]
            if len(members) != 1:
                raise Refusal(
                    "unreadable", f"the archive holds {len(members)} files, one is expected", RESEND, path.name
                )
            return archive.open(members[0])
        return path.open("rb")
    except UNREADABLE as problem:
        raise unreadable(path, compression, problem) from problem


def unreadable(path: Path, compression: str, problem: Exception) -> Refusal:
    """The refusal of a file that cannot be read or decompressed."""
    how = "read" if compression == "none" else f"decompressed as {compression}"
    return Refusal("unreadable", f"the file cannot be {how} ({problem})", RESEND, path.name)


def text_blocks(path: Path, compression: str, encoding: str, line_end: str, block_bytes: int) -> Iterator[TextBlock]:
    """Yields the file in blocks of whole lines, in the file's encoding, line ends made ``\\n``.

    Raises:
        Refusal: ``unreadable``; ``line_end`` (the first line does not end as the contract says); ``cut_line`` (the last
            line has no line end); ``line_length`` (a line longer than a block).
    """
    first_line, rest = 1, b""
    with open_bytes(path, compression) as stream:
        chunk = read_part(stream, block_bytes, path, compression)
        _refuse_no_text(chunk, encoding, path)
        if encoding == "utf-8-sig":
            chunk = chunk.removeprefix(UTF8_MARK)
        while chunk:
            ahead = read_part(stream, block_bytes, path, compression)
            if len(rest) + (chunk.find(b"\n") + 1 or len(chunk)) > block_bytes:
                raise Refusal(
                    "line_length",
                    f"the line is longer than a block ({block_bytes:,} bytes)",
                    f"Check the line ends of the file, then: {RESEND}",
                    path.name,
                    first_line,
                )
            cut = chunk.rfind(b"\n") + 1
            data, rest = (rest + chunk[:cut], chunk[cut:]) if cut else (b"", rest + chunk)
            if data:
                block = _line_ends_unified(data, first_line, line_end, path)
                yield from _parts(block, max(1, block_bytes // BYTES_PER_LINE))
                first_line += block.lines
            chunk = ahead
        if rest and first_line == 1 and b"\r" in rest:
            raise _wrong_line_end("CR", line_end, path)
        if rest:
            raise Refusal(
                "cut_line",
                f"the last line has no line end; the file is cut after {len(rest):,} bytes of it",
                RESEND,
                path.name,
                first_line,
            )


def _parts(block: TextBlock, lines_at_most: int) -> Iterator[TextBlock]:
    """A block of very short lines in parts, since every line costs memory of its own."""
    if block.lines <= lines_at_most:
        yield block
        return
    ends = Lines(block.data).ends
    for first in range(0, len(ends), lines_at_most):
        last = min(first + lines_at_most, len(ends)) - 1
        data = block.data[int(ends[first - 1]) + 1 if first else 0 : int(ends[last]) + 1]
        wrong = tuple(position - first for position in block.wrong_ends if first <= position <= last)
        yield TextBlock(data, block.first_line + first, last + 1 - first, wrong)


def _refuse_no_text(start: bytes, encoding: str, path: Path) -> None:
    """UTF-16 shows by its mark or, in text that is partly ASCII, by NUL bytes everywhere; a hole by nothing else."""
    kind = next((kind for magic, kind in PACKED.items() if start.startswith(magic)), None)
    if kind:
        raise Refusal(
            "unreadable",
            f"the content is {kind} where text is expected",
            f"Set layout.compression of the contract or ask the sender for the agreed file. {RESEND}",
            path.name,
        )
    sample = start[:4096]
    text = sample.rstrip(b"\0")  # a hole at the end of a short file is no UTF-16
    if not sample.startswith((b"\xff\xfe", b"\xfe\xff")) and text.count(0) <= len(text) // 4 and (text or not sample):
        return
    what = "the text is UTF-16" if text else "these are NUL bytes and no text"
    raise Refusal(
        "encoding",
        f"byte 1 of the line ({sample[:2].hex(' ').upper()}): {what}, the contract says {encoding}",
        f"Ask the sender for the agreed encoding. {RESEND}",
        path.name,
        1,
    )


def read_part(stream: IO[bytes], size: int, path: Path, compression: str) -> bytes:
    """The next bytes of an opened file, fewer only at its end.

    Raises:
        Refusal: rule ``unreadable``.
    """
    try:
        parts, missing = [], size
        while missing and (part := stream.read(missing)):
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)
    except UNREADABLE as problem:
        raise unreadable(path, compression, problem) from problem


def _line_ends_unified(data: bytes, first_line: int, line_end: str, path: Path) -> TextBlock:
    """Line ends made one line feed; a carriage return anywhere else makes its line's end wrong."""
    crlf = line_end == "\r\n"
    returns = data.count(b"\r") if b"\r" in data else 0  # to see that there is none is much faster than to count
    lines = int(np.count_nonzero(np.frombuffer(data, dtype=np.uint8) == NEWLINE))
    unified = data.replace(b"\r\n", b"\n") if crlf else data
    if returns == (lines if crlf else 0) and len(data) - len(unified) == returns:
        return TextBlock(unified, first_line, lines)
    bytes_ = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(bytes_ == NEWLINE)
    count = np.bincount(np.searchsorted(ends, np.flatnonzero(bytes_ == CARRIAGE_RETURN)), minlength=len(ends))
    is_wrong = count != crlf
    if crlf:
        is_wrong |= bytes_[ends - 1] != CARRIAGE_RETURN
    if first_line == 1 and is_wrong[0]:
        first = data[: int(ends[0])]
        bare = len(first) - len(first.rstrip(b"\r"))
        raise _wrong_line_end(" ".join(["CR"] * bare + ["LF"]), line_end, path, inside=bare == crlf)
    return TextBlock(unified, first_line, lines, tuple(int(i) for i in np.flatnonzero(is_wrong)))


def _wrong_line_end(seen: str, line_end: str, path: Path, inside: bool = False) -> Refusal:
    expected = "CR LF" if line_end == "\r\n" else "LF"
    return Refusal(
        "line_end",
        "a carriage return stands inside the first line"
        if inside
        else f"the first line ends in {seen}, the contract says {expected}",
        "Set layout.line_end of the contract or ask the sender for the agreed line ends",
        path.name,
        1,
    )


def line_series(name: str, text: bytes) -> pl.Series:
    """Every line of a UTF-8 text with its line feed, without a copy of the text."""
    ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == NEWLINE) + 1
    offsets = np.concatenate((np.zeros(1, dtype=np.int64), ends))
    lines = pyarrow.LargeStringArray.from_buffers(len(ends), pyarrow.py_buffer(offsets), pyarrow.py_buffer(text))
    return pl.Series(name, lines)


def is_utf8(data: bytes) -> bool:
    """True where the bytes are UTF-8; many times as fast as decoding them."""
    whole = pyarrow.py_buffer(np.array([0, len(data)], dtype=np.int64))
    try:
        pyarrow.LargeStringArray.from_buffers(1, whole, pyarrow.py_buffer(data)).validate(full=True)
    except pyarrow.ArrowInvalid:
        return False
    return True


class Decoder:
    """Blocks of one file to UTF-8; refuses the file at the first byte that the encoding does not know."""

    def __init__(self, encoding: str, path: Path) -> None:
        self._has_mark = encoding == "utf-8-sig"
        self._encoding = "utf-8" if self._has_mark else encoding
        self._path = path
        self._looked_for_utf8 = self._encoding == "utf-8"

    def __call__(self, block: TextBlock) -> bytes:
        """The block in UTF-8.

        Raises:
            Refusal: ``encoding``, with line and byte.
        """
        if block.data.isascii():
            return block.data
        self.refuse_foreign(block)
        if self._encoding == "utf-8" and is_utf8(block.data):
            return block.data
        try:
            return block.data.decode(self._encoding).encode("utf-8")
        except UnicodeDecodeError as problem:
            raise self._undecodable(block, problem) from problem

    def refuse_foreign(self, block: TextBlock) -> None:
        """Refuse what can be decoded and is of another encoding all the same.

        Raises:
            Refusal: ``encoding``, with the line.
        """
        self._refuse_mark(block)
        if not self._looked_for_utf8:
            self._refuse_utf8(block)
        if self._encoding != "utf-8":
            self._refuse_utf8_line(block)

    def _refuse_mark(self, block: TextBlock) -> None:
        """A byte order mark before the first line was not agreed; one before a later line shows files put together."""
        for mark in (UTF8_MARK, GB18030_MARK):
            if mark[:1] not in block.data:
                continue
            at = 0 if block.data.startswith(mark) else block.data.find(b"\n" + mark) + 1
            if not at and not block.data.startswith(mark):
                continue
            line = block.first_line + block.data.count(b"\n", 0, at)
            seen = f"the line starts with a byte order mark ({mark.hex(' ').upper()})"
            if line > 1 or self._has_mark:
                seen = f"{seen} inside the file"
                advice = f"Ask the sender whether two files were put together. {RESEND}"
            else:
                seen = f"{seen}, the contract says {self._encoding} without"
                advice = "Ask the sender to leave the mark out or, if the text is UTF-8, set the encoding to utf-8-sig"
            raise Refusal("encoding", seen, advice, self._path.name, line)

    def _refuse_utf8(self, block: TextBlock) -> None:
        """UTF-8 read as GBK gives wrong hanzi without an error; text of some length is valid UTF-8 only on purpose."""
        foreign = sum(1 for byte in block.data[:65536] if byte >= 0x80)
        if foreign < 24:
            return
        self._looked_for_utf8 = True
        try:
            block.data.decode("utf-8")
        except UnicodeDecodeError:
            return
        raise self._is_utf8(block, next(i for i, byte in enumerate(block.data) if byte >= 0x80), "text")

    def _refuse_utf8_line(self, block: TextBlock) -> None:
        """Four hanzi of UTF-8 in a row, with nothing beside them that is not UTF-8, came from another file.

        Shorter text cannot be told: two hanzi of UTF-8 are three others in GBK.
        """
        data = np.frombuffer(block.data, dtype=np.uint8)
        is_lead = data - np.uint8(0xE3) < 7
        at = np.flatnonzero(is_lead[:-11])
        for step in (3, 6, 9):
            at = at[is_lead[at + step]]
        for step in (1, 2, 4, 5, 7, 8, 10, 11):
            at = at[data[at + step] & 0xC0 == 0x80]
        for position in at.tolist():
            start, end = position, position + 12
            while start and data[start - 1] >= 0x80:
                start -= 1
            while data[end] >= 0x80:
                end += 1
            try:
                block.data[start:end].decode("utf-8")
            except UnicodeDecodeError:
                continue
            raise self._is_utf8(block, position, "text of the line")

    def _is_utf8(self, block: TextBlock, position: int, what: str) -> Refusal:
        return Refusal(
            "encoding",
            f"the {what} is UTF-8, the contract says {self._encoding}",
            "Set layout.encoding of the contract or ask the sender for the agreed encoding",
            self._path.name,
            block.first_line + block.data.count(b"\n", 0, position),
        )

    def _undecodable(self, block: TextBlock, problem: UnicodeDecodeError) -> Refusal:
        line = block.data.count(b"\n", 0, problem.start)
        in_line = problem.start - (block.data.rfind(b"\n", 0, problem.start) + 1) + 1
        seen = block.data[problem.start : problem.end].hex(" ").upper()
        return Refusal(
            "encoding",
            f"byte {in_line} of the line ({seen}) is not valid {self._encoding}",
            f"Check the encoding with the sender. {RESEND}",
            self._path.name,
            block.first_line + line,
        )
