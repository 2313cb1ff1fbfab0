"""Values that break a rule, and values that only look dangerous: SQL, paths and formulas are loaded as they are."""

from __future__ import annotations

from corpus.case import BASES, Case, Loaded, Refused
from corpus.damage import both, cell, parquet, swap, twice, without_line

FIRST = {"customer": 4, "posting": 4, "card_posting": 4, "load_curve": 4, "payment": 4, "typed": 3, "posting_wide": 4}
FIRST |= {"booking": 4, "booking_quarantine": 4}


def rejected(
    base: str, column: str, rule: str, values: dict[str, str], named: str | None = None, **options: object
) -> list[Case]:
    """A case for every value: it stands in one row, and that row is rejected, under another column if one is named."""
    number = FIRST[base]
    verdict = Loaded(((number, rule, named or column),))
    return [
        Case(f"{column} {what}", base, cell(base, number, column, value), verdict, **options)  # type: ignore[arg-type]
        for what, value in values.items()
    ]


def kept(base: str, column: str, values: dict[str, str], loaded: str | None = None) -> list[Case]:
    """A case for every value: it is loaded as it was sent."""
    number = FIRST[base]
    return [
        Case(
            f"{column} {what} is kept",
            base,
            cell(base, number, column, value),
            Loaded(shows={(number, column): loaded or value}),
        )
        for what, value in values.items()
    ]


def total(base: str, other: str) -> dict[str, object]:
    """The control file after the amount of one row became another."""
    good = str(BASES[base].amount).encode()
    return {"control": lambda text: text.replace(b"|" + good + b"|", f"|{other}|".encode())}


AMOUNTS = [
    *rejected(
        "posting",
        "amount",
        "type",
        {
            "not a number": "nan",
            "endless": "inf",
            "with an exponent": "1e2",
            "hexadecimal": "0x1F",
            "in full-width digits": "１２.５０",
            "in Arabic digits": "١٢.٥٠",
            "with an Arabic decimal sign": "12٫50",
            "with a decimal comma": "12,50",
            "with thousands": "1,250.00",
            "with two points": "12.5.0",
            "with two signs": "--12.50",
            "with a sign behind it": "12.50-",
            "in brackets": "(12.50)",
            "with a full-width minus": "－12.50",
            "with a currency": "¥12.50",
            "with a blank behind it": "12.50 ",
            "with a no-break space": "1\u00a0250.00",
            "with a tabulator": "\t12.50",
            "with three decimals": "12.505",
            "of 17 digits before the point": "12345678901234567.00",
            "of 5,000 digits": "9" * 5_000,
            "a word": "NULL",
            "a formula": "=1+1",
        },
        one_block=True,
    ),
    *rejected("posting", "amount", "required", {"missing": ""}),
    *rejected("posting", "amount", "minimum", {"negative": "-3.75"}, **total("posting", "37.50")),
    *rejected("posting_wide", "amount", "type", {"overflowing": "1" + "0" * 30, "not a number": "NaN"}),
    *rejected(
        "customer",
        "limit_amount",
        "type",
        {
            "not a number": "NaN",
            "in another currency": "$100.00",
            "in full-width digits": "１００",
            "of 11 digits before the point": "12345678901.00",
            "only signs": '"¥,"',
            "with a full-width currency": "￥100.00",
        },
    ),
    *rejected(
        "card_posting",
        "amount",
        "type",
        {
            "with a letter": "00000000000O305",
            "in full-width digits": "３０５",
            "with a packed sign": "00000000000030E",
            "of hexadecimal digits": "0x0000000000305",
            "of blanks between": "000 000 000 305",
            "of 13 digits before the point": "999999999999999",
        },
    ),
    *rejected("card_posting", "amount", "required", {"missing": ""}),
    *kept("card_posting", "amount", {"with a point where decimals are implied": "000000000003.05"}),
    *rejected(
        "load_curve",
        "day_kwh",
        "type",
        {"not a number": "nan", "endless": "-inf", "in Arabic digits": "١٫٥", "overflowing": "1234567890123.0"},
    ),
    Case(
        "day_kwh negative",
        "load_curve",
        both(cell("load_curve", 4, "day_kwh", "-0.1"), swap("900,6,27.0", "900,6,25.4")),
        Loaded(((4, "minimum", "day_kwh"),)),
    ),
    *rejected(
        "load_curve", "readings", "type", {"not a number": "NaN", "in full-width digits": "０.５", "a word": "n/a"}
    ),
    *rejected(
        "payment",
        "amount",
        "type",
        {
            "not a number": '"nan"',
            "in full-width digits": '"３.１"',
            "in Arabic digits": '"٣.١"',
            "with a blank": '" 3.1"',
            "with a line end": '"3.1\\n"',
            "overflowing": "31" + "0" * 30,
            "of three decimals": "3.105",
        },
    ),
    *rejected("payment", "amount", "required", {"null": "null", "empty": '""'}),
    *(
        Case(f"kwh {what}", "daily_reading", parquet(kwh=[0.1, value]), Loaded(((2, rule, "kwh"),), 1))
        for what, value, rule in (
            ("not a number", float("nan"), "type"),
            ("endless", float("inf"), "type"),
            ("overflowing", 1e30, "type"),
            ("of more than four decimals", 1.00005, "type"),
            ("negative", -1.0, "minimum"),
            ("missing", None, "required"),
        )
    ),
    *(
        Case(f"kwh as text {what}", "daily_reading", parquet(kwh=["0.1000", value]), Loaded(((2, "type", "kwh"),), 1))
        for what, value in (("in full-width digits", "１.１"), ("in Arabic digits", "١.١"), ("with a unit", "1.1 kWh"))
    ),
]

