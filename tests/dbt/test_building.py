"""Two builders at work at once stand in each other's way nowhere."""

import psycopg

from pipeline import transformation

REPLACED = ("table", "seed")
"""Made beside and put in place of the last one, which is dropped with every view that stands on it."""


def test_no_view_stands_on_two_tables_that_are_replaced(prepared: psycopg.Connection) -> None:
    """Two that drop the same view with their table wait for each other: a deadlock, of which PostgreSQL ends one."""
    nodes = {
        key: node for key, node in transformation.manifest().nodes.items() if node.resource_type in ("model", "seed")
    }
    views = {key: node for key, node in nodes.items() if node.config.materialized == "view"}
    replaced = {
        node.name: [
            nodes[on].name for on in node.depends_on.nodes if on in nodes and nodes[on].config.materialized in REPLACED
        ]
        for node in views.values()
    }
    assert any(replaced.values()), "nothing to see"
    assert {view: tables for view, tables in replaced.items() if len(tables) > 1} == {}
