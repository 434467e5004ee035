"""A client's key is replaced without anybody noticing, wherever it dies, and the old one is gone for good."""

import pytest

from erphub.platform.aws.credentials.sealed import LISTED_AS, Kind, credentials_key
from erphub.platform.errors import SecretGone
from tests.platform.aws.credentials.conftest import Interference, Killed, Vault, dies

NAMES = ("c/1", "c/2", "c/2/edit")


@pytest.fixture
def rotating(vault: Vault) -> Vault:
    """A client with some credentials, and a neighbour."""
    for name in (*NAMES, "d/1"):
        vault.store().put(name, {"password": f"of {name}"}, name[0])
    return vault


def everything_is_read(vault: Vault) -> bool:
    return all(vault.store().get(name) == {"password": f"of {name}"} for name in (*NAMES, "d/1"))


def keys_of(vault: Vault, client_id: str) -> list[str]:
    return [key for key in vault.keys if f"/{client_id}/" in key]


def test_what_is_written_has_the_new_key_and_what_was_there_stays_readable(rotating: Vault):
    (old,) = keys_of(rotating, "c")
    rotating.rotation.begin("c")
    rotating.store().put("c/3", {"password": "new"}, "c")
    assert len(keys_of(rotating, "c")) == 2
    assert everything_is_read(rotating)
    with_old = [item["sk"] for item in rotating.items if old.endswith(item["key_id"])]
    assert with_old == [f"CREDENTIALS#{name[2:]}" for name in NAMES]


def test_what_is_written_again_takes_the_new_key_by_itself(rotating: Vault):
    rotating.rotation.begin("c")
    rotating.store().put("c/1", {"password": "of c/1"}, "c")
    of_c = {item["sk"]: item["key_id"] for item in rotating.items if item["pk"] == "CLIENT#c"}
    assert of_c["CREDENTIALS#1"] != of_c["CREDENTIALS#2"] == of_c["CREDENTIALS#2/edit"]


def test_the_old_key_goes_when_nothing_needs_it_and_not_within_a_quarter_of_an_hour(rotating: Vault):
    (old,), written = keys_of(rotating, "c"), [item["written_at"] for item in rotating.items]
    ready = rotating.rotation.begin("c")
    assert ready is not None
    assert (ready - rotating.now).total_seconds() == 15 * 60
    rotating.later(minutes=14, seconds=59)
    assert not rotating.rotation.finish("c")
    assert old in rotating.keys
    rotating.later(seconds=1)
    assert rotating.rotation.finish("c")
    assert old not in rotating.keys
    assert len(keys_of(rotating, "c")) == 1
    assert everything_is_read(rotating)
    assert [item["written_at"] for item in rotating.items] == written, "an orphan would look younger than it is"


def test_a_client_without_a_key_has_none_to_replace(rotating: Vault):
    assert rotating.rotation.begin("stranger") is None
    assert rotating.rotation.finish("stranger")
    assert rotating.rotation.clients() == ["c", "d"]


@pytest.mark.parametrize("before", [True, False], ids=["before", "after, unanswered"])
def test_a_rotation_that_dies_anywhere_is_ended_by_the_next_one(
    rotating: Vault, interference: Interference, before: bool
):
    deaths = 0
    for number in range(100):
        died = interference.at(number, dies, before=before)
        try:
            rotating.rotation.begin("c")
            rotating.later(minutes=20)
            rotating.rotation.finish("c")
        except Killed:
            deaths += 1
        interference.end()
        assert everything_is_read(rotating)
        rotating.rotation.begin("c")
        rotating.later(minutes=20)
        assert rotating.rotation.finish("c")
        assert everything_is_read(rotating)
        assert len(keys_of(rotating, "c")) == 1
        if not died.happened:
            break
    assert deaths > 12


def test_a_rotation_at_any_step_of_another_loses_nothing(rotating: Vault, interference: Interference):
    def another() -> None:
        rotating.rotation.begin("c")
        rotating.later(minutes=20)
        rotating.rotation.finish("c")

    for number in range(100):
        met = interference.at(number, another, before=True)
        rotating.rotation.begin("c")
        rotating.later(minutes=20)
        rotating.rotation.finish("c")
        interference.end()
        assert everything_is_read(rotating)
        rotating.later(minutes=20)
        assert rotating.rotation.finish("c")
        assert everything_is_read(rotating)
        assert len(keys_of(rotating, "c")) == 1
        if not met.happened:
            break
    assert number > 12


@pytest.mark.parametrize("act", ["written", "deleted"])
def test_what_people_do_at_any_step_of_a_rotation_stands(rotating: Vault, interference: Interference, act: str):
    def somebody() -> None:
        if act == "written":
            rotating.store().put("c/1", {"password": "newer"}, "c")
        else:
            rotating.store().delete("c/1")

    for number in range(100):
        rotating.store().put("c/1", {"password": "of c/1"}, "c")
        met = interference.at(number, somebody, before=True)
        rotating.rotation.begin("c")
        rotating.later(minutes=20)
        rotating.rotation.finish("c")
        interference.end()
        rotating.later(minutes=20)
        assert rotating.rotation.finish("c")
        if not met.happened:
            break
        if act == "written":
            assert rotating.store().get("c/1") == {"password": "newer"}
        else:
            with pytest.raises(SecretGone):
                rotating.store().get("c/1")
    assert number > 12


def test_a_copy_that_is_being_moved_stays_one_when_it_is_sealed_anew(rotating: Vault):
    key = credentials_key("c/1")
    before = rotating.sealed.table.get(key)
    assert before is not None
    rotating.sealed.table.put(before | {LISTED_AS: Kind.PENDING})
    rotating.rotation.begin("c")
    rotating.later(minutes=20)
    assert rotating.rotation.finish("c")
    after = rotating.sealed.table.get(key)
    assert after is not None
    assert (after[LISTED_AS], after["key_id"] == before["key_id"]) == (Kind.PENDING, False)
