"""What dbt gives the macros when it compiles, for sqlfluff, which renders the models without dbt or a database.

sqlfluff has `ref`, `source`, `return` and the like of its own (see `.sqlfluff`); it finds here by name what those lack.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from jinja2 import pass_context
from jinja2.runtime import Context

_PROJECT = yaml.load(Path(__file__).parents[1].joinpath("dbt_project.yml").read_text("utf-8"), yaml.CSafeLoader)

execute = False
invocation_id = "invocation"


class _Config:
    """The configuration of a model of the star."""

    def __call__(self, **settings: Any) -> str:
        return ""

    def get(self, name: str) -> Any:
        return {"contract": SimpleNamespace(enforced=True)}[name]


config = _Config()


def var(name: str, default: Any = None) -> Any:
    """Return the variable of `dbt_project.yml`."""
    return _PROJECT["vars"].get(name, default)


def load_cached_relation(relation: Any) -> Any:
    """Return the relation: each is there."""
    return relation


@pass_context
def _dispatch(context: Context, name: str, package: str) -> Any:
    """Return PostgreSQL's form of a macro."""
    return context[f"postgres__{name}"]


adapter = SimpleNamespace(
    dispatch=_dispatch, get_columns_in_relation=lambda relation: [SimpleNamespace(name="source_system")]
)
