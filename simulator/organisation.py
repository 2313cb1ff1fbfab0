"""The bank's tree of units, its employees and products, self-service devices."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulator import addresses, people
from simulator import parameters as p
from simulator.changes import history
from simulator.frames import text
from simulator.randomness import Streams, choose, pick

FOUNDED = date(2004, 6, 18)
PRODUCTS = (
    # id, name, line, category, risk, guaranteed, months, launched
    ("DD01", "个人活期存款", "deposit", "demand", None, True, None),
    ("DD02", "个人Ⅱ类账户存款", "deposit", "demand", None, True, None),
    ("DD11", "单位活期存款", "deposit", "demand", None, True, None),
    ("DD12", "单位保证金存款", "deposit", "guarantee", None, True, None),
    ("DD13", "加工贸易保证金台账", "deposit", "customs_guarantee", None, True, None),
    ("TD03", "整存整取三个月", "deposit", "time", None, True, 3),
    ("TD06", "整存整取六个月", "deposit", "time", None, True, 6),
    ("TD12", "整存整取一年", "deposit", "time", None, True, 12),
    ("TD24", "整存整取二年", "deposit", "time", None, True, 24),
    ("TD36", "整存整取三年", "deposit", "time", None, True, 36),
    ("LN01", "个人住房按揭贷款", "loan", "mortgage", None, None, None),
    ("LN02", "个人消费贷款", "loan", "consumer", None, None, None),
    ("LN03", "个人汽车贷款", "loan", "vehicle", None, None, None),
    ("LN04", "个人经营贷款", "loan", "personal_business", None, None, None),
    ("LN11", "流动资金贷款", "loan", "working_capital", None, None, None),
    ("LN12", "固定资产贷款", "loan", "fixed_asset", None, None, None),
    ("CC01", "标准信用卡", "card", "credit", None, None, None),
    ("CC02", "白金信用卡", "card", "credit", None, None, None),
    ("DC01", "借记卡", "card", "debit", None, None, None),
    ("WM01", "日添利现金管理", "wealth", "wealth_product", "R1", False, None),
    ("WM02", "稳享固收35天", "wealth", "wealth_product", "R2", False, None),
    ("WM03", "稳享固收182天", "wealth", "wealth_product", "R2", False, 6),
    ("WF01", "货币市场基金", "wealth", "fund", "R1", False, None),
    ("WF02", "混合型基金", "wealth", "fund", "R3", False, None),
    ("WF03", "股票型基金", "wealth", "fund", "R4", False, None),
    ("WI01", "年金保险", "wealth", "insurance", "R2", False, 60),
    ("WB01", "储蓄国债（凭证式）", "wealth", "bond", "R1", True, 36),
    ("WG01", "积存金", "wealth", "gold", "R3", False, None),
    ("ST01", "代收电费", "settlement", "collection", None, None, None),
    ("ST02", "企业网上银行", "settlement", "electronic_bank", None, None, None),
    ("ST03", "现金管理平台", "settlement", "cash_management", None, None, None),
    ("ST04", "单位客户短信通知", "settlement", "notification", None, None, None),
    ("ST05", "金融服务证书", "settlement", "certificate", None, None, None),
    ("ST06", "全国自动清算", "settlement", "clearing", None, None, None),
    ("ST07", "第三方存管", "settlement", "custody", None, None, None),
    ("ST08", "百易安", "settlement", "escrow", None, None, None),
    ("ST09", "移动保管箱", "settlement", "safe_deposit", None, None, None),
    ("ST10", "财智账户", "settlement", "account_package", None, None, None),
)
FOREIGN_PRODUCTS = {"USD": "美元", "EUR": "欧元", "HKD": "港元", "JPY": "日元"}


def products() -> pl.DataFrame:
    """Change log of products."""
    foreign = [
        (f"FD{currency}", f"外币活期存款（{name}）", "deposit", "demand", None, None, None)
        for currency, name in FOREIGN_PRODUCTS.items()
    ]
    base = pl.DataFrame(
        [r[:7] for r in (*PRODUCTS, *foreign)],
        orient="row",
        schema=[
            ("product_id", pl.String),
            ("product_name", pl.String),
            ("product_line", pl.String),
            ("product_category", pl.String),
            ("risk_level", pl.String),
            ("is_guaranteed", pl.Boolean),
            ("term_months", pl.Int64),
        ],
    ).with_columns(
        currency=pl.when(pl.col("product_id").str.starts_with("FD"))
        .then(pl.col("product_id").str.slice(2))
        .otherwise(pl.lit("CNY")),
        launched_on=pl.lit(date(2015, 1, 1)),
        withdrawn_on=pl.lit(None, pl.Date),
    )
    renamed = pl.DataFrame(
        {"product_id": ["WM02"], "effective_date": [date(2026, 1, 5)], "product_name": ["稳享固收35天（新客版）"]}
    )
    return history(base, "product_id", "launched_on", [renamed])


class Organisation:
    """Units and employees.

    Attributes:
        units: Change log of `organisation`.
        employees: Change log of `employee`.
        outlets, managers, tellers, supervisors: Numbers, in order; `manager_outlet` is the index of a manager's outlet.
    """

    def __init__(self, streams: Streams, managers: int, start: date, horizon: date) -> None:
        rng = streams("organisation")
        outlets = max(2, round(managers / 10)) if managers < 200 else round(managers / 10)
        outlets = max(outlets, 6) if managers >= 20 else outlets
        subs = max(2, round(outlets / 2)) if outlets < 20 else round(outlets / 4)
        branches = 2 if subs < 20 else round(subs / 5)
        rows: list[tuple] = [("0001", "杭州城乡银行股份有限公司", None, "head_office", None)]
        rows += [(f"1{b + 1:03d}", f"杭州城乡银行第{b + 1}分行", "0001", "branch", None) for b in range(branches)]
        rows += [
            (f"2{s + 1:03d}", f"杭州城乡银行第{s + 1}支行", f"1{s % branches + 1:03d}", "sub_branch", None)
            for s in range(subs)
        ]
        rows += [
            (f"3{o + 1:03d}", f"杭州城乡银行第{o + 1}网点", f"2{o % subs + 1:03d}", "outlet", int(rng.integers(1, 6)))
            for o in range(outlets)
        ]
        parts = addresses.draw(rng, len(rows))
        base = (
            pl.DataFrame(
                rows,
                orient="row",
                schema=[
                    ("organisation_id", pl.String),
                    ("organisation_name", pl.String),
                    ("parent_id", pl.String),
                    ("organisation_level", pl.String),
                    ("star_level", pl.Int64),
                ],
            )
            .with_columns(
                licence_no=pl.Series([f"B{i + 1:04d}S33301{i + 1:05d}" for i in range(len(rows))]),
                region_code=parts["region_code"],
                address=addresses.text(parts, np.zeros(len(rows), int), np.ones(len(rows), bool)),
                phone=pl.Series([f"0571-8{n:07d}" for n in rng.integers(0, 10**7, len(rows))]),
                opened_on=pl.Series(np.datetime64(FOUNDED) + rng.integers(0, 4000, len(rows)).astype("timedelta64[D]")),
                closed_on=pl.lit(None, pl.Date),
            )
            .with_columns(
                opened_on=pl.when(pl.col("organisation_id") == "0001")
                .then(pl.lit(FOUNDED))
                .otherwise(pl.col("opened_on"))
            )
        )
        self.outlets = [r[0] for r in rows if r[3] == "outlet"]
        self.branches = [r[0] for r in rows if r[3] == "branch"]
        self.parent = {r[0]: r[2] for r in rows}
        upgraded = pl.DataFrame(
            {"organisation_id": [self.outlets[0]], "effective_date": [date(2026, 4, 1)], "star_level": [5]}
        )
        self.units = history(base, "organisation_id", "opened_on", [upgraded])
        self._employ(streams, managers, start, horizon)

    def _employ(self, streams: Streams, managers: int, start: date, horizon: date) -> None:
        rng, outlets = streams("employees"), len(self.outlets)
        place, post = [], []
        self.manager_outlet = np.arange(managers) % outlets
        place += [self.outlets[o] for o in self.manager_outlet]
        post += ["customer_manager"] * managers
        tellers = 2 * outlets
        place += [self.outlets[i % outlets] for i in range(tellers)]
        post += ["teller"] * tellers
        place += self.outlets
        post += ["supervisor"] * outlets
        place += self.branches
        post += ["branch_head"] * len(self.branches)
        place += ["0001", "0001"]
        post += ["back_office", "back_office"]
        size = len(place)
        male = choose(rng, size, 0.48)
        hired = np.datetime64(start) - rng.integers(60, 15 * 365, size).astype("timedelta64[D]")
        hired = np.maximum(hired, np.datetime64(FOUNDED))
        manager = np.array(post) == "customer_manager"
        grade = np.where(manager, pick(rng, ("junior", "middle", "senior", "chief"), (40, 35, 20, 5), size), None)
        ids = np.array([f"E{i + 1:05d}" for i in range(size)])
        base = pl.DataFrame(
            {
                "employee_id": ids,
                "employee_name": people.names(rng, male),
                "organisation_id": place,
                "position": post,
                "manager_grade": text(grade),
                "qualification": text(
                    np.where(
                        manager,
                        pick(
                            rng,
                            ("银行业专业人员", "银行业专业人员;基金从业", "银行业专业人员;基金从业;保险从业"),
                            None,
                            size,
                        ),
                        None,
                    )
                ),
                "mobile": people.mobiles(rng, size),
                "hired_on": hired,
                "left_on": pl.Series([None] * size, dtype=pl.Date),
            }
        )
        span = (horizon - start).days
        day = np.datetime64(start) + rng.integers(20, span, size).astype("timedelta64[D]")
        promoted = manager & choose(rng, size, 0.10) & np.isin(grade.astype(str), ("junior", "middle"))
        up = pl.DataFrame(
            {
                "employee_id": ids[promoted],
                "effective_date": day[promoted],
                "manager_grade": text(["middle" if g == "junior" else "senior" for g in grade[promoted]]),
            }
        )
        phone = choose(rng, size, 0.05) & ~promoted
        changed = pl.DataFrame(
            {"employee_id": ids[phone], "effective_date": day[phone], "mobile": people.mobiles(rng, int(phone.sum()))}
        )
        self.employees = history(base, "employee_id", "hired_on", [up, changed])
        self.managers = ids[manager]
        self.tellers = ids[np.array(post) == "teller"]
        self.supervisors = ids[np.array(post) == "supervisor"]
        self.branch_heads = ids[np.array(post) == "branch_head"]
        self.back_office = ids[np.array(post) == "back_office"]
        self.manager_supervisor = self.supervisors[self.manager_outlet]

    def devices(self, streams: Streams) -> pl.DataFrame:
        """Change log of self-service devices, one to three an outlet."""
        rng = streams("devices")
        rows = [
            (outlet, kind)
            for outlet in self.outlets
            for kind in ("atm", "crs", "vtm", "kiosk")[: 1 + int(rng.integers(1, 4))]
        ]
        base = pl.DataFrame(rows, orient="row", schema=["organisation_id", "device_type"]).with_columns(
            device_id=pl.Series([f"D{i + 1:06d}" for i in range(len(rows))]),
            installed_on=pl.Series(
                np.datetime64(date(2019, 1, 1)) + rng.integers(0, 2000, len(rows)).astype("timedelta64[D]")
            ),
            removed_on=pl.lit(None, pl.Date),
            status=pl.lit("running"),
        )
        broken = pl.DataFrame(
            {
                "device_id": [base["device_id"][0], base["device_id"][0]],
                "effective_date": [date(2026, 3, 9), date(2026, 3, 11)],
                "status": ["repair", "running"],
            }
        )
        return history(base, "device_id", "installed_on", [broken])


def managers_of(scale: float) -> int:
    """Number of customer managers at a scale."""
    return max(2, round(p.MANAGERS * scale))
