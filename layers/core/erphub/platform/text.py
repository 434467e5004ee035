"""What people type: names that may be shown to others, and nothing that could deceive who reads them."""

import unicodedata

from erphub.platform import problems
from erphub.platform.characters import LINE_BREAKS, called, hidden_in, is_blank
from erphub.platform.errors import Invalid


def clean_name(value: str, pointer: str, longest: int = 100) -> str:
    """The name trimmed and in NFC, 1 to `longest` characters: names are compared, and é can be written in two ways.

    Raises Invalid (`name_empty`, `name_too_long`, `hidden_character`).
    """
    name = require_visible(unicodedata.normalize("NFC", value).strip(), pointer)
    if is_blank(name):
        raise Invalid.of(problems.NAME_EMPTY(pointer))
    if len(name) > longest:
        raise Invalid.of(problems.NAME_TOO_LONG(pointer, longest=longest))
    return name


def require_visible(value: str, pointer: str, *, lines: bool = False) -> str:
    """The text as it is, when nothing in it is hidden; with `lines` it may have breaks of lines and tabs.

    Raises Invalid (`hidden_character`) with the first of them.
    """
    hidden = next((value[at] for at in hidden_in(value) if not (lines and value[at] in LINE_BREAKS)), None)
    if hidden is not None:
        raise Invalid.of(problems.HIDDEN_CHARACTER(pointer, called=called(hidden)))
    return value


def require_not_blank(value: str, pointer: str) -> str:
    """The text as it is, when there is something to read in it. Raises Invalid (`text_blank`)."""
    if is_blank(value):
        raise Invalid.of(problems.TEXT_BLANK(pointer))
    return value


def same_name(value: str) -> str:
    """The form in which two names count as the same: `Regnskap AS` and `regnskap as` are."""
    return unicodedata.normalize("NFKC", value).casefold().strip()


_FLAT = str.maketrans({"ø": "o", "æ": "ae", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ß": "ss"})


def searchable(value: str) -> str:
    """The form in which texts are searched: without case and accents (`Ålesund Bygg` is found by `alesund`)."""
    decomposed = unicodedata.normalize("NFKD", value.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).translate(_FLAT)
