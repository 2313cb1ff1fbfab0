"""The workbook in which targets are planned (目标模板): its template, and what is read from one that was filled in.

Cells are taken as what they are, never guessed: a number that was typed as text, or a date that is a number, is refused
with its sheet and line.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from assessment.rules import Problem

DIGITS_KEPT = 15
"""Of a number in a workbook; what lies behind is noise of binary fractions."""


@dataclass(frozen=True)
class Field:
    """A column of a sheet.

    Attributes:
        kind: text, number, year or date.
        codes: what may stand in it; empty: anything.
        format: how Excel shows it.
    """

    name: str
    name_zh: str
    kind: str
    required: bool = True
    codes: tuple[str, ...] = ()

    @property
    def format(self) -> str:
        """The number format of its cells."""
        return {"text": "@", "date": "yyyy-mm-dd", "year": "0", "number": "General"}[self.kind]


SHEETS = {
    "plan": (
        Field("kpi_id", "指标代码", "text"),
        Field("owner_kind", "考核对象类别", "text", codes=("employee", "organisation")),
        Field("owner_id", "考核对象", "text"),
        Field("plan_year", "年度", "year"),
        Field("valid_from", "生效日期", "date"),
        Field("target_value", "年度目标", "number"),
        Field("unit", "单位", "text", codes=("CNY", "count", "ratio")),
        Field("spread", "分解方式", "text", codes=("cumulative", "level")),
        Field("curve_id", "计划曲线", "text", required=False),
        Field("set_by", "制定人", "text"),
    ),
    "curve": (
        Field("curve_id", "计划曲线", "text"),
        Field("day", "日期", "date"),
        Field("cumulative_share", "累计进度", "number"),
    ),
}
"""The sheets and their columns; the first row of each names them, the second in Chinese."""

FIRST_LINE = 3


class PlanRefused(RuntimeError):
    """A plan cannot be taken as it is; the message says where and why. Nothing was written.

    Attributes:
        problems: every reason, by sheet and line.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.file, problem.line)))
        super().__init__("\n".join(["The plan is refused:", *(f"  {one}" for one in self.problems)]))


@dataclass(frozen=True)
class Line:
    """One row of a sheet."""

    sheet: str
    number: int
    values: dict[str, Any]

    def __getitem__(self, column: str) -> Any:
        return self.values[column]


@dataclass(frozen=True)
class Plan:
    """What a workbook holds."""

    file_name: str
    targets: tuple[Line, ...]
    curves: tuple[Line, ...]

    def problem(self, line: Line, reason: str) -> Problem:
        """The reason, at the line of its sheet."""
        return Problem(f"{self.file_name}[{line.sheet}]", line.number, reason)


def write_template(path: Path) -> None:
    """Write an empty workbook.

    Raises:
        PlanRefused: the file is there already, perhaps filled in.
    """
    if path.exists():
        raise PlanRefused([Problem(path.name, 1, "the file is there, perhaps filled in: name another")])
    book = Workbook()
    for sheet in (book.active, book.create_sheet()):
        name = list(SHEETS)[book.index(sheet)]
        sheet.title, sheet.freeze_panes = name, f"A{FIRST_LINE}"
        for place, field in enumerate(SHEETS[name], start=1):
            letter = get_column_letter(place)
            for row, said in ((1, field.name), (2, field.name_zh)):
                cell = sheet.cell(row, place, said)
                cell.font = Font(bold=row == 1)
                cell.fill = PatternFill("solid", fgColor="FFD966" if field.required else "E7E6E6")
            sheet.column_dimensions[letter].width = 18
            sheet.column_dimensions[letter].number_format = field.format
            if field.codes:
                listed = DataValidation("list", formula1=f'"{",".join(field.codes)}"', allow_blank=False)
                listed.add(f"{letter}{FIRST_LINE}:{letter}1048576")
                sheet.add_data_validation(listed)
    book.save(path)


def read_workbook(path: Path) -> Plan:
    """Read a workbook that was filled in, and check what can be seen in it alone.

    Raises:
        PlanRefused: with sheet, line and reason of everything that is wrong.
    """
    try:
        book = load_workbook(path, data_only=True)
    except (OSError, KeyError, ValueError, BadZipFile, InvalidFileException) as error:
        raise PlanRefused([Problem(path.name, 1, f"is no workbook that can be read: {error}")]) from error
    problems = [Problem(path.name, 1, f"no sheet {name!r}") for name in SHEETS if name not in book.sheetnames]
    if problems:
        raise PlanRefused(problems)
    lines = {name: tuple(_lines(path.name, name, book[name], problems)) for name in SHEETS}
    plan = Plan(path.name, lines["plan"], lines["curve"])
    if not problems:
        problems += [*_targets(plan), *_curves(plan)]
    if not problems and not plan.targets and not plan.curves:
        problems.append(Problem(path.name, FIRST_LINE, "no line is filled in"))
    if problems:
        raise PlanRefused(problems)
    return plan


