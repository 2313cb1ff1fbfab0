"""The dbt sources of raw tables, made from the contracts (DESIGN decision 1) and kept under version control.

`c360 contract dbt-sources` writes them; a test holds the committed files against the contracts.
"""

from pathlib import Path

import yaml

from ingestion.contract import Contract, load_contracts
from ingestion.raw_ddl import raw_schema

STAGING = Path(__file__).resolve().parents[1] / "dbt_project" / "models" / "staging"

FRESHNESS = {
    "loaded_at_query": (
        "select coalesce(min(due_at) filter (where state = 'overdue'), now()) from ops.delivery "
        "where source_system = '{{ model.source_name }}' and table_name = '{{ model.name }}'"
    ),
    "freshness": {"warn_after": {"count": 1, "period": "minute"}},
}
"""A table is fresh up to the first deadline that it missed, by the terms of its contract (docs/decisions/0012)."""


def source_file(source: str) -> Path:
    """Where the dbt source of `source` is kept: `models/staging/<source>/_<source>__sources.yml`."""
    return STAGING / source / f"_{source}__sources.yml"


def render(source: str, contracts: dict[str, Contract]) -> str:
    """The YAML text of one dbt source: every contracted table and column with its description and PII class."""
    tables = [
        {
            "name": contract.table,
            "description": f"{contract.description} {contract.grain}".strip(),
            "config": {"meta": {"controller": contract.controller, "change_kind": contract.change.kind}},
            "columns": [
                {
                    "name": column.name,
                    "data_type": column.physical_type,
                    "description": column.description,
                    "config": {"meta": {"pii_class": column.classification or "none"}},
                }
                for column in contract.columns
            ],
        }
        for contract in contracts.values()
    ]
    described = {"name": source, "schema": raw_schema(source), "config": FRESHNESS, "tables": tables}
    document = {"version": 2, "sources": [described]}
    header = "# Made from ingestion/contracts by `c360 contract dbt-sources`: change the contract, then run it again.\n"
    return header + yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)


def write_all() -> list[Path]:
    """Write the dbt sources of all contracts; returns the files that changed."""
    changed = []
    for source, contracts in load_contracts().items():
        path, text = source_file(source), render(source, contracts)
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            changed.append(path)
    return changed
