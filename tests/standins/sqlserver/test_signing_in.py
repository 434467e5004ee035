"""Who gets in and who does not, over which encryption, and what they are told."""

import json
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pymssql
import pytds
import pytest

from erphub.erp.transports.sqlserver import statements
from local.sqlserver import Certificate, StandIn, certificate
from local.sqlserver.grammar import USE
from local.sqlserver.ntlm import md4

from .clients import CONNECT, MICROSOFT, PYMSSQL, cursor, pymssql_connection, pytds_connection, rows
from .conftest import PASSWORD, READER, make_catalogue

_ASK = """
import json, sys, pymssql
server, port, user, password, options = json.load(sys.stdin)
try:
    pymssql.connect(server, user, password, port=port, **options)
except pymssql.OperationalError as error:
    number, text = error.args[0] if len(error.args) == 1 else error.args
    print(json.dumps([number, text.decode()]))
"""


def refusal(server: StandIn, user: str = READER, password: str = PASSWORD, **options: Any) -> str:
    """What pymssql says when it is not let in: in a fresh process, since it repeats the first refusal of a process."""
    asked = json.dumps([server.host, str(server.port), user, password, {**PYMSSQL, **options}])
    done = subprocess.run(
        [sys.executable, "-c", _ASK], input=asked, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout, "it was let in"
    return done.stdout


@pytest.mark.parametrize("client", CONNECT)
def test_a_login_with_its_password_gets_in(quiet: StandIn, client: str) -> None:
    with cursor(client, quiet) as each:
        assert rows(each, statements.IDENTITY())[0][3] == READER


@pytest.mark.parametrize("client", ["python-tds", MICROSOFT])
def test_a_wrong_password_is_refused(quiet: StandIn, client: str) -> None:
    with pytest.raises(Exception, match=f"Login failed for user '{READER}'"):
        CONNECT[client](quiet, password="wrong")


def test_a_wrong_password_is_refused_by_number_18456(quiet: StandIn) -> None:
    said = refusal(quiet, password="wrong")
    assert "18456" in said
    assert f"Login failed for user '{READER}'" in said


def test_an_unknown_name_is_refused_like_a_wrong_password(quiet: StandIn) -> None:
    assert "18456" in refusal(quiet, "nobody")


@pytest.mark.parametrize(
    ("option", "number", "words"),
    [("disabled", 18470, "disabled"), ("expired", 18487, "expired"), ("must_change", 18488, "must be changed")],
)
def test_an_account_that_cannot_be_used_is_told_why_when_the_password_is_right(
    standin: StandIn, option: str, number: int, words: str
) -> None:
    standin.catalogue.login("old", "right", **{option: True})
    said = refusal(standin, "old", "right")
    assert str(number) in said
    assert words in said
    assert "18456" in refusal(standin, "old", "wrong")


def test_a_password_changed_at_run_time_counts_from_then_on(standin: StandIn) -> None:
    pymssql_connection(standin).close()
    standin.catalogue.login(READER, "another", databases=["F0001"])
    assert "18456" in refusal(standin)
    pymssql_connection(standin, password="another").close()


def test_a_wrong_database_at_login_looks_like_a_wrong_password_to_pymssql_and_like_itself_to_python_tds(
    quiet: StandIn,
) -> None:
    assert "18456" in refusal(quiet, database="nowhere")
    with pytest.raises(Exception, match=r"Login failed|Cannot open database"):
        pytds_connection(quiet, database="nowhere")


def test_a_login_whose_own_database_is_gone_is_told_so(standin: StandIn) -> None:
    standin.catalogue.login("lost", "pw", default_database="gone")
    with pytest.raises(Exception, match=r"Login failed|Cannot open user default database"):
        pytds_connection(standin, "lost", "pw")
    assert standin.stats.refusals == {4064: 1}


def test_a_busy_server_says_so_at_sign_in(standin: StandIn) -> None:
    standin.inject("error", statement="login", number=40613, text="Database is not currently available.")
    assert "40613" in refusal(standin)
    pymssql_connection(standin).close()


def test_an_old_protocol_version_is_not_spoken(quiet: StandIn) -> None:
    said = refusal(quiet, tds_version="7.1")
    assert "20017" in said or "20002" in said


@pytest.mark.parametrize(("database", "number"), [("nowhere", 911), ("private", 916), ("asleep", 942), ("waking", 927)])
def test_use_says_why_a_database_cannot_be_entered(quiet: StandIn, database: str, number: int) -> None:
    with cursor("pymssql", quiet) as each:
        with pytest.raises(pymssql.Error) as caught:
            each.execute(str(USE(database=statements.quote(database))))
        assert caught.value.args[0] == number


def test_the_list_of_databases_says_which_can_be_entered(quiet: StandIn) -> None:
    with cursor("pymssql", quiet) as each:
        found = {name: (access, state) for name, access, state, _, _ in rows(each, statements.DATABASES())}
    assert found["F0001"] == (1, "ONLINE")
    assert found["private"] == (0, "ONLINE")
    assert found["asleep"] == (0, "OFFLINE")
    assert found["waking"] == (None, "RESTORING")


# --- Windows ---------------------------------------------------------------------------------------------------------


def test_a_windows_login_is_let_in_by_its_ntlm_proof(quiet: StandIn) -> None:
    connection = pymssql_connection(quiet, "CORP\\anna", "Vår-2026 ☀")
    try:
        each = connection.cursor()
        assert rows(each, statements.IDENTITY())[0][3] == "CORP\\anna"
    finally:
        connection.close()


@pytest.mark.parametrize(("user", "password"), [("CORP\\anna", "wrong"), ("OTHER\\anna", "Vår-2026 ☀")])
def test_a_windows_login_without_proof_is_from_an_untrusted_domain(quiet: StandIn, user: str, password: str) -> None:
    assert "18452" in refusal(quiet, user, password)


def test_a_windows_account_without_a_login_on_the_server_is_refused(standin: StandIn) -> None:
    standin.catalogue.login("CORP\\guest", "pw", windows=True, mapped=False)
    assert "18456" in refusal(standin, "CORP\\guest", "pw")


def test_a_windows_account_cannot_sign_in_as_a_sql_login(quiet: StandIn) -> None:
    with pytest.raises(Exception, match=r"18456|Login failed"):
        pytds_connection(quiet, "CORP\\anna", "Vår-2026 ☀")


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (b"", "31d6cfe0d16ae931b73c59d7e0c089c0"),
        (b"abc", "a448017aaf21d8525fc10ae87aa6729d"),
        (
            b"12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "e33b4ddc9c38f2199c3e7b164fcc0536",
        ),
    ],
)
def test_md4_is_that_of_rfc_1320(text: bytes, digest: str) -> None:
    assert md4(text).hex() == digest


