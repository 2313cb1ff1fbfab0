"""Rule files that are wrong are refused with file, line and reason, before anything is loaded."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assessment import RulesRefused, check_rules

SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"

Change = Callable[[str, str], Path]


@pytest.fixture
def change(tmp_path: Path) -> Callable[..., None]:
    """A copy of the rule files in which text is replaced, and the check of it."""
    for file in SEEDS.glob("*kpi_*"):
        shutil.copy(file, tmp_path)

    def changed(file: str, old: str, new: str, count: int = 1) -> None:
        path = tmp_path / f"{file}.csv"
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, count), "utf-8")
        check_rules(tmp_path)

    return changed


def line_of(file: str, text: str) -> int:
    """The line of the project's file that begins so."""
    lines = (SEEDS / f"{file}.csv").read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if line.startswith(text))


def test_the_rules_of_the_project_are_right() -> None:
    check_rules(SEEDS)


WRONG = {
    "weights": (
        ("kpi_item", "customer_manager-2,7,service_quality,service_quality,qualitative,higher,15", "15", "16"),
        "add up to 101, not to 100",
    ),
    "weight_of_a_word": (("kpi_item", "customer_manager-1,1,", "higher,35,", "higher,many,"), "'many' is no numeric"),
    "not_a_number": (("kpi_item", "customer_manager-1,1,", "higher,35,", "higher,NaN,"), "'NaN' is no numeric"),
    "overlapping_versions": (
        ("kpi_scheme_version", "customer_manager-2,", "2026-07-01,9999", "2026-06-30,9999"),
        r"begins on 2026-06-30, before customer_manager-1 \(line 2\) ends on 2026-07-01",
    ),
    "approver_is_preparer": (
        ("kpi_scheme_version", "customer_manager-2,", "HQ-HR-01", "HQ-RETAIL-01"),
        "approved by HQ-RETAIL-01, who prepared it",
    ),
    "no_approver": (("kpi_scheme_version", "customer_manager-2,", "HQ-HR-01", ""), "approved_by or approved_on"),
    "ends_before_it_begins": (
        ("kpi_scheme_version", "customer_manager-1,", "2026-07-01,approved", "2024-07-01,approved"),
        "is not before valid_to",
    ),
    "gap": (
        ("kpi_ladder", "customer_manager-2,card_active_rate,3", "0.8,1,80", "0.81,1,80"),
        r"gap: from 0.8 \(line 3\) to 0.81",
    ),
    "overlap": (
        ("kpi_ladder", "customer_manager-2,card_active_rate,3", "0.8,1,80", "0.79,1,80"),
        "overlaps with line 3",
    ),
    "open_below": (("kpi_ladder", "customer_manager-2,card_active_rate,1", ",,0.6,0", ",0,0.6,0"), "below 0"),
    "open_above": (("kpi_ladder", "customer_manager-2,card_active_rate,5", "1.2,,120", "1.2,9,120"), "from 9"),
    "falling": (("kpi_ladder", "customer_manager-2,card_active_rate,4", "1.2,100", "1.2,70"), "the score falls"),
    "unknown_metric": (
        ("kpi_item", "customer_manager-2,3,", "loan_balance,loan_balance", "loan_balance,loan_balanse"),
        "'loan_balanse' is not in kpi_metric",
    ),
    "unknown_scoring": (("kpi_item", "customer_manager-2,3,", "linear_to_target", "linear"), "'linear' is none of"),
    "unknown_state": (("kpi_scheme_version", "customer_manager-2,", "approved", "agreed"), "'agreed' is none of"),
    "item_twice": (
        ("kpi_item", "customer_manager-2,3,", "3,loan_balance,", "3,wealth_sales,"),
        "stands in line 11 already",
    ),
    "nothing_to_multiply": (("kpi_item", "customer_manager-2,2,", "value,20,", "value,,"), "needs points_per_unit"),
    "floor_above_cap": (("kpi_item", "customer_manager-2,3,", ",0,120,", ",130,120,"), "floor_score 130 is above"),
    "no_default": (("kpi_item", "customer_manager-2,7,", "default,60", "default,"), "needs default_score"),
    "grades": (("kpi_grade", "customer_manager-2,3,", "70,85", "71,85"), "gap: from 70"),
    "veto_with_weight": (("kpi_item", "customer_manager-2,3,", "linear_to_target", "veto"), "its weight is 0"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_rule_is_refused_with_its_line(change: Callable[..., None], name: str) -> None:
    (file, begin, old, new), reason = WRONG[name]
    number = line_of(file, begin)
    line = (SEEDS / f"{file}.csv").read_text("utf-8").splitlines()[number - 1]
    with pytest.raises(RulesRefused) as refused:
        change(file, line, line.replace(old, new, 1))
    assert re.search(rf"{file}\.csv:\d+: .*{reason}", str(refused.value))
    if name not in ("grades", "item_twice"):  # told in the line that follows
        assert number in {problem.line for problem in refused.value.problems}


def test_a_line_that_stands_twice_is_named_with_the_first(change: Callable[..., None]) -> None:
    line = (SEEDS / "kpi_ladder.csv").read_text("utf-8").splitlines()[1]
    with pytest.raises(RulesRefused, match=r"kpi_ladder.csv:3: .* stands in line 2 already"):
        change("kpi_ladder", line, f"{line}\n{line}")


def test_a_column_that_is_missing_or_unknown_is_named(change: Callable[..., None]) -> None:
    with pytest.raises(RulesRefused, match=r"kpi_grade.csv:1: no column grade_no, unknown column grade_number"):
        change("kpi_grade", "grade_no", "grade_number")


def test_every_reason_is_told_at_once(change: Callable[..., None]) -> None:
    with pytest.raises(RulesRefused) as refused:
        change("kpi_item", "customer_manager-2,1,deposit_average_balance,deposit_average_balance", "x,1,y,z")
    assert len(refused.value.problems) >= 3
