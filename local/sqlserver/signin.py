"""How a client gets in: encryption is agreed, the login checked, its database opened."""

import ssl
import struct
from typing import Literal, Protocol

from local.sqlserver import errors, ntlm
from local.sqlserver.catalogue import Catalogue, Login
from local.sqlserver.channel import Channel
from local.sqlserver.errors import ConnectionLost, SqlError
from local.sqlserver.wire import (
    COLLATION,
    Encryption,
    Login7,
    Packet,
    change_token,
    done_token,
    login7,
    login_token,
    message_token,
    prelogin_options,
    prelogin_reply,
    short_text,
    sspi_token,
)

TDS_8 = 0x08000000
"""What a client names in LOGIN7 where TLS comes first ([MS-TDS] 2.2.6.4)."""

type Policy = Literal["offered", "required", "none", "strict"]
"""`strict`: TLS comes first, as TDS 8 has it, and whoever begins in the clear is hung up on."""


class SignInPolicy(Protocol):
    """What the server is like to somebody who knocks."""

    @property
    def catalogue(self) -> Catalogue:
        """Who may come in, and where to."""
        ...

    @property
    def tls(self) -> ssl.SSLContext:
        """How it encrypts."""
        ...

    @property
    def encryption(self) -> Policy:
        """Whether it encrypts."""
        ...

    @property
    def domain(self) -> str:
        """The Windows domain it belongs to."""
        ...

    @property
    def server_name(self) -> str:
        """What it calls itself."""
        ...


def sign_in(channel: Channel, policy: SignInPolicy) -> tuple[Login, Login7]:
    """PRELOGIN, TLS and LOGIN7 up to a proven login. Raises SqlError for a refused one, ConnectionLost for nonsense."""
    if policy.encryption == "strict":
        channel.start_with_tls(policy.tls)
    first = channel.read()
    if first.kind != Packet.PRELOGIN:
        raise ConnectionLost("the first packet is no PRELOGIN")
    options = prelogin_options(first.body)
    wanted = Encryption((options.get(1) or b"\0")[0] & 3)
    agreed = _agree(policy.encryption, wanted)
    reply = channel.reply()
    reply.add(prelogin_reply(agreed))
    reply.finish()
    if agreed != Encryption.NOT_SUPPORTED and not channel.is_encrypted:
        if wanted == Encryption.NOT_SUPPORTED:
            raise ConnectionLost("the client cannot encrypt and this server insists")
        channel.start_tls(policy.tls)
    message = channel.read()
    if message.kind != Packet.LOGIN7:
        raise ConnectionLost("a login was expected")
    if agreed == Encryption.OFF:
        channel.stop_tls()
    request = login7(message.body)
    if (policy.encryption == "strict") != (request.version == TDS_8):
        raise ConnectionLost(f"TDS version {request.version:#x}, encryption {policy.encryption}")
    if request.version != TDS_8 and request.version < 0x730A0003:
        raise ConnectionLost(f"TDS version {request.version:#x} is too old for this server")
    if request.integrated:
        return _windows(channel, policy, request), request
    return _sql(policy.catalogue, request), request


def _agree(policy: Policy, wanted: Encryption) -> Encryption:
    """The server's half of the negotiation ([MS-TDS] 2.2.6.5)."""
    if policy == "strict":
        return Encryption.ON
    if policy == "none":
        return Encryption.NOT_SUPPORTED
    if policy == "required":
        return Encryption.REQUIRED if wanted in (Encryption.OFF, Encryption.NOT_SUPPORTED) else Encryption.ON
    if wanted == Encryption.NOT_SUPPORTED:
        return Encryption.NOT_SUPPORTED
    return Encryption.OFF if wanted == Encryption.OFF else Encryption.ON


def _sql(catalogue: Catalogue, request: Login7) -> Login:
    login = catalogue.find_login(request.user)
    if login is None or login.windows or login.password != request.password:
        raise errors.login_failed(request.user)
    if login.contained_in is not None and login.contained_in.casefold() != request.database.casefold():
        raise errors.login_failed(request.user)
    return _usable(login)


def _usable(login: Login) -> Login:
    """A proven login that is not switched off or out of date."""
    if login.disabled:
        raise errors.account_disabled(login.name)
    if login.expired:
        raise errors.password_expired(login.name)
    if login.must_change:
        raise errors.password_must_change(login.name)
    return login


def _windows(channel: Channel, policy: SignInPolicy, request: Login7) -> Login:
    """NTLM's three messages; the proof must be the account's."""
    if not ntlm.is_negotiate(request.sspi):
        raise errors.untrusted_domain()
    message, challenge = ntlm.challenge_message(policy.domain, policy.server_name)
    reply = channel.reply()
    reply.add(sspi_token(message))
    reply.finish()
    answer = channel.read()
    claim = ntlm.claim(answer.body) if answer.kind == Packet.SSPI else None
    if claim is None:
        raise errors.untrusted_domain()
    login = policy.catalogue.find_login(f"{claim.domain}\\{claim.user}")
    if login is None or not login.windows or not claim.proven(login.password, challenge):
        raise errors.untrusted_domain()
    if not login.mapped:
        raise errors.login_failed(login.name)
    return _usable(login)


def refuse(channel: Channel, error: SqlError, server: str) -> None:
    """Say why, as the server does before it hangs up; 4060 is followed by 18456."""
    reply = channel.reply()
    reply.add(message_token(error, server))
    reply.add(done_token(0x02, command=0))
    reply.finish()


def redirection_token(host: str, port: int) -> bytes:
    """The order to go elsewhere ([MS-TDS] 2.2.7.9, type 20)."""
    to = struct.pack("<BHH", 0, port, len(host)) + host.encode("utf-16-le")
    return change_token(20, struct.pack("<H", len(to)) + to, b"\0\0")


def welcome(
    channel: Channel, request: Login7, server: str, entered: bytes, redirect_to: tuple[str, int] | None = None
) -> None:
    """LOGINACK with the environment: database (`entered`), collation, language, packet size; perhaps an order to go
    elsewhere.
    """
    size = min(max(request.packet_size or 4096, 512), 32767)
    reply = channel.reply()
    reply.add(entered)
    reply.add(change_token(7, bytes([5]) + COLLATION, b"\0"))
    reply.add(change_token(2, short_text("us_english"), short_text("")))
    said = SqlError(5703, "Changed language setting to us_english.", 0)
    reply.add(message_token(said, server, information=True))
    agreed = request.version if request.version in (TDS_8, 0x74000004) else 0x730B0003
    reply.add(login_token(agreed))
    reply.add(change_token(4, short_text(str(size)), short_text(str(channel.packet_size))))
    if redirect_to is not None:
        reply.add(redirection_token(*redirect_to))
    reply.add(done_token(0, command=0))
    reply.finish()
    channel.packet_size = size