# --- encryption ------------------------------------------------------------------------------------------------------


def test_a_server_without_encryption_is_refused_by_clients_that_insist() -> None:
    with StandIn(make_catalogue(), encryption="none") as server:
        assert "20002" in refusal(server) or "20017" in refusal(server)
        assert server.stats.logins[READER] == 0
        connection = pymssql_connection(server, encryption="off")
        connection.close()
        assert server.stats.logins[READER] == 1


@pytest.mark.parametrize("client", ["pymssql", MICROSOFT])  # python-tds encrypts only with an authority: below
def test_a_server_that_insists_on_encryption_serves_encrypting_clients(client: str) -> None:
    with StandIn(make_catalogue(), encryption="required") as server:
        with cursor(client, server) as each:
            assert rows(each, statements.IDENTITY())[0][3] == READER
        with pytest.raises(pymssql.OperationalError):
            pymssql_connection(server, encryption="off")


@pytest.fixture
def authorised(tmp_path: Path) -> tuple[Certificate, Path]:
    """A certificate for localhost signed by an authority, and the authority's file."""
    made = certificate(["localhost"], signed_by_authority=True)
    file = tmp_path / "authority.pem"
    file.write_bytes(made.authority)
    return made, file


@pytest.mark.filterwarnings("ignore:X509.get_subject is deprecated:DeprecationWarning")  # in python-tds itself
def test_python_tds_checks_the_certificate_against_the_authority(authorised: tuple[Certificate, Path]) -> None:
    made, file = authorised
    with StandIn(make_catalogue(), encryption="required", tls=made) as server:
        # it finds no host names with the pyopenssl of today, so the name is left to the hub's own tests
        common = {"user": READER, "password": PASSWORD, "port": server.port, "autocommit": True, "validate_host": False}
        with pytds.connect("localhost", cafile=str(file), **common) as connection:
            assert rows(connection.cursor(), statements.IDENTITY())[0][3] == READER
        file.write_bytes(certificate(["localhost"], signed_by_authority=True).authority)
        with pytest.raises(Exception, match="certificate verify failed"):
            pytds.connect("localhost", cafile=str(file), login_timeout=1, **common)
        assert server.stats.logins[READER] == 1


@pytest.mark.parametrize("client", [MICROSOFT])
def test_a_certificate_of_an_unknown_authority_is_refused(authorised: tuple[Certificate, Path], client: str) -> None:
    with StandIn(make_catalogue(), tls=authorised[0]) as server:
        with pytest.raises(Exception, match=r"(?i)certificate|ssl"):
            CONNECT[client](server, extra="Encrypt=yes;TrustServerCertificate=no;")
        CONNECT[client](server).close()
        assert server.stats.logins[READER] == 1


def test_certificates_pass_the_strict_checks_of_a_modern_python(authorised: tuple[Certificate, Path]) -> None:
    made, file = authorised
    client, incoming, outgoing = ssl.create_default_context(cafile=str(file)), ssl.MemoryBIO(), ssl.MemoryBIO()
    side = client.wrap_bio(incoming, outgoing, server_hostname="localhost")
    back, forth = ssl.MemoryBIO(), ssl.MemoryBIO()
    other = made.context().wrap_bio(back, forth, server_side=True)
    done = 0
    for _ in range(10):
        done = 0
        for each in (side, other):
            try:
                each.do_handshake()
                done += 1
            except ssl.SSLWantReadError:
                done += 0
            back.write(outgoing.read())
            incoming.write(forth.read())
        if done == 2:
            break
    assert done == 2
    assert side.version() == "TLSv1.2"
