"""How often each code stands in each file: counted once, in one scan of its rows, and kept in `ops.code_count`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import psycopg
import yaml
from psycopg import sql
from pydantic import TypeAdapter

_PROFILE: TypeAdapter[dict[str, dict[str, Literal["code", "magnitude"]]]] = TypeAdapter(
    dict[str, dict[str, Literal["code", "magnitude"]]]
)
# The powers of ten told apart: what is smaller counts by the one below, what is larger by the last.
_LEAST, _GREATEST = -6, 18
_POWERS = ",".join(f"1e{power}" for power in range(_LEAST, _GREATEST + 1))
_BUCKET = f"width_bucket(abs(nullif({{}}, 0)::numeric), '{{{{{_POWERS}}}}}'::numeric[])"
_VALUE = {
    "code": sql.SQL("coalesce({}::text, '')"),
    # Compared, not reckoned: a logarithm of numeric costs twenty times the rest of the scan, one of float is not exact.
    "magnitude": sql.SQL(f"coalesce(({_BUCKET} + {_LEAST - 1})::text, '')"),
}
_UNCOUNTED = """
select source_system, table_name, array_agg(file_id order by file_id)
from ops.source_file as file
where
    source_system || '.' || table_name = any(%s) and source_system = any(%s) and state = 'loaded' and release = 0
    and rows_loaded > 0 and rows_deleted_at is null
    and not exists (select 1 from ops.code_count as counted where counted.file_id = file.file_id)
group by source_system, table_name
order by source_system collate "C", table_name collate "C"
"""
_COUNT = """
with combination as (
    select _file_id, {values}, count(*) as rows_counted
    from {table}
    where _file_id = any({files})
    group by {positions}
)

select combination._file_id, part.column_name, part.code, sum(combination.rows_counted)
from combination
cross join lateral (values {parts}) as part (column_name, code)
group by combination._file_id, part.column_name, part.code
"""
_KEEP = "insert into ops.code_count (file_id, column_name, code, rows_counted) values (%s, %s, %s, %s)"


def count_codes(session: psycopg.Connection[Any], sources: list[str], suites: Path) -> int:
    """Count the codes of all loaded files that have not been counted.

    Args:
        session: of the owner.
        sources: whose files.
        suites: the folder with `profile.yaml`, which names the columns.

    Returns:
        How many files were counted.

    Raises:
        pydantic.ValidationError: `profile.yaml` counts a column by something unknown.
    """
    profile = suites / "profile.yaml"
    columns = _PROFILE.validate_python(yaml.safe_load(profile.read_text("utf-8")) if profile.is_file() else {})
    tables = session.execute(_UNCOUNTED, [list(columns), sources]).fetchall()
    for source, table, files in tables:
        kinds = columns[f"{source}.{table}"]
        values = [_VALUE[kind].format(sql.Identifier(column)) for column, kind in kinds.items()]
        names = [sql.Identifier(f"value_{number}") for number in range(len(kinds))]
        count = sql.SQL(_COUNT).format(
            values=_listed(sql.SQL("{} as {}").format(*pair) for pair in zip(values, names, strict=True)),
            table=sql.Identifier(f"raw_{source}", table),
            files=files,
            positions=_listed(sql.Literal(number) for number in range(1, len(kinds) + 2)),
            parts=_listed(sql.SQL("({}, {})").format(*pair) for pair in zip(kinds, names, strict=True)),
        )
        with session.transaction(), session.cursor() as cursor:
            # Two statements: PostgreSQL reads with parallel workers only where it does not insert.
            cursor.executemany(_KEEP, cursor.execute(count).fetchall())
    return sum(len(files) for _, _, files in tables)


def _listed(parts: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
