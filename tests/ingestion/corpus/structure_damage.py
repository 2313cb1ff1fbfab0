"""Damage to the structure: columns, delimiters, quotes, headers, record types and their order, JSON, Parquet types."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pyarrow
from corpus.case import BASES, Case, Loaded, Refused
from corpus.damage import (
    after,
    becomes,
    before,
    both,
    cell,
    changed_places,
    in_line,
    line,
    nothing,
    parquet,
    parquet_of,
    swap,
    with_line,
    without_line,
)
from trial_sender import DAY

COLUMNS = [
    *(
        Case(what, base, damage, Loaded(((3, "field_count", None),)))
        for base, what, damage in (
            ("posting", "a row with a column too many", in_line(3, b"\r", b"|x\r")),
            ("posting", "a row with a column too few", in_line(3, b"|N|", b"|")),
            ("posting", "a row with a delimiter in its text", in_line(3, b" 2\r", b"|2\r")),
            ("posting", "a row of another delimiter", line(3, swap(b"|", b",", -1))),
            ("posting_wide", "a row with a column too many", in_line(3, b"\r", b"|+|x\r")),
            ("posting_wide", "a row with half a delimiter", in_line(3, b"|+|N|+|", b"|+|N|+")),
            ("posting_bare", "a row with a column too few", in_line(3, b"|N|", b"|")),
            ("customer", "a row with a column too many", line(3, after(b",x"))),
            ("customer", "a row with a column too few", in_line(3, b"I,", b"")),
            ("customer", "a row with an unquoted delimiter", in_line(3, '"王, 小明"', "王, 小明")),
            ("load_curve", "a row with a reading too many", in_line(3, b",0.5,1.5", b",0.5,0.5,1.5")),
            ("load_curve", "a row with a reading too few", in_line(3, b",0.5,1.5", b",1.5")),
        )
    ),
    Case("a blank line", "posting", with_line(4, "\r\n"), Refused("control_rows", says=("1 too many",))),
    Case("a blank line", "customer", with_line(4, "\n"), Loaded(((4, "field_count", None),), 5)),
    Case("a blank line", "card_posting", with_line(4, "\n"), Refused("control_rows", 9)),
    Case("a blank line", "load_curve", with_line(4, "\n"), Refused("control_rows", 12)),
    Case("a blank line", "payment", with_line(4, "\n"), Refused("control_rows")),
    Case("a blank line behind it", "posting", after("\r\n"), Refused("control_rows", says=("1 too many",))),
    Case("a line of blanks", "customer", with_line(4, "        \n"), Loaded(((4, "field_count", None),), 5)),
    Case("a line of delimiters", "customer", with_line(4, ",,,,,,,\n"), Loaded(((4, "required", "change_flag"),), 5)),
    Case(
        "a total behind its rows", "posting", after("合计|8||||45.00||\r\n".encode("gb18030")), Refused("control_rows")
    ),
    Case("a total behind its rows", "customer", after("合计,5,,,,,,\n"), Loaded(((7, "codes", "change_flag"),), 5)),
    Case("a remark before its header", "posting", before(b"# export\r\n"), Refused("header", 1, ("delimiter '|'",))),
]

HEADERS = [
    Case("no header line", "posting", without_line(1), Refused("lost_column", 1, ("'posting_id'",))),
    Case(
        "a header of another delimiter",
        "posting",
        line(1, swap(b"|", b",", -1)),
        Refused("header", 1, ("delimiter '|'",)),
    ),
    Case("all of it of another delimiter", "customer", swap(b",", b";", -1), Refused("header", 1, ("delimiter ','",))),
    Case("a lost column", "posting", in_line(1, b"|summary", b"|note"), Refused("lost_column", 1, ("'summary'",))),
    Case("a lost column", "customer", in_line(1, b",id_type", b",kind"), Refused("lost_column", 1, ("'id_type'",))),
    Case(
        "a column in capitals", "posting", in_line(1, b"|amount", b"|AMOUNT"), Refused("lost_column", 1, ("'amount'",))
    ),
    Case("a column in full-width letters", "customer", in_line(1, "id_type", "ｉｄ_type"), Refused("lost_column", 1)),
    Case(
        "a column twice", "posting", in_line(1, b"direction", b"amount"), Refused("header", 1, ("amount occur twice",))
    ),
    Case("a header cell that is empty", "customer", in_line(1, b",id_type", b","), Refused("lost_column", 1)),
    Case(
        "quotes of its header that do not close", "customer", in_line(1, b"id_type", b'"id_type'), Refused("header", 1)
    ),
    Case("blanks around the names of its header: as good", "posting", line(1, swap(b"|", b" | ", -1)), Loaded()),
    Case("quotes around the names of its header: as good", "customer", in_line(1, b"id_type", b'"id_type"'), Loaded()),
    Case(
        "a header wider than its rows",
        "posting",
        in_line(1, b"\r", b"|branch\r"),
        Refused("rejected_rows", 2, ("field_count 8",)),
    ),
    Case(
        "a new column",
        "posting_strict",
        swap(b"\r\n", b"|1\r\n", -1),
        Refused("new_column", 1, ("'1' is not in the contract",)),
    ),
    Case("a new column is noted and left out", "posting", swap(b"\r\n", b"|1\r\n", -1), Loaded()),
    Case(
        "its header again among its rows",
        "posting",
        with_line(5, BASES["posting"].data.partition(b"\n")[0] + b"\n"),
        Refused("control_rows"),
    ),
    Case(
        "its header again among its rows",
        "customer",
        with_line(5, BASES["customer"].data[3:].partition(b"\n")[0] + b"\n"),
        Loaded(((5, "codes", "change_flag"),), 5),
    ),
    Case("sent twice in one file", "posting", lambda data: data + data, Refused("control_rows", says=("9 too many",))),
    Case(
        "SQL in the name of a column",
        "posting",
        in_line(1, b"summary", b'x"; drop table raw_trial.posting; --'),
        Refused("lost_column", 1, ("summary",)),
    ),
    Case(
        "10,000 columns",
        "posting",
        in_line(1, b"\r", b"".join(b"|c%d" % i for i in range(10_000)) + b"\r"),
        Refused("new_column", 1, ("more than 100 columns", "c0, c1")),
        one_block=True,
    ),
    Case(
        "a column whose name has 5,000 characters",
        "posting",
        swap(b"\r\n", b"|" + b"c" * 5_000 + b"\r\n", -1),
        Refused("header", 1, ("5,000 characters",)),
        one_block=True,
    ),
]

QUOTES = [
    *(
        Case(what, "customer", in_line(3, '"王, 小明"', value), Loaded(((3, "quoting", None),)))
        for what, value in (
            ("a quote that does not close", '"王, 小明'),
            ("text behind a closing quote", '"王, 小"明'),
            ("doubled quotes around a value", '""王小明""'),
            ("three quotes", '"""'),
            ("a quote that is not doubled", '"王 "小" 明"'),
        )
    ),
    Case(
        "a quote that closes only",
        "customer",
        in_line(3, '"王, 小明"', '王小明"'),
        Loaded(shows={(3, "customer_name"): '王小明"'}),
    ),
    Case(
        "quotes inside a bare value are characters",
        "customer",
        in_line(3, '"王, 小明"', '王"小"明'),
        Loaded(shows={(3, "customer_name"): '王"小"明'}),
    ),
    Case(
        "a value of 200,000 characters beside a broken row",
        "customer",
        both(in_line(3, "王, 小明", "王" * 200_000), line(5, after(b",x"))),
        Loaded(((5, "field_count", None),), shows={(3, "customer_name"): "王" * 200_000}),
        one_block=True,
    ),
    Case(
        "quotes where none were agreed are characters",
        "posting",
        cell("posting", 3, "summary", '"工资"'),
        Loaded(shows={(3, "summary"): '"工资"'}),
    ),
]

