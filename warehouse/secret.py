"""Passwords of the owner and the logins: random, made once, kept in `<home>/secrets.json` (mode 0600)."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path` (made where absent); the system frees it when its holder dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Write `text` to `path` so that a reader, or a kill, sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def password(home: Path, login: str, make: bool = True) -> str | None:
    """The password of `login`; where there is none yet it is made, or None is returned with `make=False`."""
    path = home / "secrets.json"
    known = json.loads(path.read_text("utf-8")) if path.exists() else {}
    if login in known or not make:
        return known.get(login)
    with file_lock(home / "secrets.lock"):
        known = json.loads(path.read_text("utf-8")) if path.exists() else {}
        if login not in known:
            known[login] = secrets.token_urlsafe(24)
            write_whole(path, json.dumps(known, indent=1, sort_keys=True) + "\n")
    return known[login]
