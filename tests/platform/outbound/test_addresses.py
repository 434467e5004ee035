"""Which addresses the hub may be sent to by someone who types a server's name."""

from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erphub.platform.errors import ErpRefused, Unavailable
from erphub.platform.outbound import addresses as network


def judged(host: str, *found: str, allowed: Sequence[str] = ()) -> list[str]:
    ips = network.addresses(host, network.networks(allowed), lambda _: found)
    return [str(ip) for ip in ips]


@pytest.mark.parametrize(
    "inside",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "168.63.129.16",
        "100.100.100.200",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2002:a00:1::1",
    ],
)
def test_an_internal_address_is_refused_as_typed_and_behind_a_name(inside: str) -> None:
    for host in (inside, "db01.example.com"):
        with pytest.raises(ErpRefused) as refused:
            judged(host, inside)
        assert refused.value.code == "address_not_allowed"
        assert inside not in refused.value.detail or host == inside  # what a name resolves to inside is not told


@pytest.mark.parametrize("outside", ["93.184.216.34", "2606:2800:220:1::1", "20.50.1.2"])
def test_a_public_address_is_allowed(outside: str) -> None:
    assert judged(outside) == [outside]
    assert judged("db01.example.com", outside) == [outside]


def test_one_internal_address_among_public_ones_condemns_the_name() -> None:
    with pytest.raises(ErpRefused) as refused:
        judged("db01.example.com", "93.184.216.34", "10.0.0.5")
    assert refused.value.code == "address_not_allowed"


def test_an_operator_can_allow_a_network_and_nothing_else_opens() -> None:
    allowed = ["127.0.0.0/8", "::1/128", "10.20.0.0/16"]
    assert judged("localhost", "127.0.0.1", "::1", allowed=allowed) == ["127.0.0.1", "::1"]
    assert judged("10.20.30.40", allowed=allowed) == ["10.20.30.40"]
    for inside in ("10.21.0.1", "169.254.169.254", "::ffff:10.21.0.1"):
        with pytest.raises(ErpRefused):
            judged(inside, allowed=allowed)


def test_an_ipv4_address_wrapped_in_ipv6_is_dialled_as_what_it_is() -> None:
    assert judged("::ffff:93.184.216.34") == ["93.184.216.34"]


def test_a_name_nobody_knows_is_an_answer_not_a_crash() -> None:
    def unknown(_: str) -> list[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(Unavailable) as failed:
        network.addresses("nosuch.example.com", (), unknown)
    assert failed.value.code == "host_unknown"
    with pytest.raises(Unavailable):
        network.addresses("empty.example.com", (), lambda _: [])


def test_a_setting_that_is_no_network_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        network.networks(["nonsense"])


@given(st.ip_addresses())
def test_no_address_that_is_not_global_gets_through(ip: object) -> None:
    try:
        found = judged(str(ip))
    except ErpRefused:
        return
    assert all(ip_address(text).is_global for text in found)
