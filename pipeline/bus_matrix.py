"""The bus matrix: which facts and bridges of the star share which dimensions, from the models' own descriptions.

`python -m pipeline.bus_matrix` writes docs/bus_matrix.md anew (checklist, row 17).
"""

from collections.abc import Iterable
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[1]
CORE = CHECKOUT / "dbt_project" / "models" / "core"
PAGE = CHECKOUT / "docs" / "bus_matrix.md"
HEAD = """# Bus matrix 总线矩阵

Made from the descriptions of the models by `python -m pipeline.bus_matrix`; a test holds it current. A fact has the key
of every dimension marked, most also the key of the version that held on the fact's day. Every fact joins `dim_date` on
its own dates. Customers of a source lead to parties 客户 through `bridge_party_source`.
"""


def described() -> dict[str, dict]:
    """The described models of core by name, in alphabetical order."""
    files = [yaml.safe_load(path.read_text("utf-8")) for path in CORE.rglob("*.yml")]
    return dict(sorted((model["name"], model) for file in files for model in (file or {}).get("models", [])))


def page() -> str:
    """The whole page: facts and bridges by dimension, then the dimensions with their grain."""
    models = described()
    dimensions = [name.removeprefix("dim_") for name in models if name.startswith("dim_") and "_as_known" not in name]
    rows = {name: _dimensions_of(model, dimensions) for name, model in models.items() if not name.startswith("dim_")}
    shared = [one for one in dimensions if any(one in row for row in rows.values())]
    lines = [
        _row(["", *(one.replace("_", " ") for one in shared)]),
        _row(["---", *("---" for _ in shared)]),
        *(_row([f"`{name}`", *("●" if one in row else "" for one in shared)]) for name, row in rows.items()),
    ]
    facts = [_row(["fact or bridge", "grain", "owner"]), _row(["---"] * 3)]
    facts += [_row([f"`{name}`", _grain(models[name]), owner(models[name])]) for name in rows]
    masters = [_row(["dimension", "grain", "owner"]), _row(["---"] * 3)]
    masters += [_row([f"`{name}`", _grain(models[name]), owner(models[name])]) for name in models if name not in rows]
    parts = [HEAD, *lines, "\n## Facts and bridges 事实与桥接\n", *facts, "\n## Dimensions 维度\n", *masters]
    return "\n".join([*parts, ""])


def _dimensions_of(model: dict, dimensions: Iterable[str]) -> set[str]:
    """Dimensions whose durable key the model has, in any role."""
    keys = {
        column["name"].removesuffix("_key")
        for column in model.get("columns", [])
        if column["name"].endswith("_key") and not column["name"].endswith("_version_key")
    }
    found = set()
    for key in keys:
        fitting = [one for one in dimensions if key == one or key.endswith(f"_{one}")]
        found |= {max(fitting, key=len)} if fitting else set()
    return found


def _grain(model: dict) -> str:
    text = " ".join(model["description"].split())
    return text.partition("Grain: ")[2].rstrip(".").partition(". ")[0]


def owner(model: dict) -> str:
    """Who answers for a model; empty where nobody does."""
    return model.get("config", {}).get("meta", {}).get("owner", "")


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
