"""One simulated world for all tests of the simulator, and its files as tables."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from ingestion.contract import Contract, load_contracts
from ingestion.examine import Examination
from ingestion.options import IngestOptions
from ingestion.validation import BASIC_DATE, value_of
from simulator import SimulationReport, simulate
from warehouse.settings import Settings


@pytest.fixture(scope="session")
def contracts() -> dict[str, dict[str, Contract]]:
    return load_contracts()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SimulationReport]:
    """Home and report of the default world."""
    home = tmp_path_factory.mktemp("world")
    return home, simulate(Settings(home=home))


@pytest.fixture(scope="session")
def truth(world: tuple[Path, SimulationReport]) -> Callable[[str], pl.DataFrame]:
    """A table of the ground truth."""
    return lambda name: pl.read_parquet(world[0] / "truth" / f"{name}.parquet")


@pytest.fixture(scope="session")
def table(
    world: tuple[Path, SimulationReport], contracts: dict[str, dict[str, Contract]]
) -> Callable[[str, str], pl.DataFrame]:
    """All loadable rows of a table over all business dates, read by ingestion's own reader and rules, typed."""
    home, report = world
    kept: dict[tuple[str, str], pl.DataFrame] = {}

    def read(source: str, name: str) -> pl.DataFrame:
        if (source, name) not in kept:
            contract = contracts[source][name]
            parts = []
            for day in report.business_dates:
                path = home / "landing" / source / f"{day}" / contract.file_name(day)
                control = contract.control_file_name(day)
                examination = Examination(
                    contract, path, IngestOptions(), day, path.with_name(control) if control else None
                )
                parts += [checked.good.cast(pl.String) for checked in examination.blocks()]
            rows = pl.concat(parts)
            # what goes to COPY is ISO text, of dates the basic form where they came in it, with plain decimals
            basic = {BASIC_DATE: BASIC_DATE}
            plain = [
                c.model_copy(update={"implied_decimals": None, "date_format": basic.get(c.date_format or "")})
                for c in contract.columns
                if not c.is_array
            ]
            typed = [value_of(c).alias(c.name) for c in plain if c.base_type not in ("timestamp", "boolean")]
            kept[source, name] = rows.with_columns(typed)
        return kept[source, name]

    return read
