"""What SQL Server and its driver say when something goes wrong, turned into our words.

The server's number decides, wherever there is one: at the login the guard has heard it, afterwards the driver tells it.
Each number belongs to one of three kinds, by what the caller does next:

* CredentialsRefused: the server says something about this login's name, password or account; a person enters another;
  CredentialsDoubted where a right login gets the same answer while the server starts, is paused, fails over or cannot
  reach its domain: the client is told state 1 whatever the cause was, so neither number nor state tells them apart;
* Unavailable: it passes by itself (a restart, a failover, a resource that is used up); the same is tried again;
* ErpRefused: somebody has to change something on the server first.

Words decide only where there is no number. Sources: Microsoft, "Database engine events and errors" (the texts of the
numbers), "MSSQLSERVER_18456" (its states), "Causeshoot connectivity issues and other errors with Azure SQL Database"
(transient ones).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from erphub.erp.problems import ReaderFailed
from erphub.erp.transports.sqlserver import problems
from erphub.erp.transports.sqlserver.drivers.connection import Cause, DriverError, Reader
from erphub.platform import redaction
from erphub.platform.errors import HubError, Unavailable
from erphub.platform.outbound.tds.messages import ServerError
from erphub.platform.problem_types import ProblemType


@dataclass(frozen=True)
class Refusal:
    """One thing that can happen: by which numbers or words it is known, and what it means to the user."""

    problem: ProblemType[HubError]
    numbers: frozenset[int]
    pattern: str | None = None


def _known(problem: ProblemType[Any], *numbers: int, pattern: str | None = None) -> Refusal:
    return Refusal(problem, frozenset(numbers), pattern)


_KNOWN: tuple[Refusal, ...] = (
    # --- These credentials: only what is about the login's name, password or account.
    _known(
        problems.CREDENTIALS_REFUSED,
        18456,
        pattern=r"login failed for user",
    ),
    _known(
        problems.PASSWORD_EXPIRED,
        18487,
        pattern=r"password of the account has expired",
    ),
    _known(
        problems.PASSWORD_MUST_CHANGE,
        18488,
        pattern=r"password of the account must be changed",
    ),
    _known(
        problems.LOGIN_DISABLED,
        18470,
        pattern=r"account is disabled",
    ),
    _known(
        problems.LOGIN_LOCKED,
        18486,
        pattern=r"account is currently locked out",
    ),
    _known(
        problems.WINDOWS_LOGIN_REFUSED,
        18452,
        pattern=r"untrusted domain|cannot be used with (?:windows|integrated) authentication",
    ),
    # --- Never, until something is changed on the server.
    _known(
        problems.DEFAULT_DATABASE,
        4063, 4064,
        pattern=r"cannot open user default database",
    ),
    _known(
        problems.FIREWALL,
        40615, 40914, 47073,
        pattern=r"is not allowed to access the server",
    ),
    _known(
        problems.LOGON_TRIGGER,
        17892,
    ),
    _known(
        problems.CONNECTION_KIND_REFUSED,
        17810, 17835, 17836, 17852, 18489, 40307, 40531, 40532, 40607, 40635,
    ),
    _known(
        problems.COMPANY_NOT_OPENED,
        911, 4060,
        pattern=r"database '.*' does not exist|cannot open database",
    ),
    _known(
        problems.NOT_READABLE,
        229, 230, 297, 300, 916,
        pattern=r"permission was denied|is not able to access the database",
    ),
    _known(
        problems.OBJECT_MISSING,
        208,
        pattern=r"invalid object name",
    ),
    _known(
        problems.COLUMN_GONE,
        207,
        pattern=r"invalid column name",
    ),
    _known(problems.NUMBER_OVERFLOW, 8115, 220, 232),
    _known(problems.VALUE_UNREADABLE, 245, 8114, 241, 242, 8134),
    _known(
        problems.DATABASE_FULL,
        40544, 1101, 1105,
    ),
    # --- Not now: it passes by itself.
    _known(
        problems.SERVER_STARTING,
        17187, 18401, 18451, 18461, 42109, 49956,
        pattern=r"script upgrade mode|only administrators? (?:can|may) connect|warming up",
    ),
    _known(
        problems.SERVER_STOPPING,
        596, 6005, 6006, 17142, 17148, 17188,
    ),
    _known(
        problems.SERVER_FULL,
        10928, 10936, 17189, 17300, 17809, 18458, 18459, 18460,
    ),
    _known(
        problems.SERVER_BUSY,
        701, 802, 708, 8628, 8645, 8651, 10929, 14355, 17197, 40501, 40549, 40550, 40551, 40552, 40553, 40642,
        40671, 40675, 40890, 45168, 45169, 49918, 49919, 49920, 49977, 49983,
    ),
    _known(
        problems.SERVER_UNAVAILABLE,
        233, 10053, 10054, 10060, 17830, 17191, 40143, 40166, 40197, 40540, 40613, 40648, 42108, 45157, 45161, 49802,
    ),
    _known(
        problems.COMPANY_UNAVAILABLE,
        615, 921, 922, 923, 924, 926, 927, 941, 942, 945, 946, 952, 954, 955, 956, 957, 959, 988, 9001,
    ),
    _known(
        problems.REPLICA_NOT_READABLE,
        976, 978, 979, 980, 981, 982, 983,
    ),
    _known(
        problems.DEADLOCK,
        1203, 1205, 1206,
        pattern=r"was deadlocked on",
    ),
    _known(problems.LOCKS_USED_UP, 1204, 1221),
    _known(
        problems.LOCK_TIMEOUT,
        1222,
        pattern=r"lock request time ?out",
    ),
    _known(
        problems.SNAPSHOT_CONFLICT,
        3935, 3941, 3944, 3947, 3948, 3949, 3950, 3951, 3952, 3953, 3954, 3955, 3957, 3958, 3959, 3960, 3961, 3964,
        3966, 41301, 41302, 41305, 41325, 41839,
        pattern=r"snapshot isolation transaction",
    ),
    _known(
        problems.READING_INTERRUPTED,
        601, 617, 669, 2816,
    ),
)  # fmt: skip

_DRIVER: tuple[Refusal, ...] = (
    _known(
        problems.NO_ANSWER_IN_TIME,
        20003,
        pattern=r"timed out",
    ),
    _known(
        problems.CONNECTION_CUT,
        # 20020: what came could not be read. 20047: of a connection that is gone; the guard knows what timed out.
        20017, 20004, 20006, 20011, 20019, 20020, 20047,
        pattern=r"unexpected eof|(?:read from|write to) the server failed|net-?lib error|not connected|bad token"
        r"|is dead",
    ),
    _known(
        problems.PORT_SILENT,
        20009,
        pattern=r"server is unavailable or does not exist",
    ),
    _known(
        problems.ENDED_BEFORE_LOGIN,
        20002,
        pattern=r"server connection failed|connection to the database failed",
    ),
)  # fmt: skip

_LOGIN_FAILED = 18456
_BY_NUMBER = {number: known for known in _KNOWN for number in known.numbers}

# The driver appends its own remarks to the server's; they are the same for every cause.
_TAIL = re.compile(r"\s*DB-Lib error message \d+, severity \d+:.*\Z", re.DOTALL)
# What the driver says when the server had something to say that the driver lost.
_SERVER_SPOKE = "Check messages from the SQL Server"


def reason(error: BaseException) -> tuple[int, str]:
    """The number and the words in a driver's exception: bytes decoded, the driver's tail kept for `_DRIVER` only."""
    number, message = 0, ""
    for part in _flat(error.args):
        if isinstance(part, int):
            number = part
        elif isinstance(part, bytes):
            message = part.decode("utf-8", "replace")
        elif isinstance(part, str):
            message = part
    return number, message or str(error)


def _flat(parts: Iterable[object]) -> Iterable[object]:
    for part in parts:
        if isinstance(part, tuple):
            yield from _flat(part)  # pyright: ignore[reportUnknownArgumentType]
        else:
            yield part


def connecting(error: BaseException, heard: Sequence[ServerError], secrets: Iterable[str]) -> HubError:
    """Why the connection was not made: by what the server said, else by the driver's words.

    A server that cannot open a database says so, and then that the login failed: the cause goes before what follows
    from it. The number in the driver's exception may be that of an earlier failure, so it is not looked at.
    """
    causes = sorted(heard, key=lambda said: said.number == _LOGIN_FAILED)
    if not causes and _cause(error) is not Cause.SERVER:
        return _reader_failed(error, secrets)
    for said in causes:
        if (known := _BY_NUMBER.get(said.number)) is not None:
            return known.problem(number=said.number, state=said.state)
    if causes:
        # A number that nobody knows: whatever words stand beside it, they are no word on the credentials.
        said = causes[0]
        message = scrub(said.message, secrets)
        return problems.CONNECTION_REFUSED_WITH_MESSAGE(message=message, number=said.number)
    message = reason(error)[1]
    if (known := _by_message(message)) is not None:
        return known.problem()
    if _SERVER_SPOKE in message:
        return problems.LOGIN_REFUSED()
    for known in _DRIVER:
        if _says(known, message):
            return known.problem()
    said = scrub(_TAIL.sub("", message), secrets)
    return problems.CONNECTION_REFUSED(message=f": {said}" if said else "")


def cut() -> HubError:
    """The line to the server broke."""
    return problems.CONNECTION_CUT()


def unreadable() -> HubError:
    """The driver could not make anything of a value: a day after the year 9999, an id of five bytes."""
    return problems.VALUE_NOT_OF_ITS_COLUMN()


def is_known_by_message(message: str) -> bool:
    """Whether what a server said can be understood without its number."""
    return _by_message(message) is not None


def _by_message(message: str) -> Refusal | None:
    return next((known for known in _KNOWN if _says(known, message)), None)


def _says(known: Refusal, message: str) -> bool:
    return known.pattern is not None and re.search(known.pattern, message, re.IGNORECASE) is not None


def rows_lost(sent: int, received: int, reader: Reader) -> HubError:
    """Some rows did not come, or came twice, and nobody said so."""
    kind = Unavailable if reader is Reader.PYMSSQL else ReaderFailed
    return problems.ROWS_LOST.ending(kind)(sent=sent, received=received, reader=reader)


def _cause(error: BaseException) -> Cause:
    return error.cause if isinstance(error, DriverError) else Cause.SERVER


def unlimited() -> HubError:
    """Values without a limit came where the table has none such, by what it says of itself: another reader may."""
    return problems.READER_FAILED(message="the answer has a column without a limit, and the table none.")


def _reader_failed(error: BaseException, secrets: Iterable[str]) -> HubError:
    said = scrub(reason(error)[1], secrets)
    return problems.READER_FAILED(message=said)


def running(error: BaseException, secrets: Iterable[str]) -> HubError:
    """Why a statement failed. Here numbers are reliable and decide; the text helps where there is none."""
    number, message = reason(error)
    if (cause := _cause(error)) is Cause.DRIVER:
        return _reader_failed(error, secrets)
    if cause is not Cause.SERVER:
        return cut() if cause is Cause.CUT else problems.NO_ANSWER_IN_TIME()
    said = scrub(_TAIL.sub("", message), secrets)
    for known in (*_KNOWN, *_DRIVER):
        if number in known.numbers:
            return known.problem(server_said=said, number=number)
    for known in (*_DRIVER, *_KNOWN):
        if _says(known, message):
            return known.problem(server_said=said, number=number)
    return problems.READING_REFUSED(message=said or "without a reason", number=number)


def scrub(message: str, secrets: Iterable[str]) -> str:
    """The words in one line of at most 300 characters, without any of the secrets."""
    return " ".join(redaction.clean_text(message, secrets).split())[:300]
