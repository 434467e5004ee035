"""Whatever comes over the wire, a reader gives all rows or a clear problem, in time and in bounded memory.

Each case runs against each reader, in a process that it may crash.
"""

import json
import random
import select
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from erphub.erp.transports.sqlserver.drivers.connection import Reader
from local.sqlserver.signin import redirection_token
from local.sqlserver.wire import Encryption, change_token, done_token, prelogin_reply
from tests.support import tds
from tests.support.integration import integration
from tests.support.tds import COLLATION, Drip, Endless, Raw, Step, Steps, Whole, tiny_server

from .wire_reader import PASSWORD

READERS = tuple(Reader)
BOUND = 1
"""What every bound is shrunk to, in seconds."""
NATIVE = ("reader_failed", "connection_cut")
EXTRA_SECONDS = 5.0
"""By how much an end may come later than the bound that it ends at."""
MOST_MB = 300
CHECKOUT = Path(__file__).resolve().parents[4]

# --- what is said ----------------------------------------------------------------------------------------------------

INT, NVARCHAR, DECIMAL = b"\x26\x04", b"\xe7\x64\x00" + COLLATION, b"\x6a\x11\x26\x14"
NVARCHAR_MAX, IMAGE = b"\xe7\xff\xff" + COLLATION, b"\x22\xff\xff\xff\x7f\x01\x02\0AB"
ROWS = 2000


def line(number: int) -> bytes:
    text = f"row {number} æøå".encode("utf-16-le")
    amount = b"\x11\x01" + (number * 10**20).to_bytes(16, "little")
    return tds.row(b"\x04" + struct.pack("<i", number), struct.pack("<H", len(text)) + text, amount)


COLUMNS = tds.columns(INT, NVARCHAR, DECIMAL)
LINES = b"".join(map(line, range(ROWS)))
TABLE = COLUMNS + LINES
MANY = COLUMNS + LINES * 20
END = done_token(0x10, ROWS)
GARBAGE = random.Random(7).randbytes(5000)
NULL_INT, NULL_TEXT, NULL_DECIMAL = b"\0", b"\xff\xff", b"\0"


@dataclass(frozen=True)
class Case:
    """What a server says, and how that may end: with this many rows, or in a problem, of this code if one is named.

    A native reader may not know what a server said, or not be sent it: then pymssql reads the part (`reader_failed`).
    """

    answer: Steps = tds.NOTHING
    rows: int | None = None
    code: str | None = None
    bound: int = BOUND
    more: dict[str, Any] = field(default_factory=dict)
    """What it says before: at the login, at PRELOGIN, in the handshake."""


def one(info: bytes, *values: bytes, rows: int = 1) -> Case:
    """An answer of one column."""
    return Case([Whole(tds.columns(info) + b"".join(map(tds.row, values)) + done_token(0x10, len(values)))], rows)


def odd_row(*values: bytes) -> Case:
    return Case([Whole(COLUMNS + tds.row(*values) + done_token(0x10, 1))], 1)


def chunked(total: int, chunk: int, data: bytes) -> bytes:
    return tds.row(struct.pack("<QI", total, chunk) + data)


