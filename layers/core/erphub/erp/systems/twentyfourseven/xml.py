"""SOAP envelopes of our own: plain data out, elements in, parsed so that no document can reach out or blow up."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from lxml import etree

from erphub.erp.systems.twentyfourseven.numbers import plain
from erphub.platform import xsd

if TYPE_CHECKING:
    from lxml.etree import _Element as Element  # pyright: ignore[reportPrivateUsage]


ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"

type Node = Sequence[tuple[str, Any]]
"""An element's children in the contract's order: name and value. A value is text, a number, a date, bytes, another
Node, NIL, or a list of values for a repeated element; None leaves it out (the ERP reads 0 as 0, not as unset)."""


class Nil:
    """An element that must be there and be empty (`xsi:nil`)."""


NIL = Nil()


def envelope(namespace: str, operation: str, body: Node) -> bytes:
    """A SOAP 1.1 request."""
    root = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"soap": ENVELOPE, "xsi": _XSI})
    call = etree.SubElement(
        etree.SubElement(root, f"{{{ENVELOPE}}}Body"), f"{{{namespace}}}{operation}", nsmap=cast(Any, {None: namespace})
    )
    _fill(call, namespace, body)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _fill(parent: "Element", namespace: str, node: Node) -> None:
    for name, value in node:
        values = cast(list[Any], value) if isinstance(value, list) else [value]
        for one in values:
            if one is None:
                continue
            child = etree.SubElement(parent, f"{{{namespace}}}{name}")
            if isinstance(one, Nil):
                child.set(f"{{{_XSI}}}nil", "true")
            elif isinstance(one, tuple):
                _fill(child, namespace, cast(Node, one))
            else:
                child.text = spelled(one)


def spelled(value: Any) -> str:
    """A value as XML Schema spells it. Characters that XML cannot hold are left out."""
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return plain(value)
        case datetime():
            return value.replace(tzinfo=None).isoformat(timespec="seconds")
        case date():
            return f"{value.isoformat()}T00:00:00"
        case bytes():
            return b64encode(value).decode()
        case _:
            return "".join(
                char for char in str(value) if char in "\t\n\r" or (char >= " " and char not in "\ufffe\uffff")
            )


def as_data(node: Any) -> Any:
    """A request as plain data, for a preview: what is left out is left out here too."""
    if isinstance(node, tuple):
        pairs = cast(tuple[tuple[str, Any], ...], node)
        return {name: as_data(value) for name, value in pairs if value is not None}
    if isinstance(node, list):
        return [as_data(one) for one in cast(list[Any], node)]
    return None if isinstance(node, Nil) else node


def parse(content: bytes) -> "Element":
    """The answer's root. No entities, no DTD loaded, no network, no monstrous trees. Raises ValueError."""
    parser = etree.XMLParser(huge_tree=False, **xsd.NOTHING_FROM_OUTSIDE)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"the answer is not XML: {error}") from error
    if cast(Any, root.getroottree().docinfo).doctype:
        raise ValueError("the answer declares a document type, which no SOAP message may")
    return root


def child(element: "Element | None", *names: str) -> "Element | None":
    """The element reached by names, whatever their namespace (the vendor's differ in case)."""
    for name in names:
        if element is None:
            return None
        element = element.find(f"{{*}}{name}")
    return element


def children(element: "Element | None", name: str) -> Iterator["Element"]:
    """The children of that name."""
    if element is not None:
        yield from element.iterfind(f"{{*}}{name}")


def text(element: "Element | None", *names: str) -> str | None:
    """The text reached by names; None when absent, nil or empty. Raises ValueError when there are elements inside."""
    return xsd.string_of(child(element, *names)) or None


def whole(element: "Element | None", *names: str) -> int | None:
    """The whole number reached by names; Int32.MinValue means unset, as absence does. Raises ValueError."""
    found = text(element, *names)
    number = None if found is None else xsd.integer(found)
    return None if number == -2147483648 else number


def amount(element: "Element | None", *names: str) -> Decimal | None:
    """The exact decimal reached by names. Raises ValueError."""
    found = text(element, *names)
    return None if found is None else xsd.decimal(found)


def truth(element: "Element | None", *names: str) -> bool:
    """The boolean reached by names; false when absent. Raises ValueError."""
    found = text(element, *names)
    return found is not None and xsd.boolean(found)


def day(element: "Element | None", *names: str) -> date | None:
    """The date of the date-time reached by names; .NET's year 1 means none."""
    found = text(element, *names)
    if found is None:
        return None
    try:
        known = xsd.calendar_date(found)
    except ValueError:
        return None
    return known if known.year > 1 else None
