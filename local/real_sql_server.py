"""What only a real SQL Server shows, asked of one: `python -m local.real_sql_server SERVER LOGIN DATABASE`.

The password comes on stdin. Reads only; the login needs nothing but the right to connect. Prints `pass` or `fail` for
each point and each reader that this machine has, with what came instead, and ends with 1 when one failed. A process
loads one native driver, so each reader has its own. ENCRYPTION=trust verifies no certificate; NETWORKS names internal
networks (CIDR) to go to.

The stand-in can be asked too, in its open mode. One point fails there and says why: how a server spells values is the
server's own, and what the stand-in would make of it proves nothing. `unseen` is a point that this database gives no
occasion to see.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from erphub.erp.transports.sqlserver import readers
from erphub.erp.transports.sqlserver.driver import Session, Stream, Transport
from erphub.erp.transports.sqlserver.drivers.connection import Reader
from erphub.erp.transports.sqlserver.server import Server
from erphub.erp.transports.sqlserver.statements import BEGIN, COMMIT, ROW_COUNT, SNAPSHOT, Sql
from erphub.platform.errors import HubError

ROWS, AT_A_TIME = 10_000, 999
_DIGITS = "(VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS"
NUMBERS = (
    "SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n AS n FROM"
    f" {_DIGITS} a(n) CROSS JOIN {_DIGITS} b(n) CROSS JOIN {_DIGITS} c(n) CROSS JOIN {_DIGITS} d(n)"
)
SPELLED = {
    "CONVERT(varchar(41), CAST(-0.5 AS decimal(38,20)))": "-0.50000000000000000000",
    "CONVERT(varchar(41), CAST(-1.5 AS money), 2)": "-1.5000",
    "CONVERT(varchar(27), CAST('2024-02-29T23:59:59.1234567' AS datetime2(7)), 126)": "2024-02-29T23:59:59.1234567",
    "CONVERT(varchar(27), CAST('2024-02-29T00:00:00' AS datetime), 126)": "2024-02-29T00:00:00",
    "CONVERT(varchar(10), CAST('2024-02-29T23:59:59.997' AS datetime), 23)": "2024-02-29",
    "CONVERT(varchar(34), CAST('2024-02-29T23:30:00.5-03:30' AS datetimeoffset(7)), 126)": (
        "2024-02-29T23:30:00.5000000-03:30"
    ),
    "CONVERT(nvarchar(5), CAST(0x818D8F909D AS varchar(5)) COLLATE SQL_Latin1_General_CP1_CI_AS)": (
        "\x81\x8d\x8f\x90\x9d"
    ),
    "CONVERT(nvarchar(9), N'Kjøp 🌿')": "Kjøp 🌿",
}
VALUES = {
    "CAST('-999999999999999999.99999999999999999999' AS decimal(38,20))": "-999999999999999999.99999999999999999999",
    "CAST('0001-01-01' AS date)": "0001-01-01",
    "CAST('9999-12-31' AS date)": "9999-12-31",
    "CAST('9999-12-31T23:59:59.999999' AS datetime2(6))": "9999-12-31 23:59:59.999999",
    "CAST(N'Kjøp 🌿' AS nvarchar(9))": "Kjøp 🌿",
    "CAST(-2147483648 AS int)": "-2147483648",
    "CAST(9223372036854775807 AS bigint)": "9223372036854775807",
    "CAST(NULL AS decimal(19,4))": "None",
}
STAND_IN = "ERP Hub stand-in"
"""What the stand-in's @@VERSION says beside a version."""


class DiffersError(Exception):
    """What came is not what was expected; the text says both."""


class UnseenError(Exception):
    """Here is no occasion to see it; the text says why."""


@dataclass(frozen=True)
class Point:
    """One thing to see: its name, what shows it (raises DiffersError, UnseenError), and why the stand-in cannot."""

    name: str
    holds: Callable[[Session], None]
    only_real: str = ""


def _require(found: object, wanted: object, of: str = "") -> None:
    if found != wanted:
        raise DiffersError(f"{of}{': ' if of else ''}{found!r} came, not {wanted!r}")


def _answers(session: Session) -> None:
    _require(session.rows(Sql("SELECT 1"))[0][0], 1)


def _spelled(session: Session) -> None:
    for expression, wanted in SPELLED.items():
        _require(session.rows(Sql(f"SELECT {expression}"))[0][0], wanted, expression)


