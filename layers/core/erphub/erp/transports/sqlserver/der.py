"""Reading the few words of a certificate that a person needs to see: whose it is, who issued it, until when.

Python shows these only of certificates it could verify; the ones worth explaining are those it could not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

_COMMON_NAME, _ORGANISATION, _ALTERNATIVE_NAMES = b"\x55\x04\x03", b"\x55\x04\x0a", b"\x55\x1d\x11"
_SEQUENCE, _OID, _UTC_TIME, _EXTENSIONS = 0x30, 0x06, 0x17, 0xA3
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
_UNKNOWN = "an unnamed holder"


@dataclass(frozen=True)
class Names:
    """A certificate's holder, issuer, last day (ISO), and the host names and addresses it is good for."""

    subject: str
    issuer: str
    expires: str
    hosts: tuple[str, ...]


def read_certificate(der: bytes) -> Names:
    """The names in a DER certificate; what cannot be read is left unnamed rather than guessed."""
    try:
        return _read(der)
    except (IndexError, ValueError, StopIteration):
        return Names(_UNKNOWN, _UNKNOWN, "an unknown day", ())


def _read(der: bytes) -> Names:
    certificate = next(_parts(der))[1]
    body = list(_parts(next(_parts(certificate))[1]))
    if body[0][0] == 0xA0:  # the version is only written when it is not the first
        body = body[1:]
    _serial, _algorithm, issuer, validity, subject = (value for _, value in body[:5])
    extensions = next((value for tag, value in body if tag == _EXTENSIONS), b"")
    hosts = tuple(_hosts(extensions))
    common = _attribute(subject, _COMMON_NAME)
    if not any(tag == _DNS_NAME for tag, _ in _alternatives(extensions)) and common:
        hosts = (*hosts, common)  # the old custom, which counts only where there are no alternative DNS names
    return Names(_name(subject), _name(issuer), _day(list(_parts(validity))[1]), hosts)


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The tag and content of each element in a row. Raises IndexError when the data ends early."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size]), at + size
        if at + length > len(data):
            raise IndexError("an element ends beyond the data")
        yield tag, data[at : at + length]
        at += length


def _name(name: bytes) -> str:
    return _attribute(name, _COMMON_NAME) or _attribute(name, _ORGANISATION) or _UNKNOWN


def _attribute(name: bytes, oid: bytes) -> str | None:
    """One attribute of a distinguished name: printable, or not at all."""
    for _, group in _parts(name):
        for _, pair in _parts(group):
            (_, key), (_, value) = list(_parts(pair))[:2]
            if key == oid:
                return "".join(char for char in value.decode("utf-8", "replace") if char.isprintable())[:200]
    return None


def _day(time: tuple[int, bytes]) -> str:
    tag, digits = time[0], time[1].decode("ascii")
    if tag == _UTC_TIME:
        digits = ("19" if int(digits[:2]) >= 50 else "20") + digits
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}"


def _alternatives(extensions: bytes) -> Iterator[tuple[int, bytes]]:
    if not extensions:
        return
    for _, extension in _parts(next(_parts(extensions))[1]):
        fields = list(_parts(extension))
        if fields[0] == (_OID, _ALTERNATIVE_NAMES):
            yield from _parts(next(_parts(fields[-1][1]))[1])


def _hosts(extensions: bytes) -> Iterator[str]:
    for tag, value in _alternatives(extensions):
        if tag == _DNS_NAME:
            yield value.decode("ascii")
        elif tag == _IP_ADDRESS:
            yield str(ip_address(value))
