"""The stand-in's SOAP 1.1: envelopes by their shapes, sessions by cookie, faults as .NET words them."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from http.cookies import CookieError, SimpleCookie
from typing import Any, cast
from uuid import UUID

from lxml import etree

from .areas import AREAS, CLOSED
from .http import Request, Response
from .shapes import BY_PATH, Field, Service
from .state import Identity, Organisation, Session, World

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"
UNABLE = "Server was unable to process request. ---> "
COOKIE = "ASP.NET_SessionId"
RANGES = {
    "unsignedByte": (0, 255),
    "short": (-(2**15), 2**15 - 1),
    "int": (-(2**31), 2**31 - 1),
    "long": (-(2**63), 2**63 - 1),
}


class SoapFault(Exception):
    """A fault: `server` says whose it is."""

    def __init__(self, message: str, *, server: bool = True) -> None:
        super().__init__(message)
        self.server = server


@dataclass
class SoapCall:
    """A call that was understood, and who makes it, as far as a session says."""

    world: World
    request: Request
    now: datetime
    arguments: dict[str, Any]
    session_id: str | None
    session: Session | None

    @property
    def identity(self) -> Identity:
        """Raises SoapFault without a session."""
        if self.session is None:
            raise SoapFault(UNABLE + "Not authenticated. The session is missing or has expired.")
        identity = self.world.identities[self.session.identity]
        if identity.blocked:
            raise SoapFault(UNABLE + f"The provided IdentityId is blocked: {identity.id}")
        return identity

    @property
    def org(self) -> Organisation:
        """The company that is signed in to. Raises SoapFault without a session."""
        return self.world.organisation(self.identity.organisation)


type Element = etree._Element  # pyright: ignore[reportPrivateUsage] - lxml has no public name for it
type SoapHandler = Callable[[SoapCall], Any]
HANDLERS: dict[tuple[str, str], SoapHandler] = {}


def operation(service: str, name: str) -> Callable[[SoapHandler], SoapHandler]:
    """Declare what answers an operation."""

    def declare(handler: SoapHandler) -> SoapHandler:
        HANDLERS[service, name] = handler
        return handler

    return declare


def asked_for(request: Request) -> tuple[Service | None, str]:
    """The service and the operation of a call, as its address and SOAPAction have it."""
    service = BY_PATH.get(request.path.lower())
    action = request.headers.get("soapaction", "").strip('"')
    if service is None:
        return None, ""
    prefix = service.namespace if service.namespace.endswith("/") else service.namespace + "/"
    return service, action.removeprefix(prefix) if action.startswith(prefix) else ""


def handle(world: World, request: Request) -> Response:
    """Answer a SOAP call."""
    service, name = asked_for(request)
    if service is None:
        return fault("The resource cannot be found.", server=False, status=404)
    try:
        return _answer(world, request, service, name)
    except SoapFault as error:
        return fault(str(error), server=error.server)


def _answer(world: World, request: Request, service: Service, name: str) -> Response:
    if request.method != "POST" or not request.headers["content-type"].startswith("text/xml"):
        raise SoapFault("The request must be a POST of text/xml with a SOAP 1.1 envelope.", server=False)
    handler = HANDLERS.get((service.name, name))
    if handler is None:
        action = request.headers.get("soapaction", "")
        raise SoapFault(f"Server did not recognize the value of HTTP Header SOAPAction: {action}.", server=False)
    over = world.soap_call_from(request.address)
    if over:
        raise SoapFault(quarantine(*over))
    arguments = _arguments(request.body, service, name)
    session_id = session_id_of(request)
    call = SoapCall(world, request, world.now(), arguments, session_id, _session(world, session_id))
    if call.session is not None and (closed := call.org.closed.get(AREAS.get(service.name, ""))):
        raise SoapFault(UNABLE + CLOSED[closed])
    return answered(service, name, handler(call))


def answered(service: Service, name: str, result: Any) -> Response:
    """An operation's answer."""
    described = service.operations[name]
    root = etree.Element(etree.QName(service.namespace, f"{name}Response"), nsmap=cast(Any, {None: service.namespace}))
    if described.answers is not None:
        write(root, service, described.answers, result)
    return envelope(root, 200)


def quarantine(over: int, ends: datetime) -> str:
    """The vendor's words for too many calls."""
    return f"Limit exceeded by {over}. Request is blocked. Quarantine ends at {ends.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def session_id_of(request: Request) -> str | None:
    """The session that the cookie names."""
    try:
        cookies = SimpleCookie(request.headers.get("cookie", ""))
    except CookieError:
        return None
    return cookies[COOKIE].value if COOKIE in cookies else None


def _session(world: World, session_id: str | None) -> Session | None:
    session = world.sessions.get(session_id or "")
    if session is None or session.until <= world.now():
        return None
    # Idle time is what ends a session, as in ASP.NET.
    session.until = world.now() + world.session_for
    return session


