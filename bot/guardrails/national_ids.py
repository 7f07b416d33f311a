"""Numbers that a state gives to a person, told by their check digits."""

from __future__ import annotations

import re

NATIONAL_ID = re.compile(
    r"(?<![\w.-])(?:\d{3}\.\d{3}\.\d{3}-\d{2}"  # Brazil, CPF
    r"|\d{8}-?[A-HJ-NP-TV-Z]"  # Spain, DNI
    r"|\d{6}-[1-4]\d{6}"  # Korea, RRN
    r"|[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"  # China
    r"|[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?\d{2} ?\d{3} ?\d{3} ?\d{2})"  # France, NIR
    r"(?![\w-])",
    re.ASCII,
)
DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
CHINESE_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHINESE_CHECKS = "10X98765432"
KOREAN_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)


def is_national_id(text: str) -> bool:
    """Whether a match of `NATIONAL_ID` has the check digits of its kind."""
    compact = re.sub(r"[ .-]", "", text).upper()
    return {9: _dni, 11: _cpf, 13: _rrn, 15: _nir, 18: _chinese}[len(compact)](compact)


def _dni(compact: str) -> bool:
    return DNI_LETTERS[int(compact[:8]) % 23] == compact[8]


def _cpf(digits: str) -> bool:
    if len(set(digits)) == 1:
        return False  # 111.111.111-11 passes the check, and is nobody's

    def check(upto: int) -> int:
        total = sum(int(d) * (upto + 1 - at) for at, d in enumerate(digits[:upto]))
        return total * 10 % 11 % 10

    return [check(9), check(10)] == [int(digits[9]), int(digits[10])]


def _rrn(digits: str) -> bool:
    total = sum(int(d) * weight for d, weight in zip(digits, KOREAN_WEIGHTS, strict=False))
    return (11 - total % 11) % 10 == int(digits[12])


def _nir(digits: str) -> bool:
    return 97 - int(digits[:13]) % 97 == int(digits[13:])


def _chinese(compact: str) -> bool:
    total = sum(int(d) * weight for d, weight in zip(compact, CHINESE_WEIGHTS, strict=False))
    return CHINESE_CHECKS[total % 11] == compact[17]
