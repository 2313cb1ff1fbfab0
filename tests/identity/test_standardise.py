"""Phones, addresses and names in the forms that systems hold, each to one written form."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity.address import parse
from identity.name import name_key, names_match
from identity.phone import phone_key
from identity.rules import load_rules
from identity.standardise import standardise
from simulator import addresses

RULES = load_rules()
PLACEHOLDERS = frozenset(RULES.placeholder_phones)


@pytest.mark.parametrize(
    "held",
    [
        "13957112345",
        "+86 139 5711 2345",
        "0086-13957112345",
        "013957112345",
        "１３９５７１１２３４５",
        "1795113957112345",
    ],
)
def test_a_mobile_number_has_one_form(held: str) -> None:
    assert phone_key(held, PLACEHOLDERS) == ("13957112345", "valid")


@pytest.mark.parametrize(
    ("held", "state"),
    [
        (None, "missing"),
        ("无", "missing"),
        ("13800138000", "placeholder"),
        ("11111111111", "placeholder"),
        ("13988888888", "placeholder"),
        ("13912345678", "placeholder"),
        ("1395711234", "invalid"),
        ("12345", "invalid"),
    ],
)
def test_what_is_no_number_says_why(held: str | None, state: str) -> None:
    assert phone_key(held, PLACEHOLDERS) == (None, state)


def test_a_landline_with_its_area_is_a_number() -> None:
    assert phone_key("(0571) 8888-1234") == ("057188881234", "valid")


@given(st.text(max_size=30))
def test_any_text_has_a_phone_state_an_address_and_a_name(text: str) -> None:
    key, state = phone_key(text, PLACEHOLDERS)
    assert (key is not None) == (state == "valid")
    parsed = parse(text)
    assert parsed.door is None or (parsed.building is not None and parsed.door.startswith(parsed.building))
    for kind in ("person", "firm"):
        name_key(text, kind, RULES.firm_suffixes)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_all_forms_of_an_address_are_one_and_another_door_is_another(seed: int, firm: bool) -> None:
    parts = addresses.draw(np.random.default_rng(seed), 1)
    forms = [addresses.text(parts, np.array([form]), np.array([firm]))[0] for form in range(5)]
    parsed = [parse(form) for form in forms]
    assert len({one.door for one in parsed}) == 1 and parsed[0].door is not None
    assert parsed[0].division == parts["region_code"][0]
    assert {one.division for one in parsed} <= {parts["region_code"][0], None}, "西湖区 alone is not only Hangzhou's"
    above = parse(addresses.text(parts.with_columns(pl.col("floor") + 1), np.array([0]), np.array([firm]))[0])
    assert above.building == parsed[0].building and above.door != parsed[0].door


def test_addresses_that_say_less() -> None:
    assert parse("浙江省杭州市西湖区").division == "330106" and parse("浙江省杭州市西湖区").building is None
    assert parse("上海市上海市浦东新区张江镇").division == "310115"
    assert parse("临平区南苑街道").division == "330113", "founded after the library's list"
    assert parse("不详") == parse("") == parse(None) == parse("无")
    assert parse("重庆市渝中区民权路十二号三栋2-502") == parse("渝中区民权路12号3号楼2单元502室")


def test_firms_by_region_form_and_brackets() -> None:
    def key(name: str) -> str:
        return name_key(name, "firm", RULES.firm_suffixes)

    same = ["杭州鼎盛机械有限公司", "杭州市鼎盛机械有限责任公司", "鼎盛机械有限公司（杭州）", "杭州鼎盛機械"]
    assert {key(name) for name in same} == {"杭州鼎盛机械"}
    assert key("浙江鼎盛机械有限公司") != key("杭州鼎盛机械有限公司"), "a trade name is free in another place"
    assert key("杭州") == "杭州" and key("公司") == "公司"


def test_two_names_are_one_but_for_lost_characters_and_sound() -> None:
    def match(one: str, other: str) -> bool:
        return names_match(name_key(one, "person", []), name_key(other, "person", []))

    assert (
        match("张伟", "張偉")
        and match("张 伟", "张伟（户）")
        and match("王㛃军", "王?军")
        and match("张伟", "ZHANG WEI")
    )
    assert not match("张建国", "张建军") and not match("王?", "王军") and not match("??", "王军") and not match("", "")
    assert not match("欧阳建国", "欧?")


def test_everything_stays_beside_its_original() -> None:
    held = {
        "party_kind": "person", "customer_name": "張 偉", "id_type": "居民身份证", "id_number": "130503670401001",
        "phone": "+86 13957112345", "address": "西湖区文一西路12号翠苑新村3#1-502", "birth_date": None, "gender": None,
    }  # fmt: skip
    schema = dict.fromkeys(held, pl.String) | {"birth_date": pl.Date}
    row = standardise(pl.DataFrame([held], schema=schema), RULES).row(0, named=True)
    assert {name: row[name] for name in held} == held
    assert (row["name_key"], row["name_sound"], row["phone_key"]) == ("张伟", "ZHANGWEI", "13957112345")
    assert (row["identifier"], row["born_on"], row["sex"]) == ("130503196704010016", "1967-04-01", "M")
    assert row["door"] == "西湖区|文一西路12号翠苑新村|3|1-502"
