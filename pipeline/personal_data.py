"""The registry of personal data (清单): each column that holds some, whose it is, why, how long, how it is erased.

Contracts class the columns of sources; from there the lineage of columns through the compiled SQL of all models says
where the values went. What a model's own file declares (`pii_class`) must not be less than that, unless it says why
(`pii_reason`). Tables that neither describes stand in `personal_data.yaml`. `problems` names what was forgotten.

The registry is generated: `python -m pipeline.personal_data` writes `personal_data.csv`, which erasure reads, and the
page `docs/personal_data.md`; a test compares both with a built warehouse.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import psycopg
import yaml

from ingestion.contract import Contract
from ingestion.raw_ddl import raw_schema
from pipeline import transformation
from pipeline.lineage import Place, Query, column_lineage
from pipeline.schema import contracts
from warehouse.connection import connect
from warehouse.settings import CHECKOUT

FILE = Path(__file__).with_suffix(".csv")
PAGE = CHECKOUT / "docs" / "personal_data.md"
DESCRIBED = Path(__file__).with_suffix(".yaml")
CLASSES = ("none", "C1", "C2", "C3")
OTHER_SCHEMAS = ("ops", "identity", "assessment", "quarantine")
_SAID = ("text", "text[]", "date", "json", "jsonb", "character varying", "bytea")
_CATALOGUE = """
select namespace.nspname || '.' || class.relname, attribute.attname, format_type(attribute.atttypid, null),
    attribute.attnotnull, class.relkind::text = 'v'
from pg_attribute as attribute
inner join pg_class as class on class.oid = attribute.attrelid
inner join pg_namespace as namespace on namespace.oid = class.relnamespace
where attribute.attnum > 0 and not attribute.attisdropped and class.relkind in ('r', 'p', 'v', 'm')
    and namespace.nspname !~ '^(pg_|information_schema|rebuild_|change_)'
order by 1, attribute.attnum
"""


@dataclass(frozen=True)
class Entry:
    """One column that holds personal data.

    Attributes:
        relation: schema and name.
        column: its name.
        pii_class: C2 or C3 (JR/T 0171: 客户信息分级).
        controllers: whose data these are.
        purpose: why they are kept.
        kept: how long.
        on_erasure: `overwritten`, `hashed anew`, `view`, what removes the rows, or why they stay.
        found_by: how the rows of a person are found; see `Finder`.
        comes_from: columns of sources that its values come from.
    """

    relation: str
    column: str
    pii_class: str
    controllers: str
    purpose: str
    kept: str
    on_erasure: str
    found_by: str
    comes_from: str

    @property
    def sources(self) -> frozenset[str]:
        """Sources that its values come from."""
        schemas = (place.split(".")[0] for place in self.comes_from.split())
        return frozenset(schema.removeprefix("raw_") for schema in schemas if schema.startswith("raw_"))


@cache
def registry() -> tuple[Entry, ...]:
    """The registry as it was last written."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        return tuple(Entry(**row) for row in csv.DictReader(lines))


