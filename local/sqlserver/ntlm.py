"""Windows logins: the server's half of NTLMv2, with the proof really checked ([MS-NLMP]).

OpenSSL 3 has no MD4 any more, so the fifteen lines of it stand here.
"""

import hashlib
import hmac
import os
import struct
import time
from dataclasses import dataclass

_SIGNATURE = b"NTLMSSP\0"
# unicode, request target, NTLM, always sign, extended security, target info, version, 128 bit, key exchange, 56 bit
_FLAGS = 0x1 | 0x4 | 0x200 | 0x8000 | 0x10000 | 0x80000 | 0x800000 | 0x2000000 | 0x20000000 | 0x40000000 | 0x80000000
_EPOCH_1601 = 116444736000000000


def md4(data: bytes) -> bytes:
    """RFC 1320."""
    mask = 0xFFFFFFFF
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
    padded = data + b"\x80" + b"\0" * ((55 - len(data)) % 64) + struct.pack("<Q", 8 * len(data))
    rounds = (
        (range(16), (3, 7, 11, 19), 0),
        ([0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15], (3, 5, 9, 13), 0x5A827999),
        ([0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15], (3, 9, 11, 15), 0x6ED9EBA1),
    )
    for start in range(0, len(padded), 64):
        words = struct.unpack_from("<16I", padded, start)
        a, b, c, d = state
        for number, (order, shifts, constant) in enumerate(rounds):
            for step, index in enumerate(order):
                mixed = (b & c | ~b & d, b & c | b & d | c & d, b ^ c ^ d)[number]
                turned = (a + (mixed & mask) + words[index] + constant) & mask
                bits = shifts[step % 4]
                a, b, c, d = d, (turned << bits | turned >> (32 - bits)) & mask, b, c
        state = [(before + after) & mask for before, after in zip(state, (a, b, c, d), strict=True)]
    return struct.pack("<4I", *state)


def nt_hash(password: str) -> bytes:
    """What a domain controller keeps of a password."""
    return md4(password.encode("utf-16-le"))


@dataclass(frozen=True)
class Claim:
    """Who the client says it is, and its proof."""

    domain: str
    user: str
    response: bytes

    def proven(self, password: str, challenge: bytes) -> bool:
        """Whether the proof was made with this password for this challenge. NTLMv1 answers (24 bytes) never are."""
        if len(self.response) <= 24:
            return False
        proof, blob = self.response[:16], self.response[16:]
        who = (self.user.upper() + self.domain).encode("utf-16-le")
        key = hmac.digest(nt_hash(password), who, hashlib.md5)
        return hmac.compare_digest(proof, hmac.digest(key, challenge + blob, hashlib.md5))


def is_negotiate(data: bytes) -> bool:
    """Whether this is the first NTLM message (and not a Kerberos ticket)."""
    return data.startswith(_SIGNATURE + struct.pack("<I", 1))


def challenge_message(domain: str, computer: str) -> tuple[bytes, bytes]:
    """The second message, and the eight random bytes in it."""
    challenge = os.urandom(8)
    target = domain.encode("utf-16-le")
    stamp = struct.pack("<Q", _EPOCH_1601 + time.time_ns() // 100)
    info = b""
    for kind, value in ((2, target), (1, computer.encode("utf-16-le")), (7, stamp), (0, b"")):
        info += struct.pack("<HH", kind, len(value)) + value
    head = 56
    message = _SIGNATURE + struct.pack("<I", 2) + struct.pack("<HHI", len(target), len(target), head)
    message += struct.pack("<I", _FLAGS) + challenge + bytes(8)
    message += struct.pack("<HHI", len(info), len(info), head + len(target)) + bytes([10, 0, 0x61, 0x4A, 0, 0, 0, 15])
    return message + target + info, challenge


def claim(data: bytes) -> Claim | None:
    """Read the third message; None when it is none."""
    if not data.startswith(_SIGNATURE + struct.pack("<I", 3)) or len(data) < 64:
        return None

    def part(position: int) -> bytes:
        length, _, offset = struct.unpack_from("<HHI", data, position)
        return data[offset : offset + length]

    (flags,) = struct.unpack_from("<I", data, 60)
    coding = "utf-16-le" if flags & 1 else "cp1252"
    return Claim(part(28).decode(coding, "replace"), part(36).decode(coding, "replace"), part(20))
