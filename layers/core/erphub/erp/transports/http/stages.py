"""The test of a connection, stage by stage; and reaching hosts, the first stages of it."""

import socket
import ssl
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import NamedTuple
from urllib.parse import urlsplit

from erphub.erp import problems
from erphub.erp.probes import Outcome, Probe, Stage
from erphub.platform.errors import CredentialsRefused, HubError

type Trial = Callable[[], str]
"""Tries a stage and says what was found. Raises HubError."""

CONNECT_SECONDS = 5


class Warned(Exception):
    """The stage passed, and the user should know something."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Step(NamedTuple):
    """One step of a test: a stage, or an area of the ERP that a stage tries by itself."""

    stage: Stage
    trial: Trial
    area: str = ""


def run(steps: Iterable[Step]) -> Iterator[Probe]:
    """Each step as it finishes; those after the first stage that fails are skipped.

    Areas of one stage are tried all, so that everything that is missing is told at once; not when the ERP takes no
    more calls or does not know the credentials.
    """
    failed: Stage | None = None
    ended = False
    for stage, trial, area in steps:
        if ended or failed not in (None, stage):
            yield Probe(stage, Outcome.SKIPPED, 0, "Not tried, as an earlier stage failed.", area=area)
            continue
        started = perf_counter()
        outcome, detail, code, refused = Outcome.PASSED, "", None, False
        try:
            detail = trial()
        except Warned as warning:
            outcome, detail, code = Outcome.WARNING, warning.detail, warning.code
        except HubError as error:
            outcome, detail, code, failed = Outcome.FAILED, error.detail, error.code, stage
            refused = isinstance(error, CredentialsRefused)
            ended = not area or refused or "retry_after" in error.members
        yield Probe(stage, outcome, round((perf_counter() - started) * 1000), detail, code, refused, area)


def reach(urls: tuple[str, ...]) -> list[Step]:
    """Name, port and certificate of the hosts. An address without TLS (a stand-in) has no TLS stage."""
    hosts = sorted({(urlsplit(url).hostname or "", urlsplit(url).port or _port(url)) for url in urls})
    stages = [
        Step(Stage.DNS, lambda: _each(hosts, _resolve)),
        Step(Stage.TCP, lambda: _each(hosts, _dial)),
    ]
    if all(urlsplit(url).scheme == "https" for url in urls):
        stages.append(Step(Stage.TLS, lambda: _each(hosts, _handshake)))
    return stages


def _port(url: str) -> int:
    return 443 if urlsplit(url).scheme == "https" else 80


def _each(hosts: list[tuple[str, int]], trial: Callable[[str, int], None]) -> str:
    for host, port in hosts:
        trial(host, port)
    return ", ".join(host for host, _ in hosts)


def _resolve(host: str, port: int) -> None:
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise problems.HOST_UNKNOWN(host=host) from error


def _dial(host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise problems.ERP_UNREACHABLE(host=host) from error


def _handshake(host: str, port: int) -> None:
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection((host, port), timeout=CONNECT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return
    except ssl.SSLError as error:
        raise problems.TLS_UNTRUSTED_CERTIFICATE(host=host) from error
    except OSError as error:
        raise problems.ERP_UNREACHABLE(host=host) from error
