"""No road out of the hub leads inside, however the way there is spelled; and there are no other roads.

Whoever adds a road (a module that opens connections to where a tenant says) adds it to `ROADS`."""

import ast
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from erphub.erp import catalogue
from erphub.erp.systems.twentyfourseven.rest import _next_page  # pyright: ignore[reportPrivateUsage]
from erphub.erp.transports.sqlserver.driver import Transport
from erphub.platform.errors import HubError
from erphub.platform.outbound import addresses as network
from erphub.platform.outbound.https import SECONDS, HttpsPost
from erphub.platform.outbound.tds.messages import Redirection
from local.emulator import ROOT

SPELLED: Mapping[str, tuple[str, Sequence[str]]] = {
    "loopback": ("127.0.0.1", []),
    "all of this machine": ("0.0.0.0", []),
    "metadata": ("169.254.169.254", []),
    "metadata of containers": ("169.254.170.2", []),
    "metadata over IPv6": ("[fd00:ec2::254]", []),
    "private": ("10.0.0.5", []),
    "shared": ("100.64.0.1", []),
    "decimal": ("2130706433", ["127.0.0.1"]),
    "hexadecimal": ("0x7f000001", ["127.0.0.1"]),
    "hexadecimal parts": ("0xa9.0xfe.0xa9.0xfe", ["169.254.169.254"]),
    "octal": ("0177.0.0.01", ["127.0.0.1"]),
    "short": ("127.1", ["127.0.0.1"]),
    "digits of another script": ("１２７.0.0.1", ["127.0.0.1"]),
    "a dot of another script": ("127。0。0。1", ["127.0.0.1"]),
    "IPv6 loopback": ("[::1]", []),
    "IPv6 unspecified": ("[::]", []),
    "IPv4 mapped": ("[::ffff:127.0.0.1]", []),
    "IPv4 mapped in hexadecimal": ("[::ffff:a9fe:a9fe]", []),
    "IPv4 compatible": ("[::7f00:1]", []),
    "IPv4 translated": ("[::ffff:0:7f00:1]", []),
    "NAT64": ("[64:ff9b::a9fe:a9fe]", []),
    "NAT64 of a site": ("[64:ff9b:1::a9fe:a9fe]", []),
    "6to4": ("[2002:a9fe:a9fe::1]", []),
    "Teredo": ("[2001:0:0:0:0:0:5601:5601]", []),
    "link-local": ("[fe80::1]", []),
    "link-local with a zone": ("[fe80::1%251]", []),
    "unique local": ("[fc00::1]", []),
    "multicast": ("[ff02::1]", []),
    "a name that leads inside": ("inside.example", ["10.0.0.5"]),
    "a name that leads outside and inside": ("both.example", ["93.184.215.14", "169.254.169.254"]),
    "a name that leads inside over IPv6": ("six.example", ["::ffff:169.254.169.254"]),
    "a name that leads through NAT64": ("nat.example", ["64:ff9b::7f00:1"]),
    "a name with a dot at its end": ("localhost.", ["127.0.0.1", "::1"]),
    "behind a user": ("example.com@127.0.0.1", ["127.0.0.1"]),
    "nothing": ("nowhere.example", []),
}

type Road = Callable[[str, network.Resolver], object]


def _plain(host: str) -> str:
    return host.removeprefix("[").removesuffix("]").replace("%25", "%")


def _webhook(host: str, resolve: network.Resolver) -> object:
    waited: list[float] = []
    with pytest.raises(HubError) as refused:
        HttpsPost(resolve=resolve, clock=lambda: 0.0, pause=waited.append)(f"https://{host}/x", {}, b"{}")
    told_late = refused.value.code == "not_reached"
    assert waited == ([SECONDS] if told_late else []), "told at the same time, whatever kept it from being reached"
    raise refused.value


def _sqlserver(host: str, resolve: network.Resolver, erp_system: str = "visma-business") -> object:
    settings = {"server": _plain(host), "authentication": "sql", "login": "reader", "encryption": "verify"}
    system = catalogue.open_system(
        erp_system, settings, {"password": "Hunter2-x"}, transport=Transport(resolve=resolve)
    )
    failed = next(probe for probe in system.check() if probe.outcome == "failed")
    raise HubError(failed.detail, code=failed.code)


