"""How codes and magnitudes are counted, against the same counts by Python."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

import psycopg
from hypothesis import given
from hypothesis import strategies as st

from expectations.profile import count_codes
from warehouse.migration import migrate, read_migrations

AMOUNTS = st.decimals("-1e17", "1e17", places=6) | st.sampled_from(
    [Decimal(10) ** power - step for power in range(-3, 17) for step in (Decimal(0), Decimal("0.000001"))]
)
ROWS = st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["in", "out", "", None]), st.none() | AMOUNTS))


def magnitude(amount: Decimal | None) -> str:
    return str(amount.adjusted()) if amount else ""


def test_each_file_is_counted_once_by_code_and_by_power_of_ten(owner: psycopg.Connection, tmp_path: Path) -> None:
    migrate([*read_migrations("ingestion"), *read_migrations("expectations")], owner)
    (tmp_path / "profile.yaml").write_text("shop.sale: {direction: code, amount: magnitude}", encoding="utf-8")
    owner.execute(
        """
        drop schema if exists raw_shop cascade; create schema raw_shop;
        create table raw_shop.sale (direction text, amount numeric(24, 6), _file_id bigint);
        truncate ops.source_file, ops.batch cascade;
        insert into ops.batch (batch_id, source_system, business_date, sequence, state, known_at, completed_at)
        values ('shop/1', 'shop', '2026-11-02', 1, 'complete', now(), now())
        """
    )

    @given(ROWS)
    def is_counted(rows: list[tuple[int, str | None, Decimal | None]]) -> None:
        owner.execute("truncate raw_shop.sale, ops.code_count, ops.source_file cascade")
        files = Counter(file for file, _, _ in rows)
        with owner.cursor() as cursor:
            cursor.executemany(
                "insert into ops.source_file (file_id, batch_id, source_system, table_name, business_date, sequence,"
                " file_name, bytes, sha256, received_at, state, rows_sent, rows_loaded, rows_quarantined, rows_erased)"
                " values (%s, 'shop/1', 'shop', 'sale', '2026-11-02', %s, 'x', 1, %s, now(), 'loaded', %s, %s, 0, 0)",
                [(file, file, f"{file:064d}", count, count) for file, count in files.items()],
            )
            cursor.executemany("insert into raw_shop.sale (_file_id, direction, amount) values (%s, %s, %s)", rows)
        assert count_codes(owner, ["shop"], tmp_path) == len(files)
        assert count_codes(owner, ["shop"], tmp_path) == 0
        expected = Counter((file, "direction", direction or "") for file, direction, _ in rows)
        expected += Counter((file, "amount", magnitude(amount)) for file, _, amount in rows)
        counted = owner.execute("select file_id, column_name, code, rows_counted from ops.code_count")
        assert {(file, column, code): count for file, column, code, count in counted} == expected

    is_counted()
