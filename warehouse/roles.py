"""Roles, logins and who may read what (DESIGN, decisions 8 and 16); the roles themselves stand in `roles.yml`.

Group roles carry the grants, one login per person carries the settings (PostgreSQL passes settings of a group on to
nobody), and `ops.login` says who the person is: row policies ask it. Passwords are random, made once, never rotated
by running this again, and kept in `<home>/secrets.json`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import psycopg
import yaml
from psycopg import sql

from warehouse.secret import password
from warehouse.settings import get_settings

ALL_CONTROLLERS = "*"
"""controller_id of a login that sees the rows of every data controller."""

_HIDDEN = ("mart_data",)  # readers get their tables one by one, and never the schema (DESIGN, decision 12)


class RoleError(RuntimeError):
    """A role or a login that cannot be."""


@dataclass(frozen=True)
class Role:
    """One job, as `roles.yml` describes it."""

    name: str
    job: str
    timeout: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    appends: tuple[str, ...] = ()
    creates: tuple[str, ...] = ()
    marts: tuple[str, ...] = ()
    clear: bool = False
    own_rows: str | None = None
    reader: bool = False


@dataclass(frozen=True)
class Login:
    """One person's login, as a row of `ops.login`; valid time is half-open.

    Attributes:
        login: the database login.
        role: a role of `roles.yml`.
        controller_id: data controller whose rows it sees, or ALL_CONTROLLERS.
        employee_id: the person's id in the source systems (a manager sees the rows of it).
        organisation_id: the person's branch or outlet (a branch head sees the rows of it).
    """

    login: str
    role: str
    controller_id: str
    employee_id: str | None = None
    organisation_id: str | None = None
    valid_from: date = date.min
    valid_to: date = date(9999, 12, 31)


DEMO_LOGINS = (
    Login("dora", "data_engineer", ALL_CONTROLLERS),
    Login("bianca", "bi_reader", "bank"),
    Login("regina", "regulator_officer", "bank"),
    Login("audrey", "auditor", ALL_CONTROLLERS),
    Login("stella", "steward", ALL_CONTROLLERS),
    Login("sophie", "steward", ALL_CONTROLLERS),
    Login("gary", "grid_bi_reader", "grid"),
    Login("paula", "assessor", "bank"),
    Login("henry", "assessor", "bank"),
    Login("rita", "retail_bi_reader", "retail_distributor"),
)
"""The people of the demo besides its customer managers."""


def manager_login(
    employee_id: str, controller_id: str = "bank", organisation_id: str | None = None, role: str = "manager"
) -> Login:
    """The login `mgr_<employee id>` of a customer manager."""
    return Login(f"mgr_{employee_id.lower()}", role, controller_id, employee_id, organisation_id)


@cache
def roles() -> dict[str, Role]:
    """All roles by name, in the order of `roles.yml`."""
    described = yaml.safe_load((Path(__file__).parent / "roles.yml").read_text("utf-8"))
    return {
        name: Role(name, **{key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()})
        for name, facts in described.items()
    }


def mart_readers(mart: str, has_manager: bool, has_organisation: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Roles that may read mart `mart`, and those of them that may see its clear personal data.

    A role that sees its own rows only gets no mart that says nothing of whose a row is.
    """
    filterable = {None: True, "manager": has_manager, "organisation": has_organisation}
    readers = [
        role
        for role in roles().values()
        if filterable[role.own_rows] and any(fnmatchcase(mart, pattern) for pattern in role.marts)
    ]
    return tuple(role.name for role in readers), tuple(role.name for role in readers if role.clear)


def apply_roles(owner: psycopg.Connection) -> None:
    """Make the group roles and their grants on all schemas there are; run it after migrations. Idempotent.

    What is made later in a schema is covered by default privileges; a schema made later is covered for data_engineer,
    and for the others by running this again.
    """
    with owner.transaction():
        owner.execute("select pg_advisory_xact_lock(3600360003)")
        present = {name for (name,) in owner.execute("select rolname from pg_roles")}
        schemas = [
            name
            for (name,) in owner.execute(
                "select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'"
            )
            if name not in _HIDDEN
        ]
        database = sql.Identifier(owner.info.dbname)
        owner.execute(sql.SQL("revoke connect, temporary on database {} from public").format(database))
        for role in roles().values():
            name = sql.Identifier(role.name)
            if role.name not in present:
                owner.execute(sql.SQL("create role {} nologin").format(name))
            owner.execute(sql.SQL("comment on role {} is {}").format(name, sql.Literal(role.job)))
            may = "connect, temporary" if role.writes else "connect"
            owner.execute(sql.SQL(f"grant {may} on database {{}} to {{}}").format(database, name))
            for schema in schemas:
                _grant_schema(owner, role, schema)
            for table in role.appends:
                schema, _, relation = table.partition(".")
                if owner.execute("select to_regclass(%s)", [table]).fetchone() != (None,):
                    owner.execute(sql.SQL("grant insert on {} to {}").format(sql.Identifier(schema, relation), name))
            if role.marts:
                owner.execute(sql.SQL("grant usage on schema mart to {}").format(name))
                owner.execute(sql.SQL("grant select on ops.publication_pointer, mart.publication to {}").format(name))
            if role.marts and role.clear:
                owner.execute(sql.SQL("grant usage on schema mart_clear to {}").format(name))
        for grant in ("usage on schemas", "select on tables", "select on sequences"):
            owner.execute(sql.SQL(f"alter default privileges grant {grant} to data_engineer"))
        owner.execute("grant usage on schema mart_data to publisher")


