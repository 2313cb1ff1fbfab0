"""Hand-made rows as published marts: tables and keys from the enforced contracts, without running dbt."""

from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path

import psycopg
import yaml
from psycopg import sql

from warehouse.migration import migrate
from warehouse.publication import Column, MartSpec, migration_for, publish

MARTS = Path(__file__).resolve().parents[1] / "dbt_project" / "models" / "marts"


@cache
def spec(name: str) -> MartSpec:
    """The mart as its contract in `dbt_project/models/marts` describes it."""
    for path in sorted(MARTS.glob("*/_*__models.yml")):
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", []):
            if model["name"] == name:
                meta = model.get("config", {}).get("meta", {})
                filters = {name: column for name, column in meta.items() if name.endswith("_column")}
                key = next(c["columns"] for c in model["constraints"] if c["type"] == "primary_key")
                columns = tuple(
                    Column(
                        column["name"],
                        column["data_type"],
                        bool(column.get("constraints")),
                        column["description"],
                        bool(column.get("config", {}).get("meta", {}).get("is_clear")),
                    )
                    for column in model["columns"]
                )
                return MartSpec(name, columns, tuple(key), model["description"], **filters)
    raise LookupError(f"no contract of {name}")


def publish_rows(owner: psycopg.Connection, marts: dict[str, list[dict]], business_date: date) -> int:
    """Publish the rows (by column name; columns not named are NULL) as the whole of these marts; returns the number.

    A batch received at noon of the business date (UTC) stands as the origin of the data.
    """
    specs = [spec(name) for name in marts]
    migrate([migration_for(each) for each in specs], owner)
    owner.execute(
        "insert into ops.batch_taken_up (consumer, batch_id, known_at, taken_in, taken_at) "
        "values ('core.test', %s, %s, 'test', now()) on conflict do nothing",
        [f"core_banking/{business_date}/1", datetime.combine(business_date, time(12), UTC)],
    )
    for each in specs:
        table = sql.Identifier("mart_build", each.name)
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.type)) for column in each.columns
        )
        owner.execute(sql.SQL("drop table if exists {}").format(table))
        owner.execute(sql.SQL("create table {} ({})").format(table, columns))
        for row in marts[each.name]:
            owner.execute(
                sql.SQL("insert into {} ({}) values ({})").format(
                    table,
                    sql.SQL(", ").join(map(sql.Identifier, row)),
                    sql.SQL(", ").join(sql.Placeholder() * len(row)),
                ),
                list(row.values()),
            )
    return publish(specs, "test", business_date, owner).number
