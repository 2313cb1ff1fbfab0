"""One file through its reader and its rules: what the load and the dry run have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from ingestion.contract import Contract
from ingestion.control import Settled, Tally, read_control_file, settle
from ingestion.erasure import Overwritten
from ingestion.evolution import parted
from ingestion.options import IngestOptions
from ingestion.readers import open_reader
from ingestion.readers.base import DriftSeen
from ingestion.readers.text import RESEND
from ingestion.refusal import Refusal
from ingestion.validation import Checked, Validator

HOPELESS = 1_000_000


class Examination:
    """Reads a file once, block by block, counts what it yields, and settles the account at the end.

    Args:
        contract: Contract of the file.
        path: The file.
        options: Settings of ingestion.
        business_date: Date the file was sent for; None skips the checks that need it.
        control_path: The control file, None where the sender sends none.
        overwrite: Takes the personal values out of rows that speak of erased persons; None where nobody was erased.
    """

    def __init__(
        self,
        contract: Contract,
        path: Path,
        options: IngestOptions,
        business_date: date | None,
        control_path: Path | None,
        overwrite: Callable[[pl.DataFrame], Overwritten] | None = None,
    ) -> None:
        self.contract = contract
        self.path = path
        self._control_path = control_path
        self._allowed = options.rejects_allowed
        self._limit = options.reject_threshold if contract.reject_threshold is None else contract.reject_threshold
        self._reader = open_reader(contract, path, options, business_date)
        self._validator = Validator(contract, options, business_date=business_date)
        self._business_date = business_date
        self._overwrite = overwrite or Overwritten
        self.tally = Tally()
        self.rules: Counter[tuple[str, str | None]] = Counter()
        self.warned: Counter[tuple[str, str]] = Counter()
        self._first_reject: tuple[int, str] | None = None
        self._newest: str | None = None

    @property
    def drift(self) -> list[DriftSeen]:
        """Columns that are new or lost, and those with values that are not of their type and landed all the same."""
        policy, columns = self.contract.drift.changed_type, self.contract.by_name
        changed = [column for rule, column in self.warned if rule == "type"]
        return [
            *self._reader.drift,
            *(DriftSeen("changed_type", columns[name].file_header, policy) for name in sorted(changed)),
        ]

    def blocks(self) -> Iterator[Checked]:
        """Yields checked blocks.

        Raises:
            Refusal: The control file is missing, the file as a whole cannot be read, or so many rows are rejected that
                there is no hope in the others (a bomb of line feeds would fill the disk).
        """
        self._declared = None
        if self._control_path is not None:
            self._declared = read_control_file(self.contract, self._control_path, self.path.name)
        for block in self._reader.blocks():
            self._validator.expect(self._reader.drift)
            checked = self._validator(block)
            landing = self._overwrite(checked.good)
            self._count(checked, landing)
            checked.good, checked.set_aside = parted(self.contract, landing.rows)
            checked.is_erased = landing.is_erased
            if self._is_hopeless():
                raise self._rejected_rows("; reading stopped there")
            yield checked

    def settle(self, sha256: str) -> Settled:
        """Compares with the control record, then with the bounds of the contract and the threshold of rejected rows.

        Raises:
            Refusal: Any rule of `control.settle`, ``row_count``, ``freshness``, ``changed_type`` or ``rejected_rows``.
        """
        settled = settle(self.contract, self._reader, self.tally, self._declared, sha256)
        self._assert_row_count()
        self._assert_fresh()
        line, message = self._first_reject or (None, "")
        if self.contract.drift.changed_type == "refuse" and (
            wrong := sorted(c or "" for r, c in self.rules if r == "type")
        ):
            raise Refusal(
                "changed_type",
                f"values of {', '.join(wrong)} are not of the contract's type ({message})",
                "Agree the change with the sender, then change the contract or its drift policy",
                self.path.name,
                line,
            )
        if self._too_many_rejected():
            raise self._rejected_rows()
        return settled

    def _assert_row_count(self) -> None:
        rows, bounds = self.tally.rows, self.contract.row_count
        if bounds.minimum <= rows and (bounds.maximum is None or rows <= bounds.maximum):
            return
        agreed = (
            f"at least {bounds.minimum:,}" if bounds.maximum is None else f"{bounds.minimum:,} to {bounds.maximum:,}"
        )
        raise Refusal(
            "row_count",
            f"the file has {rows:,} rows; the contract expects {agreed}",
            "Ask the sender whether the file is whole; agree other bounds in the contract if it is",
            self.path.name,
        )

    def _assert_fresh(self) -> None:
        agreed, day = self.contract.freshness, self._business_date
        if agreed is None or day is None or self._newest is None:
            return
        newest = date.fromisoformat(self._newest)
        if newest < day - timedelta(days=agreed.days):
            raise Refusal(
                "freshness",
                f"the newest {agreed.column} is {newest}, more than {agreed.days} days before {day}",
                "Ask the sender whether it is the file of the right day; agree another bound in the contract if it is",
                self.path.name,
            )

    def _too_many_rejected(self) -> bool:
        by_agreement = sum(count for (rule, _), count in self.rules.items() if rule == "lost_column")
        return self.tally.quarantined - by_agreement > max(self._allowed, self._limit * self.tally.rows)

    def _is_hopeless(self) -> bool:
        rejected = self.tally.quarantined
        return rejected >= HOPELESS and 2 * rejected > self.tally.rows and self._too_many_rejected()

    def _rejected_rows(self, remark: str = "") -> Refusal:
        tally, (line, message) = self.tally, self._first_reject or (None, "")
        share = tally.quarantined / tally.rows
        return Refusal(
            "rejected_rows",
            f"{tally.quarantined:,} of {tally.rows:,} rows ({share:.1%}) break a rule, more than "
            f"{self._limit:.1%}: {self.broken_rules()}; first: {message}{remark}",
            "Look at the rejected rows in quarantine, then have the file corrected or the contract changed; "
            + RESEND[0].lower()
            + RESEND[1:],
            self.path.name,
            line,
        )

    def broken_rules(self) -> str:
        """Broken rules with their columns and counts, the most frequent first."""
        return ", ".join(
            f"{rule}{f' {column}' if column else ''} {count:,}" for (rule, column), count in self.rules.most_common(5)
        )

    def _count(self, checked: Checked, landing: Overwritten) -> None:
        tally, counts_amounts = self.tally, self.contract.control.amount_column is not None
        tally.loaded += checked.good.height - landing.erased
        tally.erased += landing.erased
        tally.quarantined += len(checked.rejects)
        tally.amount_loaded += checked.amount - landing.amount
        tally.amount_erased += landing.amount
        for reject in checked.rejects:
            self.rules[reject.rule, reject.column] += 1
            if reject.amount is not None:
                tally.amount_quarantined += reject.amount
            elif counts_amounts:
                tally.amounts_unreadable += 1
            if self._first_reject is None or reject.line < self._first_reject[0]:
                self._first_reject = (
                    reject.line,
                    f"rule {reject.rule}" + (f" on {reject.column}" if reject.column else ""),
                )
        for warning in checked.warnings:
            self.warned[warning.rule, warning.column] += 1
        if self.contract.freshness and checked.good.height:
            days = checked.good[self.contract.freshness.column].cast(pl.String).str.replace_all("-", "", literal=True)
            newest = days.str.head(8).max()
            self._newest = max(filter(None, (self._newest, newest)), default=None)  # type: ignore[type-var]
