"""Firms: name, unified social credit code, industry, size, capital, legal representative."""

from __future__ import annotations

import numpy as np
import polars as pl

from simulator import addresses, people
from simulator.identifiers import social_credit_codes
from simulator.randomness import choose, pick

TRADE = (
    "鼎盛",
    "恒达",
    "华源",
    "金桥",
    "中天",
    "瑞丰",
    "宏图",
    "天成",
    "万通",
    "东方",
    "新力",
    "博远",
    "正泰来",
    "嘉禾",
    "利民",
    "兴业达",
    "同创",
    "云汇",
    "启明",
    "安信",
    "三江",
    "百川",
    "龙腾",
    "凯旋",
    "星辰",
    "海纳",
    "丰泽",
    "力合",
    "佳美",
    "永固",
)
SECOND = ("", "", "源", "科", "盛", "达", "辰", "信", "联", "佳")
# industry words by GB/T 4754 section, with their share and whether they take high voltage gladly
INDUSTRIES = (
    ("C", ("机械制造", "纺织", "电子", "食品", "化工材料", "包装印刷", "汽车零部件"), 36),
    ("F", ("商贸", "供应链管理", "百货", "医药销售"), 24),
    ("G", ("物流", "运输"), 6),
    ("H", ("餐饮管理", "酒店管理"), 6),
    ("I", ("信息技术", "软件", "网络科技"), 10),
    ("K", ("房地产开发", "物业服务"), 4),
    ("E", ("建筑工程", "装饰工程"), 7),
    ("A", ("农业开发", "水产养殖"), 4),
    ("M", ("检测技术", "环保科技"), 3),
)
FORMS = ("有限公司", "有限公司", "有限公司", "有限责任公司", "股份有限公司")


def draw(rng: np.random.Generator, size: int) -> pl.DataFrame:
    """Draws firms.

    Returns:
        name, uscc, industry_code, firm_size, registered_capital (fen), legal_representative, mobile, region_code.
    """
    shares = np.array([i[2] for i in INDUSTRIES], float)
    industry = pick(rng, np.arange(len(INDUSTRIES)), shares, size)
    at = rng.random(size)
    word = np.array(
        [INDUSTRIES[i][1][int(u * len(INDUSTRIES[i][1]))] for i, u in zip(industry, at, strict=True)], object
    )
    region = np.where(choose(rng, size, 0.75), "杭州", np.where(choose(rng, size, 0.6), "浙江", "杭州市")).astype(
        object
    )
    first = pick(rng, TRADE, None, size).astype(object) + pick(rng, SECOND, None, size).astype(object)
    name = region + first + word + pick(rng, FORMS, None, size).astype(object)
    order: dict[str, int] = {}
    unique = []
    for text in name:  # a trade name is registered once in a place: later bearers get a further character
        seen = order.get(text, 0)
        order[text] = seen + 1
        unique.append(text if not seen else text[:2] + "甲乙丙丁戊己庚辛"[seen % 8] * (1 + seen // 8) + text[2:])
    where = addresses.draw(rng, size)
    size_class = pick(rng, ("large", "medium", "small", "micro"), (3, 12, 45, 40), size)
    factor = (
        pl.Series(size_class)
        .replace_strict({"large": 30.0, "medium": 6.0, "small": 1.2, "micro": 0.3}, return_dtype=pl.Float64)
        .to_numpy()
    )
    capital = (np.round(rng.lognormal(1.0, 0.8, size) * factor) + 1).astype(np.int64) * 1_000_000 * 100
    return pl.DataFrame(
        {
            "name": np.array(unique, dtype=str),
            "uscc": social_credit_codes(
                where["region_code"].to_numpy().astype("U6"),
                rng.permutation(900_000)[:size] + 10_000 if size < 900_000 else np.arange(size),
            ),
            "industry_code": np.array([i[0] for i in INDUSTRIES])[industry],
            "firm_size": size_class,
            "size_factor": factor,
            "registered_capital": capital,
            "legal_representative": people.names(rng, choose(rng, size, 0.7)),
            "mobile": people.mobiles(rng, size),
        }
    ).hstack(where)
