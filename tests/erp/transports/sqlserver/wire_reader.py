"""Reads what servers answer, in a process that a test can lose: `python -m … READER`, a port and a bound per line of
its input.

For each it prints a line of JSON: how many rows came, or the problem as the hub tells it, or what escaped; seconds,
the highest memory, and what was left of the connection.
"""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from erphub.erp import catalogue
from erphub.erp.transports.sqlserver import driver, reaching, tls
from erphub.erp.transports.sqlserver.drivers.connection import Reader
from erphub.erp.transports.sqlserver.statements import Sql
from erphub.platform.errors import HubError
from tests.support.tds import tiny_server

PASSWORD = "Hunter2-secret"
AT_A_TIME = 500
_LEFT_SECONDS = 5.0


def shrink(seconds: int) -> None:
    """Every bound that production has to so many seconds."""
    for module, name in (
        (driver, "ANSWER_SECONDS"),
        (driver, "LOGIN_SECONDS"),
        (tls, "HANDSHAKE_SECONDS"),
        (reaching, "REACH_SECONDS"),
        (reaching, "ANSWERED_AFTER_SECONDS"),
    ):
        setattr(module, name, seconds)


def read(reader: Reader, port: int) -> int:
    settings = {
        "server": f"127.0.0.1,{port}",
        "database": "vbsys",
        "authentication": "sql",
        "login": "reader",
        "encryption": "trust",
    }
    opened: Any = catalogue.open_system("visma-business", settings, {"password": PASSWORD}, networks=["127.0.0.0/8"])
    with opened._server.session(reader=reader) as session:
        stream = session.stream(Sql("SELECT c0, c1, c2 FROM dbo.T"))
        if reader is Reader.PYMSSQL:
            while stream.rows(AT_A_TIME):
                pass
        else:
            while stream.batch(AT_A_TIME).num_rows == AT_A_TIME:
                pass
        return int(stream.received)


def outcome(reader: Reader, port: int) -> dict[str, Any]:
    Path("/proc/self/clear_refs").write_text("5")  # the highest memory is measured anew
    before, began = sockets(), time.monotonic()
    found: dict[str, Any] = {}
    try:
        found["rows"] = read(reader, port)
    except HubError as error:
        found |= {"code": error.code, "detail": error.detail, "said": str(error.members)}
    except Exception as error:  # noqa: BLE001 - told, and the test fails of it
        found["escaped"] = f"{type(error).__name__}: {error}"
    found["seconds"] = time.monotonic() - began
    while (left := [*guards(), *["socket"] * (sockets() - before)]) and time.monotonic() - began < _LEFT_SECONDS:
        time.sleep(0.01)
    return {**found, "left": left, "peak_mb": peak_mb()}


def guards() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("tds-guard")]


def sockets() -> int:
    count = 0
    for one in Path("/proc/self/fd").iterdir():
        try:
            count += str(one.readlink()).startswith("socket:")
        except OSError:
            continue  # the folder's own is closed by now
    return count


def peak_mb() -> float:
    status = Path("/proc/self/status").read_text("utf-8")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def main(reader: Reader) -> None:
    told, sys.stdout = sys.stdout, sys.stderr  # where lines of the log go
    with tiny_server() as server:
        outcome(reader, server.port)  # a driver opens sockets of its own when it is first used
    for asked in sys.stdin:
        port, seconds = asked.split()
        shrink(int(seconds))
        print(json.dumps(outcome(reader, int(port))), file=told, flush=True)


if __name__ == "__main__":
    main(Reader(sys.argv[1]))
