"""Checks of identifiers by their standards: each returns the one written form of a valid number, or None.

The check digits, dates of birth and area codes are python-stdnum's; what it lacks is here with its source.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from functools import cache

from stdnum import numdb
from stdnum.cn import ric
from stdnum.cn import uscc as credit_code
from stdnum.iso7064 import mod_11_10

_SEPARATORS = re.compile(r"[\s\-‐-―_.·•*]+")
# GB 32100-2015: registering authority (and Y other, N agriculture, A military), kind, region in six digits.
# python-stdnum knows only digits in the first two places, so the pattern is ours and the check character its.
_CREDIT_CODE = re.compile(r"[1-9ANY][0-9A-HJ-NPQRTUWXY][1-9][0-9]{5}[0-9A-HJ-NPQRTUWXY]{10}")
_PASSPORT = re.compile(r"E[A-HJ-NP-Z][0-9]{7}|[EGDSP][0-9]{8}|(?:SE|DE|PE|MA|KJ)[0-9]{7}")
_HK_MACAO_PERMIT = re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?")
_TAIWAN_PERMIT = re.compile(r"[0-9]{8}(?:[0-9]{2})?")


def compact(number: str) -> str:
    """Return a number without the accidents of writing: full-width forms, lower case, blanks and hyphens."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", number)).upper()


def upgrade_resident_id(number: str) -> str:
    """Return the 18 digits of a resident identity number of 15 (GB 11643-1989 to GB 11643-1999).

    The century 19 is put before the year and the check digit behind. The sequence numbers 996 to 999 were
    kept for people born before 1900, whose century is 18.

    Args:
        number: 15 digits.

    Raises:
        ValueError: it is not 15 digits.
    """
    if not re.fullmatch(r"[0-9]{15}", number):
        raise ValueError("a resident identity number of the first generation has 15 digits")
    century = "18" if number[12:] >= "996" else "19"
    longer = f"{number[:6]}{century}{number[6:]}"
    return longer + ric.calc_check_digit(longer + "0")


@cache
def _is_area(code: str) -> bool:
    """Say whether six digits were ever an area code (GB/T 2260)."""
    return any("county" in properties for _, properties in numdb.get("cn/loc").info(code))


def resident_id(number: str) -> str | None:
    """Return the 18 places of a valid resident identity number (GB 11643), else None.

    Not by ``ric.validate`` as a whole: it demands that the area had its code in the year of birth, but people
    born before 1984, when the first numbers were given out, carry the code of the place that registered them.
    """
    try:
        longer = upgrade_resident_id(number) if len(number) == 15 else number
        if not re.fullmatch(r"[0-9]{17}[0-9X]", longer) or longer[-1] != ric.calc_check_digit(longer):
            return None
        born = date(int(longer[6:10]), int(longer[10:12]), int(longer[12:14]))
    except ValueError:
        return None
    return longer if born.year >= 1850 and _is_area(longer[:6]) else None


def uscc(number: str) -> str | None:
    """Return a valid unified social credit code (GB 32100), else None."""
    valid = _CREDIT_CODE.fullmatch(number) and credit_code.calc_check_digit(number) == number[-1]
    return number if valid else None


def business_licence(number: str) -> str | None:
    """Return a valid business registration number of 15 digits (GS 15-2006, ISO 7064 MOD 11,10), else None."""
    return number if re.fullmatch(r"[0-9]{15}", number) and mod_11_10.is_valid(number) else None


def passport(number: str) -> str | None:
    """Return the number of a Chinese passport in its published form, else None."""
    return number if _PASSPORT.fullmatch(number) else None


def hk_macao_permit(number: str) -> str | None:
    """Return the nine places that name the holder of a mainland travel permit, else None.

    The tenth and eleventh place count the issues of the permit to the same person.
    """
    return number[:9] if _HK_MACAO_PERMIT.fullmatch(number) else None


def taiwan_permit(number: str) -> str | None:
    """Return the eight digits that name the holder of a mainland travel permit for Taiwan residents, else None."""
    return number[:8] if _TAIWAN_PERMIT.fullmatch(number) else None


CHECKS: dict[str, Callable[[str], str | None]] = {
    check.__name__: check for check in (resident_id, uscc, business_licence, passport, hk_macao_permit, taiwan_permit)
}
