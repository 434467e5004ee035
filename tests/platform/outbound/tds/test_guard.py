"""A guard between a driver that may be anybody and a server that may say anything: it ends in time, nothing is left."""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from erphub.platform.errors import ErpRefused, HubError, Unavailable
from erphub.platform.outbound.deadlines import Deadline
from erphub.platform.outbound.tds import guard as guard_module
from erphub.platform.outbound.tds.channel import STRICT_PROTOCOL, Channel
from erphub.platform.outbound.tds.guard import LOOPBACK, Account, Guard
from erphub.platform.outbound.tds.login import Field
from erphub.platform.outbound.tds.messages import TDS_8, Encryption, Redirection, packet_head, packets, prelogin
from local.sqlserver.signin import redirection_token
from local.sqlserver.wire import Packet, change_token, login7
from tests.support import tds
from tests.support.integration import integration
from tests.support.tds import Drip, Endless, Raw, Step, Steps, TinyServer, Whole, tiny_server

from .test_login import DRIVER_VERSION, TEXTS, message

PASSWORD = "Hunter2-secret"
SECONDS = 0.6
EXTRA = 5.0
"""By how much an end may come later than its bound."""
ROWS = tds.columns(b"\x26\x04") + tds.row(b"\x04\x07\0\0\0") * 500


@pytest.fixture(autouse=True)
@integration
def _nothing_is_left() -> Iterator[None]:
    before = sockets()
    yield
    waited = time.monotonic()
    while guards() or sockets() > before:
        assert time.monotonic() - waited < EXTRA, (guards(), sockets(), before)
        time.sleep(0.01)


def guards() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("tds-guard")]


def sockets() -> int:
    count = 0
    for one in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the folder's own is closed by now
            count += str(one.readlink()).startswith("socket:")
    return count


def encrypted(server: TinyServer) -> Channel:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if server.strict:
        context.set_alpn_protocols([STRICT_PROTOCOL])
    else:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    way = Channel.open_strictly if server.strict else Channel.open
    channel = way(lambda: socket.create_connection((LOOPBACK, server.port), 5), context, None, Deadline(5))
    channel.deadline = Deadline(None)
    return channel


def nobody(to: Redirection, deadline: Deadline) -> Channel:
    raise ErpRefused(f"{to.host} in {deadline.left} s", code="address_not_allowed")


@contextmanager
def guarding(
    server: TinyServer,
    redirect: Callable[[Redirection, Deadline], Channel] = nobody,
    *,
    against_unlimited: HubError | None = None,
) -> Iterator[Guard]:
    with Guard(encrypted(server), redirect, Account("db01,1433", PASSWORD), SECONDS, against_unlimited) as guard:
        yield guard


@contextmanager
def connected(guard: Guard) -> Iterator[socket.socket]:
    with socket.create_connection((LOOPBACK, guard.port), 5) as driver:
        driver.settimeout(SECONDS + EXTRA)
        yield driver


def heard(driver: socket.socket) -> bytes:
    """A message of the guard's; EOFError where it hung up instead."""
    body = b""
    while True:
        head = _exactly(driver, 8)
        _, is_last, length = packet_head(head)
        body += _exactly(driver, length)
        if is_last:
            return body


