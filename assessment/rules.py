"""The rule files of assessments (考核规则), checked before they are loaded: a wrong one is refused with file and line.

Types, codes, keys and references of columns stand in the seeds' properties and are read from there; here is what
goes over rows: weights, versions, ladders, grades, and what each kind of scoring needs.
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

PROPERTIES = "_kpi__seeds.yml"

FULL_WEIGHT = 100
"""What the weights of a version add up to (百分制, KPI-65)."""

STRAIGHT = ("deduction", "veto")
"""Scoring that acts on the total itself and carries no weight: it can lower a total and never raise it (KPI-61)."""

NEEDS = {
    "ladder": (),
    "band": (),
    "linear_to_target": (),
    "qualitative": (),
    "points_per_unit": ("base_score", "points_per_unit"),
    "deduction": ("points_per_unit",),
    "veto": ("threshold",),
}
"""Columns of an item without which its scoring means nothing."""


@dataclass(frozen=True)
class Problem:
    """One reason why a rule file is refused, and the line that it stands in (1 is the header)."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


class RulesRefused(RuntimeError):
    """Rule files are wrong; nothing was loaded.

    Attributes:
        problems: every reason, by file and line.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.file, problem.line)))
        super().__init__("\n".join(["The rules of assessments are refused:", *(f"  {one}" for one in self.problems)]))


@dataclass(frozen=True)
class Row:
    """One line of a rule file, its values in the types of their columns."""

    file: str
    line: int
    values: dict[str, Any]

    def __getitem__(self, column: str) -> Any:
        return self.values[column]

    def problem(self, reason: str) -> Problem:
        """The reason, at this line."""
        return Problem(self.file, self.line, reason)


Rules = dict[str, list[Row]]


def check_rules(folder: Path) -> None:
    """Check the files `kpi_*.csv` of a folder of seeds.

    Args:
        folder: it holds their properties, too.

    Raises:
        RulesRefused: something in them is wrong.
    """
    seeds = yaml.safe_load((folder / PROPERTIES).read_text("utf-8"))["seeds"]
    problems: list[Problem] = []
    rules: Rules = {}
    for seed in seeds:
        rules[seed["name"]] = list(_read(folder / f"{seed['name']}.csv", seed["config"]["column_types"], problems))
    if problems:  # what cannot be read cannot be compared
        raise RulesRefused(problems)
    for check in (_columns(seeds), _approvals, _versions, _items, _weights, _ladders, _grades):
        problems += check(rules)
    if problems:
        raise RulesRefused(problems)


def _read(path: Path, types: dict[str, str], problems: list[Problem]) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        names = reader.fieldnames or []
        missing, unknown = types.keys() - set(names), set(names) - types.keys()
        if missing or unknown:
            said = [f"no column {name}" for name in sorted(missing)] + [f"unknown column {n}" for n in sorted(unknown)]
            problems.append(Problem(path.name, 1, ", ".join(said)))
            return
        line = reader.line_num + 1
        for record in reader:
            values, wrong = {}, []
            for name, type_ in types.items():
                try:
                    values[name] = _READ[type_](record[name]) if record[name] else None
                except (ValueError, InvalidOperation):
                    wrong.append(f"{name}: {record[name]!r} is no {type_}")
            if None in record or None in record.values():
                wrong.append(f"{len(types)} columns expected")
            problems += [Problem(path.name, line, reason) for reason in wrong]
            if not wrong:
                yield Row(path.name, line, values)
            line = reader.line_num + 1


def _number(text: str) -> Decimal:
    if not (number := Decimal(text)).is_finite():
        raise ValueError(text)
    return number


_READ: dict[str, Callable[[str], Any]] = {
    "text": str,
    "numeric": _number,
    "integer": int,
    "smallint": int,
    "date": date.fromisoformat,
}


def _columns(seeds: list[dict]) -> Callable[[Rules], Iterator[Problem]]:
    """What the properties of the seeds ask of single columns, checked before dbt tests it on what is loaded."""

    def check(rules: Rules) -> Iterator[Problem]:
        for seed in seeds:
            for column in seed["columns"]:
                for test in column.get("data_tests", []):
                    kind, arguments = (test, {}) if isinstance(test, str) else next(iter(test.items()))
                    yield from _column(rules, seed["name"], column["name"], kind, arguments.get("arguments", {}))

    return check


def _column(rules: Rules, seed: str, column: str, kind: str, arguments: dict) -> Iterator[Problem]:
    rows = rules[seed]
    match kind:
        case "not_null":
            yield from (row.problem(f"{column} is empty") for row in rows if row[column] is None)
        case "unique":
            yield from _twice(rows, (column,))
        case "accepted_values":
            codes = arguments["values"]
            wrong = [row for row in rows if row[column] not in codes]
            yield from (row.problem(f"{column}: {row[column]!r} is none of {', '.join(codes)}") for row in wrong)
        case "relationships":
            to = arguments["to"].removeprefix("ref('").removesuffix("')")
            known = {row[arguments["field"]] for row in rules[to]}
            wrong = [row for row in rows if row[column] is not None and row[column] not in known]
            yield from (row.problem(f"{column}: {row[column]!r} is not in {to}") for row in wrong)


def _twice(rows: Iterable[Row], key: tuple[str, ...]) -> Iterator[Problem]:
    first: dict[tuple, Row] = {}
    for row in rows:
        named = tuple(row[column] for column in key)
        if named in first:
            yield row.problem(
                f"{', '.join(key)}: {' '.join(map(str, named))} stands in line {first[named].line} already"
            )
        first.setdefault(named, row)


def _approvals(rules: Rules) -> Iterator[Problem]:
    """An approved version has a second person's name and day."""
    for version in rules["kpi_scheme_version"]:
        if version["state"] == "draft":
            continue
        if version["approved_by"] is None or version["approved_on"] is None:
            yield version.problem(f"{version['state']}, and approved_by or approved_on is empty")
        elif version["approved_by"] == version["prepared_by"]:
            yield version.problem(f"approved by {version['approved_by']}, who prepared it")


