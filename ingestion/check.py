"""Dry run: a real file against its contract, without a database (`c360 contract check FILE`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from ingestion.contract import Contract
from ingestion.control import Settled
from ingestion.examine import Examination
from ingestion.infer import property_lines
from ingestion.options import IngestOptions
from ingestion.readers.base import NEW, DriftSeen, Reject
from ingestion.receipt import file_sha256
from ingestion.refusal import Refusal
from ingestion.validation import Checked

SAMPLE = 20
VALUES_SAMPLED = 10_000


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
        drift: New and lost columns, and those with values of another type that land all the same.
        suggested: Properties for the contract that would take new columns in, in YAML.
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
    suggested: list[str] = field(default_factory=list)


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
    new: dict[str, pl.Series] = {}
    try:
        for checked in examination.blocks():
            _sample(checked, new)
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
    report.suggested = [property_lines(name, values) for name, values in new.items()]
    return report


def _sample(checked: Checked, new: dict[str, pl.Series]) -> None:
    """Adds to the values of columns that the contract lacks, up to a number."""
    found = {name[len(NEW) :]: checked.good[name] for name in checked.good.columns if name.startswith(NEW)}
    if checked.set_aside is not None:
        parts = checked.set_aside.partition_by("column_name", as_dict=True)
        found |= {str(name): part["value"] for (name,), part in parts.items()}
    for name, values in found.items():
        before = new.get(name, pl.Series(dtype=pl.String))
        new[name] = pl.concat([before, values.alias("")]).head(VALUES_SAMPLED)
