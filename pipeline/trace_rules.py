"""How figures of marts are traced, as `dbt_project/traces` says it (docs/decisions/0019): from columns to SQL."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.transformation import PROJECT

TRACES = PROJECT / "traces"

Fold = Literal["sum", "greatest", "least", "each", "computed"]
"""How parts make a figure: they add up to it, it is the greatest or the least of them, each of them says it, or it is
computed from other columns of its row."""
FOLDS: tuple[Fold, ...] = ("sum", "greatest", "least", "each", "computed")


class TraceError(RuntimeError):
    """What was asked cannot be traced; the message says what can."""


@dataclass(frozen=True)
class Way:
    """One way from the rows of a mart to what a figure of theirs is made of.

    Attributes:
        fold: how the parts make the figure.
        joins: SQL after `from <mart> as seen`; it brings `fact` (a row with file and line, or of `table`) or `other` (a
            row of `mart`).
        part: SQL of what each of these rows adds; NULL where it is no part.
        figure: SQL of the figure that the parts are compared with.
        table: the table of the warehouse itself that `fact` comes from: rules, calendar, records. None: a sent file.
        shown: columns that tell which row of `table` it is; none: all.
        mart: the mart that `other` is a row of.
        column: the column of `mart` in which the trace goes on.
    """

    fold: Fold
    joins: str
    part: str
    figure: str
    table: str | None = None
    shown: tuple[str, ...] = ()
    mart: str | None = None
    column: str | None = None

    def __str__(self) -> str:
        behind = self.table or (f"{self.mart}.{self.column}" if self.mart else "lines of files")
        match self.fold:
            case "sum":
                return f"sum over {behind}"
            case "each":
                return f"as said by {behind}"
            case "computed":
                return f"computed by {self.table}" if self.table else "computed"
            case _:
                return f"{self.fold} of {behind}"


@dataclass(frozen=True)
class MartTraces:
    """What `dbt_project/traces/<mart>.yml` says.

    Attributes:
        relation: where a reader sees the rows.
        key: columns that name a row.
        names: columns that name a row or say its kind, with a word on each: nothing stands behind them.
        ways: by column; all ways of a column together give its parts.
    """

    mart: str
    relation: str
    key: tuple[str, ...]
    names: dict[str, str]
    ways: dict[str, list[Way]] = field(default_factory=dict)

    def ways_of(self, column: str) -> list[Way]:
        """The ways of a column.

        Raises:
            TraceError: the column names the row, or there is none such.
        """
        if column in self.names:
            raise TraceError(f"{self.mart}.{column} names the row ({self.names[column]}): trace another column of it")
        if column not in self.ways:
            raise TraceError(f"{self.mart} has no column {column}; these can be traced: {', '.join(self.ways)}")
        return self.ways[column]

    def inputs(self, column: str) -> list[str]:
        """The columns of the same row that a computed one is computed from."""
        told = " ".join(f"{way.part} {way.joins}" for way in self.ways[column] if way.fold == "computed")
        named = dict.fromkeys(re.findall(r"\bseen\.(\w+)", told))
        return [name for name in named if name != column and name in self.ways]

    def parts(self, column: str, rows: str) -> str:
        """SQL of all parts of a column: the key, `figure`, `way` (number), `file_id`, `line`, `record`, `part`.

        `record` tells the row of a table or mart where the part comes from no file.

        Args:
            column: one that can be traced.
            rows: SQL of the rows of the mart, such as its name.

        Raises:
            TraceError: the column cannot be traced.
        """
        selects = []
        for number, way in enumerate(self.ways_of(column)):
            place, record = "null::bigint, null::bigint", "null::jsonb"
            if way.mart:
                record = _object("other", traces_of(way.mart).key)
            elif way.table:
                record = _object("fact", way.shown) if way.shown else "to_jsonb(fact)"
            elif way.fold != "computed":
                place = "fact.file_id, fact.line"
            selects.append(
                f"select {_names(self.key, 'seen.')}, {way.figure}, {number}, {place}, {record}, {way.part} "
                f"from {rows} as seen {way.joins}"
            )
        columns = f"{_names(self.key)}, figure, way, file_id, line, record, part"
        return f"select * from ({' union all '.join(selects)}) as parts ({columns}) where part is not null"

    def ties(self, column: str, rows: str) -> str:
        """SQL of one row for each row of the mart: the key, what the column's parts make (`total`), how many `parts`
        there are, and whether they make the figure (`is_equal`); sums to the half cent that rounding leaves.

        Args:
            column: one that can be traced.
            rows: SQL of the rows of the mart, such as its name.

        Raises:
            TraceError: the column cannot be traced.
        """
        way = self.ways_of(column)[0]
        figure = "(array_agg(figure) filter (where is_row))[1]"
        match way.fold:
            case "sum":
                total, is_equal = "sum(part)", f"abs(coalesce(round(sum(part), 6), 0) - coalesce({figure}, 0)) <= 0.005"
            case "greatest":
                total, is_equal = "max(part)", f"max(part) is not distinct from {figure}"
            case "least":
                total, is_equal = "min(part)", f"min(part) is not distinct from {figure}"
            case _:
                total = "(array_agg(part) filter (where part is not null))[1]"
                is_equal = f"coalesce(bool_and(part = figure) filter (where part is not null), {figure} is null)"
        keys = _names(self.key)
        return (
            f"select {keys}, {total} as total, count(part) as parts, {is_equal} as is_equal from ("
            f"select {keys}, figure, part, false as is_row from ({self.parts(column, rows)}) as part union all "
            f"select {_names(self.key, 'seen.')}, {way.figure}, null, true from {rows} as seen"
            f") as figure_and_parts group by {keys}"
        )


def traced_marts() -> list[str]:
    """Marts whose figures can be traced."""
    return sorted(path.stem for path in TRACES.glob("*.yml"))


@cache
def traces_of(mart: str) -> MartTraces:
    """How the columns of a mart are traced.

    Raises:
        TraceError: there is no such mart.
    """
    if mart not in traced_marts():
        raise TraceError(f"there is no mart {mart}; the figures of these can be traced: {', '.join(traced_marts())}")
    described = yaml.safe_load((TRACES / f"{mart}.yml").read_text("utf-8"))
    key = tuple(described["key"])
    say = _Sayer(key)
    traces = MartTraces(mart, described.get("relation", f"mart.{mart}"), key, described["names"])
    for way in described["ways"]:
        for fold in FOLDS:
            for column, told in way.get(fold, {}).items():
                traces.ways.setdefault(column, []).append(_way(way, fold, column, told, say))
    return traces


def _way(
    described: Mapping[str, Any], fold: Fold, column: str, told: str | Mapping[str, str] | None, say: "_Sayer"
) -> Way:
    """A way as described for one column; `told` is its part, where the column goes by another name, or nothing."""
    mart = described.get("mart")
    of, part = (told["of"], told["part"]) if isinstance(told, Mapping) else (column, told)
    where = f" where {say(described['where'])}" if "where" in described else ""
    return Way(
        fold=fold,
        joins=say(described.get("joins", "")) + where,
        part=say(part or f"{'other' if mart else 'fact'}.{of}"),
        figure=say(described.get("figure", {}).get(column, f"seen.{column}")),
        table=described.get("table"),
        shown=tuple(described.get("shown", ())),
        mart=mart,
        column=of if mart else None,
    )


class _Sayer:
    """Renders the SQL of traces with their own macros and those of the project's that need nothing of dbt."""

    def __init__(self, key: tuple[str, ...]) -> None:
        loader = FileSystemLoader([TRACES, PROJECT / "macros"])
        self._environment = Environment(loader=loader, undefined=StrictUndefined)
        shapes = yaml.safe_load((PROJECT / "dbt_project.yml").read_text("utf-8"))["vars"]["shapes"]
        for macros in ("macros.sql", "masks.sql", "quality.sql"):
            self._environment.globals |= vars(
                self._environment.get_template(macros).make_module({"key": key, "shapes": shapes})
            )

    def __call__(self, told: str | Iterable[str]) -> str:
        text = told if isinstance(told, str) else " ".join(told)
        return self._environment.from_string(text).render().strip()


def _object(alias: str, columns: Iterable[str]) -> str:
    pairs = ", ".join(f"'{name}', {alias}.{name}" for name in columns)
    return f"jsonb_build_object({pairs})"


def _names(columns: Iterable[str], alias: str = "") -> str:
    return ", ".join(f"{alias}{name}" for name in columns)
