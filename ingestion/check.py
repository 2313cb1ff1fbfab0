"""Dry run: a real file against its contract, without a database (`c360 contract check FILE`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from ingestion.contract import Contract
from ingestion.control import Settled
from ingestion.examine import Examination
from ingestion.options import IngestOptions
from ingestion.readers.base import DriftSeen, Reject
from ingestion.receipt import file_sha256
from ingestion.refusal import Refusal

SAMPLE = 20


@dataclass
class CheckReport:
    """What loading the file would do.

    Attributes:
        would: ``load`` or ``refuse``.
        rows_good: Rows that would be loaded.
        rows_rejected: Rows that would go to quarantine.
        rules: Broken rules as (rule, column, count).
        warnings: Rules of severity flag as (rule, column, count).
        sample: The first rejected rows.
        settled: The account with the control record; None where the file is refused.
        refusal: Why the file would be refused.
        drift: New and lost columns.
    """

    file_name: str
    table: str
    would: str = "load"
    rows_good: int = 0
    rows_rejected: int = 0
    rules: list[tuple[str, str | None, int]] = field(default_factory=list)
    warnings: list[tuple[str, str, int]] = field(default_factory=list)
    sample: list[Reject] = field(default_factory=list)
    settled: Settled | None = None
    refusal: Refusal | None = None
    drift: list[DriftSeen] = field(default_factory=list)


def check_file(
    contract: Contract,
    path: Path,
    business_date: date | None = None,
    control: Path | None = None,
    options: IngestOptions | None = None,
) -> CheckReport:
    """Reads a file by its contract and says what loading it would do; nothing is written.

    Args:
        contract: Contract to read by.
        path: The file.
        business_date: Date it was sent for; finds the control file and checks the header's date. None skips both.
        control: The control file, where it does not stand beside the file under its contract name.
        options: Settings of ingestion; from the environment if not given.
    """
    options = options or IngestOptions()
    if control is None and business_date is not None and contract.control.kind == "control_file":
        control = path.with_name(contract.control_file_name(business_date) or "")
    report = CheckReport(path.name, f"{contract.source}.{contract.table}")
    examination = Examination(contract, path, options, business_date, control)
    try:
        for checked in examination.blocks():
            report.sample += checked.rejects[: SAMPLE - len(report.sample)]
        report.settled = examination.settle(file_sha256(path))
    except Refusal as refusal:
        report.would, report.refusal = "refuse", refusal
    except FileNotFoundError:
        report.would = "refuse"
        report.refusal = Refusal("unreadable", "there is no such file", "Check the path", path.name)
    report.rows_good, report.rows_rejected = examination.tally.loaded, examination.tally.quarantined
    report.rules = [(rule, column, count) for (rule, column), count in examination.rules.most_common()]
    report.warnings = [(rule, column, count) for (rule, column), count in examination.warned.most_common()]
    report.drift = examination.drift
    return report
