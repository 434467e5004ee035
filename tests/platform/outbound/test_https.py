"""Calls to addresses that a tenant typed: where they may lead, whom they trust, and when they end."""

import socket
import threading
import time

import pytest

from erphub.platform.errors import ErpRefused, Invalid, Unavailable
from erphub.platform.outbound import addresses as network
from erphub.platform.outbound.https import HttpsPost, address
from tests.support.receiver import HOST, LOOPBACK


def not_reached(receiver, url=None, **changes):
    """The code of a call that reaches nobody, which takes all of its time."""
    with pytest.raises(Unavailable) as refused:
        post(receiver, **{"seconds": 0.5} | changes)(url or receiver.url(), {}, b"{}")
    return refused.value.code


def post(receiver, **changes):
    known = {"allowed": LOOPBACK, "authority": receiver.authority, "resolve": lambda _: ["127.0.0.1"], "seconds": 2.0}
    return HttpsPost(**known | changes)


def test_a_message_arrives_with_its_headers_and_under_the_name_that_was_typed(receiver):
    answer = post(receiver)(receiver.url(path="/a?b=c"), {"webhook-id": "x"}, b"{}")
    assert answer.status == 204
    ((headers, body),) = receiver.got
    assert (headers["host"], headers["webhook-id"], body) == (f"{HOST}:{receiver.port}", "x", b"{}")


def test_a_redirect_is_not_followed(receiver):
    receiver.answers = [(302, {"location": "https://169.254.169.254/latest"})]
    assert post(receiver)(receiver.url(), {}, b"{}").status == 302
    assert len(receiver.got) == 1


def test_a_receiver_says_when_it_wants_to_be_asked_again(receiver):
    receiver.answers = [(503, {"retry-after": "120"}), (503, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"})]
    assert post(receiver)(receiver.url(), {}, b"{}").retry_after == 120
    assert post(receiver)(receiver.url(), {}, b"{}").retry_after == 0, "a date that is past"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "[::FFFF:7f00:1]", "localhost"])
def test_each_form_of_host_is_called(receiver, host):
    assert post(receiver)(receiver.url(host), {}, b"{}").status == 204


@pytest.mark.parametrize("ip", ["127.0.0.1", "169.254.169.254", "10.0.0.5", "::1", "::ffff:127.0.0.1", "fd00:ec2::254"])
def test_a_name_that_leads_inside_is_not_called(receiver, ip):
    assert not_reached(receiver, allowed=(), resolve=lambda _: [ip]) == "not_reached"
    assert receiver.got == []


def test_one_inner_address_among_public_ones_condemns_the_name(receiver):
    assert not_reached(receiver, allowed=(), resolve=lambda _: ["8.8.8.8", "10.0.0.5"]) == "not_reached"


def test_the_name_is_resolved_once_and_the_judged_address_is_called(receiver):
    answers = [["127.0.0.1"], ["203.0.113.9"]]
    answer = post(receiver, resolve=lambda _: answers.pop(0))(receiver.url(), {}, b"{}")
    assert (answer.status, len(answers)) == (204, 1)


def test_an_unknown_authority_is_not_trusted(receiver):
    with pytest.raises(ErpRefused) as refused:
        post(receiver, authority="")(receiver.url(), {}, b"{}")
    assert refused.value.code == "tls_failed"
    assert receiver.got == []


def test_a_certificate_for_another_name_is_not_accepted(receiver):
    with pytest.raises(ErpRefused) as refused:
        post(receiver)(receiver.url(host="other.example.test"), {}, b"{}")
    assert refused.value.code == "tls_failed"


def silent(handler):
    time.sleep(1.5)


def drips(handler):
    for letter in b"HTTP/1.1 200 OK\r\n" + b"x-slow: 1\r\n" * 1000:
        try:
            handler.connection.send(bytes([letter]))
        except OSError:
            return
        time.sleep(0.05)


def another_protocol(handler):
    handler.connection.send(b"220 mail.example.test ESMTP\r\n")


def plain_server(behave):
    """The port of one that speaks no TLS."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        client, _ = listener.accept()
        behave(client)
        client.close()
        listener.close()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


NOT_REACHED = {
    "closed": lambda receiver: receiver.stop(),
    "forbidden": lambda receiver: {"allowed": ()},
    "silent": lambda receiver: setattr(receiver, "answers", [silent]),
    "drips": lambda receiver: setattr(receiver, "answers", [drips]),
    "another protocol inside": lambda receiver: setattr(receiver, "answers", [another_protocol]),
    "hangs up": lambda _: {"port": plain_server(lambda client: None)},
    "greets": lambda _: {"port": plain_server(lambda client: client.sendall(b"SSH-2.0-OpenSSH_9.6\r\n"))},
    "silent without TLS": lambda _: {"port": plain_server(lambda client: time.sleep(1.5))},
}


@pytest.mark.parametrize("kind", NOT_REACHED)
def test_whatever_keeps_from_a_receiver_is_answered_alike_at_the_same_time(receiver, kind):
    changes = NOT_REACHED[kind](receiver) or {}
    port = changes.pop("port", receiver.port)
    began = time.monotonic()
    with pytest.raises(Unavailable) as refused:
        post(receiver, seconds=0.7, **changes)(f"https://{HOST}:{port}/", {}, b"{}")
    took = time.monotonic() - began
    alike = f"No HTTPS server that the hub may connect to answered at {HOST}, port {port}, within 1 seconds."
    assert refused.value.code == "not_reached"
    assert refused.value.detail.startswith(alike)
    assert 0.69 <= took <= 1.2


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.test/", "https_required"),
        ("ftp://hooks.example.test/", "https_required"),
        ("https:///path", "url_invalid"),
        ("https://user:word@hooks.example.test/", "url_invalid"),
        ("https://hooks.example.test/#part", "url_invalid"),
        ("https://hooks.example.test:99999/", "url_invalid"),
        ("https://hooks.example.test/a b", "url_invalid"),
        ("https://hooks.example.test/\r\nX-Evil: 1", "url_invalid"),
        ("https://bücher.example.test/", "url_invalid"),
        ("hooks.example.test", "https_required"),
    ],
)
def test_an_address_that_is_none_is_refused(url, code):
    with pytest.raises(Invalid) as refused:
        address(url)
    assert refused.value.errors[0].code == code


def test_the_guard_is_the_one_of_servers():
    with pytest.raises(ErpRefused):
        network.addresses("localhost", (), lambda _: ["127.0.0.1"])
