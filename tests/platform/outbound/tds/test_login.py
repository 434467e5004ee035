"""The login that a driver sends, and what a guard makes of it."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erphub.platform.outbound.tds.login import Field, Login
from erphub.platform.outbound.tds.messages import ProtocolError

DRIVER_VERSION = 0x74000004
FEATURES = b"\x01\x02\0\0\0ab\x0a\0\0\0\0\xff"
TEXTS = {
    Field.HOST: "till-7",
    Field.USER: "reader",
    Field.PASSWORD: "0123456789abcdef",
    Field.APPLICATION: "driver",
    Field.SERVER: "127.0.0.1",
    Field.LIBRARY: "ODBC",
    Field.DATABASE: "F0001",
}


def message(texts: dict[Field, str] = TEXTS, *, sspi: bytes = b"", features: bytes = b"") -> bytes:
    """A LOGIN7 in an order of its own, as drivers differ in it."""
    fixed, values = bytearray(94), b""
    struct.pack_into("<III", fixed, 4, DRIVER_VERSION, 8000, 7)
    for one, text in reversed(texts.items()):
        data = text.encode("utf-16-le")
        if one is Field.PASSWORD:
            data = bytes(((byte << 4 | byte >> 4) & 0xFF) ^ 0xA5 for byte in data)
        struct.pack_into("<HH", fixed, one.value[0], 94 + len(values), len(text))
        values += data
    if sspi:
        struct.pack_into("<HH", fixed, Field.SSPI.value[0], 94 + len(values), len(sspi))
        values += sspi
    if features:
        fixed[27] |= 0x10
        struct.pack_into("<HH", fixed, Field.EXTENSION.value[0], 94 + len(values), 4)
        values += struct.pack("<I", 94 + len(values) + 4) + features
    struct.pack_into("<I", fixed, 0, 94 + len(values))
    return bytes(fixed) + values


def features_of(sent: bytes) -> bytes:
    (where,) = struct.unpack_from("<H", sent, Field.EXTENSION.value[0])
    (at,) = struct.unpack_from("<I", sent, where)
    return sent[at:]


def test_what_is_replaced_is_nowhere_in_the_message_any_more():
    made = Login.parse(message()).with_texts({Field.PASSWORD: "s3cret;å", Field.SERVER: "db01.example.test,1433"})
    sent = made.message()
    again = Login.parse(sent)
    assert {one: again.text(one) for one in TEXTS} == {
        **TEXTS,
        Field.PASSWORD: "s3cret;å",
        Field.SERVER: "db01.example.test,1433",
    }
    assert again.most_packet_bytes == 8000
    assert "127.0.0.1".encode("utf-16-le") not in sent
    assert len(sent) == len(message()) + 2 * (len("s3cret;å") - 16 + len("db01.example.test,1433") - 9)
    assert "s3cret" not in repr(made)


def test_a_login_for_another_version_of_tds_says_so_and_nothing_else():
    login = Login.parse(message(features=FEATURES))
    sent = login.with_version(0x08000000).message()
    assert Login.parse(sent).version == 0x08000000
    assert login.version == DRIVER_VERSION
    assert [at for at, (one, other) in enumerate(zip(sent, login.message(), strict=True)) if one != other] == [4, 7]


def test_packets_are_as_long_as_the_driver_asked_for_or_as_anybody_must_take():
    asked = bytearray(message())
    for size, most in ((0, 4096), (512, 4096), (16_000, 16_000), (0xFFFFFFFF, 32_767)):
        struct.pack_into("<I", asked, 8, size)
        assert Login.parse(bytes(asked)).most_packet_bytes == most


def test_what_windows_says_and_what_a_driver_can_is_kept():
    sent = Login.parse(message(sspi=b"NTLMSSP\0...", features=FEATURES)).with_texts({Field.SERVER: "db01"}).message()
    assert Login.parse(sent).is_windows
    at, length = struct.unpack_from("<HH", sent, Field.SSPI.value[0])
    assert sent[at : at + length] == b"NTLMSSP\0..."
    assert features_of(sent) == FEATURES
    assert not Login.parse(message()).is_windows


def _broken(at: int, *values: int) -> bytes:
    login = bytearray(message(features=FEATURES))
    struct.pack_into(f"<{len(values)}H", login, at, *values)
    return bytes(login)


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(bytes(94), id="a length of none"),
        pytest.param(struct.pack("<I", 95) + bytes(90), id="shorter than it says"),
        pytest.param(_broken(Field.USER.value[0], 94, 60_000), id="a name that ends outside"),
        pytest.param(_broken(Field.PASSWORD.value[0], 0, 8), id="a password in the head"),
        pytest.param(_broken(Field.EXTENSION.value[0], 94, 3), id="an extension of three bytes"),
        pytest.param(_broken(Field.EXTENSION.value[0], 94, 4), id="an extension far outside"),
        pytest.param(message(features=b"\x01\xff\xff\xff\xff"), id="features without end"),
        pytest.param(message({Field.USER: "x" * 65_000}), id="too long"),
    ],
)
def test_a_login_that_is_not_as_it_says_goes_nowhere(odd: bytes):
    with pytest.raises(ProtocolError):
        Login.parse(odd).with_texts({Field.SERVER: "db01"}).message()


@given(st.integers(0, 200), st.lists(st.tuples(st.integers(4, 299), st.integers(0, 255)), max_size=12))
def test_no_login_whatever_its_bytes_ends_otherwise_than_read_or_refused(size: int, changed: list[tuple[int, int]]):
    body = bytearray(message(features=FEATURES)[:94] + bytes(size))
    for at, byte in changed:
        body[at % len(body)] = byte
    struct.pack_into("<I", body, 0, len(body))
    body = bytes(body)
    try:
        sent = Login.parse(body).message()
    except ProtocolError:
        return
    assert Login.parse(sent).text(Field.USER) == Login.parse(body).text(Field.USER)
