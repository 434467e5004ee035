"""What can go wrong with the stand-in, switched on and off while it runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from threading import Lock

KINDS = {
    "rate_limited": "429 with Retry-After of so many seconds; nothing is applied",
    "quarantine": "SOAP's words for too many calls, ending in so many seconds; nothing is applied",
    "error_before": "500, nothing is applied",
    "error_after": "500, though it was applied",
    "timeout_before": "no answer, nothing is applied",
    "timeout_after": "no answer, though it was applied",
    "cut_before": "the connection is closed, nothing is applied",
    "cut_after": "the connection is closed, though it was applied",
    "half": "applied, half of the answer arrives",
    "slow": "waits so many seconds, then does it",
    "late": "does it, then waits so many seconds before it answers",
    "session_expired": "the call's session or token has ended",
    "identity_blocked": "SOAP says that the identity is blocked; nothing is applied",
    "duplicate_data": "SaveBundleList answers DuplicateData; nothing is applied",
    "data_already_saved": "SaveBundleList answers DataAlreadySaved; nothing is applied",
    "not_saved": "SaveBundleList answers NotSaved; nothing is applied",
    "system_error": "SaveBundleList answers SystemError; nothing is applied",
}
BEFORE = frozenset({"rate_limited", "quarantine", "error_before", "timeout_before", "cut_before", "identity_blocked"})
AFTER = frozenset({"error_after", "timeout_after", "cut_after"})
SAVE_ANSWERS = {
    "duplicate_data": "DuplicateData",
    "data_already_saved": "DataAlreadySaved",
    "not_saved": "NotSaved",
    "system_error": "SystemError",
}


class UnknownFaultError(ValueError):
    """There is no such kind of fault."""


class Dropped(Exception):
    """The answer never arrives. `waits` says whether the caller hears nothing at all (a time-out) or sees the end."""

    def __init__(self, *, waits: bool, seconds: float) -> None:
        super().__init__("no answer" if waits else "connection closed")
        self.waits = waits
        self.seconds = seconds


@dataclass
class Fault:
    """One fault: for calls of `operation` (a glob), skipping the first `after`, `times` times (None: until cleared)."""

    operation: str
    kind: str
    times: int | None = 1
    after: int = 0
    seconds: float = 30
    hits: int = 0

    def wants(self, operation: str) -> bool:
        """Whether a call is one of those meant."""
        return fnmatchcase(operation, self.operation)


class Faults:
    """The faults that are switched on."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = Lock()

    def add(self, operation: str, kind: str, times: int | None = 1, after: int = 0, seconds: float = 30) -> Fault:
        """Switch one on. Raises UnknownFaultError."""
        if kind not in KINDS:
            raise UnknownFaultError(f"there is no fault {kind!r}; there are {', '.join(KINDS)}")
        fault = Fault(operation, kind, times, after, seconds)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Switch all of them off."""
        with self._lock:
            self._faults.clear()

    def all(self) -> Sequence[Fault]:
        """Those that are on, spent ones too."""
        with self._lock:
            return list(self._faults)

    def take(self, operation: str) -> Fault | None:
        """The fault that strikes this call, if one does."""
        with self._lock:
            for fault in self._faults:
                if not fault.wants(operation):
                    continue
                if fault.after:
                    fault.after -= 1
                elif fault.times is None or fault.times > 0:
                    fault.times = None if fault.times is None else fault.times - 1
                    fault.hits += 1
                    return fault
        return None
