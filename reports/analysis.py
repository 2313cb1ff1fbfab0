"""What the page of customer analyses shows, read from the published marts in the transaction of the scorecards."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import psycopg
from psycopg.rows import class_row

SUSPECTS_SHOWN = 20
"""Suspect statements shown, the most overstated first; the mart holds all of them."""


@dataclass(frozen=True)
class Step:
    """One step of the 20/80 curve of the organisation with the most customers."""

    organisation_id: str
    as_of: date
    customer_share: Decimal
    party_count: int
    contribution_amount: Decimal
    contribution_share: Decimal | None


@dataclass(frozen=True)
class Suspect:
    """A suspect statement beside the series that contradicts it most; both values as they are."""

    party_id: str
    party_name_masked: str | None
    organisation_id: str | None
    period_start: date
    period_end: date
    reported_sales: Decimal
    series_name_zh: str
    series_value: Decimal
    implied_sales: Decimal
    ratio: Decimal | None
    greatest_ratio: Decimal
    verification_state: str


@dataclass(frozen=True)
class Rule:
    """What a rule of leads was worth, over all months and organisations."""

    rule_id: str
    rule_version: int
    rule_name_zh: str
    lead_count: int
    handled_rate: Decimal
    success_rate: Decimal | None


@dataclass(frozen=True)
class Analysis:
    """The analyses of one publication; empty lists where a mart has no rows."""

    curve: list[Step]
    suspects: list[Suspect]
    rules: list[Rule]

    @property
    def shares(self) -> list[tuple[Decimal, Decimal]]:
        """The points of the curve; none where nobody brings anything."""
        return [
            (step.customer_share, step.contribution_share) for step in self.curve if step.contribution_share is not None
        ]

    @property
    def top(self) -> Step | None:
        """The best fifth of the customers."""
        return next((step for step in self.curve if step.customer_share == Decimal("0.20")), None)


def read_analysis(session: psycopg.Connection) -> Analysis:
    """The analyses as published now.

    Args:
        session: a reader's session; the caller holds one repeatable-read transaction, so all of it is one publication.
    """
    return Analysis(
        curve=session.cursor(row_factory=class_row(Step)).execute(_CURVE).fetchall(),
        suspects=session.cursor(row_factory=class_row(Suspect)).execute(_SUSPECTS, [SUSPECTS_SHOWN]).fetchall(),
        rules=session.cursor(row_factory=class_row(Rule)).execute(_RULES).fetchall(),
    )


_CURVE = """
select organisation_id, as_of, customer_share, party_count, contribution_amount, contribution_share
from mart.mart_branch_value_curve
where (controller_id, organisation_id) = (
    select controller_id, organisation_id
    from mart.mart_branch_value_curve
    where customer_share = 1
    order by party_count desc, controller_id collate "C", organisation_id collate "C" limit 1
)
order by customer_share
"""

_SUSPECTS = """
select party_id, party_name_masked, organisation_id, period_start, period_end, reported_sales, series_name_zh,
    series_value, implied_sales, ratio, greatest_ratio, verification_state
from (
    select
        *,
        row_number() over (
            partition by source_system, statement_id order by ratio desc nulls first, series collate "C"
        ) as place
    from mart.mart_risk_statement_check
    where is_suspect and check_state = 'overstated'
) as compared
where place = 1
order by ratio desc nulls first, party_id collate "C", period_start
limit %s
"""

_RULES = """
select rule_id, rule_version, max(rule_name_zh) as rule_name_zh, count(*) as lead_count,
    count(*) filter (where disposition <> 'open') / count(*)::numeric as handled_rate,
    count(*) filter (where is_success) / nullif(count(*) filter (where disposition in ('won', 'lost')), 0)::numeric
        as success_rate
from mart.mart_customer_lead
where rule_version > 0
group by rule_id, rule_version
order by rule_id collate "C", rule_version
"""
