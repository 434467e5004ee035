"""What only a real SQL Server shows, asked of one: `python -m local.real_sql_server SERVER LOGIN DATABASE`.

The password comes on stdin. Reads only; the login needs nothing but the right to connect. Prints `pass` or `fail` for
each point and each reader that this machine has, and ends with 1 when one failed. A process loads one native driver, so
each reader has its own. ENCRYPTION=trust verifies no certificate; NETWORKS names internal networks (CIDR) to go to.
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
from erphub.erp.transports.sqlserver.statements import BEGIN, COMMIT, ROW_COUNT, Sql
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


@dataclass(frozen=True)
class Point:
    """One thing to see: its name, and what shows it."""

    name: str
    holds: Callable[[Session], bool]


def _spelled(session: Session) -> bool:
    found = session.rows(Sql(f"SELECT {', '.join(SPELLED)}"))[0]
    return list(found) == list(SPELLED.values())


def _counted(session: Session) -> bool:
    return len(session.rows(Sql(NUMBERS))) == ROWS and session.rows(ROW_COUNT())[0][0] == ROWS


def _more(session: Session, stream: Stream) -> bool:
    if session.reader is Reader.PYMSSQL:
        return bool(stream.rows(AT_A_TIME))
    return stream.batch(AT_A_TIME).num_rows == AT_A_TIME


def _counted_after_a_stream(session: Session) -> bool:
    stream = session.stream(Sql(NUMBERS))
    while _more(session, stream):
        pass
    session.confirm(stream.received)
    return stream.received == ROWS


def _counted_in_a_transaction(session: Session) -> bool:
    session.say(BEGIN())
    counted = _counted_after_a_stream(session)
    session.say(COMMIT())
    return counted


def _failed_among_rows(session: Session) -> bool:
    """An error after the first rows is met, whatever the reader makes of its number."""
    stream = session.stream(Sql(f"SELECT 1 / (n - 7500) FROM ({NUMBERS}) AS numbers"))
    try:
        while _more(session, stream):
            pass
    except HubError:
        return True
    return False


POINTS = (
    Point("it signs in and answers", lambda session: session.rows(Sql("SELECT 1"))[0][0] == 1),
    Point("values are spelled as the import reads them", _spelled),
    Point("ROWCOUNT_BIG() is the rows of the answer before it", _counted),
    Point("ROWCOUNT_BIG() after an answer that was read in parts", _counted_after_a_stream),
    Point("the same inside a transaction", _counted_in_a_transaction),
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
        failed += said != "pass"
        print(f"{said}: {reader[0]}: {point.name}", flush=True)
    return int(failed > 0)


def _tried(server: Server, database: str, reader: Reader, point: Point) -> str:
    try:
        with server.session(database, reader) as session:
            return "pass" if point.holds(session) else "fail"
    except HubError as error:
        return f"fail ({error.code}: {error.detail[:120]})"


if __name__ == "__main__":
    sys.exit(main())
