"""What the wizard leans on, in memory: its state machine, the sign-in service, secrets, and an ERP that obeys."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from erphub.erp.probes import Outcome, Probe, Stage
from erphub.erp.system import FoundChoice, FoundCompany
from erphub.platform import problems
from erphub.platform.aws.table import Table
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.errors import Conflict, Gone, HubError
from erphub.tenancy.models import User
from erphub.wizards.dynamodb import wizard_key, wizard_token_key

_RUNNING = "RUNNING"


@dataclass
class FakeMachine:
    """connect.asl.json in a few lines: asks (token and status in one step), works when it is resumed, asks again.

    It works inside `resume` unless it is told to be `slow`; then `work_on()` does what is waiting to be done.
    """

    table: Table
    tasks: Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
    slow: bool = False
    executions: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, dict[str, Any]] = field(default_factory=dict)
    todo: list[Callable[[], None]] = field(default_factory=list)
    failed: list[Mapping[str, Any]] = field(default_factory=list)
    """Inputs of executions that ended badly: what the rule `execution_ended` hears of, and of no others."""
    _tokens: Iterator[int] = field(default_factory=itertools.count)

    def execution(self, name: str) -> str:
        return f"arn:machine:{name}"

    def start(self, name: str, input: Mapping[str, Any]) -> str:
        arn = self.execution(name)
        if arn not in self.executions:
            self.executions[arn] = _RUNNING
            given = dict(input)
            if "wizard_id" not in given:
                self._do(lambda: self._test(arn, given))
            elif "list_companies" in given:
                self._do(lambda: self._work(given))
            else:
                self._do(lambda: self._ask(given))
        return arn

    def stop(self, execution: str, cause: str) -> None:
        if self.executions.get(execution) == _RUNNING:
            self.executions[execution] = "ABORTED"

    def is_running(self, execution: str) -> bool:
        return self.executions.get(execution) == _RUNNING

    def resume(self, token: str, output: Mapping[str, Any]) -> None:
        if token not in self.waiting:
            raise Gone("It no longer waits for an answer.", code="token_expired")
        given = self.waiting.pop(token)
        self._do(lambda: self._work(given))

    def work_on(self) -> None:
        """Do what a slow machine has put off."""
        while self.todo:
            self.todo.pop(0)()

    def time_out(self) -> None:
        """Nobody answered for a day."""
        for token in list(self.waiting):
            given = self.waiting.pop(token)
            self._end(given, "expired")

    def _do(self, work: Callable[[], None]) -> None:
        if self.slow:
            self.todo.append(work)
        else:
            work()

    def _ask(self, given: dict[str, Any]) -> None:
        token = f"token-{next(self._tokens)}"
        client_id, wizard_id = given["client_id"], given["wizard_id"]
        try:
            self.table.update(
                wizard_key(client_id, wizard_id),
                "SET #status = :waiting ADD #version :one",
                condition="#status = :working",
                names={"#status": "status", "#version": "version"},
                waiting="waiting",
                working="working",
                one=1,
            )
        except VersionConflict:
            self._end(given, "failed")
            return
        self.table.put({**wizard_token_key(client_id, wizard_id), "token": token})
        self.waiting[token] = given

    def _work(self, given: dict[str, Any]) -> None:
        outcome = self._tried("process_answer", given, 3) or self._tried("record_failure", given, 6)
        if outcome is None:
            self.executions[self.execution(given["wizard_id"])] = "FAILED"
            self.failed.append(given)
        elif outcome["next"] == "ask":
            self._ask(given)
        else:
            self.executions[self.execution(given["wizard_id"])] = "SUCCEEDED"

    def _tried(self, task: str, given: Mapping[str, Any], times: int) -> Mapping[str, Any] | None:
        for _ in range(times):
            try:
                return self.tasks(task, given)
            except Exception as error:  # noqa: BLE001 — a machine retries whatever a task raises
                self.last_error = error
        return None

    def _end(self, given: Mapping[str, Any], reason: str) -> None:
        self.tasks("finish", {**given, "reason": reason})
        self.executions[self.execution(given["wizard_id"])] = "SUCCEEDED"

    def _test(self, arn: str, given: Mapping[str, Any]) -> None:
        done = self._tried("test", given, 3)
        self.executions[arn] = "SUCCEEDED" if done else "FAILED"


@dataclass
class FakeSecrets:
    """Secrets in memory."""

    kept: dict[str, dict[str, str]] = field(default_factory=dict)
    fails_with: HubError | None = None
    written: dict[str, datetime] = field(default_factory=dict)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def put(self, name: str, fields: Mapping[str, str], tenant: str) -> None:
        if self.fails_with:
            raise self.fails_with
        self.kept[name] = dict(fields)
        self.written[name] = self.clock()

    def stored_before(self, moment: datetime) -> Iterator[str]:
        return iter([name for name in self.kept if self.written[name] < moment])

    def get(self, name: str) -> dict[str, str]:
        if name not in self.kept:
            raise problems.SECRET_GONE()
        return dict(self.kept[name])

    def delete(self, name: str) -> None:
        self.kept.pop(name, None)


@dataclass
class FakeUsers:
    """People who can sign in, in memory."""

    people: dict[str, User] = field(default_factory=dict)
    unconfirmed: dict[str, str] = field(default_factory=dict)
    """Addresses that somebody (by id) gave as theirs and did not confirm."""

    def find(self, who: str) -> User | None:
        if who in self.unconfirmed:
            raise Conflict("Somebody has this address unconfirmed.", code="email_unconfirmed")
        return next((user for user in self.people.values() if who in (user.id, user.email)), None)

    def invite(self, email: str) -> User:
        user = self.find(email) or User(f"user-{len(self.people) + 1}", email)
        self.people[user.id] = user
        return user


PASSED = tuple(Probe(stage, Outcome.PASSED, 1, f"{stage} works.") for stage in tuple(Stage)[:7])


def failed_at(stage: Stage, code: str, detail: str, *, refused: bool = False) -> tuple[Probe, ...]:
    """A test that ended at a stage."""
    before = tuple(probe for probe in PASSED if tuple(Stage).index(probe.stage) < tuple(Stage).index(stage))
    return (*before, Probe(stage, Outcome.FAILED, 1, detail, code, refused))


@dataclass
class FakeSystem:
    """An ERP whose password is known, with companies; `raises` strikes instead of an answer."""

    password: str = "right"
    found: Sequence[FoundCompany] = (
        FoundCompany("F0001", "Ålesund Bygg AS", attributes={"database": "F0001"}),
        FoundCompany("F0002", "Østfold Maskin AS", attributes={"database": "F0002"}),
        FoundCompany("F0003", "Låst AS", problem="The login has no access to this database."),
    )
    raises: list[Exception] = field(default_factory=list)
    says: str = "The server does not accept the login and password."
    opened: list[Mapping[str, Any]] = field(default_factory=list)
    given: str = ""
    installation: str | None = None
    departments: dict[str, Sequence[str]] = field(default_factory=dict)
    """By company; a number each, from 1 on."""
    on_choices: Callable[[str], None] = lambda _: None
    _now: str = ""

    def open(
        self, erp_system: str, settings: Mapping[str, Any], secret: Mapping[str, str], secret_name: str = ""
    ) -> "FakeSystem":
        self.opened.append({"erp_system": erp_system, **settings})
        self.given = secret["password"]
        # Unless a test is about it, each connection is to an installation of its own.
        self._now = self.installation or "/".join(secret_name.split("/")[:2])
        return self

    def check(self) -> Iterable[Probe]:
        if self.raises:
            raise self.raises.pop(0)
        if self.given != self.password:
            return failed_at(Stage.LOGIN, "credentials_refused", self.says, refused=True)
        return PASSED

    def choices(self, field: str, company: FoundCompany) -> Sequence[FoundChoice]:
        assert field == "departments"
        self.on_choices(company.key)
        names = self.departments.get(company.key, ())
        return [FoundChoice(company.key, company.name, str(number), name) for number, name in enumerate(names, 1)]

    def companies(self) -> Sequence[FoundCompany]:
        return [
            replace(company, attributes={**company.attributes, "installation": self._now}) for company in self.found
        ]
