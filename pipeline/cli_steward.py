"""`c360 steward`: who is who, decided by people."""

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console import out

if TYPE_CHECKING:
    import psycopg

    from identity.judgement import Key
    from identity.steward import Verdict

app = typer.Typer(
    help="Customers that may be one party, or may not: look at them, decide. Every decision is kept with login, time "
    "and reason, and stands above rules and models.",
    no_args_is_help=True,
)

ITEM_SHOWN = 10
"""Signs of an item's number that a list shows: enough to name it by."""

What = Annotated[
    str,
    typer.Argument(
        metavar="ITEM|CUSTOMER", help="An item of the list (its first signs do), or a customer as SOURCE/ID."
    ),
]
Other = Annotated[str | None, typer.Argument(metavar="[CUSTOMER]", help="The other customer, as SOURCE/ID.")]
Reason = Annotated[str, typer.Option(help="Why, in words; it is kept.")]
Steward = Annotated[str, typer.Option("--as", metavar="LOGIN", help="Who: a login of the role steward.")]


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="At most so many items.")] = 50, login: Steward = "stella"
) -> None:
    """What waits for a decision, likeliest first."""
    from identity.steward import queue
    from pipeline.display import answer_table
    from warehouse.connection import connect

    with connect(login, autocommit=True) as session:
        found = queue(session, limit=limit + 1)
    rows = [
        (
            one.item[:ITEM_SHOWN],
            one.reason,
            one.match_probability,
            "/".join(one.left),
            "/".join(one.right) if one.right else None,
            one.found_at.date(),
        )
        for one in found[:limit]
    ]
    names = ["item", "what was found", "probability", "customer", "to compare with", "found"]
    out.print(answer_table(names, rows) if rows else "Nothing waits for a steward.")
    if len(found) > limit:
        out.print("and more: --limit")


@app.command()
def show(
    what: What,
    other: Other = None,
    clear: Annotated[bool, typer.Option("--clear", help="Names and numbers as they are, where granted.")] = False,
    login: Steward = "stella",
) -> None:
    """Two customers side by side, and what was decided about them before."""
    from identity.steward import decisions, evidence
    from pipeline.display import answer_table
    from pipeline.party import may_see_clear, values_of
    from warehouse.connection import connect

    with connect(login, autocommit=True) as session:
        pair = [key for key in _pair(session, what, other) if key is not None]
        granted = may_see_clear(session)
        clearly = [evidence(session, key, True) | values_of(session, key, granted) for key in pair]
        shown = clearly
        if not (clear and granted):
            shown = [evidence(session, key) | values_of(session, key) for key in pair]
        before = {decision for key in pair for decision in decisions(session, key)}
    rows = [
        (name.replace("_", " "), *(side.get(name) for side in shown), _agree(name, clearly))
        for name in dict.fromkeys(name for side in shown for name in side)
    ]
    out.print(answer_table(["", *("/".join(key) for key in pair), "same"], rows))
    if before:
        names = ["decision", "verdict", "customer", "and", "reason", "by", "at"]
        out.print(answer_table(names, sorted(before), "Decided before"))


@app.command()
def link(what: What, reason: Reason, other: Other = None, login: Steward = "stella") -> None:
    """They are one party, whatever rules say; also two customers of one source. The party first known keeps its id."""
    _decide("link", what, other, reason, login)


@app.command()
def unlink(what: What, reason: Reason, other: Other = None, login: Steward = "stella") -> None:
    """They are not one party, now and for good: equal numbers will not join them again."""
    _decide("unlink", what, other, reason, login)


@app.command()
def dismiss(what: What, reason: Reason, other: Other = None, login: Steward = "stella") -> None:
    """Nothing follows: the item leaves the list until something new is found."""
    _decide("dismiss", what, other, reason, login)


def _decide(verdict: "Verdict", what: str, other: str | None, reason: str, login: str) -> None:
    from identity.steward import decide
    from pipeline.schema import prepare
    from warehouse.connection import connect

    prepare()
    with connect(login, autocommit=True) as session:
        one, second = _pair(session, what, other)
        decided = decide(session, verdict, one, second, reason)
    out.print(f"decision {decided.decision_id} by {decided.decided_by}: {verdict}")
    for key, left, entered in decided.moved:
        out.print(f"  {'/'.join(key)} leaves {left} for {entered}", soft_wrap=True)
    out.print("The next build takes it up." if decided.moved else "Nobody moves.")


def _pair(session: "psycopg.Connection", what: str, other: str | None) -> "tuple[Key, Key | None]":
    """The customers that the arguments name.

    Raises:
        typer.BadParameter: the item does not wait, several begin so, or a customer is not written as SOURCE/ID.
    """
    from identity.steward import queue

    if "/" in what:
        return _key(what), _key(other) if other else None
    found = queue(session, item=what)
    found = [one for one in found if one.item == what] or found
    if not found:
        raise typer.BadParameter(f"{what!r} does not wait for a decision: see c360 steward list")
    if len(found) > 1:
        raise typer.BadParameter(f"several items begin with {what!r}: write more of {found[0].item!r}")
    return found[0].left, found[0].right


def _key(text: str) -> "Key":
    source, _, customer_id = text.partition("/")
    if not source or not customer_id:
        raise typer.BadParameter(f"{text!r} names no customer: write SOURCE/ID, as core_banking/C0000001")
    return source, customer_id


def _agree(name: str, sides: list[dict[str, object]]) -> str | None:
    """Whether both sides say the same, by the clear values: masks hide differences."""
    if len(sides) < 2 or any(side.get(name) is None for side in sides):
        return None
    return "yes" if len({str(side[name]) for side in sides}) == 1 else "no"
