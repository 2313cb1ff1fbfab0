"""Submissions: the number, kind and origin of a package, in the ledger and in its manifest."""

import json
from dataclasses import dataclass
from datetime import UTC, date
from importlib.metadata import version

import psycopg
from psycopg.rows import dict_row

from regulatory.package import PackagedFile
from regulatory.profile import Profile
from warehouse.cut import DataCut

GENERATOR = f"c360 {version('c360')}"


@dataclass(frozen=True)
class Submission:
    """One package as it is numbered and recorded.

    Attributes:
        sequence: number within profile and period, from 1.
        kind: `first`, or `replacement` of `replaces`.
        spec_hash: SHA-256 over the profile as loaded.
        content_hash: SHA-256 over names and hashes of the data files.
        folder: of the package, relative to the folder of all packages.
    """

    profile: Profile
    period_end: date
    sequence: int
    kind: str
    reason: str
    replaces: int | None
    cut: DataCut
    spec_hash: str
    content_hash: str

    @property
    def folder(self) -> str:
        """`<profile>/<period>/<sequence>`."""
        return f"{self.profile.profile}/{self.period_end:%Y-%m}/{self.sequence:03d}"

    def manifest(self, files: tuple[PackagedFile, ...]) -> dict[str, object]:
        """What is in the package and what it was made from: no clock and no host, so the same for the same cut."""
        return {
            "profile": self.profile.profile,
            "name": f"{self.profile.name} {self.profile.name_zh}",
            "regulator": self.profile.regulator,
            "spec_version": self.profile.spec_version,
            "spec_sha256": self.spec_hash,
            "period_end": self.period_end.isoformat(),
            "sequence": self.sequence,
            "kind": self.kind,
            "reason": self.reason,
            "data_cut": {
                "publication": self.cut.publication,
                "as_of": self.cut.as_of.isoformat(),
                "known_at": self.cut.known_at.astimezone(UTC).isoformat(),
            },
            "content_sha256": self.content_hash,
            "generator": GENERATOR,
            "files": [
                {
                    "table": file.table,
                    "archive": {"name": file.archive_name, "bytes": file.archive_bytes, "sha256": file.archive_sha256},
                    "data": {
                        "name": file.data_name,
                        "rows": file.rows,
                        "bytes": file.bytes,
                        "sha256": file.sha256,
                        "md5": file.md5,
                    },
                    "control_totals": file.control_totals,
                }
                for file in files
            ],
        }

    def record(
        self, ledger: psycopg.Connection, files: tuple[PackagedFile, ...], findings_to_verify: int, read_as: str
    ) -> None:
        """Write submission and files into the ledger; the caller commits when the package is in place."""
        row = {
            "profile": self.profile.profile,
            "spec_version": self.profile.spec_version,
            "period_end": self.period_end,
            "sequence": self.sequence,
            "kind": self.kind,
            "reason": self.reason,
            "replaces_submission_id": self.replaces,
            "publication": self.cut.publication,
            "as_of": self.cut.as_of,
            "known_at": self.cut.known_at,
            "spec_hash": self.spec_hash,
            "content_hash": self.content_hash,
            "generator_version": GENERATOR,
            "folder": self.folder,
            "findings_to_verify": findings_to_verify,
            "read_as": read_as,
        }
        found = _insert(ledger, "regulatory_submission", row, "returning submission_id").fetchone()
        assert found is not None
        for file in files:
            row = {
                "submission_id": found[0],
                "file_name": file.data_name,
                "table_name": file.table,
                "row_count": file.rows,
                "bytes": file.bytes,
                "sha256": file.sha256,
                "md5": file.md5,
                "archive_name": file.archive_name,
                "archive_bytes": file.archive_bytes,
                "archive_sha256": file.archive_sha256,
                "control_totals": json.dumps(file.control_totals),
            }
            _insert(ledger, "regulatory_submission_file", row)


def last_submission(ledger: psycopg.Connection, profile_id: str, period_end: date) -> dict | None:
    """The ledger's row of the last submission of a profile and period, None before the first."""
    return (
        ledger.cursor(row_factory=dict_row)
        .execute(
            """
            select submission_id, sequence, kind, content_hash, spec_hash, folder from ops.regulatory_submission
            where profile = %s and period_end = %s order by sequence desc limit 1
            """,
            [profile_id, period_end],
        )
        .fetchone()
    )


def _insert(ledger: psycopg.Connection, table: str, row: dict[str, object], rest: str = "") -> psycopg.Cursor:
    values = ", ".join(f"%({column})s" for column in row)
    return ledger.execute(f"insert into ops.{table} ({', '.join(row)}) values ({values}) {rest}", row)  # type: ignore
