"""Which addresses a tenant's server may have: the public internet, and what this deployment explicitly allows.

A tenant types the address, so the hub must not be talked into calling its own machine, its neighbours or the cloud's
metadata service. A name is resolved once, every address it has is judged, and the connection goes to a judged address,
never to the name again (which might mean something else a moment later).
"""

import queue
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from erphub.platform import problems
from erphub.platform.errors import Unavailable
from erphub.platform.outbound import deadlines

type IP = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network
type Resolver = Callable[[str], Sequence[str]]
"""Takes a host name, gives its addresses as text. Raises OSError."""

# Not global by the book already: loopback, link-local (with 169.254.169.254), private, shared, reserved, unspecified.
# These are global unicast by their bits, yet lead inside: cloud metadata, and addresses that carry an IPv4 address.
_NEVER: tuple[Network, ...] = tuple(
    ip_network(text) for text in ("fd00:ec2::/32", "168.63.129.16/32", "100.100.100.200/32", "192.88.99.0/24")
)
_NAT64 = IPv6Network("64:ff9b::/96")
_6TO4 = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")


RESOLVE_SECONDS = 10.0
"""The longest that looking a name up may take: a tenant's own name server answers for a tenant's name."""


def system_resolver(host: str) -> list[str]:
    """The addresses the operating system knows for the host."""
    return in_time(_look_up, host, RESOLVE_SECONDS)


def in_time(look_up: Callable[[str], list[str]], host: str, seconds: float) -> list[str]:
    """What the look-up gives, when it gives it in time; nobody can end one. Raises OSError (TimeoutError)."""
    found: queue.SimpleQueue[list[str] | OSError | UnicodeError] = queue.SimpleQueue()

    def run() -> None:
        try:
            found.put(look_up(host))
        except (OSError, UnicodeError) as error:
            found.put(error)

    threading.Thread(target=run, name="look-up", daemon=True).start()
    try:
        answer = found.get(timeout=deadlines.current().within(seconds).left)
    except queue.Empty as late:
        raise TimeoutError("the name servers took too long") from late
    if isinstance(answer, Exception):
        raise answer
    return answer


def _look_up(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """The networks as written in a deployment's settings (CIDR). Raises ValueError for what is none."""
    return tuple(ip_network(text.strip()) for text in texts if text.strip())


def addresses(host: str, allowed: Sequence[Network], resolve: Resolver = system_resolver) -> list[IP]:
    """Every address of the host, when a connection to each of them is allowed.

    One address that is not allowed forbids the name: it would otherwise be a matter of luck which one is used.
    Raises Unavailable (`host_unknown`), ErpRefused (`address_not_allowed`).
    """
    try:
        found = [ip_address(host)]
    except ValueError:
        found = _resolved(host, resolve)
    plain = [_unwrapped(ip) for ip in found]
    if not all(_may(ip, allowed) for ip in plain):
        raise problems.ADDRESS_NOT_ALLOWED(host=host)
    return plain


@dataclass(frozen=True)
class AddressGuard:
    """Judges hosts that tenants name, for a deployment that allows some internal networks."""

    allowed: Sequence[Network] = ()
    resolve: Resolver = system_resolver

    def addresses(self, host: str) -> list[IP]:
        """Every address of the host. Raises Unavailable (`host_unknown`), ErpRefused (`address_not_allowed`)."""
        return addresses(host, self.allowed, self.resolve)


def _resolved(host: str, resolve: Resolver) -> list[IP]:
    try:
        found = [ip_address(text) for text in resolve(host)]
    except (OSError, UnicodeError) as error:
        raise _unknown(host) from error
    if not found:
        raise _unknown(host)
    return found


def _unknown(host: str) -> Unavailable:
    return problems.HOST_UNKNOWN(host=host)


def _unwrapped(ip: IP) -> IP:
    """The IPv4 address that an IPv6 address merely carries: it is where the packets end."""
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip


def _may(ip: IP, allowed: Sequence[Network]) -> bool:
    if any(ip in network for network in allowed if network.version == ip.version):
        return True
    if any(ip in network for network in _NEVER if network.version == ip.version):
        return False
    if isinstance(ip, IPv6Address):
        carried = _carried(ip)
        if carried is not None and not _may(carried, allowed):
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _carried(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address behind a translated or tunnelled IPv6 address."""
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip in _6TO4:
        return ip.sixtofour
    if ip in _TEREDO and ip.teredo is not None:
        return ip.teredo[1]
    return None
