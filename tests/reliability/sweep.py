"""The fault sweep: plays a scene with every one of its requests going wrong once, and compares what is left.

The end is as if nothing had gone wrong, or the hub says that it failed, has done no harm, and a plain repetition comes
to the undisturbed end. Anything else is an exception.
"""

import random
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product

from tests.reliability import views
from tests.reliability.fault_proxy import Fault
from tests.reliability.scene import Scene
from tests.reliability.stage import Memory, Theatre

SAME, SAID, WRONG = "as undisturbed", "said it failed, repeated", "exception"


FIRST = (Fault.UNANSWERED, Fault.LOST, Fault.CUT, Fault.HALF_ANSWERED, Fault.AWAY_AFTER, Fault.AWAY)
IN_ORDER = (*FIRST, *(fault for fault in Fault if fault not in FIRST))


@dataclass(frozen=True, repr=False)
class Result:
    """What became of one run."""

    faults: Mapping[int, Fault]
    outcome: str
    calls: tuple[str, ...]
    details: tuple[str, ...] = ()

    @property
    def is_wrong(self) -> bool:
        return self.outcome == WRONG

    def in_words(self) -> list[str]:
        """What went wrong and what came of it."""
        asked = [self.calls[number - 1] if number <= len(self.calls) else "?" for number in self.faults]
        head = ", ".join(f"{n} {one}: {self.faults[n].value}" for n, one in zip(self.faults, asked, strict=True))
        return [head, *(f"    {line[:300]}" for line in self.details[:8])]

    def __repr__(self) -> str:
        return "\n".join(["", *self.in_words()])


@dataclass
class Sweep:
    """All runs of one scene in one theatre."""

    scene: Scene
    theatre: Theatre
    _before: Memory | None = None
    undisturbed: list[str] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)
    calls: tuple[str, ...] = ()
    """The requests of the undisturbed run: each is a crash point."""
    services: Counter[str] = field(default_factory=Counter)

    def prepare(self) -> "Sweep":
        """Play the scene undisturbed, and remember how it was before and what came of it."""
        with self.theatre.stage(self.scene.equip, hour=7) as stage:
            self.scene.prepare(stage)
            self._before = stage.remembered()
        with self.theatre.stage(self.scene.equip) as stage:
            stage.recall(self._before)
            self.theatre.proxy.expect({})
            self.scene.play(stage)
            self.calls = self._seen()
            self.services = Counter(service for service, _ in self.theatre.proxy.calls())
            self.theatre.proxy.rest()
            said = self.scene.failed(stage)
            harm = self.scene.harm(stage)
            if said or harm:
                raise AssertionError(f"the undisturbed {self.scene.name} failed: {said} {harm}")
            self.undisturbed, self.wanted = self.scene.record(stage), self.scene.outcome(stage)
        return self

    def run(self, faults: Mapping[int, Fault]) -> Result:
        """Play with these requests going wrong.

        The table engine asks a few times more or less from run to run: a number that this run does not come to is
        played at its end.
        """
        result, reached = self._played(faults)
        if result is None:
            ends = {max(1, reached - at): fault for at, fault in enumerate(faults.values())}
            result, _ = self._played(ends)
        if result is None:
            return Result(faults, WRONG, self._seen(), ("no request had that number: the scene took another course",))
        return replace(result, faults=faults)

    def _played(self, faults: Mapping[int, Fault]) -> tuple[Result | None, int]:
        """What came of it, None when no fault struck; and how many requests there were."""
        assert self._before is not None
        proxy = self.theatre.proxy
        with self.theatre.stage(self.scene.equip) as stage:
            stage.recall(self._before)
            proxy.expect(faults)
            try:
                self.scene.play(stage)
            except Exception:  # noqa: BLE001 — whatever it is, it is a result
                return Result(faults, WRONG, self._seen(), tuple(traceback.format_exc().splitlines()[-12:])), 0
            calls, struck = self._seen(), proxy.struck()
            proxy.rest()
            if not struck:
                return None, len(calls)
            return self._judged(stage, faults, calls), len(calls)

    def _judged(self, stage, faults, calls) -> Result:
        differs = views.difference(self.undisturbed, self.scene.record(stage))
        said, harm = self.scene.failed(stage), self.scene.harm(stage)
        if harm:
            return Result(faults, WRONG, calls, (harm, *differs))
        if not differs:
            return Result(faults, SAME, calls)
        if said is None:
            return Result(faults, WRONG, calls, tuple(differs))
        self.scene.again(stage)
        left = views.difference(self.wanted, self.scene.outcome(stage))
        if left or self.scene.failed(stage) or self.scene.harm(stage):
            about = f"said {said}; repeated: {self.scene.failed(stage)} {self.scene.harm(stage)}"
            return Result(faults, WRONG, calls, (about, *left))
        return Result(faults, SAID, calls, (said,))

    def _seen(self) -> tuple[str, ...]:
        return tuple(about for _, about in self.theatre.proxy.calls())

    # --- which faults ------------------------------------------------------------------------------------------------

    def every(self) -> list[dict[int, Fault]]:
        """Each request with each fault: first all with the answer lost, then not stored, in the middle, and so on."""
        return [{number: fault} for fault, number in product(IN_ORDER, range(1, len(self.calls) + 1))]

    def rotating(self, first: int = 0) -> list[dict[int, Fault]]:
        """Each request with one fault, all faults in turn."""
        kinds = list(Fault)
        return [{n: kinds[(n + first) % len(kinds)]} for n in range(1, len(self.calls) + 1)]

    def chosen(self, most: int) -> list[dict[int, Fault]]:
        """At most so many requests, each with one fault, all faults in turn.

        Nine of ten change something; both kinds are spread evenly over the scene.
        """
        kinds = list(Fault)
        changing = [n for n, call in enumerate(self.calls, 1) if not only_reads(call)]
        reading = [n for n, call in enumerate(self.calls, 1) if only_reads(call)]
        numbers = sorted([*_spread(changing, most - most // 10), *_spread(reading, most // 10)])
        return [{n: kinds[at % len(kinds)]} for at, n in enumerate(numbers)]

    def pairs(self, count: int, seed: int) -> list[dict[int, Fault]]:
        """So many pairs of requests, drawn with a seed, with two faults."""
        chance = random.Random(f"{self.scene.name} {seed}")
        found: list[dict[int, Fault]] = []
        for _ in range(count):
            first, second = sorted(chance.sample(range(1, len(self.calls) + 1), 2))
            found.append({first: chance.choice(list(Fault)), second: chance.choice(list(Fault))})
        return found


def only_reads(call: str) -> bool:
    """Whether a request changes nothing."""
    return call.partition(".")[2].startswith(
        ("Get", "List", "Query", "Head", "BatchGet", "Describe", "Decrypt", "Encrypt")
    )


def _spread(numbers: list[int], most: int) -> list[int]:
    """At most so many of them, evenly."""
    if len(numbers) <= most:
        return numbers
    return [numbers[at * len(numbers) // most] for at in range(most)]
