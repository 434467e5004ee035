"""Things that go wrong on purpose: delays, stalls, cuts, deadlocks. Switched on and off while the server runs."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

type Kind = Literal["delay", "stall", "cut", "deadlock", "refused", "reset", "snapshot", "lock_timeout", "error"]
LOGIN = "login"
KINDS: tuple[str, ...] = get_args(Kind.__value__)


@dataclass
class Fault:
    """One thing that will go wrong.

    `delay`         the answer comes `seconds` later (a cancel ends the wait, and so does releasing)
    `stall`         after `after_rows` rows nothing more comes, for `seconds` (0: until the client leaves)
    `cut`           after `after_rows` rows the connection ends
    `deadlock`, `snapshot`, `lock_timeout`, `error`   after `after_rows` rows error 1205, 3960, 1222 or `number`
    `refused`       the port is closed, for `seconds` (0: until the fault is removed)
    `reset`         new connections end at once

    `statement="login"` stands for signing in: delay, stall, cut and the errors are met after the password was checked.

    It happens `times` times (0: always), to statements of this name, in this database, on this table, for this login;
    what is None matches all. `skip` lets so many matching ones pass first.
    """

    kind: Kind
    statement: str | None = None
    database: str | None = None
    table: str | None = None
    login: str | None = None
    after_rows: int = 0
    seconds: float = 0.0
    times: int = 1
    skip: int = 0
    number: int = 50000
    text: str = "An injected fault."
    releases: int = 0
    """How often everything had been released when this last happened."""

    def matches(self, happening: "Happening") -> bool:
        """Whether the fault is about this statement; signing in is met only by faults that name it."""
        if happening.statement == LOGIN and self.statement != LOGIN:
            return False
        return all(
            wanted is None or wanted.casefold() == (actual or "").casefold()
            for wanted, actual in (
                (self.statement, happening.statement),
                (self.database, happening.database),
                (self.table, happening.table),
                (self.login, happening.login),
            )
        )


@dataclass(frozen=True)
class Happening:
    """What a session is about to do."""

    statement: str
    database: str
    table: str | None
    login: str


@dataclass
class Faults:
    """The faults waiting to happen."""

    waiting: list[Fault] = field(default_factory=list[Fault])
    happened: Counter[str] = field(default_factory=Counter[str])
    releases: int = 0
    """How often everything was released: an answer that is held back goes on at the next."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: Kind, **options: Any) -> Fault:
        """Arm a fault (options as in `Fault`); ValueError for an unknown kind."""
        if kind not in KINDS:
            raise ValueError(f"unknown fault {kind!r}; there are {', '.join(KINDS)}")
        fault = Fault(kind, **options)
        with self._lock:
            self.waiting.append(fault)
        return fault

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self.waiting.clear()
            self.releases += 1

    def release(self) -> None:
        """Answers that a delay holds back go on at once; what has not happened yet still will."""
        with self._lock:
            self.releases += 1

    def remove(self, fault: Fault) -> None:
        """This one does not happen any more."""
        with self._lock:
            if fault in self.waiting:
                self.waiting.remove(fault)

    def of_statement(self, happening: Happening) -> list[Fault]:
        """The faults this statement meets; each use counts."""
        with self._lock:
            return [
                fault
                for fault in list(self.waiting)
                if fault.kind not in ("refused", "reset") and self._use(fault, happening)
            ]

    def of_connection(self) -> Fault | None:
        """The reset a new connection meets."""
        with self._lock:
            for fault in list(self.waiting):
                if fault.kind == "reset" and self._use(fault, None):
                    return fault
        return None

    def _use(self, fault: Fault, happening: Happening | None) -> bool:
        if happening is not None and not fault.matches(happening):
            return False
        if fault.skip > 0:
            fault.skip -= 1
            return False
        self.happened[fault.kind] += 1
        fault.releases = self.releases
        if fault.times:
            fault.times -= 1
            if fault.times == 0:
                self.waiting.remove(fault)
        return True
