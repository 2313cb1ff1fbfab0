"""The general ledger of core banking (总账): what each unit's subjects (科目) stand at, day by day.

It is booked from the postings of the accounts and from what is lent and repaid, never from the balances of accounts and
loans that the sub-ledgers send: only so is it a second word to hold them against (总分核对).
"""

from __future__ import annotations

from datetime import date

import polars as pl

from simulator.accounts import Accounts
from simulator.calendar import day_array
from simulator.loans import Loans

LOAN_SUBJECTS = {
    "mortgage": "1311",
    "consumer": "1312",
    "vehicle": "1313",
    "personal_business": "1314",
    "working_capital": "1321",
    "fixed_asset": "1322",
}
BOOK = ("organisation_id", "subject_id", "currency")


class GeneralLedger:
    """Balances of the subjects of deposits and loans, by unit and currency.

    Args:
        accounts, loans: the sub-ledgers; their opening state is what the books open with.
        start: first day of the books.
    """

    def __init__(self, accounts: Accounts, loans: Loans, start: date) -> None:
        self._deposits = (
            accounts.log.select("account_id", "organisation_id", "currency", subject_id="gl_subject")
            .unique("account_id", keep="first", maintain_order=True)
            .join(accounts.frame.select("account_id", "ix", "opening"), on="account_id")
            .with_columns(balance_side=pl.lit("C"))
        )
        log = loans.log.sort("loan_id", "effective_date", maintain_order=True).with_columns(
            subject_id=pl.col("loan_type").replace_strict(LOAN_SUBJECTS, return_dtype=pl.String)
        )
        before = log.filter(pl.col("effective_date") < start).unique("loan_id", keep="last", maintain_order=True)
        lent = log.unique("loan_id", keep="first", maintain_order=True).select(
            "loan_id", *BOOK, "principal", "disbursed_on"
        )
        self._loan_moves = pl.concat(
            [
                lent.select(*BOOK, date="disbursed_on", debit="principal", credit=pl.lit(0, pl.Int64)),
                loans.repayments.join(lent, on="loan_id", maintain_order="left").select(
                    *BOOK, date="paid_on", debit=pl.lit(0, pl.Int64), credit="principal_paid"
                ),
            ]
        ).with_columns(balance_side=pl.lit("D"))
        opening = [
            self._deposits.filter(pl.col("opening") != 0).select(*BOOK, "balance_side", balance="opening"),
            before.select(*BOOK, balance_side=pl.lit("D"), balance="outstanding_principal"),
        ]
        self._balances = pl.concat(opening).group_by(*BOOK, "balance_side").agg(pl.col("balance").sum())

    def close(self, postings: pl.DataFrame, first: date, last: date) -> pl.DataFrame:
        """The books of some days: a row for each subject and day from the first on which it was used.

        Args:
            postings: what the accounts' ledger settled in these days.
            first, last: the days; they follow those of the call before.

        Raises:
            ValueError: a posting has its accounting date outside these days.
        """
        if postings.filter(~pl.col("date").is_between(first, last)).height:
            raise ValueError(f"postings outside {first} to {last}: the books of other days are closed")
        amount = pl.col("amount")
        moved = postings.select("date", "sign", "amount", ix=pl.col("account").cast(pl.Int64)).join(
            self._deposits.select("ix", *BOOK, "balance_side"), on="ix", maintain_order="left"
        )
        moves = pl.concat(
            [
                moved.select(
                    *BOOK,
                    "date",
                    debit=pl.when(pl.col("sign") < 0).then(amount).otherwise(0).cast(pl.Int64),
                    credit=pl.when(pl.col("sign") > 0).then(amount).otherwise(0).cast(pl.Int64),
                    balance_side="balance_side",
                ),
                self._loan_moves.filter(pl.col("date").is_between(first, last)),
            ]
        )
        by_day = moves.group_by(*BOOK, "balance_side", "date").agg(pl.col("debit").sum(), pl.col("credit").sum())
        begun = by_day.group_by(*BOOK, "balance_side").agg(begins=pl.col("date").min())
        books = self._balances.join(begun, on=[*BOOK, "balance_side"], how="full", coalesce=True).with_columns(
            begins=pl.when(pl.col("balance").is_null()).then("begins").otherwise(pl.lit(first)),
            balance=pl.col("balance").fill_null(0),
        )
        days = pl.DataFrame({"date": day_array(first, last)}).cast(pl.Date)
        rows = (
            books.join(days, how="cross")
            .filter(pl.col("date") >= pl.col("begins"))
            .join(by_day, on=[*BOOK, "balance_side", "date"], how="left")
            .with_columns(pl.col("debit", "credit").fill_null(0))
            .sort("date", *BOOK)
        )
        net = pl.when(pl.col("balance_side") == "D").then(1).otherwise(-1) * (pl.col("debit") - pl.col("credit"))
        rows = rows.with_columns(net=net).with_columns(closing=pl.col("balance") + pl.col("net").cum_sum().over(*BOOK))
        self._balances = (
            rows.group_by(*BOOK, "balance_side", maintain_order=True)
            .last()
            .select(*BOOK, "balance_side", balance="closing")
        )
        return rows.select(
            *BOOK,
            "balance_side",
            accounting_date="date",
            opening_balance=pl.col("closing") - pl.col("net"),
            debit_amount="debit",
            credit_amount="credit",
            closing_balance="closing",
            _date="date",
        )
