"""Which programs computed an assessment: one hash over those that decide its figures."""

import hashlib
from pathlib import Path

from warehouse.settings import CHECKOUT

_PATTERNS = ("assessment/*.py", "dbt_project/models/marts/manager/*.sql", "dbt_project/models/core/kpi/*.sql")


def code_version(checkout: Path = CHECKOUT) -> str:
    """`sha256:` and 16 hex digits over path and content of the files that seal, measure and score.

    Of content and not of the commit, so that it is right in a changed checkout and in one without Git, and stays the
    same where something else changed.
    """
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _PATTERNS for path in checkout.glob(pattern)):
        digest.update(path.relative_to(checkout).as_posix().encode())
        digest.update(b"\0" + path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return f"sha256:{digest.hexdigest()[:16]}"