class Survey:
    """The warehouse as it is built, looked through for personal data.

    Args:
        session: connection to a database in which every model was built once.
        queries: SELECT of each model; as dbt compiles them if not given.
    """

    def __init__(self, session: psycopg.Connection, queries: Mapping[str, str] | None = None) -> None:
        catalogue = session.execute(_CATALOGUE).fetchall()
        self._types: dict[Place, tuple[str, bool]] = {
            (relation, column): (kind, not_null) for relation, column, kind, not_null, _ in catalogue
        }
        self._views = {relation for relation, *_, is_view in catalogue if is_view}
        self._columns: dict[str, list[str]] = defaultdict(list)
        for relation, column in self._types:
            self._columns[relation].append(column)
        self._described: dict[str, Any] = yaml.safe_load(DESCRIBED.read_text("utf-8"))
        self._contracts: dict[str, Contract] = {
            f"{raw_schema(source)}.{table}": contract
            for source, tables in contracts().items()
            for table, contract in tables.items()
        }
        self._models: dict[str, Any] = {
            f"{node.schema}.{node.alias}": node
            for node in transformation.manifest().nodes.values()
            if node.resource_type == "model"
        }
        queries = transformation.compiled() if queries is None else queries
        self._steps = column_lineage([Query(name, sql) for name, sql in queries.items()], self._columns)

    @cached_property
    def _own_class(self) -> dict[Place, str]:
        """Classes of the columns in which personal values come in: of contracts, and of tables of other rooms."""
        classes = {
            (relation, column.name): str(column.classification)
            for relation, contract in self._contracts.items()
            for column in contract.personal_columns
        }
        for relation, table in self._described["tables"].items():
            classes |= {(relation, name): pii for name, pii in table["columns"].items() if pii in ("C2", "C3")}
        return classes

    @cached_property
    def _origins(self) -> dict[Place, frozenset[Place]]:
        """All columns outside dbt that each column of a model takes its value from, however far back."""
        origins = {place: frozenset(p for p in back if p not in self._steps) for place, back in self._steps.items()}
        changed = True
        while changed:
            changed = False
            for place, back in self._steps.items():
                reached = origins[place].union(*(origins.get(step, ()) for step in back))
                if reached != origins[place]:
                    origins[place], changed = reached, True
        return origins

    def _personal_origins(self, place: Place) -> frozenset[Place]:
        if place in self._own_class:
            return frozenset([place])
        return frozenset(origin for origin in self._origins.get(place, ()) if origin in self._own_class)

    def _declared(self, place: Place) -> dict[str, Any]:
        node = self._models.get(place[0])
        column = node.columns.get(place[1]) if node else None
        return {**(column.meta or {}), **(column.config.meta or {})} if column else {}

    def _class_of(self, place: Place) -> str:
        """The declared class of a model's column, else the highest of what it comes from."""
        derived = max((self._own_class[origin] for origin in self._personal_origins(place)), default="none")
        if place in self._own_class or _is_key(place[1]):
            return derived if place in self._own_class else "C1"
        return self._declared(place).get("pii_class") or derived

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """All columns of class C2 and C3 that hold, or come from, what erasure takes away; ordered by name."""
        found = []
        for place in sorted({*self._own_class, *self._steps} & self._types.keys()):
            if self._class_of(place) in ("C2", "C3") and (origins := self._personal_origins(place)):
                found.append(self._entry(place, origins))
        shown = [entry for entry in found if entry.relation.startswith("mart_build.")]
        return tuple(sorted([*found, *map(_published, shown)], key=lambda entry: (entry.relation, entry.column)))

    def _entry(self, place: Place, origins: frozenset[Place]) -> Entry:
        relation, column = place
        table = self._described["tables"].get(relation, {})
        sources = sorted({p[0].removeprefix("raw_").split(".")[0] for p in origins if p[0].startswith("raw_")})
        controllers = sorted({self._contracts[p[0]].controller for p in origins if p[0] in self._contracts})
        why = self._why(relation)
        kept = why["kept"]
        if contract := self._contracts.get(relation):
            kept = contract.retention.rows.interval if contract.retention.rows else "without end"
            kept += f", held by {contract.retention.legal_hold}" if contract.retention.legal_hold else ""
        if relation in self._contracts:
            on_erasure, found_by = "overwritten", "contract"
        elif table:
            on_erasure = table.get("erased_by") or table.get("stays") or "overwritten"
            found_by = " ".join(table.get("found_by", ()))
        elif relation in self._views:
            on_erasure, found_by = "view", ""
        else:
            behind = [self._described["tables"].get(origin[0], {}) for origin in origins]
            like = {table.get("erased_by") or table.get("stays") for table in behind}
            usual = "hashed anew" if column == "attribute_hash" else "overwritten"
            on_erasure = next(iter(like)) or usual if len(like) == 1 else usual
            found_by = "; ".join(self._finders(relation, sources))
        comes_from = " ".join(sorted(f"{origin[0]}.{origin[1]}" for origin in origins))
        return Entry(
            relation, column, self._class_of(place), " ".join(controllers), why["purpose"], kept, on_erasure, found_by,
            comes_from,
        )  # fmt: skip

    def _why(self, relation: str) -> dict[str, str]:
        fits = [begin for begin in self._described["purposes"] if relation.startswith(begin)]
        return self._described["purposes"][max(fits, key=len)]

    def _finders(self, relation: str, sources: Iterable[str]) -> list[str]:
        """How the rows of a person are found.

        `account_id=card:card_account`: rows of that source whose column holds a tombstone of that table; else
        `customer_key`, `party_key`, or `party_key controller_id`.
        """
        columns = self._columns[relation]
        said = []
        for column in columns:
            if self._types[relation, column][0] != "text" or not column.endswith(("_id", "_no")):
                continue
            for origin in sorted(self._origins.get((relation, column), ())):
                contract = self._contracts.get(origin[0])
                subject = contract.subjects.get(origin[1]) if contract else None
                if contract and subject and contract.source in sources:
                    said.append(f"{column}={contract.source}:{subject}")
        if said and "source_system" in columns:
            return sorted(set(said))
        if {"party_key", "controller_id"} <= set(columns):
            return ["party_key controller_id"]
        if "customer_key" in columns:
            return ["customer_key"]
        if "party_key" in columns:
            return ["party_key"]
        return sorted(set(said)) if len({one.partition("=")[2].partition(":")[0] for one in said}) == 1 else []

    @property
    def problems(self) -> list[str]:
        """What was forgotten, each with what to do."""
        return [*self._unclassed(), *self._undescribed(), *self._unfindable(), *self._unwritable()]

    def _unclassed(self) -> Iterable[str]:
        for place in sorted(self._steps):
            origins = self._personal_origins(place)
            if not origins or place[0].split(".")[0] not in ("core", "mart_build") or _is_key(place[1]):
                continue
            if place[1] == "attribute_hash":
                continue
            derived = max(self._own_class[origin] for origin in origins)
            declared = self._declared(place)
            first = min(f"{origin[0]}.{origin[1]}" for origin in origins)
            if "pii_class" not in declared:
                yield (
                    f"{place[0]}.{place[1]} takes its value from {first} ({derived}) and has no class: give it "
                    f"config.meta.pii_class {derived} in the model's yml, or a lesser one with pii_reason"
                )
            elif declared["pii_class"] in ("none", "C1") and not declared.get("pii_reason"):
                yield (
                    f"{place[0]}.{place[1]} takes its value from {first} ({derived}) and is classed "
                    f"{declared['pii_class']}: say why beside it (config.meta.pii_reason), or class it {derived}"
                )
        for relation in sorted(self._models):
            for column in self._columns.get(relation, ()):
                if (relation, column) not in self._steps:
                    yield f"{relation}.{column}: its lineage cannot be read; name each column in the model's SELECT"

    def _undescribed(self) -> Iterable[str]:
        tables, nobody = self._described["tables"], set(self._described["nobody"])
        for relation in sorted(self._columns):
            schema = relation.split(".")[0]
            if schema not in OTHER_SCHEMAS or relation in nobody or relation in self._views:
                continue
            listed = tables.get(relation, {}).get("columns")
            if listed is None:
                yield (
                    f"{relation} stands in no registry: list its columns with their classes in "
                    "pipeline/personal_data.yaml, or the table under `nobody`"
                )
                continue
            for column in self._columns[relation]:
                if column not in listed and self._types[relation, column][0] in _SAID:
                    yield f"{relation}.{column} has no class: give it one in pipeline/personal_data.yaml"

    def _unfindable(self) -> Iterable[str]:
        for relation in sorted({e.relation for e in self.entries if e.on_erasure in ("overwritten", "hashed anew")}):
            if not any(e.found_by for e in self.entries if e.relation == relation):
                yield (
                    f"{relation} holds personal data and no key by which the rows of a person are found: give it "
                    "source_system with the source's key, customer_key, or party_key and controller_id"
                )

    def _unwritable(self) -> Iterable[str]:
        for entry in self.entries:
            kind, not_null = self._types.get((entry.relation, entry.column), ("text", False))
            if entry.on_erasure == "overwritten" and not_null and kind not in ("text", "character varying"):
                yield f"{entry.relation}.{entry.column} is NOT NULL {kind}: erasing needs a place for nothing"