PLACES: dict[str, Steps] = {
    "before the first byte": [],
    "after the columns": [COLUMNS],
    "between two rows": [TABLE],
    "in a row": [TABLE + line(1)[:9]],
    "in the head of a packet": [TABLE, Raw(tds.packet_head(4096)[:3])],
    "in a packet": [TABLE, Raw(tds.packet_head(4096) + LINES[:1000])],
}
BROKEN = {
    f"the line {how} {where}": Case([*said, step], code=code)
    for how, step, code in (
        ("is cut", Step.CUT, "connection_cut"),
        ("is reset", Step.RESET, "connection_cut"),
        ("is silent", Step.SILENCE, "query_timeout"),
    )
    for where, said in PLACES.items()
}
PACKETS = {
    "a packet of length 0": Case([TABLE, Raw(tds.packet_head(0))], code="connection_cut"),
    "a packet of length 4": Case([TABLE, Raw(tds.packet_head(4))], code="connection_cut"),
    "a packet of 65,535 after 4,096 was agreed": Case(
        [TABLE, Raw(tds.packet_head(65_535, is_last=True) + bytes(65_527))], code="connection_cut"
    ),
    "a packet of another kind": Case([TABLE, Raw(tds.packet_head(9, kind=3) + b"x")], code="connection_cut"),
    "garbage beside packets": Case([TABLE, Raw(GARBAGE)], code="connection_cut"),
    "empty packets without end": Case([TABLE, Endless(tds.packet_head(8) * 500)], code="query_timeout"),
    "a byte at a time": Case([TABLE, Drip(tds.packet_head(4096) + LINES[:4088])], code="query_timeout"),
    "columns a byte at a time, then all": Case(
        [Drip(tds.packet_head(14) + COLUMNS[:6]), COLUMNS[6:] + LINES, Whole(END)], ROWS
    ),
}
TOKENS = {
    "all is well": Case([Whole(TABLE + END)], ROWS),
    "many rows, all well": Case([Whole(MANY + done_token(0x10, 20 * ROWS))], 20 * ROWS),
    "garbage instead of an answer": Case([Whole(GARBAGE)]),
    "garbage after rows": Case([Whole(TABLE + GARBAGE)]),
    "zeros after rows": Case([Whole(TABLE + bytes(4000))]),
    "an unknown token after rows": Case([Whole(TABLE + b"\x77" + bytes(50))]),
    "rows without columns": Case([Whole(line(1) + done_token(0x10, 1))]),
    "no DONE": Case([Whole(TABLE)], ROWS),
    "other columns among rows": Case([Whole(TABLE + tds.columns(INT) + tds.row(b"\x04" + bytes(4)) + END)], ROWS),
    "65,000 columns that do not come": Case([Whole(struct.pack("<BH", 0x81, 65_000))]),
    "4,000 columns": Case(
        [Whole(tds.columns(*[INT] * 4000) + tds.row(*[b"\x04\1\0\0\0"] * 4000) + done_token(0x10, 1))], 1
    ),
    "an error after rows": Case([Whole(TABLE + tds.error(1205, severity=13, state=51))], code="deadlock"),
    "a fatal error after rows, then the end": Case(
        [Whole(TABLE + tds.error(9001, severity=21)), Step.CUT], code="company_unavailable"
    ),
    "an error with 2,000 characters": Case([Whole(TABLE + tds.error(50_000, "x" * 2000))], code="erp_refused"),
    "an error that repeats the password": Case(
        [Whole(TABLE + tds.error(50_000, f"for {PASSWORD}"))], code="erp_refused"
    ),
    "messages without end": Case([TABLE, Endless(tds.packet_head(64) + (b"\xab\x35\0" + bytes(53)))]),
}
VALUES = {
    "an int of 8 bytes": odd_row(b"\x08" + bytes(8), NULL_TEXT, NULL_DECIMAL),
    "an int of 3 bytes": odd_row(b"\x03" + bytes(3), NULL_TEXT, NULL_DECIMAL),
    "a text longer than declared": odd_row(NULL_INT, struct.pack("<H", 4000) + b"a\0" * 2000, NULL_DECIMAL),
    "a text of an odd length": odd_row(NULL_INT, struct.pack("<H", 7) + b"a\0b\0c\0d", NULL_DECIMAL),
    "a decimal of 200 bytes": odd_row(NULL_INT, NULL_TEXT, b"\xc8\x01" + b"\xff" * 199),
    "a decimal beyond its precision": odd_row(NULL_INT, NULL_TEXT, b"\x11\x01" + b"\xff" * 16),
    "a decimal of precision 200": one(b"\x6a\x11\xc8\x14", b"\x11\x01" + bytes(16)),
    "a decimal of a scale beyond its precision": one(b"\x6a\x11\x05\x26", b"\x11\x01" + bytes(16)),
    "a column of a type that there is not": one(b"\x99\x04", b""),
    "a date beyond 9999": one(b"\x28", b"\x03\xff\xff\xff"),
    "a datetime beyond 9999": one(b"\x6f\x08", b"\x08" + b"\xff\xff\xff\x7f" * 2),
    "a datetime2 of more than a day": one(b"\x2a\x07", b"\x08" + b"\xff" * 5 + b"\x01\0\0"),
    "a time of scale 200": one(b"\x29\xc8", b"\x05" + bytes(5)),
    "a bit of 8 bytes": one(b"\x68\x01", b"\x08" + bytes(8)),
    "an id of 5 bytes": one(b"\x24\x10", b"\x05" + bytes(5)),
}
WITHOUT_LIMIT = {  # which is not sent to a native reader: pymssql reads it
    "a chunk that claims 2 GB": Case(
        [tds.columns(NVARCHAR_MAX) + chunked(2**31 - 2, 2**31 - 2, b"a\0" * 2000), Step.CUT]
    ),
    "a value that does not end": Case(
        [
            tds.columns(NVARCHAR_MAX) + tds.row(struct.pack("<Q", 2**64 - 2)),
            Endless((tds.packet_head(4096) + struct.pack("<I", 4084) + b"a\0" * 2042) * 50),
        ],
        code="answer_too_long",
        bound=30,
    ),
    "an image that claims 2 GB": Case(
        [tds.columns(IMAGE) + tds.row(b"\x10" + bytes(24) + struct.pack("<i", 2**31 - 1) + bytes(2000)), Step.CUT]
    ),
    "chunks of more than their total": Case(
        [Whole(tds.columns(NVARCHAR_MAX) + chunked(4, 4000, b"a\0" * 2000 + bytes(4)) + done_token(0x10, 1))], 1
    ),
    "a total that is not known": Case(
        [Whole(tds.columns(NVARCHAR_MAX) + chunked(2**64 - 2, 4000, b"a\0" * 2000 + bytes(4)) + done_token(0x10, 1))], 1
    ),
    "a value that is cut": Case([tds.columns(NVARCHAR_MAX) + chunked(400_000, 400_000, b"a\0" * 2000), Step.CUT]),
    "a value that falls silent": Case(
        [tds.columns(NVARCHAR_MAX) + chunked(400_000, 400_000, b"a\0" * 5000), Step.SILENCE]
    ),
}
BEHIND_ROWS = {  # where the guard looks no more, and no driver of ours asks for a second answer
    "a chunk that claims 2 GB, behind other rows": Case(
        [
            TABLE + done_token(0x11, ROWS) + tds.columns(NVARCHAR_MAX) + chunked(2**31 - 2, 2**31 - 2, b"a\0" * 9),
            Step.CUT,
        ]
    ),
}


