"""Whose certificate the server shows, checked before any password is sent.

FreeTDS encrypts, but on its own verifies nothing. So the hub first makes the TLS handshake itself, as TDS wants it
(TLS records inside PRELOGIN packets), with Python's checks of chain, dates and host name. From that it learns which of
the certificate's own names covers the host, and tells FreeTDS to accept, for the connection that carries the password,
only a certificate of the same authorities that bears that very name (see driver.py).
"""

import hashlib
import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from erphub.erp.transports.sqlserver.der import Names, read_certificate
from erphub.platform.errors import ErpRefused, FieldError, HubError, Invalid, Unavailable

SECONDS = 10.0
"""How long the server may take for the whole handshake, however slowly it speaks."""

type Dial = Callable[[], socket.socket]
"""Opens a new TCP connection to the server; the handshake may need a second one to tell what was wrong."""

_PRELOGIN, _RESPONSE = 0x12, 0x04
_NOT_SUPPORTED = 2
# Hostname and IP address mismatch, in OpenSSL's numbering of verification results.
_MISMATCHES = frozenset({62, 64})


@dataclass(frozen=True)
class Certificate:
    """What the server showed. `name` is the name in it that covers the host; None when nobody verified."""

    name: str | None
    subject: str
    issuer: str
    expires: str
    fingerprint: str

    def __str__(self) -> str:
        return (
            f"certificate of {self.subject}, issued by {self.issuer}, valid until {self.expires},"
            f" SHA-256 {self.fingerprint}"
        )


def authority(pem: str) -> str:
    """The certificates in the text, as PEM, when it holds nothing else that matters.

    Raises Invalid (`certificate_form`, `private_key_given`) pointing at `/ca_certificate`.
    """
    if "PRIVATE KEY" in pem:
        raise _bad_certificate(
            "private_key_given",
            "This holds a private key. Remove it, and keep it secret: only the certificate is needed.",
        )
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=pem)
        found = context.cert_store_stats()["x509"]
    except (ssl.SSLError, ValueError, TypeError) as error:  # TypeError: not ASCII
        raise _not_pem() from error
    if not found:
        raise _not_pem()
    return pem


def public_authorities() -> str:
    """The file with the authorities the web trusts: Mozilla's list, as the HTTP clients of the hub use it."""
    import certifi

    return certifi.where()


def verify(dial: Dial, host: str, ca_file: str) -> Certificate:
    """The server's certificate, after its chain (to an authority in `ca_file`), dates and name were found right.

    Raises ErpRefused `tls_untrusted_certificate`, `tls_hostname_mismatch`, `tls_not_offered`, `tls_failed`; Unavailable
    when the connection breaks.
    """
    context = _context(ca_file)
    try:
        shown = _handshake(dial, context, host)
    except ssl.SSLCertVerificationError as error:
        if error.verify_code in _MISMATCHES:
            raise _mismatch(host, _look(dial)) from error
        raise _untrusted(error.verify_message, _look(dial)) from error
    names = read_certificate(shown)
    covering = next((name for name in names.hosts if _covers(name, host)), None)
    if covering is None:  # OpenSSL said it matches; without knowing by which name FreeTDS could not be told
        raise _mismatch(host, _certificate(shown, None))
    return _certificate(shown, covering)


def look(dial: Dial) -> Certificate:
    """The server's certificate, unverified. Raises as `verify`, but for trust and name."""
    return _look(dial)


def _look(dial: Dial) -> Certificate:
    return _certificate(_handshake(dial, _context(None), None), None)


