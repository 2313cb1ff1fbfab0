"""Scores computed again beside those in force, in the schemas of dbt's target `rerun`."""

from dataclasses import dataclass

from psycopg import sql

from pipeline import transformation
from warehouse.connection import connect

SCORED = ("mart_manager_scorecard", "mart_manager_scorecard_total", "mart_manager_scorecard_evidence")
"""Models that are computed from sealed rows, once a run."""

LABELS = ("kpi_name", "kpi_name_zh")
"""Columns that tell names of today's dictionary and are no result."""


@dataclass(frozen=True)
class Scores:
    """Rows of a run computed again.

    Attributes:
        rows: how many.
        changed: by mart, rows that stand in only one of both.
    """

    rows: int
    changed: dict[str, int]


def score_again(run_id: str) -> Scores:
    """Compute the results of all runs from what they sealed, into a schema of its own, and compare those of one."""
    with connect(autocommit=True) as session:
        for mart in SCORED:
            session.execute(sql.SQL("drop table if exists {}").format(sql.Identifier("rerun_mart_build", mart)))
    transformation.run("seed", "--select", "kpi_metric", target="rerun")
    transformation.run("run", "--select", *SCORED, target="rerun")
    rows, changed = 0, {}
    with connect() as session:
        for mart in SCORED:
            columns = [
                name
                for (name,) in session.execute(
                    "select column_name from information_schema.columns "
                    "where table_schema = 'mart_build' and table_name = %s order by ordinal_position",
                    [mart],
                )
                if name not in LABELS
            ]
            named = sql.SQL(", ").join(map(sql.Identifier, columns))
            stored, again = (
                sql.SQL("(select {} from {} where run_id = {})").format(named, sql.Identifier(schema, mart), run_id)
                for schema in ("mart_build", "rerun_mart_build")
            )
            found = session.execute(
                sql.SQL(
                    "select (select count(*) from {again} as again), (select count(*) from "
                    "(({again} except all {stored}) union all ({stored} except all {again})) as different)"
                ).format(again=again, stored=stored)
            ).fetchone()
            count, different = found or (0, 0)
            rows += count
            if different:
                changed[mart] = different
    return Scores(rows, changed)
