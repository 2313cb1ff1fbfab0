"""Identifiers with check digits, vectorised: GB 11643, GB 32100, Luhn (ISO/IEC 7812-1)."""

from __future__ import annotations

import numpy as np

ID_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
ID_CHECKS = np.array(list("10X98765432"))
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I O S V Z
USCC_WEIGHTS = np.array([pow(3, i, 31) for i in range(17)])
ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])


def padded(numbers: np.ndarray, width: int) -> np.ndarray:
    """Whole numbers as text of one width with leading zeros."""
    return np.array([f"{int(n):0{width}d}" for n in numbers], dtype=f"U{width}")


def _digits(texts: np.ndarray, width: int) -> np.ndarray:
    """ASCII strings of one width as a matrix of character codes."""
    packed = np.ascontiguousarray(texts.astype(f"S{width}"))
    return packed.view(np.uint8).reshape(len(texts), width)


def _values(texts: np.ndarray, width: int, alphabet: str) -> np.ndarray:
    table = np.full(256, -1)
    for value, character in enumerate(alphabet):
        table[ord(character)] = value
    return table[_digits(texts, width)]


def resident_ids(area: np.ndarray, birth: np.ndarray, sequence: np.ndarray) -> np.ndarray:
    """18-digit resident ids (GB 11643).

    Args:
        area: Six-digit area codes (text).
        birth: Birth dates as text YYYYMMDD.
        sequence: Sequence numbers up to 999, odd for men.
    """
    body = np.char.add(np.char.add(area.astype("U6"), birth.astype("U8")), padded(sequence, 3))
    return np.char.add(body, ID_CHECKS[(_values(body, 17, "0123456789") * ID_WEIGHTS).sum(axis=1) % 11])


def fifteen_digit(ids: np.ndarray) -> np.ndarray:
    """The first-generation form of 18-digit ids: no century, no check digit (only births before 2000 had one)."""
    return np.array([value[:6] + value[8:17] for value in ids], dtype="U15")


def wrong_check(ids: np.ndarray) -> np.ndarray:
    """Ids whose check digit is off by one place of the table: never valid."""
    table = {character: ID_CHECKS[(place + 1) % 11] for place, character in enumerate(ID_CHECKS)}
    return np.array([value[:17] + table[value[17]] for value in ids], dtype="U18")


def mistyped(rng: np.random.Generator, ids: np.ndarray) -> np.ndarray:
    """Ids with one wrong digit or two neighbours exchanged: never valid, since MOD 11-2 finds both.

    What happens to be a credit code is written again: where any identity number may stand it would be valid.
    """
    wrong = []
    for value in ids:
        while True:
            place = int(rng.integers(0, 16))
            one, two = value[place], value[place + 1]
            if one == two:
                one = str((int(one) + int(rng.integers(1, 10))) % 10)
            typed = value[:place] + two + one + value[place + 2 :]
            if not is_credit_code(typed):
                break
        wrong.append(typed)
    return np.array(wrong, dtype=object)


def is_credit_code(value: str) -> bool:
    """Says whether the check character of a unified social credit code fits."""
    places = [USCC_ALPHABET.find(character) for character in value]
    return min(places) >= 0 and (31 - int(np.dot(places[:17], USCC_WEIGHTS)) % 31) % 31 == places[17]


def social_credit_codes(area: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Unified social credit codes (GB 32100) of enterprises registered with market regulation (kind 91).

    Args:
        area: Six-digit area codes (text).
        numbers: Unique whole numbers from which the eight places of the organisation code are made.
    """
    body = np.char.add("MA", padded(numbers, 6))
    remainder = 11 - (_values(body, 8, ORGANISATION_ALPHABET) * ORGANISATION_WEIGHTS).sum(axis=1) % 11
    check = np.array([*map(str, range(10)), "X", "0"])[remainder]
    first = np.char.add(np.char.add("91", area.astype("U6")), np.char.add(body, check))
    total = (_values(first, 17, USCC_ALPHABET) * USCC_WEIGHTS).sum(axis=1)
    return np.char.add(first, np.array(list(USCC_ALPHABET))[(31 - total % 31) % 31])


def luhn_complete(bodies: np.ndarray, width: int) -> np.ndarray:
    """Appends the Luhn check digit to numbers of one width."""
    digits = _values(bodies, width, "0123456789")
    doubled = digits[:, ::-1].copy()
    doubled[:, ::2] *= 2
    doubled[doubled > 9] -= 9
    return np.char.add(bodies.astype(f"U{width}"), ((10 - doubled.sum(axis=1) % 10) % 10).astype("U1"))