def before(code: str | None = None, **more: Steps) -> Case:
    return Case(code=code, more=more)


LOGINS = {
    "login: cut": before(login=[Step.CUT]),
    "login: reset": before(login=[Step.RESET]),
    "login: silence": before("query_timeout", login=[Step.SILENCE]),
    "login: garbage": before(login=[Whole(GARBAGE)]),
    "login: refused": before("credentials_refused", login=[Whole(tds.error(18456, severity=14, state=8))]),
    "login: half an answer": before(login=[Whole(tds.welcome()[:-20])]),
    "login: another version": Case(
        [Whole(TABLE + END)], ROWS, more={"login": [Whole(tds.welcome(version=0x99000099))]}
    ),
    "login: packets of length 0": before(login=[Whole(tds.welcome(packet_bytes="0"))]),
    "login: packets without end": before(login=[Endless(tds.packet_head(4096) + bytes(4088))]),
    "login: elsewhere": before(
        "address_not_allowed", login=[Whole(tds.welcome(more=redirection_token("169.254.169.254", 80)))]
    ),
    "login: elsewhere, nowhere": before(
        login=[Whole(tds.welcome(more=change_token(20, struct.pack("<HBHH", 5, 0, 0, 0), b"\0\0")))]
    ),
}
UNREACHED = "server_unreachable"
BEFORE_TLS = {
    "PRELOGIN: cut": before(UNREACHED, prelogin=[Step.CUT]),
    "PRELOGIN: silence": before(UNREACHED, prelogin=[Step.SILENCE]),
    "PRELOGIN: garbage": before(UNREACHED, prelogin=[Whole(GARBAGE[:400]), Step.CUT]),
    "PRELOGIN: HTTP": before(UNREACHED, prelogin=[Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Step.CUT]),
    "PRELOGIN: offsets outside": before(
        UNREACHED, prelogin=[Whole(b"\0\xff\xff\0\x06\x01\xff\xf0\0\x01\xff"), Step.CUT]
    ),
    "PRELOGIN: nothing in it": before(UNREACHED, prelogin=[Whole(), Step.CUT]),
    "PRELOGIN: no encryption": before(
        "tls_not_offered", prelogin=[Whole(prelogin_reply(Encryption.NOT_SUPPORTED)), Step.CUT]
    ),
    "PRELOGIN: packets without end": before(UNREACHED, prelogin=[Endless(tds.packet_head(4096) + bytes(4088))]),
    "TLS: cut": before(UNREACHED, handshake=[Step.CUT]),
    "TLS: silence": before(UNREACHED, handshake=[Step.SILENCE]),
    "TLS: garbage": before("tls_failed", handshake=[Raw(tds.packet_head(408, kind=18) + GARBAGE[:400]), Step.CUT]),
    "TLS: a refusal": before(
        "tls_failed", handshake=[Raw(tds.packet_head(15, kind=18) + b"\x15\x03\x03\0\x02\x02\x28")]
    ),
    "TLS: a record of 64 kB that does not come": before(
        handshake=[Raw(tds.packet_head(13, kind=18) + b"\x16\x03\x03\xff\xff"), Step.SILENCE]
    ),
}
CASES = BROKEN | PACKETS | TOKENS | VALUES | WITHOUT_LIMIT | BEHIND_ROWS | LOGINS | BEFORE_TLS


