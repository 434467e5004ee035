"""Ways in which programs spell a text inside another, undone: escapes, base64, hexadecimal, UTF-16, quoted-printable.

Each view of a text knows from which characters of it any of its bytes came. Nothing here judges whether a text really
was spelled so; whoever looks for something in the views does.
"""

import binascii
import html.entities
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

type Origin = Callable[[int, int], tuple[int, int]]
"""The characters (from, to) that the bytes (from, to) came from."""
type _Undo = Callable[[re.Match[bytes]], bytes | None]


@dataclass(frozen=True)
class View:
    """What a text, or a part of it, spells."""

    data: bytes
    origin: Origin


def plain(text: str) -> Iterator[View]:
    """The text as the bytes that it may have been: UTF-8, and where it is not ASCII one byte a character, or UTF-16."""
    raw = text.encode("utf-8", "surrogatepass")
    if text.isascii():
        yield View(raw, lambda start, end: (start, end))
        return
    firsts = [number for number, one in enumerate(text) for _ in one.encode("utf-8", "surrogatepass")]
    yield View(raw, lambda start, end: (firsts[start], firsts[end - 1] + 1))
    yield View(b"".join(map(_one_byte, text)), lambda start, end: (start, end))
    if any(one > "\xff" for one in text):
        units = [number for number, one in enumerate(text) for _ in one.encode("utf-16-le", "surrogatepass")]
        for order in ("utf-16-le", "utf-16-be"):
            yield View(text.encode(order, "surrogatepass"), lambda start, end: (units[start], units[end - 1] + 1))


def _one_byte(one: str) -> bytes:
    try:
        return one.encode("cp1252")
    except UnicodeEncodeError:
        return one.encode("latin-1", "replace")


def holds_text(data: bytes, letters: int) -> bool:
    """Whether so many letters of UTF-8, or of ASCII in UTF-16, stand together: what was read as base64 and was none
    rarely has them, and need not be read further."""
    return re.search(_TEXT % ((letters,) * 3), data) is not None


_TEXT = (
    rb"(?:[\t\r\n -~]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}){%d}"
    rb"|(?:[ -~]\0){%d}|(?:\0[ -~]){%d}"
)


def undone(view: View, shortest: int) -> Iterator[View]:
    """What the view spells, one way at a time; of encodings only what is at least so many bytes long."""
    yield from unescaped(view)
    yield from _base64(view, shortest)
    yield from _hexadecimal(view, shortest)
    yield from _numbers(view, shortest)


def unescaped(view: View) -> Iterator[View]:
    """What the view's escapes stand for, one kind of escape at a time."""
    for marker, pattern, undo in _ESCAPES:
        if marker in view.data and (found := _replaced(view, pattern, undo)) is not None:
            yield found


def _replaced(view: View, pattern: re.Pattern[bytes], undo: _Undo) -> View | None:
    pieces: list[bytes] = []
    marks: list[tuple[int, int, int, int]] = []
    done = length = 0
    for match in pattern.finditer(view.data):
        value = undo(match)
        if value is None:
            continue
        pieces += [view.data[done : match.start()], value]
        length += match.start() - done
        marks.append((length, length + len(value), match.start(), match.end()))
        length, done = length + len(value), match.end()
    if not marks:
        return None

    def origin(start: int, end: int) -> tuple[int, int]:
        return view.origin(_before(marks, start, first=True), _before(marks, end - 1, first=False))

    return View(b"".join([*pieces, view.data[done:]]), origin)


def _before(marks: Sequence[tuple[int, int, int, int]], at: int, *, first: bool) -> int:
    """Where the byte at a place of what came out begins (or ends, exclusively) in what went in."""
    number = bisect_right(marks, (at, 1 << 62)) - 1
    if number < 0:
        return at if first else at + 1
    start, end, begun, ended = marks[number]
    if start <= at < end:
        return begun if first else ended
    return ended + at - end + (0 if first else 1)


_BACKSLASHED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"a": b"\a", b"v": b"\v", b"0": b"\0"}


def _character(number: int) -> bytes | None:
    return chr(number).encode("utf-8", "surrogatepass") if number < 0x110000 else None


def _percent(match: re.Match[bytes]) -> bytes | None:
    return bytes([int(match[1], 16)]) if match[1] else _character(int(match[2], 16))


def _form(match: re.Match[bytes]) -> bytes | None:
    return b" " if match[0] == b"+" else _percent(match)


def _entity(match: re.Match[bytes]) -> bytes | None:
    if match["decimal"]:
        return _character(int(match["decimal"]))
    if match["hex"]:
        return _character(int(match["hex"], 16))
    name = match["name"].decode()
    meant = next((html.entities.html5.get(one) for one in (f"{name};", f"{name.lower()};") if one), None)
    return meant.encode() if meant else None


def _backslash(match: re.Match[bytes]) -> bytes | None:
    if match["pair"]:
        high, low = (int(one, 16) for one in (match["pair"][:4], match["pair"][-4:]))
        return _character(0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF))
    if match["unit"]:
        return _character(int(match["unit"], 16))
    if wide := match["wide"] or match["long"]:
        return _character(int(wide, 16))
    if match["byte"]:
        return bytes([int(match["byte"], 16)])
    if match["octal"]:
        return bytes([int(match["octal"], 8) & 0xFF])
    return _BACKSLASHED.get(match["one"], match["one"])


def _quoted(match: re.Match[bytes]) -> bytes | None:
    return bytes([int(match[1], 16)]) if match[1] else b""


def _compiled(pattern: bytes) -> re.Pattern[bytes]:
    """H stands for a hexadecimal digit."""
    return re.compile(pattern.replace(b"H", b"[0-9A-Fa-f]"), re.DOTALL)


