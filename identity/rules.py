"""The rules of resolution as typed data."""

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

RULES_FILE = Path(__file__).with_name("rules.yaml")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IdentifierRule(_Frozen):
    """One kind of identifier by which customers may be linked."""

    kind: str
    party_kind: str
    id_types: list[str]
    check: str
    name_likeness: float = Field(ge=0, le=1)


class Rules(_Frozen):
    """All rules of one version (``rules.yaml``)."""

    version: str
    held_by_at_most: int = Field(ge=1)
    identifiers: list[IdentifierRule]
    placeholders: dict[str, list[str]]
    placeholder_phones: list[str]
    firm_suffixes: list[str]

    def likeness_of(self, kind: str) -> float:
        """Return the least likeness of names that a link by an identifier of this kind needs, 0 to 1."""
        return next(rule.name_likeness for rule in self.identifiers if rule.kind == kind)


@cache
def load_rules(path: Path = RULES_FILE) -> Rules:
    """Read the rules.

    Args:
        path: the YAML file.

    Raises:
        pydantic.ValidationError: a rule is missing or of the wrong type.
    """
    return Rules.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
