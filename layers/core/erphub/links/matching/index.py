"""Which actors are worth comparing with a record, and how much it says that two share a value."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from math import log2

from rapidfuzz import fuzz

from erphub.links.matching.features import Features, combinations, near, places, values

LARGEST_BLOCK = 300
"""Actors that are compared with a record because of one value. Of more, those alone that begin a word alike."""
RARE = 40
"""Actors with a word that is enough to be compared."""
COMMON = 400
"""Actors with a word, at most, that is worth a comparison with those near by: *Transport* is everywhere."""
SIMILAR_NAME = 55
"""Of 100, from which on a name near by is worth a comparison that has nothing else in common."""
SHARED_DOMAIN = 20
"""Actors whose domain it is at most; one that more have is an accountant's, a chain's or a provider's."""
SMALLEST_SET = 4096
"""A set of ten says nothing of how common a value is: none counts as smaller than this."""
ESTABLISHED = 3
"""Parties with a word from which on it is a word of its own, and no mistake for another."""


class ActorIndex:
    """The actors by what the records ask for. What no record says is not kept."""

    def __init__(self, records: Sequence[Features], actors: Sequence[Features], parents: Mapping[str, str]) -> None:
        self._actors = actors
        self._parents = parents
        self._of_records = Counter(chain.from_iterable(map(_counted, records)))
        self._words = Counter(word for one in chain(records, actors) for word in set(one.name.words))
        self._words_of_actors = Counter(word for one in actors for word in set(one.name.words))
        self.established = {word for word, count in self._words.items() if count >= ESTABLISHED}
        self._counts: dict[str, int] = {}
        self._blocks: dict[str, list[int]] = {}
        self._fill({key for one in records for key in self._keys(one, self._parent_of(one))})
        self.shared = {
            value for value, count in self._counts.items() if value[0] == "d" and count > SHARED_DOMAIN
        }  # fmt: skip
        self._bits = log2(max(len(actors), len(records), SMALLEST_SET))
        self._weights: dict[str, float] = {}

    def candidates(self, record: Features) -> set[int]:
        """Places of the actors that share something with the record that not everybody has."""
        found: set[int] = set()
        near_by: set[int] = set()
        for key in self._keys(record, self._parent_of(record)):
            (near_by if key[0] == "t" else found).update(self._block(key, record))
        whole, actors = record.name.whole, self._actors
        found.update(
            place for place in near_by - found if fuzz.ratio(whole, actors[place].name.whole, score_cutoff=SIMILAR_NAME)
        )
        return found

    def weight(self, value: str) -> float:
        """Bits of an agreement in a value (as `values` and `places` spell it): the rarer, the more."""
        known = self._weights.get(value)
        if known is None:
            times = max(self._counts.get(value, 1), self._of_records.get(value, 1), 1)
            known = self._weights[value] = max(self._bits - log2(times), 0.0)
        return known

    def word_weight(self, word: str) -> float:
        """Bits of an agreement in one word of a name."""
        return self.weight_of(self._words_of_actors.get(word, 1))

    def weight_of(self, times: int) -> float:
        """Bits of an agreement in what so many actors have."""
        return max(self._bits - log2(max(times, 1)), 0.0)

    @property
    def bits(self) -> float:
        """Bits of an agreement in what a single actor has: no more can be known of one thing."""
        return self._bits

    def _parent_of(self, record: Features) -> str:
        return self._parents.get(record.party.parent, "")

    def _keys(self, one: Features, parent: str) -> Iterator[str]:
        for value in values(one):
            if value[0] != "q":
                yield value
        if parent:
            yield "q" + parent
        yield from combinations(one)
        for word in one.name.words:
            times = self._words_of_actors[word]
            if times <= RARE:
                yield "r" + word
            if times <= COMMON and one.postcode:
                yield near(one, word)

    def _fill(self, wanted: set[str]) -> None:
        wanted_places = {value for value in self._of_records if value[0] in "zc"}
        for place, actor in enumerate(self._actors):
            for value in places(actor):
                if value in wanted_places:
                    self._counts[value] = self._counts.get(value, 0) + 1
            for key in dict.fromkeys(self._keys(actor, actor.party.parent)):
                if key in wanted:
                    self._blocks.setdefault(key, []).append(place)
        self._counts.update({key: len(block) for key, block in self._blocks.items()})
        self._refine()

    def _refine(self) -> None:
        """Divide what too many share by how the words of a name begin."""
        for key in [key for key, block in self._blocks.items() if len(block) > LARGEST_BLOCK]:
            for place in self._blocks[key]:
                for begin in {word[:3] for word in self._actors[place].name.words}:
                    self._blocks.setdefault(f"{key}\0{begin}", []).append(place)

    def _block(self, key: str, record: Features) -> Sequence[int]:
        block = self._blocks.get(key, ())
        if len(block) <= LARGEST_BLOCK:
            return block
        parts = (self._blocks.get(f"{key}\0{begin}", ()) for begin in {word[:3] for word in record.name.words})
        return list(chain.from_iterable(part for part in parts if len(part) <= LARGEST_BLOCK))


def _counted(one: Features) -> Iterator[str]:
    yield from values(one)
    yield from places(one)
