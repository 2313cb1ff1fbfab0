"""From a figure that a reader sees to the files and lines that it is made of (DESIGN: every row carries its file)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

import psycopg
import yaml
from psycopg import sql

from ingestion.trace import Origin, origins
from pipeline.schema import contracts
from pipeline.transformation import PROJECT
from warehouse.connection import connect
from warehouse.settings import get_settings

TRACES = PROJECT / "traces"


class TraceError(RuntimeError):
    """What was asked cannot be traced; the message says what can."""


@dataclass(frozen=True)
class Trace:
    """Rows behind what was asked.

    Attributes:
        value: The figure as the mart has it; None where rows of a fact were asked.
        total: What the parts of all rows add up to.
        rows: How many rows there are; `parts` are the first of them.
        parts: Where a row was sent, and what it adds.
    """

    value: Decimal | None
    total: Decimal | None
    rows: int
    parts: list[tuple[Origin, Decimal | None]]


def trace_figure(mart: str, figure: str, where: str, login: str, limit: int) -> Trace:
    """Trace a figure of one row of a mart.

    Args:
        mart: name of the mart, such as `mart_customer_360`.
        figure: one of its columns that can be traced.
        where: condition that names one row, in SQL over the mart's columns.
        login: who asks; it must be able to read the mart and core.
        limit: how many of the rows to tell.

    Raises:
        TraceError: the figure cannot be traced, or the condition does not name one row.
    """
    parts = parts_of(mart, figure)
    names = list(_described(mart)["key"])
    with connect(login) as session:
        rows = session.execute(
            sql.SQL("select {}, {} from mart.{} where ").format(
                sql.SQL(", ").join(map(sql.Identifier, names)), sql.Identifier(figure), sql.Identifier(mart)
            )
            + sql.SQL(where)  # type: ignore[arg-type]
            + sql.SQL(" limit 2")
        ).fetchall()
        if len(rows) != 1:
            raise TraceError(f"{where!r} names {len(rows) or 'no'} row{'s' * (len(rows) > 1)} of {mart}: name one")
        *key, value = rows[0]
        condition = sql.SQL(" and ").join(
            sql.SQL("{} = {}").format(sql.Identifier(n), v) for n, v in zip(names, key, strict=True)
        )
        places = session.execute(
            sql.SQL(
                "select file_id, line, part from ({}) as parts where {} order by abs(part) desc, file_id, line"
            ).format(sql.SQL(parts), condition)
        ).fetchall()
        total = sum((part for _, _, part in places), Decimal(0))
        return Trace(Decimal(value or 0), total, len(places), _told(session, places[:limit]))


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
                f" do. A figure of {', '.join(traced_marts())} is traced by its name: c360 trace MART FIGURE"
            )
        found = session.execute(
            sql.SQL("select file_id, line, null from {} where ").format(place)
            + sql.SQL(where)  # type: ignore[arg-type]
            + sql.SQL(" order by known_at, file_id, line")
        ).fetchall()
        return Trace(None, None, len(found), _told(session, found[:limit]))


def parts_of(mart: str, figure: str) -> str:
    """SQL for all parts of a figure: the key of the mart's row, `file_id`, `line`, and `part`.

    Raises:
        TraceError: the figure cannot be traced.
    """
    described = _described(mart)
    for family in described["families"]:
        if figure in family["figures"]:
            key = ", ".join(f"{expression} as {name}" for name, expression in described["key"].items())
            part = f"({family['figures'][figure]})"
            return (
                f"select {key}, fact.file_id, fact.line, {part} as part from {described['month']} {family['rows']} "
                f"where {part} is not null and month.controller_kind = '{family['controller_kind']}'"
            )
    raise TraceError(f"{mart}.{figure} cannot be traced; of this mart: {', '.join(figures_of(mart))}")


def figures_of(mart: str) -> list[str]:
    """The figures of a mart that can be traced."""
    return [figure for family in _described(mart)["families"] for figure in family["figures"]]


def traced_marts() -> list[str]:
    """Marts whose figures can be traced."""
    return sorted(path.stem for path in TRACES.glob("*.yml"))


@cache
def _described(mart: str) -> dict[str, Any]:
    if mart not in traced_marts():
        raise TraceError(f"figures of {mart} cannot be traced; those of {', '.join(traced_marts())} can")
    return yaml.safe_load((TRACES / f"{mart}.yml").read_text("utf-8"))


def _told(
    session: psycopg.Connection, found: Sequence[tuple[int, int, Decimal | None]]
) -> list[tuple[Origin, Decimal | None]]:
    told = origins(session, [(file_id, line) for file_id, line, _ in found], get_settings().landing, contracts())
    return list(zip(told, (part for _, _, part in found), strict=True))
