"""One SQL Server as a connection describes it: how it is reached, tested stage by stage, and what databases it has."""

import socket
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

from erphub.erp.probes import Outcome, Probe, Stage
from erphub.erp.system import FoundCompany
from erphub.erp.transports.sqlserver import address, browser, driver, problems, readers, tls
from erphub.erp.transports.sqlserver.driver import Route, Session, Transport
from erphub.erp.transports.sqlserver.drivers.connection import Login, Reader
from erphub.erp.transports.sqlserver.reaching import NOT_REACHED, answered_alike, unreachable
from erphub.erp.transports.sqlserver.statements import DATABASES, IDENTITY
from erphub.erp.transports.sqlserver.steps import TRUST_WARNING
from erphub.erp.transports.sqlserver.tls import Trust
from erphub.platform.errors import CredentialsRefused, ErpRefused, HubError
from erphub.platform.outbound import addresses as network
from erphub.platform.outbound import deadlines
from erphub.platform.outbound.deadlines import Deadline
from erphub.platform.outbound.tds.channel import Channel
from erphub.platform.outbound.tds.messages import Redirection

STAGES = (Stage.DNS, Stage.TCP, Stage.TLS, Stage.LOGIN, Stage.DATABASES, Stage.PERMISSIONS, Stage.READ)
TEST_SECONDS = 60.0
"""How long a connection test may take in all, whatever the server sends and when."""
_LOGIN_INTO_DATABASE_FAILED = frozenset({"company_gone", "company_unavailable", "permission_denied"})
_SYSTEM_DATABASES = frozenset({"master", "model", "msdb", "tempdb", "distribution", "resource"})

type Finding = tuple[str, str | None]
"""What a stage found: its words, and a code when it deserves a warning."""
type Question = Callable[["Server", Session], Finding]
"""One of the last stages of a test, asked over the session that the earlier ones have made."""


@dataclass(frozen=True)
class Database:
    """A database the login can see. `access` is None for one that is offline or being restored."""

    name: str
    access: bool | None
    state: str
    snapshot: bool
    broker: str | None

    @property
    def problem(self) -> str | None:
        """Why it cannot be opened, for a person; None when it can."""
        match self.state, self.access:
            case "ONLINE", True:
                return None
            case "ONLINE", _:
                return "The login has no access to this database. Give it read access (db_datareader)."
            case "OFFLINE", _:
                return "The database is offline."
            case "RESTORING" | "RECOVERING" | "RECOVERY_PENDING", _:
                return "The database is being restored."
            case state, _:
                return f"The database cannot be opened (its state is {state.lower()})."

    @property
    def of_system(self) -> bool:
        """Whether it is one of the server's own, which hold no business."""
        return self.name.lower() in _SYSTEM_DATABASES