# --- who reads it ----------------------------------------------------------------------------------------------------


class ReaderProcess:
    """A process that reads by one reader; another takes its place when it was lost."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._process: subprocess.Popen[str] | None = None

    def read(self, port: int, bound: int) -> dict[str, Any]:
        process = self._process = self._process or self._started()
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{port} {bound}\n")
        process.stdin.flush()
        if not select.select([process.stdout], [], [], bound + 2 * EXTRA_SECONDS)[0]:
            self.stop()
            pytest.fail("it hangs")
        told = process.stdout.readline()
        if not told:
            self._process = None
            pytest.fail(f"it crashed: {process.wait()}")
        return json.loads(told)

    def _started(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.erp.transports.sqlserver.wire_reader", self.reader]
        return subprocess.Popen(
            command,
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": f"{CHECKOUT / 'layers/core'}:{CHECKOUT}"},
        )

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@pytest.fixture(scope="module", params=READERS)
@integration
def process(request: pytest.FixtureRequest) -> Iterator[ReaderProcess]:
    process = ReaderProcess(request.param)
    yield process
    process.stop()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_all_rows_or_a_clear_problem_in_time_in_bounded_memory_and_nothing_left(
    process: ReaderProcess, case: Case
) -> None:
    with tiny_server(answer=case.answer, **case.more) as server:
        found = process.read(server.port, case.bound)
    assert "escaped" not in found, found
    if "rows" in found:
        assert found["rows"] == case.rows, "rows are lost, or an answer is taken for whole that is not"
        assert case.code is None
    else:
        assert found["code"]
        assert len(found["detail"].split()) > 3, found
        by_another = () if process.reader is Reader.PYMSSQL else NATIVE
        assert case.code in (None, found["code"]) or found["code"] in by_another, found
        assert case not in WITHOUT_LIMIT.values() or found["code"] in by_another[:1] or not by_another, found
        assert PASSWORD not in found["detail"] + found["said"]
    assert found["seconds"] < case.bound + EXTRA_SECONDS, found
    assert found["peak_mb"] < MOST_MB, found
    assert found["left"] == []


def test_the_manual_tells_what_comes_of_each() -> None:
    page = (CHECKOUT / "docs/sqlserver-readers.md").read_text("utf-8")
    table = page.partition("<!-- faults -->")[2].partition("<!-- end of faults -->")[0]
    told = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines() if line.startswith("| ")]
    assert told[1:] == list(CASES)
