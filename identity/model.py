"""The model by which customers are compared: its definition as typed data, and the weights that training left."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

MODEL_FILE = Path(__file__).with_name("model.yaml")
WEIGHTS = Path(__file__).with_name("models")
PartyKind = Literal["person", "firm"]
KINDS: tuple[PartyKind, ...] = ("person", "firm")

Settings = dict[str, Any]
"""What Splink reads: comparisons with their probabilities, as its documentation says."""


class ModelError(RuntimeError):
    """There are no weights for the model as it is defined; the message says what to do."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Level(_Frozen):
    """One level of a comparison."""

    label: str
    sql_condition: str = "ELSE"
    is_null_level: bool = False
    m_probability: float | None = None
    u_probability: float | None = None

    def settings(self) -> Settings:
        """Return the level as Splink reads it; given probabilities are never learned."""
        known = {"m_probability": self.m_probability, "u_probability": self.u_probability}
        fixed = {} if self.m_probability is None else {"fix_m_probability": True, "fix_u_probability": True}
        return {
            "sql_condition": self.sql_condition,
            "label_for_charts": self.label,
            "is_null_level": self.is_null_level,
            **{name: value for name, value in known.items() if value is not None},
            **fixed,
        }


class Comparison(_Frozen):
    """One thing in which two customers are compared."""

    name: str
    levels: list[Level]

    def settings(self) -> Settings:
        """Return the comparison as Splink reads it."""
        return {
            "output_column_name": self.name,
            "comparison_levels": [level.settings() for level in self.levels],
        }


class Bands(_Frozen):
    """Least match weights of the two upper bands; below them is no match."""

    match: float
    review: float


class KindModel(_Frozen):
    """How the customers of one kind of party are compared."""

    blocking: list[list[str]]
    bands: Bands
    comparisons: list[Comparison]


class Model(_Frozen):
    """The definition of one version (``model.yaml``)."""

    version: str
    held_by_at_most: int = Field(ge=1)
    person: KindModel
    firm: KindModel

    @field_validator("version")
    @classmethod
    def _is_named(cls, version: str) -> str:
        if not version:
            raise ValueError("a model has a version")
        return version

    def of(self, kind: PartyKind) -> KindModel:
        """Return the part for persons or for firms."""
        return self.person if kind == "person" else self.firm


@cache
def load_model(path: Path = MODEL_FILE) -> Model:
    """Read the definition.

    Args:
        path: the YAML file.

    Raises:
        pydantic.ValidationError: something is missing or of the wrong type.
    """
    return Model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def unweighted(model: KindModel) -> Settings:
    """Return Splink's settings before training."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "customer_no",
        "comparisons": [comparison.settings() for comparison in model.comparisons],
        "blocking_rules_to_generate_predictions": [],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
    }


def weighted(model: Model, kind: PartyKind, folder: Path = WEIGHTS) -> Settings:
    """Return Splink's settings with the trained weights.

    Raises:
        ModelError: nothing was trained for this version.
    """
    path = folder / f"{kind}.json"
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
    if kept.get("version") != model.version:
        raise ModelError(
            f"{path.name} holds the weights of version {kept.get('version')}, model.yaml is version {model.version}: "
            "run `c360 identity train`"
        )
    return kept["settings"]