def _versions(rules: Rules) -> Iterator[Problem]:
    """No two approved versions of a scheme are valid on one day."""
    yield from _twice(rules["kpi_scheme_version"], ("scheme_id", "version_no"))
    approved = defaultdict(list)
    for version in rules["kpi_scheme_version"]:
        if version["valid_from"] is None or version["valid_to"] is None:
            yield version.problem("valid_from or valid_to is empty")
        elif version["valid_from"] >= version["valid_to"]:
            yield version.problem(f"valid_from {version['valid_from']} is not before valid_to {version['valid_to']}")
        elif version["state"] == "approved":
            approved[version["scheme_id"]].append(version)
    for versions in approved.values():
        for earlier, later in pairwise(sorted(versions, key=lambda version: version["valid_from"])):
            if later["valid_from"] < earlier["valid_to"]:
                yield later.problem(
                    f"{later['scheme_version_id']} begins on {later['valid_from']}, before "
                    f"{earlier['scheme_version_id']} (line {earlier.line}) ends on {earlier['valid_to']}"
                )


def _items(rules: Rules) -> Iterator[Problem]:
    """Each kind of scoring has what it needs, and limits that are limits."""
    yield from _twice(rules["kpi_item"], ("scheme_version_id", "item_no"))
    yield from _twice(rules["kpi_item"], ("scheme_version_id", "kpi_id"))
    required = ("item_no", "kpi_id", "metric_id", "weight", "floor_score", "cap_score", "minimum_cases")
    for item in rules["kpi_item"]:
        scoring = item["scoring"]
        yield from (item.problem(f"{column} is empty") for column in required if item[column] is None)
        yield from (
            item.problem(f"scoring {scoring} needs {column}")
            for column in NEEDS.get(scoring, ())
            if item[column] is None
        )
        floor, cap, weight = item["floor_score"], item["cap_score"], item["weight"]
        if floor is not None and cap is not None and floor > cap:
            yield item.problem(f"floor_score {floor} is above cap_score {cap}")
        if item["missing_behaviour"] == "default" and item["default_score"] is None:
            yield item.problem("missing_behaviour default needs default_score")
        if scoring == "linear_to_target" and item["measured_on"] != "attainment":
            yield item.problem("linear_to_target is measured on attainment")
        if scoring in ("points_per_unit", "qualitative", "veto") and item["measured_on"] != "value":
            yield item.problem(f"{scoring} is measured on value")
        if scoring not in STRAIGHT:
            if weight is not None and weight <= 0:
                yield item.problem(f"weight {weight} is not above 0")
            continue
        if weight:
            yield item.problem(f"{scoring} acts on the total: its weight is 0, not {weight}")
        if item["missing_behaviour"] == "reweight":
            yield item.problem(f"{scoring} has no weight to give away: missing_behaviour zero or default")
        if scoring == "deduction" and (cap or (item["points_per_unit"] or 1) <= 0 or (item["default_score"] or 0) > 0):
            yield item.problem("a deduction has cap_score 0, points_per_unit above 0 and no default_score above 0")


