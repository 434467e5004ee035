"""What native libraries want of the machine: the names they ask for, and the versions of glibc.

Read from the dynamic section (DT_NEEDED, DT_SONAME) and the version needs (DT_VERNEED) of each ELF file, as a loader
does. Sources: "System V ABI", dynamic section; "Linux Standard Base Core", symbol versioning; what is there below
python3.13: AWS, "Lambda runtimes" (Amazon Linux 2023), and its release notes (glibc 2.34, OpenSSL 3).
"""

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

GLIBC = (2, 34)
RUNTIME = frozenset(
    {
        *("libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0", "libresolv.so.2", "libutil.so.1"),
        *("ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libgcc_s.so.1", "libstdc++.so.6", "libz.so.1"),
        *("libssl.so.3", "libcrypto.so.3"),
    }
)
"""Libraries that the runtime has."""
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_ENTRY = struct.Struct("<qQ")
_NEED, _NEED_OF = struct.Struct("<HHIII"), struct.Struct("<IHHII")
_LOAD, _DYNAMIC = 1, 2
_NEEDED, _STRINGS, _SONAME, _VERNEED, _VERNEEDNUM = 1, 5, 14, 0x6FFFFFFE, 0x6FFFFFFF
_GLIBC_VERSION = re.compile(r"GLIBC_(\d+)\.(\d+)")


@dataclass(frozen=True)
class Needs:
    """What one library asks for."""

    libraries: tuple[str, ...] = ()
    soname: str = ""
    versions: frozenset[str] = field(default_factory=frozenset[str])

    @property
    def glibc(self) -> tuple[int, int]:
        """The newest version of glibc that it names."""
        found = [(int(v[1]), int(v[2])) for name in self.versions if (v := _GLIBC_VERSION.match(name))]
        return max(found, default=(0, 0))


def needs(library: Path) -> Needs | None:
    """What a library asks for; None for what is no 64-bit ELF file."""
    content = library.read_bytes()
    if content[:6] != b"\x7fELF\x02\x01":
        return None
    header = _HEADER.unpack_from(content)
    segments = [_SEGMENT.unpack_from(content, header[5] + n * _SEGMENT.size) for n in range(header[10])]
    dynamic = next((segment for segment in segments if segment[0] == _DYNAMIC), None)
    if dynamic is None:
        return Needs()
    entries = list(_ENTRY.iter_unpack(content[dynamic[2] : dynamic[2] + dynamic[5] // 16 * 16]))
    entries = entries[: next((place for place, (tag, _) in enumerate(entries) if tag == 0), len(entries))]
    tags: Mapping[int, int] = dict(entries)

    def at(address: int) -> int:
        for kind, _, offset, start, _, size, _, _ in segments:
            if kind == _LOAD and start <= address < start + size:
                return int(offset + address - start)
        raise ValueError(f"{library.name} points outside of itself")

    def text(place: int) -> str:
        begin = at(tags[_STRINGS]) + place
        return content[begin : content.index(b"\0", begin)].decode()

    versions: set[str] = set()
    if _VERNEED in tags:
        versions = {text(name) for name in _versions(content, at(tags[_VERNEED]), tags[_VERNEEDNUM])}
    wanted = tuple(text(value) for tag, value in entries if tag == _NEEDED)
    return Needs(wanted, text(tags[_SONAME]) if _SONAME in tags else "", frozenset(versions))


def _versions(content: bytes, place: int, count: int) -> Iterator[int]:
    for _ in range(count):
        _, many, _, first, following = _NEED.unpack_from(content, place)
        inner = place + first
        for _ in range(many):
            _, _, _, name, step = _NEED_OF.unpack_from(content, inner)
            yield name
            inner += step
        place += following


def missing(tree: Path) -> list[str]:
    """What the libraries of a layer want and neither the layer nor the runtime has, a sentence each."""
    found = {path: wanted for path in sorted(tree.rglob("*.so*")) if path.is_file() and (wanted := needs(path))}
    here = {path.name for path in found} | {wanted.soname for wanted in found.values()}
    said: list[str] = []
    for path, wanted in found.items():
        name = path.relative_to(tree)
        said += [f"{name} needs {one}, which is nowhere" for one in wanted.libraries if one not in here | RUNTIME]
        if wanted.glibc > GLIBC:
            said.append(f"{name} needs glibc {'.'.join(map(str, wanted.glibc))}")
    return said
