"""Every model says what it holds and of what one row is; every column of a mart is documented."""

import re
from pathlib import Path

import yaml

from pipeline import bus_matrix

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
MODELS = PROJECT / "models"


def described() -> dict[str, dict]:
    """The entries of all property files, by model."""
    files = [yaml.safe_load(file.read_text("utf-8")) or {} for file in MODELS.rglob("*.yml")]
    return {model["name"]: model for file in files for model in file.get("models", [])}


def test_every_model_states_its_grain() -> None:
    texts = {name: " ".join(model.get("description", "").split()) for name, model in described().items()}
    models = {file.stem for file in MODELS.rglob("*.sql")}
    assert {name for name in models if "Grain: one row per " not in texts.get(name, "")} == set()
    assert texts.keys() == models, "described, and not there"


def test_every_column_of_the_star_and_of_marts_is_documented_and_held_by_a_contract() -> None:
    held = {file.stem for folder in ("core", "marts") for file in (MODELS / folder).rglob("*.sql")}
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text("utf-8"))["models"]["c360"]
    assert project["core"]["+contract"] == project["marts"]["+contract"] == {"enforced": True}
    models = described()
    for name in held:
        assert "contract" not in models[name].get("config", {}), f"{name} opens its contract again"
        columns = models[name]["columns"]
        assert [column["name"] for column in columns if not column.get("description", "").strip()] == [], name


def test_marts_read_core_and_marts_and_only_results_read_sealed_assessments() -> None:
    for file in MODELS.rglob("mart_*.sql"):
        text = file.read_text("utf-8")
        assert re.findall(r"ref\('(?:stg|int)_\w+", text) == [], file.stem
        sources = set(re.findall(r"source\('(\w+)'", text))
        assert sources <= ({"assessment"} if "tags=['results']" in text else set()), f"{file.stem} reads {sources}"


def test_the_bus_matrix_is_that_of_the_models() -> None:
    assert bus_matrix.PAGE.read_text("utf-8") == bus_matrix.page(), "write it anew: python -m pipeline.bus_matrix"


def test_every_model_of_the_star_has_an_owner() -> None:
    assert [name for name, model in bus_matrix.described().items() if not bus_matrix.owner(model)] == []
