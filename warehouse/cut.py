"""The data cut behind what readers see: publication, as of, known at (DESIGN, decisions 4, 11 and 12)."""

from dataclasses import dataclass
from datetime import date, datetime

import psycopg
from psycopg.rows import tuple_row


@dataclass(frozen=True)
class DataCut:
    """A cut of the data that can be named again.

    Attributes:
        publication: number of the publication.
        as_of: last business date in it.
        known_at: latest time of receipt among the batches behind it.
    """

    publication: int
    as_of: date
    known_at: datetime


class NoDataCut(RuntimeError):
    """Nothing was published yet, or a publication of which no business date is known."""


def data_cut(connection: psycopg.Connection, publication: int | None = None) -> DataCut:
    """The cut of a publication; of the one in force where none is named.

    Args:
        connection: a session that may read `ops`, such as the owner's.

    Raises:
        NoDataCut: no such publication, or none with a business date up to it.
    """
    found = (
        connection.cursor(row_factory=tuple_row)
        .execute(
            """
            with named as (
                select coalesce(%(publication)s::integer, (select number from ops.publication_pointer)) as number
            )
            select
                named.number,
                (
                    select dated.business_date from ops.publication as dated
                    where dated.number <= named.number and dated.business_date is not null
                        and dated.state in ('published', 'pruned')
                    order by dated.number desc limit 1
                ),
                (select max(known_at) from ops.batch_taken_up where taken_at <= publication.started_at)
            from named
            join ops.publication on publication.number = named.number
            """,
            {"publication": publication},
        )
        .fetchone()
    )
    if found is None or found[1] is None or found[2] is None:
        raise NoDataCut("no publication with a business date is in force: build and publish first")
    return DataCut(*found)
