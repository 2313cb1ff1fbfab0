"""Addresses of one city with its real districts (GB/T 2260), and the forms in which systems hold them."""

from __future__ import annotations

import numpy as np
import polars as pl

from simulator.randomness import pick

PROVINCE, CITY = "浙江省", "杭州市"
# GB/T 2260 codes in force: code, district, share of addresses, streets (街道/镇)
DISTRICTS = (
    ("330102", "上城区", 12, ("清波街道", "湖滨街道", "凯旋街道", "四季青街道", "笕桥街道")),
    ("330105", "拱墅区", 11, ("米市巷街道", "湖墅街道", "祥符街道", "半山街道", "天水街道")),
    ("330106", "西湖区", 12, ("北山街道", "西溪街道", "翠苑街道", "古荡街道", "转塘街道")),
    ("330108", "滨江区", 8, ("西兴街道", "长河街道", "浦沿街道")),
    ("330109", "萧山区", 16, ("城厢街道", "北干街道", "蜀山街道", "新塘街道", "临浦镇")),
    ("330110", "余杭区", 12, ("仓前街道", "五常街道", "闲林街道", "良渚街道", "瓶窑镇")),
    ("330111", "富阳区", 7, ("富春街道", "春江街道", "东洲街道", "新登镇")),
    ("330112", "临安区", 5, ("锦城街道", "玲珑街道", "青山湖街道", "於潜镇")),
    ("330113", "临平区", 9, ("临平街道", "南苑街道", "乔司街道", "塘栖镇")),
    ("330114", "钱塘区", 5, ("白杨街道", "下沙街道", "义蓬街道", "新湾街道")),
    ("330122", "桐庐县", 3, ("桐君街道", "旧县街道", "分水镇")),
    ("330127", "淳安县", 2, ("千岛湖镇", "汾口镇")),
    ("330182", "建德市", 3, ("新安江街道", "梅城镇", "乾潭镇")),
)
ROADS = (
    "解放路",
    "人民路",
    "中山路",
    "建国路",
    "文化路",
    "学院路",
    "体育场路",
    "环城北路",
    "莫干山路",
    "江南大道",
    "文一西路",
    "古墩路",
    "市心路",
    "金城路",
    "迎宾路",
    "振兴路",
    "创新路",
    "滨康路",
    "育才路",
    "新华路",
    "河滨路",
    "凤起路",
    "东新路",
    "天目山路",
    "机场路",
)
ESTATES = (
    "翠苑新村",
    "阳光花园",
    "锦绣家园",
    "金色港湾",
    "绿城桂花园",
    "滨江花园",
    "和睦新村",
    "钱江湾小区",
    "西溪雅苑",
    "丽景苑",
    "望江花苑",
    "春江花月",
    "怡景苑",
    "紫荆公寓",
    "南都花园",
    "东方润园",
    "世纪新城",
    "德胜新村",
    "三里亭小区",
    "荷塘月色",
)
# Area codes at birth outside the city; abolished ones stay valid (the area at issue) [domain E1]
OTHER_AREAS = (
    "330104",
    "330203",
    "330302",
    "330381",
    "330402",
    "330521",
    "330602",
    "330624",
    "330702",
    "330824",
    "331002",
    "331102",
    "320106",
    "320503",
    "320924",
    "321283",
    "340104",
    "340403",
    "341221",
    "341524",
    "350102",
    "350525",
    "360102",
    "360735",
    "370102",
    "370725",
    "410105",
    "411722",
    "420106",
    "421125",
    "430102",
    "430524",
    "440106",
    "450103",
    "510104",
    "511702",
    "520102",
    "522101",
    "530102",
    "610103",
    "220102",
    "230102",
    "210102",
    "130102",
    "140105",
    "110105",
    "310104",
    "500103",
    "620102",
    "440301",
)
CHINESE_DIGITS = {str(i): d for i, d in enumerate("〇一二三四五六七八九")}


def draw(rng: np.random.Generator, size: int) -> pl.DataFrame:
    """Draws premises: district code and the parts of the address."""
    shares = np.array([d[2] for d in DISTRICTS], float)
    district = pick(rng, np.arange(len(DISTRICTS)), shares, size)
    street_at = rng.random(size)
    streets = np.array(
        [DISTRICTS[d][3][int(u * len(DISTRICTS[d][3]))] for d, u in zip(district, street_at, strict=True)], dtype=object
    )
    return pl.DataFrame(
        {
            "region_code": np.array([d[0] for d in DISTRICTS])[district],
            "district": np.array([d[1] for d in DISTRICTS])[district],
            "street": streets.astype(str),
            "road": pick(rng, ROADS, None, size),
            "number": rng.integers(1, 420, size),
            "estate": pick(rng, ESTATES, None, size),
            "block": rng.integers(1, 36, size),
            "unit": rng.integers(1, 5, size),
            "floor": rng.integers(1, 19, size),
            "door": rng.integers(1, 5, size),
        }
    )


def text(parts: pl.DataFrame, form: np.ndarray, firm: np.ndarray) -> pl.Series:
    """Writes addresses as systems hold them.

    Args:
        parts: Rows of `draw`.
        form: 0 full; 1 without province; 2 the block as 号楼; 3 the block as # and the room as unit-room; 4 from the
            district on, without the street [domain E4].
        firm: True for business premises, which end with the number of the road.
    """
    room = pl.col("floor").cast(pl.String) + pl.col("door").cast(pl.String).str.zfill(2)
    block, unit = pl.col("block").cast(pl.String), pl.col("unit").cast(pl.String)
    number = pl.col("road") + pl.col("number").cast(pl.String) + "号"
    head = (
        pl.when(pl.col("form") == 1)
        .then(pl.lit(CITY))
        .when(pl.col("form") == 4)
        .then(pl.lit(""))
        .otherwise(pl.lit(PROVINCE + CITY))
        + pl.col("district")
        + pl.when(pl.col("form") == 4).then(pl.lit("")).otherwise(pl.col("street"))
    )
    home = (
        pl.when(pl.col("form") == 2)
        .then(block + "号楼" + unit + "单元" + room + "室")
        .when(pl.col("form") == 3)
        .then(block + "#" + unit + "-" + room)
        .otherwise(block + "幢" + unit + "单元" + room + "室")
    )
    frame = parts.with_columns(form=pl.Series(form), firm=pl.Series(firm))
    return frame.select(
        pl.when(pl.col("firm"))
        .then(head + number + block + "幢" + pl.col("floor").cast(pl.String) + "层")
        .otherwise(head + number + pl.col("estate") + home)
    ).to_series()
