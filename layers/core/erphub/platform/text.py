"""What people type: names that may be shown to others, and nothing that could deceive who reads them."""

import unicodedata

from erphub.platform.errors import Invalid

# Characters that reorder or hide what stands around them, so that a name reads as another one.
_DECEIVING = frozenset(
    "\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)


def clean_name(value: str, pointer: str, longest: int = 100) -> str:
    """The name trimmed and in NFC, 1 to `longest` characters.

    Raises Invalid (`name_empty`, `name_too_long`, `name_has_control_characters`).
    """
    name = unicodedata.normalize("NFC", value).strip()
    if not name:
        raise Invalid.field(pointer, "name_empty", "Enter a name.")
    if len(name) > longest:
        raise Invalid.field(pointer, "name_too_long", f"A name may have at most {longest} characters.")
    if any(unicodedata.category(char) in {"Cc", "Cs", "Co", "Cn"} or char in _DECEIVING for char in name):
        raise Invalid.field(
            pointer,
            "name_has_control_characters",
            "The name holds invisible or direction-changing characters. Type it again without them.",
        )
    return name


def same_name(value: str) -> str:
    """The form in which two names count as the same: `Regnskap AS` and `regnskap as` are."""
    return unicodedata.normalize("NFKC", value).casefold().strip()


_FLAT = str.maketrans({"ø": "o", "æ": "ae", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ß": "ss"})


def searchable(value: str) -> str:
    """The form in which texts are searched: without case and accents (`Ålesund Bygg` is found by `alesund`)."""
    decomposed = unicodedata.normalize("NFKD", value.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).translate(_FLAT)
