"""What goes wrong on purpose goes wrong as it would on a real line, at the row that was asked for."""

import socket
import threading
import time
from typing import Any

import pymssql
import pytds
import pytest

from erphub.erp.transports.sqlserver import statements
from erphub.erp.transports.sqlserver.statements import Sql, quote
from local.sqlserver import StandIn
from local.sqlserver.grammar import USE

from .clients import CONNECT, cursor, pymssql_connection, pytds_connection, rows
from .conftest import PASSWORD, READER, ROWS

LEDGER = str(statements.ROWS(columns=Sql("[no], [text]"), schema=quote("dbo"), table=quote("ledger"), where=Sql("")))
USE = str(USE(database=quote("F0001")))


def drained(each: Any) -> int:
    """Rows until the end; how many came is kept in `each` when it breaks."""
    count = 0
    each.execute(LEDGER)
    while batch := each.fetchmany(1000):
        count += len(batch)
    return count


def rows_before(each: Any) -> tuple[int, Exception]:
    """How many rows came before it broke, and how."""
    count = 0
    try:
        each.execute(LEDGER)
        while each.fetchone() is not None:
            count += 1
    except Exception as error:  # noqa: BLE001 (each driver has its own)
        return count, error
    raise AssertionError(f"nothing broke, {count} rows came")


@pytest.mark.parametrize("client", CONNECT)
def test_a_connection_cut_in_the_middle_is_never_taken_for_the_end(standin: StandIn, client: str) -> None:
    standin.inject("cut", statement="rows", after_rows=30_001)
    with cursor(client, standin) as each:
        each.execute(USE)
        count, _ = rows_before(each)
        assert count <= 30_001
    with cursor(client, standin) as each:  # it happens once
        each.execute(USE)
        assert drained(each) == ROWS


def test_rows_before_a_cut_are_those_that_were_asked_for(standin: StandIn) -> None:
    standin.inject("cut", statement="rows", after_rows=30_001)
    with cursor("pymssql", standin) as each:
        each.execute(USE)
        count, error = rows_before(each)
    assert count == 30_001
    assert isinstance(error, pymssql.Error)


@pytest.mark.parametrize(
    ("kind", "number"), [("deadlock", 1205), ("snapshot", 3960), ("lock_timeout", 1222), ("error", 50000)]
)
@pytest.mark.parametrize("after", [0, 25_000])
def test_an_error_after_so_many_rows_has_sql_servers_number(
    standin: StandIn, kind: Any, number: int, after: int
) -> None:
    standin.inject(kind, statement="rows", after_rows=after)
    with cursor("pymssql", standin) as each:
        each.execute(USE)
        count, error = rows_before(each)
        assert (count, error.args[0]) == (after, number)
        assert drained(each) == ROWS  # the connection lives on


def test_a_deadlock_takes_the_transaction_away(standin: StandIn) -> None:
    standin.inject("deadlock", statement="rows", after_rows=10)
    with cursor("pymssql", standin) as each:
        each.execute(USE)
        for statement in (statements.SNAPSHOT(), statements.BEGIN()):
            each.execute(str(statement))
        assert rows_before(each)[0] == 10
        with pytest.raises(pymssql.Error) as caught:
            each.execute(str(statements.COMMIT()))
        assert caught.value.args[0] == 3902


def test_a_fault_meets_only_the_statement_database_table_and_login_it_is_for(standin: StandIn) -> None:
    for other in ({"statement": "counts"}, {"database": "F0002"}, {"table": "every"}, {"login": "nobody"}):
        standin.inject("deadlock", **other)
    with cursor("pymssql", standin) as each:
        each.execute(USE)
        assert drained(each) == ROWS
    assert len(standin.faults.waiting) == 4
    standin.mend()
    assert standin.faults.waiting == []


def test_a_fault_may_wait_for_its_turn_and_come_more_than_once(standin: StandIn) -> None:
    standin.inject("deadlock", statement="rows", skip=1, times=2)
    with cursor("pymssql", standin) as each:
        each.execute(USE)
        outcomes: list[int] = []
        for _ in range(4):
            try:
                outcomes.append(drained(each))
            except pymssql.Error as error:
                outcomes.append(error.args[0])
    assert outcomes == [ROWS, 1205, 1205, ROWS]


def test_a_stalled_answer_ends_the_connection_when_the_clients_patience_does(standin: StandIn) -> None:
    standin.inject("stall", statement="rows", after_rows=20_000)
    connection = pytds_connection(standin, timeout=1)
    try:
        each = connection.cursor()
        each.execute(USE)
        begun = time.monotonic()
        with pytest.raises((pytds.Error, TimeoutError, OSError)):
            drained(each)
        assert time.monotonic() - begun < 20
    finally:
        connection.close()
    deadline = time.monotonic() + 10
    while standin.connected and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    assert standin.connected == 0


