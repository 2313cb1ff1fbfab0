"""The embedded server: really killed, really started twice at once, really out of reach."""

import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from warehouse.secret import password
from warehouse.server import EmbeddedServer


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> EmbeddedServer:
    """A server with the product's own settings (the session's has fsync off), below pytest's folder of mode 0700."""
    settings = os.environ.pop("C360_SERVER_SETTINGS")
    embedded = EmbeddedServer(tmp_path_factory.mktemp("own") / "home")
    try:
        embedded.start()
        yield embedded
    finally:
        embedded.remove()
        os.environ["C360_SERVER_SETTINGS"] = settings


def ask(server: EmbeddedServer, question: str):
    with psycopg.connect(server.url("postgres"), autocommit=True) as session:
        return session.execute(question).fetchone()[0]


def test_settings_are_safe_and_portable(own):
    asked = ["data_checksums", "fsync", "synchronous_commit", "server_encoding", "timezone", "password_encryption"]
    assert [ask(own, f"select current_setting('{name}')") for name in asked] == [
        "on", "on", "on", "UTF8", "UTC", "scram-sha-256"
    ]  # fmt: skip
    assert ask(own, "select datcollate from pg_database where datname = 'postgres'") == "C"
    assert int(ask(own, "select current_setting('server_version_num')")) >= 160000


def test_runs_as_an_unprivileged_account_and_keeps_secrets(own):
    process = own.process_id()
    assert process and Path(f"/proc/{process}").stat().st_uid != 0
    assert (own.home / "secrets.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(own.url("postgres").replace(password(own.home, "owner"), "wrong"))


def test_start_and_stop_are_idempotent_and_keep_the_port(own):
    before = own.url("postgres"), own.process_id()
    own.start()
    assert (own.url("postgres"), own.process_id()) == before
    own.stop()
    own.stop()
    assert not own.is_running()
    own.start()
    assert own.is_running() and own.url("postgres") == before[0]


def test_kill_9_loses_no_committed_row(own):
    with psycopg.connect(own.url("postgres")) as session:
        session.execute("create table survivor as select generate_series(1, 10000) as id")
        session.execute("insert into survivor values (10001)")
        session.commit()
        session.execute("insert into survivor values (10002)")  # not committed
        os.kill(own.process_id(), signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            for _ in range(100):
                session.execute("select 1")
                time.sleep(0.05)
    assert not own.is_running()
    own.start()
    assert ask(own, "select count(*) || ' ' || max(id) from survivor") == "10001 10001"


def test_a_stale_pid_file_of_another_program_does_not_stop_the_start(own):
    """After a restart of the machine the number in the pid file may belong to any program of the same account."""
    own.stop()
    data = Path(own._recall()["data"])
    identity = {"user": data.stat().st_uid, "group": data.stat().st_gid} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "60"], cwd="/", **identity) as other:
        (data / "postmaster.pid").write_text(f"{other.pid}\n{data}\n1700000000\n5432\n\n127.0.0.1\n  0 0\nready\n")
        own.start()
        other.terminate()
    assert own.is_running()


def test_concurrent_starters_start_one_server(own):
    own.stop()
    code = "import sys; from warehouse.server import EmbeddedServer; EmbeddedServer(sys.argv[1]).start()"
    starters = [subprocess.Popen([sys.executable, "-c", code, str(own.home)]) for _ in range(2)]
    threads = [threading.Thread(target=EmbeddedServer(own.home).start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [starter.wait(60) for starter in starters] == [0, 0]
    assert own.is_running()


def test_a_taken_port_is_left_to_its_owner(own):
    import socket

    own.stop()
    taken = own._recall()["port"]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", taken))
        other.listen()
        own.start()
    assert own.is_running() and own._recall()["port"] != taken


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")
def test_root_below_a_closed_folder_puts_the_cluster_where_the_account_reaches_it(own):
    note = own._recall()
    assert own.home.parent.parent.stat().st_mode & 0o077 == 0, "pytest's folder is closed to others"
    assert note["data"].startswith("/var/tmp/c360-")
    assert pwd.getpwuid(Path(note["data"]).stat().st_uid).pw_name in ("postgres", "nobody")


def test_a_cluster_left_by_a_removed_home_is_not_taken_over(tmp_path, monkeypatch):
    """Whoever deletes the home by hand and starts again gets a fresh cluster with fresh passwords."""
    monkeypatch.setenv("C360_SERVER_SETTINGS", '{"fsync": "off"}')
    home = tmp_path / "home"
    first = EmbeddedServer(home)
    first.start()
    try:
        with psycopg.connect(first.url("postgres")) as session:
            session.execute("create table old ()")
        for name in ("server.json", "secrets.json"):
            (home / name).unlink()
        first.start()
        assert ask(first, "select to_regclass('old') is null")
    finally:
        first.remove()
    assert not first._refuge_path().exists()
