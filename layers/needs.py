"""What native libraries want of the machine: the names they ask for, where they look, and the versions they need.

Read from the dynamic section (DT_NEEDED, DT_SONAME, DT_RPATH, DT_RUNPATH) and the version needs (DT_VERNEED) of each
ELF file, as a loader does. Sources: "System V ABI", dynamic section; ld.so(8); "Linux Standard Base Core", symbol
versioning; what is there below python3.13: AWS, "Lambda runtimes" (Amazon Linux 2023), and its release notes (glibc
2.34, GCC 11, OpenSSL 3).
"""

import os
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

NEWEST: Final[Mapping[str, tuple[int, ...]]] = {
    "GLIBC": (2, 34),
    "GLIBCXX": (3, 4, 29),
    "CXXABI": (1, 3, 13),
    "OPENSSL": (3, 0, 0),
}
"""The newest versions that the runtime's libraries have, as their symbols name them."""
PROCESSORS: Final = {"x86_64": 62, "aarch64": 183}
"""e_machine of an ELF file, by the machine's name in wheel tags."""
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
_NEEDED, _STRINGS, _SONAME, _RPATH, _RUNPATH, _VERNEED, _VERNEEDNUM = 1, 5, 14, 15, 29, 0x6FFFFFFE, 0x6FFFFFFF
_VERSION = re.compile(r"([A-Z]+)_(\d+(?:\.\d+)*)")


@dataclass(frozen=True)
class Needs:
    """What one library asks for: names, the folders in which it looks for them, versions; and for whom it is."""

    libraries: tuple[str, ...] = ()
    soname: str = ""
    versions: frozenset[str] = field(default_factory=frozenset[str])
    paths: tuple[str, ...] = ()
    machine: int = 0

    @property
    def too_new(self) -> list[str]:
        """The versions that the runtime's libraries do not have."""
        found = [
            (name, v[1], tuple(map(int, v[2].split(".")))) for name in self.versions if (v := _VERSION.match(name))
        ]
        return sorted(name for name, of, version in found if version > NEWEST.get(of, version))


def needs(library: Path) -> Needs | None:
    """What a library asks for; None for what is no 64-bit ELF file."""
    content = library.read_bytes()
    if content[:6] != b"\x7fELF\x02\x01":
        return None
    header = _HEADER.unpack_from(content)
    segments = [_SEGMENT.unpack_from(content, header[5] + n * _SEGMENT.size) for n in range(header[10])]
    dynamic = next((segment for segment in segments if segment[0] == _DYNAMIC), None)
    if dynamic is None:
        return Needs(machine=header[2])
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
    # Where there is a DT_RUNPATH, DT_RPATH is not looked at.
    path = tags.get(_RUNPATH, tags.get(_RPATH))
    paths = () if path is None else tuple(one for one in text(path).split(":") if one)
    return Needs(wanted, text(tags[_SONAME]) if _SONAME in tags else "", frozenset(versions), paths, header[2])


def _versions(content: bytes, place: int, count: int) -> Iterator[int]:
    for _ in range(count):
        _, many, _, first, following = _NEED.unpack_from(content, place)
        inner = place + first
        for _ in range(many):
            _, _, _, name, step = _NEED_OF.unpack_from(content, inner)
            yield name
            inner += step
        place += following


def missing(machine: str, tree: Path, *beside: Path) -> list[str]:
    """What the libraries below `tree` want that neither the runtime has nor they find, a sentence each.

    `beside` are the trees that are unpacked into the same folder. `machine` is a key of PROCESSORS.
    """
    found = _libraries(tree)
    there = set(found).union(*map(_libraries, beside))
    said: list[str] = []
    for name, wanted in found.items():
        if wanted.machine != PROCESSORS[machine]:
            said.append(f"{name} is for another processor")
        for one in wanted.libraries:
            if one not in RUNTIME and there.isdisjoint(_places(name, wanted.paths, one)):
                known = sorted(other for other in there if Path(other).name == one)
                where = f"lies in {known[0]}, where it does not look" if known else "is nowhere"
                said.append(f"{name} needs {one}, which {where}")
        said += [f"{name} needs {version}, which is newer than the runtime" for version in wanted.too_new]
    return said


def _libraries(tree: Path) -> dict[str, Needs]:
    """What each library below a folder asks for, by its name there."""
    paths = [path for path in sorted(tree.rglob("*.so*")) if path.is_file()]
    return {str(path.relative_to(tree)): wanted for path in paths if (wanted := needs(path)) is not None}


def _places(name: str, paths: tuple[str, ...], wanted: str) -> set[str]:
    """Where a library looks for another one."""
    origin = str(Path(name).parent)
    folders = [one.replace("${ORIGIN}", "$ORIGIN").replace("$ORIGIN", origin, 1) for one in paths]
    return {os.path.normpath(f"{folder}/{wanted}") for folder in folders}
