"""Calls to addresses that a tenant typed: where they may lead, whom they trust, and when they end."""

import socket
import threading
import time

import pytest

from erphub.platform.errors import ErpRefused, HubError, Invalid, Unavailable
from erphub.platform.outbound import addresses as network
from erphub.platform.outbound.https import HttpsPost, address
from tests.support.receiver import HOST, LOOPBACK


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
    with pytest.raises(ErpRefused) as refused:
        post(receiver, allowed=(), resolve=lambda _: [ip])(receiver.url(), {}, b"{}")
    assert refused.value.code == "address_not_allowed"
    assert receiver.got == []


def test_one_inner_address_among_public_ones_condemns_the_name(receiver):
    with pytest.raises(ErpRefused):
        post(receiver, allowed=(), resolve=lambda _: ["8.8.8.8", "10.0.0.5"])(receiver.url(), {}, b"{}")


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


def test_a_receiver_that_says_nothing_is_given_up(receiver):
    held = threading.Event()
    receiver.answers = [lambda _: held.wait(10)]
    began = time.monotonic()
    with pytest.raises(Unavailable) as refused:
        post(receiver, seconds=0.5)(receiver.url(), {}, b"{}")
    held.set()
    assert refused.value.code == "timed_out"
    assert time.monotonic() - began < 3


def test_a_receiver_that_drips_byte_after_byte_is_given_up_too(receiver):
    def drip(handler):
        for letter in b"HTTP/1.1 200 OK\r\n" + b"x-slow: 1\r\n" * 1000:
            try:
                handler.connection.send(bytes([letter]))
            except OSError:
                return
            time.sleep(0.05)

    receiver.answers = [drip]
    began = time.monotonic()
    with pytest.raises(Unavailable) as refused:
        post(receiver, seconds=0.7)(receiver.url(), {}, b"{}")
    assert refused.value.code == "timed_out"
    assert time.monotonic() - began < 3


def test_a_receiver_that_speaks_no_tls_is_a_failure_like_any_other(receiver):
    with socket.create_server(("127.0.0.1", 0)) as plain:
        threading.Thread(target=lambda: plain.accept()[0].close(), daemon=True).start()
        with pytest.raises(Unavailable) as refused:
            post(receiver)(f"https://{HOST}:{plain.getsockname()[1]}/", {}, b"{}")
    assert refused.value.code == "no_answer"


def test_a_receiver_that_is_not_there_is_a_failure_like_any_other(receiver):
    receiver.stop()
    with pytest.raises(Unavailable) as refused:
        post(receiver)(receiver.url(), {}, b"{}")
    assert refused.value.code == "no_connection"


def test_an_answer_that_is_no_http_is_a_failure_like_any_other(receiver):
    receiver.answers = [lambda handler: handler.connection.send(b"220 mail.example.test ESMTP\r\n")]
    with pytest.raises(HubError) as refused:
        post(receiver)(receiver.url(), {}, b"{}")
    assert refused.value.code in {"no_answer", "timed_out"}


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
