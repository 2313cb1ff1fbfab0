"""The contract of one source table (DESIGN decision 1): an Open Data Contract Standard 3.1 file, typed.

The standard's own pydantic models read the YAML. What the standard lacks stands in `customProperties`:

* of the contract: ``controller``, ``layout``, ``control``, ``change``, ``drift``, ``delivery``, ``cut_off``,
  ``retention``, ``optional``, ``reject_threshold``;
* of a property: ``width``, ``codes``, ``header``, ``date_format``, ``decimal_format``, ``implied_decimals``,
  ``full_width``, ``check_digit``;
* of a relationship: ``data_subject``.

The classes below say what each of them means. Of the standard's own, `slaProperties` say when a file is owed
(`Delivery`), how new its content is (`Freshness`) and how long its rows are kept (`Retention`), a `quality` rule of the
schema with the metric ``rowCount`` bounds the rows of a file, rules of the type ``custom`` and the engine ``c360`` hold
between the columns of a row (`RowRule`), and `relationships` of a property say which table's key it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import yaml
from open_data_contract_standard.model import (
    CustomProperty,
    DataQuality,
    OpenDataContractStandard,
    SchemaProperty,
    ServiceLevelAgreementProperty,
)
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator

from ingestion.legal_hold import legal_holds
from ingestion.refusal import ContractError
from ingestion.row_rules import compiled

CONTRACT_FOLDER = Path(__file__).parent / "contracts"
STANDARD_VERSIONS = ("v3.1.0", "v3.0.2", "v3.0.1", "v3.0.0")
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TEXTS = ("text", "varchar", "char")
IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}\Z")
PHYSICAL_TYPE = re.compile(
    r"(?P<base>text|varchar|char|smallint|integer|bigint|numeric|real|double precision|boolean|date|timestamp"
    r"|timestamptz|time|jsonb)(?:\((?P<size>\d+)(?:,\s*(?P<scale>\d+))?\))?(?P<array>\[\])?\Z"
)

Encoding = Literal["utf-8", "utf-8-sig", "gb18030", "gbk"]
Compression = Literal["none", "gz", "zip", "zst"]
Policy = Literal["evolve", "ignore", "quarantine", "refuse"]
ZONE = ZoneInfo("Asia/Shanghai")
FieldWidth = tuple[str, Annotated[int, Field(gt=0)]]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CheckDigit(_Part):
    """A check by standard: GB 11643 resident id, GB 32100 social credit code, or (`id`) whichever the value looks like.

    ``flag`` loads the row and records a warning (real masters carry wrong ids); ``quarantine`` keeps it out.
    ``when`` limits the check to rows whose column holds one of the values.
    """

    rule: Literal["cn_resident_id", "cn_uscc", "id"]
    severity: Literal["flag", "quarantine"] = "flag"
    when: dict[str, list[str]] = {}


class Column(_Part):
    """One column: its place in the file, its PostgreSQL type and the rules that every value must keep."""

    name: str
    physical_type: str
    logical_type: str = "string"
    business_name: str = ""  # what the users call it
    description: str = ""
    required: bool = False
    key_position: int | None = None
    classification: str | None = None
    header: str | None = None  # the column's name in the file where it differs
    width: int | None = None  # bytes in the file's encoding (fixed width)
    codes: tuple[str, ...] | None = None
    date_format: str | None = None  # strptime format in the file
    strip: str = ""  # characters taken out of a number before it is read, e.g. "$,"
    implied_decimals: int | None = None  # 000012345 with 2 means 123.45
    full_width: bool = False  # full-width characters (全角) are read as those of ASCII: １２．５０ means 12.50
    check_digit: CheckDigit | None = None
    minimum: str | None = None
    maximum: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    references: str | None = None  # `table.column` of the same source whose key it holds
    names_data_subject: bool = False  # the row speaks of the one whom the reference names

    @cached_property
    def _type(self) -> re.Match[str]:
        found = PHYSICAL_TYPE.match(self.physical_type)
        if not found:
            raise ValueError(f"physicalType {self.physical_type!r} is not supported")
        return found

    @property
    def base_type(self) -> str:
        """PostgreSQL type without size and brackets."""
        return self._type["base"]

    @property
    def is_array(self) -> bool:
        """True where the column holds several values of one record (interval readings)."""
        return bool(self._type["array"])

    @property
    def size(self) -> int | None:
        """Length of a varchar or precision of a numeric."""
        return int(self._type["size"]) if self._type["size"] else None

    @property
    def scale(self) -> int | None:
        """Decimals of a numeric with a precision; None where the type leaves them open."""
        if self.base_type != "numeric" or self.size is None:
            return None
        return int(self._type["scale"] or 0)

    @property
    def is_personal(self) -> bool:
        """True where erasure overwrites it: class C2 or C3, and neither a key nor an amount (DESIGN decision 9)."""
        is_kept = self.key_position is not None or self.references is not None or self.base_type == "numeric"
        return self.classification in ("C2", "C3") and not is_kept

    @property
    def file_header(self) -> str:
        """Name of the column in the file."""
        return self.header or self.name


class RecordLine(_Part):
    """A header or trailer line of a fixed-width file: record type and (name, width) pairs that follow it."""

    type: str
    fields: tuple[FieldWidth, ...]


class RecordType(_Part):
    """One record type of a `records` file; ``name[N]`` takes N columns into one array column."""

    role: Literal["header", "parent", "row", "trailer"]
    fields: tuple[str, ...]


class _Layout(_Part):
    file_name: str
    encoding: Encoding = "utf-8"
    compression: Compression = "none"
    line_end: Literal["\r\n", "\n"] = "\n"
    null_tokens: tuple[str, ...] = ("",)


class Delimited(_Layout):
    """Delimited text; a record is one line, a quoted field holds no line end."""

    format: Literal["delimited"]
    delimiter: str = Field(",", min_length=1, max_length=8)
    quote: str | None = None
    header: bool = True

    @field_validator("quote")
    @classmethod
    def _quote(cls, value: str | None) -> str | None:
        if value and len(value.encode()) != 1:
            raise ValueError("quote must be one ASCII character")
        return value or None

    @model_validator(mode="after")
    def _quoted_one_byte(self) -> Delimited:
        if self.quote and len(self.delimiter.encode()) != 1:
            raise ValueError("quoting needs a delimiter of one byte")
        return self


class FixedWidth(_Layout):
    """Fixed-width records, widths in bytes of the encoding; every line starts with its record type."""

    format: Literal["fixed_width"]
    header_record: RecordLine | None = None
    detail_type: str = ""
    trailer_record: RecordLine | None = None


class Records(_Layout):
    """Delimited text with several record types; the first field tells which, parents are carried down to their rows."""

    format: Literal["records"]
    delimiter: str = Field(",", min_length=1, max_length=8)
    records: dict[str, RecordType]

    @field_validator("records", mode="before")
    @classmethod
    def _text_keys(cls, value: Any) -> Any:
        return {str(key): record for key, record in value.items()} if isinstance(value, Mapping) else value

    def of_role(self, role: str) -> dict[str, RecordType]:
        """Record types by discriminator that play the given role."""
        return {code: record for code, record in self.records.items() if record.role == role}


class JsonLines(_Layout):
    """One JSON object a line."""

    format: Literal["jsonl"]


class Parquet(_Layout):
    """Apache Parquet; compression is inside the file."""

    format: Literal["parquet"]


class Xlsx(_Layout):
    """One sheet of an Excel workbook (.xlsx), the column names in its first row; without `sheet` the first one."""

    format: Literal["xlsx"]
    compression: Literal["none"] = "none"  # a workbook is compressed by itself
    sheet: str | None = Field(None, pattern=r"^[^\[\]:*?/\\]{1,31}$")


Layout = Annotated[Delimited | FixedWidth | Records | JsonLines | Parquet | Xlsx, Field(discriminator="format")]


class Control(_Part):
    """How the sender proves what was sent: a control file beside the data, a trailer in it, or nothing."""

    kind: Literal["control_file", "trailer", "none"] = "none"
    file_name: str | None = None
    amount_column: str | None = None

    @model_validator(mode="after")
    def _named(self) -> Control:
        if self.kind == "control_file" and not self.file_name:
            raise ValueError("control.file_name is needed where control.kind is control_file")
        return self


class Change(_Part):
    """What a file means against the one before: new rows only, changes by key (I/U/D), or the whole table."""

    kind: Literal["append", "delta", "full"]
    key: tuple[str, ...] = ()
    flag: str | None = None
    sequence: str | None = None
    effective_date: str | None = None


class Drift(_Part):
    """What happens when the file is no longer what the contract says (结构漂移); docs/decisions/0016 says why.

    =============  ================================  ==============================  ==================================
    policy         ``new_column``                    ``lost_column``                 ``changed_type``
    =============  ================================  ==============================  ==================================
    ``evolve``     raw gets a text column for it     rows land without, even if it   the value lands as text in a
                                                     is required                     column beside, ``<column>__text``
    ``ignore``     its values stay in the landed     rows land without; refused if   the row lands without the value,
                   file                              it is required                  with a warning
    ``quarantine`` rows land, its values wait in     all rows of the file wait in    the row waits in quarantine
                   `quarantine.value`                quarantine
    ``refuse``     the file is refused               the file is refused             the file is refused
    =============  ================================  ==============================  ==================================

    What a row cannot do without (`Contract.indispensable`) is never evolved or ignored: its loss refuses the file, and
    a value of another type keeps the row out.
    """

    new_column: Policy = "quarantine"
    lost_column: Policy = "refuse"
    changed_type: Policy = "quarantine"

    @property
    def evolves(self) -> bool:
        """True where a load may add columns to the raw table."""
        return "evolve" in (self.new_column, self.changed_type)

    @property
    def keeps_values(self) -> bool:
        """True where values that the contract does not know may come to stand in the database."""
        return self.evolves or self.new_column == "quarantine"


class Delivery(_Part):
    """When the sender owes a file (交付时点), on the bank calendar (CTL-01).

    The standard's ``frequency`` says for which business dates (1 d, 10 d for the end of each ten-day period 旬, 1 m for
    the last day of each month), ``latency`` how many days after its business date the file is due (1 if not given), and
    ``timeOfAvailability`` at what time of Asia/Shanghai. The customProperty ``delivery`` adds what the standard lacks:
    ``days: working_days``, and ``gap``, what happens to a date whose predecessor has not come: it is loaded and
    nothing said, loaded with a warning, or it waits.
    """

    days: Literal["every_day", "working_days", "ten_day_period_ends", "month_ends"] = "every_day"
    latency: int = Field(1, ge=0)
    available_at: time | None = None
    gap: Literal["ignore", "warn", "block"] = "warn"


class CutOff(_Part):
    """When the source's day ends (日切): what happens later belongs to the next accounting date.

    A row has the ``moment`` at which something happened and the ``accounting_date`` (记账日期) on which it was booked.
    From ``at`` (Asia/Shanghai) on the accounting date is the next one, of the calendar or of the bank's working days
    (``days``); it may be up to ``days_later`` of them later still. Rows of the end-of-day run (日终批量), told by
    codes of their columns (``batch``), come after the cut-off and may be booked on the day that they close. No row is
    booked after the business date of its file. The severity is that of `RowRule`.
    """

    at: time
    moment: str
    accounting_date: str
    days: Literal["every_day", "working_days"] = "every_day"
    days_later: int = Field(0, ge=0)
    batch: dict[str, list[str]] = {}
    severity: Literal["error", "warning"] = "error"

    @field_validator("at", mode="before")
    @classmethod
    def _written(cls, value: Any) -> Any:
        if not isinstance(value, time) and not re.fullmatch(r"\d\d:\d\d(:\d\d)?", str(value)):
            raise ValueError(f"{value!r} is not a quoted time like '22:30'")
        return value

    def ends(self, business_date: date) -> datetime:
        """When a business date is over."""
        return datetime.combine(business_date, self.at, ZONE)


class Freshness(_Part):
    """How old the newest value of a column may be, in days before the business date; a file that is older is refused.

    The standard's slaProperty ``freshness``, its ``element`` being ``table.column``.
    """

    column: str
    days: int = Field(ge=0)


class Period(_Part):
    """A number of days, months or years, written ``10 y``."""

    value: int = Field(gt=0)
    unit: Literal["d", "m", "y"]

    @model_validator(mode="before")
    @classmethod
    def _written(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        found = re.fullmatch(r"(\d{1,4}) ?([dmy])", value)
        if not found:
            raise ValueError(f"{value!r} is no period like '10 y', '3 m' or '90 d'")
        return {"value": int(found[1]), "unit": found[2]}

    @property
    def interval(self) -> str:
        """As PostgreSQL reads it."""
        return f"{self.value} {({'d': 'days', 'm': 'months', 'y': 'years'})[self.unit]}"


class Retention(_Part):
    """How long what was sent is kept (保存期限), counted from its business date; None is without end.

    ``rows`` is the standard's slaProperty ``retention``: rows of raw and quarantine. The customProperty ``retention``
    adds what the standard lacks: ``landing``, after which the landed file is deleted, and ``legal_hold``, during which
    the law forbids to erase a person's data from the rows: a rule of `legal_hold.yaml`, or a period of its own.
    """

    rows: Period | None = None
    landing: Period | None = None
    legal_hold: Period | str | None = None

    @field_validator("legal_hold", mode="before")
    @classmethod
    def _known(cls, hold: Any) -> Any:
        """A rule by its name, else a period."""
        if isinstance(hold, str) and not hold[:1].isdigit() and hold not in legal_holds():
            raise ValueError(f"legal_hold {hold!r} is no rule of legal_hold.yaml; known are {', '.join(legal_holds())}")
        return Period.model_validate(hold) if isinstance(hold, str) and hold[:1].isdigit() else hold

    @property
    def hold_terms(self) -> tuple[list[date | str], list[str]]:
        """The terms of the legal hold: first days and periods, as ``ops.held_until`` takes them; none without one."""
        if self.legal_hold is None:
            return [], []
        if isinstance(self.legal_hold, Period):
            return ["-infinity"], [self.legal_hold.interval]
        terms = legal_holds()[self.legal_hold].terms
        return [term.in_force for term in terms], [Period.model_validate(term.period).interval for term in terms]


class RowRule(_Part):
    """A rule between columns of one row, in SQL (``implementation``), e.g. ``closed_on >= opened_on``.

    Values have the types of their columns, timestamps the precision of a day; where one is missing, the row keeps the
    rule. The standard's severity ``error`` keeps a row out, ``warning`` loads it and records a warning.
    """

    name: str = Field(pattern="^[a-z][a-z0-9_]{0,62}$")
    holds: str
    description: str = ""
    severity: Literal["error", "warning"] = "error"


class RowCount(_Part):
    """Bounds of the number of rows of a file, both inclusive; a file outside is refused."""

    minimum: int = Field(0, ge=0)
    maximum: int | None = None


class Contract(_Part):
    """One source table under contract."""

    source: str
    table: str
    version: str
    name: str
    description: str
    grain: str = ""
    controller: str
    columns: tuple[Column, ...]
    layout: Layout
    control: Control
    change: Change
    drift: Drift
    delivery: Delivery | None = None  # None: owed with every batch, without a deadline
    cut_off: CutOff | None = None
    freshness: Freshness | None = None
    row_count: RowCount = RowCount()
    row_rules: tuple[RowRule, ...] = ()
    retention: Retention = Retention()
    optional: bool = False
    reject_threshold: float | None = Field(None, ge=0, le=1)  # share of rejected rows that refuses the file
    path: str = ""

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Columns by name."""
        return {column.name: column for column in self.columns}

    @cached_property
    def by_header(self) -> dict[str, Column]:
        """Columns by their names in the file."""
        return {column.file_header: column for column in self.columns}

    @property
    def column_names(self) -> list[str]:
        """Names of the columns in the order of the contract."""
        return [column.name for column in self.columns]

    @property
    def key(self) -> tuple[str, ...]:
        """The table's key: the primary key of the schema, else the key of the change kind."""
        keyed = sorted((c.key_position, c.name) for c in self.columns if c.key_position is not None)
        return tuple(name for _, name in keyed) or self.change.key

    @property
    def subjects(self) -> dict[str, str]:
        """Of whom a row speaks: columns with the table whose key they hold; the table itself where it has one key."""
        named = {c.name: str(c.references).partition(".")[0] for c in self.columns if c.names_data_subject}
        return ({self.key[0]: self.table} if len(self.key) == 1 else {}) | named

    @property
    def personal_columns(self) -> tuple[Column, ...]:
        """The columns that erasure overwrites."""
        return tuple(column for column in self.columns if column.is_personal)

    @cached_property
    def indispensable(self) -> frozenset[str]:
        """Columns without which a row could not be told, ordered, counted or found for erasure."""
        change, amount = self.change, self.control.amount_column
        return frozenset({*self.row_key, *self.subjects, change.flag, change.sequence, amount} - {None})

    @property
    def row_key(self) -> tuple[str, ...]:
        """What is unique inside one file: the key, with sequence and effective date where a file holds many changes."""
        change = self.change
        extra = [] if change.kind == "append" else [c for c in (change.effective_date, change.sequence) if c]
        return (*self.key, *(c for c in extra if c not in self.key)) if self.key else ()

    def file_name(self, business_date: date, correction: int = 0) -> str:
        """Name of the file of one business date; a declared correction N bears ``_rN`` before its first dot."""
        return with_correction(self.layout.file_name.format(business_date=business_date), correction)

    def control_file_name(self, business_date: date, correction: int = 0) -> str | None:
        """Name of the control file, None where the sender sends none."""
        if self.control.kind != "control_file":
            return None
        return with_correction(str(self.control.file_name).format(business_date=business_date), correction)


