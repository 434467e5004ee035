"""What a record and an actor have in common, and what speaks against their being one. Each finding weighs in bits."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from erphub.links.matching.features import Features
from erphub.links.matching.index import ActorIndex
from erphub.links.matching.models import EvidenceKind, NameLikeness, PartyType
from erphub.links.matching.names import leftovers, name_likeness
from erphub.links.matching.numbers import contradict

CONTRADICTED = -8.0
PHONE_DIFFERS, DOMAIN_DIFFERS, STREET_DIFFERS, POSTCODE_DIFFERS, CITY_DIFFERS, EXTRA_DIFFERS = (
    *(-1.5, -2.0, -1.5, -2.0, -1.0, -2.5),
)
WORD_DIFFERS = -2.0
NAME_DIFFERS = -3.0
NAME_DIFFERS_MOST = -5.0
"""However long both are: a company may trade under another name."""
SIMILAR_WORD = 62
"""Of 100: from here on a word supports, in part. It never makes a name alike."""
SIMILAR_STREET = 80
PARTLY = 0.6
"""Of the bits of an agreement, what one mistyped letter leaves of it."""
SHORTEST_MISTYPED_EXTRA = 6


@dataclass(slots=True)
class Finding:
    """One thing that agrees (a positive weight) or differs."""

    kind: EvidenceKind
    weight: float
    exact: bool = True
    name: str = ""
    """Of an extra: which."""


@dataclass(slots=True)
class Comparison:
    """All that was found between a record and an actor."""

    place: int
    """Of the actor."""
    likeness: NameLikeness = NameLikeness.OTHER
    findings: list[Finding] = field(default_factory=list[Finding])
    points: float = 0.0
    number_differs: bool = False
    parent_differs: bool = False
    is_sister: bool = False
    """The names have a word in common, and each has others of its own: *Bryn Bygg* and *Bryn Eiendom*."""

    def add(self, kind: EvidenceKind, weight: float, *, exact: bool = True, name: str = "") -> None:
        """Note a finding."""
        self.findings.append(Finding(kind, weight, exact, name))
        self.points += weight

    @property
    def agreeing(self) -> set[EvidenceKind]:
        """The kinds in which both say the same, but for the name, of which `likeness` speaks."""
        return {one.kind for one in self.findings if one.exact and one.weight > 0 and one.kind is not EvidenceKind.NAME}

    @property
    def differing(self) -> set[EvidenceKind]:
        """The kinds in which they say another thing."""
        return {one.kind for one in self.findings if one.weight < 0}


class Comparer:
    """Compares records with actors of one index."""

    def __init__(self, index: ActorIndex, parents: Mapping[str, str]) -> None:
        self._index = index
        self._parents = parents

    def compare(self, record: Features, actor: Features, place: int) -> Comparison:
        """All that agrees and differs. What one of both does not say is no finding."""
        found = Comparison(place)
        self._numbers(found, record, actor)
        self._names(found, record, actor)
        self._phones(found, record, actor)
        self._mail(found, record, actor)
        self._places(found, record, actor)
        if record.extra and actor.extra:
            self._extra(found, record, actor)
        if record.party.parent and actor.party.parent:
            self._parent(found, record, actor)
        return found

    def _numbers(self, found: Comparison, record: Features, actor: Features) -> None:
        if not record.numbers or not actor.numbers:
            return
        shared = [number for number in record.numbers if number in actor.numbers]
        if shared:
            found.add(EvidenceKind.NUMBER, max(self._index.weight("n" + number) for number in shared))
        elif contradict(record.numbers, actor.numbers):
            found.number_differs = True
            sub_unit = record.is_sub_unit or actor.is_sub_unit
            found.add(EvidenceKind.NUMBER, 0.0 if sub_unit else CONTRADICTED, exact=False)

    def _names(self, found: Comparison, record: Features, actor: Features) -> None:
        if not record.name.words or not actor.name.words:
            return
        if record.name.whole == actor.name.whole:
            found.likeness = NameLikeness.SAME
            found.add(EvidenceKind.NAME, self._index.weight("w" + record.name.whole))
            return
        ours, theirs = leftovers(record.name, actor.name)
        found.likeness = name_likeness(ours, theirs, self._index.established)
        common = [word for word in actor.name.words if word not in theirs]
        points = sum(map(self._index.word_weight, common))
        match found.likeness:
            case NameLikeness.SAME | NameLikeness.SPELLING:
                points += PARTLY * sum(map(self._index.word_weight, theirs))
            case NameLikeness.WORDS_MISSING:
                points += WORD_DIFFERS * len(ours or theirs)
            case NameLikeness.OTHER:
                points = points * PARTLY + self._similar(ours, theirs)
                points += 0 if common else NAME_DIFFERS
                found.is_sister = bool(common)
        most = self._index.bits if found.likeness.is_like else self._index.bits * PARTLY
        found.add(
            EvidenceKind.NAME, max(min(points, most), NAME_DIFFERS_MOST), exact=found.likeness is NameLikeness.SAME
        )

    def _similar(self, ours: list[str], theirs: list[str]) -> float:
        """Support of words that are spelled alike, each taken once; words that are like no other weigh against it."""
        rest, points = list(theirs), 0.0
        for word in ours:
            best, ratio = "", 0.0
            for other in rest:
                score = fuzz.ratio(word, other, score_cutoff=SIMILAR_WORD)
                if score > ratio:
                    best, ratio = other, score
            if best:
                rest.remove(best)
                points += self._index.word_weight(best) * PARTLY * (ratio / 100) ** 2
            else:
                points += WORD_DIFFERS
        return points

    def _phones(self, found: Comparison, record: Features, actor: Features) -> None:
        if not record.phones or not actor.phones:
            return
        shared = [phone for phone in record.phones if phone in actor.phones]
        if shared:
            found.add(EvidenceKind.PHONE, max(self._index.weight("p" + phone) for phone in shared))
        else:
            found.add(EvidenceKind.PHONE, PHONE_DIFFERS, exact=False)

    def _mail(self, found: Comparison, record: Features, actor: Features) -> None:
        addresses = [email for email in record.emails if email in actor.emails]
        if addresses:
            found.add(EvidenceKind.EMAIL, max(self._index.weight("e" + email) for email in addresses))
        ours = [domain for domain in record.domains if "d" + domain not in self._index.shared]
        theirs = [domain for domain in actor.domains if "d" + domain not in self._index.shared]
        if not ours or not theirs:
            return
        shared = [domain for domain in ours if domain in theirs]
        if not shared:
            found.add(EvidenceKind.DOMAIN, DOMAIN_DIFFERS, exact=False)
        elif not addresses:
            found.add(EvidenceKind.DOMAIN, max(self._index.weight("d" + domain) for domain in shared))

    def _places(self, found: Comparison, record: Features, actor: Features) -> None:
        index, near = self._index, 0.0
        same_postcode = record.postcode != "" and record.postcode == actor.postcode
        same_city = record.city != "" and record.city == actor.city
        if same_postcode:
            near = index.weight("z" + record.postcode)
            found.add(EvidenceKind.POSTCODE, near)
        elif record.postcode and actor.postcode:
            found.add(EvidenceKind.POSTCODE, POSTCODE_DIFFERS, exact=False)
        if same_city and not same_postcode:
            near = index.weight("c" + record.city) * PARTLY
            found.add(EvidenceKind.CITY, near)
        elif record.city and actor.city and not same_city and not same_postcode:
            found.add(EvidenceKind.CITY, CITY_DIFFERS, exact=False)
        if not record.street or not actor.street:
            return
        known = not record.postcode or not actor.postcode
        weight = max(index.weight("s" + record.address) - near, 1.0)
        if record.street == actor.street:
            if same_postcode or same_city or (known and not (record.city and actor.city)):
                found.add(EvidenceKind.STREET, weight)
        elif (same_postcode or same_city) and fuzz.ratio(record.street, actor.street) >= SIMILAR_STREET:
            found.add(EvidenceKind.STREET, weight * PARTLY, exact=False)
        else:
            found.add(EvidenceKind.STREET, STREET_DIFFERS, exact=False)

    def _extra(self, found: Comparison, record: Features, actor: Features) -> None:
        theirs = dict(actor.extra)
        for name, value in record.extra:
            other = theirs.get(name)
            if other is None:
                continue
            weight = self._index.weight(f"x{name}:{value}")
            if value == other:
                found.add(EvidenceKind.EXTRA, weight, name=name)
            elif (
                len(value) >= SHORTEST_MISTYPED_EXTRA
                and OSA.distance(value, other, score_cutoff=len(value) // 6) <= len(value) // 6
            ):
                found.add(EvidenceKind.EXTRA, weight * PARTLY, exact=False, name=name)
            else:
                found.add(EvidenceKind.EXTRA, EXTRA_DIFFERS, exact=False, name=name)

    def _parent(self, found: Comparison, record: Features, actor: Features) -> None:
        linked = self._parents.get(record.party.parent)
        if linked is None:
            return
        if linked == actor.party.parent:
            found.add(EvidenceKind.PARENT, self._index.weight("q" + linked))
        else:
            found.parent_differs = record.party.type is PartyType.PERSON
            found.add(EvidenceKind.PARENT, CONTRADICTED, exact=False)
