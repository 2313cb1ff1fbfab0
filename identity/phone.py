"""Telephone numbers: the one written form, and those that nobody has."""

import re
import unicodedata

_NO_DIGIT = re.compile(r"\D+")
_ABROAD = re.compile(r"^(?:00)?86(?=1[3-9]\d{9}$|0\d{9,11}$)")
_CARRIER = re.compile(r"^(?:17951|17911|12593)(?=1[3-9]\d{9}$)")
# Prefixes of the four networks (domain of numbers 13x to 19x); after portability they tell no operator.
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0[1-9]\d{1,2}[2-9]\d{6,7}")
_MADE_UP = re.compile(r"1\d\d(\d)\1{7}|(\d)\2{10}|1\d\d(?:12345678|87654321)")


def phone_key(phone: str | None, placeholders: frozenset[str] = frozenset()) -> tuple[str | None, str]:
    """Return the digits of a usable number, and its state.

    Args:
        phone: as the source holds it: +86, a leading 0 before a mobile, a carrier's prefix and any signs are taken off.
        placeholders: numbers known to be filled in for want of a real one.

    Returns:
        The number, None unless the state is ``valid``; and ``valid``, ``missing``, ``placeholder`` or ``invalid``.
    """
    digits = _NO_DIGIT.sub("", unicodedata.normalize("NFKC", phone or ""))
    if not digits:
        return None, "missing"
    digits = _CARRIER.sub("", _ABROAD.sub("", digits))
    if _MOBILE.fullmatch(digits[1:]) and digits[0] == "0":
        digits = digits[1:]
    if digits in placeholders or _MADE_UP.fullmatch(digits):
        return None, "placeholder"
    if _MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(digits):
        return digits, "valid"
    return None, "invalid"
