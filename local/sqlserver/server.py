"""The stand-in SQL Server itself: its ports, its sessions, and the switches for what goes wrong.

with StandIn(catalogue) as server:
    pymssql.connect("127.0.0.1", "reader", "secret", port=str(server.port), …)
    server.faults.add("cut", statement="rows", after_rows=500)
"""

import contextlib
import itertools
import socket
import ssl
import struct
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from erphub.erp.transports.sqlserver.statements import ALL, Statement
from local.sqlserver.browser import Browser
from local.sqlserver.catalogue import Catalogue
from local.sqlserver.channel import Channel
from local.sqlserver.faults import Fault, Faults, Kind
from local.sqlserver.grammar import USE, Grammar
from local.sqlserver.session import Session
from local.sqlserver.signin import Policy
from local.sqlserver.stats import Stats
from local.sqlserver.tunnel import Certificate, certificate


# structure: the switches of a real server, all of them with defaults; a test sets one or two
class StandIn:
    """A running server. Port 0 takes a free one; `port` and `browser_port` hold the real ones after `start`.

    `encryption`: `offered` (as an ordinary server), `required` (Force Encryption), `none` (a server without TLS) or
    `strict` (Force Strict Encryption). `redirect_to`: whoever signs in is told to go there instead.
    `instance`: its name for SQL Browser; `browser_port=None` runs no browser.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        instance: str = "VISMA",
        browser_port: int | None = 0,
        encryption: Policy = "offered",
        tls: Certificate | None = None,
        domain: str = "CORP",
        redirect_to: tuple[str, int] | None = None,
        open_mode: bool = False,
        statements: Sequence[Statement] = (*ALL, USE),
    ) -> None:
        self.catalogue = catalogue
        self.host = host
        self.port = port
        self.instance = instance
        self.browser_port = browser_port or 0
        self._with_browser = browser_port is not None
        self.encryption: Policy = encryption
        self.domain = domain
        self.redirect_to = redirect_to
        self.open_mode = open_mode
        self.grammar = Grammar(statements)
        self.faults = Faults()
        self.stats = Stats()
        self.certificate = tls
        self.browser: Browser | None = None
        self._tls: ssl.SSLContext | None = None
        self._listener: socket.socket | None = None
        self._numbers = itertools.count(51)
        self._sessions: dict[Session, threading.Thread] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._reopening: threading.Timer | None = None

    @property
    def tls(self) -> ssl.SSLContext:
        """TLS settings, with a self-signed certificate made at first use when none was given."""
        with self._lock:
            if self._tls is None:
                self.certificate = self.certificate or certificate()
                self._tls = self.certificate.context()
            return self._tls

    @property
    def server_name(self) -> str:
        """What SERVERPROPERTY('ServerName') says."""
        return f"{self.catalogue.name}\\{self.instance}"

    # --- life ---------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Listen; returns itself."""
        self._listen()
        if self._with_browser:
            self.browser = Browser(self.host, self.browser_port, self.catalogue.name)
            self.browser.instances[self.instance] = self.port
            self.browser_port = self.browser.port
        self.catalogue.on_drop.append(self.end_sessions_in)
        return self

    def stop(self) -> None:
        """End every connection and close the ports."""
        self._stopped.set()
        if self._reopening is not None:
            self._reopening.cancel()
        self.refuse_connections()
        if self.browser is not None:
            self.browser.close()
        if self.end_sessions_in in self.catalogue.on_drop:
            self.catalogue.on_drop.remove(self.end_sessions_in)
        with self._lock:
            running = list(self._sessions.items())
        for session, _ in running:
            session.channel.close()
        for _, thread in running:
            thread.join(10)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- the port -----------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self.host, self.port))
            listener.listen(128)
        except OSError:
            listener.close()
            raise
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name=f"tds-accept-{self.port}", daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed: the server stops or refuses connections
                return
            self.stats.count("connections")
            if self.faults.of_connection() is not None:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.close()
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number = next(self._numbers)
            session = Session(self, Channel(connection, number), number)
            thread = threading.Thread(target=session.run, name=f"tds-{number}", daemon=True)
            with self._lock:
                self._sessions[session] = thread
            thread.start()

    def refuse_connections(self) -> None:
        """Close the port; connections there are go on."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
            self._listener.close()
            self._listener = None

    def accept_connections(self) -> None:
        """Open the port again."""
        if self._listener is None and not self._stopped.is_set():
            self._listen()

    # --- what goes wrong ----------------------------------------------------------------------------------------

    def inject(self, kind: Kind, **options: object) -> Fault:
        """Arm a fault; `refused` closes the port at once (see `faults.Fault`)."""
        fault = self.faults.add(kind, **options)
        if kind == "refused":
            self.refuse_connections()
            if fault.seconds:
                self._reopening = threading.Timer(fault.seconds, self.mend)
                self._reopening.daemon = True
                self._reopening.start()
        return fault

    def mend(self) -> None:
        """Nothing goes wrong any more."""
        self.faults.clear()
        self.accept_connections()

    def end_sessions_in(self, database: str) -> None:
        """Throw everybody out of a database, as dropping it does."""
        with self._lock:
            running = list(self._sessions)
        for session in running:
            if session.context is not None and session.context.database.casefold() == database.casefold():
                session.channel.close(abruptly=True)

    def forget(self, session: Session) -> None:
        """A session is over."""
        with self._lock:
            self._sessions.pop(session, None)

    @property
    def connected(self) -> int:
        """How many sessions there are."""
        with self._lock:
            return len(self._sessions)
