"""Roles and logins, each tried by logging in."""

import json

import psycopg
import pytest

from warehouse.connection import connect, engine
from warehouse.migration import migrate
from warehouse.publication import MartSpec, migration_for
from warehouse.roles import DEMO_LOGINS, Login, RoleError, apply_roles, make_logins, mart_readers, roles

OF_DESIGN = {
    "loader", "transformer", "resolver", "publisher", "assessor", "bi_reader", "manager", "branch_head",
    "grid_manager", "grid_bi_reader", "retail_bi_reader", "retail_manager", "regulator_officer", "steward", "auditor",
    "data_engineer",
}  # fmt: skip


def test_every_role_of_the_design_exists(owner):
    assert set(roles()) == OF_DESIGN
    present = {name for (name,) in owner.execute("select rolname from pg_roles where not rolcanlogin")}
    assert present >= OF_DESIGN


@pytest.mark.parametrize("role", sorted(OF_DESIGN))
def test_a_login_of_each_role_gets_its_settings(owner, role):
    make_logins(owner, [Login(f"try_{role}", role, "bank", "E9", "O9")])
    with connect(f"try_{role}") as session:
        assert session.execute(
            "select session_user, current_setting('transaction_isolation'), current_setting('transaction_read_only')"
        ).fetchone() == (f"try_{role}", "repeatable read", "on" if roles()[role].reader else "off")
        if {"ops", "*"} & set(roles()[role].reads):
            assert session.execute(
                "select ops.current_job(), ops.current_controller(), ops.current_employee(), ops.current_organisation()"
            ).fetchone() == (role, "bank", "E9", "O9")
        session.rollback()
        with pytest.raises(psycopg.Error):
            session.execute("create table public.mine ()")


def test_readers_cannot_write_even_when_they_lift_their_own_setting(owner):
    apply_roles(owner)  # a copied database does not carry the rights on the database itself
    owner.execute("create table core.dim_x (id integer)")
    for login in ("dora", "bianca", "audrey", "gary"):
        with connect(login) as session:
            session.execute("set session characteristics as transaction read write")
            session.commit()
            for attempt in (
                "insert into core.dim_x values (1)",
                "delete from ops.publication",
                "create temp table t ()",
                "update ops.login set controller_id = '*'",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    session.execute(attempt)
                session.rollback()


def test_the_data_engineer_reads_every_schema_also_later_ones(owner):
    owner.execute(
        "create schema raw_later; create table raw_later.t (id integer); create table core.fct_x (id integer);"
        "create view staging.stg_later__t as select * from raw_later.t; create table quarantine.x (id integer);"
        "create table assessment.x (id integer); create table identity.x (id integer); create table mart_build.x ()"
    )
    with connect("dora") as session:
        for relation in ("raw_later.t", "core.fct_x", "staging.stg_later__t", "quarantine.x", "assessment.x",
                         "identity.x", "mart_build.x", "ops.migration", "ops.bank_calendar"):  # fmt: skip
            session.execute(f"select * from {relation}")
    for login in ("bianca", "gary", "regina"):
        with connect(login) as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("select * from core.fct_x")


def test_applying_again_keeps_passwords_and_rows(owner, home):
    secrets = (home / "secrets.json").read_text()
    rows = owner.execute("select * from ops.login order by login").fetchall()
    apply_roles(owner)
    make_logins(owner, DEMO_LOGINS)
    assert (home / "secrets.json").read_text() == secrets
    assert owner.execute("select * from ops.login order by login").fetchall() == rows
    assert {"owner", *(login.login for login in DEMO_LOGINS)} <= set(json.loads(secrets))
    with engine("bianca").connect() as session:
        assert session.exec_driver_sql("select session_user").scalar() == "bianca"


def test_a_lost_password_is_made_anew(owner, home):
    make_logins(owner, [Login("forgetful", "bi_reader", "bank")])
    known = json.loads((home / "secrets.json").read_text())
    del known["forgetful"]
    (home / "secrets.json").write_text(json.dumps(known))
    make_logins(owner, [Login("forgetful", "bi_reader", "bank")])
    with connect("forgetful") as session:
        assert session.execute("select session_user").fetchone() == ("forgetful",)


def test_a_change_of_job_takes_the_old_rights_away(owner):
    make_logins(owner, [Login("mover", "data_engineer", "*")])
    make_logins(owner, [Login("mover", "bi_reader", "bank")])
    with connect("mover") as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute("select * from ops.migration")


def test_an_unknown_role_is_refused(owner):
    with pytest.raises(RoleError, match="no role 'king'"):
        make_logins(owner, [Login("x", "king", "bank")])


def test_who_reads_which_mart(owner):
    assert "manager" not in mart_readers("mart_manager_portfolio", False, False)[0]
    assert "manager" in mart_readers("mart_manager_portfolio", True, False)[1]
    assert mart_readers("mart_regulatory_east", False, False)[0] == ("regulator_officer", "auditor", "data_engineer")
    spec = MartSpec("mart_regulatory_x", [("id", "text")], ["id"])
    migrate([migration_for(spec)], owner)
    for login, allowed in {"regina": True, "audrey": True, "dora": True, "bianca": False, "gary": False}.items():
        with connect(login) as session:
            if allowed:
                assert session.execute("select * from mart.mart_regulatory_x").fetchall() == []
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    session.execute("select * from mart.mart_regulatory_x")
