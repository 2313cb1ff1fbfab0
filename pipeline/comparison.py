"""The two-way difference of relations: rows that stand on one side only, rows that changed, columns that differ."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from warehouse.code_version import code_version

EXAMPLES = 3
"""Keys shown of each kind of difference."""

HIDDEN = "•••"
"""Stands for a value of a personal column in the key of an example."""

PROGRAMS = ("dbt_project/**/*.sql", "dbt_project/**/*.yml", "dbt_project/**/*.csv")
"""What decides what a rebuild gives."""

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Pair:
    """Two relations that are compared.

    Attributes:
        name: what both are called, schema.table.
        before, after: each `(schema, table)`.
        key: columns that name a row on both sides; none: rows are compared whole, and nothing counts as changed.
        personal: columns whose values are never shown.
        ignored: columns that are not compared.
    """

    name: str
    before: tuple[str, str]
    after: tuple[str, str]
    key: tuple[str, ...] = ()
    personal: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Difference:
    """What a comparison found of one pair.

    Attributes:
        removed, added: rows that stand only before, only after.
        changed: rows of one key that differ in some column.
        columns: number of changed rows in which a column differs, by column.
        lost_columns, new_columns: columns that only one side has; they are not compared.
        missing: the side, `before` or `after`, on which there is no such relation.
        examples: keys by kind of difference, without personal values.
    """

    name: str
    rows_before: int = 0
    rows_after: int = 0
    removed: int = 0
    added: int = 0
    changed: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    lost_columns: tuple[str, ...] = ()
    new_columns: tuple[str, ...] = ()
    missing: str | None = None
    examples: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    @property
    def is_equal(self) -> bool:
        """Nothing differs, neither rows nor columns."""
        counted = self.removed or self.added or self.changed
        return not (counted or self.lost_columns or self.new_columns or self.missing)


@dataclass(frozen=True)
class Comparison:
    """All that one comparison found.

    Attributes:
        number: under which it is kept in `ops.comparison`.
        kind: `rebuild`, `as_known` or `change`.
        before, after: what was compared, in words.
        tables: one difference a pair, in the order compared.
    """

    number: int
    kind: str
    before: str
    after: str
    tables: tuple[Difference, ...]

    @property
    def is_equal(self) -> bool:
        """No table differs."""
        return all(table.is_equal for table in self.tables)

    def __str__(self) -> str:
        different = sum(not table.is_equal for table in self.tables)
        rows = sum(table.rows_before for table in self.tables)
        verdict = f"{different} of them differ" if different else "no difference"
        return f"comparison {self.number}: {len(self.tables)} tables with {rows:,} rows, {verdict}"


def compare(
    session: psycopg.Connection,
    kind: str,
    pairs: Iterable[Pair],
    before: str,
    after: str,
    progress: Progress | None = None,
) -> Comparison:
    """Compare all pairs as of one moment and keep what was found in `ops.comparison`.

    Args:
        session: of the owner, no transaction open.
        kind, before, after: see `Comparison`.
        progress: called after each pair with (done, all, name).
    """
    pairs = list(pairs)
    found = []
    with session.transaction():
        session.execute("set transaction isolation level repeatable read")
        for done, pair in enumerate(pairs, start=1):
            found.append(_difference(session, pair))
            if progress:
                progress(done, len(pairs), pair.name)
        comparison = Comparison(_keep(session, kind, before, after, found), kind, before, after, tuple(found))
    return comparison


def _difference(session: psycopg.Connection, pair: Pair) -> Difference:
    sides = {side: _columns(session, *getattr(pair, side), pair.ignored) for side in ("before", "after")}
    counts = {
        side: _one(session, sql.SQL("select count(*) from {}").format(sql.Identifier(*getattr(pair, side))))[0]
        for side, columns in sides.items()
        if columns
    }
    rows = {f"rows_{side}": count for side, count in counts.items()}
    for side, other in (("before", "after"), ("after", "before")):
        if not sides[side]:
            gone = {"removed" if side == "after" else "added": counts.get(other, 0)}
            return Difference(pair.name, missing=side, **rows, **gone)
    shared = [name for name in sides["before"] if name in sides["after"]]
    kinds = {
        "lost_columns": tuple(name for name in sides["before"] if name not in sides["after"]),
        "new_columns": tuple(name for name in sides["after"] if name not in sides["before"]),
    }
    texts = {name for name in shared if sides["before"][name] != sides["after"][name] or "json" in sides["after"][name]}
    if not pair.key or not set(pair.key) <= set(shared):
        return Difference(pair.name, **rows, **_whole_rows(session, pair, shared, texts), **kinds)
    return Difference(pair.name, **rows, **_keyed_rows(session, pair, shared, texts), **kinds)


def _whole_rows(session: psycopg.Connection, pair: Pair, shared: list[str], texts: set[str]) -> dict[str, int]:
    """Rows of one side that the other does not have as often."""
    one_way = sql.SQL("select count(*) from (select {c} from {a} except all select {c} from {b}) as alone")
    chosen = sql.SQL(", ").join(_value(None, name, texts) for name in shared)
    before, after = sql.Identifier(*pair.before), sql.Identifier(*pair.after)
    return {
        "removed": _one(session, one_way.format(c=chosen, a=before, b=after))[0],
        "added": _one(session, one_way.format(c=chosen, a=after, b=before))[0],
    }


def _keyed_rows(session: psycopg.Connection, pair: Pair, shared: list[str], texts: set[str]) -> dict[str, Any]:
    """Rows side by side by their key, in one pass; a second one finds examples where there is a difference."""
    others = [name for name in shared if name not in pair.key]
    key = sql.SQL(", ").join(map(sql.Identifier, pair.key))
    differs = [
        sql.SQL("{} is distinct from {}").format(_value("before", name, texts), _value("after", name, texts))
        for name in others
    ]
    side_by_side = sql.SQL(
        "select {key}, case when after._is is null then 'removed' when before._is is null then 'added' "
        "when {any} then 'changed' end as _kind{flags} "
        "from (select *, true as _is from {a}) as before full join (select *, true as _is from {b}) as after "
        "using ({key})"
    ).format(
        key=key,
        any=sql.SQL(" or ").join(differs) or sql.SQL("false"),
        flags=sql.SQL("").join(
            sql.SQL(", {} as {}").format(differ, sql.Identifier(f"_{place}")) for place, differ in enumerate(differs)
        ),
        a=sql.Identifier(*pair.before),
        b=sql.Identifier(*pair.after),
    )
    counts = [sql.SQL(f"count(*) filter (where _kind = '{kind}')") for kind in ("removed", "added", "changed")]
    counts += [
        sql.SQL("count(*) filter (where _kind = 'changed' and {})").format(sql.Identifier(f"_{place}"))
        for place in range(len(others))
    ]
    answer = _one(session, sql.SQL("select {} from ({}) as pair").format(sql.SQL(", ").join(counts), side_by_side))
    removed, added, changed, *by_column = answer
    examples = {}
    for kind, count in (("removed", removed), ("added", added), ("changed", changed)):
        if count:
            rows = session.execute(
                sql.SQL("select {} from ({}) as pair where _kind = {} order by {} limit {}").format(
                    key, side_by_side, sql.Literal(kind), key, sql.Literal(EXAMPLES)
                )
            ).fetchall()
            examples[kind] = [
                {
                    name: HIDDEN if name in pair.personal else str(value)
                    for name, value in zip(pair.key, row, strict=True)
                }
                for row in rows
            ]
    columns = {name: count for name, count in zip(others, by_column, strict=True) if count}
    return {"removed": removed, "added": added, "changed": changed, "columns": columns, "examples": examples}


def _columns(session: psycopg.Connection, schema: str, table: str, ignored: frozenset[str]) -> dict[str, str]:
    """Columns of a relation that count, with their types; none where there is no such relation."""
    rows = session.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped and attname <> all(%s) order by attnum",
        [f'"{schema}"."{table}"', list(ignored)],
    )
    return dict(rows.fetchall())


def _value(side: str | None, name: str, texts: set[str]) -> sql.Composable:
    """A column in a form that can be compared: json, and what has another type on the other side, as text."""
    column = sql.Identifier(side, name) if side else sql.Identifier(name)
    return sql.SQL("{}::text").format(column) if name in texts else column


def _keep(session: psycopg.Connection, kind: str, before: str, after: str, found: list[Difference]) -> int:
    number = _one(
        session,
        "insert into ops.comparison (kind, before, after, code_version, is_equal) values (%s, %s, %s, %s, %s) "
        "returning comparison_id",
        [kind, before, after, code_version(*PROGRAMS), all(table.is_equal for table in found)],
    )[0]
    for table in found:
        columns = {**dict.fromkeys((*table.lost_columns, *table.new_columns), None), **table.columns}
        session.execute(
            "insert into ops.comparison_table (comparison_id, table_name, rows_before, rows_after, rows_removed, "
            "rows_added, rows_changed, missing, columns) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                number, table.name, table.rows_before, table.rows_after, table.removed, table.added, table.changed,
                table.missing, Jsonb(columns),
            ],
        )  # fmt: skip
    return number


def _one(session: psycopg.Connection, query: Any, values: list[Any] | None = None) -> Any:
    row = session.execute(query, values).fetchone()
    assert row is not None
    return row
