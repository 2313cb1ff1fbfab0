"""Scores of a few hundred random managers: monotone, bounded, the same in any order of rows and when computed again."""

import os
import random
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

import psycopg
import pytest
from psycopg.rows import dict_row

from pipeline import transformation
from pipeline.scoring import SCORED, score_again

MANAGERS = 300
ITEMS = [
    # scoring, direction, measured on, weight, floor, cap
    ("linear_to_target", "higher", "attainment", 20, 0, 120),
    ("linear_to_target", "lower", "attainment", 15, 20, 110),
    ("ladder", "higher", "value", 15, 0, 100),
    ("band", "higher", "attainment", 20, 0, 100),
    ("points_per_unit", "higher", "value", 10, 0, 120),
    ("qualitative", "higher", "value", 20, 0, 100),
    ("deduction", "lower", "value", 0, -10, 0),
    ("deduction", "higher", "attainment", 0, -5, 0),
    ("veto", "lower", "value", 0, 0, 60),
]
RUNGS = [(1, None, "0.6", 0, None), (2, "0.6", "1", 60, 100), (3, "1", None, 100, None)]
MISSING = ("zero", "default", "reweight")
SEALED = ("owner", "item", "ladder", "grade", "metric", "target", "evidence")
DECIDED = ("appeal", "appeal_decision", "adjustment", "adjustment_decision")
TABLES = ("run", "decision", "evidence_lost", *DECIDED, *(f"sealed_{name}" for name in SEALED))


@pytest.fixture(scope="module")
def scored(prepared: psycopg.Connection) -> Iterator[list[dict]]:
    """Two runs over the same random figures, the rows of the second put in backwards; the scored items of both."""
    chance = random.Random(int(os.environ["SOAK_SEED"]))
    figures, targets = [], []
    for number in range(MANAGERS):
        for place in range(len(ITEMS)):
            value = chance.choice([None, 0, 1, Decimal("0.6"), Decimal(chance.randrange(-500, 1500)) / 10])
            figures.append((f"E{number:03}", f"k{place}", value, chance.randrange(3)))
            if chance.random() < 0.95:
                targets.append((f"E{number:03}", f"k{place}", chance.choice([100, 10, 0, -50])))
    _forget(prepared)
    for run, order in (("forwards", 1), ("backwards", -1)):
        _seal(prepared, run, figures[::order], targets[::order])
    transformation.run("seed", "--select", "kpi_metric")
    transformation.run("run", "--select", *SCORED)
    with prepared.cursor(row_factory=dict_row) as cursor:
        yield cursor.execute(
            "select item.*, sealed.direction, sealed.missing_behaviour, sealed.default_score "
            "from mart_build.mart_manager_scorecard as item join assessment.sealed_item as sealed "
            "using (run_id, kpi_id)"
        ).fetchall()
    _forget(prepared)


def _seal(session: psycopg.Connection, run: str, figures: list[tuple], targets: list[tuple]) -> None:
    session.execute(
        "insert into assessment.run (run_id, scheme_id, scheme_version_id, period_start, period_end, sequence, kind, "
        "publication, as_of, known_at, code_version, rules_hash, input_hash) "
        "values (%s, %s, 's-1', '2026-10-01', '2026-10-31', 1, 'final', 1, '2026-10-31', now(), '', '', '')",
        [run, run],
    )
    owners = list(dict.fromkeys(owner for owner, *_ in figures))
    with session.cursor() as cursor:
        cursor.executemany(
            "insert into assessment.sealed_owner values (%s, %s, %s, 'O1', 'outlet', null, 'bank')",
            [(run, owner, owner) for owner in owners],
        )
        for place, (scoring, direction, measured_on, weight, floor, cap) in enumerate(ITEMS):
            missing = MISSING[place % 3] if weight else "zero"
            cursor.execute(
                "insert into assessment.sealed_item (run_id, item_no, kpi_id, metric_id, kind, direction, weight, "
                "scoring, measured_on, points_per_unit, base_score, threshold, floor_score, cap_score, minimum_cases, "
                "missing_behaviour, default_score, zero_target_behaviour) values "
                "(%s, %s, %s, %s, 'quantitative', %s, %s, %s, %s, 2, 60, 5, %s, %s, 1, %s, 70, 'met')",
                [run, place, f"k{place}", f"k{place}", direction, weight, scoring, measured_on, floor, cap, missing],
            )
            if scoring in ("ladder", "band"):
                cursor.executemany(
                    "insert into assessment.sealed_ladder values (%s, %s, %s, %s, %s, %s, %s)",
                    [
                        (run, f"k{place}", number, low, high, score, top if scoring == "band" else None)
                        for number, low, high, score, top in RUNGS
                    ],
                )
        cursor.executemany(
            "insert into assessment.sealed_metric (run_id, owner_id, metric_id, metric_value, case_count) "
            "values (%s, %s, %s, %s, %s)",
            [(run, *figure) for figure in figures],
        )
        cursor.executemany(
            "insert into assessment.sealed_target values (%s, %s, %s, %s, 't', 's', 'a')",
            [(run, *target) for target in targets],
        )