class Server:
    """A server and a login to it. Nothing is dialled until something is asked."""

    def __init__(
        self,
        settings: Mapping[str, Any],
        secret: Mapping[str, str],
        networks: Sequence[str],
        transport: Transport | None,
    ) -> None:
        self.address = address.parse(settings["server"])
        self._login = Login(settings["login"], secret["password"], settings.get("login_database") or "")
        self._trust = Trust(settings.get("encryption", "verify") == "verify", settings.get("ca_certificate") or None)
        self._allowed = network.networks(networks)
        self._transport = transport or Transport()
        self._deadline = Deadline(None)
        self._ips: Sequence[network.IP] = ()
        self._route: Route | None = None

    # --- the way there -----------------------------------------------------------------------------------------------

    def resolve(self) -> Sequence[network.IP]:
        """The server's addresses, all of them allowed; asked for once, so that what was judged is what is dialled."""
        if not self._ips:
            self._ips = network.addresses(self.address.host, self._allowed, self._transport.resolve)
        return self._ips

    def reach(self) -> tuple[Route, Channel]:
        """An encrypted connection to the first address that answers.

        Raises Unavailable `server_unreachable`, alike for all that keeps from it; ErpRefused `tls_…`; as SQL Browser.
        """
        with answered_alike(str(self.address)):
            self._route = self._route or self._first_to_answer(self.resolve())
            return self._route, self.encrypt(self._route)

    def _first_to_answer(self, ips: Sequence[network.IP]) -> Route:
        silent: OSError | None = None
        for ip in ips:
            port = self.address.port or browser.port_of(self.address.instance or "", ip, self._transport.browser_port)
            route = Route(self.address.host, ip, port)
            try:
                route.dial().close()
            except OSError as error:
                silent = error
            else:
                return route
        raise unreachable(str(self.address)) from silent

    def until(self, deadline: Deadline) -> "Server":
        """The same server, with everything asked of it over by then."""
        bounded = copy(self)
        bounded._deadline = deadline
        return bounded

    def encrypt(self, route: Route) -> Channel:
        """An encrypted connection to the server, its certificate verified unless the connection says not to."""

        def dial() -> socket.socket:
            try:
                return route.dial()
            except OSError as error:
                raise unreachable(str(self.address)) from error

        deadline = self._deadline.within(deadlines.current().left)
        channel = tls.encrypted(dial, route.host, self._trust, deadline)
        channel.deadline = self._deadline
        return channel

    @property
    def reader(self) -> Reader:
        """By what rows are read: as the deployment wishes, as far as the login and this machine allow it."""
        return readers.choose(self._transport.reader, self._login)

    def read_by(self, reader: Reader) -> None:
        """Read rows by that reader from now on, where it serves."""
        self._transport = replace(self._transport, reader=reader)

    def login(self, route: Route, channel: Channel, database: str = "", reader: Reader = Reader.PYMSSQL) -> Session:
        """Log in over an encrypted connection, into a database or the login's own."""
        login = replace(self._login, database=database) if database else self._login
        return driver.connect(channel, route.server_name, login, self._redirected, reader)

    def session(self, database: str = "", reader: Reader = Reader.PYMSSQL) -> Session:
        """The whole way in one go."""
        return self.login(*self.reach(), database, reader)

    def _redirected(self, to: Redirection, deadline: Deadline) -> Channel:
        """Where the server sends us, if we may go there: judged and verified as the server itself was.

        Raises ErpRefused `address_not_allowed` for an address that may not be called: which those are is no secret, so
        it is told at once. A name that leads to one is told as what cannot be reached is.
        """
        if _is_address(to.host):
            network.addresses(to.host, self._allowed, self._transport.resolve)
        with answered_alike(f"{to.host},{to.port}", NOT_REACHED | {"host_unknown"}, deadline):
            ips = network.addresses(address.parse(to.host).host, self._allowed, self._transport.resolve)
            route = Route(to.host, ips[0], to.port)
            return tls.encrypted(route.dial, to.host, self._trust, deadline.within(deadlines.current().left))

    @contextmanager
    def database(self, name: str, reader: Reader = Reader.PYMSSQL) -> Generator[tuple[Session, Database]]:
        """A connection that is in a database from its login on: not every server knows USE.

        Raises ErpRefused `company_gone`, `permission_denied`; Unavailable `company_unavailable`.
        """
        with self._in_database(name, reader) as session:
            yield session, _required(databases(session), name)

    def _in_database(self, name: str, reader: Reader) -> Session:
        try:
            return self.session(name, reader)
        except HubError as error:
            if error.code not in _LOGIN_INTO_DATABASE_FAILED:
                raise
        # A login into a database that cannot be opened fails without saying why; the server's own list does.
        with self.session() as session:
            _required(databases(session), name)
        return self.session(name, reader)

    # --- the test ----------------------------------------------------------------------------------------------------

    def check(self, databases: Question, permissions: Question, read: Question) -> Iterator[Probe]:
        """Every stage as it finishes; after one that failed the others are skipped."""
        server = self.until(Deadline(TEST_SECONDS))
        trial = _Trial(server)
        tries: dict[Stage, Callable[[], Finding]] = {
            Stage.DNS: trial.dns,
            Stage.TCP: trial.tcp,
            Stage.TLS: trial.tls,
            Stage.LOGIN: trial.login,
            Stage.DATABASES: lambda: databases(server, trial.session),
            Stage.PERMISSIONS: lambda: permissions(server, trial.session),
            Stage.READ: lambda: read(server, trial.session),
        }
        failed = False
        try:
            for stage in STAGES:
                if failed:
                    yield Probe(stage, Outcome.SKIPPED, 0, "Not tried, because an earlier stage failed.")
                    continue
                probe = _timed(stage, tries[stage])
                failed = probe.outcome is Outcome.FAILED
                yield probe
        finally:
            trial.end()

    @property
    def unverified(self) -> bool:
        """Whether nobody checks whose certificate the server shows."""
        return not self._trust.verified