def _exactly(driver: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = driver.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def to_the_end(driver: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionError):
        while more := driver.recv(65536):
            data += more
    return data


PRELOGIN = packets(Packet.PRELOGIN, prelogin(Encryption.NOT_SUPPORTED))
BATCH = packets(Packet.SQL_BATCH, struct.pack("<IIHQI", 22, 18, 2, 0, 1) + "SELECT 1".encode("utf-16-le"))


def login(guard: Guard) -> bytes:
    return packets(Packet.LOGIN7, message({**TEXTS, Field.PASSWORD: guard.token}))


def sign_in(guard: Guard, driver: socket.socket) -> bytes:
    driver.sendall(PRELOGIN)
    heard(driver)
    driver.sendall(login(guard))
    return heard(driver)


# --- the driver ------------------------------------------------------------------------------------------------------


def test_a_driver_signs_in_and_its_server_hears_what_the_guard_knows() -> None:
    with tiny_server(answer=[Whole(ROWS + tds.DONE)]) as server, guarding(server) as guard, connected(guard) as driver:
        assert sign_in(guard, driver) == tds.welcome()
        guard.require_signed_in()
        (said,) = [login7(one.body) for one in server.heard if one.kind == Packet.LOGIN7]
        assert (said.user, said.password, said.server) == ("reader", PASSWORD, "db01,1433")
        assert said.application == "ERP Hub"
        driver.sendall(BATCH)
        assert heard(driver) == ROWS + tds.DONE
        guard.require_whole()
        assert guard.bytes_received >= len(ROWS)


def test_where_tls_comes_first_the_server_hears_tds_8_and_the_driver_tds_7() -> None:
    says, eight = [Whole(ROWS + tds.DONE)], [Whole(tds.welcome(version=TDS_8))]
    strict = tiny_server(answer=says, login=eight, strict=True)
    with strict as server, guarding(server) as guard, connected(guard) as driver:
        assert sign_in(guard, driver) == tds.welcome(version=DRIVER_VERSION)
        assert guard.channel._encrypted().version() == "TLSv1.3"
        (said,) = [login7(one.body) for one in server.heard if one.kind == Packet.LOGIN7]
        assert (said.version, said.password) == (TDS_8, PASSWORD)
        for _ in range(20):
            driver.sendall(BATCH)
            assert heard(driver) == ROWS + tds.DONE
        guard.require_whole()


def _silent(_: Guard, driver: socket.socket) -> None:
    to_the_end(driver)


def _gone(_: Guard, driver: socket.socket) -> None:
    driver.shutdown(socket.SHUT_RDWR)


def _reset(_: Guard, driver: socket.socket) -> None:
    driver.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    driver.close()


def _half_open(_: Guard, driver: socket.socket) -> None:
    driver.shutdown(socket.SHUT_WR)
    to_the_end(driver)


def _sends(data: bytes) -> Callable[[Guard, socket.socket], None]:
    def send(_: Guard, driver: socket.socket) -> None:
        with contextlib.suppress(ConnectionError):
            driver.sendall(data)
        to_the_end(driver)

    return send


def _drips(guard: Guard, driver: socket.socket) -> None:
    with contextlib.suppress(ConnectionError):
        for at in range(len(PRELOGIN)):
            driver.sendall(PRELOGIN[at : at + 1])
            time.sleep(0.05)
    del guard


ENDS = {"says nothing": _silent, "goes": _gone, "is reset": _reset, "is half open": _half_open}
STRANGERS = {
    "drips": _drips,
    "half a head": _sends(b"\x12\x01\x00"),
    "a length of nothing": _sends(b"\x12\x01\0\0\0\0\0\0"),
    "a length of 65,535 and no more": _sends(b"\x12\x01\xff\xff\0\0\0\0"),
    "a message without end": _sends((b"\x12\0\x10\0\0\0\0\0" + bytes(4088)) * 60),
    "HTTP": _sends(b"GET / HTTP/1.1\r\n\r\n"),
    "TLS": _sends(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600)),
    "a login first": _sends(packets(Packet.LOGIN7, message())),
    "a statement first": _sends(BATCH),
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
def test_whoever_does_not_begin_as_a_driver_is_turned_away_in_time(
    stranger: Callable[[Guard, socket.socket], None],
) -> None:
    began = time.monotonic()
    with tiny_server() as server, guarding(server) as guard:
        with connected(guard) as driver:
            stranger(guard, driver)
        with pytest.raises(Unavailable):
            guard.require_signed_in()
        assert server.logins == []
    assert time.monotonic() - began < SECONDS + EXTRA


@pytest.mark.parametrize(
    "claims", [{}, {Field.PASSWORD: PASSWORD}, {Field.PASSWORD: "", Field.APPLICATION: "ERP Hub"}], ids=str
)
def test_a_login_without_the_token_does_not_reach_the_server_and_is_told_without_its_words(
    claims: dict[Field, str], caplog: pytest.LogCaptureFixture
) -> None:
    with tiny_server() as server, guarding(server) as guard, connected(guard) as driver:
        driver.sendall(PRELOGIN)
        heard(driver)
        driver.sendall(packets(Packet.LOGIN7, message({**TEXTS, **claims})))
        assert to_the_end(driver) == b""
        with pytest.raises(Unavailable) as told:
            guard.require_signed_in()
        assert told.value.code == "connection_cut"
        assert server.logins == []
        logged = str([vars(record) for record in caplog.records])
        assert "a stranger signed in" in logged
        assert not any(word in logged for word in (PASSWORD, guard.token, *TEXTS.values(), PASSWORD.encode().hex()))


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("after", ["connecting", "PRELOGIN", "half a login", "the login", "a statement", "an answer"])
def test_a_driver_may_end_anywhere(after: str, end: Callable[[Guard, socket.socket], None]) -> None:
    began = time.monotonic()
    with tiny_server(answer=[Whole(ROWS + tds.DONE)]) as server, guarding(server) as guard, connected(guard) as driver:
        if after == "half a login":
            driver.sendall(PRELOGIN)
            heard(driver)
            driver.sendall(login(guard)[:50])
        elif after == "PRELOGIN":
            driver.sendall(PRELOGIN)
        elif after != "connecting":
            sign_in(guard, driver)
            if after != "the login":
                driver.sendall(BATCH)
            if after == "an answer":
                heard(driver)
        if end is _silent and guard.channel.deadline.left == float("inf"):
            return  # a connection that rests is open until it is closed
        end(guard, driver)
    assert time.monotonic() - began < SECONDS + EXTRA


def test_one_that_nobody_comes_to_ends_by_itself() -> None:
    with tiny_server() as server, guarding(server) as guard:
        time.sleep(SECONDS + 0.3)
        assert guard.timed_out
        assert not guards()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((LOOPBACK, guard.port), 1)


# --- the server ------------------------------------------------------------------------------------------------------

LOGIN_ANSWERS: dict[str, Steps] = {
    "it hangs up": [Step.CUT],
    "it is reset": [Step.RESET],
    "silence": [Step.SILENCE],
    "half an answer, then silence": [tds.welcome()[:30], Step.SILENCE],
    "half an answer, then hangs up": [tds.welcome()[:30], Step.CUT],
    "an answer that ends in the middle": [Whole(tds.welcome()[:-20])],
    "a byte at a time": [Drip(packets(Packet.RESPONSE, tds.welcome()))],
    "packets without end": [Endless(tds.packet_head(4096) + bytes(4088))],
    "empty packets without end": [Endless(tds.packet_head(8))],
    "a packet of length 0": [Raw(tds.packet_head(0))],
    "a packet of length 4": [Raw(tds.packet_head(4))],
    "a packet of 65,535 that does not come": [Raw(tds.packet_head(65_535)), Step.SILENCE],
    "garbage": [Whole(bytes(range(256)) * 4)],
    "HTTP": [Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Step.CUT],
    "rows": [Whole(ROWS)],
    "packets of 0 from now on": [Whole(tds.welcome(packet_bytes="0"))],
    "packets of 65,536 from now on": [Whole(tds.welcome(packet_bytes="65536"))],
    "a feature of 4 GB": [Whole(tds.welcome(more=b"\xae\x01\xff\xff\xff\xff"))],
    "neither yes nor no": [Whole(tds.DONE)],
    "Windows' turn, without end": [Whole(b"\xed\x01\x00x")],
    "a way to nowhere": [Whole(tds.welcome(more=change_token(20, struct.pack("<HBHH", 5, 0, 0, 0), b"\0\0")))],
    "a way that is not allowed": [Whole(tds.welcome(more=redirection_token("169.254.169.254", 80)))],
}


@pytest.mark.parametrize("said", LOGIN_ANSWERS.values(), ids=LOGIN_ANSWERS)
def test_whatever_is_said_at_the_login_it_ends_in_time_and_nobody_is_signed_in(said: Steps) -> None:
    began = time.monotonic()
    with tiny_server(login=said) as server, guarding(server) as guard, connected(guard) as driver:
        driver.sendall(PRELOGIN)
        heard(driver)
        driver.sendall(login(guard))
        with contextlib.suppress(EOFError, ConnectionError):
            for _ in range(10):
                heard(driver)
                driver.sendall(packets(Packet.SSPI, b"x"))
        with pytest.raises(HubError):
            guard.require_signed_in()
    assert time.monotonic() - began < SECONDS + EXTRA


def test_a_server_s_errors_are_kept_with_number_state_and_severity() -> None:
    refusal = [Whole(tds.error(4060, "Cannot open database.", severity=11, state=3) + tds.error(18456, severity=14))]
    with tiny_server(login=refusal) as server, guarding(server) as guard, connected(guard) as driver:
        sign_in(guard, driver)
        assert [(one.number, one.state, one.severity) for one in guard.login_errors] == [(4060, 3, 11), (18456, 1, 14)]


def test_another_way_is_gone_once_with_the_same_login() -> None:
    with tiny_server() as inner, tiny_server(login=[Whole(tds.welcome(more=redirection_token("db02", 1433)))]) as outer:
        gone_to: list[Redirection] = []

        def follow(to: Redirection, deadline: Deadline) -> Channel:
            assert deadline.left <= SECONDS
            gone_to.append(to)
            return encrypted(inner)

        with guarding(outer, follow) as guard, connected(guard) as driver:
            assert sign_in(guard, driver) == tds.welcome()
            (said,) = [login7(one.body) for one in inner.heard if one.kind == Packet.LOGIN7]
        assert gone_to == [Redirection("db02", 1433)]
        assert (said.password, said.server) == (PASSWORD, "db02,1433")


ANSWERS: dict[str, tuple[Steps, bool]] = {
    "it hangs up before a byte": ([Step.CUT], False),
    "it hangs up in a head": ([ROWS, Raw(b"\x04\0\x10"), Step.CUT], False),
    "it hangs up in a packet": ([ROWS, Raw(tds.packet_head(4096) + bytes(99)), Step.CUT], False),
    "it hangs up between two packets": ([ROWS, Step.CUT], False),
    "it is reset between two packets": ([ROWS, Step.RESET], False),
    "silence before a byte": ([Step.SILENCE], True),
    "silence in a head": ([ROWS, Raw(b"\x04\0\x10"), Step.SILENCE], True),
    "silence in a packet": ([ROWS, Raw(tds.packet_head(4096) + bytes(99)), Step.SILENCE], True),
    "silence between two packets": ([ROWS, Step.SILENCE], True),
    "a byte at a time": ([ROWS, Drip(tds.packet_head(4096) + bytes(4088))], True),
    "a packet of length 0": ([ROWS, Raw(tds.packet_head(0)), Step.SILENCE], False),
    "a packet of length 4": ([ROWS, Raw(tds.packet_head(4)), Step.SILENCE], False),
    "a packet of one byte too many": ([ROWS, Raw(tds.packet_head(4097)), Step.SILENCE], False),
    "a packet of 65,535": ([ROWS, Raw(tds.packet_head(65_535) + bytes(65_527))], False),
    "a packet of another kind": ([ROWS, Raw(tds.packet_head(9, kind=1) + b"x")], False),
    "garbage beside packets": ([ROWS, Raw(bytes(range(255, 0, -1)))], False),
    "empty packets without end": ([ROWS, Endless(tds.packet_head(8) * 1000)], True),
}


@pytest.mark.parametrize(("said", "is_timed_out"), ANSWERS.values(), ids=ANSWERS)
def test_whatever_is_said_among_rows_it_ends_in_time_and_is_known_as_not_whole(said: Steps, is_timed_out: bool) -> None:
    with tiny_server(answer=said) as server, guarding(server) as guard, connected(guard) as driver:
        sign_in(guard, driver)
        began = time.monotonic()
        with guard.within(SECONDS):
            driver.sendall(BATCH)
            to_the_end(driver)
        assert time.monotonic() - began < SECONDS + EXTRA
        with pytest.raises(Unavailable) as told:
            guard.require_whole()
        assert told.value.code == "connection_cut"
        assert guard.timed_out == is_timed_out


def test_a_server_that_sends_beyond_measure_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_module, "MOST_BYTES", 1_000_000)
    says = [Endless(tds.packet_head(4096) + bytes(4088))]
    with tiny_server(answer=says) as server, guarding(server) as guard, connected(guard) as driver:
        sign_in(guard, driver)
        with guard.within(60):
            driver.sendall(BATCH)
            assert len(to_the_end(driver)) <= 1_000_000
        with pytest.raises(ErpRefused) as told:
            guard.require_whole()
        assert told.value.code == "answer_too_long"