def _forget(session: psycopg.Connection) -> None:
    for table in TABLES:
        session.execute(f"alter table assessment.{table} disable trigger append_only")
    session.execute(f"truncate {', '.join(f'assessment.{table}' for table in TABLES)}")
    for table in TABLES:
        session.execute(f"alter table assessment.{table} enable trigger append_only")
    for schema in ("mart_build", "rerun_mart_build"):
        for mart in SCORED:
            session.execute(f"drop table if exists {schema}.{mart}")


def test_a_better_value_never_scores_less(scored: list[dict]) -> None:
    seen = 0
    groups: dict[tuple, list[dict]] = {}
    for item in scored:
        if item["missing_reason"] is None:
            groups.setdefault((item["run_id"], item["kpi_id"], item["target_value"]), []).append(item)
    for items in groups.values():
        sign = 1 if items[0]["direction"] == "higher" else -1
        for worse, better in pairwise(sorted(items, key=lambda item: sign * item["raw_value"])):
            assert worse["score"] <= better["score"], (worse, better)
            assert worse["is_vetoed"] >= better["is_vetoed"]
            seen += worse["score"] < better["score"]
    assert seen > len(ITEMS), "nothing to see"


def test_scores_and_weights_keep_their_bounds(scored: list[dict]) -> None:
    weights: dict[tuple, Decimal] = {}
    for item in scored:
        if item["missing_reason"] is None:
            assert item["floor_score"] <= item["score"] <= max(item["cap_score"], item["floor_score"])
        else:
            stands_in = {"zero": Decimal(0), "default": item["default_score"], "reweight": None}
            assert item["score"] == stands_in[item["missing_behaviour"]]
        if item["scoring"] in ("deduction", "veto"):
            assert item["points"] <= 0 == item["effective_weight"]
        key = (item["run_id"], item["manager_id"])
        weights[key] = weights.get(key, Decimal(0)) + (item["effective_weight"] or 0)
    assert len(weights) == 2 * MANAGERS
    assert all(abs(weight - 100) < Decimal("0.00001") for weight in weights.values())


def test_the_order_of_rows_changes_nothing(scored: list[dict], prepared: psycopg.Connection) -> None:
    runs: dict[str, set] = {"forwards": set(), "backwards": set()}
    for item in scored:
        named = {name: value for name, value in item.items() if name not in ("run_id", "scheme_id")}
        runs[item["run_id"]].add(tuple(sorted((name, str(value)) for name, value in named.items())))
    assert runs["forwards"] == runs["backwards"]
    totals = (
        "select manager_id, total_points, rank_in_scheme from mart_build.mart_manager_scorecard_total where run_id = %s"
    )
    assert set(prepared.execute(totals, ["forwards"])) == set(prepared.execute(totals, ["backwards"]))


def test_totals_are_sums_of_points_held_by_vetoes(scored: list[dict], prepared: psycopg.Connection) -> None:
    points: dict[str, Decimal] = {}
    vetoed = set()
    for item in scored:
        if item["run_id"] == "forwards":
            points[item["manager_id"]] = points.get(item["manager_id"], Decimal(0)) + item["points"]
            vetoed |= {item["manager_id"]} if item["is_vetoed"] else set()
    totals = dict(
        prepared.execute(
            "select manager_id, total_points from mart_build.mart_manager_scorecard_total where run_id = 'forwards'"
        ).fetchall()
    )
    assert 0 < len(vetoed) < MANAGERS
    for manager, total in totals.items():
        expected = min(points[manager], Decimal(60)) if manager in vetoed else points[manager]
        assert abs(total - expected) <= Decimal("0.005")


def test_what_is_computed_again_equals_what_is_stored(scored: list[dict], prepared: psycopg.Connection) -> None:
    again = score_again("forwards")
    assert again.changed == {}
    assert again.rows == MANAGERS * (len(ITEMS) + 1)
    prepared.execute("update mart_build.mart_manager_scorecard_total set total_points = 0.01 where manager_id = 'E001'")
    assert score_again("forwards").changed == {"mart_manager_scorecard_total": 2}