TRAILER = {base: BASES[base].data.splitlines(keepends=True)[-1] for base in ("card_posting", "load_curve")}
HEADER = {base: BASES[base].data.splitlines(keepends=True)[0] for base in ("card_posting", "load_curve")}

RECORDS = [
    Case(
        "a record too short by a byte",
        "card_posting",
        line(3, lambda old: old[:-1]),
        Loaded(((3, "record_length", None),)),
    ),
    Case("a record too long by a byte", "card_posting", line(3, after(b"0")), Loaded(((3, "record_length", None),))),
    Case(
        "a hanzi cut by the end of its field",
        "card_posting",
        line(3, lambda old: old[:34] + "德".encode("gb18030") + old[36:]),
        Loaded(((3, "field_boundary", None),)),
    ),
    Case(
        "fields moved by one byte: the amount, too",
        "card_posting",
        line(3, lambda old: old[:11] + b" " + old[11:-1]),
        Refused("control_amount", 8),
    ),
    Case(
        "a record of unknown type",
        "card_posting",
        line(3, lambda old: b"X" + old[1:]),
        Loaded(((3, "record_type", None),)),
    ),
    Case(
        "a record type in small letters",
        "card_posting",
        line(3, lambda old: b"d" + old[1:]),
        Loaded(((3, "record_type", None),)),
    ),
    Case(
        "a record of unknown type put in", "card_posting", with_line(3, b"X" * 68 + b"\n"), Refused("control_rows", 9)
    ),
    Case("a second header", "card_posting", with_line(4, HEADER["card_posting"]), Refused("record_order", 4)),
    Case("a second header", "load_curve", with_line(4, HEADER["load_curve"]), Refused("record_order", 4)),
    Case("no header", "card_posting", without_line(1), Refused("header", 1)),
    Case("no header", "load_curve", without_line(1), Refused("header", 1, ("'200'",))),
    Case("its header behind a record", "load_curve", changed_places(1, 2), Refused("header", 1)),
    Case("its header behind a record", "card_posting", changed_places(1, 2), Refused("header", 1)),
    Case("no trailer", "card_posting", without_line(8), Refused("trailer_missing", 7)),
    Case("no trailer", "load_curve", without_line(11), Refused("trailer_missing", 10)),
    Case("its trailer before its last record", "card_posting", changed_places(7, 8), Refused("after_trailer", 8)),
    Case("its trailer before its last record", "load_curve", changed_places(10, 11), Refused("after_trailer", 11)),
    Case("two trailers", "card_posting", after(TRAILER["card_posting"]), Refused("after_trailer", 9)),
    Case("two trailers", "load_curve", after(TRAILER["load_curve"]), Refused("after_trailer", 12)),
    Case("sent twice in one file", "card_posting", lambda data: data + data, Refused("after_trailer", 9)),
    Case("a row without a parent", "load_curve", without_line(2), Loaded(((2, "parent", None), (3, "parent", None)))),
    Case(
        "a parent too short", "load_curve", in_line(5, b",kWh", b""), Loaded(((6, "parent", None), (7, "parent", None)))
    ),
    Case("a parent too long", "load_curve", line(5, after(b",x")), Loaded(((6, "parent", None), (7, "parent", None)))),
    Case("a parent with no children", "load_curve", with_line(5, "200,M9,kWh\n"), Loaded()),
    Case(
        "a parent without its key",
        "load_curve",
        cell("load_curve", 5, "meter_id", ""),
        Loaded(((6, "required", "meter_id"), (7, "required", "meter_id"))),
    ),
    Case(
        "a parent hidden by its type: its rows are not given to the meter above",
        "load_curve",
        line(5, lambda o: b"2O0" + o[3:]),
        Refused("control_rows", 11, ("1 too many",)),
    ),
    Case(
        "a row hidden by its type: the next ones wait for a parent",
        "load_curve",
        line(6, lambda o: b"3O0" + o[3:]),
        Loaded(((6, "record_type", None), (7, "parent", None))),
    ),
    Case("a record of unknown type put in", "load_curve", with_line(8, "777,x\n"), Refused("control_rows", 12)),
    Case(
        "rows and parents interleaved: a meter has a day twice",
        "load_curve",
        changed_places(4, 5),
        Loaded(((7, "duplicate_key", "meter_id"),), shows={(5, "meter_id"): "M010001"}),
    ),
]

