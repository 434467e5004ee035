"""A server's address as people type it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erphub.erp.transports.sqlserver.address import Address, parse
from erphub.platform.errors import Invalid


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("db01", Address("db01", 1433)),
        ("DB01.Firma.NO", Address("db01.firma.no", 1433)),
        ("db01.firma.no.", Address("db01.firma.no", 1433)),
        (r"db01\VISMA", Address("db01", instance="VISMA")),
        (r"db01\MSSQLSERVER", Address("db01", 1433)),
        ("db01,14330", Address("db01", 14330)),
        ("db01:14330", Address("db01", 14330)),
        ("tcp:db01.firma.no,14330", Address("db01.firma.no", 14330)),
        (r"tcp:db01\VISMA", Address("db01", instance="VISMA")),
        ("192.0.2.7", Address("192.0.2.7", 1433)),
        ("192.0.2.7:1533", Address("192.0.2.7", 1533)),
        ("[::1]:1433", Address("::1", 1433)),
        ("::1", Address("::1", 1433)),
        ("[::1],1533", Address("::1", 1533)),
        ("2001:db8::7,1533", Address("2001:db8::7", 1533)),
        (r"[2001:DB8::7]\VISMA", Address("2001:db8::7", instance="VISMA")),
        ("  db01  ", Address("db01", 1433)),
        ("sql_server-1", Address("sql_server-1", 1433)),
    ],
)
def test_every_usual_way_to_write_a_server_is_understood(typed: str, address: Address) -> None:
    assert parse(typed) == address


@pytest.mark.parametrize("typed", [r"db01\VISMA,1533", r"db01\VISMA:1533"])
def test_with_an_instance_and_a_port_the_port_wins_and_it_is_said(typed: str) -> None:
    found = parse(typed)
    assert (found.port, found.instance) == (1533, None)
    assert found.warning is not None
    assert "VISMA" in found.warning
    assert "1533" in found.warning


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "server_empty"),
        ("   ", "server_empty"),
        ("a" * 301, "server_too_long"),
        ("a." * 130 + "no", "server_name"),
        ("db 01", "server_characters"),
        ("db01\n", "server_characters"),
        ("db01\x00", "server_characters"),
        ("db01\u202egro.elpmaxe", "server_characters"),
        ("dｂ01", "server_characters"),  # a full-width b
        ("dЬ01", "server_characters"),  # a Cyrillic soft sign
        ("blåbær.no", "server_characters"),
        ("db01;encrypt=no", "server_name"),
        ("user@db01", "server_name"),
        ("db01/path", "server_name"),
        ("http://db01", "server_port"),
        ("-db01", "server_name"),
        ("db..01", "server_name"),
        (".", "server_name"),
        ("(local)", "server_name"),
        ("db01,0", "server_port"),
        ("db01,65536", "server_port"),
        ("db01,", "server_port"),
        ("db01,1433x", "server_port"),
        ("db01,+1433", "server_port"),
        ("db01,14 33", "server_characters"),
        ("db01\\", "server_instance"),
        ("db01\\" + "a" * 32, "server_instance"),
        ("db01\\a\\b", "server_instance"),
        ("db01\\a;b", "server_instance"),
        ("[::1", "server_form"),
        ("[::1]x", "server_form"),
        ("[db01]", "server_name"),
        ("::g", "server_name"),
        ("fe80::1%eth0", "server_name"),
        ("2130706433", "server_name"),
        ("0x7f.1", "server_name"),
        ("0x7f000001", "server_name"),
        ("0177.0.0.1", "server_name"),
        ("127.1", "server_name"),
        ("1.2.3.4.5", "server_name"),
        ("256.1.1.1", "server_name"),
    ],
)
def test_what_is_made_to_confuse_is_refused_with_its_own_reason(typed: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(typed)
    assert refused.value.code == code
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/server", code)]


_hosts = st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9](\.[a-z][a-z0-9]{1,8}){0,3}", fullmatch=True)
_ports = st.integers(1, 65535)


@given(_hosts, _ports, st.sampled_from([",", ":"]), st.sampled_from(["", "tcp:", "TCP:"]))
def test_any_host_and_port_are_read_back(host: str, port: int, separator: str, prefix: str) -> None:
    assert parse(f"{prefix}{host}{separator}{port}") == Address(host, port)


@given(st.ip_addresses(v=6), _ports, st.sampled_from(["[{}]:{}", "[{}],{}", "{},{}"]))
def test_any_ipv6_address_and_port_are_read_back(ip: object, port: int, form: str) -> None:
    assert parse(form.format(ip, port)) == Address(str(ip), port)


def read_or_refused(typed: str) -> None:
    """The text is either an address that reads back as itself, or refused with a reason of its own."""
    try:
        found = parse(typed)
    except Invalid as error:
        refused = error
    else:
        assert found.host.isascii()
        assert not set(found.host) & set(" ;@/\\,[]%\"'")
        assert (found.port is None) != (found.instance is None)
        assert parse(str(found)) == Address(found.host, found.port, found.instance)
        return
    assert refused.code.startswith("server_")


@given(st.text(max_size=40))
def test_any_text_is_either_an_address_or_refused(typed: str) -> None:
    read_or_refused(typed)


@given(st.text(alphabet="ab1.,:\\[]-tcp%;@/ ", max_size=25))
def test_near_misses_are_either_an_address_or_refused(typed: str) -> None:
    read_or_refused(typed)
