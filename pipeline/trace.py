"""From a figure that a reader sees to the files and lines that it is made of (docs/decisions/0019)."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from ingestion.trace import Origin, origins
from pipeline.schema import contracts
from pipeline.trace_rules import Fold, MartTraces, TraceError, Way, traced_marts, traces_of
from pipeline.transformation import PROJECT
from warehouse.code_version import code_version
from warehouse.connection import connect
from warehouse.settings import CHECKOUT, get_settings

SEEDS = PROJECT / "seeds"

Row = dict[str, Any]
Place = tuple[int, int]
"""File id and line."""


@dataclass(frozen=True)
class TableRow:
    """A row of the warehouse's own tables: rules, the calendar, records of runs.

    Attributes:
        version: of the rules; where a rule table numbers none, a hash of it.
        file: the rule table in the checkout.
        line: the row's line there; None where the table has changed since.
        text: the row.
    """

    table: str
    version: str | None
    file: str | None
    line: int | None
    text: str


@dataclass(frozen=True)
class Part:
    """What a figure is made of: a line of a file, a row of the warehouse's own, or a figure that is traced further."""

    value: Any
    source: "Place | Origin | TableRow | Trace"


@dataclass(frozen=True)
class Trace:
    """What stands behind a figure.

    Attributes:
        place: mart and column, or the relation that was asked.
        key: the row of the mart.
        fold: how the parts make the figure; None where nothing more is told of it.
        value: the figure as the mart has it.
        total: what all its parts make; to be compared with `value` by `is_equal` only.
        is_equal: the parts make the figure; amounts to the half cent that rounding leaves.
        formula: SQL over the columns of the row, where the figure is computed from them.
        rows: how many parts there are; `parts` are the first of them.
        is_repeated: it stands in the same trace already.
    """

    place: str
    key: dict[str, Any]
    fold: Fold | None = None
    value: Any = None
    total: Any = None
    is_equal: bool = True
    formula: str | None = None
    rows: int = 0
    parts: tuple[Part, ...] = ()
    is_repeated: bool = False


def trace_figure(mart: str, column: str, where: str, login: str, limit: int) -> Trace:
    """Trace a figure of one row of a mart, all the way.

    Args:
        mart: name of the mart, such as `mart_customer_360`.
        column: one of its columns that can be traced.
        where: condition that names one row, in SQL over the mart's columns.
        login: who asks; it must be able to read the marts and core.
        limit: how many parts to follow, the greatest first; of the figures behind a figure half as many, and so on.

    Raises:
        TraceError: the figure cannot be traced, or the condition does not name one row.
    """
    traces = traces_of(mart)
    traces.ways_of(column)
    with connect(login) as session:
        rows = session.execute(
            f"select {', '.join(traces.key)} from {traces.relation} where {where} limit 2"  # type: ignore[arg-type]
        ).fetchall()
        if len(rows) != 1:
            raise TraceError(f"{where!r} names {len(rows) or 'no'} row{'s' * (len(rows) > 1)} of {mart}: name one")
        key = dict(zip(traces.key, rows[0], strict=True))
        return _told(session, _Follower(session).follow(traces, column, key, limit))


def trace_rows(relation: str, where: str, login: str, limit: int) -> Trace:
    """Trace rows of a relation that carries `file_id` and `line`: a fact, or a change log behind a dimension.

    Args:
        relation: schema and name.
        where: condition on its columns, in SQL.
        login: who asks.
        limit: how many of the rows to tell.

    Raises:
        TraceError: the relation carries no file and line.
    """
    schema, _, name = relation.rpartition(".")
    place = sql.Identifier(schema or "core", name)
    with connect(login) as session:
        carries = session.execute(
            "select count(*) from information_schema.columns where table_schema = %s and table_name = %s "
            "and column_name in ('file_id', 'line')",
            [schema or "core", name],
        ).fetchone()
        if carries != (2,):
            raise TraceError(
                f"{relation} carries no file and line; facts (core.fct_…) and change logs (intermediate.int_…__changes)"
                f" do, and a figure is traced by its name: c360 trace MART FIGURE, of {', '.join(traced_marts())}"
            )
        found = session.execute(
            sql.SQL("select file_id, line from {} where ").format(place)
            + sql.SQL(where)  # type: ignore[arg-type]
            + sql.SQL(" order by known_at, file_id, line")
        ).fetchall()
        parts = tuple(Part(None, place) for place in found[:limit])
        return _told(session, Trace(relation, {}, rows=len(found), parts=parts))


