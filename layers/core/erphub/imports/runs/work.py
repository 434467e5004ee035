"""What a worker remembers of a package, while it works on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from erphub.imports.problems import ChangedWhileReading
from erphub.imports.runs.models import RunRef, Unit
from erphub.platform.errors import Unavailable

MAX_UNAVAILABLE = 2
"""When so many companies' data cannot be read or published now, ERP or lake are away: the others need not be tried."""


@dataclass
class WorkContext:
    """What a worker remembers while it works on a package."""

    ref: RunRef
    units: dict[int, Unit]
    types: dict[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    problems: dict[int, Unavailable] = field(default_factory=dict[int, Unavailable])
    begun: set[int] = field(default_factory=set[int])

    def order(self, number: int) -> tuple[int, int]:
        """Sorts units: what had a problem or cost a worker its life comes last, and holds up no other."""
        return self.units[number].attempts, number

    def source_unavailable(self) -> bool:
        """Whether so much went wrong that the other side must be away; an ERP that is being worked in is not."""
        return sum(not isinstance(error, ChangedWhileReading) for error in self.problems.values()) >= MAX_UNAVAILABLE

    def raise_problem(self) -> None:
        """Raise what is worth another attempt, if anything is."""
        for error in self.problems.values():
            raise error
