"""Direct identifiers of persons: named patterns, each with its check digits where it has any.

A shape is an expression that RE2 and Python's `re` both read; it is bounded, so that matching takes
linear time whatever the text. Check digits are those of the issuers: ISO 7064 and ISO/IEC 7812-1
(Luhn) where they use a standard.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

_COUNTRIES = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
"""Countries by the letters and digits of their IBAN, as SWIFT's registry has them."""
_LENGTHS = {land: length for length, lands in _COUNTRIES.items() for land in lands.split()}
_CARD = re.compile(
    "4[0-9]{12}([0-9]{3}){0,2}|3[47][0-9]{13}|(30[0-5]|3[689][0-9])[0-9]{11,16}|"
    "(5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}|"
    "(35(2[89]|[3-8][0-9])|6(011|2[0-9]{2}|4[4-9][0-9]|5[0-9]{2}))[0-9]{12,15}"
)
"""Prefixes and lengths of the card networks (ISO/IEC 7812-1)."""
_DOUBLED = str.maketrans("0123456789", "0246813579")
_SEPARATORS = re.compile("[^A-Z0-9@]")
_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_ODD = [ord(c) - ord("A") for c in "BAFHJNPRTVCESULDGIMOQKWZYX"]
"""Weights of the letters A to Z, and of the digits 0 to 9, at odd places of a codice fiscale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """A kind of personal identifier: how it is written, and what proves that it is one."""

    shape: str
    """An expression without look-around, for text in capitals."""
    fits: Callable[[str], bool] = lambda _text: True
    """Whether letters and digits may be one before check digits are looked at."""
    valid: Callable[[str], bool] | None = None
    """Whether the check digits hold; None where there are none."""
    chance: float = 0.0
    """Share of other letters and digits of the shape whose check digits hold by chance."""

    @property
    def pattern(self) -> str:
        """RE2 pattern of a text that may hold one, in capitals or not."""
        return rf"(?i)(?:^|[^A-Z0-9])(?:{self.shape})(?:[^A-Z0-9]|$)"

    def found(self, text: str) -> Iterator[tuple[str, bool]]:
        """What fits in a text, without its separators, and whether its check digits hold."""
        for match in _alone(self.shape).finditer(text.upper()):
            plain = _SEPARATORS.sub("", match[0])
            if self.fits(plain):
                yield plain, self.valid is None or self.valid(plain)


@cache
def _alone(shape: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Z0-9])(?:{shape})(?![A-Z0-9])")


def luhn(text: str) -> bool:
    """Luhn's check digit, the last one: every second digit from the right is doubled."""
    doubled = text[-2::-2].translate(_DOUBLED)
    return (sum(map(int, text[::-2])) + sum(map(int, doubled))) % 10 == 0


def _iban(text: str) -> bool:
    """ISO 7064 mod 97-10, over as many letters and digits as the country's have."""
    own = text[: _LENGTHS.get(text[:2], 0)]
    return bool(own) and int("".join(str(int(c, 36)) for c in own[4:] + own[:4])) % 97 == 1


def _weighted(text: str, weights: tuple[int, ...], modulus: int) -> bool:
    return sum(d * w for d, w in zip(map(int, text), weights, strict=True)) % modulus == 0


def _tax_id(text: str) -> bool:
    """ISO 7064 mod 11,10, of the German tax number."""
    product = 10
    for digit in map(int, text[:-1]):
        product = ((product + digit) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(text[-1])


def _repeats_a_digit(text: str) -> bool:
    """Of the first ten digits one occurs two or three times, as in every German tax number."""
    counts = sorted(text[:10].count(digit) for digit in set(text[:10]))
    return text[0] != "0" and counts[-1] in {2, 3} and len(counts) > 1 and counts[-2] == 1


def _dated(text: str) -> bool:
    """A PESEL begins with a date, its century in the month."""
    return 1 <= int(text[2:4]) % 20 <= 12 and 1 <= int(text[4:6]) <= 31


def _nir(text: str) -> bool:
    number = int(text[:13].replace("2A", "19").replace("2B", "18"))
    return 97 - number % 97 == int(text[13:])


def _codice(text: str) -> bool:
    values = [int(c) if c.isdigit() else ord(c) - ord("A") for c in text[:15]]
    total = sum(value if i % 2 else _ODD[value] for i, value in enumerate(values))
    return chr(ord("A") + total % 26) == text[15]


def _belgian(text: str) -> bool:
    own, check = text[:9], int(text[9:])
    return check in {97 - int(own) % 97, 97 - int(f"2{own}") % 97}


def _dni(text: str) -> bool:
    number = text[:-1].translate(str.maketrans("XYZ", "012"))
    return _DNI[int(number) % 23] == text[-1]


IDENTIFIERS: Mapping[str, Identifier] = {
    "email": Identifier(shape=r"[A-Z0-9._%+-]{1,64}@(?:[A-Z0-9-]+\.)+[A-Z]{2,24}"),
    "phone": Identifier(shape=r"(?:\+|00)[1-9](?:[ ()./-]{0,2}[0-9]){7,14}"),
    "iban": Identifier(shape="[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}", valid=_iban, chance=1 / 97),
    "card": Identifier(
        shape="[2-6](?:[ -]?[0-9]){12,18}",
        fits=lambda text: _CARD.fullmatch(text) is not None,
        valid=luhn,
        chance=0.1,
    ),
    "be_national_number": Identifier(
        shape=r"[0-9]{2}\.?[0-9]{2}\.?[0-9]{2}[ -]?[0-9]{3}[ .]?[0-9]{2}",
        valid=_belgian,
        chance=2 / 97,
    ),
    "ch_ahv": Identifier(
        shape=r"756\.?[0-9]{4}\.?[0-9]{4}\.?[0-9]{2}",
        valid=lambda text: _weighted(text, (1, 3) * 6 + (1,), 10),
        chance=0.1,
    ),
    "de_tax_id": Identifier(
        shape="[1-9][0-9](?: ?[0-9]{3}){3}", fits=_repeats_a_digit, valid=_tax_id, chance=0.1
    ),
    "es_dni": Identifier(shape="[0-9XYZ][0-9]{7}[ -]?[A-Z]", valid=_dni, chance=1 / 23),
    "fr_nir": Identifier(
        shape="[12] ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}",
        valid=_nir,
        chance=1 / 97,
    ),
    "it_codice_fiscale": Identifier(
        shape="[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]",
        valid=_codice,
        chance=1 / 26,
    ),
    "nl_bsn": Identifier(
        shape="[0-9]{9}",
        valid=lambda text: _weighted(text, (9, 8, 7, 6, 5, 4, 3, 2, -1), 11),
        chance=1 / 11,
    ),
    "pl_pesel": Identifier(
        shape="[0-9]{11}",
        fits=_dated,
        valid=lambda text: _weighted(text, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), 10),
        chance=0.1,
    ),
    "se_personnummer": Identifier(
        shape="(?:[0-9]{2})?[0-9]{6}[+-][0-9]{4}", valid=lambda text: luhn(text[-10:]), chance=0.1
    ),
    "uk_nino": Identifier(
        shape="[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]"
    ),
    "us_ssn": Identifier(
        shape="[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}",
        fits=lambda text: (
            text[:3] not in {"000", "666"} and text[3:5] != "00" and text[5:] != "0000"
        ),
    ),
}
"""Identifiers by name; one of a country begins with its code."""
