"""Values of XML documents: an element's whole text, and the lexical forms of XML Schema's types, no others.

A value is all the text of its element, whatever comments or instructions stand inside; white space around it is
collapsed. What is no lexical form of its type is refused: Python's own `Decimal`, `int` and `fromisoformat` read much
more (`1_000`, `１２`, `NaN`, `20260131`). Source: W3C, XML Schema Part 2, 3.2 and 3.3; XML 1.0, 2.5 and 2.6.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lxml.etree import _Element  # pyright: ignore[reportPrivateUsage] — the only name its stubs have for an element

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_ZONE = r"(?P<zone>Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?"
_DATE = re.compile(rf"(?P<day>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}){_ZONE}")
_INSTANT = re.compile(
    rf"(?P<day>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})T(?P<time>[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(?:\.[0-9]+)?){_ZONE}"
)
_TIME = re.compile(rf"(?P<time>[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}})(?:\.(?P<fraction>[0-9]+))?{_ZONE}")
_WHITE_SPACE = " \t\n\r"
"""What XML Schema calls so; Python's own has more, as a space that does not break."""
NOTHING_FROM_OUTSIDE: Mapping[str, Any] = {
    **{"resolve_entities": False, "no_network": True, "load_dtd": False, "dtd_validation": False},
    **{"remove_comments": True, "remove_pis": True},
}
"""How every document is read with lxml: nothing outside it is fetched, no entity is put in, and neither comments nor
instructions cut a value."""
MAX_DIGITS = 38
"""No amount of any ledger is longer; a number of thousands of digits would only cost time."""


class LexicalError(ValueError):
    """What was read is no lexical form of the type; says which type and what was read, shortened."""

    def __init__(self, type_name: str, text: str) -> None:
        self.type_name, self.text = type_name, text if len(text) <= 40 else f"{text[:40]}…"
        super().__init__(f"{self.text!r} is no {type_name}")


def text_of(element: "_Element | None") -> str:
    """As `string_of`, white space around it removed."""
    return string_of(element).strip(_WHITE_SPACE)


def string_of(element: "_Element | None") -> str:
    """All the text of an element, as an `xsd:string` keeps it; none for no element.

    Raises LexicalError when there are elements inside: whether `100<fee>5</fee>` is 100, 105 or 1005 is not known.
    """
    return "" if element is None else "".join(_pieces(element))


def _pieces(element: "_Element") -> Iterator[str]:
    yield element.text or ""
    for part in element:
        if not callable(part.tag):  # as that of a comment or an instruction is
            raise LexicalError("value: there are elements inside", "".join(map(str, element.itertext())))
        yield part.tail or ""


def decimal(text: str) -> Decimal:
    """An `xsd:decimal`: no exponent, no NaN, no infinity. Raises LexicalError."""
    found = text.strip(_WHITE_SPACE)
    if not _DECIMAL.fullmatch(found) or sum(map(str.isdigit, found)) > MAX_DIGITS:
        raise LexicalError("decimal number", text)
    return Decimal(found)


def integer(text: str) -> int:
    """An `xsd:integer` of at most `MAX_DIGITS` digits. Raises LexicalError."""
    found = text.strip(_WHITE_SPACE)
    if not _INTEGER.fullmatch(found) or len(found) > MAX_DIGITS:
        raise LexicalError("whole number", text)
    return int(found)


def boolean(text: str) -> bool:
    """An `xsd:boolean`. Raises LexicalError."""
    match text.strip(_WHITE_SPACE):
        case "true" | "1":
            return True
        case "false" | "0":
            return False
        case _:
            raise LexicalError("truth value (true, false, 1 or 0)", text)


def calendar_date(text: str) -> date:
    """The day of an `xsd:date` or `xsd:dateTime` as it is written there: its zone is whose day it is. Raises
    LexicalError.
    """
    found = text.strip(_WHITE_SPACE)
    match = _DATE.fullmatch(found) or _INSTANT.fullmatch(found)
    try:
        if match is not None:
            return date.fromisoformat(match["day"])
    except ValueError as error:
        raise LexicalError("date", text) from error
    raise LexicalError("date", text)


def day(text: str) -> date:
    """An `xsd:date`, whose zone is whose day it is; a time behind it is refused. Raises LexicalError."""
    if _DATE.fullmatch(text.strip(_WHITE_SPACE)) is None:
        raise LexicalError("date", text)
    return calendar_date(text)


def clock_time(text: str) -> str:
    """An `xsd:time` as a clock on the wall shows it, without its zone: `23:00:00`, with a fraction that is none left
    out, so that texts sort as times do. Raises LexicalError.
    """
    match = _TIME.fullmatch(text.strip(_WHITE_SPACE))
    if match is None:
        raise LexicalError("time", text)
    fraction = (match["fraction"] or "").rstrip("0")
    return f"{match['time']}.{fraction}" if fraction else match["time"]


def instant(text: str) -> datetime:
    """An `xsd:dateTime`; without a zone it has none, 24:00:00 is the next day's beginning. Raises LexicalError."""
    match = _INSTANT.fullmatch(text.strip(_WHITE_SPACE))
    if match is None:
        raise LexicalError("date with a time", text)
    time, further = match["time"], timedelta(0)
    if re.fullmatch(r"24:00:00(?:\.0+)?", time):
        time, further = "00:00:00", timedelta(days=1)
    try:
        found = datetime.fromisoformat(f"{match['day']}T{_to_microseconds(time)}") + further
    except (ValueError, OverflowError) as error:
        raise LexicalError("date with a time", text) from error
    return found if match["zone"] is None else found.replace(tzinfo=_zone(match["zone"]))


def _to_microseconds(time: str) -> str:
    whole, dot, fraction = time.partition(".")
    return f"{whole}.{fraction[:6].ljust(6, '0')}" if dot else whole


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[4:6])
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


def parsed(
    source: Any, *, events: tuple[str, ...], tag: list[str] | None = None, huge: bool = False
) -> "Iterator[tuple[str, Any]]":
    """The events of a document as it is read (`lxml.etree.iterparse`), made so that nothing outside it is fetched, no
    entity is put in, and neither comments nor instructions cut a value. Raises lxml's XMLSyntaxError as it reads.
    """
    from lxml import etree

    return etree.iterparse(
        source,
        events=events,
        tag=tag,
        huge_tree=huge,
        **NOTHING_FROM_OUTSIDE,
    )


def first_of(beginning: bytes, look: "Callable[[_Element], None]") -> None:
    """Let somebody look at a document's root before the document is read; nothing, where its beginning does not hold
    it. Raises lxml's XMLSyntaxError, and what `look` raises.
    """
    from lxml import etree

    parser = etree.XMLPullParser(events=("start",), **NOTHING_FROM_OUTSIDE)
    parser.feed(beginning)
    event: Any
    for event in parser.read_events():
        look(event[1])
        return


def forget(element: "_Element") -> None:
    """Give back what a read element holds, and what stands before it beside it: cleared elements take memory too."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def has_document_type(element: "_Element") -> bool:
    """Whether the document declares a type of its own, in which entities could be hidden."""
    return bool(getattr(element.getroottree().docinfo, "doctype", ""))
