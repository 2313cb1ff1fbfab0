"""`c360 rebuild` and `c360 change-report`: the warehouse beside itself, and what differs."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.console import out

Keep = Annotated[bool, typer.Option("--keep", help="Leave the schemas for a look; the next run replaces them.")]


def rebuild(
    known_on: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="Marts as known on a past day: YYYY-MM-DD (to its end), or a time stamp."),
    ] = None,
    keep: Keep = False,
) -> None:
    """Build everything anew into schemas of its own (rebuild_…) and compare; exit code 1 where something differs.

    Without options: every change log, table of the star and mart, from all arrivals and identity events; the living
    ones, made by increments in whatever order files came, must hold the same rows. Takes as long as a first build.

    With `--known-on`: the marts from what had been received by then, compared with the publication in force that day.
    As long as that one is kept it can also be read without a rebuild: `c360 sql` and `c360 report` take `--known-on`.

    c360 rebuild

    c360 rebuild --known-on 2026-11-02 --keep
        the marts of that day then stand in the schema rebuild_mart_build
    """
    from pipeline import steps
    from pipeline.display import bar, print_comparison
    from pipeline.schema import prepare

    prepare()
    with bar("rebuild", out) as progress:
        comparison = steps.rebuild(known_on, progress, keep)
    print_comparison(out, comparison)
    if not comparison.is_equal:
        raise typer.Exit(1)


def change_report(
    output: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Page of Markdown; <home>/out/change_report.md if not given.")
    ] = None,
    keep: Keep = False,
) -> None:
    """Which rows of which marts a change of this checkout changes: a branch, a model, a rule table.

    What differs from the project that the warehouse was last built by, and all that stands on it, is built into schemas
    of its own (change_…), out of what lives; then all marts are compared with the published ones by the keys of their
    contracts. What lives is not touched. The page holds counts, columns and a few keys, no personal values: put it into
    the review.

    git switch my-change; C360_HOME=/srv/c360 c360 change-report --output change.md
    """
    from pipeline import steps
    from pipeline.change_page import write_page
    from pipeline.display import bar, print_comparison
    from pipeline.schema import prepare
    from warehouse.settings import get_settings

    prepare()
    with bar("build", out) as progress:
        comparison = steps.change_report(progress, keep)
    print_comparison(out, comparison)
    path = output or get_settings().out / "change_report.md"
    write_page(comparison, path)
    out.print(f"page: {path}", soft_wrap=True)
