"""Connections to the warehouse: the given server or the embedded one, as its owner or as a login."""

import contextlib
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import sqlalchemy
from psycopg import sql
from sqlalchemy.orm import Session

from warehouse.secret import password
from warehouse.server import EmbeddedServer
from warehouse.settings import get_settings


class LoginError(RuntimeError):
    """There is no way to connect; the message says what is missing."""


def url(login: str | None = None, database: str | None = None) -> str:
    """`postgresql://…` of the warehouse, nothing started.

    Args:
        login: a login made by `warehouse.roles`; None: the owner.
        database: another database of the same server; None: the warehouse itself.

    Raises:
        LoginError: the login has no password here (`c360 db start` makes logins).
        ServerError: the embedded server was never started.
    """
    settings = get_settings()
    if settings.database_url is None:
        server = EmbeddedServer(settings.home)
        return server.url(database, login) if login else server.url(database)
    parts = urlsplit(settings.database_url)
    if login is not None:
        secret = password(settings.home, login, make=False)
        if secret is None:
            raise LoginError(f"no password of login {login!r} in {settings.home / 'secrets.json'}")
        address = parts.netloc.rpartition("@")[2]
        parts = parts._replace(netloc=f"{quote(login)}:{quote(secret)}@{address}")
    if database is not None:
        parts = parts._replace(path=f"/{quote(database)}")
    return urlunsplit(parts._replace(scheme="postgresql"))


def ensure_running() -> None:
    """Start the embedded server and make its database where needed; with DATABASE_URL there is nothing to do."""
    settings = get_settings()
    if settings.database_url is None:
        server = EmbeddedServer(settings.home)
        server.start()
        create_database(settings.database)


def create_database(name: str, template: str | None = None) -> None:
    """Make database `name` on the warehouse's server where it is missing (UTF-8; Airflow's metadata has its own)."""
    with psycopg.connect(url(database="postgres"), autocommit=True) as session:
        if session.execute("select from pg_database where datname = %s", [name]).fetchone():
            return
        copied = sql.SQL(" template {}").format(sql.Identifier(template)) if template else sql.SQL("")
        another_was_faster = (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation)
        with contextlib.suppress(*another_was_faster):
            session.execute(sql.SQL("create database {}").format(sql.Identifier(name)) + copied)


def connect(login: str | None = None, autocommit: bool = False) -> psycopg.Connection:
    """A new session, the server started where it is ours and down.

    Args:
        login: as in `url`. Never SET ROLE: a session is its login's.
        autocommit: each statement its own transaction.
    """
    try:
        return psycopg.connect(url(login), autocommit=autocommit, application_name="c360")
    except (psycopg.OperationalError, RuntimeError):
        if get_settings().database_url is not None:
            raise
    ensure_running()
    return psycopg.connect(url(login), autocommit=autocommit, application_name="c360")


def engine(login: str | None = None, **options: object) -> sqlalchemy.Engine:
    """A SQLAlchemy engine on the same address, `options` as for `sqlalchemy.create_engine`."""
    ensure_running()
    address = url(login).replace("postgresql://", "postgresql+psycopg://", 1)
    return sqlalchemy.create_engine(address, **options)  # type: ignore[arg-type]


def orm_session(login: str | None = None) -> Session:
    """A new session of SQLAlchemy's ORM, to be closed by `with`: for models such as `ingestion.models`."""
    return Session(engine(login, poolclass=sqlalchemy.NullPool))
