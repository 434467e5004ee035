"""A login that is refused once in the background is tried once more, by one alone, before a person is asked for it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from erphub.connections.background import BackgroundErpAccess
from erphub.connections.health import LOGIN_DOUBTED, SECOND_TRY_AFTER
from erphub.connections.models import ConnectionStatus
from erphub.erp.probes import Outcome, Probe, Stage
from erphub.erp.systems.twentyfourseven import outcomes
from erphub.erp.transports.sqlserver import errors
from erphub.imports.runs.models import RunStatus
from erphub.imports.runs.units import problem_of
from erphub.platform.errors import CredentialsDoubted, CredentialsRefused, HubError, Unavailable, refuses_for_good
from erphub.platform.outbound.tds.messages import ServerError
from erphub.platform.problem_documents import as_problem
from tests.connections.test_health import AWAY, by_hand, run, transfer

DOUBTED = CredentialsDoubted("The server does not accept the login and password.")
IN, REFUSED, SILENT, STARTING = "in", "refused", "silent", "starting"
FINALLY = {18470: "login_disabled", 18486: "login_locked", 18487: "password_expired", 18488: "password_must_change"}
MAY_PASS = {18456: "credentials_refused", 18452: "windows_login_refused"}


@dataclass
class Server:
    """A server with a login that it lets in or not; satisfies what opens connections and what is opened."""

    answers: list[str] = field(default_factory=list[str])
    logins: int = 0
    asked_more: int = 0
    during: Callable[[], object] = lambda: None

    def connected(self, _connection: object) -> Any:
        return self

    def check(self) -> Iterator[Probe]:
        answer = self.answers[self.logins] if self.logins < len(self.answers) else IN
        if answer == SILENT:
            yield Probe(Stage.TCP, Outcome.FAILED, 1, "It does not answer.", "server_unreachable")
            return
        yield Probe(Stage.TCP, Outcome.PASSED, 1, "")
        self.logins += 1
        self.during()
        match answer:
            case "refused":
                yield Probe(Stage.LOGIN, Outcome.FAILED, 1, DOUBTED.detail, DOUBTED.code, refused=True)
            case "starting":
                yield Probe(Stage.LOGIN, Outcome.FAILED, 1, "It is starting.", "server_starting")
            case _:
                yield Probe(Stage.LOGIN, Outcome.PASSED, 1, "")
        self.asked_more += 1
        yield Probe(Stage.DATABASES, Outcome.PASSED, 1, "")


def opening(scene: Any, server: Server) -> BackgroundErpAccess:
    erp: Any = server
    return BackgroundErpAccess(erp, scene.health, scene.clock)


def in_doubt(scene: Any) -> Any:
    """A connection whose login was refused a moment ago, in the background."""
    connection = scene.connection()
    scene.health.report_refusal(connection.client_id, connection.id, problem_of(DOUBTED), scene.clock())
    return connection


def use(scene: Any, connection: Any, server: Server) -> str:
    """What somebody meets who uses the connection now."""
    try:
        opening(scene, server).connected(scene.now(connection))
    except HubError as error:
        return error.code
    return "opened"


@pytest.mark.parametrize(("number", "code"), sorted((FINALLY | MAY_PASS).items()))
@pytest.mark.parametrize("state", [1, 13, 23])
def test_number_by_number_whether_a_refusal_can_pass(number: int, code: str, state: int) -> None:
    said = ServerError(number=number, state=state, severity=14, message="Login failed for user.")
    error = errors.connecting(RuntimeError(), [said], ())
    assert error.code == code
    assert isinstance(error, CredentialsRefused)
    assert isinstance(error, CredentialsDoubted) is (number in MAY_PASS)
    for problem in (problem_of(error), as_problem(error)):
        assert refuses_for_good(problem) is (number in FINALLY)


def test_what_a_service_over_http_refuses_is_final() -> None:
    assert refuses_for_good(as_problem(outcomes.credentials_refused()))


@pytest.mark.parametrize(
    ("answers", "met", "status", "logins"),
    [
        ([IN], "opened", "active", 1),
        ([REFUSED], "credentials_refused", "reauth_required", 1),
        ([SILENT], "server_unreachable", "degraded", 0),
        ([STARTING], "server_starting", "degraded", 1),
    ],
)
def test_the_second_try_decides(scene: Any, answers: list[str], met: str, status: str, logins: int) -> None:
    connection, server = in_doubt(scene), Server(answers)
    assert scene.now(connection).status == "degraded"
    assert scene.now(connection).is_operational, "its schedules go on"
    assert use(scene, connection, server) == LOGIN_DOUBTED
    scene.pass_time(seconds=SECOND_TRY_AFTER.total_seconds() - 1)
    assert use(scene, connection, server) == LOGIN_DOUBTED
    assert server.logins == 0, "not asked before its time"
    scene.pass_time(seconds=1)
    assert use(scene, connection, server) == met
    assert (scene.now(connection).status, server.logins, server.asked_more) == (status, logins, 0)
    told = {"active": "connection.healed", "reauth_required": "connection.reauth_required"}.get(status)
    assert scene.notified() == sorted(["connection.degraded", *([told] if told else [])])


def test_a_server_that_says_neither_yes_nor_no_is_asked_again_only_after_a_while(scene: Any) -> None:
    connection, server = in_doubt(scene), Server([STARTING, STARTING, IN])
    for tries in (1, 2, 3):
        scene.pass_time(seconds=SECOND_TRY_AFTER.total_seconds())
        use(scene, connection, server)
        assert server.logins == tries
        assert use(scene, connection, server) == ("opened" if tries == 3 else LOGIN_DOUBTED)
    assert scene.now(connection).status == "active"


def test_of_many_who_come_at_once_one_signs_in(scene: Any) -> None:
    connection = in_doubt(scene)
    scene.pass_time(seconds=SECOND_TRY_AFTER.total_seconds())
    known, together = scene.now(connection), Barrier(8)
    server = Server([REFUSED] * 8)

    def come(_: int) -> str:
        together.wait()
        try:
            opening(scene, server).connected(known)
        except HubError as error:
            return error.code
        return "opened"

    with ThreadPoolExecutor(8) as pool:
        met = list(pool.map(come, range(8)))
    assert sorted(met) == sorted(["credentials_refused", *[LOGIN_DOUBTED] * 7])
    assert server.logins == 1
    assert scene.now(connection).status == "reauth_required"


def test_a_worker_that_dies_with_the_answer_has_had_the_try(scene: Any) -> None:
    connection, server = in_doubt(scene), Server([REFUSED, REFUSED])
    scene.pass_time(seconds=SECOND_TRY_AFTER.total_seconds())

    def die() -> None:
        raise RuntimeError("the worker is gone")

    server.during = die
    with pytest.raises(RuntimeError):
        use(scene, connection, server)
    server.during = lambda: None
    assert use(scene, connection, server) == LOGIN_DOUBTED
    assert server.logins == 1
    scene.pass_time(seconds=SECOND_TRY_AFTER.total_seconds())
    assert use(scene, connection, server) == "credentials_refused"
    assert (server.logins, scene.now(connection).status) == (2, "reauth_required")


def test_others_who_were_under_way_at_the_first_refusal_settle_nothing(scene: Any) -> None:
    connection = in_doubt(scene)
    scene.run_progressed(run(scene, connection, RunStatus.RUNNING, problem_of(DOUBTED)))
    scene.run_ended(run(scene, connection, RunStatus.FAILED, problem_of(DOUBTED)))
    scene.transfer_ended(transfer(scene, connection, problem=as_problem(DOUBTED)))
    assert scene.now(connection).status == "degraded"
    scene.run_ended(run(scene, connection, RunStatus.SUCCEEDED, about="run-2"))
    assert scene.now(connection).sign_in_from is not None, "it was let in before"
    waiting = problem_of(Unavailable("Not yet.", code=LOGIN_DOUBTED))
    scene.run_ended(run(scene, connection, RunStatus.FAILED, waiting, "run-3"))
    assert scene.now(connection).status_reason["code"] == "credentials_refused"


def test_what_is_final_stays_so_while_a_login_is_in_doubt(scene: Any) -> None:
    connection = in_doubt(scene)
    locked = problem_of(CredentialsRefused("It is locked.", code="login_locked"))
    scene.run_progressed(run(scene, connection, RunStatus.RUNNING, locked))
    assert scene.now(connection).status == "reauth_required"


@pytest.mark.parametrize("otherwise", ["paused and resumed", "failed"])
def test_the_doubt_outlasts(scene: Any, otherwise: str) -> None:
    connection, server = in_doubt(scene), Server()
    if otherwise == "failed":
        scene.health.report_failure(connection.client_id, connection.id, AWAY)
    else:
        scene.health.pause(scene.now(connection))
        scene.health.resume(scene.now(connection))
    assert scene.now(connection).status is ConnectionStatus.DEGRADED
    assert use(scene, connection, server) == LOGIN_DOUBTED
    assert server.logins == 0


@pytest.mark.parametrize("passes", [True, False])
def test_a_persons_own_test_decides_at_once(scene: Any, passes: bool) -> None:
    connection = in_doubt(scene)
    by_hand(scene, connection, *(() if passes else ("login", DOUBTED)))
    now = scene.now(connection)
    assert (now.status, now.sign_in_from) == ("active" if passes else "reauth_required", None)


def test_a_login_that_was_let_in_again_has_its_next_refusal_doubted_anew(scene: Any) -> None:
    connection, server = in_doubt(scene), Server([IN])
    scene.pass_time(seconds=SECOND_TRY_AFTER.total_seconds())
    assert use(scene, connection, server) == "opened"
    began = scene.clock() + timedelta(hours=1)
    scene.health.report_refusal(connection.client_id, connection.id, problem_of(DOUBTED), began)
    assert scene.now(connection).sign_in_from == scene.clock() + SECOND_TRY_AFTER


def test_a_connection_without_doubt_is_opened_and_not_asked(scene: Any) -> None:
    connection, server = scene.connection(), Server()
    assert use(scene, connection, server) == "opened"
    assert server.logins == 0
