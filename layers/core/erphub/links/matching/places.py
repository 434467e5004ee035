"""Streets and postcodes in the form in which they are compared."""

import re

from erphub.links.matching.names import fold

_CARE_OF = re.compile(r"\bc/o\b[^,]*,?")
_BOX = re.compile(r"\b(postboks|boks|postbox|box|pb|pl)\.?\s*(?=\d)")
_SHORT_WAY = re.compile(r"(?<=\w)v\.\s*(?=\d)")
_ENDING = re.compile(
    r"(gaten|gatan|gata|gate|gade|gt|veien|vegen|vagen|vejen|vei|veg|vej|vag|vn|plassen|plass|plads|pl)$"
)
_ENDINGS = {"ga": "gt", "gt": "gt", "ve": "v", "va": "v", "vn": "v", "pl": "pl"}
_NUMBER = re.compile(r"(\d+)\s*([a-z])?(?![a-z0-9])")
_WORD = re.compile(r"[^\W\d_]+")


def read_street(text: str) -> str:
    """`Kirkegaten 12 B` as `kirkgt 12b`; empty for what has no number, which is no place to tell two by."""
    folded = _SHORT_WAY.sub("vn ", _BOX.sub("pb ", _CARE_OF.sub(" ", fold(text))))
    number = _NUMBER.search(folded)
    if number is None:
        return ""
    before = _WORD.findall(folded[: number.start()])
    words = before or _WORD.findall(folded[number.end() :])
    return f"{''.join(map(_without_ending, words))} {number[1]}{number[2] or ''}" if words else ""


def _without_ending(word: str) -> str:
    found = _ENDING.search(word)
    if found is None or word in ("v",):
        return word
    stem = word[: found.start()]
    # Whether the first part carries an -e- or an -s- is a matter of taste.
    return stem.removesuffix("s").removesuffix("e") + _ENDINGS[found[0][:2]]


def read_postcode(text: str) -> str:
    """Digits and letters alone, without a country in front: `NO-0150` as `0150`."""
    compact = re.sub(r"\W", "", text.casefold())
    return re.sub(r"^[a-z]{1,2}(?=\d{4,5}$)", "", compact)


def read_city(text: str) -> str:
    """The place, folded, without the number of its post office: `Oslo 1` as `oslo`."""
    return " ".join(_WORD.findall(fold(text)))
