"""Assessment runs of customer managers (客户经理): pinned, sealed, never silently changed."""

from assessment.period import Period, last_closed_month
from assessment.rerun import Rerun, rerun
from assessment.rules import RulesRefused, check_rules
from assessment.run import AssessmentRefused, AssessmentReport, assess, decide, differences

__all__ = [
    "AssessmentRefused",
    "AssessmentReport",
    "Period",
    "Rerun",
    "RulesRefused",
    "assess",
    "check_rules",
    "decide",
    "differences",
    "last_closed_month",
    "rerun",
]
