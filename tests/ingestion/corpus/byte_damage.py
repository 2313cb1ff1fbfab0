"""Damage to bytes: cut files, wrong and mixed encodings, byte order marks, NUL bytes, line ends, endless lines."""

from __future__ import annotations

from corpus.case import Case, Loaded, Refused
from corpus.damage import (
    after,
    becomes,
    before,
    both,
    cell,
    cut,
    first,
    flipped,
    in_line,
    line,
    parquet,
    recoded,
    swap,
    without_line,
)

MARK, MARK_GB18030 = b"\xef\xbb\xbf", b"\x84\x31\x95\x33"
TEXT_BASES = ("posting", "customer", "card_posting", "load_curve", "payment")
LAST_LINE = {"posting": 9, "customer": 6, "card_posting": 8, "load_curve": 11, "payment": 6}
LONG = "工资发放明细"  # six hanzi: long enough to be told from other hanzi

CUT = [
    *(
        Case("cut inside its last line", base, cut(7), Refused("cut_line", LAST_LINE[base], ("no line end",)))
        for base in TEXT_BASES
    ),
    *(
        Case("cut before its last line feed", base, cut(1), Refused("cut_line", LAST_LINE[base]))
        for base in ("posting", "load_curve")
    ),
    Case("cut in the middle of a hanzi", "posting", cut(5), Refused("cut_line", 9)),
    Case("cut in its header", "posting", first(30), Refused("cut_line", 1)),
    Case("cut to one byte", "payment", first(1), Refused("cut_line", 1)),
    Case("cut behind a line", "posting", without_line(9), Refused("control_rows", says=("1 are missing",))),
    Case("cut behind a line", "payment", without_line(6), Refused("control_rows", says=("1 are missing",))),
    Case("cut behind a line", "card_posting", both(without_line(8), without_line(7)), Refused("trailer_missing", 6)),
    Case("cut behind a line, no control: nobody can tell", "customer", without_line(6), Loaded(good=4)),
    Case("cut to half of it", "daily_reading", lambda data: data[: len(data) // 2], Refused("unreadable")),
    Case("cut in its footer", "daily_reading", cut(6), Refused("unreadable", says=("Parquet",))),
    Case("without its first bytes", "daily_reading", lambda data: data[4:], Refused("unreadable")),
    Case("empty", "daily_reading", becomes(b""), Refused("unreadable")),
    Case("empty", "posting", becomes(b""), Refused("empty", 1)),
    Case("empty", "customer", becomes(b""), Refused("empty", 1)),
    Case("empty", "card_posting", becomes(b""), Refused("empty", 1)),
    Case("empty", "load_curve", becomes(b""), Refused("empty", 1)),
    Case(
        "empty, but six payments were sent", "payment", becomes(b""), Refused("control_rows", says=("6 are missing",))
    ),
    Case(
        "header only, but eight postings were sent",
        "posting",
        lambda d: d[: d.find(b"\n") + 1],
        Refused("control_rows"),
    ),
    Case(
        "header only, no control: a day without changes", "customer", lambda d: d[: d.find(b"\n") + 1], Loaded(good=0)
    ),
    Case("header only", "card_posting", lambda d: d[: d.find(b"\n") + 1], Refused("trailer_missing", 1)),
    Case("header only", "load_curve", lambda d: d[: d.find(b"\n") + 1], Refused("trailer_missing", 1)),
    Case("one line feed", "posting", becomes(b"\r\n"), Refused("header", 1)),
    Case("one blank", "payment", becomes(b" "), Refused("cut_line", 1)),
]

ENCODING = [
    Case("UTF-8 instead of GB 18030", "posting", recoded("gb18030", "utf-8"), Refused("encoding", 2, ("UTF-8",))),
    Case("UTF-8 instead of GB 18030", "card_posting", recoded("gb18030", "utf-8"), Refused("encoding", 2, ("UTF-8",))),
    Case("GB 18030 instead of UTF-8", "customer", recoded("utf-8-sig", "gb18030"), Refused("encoding", 1)),
    Case(
        "GB 18030 instead of UTF-8",
        "payment",
        both(swap("null", '"备注"'), recoded("utf-8", "gb18030")),
        Refused("encoding", 1, ("utf-8",)),
    ),
    *(
        Case(f"{target} instead of {good}", base, recoded(good, target), Refused("encoding", 1, ("UTF-16",)))
        for base, good, target in (
            ("posting", "gb18030", "utf-16"),
            ("card_posting", "gb18030", "utf-16-be"),
            ("customer", "utf-8-sig", "utf-16-le"),
            ("load_curve", "utf-8", "utf-16-le"),
            ("payment", "utf-8", "utf-16"),
            ("payment", "utf-8", "utf-32"),
        )
    ),
    Case(
        "one value of UTF-8 among GB 18030",
        "posting",
        line(5, lambda old: old[: old.rfind(b"|") + 1] + LONG.encode() + b"\r"),
        Refused("encoding", 5, ("UTF-8",)),
    ),
    Case(
        "one value of UTF-8 among GB 18030",
        "card_posting",
        line(4, lambda old: old[:11] + LONG.encode().ljust(24) + old[35:]),
        Refused("encoding", 4, ("UTF-8",)),
    ),
    Case(
        "one hanzi of UTF-8 among GB 18030: half a character remains",
        "posting",
        line(5, lambda old: old[: old.rfind(b"|") + 1] + "工".encode() + b"\r"),
        Refused("encoding", 5),
    ),
    Case(
        "two hanzi of UTF-8 among GB 18030 are three other hanzi: nobody can tell",
        "posting",
        line(5, lambda old: old[: old.rfind(b"|") + 1] + "工资".encode() + b"\r"),
        Loaded(shows={(5, "summary"): "宸ヨ祫"}),
    ),
    Case(
        "one value of GB 18030 among UTF-8",
        "customer",
        line(3, swap("王", "王".encode("gb18030"))),
        Refused("encoding", 3, ("byte",)),
    ),
    Case(
        "one value of GB 18030 among UTF-8",
        "load_curve",
        in_line(5, b"kWh", "度".encode("gb18030")),
        Refused("encoding", 5),
    ),
    Case("a byte of no encoding", "posting", in_line(6, b"|N|", b"|\xff|"), Refused("encoding", 6, ("(FF)",))),
    Case("a byte of no encoding", "load_curve", in_line(7, b"1.5", b"\xfe.5"), Refused("encoding", 7, ("(FE)",))),
    Case("a byte of Windows-1252", "payment", in_line(2, b"null", b'"caf\xe9"'), Refused("encoding", 2, ("(E9)",))),
    Case("half a hanzi before the line end", "posting", in_line(3, b"\r", b"\xb9\r"), Refused("encoding", 3)),
    Case(
        "half a hanzi takes the delimiter behind it for its other half",
        "posting",
        in_line(3, b"|N|", b"|\xb9|"),
        Loaded(((3, "field_count", None),)),
    ),
    Case("half a surrogate pair in UTF-8", "payment", in_line(2, b"null", b'"\xed\xa0\x80"'), Refused("encoding", 2)),
    Case("a NUL of two bytes in UTF-8", "customer", in_line(2, "王".encode(), b"\xc0\x80"), Refused("encoding", 2)),
    Case(
        "half a GB 18030 character of four bytes",
        "card_posting",
        line(3, lambda o: o.replace(b"\x952\x826", b"\x952  ")),
        Refused("encoding", 3),
    ),
]

MARKS = [
    Case("a byte order mark where none was agreed", "posting", before(MARK), Refused("encoding", 1, ("EF BB BF",))),
    Case("a byte order mark of GB 18030", "posting", before(MARK_GB18030), Refused("encoding", 1, ("84 31 95 33",))),
    Case("a byte order mark where none was agreed", "load_curve", before(MARK), Refused("encoding", 1)),
    Case("a byte order mark where none was agreed", "payment", before(MARK), Refused("encoding", 1)),
    Case("a byte order mark where none was agreed", "card_posting", before(MARK_GB18030), Refused("encoding", 1)),
    Case("two byte order marks", "customer", before(MARK), Refused("encoding", 1, ("inside the file",))),
    Case("without its byte order mark: as good", "customer", lambda data: data.removeprefix(MARK), Loaded()),
    *(
        Case(
            "a byte order mark before a later line",
            base,
            line(5, before(mark)),
            Refused("encoding", 5, ("put together",)),
        )
        for base, mark in (
            ("posting", MARK_GB18030),
            ("posting", MARK),
            ("customer", MARK),
            ("card_posting", MARK_GB18030),
            ("load_curve", MARK),
            ("payment", MARK),
        )
    ),
    Case(
        "a byte order mark inside a value is a character",
        "customer",
        in_line(2, "王, 明", "王\ufeff明"),
        Loaded(shows={(2, "customer_name"): "王\ufeff明"}),
    ),
    Case("sent twice in one file", "customer", lambda data: data + data, Refused("encoding", 7, ("put together",))),
]

NUL = [
    Case("a NUL byte in a value", "posting", in_line(4, b"|N|", b"|\0|"), Loaded(((4, "nul_byte", None),))),
    Case(
        "a NUL byte in a value", "posting_wide", in_line(4, b"|+|N|+|", b"|+|\0|+|"), Loaded(((4, "nul_byte", None),))
    ),
    Case("a NUL byte in a value", "customer", in_line(4, "王".encode(), b"\0"), Loaded(((4, "nul_byte", None),))),
    Case("a NUL byte in a value", "card_posting", in_line(4, b" ", b"\0"), Loaded(((4, "control_character", None),))),
    Case("a NUL byte in a value", "load_curve", in_line(4, b"0.5", b"0\0005"), Loaded(((4, "nul_byte", None),))),
    Case(
        "a NUL byte in a parent",
        "load_curve",
        in_line(5, b"M01", b"M\x001"),
        Loaded(((6, "parent", None), (7, "parent", None))),
    ),
    Case("a NUL byte in a value", "payment", in_line(4, b"null", b'"\0"'), Loaded(((4, "json", None),))),
    Case(
        "an escaped NUL in a value", "payment", in_line(4, b"null", rb'"a\u0000b"'), Loaded(((4, "nul_byte", "note"),))
    ),
    Case("an escaped NUL in an array", "tagged", in_line(2, '"王"', r'"\u0000"'), Loaded(((2, "nul_byte", "tags"),))),
    Case(
        "half an escaped surrogate pair",
        "payment",
        in_line(4, b"null", rb'"\ud840"'),
        Loaded(((4, "nul_byte", "note"),)),
    ),
    Case(
        "the other half of it", "payment", in_line(4, b"null", rb'"\udc00\ud840"'), Loaded(((4, "nul_byte", "note"),))
    ),
    Case(
        "a whole escaped surrogate pair is a hanzi",
        "payment",
        in_line(4, b"null", rb'"\ud840\udc00"'),
        Loaded(shows={(4, "note"): "𠀀"}),
    ),
    Case(
        "a NUL character in a value",
        "daily_reading",
        parquet(meter_id=["M\0", "M1"]),
        Loaded(((1, "nul_byte", None),), 1),
    ),
    Case("a NUL byte in its header line", "posting", in_line(1, b"summary", b"summar\0"), Refused("header", 1)),
    Case("nothing but NUL bytes", "posting", lambda data: bytes(len(data)), Refused("encoding", 1, ("NUL bytes",))),
    Case(
        "nothing but NUL bytes", "card_posting", lambda data: bytes(len(data)), Refused("encoding", 1, ("NUL bytes",))
    ),
    Case("a hole of NUL bytes at its end", "posting", after(bytes(4096)), Refused("cut_line", 10), one_block=True),
    Case(
        "a page of NUL bytes in its middle",
        "payment",
        line(3, lambda old: bytes(len(old))),
        Loaded(((3, "json", None),)),
    ),
]

LINE_ENDS = [
    Case("LF instead of CR LF", "posting", swap(b"\r\n", b"\n", -1), Refused("line_end", 1, ("ends in LF",))),
    *(
        Case("CR LF instead of LF", base, swap(b"\n", b"\r\n", -1), Refused("line_end", 1, ("ends in CR LF",)))
        for base in ("customer", "card_posting", "load_curve", "payment")
    ),
    Case(
        "CR instead of CR LF",
        "posting",
        swap(b"\r\n", b"\r", -1),
        Refused("line_end", 1, ("ends in CR,",)),
        one_block=True,
    ),
    Case(
        "CR instead of LF", "payment", swap(b"\n", b"\r", -1), Refused("line_end", 1, ("ends in CR,",)), one_block=True
    ),
    Case(
        "CR CR LF after two transfers as text",
        "posting",
        swap(b"\r\n", b"\r\r\n", -1),
        Refused("line_end", 1, ("CR CR LF",)),
    ),
    *(
        Case("one line of other line ends", base, damage, Loaded(((3, "line_end", None),)))
        for base, damage in (
            ("posting", line(3, cut(1))),
            ("customer", line(3, after(b"\r"))),
            ("card_posting", line(3, after(b"\r"))),
            ("load_curve", line(3, after(b"\r"))),
            ("payment", line(3, after(b"\r"))),
        )
    ),
    Case("CR CR LF behind one line", "posting", line(3, after(b"\r")), Loaded(((3, "line_end", None),))),
    Case("a stray CR in a value", "posting", in_line(4, b" 3\r", b"\r3\r"), Loaded(((4, "line_end", None),))),
    Case("a stray CR in a quoted value", "customer", in_line(4, b", ", b",\r"), Loaded(((4, "line_end", None),))),
    Case(
        "a stray CR in a parent",
        "load_curve",
        line(5, after(b"\r")),
        Loaded(((6, "parent", None), (7, "parent", None))),
    ),
    Case(
        "a stray LF cuts a posting in two",
        "posting",
        in_line(4, b" 3\r", b"\n3\r"),
        Refused("control_rows", says=("1 too many",)),
    ),
    Case(
        "a stray LF cuts a customer in two",
        "customer",
        in_line(4, b", ", b",\n"),
        Loaded(((4, "quoting", None), (5, "field_count", None)), 4),
    ),
    Case("a line end in a value of JSON", "payment", in_line(4, b"null", b'"a\nb"'), Refused("control_rows")),
    Case(
        "other line separators are characters",
        "customer",
        in_line(4, ", ", "\u2028\x85\x0b\x0c"),
        Loaded(shows={(4, "customer_name"): "王\u2028\x85\x0b\x0c小小明"}),
    ),
    Case("the end mark of CP/M behind it", "posting", after(b"\x1a"), Refused("cut_line", 10)),
    Case(
        "a unit separator in a value",
        "card_posting",
        in_line(4, b" ", b"\x1f"),
        Loaded(((4, "control_character", None),)),
    ),
    Case(
        "a unit separator in a value is a character",
        "posting",
        cell("posting", 4, "summary", "a\x1fb"),
        Loaded(shows={(4, "summary"): "a\x1fb"}),
    ),
    Case(
        "a unit separator in a value is a character beside a delimiter of three, too",
        "posting_wide",
        cell("posting_wide", 4, "summary", "a\x1fb"),
        Loaded(shows={(4, "summary"): "a\x1fb"}),
    ),
]

TEN_MB = b"x" * (10 << 20)
ENDLESS = [
    Case("a line of 10 MB", base, damage, Refused("line_length", number, ("longer than a block",)), one_block=True)
    for base, number, damage in (
        ("posting", 4, in_line(4, b"|N|", b"|" + TEN_MB + b"|")),
        ("customer", 3, in_line(3, "王".encode(), TEN_MB)),
        ("card_posting", 5, in_line(5, b"5812", TEN_MB)),
        ("load_curve", 2, in_line(2, b"kWh", TEN_MB)),
        ("payment", 1, in_line(1, b"null", b'"' + TEN_MB + b'"')),
        ("payment", 6, in_line(6, b"null", b'"' + TEN_MB + b'"')),
    )
]

FLIPPED = [
    *(
        Case(f"a flipped byte in {where}", base, flipped(at), Refused("unreadable"), packed=True)
        for base, where, at in (
            ("posting_gz", "its magic", 0),
            ("posting_gz", "its data", 60),
            ("posting_gz", "its checksum", -6),
            ("posting_gz", "its length", -1),
            ("posting_zst", "its magic", 1),
            ("posting_zst", "its data", 60),
            ("posting_zst", "its checksum", -1),
            ("posting_zip", "its data", 80),
            ("posting_zip", "its directory", -30),
            ("daily_reading", "its footer's length", -5),
        )
    ),
    Case("a flipped byte in its time stamp: the content is whole", "posting_gz", flipped(5), Loaded(), packed=True),
]

CASES = {
    "cut": CUT,
    "encoding": ENCODING,
    "marks": MARKS,
    "nul": NUL,
    "line_ends": LINE_ENDS,
    "endless": ENDLESS,
    "flipped": FLIPPED,
}
