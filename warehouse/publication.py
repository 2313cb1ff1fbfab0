"""Write, audit, publish: how marts that dbt built become what readers see (DESIGN, decision 12).

`mart_build.<mart>` is dbt's. `mart_data.<mart>` holds the rows of all publications that are kept: a row belongs to
publication p when pub_from <= p < pub_to. Publishing stages the rows that differ from the publication in force, unseen,
then one UPDATE of `ops.publication_pointer` makes all marts current at once. Rolling back is the same UPDATE. A session
that sets `c360.known_on` to a past day sees the publication that was in force then, as long as it is kept.

A reader has SELECT on the table and on the view, and no USAGE on the schema `mart_data`: names in a view and in a row
policy were resolved when they were made, so `mart.<mart>` works and `mart_data.<mart>` cannot be named.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import psycopg

from warehouse.connection import connect
from warehouse.migration import Migration
from warehouse.roles import mart_readers, roles

OPEN = 2_147_483_647
"""pub_to of a row that no publication has closed."""

FRESHNESS = ("publication", "published_at", "published_business_date")
"""Columns that every published view carries besides the mart's own: number, time, and business date of the data."""

_LOCK = 3_600_360_002  # advisory lock: one publisher at a time
_MIGRATION_ROOM = "mart_data"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,54}")  # leaves room for the suffix of an index within 63 bytes
_TYPE = re.compile(r"[a-z][a-z0-9_ ]*(\(\d+(, ?\d+)?\))?(\[\])?")


class PublicationError(RuntimeError):
    """A publication, a rollback or a mart's description is refused; what readers see has not changed."""


class Column(NamedTuple):
    """A column of a mart.

    `is_clear` marks clear personal data: only `mart_clear.<mart>` shows it (DESIGN, decision 16); its masked form is a
    column of its own.
    """

    name: str
    type: str
    not_null: bool = False
    description: str = ""
    is_clear: bool = False


@dataclass(frozen=True)
class MartSpec:
    """What publication must know of a mart; made from the mart's enforced contract.

    Attributes:
        name: the model's name, `mart_…`, at most 55 characters.
        columns: in the order of the view; plain (name, type, not_null) tuples are taken too.
        primary_key: columns of the contract's key.
        description: the mart's grain sentence.
        controller_column: holds the data controller of the row; a login sees its own (DESIGN, decision 8). A mart
            without one must hold no controller's data.
        manager_column: holds an employee id; a login of role manager sees the rows of its own employee.
        organisation_column: holds an organisation id; a login of role branch_head sees the rows of its own.
        tags: the model's tags, for whoever picks marts by them.
    """

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    description: str = ""
    controller_column: str | None = None
    manager_column: str | None = None
    organisation_column: str | None = None
    tags: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(Column(*column) for column in self.columns))
        object.__setattr__(self, "primary_key", tuple(self.primary_key))
        object.__setattr__(self, "tags", frozenset(self.tags))
        names = [column.name for column in self.columns]
        for name in [self.name, *names]:
            if not _NAME.fullmatch(name):
                raise PublicationError(f"{self.name}: {name!r} is no name of lower case, digits and _ (up to 55)")
        for column in self.columns:
            if not _TYPE.fullmatch(column.type):
                raise PublicationError(f"{self.name}.{column.name}: {column.type!r} is no type")
        reserved = {*FRESHNESS, "pub_from", "pub_to"} & set(names)
        if reserved or len(set(names)) != len(names):
            raise PublicationError(f"{self.name}: column names reserved or used twice: {sorted(reserved) or names}")
        filters = (self.controller_column, self.manager_column, self.organisation_column)
        missing = {name for name in (*self.primary_key, *filters) if name is not None} - set(names)
        if missing or not self.primary_key:
            raise PublicationError(f"{self.name}: no column for {sorted(missing) or 'a primary key'}")


@dataclass(frozen=True)
class MartChange:
    """What a publication changed in one mart: rows that came, rows that ended (a changed row is both), rows seen."""

    mart: str
    rows_added: int
    rows_closed: int
    rows_visible: int
    seconds: float