def _grant_schema(owner: psycopg.Connection, role: Role, schema: str) -> None:
    def matches(patterns: tuple[str, ...]) -> bool:
        return any(fnmatchcase(schema, pattern) for pattern in patterns)

    reads, writes, creates = matches(role.reads), matches(role.writes), matches(role.creates)
    if schema.startswith("mart") and schema != "mart_build":
        reads = False  # views of marts are granted one by one, by their migrations
    names = {"schema": sql.Identifier(schema), "role": sql.Identifier(role.name)}
    statements = []
    if reads or writes or creates:
        statements.append("grant usage on schema {schema} to {role}")
    if creates:
        statements.append("grant create on schema {schema} to {role}")
    for kind, holds in (("select", reads), ("insert, update, delete", writes)):
        if holds:
            statements.append(f"grant {kind} on all tables in schema {{schema}} to {{role}}")
            statements.append(f"alter default privileges in schema {{schema}} grant {kind} on tables to {{role}}")
    if writes:
        statements.append("grant usage on all sequences in schema {schema} to {role}")
        statements.append("alter default privileges in schema {schema} grant usage on sequences to {role}")
    for statement in statements:
        owner.execute(sql.SQL(statement).format(**names))


def make_logins(owner: psycopg.Connection, logins: Iterable[Login]) -> None:
    """Make or update logins: the database role with its password and settings, and its row in `ops.login`.

    A login that exists keeps its password, unless `secrets.json` has lost it: then it gets a new one.

    Raises:
        RoleError: an unknown role.
    """
    with owner.transaction():
        owner.execute("select pg_advisory_xact_lock(3600360003)")
        present = {name for (name,) in owner.execute("select rolname from pg_roles")}
        for login in logins:
            if login.role not in roles():
                raise RoleError(f"{login.login}: no role {login.role!r}; there are {', '.join(roles())}")
            _make_login(owner, login, exists=login.login in present)


def _make_login(owner: psycopg.Connection, login: Login, exists: bool) -> None:
    role, name = roles()[login.role], sql.Identifier(login.login)
    home = get_settings().home
    if not exists or password(home, login.login, make=False) is None:
        clear = (password(home, login.login) or "").encode()
        # The server and its log get the hash, never the password.
        hashed = owner.pgconn.encrypt_password(clear, login.login.encode(), b"scram-sha-256").decode()
        action = sql.SQL("alter" if exists else "create")
        owner.execute(
            sql.SQL("{} role {} login nosuperuser nocreatedb nocreaterole password {}").format(
                action, name, sql.Literal(hashed)
            )
        )
    for (other,) in owner.execute(
        "select roleid::regrole::text from pg_auth_members where member = %s::regrole and roleid <> %s::regrole",
        [f'"{login.login}"', f'"{login.role}"'],
    ).fetchall():
        owner.execute(sql.SQL(f"revoke {other} from {{}}").format(name))  # type: ignore[arg-type]
    owner.execute(sql.SQL("grant {} to {}").format(sql.Identifier(login.role), name))
    settings = {
        "default_transaction_isolation": "repeatable read",  # a transaction sees one publication (DESIGN, 12)
        "default_transaction_read_only": "on" if role.reader else "off",
        "statement_timeout": role.timeout,
        "idle_in_transaction_session_timeout": "15min",
    }
    for setting, value in settings.items():
        owner.execute(sql.SQL(f"alter role {{}} set {setting} = {{}}").format(name, sql.Literal(value)))
    owner.execute(sql.SQL("alter role {} set search_path = mart, mart_clear, core, ops").format(name))
    owner.execute(
        "insert into ops.login (login, role, employee_id, organisation_id, controller_id, valid_from, valid_to) "
        "values (%s, %s, %s, %s, %s, %s, %s) on conflict (login, valid_from) do update set role = excluded.role, "
        "employee_id = excluded.employee_id, organisation_id = excluded.organisation_id, "
        "controller_id = excluded.controller_id, valid_to = excluded.valid_to "
        "where (login.role, login.employee_id, login.organisation_id, login.controller_id, login.valid_to) "
        "is distinct from (excluded.role, excluded.employee_id, excluded.organisation_id, excluded.controller_id, "
        "excluded.valid_to)",
        [
            login.login, login.role, login.employee_id, login.organisation_id, login.controller_id,
            login.valid_from, login.valid_to,
        ],
    )  # fmt: skip
