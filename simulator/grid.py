"""Masters of the grid: consumers, contracts, service points, meters, network, equipment, consents."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulator import addresses, parties, people, tariffs
from simulator import parameters as p
from simulator.accounts import Accounts
from simulator.calendar import month_end
from simulator.capture import captured
from simulator.changes import history
from simulator.connections import Connections
from simulator.customers import Customers
from simulator.frames import text
from simulator.randomness import Streams, choose, pick

DAY = np.timedelta64(1, "D")


class Grid:
    """Consumers and their service points.

    Attributes:
        consumers: One row a consumer; `points` one row a service point with what energy and bills need.
    """

    def __init__(
        self,
        streams: Streams,
        world: pl.DataFrame,
        customers: Customers,
        accounts: Accounts,
        points: int,
        curves: int,
        start: date,
        horizon: date,
    ) -> None:
        self.streams, self.start, self.horizon = streams, start, horizon
        rng = streams("grid")
        person = (world["party_kind"] == "person").to_numpy()
        share = np.where(person, p.SHARE_GRID_PERSON, p.SHARE_GRID_FIRM)
        chosen = np.flatnonzero(choose(rng, world.height, share))
        for side in (person, ~person):  # small worlds hold at least three of each kind
            missing = 3 - int(side[chosen].sum())
            if missing > 0:
                chosen = np.union1d(chosen, np.setdiff1d(np.flatnonzero(side), chosen)[:missing])
        chosen = chosen[:points]
        members = world[chosen]
        size = members.height
        ids = np.array([f"0330{n:09d}" for n in rng.permutation(size * 11)[:size] + 10_001])
        frame = parties.source_rows(streams, "grid_billing", members, ids, world)
        is_person = (frame["party_kind"] == "person").to_numpy()
        farm = (frame["industry_code"] == "A").fill_null(False).to_numpy() | (is_person & choose(rng, size, 0.02))
        factor = frame["size_factor"].to_numpy() * frame["wealth"].to_numpy()
        capacity = np.where(is_person, 8, np.clip(np.round(factor * 160 / 10) * 10, 20, 20_000))
        high = ~is_person & (capacity >= 100) & ~farm
        if not high.any():
            high = ~is_person & (np.cumsum(~is_person) <= 2)
            farm &= ~high
            capacity = np.where(high, 630, capacity)
        two_part = high & (capacity >= 315)
        tariff = np.select(
            [
                farm,
                is_person & choose(rng, size, p.TIME_OF_USE_SHARE_HOUSEHOLDS),
                is_person,
                two_part & (capacity >= 5000),
                two_part & choose(rng, size, 0.1),
                two_part & choose(rng, size, 0.5),
                two_part,
                high,
            ],
            ["A1", "R2", "R1", "D3", "D4", "D2", "D1", "C2"],
            "C1",
        )
        self.usage = np.array([tariffs.TARIFFS[t][1] for t in tariff])
        voltage = np.where(tariff == "D3", "35kV", np.where(high, "10kV", np.where(is_person, "220V", "380V")))
        opened = frame["since"].to_numpy().astype("datetime64[D]")
        banked = customers.frame.filter(~pl.col("is_second")).select("party_id", core="ix")
        frame = frame.join(banked, on="party_id", how="left", maintain_order="left")
        core = frame["core"].fill_null(-1).to_numpy()
        account = np.where(core >= 0, accounts.main[np.maximum(core, 0)], -1)
        debit = (account >= 0) & choose(rng, size, p.BILL_CHANNELS_BANKED["bank_debit"])
        begun = accounts.opened[np.maximum(account, 0)]
        channel = np.where(
            account >= 0,
            pick(rng, list(p.BILL_CHANNELS_BANKED)[1:], list(p.BILL_CHANNELS_BANKED.values())[1:], size),
            pick(rng, list(p.BILL_CHANNELS_OTHERS), list(p.BILL_CHANNELS_OTHERS.values()), size),
        )
        self.channel = np.where(debit, "bank_debit", channel)
        self.account, self.account_begun = account, begun
        large = capacity >= 1000
        self.frame = frame.with_columns(
            tariff_id=pl.Series(tariff),
            usage_class=pl.Series(self.usage),
            voltage=pl.Series(voltage),
            capacity=pl.Series(capacity),
            opened_on=pl.Series(opened),
            fee_account=text(np.where(debit, accounts.ids[np.maximum(account, 0)], None)),
            high=pl.Series(high),
            large=pl.Series(large),
        )
        self.links = pl.DataFrame(
            {
                "account_id": text(accounts.ids[account[debit]]),
                "consumer_no": frame["customer_id"].filter(pl.Series(debit)),
                "starts_on": np.maximum(begun[debit], opened[debit]) + DAY,
            }
        )
        self.debit = debit
        self._masters(rng)
        self._points(rng, points, curves)
        self._network()
        self._equipment()
        self.connections = Connections(streams, self.frame, self.points.height, self.line_count, start, horizon)
        self._consents(customers)

    def _masters(self, rng: np.random.Generator) -> None:
        f, size = self.frame, self.frame.height
        grade = np.where(f["capacity"].to_numpy() >= 5000, "second", "ordinary")
        manager = np.where(f["large"].to_numpy(), np.array([f"G{n:04d}" for n in 1 + np.arange(size) % 20]), None)
        base = f.select(
            consumer_no="customer_id",
            consumer_kind="party_kind",
            consumer_name="held_name",
            id_type="id_type",
            id_number="held_id",
            mobile="held_mobile",
            address="held_address",
            usage_class="usage_class",
            industry_code="industry_code",
            importance_grade=pl.Series(grade),
            is_large_customer="large",
            manager_employee_no=text(manager),
            fee_account="fee_account",
            opened_on="opened_on",
            closed_on=pl.lit(None, pl.Date),
            status=pl.lit("normal"),
            _fault="id_fault",
        )
        opened = f["opened_on"].to_numpy().astype("datetime64[D]")
        mask = choose(rng, size, 0.05) & (f["tie"] != "name_phone").to_numpy()
        phones = pl.DataFrame(
            {
                "consumer_no": f["customer_id"].filter(pl.Series(mask)),
                "effective_date": parties.later(opened[mask], rng, self.start, self.horizon),
                "mobile": people.mobiles(rng, int(mask.sum())),
            }
        )
        mask = choose(rng, size, 0.01)
        states = pl.DataFrame(
            {
                "consumer_no": f["customer_id"].filter(pl.Series(mask)),
                "effective_date": parties.later(opened[mask], rng, self.start, self.horizon),
            }
        ).with_columns(status=pl.lit("suspended"))
        log = history(base, "consumer_no", "opened_on", [phones, states])
        clerks = [f"G{n:04d}" for n in range(1, 20)]
        self.log = captured(log, self.streams("consumer capture"), "grid_billing", clerks)
        capacity = f["capacity"].to_numpy().astype(np.int64)
        demand = np.isin(f["tariff_id"].to_numpy(), ("D2", "D3", "D4"))
        self.contract_no = np.array([f"HT{i + 1:09d}" for i in range(size)], dtype=object)
        self.contract_demand = np.where(demand, np.maximum(capacity * 6 // 10, capacity * 4 // 10), 0)
        rate = np.where(
            f["usage_class"].to_numpy() == "residential", p.LATE_FEE_RATE["residential"], p.LATE_FEE_RATE["other"]
        )
        self.late_rate = rate.astype(np.int64)
        base = f.select(
            contract_no=text(self.contract_no),
            consumer_no="customer_id",
            tariff_id="tariff_id",
            voltage_level="voltage",
            contract_capacity_kva=pl.Series(capacity * 100),
            contract_demand_kw=pl.Series(self.contract_demand * 100).set(pl.Series(~demand), None),
            late_fee_rate=pl.Series(self.late_rate),
            signed_on="opened_on",
            ends_on=pl.lit(None, pl.Date),
        )
        renewed = base.filter(pl.Series(choose(rng, size, 0.02)))
        day = parties.later(renewed["signed_on"].to_numpy(), rng, self.start, self.horizon)
        ends = pl.DataFrame(
            {
                "contract_no": renewed["contract_no"],
                "effective_date": day,
                "ends_on": day + np.timedelta64(3 * 365, "D"),
            }
        )
        self.contracts = history(base, "contract_no", "signed_on", [ends])

    def _points(self, rng: np.random.Generator, points: int, curves: int) -> None:
        f, size = self.frame, self.frame.height
        extra = rng.integers(0, size, max(points - size, 0))
        consumer = np.concatenate([np.arange(size), extra])[:points]
        count = len(consumer)
        high = f["high"].to_numpy()[consumer]
        capacity = f["capacity"].to_numpy().astype(float)[consumer]
        usage, tariff = self.usage[consumer], f["tariff_id"].to_numpy()[consumer]
        opened = f["opened_on"].to_numpy().astype("datetime64[D]")[consumer]
        lines, transformers = max(3, count // 60), max(5, count // 12)
        self.line_count, self.transformer_count = lines, transformers
        transformer = rng.integers(0, transformers, count)
        line = transformer % lines
        base_kwh = np.select(
            [usage == "residential", usage == "agricultural"],
            [p.RESIDENTIAL_KWH_A_DAY * np.exp(rng.normal(0, 0.45, count)), 14 * np.exp(rng.normal(0, 0.5, count))],
            capacity * 24 * rng.uniform(0.12, 0.42, count),
        )
        multiplier = np.where(
            high,
            pick(rng, (1000, 2000, 4000, 6000), None, count),
            np.where(usage == "residential", 1, pick(rng, (1, 20, 40, 80), None, count)),
        )
        multiplier = np.where(high & (capacity < 500), 600, multiplier)
        digits = np.full(count, 6)
        modulus = 10**6 * 100
        near = choose(rng, count, p.ROLL_OVER_SHARE)
        near[:1] = True
        day_increment = np.maximum(base_kwh / multiplier * 100, 1)
        register = np.where(
            near,
            modulus - (day_increment * rng.uniform(5, 300, count)).astype(np.int64),
            rng.integers(0, modulus // 3, count),
        ).astype(np.int64)
        register = np.where(opened >= np.datetime64(self.start), 0, register)
        has_curve = np.zeros(count, bool)
        order = np.flatnonzero(high)
        order = order[np.argsort(-capacity[order], kind="stable")][:curves]
        if len(order) < curves:
            order = np.concatenate([order, np.flatnonzero(~high)[: curves - len(order)]])
        has_curve[order] = True
        curve_tariffs = tariff
        point_ids = np.array([f"SP{i + 1:010d}" for i in range(count)], dtype=object)
        meter_ids = np.array([f"M{n:011d}" for n in rng.permutation(count * 9)[:count] + 33 * 10**6], dtype=object)
        self.points = pl.DataFrame(
            {
                "ix": np.arange(count),
                "consumer": consumer,
                "service_point_id": text(point_ids),
                "meter_id": text(meter_ids),
                "tariff_id": curve_tariffs,
                "usage_class": usage,
                "base_kwh": base_kwh,
                "multiplier": multiplier.astype(np.int64),
                "digits": digits,
                "register": register,
                "opened_on": opened,
                "has_curve": has_curve,
                "high": high,
                "capacity": capacity,
                "line": line,
                "transformer": transformer,
            }
        )
        f_points = f[consumer]
        base = self.points.select(
            "service_point_id",
            consumer_no=f_points["customer_id"],
            premise_address=f_points["held_address"],
            region_code=f_points["region_code"],
            line_id=pl.Series([f"LN{n + 1:05d}" for n in line]),
            transformer_id=pl.Series([f"TF{n + 1:06d}" for n in transformer]),
            voltage_level=f_points["voltage"],
            metering_mode=pl.Series(np.where(high, np.where(capacity >= 500, "HV_HV", "HV_LV"), "LV_LV")),
            opened_on="opened_on",
            closed_on=pl.lit(None, pl.Date),
            status=pl.lit("in_service"),
        )
        moved = base.filter(pl.Series(choose(rng, count, 0.02)))
        day = parties.later(moved["opened_on"].to_numpy(), rng, self.start, self.horizon)
        shifted = pl.DataFrame(
            {
                "service_point_id": moved["service_point_id"],
                "effective_date": day,
                "transformer_id": [f"TF{n + 1:06d}" for n in rng.integers(0, transformers, moved.height)],
            }
        )
        self.point_log = history(base, "service_point_id", "opened_on", [shifted])
        self.meter_base = self.points.select(
            "meter_id",
            "service_point_id",
            multiplier=pl.col("multiplier") * 10_000,
            register_digits="digits",
            installed_on="opened_on",
            start_reading=pl.lit(0, pl.Int64),
            removed_on=pl.lit(None, pl.Date),
            end_reading=pl.lit(None, pl.Int64),
            has_load_curve="has_curve",
        )
        changes = (
            choose(rng, count, p.METER_CHANGE_SHARE_A_YEAR * 13 / 12)
            & ~has_curve
            & (opened < np.datetime64(self.start))
        )
        changes[np.flatnonzero((opened < np.datetime64(self.start)) & ~has_curve)[:1]] = True
        days = np.datetime64(self.start) + rng.integers(20, 380, count).astype("timedelta64[D]")
        self.meter_change = np.where(changes, days, np.datetime64("NaT")).astype("datetime64[D]")

    def _network(self) -> None:
        rng = self.streams("network")
        base = pl.DataFrame(
            {
                "line_id": [f"LN{n + 1:05d}" for n in range(self.line_count)],
                "line_name": [
                    f"{d[1][:2]}{n + 1}线"
                    for n, d in ((n, addresses.DISTRICTS[n % 13]) for n in range(self.line_count))
                ],
                "substation": [f"{addresses.DISTRICTS[n % 13][1][:2]}变电站" for n in range(self.line_count)],
                "voltage_level": ["10kV"] * self.line_count,
                "conductor_section_mm2": (pick(rng, (120, 185, 240), None, self.line_count) * 100).astype(np.int64),
                "capacity_kva": (pick(rng, (8000, 10000, 12000), None, self.line_count) * 100).astype(np.int64),
                "since": [date(2015, 5, 1)] * self.line_count,
            }
        )
        self.line_capacity = base["capacity_kva"].to_numpy()
        wider = pl.DataFrame(
            {
                "line_id": base["line_id"][:1],
                "effective_date": [date(2026, 5, 20)],
                "conductor_section_mm2": [30_000],
                "capacity_kva": [1_500_000],
            }
        )
        self.lines = history(base, "line_id", "since", [wider]).drop("since")
        count = self.transformer_count
        base = pl.DataFrame(
            {
                "transformer_id": [f"TF{n + 1:06d}" for n in range(count)],
                "line_id": [f"LN{n % self.line_count + 1:05d}" for n in range(count)],
                "capacity_kva": (pick(rng, (200, 315, 400, 630), None, count) * 100).astype(np.int64),
                "is_public": choose(rng, count, 0.8),
                "commissioned_on": np.datetime64(date(2016, 1, 1))
                + rng.integers(0, 3000, count).astype("timedelta64[D]"),
            }
        )
        bigger = pl.DataFrame(
            {
                "transformer_id": base["transformer_id"][:1],
                "effective_date": [date(2026, 7, 3)],
                "capacity_kva": [80_000],
            }
        )
        self.transformers = history(base, "transformer_id", "commissioned_on", [bigger])

    def _equipment(self) -> None:
        rng, f = self.streams("equipment"), self.frame
        capacity, opened = f["capacity"].to_numpy(), f["opened_on"].to_numpy().astype("datetime64[D]")
        high = f["high"].to_numpy()
        parts = []
        plan = (
            ("transformer", high, 1.0),
            ("capacitor", high, 0.35),
            ("hv_motor", high & choose(rng, f.height, 0.15), 0.3),
            ("generator", high & choose(rng, f.height, 0.1), 0.2),
            ("storage", high & choose(rng, f.height, 0.05), 0.2),
            ("pv", choose(rng, f.height, 0.03), 0.8),
            ("charger", choose(rng, f.height, 0.06), 0.9),
        )
        for kind, mask, part in plan:
            parts.append(
                pl.DataFrame(
                    {
                        "consumer_no": f["customer_id"].filter(pl.Series(mask)),
                        "rated_capacity": np.round(capacity[mask] * part * 100).astype(np.int64),
                        "installed_on": opened[mask] + np.timedelta64(10, "D"),
                    }
                ).with_columns(equipment_kind=pl.lit(kind))
            )
        base = pl.concat(parts).with_columns(removed_on=pl.lit(None, pl.Date))
        base = base.with_columns(equipment_id=pl.Series([f"EQ{i + 1:08d}" for i in range(base.height)]))
        gone = base.filter(pl.Series(choose(rng, base.height, 0.02)))
        day = parties.later(gone["installed_on"].to_numpy(), rng, self.start, self.horizon)
        removed = pl.DataFrame({"equipment_id": gone["equipment_id"], "effective_date": day, "removed_on": day})
        self.equipment = history(base, "equipment_id", "installed_on", [removed])

    def _consents(self, customers: Customers) -> None:
        rng, f = self.streams("grid consents"), self.frame
        size = f.height
        opened = f["opened_on"].to_numpy().astype("datetime64[D]")
        given = np.maximum(opened, np.datetime64(date(2025, 3, 1))) + rng.integers(0, 180, size).astype(
            "timedelta64[D]"
        )
        banked = f["core"].is_not_null().to_numpy()
        parts = []
        for purpose, share, recipient, version in (
            ("party_matching", p.MATCHING_BASIS_SHARE, None, "GPM-2025-01"),
            ("share_grid_to_bank", p.SHARE_GRID_TO_BANK, "bank", "SG-2025-01"),
            ("marketing_grid", 0.3, None, "GM-2025-01"),
        ):
            mask = f["agrees"].to_numpy() if purpose == "party_matching" else choose(rng, size, share)
            mask = mask & (banked | choose(rng, size, 0.4))
            rows = pl.DataFrame(
                {"consumer_no": f["customer_id"].filter(pl.Series(mask)), "given_on": given[mask]}
            ).with_columns(
                purpose=pl.lit(purpose),
                legal_basis=pl.lit("consent"),
                recipient=pl.lit(recipient, pl.String),
                text_version=pl.lit(version),
            )
            if purpose == "party_matching":
                contract = pl.Series(choose(rng, rows.height, 0.35))
                rows = rows.with_columns(
                    legal_basis=pl.when(contract).then(pl.lit("contract")).otherwise("legal_basis")
                )
            parts.append(rows)
        base = pl.concat(parts).with_columns(withdrawn_on=pl.lit(None, pl.Date))
        base = base.with_columns(consent_id=pl.Series([f"GC{i + 1:08d}" for i in range(base.height)]))
        leaving = base.filter(
            (pl.col("legal_basis") == "consent") & pl.Series(choose(rng, base.height, p.WITHDRAWN_SHARE))
        )
        day = parties.later(leaving["given_on"].to_numpy(), rng, self.start, self.horizon)
        out = pl.DataFrame({"consent_id": leaving["consent_id"], "effective_date": day, "withdrawn_on": day})
        self.consents = history(base, "consent_id", "given_on", [out])

    def service(self, month: date) -> dict[str, pl.DataFrame]:
        """Patrols, visits to large customers and complaints of a month."""
        rng, f = self.streams("grid service", month), self.frame
        last = month_end(month)
        opened = f["opened_on"].to_numpy().astype("datetime64[D]")

        def events(size: int, among: np.ndarray) -> tuple[pl.Series, np.ndarray, np.ndarray]:
            who = among[rng.integers(0, len(among), size)]
            day = np.datetime64(month) + rng.integers(0, last.day, size).astype("timedelta64[D]")
            keep = opened[who] <= day
            who, day = who[keep], day[keep]
            order = np.argsort(day, kind="stable")
            who, day = who[order], day[order]
            return (
                f["customer_id"].gather(who),
                day,
                day.astype("datetime64[us]") + rng.integers(32_000, 62_000, len(day)).astype("timedelta64[s]"),
            )

        every = np.arange(f.height)
        large = np.flatnonzero(f["large"].to_numpy() | f["high"].to_numpy())
        large = large if len(large) else every
        number, day, at = events(max(3, f.height // 40), every)
        size = len(day)
        finding = pick(rng, ("none", "defect", "theft", "breach"), (85, 11, 2, 2), size)
        result = {
            "patrol": pl.DataFrame(
                {
                    "patrol_id": text([f"PT{month:%y%m}{i + 1:06d}" for i in range(size)]),
                    "consumer_no": number,
                    "patrolled_at": at,
                    "employee_no": text([f"G{n:04d}" for n in rng.integers(1, 20, size)]),
                    "finding": finding,
                    "recovered_kwh": pl.Series((rng.integers(100, 5000, size) * 100).astype(np.int64)).set(
                        pl.Series(~np.isin(finding, ("theft", "breach"))), None
                    ),
                    "note": text([None] * size),
                }
            ).with_columns(**self._uploaded("patrol", month, at))
        }
        number, day, at = events(max(2, len(large) // 6), large)
        size = len(day)
        problem = choose(rng, size, 0.4)
        result["visit"] = pl.DataFrame(
            {
                "visit_id": text([f"VS{month:%y%m}{i + 1:06d}" for i in range(size)]),
                "consumer_no": number,
                "visited_at": at,
                "employee_no": text([f"G{n:04d}" for n in rng.integers(1, 20, size)]),
                "problem": text(
                    np.where(problem, pick(rng, ("电压波动", "增容咨询", "电费疑问", "检修计划"), None, size), None)
                ),
                "solve_by": pl.Series(np.where(problem, day + 7, np.datetime64("NaT")).astype("datetime64[D]")),
                "solved_on": pl.Series([None] * size, dtype=pl.Date),
            }
        ).with_columns(**self._uploaded("visit", month, at))
        number, day, at = events(max(2, f.height // 60), every)
        size = len(day)
        result["complaint"] = pl.DataFrame(
            {
                "complaint_id": text([f"GT{month:%y%m}{i + 1:06d}" for i in range(size)]),
                "consumer_no": number,
                "received_at": at,
                "category": pick(
                    rng, ("outage", "bill", "meter", "service", "connection", "other"), (35, 25, 12, 13, 10, 5), size
                ),
                "closed_at": at + rng.integers(3_600, 20_000, size).astype("timedelta64[s]"),
                "is_valid": choose(rng, size, 0.5),
                "satisfaction": rng.integers(1, 6, size),
                "_date": day,
            }
        )
        return result

    def _uploaded(self, table: str, month: date, at: np.ndarray) -> dict[str, pl.Series]:
        """Device and upload of what was taken down in the field: mostly the same day, some days late, some on paper."""
        rng, size = self.streams("field devices", table, month), len(at)
        late, on_paper = choose(rng, size, p.LATE_UPLOAD_SHARE), choose(rng, size, p.FIELD_PAPER_SHARE)
        delay = rng.integers(10, 180, size) + np.where(late | on_paper, rng.integers(1, 6, size) * 1_440, 0)
        device = np.array([f"PDA{n:04d}" for n in rng.integers(1, 20, size)], dtype=object)
        uploaded = at + delay.astype("timedelta64[m]")
        return {
            "device_no": text(np.where(on_paper, None, device)),
            "uploaded_at": pl.Series(uploaded),
            "_date": pl.Series(uploaded.astype("datetime64[D]")),
        }
