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


def test_every_model_has_an_owner() -> None:
    """Its own, or that of its folder in dbt_project.yml."""
    assert [name for name, model in bus_matrix.described().items() if not bus_matrix.owner(model)] == []
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text("utf-8"))["models"]["c360"]
    models = described()
    without = set()
    for file in MODELS.rglob("*.sql"):
        owner, settings = models[file.stem].get("config", {}).get("meta", {}).get("owner"), project
        for folder in file.relative_to(MODELS).parts[:-1]:
            settings = settings.get(folder, {})
            owner = owner or settings.get("+meta", {}).get("owner")
        without |= set() if owner else {file.stem}
    assert without == set()


def test_every_model_is_tested_in_its_layer() -> None:
    """The star and marts by tests of dbt; a change log by its primary key; staging by the shape that a feed asks."""
    models, singular = described(), " ".join(file.read_text("utf-8") for file in (PROJECT / "tests").glob("*.sql"))
    properties = [yaml.safe_load(file.read_text("utf-8")) or {} for file in MODELS.rglob("*.yml")]
    in_units = {unit["model"] for file in properties for unit in file.get("unit_tests", [])}
    read = " ".join(
        file.read_text("utf-8") for folder in ("macros", "models") for file in (PROJECT / folder).rglob("*.sql")
    )
    fed = {
        feed if isinstance(feed, str) else feed["model"]
        for feeds in yaml.safe_load((PROJECT / "dbt_project.yml").read_text("utf-8"))["vars"]["feeds"].values()
        for feed in feeds
    }
    untested = set()
    for file in MODELS.rglob("*.sql"):
        name, model = file.stem, models[file.stem]
        own = [
            *model.get("data_tests", []),
            *(one for c in model.get("columns", []) for one in c.get("data_tests", [])),
        ]
        tested = own or name in in_units or f"ref('{name}')" in singular
        tested = tested or (name.startswith("stg_") and (name in fed or f"ref('{name}')" in read))
        tested = tested or (name.endswith("__changes") and "{{ change_log(" in file.read_text("utf-8"))
        untested |= set() if tested else {name}
    assert untested == set()


def test_layers_are_read_one_way() -> None:
    """Staging reads raw; change logs read staging; the star reads logs and itself; nothing else names a raw source."""
    may_read = {
        "staging": set(),
        "intermediate": {"stg", "int"},
        "core": {"int", "dim", "fct", "bridge"},
        "marts": {"dim", "fct", "bridge", "mart"},
    }
    seeds = {file.stem for file in (PROJECT / "seeds").glob("*.csv")}
    raw = {folder.name for folder in (MODELS / "staging").iterdir() if folder.is_dir()}
    for file in MODELS.rglob("*.sql"):
        layer, text = file.relative_to(MODELS).parts[0], file.read_text("utf-8")
        refs = set(re.findall(r"ref\('(\w+)'\)", text)) - seeds
        assert {name.partition("_")[0] for name in refs} <= may_read[layer], f"{file.stem} reads {sorted(refs)}"
        assert layer == "staging" or not raw & set(re.findall(r"source\('(\w+)'", text)), f"{file.stem} reads raw"


def test_names_are_names_of_postgresql() -> None:
    """63 bytes: what is longer PostgreSQL cuts without a word."""
    models = described()
    names = {file.stem for folder in ("models", "tests", "seeds") for file in (PROJECT / folder).rglob("*.*")}
    names |= {f"rebuild_{name}" for name in ("intermediate", "mart_build")}
    names |= {column["name"] for model in models.values() for column in model.get("columns", [])}
    assert [name for name in names if len(name.encode()) > 63] == []
