"""Whatever request goes wrong, the end is the undisturbed one, or the hub says that it failed and can be repeated."""

from collections.abc import Iterator

import pytest

from tests.reliability.fault_proxy import Fault
from tests.reliability.scene import Scene
from tests.reliability.scenes import SCENES
from tests.reliability.stage import Theatre, theatre
from tests.reliability.sweep import Sweep, only_reads

pytestmark = [
    pytest.mark.timeout(1800),
    # What the proxy breaks off, the clients leave to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

MOST = 40
"""Requests that are played of each scene, most of them such as change something; `make reliability` plays all."""
PAIRS = 3


@pytest.fixture(scope="module")
def local_aws() -> Iterator[Theatre]:
    with theatre() as made:
        yield made


@pytest.mark.parametrize("kind", SCENES, ids=lambda kind: kind.name)
def test_requests_all_over_a_scene_may_go_wrong(
    local_aws: Theatre, kind: type[Scene], capsys: pytest.CaptureFixture[str]
):
    sweep = Sweep(kind(), local_aws).prepare()
    results = [sweep.run(faults) for faults in sweep.chosen(MOST)]
    wrong = [result for result in results if result.is_wrong]
    with capsys.disabled():
        print(f"\n{kind.name}: {len(results)} of {len(sweep.calls)} crash points played, {len(wrong)} exceptions")
    played = {number for result in results for number in result.faults}
    changing = {number for number, call in enumerate(sweep.calls, 1) if not only_reads(call)}
    assert changing, "a scene without a crash point shows nothing"
    assert len(played & changing) >= min(MOST - MOST // 10, len(changing))
    assert played <= set(range(1, len(sweep.calls) + 1))
    assert {fault for result in results for fault in result.faults.values()} == set(Fault)
    assert wrong == []


@pytest.mark.parametrize("kind", SCENES, ids=lambda kind: kind.name)
def test_two_requests_may_go_wrong(local_aws: Theatre, kind: type[Scene]):
    sweep = Sweep(kind(), local_aws).prepare()
    assert [result for result in map(sweep.run, sweep.pairs(PAIRS, seed=1)) if result.is_wrong] == []
