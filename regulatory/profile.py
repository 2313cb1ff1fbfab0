"""Report profiles: what a regulator asks for, as data. A new one is a YAML file and no Python (DESIGN, decision 10).

The form is the neutral design of checklist D5: a specification (id, version, validity) with tables and numbered fields,
the rendering, and checks of two severities.
"""

from datetime import date
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

PROFILES = Path(__file__).parent / "profiles"


class ProfileError(ValueError):
    """A profile is missing or contradicts itself; the message names profile, table and field."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Pii(_Strict):
    """Transformation (变形) of a personal identifier, by name; conditions look at other fields as reported."""

    transform: Literal["prefix_and_md5", "md5"]
    prefix: int = 0
    prefixed_when: dict[str, list[str]] = {}
    unchanged_when: dict[str, list[str]] = {}


class ReportField(_Strict):
    """One field of a table, in report order. `source` is a column of the mart; or the value is constant by rule."""

    number: int
    id: str
    name: str
    type: Literal["text", "decimal", "integer", "date"]
    required: bool = False
    source: str | None = None
    constant: str | None = None
    map: str | None = Field(None, description="code list that turns our code into the regulator's")
    codes: list[str] | None = Field(None, description="values allowed")
    when_null: str | None = None
    remove: str = Field("", description="characters that the regulator refuses and this rule takes out")
    pattern: str | None = None
    length: int | None = None
    max_length: int | None = None
    precision: int | None = None
    scale: int | None = None
    pii: Pii | None = None


class Check(_Strict):
    """A rule between fields of one row: an SQL expression over field ids as reported, true where the row is right."""

    id: str
    severity: Literal["must_fix", "must_verify"]
    rule: str
    message: str


class ReportTable(_Strict):
    """One table of the report, read from one mart."""

    table: str
    name: str
    name_zh: str
    mart: str
    read_from: Literal["mart", "mart_clear"] = "mart"
    where: dict[str, str | bool] = {}
    order_by: list[str]
    key: list[str]
    control_totals: list[str] = []
    fields: list[ReportField]
    checks: list[Check] = []


class Log(_Strict):
    """The companion file, line by line."""

    suffix: str
    lines: list[str]
    empty_md5: str = ""


class Archive(_Strict):
    """The archive around data and log."""

    suffix: str
    compression: Literal["stored", "deflated"]


class Rendering(_Strict):
    """How rows become bytes; every point that the public evidence leaves open is a value here."""

    encoding: str
    length_unit: Literal["characters", "bytes"]
    delimiter: str
    line_end: str
    final_line_end: bool
    null_text: str
    date_format: str
    forbidden_characters: str
    file_name: str
    data_suffix: str
    log: Log
    archive: Archive


class Profile(_Strict):
    """One version of one report."""

    profile: str
    name: str
    name_zh: str
    regulator: str
    spec_version: str
    valid_from: date
    valid_to: date
    frequency: Literal["month"]
    parameters: dict[str, str] = {}
    rendering: Rendering
    code_lists: dict[str, dict[str, str]] = {}
    tables: list[ReportTable]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "Profile":
        for table in self.tables:
            where = f"profile {self.profile}, table {table.table}"
            known = [field.id for field in table.fields]
            if [field.number for field in table.fields] != list(range(1, len(known) + 1)):
                raise ValueError(f"{where}: fields must be numbered 1, 2, 3, …")
            if len(set(known)) != len(known):
                raise ValueError(f"{where}: a field id stands twice")
            for name in [*table.key, *table.control_totals]:
                if name not in known:
                    raise ValueError(f"{where}: {name!r} of key or control totals is no field")
            for field in table.fields:
                if (field.source is None) == (field.constant is None):
                    raise ValueError(f"{where}, field {field.number} {field.name}: give source or constant")
                if field.map is not None and field.map not in self.code_lists:
                    raise ValueError(f"{where}, field {field.number} {field.name}: no code list {field.map!r}")
                if field.type == "decimal" and (field.precision is None or field.scale is None):
                    raise ValueError(f"{where}, field {field.number} {field.name}: decimal needs precision and scale")
        return self


def load_profile(profile_id: str, on: date, folder: Path = PROFILES) -> Profile:
    """The version of a profile that is valid on a day.

    Args:
        profile_id: as in `profile:` of the YAML files of the folder.
        on: last day of the reporting period.

    Raises:
        ProfileError: no such profile, none or several versions valid that day, or a file that contradicts itself.
    """
    versions = []
    for path in sorted(folder.glob("*.yaml")):
        content = yaml.safe_load(path.read_text("utf-8"))
        if content.get("profile") != profile_id:
            continue
        try:
            versions.append(Profile.model_validate(content))
        except ValueError as error:
            raise ProfileError(f"{path.name}: {error}") from error
    if not versions:
        raise ProfileError(f"no profile {profile_id!r}; there are: {', '.join(profile_ids(folder))}")
    valid = [version for version in versions if version.valid_from <= on < version.valid_to]
    if len(valid) != 1:
        raise ProfileError(f"{len(valid)} versions of profile {profile_id!r} are valid on {on}, not 1")
    return valid[0]


def profile_ids(folder: Path = PROFILES) -> list[str]:
    """Ids of all profiles of the folder."""
    return sorted({yaml.safe_load(path.read_text("utf-8"))["profile"] for path in folder.glob("*.yaml")})
