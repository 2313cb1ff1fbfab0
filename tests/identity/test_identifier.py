"""Identifiers and names: one written form each, whatever way they were written."""

import unicodedata
from datetime import date

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric
from stdnum.cn import uscc as credit_code

from identity.identifier import CHECKS, compact, resident_id, upgrade_resident_id, uscc
from identity.name import name_key, names_agree
from identity.rules import load_rules
from identity.standardise import standardise

RULES = load_rules()
_AREAS = ["110101", "310115", "330106", "440305", "420106", "441900"]
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@st.composite
def resident_ids(draw: st.DrawFn) -> str:
    """Valid numbers of people born in the years of which 15 digits were given out."""
    day = draw(st.dates(min_value=date(1900, 1, 1), max_value=date(1999, 12, 31)))
    first = f"{draw(st.sampled_from(_AREAS))}{day:%Y%m%d}{draw(st.integers(1, 995)):03d}"
    return first + ric.calc_check_digit(first + "0")


@st.composite
def credit_codes(draw: st.DrawFn) -> str:
    """Valid unified social credit codes of firms."""
    first = "91" + draw(st.sampled_from(_AREAS)) + draw(st.text(alphabet=_ALPHABET, min_size=9, max_size=9))
    return first + credit_code.calc_check_digit(first)


def written_carelessly(number: str, seed: int) -> str:
    """The same number as a clerk may write it: full width, lower case, blanks and hyphens."""
    full_width = "".join(chr(ord(c) + 0xFEE0) if (seed >> i) % 3 == 0 else c for i, c in enumerate(number))
    blanks = "".join(c + (" -　"[(seed >> i) % 3] if (seed >> i) % 5 == 0 else "") for i, c in enumerate(full_width))
    return f" {blanks.lower() if seed % 2 else blanks} "


@given(resident_ids(), st.integers(0, 2**40))
def test_a_resident_id_has_one_form_however_it_is_written(number: str, seed: int) -> None:
    assert resident_id(compact(written_carelessly(number, seed))) == number


@given(resident_ids())
def test_fifteen_digits_become_the_eighteen_of_the_same_person(number: str) -> None:
    assert resident_id(number[:6] + number[8:17]) == number


@given(resident_ids(), st.integers(0, 17), st.characters(codec="ascii", categories=["Nd", "Lu"]))
def test_one_wrong_character_makes_a_resident_id_invalid(number: str, place: int, wrong: str) -> None:
    other = number[:place] + wrong + number[place + 1 :]
    assert other == number or resident_id(other) is None


@given(credit_codes(), st.integers(0, 2**40))
def test_a_credit_code_has_one_form_however_it_is_written(number: str, seed: int) -> None:
    assert uscc(compact(written_carelessly(number, seed))) == number


@given(credit_codes(), st.integers(0, 17), st.characters(codec="ascii", categories=["Nd", "Lu"]))
def test_one_wrong_character_makes_a_credit_code_invalid(number: str, place: int, wrong: str) -> None:
    other = number[:place] + wrong + number[place + 1 :]
    assert other == number or uscc(other) is None


@given(st.text(max_size=25), st.sampled_from(sorted(CHECKS)))
def test_what_a_check_returns_passes_it_again(anything: str, kind: str) -> None:
    written = CHECKS[kind](compact(anything))
    assert written is None or CHECKS[kind](compact(written)) == written


def test_numbers_from_the_literature() -> None:
    assert resident_id("130503670401001") == "130503196704010016"  # ID card, GB 11643 example of the upgrade
    assert upgrade_resident_id("110101200101996").startswith("110101182001019")  # born before 1900
    assert resident_id("360426199101010071") == "360426199101010071"  # python-stdnum's own example
    assert resident_id("119999199101010078") is None  # no such area
    assert uscc("91110000600037341L") == "91110000600037341L"  # python-stdnum's own example
    assert uscc("0" * 18) is None  # its check character is right, its authority is not
    assert CHECKS["business_licence"]("110108000000016") == "110108000000016"
    assert CHECKS["hk_macao_permit"]("H1234567802") == "H12345678"


def test_placeholders_of_the_rules_would_pass_their_check() -> None:
    for rule in RULES.identifiers:
        for number in RULES.placeholders[rule.kind]:
            assert CHECKS[rule.check](number) == number, f"{number} is no {rule.kind} anyway"


@given(st.text(max_size=12), st.sampled_from(["person", "firm"]))
def test_a_name_key_is_stable_under_width_and_blanks(name: str, kind: str) -> None:
    key = name_key(name, kind, RULES.firm_suffixes)
    assert name_key(" ".join(name), kind, RULES.firm_suffixes) == key or unicodedata.normalize("NFKC", name) != name
    assert name_key(key, "person", []) == key


def test_names_that_agree_and_names_that_do_not() -> None:
    def agree(one: str, other: str, kind: str = "person", least: float = 0.6) -> bool:
        keys = [name_key(name, kind, RULES.firm_suffixes) for name in (one, other)]
        return names_agree(*keys, least)

    assert agree("张 伟", "张伟") and agree("张伟", "張偉") and agree("张伟", "ZHANG WEI")
    assert agree("买买提·艾力", "买买提艾力")
    assert agree("欧阳建国", "欧阳建囯")
    assert not agree("王伟", "王芳") and not agree("王伟", "") and not agree("张三丰", "李四光")
    assert agree("杭州明珠贸易有限公司", "杭州明珠贸易有限责任公司", "firm")
    assert agree("杭州明珠贸易（集团）有限公司", "杭州明珠贸易集团", "firm")
    assert not agree("杭州明珠贸易有限公司", "宁波海天机械有限公司", "firm")
    assert agree("张伟", "張偉", least=1.0), "traditional and simplified are one name"
    assert not agree("张伟", "章伟", least=1.0) and agree("张伟", "章伟")


def test_states_of_identifiers() -> None:
    customers = pl.DataFrame(
        {
            "party_kind": ["person", "firm", "person", "person", "person", "firm", "person"],
            "customer_name": ["甲", "乙有限公司", None, "丁", "戊", "己", "庚"],
            "id_type": ["resident_id", "uscc", "resident_id", "uscc", None, "uscc", "passport"],
            "id_number": [
                "１３０５０３６７０４０１００１",
                "91110000600037341l",
                "130503196704010017",
                "91110000600037341L",
                "x",
                " ",
                "E12345678",
            ],
        }
    )
    standard = standardise(customers, RULES)
    assert standard["identifier"].to_list() == ["130503196704010016", "91110000600037341L", *[None] * 5]
    assert standard["identifier_state"].to_list() == [
        "valid",
        "valid",
        "invalid",
        "not_applicable",
        "not_applicable",
        "missing",
        "placeholder",
    ]
    assert standard["name_key"].to_list() == ["甲", "乙", "", "丁", "戊", "己", "庚"]
