"""Between driver and server: where a server sends us is judged, what it says is heard, each wait has an end."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pymssql
import pytest

from erphub.erp.probes import Outcome, passed
from erphub.erp.transports.sqlserver import driver, server
from erphub.erp.transports.sqlserver.drivers.connection import Reader
from erphub.platform.errors import CredentialsRefused, ErpRefused, HubError, Unavailable
from erphub.platform.outbound.tds.guard import LOOPBACK, Account, Guard
from local.sqlserver import Catalogue, Certificate, Database, StandIn, certificate

from .conftest import EACH_READER, PASSWORD, Site
from .test_connecting import failed

ONLY_LOOPBACK = ("127.0.0.1/32",)


@contextmanager
def listener_at(host: str) -> Iterator[tuple[int, list[bytes]]]:
    """A port that takes note of whoever comes."""
    came: list[bytes] = []
    with socket.create_server((host, 0)) as listening:

        def accept() -> None:
            try:
                while True:
                    connection, _ = listening.accept()
                    came.append(connection.recv(1))
                    connection.close()
            except OSError:
                return  # closed: the test is over

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1], came


@contextmanager
def guard_of(site: Site) -> Iterator[Guard]:
    """A guard that waits for a driver, before a server that has been reached."""
    hub_side = site.open()._server
    route, channel = hub_side.reach()
    with Guard(channel, hub_side._redirected, Account(route.server_name, PASSWORD), 5) as guard:
        yield guard


def signed_in(guard: Guard, user: str, password: str, application: str) -> pymssql.Connection:
    return pymssql.connect(
        server=LOOPBACK,
        port=str(guard.port),
        user=user,
        password=password,
        appname=application,
        login_timeout=5,
        tds_version="7.4",
        encryption="off",
    )


class TestWhereAServerSendsUs:
    """A routing token in the login's answer ([MS-TDS] 2.2.7.9)."""

    def test_an_address_that_is_not_allowed_sees_nobody(self, catalogue: Catalogue, many: Database) -> None:
        with (
            listener_at("127.0.0.2") as (port, came),
            StandIn(catalogue, redirect_to=("127.0.0.2", port)) as standin,
            pytest.raises(ErpRefused) as refused,
        ):
            Site(standin).open(networks=ONLY_LOOPBACK).companies()
        assert refused.value.code == "address_not_allowed"
        assert came == []

    def test_a_name_that_leads_inside_is_judged_as_an_address_is(self, catalogue: Catalogue, many: Database) -> None:
        transport = driver.Transport(resolve=lambda host: ["169.254.169.254"] if host == "inside.example" else [host])
        with (
            StandIn(catalogue, redirect_to=("inside.example", 80)) as standin,
            pytest.raises(Unavailable) as refused,
        ):
            Site(standin).open(networks=ONLY_LOOPBACK, transport=transport).companies()
        assert refused.value.code == "server_unreachable"

    @EACH_READER
    @pytest.mark.parametrize("encryption", ["trust", "verify"])
    def test_an_allowed_one_is_followed_once_with_its_own_certificate_verified(
        self, catalogue: Catalogue, many: Database, authority_signed: Certificate, encryption: str, reader: Reader
    ) -> None:
        with (
            StandIn(catalogue, tls=authority_signed) as worker,
            StandIn(Catalogue(), tls=authority_signed, redirect_to=("127.0.0.1", worker.port)) as gateway,
        ):
            gateway.catalogue.login("reader", PASSWORD)
            site = Site(gateway, reader)
            more = {"ca_certificate": authority_signed.authority.decode()} if encryption == "verify" else {}
            assert passed(list(site.probes(encryption=encryption, **more).values()))
            assert site.imported("gl_transactions", encryption=encryption, **more).plan.rows == 1000
            assert worker.stats.logins
            assert not worker.stats.refusals

    def test_another_certificate_there_is_refused(
        self, catalogue: Catalogue, many: Database, authority_signed: Certificate
    ) -> None:
        with (
            StandIn(catalogue, tls=certificate(signed_by_authority=True)) as worker,
            StandIn(catalogue, tls=authority_signed, redirect_to=("127.0.0.1", worker.port)) as gateway,
            pytest.raises(ErpRefused) as refused,
        ):
            Site(gateway).open(encryption="verify", ca_certificate=authority_signed.authority.decode()).companies()
        assert refused.value.code == "tls_untrusted_certificate"
        assert not worker.stats.logins + worker.stats.refusals

    def test_a_circle_ends(self, catalogue: Catalogue, many: Database) -> None:
        with StandIn(catalogue) as standin:
            standin.redirect_to = ("127.0.0.1", standin.port)
            with pytest.raises(HubError):
                Site(standin).open().companies()
            assert 1 <= sum(standin.stats.logins.values()) <= 2


