"""Runs the world month by month and writes its extracts and its ground truth."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from ingestion.contract import Contract, load_contracts
from simulator import calendar, difficulty, faults, ledger, organisation, parties, tariffs
from simulator import parameters as p
from simulator.accounts import Accounts
from simulator.bills import Bills
from simulator.cards import Cards
from simulator.currencies import ForeignAccounts, exchange_rates
from simulator.customers import Customers
from simulator.energy import Energy
from simulator.frames import text
from simulator.general_ledger import GeneralLedger
from simulator.grid import Grid
from simulator.loan_applications import loan_applications
from simulator.loans import Loans
from simulator.organisation import Organisation
from simulator.pools import Pools
from simulator.randomness import Streams
from simulator.retail import Retail
from simulator.service import Service
from simulator.statements import Statements
from simulator.subscriptions import subscriptions
from simulator.wealth import Wealth
from simulator.writers import TableFile, Totals
from warehouse.settings import Settings

SOURCES = ("core_banking", "card", "grid_billing", "retail")
MANIFEST = "simulation.json"
VERSION = 6  # of the world: another version writes other bytes
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class SimulationReport:
    """What a simulation wrote.

    Attributes:
        business_dates: The first load, then the daily batches, in order.
        files, rows, faults: Numbers over all files.
    """

    seed: int
    scale: float
    business_dates: tuple[date, ...]
    files: int
    rows: int
    faults: int
    parties: int

    def __str__(self) -> str:
        return (
            f"{self.rows:,} rows of {self.parties:,} parties in {self.files} files, "
            f"{len(self.business_dates)} business dates, {self.faults} planted faults "
            f"(seed {self.seed}, scale {self.scale:g})"
        )


def simulate(
    settings: Settings,
    seed: int = p.DEFAULT_SEED,
    scale: float = p.DEFAULT_SCALE,
    history_start: date = p.HISTORY_START,
    history_end: date = p.HISTORY_END,
    daily_dates: Sequence[date] = p.DAILY_DATES,
    file_faults: Sequence[tuple[str, str, date, str]] = (),
    progress: Progress | None = None,
) -> SimulationReport:
    """Writes the extracts of the bank, the grid and the retail distributor, and the ground truth beside them.

    The same arguments give the same bytes. Files go to ``<home>/landing/<source>/<date>/``, the truth to
    ``<home>/truth`` (`identities`, `pairs`, `faults`, `totals`, `statements` as Parquet). Where the same simulation has
    been written already, nothing is done.

    Args:
        settings: Names the home.
        seed: Of the whole world.
        scale: 1 is 100,000 parties (DESIGN, Scale).
        history_start: First day of the facts, the first of a month.
        history_end: Last day of the history, which lands as one batch of this business date.
        daily_dates: Business dates of the daily batches, after the history.
        file_faults: Whole-file faults (source, table, business date, one of `faults.FILE_FAULTS`), for tests.
        progress: Called with (done, total, text).

    Raises:
        ValueError: the history does not begin on the first of a month, or a daily date lies inside it.
    """
    if history_start.day != 1:
        raise ValueError(f"history_start {history_start} is not the first of a month")
    dates = sorted(set(daily_dates))
    if dates and dates[0] <= history_end:
        raise ValueError(f"the daily date {dates[0]} lies inside the history, which ends on {history_end}")
    truth = settings.truth
    wanted = {
        "version": VERSION,
        "seed": seed,
        "scale": scale,
        "history_start": str(history_start),
        "history_end": str(history_end),
        "daily_dates": [str(d) for d in dates],
        "file_faults": [[*map(str, f)] for f in file_faults],
    }
    manifest = truth / MANIFEST
    if manifest.exists():
        kept = json.loads(manifest.read_text("utf-8"))
        if {k: kept.get(k) for k in wanted} == wanted and all((settings.landing / f).exists() for f in kept["paths"]):
            return SimulationReport(seed, scale, (history_end, *dates), **kept["report"])
    run = Run(settings, seed, scale, history_start, history_end, dates, progress or (lambda *_: None))
    totals = run.write()
    marks = [fault for total in totals for fault in total.faults]
    contracts = run.contracts
    for source, table, day, kind in file_faults:
        marks.append(faults.damage(settings.landing / source / f"{day}", contracts[source][table], day, kind))
    truth.mkdir(parents=True, exist_ok=True)
    _write_truth(truth, run.identities(dates[-1] if dates else history_end), marks, totals, run.statements.truth)
    numbers = {
        "files": len(totals),
        "rows": sum(t.rows for t in totals),
        "faults": len(marks),
        "parties": run.world.height,
    }
    paths = [f"{t.source}/{t.business_date}/{t.file}" for t in totals]
    misnamed = {f"{s}/{d}/{contracts[s][t].file_name(d)}" for s, t, d, kind in file_faults if kind == "misnamed"}
    _replace(
        manifest,
        json.dumps({**wanted, "report": numbers, "paths": [x for x in paths if x not in misnamed]}, indent=1).encode(),
    )
    return SimulationReport(seed, scale, (history_end, *dates), **numbers)


class Run:
    """One simulation: `found` draws the world and its masters, `write` runs its months and writes all files."""

    def __init__(
        self, settings: Settings, seed: int, scale: float, start: date, end: date, dates: list[date], progress: Progress
    ) -> None:
        self.settings, self.start, self.end, self.dates, self.progress = settings, start, end, dates, progress
        self.scale = scale
        self.streams = Streams(seed)
        self.contracts = {source: tables for source, tables in load_contracts().items() if source in SOURCES}
        self.horizon = max([end + timedelta(days=p.HORIZON_DAYS), *dates])
        last = dates[-1] if dates else end
        self.months = calendar.months(start, last)
        self.total = len(self.months) + 2
        self.done = 0
        self.files: dict[tuple[str, str], TableFile] = {}
        self.later: dict[tuple[str, str], list[pl.DataFrame]] = {}
        self.masters: dict[tuple[str, str], pl.DataFrame] = {}
        self.deltas = {
            (s, t) for s, tables in self.contracts.items() for t, c in tables.items() if c.change.kind == "delta"
        }

    def _tick(self, text: str) -> None:
        self.progress(self.done, self.total, text)
        self.done += 1

    def write(self) -> list[Totals]:
        """Makes the world, runs its months, writes all files."""
        self._tick("people, firms and what they hold")
        self.found()
        for month in self.months:
            self._tick(f"{month:%Y-%m}")
            self._month(month)
        self._tick("masters and daily batches")
        totals = self._finish()
        self._tick("written")
        return totals

    def found(self) -> None:
        """Draws the parties, what each source holds of them, and their masters."""
        s, start, horizon = self.streams, self.start, self.horizon
        count = max(60, round(p.PARTIES * self.scale))
        self.world = parties.draw(s, count, start, horizon)
        self.organisation = Organisation(s, organisation.managers_of(self.scale), start, horizon)
        self.customers = Customers(s, self.world, self.organisation, start, horizon)
        self.accounts = Accounts(
            s,
            self.customers,
            self.organisation,
            start,
            horizon,
            calendar.cut_off_second(self.contracts["core_banking"]["account_transaction"]),
        )
        self.foreign = ForeignAccounts(s, self.customers, self.organisation, start)
        self.pools = Pools(s, self.customers, self.organisation, start, horizon)
        self.loans = Loans(s, self.customers, self.accounts, self.organisation, start, horizon)
        self.wealth = Wealth(s, self.customers, self.accounts, self.organisation, start, horizon)
        self.cards = Cards(
            s,
            self.world,
            self.customers,
            self.accounts,
            start,
            horizon,
            calendar.cut_off_second(self.contracts["card"]["posting"]),
        )
        self.grid = Grid(
            s,
            self.world,
            self.customers,
            self.accounts,
            max(20, round(p.SERVICE_POINTS * self.scale)),
            max(2, round(p.LOAD_CURVE_POINTS * self.scale)),
            start,
            horizon,
        )
        self.customers.give_consents(set(self.grid.frame["party_id"].to_list()))
        self.energy = Energy(s, self.grid)
        self.bills = Bills(s, self.grid, self.accounts, start)
        owed = np.zeros(self.customers.frame.height, np.int64)
        np.add.at(owed, self.loans.frame["customer"].to_numpy(), self.loans.frame["principal"].to_numpy())
        self.service = Service(s, self.customers, self.accounts, self.organisation, owed, start, horizon)
        self.statements = Statements(s, self.customers, self.organisation, start, horizon)
        self.retail = Retail(s, max(24, round(p.RETAILERS * self.scale)), start, horizon)
        self.ledger = ledger.Ledger(self.accounts.opening)
        self.asked = [self.loans.asked]
        self.card_payments: list[pl.DataFrame] = []
        self.card_debits: list[pl.DataFrame] = []
        self.bill_payments: list[pl.DataFrame] = []
        core, card, grid = ("core_banking", "card", "grid_billing")
        tariff, tariff_period = tariffs.masters()
        self.masters = {
            (core, "organisation"): self.organisation.units,
            (core, "employee"): self.organisation.employees,
            (core, "customer"): self.customers.log,
            (core, "customer_relation"): self.customers.relations,
            (core, "manager_assignment"): self.customers.assignments,
            (core, "product"): organisation.products(),
            (core, "account"): pl.concat([self.accounts.log, self.foreign.log, self.pools.log], how="diagonal_relaxed"),
            (core, "account_holder"): pl.concat(
                [self.accounts.holders, self.foreign.holders, self.pools.holders], how="diagonal_relaxed"
            ),
            (core, "cash_pool"): self.pools.pools,
            (core, "cash_pool_member"): self.pools.members,
            (core, "standing_order"): self.accounts.standing_orders(self.grid.links),
            (core, "loan"): self.loans.log,
            (core, "collateral"): self.loans.collateral,
            (core, "guarantee"): self.loans.guarantees,
            (core, "credit_limit"): self.loans.limits,
            (core, "service_subscription"): subscriptions(s, self.customers, start, horizon),
            (core, "campaign"): self.service.campaigns,
            (core, "self_service_device"): self.organisation.devices(s),
            (core, "consent"): self.customers.consents,
            (core, "manager_target"): self.service.targets,
            (core, "manager_score"): self.service.scores,
            (card, "cardholder"): self.cards.holders,
            (card, "card"): self.cards.card_log,
            (grid, "consumer"): self.grid.log,
            (grid, "supply_contract"): self.grid.contracts,
            (grid, "service_point"): self.grid.point_log,
            (grid, "tariff"): tariff,
            (grid, "tariff_period"): tariff_period,
            (grid, "line"): self.grid.lines,
            (grid, "transformer"): self.grid.transformers,
            (grid, "equipment"): self.grid.equipment,
            (grid, "connection_project"): self.grid.connections.projects,
            (grid, "consent"): self.grid.consents,
            **{("retail", table): log for table, log in self.retail.masters.items()},
        }
        self._opening()

    def _opening(self) -> None:
        """What stood at the eve of the history, and facts that do not wait for a month."""
        eve = self.start - timedelta(days=1)
        held = self.accounts.frame.filter(
            (pl.col("opened_on") < self.start) & (pl.col("closed_on").is_null() | (pl.col("closed_on") >= self.start))
        )
        foreign = {
            "account_id": text(self.foreign.ids),
            "balance": self.foreign.opening,
            "currency": text(self.foreign.currencies),
        }
        opening = pl.concat(
            [
                held.select("account_id", balance="opening", currency=pl.lit("CNY")),
                pl.DataFrame(foreign),
                self.pools.eve.select("account_id", "balance", "currency"),
            ]
        )
        self._emit(
            "core_banking", "account_balance", opening.with_columns(balance_date=pl.lit(eve), _date=pl.lit(self.start))
        )
        accounts = self.masters["core_banking", "account"]
        self.general_ledger = GeneralLedger(accounts, opening.drop("currency"), self.loans, self.start)
        self.general_ledger.post(self.pools.postings)
        self._emit("core_banking", "account_balance", self.pools.balances)
        self._emit("core_banking", "account_transaction", self.pools.postings)
        self._emit("core_banking", "wealth_holding", self.wealth.opening(eve))
        for table, frame in (
            ("exchange_rate", exchange_rates(self.streams, self.start, self.horizon)),
            ("repayment_schedule", self.loans.schedule),
            ("repayment", self.loans.repayments),
            ("credit_rating", self.loans.ratings),
            ("loan_application_stage", loan_applications(self.streams, self.loans, self.organisation, self.start)),
            ("loan_default", self.loans.defaults),
            ("recovery", self.loans.recoveries),
            ("risk_assessment", self.wealth.assessments),
            ("financial_statement", self.statements.frame),
        ):
            self._emit("core_banking", table, frame)
        for table, frame in (
            ("connection_stage", self.grid.connections.stages),
            ("design_document", self.grid.connections.documents),
            ("visit", self.grid.connections.visits),
        ):
            self._emit("grid_billing", table, frame)
        for table, frame in self.retail.facts.items():
            self._emit("retail", table, frame)

    def _month(self, month: date) -> None:
        last = calendar.month_end(month)
        energy = self.energy.month(month)
        self._emit("grid_billing", "daily_reading", energy.readings)
        self._emit("grid_billing", "load_curve", energy.curves)
        self._emit("grid_billing", "line_capacity_month", self._capacity(month, energy.kwh))
        for table, frame in self.grid.service(month).items():
            self._emit("grid_billing", table, frame)
        for table, frame in self.service.month(month).items():
            self._emit("core_banking", table, frame)
        facts, asked = self.cards.plan(month)
        for table, frame in facts.items():
            self._emit("card", table, frame)
        self.card_payments.append(self.cards.payments)
        self.card_debits.append(self.cards.waiting_debit)
        self.asked += [asked, self.wealth.plan(month), self.accounts.everyday(month)]
        done = self._settle(month, last)
        self._emit_postings(self.foreign.month(month), self.foreign.ids, self.foreign.currencies)
        self._emit("core_banking", "general_ledger", self.general_ledger.close(last))
        for table, frame in self.wealth.book(month, done).items():
            self._emit("core_banking", table, frame)
        # billed after the month, paid in the next one
        facts, planned = self.bills.month(month, energy)
        for table, frame in facts.items():
            self._emit("grid_billing", table, frame)
        self.bill_payments.append(planned)
        self.asked.append(self.bills.ask(planned))

    def _settle(self, month: date, last: date) -> pl.DataFrame:
        """The ledger of a month; an interest day begins a part of its own, for interest comes from the days before."""
        middle = month.replace(day=p.INTEREST_DAY)
        parts = (
            [(month, middle - timedelta(days=1)), (middle, last)]
            if month.month in p.INTEREST_MONTHS
            else [(month, last)]
        )
        refs = []
        for first, end in parts:
            if first == middle and len(parts) == 2:
                self.asked.append(self.accounts.interest(first, self.ledger.products))
                self.ledger.products[:] = 0
            waiting = pl.concat(self.asked)
            now, rest = waiting.filter(pl.col("date") <= end), waiting.filter(pl.col("date") > end)
            self.asked = [rest]
            postings = self.ledger.settle(now, first, end, self.streams("reversals", first), p.REVERSAL_SHARE)
            self._emit_postings(postings, self.accounts.ids)
            done = postings.filter(pl.col("ref").is_not_null()).select("ref", "type", "transaction_id")
            refs.append(done)
            self._book_cards(done, end)
            self._book_bills(done, first, end)
        return pl.concat(refs)

    def _emit_postings(self, postings: pl.DataFrame, ids: np.ndarray, currencies: np.ndarray | None = None) -> None:
        """Postings of accounts named by index, in CNY where no currencies are given, and the balances they end at."""

        def named(rows: pl.DataFrame) -> dict[str, pl.Series | pl.Expr]:
            account = rows["account"].to_numpy()
            currency = pl.lit("CNY") if currencies is None else text(currencies[account])
            return {"account_id": text(ids[account]), "currency": currency}

        rows = postings.select(
            "transaction_id",
            **named(postings),
            accounting_date="date",
            transacted_at="at",
            direction=pl.when(pl.col("sign") > 0).then(pl.lit("C")).otherwise(pl.lit("D")),
            amount="amount",
            balance_after="balance_after",
            transaction_type="type",
            channel_id="channel",
            counterparty_account="counterparty_account",
            counterparty_name="counterparty_name",
            counterparty_bank="counterparty_bank",
            operator_id="operator_id",
            summary="summary",
            reverses_transaction_id="reverses_transaction_id",
            _date="date",
        )
        self._emit("core_banking", "account_transaction", rows)
        self.general_ledger.post(rows)
        balances = ledger.end_of_day(postings)
        self._emit(
            "core_banking",
            "account_balance",
            balances.select(**named(balances), balance_date="date", balance="balance", _date="date"),
        )

    def _book_cards(self, done: pl.DataFrame, end: date) -> None:
        payments, debits = pl.concat(self.card_payments), pl.concat(self.card_debits)
        facts = self.cards.book(
            done, payments.filter(pl.col("paid_on") <= end), debits.filter(pl.col("posted_on") <= end)
        )
        self.card_payments, self.card_debits = (
            [payments.filter(pl.col("paid_on") > end)],
            [debits.filter(pl.col("posted_on") > end)],
        )
        for table, frame in facts.items():
            self._emit("card", table, frame)

    def _book_bills(self, done: pl.DataFrame, first: date, end: date) -> None:
        if self.bill_payments:
            by_now = pl.col("paid_on") <= end
            planned = pl.concat(self.bill_payments)
            paid, again = self.bills.book(planned.filter(by_now), done)
            elsewhere, _ = self.bills.book(again.filter(by_now), done)
            self.bill_payments = [planned.filter(~by_now), again.filter(~by_now)]
            self._emit("grid_billing", "payment", pl.concat([paid, elsewhere]))
        if self.bills.owed:
            self._emit("grid_billing", "arrear", self.bills.arrears(first, end))

    def _capacity(self, month: date, kwh: np.ndarray) -> pl.DataFrame:
        """Open capacity of lines: 80 % of the capacity less the load at a power factor of 0.9."""
        load = np.zeros(self.grid.line_count)
        np.add.at(load, self.grid.points["line"].to_numpy(), kwh / 10_000 / 24 / 30 * 2.2)
        capacity = self.grid.line_capacity
        load = np.minimum(load, capacity / 100 * 0.7)
        top = np.round(load * 100).astype(np.int64)
        return pl.DataFrame(
            {
                "line_id": [f"LN{n + 1:05d}" for n in range(self.grid.line_count)],
                "max_load_kw": top,
                "open_capacity_kva": capacity * 8 // 10 - top * 10 // 9,
            }
        ).with_columns(month=pl.lit(month), _date=pl.lit(calendar.next_month(month)))

    def _emit(self, source: str, table: str, frame: pl.DataFrame) -> None:
        """Facts: what is dated inside the history goes to the first load at once, the rest waits for its day."""
        contract = self.contracts[source][table]
        absent = [c.name for c in contract.columns if not c.required and c.name not in frame.columns]
        frame = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)
        history = frame.filter(pl.col("_date") <= self.end)
        self._file(contract).append(history)
        later = frame.filter(pl.col("_date") > self.end)
        if later.height:
            self.later.setdefault((source, table), []).append(later)

    def _file(self, contract: Contract) -> TableFile:
        key = (contract.source, contract.table)
        if key not in self.files:
            self.files[key] = self._open(contract, self.end, True)
        return self.files[key]

    def _open(self, contract: Contract, day: date, first_load: bool) -> TableFile:
        planter = faults.Planter(self.streams("faults", contract.source, contract.table, day), day, first_load)
        return TableFile(contract, self.settings.landing / contract.source / f"{day}", day, planter)

    def _finish(self) -> list[Totals]:
        self.masters["card", "card_account"] = self.cards.account_log()
        self.masters["grid_billing", "meter"] = self.energy.meter_log()
        totals = []
        for source, tables in self.contracts.items():
            for table, contract in tables.items():
                if (source, table) in self.deltas:
                    log = self.masters.pop((source, table)).sort("effective_date", contract.key[0], maintain_order=True)
                    log = log.with_columns(change_seq=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
                    waiting = log.filter(pl.col("effective_date") > self.end)
                    self._file(contract).append(log.filter(pl.col("effective_date") <= self.end))
                    day_of = "effective_date"
                else:
                    parts = self.later.pop((source, table), [])
                    waiting = pl.concat(parts, how="diagonal_relaxed") if parts else None
                    day_of = "_date"
                    self._file(contract)
                totals.append(self.files.pop((source, table)).close())
                for day in self.dates:
                    file = self._open(contract, day, False)
                    if waiting is not None:
                        file.append(waiting.filter(pl.col(day_of) == day))
                    totals.append(file.close())
        return sorted(totals, key=lambda t: (t.business_date, t.source, t.table))

    def identities(self, as_of: date) -> pl.DataFrame:
        """Which party each customer of each source is, and what the source holds of it on a day."""
        columns = ["party_id", "party_kind", "customer_id", "held_name", "id_type", "held_id", "id_fault", "name"]
        columns += ["trait", "kin", "shows_id", "shows_name"]
        parts = []
        for source, frame, log, key in (
            ("core_banking", self.customers.frame, self.customers.log, "customer_id"),
            ("card", self.cards.frame, self.cards.holders, "cardholder_id"),
            ("grid_billing", self.grid.frame, self.grid.log, "consumer_no"),
        ):
            held = log.filter(pl.col("effective_date") <= as_of).group_by(key).agg(pl.col("mobile", "address").last())
            now = frame.join(held, left_on="customer_id", right_on=key, suffix="_now", maintain_order="left")
            parts.append(
                now.select(
                    *columns,
                    true_id=pl.coalesce("id_number", "uscc"),
                    shows_phone=pl.col("shows_phone") & (pl.col("mobile_now") == pl.col("held_mobile")),
                    shows_address=pl.col("shows_address") & (pl.col("address") == pl.col("held_address")),
                ).with_columns(source_system=pl.lit(source))
            )
        return pl.concat(parts).select(
            "party_id",
            "party_kind",
            "source_system",
            "customer_id",
            true_name="name",
            true_id="true_id",
            held_name="held_name",
            id_type="id_type",
            held_id="held_id",
            id_fault="id_fault",
            trait="trait",
            kin="kin",
            shows_id="shows_id",
            shows_phone="shows_phone",
            shows_address="shows_address",
            shows_name="shows_name",
        )


def _write_truth(
    folder: Path, identities: pl.DataFrame, marks: list[faults.Fault], totals: list[Totals], statements: pl.DataFrame
) -> None:
    rows = [asdict(f) for f in marks]
    table = pl.DataFrame(
        rows,
        schema={
            "source": pl.String,
            "business_date": pl.Date,
            "table": pl.String,
            "column": pl.String,
            "kind": pl.String,
            "rule": pl.String,
            "outcome": pl.String,
            "position": pl.Int64,
            "line": pl.Int64,
            "file": pl.String,
            "value": pl.String,
            "true_amount": pl.Int64,
        },
    )
    table = table.select(
        "source",
        "business_date",
        "table",
        "file",
        "line",
        "column",
        "kind",
        expected_rule="rule",
        expected_outcome="outcome",
        value="value",
    )
    sums = pl.DataFrame(
        [
            {
                "source": t.source,
                "business_date": t.business_date,
                "table": t.table,
                "file": t.file,
                "rows": t.rows,
                "rows_good": t.rows_good,
                "amount": None if t.amount is None else f"{t.amount:f}",
                "amount_good": None if t.amount_good is None else f"{t.amount_good:f}",
                "sha256": t.sha256,
            }
            for t in totals
        ],
        schema={
            "source": pl.String,
            "business_date": pl.Date,
            "table": pl.String,
            "file": pl.String,
            "rows": pl.Int64,
            "rows_good": pl.Int64,
            "amount": pl.String,
            "amount_good": pl.String,
            "sha256": pl.String,
        },
    )
    tables = {
        "identities": identities,
        "pairs": difficulty.pairs(identities),
        "faults": table,
        "totals": sums,
        "statements": statements,
    }
    for name, frame in tables.items():
        part = folder / f".{name}.part"
        frame.write_parquet(part, statistics=False)
        os.replace(part, folder / f"{name}.parquet")


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name("." + path.name + ".part")
    part.write_bytes(data)
    os.replace(part, path)