def envelope(content: Element, status: int) -> Response:
    """An answer with this in its body."""
    root = etree.Element(etree.QName(ENVELOPE, "Envelope"), nsmap={"soap": ENVELOPE, "xsi": XSI, "xsd": XSD})
    etree.SubElement(root, etree.QName(ENVELOPE, "Body")).append(content)
    body = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(status, body, "text/xml; charset=utf-8")


def fault(message: str, *, server: bool = True, status: int = 500) -> Response:
    """A fault as an answer."""
    content = etree.Element(etree.QName(ENVELOPE, "Fault"))
    etree.SubElement(content, "faultcode").text = "soap:Server" if server else "soap:Client"
    etree.SubElement(content, "faultstring").text = message
    etree.SubElement(content, "detail")
    return envelope(content, status)


# --- reading ---------------------------------------------------------------------------------------------------------


def _unreadable(why: str) -> SoapFault:
    return SoapFault(
        f"Server was unable to read request. ---> There is an error in XML document. ---> {why}", server=False
    )


def _arguments(body: bytes, service: Service, name: str) -> dict[str, Any]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise _unreadable(str(error)) from error
    if cast(Any, root.getroottree().docinfo).doctype:
        raise _unreadable("For security reasons DTD is prohibited in this XML document.")
    holder = root.find(f"{{{ENVELOPE}}}Body")
    if root.tag != f"{{{ENVELOPE}}}Envelope" or holder is None or len(holder) != 1:
        raise _unreadable("A SOAP 1.1 envelope with one element in its body was expected.")
    if holder[0].tag != f"{{{service.namespace}}}{name}":
        wrong = etree.QName(holder[0])
        raise _unreadable(f"<{wrong.localname} xmlns='{wrong.namespace or ''}'> was not expected.")
    return _read(holder[0], service, service.operations[name].asks)


def _read(element: Element, service: Service, fields: tuple[Field, ...]) -> dict[str, Any]:
    """The known children of an element; what is unknown is passed over, as .NET does."""
    found: dict[str, Any] = {}
    for field in fields:
        child = element.find(f"{{{service.namespace}}}{field.name}")
        if child is None or child.get(f"{{{XSI}}}nil") in ("true", "1"):
            continue
        if field.item is not None:
            items = child.findall(f"{{{service.namespace}}}{field.item}")
            found[field.name] = [_value(item, service, field.item) for item in items]
        else:
            found[field.name] = _value(child, service, field.type)
    return found


def _value(element: Element, service: Service, kind: str) -> Any:
    if kind in service.types:
        return _read(element, service, service.types[kind])
    text = element.text or ""
    try:
        return _scalar(text if kind == "string" else text.strip(), kind)
    except (ValueError, InvalidOperation) as error:
        name = etree.QName(element).localname
        raise _unreadable(f"Input string was not in a correct format: {name} = {text!r} ({kind}).") from error


def _scalar(text: str, kind: str) -> Any:
    if kind in RANGES:
        low, high = RANGES[kind]
        if not re.fullmatch(r"[+-]?\d+", text) or not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)
    if kind == "decimal":
        if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)", text):
            raise ValueError(text)  # no exponents in xs:decimal
        return Decimal(text)
    if kind == "boolean":
        return (
            {"true": True, "1": True, "false": False, "0": False}[text]
            if text in ("true", "1", "false", "0")
            else _no(text)
        )
    if kind == "dateTime":
        value = datetime.fromisoformat(text)
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if kind == "guid":
        return str(UUID(text))
    if kind == "base64Binary":
        return base64.b64decode(text, validate=False)
    return text


def _no(text: str) -> bool:
    raise ValueError(text)


# --- writing ---------------------------------------------------------------------------------------------------------


def write(parent: Element, service: Service, field: Field, value: Any) -> None:
    """Write a field; None is left out, or nil where it must be there."""
    if value is None:
        if field.nillable and not field.optional:
            nil = etree.SubElement(parent, etree.QName(service.namespace, field.name))
            nil.set(etree.QName(XSI, "nil"), "true")
        return
    element = etree.SubElement(parent, etree.QName(service.namespace, field.name))
    if field.item is not None:
        for item in cast(list[Any], value):
            _fill(etree.SubElement(element, etree.QName(service.namespace, field.item)), service, field.item, item)
    else:
        _fill(element, service, field.type, value)


def _fill(element: Element, service: Service, kind: str, value: Any) -> None:
    if kind in service.types:
        for field in service.types[kind]:
            write(element, service, field, cast(Mapping[str, Any], value).get(field.name))
    else:
        element.text = _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        # In UTC, though it does not say so.
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def midnight(day: date) -> datetime:
    """A day, where the message wants an instant."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
