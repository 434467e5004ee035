"""Lists by pages that change while they are read: read again until they are the same twice.

Pages go by number, also where a token names the next: a record that is deleted moves those behind it forward, and the
first of the next page into the one that was read already; one that is inserted pushes the last onto the next page. So
a list of several pages is read again until it shows the same records twice, and what was not given yet is given then.
What was deleted after it was read is given too, until the next import. A list that is another one each time is taken as
all passes showed it, and counted: the run then says so.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

PASSES = 5
"""How often a list is read that is another one each time; what all of them showed is taken then."""


class RepeatedReading:
    """Reads lists until they are the same twice."""

    def __init__(self) -> None:
        self.restless = 0
        """How many lists were another one each time."""

    def records[K: Hashable, V](self, read_once: Callable[[], Iterable[Mapping[K, V]]]) -> Iterator[list[V]]:
        """Every record of a list once, page by page; `read_once` gives its pages, records by what they are known by."""
        given, before = set[K](), None
        for _ in range(PASSES):
            here, count = set[K](), 0
            for named in read_once():
                yield [record for name, record in named.items() if name not in given]
                here |= named.keys()
                given |= named.keys()
                count += 1
            if count <= 1 or here == before:  # one answer shows one moment
                return
            before = here
        self.restless += 1
