"""Customers of core banking: master, relations, managers, consents."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulator import addresses, parties, people
from simulator import parameters as p
from simulator.capture import captured
from simulator.changes import history
from simulator.frames import text
from simulator.organisation import Organisation
from simulator.randomness import Streams, choose, pick

MATCHING_TEXT = "PM-2025-02"
DAY = np.timedelta64(1, "D")


class Customers:
    """The bank's customers.

    Attributes:
        frame: One row a customer: the source's form of the party, `opened_on`, `outlet` and `manager` (indexes).
        log: Change log of `customer`; `relations`, `assignments`, `consents` are those of the other tables.
    """

    def __init__(
        self, streams: Streams, world: pl.DataFrame, organisation: Organisation, start: date, horizon: date
    ) -> None:
        self.streams, self.organisation, self.start, self.horizon = streams, organisation, start, horizon
        rng = streams("customers")
        members = world.filter(pl.Series(choose(rng, world.height, p.SHARE_IN_BANK)))
        twice = members.filter(
            pl.Series(choose(rng, members.height, p.SHARE_SECOND_CUSTOMER_NUMBER)) & (pl.col("party_kind") == "person")
        )
        both = pl.concat([members, twice]).with_columns(
            is_second=pl.Series([False] * members.height + [True] * twice.height)
        )
        ids = parties.numbers(rng, both.height, "10", 10)
        frame = parties.source_rows(streams, "core_banking", both, ids, world)
        size = frame.height
        opened = frame["since"].to_numpy().astype("datetime64[D]")
        moved = opened + rng.integers(100, 900, size).astype("timedelta64[D]")
        second = frame["is_second"].to_numpy()
        opened = np.where(second, np.minimum(moved, np.datetime64(horizon) - 20 * DAY), opened)
        outlet = rng.integers(0, len(organisation.outlets), size)
        per_outlet = [np.flatnonzero(organisation.manager_outlet == o) for o in range(len(organisation.outlets))]
        per_outlet = [m if len(m) else np.arange(len(organisation.managers)) for m in per_outlet]
        manager = np.array(
            [per_outlet[o][int(u * len(per_outlet[o]))] for o, u in zip(outlet, rng.random(size), strict=True)]
        )
        level = np.clip(np.round(3 + np.log(frame["wealth"].to_numpy()) * 1.5), 1, 7).astype(int)
        self.frame = frame.with_columns(
            opened_on=pl.Series(opened.astype("datetime64[D]")),
            outlet=pl.Series(outlet),
            manager=pl.Series(manager),
            customer_level=pl.Series(level),
            ix=pl.Series(np.arange(size)),
        )
        self.log = captured(
            self._customer_log(), streams("customer capture"), "core_banking", organisation.managers.tolist()
        )
        self.relations = self._relations()
        self.assignments = self._assignments()
        self.consents = None

    def _customer_log(self) -> pl.DataFrame:
        rng, frame = self.streams("customer log"), self.frame
        size = frame.height
        age = (np.datetime64(self.start) - frame["birth_date"].to_numpy().astype("datetime64[D]")).astype(
            float
        ) / 365.25
        issued_ahead = rng.integers(200, 9 * 365, size)
        valid_to = np.where(
            age >= 46,
            np.datetime64("9999-12-31"),
            np.datetime64(self.start)
            + issued_ahead.astype("timedelta64[D]")
            - np.where(choose(rng, size, 0.05), 3 * 365, 0).astype("timedelta64[D]"),
        )
        person = (frame["party_kind"] == "person").to_numpy()
        outlets = np.array(self.organisation.outlets)
        base = frame.select(
            "customer_id",
            "party_kind",
            customer_name="held_name",
            id_type="id_type",
            id_number="held_id",
            id_valid_to=pl.when(pl.Series(person)).then(pl.Series(valid_to.astype("datetime64[D]"))),
            gender="gender",
            birth_date="birth_date",
            nationality=pl.when(pl.Series(person)).then(pl.lit("CHN")),
            mobile="held_mobile",
            email="email",
            address="held_address",
            occupation="occupation",
            industry_code="industry_code",
            firm_size="firm_size",
            registered_capital="registered_capital",
            legal_representative="legal_representative",
            customer_level="customer_level",
            home_organisation_id=pl.Series(outlets[frame["outlet"].to_numpy()]),
            opened_on="opened_on",
            closed_on=pl.lit(None, pl.Date),
            status=pl.lit("active"),
            _fault="id_fault",
        )
        ids = frame["customer_id"].to_numpy().astype(str)
        span = (self.horizon - self.start).days / 365
        opened = frame["opened_on"].to_numpy().astype("datetime64[D]")

        def some(share: float) -> tuple[np.ndarray, np.ndarray]:
            mask = choose(rng, size, share * span)
            return mask, parties.later(opened[mask], rng, self.start, self.horizon)

        mask, day = some(p.MOVE_SHARE)
        mask, day = self._untied(mask, day, "name_address")
        count = int(mask.sum())
        new_home = addresses.text(addresses.draw(rng, count), np.zeros(count, int), ~person[mask])
        moves = pl.DataFrame({"customer_id": ids[mask], "effective_date": day, "address": new_home})
        mask, day = some(p.PHONE_CHANGE_SHARE)
        mask, day = self._untied(mask, day, "name_phone")
        phones = pl.DataFrame(
            {"customer_id": ids[mask], "effective_date": day, "mobile": people.mobiles(rng, int(mask.sum()))}
        )
        mask, day = some(p.LEVEL_CHANGE_SHARE)
        levels = pl.DataFrame(
            {
                "customer_id": ids[mask],
                "effective_date": day,
                "customer_level": np.clip(
                    frame["customer_level"].to_numpy()[mask] + pick(rng, (-1, 1), None, int(mask.sum())), 1, 7
                ),
            }
        )
        mask, day = some(p.STATUS_CHANGE_SHARE)
        states = pl.DataFrame(
            {
                "customer_id": ids[mask],
                "effective_date": day,
                "status": pick(rng, ("dormant", "deceased"), (95, 5), int(mask.sum())),
            }
        )
        states = states.with_columns(
            status=pl.when(pl.Series(~person[mask])).then(pl.lit("dormant")).otherwise(pl.col("status"))
        )
        dead = frame.filter("is_dead")
        day = parties.later(dead["opened_on"].to_numpy(), rng, self.start, self.horizon)
        deaths = pl.DataFrame({"customer_id": dead["customer_id"], "effective_date": day})
        deaths = deaths.with_columns(status=pl.lit("deceased"))
        return history(base, "customer_id", "opened_on", [moves, phones, levels, states, deaths])

    def _untied(self, mask: np.ndarray, day: np.ndarray, tie: str) -> tuple[np.ndarray, np.ndarray]:
        """Leaves out the customers whom their sources know by what would change."""
        kept = self.frame["tie"].to_numpy() != tie
        return mask & kept, day[kept[mask]]

    def _relations(self) -> pl.DataFrame:
        rng, frame = self.streams("relations"), self.frame
        persons = frame.filter(pl.col("party_kind") == "person")
        firms = frame.filter(pl.col("party_kind") == "firm")
        people_at = rng.integers(0, max(persons.height, 1), firms.height)
        linked = choose(rng, firms.height, 0.5) if persons.height else np.zeros(firms.height, bool)
        names = np.where(
            linked,
            persons["name"].to_numpy().astype(object)[people_at],
            firms["legal_representative"].to_numpy().astype(object),
        )
        to = np.where(linked, persons["customer_id"].to_numpy().astype(object)[people_at], None)
        legal = pl.DataFrame(
            {
                "from_customer_id": firms["customer_id"],
                "to_customer_id": text(to),
                "to_name": text(names),
                "starts_on": firms["opened_on"],
            }
        ).with_columns(relation_type=pl.lit("legal_representative"), share=pl.lit(None, pl.Int64))
        share = (rng.integers(20, 100, firms.height) * 10_000).astype(np.int64)
        holders = legal.with_columns(relation_type=pl.lit("shareholder"), share=pl.Series(share))
        pairs = max(1, int(persons.height * 0.03))
        order = rng.permutation(persons.height)[: pairs * 2]
        left, right = persons[order[:pairs]], persons[order[pairs : pairs * 2]]
        pairs = min(left.height, right.height)
        spouses = pl.DataFrame(
            {
                "from_customer_id": left["customer_id"][:pairs],
                "to_customer_id": right["customer_id"][:pairs],
                "to_name": right["name"][:pairs],
                "starts_on": pl.DataFrame({"a": left["opened_on"][:pairs], "b": right["opened_on"][:pairs]})
                .select(pl.max_horizontal("a", "b"))
                .to_series(),
            }
        ).with_columns(relation_type=pl.lit("spouse"), share=pl.lit(None, pl.Int64))
        members = firms[: max(1, firms.height // 10) * 2]
        half = members.height // 2
        groups = pl.DataFrame(
            {
                "from_customer_id": members["customer_id"][:half],
                "to_customer_id": members["customer_id"][half : 2 * half],
                "to_name": members["name"][half : 2 * half],
                "starts_on": pl.Series([date(2024, 3, 1)] * half, dtype=pl.Date),
            }
        ).with_columns(relation_type=pl.lit("group_member"), share=pl.lit(None, pl.Int64))
        base = pl.concat([legal, holders, spouses, groups]).with_columns(ends_on=pl.lit(None, pl.Date))
        base = base.with_columns(relation_id=pl.Series([f"R{i + 1:08d}" for i in range(base.height)]))
        ended = base.filter(pl.Series(choose(rng, base.height, 0.03)))
        day = parties.later(ended["starts_on"].to_numpy(), rng, self.start, self.horizon)
        ends = pl.DataFrame({"relation_id": ended["relation_id"], "effective_date": day, "ends_on": day - DAY})
        gone = base.filter(
            pl.Series(choose(rng, base.height, 0.02)) & ~pl.col("relation_id").is_in(ended["relation_id"].implode())
        )
        day = parties.later(gone["starts_on"].to_numpy(), rng, self.start, self.horizon)
        deleted = pl.DataFrame({"relation_id": gone["relation_id"], "effective_date": day})
        return history(base, "relation_id", "starts_on", [ends], deleted)

    def _assignments(self) -> pl.DataFrame:
        """Exactly one accountable manager on every day; shares of accountable and supporting add to 1."""
        rng, frame = self.streams("assignments"), self.frame
        size, ids = frame.height, frame["customer_id"]
        managers = self.organisation.managers
        span = (self.horizon - self.start).days / 365
        opened = frame["opened_on"].to_numpy().astype("datetime64[D]")
        supported = choose(rng, size, p.SUPPORTING_MANAGER_SHARE) & (len(managers) > 1)
        share = np.where(supported, 700_000, 1_000_000).astype(np.int64)
        first = frame["manager"].to_numpy()
        moved = choose(rng, size, p.MANAGER_TRANSFER_SHARE * span) & (len(managers) > 1)
        day = parties.later(opened, rng, self.start, self.horizon)
        moved &= day <= np.datetime64(self.horizon)
        step = rng.integers(1, max(len(managers), 2), size)
        second = (first + step) % len(managers)
        helper = (first + np.maximum(len(managers) // 2, 1)) % len(managers)
        helper = np.where(helper == second, (helper + 1) % len(managers), helper)
        helper = np.where(helper == first, second, helper)
        supported &= ~(moved & (helper == second)) | False
        share = np.where(supported, share, 1_000_000)

        def rows(mask: np.ndarray, who: np.ndarray, role: str, part: np.ndarray, begin: np.ndarray) -> pl.DataFrame:
            return pl.DataFrame(
                {
                    "customer_id": ids.filter(pl.Series(mask)),
                    "employee_id": managers[who[mask]],
                    "share": part[mask],
                    "starts_on": begin[mask],
                }
            ).with_columns(assignment_role=pl.lit(role), ends_on=pl.lit(None, pl.Date))

        every = np.ones(size, bool)
        base = pl.concat(
            [
                rows(every, first, "accountable", share, opened),
                rows(moved, second, "accountable", share, day),
                rows(supported, helper, "supporting", np.full(size, 300_000, np.int64), opened),
            ]
        )
        base = base.with_columns(assignment_id=pl.Series([f"A{i + 1:08d}" for i in range(base.height)]))
        ends = pl.DataFrame(
            {
                "assignment_id": base["assignment_id"][:size].filter(pl.Series(moved)),
                "effective_date": day[moved],
                "ends_on": day[moved] - DAY,
            }
        )
        self.transfers = pl.DataFrame(
            {"customer_id": ids, "first": first, "second": second, "moved": moved, "day": day}
        )
        return history(base, "assignment_id", "starts_on", [ends])

    def give_consents(self, consumers: set[str]) -> None:
        """Writes the bank's consents.

        Args:
            consumers: Party ids that are also customers of the grid: only few others share data with it.
        """
        rng, frame = self.streams("bank consents"), self.frame
        size = frame.height
        channel = pick(rng, ("counter", "mobile_bank", "net_bank"), (40, 50, 10), size)
        opened = frame["opened_on"].to_numpy().astype("datetime64[D]")
        earliest = np.maximum(opened, np.datetime64(date(2025, 2, 1)))
        given = earliest + rng.integers(0, 200, size).astype("timedelta64[D]")
        early = choose(rng, size, 0.85)
        given = np.where(early, np.minimum(given, np.maximum(opened, np.datetime64(self.start) - DAY)), given)
        parts = []
        plan = (
            ("party_matching", p.MATCHING_BASIS_SHARE, None, MATCHING_TEXT),
            ("share_bank_to_grid", p.SHARE_BANK_TO_GRID, "grid", "SB-2025-01"),
            ("marketing_bank", 0.55, None, "MB-2024-03"),
            ("model_training", 0.20, None, "MT-2025-01"),
        )
        is_consumer = frame["party_id"].is_in(sorted(consumers)).to_numpy()
        for purpose, part, recipient, version in plan:
            mask = frame["agrees"].to_numpy() if purpose == "party_matching" else choose(rng, size, part)
            if purpose.startswith("share_"):
                mask &= is_consumer | choose(rng, size, 0.3)
            basis = "consent"
            rows = pl.DataFrame(
                {
                    "customer_id": frame["customer_id"].filter(pl.Series(mask)),
                    "given_on": given[mask],
                    "channel_id": channel[mask],
                }
            ).with_columns(
                purpose=pl.lit(purpose),
                legal_basis=pl.lit(basis),
                recipient=pl.lit(recipient, pl.String),
                text_version=pl.lit(version),
            )
            if purpose == "party_matching":
                by_contract = pl.Series(choose(rng, rows.height, 0.35))
                rows = rows.with_columns(
                    legal_basis=pl.when(by_contract).then(pl.lit("contract")).otherwise("legal_basis")
                )
            parts.append(rows)
        base = pl.concat(parts).with_columns(withdrawn_on=pl.lit(None, pl.Date))
        base = base.with_columns(consent_id=pl.Series([f"C{i + 1:08d}" for i in range(base.height)]))
        leaving = base.filter(
            (pl.col("legal_basis") == "consent") & pl.Series(choose(rng, base.height, p.WITHDRAWN_SHARE))
        )
        day = parties.later(leaving["given_on"].to_numpy(), rng, self.start, self.horizon)
        out = pl.DataFrame({"consent_id": leaving["consent_id"], "effective_date": day, "withdrawn_on": day})
        self.consents = history(base, "consent_id", "given_on", [out])

    def accountable(self, day: date) -> pl.DataFrame:
        """Customer and accountable manager on a day."""
        moved = pl.col("moved") & (pl.col("day") <= day)
        return self.transfers.select("customer_id", manager=pl.when(moved).then("second").otherwise("first"))
