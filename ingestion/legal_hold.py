"""Holds of the law (法定保存): rules of `legal_hold.yaml` with dated terms, which contracts name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import yaml

FILE = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True)
class Term:
    """How long records must be kept by one version of a law.

    Attributes:
        in_force: First day of the version.
        period: As a contract writes it, such as ``10 y``.
        source: The law.
        article: Its article.
    """

    in_force: date
    period: str
    source: str
    article: int


@dataclass(frozen=True)
class LegalHold:
    """A law that forbids to erase, with its terms in the order of their dates."""

    name: str
    terms: tuple[Term, ...]


@cache
def legal_holds() -> dict[str, LegalHold]:
    """All rules by the names by which contracts call them."""
    rules = yaml.safe_load(FILE.read_text("utf-8"))
    return {
        hold: LegalHold(
            rule["name"], tuple(sorted((Term(**term) for term in rule["terms"]), key=lambda term: term.in_force))
        )
        for hold, rule in rules.items()
    }
