"""Nobody but the right server gets the password."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from ipaddress import ip_address

import pytest

from erphub.erp.probes import Outcome, passed
from erphub.erp.transports.sqlserver import driver, tls
from erphub.erp.transports.sqlserver.driver import Login, Route
from erphub.erp.transports.sqlserver.drivers import freetds
from erphub.erp.transports.sqlserver.drivers.connection import Reader
from erphub.erp.transports.sqlserver.tls import Trust
from erphub.platform.errors import ErpRefused, Invalid
from erphub.platform.outbound.deadlines import Deadline
from erphub.platform.outbound.tds.channel import STRICT_PROTOCOL, Channel
from erphub.platform.outbound.tds.messages import Redirection
from local.sqlserver import Catalogue, Certificate, Database, StandIn, certificate

from .conftest import EACH_READER, PASSWORD, Site
from .test_connecting import failed


@contextmanager
def serving(catalogue: Catalogue, tls: Certificate, **options: object) -> Iterator[Site]:
    with StandIn(catalogue, tls=tls, **options) as server:  # type: ignore[arg-type]
        yield Site(server)


def pem(shown: Certificate) -> str:
    return shown.authority.decode()


@EACH_READER
def test_with_the_right_authority_the_server_is_verified(
    site: Site, many: Database, authority_signed: Certificate
) -> None:
    probes = site.probes(encryption="verify", ca_certificate=pem(authority_signed))
    assert passed(list(probes.values()))
    assert probes["tls"].outcome is Outcome.PASSED
    assert "Stand-in authority" in probes["tls"].detail
    assert site.imported("gl_transactions", encryption="verify", ca_certificate=pem(authority_signed)).plan.rows == 1000


def test_a_certificate_of_another_authority_is_refused_with_what_it_says(site: Site, many: Database) -> None:
    other = certificate(signed_by_authority=True)
    probe = failed(site.probes(encryption="verify", ca_certificate=pem(other)), "tls", "tls_untrusted_certificate")
    assert "localhost" in probe.detail
    assert "Stand-in authority" in probe.detail
    assert "valid until 20" in probe.detail
    assert not site.server.stats.logins + site.server.stats.refusals


def test_without_an_authority_only_public_ones_count(site: Site, many: Database) -> None:
    failed(site.probes(encryption="verify"), "tls", "tls_untrusted_certificate")


def test_a_certificate_for_another_host_is_refused(catalogue: Catalogue, many: Database) -> None:
    elsewhere = certificate(["db02.example.com"], signed_by_authority=True)
    with serving(catalogue, elsewhere) as site:
        probe = failed(site.probes(encryption="verify", ca_certificate=pem(elsewhere)), "tls", "tls_hostname_mismatch")
        assert "db02.example.com" in probe.detail
        assert not site.server.stats.logins + site.server.stats.refusals


@pytest.mark.parametrize("name", ["db01.example.com", "*.example.com", "DB01.Example.com"])
def test_the_name_as_typed_is_what_the_certificate_must_cover(catalogue: Catalogue, many: Database, name: str) -> None:
    shown = certificate([name], signed_by_authority=True)
    transport = driver.Transport(resolve=lambda _: ["127.0.0.1"])
    with serving(catalogue, shown) as site:
        probes = site.probes(
            server=f"db01.example.com,{site.server.port}",
            encryption="verify",
            ca_certificate=pem(shown),
            transport=transport,
        )
        assert passed(list(probes.values())), probes
        failed(
            site.probes(
                server=f"db01.example.org,{site.server.port}",
                encryption="verify",
                ca_certificate=pem(shown),
                transport=transport,
            ),
            "tls",
            "tls_hostname_mismatch",
        )


def test_a_self_signed_certificate_is_trusted_when_it_is_given(catalogue: Catalogue, many: Database) -> None:
    own = certificate()
    with serving(catalogue, own) as site:
        assert passed(list(site.probes(encryption="verify", ca_certificate=pem(own)).values()))
        failed(site.probes(encryption="verify"), "tls", "tls_untrusted_certificate")


def test_a_server_that_insists_on_encryption_is_served(catalogue: Catalogue, many: Database) -> None:
    with serving(catalogue, certificate(), encryption="required") as site:
        assert passed(list(site.probes().values()))


@pytest.mark.parametrize("encryption", ["trust", "verify"])
def test_a_server_without_encryption_gets_no_password(catalogue: Catalogue, many: Database, encryption: str) -> None:
    with serving(catalogue, certificate(), encryption="none") as site:
        failed(site.probes(encryption=encryption), "tls", "tls_not_offered")
        with pytest.raises(ErpRefused):
            site.open(encryption="trust").companies()
        assert not site.server.stats.logins + site.server.stats.refusals


class TestTheConnectionItself:
    """What carries the password is what was verified: there is no second connection."""

    @pytest.fixture
    def route(self, site: Site, many: Database) -> Route:
        return Route("localhost", ip_address("127.0.0.1"), site.server.port)

    def test_it_accepts_the_right_authority_and_name(self, route: Route, authority_signed: Certificate) -> None:
        channel = tls.encrypted(route.dial, route.host, Trust(True, pem(authority_signed)), Deadline(10))
        with driver.connect(channel, "localhost", Login("reader", PASSWORD), nowhere) as session:
            assert session.rows(driver.Sql("SELECT @@VERSION"))

    def test_it_refuses_another_authority(self, route: Route, site: Site) -> None:
        other = certificate(signed_by_authority=True)
        with pytest.raises(ErpRefused) as refused:
            tls.encrypted(route.dial, route.host, Trust(True, pem(other)), Deadline(10))
        assert refused.value.code == "tls_untrusted_certificate"
        assert not site.server.stats.logins + site.server.stats.refusals

    def test_it_refuses_another_name(self, route: Route, site: Site, authority_signed: Certificate) -> None:
        with pytest.raises(ErpRefused) as refused:
            tls.encrypted(route.dial, "db02.example.com", Trust(True, pem(authority_signed)), Deadline(10))
        assert refused.value.code == "tls_hostname_mismatch"
        assert not site.server.stats.logins + site.server.stats.refusals

    def test_it_refuses_when_the_authorities_cannot_be_read(self, route: Route, site: Site) -> None:
        with pytest.raises(Invalid):
            tls.encrypted(route.dial, route.host, Trust(True, "gone"), Deadline(10))
        assert not site.server.stats.logins + site.server.stats.refusals

    def test_the_driver_reads_no_file_of_the_machine_s_owner(self, route: Route) -> None:
        channel = tls.encrypted(route.dial, route.host, Trust(False), Deadline(10))
        driver.connect(channel, "localhost", Login("reader", PASSWORD), nowhere).close()
        path = freetds._forget_files_of_others(os.getpid())
        assert path.read_text() == ""


def nowhere(to: Redirection, deadline: Deadline) -> Channel:
    raise AssertionError(f"nobody is sent to {to.host}")


class TestStrictEncryption:
    @EACH_READER
    def test_a_server_that_forces_it_is_served(
        self, catalogue: Catalogue, many: Database, authority_signed: Certificate, reader: Reader
    ) -> None:
        with serving(catalogue, authority_signed, encryption="strict") as site:
            site.reader = reader
            options = {"encryption": "verify", "ca_certificate": pem(authority_signed)}
            assert passed(list(site.probes(**options).values()))
            assert site.imported("gl_transactions", **options).plan.rows == 1000

    def test_its_certificate_is_verified_all_the_same(self, catalogue: Catalogue, many: Database) -> None:
        with serving(catalogue, certificate(), encryption="strict") as site:
            failed(site.probes(encryption="verify"), "tls", "tls_untrusted_certificate")
            assert not site.server.stats.logins + site.server.stats.refusals

    def test_one_that_then_hangs_up_is_told_by_its_name(self, site: Site) -> None:
        context = certificate().context()
        context.set_alpn_protocols([STRICT_PROTOCOL])
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def serve() -> None:
                with suppress(OSError):  # the listener is closed when the test is over
                    while True:
                        client, _ = listener.accept()
                        with client, suppress(OSError):
                            if client.recv(1, socket.MSG_PEEK) == b"\x16":
                                with context.wrap_socket(client, server_side=True) as secure:
                                    secure.recv(1)

            threading.Thread(target=serve, daemon=True).start()
            probes = site.probes(server=f"127.0.0.1,{listener.getsockname()[1]}")
        assert "TDS 8.0" in failed(probes, "tls", "strict_encryption").detail


def test_connections_made_at_once_are_each_verified_by_their_own_authority(
    catalogue: Catalogue, many: Database
) -> None:
    shown = [certificate(signed_by_authority=True) for _ in range(2)]
    with serving(catalogue, shown[0]) as first, serving(catalogue, shown[1]) as second:

        def ask(number: int) -> str:
            site, trusted = (first, second)[number % 2], shown[number // 2 % 2]
            opened = site.open(encryption="verify", ca_certificate=pem(trusted))
            try:
                return str(opened.companies()[0].key)
            except ErpRefused as error:
                return error.code

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, range(32)))
    right, wrong = "F0001", "tls_untrusted_certificate"
    assert answers == [right, wrong, wrong, right] * 8


def test_a_server_that_speaks_ever_so_slowly_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "HANDSHAKE_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as slow:

        def drip() -> None:
            with suppress(OSError):  # the listener is closed when the test is over
                while True:  # the first connection only knocks
                    client, _ = slow.accept()
                    with client, suppress(ConnectionError):
                        while client.recv(1):
                            client.sendall(b"\x04")
                            time.sleep(0.01)

        threading.Thread(target=drip, daemon=True).start()
        began = time.monotonic()
        probes = site.probes(server=f"127.0.0.1,{slow.getsockname()[1]}")
    failed(probes, "tcp", "server_unreachable")
    assert time.monotonic() - began < 5