def traceable(mart: str) -> list[tuple[str, str]]:
    """The columns of a mart, and what stands behind each.

    Raises:
        TraceError: there is no such mart.
    """
    traces = traces_of(mart)
    told = []
    for column, ways in traces.ways.items():
        behind = "; ".join(dict.fromkeys(map(str, ways)))
        if inputs := traces.inputs(column):
            behind += f" from {', '.join(inputs)}"
        told.append((column, behind))
    return told + [(column, f"names the row: {word}") for column, word in traces.names.items()]


class _Follower:
    """Follows figures to what they are made of, each once; lines stay file id and line."""

    def __init__(self, session: psycopg.Connection) -> None:
        self._session = session
        self._followed: set[tuple[str, str]] = set()

    def follow(self, traces: MartTraces, column: str, key: Row, limit: int) -> Trace:
        place = f"{traces.mart}.{column}"
        ways, row = traces.ways_of(column), self._row(traces, key)
        if (place, row) in self._followed:
            return Trace(place, key, is_repeated=True)
        self._followed.add((place, row))
        fold = ways[0].fold
        order = {"sum": "abs(part) desc", "greatest": "part desc", "least": "part"}.get(fold, "way")
        with self._session.cursor(row_factory=dict_row) as cursor:
            figures = cursor.execute(f"select * from {row} as seen").fetchone() or {}  # type: ignore[arg-type]
            tie = cursor.execute(traces.ties(column, row)).fetchone() or {}  # type: ignore[arg-type]
            found = cursor.execute(
                f"{traces.parts(column, row)} order by {order}, file_id, line limit {limit}"  # type: ignore[arg-type]
            ).fetchall()
        parts = [Part(part["part"], self._source(ways[part["way"]], part, limit)) for part in found]
        if fold == "computed":
            inputs = [Part(figures[name], self.follow(traces, name, key, limit)) for name in traces.inputs(column)]
            parts = inputs + [part for part in parts if part.source]
        return Trace(
            place=place,
            key=key,
            fold=fold,
            value=figures[column],
            total=tie["total"],
            is_equal=tie["is_equal"],
            formula=ways[0].part if fold == "computed" else None,
            rows=tie["parts"],
            parts=tuple(parts),
        )

    def _source(self, way: Way, part: Row, limit: int) -> Place | TableRow | Trace | None:
        if way.mart and way.column:
            traces = traces_of(way.mart)
            if way.column in traces.names:
                return Trace(way.mart, part["record"])
            return self.follow(traces, way.column, part["record"], max(limit // 2, 1))
        if way.table:
            return _table_row(way.table, part["record"]) if part["record"] else None
        return None if part["line"] is None else (part["file_id"], part["line"])

    def _row(self, traces: MartTraces, key: Row) -> str:
        """SQL of the one row of a mart."""
        named = [sql.SQL("{} = {}").format(sql.Identifier(name), key[name]) for name in traces.key]
        return f"(select * from {traces.relation} where {sql.SQL(' and ').join(named).as_string(self._session)})"


def _table_row(table: str, row: Row) -> TableRow:
    """A row of the warehouse's own tables; a rule table (a seed) has a file, where the row has a line."""
    seed = SEEDS / f"{table.partition('.')[2]}.csv"
    if not seed.is_file():
        return TableRow(table, row.get("calendar_version"), None, None, _said(row))
    file = seed.relative_to(CHECKOUT).as_posix()
    version = row.get("scheme_version_id") or code_version(file)
    wanted = {name: "" if value is None else str(value) for name, value in row.items()}
    with seed.open(encoding="utf-8", newline="") as lines:
        rules = csv.DictReader(lines)
        for rule in rules:
            if rule == wanted:
                return TableRow(table, version, file, rules.line_num, _said(rule))
    return TableRow(table, version, file, None, _said(row))


def _said(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items() if value not in (None, ""))


def _told(session: psycopg.Connection, trace: Trace) -> Trace:
    """The trace with its lines as they were sent, each file read once."""
    places = list(dict.fromkeys(_places(trace)))
    found = origins(session, places, get_settings().landing, contracts())
    return _placed(trace, dict(zip(places, found, strict=True)))


def _places(trace: Trace) -> Iterator[Place]:
    for part in trace.parts:
        if isinstance(part.source, Trace):
            yield from _places(part.source)
        elif isinstance(part.source, tuple):
            yield part.source


def _placed(trace: Trace, lines: dict[Place, Origin]) -> Trace:
    def placed(source: "Place | Origin | TableRow | Trace") -> "Origin | TableRow | Trace":
        if isinstance(source, Trace):
            return _placed(source, lines)
        return lines[source] if isinstance(source, tuple) else source

    return replace(trace, parts=tuple(replace(part, source=placed(part.source)) for part in trace.parts))
