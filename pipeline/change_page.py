"""The change report as a page of Markdown, to be read in a review: it holds counts and keys, no personal values."""

from pathlib import Path

from pipeline.comparison import Comparison, Difference

HEAD = """# Change report 变更报告

Before: {before}. After: {after}. {verdict}
"""

_KINDS = {"removed": "only before", "added": "only after", "changed": "changed"}


def write_page(comparison: Comparison, path: Path) -> None:
    """Write the page, folders and all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(comparison), "utf-8")


def page(comparison: Comparison) -> str:
    """The whole page: one line a table, then what differs in each."""
    different = [table for table in comparison.tables if not table.is_equal]
    verdict = f"{len(different)} of {len(comparison.tables)} tables differ." if different else "Nothing differs."
    head = HEAD.format(before=comparison.before, after=comparison.after, verdict=verdict)
    lines = [
        _row(["table", "rows before", "rows after", *_KINDS.values()]),
        _row(["---", *["---:"] * 5]),
        *(
            _row([f"`{table.name}`", *map(_number, (table.rows_before, table.rows_after, *_counts(table)))])
            for table in comparison.tables
        ),
    ]
    return "\n".join([head, *lines, *(line for table in different for line in _section(table)), ""])


def _section(table: Difference) -> list[str]:
    lines = [f"\n## {table.name}\n"]
    if table.missing:
        lines.append(f"There is no such table {table.missing} the change.")
    if table.new_columns:
        lines.append(f"New columns: {', '.join(map(_code, table.new_columns))}.\n")
    if table.lost_columns:
        lines.append(f"Columns that are gone: {', '.join(map(_code, table.lost_columns))}.\n")
    if table.columns:
        lines += [_row(["column", "rows in which it differs"]), _row(["---", "---:"])]
        lines += [_row([_code(name), _number(count)]) for name, count in by_count(table)]
    for kind, keys in table.examples.items():
        lines.append(f"\nExamples, {_KINDS[kind]}:\n")
        lines += ["- " + ", ".join(f"{name} {_code(value)}" for name, value in key.items()) for key in keys]
    return lines


def by_count(table: Difference) -> list[tuple[str, int]]:
    """Columns that differ, those of most rows first."""
    return sorted(table.columns.items(), key=lambda item: (-item[1], item[0]))


def _counts(table: Difference) -> tuple[int, int, int]:
    return table.removed, table.added, table.changed


def _number(count: int) -> str:
    return f"{count:,}"


def _code(text: str) -> str:
    return f"`{text.replace('`', '')}`"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