DATES = [
    *rejected(
        "posting",
        "posted_on",
        "type",
        {
            "30 February": "2026-02-30",
            "29 February of a common year": "2026-02-29",
            "31 November": "2026-11-31",
            "month 13": "2026-13-01",
            "month 0": "2026-00-10",
            "year 0": "0000-11-01",
            "of two digits a year": "26-11-01",
            "without zeros": "2026-11-1",
            "without hyphens": "20261101",
            "with slashes": "2026/11/01",
            "the European way": "01.11.2026",
            "in hanzi": "2026年11月01日",
            "in full-width digits": "２０２６-１１-０１",
            "in Arabic digits": "٢٠٢٦-١١-٠١",
            "with a time": "2026-11-01 00:00:00",
            "with a blank": " 2026-11-01",
            "a day number of a spreadsheet": "46327",
            "endless": "infinity",
            "a word PostgreSQL knows": "today",
            "beyond the year 9999": "10000-01-01",
            "before Christ": "2026-11-01 BC",
        },
    ),
    *rejected(
        "posting",
        "posted_at",
        "type",
        {
            "24 hours": "2026-11-01 24:00:00",
            "60 minutes": "2026-11-01 09:60:00",
            "60 seconds": "2026-11-01 09:00:60",
            "30 February": "2026-02-30 09:00:00",
            "without seconds": "2026-11-01 09:00",
            "with an offset": "2026-11-01 09:00:00+08",
            "of twelve hours": "2026-11-01 09:00:00 PM",
            "in nanoseconds": "2026-11-01 09:00:00.123456789",
            "in full-width digits": "2026-11-01 ０９:00:00",
            "year 0": "0000-11-01 09:00:00",
        },
    ),
    *rejected("posting", "posted_on", "required", {"missing": ""}),
    *rejected(
        "customer",
        "effective_date",
        "type",
        {"30 February": "20260230", "year 0": "00000101", "in Arabic digits": "٢٠٢٦١١٠١", "with hyphens": "2026-11-01"},
    ),
    *rejected(
        "card_posting",
        "posted_at",
        "type",
        {
            "30 February": "20260230120000",
            "25 hours": "20261101250000",
            "year 0": "00001101120000",
            "of seven full-width digits": "２０２６１１０",
            "of zeros": "00000000000000",
            "cut": "202611011200",
        },
    ),
    *rejected("card_posting", "posted_at", "required", {"missing": ""}),
    *rejected(
        "load_curve",
        "reading_date",
        "type",
        {"30 February": "2026-02-30", "year 0": "0000-01-01", "compact": "20261101"},
    ),
    *rejected(
        "payment",
        "paid_at",
        "type",
        {
            "30 February": '"2026-02-30T10:00:00"',
            "in seconds since 1970": "1793527200",
            "in UTC": '"2026-11-01T10:00:00Z"',
            "year 0": '"0000-11-01T10:00:00"',
        },
    ),
    Case(
        "reading_date as text 30 February",
        "daily_reading",
        parquet(reading_date=["2026-11-01", "2026-02-30"]),
        Loaded(((2, "type", "reading_date"),), 1),
    ),
]

