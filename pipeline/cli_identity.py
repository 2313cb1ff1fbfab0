"""`c360 identity`: the model by which customers are compared, and what a fresh matching would change."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.console import out

app = typer.Typer(
    help="Resolution of parties: train the model, or match afresh without writing. `c360 build` does the daily step.",
    no_args_is_help=True,
)


@app.command()
def train(
    folder: Annotated[
        Path | None, typer.Option("--out", help="Folder of the model files; identity/models if not given.")
    ] = None,
) -> None:
    """Learn the weights from the customers of this warehouse; the files are to be reviewed and committed.

    Raise the version in identity/model.yaml first: standing decisions keep the version that made them.
    """
    from pipeline import steps

    for path in steps.train_identity(folder, out.print):
        out.print(f"written: {path}", soft_wrap=True)


@app.command()
def rematch(limit: Annotated[int, typer.Option(min=0, help="At most so many differences.")] = 50) -> None:
    """What matching all customers afresh would change, for approval. Nothing is written."""
    from pipeline import steps
    from pipeline.display import answer_table

    found = steps.rematch_identity()
    out.print(str(found))
    rows = [
        (*one.customer, one.party_id, one.rule, one.change, ", ".join(" ".join(other) for other in one.others))
        for one in found.differences[:limit]
    ]
    if rows:
        out.print(answer_table(["source", "customer", "party", "by", "change", "with"], rows))
    if len(found.differences) > limit:
        out.print(f"and {len(found.differences) - limit} more: --limit")