def as_identifier(header: str) -> str:
    """A column's name from what a file calls it, `AccountNo` giving `account_no`; empty where it gives none."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", header.strip())
    name = re.sub(r"[^a-z0-9]+", "_", snake.lower()).strip("_")[:60]
    return name if header.isascii() and re.match(r"[a-z]", name) else ""


def with_correction(file_name: str, correction: int) -> str:
    """`account_20261101.txt` and 2 give `account_20261101_r2.txt`; 0 gives the name itself."""
    if not correction:
        return file_name
    stem, dot, rest = file_name.partition(".")
    return f"{stem}_r{correction}{dot}{rest}"


def load_contracts(folder: Path = CONTRACT_FOLDER) -> dict[str, dict[str, Contract]]:
    """Reads all contracts `<folder>/<source>/<table>.yaml`.

    Returns:
        Contracts by source and table, both in alphabetical order.

    Raises:
        ContractError: A file breaks the standard or a rule of this project; the message names file and rule.
    """
    contracts: dict[str, dict[str, Contract]] = {}
    for path in sorted(folder.glob("*/*.yaml")):
        contract = load_contract(path)
        contracts.setdefault(contract.source, {})[contract.table] = contract
    for source, tables in contracts.items():
        _one_table_per_file_name(source, tables)
        _references_lead_to_keys(source, tables)
    return contracts


def load_contract(path: Path) -> Contract:
    """Reads one contract; the source is the folder's name, the table the file's. Read once as long as it is unchanged.

    Raises:
        ContractError: As in `load_contracts`.
    """
    stat = path.stat()
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1024)
def _read(path: Path, modified: int, size: int) -> Contract:
    place = f"{path.parent.name}/{path.name}"
    try:
        standard = OpenDataContractStandard.model_validate(yaml.load(path.read_text(encoding="utf-8"), _YAML))
    except (yaml.YAMLError, ValidationError) as problem:
        raise ContractError(
            "open_data_contract_standard", _short(problem), "Correct the contract by ODCS 3.1", place
        ) from problem
    try:
        return _typed(standard, path)
    except (ValidationError, ValueError) as problem:
        raise ContractError("contract", _short(problem), "Correct the contract and try again", place) from problem


def _typed(standard: OpenDataContractStandard, path: Path) -> Contract:
    if standard.kind != "DataContract" or standard.apiVersion not in STANDARD_VERSIONS:
        raise ValueError(f"kind/apiVersion {standard.kind}/{standard.apiVersion} is not DataContract/v3.1.0")
    tables = standard.schema_ or []
    if len(tables) != 1:
        raise ValueError(f"one schema object is expected, {len(tables)} found")
    table = tables[0]
    if table.name != path.stem:
        raise ValueError(f"schema name {table.name!r} differs from the file's name {path.stem!r}")
    custom = _custom(standard.customProperties)
    purpose = standard.description.purpose if standard.description else None
    contract = Contract(
        source=path.parent.name,
        table=path.stem,
        version=standard.version or "0",
        name=standard.name or table.businessName or path.stem,
        description=table.description or purpose or "",
        grain=table.dataGranularityDescription or "",
        controller=custom.pop("controller", ""),
        columns=tuple(_column(p) for p in table.properties or []),
        layout=TypeAdapter(Layout).validate_python(custom.pop("layout", None)),
        control=custom.pop("control", {}),
        change=custom.pop("change", {}),
        drift=custom.pop("drift", {}),
        delivery=_delivery(standard.slaProperties or [], custom.pop("delivery", {})),
        cut_off=custom.pop("cut_off", None),
        freshness=_freshness(standard.slaProperties or [], table.name),
        row_count=_row_count(table.quality or []),
        row_rules=_row_rules(table.quality or []),
        retention=_retention(standard.slaProperties or [], custom.pop("retention", {})),
        optional=custom.pop("optional", False),
        reject_threshold=custom.pop("reject_threshold", None),
        path=str(path),
    )
    _check(contract)
    return contract


def _delivery(agreed: list[ServiceLevelAgreementProperty], custom: dict[str, Any]) -> Delivery | None:
    by_name = {level.property: level for level in agreed}
    terms = dict(custom)
    if frequency := by_name.get("frequency"):
        every = (str(frequency.value), str(frequency.unit or "d")[:1])
        if every not in _DAYS:
            raise ValueError(f"slaProperty frequency is {' '.join(every)}; known are {', '.join(map(' '.join, _DAYS))}")
        terms.setdefault("days", _DAYS[every])
    if latency := by_name.get("latency"):
        if str(latency.unit or "d")[:1] != "d":
            raise ValueError(f"slaProperty latency is given in {latency.unit!r}, not in days (d)")
        terms["latency"] = latency.value
    if available := by_name.get("timeOfAvailability"):
        if not re.fullmatch(r"\d\d:\d\d(:\d\d)?", str(available.value)):
            raise ValueError(f"slaProperty timeOfAvailability is {available.value!r}, not a quoted time like '02:00'")
        terms["available_at"] = available.value
    return Delivery.model_validate(terms) if terms else None


_DAYS = {("1", "d"): "every_day", ("10", "d"): "ten_day_period_ends", ("1", "m"): "month_ends"}


def _freshness(agreed: list[ServiceLevelAgreementProperty], table: str) -> Freshness | None:
    for level in agreed:
        if level.property == "freshness":
            of, _, column = str(level.element or "").partition(".")
            if of != table or not column or str(level.unit or "d")[:1] != "d":
                raise ValueError(f"slaProperty freshness needs days (d) and the element {table}.<column>")
            return Freshness(column=column, days=level.value)  # type: ignore[arg-type]
    return None


def _retention(agreed: list[ServiceLevelAgreementProperty], custom: dict[str, Any]) -> Retention:
    terms = dict(custom)
    for level in agreed:
        if level.property == "retention":
            terms["rows"] = {"value": level.value, "unit": str(level.unit or "d")[:1]}
    return Retention.model_validate(terms)


def _row_count(rules: list[DataQuality]) -> RowCount:
    bounds: dict[str, int] = {}
    for rule in rules:
        if rule.metric != "rowCount":
            continue
        low, high = rule.mustBeBetween or (rule.mustBeGreaterOrEqualTo, rule.mustBeLessOrEqualTo)
        if low is None and high is None:
            raise ValueError("quality rule rowCount needs mustBeBetween, mustBeGreaterOrEqualTo or mustBeLessOrEqualTo")
        bounds |= {name: bound for name, bound in (("minimum", low), ("maximum", high)) if bound is not None}
    return RowCount.model_validate(bounds)


def _row_rules(rules: list[DataQuality]) -> tuple[RowRule, ...]:
    return tuple(
        RowRule(
            name=rule.name or "",
            holds=str(rule.implementation),
            description=rule.description or "",
            severity=rule.severity or "error",  # type: ignore[arg-type]
        )
        for rule in rules
        if rule.type == "custom" and rule.engine == "c360"
    )


def _custom(properties: list[CustomProperty] | None) -> dict[str, Any]:
    return {str(p.property): p.value for p in properties or []}


def _column(prop: SchemaProperty) -> Column:
    options = prop.logicalTypeOptions or {}
    custom = _custom(prop.customProperties)
    check_digit = custom.get("check_digit")
    relation = prop.relationships[0] if prop.relationships else None
    decimal_format = custom.get("decimal_format")
    return Column(
        name=prop.name or "",
        physical_type=(prop.physicalType or "text").lower(),
        logical_type=prop.logicalType or "string",
        business_name=prop.businessName or "",
        description=prop.description or "",
        required=bool(prop.required or prop.primaryKey),
        key_position=(prop.primaryKeyPosition or 1) if prop.primaryKey else None,
        classification=prop.classification,
        header=custom.get("header"),
        width=custom.get("width"),
        codes=tuple(str(code) for code in custom["codes"]) if custom.get("codes") else None,
        date_format=custom.get("date_format"),
        strip=decimal_format.get("strip", "") if isinstance(decimal_format, Mapping) else (decimal_format or ""),
        implied_decimals=custom.get("implied_decimals"),
        full_width=custom.get("full_width", False),
        check_digit={"rule": check_digit} if isinstance(check_digit, str) else check_digit,
        minimum=_bound(options.get("minimum")),
        maximum=_bound(options.get("maximum")),
        min_length=options.get("minLength"),
        max_length=options.get("maxLength"),
        pattern=options.get("pattern"),
        references=str(relation.to) if relation else None,
        names_data_subject=bool(relation and _custom(relation.customProperties).get("data_subject")),
    )


def _bound(value: Any) -> str | None:
    return None if value is None else str(value)


def _check(contract: Contract) -> None:
    names = contract.column_names
    for name in (contract.source, contract.table, *names):
        if not IDENTIFIER.match(name):
            raise ValueError(f"{name!r} is no identifier of lower case, digits and underscores under 63 bytes")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"columns occur twice: {', '.join(repeated)}")
    if not contract.controller:
        raise ValueError("customProperty 'controller' (the data controller) is missing")
    change = contract.change
    named = {
        "control.amount_column": contract.control.amount_column,
        "change.flag": change.flag,
        "change.sequence": change.sequence,
        "change.effective_date": change.effective_date,
    }
    named |= {f"change.key[{i}]": key for i, key in enumerate(change.key)}
    for place, name in named.items():
        if name is not None and name not in names:
            raise ValueError(f"{place} names the column {name!r}, which the schema does not have")
    for column in contract.columns:
        _check_column(contract, column)
    _check_day(contract)
    _check_drift(contract)
    for rule in contract.row_rules:
        compiled(rule.holds, names)
    if contract.control.kind == "trailer" and not isinstance(contract.layout, FixedWidth | Records):
        raise ValueError(f"control.kind trailer needs a fixed_width or records layout, not {contract.layout.format}")
    if isinstance(contract.layout, Records):
        carried = {
            re.sub(r"\[\d+\]$", "", field)
            for role in ("parent", "row")
            for record in contract.layout.of_role(role).values()
            for field in record.fields
        }
        if set(names) - carried:
            raise ValueError(f"no record type carries {', '.join(sorted(set(names) - carried))}")


def _check_day(contract: Contract) -> None:
    """What is said of a day's end speaks of columns that can tell it."""
    delivery, cut_off, fresh = contract.delivery, contract.cut_off, contract.freshness
    if fresh and getattr(contract.by_name.get(fresh.column), "base_type", "") not in ("date", "timestamp"):
        raise ValueError(f"slaProperty freshness names {fresh.column!r}, which is no column of dates")
    if cut_off is None:
        return
    for place, kind in (("moment", "timestamp"), ("accounting_date", "date")):
        name = getattr(cut_off, place)
        if name not in contract.by_name or contract.by_name[name].physical_type != kind:
            raise ValueError(f"cut_off.{place} names {name!r}, which is no column of the type {kind}")
    for name in cut_off.batch:
        if name not in contract.by_name:
            raise ValueError(f"cut_off.batch names the column {name!r}, which the schema does not have")
    if delivery and delivery.latency == 0 and delivery.available_at and delivery.available_at < cut_off.at:
        raise ValueError(
            f"a file that is due at {delivery.available_at} of its day cannot know its end at {cut_off.at}"
        )


