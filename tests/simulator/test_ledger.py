"""The ledger against a plain loop, over random requests."""

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import ledger

DAY = date(2026, 3, 2)
REQUEST = st.tuples(
    st.integers(0, 2),
    st.integers(0, 3),
    st.integers(0, 80_000),
    st.sampled_from((1, -1)),
    st.integers(1, 900),
    st.sampled_from((ledger.FLEXIBLE, ledger.ALL_OR_NOTHING, ledger.TOPPED_UP)),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(REQUEST, min_size=1, max_size=40), st.lists(st.integers(0, 500), min_size=3, max_size=3), st.integers(0, 9)
)
def test_balances_tie_and_never_fall_below_zero(rows: list[tuple], opening: list[int], seed: int) -> None:
    account, offset, second, sign, amount, mode = (list(column) for column in zip(*rows, strict=True))
    days = [DAY + timedelta(days=n) for n in offset]
    asked = ledger.requests(
        len(rows),
        account=np.array(account),
        date=pl.Series(days),
        at=pl.Series(
            [datetime(d.year, d.month, d.day) + timedelta(seconds=s) for d, s in zip(days, second, strict=True)]
        ),
        sign=np.array(sign),
        amount=np.array(amount),
        type="transfer_out",
        channel="mobile_bank",
        mode=np.array([m if s < 0 else 0 for m, s in zip(mode, sign, strict=True)]),
        ref=np.array([f"r{i}" for i in range(len(rows))], dtype=object),
    )
    book = ledger.Ledger(np.array(opening))
    posted = book.settle(asked, DAY, DAY + timedelta(days=3), np.random.default_rng(seed), 0.5)
    running = dict(enumerate(opening))
    for row in posted.iter_rows(named=True):
        running[row["account"]] += row["sign"] * row["amount"]
        assert running[row["account"]] == row["balance_after"] >= 0
    assert [running[i] for i in range(3)] == book.balance.tolist()
    assert posted["transaction_id"].n_unique() == posted.height
    assert posted.select(pl.struct("date", "at").is_sorted()).item() or posted["date"].is_sorted()
    by_ref = {row["ref"]: row for row in posted.iter_rows(named=True) if row["ref"]}
    for place, (_, _, _, direction, wanted, how) in enumerate(rows):
        done = by_ref.get(f"r{place}")
        if direction > 0 or how == ledger.TOPPED_UP:
            assert done and done["amount"] == wanted
        elif done and how == ledger.ALL_OR_NOTHING:
            assert done["amount"] == wanted
    ids = {row["transaction_id"]: row for row in posted.iter_rows(named=True)}
    for row in posted.filter(pl.col("reverses_transaction_id").is_not_null()).iter_rows(named=True):
        origin = ids[row["reverses_transaction_id"]]
        assert (origin["account"], origin["date"], origin["amount"], origin["sign"]) == (
            row["account"],
            row["date"],
            row["amount"],
            -row["sign"],
        )


def test_interest_base_is_the_sum_of_daily_balances() -> None:
    book = ledger.Ledger(np.array([1_000]))
    asked = ledger.requests(
        1,
        account=np.array([0]),
        date=DAY + timedelta(days=2),
        at=datetime(2026, 3, 4, 10),
        sign=1,
        amount=500,
        type="deposit",
        channel="counter",
    )
    book.settle(asked, DAY, DAY + timedelta(days=4))
    assert book.products[0] == 2 * 1_000 + 3 * 1_500
