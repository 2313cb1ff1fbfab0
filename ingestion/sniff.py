"""How a file is written, from its first megabyte: compression, encoding, line ends, format, delimiter, header."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from ingestion.contract import Column, Delimited, JsonLines, Layout, Parquet, Xlsx, as_identifier
from ingestion.readers.text import open_bytes, read_part
from ingestion.readers.workbook import OLD_OR_LOCKED, is_workbook, old_or_locked
from ingestion.readers.xlsx import column_names
from ingestion.refusal import Refusal

SAMPLE_BYTES = 1 << 20
SAMPLE_LINES = 500
SAME_WIDTH = 0.99
"""Share of lines that must have the usual number of fields."""

DELIMITERS = ("\x01", "|+|", "|@|", "|!|", "\t", "|", ";", ",")
MAGIC: tuple[tuple[bytes, str], ...] = ((b"\x1f\x8b", "gz"), (b"PK\x03\x04", "zip"), (b"\x28\xb5\x2f\xfd", "zst"))
DAY = re.compile(r"(?P<year>(?:19|20)\d\d)(?P<dash>[-_]?)(?:0[1-9]|1[0-2])(?P=dash)(?:0[1-9]|[12]\d|3[01])")
Split = Callable[[str], list[str]]


def sniff(path: Path) -> tuple[Layout, list[Column]]:
    """Says how a delimited, JSON lines, Parquet or Excel file is written.

    Args:
        path: The file.

    Returns:
        Its layout, and its columns, all of them text as yet (floats of a Parquet file apart).

    Raises:
        Refusal: ``unreadable``; ``empty``; ``encoding``; ``delimiter`` (fixed width, several record types); of a
            workbook any rule of its reader.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PAR1":
        return Parquet(format="parquet", file_name=_name_of_any_day(path)), _parquet_columns(path)
    if start == OLD_OR_LOCKED:
        raise old_or_locked(path)
    if is_workbook(path):
        names = column_names(path)
        return Xlsx(format="xlsx", file_name=_name_of_any_day(path)), _named(names, ["text"] * len(names))
    compression = next((name for magic, name in MAGIC if start.startswith(magic)), "none")
    with open_bytes(path, compression) as stream:
        sample = read_part(stream, SAMPLE_BYTES, path, compression)
    if not sample.strip():
        raise Refusal("empty", "the file holds nothing", "Take a file of a usual day", path.name)
    sample = sample[: sample.rfind(b"\n") + 1] or sample + b"\n"
    encoding = _encoding(sample, path)
    lines = list(islice(sample.decode(encoding).splitlines(), SAMPLE_LINES))
    written: dict[str, Any] = {
        "file_name": _name_of_any_day(path),
        "encoding": encoding,
        "compression": compression,
        "line_end": "\r\n" if sample.partition(b"\n")[0].endswith(b"\r") else "\n",
    }
    if objects := _json_objects(lines):
        return JsonLines(format="jsonl", **written), _json_columns(objects)
    split, delimiter, quote = _delimiter(lines, path)
    first, *rest = (split(line) for line in lines)
    header = _is_header(first, rest)
    names = first if header else [""] * len(first)
    layout = Delimited(format="delimited", delimiter=delimiter, quote=quote, header=header, **written)
    return layout, _named(names, ["text"] * len(names))


def _encoding(sample: bytes, path: Path) -> str:
    """UTF-8 with or without a mark where the sample is that, else GB18030: text is valid UTF-8 only on purpose."""
    if sample.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    for encoding in ("utf-8", "gb18030"):
        try:
            sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    raise Refusal("encoding", "the text is neither UTF-8 nor GB18030", "Ask the sender for its encoding", path.name)


def _name_of_any_day(path: Path) -> str:
    """The file's name with the placeholder of the business date where it bears one."""
    return DAY.sub(lambda day: f"{{business_date:%Y{day['dash']}%m{day['dash']}%d}}", path.name, count=1)


def _json_objects(lines: Sequence[str]) -> list[dict[str, Any]]:
    """The lines as JSON objects, none where they are something else."""
    try:
        values = [json.loads(line) for line in lines]
    except ValueError:
        return []
    return values if all(isinstance(value, dict) for value in values) else []


def _json_columns(objects: list[dict[str, Any]]) -> list[Column]:
    keys = dict.fromkeys(key for value in objects for key in value)
    lists = {key for value in objects for key, item in value.items() if isinstance(item, list)}
    return _named(keys, ["text[]" if key in lists else "text" for key in keys])


def _parquet_columns(path: Path) -> list[Column]:
    kinds = []
    schema = pyarrow.parquet.read_schema(path)
    for field in schema:
        is_list = pyarrow.types.is_list(field.type)
        item = field.type.value_type if is_list else field.type
        kinds.append(("double precision" if pyarrow.types.is_floating(item) else "text") + ("[]" if is_list else ""))
    return _named(schema.names, kinds)


def _delimiter(lines: Sequence[str], path: Path) -> tuple[Split, str, str | None]:
    """The first delimiter that parts nearly all lines into the same number of fields, and whether fields are quoted."""
    for delimiter in DELIMITERS:
        quoted = len(delimiter) == 1 and any(re.search(f'(^|{re.escape(delimiter)})"', line) for line in lines)
        for quote in ('"', None) if quoted else (None,):
            split = _splitter(delimiter, quote)
            try:
                widths = [len(split(line)) for line in lines]
            except csv.Error:
                continue
            usual = max(set(widths), key=widths.count)
            if usual > 1 and widths[0] == usual and widths.count(usual) >= SAME_WIDTH * len(widths):
                return split, delimiter, quote
    raise Refusal(
        "delimiter",
        "no delimiter parts the lines into the same number of fields",
        "Fixed widths and files of several record types do not show their columns: write the contract by hand, after "
        "ingestion/contracts/card/posting.yaml or ingestion/contracts/grid_billing/load_curve.yaml",
        path.name,
        1,
    )


def _splitter(delimiter: str, quote: str | None) -> Split:
    if quote is None:
        return lambda line: line.split(delimiter)
    return lambda line: next(csv.reader([line], delimiter=delimiter, quotechar=quote, strict=True), [""])


def _is_header(first: list[str], rest: list[list[str]]) -> bool:
    """Names, each once and none a number, none of which occurs again as a value of its column."""
    if len(set(first)) < len(first) or any(not name.strip() or re.match(r"[+-]?[\d.]", name) for name in first):
        return False
    return not any(name == row[place] for row in rest if len(row) == len(first) for place, name in enumerate(first))


def _named(headers: Iterable[str], kinds: Iterable[str]) -> list[Column]:
    """Columns with identifiers as names; what the file calls them is kept where it differs."""
    columns: list[Column] = []
    for place, (header, kind) in enumerate(zip(headers, kinds, strict=True), 1):
        name = as_identifier(header) or f"column_{place}"
        if name in {column.name for column in columns}:
            name = f"{name}_{place}"
        columns.append(Column(name=name, physical_type=kind, header=header if header not in ("", name) else None))
    return columns
