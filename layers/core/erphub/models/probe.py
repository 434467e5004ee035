"""A connection test, stage by stage: what was tried, how long it took, and what to do when it failed."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Stage(StrEnum):
    """In the order in which they are tried; a failed stage ends the test and the rest are `skipped`."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    LOGIN = "login"
    DATABASES = "databases"
    PERMISSIONS = "permissions"
    READ = "read"
    WRITE = "write"


class Outcome(StrEnum):
    """How a stage ended. A warning lets the wizard go on."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Probe:
    """One stage's result. `milliseconds` is 0 for a skipped stage; `code` is set when it failed or warned."""

    stage: Stage
    outcome: Outcome
    milliseconds: int
    detail: str
    code: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


def passed(probes: list[Probe]) -> bool:
    """Whether a test with these results lets the wizard go on (a warning does)."""
    return all(probe.outcome in (Outcome.PASSED, Outcome.WARNING) for probe in probes)
