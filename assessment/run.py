"""Assessing a period: pin the rule version and the data cut, seal the evidence, never change a closed result."""

from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Literal

import psycopg
from psycopg import ClientCursor
from psycopg.rows import dict_row, tuple_row

from assessment.period import Period
from assessment.sealing import SEALED, digest, gather, seal
from warehouse.code_version import code_version
from warehouse.connection import connect
from warehouse.cut import DataCut, data_cut

PROGRAMS = ("assessment/*.py", "dbt_project/models/marts/manager/*.sql", "dbt_project/models/core/kpi/*.sql")
"""Those that seal, measure and score."""

Outcome = Literal["sealed", "unchanged", "proposed"]


class AssessmentRefused(RuntimeError):
    """The period cannot be assessed; the message says what is missing or wrong. Nothing was written."""


@dataclass(frozen=True)
class Difference:
    """One metric of one manager that differs between two runs."""

    owner_id: str
    metric_id: str
    earlier_value: Decimal | None
    later_value: Decimal | None
    change: Decimal


@dataclass(frozen=True)
class AssessmentReport:
    """What `assess` did.

    Attributes:
        outcome: `sealed`: a new run in force; `unchanged`: the standing run (or one proposed or
            rejected) already holds these inputs;
            `proposed`: the inputs of a final run changed, a re-assessment waits for a second person's decision.
        rows: rows sealed by table, such as `{"owner": 12, "metric": 84, …}`.
        differences: for `proposed`, what changed against the run in force.
    """

    outcome: Outcome
    run_id: str
    scheme_id: str
    scheme_version_id: str
    period: Period
    kind: str
    cut: DataCut
    code_version: str
    input_hash: str
    supersedes_run_id: str | None = None
    rows: dict[str, int] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()

    @property
    def message(self) -> str:
        """One line for people."""
        figures = f"{self.rows.get('owner', 0)} managers, {self.rows.get('evidence', 0)} rows of evidence"
        match self.outcome:
            case "unchanged":
                return f"{self.run_id} already holds these inputs: nothing to do"
            case "proposed":
                return (
                    f"{self.run_id} proposed: {len(self.differences)} metrics differ from {self.supersedes_run_id}, "
                    "which stays in force until a second person accepts"
                )
            case _:
                return f"{self.run_id} sealed ({self.kind}): {figures}, publication {self.cut.publication}"

    def __str__(self) -> str:
        return self.message


def assess(
    period: str,
    kind: Literal["provisional", "final"] = "final",
    scheme_id: str = "customer_manager",
    connection: psycopg.Connection | None = None,
) -> AssessmentReport:
    """Assess the managers of a scheme for one month (DESIGN, decisions 10 and 11).

    One transaction: the current publication is the data cut; the rules of the one approved version valid for the
    period, the owners, targets, metric values and evidence are sealed. Scores are then SQL over the sealed rows
    (`dbt build --select tag:results`).

    Args:
        period: the month, YYYY-MM.
        kind: `final` needs a period that is over in the data; `provisional` may be replaced by the next run.
        scheme_id: as in the seed `kpi_scheme`.
        connection: a session that may write to `assessment`; None: the owner's.

    Raises:
        AssessmentRefused: no or several approved rule versions, wrong rules, an open period, no manager to assess,
            a decision that is still open.
        ValueError: `period` is no month.
    """
    month = Period.month(period)
    if connection is None:
        with connect() as own:
            return assess(period, kind, scheme_id, own)
    with connection.transaction():
        cursor = ClientCursor(connection, row_factory=dict_row)
        cursor.execute("set local datestyle to 'ISO, YMD'")
        cursor.execute("select pg_advisory_xact_lock(hashtext('assessment'), hashtext(%s))", [scheme_id + month.label])
        cut = data_cut(connection)
        version = _version_in_force(cursor, scheme_id, month)
        if kind == "final" and cut.as_of < month.end:
            raise AssessmentRefused(
                f"{month.label} is not over in publication {cut.publication}, which ends on {cut.as_of}: "
                "assess it as provisional, or load and publish the missing days first"
            )
        hashes = _gather(cursor, version, month, cut)
        runs = _runs(cursor, scheme_id, month)
        return _conclude(cursor, scheme_id, version, month, kind, cut, hashes, runs)


def decide(
    run_id: str,
    decision: Literal["accepted", "rejected"],
    reason: str,
    connection: psycopg.Connection,
) -> None:
    """Accept or reject a proposed re-assessment, as the login of `connection`.

    Raises:
        AssessmentRefused: the run is not waiting for a decision, or the login prepared it itself.
    """
    with connection.transaction():
        found = connection.execute(
            "select state, prepared_by from assessment.run_state where run_id = %s", [run_id]
        ).fetchone()
        if found is None or found[0] != "proposed":
            raise AssessmentRefused(f"{run_id} is {found[0] if found else 'unknown'} and waits for no decision")
        try:
            connection.execute(
                "insert into assessment.decision (run_id, prepared_by, decision, reason) values (%s, %s, %s, %s)",
                [run_id, found[1], decision, reason],
            )
        except psycopg.errors.CheckViolation as error:
            raise AssessmentRefused(f"{run_id}: {error.diag.constraint_name}: {found[1]} prepared it") from error


def differences(earlier_run_id: str, later_run_id: str, connection: psycopg.Connection) -> tuple[Difference, ...]:
    """The metrics that differ between two runs (差异报告), by manager and metric."""
    cursor = connection.cursor(row_factory=tuple_row)
    rows = cursor.execute("select * from assessment.difference(%s, %s)", [earlier_run_id, later_run_id])
    return tuple(Difference(*row) for row in rows)


