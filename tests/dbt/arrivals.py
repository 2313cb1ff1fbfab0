"""Small hand-made arrivals in a real database, and builds of the real dbt project over them."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from pipeline import transformation

Rows = Iterable[Mapping[str, Any]]
FIRST_RECEIPT = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
SCHEMAS = ("intermediate", "core")
BEGIN, END = date(1, 1, 1), date(9999, 12, 31)
DAY = date(2026, 11, 1)


@dataclass
class Arrivals:
    """Batches put straight into raw and the ledger, as ingestion leaves them, and builds over them.

    Every call of `receive` is one complete batch, received an hour after the one before.
    """

    session: psycopg.Connection
    count: int = field(default=0)

    def receive(self, source: str, day: date, tables: Mapping[str, Rows], sequence: int = 1) -> str:
        """One complete batch of `source` for business date `day`; returns its id."""
        return self._receive(source, day, tables, sequence)

    def release(self, source: str, day: date, tables: Mapping[str, Rows]) -> str:
        """Rows that lay in the quarantine of the files of a day's first batch, let out now; returns the batch's id."""
        return self._receive(source, day, tables, sequence=1, release=1)

    def _receive(self, source: str, day: date, tables: Mapping[str, Rows], sequence: int, release: int = 0) -> str:
        self.count += 1
        known_at = FIRST_RECEIPT + timedelta(hours=self.count)
        batch_id = f"{source}/{day}/{sequence}" + (f"/q{release}" if release else "")
        with self.session.transaction():
            self.session.execute(
                "insert into ops.batch "
                "(batch_id, source_system, business_date, sequence, release, state, known_at, completed_at) "
                "values (%s, %s, %s, %s, %s, 'complete', %s, now())",
                [batch_id, source, day, sequence, release, known_at],
            )
            for table, rows in tables.items():
                self._load(batch_id, source, table, day, sequence, release, known_at, list(rows))
        return batch_id

    def _load(
        self,
        batch_id: str,
        source: str,
        table: str,
        day: date,
        sequence: int,
        release: int,
        known_at: datetime,
        rows: Sequence[Mapping[str, Any]],
    ) -> None:
        digest = hashlib.sha256(f"{batch_id}/{table}".encode()).hexdigest()
        file_id = int(digest[:15], 16)
        self.session.execute(
            "insert into ops.source_file "
            "(file_id, batch_id, source_system, table_name, business_date, sequence, file_name, bytes, "
            "sha256, received_at, state, rows_sent, rows_loaded, rows_quarantined, rows_erased, release, "
            "released_from) "
            "values (%s, %s, %s, %s, %s, %s, %s, 0, %s, %s, 'loaded', %s, %s, 0, 0, %s, (select file_id "
            "from ops.source_file where batch_id = %s and table_name = %s))",
            [
                file_id, batch_id, source, table, day, sequence, table, digest, known_at, len(rows), len(rows), release,
                f"{source}/{day}/{sequence}" if release else None, table,
            ],
        )  # fmt: skip
        for line, row in enumerate(rows, start=1):
            columns = [*row, "_file_id", "_line"]
            self.session.execute(
                sql.SQL("insert into {} ({}) values ({})").format(
                    sql.Identifier(f"raw_{source}", table),
                    sql.SQL(", ").join(map(sql.Identifier, columns)),
                    sql.SQL(", ").join(sql.Placeholder() * len(columns)),
                ),
                [*row.values(), file_id, line],
            )

    def build(self, *models: str, target: str = "dev") -> None:
        """`dbt run` of the models named."""
        transformation.run("run", "--select", *models, target=target)

    def rebuild(self, *models: str) -> None:
        """The same from raw, into schemas of their own."""
        for schema in SCHEMAS:
            self.session.execute(
                sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(f"rebuild_{schema}"))
            )
        transformation.run("run", "--select", *models, target="rebuild")

    def differences(self, *relations: str) -> dict[str, list[Any]]:
        """Rows that stand in only one of the living relation and its rebuild, by relation; all columns count."""
        found = {}
        for relation in relations:
            schema, name = relation.split(".")
            columns = [
                column
                for (column,) in self.session.execute(
                    "select column_name from information_schema.columns where table_schema = %s and table_name = %s",
                    [schema, name],
                )
            ]
            chosen = sql.SQL(", ").join(map(sql.Identifier, columns))
            living, rebuilt = sql.Identifier(schema, name), sql.Identifier(f"rebuild_{schema}", name)
            query = sql.SQL(
                "(select 'living', {c} from {a} except all select 'living', {c} from {b}) "
                "union all (select 'rebuilt', {c} from {b} except all select 'rebuilt', {c} from {a})"
            ).format(c=chosen, a=living, b=rebuilt)
            if rows := self.session.execute(query).fetchall():
                found[relation] = rows
        return found

    def rows(self, query: str, *values: Any) -> list[Any]:
        """What a query answers."""
        return self.session.execute(query, values or None).fetchall()  # type: ignore[call-overload]

    def forget(self) -> None:
        """Nothing has arrived and nothing is built but the views of staging."""
        for schema in SCHEMAS:
            for name in (schema, f"rebuild_{schema}"):
                self.session.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(name)))
        tables = self.rows(
            "select table_schema, table_name from information_schema.tables where table_schema like 'raw\\_%'"
        )
        names = [sql.Identifier(*table) for table in tables]
        names += [
            sql.Identifier("ops", name)
            for name in ("source_file", "batch", "batch_taken_up", "key_override", "fact_rekeyed")
        ]
        self.session.execute(sql.SQL("truncate {} cascade").format(sql.SQL(", ").join(names)))
        self.count = 0


def change(
    account: str, flag: str, day: date, status: str = "active", rate: int = 0, sequence: int = 1
) -> dict[str, Any]:
    """One row of core_banking.account."""
    return dict(
        change_flag=flag,
        change_seq=sequence,
        effective_date=day,
        account_id=account,
        customer_id="C1",
        product_id="P1",
        organisation_id="O1",
        account_type="personal_demand",
        currency="CNY",
        gl_subject="2011",
        interest_rate=rate,
        opened_on=date(2020, 1, 1),
        status=status,
    )
