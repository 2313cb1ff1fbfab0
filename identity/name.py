"""Names of persons and firms: one written form to compare, and whether two forms may be one name."""

import re
import unicodedata
from difflib import SequenceMatcher

_NOT_A_LETTER = re.compile(r"[\W_]+")


def name_key(name: str | None, party_kind: str, firm_suffixes: list[str]) -> str:
    """Return the form of a name that is compared.

    NFKC (full-width and half-width forms are one), upper case, only letters and digits; a firm loses the
    legal form at its end.

    Args:
        name: the name as the source holds it.
        party_kind: ``person`` or ``firm``.
        firm_suffixes: the legal forms, longest first.
    """
    key = _NOT_A_LETTER.sub("", unicodedata.normalize("NFKC", name or "")).upper()
    if party_kind == "firm":
        for suffix in firm_suffixes:
            if key.endswith(suffix) and key != suffix:
                return key.removesuffix(suffix)
    return key


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
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= least_likeness or _sound(one) == _sound(other)


def _sound(key: str) -> str:
    """Return the pronunciation (pinyin without tones); loaded late, since few names need it."""
    from pypinyin import lazy_pinyin

    return "".join(lazy_pinyin(key)).upper()
