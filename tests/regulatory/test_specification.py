"""Rendering and validation of rows by a declared profile, without a database."""

import hashlib
from datetime import date

import polars as pl
import pytest

from regulatory import ProfileError, load_profile
from regulatory.rendering import SOURCE, render, source_columns, to_bytes
from regulatory.validation import Validator

PERIOD_END = date(2026, 10, 31)
PROFILE = load_profile("pboc_financial_base", PERIOD_END)
PERSONAL, FIRMS = PROFILE.tables
ID_NUMBER = "11010519491231002x"

GOOD = {
    "organisation_id": "3001",
    "id_type": "resident_id",
    "id_number": ID_NUMBER,
    "customer_region_code": "110105",
    "account_id": "6222000000000001",
    "agreement_code": "6222000000000001",
    "account_type": "personal_demand",
    "starts_on": "2020-01-31",
    "matures_on": None,
    "currency": "CNY",
    "balance": "1234.50",
    "balance_cny": "1234.50",
    "interest_rate": "0.350000",
}


def rendered(**changes: str | None) -> pl.DataFrame:
    row = {**GOOD, **changes}
    columns = source_columns(PERSONAL)
    block = pl.DataFrame(
        {SOURCE + name: [row[name]] for name in columns}, schema={SOURCE + n: pl.String for n in columns}
    )
    return render(block, PROFILE, PERSONAL, PERIOD_END)


def rules_broken(**changes: str | None) -> set[tuple[str, str]]:
    validator = Validator(PROFILE, PERSONAL, PERIOD_END)
    validator.check(rendered(**changes))
    return {(finding.field.partition(" ")[0], finding.rule) for finding in validator.findings}


def test_a_row_is_rendered_as_the_specification_says() -> None:
    masked = ID_NUMBER.upper()[:14] + hashlib.md5(ID_NUMBER.upper().encode()).hexdigest()
    assert to_bytes(rendered(), PROFILE, PERSONAL).decode() == (
        f"91110000MAC360DA06|3001|B01|{masked}|110105|6222000000000001|6222000000000001|D013|2020-01-31|9999-12-31|"
        "CNY|1234.50|1234.50|0.35000|DR03"
    )


def test_a_passport_is_reported_by_its_digest_alone() -> None:
    digest = hashlib.md5(b"E12345678").hexdigest()
    assert rendered(id_type="passport", id_number="e12345678")["id_number"].to_list() == [digest]


def test_a_good_row_breaks_no_rule() -> None:
    assert rules_broken() == set()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"organisation_id": None}, ("2", "missing")),
        ({"organisation_id": "3" * 31}, ("2", "too_long")),
        ({"id_type": "driving_licence"}, ("3", "code_unmapped")),
        ({"customer_region_code": "11010"}, ("5", "length")),
        ({"customer_region_code": "11010X"}, ("5", "pattern")),
        ({"account_id": "62|22"}, ("6", "forbidden_character")),
        ({"starts_on": "2026-02-30"}, ("9", "date")),
        ({"balance": "12.345", "balance_cny": "12.345"}, ("12", "too_precise")),
        ({"balance": "1" + "0" * 18, "balance_cny": "1" + "0" * 18}, ("12", "too_large")),
        ({"balance": "twelve"}, ("12", "decimal")),
        ({"balance": "0.00", "balance_cny": "0.00"}, ("", "positive_balance")),
        ({"balance_cny": "1.00"}, ("", "cny_equivalent")),
        ({"matures_on": "2019-12-31"}, ("", "maturity_after_start")),
        ({"starts_on": "2026-11-01"}, ("", "started_in_period")),
        ({"interest_rate": "12.000000"}, ("", "plausible_rate")),
    ],
)
def test_what_does_not_fit_is_found(changes: dict[str, str | None], expected: tuple[str, str]) -> None:
    assert expected in rules_broken(**changes)


def test_longest_values_fit_exactly() -> None:
    assert rules_broken(organisation_id="3" * 30) == set()
    largest = "9" * 18 + ".99"
    assert rules_broken(balance=largest, balance_cny=largest) == set()


def test_a_key_twice_is_found_across_blocks() -> None:
    validator = Validator(PROFILE, PERSONAL, PERIOD_END)
    validator.check(rendered())
    validator.check(rendered())
    assert [finding.rule for finding in validator.findings] == ["duplicate_key"]


def test_an_identifier_is_withheld_from_findings() -> None:
    validator = Validator(PROFILE, PERSONAL, PERIOD_END)
    validator.check(rendered(id_number=None))
    assert {finding.value for finding in validator.findings if finding.field.startswith("4")} == {"(withheld)"}


def test_a_profile_is_valid_in_its_time_only() -> None:
    with pytest.raises(ProfileError, match="0 versions"):
        load_profile("pboc_financial_base", date(2019, 12, 31))
    with pytest.raises(ProfileError, match="pboc_financial_base"):
        load_profile("no_such_profile", PERIOD_END)
