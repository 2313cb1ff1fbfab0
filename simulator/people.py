"""Persons: names by frequency of surnames, birth, sex, resident id, phone, e-mail."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from simulator import addresses
from simulator import parameters as p
from simulator.identifiers import padded, resident_ids
from simulator.randomness import choose, pick

# Surnames with their share of the population in per cent (national name reports 2019-2021, rounded).
SURNAMES = dict(
    zip(
        "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常",
        (
            7.17,
            7.00,
            6.74,
            5.10,
            4.61,
            3.22,
            2.45,
            2.18,
            2.05,
            2.02,
            1.48,
            1.42,
            1.31,
            1.29,
            1.16,
            1.15,
            1.06,
            1.05,
            0.86,
            0.85,
            0.83,
            0.78,
            0.76,
            0.70,
            0.69,
            0.66,
            0.62,
            0.62,
            0.58,
            0.57,
            0.50,
            0.50,
            0.49,
            0.48,
            0.47,
            0.47,
            0.46,
            0.45,
            0.45,
            0.44,
            0.43,
            0.42,
            0.42,
            0.41,
            0.40,
            0.39,
            0.39,
            0.38,
            0.38,
            0.37,
            0.36,
            0.35,
            0.34,
            0.34,
            0.33,
            0.33,
            0.32,
            0.31,
            0.30,
            0.30,
            0.29,
            0.29,
            0.28,
            0.28,
            0.28,
            0.27,
            0.27,
            0.26,
            0.26,
            0.26,
            0.25,
            0.25,
            0.25,
            0.24,
            0.24,
            0.23,
            0.23,
            0.23,
            0.22,
            0.22,
            0.21,
            0.21,
            0.20,
            0.20,
            0.20,
            0.19,
            0.19,
            0.19,
            0.18,
            0.18,
            0.18,
            0.17,
            0.17,
            0.17,
            0.16,
            0.16,
            0.16,
            0.15,
            0.15,
            0.15,
        ),
        strict=True,
    )
)
COMPOUND = ("欧阳", "上官", "司马", "诸葛", "司徒", "皇甫", "尉迟", "夏侯")
GIVEN_MALE = tuple(
    "伟强磊军洋勇杰涛明超刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林毅博文峰建国志海东晨阳子轩睿哲泽昊天宏达"
)
GIVEN_FEMALE = tuple("芳娜敏静丽艳娟霞秀玲燕红梅莉英桂兰玉萍慧婷雪琳晶欣颖洁倩云莹佳怡梦琪雨桐思妍诗涵美珍淑春月凤")
# Outside GBK, inside GB18030 [domain E3]
RARE = ("㛃", "䶮", "𬎆", "𠅤", "𬱖", "㼆", "𬭎")
MINORITY = ("买买提", "阿卜杜拉", "古丽娜尔", "艾力", "热依汗", "吐尔逊", "扎西", "卓玛", "次仁", "木合塔尔")
# Prefixes in use [domain E2]
MOBILE_PREFIXES = (
    "134",
    "135",
    "136",
    "137",
    "138",
    "139",
    "147",
    "150",
    "151",
    "152",
    "157",
    "158",
    "159",
    "178",
    "182",
    "183",
    "184",
    "187",
    "188",
    "198",
    "130",
    "131",
    "132",
    "145",
    "155",
    "156",
    "166",
    "175",
    "176",
    "185",
    "186",
    "133",
    "149",
    "153",
    "173",
    "177",
    "180",
    "181",
    "189",
    "191",
    "199",
    "192",
)
OCCUPATIONS = (
    "企业职员",
    "公务员",
    "教师",
    "医护人员",
    "个体经营者",
    "工人",
    "农民",
    "自由职业",
    "学生",
    "退休",
    "专业技术人员",
)


def names(rng: np.random.Generator, male: np.ndarray) -> np.ndarray:
    """Full names; single and double given names, a few compound, minority and rare-character ones."""
    size = len(male)
    surname = pick(rng, list(SURNAMES), list(SURNAMES.values()), size).astype(object)
    compound = choose(rng, size, p.COMPOUND_SURNAME_SHARE)
    surname[compound] = pick(rng, COMPOUND, None, int(compound.sum()))
    first = np.where(male, pick(rng, GIVEN_MALE, None, size), pick(rng, GIVEN_FEMALE, None, size)).astype(object)
    second = np.where(male, pick(rng, GIVEN_MALE, None, size), pick(rng, GIVEN_FEMALE, None, size)).astype(object)
    second[choose(rng, size, 0.14)] = ""
    rare = choose(rng, size, p.RARE_CHARACTER_SHARE)
    first[rare] = pick(rng, RARE, None, int(rare.sum()))
    full = surname + first + second
    minority = choose(rng, size, p.MINORITY_NAME_SHARE)
    count = int(minority.sum())
    full[minority] = pick(rng, MINORITY, None, count).astype(object) + "·" + pick(rng, MINORITY, None, count)
    return full.astype(str)


def mobiles(rng: np.random.Generator, size: int) -> np.ndarray:
    """Mobile numbers of eleven digits with prefixes in use."""
    tail = padded(rng.integers(10_000_000, 99_999_999, size), 8)
    return np.char.add(pick(rng, MOBILE_PREFIXES, None, size), tail)


def draw(rng: np.random.Generator, size: int, as_of: date) -> pl.DataFrame:
    """Draws persons between 18 and 88 years of age on a day.

    Returns:
        name, gender, birth_date, birth_area, id_number, mobile, email, occupation, one row a person.
    """
    male = choose(rng, size, 0.51)
    age_days = (np.clip(rng.normal(44, 15, size), 18.2, 88) * 365.2425).astype(int)
    birth = np.datetime64(as_of) - age_days.astype("timedelta64[D]")
    home = np.array([d[0] for d in addresses.DISTRICTS if d[0] not in ("330113", "330114")])  # founded in 2021
    area = np.where(
        choose(rng, size, p.BORN_ELSEWHERE_SHARE),
        pick(rng, addresses.OTHER_AREAS, None, size),
        pick(rng, home, None, size),
    )
    day = np.char.replace(birth.astype("datetime64[D]").astype("U10"), "-", "")
    sequence = rng.integers(0, 498, size) * 2 + np.where(male, 1, 0) + 2
    while True:
        ids = resident_ids(area, day, sequence)
        _, first = np.unique(ids, return_index=True)
        again = np.ones(size, bool)
        again[first] = False
        if not again.any():
            break
        sequence[again] = rng.integers(0, 498, int(again.sum())) * 2 + np.where(male[again], 1, 0) + 2
    mobile = mobiles(rng, size)
    email = np.char.add(
        np.char.add("u", padded(rng.integers(0, 10**9, size), 9)),
        pick(rng, ("@example.com", "@example.net", "@example.org"), None, size),
    )
    return pl.DataFrame(
        {
            "name": names(rng, male),
            "gender": np.where(male, "M", "F"),
            "birth_date": birth.astype("datetime64[D]"),
            "birth_area": area,
            "id_number": ids,
            "mobile": mobile,
            "email": pl.Series(email).set(pl.Series(choose(rng, size, 0.6)), None),
            "occupation": pick(rng, OCCUPATIONS, None, size),
        }
    )
