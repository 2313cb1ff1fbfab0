"""The mix of what sources share of one party, and the truth about it."""

import polars as pl
from stdnum.cn import ric

from simulator import difficulty
from simulator import parameters as p


def test_true_pairs_have_the_agreed_mix(truth) -> None:
    pairs = truth("pairs")
    across = pairs.filter(pl.col("stratum").is_in(difficulty.STRATA))
    assert across.height > 1000
    for stratum, share in zip(difficulty.STRATA, p.TIE_MIX, strict=True):
        assert abs((across["stratum"] == stratum).mean() - share) < 0.05, stratum
    assert set(pairs["stratum"]) == {*difficulty.STRATA, "duplicate", "same_source"}
    assert not pairs.filter(~pl.col("stratum").is_in(difficulty.STRATA[:3]))["is_resolvable"].any()
    assert pairs.filter(pl.col("stratum").is_in(difficulty.STRATA[:3]))["is_resolvable"].mean() > 0.98


def test_who_is_easily_mistaken(truth) -> None:
    people = truth("identities")
    kinds = set(people["trait"].drop_nulls())
    assert {"recycled_phone", "company_phone", "landlord"} <= kinds
    assert kinds <= {"recycled_phone", "company_phone", "family_phone", "heir_phone", "landlord", "renamed_firm"}
    assert 0.015 < people["trait"].eq_missing("recycled_phone").mean() < 0.05
    assert 0.02 < people["id_fault"].is_not_null().mean() < 0.06
    twice = people.filter(pl.col("source_system") == "core_banking").group_by("party_id").len()
    assert 0.015 < (twice["len"] > 1).mean() < 0.05


def test_what_a_pair_shares_is_what_the_sources_hold(truth) -> None:
    """The stratum is no mere intention: ids are the same number, strangers' pairs share none."""
    held = truth("identities").select("source_system", "customer_id", "held_id", "id_type", "shows_id", "true_id")
    valid = held.filter(pl.col("shows_id") & (pl.col("id_type") == "resident_id"))
    assert all(
        number.upper() == true or (len(number) == 15 and number == true[:6] + true[8:17])
        for number, true in valid.select("held_id", "true_id").iter_rows()
    )
    by_id = (
        truth("pairs")
        .filter(pl.col("stratum") == "id")
        .join(valid, left_on=["left_source_system", "left_customer_id"], right_on=["source_system", "customer_id"])
    )
    assert by_id.height > 100 and by_id["shows_id"].all()


def test_twins_have_ids_of_their_own(truth) -> None:
    twins = truth("identities").filter(pl.col("kin") == "twin").unique("party_id")
    assert twins.height >= 2 and twins["true_id"].n_unique() == twins.height
    assert all(ric.calc_check_digit(number) == number[17] for number in twins["true_id"])