def test_many_exchanges_may_have_more_together_than_one_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_module, "MOST_BYTES", 3 * len(ROWS))
    says = [Whole(ROWS + tds.DONE)]
    with tiny_server(answer=says) as server, guarding(server) as guard, connected(guard) as driver:
        sign_in(guard, driver)
        for _ in range(10):
            with guard.within(60):
                driver.sendall(BATCH)
                heard(driver)
        guard.require_whole()
        assert guard.bytes_received > 10 * len(ROWS)


OTHER = Unavailable("Another driver may.", code="for_another")


def test_a_driver_that_believes_what_a_chunk_claims_is_sent_none() -> None:
    says = [Whole(tds.columns(b"\xf1\x00") + tds.row(struct.pack("<QI", 2**31 - 2, 2**31 - 2)))]
    with (
        tiny_server(answer=says) as server,
        guarding(server, against_unlimited=OTHER) as guard,
        connected(guard) as driver,
    ):
        sign_in(guard, driver)
        driver.sendall(BATCH)
        assert to_the_end(driver) == b""
        with pytest.raises(Unavailable) as ended:
            guard.require_whole()
        assert ended.value is OTHER


def test_a_server_that_takes_nothing_in_is_given_up() -> None:
    says = [Whole(tds.welcome()), Step.DEAFNESS]
    with tiny_server(login=says) as server, guarding(server) as guard, connected(guard) as driver:
        sign_in(guard, driver)
        with guard.within(SECONDS), contextlib.suppress(OSError):
            driver.sendall(packets(Packet.SQL_BATCH, bytes(30_000_000)))
        to_the_end(driver)


def test_a_cancel_from_another_thread_ends_a_wait_at_once() -> None:
    with tiny_server(answer=[ROWS, Step.SILENCE]) as server, guarding(server) as guard, connected(guard) as driver:
        sign_in(guard, driver)
        driver.sendall(BATCH)
        threading.Timer(0.2, guard.cancel).start()
        began = time.monotonic()
        to_the_end(driver)
        assert time.monotonic() - began < 1
        with pytest.raises(Unavailable):
            guard.require_whole()


def test_closing_ends_it_though_the_driver_takes_no_rows() -> None:
    says = [Endless(tds.packet_head(4096) + bytes(4088))]
    with tiny_server(answer=says) as server, guarding(server) as guard, connected(guard) as driver:
        sign_in(guard, driver)
        driver.sendall(BATCH)
        time.sleep(0.3)
        began, received = time.monotonic(), guard.bytes_received
        guard.close()
        assert time.monotonic() - began < 1
        assert received < 64_000_000, "it waits for the driver"