class TestWhoSignsIn:
    """The port on loopback is open to whatever else runs on the machine."""

    @pytest.mark.parametrize(
        ("user", "password", "application"),
        [("reader", PASSWORD, "ERP Hub"), ("reader", "", ""), ("FJORD\\reader", PASSWORD, "ERP Hub")],
        ids=["with the right password", "without any", "by Windows"],
    )
    def test_who_does_not_show_the_token_is_turned_away_and_the_server_hears_nothing(
        self, site: Site, many: Database, user: str, password: str, application: str
    ) -> None:
        with guard_of(site) as guard:
            with pytest.raises(pymssql.Error):
                signed_in(guard, user, password, application)
            with pytest.raises(Unavailable) as told:
                guard.require_signed_in()
        assert told.value.code == "connection_cut"
        assert not site.server.stats.logins
        assert not site.server.stats.refusals

    def test_the_driver_is_told_no_password(self, site: Site, many: Database) -> None:
        with guard_of(site) as guard:
            signed_in(guard, "reader", guard.token, "whatever").close()
            guard.require_signed_in()
            assert PASSWORD not in repr(guard)
            assert guard.token not in repr(guard)
        assert site.server.stats.logins == {"reader": 1}

    def test_a_second_one_finds_nobody_while_the_first_is_served(self, site: Site, many: Database) -> None:
        with guard_of(site) as guard:
            first = signed_in(guard, "reader", guard.token, "")
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((LOOPBACK, guard.port), 1)
            first.close()

    def test_a_driver_whose_place_was_taken_says_that_the_connection_failed(
        self, site: Site, many: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begin, strangers = Guard.start, list[socket.socket]()

        def begin_with_a_stranger(guard: Guard) -> Guard:
            begin(guard)
            strangers.append(socket.create_connection((LOOPBACK, guard.port), 1))
            return guard

        monkeypatch.setattr(Guard, "start", begin_with_a_stranger)
        began = time.monotonic()
        with pytest.raises(Unavailable):
            site.open().companies()
        assert time.monotonic() - began < driver.LOGIN_SECONDS + 5
        assert not site.server.stats.logins
        for stranger in strangers:
            stranger.close()


class TestWhatIsSaidAtTheLogin:
    ERRORS = (
        (17892, "Logon failed for login 'reader' due to trigger execution.", "logon_trigger"),
        (17809, "Could not connect because the maximum number of '10' user connections was reached.", "server_full"),
        (18401, "Login failed for user 'reader'. Reason: Server is in script upgrade mode.", "server_starting"),
        (42109, "The SQL pool is warming up. Please try again.", "server_starting"),
        (18456, "Login failed for user 'reader'.", "credentials_refused"),
        (60001, "Something that nobody knows.", "connection_refused"),
    )

    @pytest.mark.parametrize(("number", "text", "code"), ERRORS, ids=[code for *_, code in ERRORS])
    def test_it_is_answered_alike_whether_the_certificate_is_verified_or_not(
        self, site: Site, many: Database, authority_signed: Certificate, number: int, text: str, code: str
    ) -> None:
        site.server.inject("error", statement="login", number=number, text=text, times=0)
        verified = {"encryption": "verify", "ca_certificate": authority_signed.authority.decode()}
        for options in ({"encryption": "trust"}, verified):
            for _ in range(2):  # the driver keeps a second failure's words to itself
                with pytest.raises(HubError) as told:
                    site.open(**options).companies()
                assert told.value.code == code

    def test_wrong_passwords_are_told_each_time(self, site: Site, many: Database) -> None:
        for _ in range(3):
            with pytest.raises(CredentialsRefused):
                site.open(password="wrong").companies()


class TestEveryWaitHasAnEnd:
    def test_a_server_that_drips_is_given_up_like_one_that_is_silent(
        self, site: Site, many: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(driver, "ANSWER_SECONDS", 0.5)
        site.server.inject("delay", statement="databases", seconds=3600, times=0)
        began = time.monotonic()
        with pytest.raises(Unavailable) as slow:
            site.open().companies()
        site.server.faults.release()
        assert slow.value.code == "query_timeout"
        assert time.monotonic() - began < 10

    def test_a_test_ends_as_a_whole_however_many_stages_are_slow(
        self, site: Site, many: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server, "TEST_SECONDS", 1.5)
        site.server.inject("delay", statement="identity", seconds=1, times=0)
        site.server.inject("delay", statement="databases", seconds=3600, times=0)
        began = time.monotonic()
        probes = site.probes()
        site.server.faults.release()
        failed(probes, "databases", "query_timeout")
        assert probes["login"].outcome is Outcome.PASSED
        assert time.monotonic() - began < 10

    def test_nothing_is_left_running_when_a_session_ends_in_the_middle_of_an_answer(
        self, site: Site, many: Database
    ) -> None:
        opened = site.open()
        with opened._server.session() as session:
            session.rows(driver.Sql("SELECT @@VERSION"))
        waited = time.monotonic()
        while any(thread.name.startswith("tds-guard") for thread in threading.enumerate()):
            assert time.monotonic() - waited < 5
            time.sleep(0.01)


class TestServersThatKnowNoUse:
    """Azure SQL Database answers USE with error 40508; a database is entered with the login."""

    @EACH_READER
    def test_companies_are_tested_and_read_over_connections_of_their_own(self, site: Site, many: Database) -> None:
        site.server.inject("error", statement="use", number=40508, text="USE is not supported.", times=0)
        assert passed(list(site.probes().values()))
        assert site.imported("gl_transactions").plan.rows == 1000

    def test_a_login_of_one_database_gets_in_by_naming_it(self, site: Site, many: Database) -> None:
        site.catalogue.login("contained", PASSWORD, databases=["F0001"], contained_in="F0001")
        with pytest.raises(CredentialsRefused):
            site.open("sqlserver-generic", login="contained").companies()
        probes = site.probes(system="sqlserver-generic", login="contained", login_database="F0001")
        assert passed(list(probes.values()))

    def test_a_database_that_is_gone_is_told_as_gone(self, site: Site, many: Database) -> None:
        company = site.company()
        site.catalogue.drop("F0001")
        opened = site.open()
        with pytest.raises(ErpRefused) as gone, opened._server.database(company.attributes["database"]):
            raise AssertionError("nobody is in a database that is gone")
        assert gone.value.code == "company_gone"
