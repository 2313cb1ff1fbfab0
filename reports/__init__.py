"""Static pages for managers (考核成绩单): no metric is computed here, pages show what the marts hold."""

from reports.page import ReportRefused, report

__all__ = ["ReportRefused", "report"]