RULES = [
    *rejected(
        "posting",
        "direction",
        "codes",
        {"of no code": "X", "in small letters": "d", "full-width": "Ｄ", "with a blank": "D "},
    ),
    *rejected("posting", "direction", "required", {"missing": ""}),
    *rejected("posting", "posting_id", "required", {"missing": ""}),
    *rejected("posting", "account_id", "max_length", {"of 13 characters": "6222000000011", "of 13 hanzi": "账" * 13}),
    *rejected("posting", "summary", "max_length", {"of 21 characters": "工" * 21}),
    *rejected("posting", "is_reversal", "type", {"neither true nor false": "maybe", "a hanzi": "是", "two": "2"}),
    *rejected("customer", "change_flag", "codes", {"of no code": "X"}),
    *rejected(
        "customer", "customer_name", "required", {"missing": "", "the word for null": "NULL", "quoted and empty": '""'}
    ),
    *rejected(
        "customer",
        "change_seq",
        "type",
        {
            "beyond 64 bits": "9223372036854775808",
            "with an underscore": "1_0",
            "a fraction": "3.0",
            "in Arabic digits": "٣",
        },
    ),
    *rejected(
        "card_posting", "posting_no", "type", {"with a letter": "000000000X", "of full-width digits": "０００００"}
    ),
    *rejected("card_posting", "merchant_name", "required", {"of blanks": ""}),
    *rejected(
        "card_posting", "mcc", "pattern", {"with a letter": "58A2", "of two full-width digits": "５８", "short": "581"}
    ),
    Case(
        "unit of no code, in a parent",
        "load_curve",
        cell("load_curve", 5, "unit", "MWh"),
        Loaded(((6, "codes", "unit"), (7, "codes", "unit"))),
    ),
    *rejected("payment", "is_late", "type", {"a word": '"late"', "an object": "{}"}),
    *rejected("payment", "payment_id", "required", {"null": "null"}),
    *rejected("typed", "small", "type", {"beyond 16 bits": "32768", "in full-width digits": "７"}),
    *rejected("typed", "small", "maximum", {"above": "1001"}),
    *rejected("typed", "small", "minimum", {"below": "-11"}),
    *rejected("typed", "share", "maximum", {"above": "1.0001"}),
    *rejected("typed", "share", "type", {"of five decimals": "0.00001", "overflowing": "12"}),
    *rejected("typed", "ratio", "type", {"beyond a real": "1e39", "below a real": "1e-50", "not a number": "nan"}),
    *rejected(
        "typed", "wide", "type", {"beyond a double": "1e309", "below a double": "1e-400", "endless": "-Infinity"}
    ),
    *rejected(
        "typed",
        "seen_at",
        "type",
        {
            "of an offset of 99 hours": "2026-11-01 10:00:00+99:00",
            "of an offset of 90 minutes": "2026-11-01 10:00:00+08:90",
            "of a named zone": "2026-11-01 10:00:00 CST",
        },
    ),
    *rejected("typed", "clock", "type", {"24 hours": "24:00:00", "of twelve hours": "10:00 PM"}),
    *rejected(
        "typed",
        "detail",
        "type",
        {
            "cut": '{"a": ',
            "a bare word": "abc",
            "not a number": '{"a": NaN}',
            "with an escaped NUL": r'{"a": "\u0000"}',
            "with half a surrogate pair": r'{"a": "\ud800"}',
            "of 100,000 brackets": "[" * 100_000,
        },
        one_block=True,
    ),
    *rejected("typed", "city", "min_length", {"too short": "杭州"}),
    *rejected(
        "typed",
        "id_number",
        "check_digit_cn_resident_id",
        {
            "with a wrong check digit": "110105194912310021",
            "in full-width digits": "１１０１０５１９４９１２３１００２X",
        },
    ),
]

