"""What a run seals and how it is hashed: rules, owners, targets, metrics and evidence of one data cut.

Each entry selects, without the run id, the rows of `assessment.sealed_<name>` from the rules (seeds in `core`) and
from the published marts of one publication. Nothing is computed here: metrics are SQL of the marts.
"""

from dataclasses import dataclass

_PUBLISHED = "pub_from <= %(publication)s and pub_to > %(publication)s"


@dataclass(frozen=True)
class Sealed:
    """One sealed table.

    Attributes:
        name: `assessment.sealed_<name>`.
        columns: its columns, run id excluded, in the order of the SELECT.
        hashed: those that decide the result; a changed name of a customer is no changed input.
        select: parameters `version`, `position`, `period_start`, `publication`.
        is_rule: it comes from the rules and not from the data cut.
    """

    name: str
    columns: tuple[str, ...]
    hashed: tuple[str, ...]
    select: str
    is_rule: bool = False


def _rule(name: str, seed: str, columns: tuple[str, ...]) -> Sealed:
    select = f"select {', '.join(columns)} from core.{seed} where scheme_version_id = %(version)s"
    return Sealed(name, columns, columns, select, is_rule=True)


SEALED = (
    _rule(
        "item",
        "kpi_item",
        (
            "item_no",
            "kpi_id",
            "metric_id",
            "kind",
            "direction",
            "weight",
            "scoring",
            "measured_on",
            "points_per_unit",
            "base_score",
            "threshold",
            "floor_score",
            "cap_score",
            "minimum_cases",
            "missing_behaviour",
            "default_score",
            "zero_target_behaviour",
        ),
    ),
    _rule("ladder", "kpi_ladder", ("kpi_id", "rung_no", "lower_bound", "upper_bound", "score", "upper_score")),
    _rule("grade", "kpi_grade", ("grade_no", "grade", "grade_zh", "lower_total", "upper_total")),
    Sealed(
        "owner",
        (
            "owner_id",
            "owner_name",
            "organisation_id",
            "organisation_name",
            "manager_grade",
            "controller_id",
        ),
        ("owner_id", "organisation_id", "manager_grade", "controller_id"),
        f"""
        select manager_id, manager_name, organisation_id, organisation_name, manager_grade, controller_id
        from mart_data.mart_manager_portfolio
        where period_month = %(period_start)s and manager_position = %(position)s and {_PUBLISHED}
        """,
    ),
    Sealed(
        "target",
        ("owner_id", "kpi_id", "target_value", "target_id", "set_by", "approved_by"),
        ("owner_id", "kpi_id", "target_value", "target_id"),
        f"""
        select owner_id, kpi_id, target_value, target_id, set_by, approved_by
        from mart_data.mart_manager_target
        where period_month = %(period_start)s and owner_kind = 'employee' and {_PUBLISHED}
            and owner_id in (select owner_id from next_owner)
            and kpi_id in (select kpi_id from next_item)
        """,
    ),
    Sealed(
        "metric",
        ("owner_id", "metric_id", "metric_value", "numerator", "denominator", "case_count"),
        ("owner_id", "metric_id", "metric_value", "numerator", "denominator", "case_count"),
        f"""
        select manager_id, metric_id, metric_value, numerator, denominator, case_count
        from mart_data.mart_manager_metric
        where period_month = %(period_start)s and {_PUBLISHED}
            and manager_id in (select owner_id from next_owner)
            and metric_id in (select metric_id from next_item)
        """,
    ),
    Sealed(
        "evidence",
        (
            "owner_id",
            "metric_id",
            "evidence_id",
            "party_key",
            "customer_id",
            "customer_name_masked",
            "subject_kind",
            "subject_label",
            "numerator",
            "denominator",
            "share",
        ),
        ("owner_id", "metric_id", "evidence_id", "numerator", "denominator", "share"),
        f"""
        select
            manager_id, metric_id, evidence_id, party_key, customer_id, customer_name_masked,
            subject_kind, subject_label, numerator, denominator, share
        from mart_data.mart_manager_evidence
        where period_month = %(period_start)s and {_PUBLISHED}
            and manager_id in (select owner_id from next_owner)
            and metric_id in (select metric_id from next_item)
        """,
    ),
)
"""In the order in which they are gathered: a later one reads `next_<name>` of the earlier."""


def gather(sealed: Sealed) -> str:
    """SQL that makes the temporary table `next_<name>` for the length of the transaction."""
    columns = ", ".join(sealed.columns)
    return f"create temporary table next_{sealed.name} ({columns}) on commit drop as {sealed.select}"


def digest(sealed: Sealed) -> str:
    """SQL that answers with the SHA-256 (hex) of the gathered rows, whatever their order."""
    row = f"row({', '.join(sealed.hashed)})::text"
    return f"""
        select encode(sha256(convert_to(
            coalesce(string_agg({row}, E'\\n' order by {row} collate "C"), ''), 'UTF8'
        )), 'hex')
        from next_{sealed.name}
    """


def difference(sealed: Sealed) -> str:
    """SQL that counts the rows that stand in only one of what is gathered and what the run `run_id` sealed."""
    columns = ", ".join(sealed.hashed)
    gathered = f"select {columns} from next_{sealed.name}"
    before = f"select {columns} from assessment.sealed_{sealed.name} where run_id = %(run_id)s"
    return f"""
        select count(*) from (
            (({gathered}) except all ({before})) union all (({before}) except all ({gathered}))
        ) as different
    """


def seal(sealed: Sealed) -> str:
    """SQL that appends the gathered rows to the run `run_id`."""
    columns = ", ".join(sealed.columns)
    return f"""
        insert into assessment.sealed_{sealed.name} (run_id, {columns})
        select %(run_id)s, {columns} from next_{sealed.name}
    """
