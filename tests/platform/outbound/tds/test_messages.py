"""What a guard reads of a server it does not trust."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erphub.platform.outbound.tds.messages import (
    Encryption,
    ProtocolError,
    Redirection,
    ServerError,
    offered_encryption,
    packet_head,
    packets,
    prelogin,
    read_login_answer,
    with_encryption,
    with_version,
    without_redirection,
)

LOGIN_ACK = struct.pack("<BH", 0xAD, 4) + b"ackn"
DONE = b"\xfd" + bytes(12)


def change(kind: int, value: bytes) -> bytes:
    return struct.pack("<BHB", 0xE3, len(value) + 1, kind) + value


def order_to(host: str, port: int, protocol: int = 0) -> bytes:
    to = struct.pack("<BHH", protocol, port, len(host)) + host.encode("utf-16-le")
    return change(20, struct.pack("<H", len(to)) + to + b"\0\0")


def error(number: int, state: int, severity: int, message: str) -> bytes:
    text = message.encode("utf-16-le")
    body = struct.pack("<iBBH", number, state, severity, len(message)) + text + b"\0\0" + bytes(4)
    return struct.pack("<BH", 0xAA, len(body)) + body


def test_an_answer_says_whether_the_login_is_taken():
    answer = read_login_answer(change(1, b"\x044096\0") + LOGIN_ACK + DONE)
    assert answer.acknowledged
    assert answer.redirection is None
    assert not answer.errors


def test_a_session_s_state_may_stand_in_an_answer():
    assert read_login_answer(b"\xe4\x03\0\0\0abc" + LOGIN_ACK + DONE).acknowledged


def test_an_answer_may_be_told_as_one_of_another_version():
    ack = struct.pack("<BHBI", 0xAD, 9, 1, 8) + b"prog"
    answer = change(1, b"x") + ack + DONE
    assert with_version(answer, 0x74000004) == answer.replace(b"\x01\x08\0\0\0", b"\x01\x74\0\0\x04")
    assert with_version(LOGIN_ACK + DONE, 0x74000004) == LOGIN_ACK + DONE


def test_a_refusal_is_told_with_number_state_and_severity():
    said = "Login failed for user 'blåbær'."
    answer = read_login_answer(error(18456, 1, 14, said) + DONE)
    assert not answer.acknowledged
    assert answer.errors == (ServerError(18456, 1, 14, said),)


def test_an_order_to_go_elsewhere_is_read_and_can_be_left_out():
    plain = LOGIN_ACK + change(1, b"\x044096\0")
    answer = plain + order_to("worker7.example.test", 11005) + DONE
    assert read_login_answer(answer).redirection == Redirection("worker7.example.test", 11005)
    assert without_redirection(answer) == plain + DONE


def test_an_answer_says_how_long_packets_may_be_from_then_on():
    said = "16384".encode("utf-16-le")
    assert read_login_answer(LOGIN_ACK + change(4, b"\x05" + said + b"\0") + DONE).packet_bytes == 16_384
    assert read_login_answer(LOGIN_ACK + DONE).packet_bytes is None


@pytest.mark.parametrize("said", ["0", "511", "65536", "4k", "", "-4096", "٤٠٩٦"])
def test_packets_of_no_such_length_are_refused(said: str):
    with pytest.raises(ProtocolError):
        read_login_answer(change(4, bytes([len(said)]) + said.encode("utf-16-le") + b"\0"))


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(order_to("inside", 0), id="no port"),
        pytest.param(order_to("", 1433), id="no host"),
        pytest.param(order_to("pipe", 1433, protocol=1), id="another protocol than TCP"),
        pytest.param(change(20, b"\x50\0\0\x99\x05\x40\0x\0"), id="a name longer than its token"),
        pytest.param(b"\x81\x00\x00", id="columns, which no login's answer has"),
        pytest.param(b"\xaa\xff\xff", id="an error that ends in the middle"),
        pytest.param(b"\xae\x01\xff\xff\xff\xff", id="a feature without end"),
        pytest.param(b"\xe3", id="half a token"),
    ],
)
def test_what_cannot_stand_in_a_login_s_answer_is_refused(odd: bytes):
    with pytest.raises(ProtocolError):
        read_login_answer(odd)


@given(st.binary(max_size=200))
def test_no_answer_whatever_its_bytes_ends_otherwise_than_read_or_refused(answer: bytes):
    try:
        read = read_login_answer(answer)
    except ProtocolError:
        return
    assert len(read.errors) <= len(answer)


@given(st.binary(max_size=60))
def test_no_prelogin_whatever_its_bytes_ends_otherwise_than_read_or_refused(answer: bytes):
    try:
        assert offered_encryption(answer) in range(256)
    except ProtocolError:
        return


def test_the_driver_hears_the_same_prelogin_without_encryption():
    answer = prelogin(Encryption.REQUIRED)
    told = with_encryption(answer, Encryption.NOT_SUPPORTED)
    assert offered_encryption(answer) == Encryption.REQUIRED
    assert offered_encryption(told) == Encryption.NOT_SUPPORTED
    assert [at for at, (one, other) in enumerate(zip(answer, told, strict=True)) if one != other] == [32]


@given(st.binary(max_size=20_000))
def test_a_message_in_packets_is_whole_again(body: bytes):
    sent, whole, ended = packets(0x10, body), b"", False
    while sent:
        assert not ended
        kind, ended, length = packet_head(sent[:8])
        assert kind == 0x10
        assert length + 8 <= 4096
        whole, sent = whole + sent[8 : 8 + length], sent[8 + length :]
    assert ended
    assert whole == body
