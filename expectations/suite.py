"""Suites as data: one YAML file each in ``suites/raw`` and ``suites/mart``.

A suite looks at one query of *measurements*: counts, sums, shares and dates by table, source, month or the like, one
row a subject. Its rows are never those of a person or an account, so results and Data Docs may show them whole.
"""

from functools import cache
from pathlib import Path
from typing import Any, Literal

import jinja2
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

SUITES = Path(__file__).with_name("suites")

Edge = Literal["raw", "mart"]
Severity = Literal["fail", "warn"]
Dimension = Literal["completeness", "accuracy", "timeliness", "consistency", "uniqueness", "validity"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Expected(_Frozen):
    """One expectation.

    Attributes:
        type: the class of Great Expectations, as ``ExpectColumnValuesToBeBetween``.
        kwargs: its arguments.
        severity: ``fail`` keeps the gate closed, ``warn`` is counted and shown.
        dimension: of quality, for the quality mart.
        why: the reason of the expectation and of its bounds.
    """

    type: str
    kwargs: dict[str, Any]
    severity: Severity
    dimension: Dimension
    why: str


class Suite(_Frozen):
    """One suite.

    Attributes:
        name: unique over both edges.
        about: the table or mart that is looked at.
        why: what the suite is there for.
        needs_sources: it applies only when all of these sources take part in the business date.
        needs_tables: relations that the query reads and that must be there, else the suite fails as a whole.
        measures: Jinja template of the query; see :func:`render`. A column ``subject`` names each row.
        parameters: thresholds and names used in the query, so that none is a literal in it.
        expectations: on the columns of the query.
    """

    name: str
    about: str
    why: str
    needs_sources: tuple[str, ...] = ()
    needs_tables: tuple[str, ...] = ()
    parameters: dict[str, Any] = Field(default_factory=dict)
    measures: str
    expectations: tuple[Expected, ...]

    @model_validator(mode="after")
    def _has_expectations(self) -> "Suite":
        if not self.expectations:
            raise ValueError(f"suite {self.name} expects nothing")
        return self


@cache
def load_suites(edge: Edge, folder: Path = SUITES) -> tuple[Suite, ...]:
    """Read the suites of one edge, in the order of their file names.

    Args:
        edge: ``raw`` or ``mart``.
        folder: holds a folder for each edge.

    Raises:
        pydantic.ValidationError: a suite lacks something or has what is unknown.
    """
    files = sorted((folder / edge).glob("*.yaml"))
    return tuple(Suite.model_validate(yaml.safe_load(file.read_text(encoding="utf-8"))) for file in files)


def render(suite: Suite, **facts: Any) -> str:
    """Return the query of a suite.

    Args:
        suite: the suite; its parameters are names in the template.
        facts: what the run knows: ``business_date``, ``sources``, ``files`` (of the business date, loaded: each with
            ``file_id``, ``source_system``, ``table_name``, ``rows_loaded``) and ``marts`` (each with ``name`` and
            ``rows_published``). ``literal`` quotes a text for SQL.

    Raises:
        jinja2.UndefinedError: the template names something else.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["literal"] = lambda text: "'" + str(text).replace("'", "''") + "'"
    environment.filters["identifier"] = lambda text: '"' + str(text).replace('"', '""') + '"'
    return environment.from_string(suite.measures).render(**suite.parameters, **facts).strip().rstrip(";")
