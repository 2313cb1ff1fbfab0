"""Identifiers pass the standards' own checks, whichever numbers they are made of."""

from datetime import date, timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric, uscc

from simulator import identifiers
from simulator.addresses import DISTRICTS, OTHER_AREAS

AREAS = [d[0] for d in DISTRICTS if d[0] not in ("330113", "330114")] + list(OTHER_AREAS)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(AREAS), st.dates(date(1930, 1, 1), date(2010, 12, 31)), st.integers(1, 995)),
        min_size=1,
        max_size=30,
    )
)
def test_resident_ids_are_valid_by_gb_11643(people: list[tuple[str, date, int]]) -> None:
    area, birth, sequence = (np.array(column) for column in zip(*people, strict=True))
    ids = identifiers.resident_ids(area, np.array([f"{b:%Y%m%d}" for b in birth.astype(object)]), sequence)
    for value, born in zip(ids, birth.astype(object), strict=True):
        assert ric.compact(value) == value and ric.calc_check_digit(value) == value[17]
        assert ric.get_birth_date(value) == born
    for value in identifiers.wrong_check(ids):
        assert ric.calc_check_digit(value) != value[17]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 999_999), min_size=1, max_size=40, unique=True))
def test_social_credit_codes_are_valid_by_gb_32100(numbers: list[int]) -> None:
    codes = identifiers.social_credit_codes(np.array(["330106"] * len(numbers)), np.array(numbers))
    assert len(set(codes)) == len(numbers)
    assert all(uscc.is_valid(code) for code in codes)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 10**9 - 1), min_size=1, max_size=40))
def test_card_numbers_pass_luhn(numbers: list[int]) -> None:
    bodies = np.char.add("629999", identifiers.padded(np.array(numbers), 9))
    assert all(luhn.is_valid(value) and len(value) == 16 for value in identifiers.luhn_complete(bodies, 15))


def test_known_identifiers() -> None:
    """The vectors of the standards and of the domain's own table."""
    assert (
        identifiers.resident_ids(np.array(["110105"]), np.array(["19491231"]), np.array([2]))[0] == "11010519491231002X"
    )
    assert (
        identifiers.resident_ids(np.array(["530102"]), np.array(["19200508"]), np.array([11]))[0]
        == "53010219200508011X"
    )
    assert identifiers.fifteen_digit(np.array(["511702198002221308"]))[0] == "511702800222130"
    assert identifiers.luhn_complete(np.array(["629999000000001"]), 15)[0] == "6299990000000017"
    assert identifiers.luhn_complete(np.array(["629999000000000001"]), 18)[0] == "6299990000000000012"


def test_held_ids_are_what_the_truth_says(truth) -> None:
    people = truth("identities")
    ids = people.filter(
        (pl.col("id_type") == "resident_id") & pl.col("id_fault").is_null() & (pl.col("held_id").str.len_chars() == 18)
    )
    assert ids.height > 1000
    assert all(ric.calc_check_digit(value.upper()) == value[17].upper() for value in ids["held_id"])
    wrong = people.filter(pl.col("id_fault") == "wrong_check")["held_id"]
    assert not any(ric.calc_check_digit(value.upper()) == value[17].upper() for value in wrong)
    firms = people.filter(pl.col("id_type") == "uscc")
    assert firms.height > 100 and all(uscc.is_valid(value) for value in firms["held_id"])


def test_birthday_is_that_of_the_id() -> None:
    from simulator import people

    drawn = people.draw(np.random.default_rng(3), 500, date(2026, 1, 1))
    assert drawn["id_number"].n_unique() == 500
    for value, born, gender in drawn.select("id_number", "birth_date", "gender").iter_rows():
        assert value[6:14] == f"{born:%Y%m%d}"
        assert int(value[16]) % 2 == (gender == "M")
        assert date(2026, 1, 1) - born > timedelta(days=18 * 365)
