"""Names of companies, persons and projects in the form in which they are compared."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from erphub.links.matching.models import NameLikeness

_FORMS = frozenset(
    {
        *("as", "asa", "ans", "enk", "nuf", "ks", "iks", "sf", "kf", "fkf", "bbl", "brl", "sti", "stiftelsen"),
        *("ab", "hb", "kb", "publ", "aps", "ivs", "amba", "fmba", "smba", "oy", "oyj", "abp", "ky", "tmi", "ay"),
        *("ltd", "limited", "llc", "inc", "corp", "plc", "gmbh", "kg", "ohg", "bv", "nv", "sarl", "sas", "srl", "ou"),
        *("aktieselskab", "aktiebolag", "aktiebolaget", "aksjeselskap", "anpartsselskab", "osakeyhtio"),
    }
)
"""Legal forms, at either end of a name."""
_FORMS_AND_WORDS = frozenset({"da", "ba", "sa", "ef", "ek", "is", "ps", "se", "ag", "co", "lag"})
"""Legal forms that are words too: taken for a form only where the name has no other one."""
_AND = frozenset({"og", "and", "och", "ja", "und", "et"})
_DEPARTMENT = frozenset({"avd", "avdeling", "avdelning", "afdeling", "afd", "filial", "osasto", "dept", "department"})
_FOLDED = str.maketrans({"ø": "o", "ö": "o", "æ": "a", "ä": "a", "å": "a", "ß": "ss", "đ": "d", "ð": "d", "þ": "th",
                         "ł": "l", "œ": "o", "ü": "u", "'": None, "’": None, "´": None, "`": None})  # fmt: skip
_TWO_LETTERS = re.compile("aa|ae|oe|ue")
_ONE_LETTER = {"aa": "a", "ae": "a", "oe": "o", "ue": "u"}
_ABBREVIATED = re.compile(r"(?<!\w)(?:\w[./]){1,4}\w?(?!\w)")
_WORD = re.compile(r"\w+")
ROMAN = frozenset({"i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"})
SHORTEST_MISTYPED = 4
"""Letters of a word in which another letter may be a mistake; in a shorter one it is another word."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name in the form in which it is compared."""

    words: tuple[str, ...] = ()
    """In order of the alphabet, folded, without its legal form and without *and*."""
    whole: str = ""
    of_department: bool = False
    """It names a department or branch, which is left out of its words."""


NO_NAME = Name()


def fold(text: str) -> str:
    """Small letters without accents; the ways to write å, æ, ä, ø, ö and ü without them are one."""
    text = text.casefold()
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).translate(_FOLDED))
        text = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    elif "'" in text or "`" in text:
        text = text.translate(_FOLDED)
    return _TWO_LETTERS.sub(lambda two: _ONE_LETTER[two[0]], text)


def read_name(text: str) -> Name:
    """The name in its compared form; what is nothing but a legal form stays."""
    folded = fold(text)
    if "." in folded or "/" in folded:
        folded = _ABBREVIATED.sub(lambda short: short[0].replace(".", "").replace("/", ""), folded)
    words = _WORD.findall(folded)
    department = next((place for place, word in enumerate(words) if place and word in _DEPARTMENT), None)
    kept = _without_form(words[:department])
    kept = [word for word in kept if word not in _AND] or kept
    kept.sort()
    return Name(tuple(kept), " ".join(kept), department is not None)


def _without_form(words: Sequence[str]) -> list[str]:
    first, last, found = 0, len(words), False
    while last - first > 1 and words[last - 1] in _FORMS:
        last, found = last - 1, True
    while last - first > 1 and words[first] in _FORMS:
        first, found = first + 1, True
    if not found and last - first > 1:
        if words[last - 1] in _FORMS_AND_WORDS:
            last -= 1
        elif words[first] in _FORMS_AND_WORDS:
            first += 1
    return list(words[first:last])


def mistyped(one: str, other: str) -> bool:
    """Whether two words may be one with a mistake: a letter too many, too few, another, or two in the wrong order."""
    if min(len(one), len(other)) < SHORTEST_MISTYPED or abs(len(one) - len(other)) > 1:
        return False
    if any(map(str.isdigit, one)) or any(map(str.isdigit, other)):
        return False
    return OSA.distance(one, other, score_cutoff=1) <= 1


def leftovers(one: Name, other: Name) -> tuple[list[str], list[str]]:
    """The words of each that the other has not."""
    ours, theirs = list(one.words), list(other.words)
    for word in one.words:
        if word in theirs:
            ours.remove(word)
            theirs.remove(word)
    return ours, theirs


def name_likeness(ours: Sequence[str], theirs: Sequence[str], established: frozenset[str] | set[str]) -> NameLikeness:
    """How two names are alike whose words have nothing left over but these.

    Two words that many bear each are two words: *Nordlund* and *Nordland* are no mistake of one another.
    """
    if not ours and not theirs:
        return NameLikeness.SAME
    if "".join(ours) == "".join(theirs):
        return NameLikeness.SAME
    if not ours or not theirs:
        return NameLikeness.WORDS_MISSING
    if len(ours) == len(theirs) == 1:
        one, other = ours[0], theirs[0]
        if mistyped(one, other) and not (one in established and other in established):
            return NameLikeness.SPELLING
        return NameLikeness.OTHER
    # A space too many or too few, or one in the wrong place.
    return NameLikeness.SPELLING if _split(ours, theirs) else NameLikeness.OTHER


def _split(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    short, long = sorted((ours, theirs), key=len)
    if len(short) != 1 or len(long) != 2 or ROMAN & {*long}:
        return False
    return short[0] in (long[0] + long[1], long[1] + long[0])
