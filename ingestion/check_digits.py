"""Check digits of Chinese identifiers, by their standards: GB 11643 (resident id) and GB 32100 (social credit code)."""

from __future__ import annotations

from datetime import date

from stdnum.cn import ric, uscc
from stdnum.exceptions import ValidationError


def is_resident_id(value: str) -> bool:
    """Resident id 居民身份证号: 18 characters with date and check digit, or the 15 digits issued until 1999.

    The region code is not looked up: codes of districts that were dissolved stay valid in ids.
    """
    text = value.strip().upper()
    if len(text) == 15 and text.isascii() and text.isdigit():
        return _is_date("19" + text[6:12])
    if len(text) != 18 or not (text[:17].isascii() and text[:17].isdigit()):
        return False
    return _is_date(text[6:14]) and ric.calc_check_digit(text) == text[17]


def is_social_credit_code(value: str) -> bool:
    """Unified social credit code 统一社会信用代码: 18 characters with two check characters' rules."""
    try:
        uscc.validate(value.strip())
    except ValidationError:
        return False
    return True


def is_identity_number(value: str) -> bool:
    """A value that looks like one of the two (18 characters) must be one of them; other documents pass."""
    text = value.strip()
    return len(text) != 18 or is_resident_id(text) or is_social_credit_code(text)


CHECKS = {"cn_resident_id": is_resident_id, "cn_uscc": is_social_credit_code, "id": is_identity_number}


def _is_date(text: str) -> bool:
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return False
    return True
