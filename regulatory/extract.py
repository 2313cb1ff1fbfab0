"""Making a package for a regulator: read as his officer, validate every row, number it, write it all or not at all."""

import csv
import hashlib
import re
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

import polars as pl
import psycopg

from regulatory.package import (
    DataFile,
    PackagedFile,
    close_table,
    move_into_place,
    staging_folder,
    write_manifest,
)
from regulatory.profile import PROFILES, Profile, ReportTable, load_profile
from regulatory.reading import blocks, control_totals
from regulatory.rendering import context, render, to_bytes
from regulatory.submission import Submission, last_submission
from regulatory.validation import Finding, Validator
from warehouse.connection import connect
from warehouse.cut import DataCut, data_cut
from warehouse.settings import Settings

LOGIN = "regina"
"""The regulator's officer (监管报送岗): his rights decide what can be read."""


class ExtractRefused(RuntimeError):
    """No package can be made; the message says why. Nothing was written."""


class ValidationFailed(ExtractRefused):
    """Rows break the specification: there is no package, and `report` names them and the file that lists them."""

    def __init__(self, report: "PackageReport") -> None:
        lines = [
            f"  {finding.table} row {finding.row} ({finding.key}) {finding.field}: {finding.rule}, {finding.message}"
            for finding in report.findings[:20]
        ]
        super().__init__("\n".join([report.message, *lines]))
        self.report = report


@dataclass(frozen=True)
class PackageReport:
    """What `extract` did.

    Attributes:
        outcome: `packaged`: a new package; `unchanged`: the last one of the period holds the same data;
            `refused`: rows break the specification (only in `ValidationFailed`).
        folder: the package, or None where refused.
        findings_file: the findings as a table, None where there are none.
        must_fix, must_verify: broken rules in number; `findings` holds the first of them in words.
    """

    outcome: Literal["packaged", "unchanged", "refused"]
    profile: str
    spec_version: str
    period_end: date
    cut: DataCut
    sequence: int | None = None
    kind: str | None = None
    folder: Path | None = None
    files: tuple[PackagedFile, ...] = ()
    must_fix: int = 0
    must_verify: int = 0
    findings: tuple[Finding, ...] = ()
    findings_file: Path | None = None
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """One line for people."""
        name = f"{self.profile} {self.period_end:%Y-%m}"
        match self.outcome:
            case "unchanged":
                return f"{name}: package {self.sequence} already holds this data, nothing to do"
            case "refused":
                return f"{name}: no package, {self.must_fix} values must be fixed first, see {self.findings_file}"
            case _:
                rows = sum(file.rows for file in self.files)
                verify = f", {self.must_verify} values to verify" if self.must_verify else ""
                return f"{name}: package {self.sequence} ({self.kind}) of {len(self.files)} files, {rows} rows{verify}"

    def __str__(self) -> str:
        return self.message


def extract(
    settings: Settings,
    profile_id: str,
    period: str,
    login: str = LOGIN,
    reason: str | None = None,
    profiles: Path = PROFILES,
) -> PackageReport:
    """Make the package of a profile for one month under `<home>/out/packages/<profile>/<period>/<sequence>/`.

    All tables are read in one repeatable-read transaction of the officer's login, so from one publication. Every row is
    validated; one broken *must fix* rule and there is no package but a readable list. The same data again is a no-op;
    other data for the same period is the next number, of kind replacement.

    Args:
        settings: name the home.
        profile_id: as in `profile:` of a YAML file of `regulatory/profiles/`.
        period: the month, YYYY-MM.
        login: reads the marts.
        reason: why a replacement is made; None: that the data changed.
        profiles: folder of the profiles.

    Raises:
        ValidationFailed: rows break the specification.
        ExtractRefused: the period is not over in the data or has no rows at all.
        ProfileError: no such profile, or none valid in the period.
        ValueError: `period` is no month.
    """
    period_end = _month_end(period)
    profile = load_profile(profile_id, period_end, profiles)
    packages = settings.out / "packages" / profile.profile
    with connect() as ledger, connect(login) as reader, ledger.transaction(), reader.transaction():
        ledger.execute(
            "select pg_advisory_xact_lock(hashtext('regulatory'), hashtext(%s))", [f"{profile.profile}/{period}"]
        )
        reader.execute("set transaction isolation level repeatable read, read only")
        reader.execute("set local datestyle to 'ISO, YMD'")
        publication = reader.execute("select number from mart.publication").fetchone()
        cut = data_cut(ledger, publication[0] if publication else None)
        if cut.as_of < period_end:
            raise ExtractRefused(f"{period} is not over in publication {cut.publication}, which ends on {cut.as_of}")
        with staging_folder(packages, period) as staged:
            tables = [_write_table(reader, profile, table, period_end, staged) for table in profile.tables]
            if not any(validator.rows for _, validator, _ in tables):
                raise ExtractRefused(
                    f"the marts of publication {cut.publication} hold no rows of {period} for {profile_id}"
                )
            return _conclude(ledger, packages, staged, profile, period_end, cut, tables, login, reason)


