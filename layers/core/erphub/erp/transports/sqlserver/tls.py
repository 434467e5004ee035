"""Whose certificate the server shows, checked before any password is sent, on the connection that will carry it."""

import hashlib
import ssl
from dataclasses import dataclass
from typing import Any

from erphub.erp.transports.sqlserver import problems
from erphub.erp.transports.sqlserver.der import Names, read_certificate
from erphub.platform.errors import HubError, Invalid
from erphub.platform.outbound.certificates import why_not_trusted
from erphub.platform.outbound.deadlines import Deadline
from erphub.platform.outbound.tds.channel import (
    STRICT_PROTOCOL,
    Channel,
    Dial,
    NotEncryptedError,
    StrictlyRefusedError,
)
from erphub.platform.outbound.tds.messages import ProtocolError

HANDSHAKE_SECONDS = 10.0
"""How long the server may take for the whole handshake, however slowly it speaks."""

SQL_SERVER_REFUSED = frozenset(
    {"tls_untrusted_certificate", "tls_hostname_mismatch", "tls_not_offered", "tls_failed", "strict_encryption"}
)
"""What is said of a server only once it has spoken as SQL Server does."""

# Hostname and IP address mismatch, in OpenSSL's numbering of verification results.
_MISMATCHES = frozenset({62, 64})


@dataclass(frozen=True)
class Trust:
    """Whose certificates a server may show, for the host that was typed: anybody's, unless they are `verified`."""

    verified: bool
    authority: str | None = None
    """The authority's certificate (PEM); None for the public ones."""


@dataclass(frozen=True)
class Certificate:
    """What the server showed."""

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
        raise problems.PRIVATE_KEY_GIVEN.alone()
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=pem)
        found = context.cert_store_stats()["x509"]
    except (ssl.SSLError, ValueError, TypeError) as error:  # TypeError: not ASCII
        raise _not_pem() from error
    if not found:
        raise _not_pem()
    return pem


def encrypted(dial: Dial, host: str, trust: Trust, deadline: Deadline) -> Channel:
    """An encrypted connection to a server whose certificate was found right, as TDS 7 or, where that is forced, TDS 8.

    Raises ErpRefused `tls_untrusted_certificate`, `tls_hostname_mismatch`, `tls_not_offered`, `tls_failed`,
    `strict_encryption`; Unavailable `not_sql_server` when the connection breaks or takes too long.
    """
    deadline = deadline.within(HANDSHAKE_SECONDS)
    name = host if trust.verified else None
    try:
        return _opened(dial, name, trust, deadline)
    except ssl.SSLCertVerificationError as error:
        shown = _shown(dial, deadline)
        if error.verify_code in _MISMATCHES:
            raise _mismatch(host, shown) from error
        raise _untrusted(why_not_trusted(error.verify_code), shown) from error
    except NotEncryptedError as error:
        raise problems.TLS_NOT_OFFERED() from error
    except StrictlyRefusedError as error:
        raise problems.STRICT_ENCRYPTION() from error
    except ssl.SSLError as error:
        raise problems.TLS_FAILED() from error
    except (OSError, EOFError, ProtocolError) as error:
        raise _not_sql_server() from error


def _not_sql_server() -> HubError:
    return problems.NOT_SQL_SERVER()


def _opened(dial: Dial, name: str | None, trust: Trust, deadline: Deadline) -> Channel:
    """A server that hangs up on a PRELOGIN in the clear may be one that wants TLS first."""
    try:
        return Channel.open(dial, _context(trust, strict=False), name, deadline)
    except (EOFError, ConnectionError) as hung_up:
        try:
            return Channel.open_strictly(dial, _context(trust, strict=True), name, deadline)
        except (ssl.SSLCertVerificationError, StrictlyRefusedError):
            raise
        except (OSError, EOFError, ProtocolError):
            raise hung_up from None


def _shown(dial: Dial, deadline: Deadline) -> Certificate:
    """The certificate that the server shows, whatever it is. Raises Unavailable when it is that of no SQL Server."""
    try:
        channel = _opened(dial, None, Trust(verified=False), deadline)
    except (OSError, EOFError, ProtocolError, NotEncryptedError, StrictlyRefusedError) as error:
        raise _not_sql_server() from error
    channel.close()
    return certificate(channel.certificate)


def _context(trust: Trust, *, strict: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if strict:
        context.set_alpn_protocols([STRICT_PROTOCOL])
    else:
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # TDS 7 knows no later one
    if not trust.verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("DEFAULT:@SECLEVEL=1")  # the certificates SQL Server makes for itself may have short keys
    elif trust.authority is not None:
        context.load_verify_locations(cadata=authority(trust.authority))
    else:
        context.load_verify_locations(cafile=_public_authorities())
    return context


def _public_authorities() -> str:
    """The file with the authorities the web trusts: Mozilla's list, as the HTTP clients of the hub use it."""
    import certifi

    return certifi.where()


def certificate(shown: bytes) -> Certificate:
    """What a certificate (DER) says of itself."""
    names: Names = read_certificate(shown)
    return Certificate(names.subject, names.issuer, names.expires, hashlib.sha256(shown).hexdigest())


def _mismatch(host: str, shown: Certificate) -> HubError:
    return problems.TLS_HOSTNAME_MISMATCH(host=host, **_details(shown))


def _untrusted(reason: str, shown: Certificate) -> HubError:
    return problems.TLS_UNTRUSTED_CERTIFICATE(reason=reason, **_details(shown))


def _details(shown: Certificate) -> dict[str, Any]:
    return {
        "subject": shown.subject,
        "issuer": shown.issuer,
        "expires": shown.expires,
        "fingerprint": shown.fingerprint,
    }


def _not_pem() -> Invalid:
    return problems.CERTIFICATE_FORM.alone()