class _Trial:
    """A test under way: what one stage found, the next one uses."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._session: Session | None = None
        self._channel: Channel | None = None
        self._refused: ErpRefused | None = None

    def dns(self) -> Finding:
        try:
            self._server.resolve()
        except HubError as error:
            if error.code not in NOT_REACHED:
                raise
            # Where a name leads that may not be gone to is told like any other port that is not reached.
        return f"The address of {self._server.address.host} is known.", None

    def tcp(self) -> Finding:
        where = f"{self._server.address}"
        try:
            self._route, self._channel = self._server.reach()
            where = f"{self._route.ip}, port {self._route.port}"
        except ErpRefused as error:
            if error.code not in tls.SQL_SERVER_REFUSED:
                raise
            self._refused = error  # it is a SQL Server: told at the stage of its own
        warning = self._server.address.warning
        words = f"The server answers at {where}."
        return (f"{words} {warning}", "instance_ignored") if warning else (words, None)

    def tls(self) -> Finding:
        if self._refused is not None:
            raise self._refused
        if self._channel is None:
            raise RuntimeError("a certificate was looked at before the server was reached")
        shown = tls.certificate(self._channel.certificate)
        if self._server.unverified:
            return f"{TRUST_WARNING} The server shows a {shown}.", "tls_not_verified"
        return f"Encrypted and verified: {shown}.", None

    def login(self) -> Finding:
        if self._channel is None:
            raise RuntimeError("a login was tried before the connection was encrypted")
        channel, self._channel = self._channel, None
        self._session = self._server.login(self._route, channel)
        name, version, edition, who = self._session.rows(IDENTITY())[0]
        return f"Logged in as {who} to {name}, SQL Server {version} ({edition}).", None

    @property
    def session(self) -> Session:
        if self._session is None:
            raise RuntimeError("a later stage was tried before the login")
        return self._session

    def end(self) -> None:
        if self._channel is not None:
            self._channel.close()
        if self._session is not None:
            self._session.close()


def _timed(stage: Stage, attempt: Callable[[], Finding]) -> Probe:
    began, refused = time.perf_counter(), False
    try:
        words, code = attempt()
        outcome = Outcome.WARNING if code else Outcome.PASSED
    except HubError as error:
        words, code, outcome = error.detail, error.code, Outcome.FAILED
        refused = isinstance(error, CredentialsRefused)
    return Probe(stage, outcome, round((time.perf_counter() - began) * 1000), words, code, refused)


# --- databases -------------------------------------------------------------------------------------------------------


def databases(session: Session) -> list[Database]:
    """Every database the login can see, in one question, however many there are."""
    return [
        Database(name, None if access is None else bool(access), state, snapshot == 1, broker)
        for name, access, state, snapshot, broker in session.rows(DATABASES())
    ]


def server_name(session: Session) -> str:
    """Who the server is by its own account: the same under each of the names it can be reached by."""
    return str(session.rows(IDENTITY())[0][0])


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _required(found: Sequence[Database], name: str) -> Database:
    """The database, when it is there and can be opened."""
    database = next((known for known in found if known.name == name), None)
    if database is None:
        raise problems.DATABASE_GONE(name=name)
    if database.problem is not None:
        refused = database.state == "ONLINE"
        problem = problems.DATABASE_NOT_READABLE if refused else problems.DATABASE_UNAVAILABLE
        raise problem(name=name, problem=database.problem)
    return database


def company(database: Database, name: str, server: str) -> FoundCompany:
    """The database as a company, with what will tell later whether two connections mean the same one."""
    attributes = {"server": server, "database": database.name, "broker": database.broker}
    # Restored elsewhere it keeps its broker's id, and on the same server another may have its name.
    attributes["installation"] = f"{server}/{database.broker or database.name}"
    return FoundCompany(database.name, name, database.problem, attributes)
