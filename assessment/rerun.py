"""A run made again from what it pinned: the same inputs from the same data cut (DESIGN, decision 11)."""

from dataclasses import dataclass

import psycopg
from psycopg import ClientCursor
from psycopg.rows import dict_row

from assessment.run import AssessmentRefused
from assessment.sealing import SEALED, difference, gather


@dataclass(frozen=True)
class Rerun:
    """What a run gathers today from the rules and the publication that it pinned.

    Attributes:
        gathered: rows by sealed table; empty where the publication is no longer kept.
        changed: rows by sealed table that stand in only one of both; none where all is as it was.
    """

    run_id: str
    publication: int
    gathered: dict[str, int]
    changed: dict[str, int]

    @property
    def is_kept(self) -> bool:
        """The publication still holds the rows of that time."""
        return self.gathered.get("owner", 0) > 0


def rerun(run_id: str, connection: psycopg.Connection) -> Rerun:
    """Gather the inputs of a run again and compare them with what it sealed; nothing is written.

    Raises:
        AssessmentRefused: there is no such run.
    """
    with connection.transaction():
        cursor = ClientCursor(connection, row_factory=dict_row)
        cursor.execute("set local datestyle to 'ISO, YMD'")
        run = cursor.execute(
            """
            select run.run_id, scheme_version_id as version, position, period_start, publication
            from assessment.run join core.kpi_scheme using (scheme_id) where run_id = %s
            """,
            [run_id],
        ).fetchone()
        if run is None:
            raise AssessmentRefused(f"there is no run {run_id!r}")
        gathered, changed = {}, {}
        for sealed in SEALED:
            gathered[sealed.name] = cursor.execute(gather(sealed), run).rowcount
            found = cursor.execute(difference(sealed), run).fetchone()
            if found and found["count"]:
                changed[sealed.name] = found["count"]
    return Rerun(run_id, run["publication"], gathered, changed)
