"""Whoever deletes may die behind any call to AWS: then it is done again, and nothing is ever without an owner."""

from datetime import timedelta

import pytest

from erphub.connections.models import ConnectionStatus
from erphub.deletions.models import DeletionStatus
from tests.deletions.conftest import CLIENT, MINE, Killed, Scene, fresh_scene


@pytest.fixture
def scenes(where):
    """New scenes, one after the other, each in an AWS of its own."""
    return _scenes(where)


def _scenes(where):
    while True:
        making = fresh_scene(where)
        yield next(making)
        next(making, None)


def kept_alive(scene: Scene) -> None:
    """What holds at any moment: as long as anything is left there is an owner, and of it nothing can be used."""
    connection, deletion = scene.connection(), scene.store.get(CLIENT, MINE)
    left = [trace for trace in scene.traces(MINE) if "#AUDIT#" not in trace]
    if left:
        assert connection is not None, left
        assert connection.status is ConnectionStatus.DELETING
        assert deletion is not None
        assert deletion.status is not DeletionStatus.REQUESTED
    else:
        assert connection is None


def test_a_removal_that_dies_behind_any_call_is_repeated_to_the_end(scenes):
    n = 0
    for scene in scenes:
        n += 1
        scene.draft(MINE)
        others = scene.others()
        scene.ask()
        scene.death.changes.clear()
        scene.death.at = n
        survived = True
        for _ in range(3):
            try:
                scene.walk()
            except Killed:
                survived = False
                scene.death.at = None
                kept_alive(scene)
        assert scene.connection() is None
        assert [trace for trace in scene.traces(MINE) if "#AUDIT#" not in trace] == []
        assert scene.others() == others
        actions = [entry for entry in scene.traces(MINE) if "#AUDIT#CHAIN ENTRY#" in entry]
        assert len(actions) == 3, "made, deleted, removed: each written down once"
        if survived:
            break
    assert n > 25, "so many calls change something"


def test_a_delete_that_dies_behind_any_call_has_done_nothing_or_goes_on_by_itself(scenes):
    n = 0
    for scene in scenes:
        n += 1
        token = scene.service.preview(scene.member(), MINE).plan_token
        scene.death.changes.clear()
        scene.death.at = n
        try:
            scene.ask(token)
        except Killed:
            started = bool(scene.machine.running)
            scene.walk()
            if started:
                assert scene.connection() is None
                continue
            assert scene.connection().status is ConnectionStatus.ACTIVE
            scene.ask(token)
            assert scene.connection().status is ConnectionStatus.DELETING
            continue
        break
    assert n == 3, "it is written down, then done in one step; behind neither is there a half"


@pytest.mark.parametrize("halted", [False, True])
def test_a_restore_that_dies_behind_any_call_is_repeated_to_the_end(scenes, halted):
    n = 0
    for scene in scenes:
        n += 1
        scene.ask()
        names = next(iter(scene.machine.running.values()))
        if halted:
            scene.tasks.stop(CLIENT, MINE, names["deletion_id"])
        scene.death.changes.clear()
        scene.death.at = n
        died = False
        try:
            scene.service.restore(scene.member(), MINE)
        except Killed:
            died = True
        if scene.connection().status is ConnectionStatus.DELETING:
            scene.service.restore(scene.member(), MINE)
        assert scene.connection().status is ConnectionStatus.PAUSED
        scene.now += timedelta(days=31)
        scene.walk()
        assert scene.connection().status is ConnectionStatus.PAUSED
        if not died:
            break
    assert n == 2
