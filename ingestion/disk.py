"""A full disk (磁盘已满) is told as such: it is no fault of the file that was being loaded."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class DiskFull(RuntimeError):
    """There was no room to write. What was begun is undone; no file is refused for it."""

    def __init__(self, place: str, said: str) -> None:
        super().__init__(
            f"{place}: [disk_full] {said}. Nothing is half loaded, and the file is not refused. "
            "Make room there, then run the same command again"
        )


@contextmanager
def writing_to(place: Path | str) -> Iterator[None]:
    """Says which place is full where writing fails for want of room; PostgreSQL itself names the file that it wrote.

    Raises:
        DiskFull: there was no room.
    """
    try:
        yield
    except psycopg.errors.DiskFull as problem:
        raise DiskFull("the database", str(problem.diag.message_primary)) from problem
    except OSError as problem:
        if problem.errno not in NO_ROOM:
            raise
        raise DiskFull(str(place), str(problem.strerror)) from problem