def _is_key(column: str) -> bool:
    """Keys stay (DESIGN decision 9)."""
    return column.endswith("_key")


def _published(entry: Entry) -> Entry:
    """The same column in the table of all publications of the mart."""
    why = yaml.safe_load(DESCRIBED.read_text("utf-8"))["purposes"]["mart_data."]
    return replace(entry, relation=entry.relation.replace("mart_build.", "mart_data."), **why)


def as_csv(entries: Iterable[Entry]) -> str:
    """The registry as a file."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow([one.name for one in fields(Entry)])
    writer.writerows(astuple(entry) for entry in entries)
    return lines.getvalue()


def page(entries: Iterable[Entry]) -> str:
    """The registry as a page: one line a column, one part a relation."""
    parts = [HEAD]
    by_relation: dict[str, list[Entry]] = {}
    for entry in entries:
        if not entry.relation.startswith("mart_data."):
            by_relation.setdefault(entry.relation, []).append(entry)
    for relation, columns in by_relation.items():
        first = columns[0]
        found = f" A person's rows are found by `{first.found_by}`." if first.found_by not in ("", "contract") else ""
        parts += [
            f"## {relation}\n",
            f"{first.purpose}; kept {first.kept}.{found}\n",
            "| column | class | controller | on erasure | comes from |\n|---|---|---|---|---|",
            *(
                f"| `{one.column}` | {one.pii_class} | {one.controllers} | {one.on_erasure} | {_briefly(one)} |"
                for one in columns
            ),
            "",
        ]
    return "\n".join(parts)


def _briefly(entry: Entry) -> str:
    places = entry.comes_from.split()
    told = ", ".join(places[:3])
    return told if len(places) <= 3 else f"{told} and {len(places) - 3} more"


HEAD = """# Personal data 个人信息清单

Made by `python -m pipeline.personal_data` from the contracts, the lineage of columns through all models, and
`pipeline/personal_data.yaml`; a test holds it current. It names every column of class C2 or C3 that holds a personal
value or takes its value from one; each mart stands once more in `mart_data`, with the rows of all publications kept.
How erasure uses it: [consent_and_erasure.md](consent_and_erasure.md).
"""


def main() -> None:
    """Write the registry and its page anew.

    Raises:
        SystemExit: something was forgotten; nothing is written.
    """
    with connect() as session:
        survey = Survey(session)
    if survey.problems:
        raise SystemExit("\n".join(survey.problems))
    FILE.write_text(as_csv(survey.entries), "utf-8")
    PAGE.write_text(page(survey.entries), "utf-8")


if __name__ == "__main__":
    main()
