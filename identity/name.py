"""Names of persons and firms: one written form to compare, and whether two forms may be one name."""

import re
import unicodedata
from difflib import SequenceMatcher
from functools import cache

from identity.address import regions

LOST = "?"
"""Stands in a key for a character that a system could not hold or does not show."""

_NOT_A_LETTER = re.compile(r"[\W_]+")
_NO_CHARACTER = re.compile("[?*＊□〓�]")
_IN_BRACKETS = re.compile(r"\(([^()]*)\)")


def name_key(name: str | None, party_kind: str, firm_suffixes: list[str]) -> str:
    """Return the form of a name that is compared.

    NFKC (full-width and half-width forms are one), simplified characters, upper case, only letters and digits; what
    was lost or is masked (`?`, `*`) stays as one sign a character. A person loses a remark in brackets. A firm loses
    the legal form at its end; the province or city of its name stands before it, as 杭州 for 杭州市 and for (杭州).

    Args:
        name: the name as the source holds it.
        party_kind: ``person`` or ``firm``.
        firm_suffixes: the legal forms, longest first.
    """
    written = unicodedata.normalize("NFKC", name or "")
    if party_kind == "person":
        written = _IN_BRACKETS.sub("", written) or written
        return _letters(written)
    known = regions()
    places = [place for place in _IN_BRACKETS.findall(written) if place in known]
    bare = written
    for place in places:
        bare = bare.replace(f"({place})", "")
    key = _letters(bare) or _letters(written)
    for suffix in firm_suffixes:
        if key.endswith(suffix) and key != suffix:
            key = key.removesuffix(suffix)
            break
    region = next((key[:length] for length in range(min(8, len(key) - 1), 1, -1) if key[:length] in known), "")
    if region:
        return known[region] + key.removeprefix(region)
    return known[places[0]] + key if places else key


def names_agree(one: str, other: str, least_likeness: float) -> bool:
    """Say whether two name keys may be the same name.

    Args:
        one: a key made by :func:`name_key`; an empty one agrees with none.
        other: another.
        least_likeness: share of characters in common and in order that suffices, 0 to 1.
    """
    if not one or not other:
        return False
    if one == other:
        return True
    if least_likeness >= 1:
        return False
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= least_likeness or sound(one) == sound(other)


def names_match(one: str, other: str) -> bool:
    """Say whether two name keys are one name but for lost characters, or for characters of one sound.

    Stricter than :func:`names_agree`, since nothing else speaks for it: 张建国 and 张建军 may be brothers.

    Args:
        one: a key made by :func:`name_key`; an empty one matches none.
        other: another.
    """
    if not one or not other:
        return False
    if one == other:
        return True
    if LOST in one + other:
        known = [a == b for a, b in zip(one, other, strict=False) if LOST not in (a, b)]
        return len(one) == len(other) and len(known) >= 2 and all(known)
    return sound(one) == sound(other)


def sound(key: str) -> str:
    """Return the pronunciation of a key (pinyin without tones); loaded late, since few names need it."""
    from pypinyin import lazy_pinyin

    return "".join(lazy_pinyin(key)).upper()


def _letters(written: str) -> str:
    marked = _NO_CHARACTER.sub("\x00", written)
    parts = [_NOT_A_LETTER.sub("", part) for part in marked.split("\x00")]
    key = "".join(map(_simplified, LOST.join(parts).upper()))
    return "" if not key.strip(LOST) else key


@cache
def _simplified(character: str) -> str:
    """Return the simplified form of one character, so that the form of a name depends on no other."""
    return _converter().convert(character)


@cache
def _converter():  # type: ignore[no-untyped-def]
    from opencc import OpenCC

    return OpenCC("t2s")