@dataclass(frozen=True)
class PublicationReport:
    """A finished publication.

    Attributes:
        number: its number, which every published view shows.
        staged_against: the publication that was in force before.
        marts: the marts given; all others keep their rows.
        seconds: the whole of it.
        seconds_of_the_flip: the one moment in which readers can be held up.
    """

    number: int
    staged_against: int
    marts: tuple[MartChange, ...]
    seconds: float
    seconds_of_the_flip: float

    @property
    def rows_added(self) -> int:
        """Rows that came, over all marts."""
        return sum(change.rows_added for change in self.marts)

    @property
    def rows_closed(self) -> int:
        """Rows that ended, over all marts."""
        return sum(change.rows_closed for change in self.marts)


# --- tables, policies and views of a mart ----------


def migration_for(spec: MartSpec) -> Migration:
    """The generated migration that makes or extends `mart_data.<mart>`, its row policy, its views and its grants.

    Idempotent; `migrate` runs it again when the description, or who may read, has changed. Tables are never dropped:
    a column that left the contract stays, a new one is NULL in older publications, a type is altered in place. The
    primary key of a published mart cannot change: then the mart needs a new name. Roles must exist
    (`warehouse.roles.apply_roles`).
    """
    table, view, clear_view = f'mart_data."{spec.name}"', f'mart."{spec.name}"', f'mart_clear."{spec.name}"'
    key = _names(spec.primary_key)
    key_array = f"array[{', '.join(_text(name) for name in (*spec.primary_key, 'pub_from'))}]"
    kept = ", ".join(_text(name) for name in (*[column.name for column in spec.columns], "pub_from", "pub_to"))
    must = {column.name for column in spec.columns if column.not_null} | set(spec.primary_key)
    definitions = [
        f'"{column.name}" {column.type}{" not null" if column.name in must else ""}' for column in spec.columns
    ]
    statements = [
        f"create table if not exists {table} ({', '.join(definitions)}, "
        f"pub_from integer not null, pub_to integer not null default {OPEN}, "
        f"primary key ({key}, pub_from), check (pub_from < pub_to))",
        f"drop view if exists {view}",
        f"drop view if exists {clear_view}",
        f"drop policy if exists reader on {table}",
        f"drop policy if exists publisher on {table}",
        f"""do $$
        declare left_behind name;
        begin
            if (select array_agg(a.attname::text order by array_position(i.indkey::smallint[], a.attnum))
                from pg_index as i inner join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
                where i.indrelid = '{table}'::regclass and i.indisprimary) <> {key_array} then
                raise exception 'the primary key of published mart {spec.name} cannot change: give it a new name';
            end if;
            for left_behind in select attname from pg_attribute where attrelid = '{table}'::regclass
                and attnum > 0 and not attisdropped and attnotnull and attname not in ({kept})
            loop
                execute format('alter table {table} alter column %I drop not null', left_behind);
            end loop;
        end $$""",
    ]
    for column in spec.columns:
        statements.append(f'alter table {table} add column if not exists "{column.name}" {column.type}')
        statements.append(f'alter table {table} alter column "{column.name}" type {column.type}')
        if column.name not in must:
            statements.append(f'alter table {table} alter column "{column.name}" drop not null')
    statements += [
        f'create unique index if not exists "{spec.name}_head" on {table} ({key}) where pub_to = {OPEN}',
        f"alter table {table} enable row level security",
        f"create policy reader on {table} for select using ({_policy(spec)})",
        f"create policy publisher on {table} to publisher using (true) with check (true)",
        f"comment on table {table} is {_text(f'Rows of all kept publications of {spec.name}')}",
        *_view(spec, view, [column for column in spec.columns if not column.is_clear]),
    ]
    has_clear = any(column.is_clear for column in spec.columns)
    if has_clear:
        statements += _view(spec, clear_view, list(spec.columns))
    statements += _grants(spec, table, view, clear_view if has_clear else None)
    return Migration(_MIGRATION_ROOM, 1, spec.name, ";\n".join(statements) + ";\n", generated=True)


