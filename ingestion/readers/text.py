"""Text files in blocks: decompressed, cut at line ends, checked for encoding, turned into UTF-8.

Memory is bounded by the block size, whatever the size of the file. Cutting at the byte 0x0A is safe in all encodings
supported: GBK and GB18030 never use it inside a character (GB 18030-2022, table of code ranges).
"""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import zstandard

from ingestion.refusal import Refusal

NEWLINE = 0x0A
RESEND = "Ask the sender for the file again, replace it in landing and run the ingest again"


@dataclass(frozen=True)
class TextBlock:
    """Whole lines of a file in its own encoding, each ending in one ``\\n``.

    Attributes:
        data: The bytes.
        first_line: Number of the first line, from 1.
        wrong_ends: Positions (from 0) of lines in the block whose line end is not the contract's.
        is_last: True for the block that ends the file.
    """

    data: bytes
    first_line: int
    wrong_ends: tuple[int, ...] = ()
    is_last: bool = False

    def line_ends(self) -> np.ndarray:
        """Positions of the line feeds."""
        return np.flatnonzero(np.frombuffer(self.data, dtype=np.uint8) == NEWLINE)


class Lines:
    """Text of single lines of a block, cut out when asked for."""

    def __init__(self, data: bytes, ends: np.ndarray, encoding: str = "utf-8") -> None:
        self._data, self._ends, self._encoding = data, ends, encoding

    def __getitem__(self, position: int) -> str:
        return self.bytes_at(position).decode(self._encoding, errors="backslashreplace")

    def __len__(self) -> int:
        return len(self._ends)

    def bytes_at(self, position: int) -> bytes:
        """One line without its line end."""
        start = int(self._ends[position - 1]) + 1 if position else 0
        return self._data[start : int(self._ends[position])]

    def many(self, positions: Sequence[int]) -> list[str]:
        """Several lines."""
        return [self[position] for position in positions]


class ZstandardFile:
    """Decompressed bytes of a Zstandard file; unlike the library's own stream, a cut frame raises."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._ready = bytearray()

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, none at the end.

        Raises:
            EOFError: The file ends inside a frame.
        """
        while len(self._ready) < size:
            is_between = self._frame is None or self._frame.eof
            compressed = (self._frame.unused_data if self._frame and is_between else b"") or self._file.read(1 << 16)
            if not compressed:
                if is_between:
                    break
                raise EOFError("the last frame is cut")
            if self._frame is None or is_between:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._ready += self._frame.decompress(compressed)
        out = bytes(self._ready[:size])
        del self._ready[:size]
        return out

    def __enter__(self) -> ZstandardFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def open_bytes(path: Path, compression: str) -> IO[bytes]:
    """Opens a file for reading its decompressed bytes; a zip archive must hold exactly one file.

    Raises:
        Refusal: rule ``unreadable``.
    """
    try:
        if compression == "gz":
            return gzip.open(path, "rb")
        if compression == "zst":
            return cast(IO[bytes], ZstandardFile(path))
        if compression == "zip":
            archive = zipfile.ZipFile(path)
            members = [m for m in archive.infolist() if not m.is_dir()]
            if len(members) != 1:
                raise Refusal(
                    "unreadable", f"the archive holds {len(members)} files, one is expected", RESEND, path.name
                )
            return archive.open(members[0])
        return path.open("rb")
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as problem:
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
        _refuse_utf16(chunk, encoding, path)
        if encoding == "utf-8-sig":
            chunk = chunk.removeprefix(b"\xef\xbb\xbf")
        elif encoding == "utf-8" and chunk.startswith(b"\xef\xbb\xbf"):
            raise Refusal(
                "encoding",
                "the file starts with a byte order mark (EF BB BF), the contract says utf-8 without",
                "Set layout.encoding to utf-8-sig or ask the sender to leave the mark out",
                path.name,
                1,
            )
        while chunk:
            ahead = read_part(stream, block_bytes, path, compression)
            cut = chunk.rfind(b"\n") + 1
            if not cut and ahead and len(rest) + len(chunk) > block_bytes:
                raise Refusal(
                    "line_length",
                    f"the line is longer than a block ({block_bytes:,} bytes)",
                    f"Check the line ends of the file, then: {RESEND}",
                    path.name,
                    first_line,
                )
            data, rest = (rest + chunk[:cut], chunk[cut:]) if cut else (b"", rest + chunk)
            if data:
                block = _line_ends_unified(data, first_line, line_end, path)
                yield TextBlock(block.data, first_line, block.wrong_ends, is_last=not ahead and not rest)
                first_line += block.data.count(b"\n")
            chunk = ahead
        if rest:
            raise Refusal(
                "cut_line",
                f"the last line has no line end; the file is cut after {len(rest):,} bytes of it",
                RESEND,
                path.name,
                first_line,
            )


