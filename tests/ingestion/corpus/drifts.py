"""Files that are no longer what their contract says, under each policy; rows of the wrong day; full-width digits."""

from __future__ import annotations

from collections.abc import Mapping

from corpus.case import Case, Loaded, Refused
from corpus.damage import Damage, both, cell, in_line, line, swap
from corpus.values import kept, rejected

LINES = range(2, 6)
COLUMNS = ("booking_id", "amount", "booked_on", "happened_at", "channel", "fee", "id_number")


def wider(name: str, value: str = "x{}") -> Damage:
    """A column more, its values numbered by line."""
    return both(
        line(1, lambda old: old + f"|{name}".encode()),
        *(line(n, lambda old, n=n: old + f"|{value.format(n)}".encode()) for n in LINES),
    )


def narrower(name: str) -> Damage:
    """A column less."""
    at = COLUMNS.index(name)
    return both(
        *(line(n, lambda old: b"|".join(old.split(b"|")[:at] + old.split(b"|")[at + 1 :])) for n in range(1, 6))
    )


def everywhere(shown: Mapping[str, str | None]) -> dict[tuple[int, str], str | None]:
    """What every row shows; `{}` is its line."""
    return {(n, name): value and value.format(n) for n in LINES for name, value in shown.items()}


def all_rejected(column: str) -> Loaded:
    """Every row waits in quarantine, and the file is not refused for it."""
    return Loaded(tuple((n, "lost_column", column) for n in LINES))


NEW = [
    Case("a new column", "booking_evolve", wider("branch"), Loaded(shows=everywhere({"+branch": "x{}"}))),
    Case("a new column", "booking_ignore", wider("branch"), Loaded()),
    Case("a new column", "booking_quarantine", wider("branch"), Loaded()),
    Case("a new column", "booking_refuse", wider("branch"), Refused("new_column", 1, ("'branch'", "version 1.0.0"))),
    Case("a new column in hanzi", "booking_evolve", wider("网点"), Loaded(shows=everywhere({"+网点": "x{}"}))),
    Case(
        "a new column called like the lineage",
        "booking_evolve",
        wider("_line"),
        Loaded(shows=everywhere({"+_line": "x{}"})),
    ),
    Case("a new column without values: none is made", "booking_evolve", wider("branch", ""), Loaded()),
    Case("a delimiter behind every line", "booking_evolve", wider("", ""), Loaded()),
    Case(
        "SQL in the name of a new column",
        "booking_evolve",
        wider('x" text; drop table ops.batch; --'),
        Loaded(shows=everywhere({'+x" text; drop table ops.batch; --': "x{}"})),
    ),
]

LOST = [
    Case(
        "a column lost that is required",
        "booking_evolve",
        narrower("amount"),
        Loaded(shows=everywhere({"amount": None})),
    ),
    Case("a column lost", "booking_ignore", narrower("fee"), Loaded(shows=everywhere({"fee": None}))),
    Case(
        "a column lost that is required",
        "booking_ignore",
        narrower("amount"),
        Refused("lost_column", 1, ("'amount'", "it is required")),
    ),
    Case("a column lost", "booking_quarantine", narrower("fee"), all_rejected("fee")),
    Case("a column lost", "booking_refuse", narrower("fee"), Refused("lost_column", 1, ("'fee'",))),
    Case(
        "its key lost",
        "booking_evolve",
        narrower("booking_id"),
        Refused("lost_column", 1, ("'booking_id'", "no row can do without it")),
    ),
]

CHANGED = [
    Case(
        "a number that is none",
        "booking_evolve",
        cell("booking_evolve", 3, "amount", "twelve"),
        Loaded(shows={(3, "amount"): None, (3, "~amount"): "twelve", **{(n, "~amount"): None for n in (2, 4, 5)}}),
    ),
    Case(
        "a number that is none, and not required",
        "booking_ignore",
        cell("booking_ignore", 3, "fee", "none"),
        Loaded(shows={(3, "fee"): None}),
    ),
    Case(
        "a required number that is none",
        "booking_ignore",
        cell("booking_ignore", 3, "amount", "twelve"),
        Loaded(((3, "type", "amount"),)),
    ),
    *rejected("booking_quarantine", "fee", "type", {"that is none": "none"}),
    Case(
        "a number that is none",
        "booking_refuse",
        cell("booking_refuse", 3, "fee", "none"),
        Refused("changed_type", 3, ("fee",)),
    ),
]

DAYS = [
    *rejected(
        "booking",
        "booked_on",
        "cut_off",
        {"the day before it happened": "2026-10-31", "long before": "1999-12-31"},
    ),
    *rejected("booking", "booked_on", "business_date", {"ahead of its file": "2026-11-02"}),
    *rejected(
        "booking",
        "happened_at",
        "cut_off",
        {
            "at the cut-off and booked on the day it closed": "2026-11-01 22:30:00",
            "two days before": "2026-10-30 09:00:00",
        },
        named="booked_on",
    ),
    *kept("booking", "happened_at", {"after the cut-off of the day before": "2026-10-31 22:30:00"}),
    Case(
        "the end-of-day run books on the day that it closes",
        "booking",
        in_line(4, "22:29:59|app", "23:59:00|batch"),
        Loaded(shows={(4, "happened_at"): "2026-11-01 23:59:00", (4, "channel"): "batch"}),
    ),
    Case(
        "rows of last week only",
        "booking",
        swap("2026-11-01", "2026-10-25", -1),
        Refused("freshness", None, ("2026-10-25", "more than 1 days before 2026-11-01")),
    ),
]

FULL_WIDTH = [
    *kept("booking", "amount", {"in full-width digits": "１２．５０"}, "12.50"),
    *kept("booking", "amount", {"with a full-width currency and comma": "￥１，２００．００"}, "1200.00"),
    *kept("booking", "amount", {"with a full-width minus": "－１２．５０"}, "-12.50"),
    *kept("booking", "booked_on", {"in full-width digits": "２０２６－１１－０１"}, "2026-11-01"),
    *kept(
        "booking",
        "id_number",
        {"in full-width characters": "１１０１０５１９４９１２３１００２Ｘ"},
        "11010519491231002X",
    ),
    *rejected(
        "booking", "amount", "type", {"in Arabic digits": "١٢.٥٠", "in full-width letters": "ＡＢ", "in hanzi": "十二"}
    ),
    *rejected("booking", "fee", "type", {"in full-width digits where none are agreed": "０．５０"}),
    *rejected(
        "booking",
        "id_number",
        "check_digit_cn_resident_id",
        {"in full-width digits with a wrong check digit": "１１０１０５１９４９１２３１００２１"},
    ),
]

CASES = {"new columns": NEW, "lost columns": LOST, "changed types": CHANGED, "days": DAYS, "full width": FULL_WIDTH}
