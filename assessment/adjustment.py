"""What people decide on a result: adjustments by hand and appeals, beside the result and never over it."""

from decimal import Decimal
from typing import Literal

import psycopg

from assessment.run import AssessmentRefused


def adjust(
    run_id: str,
    owner_id: str,
    points: Decimal,
    reason: str,
    connection: psycopg.Connection,
    appeal_id: int | None = None,
) -> int:
    """Propose points for a manager's total, as the login of `connection`; they count when a second person approves.

    Args:
        run_id: a run that is in force.
        owner_id: a manager assessed in it.
        points: added, or taken off where below zero.
        reason: why, in words.
        appeal_id: the appeal that they answer.

    Raises:
        AssessmentRefused: the run is not in force, or did not assess the manager, or the appeal is another one's.

    Returns:
        The number of the adjustment.
    """
    with connection.transaction():
        _assessed(run_id, owner_id, connection)
        if appeal_id is not None:
            found = connection.execute(
                "select run_id, owner_id from assessment.appeal where appeal_id = %s", [appeal_id]
            ).fetchone()
            if found != (run_id, owner_id):
                raise AssessmentRefused(f"appeal {appeal_id} is none of {owner_id} against {run_id}")
        return _number(
            connection,
            "insert into assessment.adjustment (run_id, owner_id, points, reason, appeal_id) "
            "values (%s, %s, %s, %s, %s) returning adjustment_id",
            [run_id, owner_id, points, reason, appeal_id],
        )


def appeal(run_id: str, owner_id: str, reason: str, connection: psycopg.Connection) -> int:
    """Take down a manager's appeal against his result, as the login of `connection`; returns its number.

    Raises:
        AssessmentRefused: the run is not in force, or did not assess the manager.
    """
    with connection.transaction():
        _assessed(run_id, owner_id, connection)
        return _number(
            connection,
            "insert into assessment.appeal (run_id, owner_id, reason) values (%s, %s, %s) returning appeal_id",
            [run_id, owner_id, reason],
        )


def decide_adjustment(
    number: int, decision: Literal["approved", "rejected"], reason: str, connection: psycopg.Connection
) -> None:
    """Approve or reject an adjustment, as the login of `connection`.

    Raises:
        AssessmentRefused: it waits for no decision, or the login prepared it itself.
    """
    _decide("adjustment", "prepared_by", number, decision, reason, connection)


def decide_appeal(
    number: int, decision: Literal["upheld", "rejected"], reason: str, connection: psycopg.Connection
) -> None:
    """Uphold or reject an appeal, as the login of `connection`; what follows for the total is an adjustment.

    Raises:
        AssessmentRefused: it waits for no decision, or the login took it down itself.
    """
    _decide("appeal", "raised_by", number, decision, reason, connection)


def _assessed(run_id: str, owner_id: str, connection: psycopg.Connection) -> None:
    found = connection.execute(
        "select state from assessment.run_state join assessment.sealed_owner using (run_id) "
        "where run_id = %s and owner_id = %s",
        [run_id, owner_id],
    ).fetchone()
    if found is None:
        raise AssessmentRefused(f"{run_id} did not assess {owner_id}")
    if found[0] != "in_force":
        raise AssessmentRefused(f"{run_id} is {found[0]}: only a result in force is adjusted or appealed against")


def _decide(what: str, actor: str, number: int, decision: str, reason: str, connection: psycopg.Connection) -> None:
    with connection.transaction():
        found = connection.execute(
            f"select {actor}, state, decided_by from assessment.{what}_state where {what}_id = %s",  # type: ignore[arg-type]
            [number],
        ).fetchone()
        if found is None:
            raise AssessmentRefused(f"there is no {what} {number}")
        if found[1] != "waiting":
            raise AssessmentRefused(f"{what} {number} was {found[1]} by {found[2]}")
        try:
            connection.execute(
                f"insert into assessment.{what}_decision ({what}_id, {actor}, decision, reason) "  # type: ignore[arg-type]
                "values (%s, %s, %s, %s)",
                [number, found[0], decision, reason],
            )
        except psycopg.errors.CheckViolation as error:
            raise AssessmentRefused(f"{what} {number}: {error.diag.constraint_name}: {found[0]} prepared it") from error


def _number(connection: psycopg.Connection, statement: str, values: list) -> int:
    (number,) = connection.execute(statement, values).fetchone()  # type: ignore[arg-type, misc]
    return number
