"""How often each code stands in each file: counted once, in one scan of its rows, and kept in `ops.code_count`."""

from pathlib import Path
from typing import Any, Literal

import psycopg
import yaml
from psycopg import sql
from pydantic import TypeAdapter

_PROFILE: TypeAdapter[dict[str, dict[str, Literal["code", "magnitude"]]]] = TypeAdapter(
    dict[str, dict[str, Literal["code", "magnitude"]]]
)
_VALUE = {
    "code": sql.SQL("coalesce({}::text, '')"),
    "magnitude": sql.SQL("coalesce(floor(log(abs(nullif({}, 0)::numeric)))::text, '')"),
}
_UNCOUNTED = """
select file_id, source_system, table_name
from ops.source_file as file
where
    source_system || '.' || table_name = any(%s) and source_system = any(%s) and state = 'loaded' and release = 0
    and rows_loaded > 0 and rows_deleted_at is null
    and not exists (select 1 from ops.code_count as counted where counted.file_id = file.file_id)
order by business_date, file_id
"""


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
    files = session.execute(_UNCOUNTED, [list(columns), sources]).fetchall()
    for file_id, source, table in files:
        values = [
            sql.SQL("({}, {})").format(column, _VALUE[kind].format(sql.Identifier(column)))
            for column, kind in columns[f"{source}.{table}"].items()
        ]
        session.execute(
            sql.SQL(
                "insert into ops.code_count (file_id, column_name, code, rows_counted) "
                "select {file}, part.column_name, part.code, count(*) from {table} "
                "cross join lateral (values {values}) as part (column_name, code) "
                "where _file_id = {file} group by part.column_name, part.code"
            ).format(file=file_id, table=sql.Identifier(f"raw_{source}", table), values=sql.SQL(", ").join(values))
        )
    return len(files)
