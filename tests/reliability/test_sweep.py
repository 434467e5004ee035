"""Whatever request goes wrong, the end is the undisturbed one, or the hub says that it failed and can be repeated."""

from collections.abc import Iterator

import pytest

from tests.reliability.fault_proxy import Fault
from tests.reliability.scene import Scene
from tests.reliability.scenes import SCENES
from tests.reliability.stage import Theatre, theatre
from tests.reliability.sweep import Sweep

pytestmark = pytest.mark.timeout(1800)

PAIRS = 6
"""Pairs of faults for each scene; `make reliability` plays more, and each request with every fault."""


@pytest.fixture(scope="module")
def house() -> Iterator[Theatre]:
    with theatre() as made:
        yield made


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize("kind", SCENES, ids=lambda kind: kind.name)
def test_every_request_may_go_wrong_once(
    house: Theatre, kind: type[Scene], part: int, capsys: pytest.CaptureFixture[str]
):
    """Each request with one fault, all faults in turn; in two parts, that two processors may share."""
    sweep = Sweep(kind(), house).prepare()
    results = [sweep.run(faults) for faults in sweep.rotating()[part::2]]
    wrong = [result for result in results if result.is_wrong]
    with capsys.disabled():
        print(f"\n{kind.name}: {len(results)} of {len(sweep.calls)} crash points, {len(wrong)} exceptions")
    assert sweep.calls, "a scene without a crash point shows nothing"
    assert {n for result in results for n in result.faults} == set(range(part + 1, len(sweep.calls) + 1, 2))
    assert {fault for result in results for fault in result.faults.values()} <= set(Fault)
    assert wrong == []


@pytest.mark.parametrize("kind", SCENES, ids=lambda kind: kind.name)
def test_two_requests_may_go_wrong(house: Theatre, kind: type[Scene]):
    sweep = Sweep(kind(), house).prepare()
    assert [result for result in map(sweep.run, sweep.pairs(PAIRS, seed=1)) if result.is_wrong] == []
