"""The connection test: stage by stage, and what it says when something is wrong."""

import socket
import threading
import time
from contextlib import suppress
from typing import Any

import pytest

from erphub.erp.probes import Outcome, Probe, passed
from erphub.erp.transports.sqlserver import browser
from erphub.erp.transports.sqlserver.driver import Transport
from erphub.platform.errors import CredentialsRefused, Unavailable
from local.sqlserver import Database, StandIn

from .conftest import PASSWORD, Fill, Site

STAGES = ["dns", "tcp", "tls", "login", "databases", "permissions", "read"]


def failed(probes: dict[str, Probe], stage: str, code: str) -> Probe:
    """The stage failed with this code, those before it did not, and those after it were not tried."""
    assert list(probes) == STAGES
    at = STAGES.index(stage)
    assert [probes[one].outcome for one in STAGES[:at]].count(Outcome.FAILED) == 0
    assert {probes[one].outcome for one in STAGES[at + 1 :]} <= {Outcome.SKIPPED}
    assert (probes[stage].outcome, probes[stage].code) == (Outcome.FAILED, code)
    assert not passed(list(probes.values()))
    return probes[stage]


def test_a_good_connection_passes_every_stage(site: Site, many: Database) -> None:
    probes = site.probes()
    assert list(probes) == STAGES
    assert passed(list(probes.values()))
    assert probes["tls"].outcome is Outcome.WARNING
    assert all(probe.duration_ms >= 0 and probe.detail for probe in probes.values())
    assert "F0001" in probes["read"].detail


def test_an_empty_company_passes_too(site: Site, ledger: Fill) -> None:
    ledger()
    assert passed(list(site.probes().values()))


def test_a_wrong_password_says_so_and_tells_nothing_more(site: Site, many: Database) -> None:
    probe = failed(site.probes(password="wrong-CANARY"), "login", "credentials_refused")
    assert "CANARY" not in probe.detail


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"disabled": True}, "login_disabled"),
        ({"expired": True}, "password_expired"),
        ({"must_change": True}, "password_must_change"),
        ({"default_database": "gone"}, "default_database"),
    ],
)
def test_a_login_that_cannot_be_used_says_what_to_change(
    site: Site, many: Database, options: dict[str, Any], code: str
) -> None:
    site.catalogue.login("reader", PASSWORD, **options)
    probe = failed(site.probes(), "login", code)
    assert probe.refused is (code != "default_database"), "only what is about the login stops the connection"


def test_an_earlier_failure_in_the_process_does_not_colour_a_later_one(site: Site, many: Database) -> None:
    failed(site.probes(password="wrong"), "login", "credentials_refused")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    failed(site.probes(server=f"127.0.0.1,{port}"), "tcp", "server_unreachable")
    failed(site.probes(server="nosuch.invalid"), "dns", "host_unknown")
    assert passed(list(site.probes().values()))


def test_a_windows_login_with_its_password_works(site: Site, many: Database) -> None:
    site.catalogue.login("CORP\\kari", "w1ndows", databases=["vbsys", "F0001"], windows=True)
    probes = site.probes(authentication="windows", login="CORP\\kari", password="w1ndows")
    assert passed(list(probes.values()))
    assert "CORP\\kari" in probes["login"].detail


def test_a_windows_login_with_a_wrong_password_is_refused(site: Site, many: Database) -> None:
    site.catalogue.login("CORP\\kari", "w1ndows", databases=["vbsys", "F0001"], windows=True)
    probes = site.probes(authentication="windows", login="CORP\\kari", password="wrong")
    assert probes["login"].outcome is Outcome.FAILED
    assert probes["login"].code in ("windows_login_refused", "credentials_refused")


def test_a_login_with_sql_in_it_is_just_a_login_nobody_has(site: Site, many: Database) -> None:
    failed(site.probes(login="x'; DROP TABLE AcTr;--"), "login", "credentials_refused")
    assert site.imported("gl_transactions").plan.rows == 1000


