"""Suggestions for the records of a CRM, from the actors of an ERP."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from erphub.links.matching.comparison import Comparer, Comparison, Finding
from erphub.links.matching.contacts import last_digits
from erphub.links.matching.decision import Decider, Verdict
from erphub.links.matching.features import Features, read_party
from erphub.links.matching.index import ActorIndex
from erphub.links.matching.models import Candidate, Evidence, EvidenceKind, Party, Suggestion
from erphub.links.matching.numbers import shown_number

KEPT = 12
"""Comparisons of a record that are kept, the best: more than are shown, for rivals and namesakes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is linked already, by keys."""

    companies: Mapping[str, str] = field(default_factory=dict[str, str])
    """Records of companies and the actors they are linked to: their persons belong together."""
    taken: Collection[str] = frozenset()
    """Actors that are linked: shown where they fit, and never to be confirmed once more."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much was compared."""

    records: int
    actors: int
    pairs: int

    @property
    def share(self) -> float:
        """Of all pairs, those that were compared."""
        return self.pairs / (self.records * self.actors) if self.records and self.actors else 0.0


def suggest(records: Iterable[Party], actors: Iterable[Party], known: Known | None = None) -> list[Suggestion]:
    """A suggestion for each record, in the order of their keys. The order of what is given changes nothing.

    Parties of another type than a record's are not compared with it. Of two with one key and type the first counts.
    """
    return suggest_with_effort(records, actors, known)[0]


def suggest_with_effort(
    records: Iterable[Party], actors: Iterable[Party], known: Known | None = None
) -> tuple[list[Suggestion], Effort]:
    """The same, and how much was compared for it."""
    known = known or Known()
    ours_read = _read(records)
    asked = last_digits(phone for one in ours_read for phone in one.phones)
    by_type = {kind: list(some) for kind, some in groupby(_read(actors, asked), lambda one: one.party.type)}
    found: list[Suggestion] = []
    read, pairs, total = 0, 0, sum(map(len, by_type.values()))
    for kind, some in groupby(ours_read, lambda one: one.party.type):
        ours = list(some)
        read += len(ours)
        suggested, compared = _of_one_type(ours, by_type.get(kind, []), known)
        found += suggested
        pairs += compared
    return sorted(found, key=lambda one: one.record_key), Effort(read, total, pairs)


def _read(parties: Iterable[Party], asked: Collection[str] | None = None) -> list[Features]:
    seen: dict[tuple[str, str], Party] = {}
    for party in parties:
        seen.setdefault((party.type, party.key), party)
    return [read_party(seen[key], asked) for key in sorted(seen)]


def _of_one_type(records: Sequence[Features], actors: Sequence[Features], known: Known) -> tuple[list[Suggestion], int]:
    index = ActorIndex(records, actors, known.companies)
    comparer = Comparer(index, known.companies)
    compared: list[Sequence[Comparison]] = []
    pairs = 0
    for record in records:
        places = index.candidates(record)
        pairs += len(places)
        found = [comparer.compare(record, actors[place], place) for place in places]
        # Places are in the order of keys, so that equals always stand alike.
        found.sort(key=lambda one: (-one.points, one.place))
        compared.append(found[:KEPT])
    verdicts = Decider(records, actors, known.taken).decide(compared)
    return [_shown(record, actors, verdict) for record, verdict in zip(records, verdicts, strict=True)], pairs


def _shown(record: Features, actors: Sequence[Features], verdict: Verdict) -> Suggestion:
    candidates = tuple(
        Candidate(
            actors[one.place].party.key,
            round(one.points, 1),
            tuple(_evidence(finding, one, record, actors[one.place]) for finding in one.findings),
            verdict.rung if place == 0 else None,
        )
        for place, one in enumerate(verdict.shown)
    )
    return Suggestion(record.party.key, verdict.outcome, candidates, verdict.reason)


def _evidence(finding: Finding, found: Comparison, record: Features, actor: Features) -> Evidence:
    return Evidence(
        finding.kind,
        _value(finding, record),
        _value(finding, actor),
        round(finding.weight, 1),
        found.likeness if finding.kind is EvidenceKind.NAME else None,
        finding.name,
    )


def _value(finding: Finding, of: Features) -> str:
    """What one side says, as it says it."""
    party = of.party
    match finding.kind:
        case EvidenceKind.NUMBER:
            return shown_number(party.number, of.numbers)
        case EvidenceKind.NAME:
            return party.name
        case EvidenceKind.PHONE:
            return ", ".join(party.phones)
        case EvidenceKind.EMAIL:
            return ", ".join(party.emails)
        case EvidenceKind.DOMAIN:
            return ", ".join(of.domains)
        case EvidenceKind.STREET:
            return party.street
        case EvidenceKind.POSTCODE:
            return party.postcode
        case EvidenceKind.CITY:
            return party.city
        case EvidenceKind.PARENT:
            return party.parent
        case EvidenceKind.EXTRA:
            return party.extra.get(finding.name, "")
