"""Checks at the two edges, raw and marts, and the gate before publication (DESIGN decisions 12 and 14).

Importing this room costs nothing; Great Expectations is loaded when the first check runs.
"""

from expectations.gate import GateClosed, check_marts, check_raw
from expectations.result import CheckReport, CheckResult, next_run_key, record

__all__ = ["CheckReport", "CheckResult", "GateClosed", "check_marts", "check_raw", "next_run_key", "record"]
