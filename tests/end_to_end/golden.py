"""Agreed figures of named parties, derived a second time: from the landed files alone, with nothing of the warehouse.

`python tests/end_to_end/golden.py LANDING MONTH` prints them for a landing folder; from what it printed, the golden
records of the seed `golden_record` were chosen. It looks at first loads only, and leaves out whoever holds an account
together with somebody or in a foreign currency.
"""

import csv
import hashlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

BALANCES, BILLS = "core_banking/account_balance", "grid_billing/bill"
Figures = dict[tuple[str, str, str], Decimal]


def first_load(landing: Path, table: str) -> Path:
    """The file of a table, as `core_banking/account`, in the first business date landed."""
    source, name = table.split("/")
    day = min(folder for folder in (landing / source).iterdir())
    return next(file for file in day.glob(f"{name}_{day.name.replace('-', '')}.*") if file.suffix in (".txt", ".jsonl"))


def sha256(file: Path) -> str:
    """What names the content of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def deposits(landing: Path, month: date) -> Figures:
    """Deposits at the end of a month of customers who hold all of their accounts alone."""
    last_day = (_next(month) - timedelta(days=1)).isoformat()
    accounts = _as_of(_text(first_load(landing, "core_banking/account")), "account_id", last_day)
    products = _as_of(_text(first_load(landing, "core_banking/product")), "product_id", last_day)
    holders = defaultdict(set)
    for row in _text(first_load(landing, "core_banking/account_holder")):
        holders[row["account_id"]].add(row["customer_id"])
    left_out = {customer for together in holders.values() if len(together) > 1 for customer in together}
    left_out |= {row["customer_id"] for row in accounts.values() if row["currency"] != "CNY"}
    balances: dict[str, tuple[str, Decimal]] = {}
    for row in _text(first_load(landing, BALANCES)):
        if row["balance_date"] <= last_day and row["currency"] == "CNY":
            before = balances.get(row["account_id"], ("", Decimal(0)))
            balances[row["account_id"]] = max(before, (row["balance_date"], Decimal(row["balance"])))
    total: Figures = defaultdict(Decimal)
    for account, row in accounts.items():
        held_by = holders.get(account, {row["customer_id"]})
        deposit = row["product_id"] in products and products[row["product_id"]]["product_line"] == "deposit"
        if deposit and held_by == {row["customer_id"]} and row["customer_id"] not in left_out and account in balances:
            total["core_banking", row["customer_id"], "deposit_balance"] += balances[account][1]
    return total


def bills(landing: Path, month: date) -> Figures:
    """What the bills of a month come to, by the headers of the bills."""
    total: Figures = defaultdict(Decimal)
    for line in first_load(landing, BILLS).read_text("utf-8").splitlines():
        row = json.loads(line, parse_float=Decimal)
        if row.get("billing_month", "")[:7] == f"{month:%Y-%m}":
            total["grid_billing", row["consumer_no"], "bill_amount"] += Decimal(row["amount"])
    return total


def figures(landing: Path, month: date) -> Figures:
    """All figures of a month, by source, key of the customer there, and column of mart_customer_360."""
    return deposits(landing, month) | bills(landing, month)


def _next(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def _text(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="gb18030", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="|")


def _as_of(rows: Iterator[dict[str, str]], key: str, day: str) -> dict[str, dict[str, str]]:
    """The last word on each key up to a day."""
    last: dict[str, dict[str, str]] = {}
    for row in rows:
        known = last.get(row[key])
        order = (row["effective_date"], int(row["change_seq"] or 0))
        if row["effective_date"] <= day and (
            known is None or order >= (known["effective_date"], int(known["change_seq"]))
        ):
            last[row[key]] = row
    return {name: row for name, row in last.items() if row["change_flag"] != "D"}


if __name__ == "__main__":
    folder, wanted = Path(sys.argv[1]), date.fromisoformat(f"{sys.argv[2]}-01")
    print({table: sha256(first_load(folder, table)) for table in (BALANCES, BILLS)})
    for (source, customer, column), value in sorted(figures(folder, wanted).items()):
        print(source, customer, column, value, sep=",")
    print(Counter(column for _, _, column in figures(folder, wanted)))
