"""Damage to what the sender says was sent: control files and trailers, counts, totals, hashes, dates."""

from __future__ import annotations

from corpus.case import BASES, Case, Loaded, Refused
from corpus.damage import after, becomes, before, both, cut, first, flipped, in_line, nothing, recoded, swap

HEADER = "file_name|row_count|amount_total|sha256\r\n"
NAME = "posting_20261101.txt"


def control(what: str, damage, verdict: Refused | Loaded, base: str = "posting") -> Case:
    """A good file beside a broken control file."""
    return Case(f"a control file {what}", base, nothing, verdict, control=damage)


def named(other: str):
    """Another file's name in place of the own."""

    def damage(text: bytes) -> bytes:
        header, values = text.split(b"\r\n")[:2]
        return b"\r\n".join([header, other.encode() + values[values.find(b"|") :], b""])

    return damage


UNREADABLE = Refused("control_unreadable", says=(".ctl", "row_count"))
COUNT, TOTAL, HASH = Refused("control_rows"), Refused("control_amount"), Refused("control_sha256")

CONTROL_FILES = [
    Case(
        "no control file", "posting", nothing, Refused("control_missing", says=("posting_20261101.ctl",)), control=None
    ),
    Case(
        "no control file", "payment", nothing, Refused("control_missing", says=("payment_20261101.ctl",)), control=None
    ),
    *(
        control(what, damage, UNREADABLE)
        for what, damage in (
            ("that is empty", becomes(b"")),
            ("of a header only", becomes(HEADER.encode())),
            ("without its header", lambda text: text.partition(b"\n")[2]),
            ("cut in its second line", first(50)),
            ("in UTF-16", recoded("utf-8", "utf-16")),
            ("with a byte order mark", before(b"\xef\xbb\xbf")),
            ("of another delimiter", swap("|", ",", -1)),
            ("with a NUL byte in its count", swap("|8|", "|8\0|")),
            ("of NUL bytes", becomes(bytes(100))),
            ("without a count", swap("|8|", "||")),
            ("with a word for its count", swap("|8|", "|acht|")),
            ("with a count in full-width digits", both(swap("|8|", "|８|"), recoded("utf-8", "gb18030"))),
            ("with a count in Arabic digits", both(swap("|8|", "|٨|"), recoded("utf-8", "gb18030"))),
            ("with an underscore in its count", swap("|8|", "|0_8|")),
            ("with a negative count", swap("|8|", "|-8|")),
            ("with a fraction for its count", swap("|8|", "|8.0|")),
            ("with a count of 5,000 digits", swap("|8|", f"|{'8' * 5000}|")),
            ("with a total that is no number", swap("45.00", "nan")),
            ("with an endless total", swap("45.00", "Infinity")),
            ("with a total of a billion digits", swap("45.00", "1E999999999")),
            ("with a total in full-width digits", both(swap("45.00", "４５.００"), recoded("utf-8", "gb18030"))),
            ("with thousands in its total", swap("45.00", "0,045.00")),
            ("with a column too many in its second line", swap("|\r\n", "|x|y\r\n")),
            ("without the column of the count", swap("row_count", "rows")),
            ("of 10 MB", after(b"x" * (10 << 20))),
        )
    ),
    control("with a second data line", after(f"{NAME}|8|45.00|\r\n"), Refused("control_unreadable", says=("3 lines",))),
    control("without the column of the file's name", swap("file_name", "file"), UNREADABLE),
    control("of another file", named("posting_20261031.txt"), Refused("control_file_name", says=("20261031",))),
    control(
        "of a file in another folder", named("../posting_20261101.txt"), Refused("control_file_name", says=("'../",))
    ),
    control("of a name in SQL", named("'; drop table x; --"), Refused("control_file_name", says=("drop",))),
    control("of a name in capitals", named("POSTING_20261101.TXT"), Refused("control_file_name", says=("POSTING",))),
    control(
        "of too many rows", swap("|8|", "|9|"), Refused("control_rows", says=("9 rows, 8 were read", "1 are missing"))
    ),
    control("of too few rows", swap("|8|", "|7|"), Refused("control_rows", says=("7 rows, 8 were read", "1 too many"))),
    control("of no rows", swap("|8|", "|0|"), COUNT),
    control(
        "of a billion rows", swap("|8|", "|1000000000|"), Refused("control_rows", says=("999,999,992 are missing",))
    ),
    control("with a fen too many", swap("45.00", "45.01"), Refused("control_amount", says=("45.01", "45.00", "0.01"))),
    control("with a fen too few", swap("45.00", "44.99"), Refused("control_amount", says=("-0.01",))),
    control("with a negative total", swap("45.00", "-45.00"), TOTAL),
    control("with a total in fen", swap("45.00", "4500"), TOTAL),
    control("with a total of no value", swap("45.00", "0"), TOTAL),
    control("with a total of 29 digits", swap("45.00", "9" * 29), TOTAL),
    control("with another hash", swap("|\r\n", f"|{'0' * 64}\r\n"), Refused("control_sha256", says=("000000000000",))),
    control("with half a hash", swap("|\r\n", "|abc\r\n"), HASH),
    control("of too many rows", swap("|6|", "|7|"), COUNT, "payment"),
    control("with a fen too many", swap("15.6", "15.61"), TOTAL, "payment"),
    control("of another table", named("posting_20261101.txt"), Refused("control_file_name"), "payment"),
    control("of LF and without a last line end: as good", both(swap("\r\n", "\n", -1), cut(1)), Loaded()),
    control("of blanks around its values: as good", swap("|8|45.00|", " | 8 | 45.00 | "), Loaded()),
    control("without a total and a hash: the count counts", swap("|8|45.00|", "|8||"), Loaded()),
    control("of more decimals: as good", swap("45.00", "+045.0000"), Loaded()),
]

