"""What the tills of a chain know: what they were told to be kept, and what they got no answer about."""

from dataclasses import dataclass, field

from erphub.sync.documents.models import SubmitOutcome
from tests.histories.chain import EMPTY, Report


@dataclass
class Told:
    """What the till was told to be kept: under each id of a report, with which amount; several where no answer came."""

    amounts: dict[Report, dict[str, set[str]]] = field(default_factory=dict[Report, dict[str, set[str]]])
    invoices: set[tuple[int, str]] = field(default_factory=set[tuple[int, str]])
    customers: set[int] = field(default_factory=set[int])
    together: dict[tuple[Report, str], tuple[set[str], set[str]]] | None = None
    """What two tills at once were told, by report and id: amounts that were kept, and those without an answer."""

    def kept(self, report: Report, amount: str, name: str, outcome: SubmitOutcome) -> None:
        if self.together is not None:
            self.together.setdefault((report, name), (set(), set()))[0].add(amount)
            return
        known = self.amounts.setdefault(report, {})
        if outcome is SubmitOutcome.UNCHANGED:
            assert amount in known.get(name, ()), f"{report} with {amount} is not what was kept as {name}"
        known[name] = {amount}

    def perhaps(self, report: Report, amount: str, name: str) -> None:
        """No answer came."""
        if self.together is not None:
            self.together.setdefault((report, name), (set(), set()))[1].add(amount)
            return
        self.amounts.setdefault(report, {}).setdefault(name, {EMPTY}).add(amount)

    def end_together(self) -> None:
        """Both are done. Nobody can say who was first, but one of what was kept is what is kept now."""
        done, self.together = self.together or {}, None
        for (report, name), (kept, unanswered) in done.items():
            known = self.amounts.setdefault(report, {})
            known[name] = kept | unanswered | (set() if kept else known.get(name, {EMPTY}))

    def possible(self, report: Report) -> set[str]:
        """The amounts of which one may be in the ERP."""
        return {one for under in self.amounts.get(report, {}).values() for one in under}

    def certain(self, report: Report) -> bool:
        """Whether it has to be in the ERP."""
        return any(EMPTY not in under for under in self.amounts.get(report, {}).values())
