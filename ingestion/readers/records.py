"""Delimited files with several record types, as meter-data formats have them.

The first field of a line tells its type. Parent records (one meter, one bill) are carried down to the rows that follow
them; `name[96]` in a record's fields takes 96 columns into one array column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from ingestion.contract import Records, RecordType
from ingestion.readers.base import LINE, Block, FileReader, Reject, text_schema, wrong_line_end
from ingestion.readers.text import Decoder, Lines, TextBlock, text_blocks

WIDE = re.compile(r"(?P<name>\w+)\[(?P<count>\d+)\]\Z")


@dataclass(frozen=True)
class Place:
    """Where a field stands in the line: first column (0 is the discriminator), and how many for a wide field."""

    name: str
    start: int
    count: int | None


def places(record: RecordType) -> tuple[list[Place], int]:
    """Places of a record type's fields and the number of columns of its lines."""
    found, at = [], 1
    for field in record.fields:
        wide = WIDE.match(field)
        found.append(Place(wide["name"], at, int(wide["count"])) if wide else Place(field, at, None))
        at += int(wide["count"]) if wide else 1
    return found, at


class RecordsReader(FileReader):
    """Reads header, parent, row and trailer records."""

    def blocks(self) -> Iterator[Block]:
        layout = self._layout
        decode = Decoder(layout.encoding, self.path)
        self._carried: dict[str, str] = {}
        self._parent_is_good = False
        last_line = 0
        for block in text_blocks(
            self.path, layout.compression, layout.encoding, layout.line_end, self.options.block_bytes
        ):
            text = decode(block)
            last_line = block.first_line + block.lines - 1
            yield self._block(block, Lines(text), text)
        if not last_line:
            raise self.refuse("empty", "the file is empty", 1)
        self.check_trailer_seen(last_line)

    @property
    def _layout(self) -> Records:
        assert isinstance(self.contract.layout, Records)
        return self.contract.layout

    def _block(self, block: TextBlock, lines: Lines, text: bytes) -> Block:
        layout = self._layout
        frame = pl.DataFrame({"_text": pl.Series(text.decode("utf-8")[:-1].split("\n"), dtype=pl.String)})
        frame = (
            frame.with_row_index("_position")
            .with_columns(pl.col("_text").str.split(layout.delimiter).alias("_fields"))
            .with_columns(pl.col("_fields").list.get(0).alias("_type"), pl.col("_fields").list.len().alias("_width"))
        )
        self._check_header(block, frame)
        self._take_trailer(block, frame, lines)
        damaged = set(block.wrong_ends) | {
            int(p) for p in frame.filter(pl.col("_text").str.contains("\0", literal=True))["_position"]
        }
        frame = self._carry_down(frame, damaged)

        rows, good_positions, all_row_codes = [], set(), list(layout.of_role("row"))
        for code, record in layout.of_role("row").items():
            found, width = places(record)
            chosen = frame.filter(
                (pl.col("_type") == code)
                & (pl.col("_width") == width)
                & pl.col("_parent_good")
                & ~pl.col("_position").is_in(list(damaged))
            )
            good_positions.update(chosen["_position"].to_list())
            rows.append(self._columns(chosen, found, block))
        rejects = self._rejects(block, frame, lines, good_positions, damaged)
        self.counted += frame.filter(pl.col("_type").is_in(all_row_codes)).height
        self.counted += sum(1 for reject in rejects if reject.rule == "record_type")
        table = pl.concat(rows).sort(LINE)
        first = block.first_line
        return Block(
            self.null_tokens_made_null(table),
            lambda chosen: lines.many([int(table[LINE][i]) - first for i in chosen]),
            rejects,
        )

    def _check_header(self, block: TextBlock, frame: pl.DataFrame) -> None:
        headers = self._layout.of_role("header")
        seen = frame.filter(pl.col("_type").is_in(list(headers)))
        if not headers:
            return
        first = frame["_type"][0]
        if block.first_line == 1 and first not in headers:
            raise self.refuse(
                "header", f"the first record is of type {first!r}, the header {'/'.join(headers)} is expected", 1
            )
        later = [int(p) for p in seen["_position"] if block.first_line + int(p) > 1]
        if later:
            raise self.refuse("record_order", "a second header record", block.first_line + later[0])
        if block.first_line == 1:
            values = self._fields(headers[first], frame["_fields"][0].to_list(), 1, "header")
            self.check_table_name(values.get("table_name"), 1)
            self.check_business_date(values.get("business_date"), 1)

    def _take_trailer(self, block: TextBlock, frame: pl.DataFrame, lines: Lines) -> None:
        trailers = self._layout.of_role("trailer")
        if self.declared is not None:
            raise self.refuse("after_trailer", "lines follow the trailer", block.first_line)
        for row in frame.filter(pl.col("_type").is_in(list(trailers))).iter_rows(named=True):
            number = block.first_line + row["_position"]
            self.declare(self._fields(trailers[row["_type"]], row["_fields"], number, "trailer"), number)
            if row["_position"] != len(lines) - 1:
                raise self.refuse("after_trailer", "lines follow the trailer", number + 1)

    def _fields(self, record: RecordType, fields: list[str], line: int, what: str) -> dict[str, str]:
        """Named fields of a header or trailer."""
        if len(fields) != len(record.fields) + 1:
            raise self.refuse(
                what, f"the {what} record has {len(fields)} fields, {len(record.fields) + 1} are expected", line
            )
        return dict(zip(record.fields, fields[1:], strict=True))

    def _carry_down(self, frame: pl.DataFrame, damaged: set[int]) -> pl.DataFrame:
        """Gives every row its parent's fields, and none where the parent is broken or may stand in an unknown line."""
        parents = self._layout.of_role("parent")
        if not parents:
            return frame.with_columns(pl.lit(True).alias("_parent_good"))
        known = pl.col("_type").is_in(list(self._layout.records))
        is_good = pl.when(~known).then(False)
        expressions: dict[str, pl.Expr] = {}
        for code, record in parents.items():
            found, width = places(record)
            here = pl.col("_type") == code
            whole = (pl.col("_width") == width) & ~pl.col("_position").is_in(list(damaged))
            is_good = pl.when(here).then(whole).otherwise(is_good)
            for place in found:
                value = pl.when(here).then(pl.col("_fields").list.get(place.start, null_on_oob=True))
                expressions[place.name] = value.otherwise(expressions.get(place.name, pl.lit(None, pl.String())))
        frame = frame.with_columns(
            is_good.forward_fill().fill_null(self._parent_is_good).alias("_parent_good"),
            *(
                value.forward_fill().fill_null(pl.lit(self._carried.get(name), pl.String())).alias(f"_parent_{name}")
                for name, value in expressions.items()
            ),
        )
        self._carried = {name: frame[f"_parent_{name}"][-1] for name in expressions}
        self._parent_is_good = bool(frame["_parent_good"][-1])
        return frame

    def _columns(self, chosen: pl.DataFrame, found: list[Place], block: TextBlock) -> pl.DataFrame:
        own = {place.name: place for place in found}
        expressions = []
        for name, kind in text_schema(self.contract.columns).items():
            place = own.get(name)
            if place is None and f"_parent_{name}" in chosen.columns:
                value = pl.col(f"_parent_{name}")
            elif place is None:
                value = pl.lit(None, kind)
            elif place.count is None:
                value = pl.col("_fields").list.get(place.start, null_on_oob=True)
            else:
                value = pl.col("_fields").list.slice(place.start, place.count)
            expressions.append(value.cast(kind).alias(name))
        line = (pl.col("_position").cast(pl.Int64) + block.first_line).alias(LINE)
        return chosen.select(*expressions, line)

    def _rejects(
        self, block: TextBlock, frame: pl.DataFrame, lines: Lines, good: set[int], damaged: set[int]
    ) -> list[Reject]:
        known = {code: (record.role, places(record)[1]) for code, record in self._layout.records.items()}
        suspects = frame.filter(
            ~pl.col("_position").is_in(list(good))
            & (pl.col("_type").is_in(list(self._layout.of_role("row"))) | ~pl.col("_type").is_in(list(known)))
        )
        rejects = []
        for row in suspects.select("_position", "_type", "_width", "_parent_good").iter_rows(named=True):
            position, kind = row["_position"], row["_type"]
            number, raw = block.first_line + position, lines[position]
            if kind not in known:
                rejects.append(
                    Reject(number, "record_type", None, f"record type {kind[:20]!r} is unknown", raw.replace("\0", "␀"))
                )
            elif known[kind][1] != row["_width"]:
                message = f"{row['_width']} fields, {known[kind][1]} are expected in a record {kind}"
                rejects.append(Reject(number, "field_count", None, message, raw))
            elif not row["_parent_good"]:
                message = "the parent record above is missing, broken, or hidden in a line of unknown type"
                rejects.append(Reject(number, "parent", None, message, raw))
            elif position in block.wrong_ends:
                rejects.append(wrong_line_end(block, position, raw, self._layout.line_end))
            elif position in damaged:
                rejects.append(Reject(number, "nul_byte", None, "the line holds a NUL byte", raw.replace("\0", "␀")))
        return rejects
