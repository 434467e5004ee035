"""SQL Browser: which port a named instance listens on, asked over UDP 1434 (MC-SQLR) with a time-out of our own.

The driver would ask sixteen times, a second each. We ask twice within two seconds, and only the port of the answer is
used: the answer is not authenticated, so it must not be able to send us to another host.
"""

import re
import socket
from ipaddress import IPv6Address

from erphub.erp.transports.sqlserver import problems
from erphub.platform.errors import ErpRefused
from erphub.platform.outbound.addresses import IP

PORT = 1434
SECONDS = 1.0
"""How long one question waits for its answer; there are at most two."""

_ONE, _ALL, _ANSWER = b"\x04", b"\x03", 0x05


def port_of(instance: str, ip: IP, browser_port: int = PORT) -> int:
    """The TCP port of the instance.

    Raises ErpRefused `instance_not_found` (the browser answers, but knows no such instance, or one without TCP), and
    Unavailable `browser_unreachable` (nobody answers).
    """
    family = socket.AF_INET6 if isinstance(ip, IPv6Address) else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        udp.settimeout(SECONDS)
        udp.connect((str(ip), browser_port))  # only answers of this host and port are heard
        described = _ask(udp, _ONE + instance.encode("ascii") + b"\0")
        if described is not None:
            port = _ports(described).get(instance.upper())
            if port is not None:
                return port
            raise _not_found(instance, {})
        everything = _ask(udp, _ALL)  # an unknown instance is answered with silence, so ask what there is
    if everything is None:
        raise problems.BROWSER_UNREACHABLE(instance=instance, port=PORT)
    ports = _ports(everything)
    if instance.upper() in ports:
        return ports[instance.upper()]
    raise _not_found(instance, ports)


def _ask(udp: socket.socket, question: bytes) -> str | None:
    try:
        udp.send(question)
        answer = udp.recv(65535)
    except (TimeoutError, ConnectionRefusedError):
        return None
    except OSError as error:
        raise problems.BROWSER_NOT_REACHED() from error
    if len(answer) < 3 or answer[0] != _ANSWER:
        return None
    return answer[3 : 3 + int.from_bytes(answer[1:3], "little")].decode("latin-1")


def _ports(described: str) -> dict[str, int]:
    """Instance names in capitals and their TCP ports; what has none, or nonsense, is left out."""
    ports: dict[str, int] = {}
    for block in described.split(";;"):
        words = block.strip(";").split(";")
        fields = dict(zip(words[::2], words[1::2], strict=False))
        port = fields.get("tcp", "")
        if re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) < 65536:
            ports[fields.get("InstanceName", "").upper()] = int(port)
    return ports


def _not_found(instance: str, ports: dict[str, int]) -> ErpRefused:
    known = f" It knows {', '.join(sorted(ports))}." if ports else ""
    return problems.INSTANCE_NOT_FOUND(instance=instance, known=known)
