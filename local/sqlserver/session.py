"""One signed-in client: takes its requests in turn, answers them, and stops at once when it says cancel."""
# pyright: reportUnknownMemberType=false

import queue
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import duckdb

from local.sqlserver import drivers, errors, executor, requests
from local.sqlserver.channel import Channel, Reply
from local.sqlserver.encode import column_metadata, encode_rows
from local.sqlserver.errors import Cancelled, ConnectionLost, SqlError
from local.sqlserver.executor import Context
from local.sqlserver.faults import LOGIN, Fault, Happening
from local.sqlserver.grammar import Asked, name
from local.sqlserver.results import Answer
from local.sqlserver.signin import refuse, sign_in, welcome
from local.sqlserver.wire import Done, Message, Packet, change_token, done_token, message_token

if TYPE_CHECKING:
    from local.sqlserver.server import StandIn

_ROW_ERRORS = ("deadlock", "snapshot", "lock_timeout", "error")


class Session:
    """The work of one connection, done by one thread; a second one listens for a cancel meanwhile."""

    def __init__(self, server: "StandIn", channel: Channel, number: int) -> None:
        self.server = server
        self.channel = channel
        self.number = number
        self.context: Context | None = None
        self._messages: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._attention = threading.Event()
        self._busy = False
        self._kind = 0xFD
        self._prepared: list[tuple[str, list[str]]] = []

    # --- the life of a connection -----------------------------------------------------------------------------

    def run(self) -> None:
        """From the first packet to the last."""
        try:
            context = self._enter()
            if context is None:
                return
            self.context = context
            threading.Thread(target=self._listen, name=f"tds-{self.number}-listen", daemon=True).start()
            while (message := self._messages.get()) is not None:
                self._answer(context, message)
        except ConnectionLost as lost:
            self.server.stats.lost(str(lost))
        finally:
            self.channel.close()
            if self.context is not None:
                self.context.cursor.close()
            self.server.forget(self)

    def _enter(self) -> Context | None:
        """Sign in and open the database asked for."""
        server = self.server
        try:
            login, request = sign_in(self.channel, server)
            self._at_login(Happening(LOGIN, request.database, None, login.name))
        except SqlError as error:
            server.stats.refused(error)
            refuse(self.channel, error, server.server_name)
            return None
        context = Context(server.catalogue, login, server.catalogue.store.cursor(), self.number, server.server_name)
        try:
            wanted = request.database if server.redirect_to is None else ""
            entered = context.enter(wanted or login.default_database)
        except SqlError:
            context.cursor.close()
            error = errors.cannot_open_requested(request.database) if request.database else errors.cannot_open_default()
            server.stats.refused(error)
            self._refuse_database(error, login.name)
            return None
        if server.open_mode:
            context.cursor.execute("SET default_collation = 'NOCASE'")
        welcome(self.channel, request, server.server_name, entered, server.redirect_to)
        server.stats.signed_in(login.name)
        return context

    def _at_login(self, happening: Happening) -> None:
        """What goes wrong when somebody signs in."""
        for fault in self.server.faults.of_statement(happening):
            if fault.kind in _ROW_ERRORS:
                raise _error_of(fault, happening, self.number)
            if fault.kind == "cut" or self.channel.closed.wait(fault.seconds or None):
                raise ConnectionLost("ended by a fault at login")

    def _refuse_database(self, error: SqlError, login: str) -> None:
        """A database that cannot be opened ends the login with two messages, of which clients show the second."""
        reply = self.channel.reply()
        for each in (error, errors.login_failed(login)):
            reply.add(message_token(each, self.server.server_name))
        reply.add(done_token(Done.ERROR, command=0))
        reply.finish()

    def _listen(self) -> None:
        """Queue what the client says; a cancel also interrupts what is being done."""
        try:
            while True:
                message = self.channel.read()
                if message.kind == Packet.ATTENTION:
                    self._attention.set()
                    self._interrupt()
                self._messages.put(message)
        except ConnectionLost:
            self.channel.closed.set()
            self._attention.set()
            self._interrupt()
            self._messages.put(None)

    def _interrupt(self) -> None:
        if self._busy and self.context is not None:
            self.context.cursor.interrupt()

    # --- requests ---------------------------------------------------------------------------------------------

    def _answer(self, context: Context, message: Message) -> None:
        """One request, one reply."""
        reply = self.channel.reply()
        if message.kind == Packet.ATTENTION:
            self._attention.clear()
            self.server.stats.count("attentions")
            reply.add(done_token(Done.ATTENTION))
            reply.finish()
            return
        if message.reset:
            context.abort()
            context.snapshot, context.lock_timeout = False, -1
        self._busy = True
        try:
            self._dispatch(context, reply, message)
        except SqlError as error:
            self._fail(context, reply, error)
        except duckdb.Error as error:
            self._fail(context, reply, SqlError(50000, f"The stand-in server stumbled: {error}"))
        except Cancelled:
            if self.channel.closed.is_set():
                raise ConnectionLost("the client left during an answer") from None
            # the reply ends here; the attention that waits in the queue is acknowledged next
            self._attention_ends(reply)
            return
        finally:
            self._busy = False
        reply.finish()

    def _attention_ends(self, reply: Reply) -> None:
        """Whole rows have gone out; the acknowledgement closes the same message."""
        waiting = self._messages.get()
        while waiting is not None and waiting.kind != Packet.ATTENTION:
            waiting = self._messages.get()
        self._attention.clear()
        self.server.stats.count("attentions")
        reply.add(done_token(Done.ATTENTION))
        reply.finish()

    def _fail(self, context: Context, reply: Reply, error: SqlError) -> None:
        if error.number in (1205, 3960):
            context.abort()
        self.server.stats.count(f"error {error.number}")
        reply.add(message_token(error, self.server.server_name))
        reply.add(done_token(Done.ERROR, kind=self._kind))
        if error.severity >= 20:
            reply.finish()
            raise ConnectionLost(str(error))

    def _dispatch(self, context: Context, reply: Reply, message: Message) -> None:
        self._kind = 0xFD
        match message.kind:
            case Packet.SQL_BATCH:
                self._batch(context, reply, requests.batch_text(message.body))
            case Packet.TRANSACTION:
                self._transaction(context, reply, requests.transaction(message.body))
            case Packet.RPC:
                self._kind = 0xFE
                for call in requests.calls(message.body):
                    self._call(context, reply, call)
            case _:
                raise errors.syntax(f"(a message of kind {message.kind})")

    def _batch(self, context: Context, reply: Reply, text: str) -> None:
        """A text is one of the hub's statements, one of a driver's own, or (in open mode) anything translatable."""
        for answer in self._statements(context, text, {}):
            self._send(reply, answer)

    def _statements(self, context: Context, text: str, values: dict[str, requests.Parameter]) -> Iterator[Answer]:
        asked = self.server.grammar.read(text)
        if asked is not None and not values:
            yield self._execute(context, asked)
            return
        own = drivers.answer(context, text) if not values else None
        if own is not None:
            self.server.stats.count("driver statements")
            yield own
            return
        if self.server.open_mode:
            from local.sqlserver import opened  # sqlglot takes its time to load and only open mode needs it

            for answer in opened.execute(context, text, values):
                self.server.stats.statement("open")
                yield self._with_faults(Happening("open", context.database, None, context.login.name), answer)
            return
        self.server.stats.unknown(text)
        raise errors.syntax(text)

    def _execute(self, context: Context, asked: Asked) -> Answer:
        self.server.stats.statement(asked.name)
        table = name(asked.holes["table"]) if "table" in asked.holes else None
        database = name(asked.holes["database"]) if "database" in asked.holes else context.database
        happening = Happening(asked.name, database, table, context.login.name)
        faults = self.server.faults.of_statement(happening)
        self._before(happening, faults)
        return self._during(happening, faults, executor.execute(context, asked))

    def _with_faults(self, happening: Happening, answer: Answer) -> Answer:
        faults = self.server.faults.of_statement(happening)
        self._before(happening, faults)
        return self._during(happening, faults, answer)

    # --- faults -----------------------------------------------------------------------------------------------

    def _before(self, happening: Happening, faults: list[Fault]) -> None:
        """What goes wrong before the first row."""
        for fault in faults:
            if fault.kind == "delay":
                self._delay(fault)
            if fault.kind in _ROW_ERRORS and fault.after_rows == 0:
                raise _error_of(fault, happening, self.number)

    def _delay(self, fault: Fault) -> None:
        """Hold the answer back until the time is over or it is released. Raises Cancelled."""
        end, releases = time.monotonic() + fault.seconds, fault.releases
        while self.server.faults.releases == releases and (left := end - time.monotonic()) > 0:
            if self._attention.wait(min(left, 0.05)):
                raise Cancelled

    def _during(self, happening: Happening, faults: list[Fault], answer: Answer) -> Answer:
        """The answer with what goes wrong after so many rows."""
        for fault in faults:
            if fault.kind in ("stall", "cut") or (fault.kind in _ROW_ERRORS and fault.after_rows):
                answer.batches = self._broken(answer.batches, fault, happening)
        return answer

    def _broken(self, batches: Iterator[Any], fault: Fault, happening: Happening) -> Iterator[Any]:
        """The rows before the fault, exactly so many, then the fault itself, then (after a stall) the rest.

        An answer with fewer rows breaks at its end.
        """
        left = fault.after_rows
        rest = None
        for batch in batches:
            if batch.num_rows >= left:
                if left:
                    yield batch.slice(0, left)
                rest = batch.slice(left)
                break
            left -= batch.num_rows
            yield batch
        if fault.kind in _ROW_ERRORS:
            raise _error_of(fault, happening, self.number)
        yield fault
        if rest is not None:
            yield rest
            yield from batches

    def _break(self, reply: Reply, fault: Fault) -> None:
        """Cut the line, or let it hang for a while."""
        reply.force()
        if fault.kind == "cut":
            raise ConnectionLost("cut by a fault")
        if self.channel.closed.wait(fault.seconds or None):
            raise ConnectionLost("the client left a stalled answer")

    # --- replies ----------------------------------------------------------------------------------------------

    def _send(self, reply: Reply, answer: Answer) -> None:
        """One result set. An error before the first row comes without columns, as an error only."""
        rows = 0
        try:
            item = next(answer.batches, None)
            reply.add(answer.changes)
            if answer.columns:
                reply.add(column_metadata(answer.columns))
            while item is not None:
                if self._attention.is_set():
                    raise Cancelled
                if isinstance(item, Fault):
                    self._break(reply, item)
                else:
                    reply.add(encode_rows(answer.columns, item.columns, item.num_rows))
                    rows += item.num_rows
                item = next(answer.batches, None)
        finally:
            answer.close()
            self.server.stats.count("rows", rows)
            if self.context is not None:
                self.context.row_count = rows
        counted = rows if answer.columns else answer.affected
        status = Done.FINAL if counted is None else Done.COUNT
        kind = 0xFF if self._kind == 0xFE else 0xFD  # inside a procedure call each statement ends with DONEINPROC
        reply.add(done_token(status | (Done.MORE if kind == 0xFF else Done.FINAL), counted or 0, answer.command, kind))

    def _transaction(self, context: Context, reply: Reply, request: requests.Transaction) -> None:
        """A driver's own BEGIN, COMMIT or ROLLBACK, told as a message of its own."""
        number = self.number.to_bytes(8, "little")
        match request.action:
            case "begin":
                context.begin()
                reply.add(change_token(8, b"\x08" + number, b"\x00"))
            case "commit" | "rollback":
                if context.depth:
                    context.end(keep=request.action == "commit")
                reply.add(change_token(9 if request.action == "commit" else 10, b"\x00", b"\x08" + number))
                if request.again:
                    context.begin()
                    reply.add(change_token(8, b"\x08" + number, b"\x00"))
        reply.add(done_token(Done.FINAL))

    def _call(self, context: Context, reply: Reply, call: requests.Call) -> None:
        """sp_executesql and its relatives: a statement with its values, perhaps kept for the next time."""
        handle = None
        match call.procedure:
            case "sp_executesql":
                text, values = call.statement(0)
            case "sp_prepexec" | "sp_prepare":
                text, values = call.statement(2)
                handle = self._keep(text, call.declared(1))
            case "sp_execute":
                text, values = self._kept(call)
            case "sp_unprepare":
                reply.add(done_token(Done.FINAL, kind=0xFE))
                return
            case _:
                raise errors.no_procedure(call.procedure)
        if call.procedure != "sp_prepare":
            for answer in self._statements(context, text, values):
                self._send(reply, answer)
        reply.add(requests.return_status())
        if handle is not None:
            reply.add(requests.return_value(handle))
        reply.add(done_token(Done.FINAL, command=0xE0, kind=0xFE))

    def _keep(self, text: str, declared: list[str]) -> int:
        self._prepared.append((text, declared))
        return len(self._prepared)

    def _kept(self, call: requests.Call) -> tuple[str, dict[str, requests.Parameter]]:
        number = call.parameters[0].value
        if not isinstance(number, int) or not 1 <= number <= len(self._prepared):
            raise SqlError(8179, f"Could not find prepared statement with handle {number}.")
        text, declared = self._prepared[number - 1]
        return text, dict(zip(declared, call.parameters[1:], strict=False))


def _error_of(fault: Fault, happening: Happening, session: int) -> SqlError:
    """The error a fault stands for."""
    match fault.kind:
        case "deadlock":
            return errors.deadlock(session)
        case "snapshot":
            return errors.snapshot_conflict(f"dbo.{happening.table}", happening.database)
        case "lock_timeout":
            return errors.lock_timeout()
        case _:
            return SqlError(fault.number, fault.text)