def _lines(file: str, name: str, sheet: Any, problems: list[Problem]) -> Iterator[Line]:
    fields, place = SHEETS[name], f"{file}[{name}]"
    heads = [cell.value for cell in sheet[1]]
    if heads[: len(fields)] != [field.name for field in fields] or any(heads[len(fields) :]):
        problems.append(Problem(place, 1, f"the columns are not {', '.join(field.name for field in fields)}"))
        return
    for number, row in enumerate(sheet.iter_rows(FIRST_LINE, max_col=len(fields), values_only=True), FIRST_LINE):
        if all(value is None for value in row):
            continue
        values = {}
        for field, value in zip(fields, row, strict=True):
            if value is None:
                if field.required:
                    problems.append(Problem(place, number, f"{field.name} is empty"))
                values[field.name] = None
                continue
            try:
                values[field.name] = _READ[field.kind](value)
            except ValueError:
                problems.append(Problem(place, number, f"{field.name}: {value!r} is no {field.kind}"))
                continue
            if field.codes and values[field.name] not in field.codes:
                problems.append(Problem(place, number, f"{field.name}: {value!r} is none of {', '.join(field.codes)}"))
        yield Line(name, number, values)


def _text(value: object) -> str:
    if not isinstance(value, str) or value != value.strip():
        raise ValueError(value)
    return value


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(value)
    return Decimal(f"{value:.{DIGITS_KEPT}g}")


def _year(value: object) -> int:
    if (number := _number(value)) != int(number) or not 1900 <= number <= 9999:
        raise ValueError(value)
    return int(number)


def _day(value: object) -> date:
    if not isinstance(value, datetime) or value != datetime(value.year, value.month, value.day):
        raise ValueError(value)
    return value.date()


_READ: dict[str, Callable[[object], Any]] = {"text": _text, "number": _number, "year": _year, "date": _day}


def _targets(plan: Plan) -> Iterator[Problem]:
    years = {line["curve_id"]: line["day"].year for line in plan.curves}
    first: dict[tuple, int] = {}
    for line in plan.targets:
        key = tuple(line[name] for name in ("kpi_id", "owner_kind", "owner_id", "plan_year", "valid_from"))
        if key in first:
            yield plan.problem(line, f"the target of {' '.join(map(str, key))} stands in line {first[key]} already")
        first.setdefault(key, line.number)
        curve = line["curve_id"]
        if (line["spread"] == "cumulative") != (curve is not None):
            yield plan.problem(line, "a cumulative target has a curve_id, a level none")
        elif years.get(curve, line["plan_year"]) != line["plan_year"]:
            yield plan.problem(line, f"curve {curve} is of {years[curve]}, the target of {line['plan_year']}")
        if line["valid_from"].year > line["plan_year"]:
            yield plan.problem(line, f"valid_from {line['valid_from']} lies behind the year {line['plan_year']}")


def _curves(plan: Plan) -> Iterator[Problem]:
    """A curve rises day by day to 1 within its year."""
    for curve in dict.fromkeys(line["curve_id"] for line in plan.curves):
        lines = sorted((line for line in plan.curves if line["curve_id"] == curve), key=lambda line: line["day"])
        for line in lines:
            if line["day"].year != lines[0]["day"].year:
                yield plan.problem(line, f"curve {curve} goes over more than one year")
            if not 0 <= line["cumulative_share"] <= 1:
                yield plan.problem(line, f"cumulative_share {line['cumulative_share']} is not between 0 and 1")
        for before, after in pairwise(lines):
            if before["day"] == after["day"]:
                yield plan.problem(after, f"{after['day']} of curve {curve} stands in line {before.number} already")
            elif after["cumulative_share"] < before["cumulative_share"]:
                yield plan.problem(after, f"curve {curve} falls: line {before.number} has reached more")
        if lines[-1]["cumulative_share"] != 1:
            yield plan.problem(lines[-1], f"curve {curve} ends at {lines[-1]['cumulative_share']}, not at 1")
