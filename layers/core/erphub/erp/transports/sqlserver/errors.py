"""What SQL Server and its driver say when something goes wrong, turned into our words.

A failed connection is read by what the server was heard to say (messages.py) and by the driver's text; the number in
the driver's exception may be that of an earlier failure in the process. What is known is a table; what is not keeps the
server's own words, cleaned.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from erphub.erp.transports.sqlserver.messages import Message
from erphub.platform.errors import CredentialsRefused, ErpRefused, HubError, Unavailable


@dataclass(frozen=True)
class Refusal:
    """One thing that can happen: by which numbers or words it is known, and what it means to the user."""

    code: str
    kind: type[HubError]
    detail: str
    numbers: frozenset[int]
    words: str | None = None


def _known(code: str, kind: type[HubError], detail: str, *numbers: int, words: str | None = None) -> Refusal:
    return Refusal(code, kind, detail, frozenset(numbers), words)


_KNOWN: tuple[Refusal, ...] = (
    # Logins.
    _known(
        "password_expired",
        CredentialsRefused,
        "The login's password has expired. Change it on the server, then enter the new one here.",
        18487,
        words=r"password of the account has expired",
    ),
    _known(
        "password_must_change",
        CredentialsRefused,
        "The login's password must be changed before it can be used. Change it on the server, then enter it here.",
        18488,
        words=r"password of the account must be changed",
    ),
    _known(
        "login_disabled",
        CredentialsRefused,
        "The login is disabled on the server. Have it enabled, or use another.",
        18470,
        words=r"account is disabled",
    ),
    _known(
        "login_locked",
        CredentialsRefused,
        "The login is locked out on the server after too many wrong passwords. Have it unlocked.",
        18486,
        words=r"account is currently locked out",
    ),
    _known(
        "windows_login_refused",
        CredentialsRefused,
        "The server does not accept this Windows login: it is from a domain the server does not trust, or the server"
        " only knows Windows logins. Check DOMAIN\\user, or choose the other kind of authentication.",
        18452,
        words=r"untrusted domain|cannot be used with (?:windows|integrated) authentication",
    ),
    _known(
        "default_database",
        ErpRefused,
        "The login's default database cannot be opened on the server. Give the login another default database.",
        4064,
        words=r"cannot open user default database",
    ),
    _known(
        "firewall",
        ErpRefused,
        "The server's firewall does not let the hub in. Allow the hub's outgoing addresses there.",
        40615,
        40914,
        words=r"is not allowed to access the server",
    ),
    _known(
        "credentials_refused",
        CredentialsRefused,
        "The server does not accept the login and password. Check both, and whether it is an SQL Server or a Windows"
        " login.",
        18456,
        words=r"login failed for user",
    ),
    # Databases and objects.
    _known(
        "company_gone",
        ErpRefused,
        "The company's database is no longer on the server, or cannot be opened. Choose the companies again.",
        911,
        4060,
        words=r"database '.*' does not exist|cannot open database",
    ),
    _known(
        "company_unavailable",
        Unavailable,
        "The company's database is not available just now: it is offline, being restored, or in use by one user only.",
        922, 924, 927, 942, 945, 952, 978, 983,
    ),
    _known(
        "permission_denied",
        ErpRefused,
        "The login may not read what it needs. Give it read access (db_datareader) to the company's database.",
        229, 230, 297, 300, 916,
        words=r"permission was denied|is not able to access the database",
    ),
    _known(
        "table_missing",
        ErpRefused,
        "A table or view that is to be read is not in the company's database.",
        208,
        words=r"invalid object name",
    ),
    _known(
        "column_missing",
        ErpRefused,
        "A column that is to be read is not in its table any more. Run the import again; it looks anew.",
        207,
        words=r"invalid column name",
    ),
    _known("number_overflow", ErpRefused, "The server cannot hold a sum of these amounts.", 8115, 220, 232),
    _known("value_unreadable", ErpRefused, "The server could not convert a value.", 245, 8114, 241, 242, 8134),
    # What passes: try again.
    _known("deadlock", Unavailable, "The server broke off the reading in favour of other work (deadlock).", 1205),
    _known("lock_timeout", Unavailable, "The table was locked by other work for too long.", 1222),
    _known(
        "snapshot_conflict", Unavailable, "The table changed its shape while it was read.", 3960, 3961, 3951, 3952, 3966
    ),
    _known(
        "server_busy",
        Unavailable,
        "The server is too busy to answer just now.",
        701, 802, 8645, 8651, 10928, 10929, 40197, 40501, 40613, 40143, 40540, 49918, 49919, 49920,
    ),
    _known("server_stopping", Unavailable, "The server is being shut down.", 6005, 596, 17142),
)  # fmt: skip

_DRIVER: tuple[Refusal, ...] = (
    _known(
        "query_timeout",
        Unavailable,
        "The server did not answer in time.",
        20003,
        20047,
        words=r"timed out|dbprocess is dead",
    ),
    _known(
        "connection_cut",
        Unavailable,
        "The connection to the server broke.",
        20017, 20004, 20006, 20011, 20019,
        words=r"unexpected eof|read from the server failed|write to the server failed|net-?lib error|not connected",
    ),
    _known(
        "server_unreachable",
        Unavailable,
        "The server does not answer on its port.",
        20009,
        words=r"server is unavailable or does not exist",
    ),
    _known(
        "connection_refused",
        Unavailable,
        "The server ended the connection before the login was done.",
        20002,
        words=r"server connection failed|connection to the database failed",
    ),
)  # fmt: skip

# The driver appends its own remarks to the server's; they are the same for every cause.
_TAIL = re.compile(r"\s*DB-Lib error message \d+, severity \d+:.*\Z", re.DOTALL)
# What the driver says when the server had something to say that the driver lost.
_SERVER_SPOKE = "Check messages from the SQL Server"


def reason(error: BaseException) -> tuple[int, str]:
    """The number and the words in a driver's exception: bytes decoded, the driver's tail kept for `_DRIVER` only."""
    number, words = 0, ""
    for part in _flat(error.args):
        if isinstance(part, int):
            number = part
        elif isinstance(part, bytes):
            words = part.decode("utf-8", "replace")
        elif isinstance(part, str):
            words = part
    return number, words or str(error)


def _flat(parts: Iterable[object]) -> Iterable[object]:
    for part in parts:
        if isinstance(part, tuple):
            yield from _flat(part)  # pyright: ignore[reportUnknownArgumentType]
        else:
            yield part


def connecting(error: BaseException, heard: Sequence[Message], secrets: Iterable[str]) -> HubError:
    """Why the connection was not made: by what the server was heard to say, else by the driver's words.

    The number in the driver's exception may be that of an earlier failure, so it is not looked at.
    """
    words = reason(error)[1]
    for known in _KNOWN:
        if any(number in known.numbers or _says(known, text) for number, text in [*heard, (0, words)]):
            return known.kind(known.detail, code=known.code)
    if not heard and _SERVER_SPOKE in words:
        return CredentialsRefused(
            "The server refused the login without saying why. Check login and password.", code="login_refused"
        )
    for known in _DRIVER:
        if _says(known, words) and not heard:
            return known.kind(known.detail, code=known.code)
    said = scrub(heard[-1][1] if heard else _TAIL.sub("", words), secrets)
    return ErpRefused(f"The server refused the connection{f': {said}' if said else ''}.", code="connection_refused")


def _says(known: Refusal, words: str) -> bool:
    return known.words is not None and re.search(known.words, words, re.IGNORECASE) is not None


def running(error: BaseException, secrets: Iterable[str]) -> HubError:
    """Why a statement failed. Here numbers are reliable and decide; the text helps where there is none."""
    number, words = reason(error)
    said = scrub(_TAIL.sub("", words), secrets)
    for known in (*_KNOWN, *_DRIVER):
        if number in known.numbers:
            return known.kind(known.detail, code=known.code, server_said=said, number=number)
    for known in (*_DRIVER, *_KNOWN):
        if _says(known, words):
            return known.kind(known.detail, code=known.code, server_said=said, number=number)
    return ErpRefused(f"The server refused to read: {said or 'without a reason'}", number=number)


def scrub(words: str, secrets: Iterable[str]) -> str:
    """The words in one line of at most 300 characters, without any of the secrets."""
    for secret in sorted((text for text in secrets if text), key=len, reverse=True):
        words = words.replace(secret, "•••")
    return " ".join(words.split())[:300]
