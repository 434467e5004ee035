"""Companies and persons for tests of matching: one with all details, and what differs from it."""

from typing import Any

from erphub.links.matching.models import (
    Candidate,
    EvidenceKind,
    Party,
    PartyType,
    Reason,
    Rung,
    Suggestion,
    SuggestionClass,
)
from erphub.links.matching.suggestions import Known, suggest

BRYN: dict[str, Any] = {
    "name": "Bryn Bygg AS", "number": "923609016", "phones": ("22 33 44 55",), "emails": ("post@brynbygg.no",),
    "street": "Kirkegata 12", "postcode": "0153", "city": "Oslo", "country": "NO",
}  # fmt: skip
OTHER_NUMBER, THIRD_NUMBER = "974760673", "982463718"
BARE: dict[str, Any] = {"country": "NO"}


def party(key: str, of: dict[str, Any] | None = None, **different: Any) -> Party:
    """A party like `of` (Bryn Bygg AS) but for what is given."""
    return Party(key=key, **((BRYN if of is None else of) | different))


def person(key: str, name: str, **details: Any) -> Party:
    """A person."""
    return Party(key=key, type=PartyType.PERSON, name=name, country="NO", **details)


def one(record: Party, *actors: Party, known: Known | None = None) -> Suggestion:
    """What is suggested for a single record."""
    [found] = suggest([record], actors, known)
    return found


def verdict(found: Suggestion) -> tuple[SuggestionClass, Rung | Reason | None]:
    """The class, with the rung of what is fit to be confirmed, else the reason."""
    return found.outcome, found.reason if found.reason or not found.candidates else found.candidates[0].rung


def kinds(candidate: Candidate) -> dict[EvidenceKind, float]:
    """The weight of each kind of evidence."""
    return {evidence.kind: evidence.weight for evidence in candidate.evidence}
