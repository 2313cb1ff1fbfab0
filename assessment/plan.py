"""Targets that people plan (目标计划): one login uploads a workbook, another approves it, and then it counts."""

from hashlib import sha256
from pathlib import Path
from typing import Literal

import psycopg

from assessment.rules import Problem
from assessment.workbook import SHEETS, Plan, PlanRefused, read_workbook


def upload(path: Path, reason: str, connection: psycopg.Connection) -> int:
    """Upload a workbook as the login of `connection`; it waits for a second person's decision.

    Args:
        path: made from the template.
        reason: why, in words.

    Raises:
        PlanRefused: something in it is wrong, or unknown here, or it was uploaded before. Nothing was written.

    Returns:
        The number of the upload.
    """
    plan = read_workbook(path)
    file_hash = sha256(path.read_bytes()).hexdigest()
    with connection.transaction():
        before = connection.execute(
            "select upload_id, prepared_by from assessment.plan_upload where file_hash = %s", [file_hash]
        ).fetchone()
        if before:
            raise PlanRefused([Problem(path.name, 1, f"is upload {before[0]} of {before[1]} already")])
        if problems := [*_unknown(plan, connection), *_without_curve(plan, connection)]:
            raise PlanRefused(problems)
        (upload_id,) = connection.execute(
            "insert into assessment.plan_upload (file_name, file_hash, reason) values (%s, %s, %s) returning upload_id",
            [path.name, file_hash, reason],
        ).fetchone()  # type: ignore[misc]
        for sheet, lines in (("plan", plan.targets), ("curve", plan.curves)):
            names = [field.name for field in SHEETS[sheet]]
            table = {"plan": "plan_target", "curve": "plan_curve"}[sheet]
            with connection.cursor() as cursor:
                cursor.executemany(
                    f"insert into assessment.{table} (upload_id, line, {', '.join(names)}) "
                    f"values (%s, %s, {', '.join(['%s'] * len(names))})",
                    [(upload_id, line.number, *(line[name] for name in names)) for line in lines],
                )
    return upload_id


def decide_upload(
    upload_id: int, decision: Literal["approved", "rejected"], reason: str, connection: psycopg.Connection
) -> None:
    """Approve or reject an upload, as the login of `connection`.

    Raises:
        PlanRefused: there is no such upload, it is decided already, or the login prepared it itself.
    """
    with connection.transaction():
        found = connection.execute(
            "select upload.file_name, upload.prepared_by, decision.decision, decision.decided_by "
            "from assessment.plan_upload as upload left join assessment.plan_decision as decision using (upload_id) "
            "where upload_id = %s",
            [upload_id],
        ).fetchone()
        if found is None:
            raise PlanRefused([Problem("plan", upload_id, "there is no such upload")])
        file_name, prepared_by, decided, decided_by = found
        if decided:
            raise PlanRefused([Problem(file_name, 1, f"upload {upload_id} was {decided} by {decided_by}")])
        try:
            connection.execute(
                "insert into assessment.plan_decision (upload_id, prepared_by, decision, reason) "
                "values (%s, %s, %s, %s)",
                [upload_id, prepared_by, decision, reason],
            )
        except psycopg.errors.CheckViolation as error:
            raise PlanRefused(
                [Problem(file_name, 1, f"{error.diag.constraint_name}: {prepared_by} prepared it")]
            ) from error


def uploads(connection: psycopg.Connection) -> list[tuple]:
    """All uploads, the newest first: number, file, targets, days of curves, who and when, what was decided by whom."""
    return connection.execute(
        """
        select
            upload_id, file_name,
            (select count(*) from assessment.plan_target as target where target.upload_id = upload.upload_id),
            (select count(*) from assessment.plan_curve as curve where curve.upload_id = upload.upload_id),
            upload.prepared_by, upload.prepared_at, coalesce(decision, 'waiting'), decided_by
        from assessment.plan_upload as upload
        left join assessment.plan_decision using (upload_id)
        order by upload_id desc
        """
    ).fetchall()


def _unknown(plan: Plan, connection: psycopg.Connection) -> list[Problem]:
    """Indicators, owners and setters that the warehouse does not know."""
    known = {
        "kpi_id": _known(connection, "select kpi_id from core.kpi_item union select metric_id from core.kpi_metric"),
        "employee": _known(connection, "select employee_id from core.dim_employee where is_current"),
        "organisation": _known(connection, "select organisation_id from core.dim_organisation where is_current"),
    }
    problems = []
    for line in plan.targets:
        owner = line["owner_kind"]
        for column, among, what in (
            ("kpi_id", known["kpi_id"], "indicator"),
            ("owner_id", known[owner], owner),
            ("set_by", known["employee"], "employee"),
        ):
            if line[column] not in among:
                problems.append(plan.problem(line, f"{column}: {line[column]!r} is no known {what}"))
    return problems


def _without_curve(plan: Plan, connection: psycopg.Connection) -> list[Problem]:
    """Targets whose curve is neither in the workbook nor approved before."""
    known = {line["curve_id"] for line in plan.curves} | _known(
        connection,
        "select curve_id from assessment.plan_curve join assessment.plan_decision using (upload_id) "
        "where decision = 'approved'",
    )
    missing = [line for line in plan.targets if line["curve_id"] and line["curve_id"] not in known]
    return [plan.problem(line, f"curve_id: there is no curve {line['curve_id']!r}") for line in missing]


def _known(connection: psycopg.Connection, query: str) -> set[str]:
    return {value for (value,) in connection.execute(query)}  # type: ignore[arg-type]
