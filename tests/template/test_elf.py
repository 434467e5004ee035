"""Padding is taken out of native libraries, and nothing that is loaded changes or moves in memory."""

import struct
from pathlib import Path

import pytest

from layers import elf

LOAD, DYNAMIC, STACK = 1, 2, 0x6474E551
BIG_PAGE = 0x200000
TEXT, DATA = b"text" * 500, b"data" * 300


def library(machine: int = elf.X86_64, second: int = BIG_PAGE, loose: int | None = None) -> bytes:
    """A library of two segments, the second at this offset; with `loose`, a header of something at that offset."""
    segments = [
        (LOAD, 5, 0, 0, 0, 0x1000, 0x1000, BIG_PAGE),
        (LOAD, 6, second, 0x400000 + second % BIG_PAGE, 0, len(DATA), len(DATA) + 64, BIG_PAGE),
        (DYNAMIC, 6, second + 12, 0x400000 + second % BIG_PAGE + 12, 0, 24, 24, 8),
        (STACK, 6, 0, 0, 0, 0, 0, 16),
    ]
    if loose is not None:
        segments.append((4, 4, loose, 0, 0, 32, 32, 4))
    header = (
        b"\x7fELF\x02\x01\x01" + bytes(9),
        3,
        machine,
        1,
        0,
        64,
        second + len(DATA),
        0,
        64,
        56,
        len(segments),
        64,
        9,
        8,
    )
    content = bytearray(second) + DATA + b"sections" * 80
    content[: 64 + 56 * len(segments)] = struct.pack("<16sHHIQQQIHHHHHH", *header) + b"".join(
        struct.pack("<IIQQQQQQ", *segment) for segment in segments
    )
    content[0x800 : 0x800 + len(TEXT)] = TEXT
    return bytes(content)


def segments_of(content: bytes) -> list[tuple[int, ...]]:
    at, count = struct.unpack_from("<Q", content, 32)[0], struct.unpack_from("<H", content, 56)[0]
    return [struct.unpack_from("<IIQQQQQQ", content, at + 56 * n) for n in range(count)]


@pytest.mark.parametrize("second", [BIG_PAGE, BIG_PAGE + 0xDA880, 3 * BIG_PAGE + 0x123])
def test_the_padding_goes_and_every_byte_that_is_loaded_stays_at_its_address(tmp_path: Path, second: int):
    path = tmp_path / "padded.so"
    before = library(second=second)
    path.write_bytes(before)
    saved = elf.close_gaps(path)
    after = path.read_bytes()
    assert len(after) == len(before) - saved < 0x3000
    for old, new in zip(segments_of(before), segments_of(after), strict=True):
        # Kind, rights, address, sizes.
        assert (old[0], old[1], *old[3:7]) == (new[0], new[1], *new[3:7])
        if old[5] and old[2] > 0:
            assert before[old[2] : old[2] + old[5]] == after[new[2] : new[2] + new[5]]
        if new[0] == LOAD:
            assert (new[2] - new[3]) % elf.PAGE == 0
            assert new[7] == elf.PAGE
    assert after[0x800 : 0x800 + len(TEXT)] == TEXT


def test_a_library_for_another_processor_or_without_padding_is_left_alone(tmp_path: Path):
    for content in (library(machine=183), library(second=0x1000), b"\x7fELF\x01", b"GROUP ( libc.so.6 )"):
        path = tmp_path / "other.so"
        path.write_bytes(content)
        assert elf.close_gaps(path) == 0
        assert path.read_bytes() == content


def test_a_library_whose_headers_lie_outside_of_what_is_loaded_is_refused(tmp_path: Path):
    path = tmp_path / "loose.so"
    path.write_bytes(library(loose=0x100000))
    with pytest.raises(ValueError, match="outside of what is loaded"):
        elf.close_gaps(path)