def _weights(rules: Rules) -> Iterator[Problem]:
    """The weights of every version add up to 100, drafts included."""
    items = _grouped(rules["kpi_item"], "scheme_version_id")
    for version in rules["kpi_scheme_version"]:
        own = items.get(version["scheme_version_id"], [])
        if not own:
            yield version.problem(f"{version['scheme_version_id']} has no item")
            continue
        total = sum((item["weight"] or 0 for item in own), Decimal(0))
        if total != FULL_WEIGHT:
            lines = f"lines {own[0].line} to {own[-1].line}" if len(own) > 1 else f"line {own[0].line}"
            yield own[-1].problem(
                f"weights of {version['scheme_version_id']} add up to {total:f}, not to {FULL_WEIGHT} ({lines})"
            )


def _ladders(rules: Rules) -> Iterator[Problem]:
    """Ladders and bands cover every value once, their scores move in the direction of the item."""
    yield from _twice(rules["kpi_ladder"], ("scheme_version_id", "kpi_id", "rung_no"))
    rungs = _grouped(rules["kpi_ladder"], "scheme_version_id", "kpi_id")
    for item in rules["kpi_item"]:
        own = rungs.pop((item["scheme_version_id"], item["kpi_id"]), [])
        if item["scoring"] not in ("ladder", "band"):
            yield from (rung.problem(f"{item['kpi_id']} is scored by {item['scoring']}, not by rungs") for rung in own)
        elif not own:
            yield item.problem(f"{item['kpi_id']} has no rung in kpi_ladder")
        else:
            yield from _cover(own, "lower_bound", "upper_bound")
            yield from _scores(item, own)
    for (version, kpi), own in rungs.items():
        yield own[0].problem(f"{version} has no item {kpi}")


def _scores(item: Row, rungs: list[Row]) -> Iterator[Problem]:
    sign = -1 if item["direction"] == "lower" else 1
    reached: Decimal | None = None
    for rung in sorted(rungs, key=lambda rung: (rung["lower_bound"] is not None, rung["lower_bound"])):
        ends = rung["upper_score"]
        if rung["score"] is None:
            yield rung.problem("score is empty")
            return
        if ends is not None and item["scoring"] != "band":
            yield rung.problem("upper_score is for bands")
        if ends is not None and None in (rung["lower_bound"], rung["upper_bound"]):
            yield rung.problem("an open rung has no upper_score: there is nothing to go half-way to")
        path = [score for score in (reached, rung["score"], ends) if score is not None]
        # On an attainment more is always better: direction is in it already.
        towards = 1 if item["measured_on"] == "attainment" else sign
        if any(towards * after < towards * before for before, after in pairwise(path)):
            yield rung.problem(f"the score falls, and {item['direction']} is better for {item['kpi_id']}")
        reached = path[-1]


def _grades(rules: Rules) -> Iterator[Problem]:
    """Grades cover every total once."""
    yield from _twice(rules["kpi_grade"], ("scheme_version_id", "grade_no"))
    for grades in _grouped(rules["kpi_grade"], "scheme_version_id").values():
        yield from _cover(grades, "lower_total", "upper_total")


def _cover(rows: list[Row], lower: str, upper: str) -> Iterator[Problem]:
    """Half-open ranges [lower, upper) from one empty bound to the other, without gap or overlap."""
    ordered = sorted(rows, key=lambda row: (row[lower] is not None, row[lower]))
    if ordered[0][lower] is not None:
        yield ordered[0].problem(f"nothing holds for values below {ordered[0][lower]}")
    if ordered[-1][upper] is not None:
        yield ordered[-1].problem(f"nothing holds for values from {ordered[-1][upper]}")
    for row in ordered:
        if row[lower] is not None and row[upper] is not None and row[lower] >= row[upper]:
            yield row.problem(f"{lower} {row[lower]} is not below {upper} {row[upper]}")
    for below, above in pairwise(ordered):
        if below[upper] is None or above[lower] is None or above[lower] < below[upper]:
            yield above.problem(f"overlaps with line {below.line}")
        elif above[lower] > below[upper]:
            yield above.problem(f"gap: from {below[upper]} (line {below.line}) to {above[lower]} nothing holds")


def _grouped(rows: list[Row], *key: str) -> dict[Any, list[Row]]:
    groups = defaultdict(list)
    for row in rows:
        groups[row[key[0]] if len(key) == 1 else tuple(row[column] for column in key)].append(row)
    return groups