_ESCAPES: tuple[tuple[bytes, re.Pattern[bytes], _Undo], ...] = (
    (b"%", _compiled(rb"%(?:(HH)|[uU](HHHH))"), _percent),
    (b"+", _compiled(rb"%(?:(HH)|[uU](HHHH))|\+"), _form),
    (
        b"&",
        _compiled(rb"&(?:#0*(?P<decimal>[0-9]{1,7})|#[xX]0*(?P<hex>H{1,6})|(?P<name>[A-Za-z][A-Za-z0-9]{1,31}));?"),
        _entity,
    ),
    (
        b"\\",
        _compiled(
            rb"\\(?:[uU](?P<pair>[dD][89abAB]HH\\[uU][dD][c-fC-F]HH)|[uU]\{0*(?P<wide>H{1,6})\}|U00(?P<long>[01]HHHHH)|[uU](?P<unit>HHHH)"
            rb"|[xX](?P<byte>HH)|(?P<octal>[0-3][0-7]{2})|(?P<one>.))"
        ),
        _backslash,
    ),
    (b"=", _compiled(rb"=(?:(HH)|[ \t]*\r?\n)"), _quoted),
    (b"''", _compiled(rb"''"), lambda _: b"'"),
    (b'""', _compiled(rb'""'), lambda _: b'"'),
    (b"]]", _compiled(rb"\]\]"), lambda _: b"]"),
    # UTF-16 of what is ASCII, seen a byte at a time.
    (b"\0", _compiled(rb"\0+"), lambda _: b""),
)


_BASE64 = _compiled(rb"[A-Za-z0-9+/_\-]+(?:\s+[A-Za-z0-9+/_\-]+)*")
_STANDARD = bytes.maketrans(b"-_", b"+/")


def _base64(view: View, shortest: int) -> Iterator[View]:
    """Runs of the alphabet, broken by white space or not, read from each of their first four characters: whatever
    stands before the encoded text, and wherever in the encoded text something lies, one of them meets it."""
    for run in _BASE64.finditer(view.data):
        places = [run.start() + at for at, one in enumerate(run[0]) if one > 32]
        letters = bytes(view.data[at] for at in places).translate(_STANDARD)
        if len(letters) * 3 // 4 < shortest:
            continue
        for phase in range(4):
            yield _read_base64(view, letters, places, phase)


def _read_base64(view: View, letters: bytes, places: Sequence[int], phase: int) -> View:
    given = letters[phase:]
    given = given[: len(given) - 1] if len(given) % 4 == 1 else given

    def origin(start: int, end: int) -> tuple[int, int]:
        return view.origin(places[phase + start * 8 // 6], places[phase + (end * 8 - 1) // 6] + 1)

    return View(binascii.a2b_base64(given + b"=" * (-len(given) % 4)), origin)


def _hexadecimal(view: View, shortest: int) -> Iterator[View]:
    """Runs of hexadecimal digits, as they are or with a blank, comma, colon or hyphen after each two (or 0x before)."""
    for run in re.finditer(_HEX_RUN % max(shortest, 2), view.data):
        places = [run.start(1) + one.start(1) for one in _HEX_DIGIT.finditer(run[0]) if one[1]]
        for phase in range(2):
            yield _read_hexadecimal(view, places[phase:])


_HEX_RUN = rb"((?:(?:0[xX])?[0-9A-Fa-f]{2}[\s:,;\-]{0,2}){%d,}[0-9A-Fa-f]?)"
_HEX_DIGIT = re.compile(rb"0[xX]|([0-9A-Fa-f])")


def _read_hexadecimal(view: View, places: Sequence[int]) -> View:
    even = places[: len(places) // 2 * 2]

    def origin(start: int, end: int) -> tuple[int, int]:
        return view.origin(even[start * 2], even[end * 2 - 1] + 1)

    return View(binascii.a2b_hex(bytes(view.data[at] for at in even)), origin)


_NUMBERS = rb"(?:[0-9]{1,3}\s{0,2}[,;\s]\s{0,2}){%d,}[0-9]{1,3}"
_NUMBER = re.compile(rb"[0-9]+")


def _numbers(view: View, shortest: int) -> Iterator[View]:
    """Lists of bytes as decimal numbers, as a program prints a buffer."""
    for run in re.finditer(_NUMBERS % max(shortest - 1, 1), view.data):
        spans = [(run.start() + one.start(), run.start() + one.end()) for one in _NUMBER.finditer(run[0])]
        data = bytes(min(int(view.data[start:end]), 255) for start, end in spans)

        def origin(start: int, end: int, spans: Sequence[tuple[int, int]] = spans) -> tuple[int, int]:
            return view.origin(spans[start][0], spans[end - 1][1])

        yield View(data, origin)


_TOKEN = re.compile(r"[A-Za-z0-9+/_\-]{2,32}={0,2}")


def tokens(text: str) -> Iterator[tuple[int, int, bytes]]:
    """Words that are base64 or hexadecimal of something printable as a whole: from, to, and what they say."""
    for token in _TOKEN.finditer(text):
        for said in _readings(token[0].encode()):
            # UTF-16 of what is ASCII.
            meant = said.replace(b"\0", b"")
            if meant and meant.isascii() and meant.decode().isprintable():
                yield token.start(), token.end(), meant


def _readings(token: bytes) -> Iterator[bytes]:
    letters = token.rstrip(b"=").translate(_STANDARD)
    if len(letters) % 4 != 1:
        yield binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    if len(token) >= 4:
        try:
            yield binascii.a2b_hex(token)
        except binascii.Error:
            return
