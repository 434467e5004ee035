"""Characters that nobody sees, or that turn what stands around them: in names they make one thing look like another.

Hidden are, by the Unicode Character Database, the categories Cc (controls), Cf (format, with all that change the
direction), Co (private use), Cn (not assigned), Cs (halves of pairs), Zl and Zp (separators), and whatever has the
property Default_Ignorable_Code_Point. Not hidden is what writing needs where it needs it:

* ZWJ and ZWNJ beside a virama, and ZWNJ between letters that join by themselves (RFC 5892, appendices A.1 and A.2; UTS
  39 allows both in these places only), for Hindi's and Persian's spelling depends on them;
* U+FE0E and U+FE0F after a symbol, ZWJ between two symbols, keycaps, and the tags of three flags (UTS 51).

Other variation selectors choose among a character's shapes, and no reader tells one from the other: they are hidden.

Two ways: what a *person* or a till gives is refused when something in it is hidden (`wire.Name`, `Line`, `Lines`); what
a *source* gives is kept as it is and `shown` to people with each hidden character spelled out.
"""

import re
import unicodedata
from collections.abc import Iterator

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
_IGNORABLE = frozenset(
    char
    for first, last in (
        (0x034F, 0x034F),  # combining grapheme joiner
        (0x115F, 0x1160),  # Hangul fillers
        (0x17B4, 0x17B5),  # Khmer inherent vowels
        (0x180B, 0x180F),  # Mongolian variation selectors and vowel separator
        (0x2800, 0x2800),  # Braille cell without dots
        (0x3164, 0x3164),  # Hangul filler
        (0xFE00, 0xFE0F),  # variation selectors
        (0xFFA0, 0xFFA0),  # halfwidth Hangul filler
        (0x1D159, 0x1D159),  # musical symbol that is drawn as nothing
        (0xE0100, 0xE01EF),  # variation selectors supplement
    )
    for char in map(chr, range(first, last + 1))
)
"""Default_Ignorable_Code_Point of DerivedCoreProperties.txt, Unicode 15.1 and 16, where no hidden category has them;
and two symbols that are drawn as nothing."""
_KEYCAP = "\u20e3"
_VIRAMA = 9
"""Canonical combining class of what takes a letter's vowel away; a joiner beside it chooses how letters join."""
_CURSIVE = ("ARABIC LETTER", "SYRIAC LETTER", "MONGOLIAN LETTER", "NKO LETTER", "MANDAIC LETTER", "ADLAM ")
_MOST_MARKS = 4
"""How many vowel signs are looked past, from a joiner to its letter."""
_FLAGS = re.compile(
    "\U0001f3f4(?:\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074"
    "|\U000e0077\U000e006c\U000e0073)\U000e007f)"
)
"""England, Scotland and Wales: the only sequences of tags that are recommended for general interchange."""
_BREAKS = frozenset("\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029")
LINE_BREAKS = frozenset("\n\r\t")
"""What a text of several lines may have."""

_KINDS = {"Cc": "CONTROL", "Co": "PRIVATE USE", "Cn": "NOT ASSIGNED", "Cs": "HALF OF A PAIR"}
_CONTROLS = {"\0": "NULL", "\t": "TABULATION", "\n": "LINE FEED", "\r": "CARRIAGE RETURN", "\x1b": "ESCAPE"}
"""Those that the database gives no name."""


def is_hidden(char: str) -> bool:
    """Whether the character is of a hidden kind, wherever it stands."""
    return unicodedata.category(char) in _HIDDEN_CATEGORIES or char in _IGNORABLE


def is_blank(text: str) -> bool:
    """Whether nothing in the text leaves a mark by itself: no letter, number, sign or symbol."""
    return all(unicodedata.category(char)[0] not in "LNPS" for char in text)


def hidden_in(text: str) -> Iterator[int]:
    """Where in a text hidden characters are that no writing needs there."""
    if text.isascii() and text.isprintable():
        return
    flags = {at for flag in _FLAGS.finditer(text) for at in range(*flag.span())}
    for at, char in enumerate(text):
        if is_hidden(char) and at not in flags and not _is_needed(text, at):
            yield at


def _is_needed(text: str, at: int) -> bool:
    before, after = text[at - 1 : at] if at else "", text[at + 1 : at + 2]
    if not before:
        return False
    match text[at]:
        case "\u200c":
            return _joins_letters(before, after) or (_is_cursive(text, at, -1) and _is_cursive(text, at, 1))
        case "\u200d":
            return _joins_letters(before, after) or (_ends_as_emoji(text, at) and _is_symbol(after))
        case "\ufe0e" | "\ufe0f":
            return _is_symbol(before) or (before in "0123456789#*" and after == _KEYCAP)
        case _:
            return False


def _joins_letters(before: str, after: str) -> bool:
    """Beside a virama that belongs to a letter: on either side of it."""
    if unicodedata.combining(before) == _VIRAMA:
        return True
    return after != "" and unicodedata.combining(after) == _VIRAMA and unicodedata.category(before)[0] in "LM"


def _is_cursive(text: str, at: int, step: int) -> bool:
    """Whether the next that is no mark is a letter of a script in which letters join by themselves."""
    for _ in range(_MOST_MARKS + 1):
        at += step
        if not 0 <= at < len(text):
            return False
        if unicodedata.category(text[at]) != "Mn":
            return unicodedata.name(text[at], "").startswith(_CURSIVE)
    return False


def _ends_as_emoji(text: str, at: int) -> bool:
    """Whether an emoji stands before this place, with a variation selector after it or without."""
    if text[at - 1] in ("\ufe0f", _KEYCAP):
        at -= 1
    return at > 0 and _is_symbol(text[at - 1])


def _is_symbol(char: str) -> bool:
    if not char:
        return False
    return (unicodedata.category(char) in ("So", "Sm", "Sk") and ord(char) > 0xA8) or char in "\u203c\u2049\u3030"


def called(char: str) -> str:
    """A character's number and name: `U+202E RIGHT-TO-LEFT OVERRIDE`."""
    name = unicodedata.name(char, "") or _CONTROLS.get(char, "") or _KINDS.get(unicodedata.category(char), "")
    return f"U+{ord(char):04X} {name}".strip()


def shown(text: str) -> str:
    """The text for people: each hidden character spelled out as `[U+202E]`, breaks of lines and tabs as one space."""
    return _replaced(text, "[U+{:04X}]")


def without_hidden(text: str, *, lines: bool = False) -> str:
    """The text without hidden characters, for programs that hand it back; breaks of lines and tabs as one space, but
    with `lines`."""
    return _replaced(text, "", LINE_BREAKS if lines else frozenset())


def _replaced(text: str, form: str, kept: frozenset[str] = frozenset()) -> str:
    hidden = {at for at in hidden_in(text) if text[at] not in kept}
    if not hidden:
        return text
    parts = [
        char if at not in hidden else " " if char in _BREAKS else form.format(ord(char)) for at, char in enumerate(text)
    ]
    return re.sub(" {2,}", " ", "".join(parts)).strip()


def named(*texts: str) -> str:
    """The first of the texts in which something can be read, as it is `shown`; else the last one's code points."""
    found = next((text for text in map(shown, texts) if not is_blank(text)), "")
    return found or " ".join(f"U+{ord(char):04X}" for char in texts[-1])


def escaped(text: str) -> str:
    """The text with `\\uXXXX` for each hidden character, as JSON writes it."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char) if is_hidden(char) else char for char in text)


def _escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
