"""Why a file, a contract or a batch is not taken: one exception that names file, line and rule and says what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Refusal(Exception):
    """A whole file (or contract) is refused.

    Args:
        rule: Short name of the broken rule, e.g. ``encoding`` or ``control_rows``.
        message: What is wrong, with the values seen and expected.
        advice: What the reader of the message can do next.
        file: Name of the file.
        line: Line of the file (1-based) where the problem was seen, if it has one.
    """

    rule: str
    message: str
    advice: str
    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line is not None else self.file
        return f"{place}: [{self.rule}] {self.message}. {self.advice}"


class ContractError(Refusal):
    """A contract file breaks the standard or a rule of this project."""
