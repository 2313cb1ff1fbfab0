"""Files are what ingestion expects, the same for the same seed, and hold the planted faults that the truth names."""

import hashlib
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from ingestion.check import check_file
from simulator import simulate
from simulator.faults import FILE_FAULTS, LEAST_ROWS_A_FAULT, ROW_FAULTS
from simulator.simulate import SOURCES
from warehouse.settings import Settings

SHORT = {"scale": 0.001, "history_start": date(2026, 9, 1), "daily_dates": [date(2026, 11, 1)]}


def _hashes(home: Path) -> dict[str, str]:
    return {
        str(f.relative_to(home)): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in sorted(home.rglob("*.*"))
        if f.is_file()
    }


def test_same_seed_same_bytes_other_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        simulate(Settings(home=tmp_path / name), seed=seed, **SHORT)
    first, again, other = (_hashes(tmp_path / name) for name in "abc")
    assert first == again
    assert first.keys() == other.keys()
    same = [f for f in first if first[f] == other[f] and "totals" not in f]
    assert not [f for f in same if "account_transaction_20261031" in f or "CARD_POSTING_20261031" in f]
    before = (tmp_path / "a" / "truth" / "simulation.json").stat().st_mtime_ns
    simulate(Settings(home=tmp_path / "a"), seed=7, **SHORT)
    assert (tmp_path / "a" / "truth" / "simulation.json").stat().st_mtime_ns == before


def test_the_history_does_not_know_what_follows_it(tmp_path: Path) -> None:
    first_loads = []
    for name, dates in (("alone", []), ("followed", [date(2026, 11, 1), date(2026, 11, 12)])):
        simulate(Settings(home=tmp_path / name), **SHORT | {"daily_dates": dates})
        hashes = _hashes(tmp_path / name / "landing")
        first_loads.append({file: digest for file, digest in hashes.items() if "/2026-10-31/" in file})
    alone, followed = first_loads
    assert len(alone) > 60
    assert [file for file in alone if alone[file] != followed.get(file)] == []


def test_wrong_arguments_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="first of a month"):
        simulate(Settings(home=tmp_path), history_start=date(2026, 9, 2))
    with pytest.raises(ValueError, match="inside the history"):
        simulate(Settings(home=tmp_path), daily_dates=[date(2026, 10, 30)])


def test_every_file_loads_and_every_fault_is_found(world, truth, contracts) -> None:
    home, _ = world
    faults, empty = truth("faults"), set()
    for total in truth("totals").iter_rows(named=True):
        contract = contracts[total["source"]][total["table"]]
        day = total["business_date"]
        report = check_file(contract, home / "landing" / total["source"] / f"{day}" / total["file"], day)
        assert report.would == "load", report.refusal
        assert report.rows_good == total["rows_good"]
        assert report.rows_good + report.rows_rejected == total["rows"]
        if total["amount_good"] is not None:
            assert report.settled.amount_loaded == Decimal(total["amount_good"])
        here = faults.filter(
            (pl.col("file") == total["file"]) & (pl.col("business_date") == day) & (pl.col("source") == total["source"])
        )
        bad = here.filter(pl.col("expected_outcome") == "quarantine")
        assert bad.height == report.rows_rejected <= 0.01 * max(total["rows"], 1)
        expected = sorted(bad.select("line", "expected_rule").rows())
        if len(expected) <= 20:
            assert sorted((reject.line, reject.rule) for reject in report.sample) == expected
        marked = here.filter(pl.col("expected_rule") == "check_digit_id")
        assert sum(count for _, _, count in report.warnings) == marked.height
        if day == date(2026, 10, 31) and not total["rows"]:
            empty.add((total["source"], total["table"]))
    assert not empty
    planted = set(faults.select("source", "table", "kind").unique().rows())
    most_rows: dict[tuple[str, str], int] = {}
    for total in truth("totals").iter_rows(named=True):
        table = total["source"], total["table"]
        most_rows[table] = max(most_rows.get(table, 0), total["rows"])
    of_table = Counter((source, name) for source, name, *_ in ROW_FAULTS)
    large = {table for table, count in of_table.items() if most_rows[table] >= count * LEAST_ROWS_A_FAULT}
    assert len(large) > len(of_table) / 2
    assert {(source, name, kind) for source, name, _, kind, _ in ROW_FAULTS if (source, name) in large} <= planted


def test_every_simulated_contract_has_a_file_on_every_date(world, truth, contracts) -> None:
    seen = set(truth("totals").select("source", "table", "business_date").rows())
    assert seen == {(s, t, d) for s in SOURCES for t in contracts[s] for d in world[1].business_dates}


@pytest.mark.parametrize("kind", FILE_FAULTS)
def test_faults_of_whole_files_are_refused(tmp_path: Path, contracts, kind: str) -> None:
    day = date(2026, 11, 1)
    simulate(Settings(home=tmp_path), file_faults=[("core_banking", "account_transaction", day, kind)], **SHORT)
    fault = pl.read_parquet(tmp_path / "truth" / "faults.parquet").filter(pl.col("kind") == kind)
    assert fault.height == 1
    contract = contracts["core_banking"]["account_transaction"]
    folder = tmp_path / "landing" / "core_banking" / f"{day}"
    path = folder / contract.file_name(day)
    if kind == "misnamed":
        assert not path.exists()
    elif kind == "duplicate":
        assert (folder / contract.file_name(day, 1)).read_bytes() == path.read_bytes()
    else:
        assert check_file(contract, path, day).would == "refuse"