def _context(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2  # TDS 7 knows no later one
    if ca_file is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("DEFAULT:@SECLEVEL=1")  # the certificates SQL Server makes for itself may have short keys
    else:
        context.load_verify_locations(cafile=ca_file)
    return context


def _handshake(dial: Dial, context: ssl.SSLContext, host: str | None) -> bytes:
    """Complete a handshake on a new connection and return the certificate shown, as DER."""
    with dial() as tcp:
        wire = _Wire(tcp, time.monotonic() + SECONDS)
        try:
            _offer(wire)
            return _shake_hands(wire, context, host)
        except ssl.SSLCertVerificationError:
            raise
        except ssl.SSLError as error:
            raise ErpRefused(
                "The server and the hub could not agree on an encryption. The server must offer TLS 1.2.",
                code="tls_failed",
            ) from error
        except (OSError, EOFError) as error:
            raise Unavailable(
                "The server fell silent or ended the connection before it was encrypted. Is it really a SQL Server?",
                code="not_sql_server",
            ) from error


def _offer(wire: "_Wire") -> None:
    """Say PRELOGIN: we want everything encrypted."""
    options = ((0, b"\x0f\x00\x00\x00\x00\x00"), (1, b"\x01"), (2, b"\x00"), (3, b"\x00\x00\x00\x00"), (4, b"\x00"))
    head, values, at = b"", b"", 5 * len(options) + 1
    for token, value in options:
        head += struct.pack(">BHH", token, at, len(value))
        values += value
        at += len(value)
    wire.send(head + b"\xff" + values)
    kind, answer = wire.receive()
    if kind != _RESPONSE:
        raise EOFError("the answer to PRELOGIN is of another kind")
    if _encryption(answer) == _NOT_SUPPORTED:
        raise ErpRefused(
            "The server offers no encryption, and the hub sends no password without. Give SQL Server a certificate.",
            code="tls_not_offered",
        )


def _encryption(answer: bytes) -> int:
    at = 0
    while at + 5 <= len(answer) and answer[at] != 0xFF:
        token, offset, length = struct.unpack_from(">BHH", answer, at)
        if token == 1 and length and offset < len(answer):
            return answer[offset]
        at += 5
    raise EOFError("the answer to PRELOGIN says nothing about encryption")


def _shake_hands(wire: "_Wire", context: ssl.SSLContext, host: str | None) -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname=host)
    while True:
        try:
            session.do_handshake()
        except ssl.SSLWantReadError:
            wire.send(outgoing.read())
            incoming.write(wire.receive()[1])
            continue
        if outgoing.pending:
            wire.send(outgoing.read())
        shown = session.getpeercert(binary_form=True)
        if shown is None:
            raise EOFError("the server showed no certificate")
        return shown


class _Wire:
    """TDS packets over a socket, until a deadline."""

    def __init__(self, tcp: socket.socket, deadline: float) -> None:
        self._tcp, self._deadline = tcp, deadline

    def send(self, data: bytes) -> None:
        """One packet with the data; nothing when there is none."""
        if data:
            self._in_time().sendall(struct.pack(">BBHHBB", _PRELOGIN, 1, len(data) + 8, 0, 0, 0) + data)

    def receive(self) -> tuple[int, bytes]:
        """One packet: its kind and what it carries. Raises EOFError when the connection ends, TimeoutError."""
        kind, _, length = struct.unpack(">BBH", self._exactly(8)[:4])
        if length < 8:
            raise EOFError("a packet that is shorter than its head")
        return kind, self._exactly(length - 8)

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._in_time().recv(size - len(data))
            if not more:
                raise EOFError("the connection ended")
            data += more
        return data

    def _in_time(self) -> socket.socket:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the server did not complete the handshake in time")
        self._tcp.settimeout(left)
        return self._tcp


def _covers(name: str, host: str) -> bool:
    """Whether a name in a certificate means the host: itself, or a wildcard for its first label."""
    name, host = name.lower(), host.lower()
    return name == host or (name.startswith("*.") and name[2:] == host.partition(".")[2])


def _certificate(shown: bytes, name: str | None) -> Certificate:
    names: Names = read_certificate(shown)
    digest = hashlib.sha256(shown).hexdigest()
    return Certificate(name, names.subject, names.issuer, names.expires, digest)


def _mismatch(host: str, shown: Certificate) -> HubError:
    return ErpRefused(
        f"The server's certificate is made out to {shown.subject}, not to {host}. Enter the server by the name in its"
        " certificate, or have a certificate issued for this name.",
        code="tls_hostname_mismatch",
        **_facts(shown),
    )


def _untrusted(reason: str, shown: Certificate) -> HubError:
    return ErpRefused(
        f"The server's certificate cannot be trusted ({reason}). It is made out to {shown.subject}, issued by"
        f" {shown.issuer}, valid until {shown.expires}. Enter the certificate of the authority that issued it, or"
        " choose to encrypt without verifying.",
        code="tls_untrusted_certificate",
        **_facts(shown),
    )


def _facts(shown: Certificate) -> dict[str, Any]:
    return {
        "subject": shown.subject,
        "issuer": shown.issuer,
        "expires": shown.expires,
        "fingerprint": shown.fingerprint,
    }


def _not_pem() -> Invalid:
    return _bad_certificate(
        "certificate_form", "This is not a certificate in PEM form, which begins with -----BEGIN CERTIFICATE-----."
    )


def _bad_certificate(code: str, detail: str) -> Invalid:
    return Invalid(detail, code=code, errors=[FieldError("/ca_certificate", code, detail)])
