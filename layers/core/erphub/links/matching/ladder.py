"""What makes a suggestion fit to be confirmed in bulk: kinds of evidence, never the sum of its points.

A number needs the name beside it, or one more agreement and nobody else of that name: a sister company's number was
every wrong link of numbers alone. A similar name supports, and links nothing.
"""

from collections.abc import Collection, Sequence

from erphub.links.matching.comparison import Comparison
from erphub.links.matching.models import EvidenceKind, NameLikeness, PartyType, Rung

CONTACTS = frozenset({EvidenceKind.PHONE, EvidenceKind.EMAIL, EvidenceKind.DOMAIN, EvidenceKind.STREET})
"""Kinds that stand for a company, beside its number and its name. E-mail and domain are one."""
PLACES = frozenset({EvidenceKind.POSTCODE, EvidenceKind.CITY})
OWN = frozenset({EvidenceKind.PHONE, EvidenceKind.EMAIL, EvidenceKind.EXTRA})
"""Kinds by which father and son of one name and house differ."""
BITS_OF_PERSON = 20.0
"""Points from which on details of a person are rarer than any chance; a million have 20 bits."""
DETAILS_OF_PERSON = 2


def rung_of(found: Comparison, others: Sequence[Comparison], of: PartyType) -> Rung | None:
    """The rung on which a comparison stands, given those of the same record with other actors; None: on none."""
    match of:
        case PartyType.COMPANY:
            return _of_company(found, others)
        case PartyType.PERSON:
            return _of_person(found, others)
        case PartyType.PROJECT:
            numbered = EvidenceKind.NUMBER in found.agreeing and found.likeness.is_like
            return Rung.NUMBER_AND_NAME if numbered else None


def name_borne_by(others: Sequence[Comparison]) -> bool:
    """Whether one of them bears the record's name, or has it and a word more beside something else in common."""
    return any(
        other.likeness.is_like or (other.likeness is NameLikeness.WORDS_MISSING and other.agreeing & CONTACTS)
        for other in others
    )


def _of_company(found: Comparison, others: Sequence[Comparison]) -> Rung | None:
    agreeing = found.agreeing
    contacts = _contacts(agreeing)
    if EvidenceKind.NUMBER in agreeing:
        if found.likeness.is_like:
            return Rung.NUMBER_AND_NAME
        if found.is_sister or name_borne_by(others):
            return None
        # Of sister companies with one switchboard, the one whose number was written down need not be the one meant.
        most = max((len(_contacts(other.agreeing)) for other in others), default=0)
        return Rung.NUMBER_AND_MORE if len(contacts) > most else None
    if not found.likeness.is_like:
        return None
    if len(contacts) >= 2:
        return Rung.NAME_AND_TWO
    if contacts:
        return Rung.NAME_AND_ONE
    if EvidenceKind.POSTCODE in agreeing and len(found.differing & CONTACTS) < 2:
        return Rung.NAME_AND_POSTCODE
    return None


def _contacts(agreeing: Collection[EvidenceKind]) -> set[EvidenceKind]:
    return {EvidenceKind.DOMAIN if kind is EvidenceKind.EMAIL else kind for kind in agreeing if kind in CONTACTS}


def _of_person(found: Comparison, others: Sequence[Comparison]) -> Rung | None:
    agreeing = found.agreeing
    if EvidenceKind.PARENT in agreeing and found.likeness.is_like:
        namesakes = (other for other in others if other.likeness.is_like and EvidenceKind.PARENT in other.agreeing)
        if next(namesakes, None) is None:
            return Rung.PERSON_OF_COMPANY
    named = any(one.kind is EvidenceKind.NAME and one.weight > 0 for one in found.findings)
    details = {(one.kind, one.name) for one in found.findings if one.exact and one.kind in agreeing}
    if len(details) < DETAILS_OF_PERSON + (not found.likeness.is_like) or found.points < BITS_OF_PERSON:
        return None
    return Rung.PERSON_IN_DETAIL if named and agreeing & OWN else None
