"""Addresses: the administrative division (GB/T 2260) and one written form of the rest, down to the door."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml

_DATED = re.compile(r"\[(\d{4})?-(\d{4})?\](.*)")
_LATER = Path(__file__).with_name("divisions.yaml")
_PROVINCE_ENDS = ("壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "特别行政区", "省", "市")
_NUMERALS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CHINESE_NUMBER = re.compile("[〇零一二两三四五六七八九十百]+(?=号|幢|栋|座|单元|层|楼|室|弄|组|队)")
_STREET = re.compile(r"^[^\d\W]{1,6}?(?:街道|地区办事处|镇|乡)(?!\d|路|街|村委)")
_BLOCK = re.compile(r"(\d+)(?:号楼|幢|栋|座|#|楼)(?:-)?")
_UNIT = re.compile(r"(\d+)单元-?")
_ROOM = re.compile(r"(\d+)(?:室|房|户)$")
_FLOOR = re.compile(r"(\d+)层$")
_NOTHING = re.compile("(?:不详|未知|无|同上|暂无|待补)*")
_NO_SIGN = re.compile(r"[^\w#-]+")


@dataclass(frozen=True, slots=True)
class Address:
    """What an address says.

    Attributes:
        division: six digits of the county or district, of the city or the province where no more is said; None
            where the name is that of several and nothing tells which.
        building: county, road and number, estate and block; None where it does not name a building.
        door: the same with unit, floor and room; None where it does not name a door or a floor.
    """

    division: str | None
    building: str | None
    door: str | None


def parse(address: str | None) -> Address:
    """Read an address as systems hold it.

    The street office (街道, 镇) is left out of the comparable forms: many systems do not hold it. 3幢1单元502室,
    3号楼1单元502室, 3#1-502 and 三幢一单元502室 are one.

    Args:
        address: free text, such as 浙江省杭州市西湖区翠苑街道文一西路12号翠苑新村3幢1单元502室.
    """
    text = _NO_SIGN.sub("", unicodedata.normalize("NFKC", address or "").replace("—", "-").replace("－", "-"))
    if _NOTHING.fullmatch(text):
        return Address(None, None, None)
    text = _CHINESE_NUMBER.sub(lambda found: str(_number(found.group())), text)
    division, county, rest = _division(text)
    rest = _STREET.sub("", rest)
    rest = _BLOCK.sub(r"/\1-", rest, count=1)
    rest = _UNIT.sub(r"\1-", rest, count=1)
    rest = _FLOOR.sub(r"\1", _ROOM.sub(r"\1", rest)).strip("-")
    if not any(character.isdigit() for character in rest):
        return Address(division, None, None)
    head, _, inside = rest.partition("/")
    block, _, room = inside.partition("-")
    building = f"{county}|{head}|{block}" if block else None
    return Address(division, building, f"{building}|{room}" if building and room else None)


def _number(numeral: str) -> int:
    """Return the value of a Chinese numeral below a thousand; digits one after the other are read as digits."""
    if not set(numeral) & {"十", "百"}:
        return int("".join(str(_NUMERALS[c]) for c in numeral))
    total, digit = 0, 0
    for character in numeral:
        if character in "十百":
            total += (digit or 1) * (10 if character == "十" else 100)
            digit = 0
        else:
            digit = _NUMERALS[character]
    return total + digit


def _division(text: str) -> tuple[str | None, str, str]:
    """Return the code of the division that a text begins with, its own name, and what follows."""
    names = _names()
    province = next((p for p in names.provinces if text.startswith(p)), "")
    code, name, rest = names.provinces.get(province), province, text[len(province) :]
    if rest.startswith(province):
        rest = rest[len(province) :]  # 上海市上海市
    for _ in range(2):  # a city, then a county; or a county alone
        for length in range(min(12, len(rest)), 1, -1):
            within = "" if code is None else code[:2] if code.endswith("0000") else code[:4]
            found = [c for c in names.divisions.get(rest[:length], ()) if c.startswith(within)]
            if found:
                code, name, rest = names.only(found), rest[:length], rest[length:]
                break
    return code, name, rest


class _Names:
    """Names of divisions that are or were in force, with their codes."""

    def __init__(self) -> None:
        self.provinces: dict[str, str] = {}
        self.divisions: dict[str, list[str]] = {}
        self.in_force: set[str] = set()
        for code, name, ended in _divisions():
            if code.endswith("0000"):
                self.provinces[name] = code
            else:
                self.divisions.setdefault(name, []).append(code)
            if not ended:
                self.in_force.add(code)

    def only(self, codes: list[str]) -> str | None:
        """Return the one that is in force, or was where none is; None where there are several."""
        codes = [code for code in codes if code in self.in_force] or codes
        return codes[0] if len(codes) == 1 else None


@cache
def _names() -> _Names:
    return _Names()


@cache
def _divisions() -> list[tuple[str, str, bool]]:
    """Return code, name and whether it is out of force, of GB/T 2260 as python-stdnum has it, and what came later."""
    found: list[tuple[str, str, bool]] = []
    province = ""
    for line in files("stdnum.cn").joinpath("loc.dat").read_text("utf-8").splitlines():
        if line.startswith("#") or "=" not in line:
            continue
        code, _, properties = line.strip().partition(" ")
        name = properties.partition('"')[2].rstrip('"')
        if not line.startswith(" "):
            province = code
            found.append((f"{code}0000", name, False))
            continue
        if code == "0000":
            continue
        for one in name.split(","):
            dated = _DATED.match(one.strip())
            found.append((province + code, dated.group(3) if dated else one, bool(dated and dated.group(2))))
    later = yaml.safe_load(_LATER.read_text("utf-8"))
    found += [(code, name, False) for code, name in later["later"].items()]
    return found


@cache
def regions() -> dict[str, str]:
    """Return the words by which firms name their province or city, with the short form of each."""
    words: dict[str, str] = {}
    for code, name, _ in _divisions():
        if code.endswith("00") and not name.startswith(("市辖", "县", "省", "自治区直")):
            end = next((e for e in _PROVINCE_ENDS if name.endswith(e) and len(name) - len(e) >= 2), "")
            words[name] = words[name.removesuffix(end)] = name.removesuffix(end)
    return words
