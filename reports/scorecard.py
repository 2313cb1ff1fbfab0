"""What the scorecard pages show, read from the published marts in one transaction of one reader."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby

import psycopg
from psycopg.rows import dict_row

EVIDENCE_SHOWN = 10
"""Contributions shown for each figure, the greatest first; the mart holds all of them."""

MONTHS_SHOWN = 12
"""Months in a trend, the assessed one last."""


@dataclass(frozen=True)
class Run:
    """The assessment run behind the pages, and the publication that they were read from."""

    run_id: str
    scheme_name: str
    scheme_name_zh: str
    scheme_version_id: str
    period_month: date
    kind: str
    state: str
    sealed_publication: int
    as_of: date
    known_at: datetime
    code_version: str
    input_hash: str
    prepared_by: str
    prepared_at: datetime
    publication: int
    published_at: datetime


@dataclass(frozen=True)
class Contribution:
    """One customer, account, card or event behind a figure."""

    customer_id: str
    customer_name_masked: str
    subject_kind: str
    subject_label: str
    share: Decimal
    numerator: Decimal
    part: Decimal | None
    """Its part of the whole figure, None where that is zero."""


@dataclass(frozen=True)
class Item:
    """One line of a scorecard."""

    kpi_id: str
    metric_id: str
    name: str
    name_zh: str
    unit: str
    decimals: int
    kind: str
    scoring: str
    raw_value: Decimal | None
    target_value: Decimal | None
    attainment: Decimal | None
    missing_reason: str | None
    score_before_limits: Decimal | None
    score: Decimal | None
    floor_score: Decimal
    cap_score: Decimal
    weight: Decimal
    effective_weight: Decimal | None
    points: Decimal | None
    case_count: int
    definition: str
    definition_zh: str
    peer_mean: Decimal | None
    evidence: tuple[Contribution, ...] = ()
    trend: tuple[tuple[date, Decimal | None], ...] = ()


@dataclass(frozen=True)
class Scorecard:
    """One manager's card."""

    manager_id: str
    manager_name: str
    organisation_id: str
    organisation_name: str
    manager_grade: str | None
    total_points: Decimal
    quantitative_points: Decimal
    qualitative_points: Decimal
    rank: int
    peers: int
    rank_in_organisation: int
    peers_in_organisation: int
    grade: str | None
    grade_zh: str | None
    missing_count: int
    items: tuple[Item, ...] = field(default=())


def read_scorecards(
    session: psycopg.Connection, period_month: date, scheme_id: str
) -> tuple[Run, list[Scorecard]] | None:
    """The run in force of a scheme and month with its cards by rank, or None where there is none.

    Args:
        session: a reader's session; the caller holds one repeatable-read transaction, so all of it is one publication.
    """
    parameters = {"month": period_month, "scheme": scheme_id, "shown": EVIDENCE_SHOWN, "months": MONTHS_SHOWN}
    runs = _rows(session, _RUN, parameters)
    if not runs:
        return None
    run = Run(**runs[0])
    parameters["run"] = run.run_id
    evidence = _grouped(_rows(session, _EVIDENCE, parameters), ("manager_id", "metric_id"))
    trends = _grouped(_rows(session, _TREND, parameters), ("manager_id", "metric_id"))
    items: dict[str, list[Item]] = defaultdict(list)
    for row in _rows(session, _ITEMS, parameters):
        key = (row.pop("manager_id"), row["metric_id"])
        contributions = tuple(Contribution(**contribution) for contribution in evidence.get(key, []))
        trend = tuple((point["period_month"], point["metric_value"]) for point in trends.get(key, []))
        items[key[0]].append(Item(**row, evidence=contributions, trend=trend))
    cards = [Scorecard(**row, items=tuple(items[row["manager_id"]])) for row in _rows(session, _TOTALS, parameters)]
    return run, cards


def _rows(session: psycopg.Connection, query: str, parameters: dict) -> list[dict]:
    return session.cursor(row_factory=dict_row).execute(query, parameters).fetchall()  # type: ignore[arg-type]


def _grouped(rows: Iterable[dict], keys: tuple[str, ...]) -> dict[tuple, list[dict]]:
    """Rows in the order given (by their keys) as lists by key, the keys taken out."""
    groups = {}
    for key, members in groupby(rows, lambda row: tuple(row[name] for name in keys)):
        groups[key] = [{name: value for name, value in row.items() if name not in keys} for row in members]
    return groups


_RUN = """
select run_id, scheme_name, scheme_name_zh, scheme_version_id, period_month, kind, state, sealed_publication,
    as_of, known_at, code_version, input_hash, prepared_by, prepared_at, publication, published_at
from mart.mart_manager_assessment_run
where period_month = %(month)s and scheme_id = %(scheme)s and state = 'in_force'
"""

_TOTALS = """
select manager_id, manager_name, organisation_id, organisation_name, manager_grade, total_points,
    quantitative_points, qualitative_points, rank_in_scheme as rank, peers_in_scheme as peers,
    rank_in_organisation, peers_in_organisation, result_grade as grade, result_grade_zh as grade_zh, missing_count
from mart.mart_manager_scorecard_total
where run_id = %(run)s
order by rank_in_scheme, manager_id collate "C"
"""

_ITEMS = """
select item.manager_id, item.kpi_id, item.metric_id, item.kpi_name as name, item.kpi_name_zh as name_zh, item.unit,
    item.decimals, item.kind, item.scoring, item.raw_value, item.target_value, item.attainment, item.missing_reason,
    item.score_before_limits, item.score, item.floor_score, item.cap_score, item.weight, item.effective_weight,
    item.points, item.case_count, dictionary.definition, dictionary.definition_zh,
    round(avg(item.score) over (partition by item.kpi_id), 4) as peer_mean
from mart.mart_manager_scorecard as item
left join mart.mart_manager_kpi_definition as dictionary on dictionary.metric_id = item.metric_id
where item.run_id = %(run)s
order by item.manager_id collate "C", item.item_no
"""

_EVIDENCE = """
select manager_id, metric_id, customer_id, customer_name_masked, subject_kind, subject_label, share, numerator, part
from (
    select evidence.*,
        numerator / nullif(sum(numerator) over (partition by manager_id, metric_id), 0) as part,
        row_number() over (
            partition by manager_id, metric_id order by abs(numerator) desc, evidence_id collate "C"
        ) as place
    from mart.mart_manager_scorecard_evidence as evidence
    where run_id = %(run)s
) as placed
where place <= %(shown)s
order by manager_id collate "C", metric_id collate "C", place
"""

_TREND = """
select manager_id, metric_id, period_month, metric_value
from mart.mart_manager_metric
where period_month <= %(month)s and period_month > %(month)s::date - make_interval(months => %(months)s)
order by manager_id collate "C", metric_id collate "C", period_month
"""
