"""Takes the padding out of native libraries that were linked for pages of 2 MiB.

Such a library keeps each of its segments at an offset that fits a page of that size, so that 100 kB of code may take
6 MB once unpacked, which count against Lambda's limit. Its processor's pages are of 4 kB; so are the offsets here.
What is loaded where stays as it is, only where it lies in the file changes: p_offset and p_vaddr of a segment are alike
modulo p_align ("System V ABI", program header).
"""

import struct
from pathlib import Path

PAGE = 0x1000
X86_64 = 62
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_LOAD = 1


def close_gaps(library: Path) -> int:
    """Write a library anew without what lies between its segments; returns how many bytes that saves.

    One for another processor, or that would not get smaller, is left alone. Raises ValueError for one whose headers lie
    outside of what is loaded.
    """
    content = library.read_bytes()
    if content[:6] != b"\x7fELF\x02\x01" or _HEADER.unpack_from(content)[2] != X86_64:
        return 0
    header = list(_HEADER.unpack_from(content))
    at, count = header[5], header[10]
    segments = [list(_SEGMENT.unpack_from(content, at + n * _SEGMENT.size)) for n in range(count)]
    moved = _new_places(segments)
    closed = bytearray(max(new + size for _, size, new in moved))
    if len(closed) > len(content) - PAGE:
        return 0
    for old, size, new in moved:
        closed[new : new + size] = content[old : old + size]
    for segment in segments:
        segment[2] = _place(moved, segment[2], segment[5])
        if segment[0] == _LOAD:
            segment[7] = min(segment[7], PAGE)
    header[5] = _place(moved, at, count * _SEGMENT.size)
    # The table of sections is for linkers and debuggers; the loader never reads it.
    header[6] = header[12] = header[13] = 0
    _HEADER.pack_into(closed, 0, *header)
    for n, segment in enumerate(segments):
        _SEGMENT.pack_into(closed, header[5] + n * _SEGMENT.size, *segment)
    library.write_bytes(closed)
    return len(content) - len(closed)


def _new_places(segments: list[list[int]]) -> list[tuple[int, int, int]]:
    """(offset, size, new offset) of all that is loaded, one after the other as near as their addresses allow."""
    places: list[tuple[int, int, int]] = []
    end = 0
    for _, _, offset, address, _, size, _, _ in sorted(
        (one for one in segments if one[0] == _LOAD), key=lambda one: one[2]
    ):
        new = end + (address - end) % PAGE
        places.append((offset, size, new))
        end = new + size
    return places


def _place(places: list[tuple[int, int, int]], offset: int, size: int) -> int:
    """Where something has moved to. Raises ValueError when it is not loaded."""
    if size == 0:
        return 0
    for old, length, new in places:
        if old <= offset and offset + size <= old + length:
            return new + offset - old
    raise ValueError(f"{size} bytes at {offset:#x} lie outside of what is loaded")