def _check_drift(contract: Contract) -> None:
    """No policy that could not do what it says, or would do harm."""
    drift, layout = contract.drift, contract.layout
    if isinstance(layout, FixedWidth | Records) or (isinstance(layout, Delimited) and not layout.header):
        for name in ("new_column", "lost_column"):
            if getattr(drift, name) == "evolve":
                raise ValueError(
                    f"drift.{name} cannot be evolve: a {layout.format} file without a header names no columns, and "
                    "a record of another width goes to quarantine"
                )
    if drift.lost_column == "quarantine" and contract.change.kind == "full":
        raise ValueError(
            "drift.lost_column cannot be quarantine where change.kind is full: rows that wait would be taken for gone"
        )


def _check_column(contract: Contract, column: Column) -> None:
    if not PHYSICAL_TYPE.match(column.physical_type):
        raise ValueError(f"column {column.name}: physicalType {column.physical_type!r} is not supported")
    if isinstance(contract.layout, FixedWidth) and column.width is None:
        raise ValueError(f"column {column.name}: customProperty 'width' is missing in a fixed-width layout")
    if isinstance(contract.layout, Xlsx) and column.is_array:
        raise ValueError(f"column {column.name}: an array does not fit into a cell of an xlsx layout")
    if column.pattern is not None:
        re.compile(column.pattern)
    for other in column.check_digit.when if column.check_digit else ():
        if other not in contract.column_names:
            raise ValueError(f"column {column.name}: check_digit.when names the unknown column {other!r}")