def _policy(spec: MartSpec) -> str:
    """The row policy: a valid login, the publication seen, the login's controller, a manager's own rows."""
    seen = "(select number from ops.publication_seen())"
    conditions = [
        "(select ops.current_job()) is not null",
        f"pub_from <= {seen} and pub_to > {seen}",
    ]
    if spec.controller_column:
        conditions.append(f"(select ops.current_controller()) in ('*', \"{spec.controller_column}\")")
    for job, column, own in (
        ("manager", spec.manager_column, "ops.current_employee()"),
        ("branch_head", spec.organisation_column, "ops.current_organisation()"),
    ):
        if column:
            conditions.append(f"((select ops.current_job()) <> '{job}' or \"{column}\" = (select {own}))")
    return " and ".join(conditions)


def _view(spec: MartSpec, view: str, columns: list[Column]) -> list[str]:
    """A view of the publication seen; the filter stands here too, for owners, whom no policy binds."""
    shown = ", ".join(f'rows_of_mart."{column.name}"' for column in columns)
    statements = [
        f"create view {view} with (security_invoker = true) as select {shown}, "
        "seen.number as publication, seen.published_at, seen.business_date as published_business_date "
        f'from mart_data."{spec.name}" as rows_of_mart cross join ops.publication_seen() as seen '
        "where rows_of_mart.pub_from <= seen.number and rows_of_mart.pub_to > seen.number",
        f"comment on view {view} is {_text(spec.description)}",
        f"comment on column {view}.publication is 'Number of the publication in force'",
        f"comment on column {view}.published_at is 'Time at which the publication in force was published'",
        f"comment on column {view}.published_business_date is 'Last business date in the publication in force'",
    ]
    return statements + [
        f'comment on column {view}."{column.name}" is {_text(column.description)}'
        for column in columns
        if column.description
    ]


def _grants(spec: MartSpec, table: str, view: str, clear_view: str | None) -> list[str]:
    everyone = ", ".join(roles())
    masked, clear = mart_readers(spec.name, spec.manager_column is not None, spec.organisation_column is not None)
    statements = [f"revoke all on {table}, {view} from {everyone}"]
    if clear_view is None:
        clear, columns = (), ""
    else:
        shown = [column.name for column in spec.columns if not column.is_clear]
        columns = f" ({_names([*shown, 'pub_from', 'pub_to'])})"
        statements.append(f"revoke all on {clear_view} from {everyone}")
    if masked:
        statements.append(f"grant select{columns} on {table} to {', '.join(masked)}")
        statements.append(f"grant select on {view} to {', '.join(masked)}")
    if clear:
        statements.append(f"grant select on {table}, {clear_view} to {', '.join(clear)}")
    return [*statements, f"grant select, insert, update, delete on {table} to publisher"]


# --- publishing ----------


def publish(
    specs: Iterable[MartSpec],
    note: str,
    business_date: date | None = None,
    connection: psycopg.Connection | None = None,
    progress: Callable[[MartChange], None] | None = None,
) -> PublicationReport:
    """Make what dbt built in `mart_build` current for every reader, all given marts at once.

    Killed at any instant, readers keep the publication in force, and the next call removes what was staged. After a
    rollback, the publications rolled back from are abandoned: their rows are removed before new ones are staged.

    Args:
        specs: marts to publish; all others keep their rows.
        note: why, for the log and the readers.
        business_date: last business date in the data; None: that of the publication in force.
        connection: a session of the owner or of a publisher, no transaction open; None: one of our own.
        progress: told of each mart when it is staged.

    Raises:
        PublicationError: a mart is not there, lacks a column or breaks its key; the old publication stays in force.
    """
    if connection is None:
        with connect() as own:
            return publish(specs, note, business_date, own, progress)
    begin = time.monotonic()
    specs = list(specs)
    with _Turn(connection):
        _check_built(connection, specs)
        head = _head(connection)
        _abandon_after(connection, head)
        number = connection.execute(
            "insert into ops.publication (number, state, note, business_date, staged_against, marts) "
            "select (select max(number) + 1 from ops.publication), 'staging', %s, "
            "coalesce(%s::date, business_date), number, %s from ops.publication_pointer returning number",
            [note, business_date, len(specs)],
        ).fetchone()[0]  # type: ignore[index]
        changes = []
        for spec in specs:
            try:
                changes.append(_stage(connection, spec, number))
            except psycopg.Error as error:
                message = f"{spec.name}: {error}"
                connection.execute(
                    "update ops.publication set state = 'failed', message = %s where number = %s", [message, number]
                )
                raise PublicationError(f"publication {number} failed, {head} stays in force: {message}") from error
            if progress:
                progress(changes[-1])
        flip = time.monotonic()
        with connection.transaction():
            connection.execute(
                "update ops.publication set state = 'published', published_at = clock_timestamp(), "
                "rows_added = %s, rows_closed = %s where number = %s",
                [sum(change.rows_added for change in changes), sum(change.rows_closed for change in changes), number],
            )
            _point_at(connection, number, "publish", head, note)
        done = time.monotonic()
    return PublicationReport(number, head, tuple(changes), done - begin, done - flip)


