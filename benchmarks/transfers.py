"""(h) to (j), (l): waiting times of a year of tills, documents a second, AWS calls, a chain's month; each in a process.

`python -m benchmarks.transfers h 3` tells the part as a section of the results, `3` being the rounds of (i).
"""

import sys
from collections.abc import Callable, Mapping

from benchmarks import month, pacing, transfer_cost, transfer_speed
from benchmarks.measure import tell

PARTS: Mapping[str, tuple[str, Callable[[int], str]]] = {
    "h": ("A year of tills: how long documents wait, and how many transfers there are", lambda _: pacing.report()),
    "i": ("Documents a second through a transfer", lambda rounds: transfer_speed.report(rounds=rounds)),
    "j": ("What a transfer and a tick ask of AWS", lambda _: transfer_cost.report()),
    "l": ("A month of a chain of shops in one upload", lambda _: month.report()),
}


def main(part: str, rounds: int) -> None:
    """Measure one part and tell it."""
    title, report = PARTS[part]
    tell(text=f"## ({part}) {title}\n\n{report(rounds)}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
