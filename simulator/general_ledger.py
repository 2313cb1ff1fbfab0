"""The general ledger of core banking (总账): what each unit's subjects (科目) stand at, day by day.

It is booked from the postings of the accounts and from what is lent and repaid, never from the balances of accounts and
loans that the sub-ledgers send: only so is it a second word to hold them against (总分核对).
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

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
        accounts: change log of all accounts.
        opening: `balance` by `account_id` on the eve of the books; other accounts begin with nothing.
        loans: the loans; their state on the eve is what the books open with.
        start: first day of the books.
    """

    def __init__(self, accounts: pl.DataFrame, opening: pl.DataFrame, loans: Loans, start: date) -> None:
        self._accounts = (
            accounts.select("account_id", "organisation_id", "currency", subject_id="gl_subject")
            .unique("account_id", keep="first", maintain_order=True)
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
        held = [
            self._accounts.join(opening, on="account_id").filter(pl.col("balance") != 0).drop("account_id"),
            before.select(*BOOK, balance_side=pl.lit("D"), balance="outstanding_principal"),
        ]
        self._balances = pl.concat(held, how="diagonal").group_by(*BOOK, "balance_side").agg(pl.col("balance").sum())
        self._closed_to = start - timedelta(days=1)
        self._postings: list[pl.DataFrame] = []

    def post(self, postings: pl.DataFrame) -> None:
        """Takes postings of accounts, to be booked when their day closes.

        Args:
            postings: rows of `account_transaction`.

        Raises:
            ValueError: a day of theirs is closed.
        """
        if postings.filter(pl.col("accounting_date") <= self._closed_to).height:
            raise ValueError(f"postings up to {self._closed_to}: the books of these days are closed")
        amount, credit = pl.col("amount"), pl.col("direction") == "C"
        self._postings.append(
            postings.select(
                "account_id",
                date="accounting_date",
                debit=pl.when(credit).then(0).otherwise(amount),
                credit=pl.when(credit).then(amount).otherwise(0),
            )
        )

    def close(self, last: date) -> pl.DataFrame:
        """The books of the days up to `last` that are open: a row for each subject and day from its first use on."""
        first = self._closed_to + timedelta(days=1)
        posted = pl.concat(self._postings)
        self._closed_to, self._postings = last, [posted.filter(pl.col("date") > last)]
        moves = pl.concat(
            [
                posted.filter(pl.col("date") <= last)
                .join(self._accounts, on="account_id", maintain_order="left")
                .select(*BOOK, "date", "debit", "credit", "balance_side"),
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
