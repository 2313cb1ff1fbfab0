"""The retail distributor, a tobacco county (县烟草): units, managers, retailers, brands, plans, sales and reports.

Nothing here touches the bank or the grid: the county has random streams of its own and knows none of their parties.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulator import addresses, people
from simulator import parameters as p
from simulator.calendar import days, is_working_day, month_end, months, working_days
from simulator.capture import captured
from simulator.changes import history
from simulator.frames import text
from simulator.identifiers import padded, social_credit_codes
from simulator.randomness import Streams, choose, pick

BUREAU, COUNTY = "Y01", "Y0101"
HEAD = "Y0001"
FOUNDED = date(2009, 1, 1)
CREDIT_CODES_FROM = 910_000  # beyond those of the firms: no retailer is one of them by chance
BRANDS = (
    # name, manufacturer, out of province, key, cultivated, price class, wholesale price of a case, share of the volume
    ("湖山（软）", "浙西卷烟厂", False, True, False, 1, 42_000, 6),
    ("湖山（硬）", "浙西卷烟厂", False, True, False, 2, 22_500, 10),
    ("钱江潮", "浙西卷烟厂", False, True, True, 3, 11_800, 8),
    ("雁荡", "浙西卷烟厂", False, False, True, 3, 9_600, 14),
    ("会稽", "浙东卷烟厂", False, False, False, 4, 6_200, 18),
    ("四明", "浙东卷烟厂", False, False, False, 4, 5_400, 12),
    ("乌镇", "浙东卷烟厂", False, False, False, 5, 3_600, 6),
    ("洞庭", "湘江卷烟厂", True, True, False, 1, 38_000, 3),
    ("岭南春", "珠江卷烟厂", True, True, False, 2, 19_800, 5),
    ("滇池", "滇南卷烟厂", True, False, False, 3, 12_400, 8),
    ("黄海", "胶东卷烟厂", True, False, False, 4, 6_900, 6),
    ("巴山", "渝东卷烟厂", True, False, False, 5, 3_900, 4),
)
SHARE = np.array([brand[7] for brand in BRANDS]) / sum(brand[7] for brand in BRANDS)
REPRICED = ("P004", date(2026, 5, 1), 9_900)  # brand, day, its new price of a case
SEIZED = (
    ("counterfeit", "package", 9),
    ("loose_handmade", "stick", 19_000),
    ("irregular_channel", "carton", 19),
    ("smuggled", "carton", 11),
)
SCOPES = ("all", "out_of_province", "key", "cultivated")


class Retail:
    """The county.

    Attributes:
        masters: Change logs by table.
        facts: Rows by table, each with the `_date` on which it is sent.
    """

    def __init__(self, streams: Streams, retailers: int, start: date, horizon: date) -> None:
        self.streams, self.start, self.horizon = streams, start, horizon
        self.years = range(start.year, horizon.year + 1)
        self.managers = [f"Y{n + 2:04d}" for n in range(max(4, round(retailers / p.RETAILERS_A_MANAGER)))]
        self.retailers = self._retailers(retailers)
        self.brands = self._brands()
        expected = self._expected()
        plans, plan_days = self._plans(expected)
        sales = self._sales(expected)
        self.masters = {
            "organisation": self._units(),
            "employee": self._employees(),
            "retailer": self._retailer_log(sales),
            "brand": self._brand_log(),
            "plan": plans,
        }
        self.facts = {
            "plan_day": plan_days,
            "sale": sales.drop("is_handed_over"),
            "visit": self._visits(),
            "reported_figure": self._reports(sales, plan_days),
            "stock_count": self._stock(sales),
            "allocation": self._allocations(sales),
            "seizure": self._seizures(),
        }

    def _units(self) -> pl.DataFrame:
        rng = self.streams("retail organisation")
        rows = [
            (BUREAU, "市烟草专卖局（公司）", None, "city_bureau"),
            (COUNTY, "县营销部", BUREAU, "county_department"),
        ]
        rows += [(unit, f"客户分部{n + 1}", COUNTY, "sub_department") for n, unit in enumerate(self._departments())]
        parts = addresses.draw(rng, len(rows))
        columns = ("organisation_id", "organisation_name", "parent_id", "organisation_level")
        base = pl.DataFrame(rows, orient="row", schema=dict.fromkeys(columns, pl.String)).with_columns(
            region_code=parts["region_code"],
            address=addresses.text(parts, np.zeros(len(rows), int), np.ones(len(rows), bool)),
            opened_on=pl.lit(FOUNDED),
            closed_on=pl.lit(None, pl.Date),
        )
        return history(base, "organisation_id", "opened_on")

    def _departments(self) -> list[str]:
        return [f"{COUNTY}{n + 1:02d}" for n in range(max(2, len(self.managers) // 8))]

    def _employees(self) -> pl.DataFrame:
        rng, size = self.streams("retail employees"), 1 + len(self.managers)
        departments = self._departments()
        grade = pick(rng, ("senior", "middle", "junior", "trainee"), (6, 36, 18, 11), size)  # Jinzhong [002 L134]
        graded = ~np.isin(grade, ["trainee"])
        graded[0] = False
        base = pl.DataFrame(
            {
                "employee_no": [HEAD, *self.managers],
                "employee_name": people.names(rng, choose(rng, size, 0.6)),
                "organisation_id": [COUNTY, *(departments[n % len(departments)] for n in range(len(self.managers)))],
                "post": ["department_head", *["customer_manager"] * len(self.managers)],
                "grade": text([None, *grade[1:]]),
                "step": text(np.where(graded, pick(rng, ("A", "B", "C"), None, size), None)),
                "employment": pick(rng, ("regular", "hired"), (56, 15), size),
                "serves_rural": np.arange(size) % 2 == 0,
                "mobile": people.mobiles(rng, size),
                "hired_on": np.datetime64(FOUNDED) + rng.integers(0, 5000, size).astype("timedelta64[D]"),
            }
        ).with_columns(
            left_on=pl.lit(None, pl.Date), serves_rural=pl.col("serves_rural") & (pl.col("employee_no") != HEAD)
        )
        return history(base, "employee_no", "hired_on")

    def _retailers(self, count: int) -> pl.DataFrame:
        """Shops; each orders once a week, on the working day of its turn."""
        rng = self.streams("retailers")
        parts = addresses.draw(rng, count)
        names = people.names(rng, choose(rng, count, 0.5))
        manager = np.arange(count) % len(self.managers)
        credit_code = social_credit_codes(
            parts["region_code"].to_numpy().astype("U6"), CREDIT_CODES_FROM + np.arange(count)
        )
        return pl.DataFrame(
            {
                "retailer_no": np.char.add("3301", padded(np.arange(count) + 1, 8)),
                "retailer_name": text(
                    [
                        f"{name}{kind}"
                        for name, kind in zip(
                            names, pick(rng, ("烟酒店", "便利店", "超市", "食杂店"), None, count), strict=True
                        )
                    ]
                ),
                "licence_no": np.char.add("330101", padded(rng.permutation(count) + 100_000, 6)),
                "credit_code": credit_code,
                "owner_name": names,
                "mobile": people.mobiles(rng, count),
                "address": addresses.text(parts, np.zeros(count, int), np.ones(count, bool)),
                "area_kind": np.where(manager % 2 == 1, "rural", "urban"),
                "manager_no": np.array(self.managers)[manager],
                "licensed_on": np.datetime64(FOUNDED) + rng.integers(0, 5000, count).astype("timedelta64[D]"),
                "size": rng.lognormal(0, 0.5, count),
                "turn": rng.integers(0, 5, count),
            }
        ).with_columns(closed_on=pl.lit(None, pl.Date), status=pl.lit("active"))

    def _retailer_log(self, sales: pl.DataFrame) -> pl.DataFrame:
        """Retailers; some were taken over by another manager, as their sales say."""
        moved = sales.filter("is_handed_over").group_by("retailer_no", maintain_order=True)
        taken_over = moved.agg(pl.col("sale_date").min().alias("effective_date"), pl.col("manager_no").first())
        log = history(self.retailers.drop("size", "turn"), "retailer_no", "licensed_on", [taken_over])
        return captured(log, self.streams("retailer capture"), "retail", self.managers)

    @staticmethod
    def _brands() -> pl.DataFrame:
        names = ("brand_name", "manufacturer", "out", "is_key", "is_cultivated", "price_class", "price", "share")
        return (
            pl.DataFrame(BRANDS, orient="row", schema=list(names))
            .with_row_index("brand")
            .select(
                "brand",
                "brand_name",
                "manufacturer",
                "is_key",
                "is_cultivated",
                "price_class",
                brand_id=pl.format("P{}", (pl.col("brand") + 1).cast(pl.String).str.zfill(3)),
                origin=pl.when("out").then(pl.lit("out_of_province")).otherwise(pl.lit("in_province")),
                wholesale_price=pl.col("price") * 100,
                retail_price=pl.col("price") * 115,
                listed_on=pl.lit(FOUNDED),
                withdrawn_on=pl.lit(None, pl.Date),
            )
        )

    def _brand_log(self) -> pl.DataFrame:
        brand, day, price = REPRICED
        repriced = pl.DataFrame(
            {
                "brand_id": [brand],
                "effective_date": [day],
                "wholesale_price": [price * 100],
                "retail_price": [price * 115],
            }
        )
        return history(self.brands.drop("brand"), "brand_id", "listed_on", [repriced])

    def _expected(self) -> pl.DataFrame:
        """Cases that each retailer may be expected to take on each of his days, to the end of the year."""
        ends = date(self.years[-1], 12, 31)
        calendar = pl.DataFrame({"day": working_days(self.start, ends)}).with_columns(
            pl.col("day").cast(pl.Date), turn=pl.col("day").dt.weekday().cast(pl.Int64) - 1
        )
        shops = self.retailers.select("retailer_no", "manager_no", "size", "turn")
        return shops.join(calendar, on="turn", maintain_order="left").select(
            "retailer_no",
            "manager_no",
            "day",
            expected=pl.col("size")
            * p.RETAILER_CASES_A_WEEK
            * pl.col("day").dt.month().replace_strict(range(1, 13), p.RETAIL_SEASON, return_dtype=pl.Float64),
        )

    def _priced(self, frame: pl.DataFrame, day: str) -> pl.DataFrame:
        """With `amount`, the cases (1e-4) at the wholesale price (fen) of the day."""
        brand, since, price = REPRICED
        at = (
            pl.when((pl.col("brand_id") == brand) & (pl.col(day) >= since))
            .then(price * 100)
            .otherwise("wholesale_price")
        )
        return (
            frame.join(self.brands.select("brand_id", "wholesale_price"), on="brand_id", maintain_order="left")
            .with_columns(amount=(pl.col("cases") * at + 5_000) // 10_000)
            .drop("wholesale_price")
        )

    def _plans(self, expected: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Plans by brand and day (按年、月、日层层分解): one of each manager, two versions of the county's."""
        of_day = expected.group_by("manager_no", "day", maintain_order=True).agg(pl.col("expected").sum())
        brands = self.brands.select("brand_id", share=pl.Series(SHARE))
        base = of_day.join(brands, how="cross").with_columns(
            cases=(pl.col("expected") * pl.col("share") * p.RETAIL_PLAN_OF_EXPECTED * 10_000).round().cast(pl.Int64)
        )
        county = base.group_by("day", "brand_id", maintain_order=True).agg(pl.col("cases").sum())
        heads, parts = [], []
        for year in self.years:
            announced = date(year - 1, 12, 20)
            mine = base.filter(pl.col("day").dt.year() == year)
            for manager in self.managers:
                plan = f"{year}{manager}1"
                heads.append(
                    (
                        plan,
                        "employee",
                        manager,
                        year,
                        1,
                        date(year, 1, 1),
                        manager,
                        HEAD,
                        announced,
                        "客户经理自定区域目标",
                    )
                )
                parts.append(
                    mine.filter(pl.col("manager_no") == manager).select(
                        plan_id=pl.lit(plan),
                        brand_id="brand_id",
                        plan_date="day",
                        cases="cases",
                        _date=pl.lit(announced),
                    )
                )
            whole = county.filter(pl.col("day").dt.year() == year)
            for version, since, factor, note in (
                (1, announced, 100, "市局下达"),
                (2, date(year - 1, 12, 31), 102, "年度任务上调"),
            ):
                plan = f"{year}{COUNTY}{version}"
                heads.append((plan, "organisation", COUNTY, year, version, since, BUREAU, "市局计划科", since, note))
                parts.append(
                    whole.select(
                        plan_id=pl.lit(plan),
                        brand_id="brand_id",
                        plan_date="day",
                        cases=(pl.col("cases") * factor + 50) // 100,
                        _date=pl.lit(since),
                    )
                )
        plan_days = self._priced(pl.concat(parts), "plan_date").with_columns(
            pl.max_horizontal("_date", pl.lit(self.start))
        )
        columns = (
            "plan_id",
            "owner_kind",
            "owner_no",
            "plan_year",
            "plan_version",
            "in_force_from",
            "set_by",
            "approved_by",
            "approved_on",
            "note",
        )
        announced = plan_days.group_by("plan_id").agg(annual_cases=pl.col("cases").sum())
        plans = pl.DataFrame(heads, orient="row", schema=list(columns)).join(
            announced, on="plan_id", maintain_order="left"
        )
        return history(plans.with_columns(born=pl.col("approved_on")), "plan_id", "born").drop("born"), plan_days

    def _sales(self, expected: pl.DataFrame) -> pl.DataFrame:
        """What was sold; each shop has its own taste, and one in ten was handed over to another manager."""
        rng = self.streams("retail sales")
        orders = expected.filter(pl.col("day") <= self.horizon)
        shops = self.retailers["retailer_no"]
        taste = rng.gamma(2.0, 0.5, (len(shops), len(BRANDS)))
        taste = taste / (taste * SHARE).sum(axis=1, keepdims=True)
        shop = orders["retailer_no"].replace_strict(shops, np.arange(len(shops)), return_dtype=pl.Int64).to_numpy()
        volume = (
            orders["expected"].to_numpy()[:, None]
            * SHARE
            * taste[shop]
            * rng.lognormal(-0.08, 0.4, (len(shop), len(BRANDS)))
        )
        carried = rng.random(volume.shape) < p.RETAIL_BRAND_ORDERED_SHARE
        cases = np.round(np.where(carried, volume / p.RETAIL_BRAND_ORDERED_SHARE, 0) * 10_000).astype(np.int64)
        row, brand = np.nonzero(cases)
        turned = date(self.horizon.year, 7, 1)
        day = orders["day"].to_numpy()[row]
        handed_over = (shop[row] % 10 == 3) & (day >= np.datetime64(turned))
        manager = self.retailers["manager_no"].to_numpy()[shop[row]]
        following = {
            one: other for one, other in zip(self.managers, [*self.managers[1:], self.managers[0]], strict=True)
        }
        sales = pl.DataFrame(
            {
                "retailer_no": shops.to_numpy()[shop[row]],
                "brand_id": self.brands["brand_id"].to_numpy()[brand],
                "sale_date": day,
                "manager_no": text([following[m] if h else m for m, h in zip(manager, handed_over, strict=True)]),
                "cases": cases[row, brand],
                "is_handed_over": handed_over,
            }
        )
        return self._priced(sales.with_columns(_date=pl.col("sale_date")), "sale_date")

    def _visits(self) -> pl.DataFrame:
        """Each manager visits a few of his retailers on a working day."""
        rng = self.streams("retail visits")
        shops = self.retailers
        calendar = working_days(self.start, self.horizon)
        visited = rng.random((shops.height, len(calendar))) < p.RETAILER_VISITS_A_DAY
        shop, day = np.nonzero(visited)
        size = len(shop)
        at = calendar[day].astype("datetime64[us]") + rng.integers(8 * 3600, 17 * 3600, size).astype("timedelta64[s]")
        return (
            pl.DataFrame(
                {
                    "retailer_no": shops["retailer_no"].to_numpy()[shop],
                    "manager_no": shops["manager_no"].to_numpy()[shop],
                    "visited_at": at,
                    "purpose": pick(rng, ("care", "product", "collection"), (5, 3, 2), size),
                    "outcome": pick(rng, ("reached", "not_reached"), (95, 5), size),
                    "has_note": choose(rng, size, 0.8),
                    "_date": calendar[day],
                }
            )
            .sort("visited_at", "retailer_no", maintain_order=True)
            .with_columns(visit_id=pl.format("V{}", pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(8)))
        )

    def _stock(self, sales: pl.DataFrame) -> pl.DataFrame:
        """Counts of a tenth of the brands that are ordered, on the day of the order; some are uploaded days later."""
        rng = self.streams("retail stock")
        counted = sales.filter(pl.Series(choose(rng, sales.height, p.RETAIL_COUNTED_SHARE)))
        size = counted.height
        at = counted["sale_date"].to_numpy().astype("datetime64[us]") + rng.integers(8 * 3600, 17 * 3600, size).astype(
            "timedelta64[s]"
        )
        late = np.where(choose(rng, size, p.LATE_UPLOAD_SHARE), rng.integers(1, 4, size) * 86_400, 600)
        return counted.select(
            "retailer_no",
            "brand_id",
            "manager_no",
            "_date",
            counted_at=pl.Series(at),
            uploaded_at=pl.Series(at + late.astype("timedelta64[s]")),
            device_id=text(np.where(choose(rng, size, p.FIELD_PAPER_SHARE), None, counted["manager_no"].to_numpy())),
            stock_cases=(pl.col("cases") * pl.Series(rng.uniform(0.1, 1.2, size))).round().cast(pl.Int64),
            sold_out_cases=(pl.col("cases") * pl.Series(rng.uniform(0.5, 1.1, size))).round().cast(pl.Int64),
        ).with_columns(device_id="PDA-" + pl.col("device_id"), _date=pl.col("uploaded_at").dt.date())

    def _allocations(self, sales: pl.DataFrame) -> pl.DataFrame:
        """Of scarce brands, those of the first price class: what was allocated was delivered, and sold."""
        rng = self.streams("retail allocation")
        scarce = self.brands.filter(pl.col("price_class") == 1)["brand_id"].to_list()
        delivered = sales.filter(pl.col("brand_id").is_in(scarce))
        size = delivered.height
        told = delivered["sale_date"].to_numpy() - rng.integers(1, 4, size).astype("timedelta64[D]")
        return delivered.select(
            "retailer_no",
            "brand_id",
            "_date",
            delivery_date="sale_date",
            told_on=pl.when(pl.Series(choose(rng, size, 0.97))).then(pl.Series(told)),
            allocated_cases="cases",
            ordered_cases=(pl.col("cases") * pl.Series(rng.uniform(1.0, 1.8, size))).round().cast(pl.Int64),
            delivered_cases="cases",
        )

    def _seizures(self) -> pl.DataFrame:
        """Two joint actions a month; every kind has its own unit [000 L166]."""
        rng = self.streams("retail seizures")
        rows = []
        for month in months(self.start, self.horizon):
            worked = [day for day in days(month, month_end(month)) if is_working_day(day)]
            for number, day in enumerate((worked[4], worked[12])):
                for kind, unit, mean in SEIZED:
                    quantity = int(rng.poisson(mean)) * 10_000
                    unit_of = self._departments()[int(rng.integers(len(self._departments())))]
                    if quantity:
                        rows.append((f"{month:%Y%m}{number + 1}", unit_of, day, kind, quantity, unit))
        columns = ("operation_no", "organisation_id", "seized_on", "seizure_kind", "quantity", "unit")
        return pl.DataFrame(rows, orient="row", schema=list(columns)).with_columns(
            seizure_id=pl.format("CH{}", pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(6)), _date="seized_on"
        )

    def _reports(self, sales: pl.DataFrame, plan_days: pl.DataFrame) -> pl.DataFrame:
        """The county's report of each month, drawn up three working days before its end.

        In one month of four the lead is reckoned by days of the calendar and not by the plan (as in GT-05).
        """
        marks = self.brands.select(
            "brand_id",
            all=pl.lit(True),
            out_of_province=pl.col("origin") == "out_of_province",
            key="is_key",
            cultivated="is_cultivated",
        )
        sold = sales.join(marks, on="brand_id")
        planned = plan_days.filter(pl.col("plan_id").str.ends_with(f"{COUNTY}2")).join(marks, on="brand_id")
        rows = []
        for month in months(self.start, self.horizon):
            last = month_end(month)
            worked = [day for day in days(month, last) if is_working_day(day)]
            as_of, sent = worked[-4], worked[-3]
            for scope in SCOPES:
                done = sold.filter(pl.col(scope) & pl.col("sale_date").is_between(month, as_of))["cases"].sum()
                wanted = planned.filter(pl.col(scope) & pl.col("plan_date").is_between(month, last))
                due = wanted.filter(pl.col("plan_date") <= as_of)["cases"].sum()
                whole = wanted["cases"].sum()
                if not whole:
                    continue
                progress = as_of.day / last.day if month.month % 4 == 1 else due / whole
                for figure, value, decimals in (
                    ("sold_cases", done / 10_000, 1),
                    ("plan_cases", whole / 10_000, 1),
                    ("completion", done / whole * 100, 0),
                    ("lead", (done / whole - progress) * 100, 0),
                ):
                    printed = round(round(value, decimals) * 10_000)
                    rows.append((f"B{month:%Y%m}", COUNTY, "month", as_of, scope, figure, printed, decimals, sent))
        columns = (
            "report_no",
            "organisation_id",
            "period_kind",
            "as_of",
            "scope",
            "figure",
            "printed_value",
            "decimals",
            "_date",
        )
        return pl.DataFrame(rows, orient="row", schema=list(columns))