class TestTheWayThere:
    def test_an_address_the_deployment_does_not_allow_is_never_dialled(self, site: Site) -> None:
        failed(site.probes(networks=()), "tcp", "server_unreachable")
        assert site.server.stats.counts["connections"] == 0

    def test_a_name_that_means_something_else_a_moment_later_is_not_asked_again(
        self, site: Site, many: Database
    ) -> None:
        answers = iter([["127.0.0.1"]])
        transport = Transport(resolve=lambda _: next(answers))
        probes = site.probes(server=f"rebinding.example.com,{site.server.port}", transport=transport)
        assert passed(list(probes.values()))

    def test_nobody_at_the_port_is_an_answer(self, site: Site) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        probe = failed(site.probes(server=f"127.0.0.1,{port}"), "tcp", "server_unreachable")
        assert "listens on TCP" in probe.detail

    def test_another_service_at_the_port_gets_no_password(self, site: Site) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            heard = answer_like_a_web_server(other)
            failed(site.probes(server=f"127.0.0.1,{other.getsockname()[1]}"), "tcp", "server_unreachable")
        assert heard
        assert all(PASSWORD.encode("utf-16-le") not in one and PASSWORD.encode() not in one for one in heard)

    def test_an_instance_is_found_through_sql_browser(self, site: Site, many: Database) -> None:
        transport = Transport(browser_port=site.server.browser_port)
        assert passed(list(site.probes(server="127.0.0.1\\visma", transport=transport).values()))

    def test_an_unknown_instance_is_told_quickly_with_those_there_are(self, site: Site) -> None:
        transport = Transport(browser_port=site.server.browser_port)
        began = time.monotonic()
        probe = failed(site.probes(server="127.0.0.1\\OTHER", transport=transport), "tcp", "instance_not_found")
        assert "VISMA" in probe.detail
        assert time.monotonic() - began < 4

    def test_a_silent_browser_suggests_to_enter_the_port(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(browser, "SECONDS", 0.1)
        assert site.server.browser is not None
        site.server.browser.silent = True
        transport = Transport(browser_port=site.server.browser_port)
        probe = failed(site.probes(server="127.0.0.1\\VISMA", transport=transport), "tcp", "browser_unreachable")
        assert "server,port" in probe.detail

    def test_no_browser_at_all_is_told_at_once(self, site: Site) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        failed(
            site.probes(server="127.0.0.1\\VISMA", transport=Transport(browser_port=port)), "tcp", "browser_unreachable"
        )

    def test_with_an_instance_and_a_port_the_port_is_used_and_the_test_warns(self, site: Site, many: Database) -> None:
        probes = site.probes(server=f"127.0.0.1\\OTHER,{site.server.port}")
        assert (probes["tcp"].outcome, probes["tcp"].code) == (Outcome.WARNING, "instance_ignored")
        assert passed(list(probes.values()))

    def test_ipv6_is_dialled_and_its_absence_from_a_machine_is_told(self, site: Site, many: Database) -> None:
        try:
            server = StandIn(site.catalogue, host="::1").start()
        except OSError:  # a container may have no IPv6, not even loopback
            failed(site.probes(server=f"[::1]:{site.server.port}"), "tcp", "server_unreachable")
            return
        try:
            assert passed(list(Site(server).probes(server=f"[::1]:{server.port}").values()))
        finally:
            server.stop()


class TestRights:
    def test_a_login_without_any_company_is_told_so(self, site: Site) -> None:
        failed(site.probes(), "databases", "no_company_databases")

    def test_a_login_that_can_open_none_of_them_is_told_why(self, site: Site, company: Database) -> None:
        company.revoke("reader")
        probe = failed(site.probes(), "databases", "permission_denied")
        assert "F0001" in probe.detail

    def test_a_table_that_may_not_be_read_is_named(self, site: Site, many: Database) -> None:
        many.deny("reader", "AcTr")
        probe = failed(site.probes(), "permissions", "permission_denied")
        assert "[AcTr]" in probe.detail

    def test_a_company_without_the_expected_tables_is_named(self, site: Site, company: Database) -> None:
        probe = failed(site.probes(), "permissions", "table_missing")
        assert "F0001" in probe.detail

    def test_the_chosen_companies_are_those_looked_into(self, site: Site, many: Database) -> None:
        site.catalogue.database("F0002", grant=["reader"])
        assert passed(list(site.probes(companies=["F0001"]).values()))
        failed(site.probes(companies=["F0001", "F0002"]), "permissions", "table_missing")
        failed(site.probes(companies=["F0009"]), "databases", "company_gone")

    def test_names_that_cannot_be_read_are_a_warning(self, site: Site, many: Database) -> None:
        site.catalogue["vbsys"].revoke("reader")
        probes = site.probes()
        assert (probes["databases"].outcome, probes["databases"].code) == (Outcome.WARNING, "names_unreadable")
        assert passed(list(probes.values()))
        assert "no database nosuch" in site.probes(database="nosuch")["databases"].detail


def test_a_failure_after_the_wizard_is_an_error_of_its_own_kind(site: Site, many: Database) -> None:
    with pytest.raises(CredentialsRefused):
        site.open(password="wrong").companies()
    with pytest.raises(Unavailable) as refused:
        site.open(networks=()).companies()
    assert refused.value.code == "server_unreachable"


def answer_like_a_web_server(listener: socket.socket) -> list[bytes]:
    """Answer every connection with an HTTP error, and keep what was said."""
    heard: list[bytes] = []

    def serve() -> None:
        with suppress(OSError):  # the listener is closed when the test is over
            while True:
                client, _ = listener.accept()
                with client, suppress(ConnectionError):
                    heard.append(client.recv(4096))
                    client.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    threading.Thread(target=serve, daemon=True).start()
    return heard


class TestAMappingIsTried:
    def probes(self, site: Site, **columns: str) -> dict[str, Probe]:
        mapping = {"accounts": {"table": "Ac", "columns": {"account_no": "AcNo"} | columns}}
        return site.probes(system="sqlserver-generic", companies=["F0001"], mapping=mapping)

    def test_a_good_one_passes(self, site: Site, many: Database) -> None:
        assert passed(list(self.probes(site, name="Nm").values()))

    def test_a_key_that_is_not_there_is_told_before_any_import(self, site: Site, many: Database) -> None:
        probe = failed(self.probes(site, account_no="KontoNr"), "permissions", "column_missing")
        assert "KontoNr" in probe.detail

    def test_a_column_of_the_wrong_type_is_told_before_any_import(self, site: Site, many: Database) -> None:
        failed(self.probes(site, changed_on="Nm"), "permissions", "column_type_unsuitable")

    def test_before_anything_is_mapped_the_test_counts_what_can_be_seen(self, site: Site, many: Database) -> None:
        probes = site.probes(system="sqlserver-generic")
        assert passed(list(probes.values()))
        assert "F0001 has 3 tables" in probes["read"].detail