def _month_end(period: str) -> date:
    match = re.fullmatch(r"(\d{4})-(\d{2})", period)
    if not match or not 1 <= int(match[2]) <= 12:
        raise ValueError(f"{period!r} is no month: write YYYY-MM, such as 2026-10")
    year, month = int(match[1]), int(match[2])
    return date(year, month, monthrange(year, month)[1])


def _write_table(
    reader: psycopg.Connection, profile: Profile, table: ReportTable, period_end: date, staged: Path
) -> tuple[DataFile, Validator, dict[str, str]]:
    """Render and validate one table into its data file; answers with the file, the validator and the control totals."""
    rendering = profile.rendering
    name = rendering.file_name.format(**context(profile, table, period_end)) + rendering.data_suffix
    data = DataFile(staged / name, rendering.line_end.encode(rendering.encoding), rendering.final_line_end)
    validator = Validator(profile, table, period_end)
    totals = dict.fromkeys(table.control_totals, Decimal(0))
    for block in blocks(reader, table, period_end):
        rendered = render(block, profile, table, period_end)
        validator.check(rendered)
        if validator.must_fix:
            continue
        data.write(to_bytes(rendered, profile, table))
        for column in table.control_totals:
            totals[column] += rendered[column].cast(pl.Decimal(38, 5)).sum()
    data.close()
    counted, sums = control_totals(reader, table, period_end)
    if not validator.must_fix:
        validator.tie_out(counted, {name: (totals[name], Decimal(total)) for name, total in sums.items()})
    return data, validator, {name: format(total.normalize(), "f") for name, total in totals.items()}


def _conclude(
    ledger: psycopg.Connection,
    packages: Path,
    staged: Path,
    profile: Profile,
    period_end: date,
    cut: DataCut,
    tables: list[tuple[DataFile, Validator, dict[str, str]]],
    login: str,
    reason: str | None,
) -> PackageReport:
    """Refuse, recognise, or number, write and record the package."""
    period = f"{period_end:%Y-%m}"
    findings = tuple(finding for _, validator, _ in tables for finding in validator.findings)
    report = {
        "profile": profile.profile,
        "spec_version": profile.spec_version,
        "period_end": period_end,
        "cut": cut,
        "must_fix": sum(validator.must_fix for _, validator, _ in tables),
        "must_verify": sum(validator.must_verify for _, validator, _ in tables),
        "findings": findings,
        "rows": {table.table: validator.rows for table, (_, validator, _) in zip(profile.tables, tables, strict=True)},
    }
    findings_file = packages / period / "findings.csv"
    findings_file.unlink(missing_ok=True)
    if findings:
        _write_findings(findings_file, findings)
        report["findings_file"] = findings_file
    if report["must_fix"]:
        raise ValidationFailed(PackageReport(outcome="refused", **report))

    content_hash = _hash([f"{data.path.name} {data.sha256}" for data, _, _ in tables])
    spec_hash = _hash([profile.model_dump_json()])
    last = last_submission(ledger, profile.profile, period_end)
    if last and (last["content_hash"], last["spec_hash"]) == (content_hash, spec_hash):
        folder = packages.parent / last["folder"]
        if not folder.is_dir():
            raise ExtractRefused(
                f"package {last['folder']} is in the ledger and not on disk: restore it from the archive"
            )
        return PackageReport(outcome="unchanged", sequence=last["sequence"], kind=last["kind"], folder=folder, **report)

    submission = Submission(
        profile=profile,
        period_end=period_end,
        sequence=last["sequence"] + 1 if last else 1,
        kind="replacement" if last else "first",
        reason=reason or (f"data changed since package {last['sequence']}" if last else "period due"),
        replaces=last["submission_id"] if last else None,
        cut=cut,
        spec_hash=spec_hash,
        content_hash=content_hash,
    )
    files = tuple(
        close_table(profile, staged, table.table, data, validator.rows, totals, cut.known_at)
        for table, (data, validator, totals) in zip(profile.tables, tables, strict=True)
    )
    write_manifest(staged, submission.manifest(files))
    submission.record(ledger, files, report["must_verify"], login)
    package = packages.parent / submission.folder
    move_into_place(staged, package)
    return PackageReport(
        outcome="packaged", sequence=submission.sequence, kind=submission.kind, folder=package, files=files, **report
    )


def _hash(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _write_findings(path: Path, findings: tuple[Finding, ...]) -> None:
    """The list of findings as a table that a spreadsheet opens (UTF-8 with signature)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["table", "row", "key", "field", "rule", "severity", "value", "message"])
        writer.writerows([f.table, f.row, f.key, f.field, f.rule, f.severity, f.value, f.message] for f in findings)
