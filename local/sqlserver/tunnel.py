"""TLS inside TDS: the handshake travels in the protocol's own packets, and certificates are made when asked for."""

import datetime
import ipaddress
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local.sqlserver.errors import ConnectionLost


@dataclass(frozen=True)
class Certificate:
    """A server's certificate with its key, and the certificate of who signed it (itself when self-signed); PEM."""

    certificate: bytes
    key: bytes
    authority: bytes

    def context(self) -> ssl.SSLContext:
        """A server's TLS settings. TDS 7 tunnels TLS 1.2 at most."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            Path(file.name).write_bytes(self.key + self.certificate)
            context.load_cert_chain(file.name)
        return context


_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def certificate(
    names: Sequence[str] = ("localhost", "127.0.0.1", "::1"), *, signed_by_authority: bool = False
) -> Certificate:
    """A fresh certificate for these host names and addresses, self-signed or signed by a fresh authority."""
    now = datetime.datetime.now(datetime.UTC)
    start, end = now - datetime.timedelta(days=1), now + datetime.timedelta(days=365)
    key = ec.generate_private_key(ec.SECP256R1())
    signer, issuer, authority = key, _subject(names[0]), None
    if signed_by_authority:
        signer, issuer = ec.generate_private_key(ec.SECP256R1()), _subject("Stand-in authority")
        authority = (
            x509.CertificateBuilder(issuer, issuer, signer.public_key(), x509.random_serial_number(), start, end)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_SIGNS, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(signer.public_key()), critical=False)
            .sign(signer, hashes.SHA256())
        )
    leaf = (
        x509.CertificateBuilder(issuer, _subject(names[0]), key.public_key(), x509.random_serial_number(), start, end)
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Certificate(leaf.public_bytes(pem), secret, (authority or leaf).public_bytes(pem))


class Tunnel:
    """One connection's TLS, without a socket: bytes in, bytes out. Not to be used by two threads at once."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def handshake(self, data: bytes) -> tuple[bytes, bool]:
        """The client's next bytes; returns what to answer and whether the handshake is done."""
        self._incoming.write(data)
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return self._outgoing.read(), False
        except ssl.SSLError as error:
            raise ConnectionLost(f"TLS: {error}") from error
        return self._outgoing.read(), True

    def decrypt(self, data: bytes) -> bytes:
        """Plain bytes of what arrived (perhaps none yet)."""
        self._incoming.write(data)
        out = bytearray()
        try:
            while True:
                part = self._tls.read(65536)
                if not part:
                    break
                out += part
        except ssl.SSLWantReadError:  # the rest of the record is on its way
            return bytes(out)
        except ssl.SSLError as error:
            raise ConnectionLost(f"TLS: {error}") from error
        return bytes(out)

    def encrypt(self, data: bytes) -> bytes:
        """The records to send."""
        view = memoryview(data)
        while view:
            view = view[self._tls.write(view) :]
        return self._outgoing.read()