CARD_TRAILER = BASES["card_posting"].data.splitlines()[-1].decode()
TRAILERS = [
    Case(
        "a trailer of too many rows",
        "card_posting",
        in_line(8, "T0000000006", "T0000000007"),
        Refused("control_rows", 8, ("1 are missing",)),
    ),
    Case(
        "a trailer of too few rows",
        "card_posting",
        in_line(8, "T0000000006", "T0000000005"),
        Refused("control_rows", 8, ("1 too many",)),
    ),
    Case(
        "a trailer with a fen too many",
        "card_posting",
        swap(CARD_TRAILER, CARD_TRAILER[:-1] + "1"),
        Refused("control_amount", 8, ("0.01",)),
    ),
    Case(
        "a trailer in yuan instead of fen",
        "card_posting",
        swap(CARD_TRAILER, CARD_TRAILER[:11] + f"{21:020d}"),
        Refused("control_amount", 8),
    ),
    *(
        Case(f"a trailer {what}", "card_posting", swap(CARD_TRAILER, new), Refused("trailer", 8))
        for what, new in (
            ("that is short", CARD_TRAILER[:-1]),
            ("without its total", CARD_TRAILER[:11]),
            ("that is long", CARD_TRAILER + "99"),
            ("of one letter", "T"),
            ("with a word for its count", "T" + "six".ljust(10) + CARD_TRAILER[11:]),
            ("with an underscore in its count", "T0000000_06" + CARD_TRAILER[11:]),
            ("with an exponent in its total", CARD_TRAILER[:11] + "1E999999999".rjust(20)),
            ("with a total that is no number", CARD_TRAILER[:11] + "NaN".rjust(20)),
        )
    ),
    Case("a trailer of too many rows", "load_curve", in_line(11, "900,6", "900,7"), Refused("control_rows", 11)),
    Case(
        "a trailer with a total too small",
        "load_curve",
        in_line(11, "27.0", "26.9"),
        Refused("control_amount", 11, ("0.1",)),
    ),
    *(
        Case(f"a trailer {what}", "load_curve", in_line(11, "900,6,27.0", new), Refused("trailer", 11))
        for what, new in (
            ("without its total", "900,6"),
            ("of its type only", "900"),
            ("with a field too many", "900,6,27.0,x"),
            ("with a count in full-width digits", "900,６,27.0"),
            ("with a total in Arabic digits", "900,6,٢٧"),
            ("with an endless total", "900,6,inf"),
            ("with a total of a billion digits", "900,6,1e999999999"),
            ("with a NUL byte in its count", "900,6\0,27.0"),
        )
    ),
    Case("a trailer hidden by its type", "load_curve", in_line(11, "900", "9O0"), Refused("trailer_missing", 11)),
    Case("a trailer hidden by its type", "card_posting", in_line(8, "T0", "t0"), Refused("trailer_missing", 8)),
]

HEADER_RECORDS = [
    *(
        Case(f"a header of {what}", base, in_line(1, "20261101", value), Refused(rule, 1, (says,)))
        for base in ("card_posting", "load_curve")
        for what, value, rule, says in (
            ("the day before", "20261031", "business_date", "2026-10-31"),
            ("another century", "19261101", "business_date", "1926-11-01"),
            ("30 February", "20260230", "header", "no date"),
            ("a word for its date", "tomorrow", "header", "'tomorrow' is no date"),
            ("blanks for its date", "        ", "header", "no date"),
        )
    ),
    Case(
        "a header of a date in full-width digits",
        "load_curve",
        in_line(1, "20261101", "２０２６１１０１"),
        Refused("header", 1, ("no date",)),
    ),
    Case(
        "a header of a date in Arabic digits",
        "load_curve",
        in_line(1, "20261101", "٢٠٢٦١١٠١"),
        Refused("header", 1, ("no date",)),
    ),
    Case(
        "a header of another table",
        "card_posting",
        lambda data: b"H" + b"card_customer".ljust(20) + data[21:],
        Refused("table_name", 1, ("'card_customer'",)),
    ),
    Case(
        "a header of another table",
        "load_curve",
        lambda data: data.replace(data.split(b",")[1], b"bill_line", 1),
        Refused("table_name", 1, ("'bill_line'",)),
    ),
    Case(
        "a header of SQL for its table",
        "load_curve",
        lambda data: data.replace(data.split(b",")[1], b"x;drop table y", 1),
        Refused("table_name", 1, ("drop",)),
    ),
    Case(
        "a header without its date",
        "card_posting",
        in_line(1, "20261101", ""),
        Refused("header", 1, ("21 bytes long, 29",)),
    ),
    Case(
        "a header without its date", "load_curve", in_line(1, ",20261101", ""), Refused("header", 1, ("2 fields, 3",))
    ),
    Case(
        "a header of its type only", "load_curve", lambda data: b"100" + data[data.find(b"\n") :], Refused("header", 1)
    ),
    Case("a header that is long", "card_posting", in_line(1, "20261101", "20261101000000"), Refused("header", 1)),
    Case("a flipped byte in its type", "card_posting", flipped(0), Refused("header", 1)),
]

CASES = {"control_files": CONTROL_FILES, "trailers": TRAILERS, "header_records": HEADER_RECORDS}
