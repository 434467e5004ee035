"""Nobody but the right server gets the password."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path

import pytest

from erphub.erp.probes import Outcome, passed
from erphub.erp.transports.sqlserver import driver, tls
from erphub.erp.transports.sqlserver.driver import Login, Route, Trust
from erphub.platform.errors import ErpRefused, Unavailable
from local.sqlserver import Catalogue, Certificate, Database, StandIn, certificate

from .conftest import PASSWORD, Site
from .test_connecting import failed


@contextmanager
def serving(catalogue: Catalogue, tls: Certificate, **options: object) -> Iterator[Site]:
    with StandIn(catalogue, tls=tls, **options) as server:  # type: ignore[arg-type]
        yield Site(server)


def pem(shown: Certificate) -> str:
    return shown.authority.decode()


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
        with pytest.raises(Unavailable):
            site.open(encryption="trust").companies()
        assert not site.server.stats.logins + site.server.stats.refusals


class TestTheDriverItself:
    """The connection that carries the password verifies again, whatever the handshake before it found."""

    @pytest.fixture
    def route(self, site: Site, many: Database) -> Route:
        return Route("localhost", ip_address("127.0.0.1"), site.server.port)

    def test_it_accepts_the_right_authority_and_name(
        self, route: Route, authority_signed: Certificate, tmp_path: Path
    ) -> None:
        ca = tmp_path / "ca.pem"
        ca.write_bytes(authority_signed.authority)
        with driver.connect(route, Login("reader", PASSWORD), Trust(str(ca), "localhost")) as session:
            assert session.rows(driver.Sql("SELECT @@VERSION"))

    def test_it_refuses_another_authority(self, route: Route, site: Site, tmp_path: Path) -> None:
        ca = tmp_path / "ca.pem"
        ca.write_bytes(certificate(signed_by_authority=True).authority)
        with pytest.raises(Unavailable) as refused:
            driver.connect(route, Login("reader", PASSWORD), Trust(str(ca), "localhost"))
        assert refused.value.code == "tls_changed"
        assert not site.server.stats.logins + site.server.stats.refusals

    def test_it_refuses_another_name(
        self, route: Route, site: Site, authority_signed: Certificate, tmp_path: Path
    ) -> None:
        ca = tmp_path / "ca.pem"
        ca.write_bytes(authority_signed.authority)
        with pytest.raises(Unavailable) as refused:
            driver.connect(route, Login("reader", PASSWORD), Trust(str(ca), "db02.example.com"))
        assert refused.value.code == "tls_changed"
        assert not site.server.stats.logins + site.server.stats.refusals

    def test_it_refuses_when_the_authorities_cannot_be_read(self, route: Route, site: Site, tmp_path: Path) -> None:
        with pytest.raises(Unavailable):
            driver.connect(route, Login("reader", PASSWORD), Trust(str(tmp_path / "gone.pem"), "localhost"))
        assert not site.server.stats.logins + site.server.stats.refusals

    def test_it_leaves_no_description_of_a_connection_behind(self, route: Route) -> None:
        driver.connect(route, Login("reader", PASSWORD), Trust()).close()
        path = driver._description(os.getpid())
        assert path.read_text() == ""


def test_connections_made_at_once_are_each_verified_by_their_own_authority(
    catalogue: Catalogue, many: Database
) -> None:
    """The driver is told what to trust through one file per process; nobody may get another's."""
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
    monkeypatch.setattr(tls, "SECONDS", 0.5)
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
    failed(probes, "tls", "not_sql_server")
    assert time.monotonic() - began < 5
