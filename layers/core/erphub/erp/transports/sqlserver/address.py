r"""Where a SQL Server is, as people write it, taken apart: host, port or instance, and nothing that could mislead.

    db01.firma.no              host, the default port
    db01\VISMA                 a named instance; its port is asked from SQL Browser
    db01,14330  db01:14330     a port
    tcp:db01.firma.no,14330    as management tools write it
    192.0.2.7  [2001:db8::7]:1433  2001:db8::7

With both an instance and a port the port wins, because that is what every driver does; it is said, not hidden.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from erphub.erp.transports.sqlserver import problems
from erphub.platform.errors import Invalid

DEFAULT_PORT = 1433
MAX_ADDRESS_LENGTH = 300

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_INSTANCE = re.compile(r"[A-Za-z_][A-Za-z0-9_$-]{0,30}")
_DIGITS = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True)
class Address:
    """A server to connect to. Exactly one of `port` and `instance` decides; `warning` says what was left out."""

    host: str
    port: int | None = None
    instance: str | None = None
    warning: str | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.instance is not None:
            return f"{host}\\{self.instance}"
        return f"{host},{self.port or DEFAULT_PORT}"


def parse(text: str, pointer: str = "/server") -> Address:
    """The address in what was typed.

    Raises Invalid with one of `server_empty`, `server_too_long`, `server_characters`, `server_form`,
    `server_name`, `server_instance`, `server_port`.
    """
    typed = text.strip(" ")
    if not typed:
        raise problems.SERVER_EMPTY.alone(pointer)
    if len(typed) > MAX_ADDRESS_LENGTH:
        raise problems.SERVER_TOO_LONG.alone(pointer, maximum=MAX_ADDRESS_LENGTH)
    odd = next((char for char in typed if not "!" <= char <= "~"), None)
    if odd is not None:
        # Spaces, control characters, letters that look like others: none can be part of a host name as it is dialled.
        raise problems.SERVER_CHARACTERS.alone(pointer, code_point=ord(odd))
    if typed[:4].lower() == "tcp:":
        typed = typed[4:]
    host, rest = _split_host(typed, pointer)
    return _with_rest(host, rest, pointer)


def _split_host(typed: str, pointer: str) -> tuple[str, str]:
    """The host, checked, and what follows it."""
    if typed.startswith("["):
        inside, bracket, rest = typed[1:].partition("]")
        if not bracket:
            raise _form(pointer)
        return _ipv6(inside, pointer), rest
    if typed.count(":") > 1:
        inside, comma, port = typed.partition(",")
        return _ipv6(inside, pointer), comma + port
    end = next((at for at, char in enumerate(typed) if char in "\\,:"), len(typed))
    return _name(typed[:end], pointer), typed[end:]


def _with_rest(host: str, rest: str, pointer: str) -> Address:
    if not rest:
        return Address(host, DEFAULT_PORT)
    if rest[0] in ",:":
        return Address(host, _port(rest[1:], pointer))
    if rest[0] != "\\":
        raise _form(pointer)
    end = next((at for at, char in enumerate(rest) if char in ",:"), None)
    instance = rest[1:end]
    if not _INSTANCE.fullmatch(instance):
        raise problems.SERVER_INSTANCE.alone(pointer)
    if end is not None:
        port = _port(rest[end + 1 :], pointer)
        words = f"Both the instance {instance} and the port {port} were given. The port is used; the instance is not."
        return Address(host, port, warning=words)
    if instance.upper() == "MSSQLSERVER":  # the default instance by its full name
        return Address(host, DEFAULT_PORT)
    return Address(host, instance=instance)


def _port(digits: str, pointer: str) -> int:
    if not _DIGITS.fullmatch(digits) or not 1 <= int(digits) <= 65535:
        raise problems.SERVER_PORT.alone(pointer)
    return int(digits)


def _ipv6(text: str, pointer: str) -> str:
    try:
        if "%" in text:  # a zone names a network card of the machine that dials
            raise problems.ZONE_IN_ADDRESS.alone(pointer)
        return str(IPv6Address(text))
    except AddressValueError as error:
        raise problems.NO_IPV6_ADDRESS.alone(pointer) from error


def _name(text: str, pointer: str) -> str:
    """A host name or an IPv4 address in its one plain spelling; `0x7f.1` and `2130706433` are refused as names."""
    name = text.removesuffix(".")
    labels = name.split(".")
    if not name or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise problems.SERVER_NAME.alone(pointer)
    if re.fullmatch(r"[0-9]+|0[xX][0-9A-Fa-f]*", labels[-1]):
        try:
            return str(IPv4Address(name))
        except AddressValueError as error:
            raise problems.NO_IPV4_ADDRESS.alone(pointer) from error
    return name.lower()


def _form(pointer: str) -> Invalid:
    return problems.SERVER_FORM.alone(pointer)
