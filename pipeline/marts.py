"""What dbt's marts promise, handed to publication: columns, key, controller and manager of each mart."""

from datetime import date
from typing import TYPE_CHECKING, Any

from pipeline import transformation
from warehouse import publication
from warehouse.connection import connect
from warehouse.migration import migrate
from warehouse.publication import Column, MartSpec, PublicationReport
from warehouse.roles import make_logins, manager_login

if TYPE_CHECKING:
    from dbt.contracts.graph.nodes import ModelNode


def specs(results: bool) -> list[MartSpec]:
    """The marts by their enforced contracts, by name.

    Args:
        results: True for those tagged `results` (scorecards: they read assessment runs and are published after
            `assess`), False for all others.
    """
    chosen = [
        node
        for node in transformation.manifest().nodes.values()
        if node.resource_type == "model" and node.fqn[1] == "marts" and ("results" in node.tags) == results
    ]
    return [mart_spec(node) for node in sorted(chosen, key=lambda node: node.name)]  # type: ignore[arg-type]


def mart_spec(node: "ModelNode") -> MartSpec:
    """What publication must know of one dbt model.

    Raises:
        publication.PublicationError: the model has no key, or a column has no type.
    """
    keys = [constraint.columns for constraint in node.constraints if constraint.type.value == "primary_key"]
    columns = [
        Column(
            column.name,
            column.data_type or "",
            any(constraint.type.value == "not_null" for constraint in column.constraints),
            " ".join(column.description.split()),
            bool(_meta(column).get("is_clear")),
        )
        for column in node.columns.values()
    ]
    meta = _meta(node)
    return MartSpec(
        name=node.name,
        columns=tuple(columns),
        primary_key=tuple(keys[0]) if keys else (),
        description=" ".join(node.description.split()),
        controller_column=meta.get("controller_column"),
        manager_column=meta.get("manager_column"),
        organisation_column=meta.get("organisation_column"),
        tags=frozenset(node.tags),
    )


def publish(note: str, business_date: date | None, results: bool) -> PublicationReport:
    """Migrate the published tables to the contracts and publish the marts, all at once.

    Args:
        note: why, for the log of publications.
        business_date: of the data; None where only results were added to it.
        results: see `specs`.
    """
    chosen = specs(results)
    with connect() as session:
        migrate((publication.migration_for(spec) for spec in chosen), session)
        report = publication.publish(chosen, note, business_date, session)
        _make_manager_logins(session)
    return report


MANAGER_ROLES = {"customer_manager": "manager", "retail_manager": "retail_manager"}
"""Role of the login of a manager, by his post."""


def _make_manager_logins(session: Any) -> None:
    """A login for every customer manager (客户经理) now in service, who sees his own customers only."""
    managers = session.execute(
        "select employee_id, controller_id, organisation_id, position from core.dim_employee "
        "where is_current and position = any(%s) and left_on is null and source_system in ('core_banking', 'retail') "
        "order by employee_id",
        [list(MANAGER_ROLES)],
    ).fetchall()
    session.commit()
    make_logins(
        session,
        [
            manager_login(employee, controller, organisation, MANAGER_ROLES[post])
            for employee, controller, organisation, post in managers
        ],
    )
    session.commit()


def _meta(node: Any) -> dict[str, Any]:
    return {**(getattr(node, "meta", None) or {}), **(getattr(node.config, "meta", None) or {})}
