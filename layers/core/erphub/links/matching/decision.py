"""Of all that was compared, what is suggested: one to one over the whole set, with a margin."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from erphub.links.matching.comparison import Comparison
from erphub.links.matching.features import Features
from erphub.links.matching.ladder import CONTACTS, name_borne_by, rung_of
from erphub.links.matching.models import EvidenceKind, PartyType, Reason, Rung, SuggestionClass
from erphub.links.matching.numbers import contradict

MARGIN = {PartyType.COMPANY: 6.0, PartyType.PERSON: 3.0, PartyType.PROJECT: 6.0}
"""Bits by which the best must be ahead of the next, on both sides."""
LEAST = 5.0
"""Points below which an actor is not shown."""
MOST_SHOWN = 5


@dataclass(slots=True)
class Verdict:
    """What is to be said of a record."""

    outcome: SuggestionClass = SuggestionClass.NONE
    reason: Reason | None = None
    rung: Rung | None = None
    shown: Sequence[Comparison] = field(default_factory=list[Comparison])


@dataclass(slots=True)
class _Claim:
    """A record that wants an actor, with so many points."""

    record: int
    points: float


class Decider:
    """Decides over the comparisons of all records at once."""

    def __init__(self, records: Sequence[Features], actors: Sequence[Features], taken: Collection[str]) -> None:
        self._records = records
        self._actors = actors
        self._taken = taken

    def decide(self, compared: Sequence[Sequence[Comparison]]) -> list[Verdict]:
        """A verdict for each record, given its comparisons in order, the best first."""
        claims = self._claims(compared)
        return [self._verdict(place, found, claims) for place, found in enumerate(compared)]

    def _claims(self, compared: Sequence[Sequence[Comparison]]) -> dict[int, list[_Claim]]:
        """By actor: whose best it is, or as good as that."""
        claims: dict[int, list[_Claim]] = {}
        for record, found in enumerate(compared):
            margin = MARGIN[self._records[record].party.type]
            for one in found:
                if one.points <= found[0].points - margin or one.points < LEAST:
                    break
                claims.setdefault(one.place, []).append(_Claim(record, one.points))
        return claims

    def _verdict(self, record: int, found: Sequence[Comparison], claims: dict[int, list[_Claim]]) -> Verdict:
        shown = [one for one in found[:MOST_SHOWN] if one.points >= LEAST]
        if not shown:
            refused = [one for one in found[:MOST_SHOWN] if one.number_differs and one.likeness.is_like]
            if refused:
                return Verdict(SuggestionClass.CONTRADICTION, Reason.NUMBER_DIFFERS, None, refused)
            return Verdict()
        best, others = shown[0], found[1:]
        of = self._records[record].party.type
        rung = rung_of(best, others, of)
        refusal = self._refusal(record, best, others, claims) or _too_little(best, others, rung)
        if refusal is None:
            return Verdict(SuggestionClass.CONFIRMABLE, None, rung, shown)
        return Verdict(refusal[0], refusal[1], rung, shown)

    def _refusal(
        self, record: int, best: Comparison, others: Sequence[Comparison], claims: dict[int, list[_Claim]]
    ) -> tuple[SuggestionClass, Reason] | None:
        """Why the best is not to be confirmed in bulk, whatever speaks for it."""
        ours, actor = self._records[record], self._actors[best.place]
        margin = MARGIN[ours.party.type]
        if best.parent_differs:
            return SuggestionClass.CONTRADICTION, Reason.PARENT_DIFFERS
        if best.number_differs:
            if ours.is_sub_unit or actor.is_sub_unit:
                return SuggestionClass.REVIEW, Reason.SUB_UNIT
            return SuggestionClass.CONTRADICTION, Reason.NUMBER_DIFFERS
        if actor.party.is_sub_unit and EvidenceKind.NUMBER not in best.agreeing and not ours.party.is_sub_unit:
            return SuggestionClass.REVIEW, Reason.SUB_UNIT
        if any(self._is_double(best, other) for other in others):
            return SuggestionClass.DUPLICATE_IN_ERP, Reason.TWICE_IN_ERP
        if any(EvidenceKind.NUMBER in other.agreeing for other in others) and EvidenceKind.NUMBER not in best.agreeing:
            return SuggestionClass.REVIEW, Reason.NUMBER_OF_ANOTHER
        if others and others[0].points > best.points - margin:
            return SuggestionClass.RIVAL, Reason.CLOSE_SECOND
        if actor.party.key in self._taken:
            return SuggestionClass.RIVAL, Reason.LINKED_ALREADY
        if any(claim.record != record and claim.points > best.points - margin for claim in claims[best.place]):
            return SuggestionClass.RIVAL, Reason.WANTED_BY_ANOTHER_RECORD
        return None

    def _is_double(self, best: Comparison, other: Comparison) -> bool:
        """Whether two actors seem to be one company entered twice: both may be the record, and they are alike."""
        one, two = self._actors[best.place], self._actors[other.place]
        if one.party.type is not PartyType.COMPANY or one.is_sub_unit or two.is_sub_unit:
            return False
        if any(number in two.numbers for number in one.numbers):
            return True
        alike = one.name.whole == two.name.whole or (best.likeness.is_like and other.likeness.is_like)
        if not alike or contradict(one.numbers, two.numbers):
            return False
        if any(phone in two.phones for phone in one.phones) or (one.street != "" and one.address == two.address):
            return True
        return bool(other.agreeing & CONTACTS and best.agreeing & CONTACTS)


def _too_little(
    best: Comparison, others: Sequence[Comparison], rung: Rung | None
) -> tuple[SuggestionClass, Reason] | None:
    if rung is not None:
        return None
    if EvidenceKind.NUMBER in best.agreeing:
        if best.is_sister:
            return SuggestionClass.REVIEW, Reason.SISTER_NAME
        if name_borne_by(others):
            return SuggestionClass.REVIEW, Reason.NAME_BORNE_BY_ANOTHER
    return SuggestionClass.REVIEW, Reason.TOO_LITTLE
