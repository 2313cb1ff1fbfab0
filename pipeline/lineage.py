"""From which columns of which relations each column of a dbt model takes its value, read from the compiled SQL."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

Place = tuple[str, str]
"""A relation, as schema.name, and a column of it."""

_TELLS_NO_VALUE = (exp.Count, exp.Is, exp.Predicate, exp.Connector, exp.Not, exp.Filter)


@dataclass(frozen=True)
class Query:
    """One model: where it stands, and the SELECT that makes it."""

    relation: str
    sql: str


def column_lineage(queries: Iterable[Query], columns: Mapping[str, Iterable[str]]) -> dict[Place, frozenset[Place]]:
    """The columns that each column of each model takes its value from, one step back.

    Conditions, counts and comparisons tell no value and are left out; so is what a row is joined or ordered by.

    Args:
        queries: models with compiled SQL of PostgreSQL.
        columns: names of the columns of every relation that they read, in order.

    Raises:
        sqlglot.errors.SqlglotError: a SELECT cannot be read, or names a column that its relations do not have.
    """
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for relation, names in columns.items():
        where, name = relation.split(".")
        schema.setdefault(where, {})[name] = dict.fromkeys(names, "text")
    found: dict[Place, frozenset[Place]] = {}
    for query in queries:
        tree = qualify(
            parse_one(query.sql, dialect="postgres"), dialect="postgres", schema=schema,
            allow_partial_qualification=True, validate_qualify_columns=False, quote_identifiers=False, identify=False,
        )  # fmt: skip
        scope = build_scope(tree)
        if scope is None:
            continue
        for column, places in _Reader(scope).columns.items():
            found[query.relation, column] = places
    return found


class _Reader:
    """Reads one SELECT, each column of each part of it once."""

    def __init__(self, root: Scope) -> None:
        self._by_select = {id(scope.expression): scope for scope in root.traverse()}
        self._known: dict[tuple[int, str], frozenset[Place]] = {}
        names = root.expression.named_selects
        self.columns = {name: self._of(root, name) for name in names}

    def _of(self, scope: Scope, column: str) -> frozenset[Place]:
        at = (id(scope), column)
        if at not in self._known:
            self._known[at] = frozenset()  # a recursive part adds nothing to itself
            self._known[at] = frozenset(self._read(scope, column))
        return self._known[at]

    def _read(self, scope: Scope, column: str) -> "Iterator[Place]":
        if isinstance(scope.expression, exp.SetOperation):
            position = scope.expression.named_selects.index(column)
            for side in scope.set_operation_scopes:
                names = side.expression.named_selects
                if position < len(names):
                    yield from self._of(side, names[position])
            return
        if isinstance(scope.expression, exp.UDTF):
            yield from self._table_function(scope, column)
            return
        for projection in scope.expression.selects:
            if projection.alias_or_name == column:
                yield from self._in(projection, scope)

    def _in(self, expression: exp.Expression, scope: Scope) -> "Iterator[Place]":
        if isinstance(expression, exp.Column):
            yield from self._column(expression, scope)
        elif isinstance(expression, exp.Subquery | exp.Select) and (
            inner := self._by_select.get(
                id(expression.unnest() if isinstance(expression, exp.Subquery) else expression)
            )
        ):
            for name in inner.expression.named_selects:
                yield from self._of(inner, name)
        elif isinstance(expression, exp.Case):
            for branch in (*expression.args["ifs"], expression.args.get("default")):
                if branch is not None:
                    yield from self._in(branch.args["true"] if isinstance(branch, exp.If) else branch, scope)
        elif isinstance(expression, exp.Window | exp.Filter):
            yield from self._in(expression.this, scope)
        elif not isinstance(expression, _TELLS_NO_VALUE):
            for part in expression.iter_expressions():
                yield from self._in(part, scope)

    def _table_function(self, scope: Scope, column: str) -> "Iterator[Place]":
        """LATERAL tells what its SELECT does, VALUES tell of the column in its place, a function of all its input."""
        names = scope.expression.alias_column_names
        inner = scope.expression.this
        inner = inner.unnest() if isinstance(inner, exp.Subquery) else inner
        values = next((one for one in (scope.expression, inner) if isinstance(one, exp.Values)), None)
        if values is not None and column in names:
            for row in values.expressions:
                yield from self._in(row.expressions[names.index(column)], scope)
        elif select := self._by_select.get(id(inner)):
            yield from self._of(select, column)
        else:
            for part in scope.expression.iter_expressions():
                yield from self._in(part, scope)

    def _column(self, column: exp.Column, scope: Scope | None) -> "Iterator[Place]":
        while scope is not None:
            source = scope.sources.get(column.table)
            if isinstance(source, exp.Table):
                yield f"{source.db}.{source.name}", column.name
                return
            if source is not None:
                yield from self._of(source, column.name)
                return
            scope = scope.parent
