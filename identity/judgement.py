"""What stewards have judged of pairs of customers: it stands above every rule and model (DESIGN decision 7)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

Key = tuple[str, str]
"""Source system and customer id."""

Pair = frozenset[Key]
"""Two customers, in no order."""


@dataclass(frozen=True)
class Judgements:
    """The judgements in force, each pair with the number of the decision.

    Attributes:
        linked: pairs that are one party, wherever the controllers may match at all.
        apart: pairs that are never one party.
    """

    linked: Mapping[Pair, int] = field(default_factory=dict)
    apart: Mapping[Pair, int] = field(default_factory=dict)

    def keeping_apart(self, some: Collection[Key], others: Collection[Key]) -> int | None:
        """Return the decision by which one of some and one of the others are not one party, None where none is."""
        if not self.apart:
            return None
        between = (self.apart.get(frozenset((one, other))) for one in some for other in others)
        return next((decision for decision in between if decision is not None), None)
