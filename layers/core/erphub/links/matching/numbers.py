"""Organisation numbers of the Nordic countries and VAT numbers of the EU, checked and compacted."""

import re
from collections.abc import Callable, Mapping
from functools import partial

from stdnum.dk import cvr
from stdnum.eu import vat
from stdnum.exceptions import ValidationError
from stdnum.fi import alv, ytunnus
from stdnum.no import mva, orgnr
from stdnum.se import orgnr as se_orgnr
from stdnum.se import vat as se_vat

_NOISE = re.compile(r"[\s.\-\u2010-\u2015\u00a0:/]+")
_LABEL = re.compile(r"^(ORGNR|ORGANISASJONSNUMMER|ORG|CVR|VAT|FORETAKSREGISTERET|YTUNNUS|Y)(?=[A-Z]{0,2}\d)")
_SWEDISH_LAST_MONTH = 20
"""Third and fourth digit of a Swedish number: below it they are a month, and the number belongs to a person."""


def read_numbers(text: str, country: str = "") -> tuple[str, ...]:
    """The numbers that a text may mean, as country and digits: `NO923609016`. Without a country it may fit several.

    What is no valid number of a company is none: digits that were mistyped, a person's number, a customer's number.
    """
    compact = _LABEL.sub("", _NOISE.sub("", text).upper()).lstrip(")(")
    if len(compact) < 8 or not any(map(str.isdigit, compact)):
        return ()
    country = country.strip().upper()
    prefix = compact[:2] if compact[:2].isalpha() else ""
    if compact.endswith("MVA"):
        prefix = prefix or "NO"
    digits = compact.removeprefix(prefix) if compact[:2].isalpha() else compact
    if prefix in _NORDIC:
        found = _valid(_NORDIC[prefix], digits)
        return (prefix + found,) if found else ()
    if prefix:
        foreign = _valid(vat.validate, compact)
        return (foreign,) if foreign else ()
    if country and country not in _NORDIC:
        foreign = _valid(vat.validate, country + digits)
        return (foreign,) if foreign else ()
    countries = (country,) if country else tuple(_NORDIC)
    return tuple(of + found for of in countries if (found := _valid(_NORDIC[of], digits)))


def contradict(ours: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Whether two have other numbers of one country. A company may have one in each country."""
    if not ours or not theirs or any(number in theirs for number in ours):
        return False
    return any(one[:2] == other[:2] for one in ours for other in theirs)


def shown_number(text: str, numbers: tuple[str, ...]) -> str:
    """The number as it may be shown and kept: one that belongs to a person is cut to its date."""
    if any(belongs_to_person(number) for number in numbers):
        digits = next(number for number in numbers if belongs_to_person(number))[2:]
        return f"{digits[:6]}-****"
    return text.strip()


def belongs_to_person(number: str) -> bool:
    """Whether it is the personal number of a Swedish sole trader."""
    return number.startswith("SE") and int(number[4:6]) < _SWEDISH_LAST_MONTH


def _valid(validate: Callable[[str], str], digits: str) -> str:
    try:
        return validate(digits)
    except ValidationError:
        return ""


def _norwegian(text: str) -> str:
    digits = mva.validate(text).removesuffix("MVA") if text.endswith("MVA") else orgnr.validate(text)
    if digits[0] not in "89":
        raise ValidationError
    return digits


def _swedish(text: str) -> str:
    if len(text) == 12:
        # The century before a number, or the two digits that make a VAT number of it.
        text = text[2:] if text[:2] in ("16", "19", "20") else se_vat.validate(text)[:-2]
    return se_orgnr.validate(text)


def _finnish(text: str) -> str:
    return ytunnus.validate(text) if len(text) == 8 else alv.validate(text)


_NORDIC: Mapping[str, Callable[[str], str]] = {
    "NO": _norwegian,
    "SE": _swedish,
    "DK": partial(cvr.validate),
    "FI": _finnish,
}
