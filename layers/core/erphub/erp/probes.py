"""The stages of a connection test."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from erphub.platform.wire import Model


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
    """One stage's result, or that of one area of the ERP where a stage tries several by themselves (`area`).

    `duration_ms` is 0 for a skipped stage; `code` is set when it failed or warned.

    `refused` says that the ERP refused the credentials: a login stage fails for other reasons too.
    """

    stage: Stage
    outcome: Outcome
    duration_ms: int
    detail: str
    code: str | None = None
    refused: bool = False
    area: str = ""

    def as_json(self) -> dict[str, Any]:
        """As people see it, in plain JSON."""
        return {
            "stage": self.stage,
            "outcome": self.outcome,
            "duration_ms": self.duration_ms,
            "detail": self.detail,
            "code": self.code,
            "area": self.area,
        }


def passed(probes: list[Probe]) -> bool:
    """Whether a test with these results lets the wizard go on (a warning does)."""
    return all(probe.outcome in (Outcome.PASSED, Outcome.WARNING) for probe in probes)


class ProbeView(Model):
    """One stage of a connection test; one area of the ERP where the stage tries each by itself."""

    stage: str
    outcome: str
    duration_ms: int
    detail: str
    code: str | None = None
    area: str = ""