def _version_in_force(cursor: ClientCursor, scheme_id: str, month: Period) -> dict:
    """The one approved version of the scheme that is valid for the whole period, with its rules checked."""
    versions = cursor.execute(
        """
        select version.scheme_version_id, scheme.position
        from core.kpi_scheme_version as version
        join core.kpi_scheme as scheme using (scheme_id)
        where scheme_id = %s and state = 'approved' and valid_from <= %s and valid_to > %s
        """,
        [scheme_id, month.start, month.end],
    ).fetchall()
    if len(versions) != 1:
        raise AssessmentRefused(
            f"{len(versions)} approved versions of scheme {scheme_id!r} are valid for {month.label}, not 1"
        )
    version = versions[0]
    found = cursor.execute(
        """
        select coalesce(sum(weight), 0) as weight, string_agg(distinct kpi_id, ', ')
            filter (where metric_id not in (select metric_id from core.kpi_metric)) as unknown
        from core.kpi_item where scheme_version_id = %s
        """,
        [version["scheme_version_id"]],
    ).fetchone()
    if found["weight"] != 100:
        raise AssessmentRefused(f"weights of {version['scheme_version_id']} add up to {found['weight']}, not to 100")
    if found["unknown"]:
        raise AssessmentRefused(f"items of {version['scheme_version_id']} without a known metric: {found['unknown']}")
    return version


def _gather(cursor: ClientCursor, version: dict, month: Period, cut: DataCut) -> dict[str, str]:
    """Fill `next_<name>` for every sealed table; answers with their hashes."""
    parameters = {
        "version": version["scheme_version_id"],
        "position": version["position"],
        "period_start": month.start,
        "publication": cut.publication,
    }
    hashes = {}
    for sealed in SEALED:
        cursor.execute(gather(sealed), parameters)
        hashes[sealed.name] = cursor.execute(digest(sealed)).fetchone()["encode"]
    if not cursor.execute("select exists (select from next_owner)").fetchone()["exists"]:
        raise AssessmentRefused(f"publication {cut.publication} holds no {version['position']} in {month.label}")
    return hashes


def _runs(cursor: ClientCursor, scheme_id: str, month: Period) -> list[dict]:
    """Earlier runs of the scheme and period, the last first."""
    return cursor.execute(
        """
        select run_id, sequence, kind, state, input_hash, scheme_version_id, code_version,
            publication, as_of, known_at
        from assessment.run_state where scheme_id = %s and period_start = %s order by sequence desc
        """,
        [scheme_id, month.start],
    ).fetchall()


def _conclude(
    cursor: ClientCursor,
    scheme_id: str,
    version: dict,
    month: Period,
    kind: str,
    cut: DataCut,
    hashes: dict[str, str],
    runs: list[dict],
) -> AssessmentReport:
    """Decide between no run, a new run and a proposed re-assessment, and seal."""
    input_hash = _combined(hashes, [sealed.name for sealed in SEALED])
    standing = next((run for run in runs if run["state"] == "in_force"), None)
    waiting = next((run for run in runs if run["state"] == "proposed"), None)
    closed = standing is not None and standing["kind"] != "provisional"
    same_kind = standing is not None and (closed or kind == standing["kind"])
    judged = [run for run in runs if run["state"] in ("proposed", "rejected") or (run is standing and same_kind)]
    for run in judged:
        if run["input_hash"] == input_hash:
            return AssessmentReport(
                outcome="unchanged",
                run_id=run["run_id"],
                scheme_id=scheme_id,
                scheme_version_id=run["scheme_version_id"],
                period=month,
                kind=run["kind"],
                cut=DataCut(run["publication"], run["as_of"], run["known_at"]),
                code_version=run["code_version"],
                input_hash=input_hash,
            )
    if closed and waiting is not None:
        raise AssessmentRefused(
            f"{waiting['run_id']} is still proposed and the data changed again: reject or accept it first"
        )
    if closed and kind == "provisional":
        raise AssessmentRefused(f"{month.label} is closed by {standing['run_id']}: a provisional run would be no news")
    sequence = runs[0]["sequence"] + 1 if runs else 1
    report = AssessmentReport(
        outcome="proposed" if closed else "sealed",
        run_id=f"{scheme_id}/{month.label}/{sequence}",
        scheme_id=scheme_id,
        scheme_version_id=version["scheme_version_id"],
        period=month,
        kind="reassessment" if closed else kind,
        cut=cut,
        code_version=code_version(*PROGRAMS),
        input_hash=input_hash,
        supersedes_run_id=standing["run_id"] if standing else None,
    )
    cursor.execute(
        """
        insert into assessment.run (
            run_id, scheme_id, scheme_version_id, period_start, period_end, sequence, kind, supersedes_run_id,
            publication, as_of, known_at, code_version, rules_hash, input_hash
        ) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            report.run_id,
            scheme_id,
            report.scheme_version_id,
            month.start,
            month.end,
            sequence,
            report.kind,
            report.supersedes_run_id,
            cut.publication,
            cut.as_of,
            cut.known_at,
            report.code_version,
            _combined(hashes, [sealed.name for sealed in SEALED if sealed.is_rule]),
            input_hash,
        ],
    )
    for sealed in SEALED:
        report.rows[sealed.name] = cursor.execute(seal(sealed), {"run_id": report.run_id}).rowcount
    if report.outcome != "proposed":
        return report
    changed = differences(report.supersedes_run_id, report.run_id, cursor.connection)
    return AssessmentReport(**{**report.__dict__, "differences": changed})


def _combined(hashes: dict[str, str], names: list[str]) -> str:
    return sha256("\n".join(f"{name} {hashes[name]}" for name in names).encode()).hexdigest()