def _one_table_per_file_name(source: str, tables: dict[str, Contract]) -> None:
    seen: dict[str, str] = {}
    for contract in tables.values():
        name = contract.layout.file_name
        if name in seen:
            raise ContractError(
                "file_name",
                f"{seen[name]} and {contract.table} both claim {name!r}",
                "Give each table a file name of its own",
                f"{source}/{contract.table}.yaml",
            )
        seen[name] = contract.table


def _references_lead_to_keys(source: str, tables: dict[str, Contract]) -> None:
    keys = {f"{contract.table}.{contract.key[0]}" for contract in tables.values() if len(contract.key) == 1}
    for contract in tables.values():
        for column in contract.columns:
            if column.references is not None and column.references not in keys:
                raise ContractError(
                    "relationship",
                    f"column {column.name} refers to {column.references!r}, which is no table and its one key",
                    "Name it table.column, of a table of the same source",
                    f"{source}/{contract.table}.yaml",
                )


def _short(problem: Exception) -> str:
    if isinstance(problem, ValidationError):
        return "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in problem.errors()[:5])
    return " ".join(str(problem).split())


def iterate(contracts: dict[str, dict[str, Contract]]) -> Iterator[Contract]:
    """All contracts, source by source."""
    for tables in contracts.values():
        yield from tables.values()
