"""A source that is slow holds workers for a set time in all: of a part over all its tries, and of each plan."""

from datetime import timedelta
from typing import Any

import pytest

from erphub.imports.runs.execution import MIN_SECONDS_FOR_PART, SECONDS_TO_REPORT
from erphub.imports.runs.models import RunStatus, UnitStatus
from erphub.imports.runs.part_reader import PART_SECONDS
from erphub.imports.runs.planning import PLAN_SECONDS
from erphub.platform.errors import Unavailable
from erphub.platform.outbound import deadlines
from tests.support.erp import FakeErp
from tests.support.imports import Imports


class Slow:
    """Holds a worker for so long, each time it is read, and gives nothing."""

    def __init__(self, imports: Imports, minutes: float, *, times: int = 1_000) -> None:
        self.imports, self.minutes, self.times = imports, minutes, times
        self.allowed: list[float] = []
        self.read = imports.erp.read

    def __call__(self, *asked: Any) -> Any:
        if not self.times:
            return self.read(*asked)
        self.times -= 1
        left = deadlines.current().left
        self.allowed.append(left)
        self.imports.now += timedelta(seconds=min(left, 60 * self.minutes))
        raise Unavailable("The server did not answer in full.", code="query_timeout")


@pytest.fixture
def one(imports: Imports) -> Imports:
    imports.sources.selected = ["F0001"]
    return imports


def run(imports: Imports, slow: Slow, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(imports.erp, "read", slow)
    return imports.run(imports.job(dataset_ids=["accounts"]))


def test_all_tries_of_a_part_share_one_bound(one: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(one, minutes=4)
    ended = run(one, slow, monkeypatch)
    assert [round(left) for left in slow.allowed] == [600, 360, 120]
    assert sum(min(left, 240) for left in slow.allowed) <= PART_SECONDS + 1
    unit = one.units(ended)["accounts", "F0001"]
    assert (ended.status, unit.status) == (RunStatus.FAILED, UnitStatus.FAILED)
    assert unit.problem is not None
    assert unit.problem["code"] == "source_too_slow"
    assert "10 minutes" in unit.problem["detail"]
    assert "did not answer in full" in unit.problem["detail"]


def test_one_that_takes_all_of_its_time_is_not_tried_again(one: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(one, minutes=100)
    ended = run(one, slow, monkeypatch)
    assert len(slow.allowed) == 1
    assert (one.units(ended)["accounts", "F0001"].problem or {})["code"] == "source_too_slow"


def test_one_that_was_slow_for_a_while_is_read_all_the_same(one: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = run(one, Slow(one, minutes=4, times=2), monkeypatch)
    assert ended.status is RunStatus.SUCCEEDED
    assert one.count("accounts") == 12


def test_a_try_ends_before_its_worker_does(one: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(one, minutes=100)
    execution = one.execution
    read = execution.read
    ref = one.queue(one.job(dataset_ids=["accounts"]))
    plan = one.planner.plan(ref, lambda: 900.0)
    monkeypatch.setattr(one.erp, "read", slow)
    package = plan["packages"][0]
    with pytest.raises(Unavailable):
        read(ref, package["from"], package["to"], lambda: MIN_SECONDS_FOR_PART)
    assert slow.allowed[0] <= MIN_SECONDS_FOR_PART - SECONDS_TO_REPORT


def test_a_plan_is_bounded_too(one: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed: list[float] = []
    plan_reading = one.erp.plan_reading

    def plan(*asked: Any) -> Any:
        allowed.append(deadlines.current().left)
        return plan_reading(*asked)

    monkeypatch.setattr(FakeErp, "plan_reading", lambda _, *asked: plan(*asked))
    assert one.run(one.job(dataset_ids=["accounts"])).status is RunStatus.SUCCEEDED
    assert allowed
    assert max(allowed) <= PLAN_SECONDS
