"""Placing the real data sets into landing."""

from pathlib import Path

import pytest

from pipeline.real_data import RealDataMissing, land_real_data, real_data_sets
from pipeline.schema import contracts
from warehouse.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """A folder with a file of a few bytes under every contracted name."""
    for source, data_set in real_data_sets().items():
        for contract in contracts()[source].values():
            file = tmp_path / "sets" / data_set.folder / contract.file_name(data_set.business_date)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{source} {contract.table}")
    return tmp_path / "sets"


def landed(settings: Settings) -> dict[str, str]:
    files = (path for path in settings.landing.rglob("*") if path.is_file())
    return {path.relative_to(settings.landing).as_posix(): path.read_text() for path in files}


def test_every_contracted_file_lands_under_its_business_date(settings: Settings, sets: Path) -> None:
    told = []
    dates = land_real_data(settings, sets, lambda done, total, name: told.append((done, total)))
    assert {source: day.isoformat() for source, day in dates.items()} == {
        "berka": "1998-12-31",
        "tabformer": "2020-02-28",
        "sgsc": "2014-03-03",
    }
    assert landed(settings)["berka/1998-12-31/trans.first100k.asc.gz"] == "berka trans"
    assert len(landed(settings)) == 12 and told == [(done, 12) for done in range(1, 13)]


def test_landing_again_touches_only_what_differs(settings: Settings, sets: Path) -> None:
    land_real_data(settings, sets)
    before = {path: path.stat().st_mtime_ns for path in settings.landing.rglob("*.*") if path.is_file()}
    (sets / "berka" / "loan.asc").write_text("another content")
    land_real_data(settings, sets)
    changed = {path.name for path in before if path.stat().st_mtime_ns != before[path]}
    assert changed == {"loan.asc"}
    assert landed(settings)["berka/1998-12-31/loan.asc"] == "another content"


def test_a_missing_file_is_named_and_nothing_lands(settings: Settings, sets: Path) -> None:
    (sets / "sgsc" / "sgsc_halfhourly.parquet").unlink()
    with pytest.raises(RealDataMissing, match=r"lacks sgsc/sgsc_halfhourly\.parquet\. Put the file"):
        land_real_data(settings, sets)
    assert landed(settings) == {}


def test_a_missing_folder_says_how_to_name_one(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(RealDataMissing, match="make demo-real DATA=FOLDER"):
        land_real_data(settings, tmp_path / "nowhere")