def _redirected(host: str, resolve: network.Resolver) -> object:
    settings = {"server": "db.example", "authentication": "sql", "login": "reader", "encryption": "verify"}
    system: Any = catalogue.open_system(
        "sqlserver-generic", settings, {"password": "Hunter2-x"}, transport=Transport(resolve=resolve)
    )
    return system._server._redirected(Redirection(_plain(host), 1433), None)


ROADS: Mapping[str, Road] = {
    "a webhook": _webhook,
    "an ERP's SQL Server": _sqlserver,
    "where a SQL Server sends us": _redirected,
}


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Where connections were opened to; none is."""
    seen: list[object] = []

    def refuse(address: object, *_: object, **__: object) -> socket.socket:
        seen.append(address)
        raise OSError("not in this test")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: refuse(address))
    return seen


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("form", SPELLED)
def test_no_spelling_of_an_internal_address_is_dialled(dialled: list[object], road: str, form: str) -> None:
    host, found = SPELLED[form]
    with pytest.raises(HubError) as refused:
        ROADS[road](host, lambda name: list(found) if name != "db.example" else ["93.184.215.14"])
    assert not dialled
    assert refused.value.code != "internal_error"


@pytest.mark.parametrize("road", ["a webhook", "an ERP's SQL Server"])
def test_a_name_is_looked_up_once_and_what_was_judged_is_dialled(dialled: list[object], road: str) -> None:
    """A second look-up would be answered with another address."""
    answers = iter([["93.184.215.14"], ["169.254.169.254"], ["127.0.0.1"]])
    with pytest.raises(HubError):
        ROADS[road]("rebinding.example", lambda _: next(answers))
    assert dialled
    assert {address[0] for address in dialled if isinstance(address, tuple)} == {"93.184.215.14"}
    assert next(answers) == ["169.254.169.254"]


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest?page=2",
        "//10.0.0.5/?page=2",
        "http://me@127.0.0.1:80/?page=2",
        "?page=2",
        "/x?page=2",
    ],
)
def test_of_where_a_list_goes_on_only_the_question_is_taken(url: str) -> None:
    """The address stays the vendor's, whatever the header says."""
    asked = httpx.Request("GET", "https://rest.example/accounts")
    answer = httpx.Response(200, headers={"link": f'<{url}>; rel="next"'}, json=[], request=asked)
    assert _next_page(answer) == {"page": "2"}


DIALS = {
    "platform/outbound/https.py": "webhooks, guarded",
    "platform/outbound/addresses.py": "looks names up for the guard",
    "platform/outbound/tds/guard.py": "listens on loopback for a driver",
    "platform/outbound/tds/channel.py": "goes on with a connection that was dialled",
    "erp/transports/sqlserver/driver.py": "dials what was judged; the driver dials the guard on loopback",
    "erp/transports/sqlserver/drivers/freetds.py": "dials the guard on loopback",
    "erp/transports/sqlserver/drivers/native.py": "dials the guard on loopback",
    "erp/transports/sqlserver/server.py": "types of the judged connection",
    "erp/transports/sqlserver/browser.py": "asks a judged address",
    "erp/transports/http/stages.py": "a vendor's fixed address",
    "erp/transports/http/client.py": "a vendor's fixed address, redirects not followed, each exchange bounded",
    "erp/systems/twentyfourseven/rest.py": "is given the client",
    "erp/systems/twentyfourseven/soap.py": "is given the client",
    "erp/systems/twentyfourseven/sign_in.py": "is given the client",
    "erp/systems/twentyfourseven/outcomes.py": "knows the client's errors",
    "tenancy/first_administrator.py": "answers CloudFormation",
    "sign_in/cognito.py": "the user pool's fixed address, redirects not followed",
}
"""Modules that may know how to open a connection, and why."""
KNOW_HOW = {
    *("socket", "httpx", "httpcore", "urllib3", "requests", "aiohttp", "pymssql", "mssql_python", "pytds"),
    *("ftplib", "smtplib"),
    *("urllib.request", "http.client", "socketserver", "asyncio", "paramiko", "grpc", "websockets"),
}


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in found if any(name == how or name.startswith(f"{how}.") for how in KNOW_HOW)}


def test_nobody_else_opens_connections() -> None:
    package = ROOT / "layers/core/erphub"
    dial = {str(path.relative_to(package)) for path in package.rglob("*.py") if _imported(path)}
    assert dial == set(DIALS)
    assert not [path for path in (ROOT / "functions").rglob("*.py") if _imported(path)]