KEYS = [
    Case(
        "a row twice in place of another",
        base,
        both(twice(4), without_line(6)),
        Loaded(((5, "duplicate_key", key),), shows=shows),
        **options,  # type: ignore[arg-type]
    )
    for base, key, shows, options in (
        ("posting", "posting_id", {}, total("posting", "43.75")),
        ("customer", "customer_id", {}, {}),
        ("typed", "thing_id", {}, {}),
    )
] + [
    Case("a row twice", "posting", twice(4), Refused("control_rows", says=("1 too many",))),
    Case("a row twice", "card_posting", twice(4), Refused("control_rows", 9)),
    Case("a row twice", "payment", twice(4), Refused("control_rows")),
    Case("a row lost", "card_posting", without_line(4), Refused("control_rows", 7, ("1 are missing",))),
    Case("a row lost", "load_curve", without_line(4), Refused("control_rows", 10)),
    Case(
        "the key of another row",
        "card_posting",
        cell("card_posting", 4, "posting_no", "0000000002"),
        Loaded(((4, "duplicate_key", "posting_no"),)),
    ),
    Case(
        "the key of another row",
        "load_curve",
        cell("load_curve", 4, "reading_date", "2026-10-31"),
        Loaded(((4, "duplicate_key", "meter_id"),)),
    ),
    Case(
        "the key of another row",
        "payment",
        cell("payment", 4, "payment_id", '"Z0100001"'),
        Loaded(((4, "duplicate_key", "payment_id"),)),
    ),
    Case(
        "the key of another row",
        "daily_reading",
        parquet(meter_id=["M0", "M0"]),
        Loaded(((2, "duplicate_key", "meter_id"),), 1),
    ),
    Case(
        "a key in full-width digits is another key",
        "posting",
        cell("posting", 4, "posting_id", "P０1000002"),
        Loaded(shows={(4, "posting_id"): "P０1000002"}),
    ),
]

DANGEROUS = {
    "a dropped table": "'; drop table x;--",
    "a dollar quote": "$$;select 1;$$",
    "an end of COPY": "\\.",
    "a null of COPY": "\\N",
    "an array": '{"a",NULL}',
    "a path": "../../etc/passwd",
    "a shell command": "$(reboot)`id`;rm *",
    "a format": "%s%n{0}{x}",
    "a script": "<script>a()</script>",
    "a formula": "=HYPERLINK(A1)",
    "an escape sequence": "\x1b[2J\x07",
    "written right to left": "\u202e资工",
    "of characters without width": "工\u200b\u2060资",
    "the word for null in capitals": "NULL",
    "a quote": '"',
    "of blanks": "   ",
    "a hanzi of four bytes": "𠀀𫠜",
    "of composed marks": "e\u0301\u0308" * 3,
}
TEXTS = [
    *kept("posting", "summary", DANGEROUS),
    *kept("posting_wide", "summary", {"half a delimiter": "|+", "two bars": "a||b"}),
    *kept(
        "customer",
        "customer_name",
        {"a dropped table": "'; drop table x;--", "an end of COPY": "\\.", "a null of COPY": "\\N"},
    ),
    *kept("customer", "customer_name", {"a quoted delimiter and quotes": '"a,""b"", c"'}, 'a,"b", c'),
    *kept("customer", "customer_id", {"a key with SQL": "C1' or '1'='1"}),
    *kept("card_posting", "merchant_name", {"a dropped table": "'; drop table x; --", "a quote": '"', "commas": ",,,"}),
    *kept("payment", "note", {"line ends": '"a\\r\\nb"'}, "a\r\nb"),
    *kept("payment", "note", {"a dropped table": '"\'; drop table x;--"'}, "'; drop table x;--"),
    *kept("payment", "note", {"COPY's end on a line of its own": '"\\n\\\\.\\n"'}, "\n\\.\n"),
    *kept("payment", "payment_id", {"a path": '"../../../etc/passwd"'}, "../../../etc/passwd"),
]

CASES = {"amounts": AMOUNTS, "dates": DATES, "rules": RULES, "keys": KEYS, "texts": TEXTS}