JSON = [
    *(
        Case(what, "payment", line(3, damage), Loaded(((3, "json", None),)))
        for what, damage in (
            ("a line cut in its middle", lambda old: old[: len(old) // 2]),
            ("a comma behind the last value", swap(b"}", b",}")),
            ("single quotes", swap(b'"', b"'", -1)),
            ("no quotes around a name", swap(b'"amount"', b"amount")),
            ("two objects in one line", lambda old: old + old),
            ("a comma behind the object", after(b",")),
            ("an array", lambda old: b"[" + old + b"]"),
            ("a null", lambda _: b"null"),
            ("a bare text", lambda _: b'"x"'),
            ("a name twice: none is known to be right", swap(b'"note"', b'"amount": 9, "note"')),
            ("a raw tabulator in a text", swap(b"null", b'"a\tb"')),
            ("an unknown escape", swap(b"null", rb'"\x41"')),
            ("a zero before a number", swap(b"2.1", b"02.1")),
            ("a number of full-width digits", swap(b"2.1", "２.１".encode())),
            ("a comment", after(b" // x")),
        )
    ),
    Case(
        "100,000 brackets",
        "payment",
        in_line(3, b"null", b"[" * 100_000 + b"]" * 100_000),
        Loaded(((3, "json", None),)),
        one_block=True,
    ),
    Case("not finite", "payment", in_line(3, b"2.1", b"NaN"), Loaded(((3, "type", "amount"),))),
    Case("endless", "payment", in_line(3, b"2.1", b"-Infinity"), Loaded(((3, "type", "amount"),))),
    Case(
        "an exponent beyond all measure",
        "payment",
        in_line(3, b"2.1", b"1e999999999"),
        Loaded(((3, "type", "amount"),)),
    ),
    Case(
        "more digits than a double has",
        "payment",
        in_line(3, b"2.1", b"2.1000000000000001"),
        Loaded(((3, "type", "amount"),)),
    ),
    Case(
        "an exponent is a way to write a number",
        "payment",
        in_line(3, b"2.1", b"21e-1"),
        Loaded(shows={(3, "amount"): "2.1"}),
    ),
    Case("a number in quotes: as good", "payment", in_line(3, b"2.1", b'"2.1"'), Loaded()),
    Case("a list for a number", "payment", in_line(3, b"2.1", b"[2.1]"), Loaded(((3, "type", "amount"),))),
    Case("an object for a number", "payment", in_line(3, b"2.1", b'{"v": 2.1}'), Loaded(((3, "type", "amount"),))),
    Case("a truth value for a number", "payment", in_line(3, b"2.1", b"true"), Loaded(((3, "type", "amount"),))),
    *(
        Case(
            what,
            "payment",
            both(in_line(2, b"null", b'{"a": 1, "b": [2.5]}'), damage),
            Loaded(rejects, shows={(2, "note"): '{"a": 1, "b": [2.5]}'}),
        )
        for what, damage, rejects in (
            ("an object for a text is its text", nothing, ()),
            ("an object for a text is its text beside a broken line, too", line(3, after(b",")), ((3, "json", None),)),
        )
    ),
    Case(
        "a name missing",
        "payment",
        in_line(3, b'"payment_id"', b'"payment-id"'),
        Loaded(((3, "required", "payment_id"),)),
    ),
    Case(
        "a name in capitals", "payment", in_line(3, b'"paid_at"', b'"PAID_AT"'), Loaded(((3, "required", "paid_at"),))
    ),
    Case(
        "one array instead of lines",
        "payment",
        lambda d: b"[" + d.rstrip().replace(b"\n", b",") + b"]\n",
        Refused("control_rows"),
        one_block=True,
    ),
    Case("CSV instead of JSON", "payment", becomes(b"payment_id,amount\n" + b"z,1\n" * 5), Refused("rejected_rows", 1)),
    Case("a text in an array of numbers", "tagged", in_line(2, "[1, ", '["x", '), Loaded(((2, "type", "counts"),))),
    Case(
        "a fraction in an array of whole numbers",
        "tagged",
        in_line(2, "[1, ", "[1.5, "),
        Loaded(((2, "type", "counts"),)),
    ),
    Case(
        "a text for an array: not taken for nothing",
        "tagged",
        in_line(2, '["a", "王"]', '"a"'),
        Loaded(((2, "type", "tags"),)),
    ),
    Case(
        "an array as PostgreSQL writes it",
        "tagged",
        in_line(2, '"王"', r'"{\"x\",NULL}"'),
        Loaded(shows={(2, "tags"): r'{"a","{\"x\",NULL}"}'}),
    ),
    Case(
        "text in JSON that PostgreSQL would read as an end",
        "tagged",
        in_line(2, '"王"', r'"\\.\n\\N"'),
        Loaded(shows={(2, "tags"): '{"a","\\\\.\n\\\\N"}'}),
    ),
]

TYPES = [
    *(
        Case(
            f"a column of type {what}",
            "daily_reading",
            parquet(**{column: values}),
            Refused("changed_type", says=(column,)),
        )
        for what, column, values in (
            ("list", "kwh", [[0.1], [1.1]]),
            ("list for a text", "meter_id", [["M0"], ["M1"]]),
            ("struct", "kwh", [{"v": 1}, {"v": 2}]),
            ("map", "kwh", pyarrow.array([[("a", 1)], [("b", 2)]], pyarrow.map_(pyarrow.string(), pyarrow.int64()))),
            ("duration", "kwh", pyarrow.array([1, 2], pyarrow.duration("s"))),
            ("decimal of 50 digits", "kwh", pyarrow.array([Decimal(1), Decimal(2)], pyarrow.decimal256(50, 4))),
        )
    ),
    Case(
        "bytes that are no UTF-8 for a text",
        "daily_reading",
        parquet(meter_id=[b"M0", b"\xff"]),
        Refused("unreadable", says=("UTF8",)),
    ),
    Case("bytes for a text: as good", "daily_reading", parquet(meter_id=[b"M0", b"M1"]), Loaded(good=2)),
    Case("a lost column", "daily_reading", parquet(kwh=None), Refused("lost_column", says=("'kwh'",))),
    Case("no columns", "daily_reading", parquet(kwh=None, meter_id=None, reading_date=None), Refused("lost_column")),
    Case(
        "truth values for numbers",
        "daily_reading",
        parquet(kwh=[True, False]),
        Loaded(((1, "type", "kwh"), (2, "type", "kwh")), 0),
    ),
    Case(
        "nulls for a required number",
        "daily_reading",
        parquet(kwh=pyarrow.nulls(2)),
        Loaded(((1, "required", "kwh"), (2, "required", "kwh")), 0),
    ),
    Case(
        "whole numbers for dates",
        "daily_reading",
        parquet(reading_date=[20261101, 20261102]),
        Loaded(((1, "type", "reading_date"), (2, "type", "reading_date")), 0),
    ),
    Case(
        "a time of day for a date",
        "daily_reading",
        parquet(reading_date=[datetime(2026, 11, 1), datetime(2026, 11, 1, 5)]),
        Loaded(((2, "type", "reading_date"),), 1),
    ),
    Case(
        "dates beyond the year 9999",
        "daily_reading",
        parquet(reading_date=pyarrow.array([0, 10**7], pyarrow.int32()).cast(pyarrow.date32())),
        Loaded(((2, "type", "reading_date"),), 1, {(1, "reading_date"): "1970-01-01"}),
    ),
    Case(
        "a number beyond 64 bits with a sign",
        "daily_reading",
        parquet(kwh=pyarrow.array([2**64 - 1, 1], pyarrow.uint64())),
        Loaded(((1, "type", "kwh"),), 1, {(2, "kwh"): "1"}),
    ),
    Case(
        "a column twice",
        "daily_reading",
        parquet_of(pyarrow.table([["M0"], [DAY], [0.1], [0.2]], ["meter_id", "reading_date", "kwh", "kwh"])),
        Refused("header", says=("kwh occur twice",)),
    ),
    Case(
        "CSV instead of Parquet",
        "daily_reading",
        becomes(b"meter_id,reading_date,kwh\nM0,2026-11-01,1\n"),
        Refused("unreadable"),
    ),
    Case("magic and nothing else", "daily_reading", becomes(b"PAR1PAR1"), Refused("unreadable")),
]

CASES = {
    "columns": COLUMNS,
    "headers": HEADERS,
    "quotes": QUOTES,
    "records": RECORDS,
    "json": JSON,
    "types": TYPES,
}
