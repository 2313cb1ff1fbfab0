"""Reports of steps in one line of words, for the terminal, the log of a task and the record."""

from functools import singledispatch
from pathlib import Path

from assessment import AssessmentReport
from identity import IdentityReport
from ingestion.batch import BatchReport
from ingestion.erasure import ErasureReport
from warehouse.publication import PublicationReport


@singledispatch
def in_words(report: object) -> str:
    """What a step did, in one line; reports that word themselves are taken at their word."""
    return str(report)


@in_words.register
def _(report: BatchReport) -> str:
    loaded = [file for file in report.files if file.state == "loaded"]
    rows = sum(file.rows_loaded or 0 for file in loaded)
    kept = sum(file.rows_quarantined or 0 for file in loaded)
    return f"{report.state}: {len(loaded)} files, {rows:,} rows loaded, {kept:,} quarantined"


@in_words.register
def _(report: ErasureReport) -> str:
    rows = [sum(place.values()) for place in (report.raw, report.quarantined, report.warehouse)]
    return f"{rows[0]:,} rows overwritten in raw, {rows[1]:,} in quarantine, {rows[2]:,} in the warehouse"


@in_words.register
def _(report: IdentityReport) -> str:
    return (
        f"{report.customers:,} customers are {report.parties:,} parties: {report.created:,} created, "
        f"{report.linked:,} linked, {report.asked:,} pairs for a steward ({report.compared:,} compared: "
        f"{report.matches:,} match, {report.in_review:,} review)"
    )


@in_words.register
def _(report: PublicationReport) -> str:
    return (
        f"publication {report.number} is in force: {len(report.marts)} marts, {report.rows_added:,} rows added, "
        f"{report.rows_closed:,} closed"
    )


@in_words.register
def _(report: AssessmentReport) -> str:
    rows = ", ".join(f"{count:,} {table}" for table, count in report.rows.items())
    return f"{report.outcome}: run {report.run_id} by {report.scheme_version_id} ({rows or 'nothing new'})"


@in_words.register
def _(page: Path) -> str:
    return page.name
