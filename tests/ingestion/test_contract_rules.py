"""Contracts: valid for the standard, typed, with errors that name file and rule; raw DDL; the rules on values."""

from __future__ import annotations

import importlib.resources
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import jsonschema
import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from trial_sender import CONTRACTS, TRIAL

from ingestion.check_digits import is_identity_number, is_resident_id, is_social_credit_code
from ingestion.contract import CONTRACT_FOLDER, Column, Contract, RowRule, load_contract, load_contracts
from ingestion.keys import SeenKeys
from ingestion.options import IngestOptions
from ingestion.raw_ddl import raw_migrations, table_ddl
from ingestion.readers.base import Block
from ingestion.refusal import ContractError
from ingestion.validation import Checked, Validator, Warned, out_expression, rules_of, value_of

HERE = Path(__file__).parent / "contracts"
XLSX = {"format": "xlsx", "file_name": "posting_{business_date:%Y%m%d}.xlsx"}


@pytest.mark.parametrize("folder", [HERE, CONTRACT_FOLDER])
def test_contracts_are_valid_for_the_standard(folder):
    schema = json.loads(importlib.resources.files("open_data_contract_standard").joinpath("schema.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    paths = sorted(folder.glob("*/*.yaml"))
    assert paths
    for path in paths:
        problems = [
            error.message
            for error in validator.iter_errors(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader))
        ]
        assert not problems, (path.name, problems[:3])


def test_the_real_contracts_load():
    contracts = load_contracts()
    assert {"core_banking", "card", "grid_billing", "retail", "berka", "tabformer", "sgsc"} <= set(contracts)
    assert contracts["berka"]["trans"].file_name(date(1994, 10, 31)) == "trans.first100k.asc.gz"


def test_typed_access():
    posting, customer = TRIAL["posting"], TRIAL["customer"]
    assert posting.key == ("posting_id",) == posting.row_key
    assert customer.key == ("customer_id",)
    assert customer.row_key == ("customer_id", "effective_date", "change_seq")
    assert posting.control_file_name(date(2026, 11, 1), 1) == "posting_20261101_r1.ctl"
    assert posting.by_name["account_id"].classification == "C3"


def between(holds: str, **more: str) -> list[dict[str, str]]:
    """A rule between columns, as the standard writes it."""
    return [{"name": "agreed", "type": "custom", "engine": "c360", "implementation": holds, **more}]


def drift(contract: dict, **policies: str) -> None:
    """Adds policies of drift to a contract."""
    contract["customProperties"].append({"property": "drift", "value": policies})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(apiVersion="v9"), "v9"),
        (lambda c: c["schema"][0].update(name="other"), "differs from the file's name"),
        (lambda c: c["schema"][0]["properties"][0].update(physicalType="money"), "physicalType 'money'"),
        (lambda c: c["schema"][0]["properties"][0].update(name="Bad Name"), "no identifier"),
        (lambda c: c["customProperties"].pop(0), "controller"),
        (lambda c: c["customProperties"][1]["value"].update(format="xml"), "xml"),
        (lambda c: c["customProperties"][1]["value"].update(surprise=1), "surprise"),
        (lambda c: c["customProperties"][2]["value"].update(amount_column="nothing"), "control.amount_column"),
        (lambda c: c["customProperties"][2]["value"].update(kind="trailer"), "trailer"),
        (lambda c: c["customProperties"][2]["value"].update(file_name=None), "control.file_name"),
        (lambda c: c["customProperties"].pop(3), "kind"),
        (lambda c: c["customProperties"][1].update(value={**XLSX, "compression": "gz"}), "compression"),
        (lambda c: c["customProperties"][1].update(value={**XLSX, "sheet": "a/b"}), "sheet"),
        (lambda c: drift(c, new_column="widen"), "evolve"),
        (
            lambda c: (drift(c, new_column="evolve"), c["customProperties"][1]["value"].update(header=False)),
            "no columns",
        ),
        (lambda c: (drift(c, lost_column="quarantine"), c["customProperties"][3]["value"].update(kind="full")), "gone"),
        (lambda c: c["schema"][0].update(quality=between("amount >")), "is no SQL"),
        (lambda c: c["schema"][0].update(quality=between("amount > fee")), "fee, which the schema does not have"),
        (lambda c: c["schema"][0].update(quality=between("1 > 0")), "names no column"),
        (lambda c: c["schema"][0].update(quality=between("amount > 0", severity="fatal")), "severity"),
        (
            lambda c: (
                c["customProperties"][1].update(value=XLSX),
                c["schema"][0]["properties"][0].update(physicalType="text[]"),
            ),
            "array does not fit into a cell",
        ),
    ],
)
def test_errors_name_file_and_rule(tmp_path, change, words):
    contract = yaml.safe_load((HERE / "trial" / "posting.yaml").read_text(encoding="utf-8"))
    change(contract)
    path = tmp_path / "trial" / "posting.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(contract, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ContractError) as refused:
        load_contract(path)
    assert "trial/posting.yaml" in str(refused.value) and words in str(refused.value)


def test_yaml_that_is_none_is_refused(tmp_path):
    path = tmp_path / "trial" / "posting.yaml"
    path.parent.mkdir()
    path.write_text("a: [1")
    with pytest.raises(ContractError, match="open_data_contract_standard"):
        load_contract(path)


def test_two_tables_may_not_claim_one_file(tmp_path):
    folder = tmp_path / "trial"
    folder.mkdir()
    text = (HERE / "trial" / "posting.yaml").read_text(encoding="utf-8")
    (folder / "posting.yaml").write_text(text, encoding="utf-8")
    (folder / "copy.yaml").write_text(text.replace("- name: posting\n", "- name: copy\n"), encoding="utf-8")
    with pytest.raises(ContractError, match="both claim"):
        load_contracts(tmp_path)


def test_raw_ddl():
    ddl = table_ddl(TRIAL["posting"])
    assert 'create table if not exists "raw_trial"."posting"' in ddl
    assert '"amount" numeric(18,2)' in ddl and "_file_id bigint not null" in ddl and "using brin (_file_id)" in ddl
    migration = raw_migrations(CONTRACTS)[0]
    assert migration.generated and migration.name == "raw_trial"


def kept(column: Column, values: list) -> list:
    """Which values keep all rules of the column."""
    kind = pl.List(pl.String()) if column.is_array else pl.String()
    frame = pl.DataFrame({column.name: pl.Series(values, dtype=kind)})
    holds = pl.all_horizontal([rule.holds for rule in rules_of(column)] or [pl.lit(True)]).fill_null(True)
    return frame.filter(holds)[column.name].to_list()


def out(column: Column, values: list) -> list:
    """What goes to COPY."""
    kind = pl.List(pl.String()) if column.is_array else pl.String()
    return (
        pl.DataFrame({column.name: pl.Series(values, dtype=kind)}).select(out_expression(column)).to_series().to_list()
    )


def column(physical_type: str, **options) -> Column:
    """A column of a type."""
    return Column(name="x", physical_type=physical_type, **options)


@pytest.mark.parametrize(
    ("physical_type", "good", "bad"),
    [
        ("integer", ["1", "-5", "+7", "2147483647", None], ["", " 1", "1.0", "2147483648", "１", "1e3", "٣", "0x1"]),
        ("smallint", ["32767"], ["32768"]),
        ("bigint", ["9223372036854775807"], ["9223372036854775808"]),
        (
            "numeric(5,2)",
            ["1", "-1.5", "999.99", "0000123.40", "1.2300", ".5", "1."],
            ["1000", "1.234", "", ".", "+", "1e2", "nan", "inf", "1,0", "１"],
        ),
        ("numeric(3,0)", ["999", "12.0"], ["1000", "1.5"]),
        ("numeric(2,2)", ["0.99", ".99"], ["1.00"]),
        ("numeric", ["123456789.123456789"], ["1e5", "x"]),
        ("double precision", ["1.5", "1e-7"], ["nan", "inf", "x"]),
        (
            "date",
            ["2026-02-28", "0001-01-01", "9999-12-31"],
            ["2026-02-30", "2026-2-3", "+2026-1-5", "20260228", "2026-02-28 ", ""],
        ),
        (
            "timestamp",
            ["2026-11-01 00:00:00", "2026-11-01T23:59:59.123456"],
            ["2026-11-01 24:00:00", "2026-11-01", "2026-11-01 10:00:00+08"],
        ),
        ("timestamptz", ["2026-11-01 10:00:00+08", "2026-11-01T10:00:00Z"], ["2026-11-01 10:00"]),
        ("time", ["23:59:59"], ["24:00:00", "1:00"]),
        ("boolean", ["Y", "n", "true", "0", None], ["", "ja", "2"]),
        ("varchar(3)", ["abc", "全聚德"], ["abcd"]),
    ],
)
def test_types(physical_type, good, bad):
    assert kept(column(physical_type), good + bad) == good


def test_formats_codes_ranges_lengths_patterns():
    assert kept(column("date", date_format="%y%m%d"), ["930101", "931301", "93011"]) == ["930101"]
    assert kept(column("timestamp", date_format="%Y%m%d%H%M%S"), ["20261101120000", "2026110112000"]) == [
        "20261101120000"
    ]
    assert kept(column("numeric(9,2)", strip="$,"), ["$1,234.50", "€1"]) == ["$1,234.50"]
    assert out(column("numeric(9,2)", strip="$,"), ["$-1,234.50"]) == ["-1234.50"]
    assert out(column("numeric(9,2)", implied_decimals=2), ["000012345", "5", "-5", None]) == [
        "0000123.45",
        "0.05",
        "-0.05",
        None,
    ]
    assert out(column("date", date_format="%y%m%d"), ["930101"]) == [date(1993, 1, 1)]
    assert kept(column("text", codes=("A", "B")), ["A", "C", None]) == ["A", None]
    assert kept(column("text", codes=("A",), required=True), ["A", None]) == ["A"]
    assert kept(column("numeric(9,2)", minimum="0", maximum="10"), ["-0.01", "0", "10.00", "10.01"]) == ["0", "10.00"]
    assert kept(column("date", minimum="2026-01-01"), ["2025-12-31", "2026-01-01"]) == ["2026-01-01"]
    assert kept(column("text", min_length=2, max_length=3), ["a", "ab", "abcd"]) == ["ab"]
    assert kept(column("text", pattern="^[0-9]{4}$"), ["1234", "12345"]) == ["1234"]


PRICED = {"amount": "numeric(9,2)", "fee": "integer", "opened": "date", "closed": "date"}


def checked(rows: list[tuple], *rules: RowRule, kinds: dict[str, str] = PRICED) -> Checked:
    """Rows of amount, fee, day opened and day closed, or of other kinds, under rules between them."""
    columns = tuple(Column(name=name, physical_type=kind) for name, kind in kinds.items())
    now = {name: getattr(TRIAL["payment"], name) for name in Contract.model_fields}
    control = TRIAL["payment"].control.model_copy(update={"amount_column": None})
    contract = Contract(**now | {"columns": columns, "row_rules": rules, "control": control})
    frame = pl.DataFrame(rows, schema=dict.fromkeys(kinds, pl.String()), orient="row")
    frame = frame.with_columns(pl.Series("_line", range(2, len(rows) + 2), dtype=pl.Int64))
    loose = contract.model_copy(update={"change": contract.change.model_copy(update={"key": ()})})
    return Validator(loose, IngestOptions())(Block(frame, lambda chosen: ["raw"] * len(chosen)))


def test_rules_between_columns():
    rows = [
        ("10.00", "9", "2026-01-01", "2026-01-01"),
        ("9.50", "10", "2026-01-02", "2026-01-01"),  # as text, 9.50 would be more than 10
        ("10.00", None, "2026-01-02", None),
        ("ten", "1", "2026-01-01", "2026-01-02"),
        ("10.00", "9", "2026-01-02", "2025-12-31"),
    ]
    more = RowRule(name="more_than_fee", holds="amount > fee", description="net of fees")
    after = RowRule(name="closed_after", holds="closed >= opened or closed < '2026-01-01'::date", severity="warning")
    found = checked(rows, more, after)
    assert found.good["_line"].to_list() == [2, 4, 6]
    assert found.good.columns == ["amount", "fee", "opened", "closed", "_line"]
    assert [(reject.line, reject.rule, reject.column) for reject in found.rejects] == [
        (3, "more_than_fee", "amount"),
        (5, "type", "amount"),
    ]
    assert "'9.50' breaks amount > fee (net of fees)" in found.rejects[0].message
    assert found.warnings == []
    after = RowRule(name="closed_after", holds="closed >= opened", severity="warning")
    assert checked(rows, after).warnings == [Warned(3, "closed_after", "closed"), Warned(6, "closed_after", "closed")]


def test_rules_between_columns_compare_moments_to_the_second():
    rows = [
        ("2026-11-01 09:10:00", "2026-11-01T09:15:00"),
        ("2026-11-01 09:10:00", "2026-11-01 09:10:00.5"),
        ("2026-11-01 09:10:00", "2026-11-01 09:09:59"),
        ("2026-11-01 09:10:00", None),
        ("2026-11-01 00:10:00", "2026-10-31 23:59:00"),
    ]
    after = RowRule(name="ended_after_called", holds="ended >= called")
    found = checked(rows, after, kinds={"called": "timestamp", "ended": "timestamp"})
    assert [reject.line for reject in found.rejects] == [4, 6]


def test_arrays():
    wide = column("numeric(5,2)[]", required=True)
    assert kept(wide, [["1", None], ["x"], None]) == [["1", None]]
    assert out(wide, [["1", None, "2.5"]]) == ["{1,NULL,2.5}"]
    assert out(column("text[]"), [['a"b', "c,d"]]) == ['{"a\\"b","c,d"}']


def test_amounts_that_overflow_are_no_amounts():
    frame = pl.DataFrame({"x": ["1.25", "x", "99999999999999999.99"]})
    assert frame.select(value_of(column("numeric(18,2)"))).to_series().to_list() == [Decimal("1.25"), None, None]


def test_check_digits():
    assert is_resident_id("11010519491231002X") and is_resident_id("11010519491231002x")
    assert not is_resident_id("110105194912310021") and not is_resident_id("11010519491331002X")
    assert is_resident_id("110105491231002") and not is_resident_id("110105491331002")
    assert is_social_credit_code("91350100M000100Y43") and not is_social_credit_code("91350100M000100Y44")
    assert is_identity_number("E12345678") and not is_identity_number("110105194912310021")


@pytest.mark.parametrize("in_memory", [1_000_000, 3])
def test_keys_are_unique_across_blocks(in_memory):
    seen = SeenKeys(["a", "b"], in_memory)
    first = seen.first_seen(pl.DataFrame({"a": ["1", "1", "1"], "b": ["x", "y", "x"]}))
    assert first.tolist() == [True, True, False]
    for block in range(5):
        rows = pl.DataFrame({"a": [str(block), "1"], "b": ["new", "y"]})
        assert seen.first_seen(rows).tolist() == [True, False]
    assert SeenKeys([], 1).first_seen(pl.DataFrame({"a": ["1", "1"]})).tolist() == [True, True]


@given(
    blocks=st.lists(st.lists(st.integers(0, 30), min_size=1), max_size=8),
    in_memory=st.integers(1, 40),
    filter_slots=st.sampled_from([8, 64, 1 << 20]),
    at_once=st.sampled_from([1, 3, 1 << 17]),
)
def test_a_key_is_new_once_whatever_the_filter_says(blocks, in_memory, filter_slots, at_once):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ingestion.keys.FILTER_SLOTS", filter_slots)
        patch.setattr("ingestion.keys.MERGED_AT_ONCE", at_once)
        patch.setattr("ingestion.keys.SEARCHED_AT_ONCE", at_once)
        seen, known = SeenKeys(["a"], in_memory), set()
        for block in blocks:
            expected = [key not in known and key not in block[:at] for at, key in enumerate(block)]
            assert seen.first_seen(pl.DataFrame({"a": block})).tolist() == expected
            known.update(block)
