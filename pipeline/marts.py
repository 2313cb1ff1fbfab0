"""What dbt's marts promise, handed to publication: columns, key, controller and manager of each model in models/marts."""

from rich.table import Table

from pipeline import transformation
from pipeline.display import answer_table
from warehouse import publication
from warehouse.connection import connect
from warehouse.publication import MartSpec, PublicationReport


def specs(results: bool) -> list[MartSpec]:
    """The marts by their enforced contracts.

    Args:
        results: True for those tagged `results` (scorecards: they read assessment runs and are published after `assess`),
            False for all others.
    """
    nodes = transformation.manifest().nodes.values()
    chosen = [
        node
        for node in nodes
        if node.resource_type == "model" and node.fqn[1] == "marts" and ("results" in node.tags) == results
    ]
    return [_spec(node) for node in sorted(chosen, key=lambda node: node.name)]
