"""One SQL Server as a connection describes it: how it is reached, tested stage by stage, and what databases it has."""

import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from erphub.erp.probes import Outcome, Probe, Stage
from erphub.erp.system import FoundCompany
from erphub.erp.transports.sqlserver import address, browser, driver, tls
from erphub.erp.transports.sqlserver.driver import Login, Route, Session, Transport, Trust
from erphub.erp.transports.sqlserver.statements import DATABASES, IDENTITY, USE, quote
from erphub.erp.transports.sqlserver.steps import TRUST_WARNING
from erphub.platform.errors import CredentialsRefused, ErpRefused, HubError, Unavailable
from erphub.platform.outbound import addresses as network

STAGES = (Stage.DNS, Stage.TCP, Stage.TLS, Stage.LOGIN, Stage.DATABASES, Stage.PERMISSIONS, Stage.READ)
_SYSTEM_DATABASES = frozenset({"master", "model", "msdb", "tempdb", "distribution", "resource"})

type Finding = tuple[str, str | None]
"""What a stage found: its words, and a code when it deserves a warning."""


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
        self._login = Login(settings["login"], secret["password"])
        self._verify = settings.get("encryption", "verify") == "verify"
        self._authority: str | None = settings.get("ca_certificate") or None
        self._allowed = network.networks(networks)
        self._transport = transport or Transport()

    # --- the way there -----------------------------------------------------------------------------------------------

    def resolve(self) -> Sequence[network.IP]:
        """The server's addresses, all of them allowed."""
        return network.addresses(self.address.host, self._allowed, self._transport.resolve)

    def reach(self, ips: Sequence[network.IP]) -> Route:
        """The first address that answers, and the port there. Raises Unavailable, or as SQL Browser's answer does."""
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
        why = "refuses the connection" if isinstance(silent, ConnectionRefusedError) else "does not answer"
        raise Unavailable(
            f"The server {why} at {self.address}. Check name and port, that SQL Server listens on TCP, and that the"
            " firewall lets the hub in.",
            code="server_unreachable",
        ) from silent

    def certificate(self, route: Route) -> tls.Certificate:
        """The server's certificate, verified unless the connection says not to."""
        if not self._verify:
            return tls.look(route.dial)
        with self._authorities() as ca_file:
            return tls.verify(route.dial, route.host, ca_file)

    def login(self, route: Route, certificate: tls.Certificate) -> Session:
        """Log in to the server that has just shown this certificate."""
        if not self._verify:
            return driver.connect(route, self._login, Trust())
        with self._authorities() as ca_file:
            return driver.connect(route, self._login, Trust(ca_file, certificate.name))

    def session(self) -> Session:
        """The whole way in one go."""
        route = self.reach(self.resolve())
        if not self._verify:
            return driver.connect(route, self._login, Trust())
        return self.login(route, self.certificate(route))

    @contextmanager
    def _authorities(self) -> Generator[str]:
        """A file with the authorities to trust: the one given with the connection, or the public ones."""
        if self._authority is None:
            yield tls.public_authorities()
            return
        with tempfile.TemporaryDirectory(prefix="erphub-") as folder:
            path = Path(folder, "ca.pem")
            path.write_text(tls.authority(self._authority), "ascii", "ignore")
            yield str(path)

    # --- the test ----------------------------------------------------------------------------------------------------

    def check(
        self,
        databases: Callable[[Session], Finding],
        permissions: Callable[[Session], Finding],
        read: Callable[[Session], Finding],
    ) -> Iterator[Probe]:
        """Every stage as it finishes; after one that failed the others are skipped."""
        trial = _Trial(self)
        tries: dict[Stage, Callable[[], Finding]] = {
            Stage.DNS: trial.dns,
            Stage.TCP: trial.tcp,
            Stage.TLS: trial.tls,
            Stage.LOGIN: trial.login,
            Stage.DATABASES: lambda: databases(trial.session),
            Stage.PERMISSIONS: lambda: permissions(trial.session),
            Stage.READ: lambda: read(trial.session),
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
        return not self._verify


class _Trial:
    """A test under way: what one stage found, the next one uses."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._session: Session | None = None

    def dns(self) -> Finding:
        self._ips = self._server.resolve()
        return f"{self._server.address.host} is {', '.join(map(str, self._ips))}.", None

    def tcp(self) -> Finding:
        self._route = self._server.reach(self._ips)
        warning = self._server.address.warning
        words = f"The server answers at {self._route.ip}, port {self._route.port}."
        return (f"{words} {warning}", "instance_ignored") if warning else (words, None)

    def tls(self) -> Finding:
        self._certificate = self._server.certificate(self._route)
        if self._server.unverified:
            return f"{TRUST_WARNING} The server shows a {self._certificate}.", "tls_not_verified"
        return f"Encrypted and verified: {self._certificate}.", None

    def login(self) -> Finding:
        self._session = self._server.login(self._route, self._certificate)
        name, version, edition, who = self._session.rows(IDENTITY())[0]
        return f"Logged in as {who} to {name}, SQL Server {version} ({edition}).", None

    @property
    def session(self) -> Session:
        if self._session is None:
            raise RuntimeError("a later stage was tried before the login")
        return self._session

    def end(self) -> None:
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


def use(session: Session, database: str) -> Database:
    """Open a database. It is looked up first, because a failing USE would not tell why.

    Raises ErpRefused `company_gone`, `permission_denied`; Unavailable `company_unavailable`.
    """
    found = next((known for known in databases(session) if known.name == database), None)
    if found is None:
        raise ErpRefused(
            f"The database {database} is no longer on the server. Choose the companies of this connection again.",
            code="company_gone",
        )
    if found.problem is not None:
        refused = found.state == "ONLINE"
        kind, code = (ErpRefused, "permission_denied") if refused else (Unavailable, "company_unavailable")
        raise kind(f"{database}: {found.problem}", code=code)
    session.say(USE(database=quote(database)))
    return found


def company(database: Database, name: str, server: str) -> FoundCompany:
    """The database as a company, with what will tell later whether two connections mean the same one."""
    facts = {"server": server, "database": database.name, "broker": database.broker}
    # Restored elsewhere it keeps its broker's id, and on the same server another may have its name.
    facts["installation"] = f"{server}/{database.broker or database.name}"
    return FoundCompany(database.name, name, database.problem, facts)
