"""Which programs made a result: one hash over those that decide it."""

import hashlib
from functools import cache
from pathlib import Path

from warehouse.settings import CHECKOUT


@cache
def code_version(*patterns: str, checkout: Path = CHECKOUT) -> str:
    """`sha256:` and 16 hex digits over path and content of the files of a checkout that fit the patterns.

    Of content and not of the commit, so that it is right in a changed checkout and in one without Git, and stays the
    same where something else changed. Taken once a process: that is what runs.
    """
    digest = hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in checkout.glob(pattern)):
        digest.update(path.relative_to(checkout).as_posix().encode())
        digest.update(b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return f"sha256:{digest.hexdigest()[:16]}"