def rollback(to: int | None = None, note: str = "rolled back", connection: psycopg.Connection | None = None) -> int:
    """Make an earlier publication current again, by one UPDATE; returns its number.

    Args:
        to: a published number that is still kept (also a later one, as long as nothing was published since);
            None: the one before the publication in force.
        note: why.

    Raises:
        PublicationError: there is no such publication, or its rows are gone.
    """
    if connection is None:
        with connect() as own:
            return rollback(to, note, own)
    with _Turn(connection):
        head = _head(connection)
        kept = connection.execute(
            "select number from ops.publication where state = 'published' and number <> %s order by number", [head]
        ).fetchall()
        wanted = to if to is not None else max((number for (number,) in kept if number < head), default=None)
        if wanted == head:
            return head
        if (wanted,) not in kept:
            raise PublicationError(
                f"cannot roll back from {head} to {wanted}: kept are {', '.join(str(number) for (number,) in kept)}"
            )
        with connection.transaction():
            _point_at(connection, wanted, "roll back", head, note)
    return wanted


def prune(keep: int, connection: psycopg.Connection | None = None) -> int:
    """Remove rows that none of the last `keep` publications shows; returns how many.

    Args:
        keep: publications to keep, counted back from the one in force, which is one of them (at least 1).
    """
    if keep < 1:
        raise PublicationError("the publication in force cannot be pruned: keep at least 1")
    if connection is None:
        with connect() as own:
            return prune(keep, own)
    with _Turn(connection):
        head = _head(connection)
        numbers = connection.execute(
            "select number from ops.publication where state = 'published' and number <= %s "
            "order by number desc limit %s",
            [head, keep],
        ).fetchall()
        oldest = numbers[-1][0]
        removed = 0
        with connection.transaction():
            for mart in _published_tables(connection):
                removed += connection.execute(
                    f'delete from mart_data."{mart}" where pub_to <= %s',  # type: ignore[arg-type]
                    [oldest],
                ).rowcount
            gone = connection.execute(
                "update ops.publication set state = 'pruned' where state = 'published' and number < %s", [oldest]
            ).rowcount
            if gone:
                connection.execute(
                    "insert into ops.publication_event (action, from_number, to_number, note) "
                    "values ('prune', %s, %s, %s)",
                    [head, oldest, f"{removed} rows of {gone} publications"],
                )
    return removed


