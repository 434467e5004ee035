"""What goes by on its way to a driver: where answers end, and what may not be in them."""

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erphub.platform.outbound.tds.answers import Answers
from erphub.platform.outbound.tds.columns import MOST_BYTES
from erphub.platform.outbound.tds.messages import ProtocolError, packets

RESPONSE = 4
LATIN1 = bytes.fromhex("0904D00034")
DONE = b"\xfd" + bytes(12)
LIMITED = {
    "int": b"\x26\x04",
    "int, not null": b"\x38",
    "bigint, not null": b"\x7f",
    "bit": b"\x68\x01",
    "float": b"\x6d\x08",
    "money": b"\x6e\x08",
    "datetime": b"\x6f\x08",
    "decimal": b"\x6a\x11\x26\x14",
    "numeric": b"\x6c\x11\x26\x14",
    "date": b"\x28",
    "time": b"\x29\x07",
    "datetime2": b"\x2a\x07",
    "datetimeoffset": b"\x2b\x07",
    "uniqueidentifier": b"\x24\x10",
    "nvarchar": b"\xe7\x64\x00" + LATIN1,
    "varchar(8000)": b"\xa7\x40\x1f" + LATIN1,
    "nchar": b"\xef\x64\x00" + LATIN1,
    "varbinary": b"\xa5\x10\x00",
    "hierarchyid": b"\xf0\x7c\x03\x00\x03" + "sys".encode("utf-16-le") + b"\x01h\0\x02\0x\0y\0",
}
UNLIMITED = {
    "nvarchar(max)": b"\xe7\xff\xff" + LATIN1,
    "varchar(max)": b"\xa7\xff\xff" + LATIN1,
    "varbinary(max)": b"\xa5\xff\xff",
    "xml": b"\xf1\x00",
    "geography": b"\xf0\xff\xff\x00\x00\x00\x00\x00",
    "text": b"\x23\xff\xff\xff\x7f" + LATIN1 + b"\x01\x02\0AB",
    "ntext": b"\x63\xff\xff\xff\x7f" + LATIN1 + b"\x01\x02\0AB",
    "image": b"\x22\xff\xff\xff\x7f\x01\x02\0AB",
    "sql_variant": b"\x62\x49\x1f\0\0",
    "json": b"\xf4",
    "nobody's": b"\x99\x04",
}


def columns(*infos: bytes) -> bytes:
    described = [struct.pack("<IH", 0, 9) + info + b"\x02A\0b\0" for info in infos]
    return struct.pack("<BH", 0x81, len(infos)) + b"".join(described)


def looked_at(answer: bytes, sizes: Sequence[int] = (), *, unlimited: bool = False) -> Answers:
    answers, at = Answers(4096, unlimited=unlimited), 0
    answers.asked()
    for size in sizes:
        answers.look(answer[at : at + size])
        at += size
    answers.look(answer[at:])
    return answers


@given(st.lists(st.integers(0, 9000), min_size=1, max_size=3), st.lists(st.integers(0, 5000), max_size=20))
def test_an_answer_is_whole_at_its_end_however_it_is_cut(lengths: list[int], sizes: list[int]):
    sent = b"".join(packets(RESPONSE, bytes(length)) for length in lengths)
    assert looked_at(sent, sizes, unlimited=True).is_whole
    for missing in (1, 7, 9):
        assert not looked_at(packets(RESPONSE, b"twelve bytes")[:-missing], sizes, unlimited=True).is_whole


def test_what_was_asked_and_not_answered_is_not_whole():
    answers = looked_at(packets(RESPONSE, DONE))
    assert answers.wait(0)
    answers.asked()
    assert not answers.wait(0)
    answers.over()
    assert not answers.wait(60), "it waits for nothing when no more will come"


@pytest.mark.parametrize("length", [0, 4, 7, 4097, 32_767, 65_535])
def test_a_length_that_was_not_agreed_on_is_refused(length: int):
    with pytest.raises(ProtocolError):
        looked_at(struct.pack(">BBHI", RESPONSE, 0, length, 0))


@pytest.mark.parametrize("kind", [0, 1, 3, 18, 255])
def test_a_packet_that_is_no_answer_is_refused(kind: int):
    with pytest.raises(ProtocolError):
        looked_at(packets(kind, DONE))


@pytest.mark.parametrize("info", LIMITED.values(), ids=LIMITED)
def test_a_value_with_a_limit_may_come(info: bytes):
    answer = columns(info, b"\x26\x04") + b"\xd1" + bytes(5000) + DONE
    assert looked_at(packets(RESPONSE, answer)).is_whole


@pytest.mark.parametrize("before", [b"", DONE, b"\xe3\x03\0abc", b"\x79\0\0\0\0", b"\x81\xff\xff"])
@pytest.mark.parametrize("info", UNLIMITED.values(), ids=UNLIMITED)
def test_a_value_without_a_limit_comes_only_where_it_may(info: bytes, before: bytes):
    answer = packets(RESPONSE, before + columns(b"\x26\x04", info) + b"\xd1" + bytes(50) + DONE)
    for sizes in ((), (1,) * 40, (9, 20)):
        with pytest.raises(ProtocolError):
            looked_at(answer, sizes)
        assert looked_at(answer, sizes, unlimited=True).is_whole


def test_each_answer_of_a_connection_is_looked_at():
    one = packets(RESPONSE, columns(b"\x26\x04") + b"\xd1\x04" + bytes(4) + DONE)
    with pytest.raises(ProtocolError):
        looked_at(one * 3 + packets(RESPONSE, columns(UNLIMITED["xml"])))


@pytest.mark.parametrize("token", [0xD1, 0xD2, 0xAC, 0x88, 0x77, 0])
def test_what_may_not_come_before_rows_is_refused(token: int):
    with pytest.raises(ProtocolError):
        looked_at(packets(RESPONSE, bytes([token]) + bytes(100)))


def test_an_answer_that_does_not_come_to_its_rows_is_refused():
    with pytest.raises(ProtocolError):
        looked_at(packets(RESPONSE, b"\xe4\xff\xff\xff\xff" + bytes(MOST_BYTES + 1)))


@given(st.binary(max_size=400), st.lists(st.integers(0, 50), max_size=8))
def test_no_beginning_whatever_its_bytes_ends_otherwise_than_read_or_refused(body: bytes, sizes: list[int]):
    try:
        answers = looked_at(packets(RESPONSE, body), sizes)
    except ProtocolError:
        return
    assert answers.is_whole