def _refuse_utf16(start: bytes, encoding: str, path: Path) -> None:
    """UTF-16 shows by its mark or, in text that is partly ASCII, by NUL bytes everywhere."""
    sample = start[:4096]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")) or sample.count(0) > len(sample) // 4:
        raise Refusal(
            "encoding",
            f"byte 1 of the line ({sample[:2].hex(' ').upper()}): the text is UTF-16, the contract says {encoding}",
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
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, zstandard.ZstdError) as problem:
        raise unreadable(path, compression, problem) from problem


def _line_ends_unified(data: bytes, first_line: int, line_end: str, path: Path) -> TextBlock:
    carriage_returns = data.count(b"\r")
    if line_end == "\n":
        if not carriage_returns:
            return TextBlock(data, first_line)
        if first_line == 1 and data[: data.find(b"\n")].endswith(b"\r"):
            raise _wrong_line_end("CR LF", "LF", path)
        ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == NEWLINE)
        wrong = [i for i, end in enumerate(ends) if end and data[end - 1] == 0x0D]
        return TextBlock(data, first_line, tuple(wrong))
    feeds, pairs = data.count(b"\n"), data.count(b"\r\n")
    if first_line == 1 and not data[: data.find(b"\n")].endswith(b"\r"):
        raise _wrong_line_end("LF", "CR LF", path)
    if feeds == pairs:
        return TextBlock(data.replace(b"\r\n", b"\n"), first_line)
    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == NEWLINE)
    wrong = [i for i, end in enumerate(ends) if not end or data[end - 1] != 0x0D]
    return TextBlock(data.replace(b"\r\n", b"\n"), first_line, tuple(wrong))


def _wrong_line_end(seen: str, expected: str, path: Path) -> Refusal:
    return Refusal(
        "line_end",
        f"the first line ends in {seen}, the contract says {expected}",
        "Set layout.line_end of the contract or ask the sender for the agreed line ends",
        path.name,
        1,
    )


class Decoder:
    """Blocks of one file to UTF-8; refuses the file at the first byte that the encoding does not know."""

    def __init__(self, encoding: str, path: Path) -> None:
        self._encoding = "utf-8" if encoding == "utf-8-sig" else encoding
        self._path = path
        self._looked_for_utf8 = self._encoding == "utf-8"

    def __call__(self, block: TextBlock) -> bytes:
        """The block in UTF-8.

        Raises:
            Refusal: ``encoding``, with line and byte.
        """
        if block.data.isascii():
            return block.data
        if not self._looked_for_utf8:
            self._refuse_utf8(block)
        try:
            text = block.data.decode(self._encoding)
        except UnicodeDecodeError as problem:
            raise self._undecodable(block, problem) from problem
        return block.data if self._encoding == "utf-8" else text.encode("utf-8")

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
        first = next(i for i, byte in enumerate(block.data) if byte >= 0x80)
        line = block.first_line + block.data.count(b"\n", 0, first)
        raise Refusal(
            "encoding",
            f"the text is UTF-8, the contract says {self._encoding}",
            "Set layout.encoding of the contract or ask the sender for the agreed encoding",
            self._path.name,
            line,
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