def test_a_stall_of_some_seconds_is_followed_by_the_rest(standin: StandIn) -> None:
    standin.inject("stall", statement="rows", after_rows=20_001, seconds=0.3)
    with cursor("pymssql", standin) as each:
        each.execute(USE)
        begun = time.monotonic()
        assert drained(each) == ROWS
        assert time.monotonic() - begun >= 0.3


def test_a_delay_holds_back_the_answer(standin: StandIn) -> None:
    standin.inject("delay", statement="identity", seconds=0.4)
    with cursor("pymssql", standin) as each:
        begun = time.monotonic()
        rows(each, statements.IDENTITY())
        assert time.monotonic() - begun >= 0.4


def test_a_delay_ends_when_it_is_released_and_the_next_one_holds_again(standin: StandIn) -> None:
    standin.inject("delay", statement="identity", seconds=60)
    standin.inject("delay", statement="identity", seconds=0.4, skip=1)
    releasing = threading.Timer(0.3, standin.faults.release)
    releasing.start()
    with cursor("pymssql", standin) as each:
        begun = time.monotonic()
        assert rows(each, statements.IDENTITY())
        assert 0.2 <= time.monotonic() - begun < 30
        begun = time.monotonic()
        assert rows(each, statements.IDENTITY())
        assert time.monotonic() - begun >= 0.4
    releasing.join()


def test_a_refused_connection_is_a_closed_port_until_it_is_mended(standin: StandIn) -> None:
    standin.inject("refused")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((standin.host, standin.port), 5)
    standin.mend()
    pytds_connection(standin).close()


def test_signing_in_meets_only_faults_that_name_it(standin: StandIn) -> None:
    waiting = standin.inject("deadlock")
    pymssql_connection(standin).close()
    assert standin.faults.waiting == [waiting]


@pytest.mark.parametrize("kind", ["cut", "stall"])
def test_a_server_may_fall_silent_while_somebody_signs_in(standin: StandIn, kind: Any) -> None:
    standin.inject(kind, statement="login", times=0)  # the driver tries again by itself
    with pytest.raises(Exception):  # noqa: B017, PT011 (each fault ends in another of the driver's errors)
        pytds_connection(standin, login_timeout=1)
    standin.mend()
    pytds_connection(standin).close()


def test_a_slow_server_may_take_its_time_to_let_somebody_in(standin: StandIn) -> None:
    standin.inject("delay", statement="login", seconds=0.4)
    begun = time.monotonic()
    pymssql_connection(standin).close()
    assert time.monotonic() - begun >= 0.4


def test_a_reset_connection_ends_before_anything_is_said(standin: StandIn) -> None:
    standin.inject("reset")
    with pytest.raises(pymssql.OperationalError):
        pymssql_connection(standin)
    pymssql_connection(standin).close()
    assert standin.stats.logins[READER] == 1


@pytest.mark.parametrize("client", CONNECT)
def test_a_cancelled_answer_stops_and_the_connection_can_be_used_again(standin: StandIn, client: str) -> None:
    company = standin.catalogue["F0001"]
    company.sql("INSERT INTO {ledger} SELECT no + 1000000, period, amount, text FROM {ledger}, range(40)")
    connection = CONNECT[client](standin)
    try:
        each = connection.cursor()
        each.execute(USE)
        each.execute(LEDGER)
        assert each.fetchone() is not None
        each.cancel() if client == "python-tds" else each.close()
        assert rows(connection.cursor(), statements.IDENTITY())[0][3] == READER
    finally:
        connection.close()
    stops = client != "mssql-odbc"  # which takes in the rest of an answer instead
    assert standin.stats.counts["attentions"] == int(stops)
    assert (standin.stats.counts["rows"] < 40 * ROWS) == stops


def test_a_client_that_vanishes_leaves_nothing_behind(standin: StandIn) -> None:
    connection = pytds_connection(standin)
    each = connection.cursor()
    each.execute(USE)
    each.execute(LEDGER)
    connection.close()
    deadline = time.monotonic() + 10
    while standin.connected and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    assert standin.connected == 0


def test_many_clients_are_served_at_once(standin: StandIn) -> None:
    wrong: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(2):
                with cursor("pymssql", standin) as each:
                    each.execute(USE)
                    assert len(rows(each, LEDGER)) == ROWS
        except Exception as error:  # noqa: BLE001 (shown below)
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert standin.stats.logins[READER] == 8


def test_nonsense_on_the_port_ends_the_connection_and_nothing_else(standin: StandIn) -> None:
    for nonsense in (
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x12\x01\x00\x02\x00\x00\x00\x00",
        b"\x10\x01\x00\x09\x00\x00\x00\x00x",
    ):
        with socket.create_connection((standin.host, standin.port), 5) as line:
            line.settimeout(5)
            line.sendall(nonsense)
            line.shutdown(socket.SHUT_WR)
            assert line.recv(100) == b""
    pymssql_connection(standin, READER, PASSWORD).close()