def _valued(session: Session) -> None:
    for expression, wanted in VALUES.items():
        stream = session.stream(Sql(f"SELECT {expression} AS c"))
        came = stream.rows(1)[0][0] if session.reader is Reader.PYMSSQL else stream.batch(2).column(0)[0].as_py()
        _require(str(came), wanted, expression)


def _counted(session: Session) -> None:
    _require(len(session.rows(Sql(NUMBERS))), ROWS)
    _require(session.rows(ROW_COUNT())[0][0], ROWS, "ROWCOUNT_BIG()")


def _more(session: Session, stream: Stream) -> bool:
    if session.reader is Reader.PYMSSQL:
        return bool(stream.rows(AT_A_TIME))
    return stream.batch(AT_A_TIME).num_rows == AT_A_TIME


def _counted_after_a_stream(session: Session) -> None:
    stream = session.stream(Sql(NUMBERS))
    while _more(session, stream):
        pass
    session.confirm(stream.received)
    _require(stream.received, ROWS)


def _counted_in_a_transaction(session: Session) -> None:
    session.say(BEGIN())
    _counted_after_a_stream(session)
    session.say(COMMIT())


def _counted_in_a_snapshot(session: Session) -> None:
    state = session.rows(Sql("SELECT snapshot_isolation_state FROM sys.databases WHERE name = DB_NAME()"))
    if not state or state[0][0] != 1:
        raise UnseenError("the database does not allow snapshot isolation")
    session.say(SNAPSHOT())
    _counted_in_a_transaction(session)


def _failed_among_rows(session: Session) -> None:
    """An error after the first rows is met, whatever the reader makes of its number."""
    received = 0
    try:
        stream = session.stream(Sql(f"SELECT 1 / (n - 7500) FROM ({NUMBERS}) AS numbers"))
        while _more(session, stream):
            received = stream.received
    except HubError:
        return
    raise DiffersError(f"the division by zero among {ROWS} rows was taken for their end after {received}")


POINTS = (
    Point("it signs in and answers", _answers),
    Point(
        "values are spelled as the import reads them",
        _spelled,
        "CONVERT's styles, money, the seventh digit and bytes without a character are the server's own",
    ),
    Point("values at their bounds come as they are", _valued),
    Point("ROWCOUNT_BIG() is the rows of the answer before it", _counted),
    Point("ROWCOUNT_BIG() after an answer that was read in parts", _counted_after_a_stream),
    Point("the same inside a transaction", _counted_in_a_transaction),
    Point("the same in a snapshot", _counted_in_a_snapshot),
    Point("an error among the rows is an error", _failed_among_rows),
)


def main() -> int:
    """Every reader in a process of its own, every point in a connection of its own."""
    server, login, database, *reader = sys.argv[1:]
    password = sys.stdin.readline().rstrip("\n")
    if not reader:
        here = [one for one in Reader if readers.is_here(one)]
        command = [sys.executable, "-m", "local.real_sql_server", server, login, database]
        ends = [subprocess.run([*command, one], input=password, text=True, check=False).returncode for one in here]
        return int(any(ends))
    settings = {"server": server, "login": login, "encryption": os.environ.get("ENCRYPTION", "verify")}
    networks = os.environ.get("NETWORKS", "").split()
    failed = 0
    for point in POINTS:
        said = _tried(
            Server(settings, {"password": password}, networks, Transport()), database, Reader(reader[0]), point
        )
        failed += said.startswith("fail")
        print(f"{said}: {reader[0]}: {point.name}", flush=True)
    return int(failed > 0)


def _tried(server: Server, database: str, reader: Reader, point: Point) -> str:
    try:
        with server.session(database, reader) as session:
            point.holds(session)
    except UnseenError as reason:
        return f"unseen ({reason})"
    except DiffersError as error:
        said = str(error)
    except HubError as error:
        said = f"{error.code}: {error.detail}"
    else:
        return "pass"
    if point.only_real and _is_stand_in(server, database):
        return f"fail (this is the stand-in; a real server alone can show it: {point.only_real})"
    return f"fail ({said[:240]})"


def _is_stand_in(server: Server, database: str) -> bool:
    with server.session(database) as session:
        return STAND_IN in str(session.rows(Sql("SELECT @@VERSION"))[0][0])


if __name__ == "__main__":
    sys.exit(main())