class _Turn:
    """An autocommit session that holds the publishers' lock; the server frees it when the session dies."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._was_autocommit = connection.autocommit

    def __enter__(self) -> None:
        self._connection.autocommit = True
        self._connection.execute("select pg_advisory_lock(%s)", [_LOCK])

    def __exit__(self, *_: object) -> None:
        if not self._connection.closed:
            self._connection.execute("select pg_advisory_unlock(%s)", [_LOCK])
            self._connection.autocommit = self._was_autocommit


def _head(connection: psycopg.Connection) -> int:
    return connection.execute("select number from ops.publication_pointer").fetchone()[0]  # type: ignore[index]


def _point_at(connection: psycopg.Connection, number: int, action: str, head: int, note: str) -> None:
    """The one UPDATE that readers notice, and its record."""
    connection.execute(
        "insert into ops.publication_event (action, from_number, to_number, note) values (%s, %s, %s, %s)",
        [action, head, number, note],
    )
    connection.execute(
        "update ops.publication_pointer as pointer set number = chosen.number, published_at = chosen.published_at, "
        "business_date = chosen.business_date, note = chosen.note "
        "from ops.publication as chosen where chosen.number = %s",
        [number],
    )


def _published_tables(connection: psycopg.Connection) -> list[str]:
    return [
        name
        for (name,) in connection.execute(
            "select relname from pg_class where relnamespace = 'mart_data'::regnamespace and relkind = 'r' "
            'order by relname collate "C"'
        )
    ]


def _check_built(connection: psycopg.Connection, specs: list[MartSpec]) -> None:
    """Every mart was built with every column of its contract, and has its published table."""
    present: dict[tuple[str, str], set[str]] = {}
    for schema, table, column in connection.execute(
        "select relnamespace::regnamespace::text, relname, attname from pg_attribute "
        "inner join pg_class on pg_class.oid = attrelid where attnum > 0 and not attisdropped "
        "and relnamespace in ('mart_build'::regnamespace, 'mart_data'::regnamespace)"
    ):
        present.setdefault((schema, table), set()).add(column)
    problems = []
    for spec in specs:
        for schema, cure in (("mart_build", "build it"), ("mart_data", "run its migration")):
            lacking = {column.name for column in spec.columns} - present.get((schema, spec.name), set())
            if lacking:
                problems.append(f"{schema}.{spec.name} lacks {', '.join(sorted(lacking))} ({cure})")
    if problems:
        raise PublicationError("nothing published: " + "; ".join(problems))


def _abandon_after(connection: psycopg.Connection, head: int) -> None:
    """Remove what publications beyond the one in force left: killed, failed, or rolled back from."""
    with connection.transaction():
        left = connection.execute(
            "update ops.publication set state = 'abandoned' "
            "where number > %s and state in ('staging', 'failed', 'published')",
            [head],
        ).rowcount
        if left:
            for mart in _published_tables(connection):
                connection.execute(
                    f'delete from mart_data."{mart}" where pub_from > %s',  # type: ignore[arg-type]
                    [head],
                )
                connection.execute(
                    f'update mart_data."{mart}" set pub_to = {OPEN} '  # type: ignore[arg-type]
                    f"where pub_to > %s and pub_to < {OPEN}",
                    [head],
                )


def _stage(connection: psycopg.Connection, spec: MartSpec, number: int) -> MartChange:
    """Close the rows that differ or are gone, add those that differ or are new; no reader sees either yet.

    Both statements see one snapshot (REPEATABLE READ) and are set-based; rows are compared null-safe, column by
    column, in the types of the published table.
    """
    begin = time.monotonic()
    head = f'mart_data."{spec.name}"'
    cast = ", ".join(f'cast("{column.name}" as {column.type}) as "{column.name}"' for column in spec.columns)
    built = f'(select {cast} from mart_build."{spec.name}") as built'
    same_key = " and ".join(f'built."{name}" = head."{name}"' for name in spec.primary_key)
    others = [column.name for column in spec.columns if column.name not in spec.primary_key]
    same_row = "".join(f' and built."{name}" is not distinct from head."{name}"' for name in others)
    columns = _names([column.name for column in spec.columns])
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        connection.execute(f'analyze mart_build."{spec.name}"')  # type: ignore[arg-type]
        closed = connection.execute(
            f"update {head} as head set pub_to = %s where head.pub_to = {OPEN} "  # type: ignore[arg-type]
            f"and not exists (select from {built} where {same_key}{same_row})",
            [number],
        ).rowcount
        added = connection.execute(
            f"insert into {head} ({columns}, pub_from) select {columns}, %s from {built} "  # type: ignore[arg-type]
            f"where not exists (select from {head} as head where head.pub_to = {OPEN} and {same_key})",
            [number],
        ).rowcount
        if added or closed:
            connection.execute(f"analyze {head}")  # type: ignore[arg-type]
        visible = connection.execute(
            f"select count(*) from {head} where pub_to = {OPEN}"  # type: ignore[arg-type]
        ).fetchone()[0]  # type: ignore[index]
        seconds = time.monotonic() - begin
        connection.execute(
            "insert into ops.publication_mart (number, mart, rows_added, rows_closed, rows_visible, seconds) "
            "values (%s, %s, %s, %s, %s, %s)",
            [number, spec.name, added, closed, visible, round(seconds, 3)],
        )
    return MartChange(spec.name, added, closed, visible, seconds)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _text(value: str) -> str:
    """A string literal for statements that take no parameters."""
    return "'" + value.replace("'", "''") + "'"
