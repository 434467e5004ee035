"""Credentials are moved to the other store and back while people use them, wherever it dies."""

import json
from contextlib import suppress
from typing import Any

import pytest

from erphub.platform.aws.credentials.moving import Moved
from erphub.platform.aws.credentials.sealed import KIND, Kind
from erphub.platform.errors import NotFound, SecretGone
from erphub.platform.settings import CredentialStore
from tests.platform.aws.credentials.conftest import Interference, Killed, Vault, dies

SECRETS, SEALED = CredentialStore.SECRET_PER_CONNECTION, CredentialStore.SEALED_PER_CLIENT
BOTH_WAYS = pytest.mark.parametrize("chosen", [SEALED, SECRETS], ids=["into sealed", "into secrets"])
BEFORE_AND_AFTER = pytest.mark.parametrize("before", [True, False], ids=["before", "after, unanswered"])
NAMES = ("c/1", "c/2", "c/2/edit", "d/1")


def other(chosen: CredentialStore) -> CredentialStore:
    return SECRETS if chosen is SEALED else SEALED


def kept(vault: Vault, store: CredentialStore) -> set[str]:
    """The names of what is kept in a store itself."""
    if store is SEALED:
        return {f"{item['pk'][7:]}/{item['sk'].removeprefix(f'{KIND}#')}" for item in vault.items}
    begin = "hub/connections/"
    return {name.removeprefix(begin) for name in vault.secrets if name.startswith(begin) and "webhook-" not in name}


def furnish(vault: Vault, chosen: CredentialStore) -> None:
    for name in NAMES:
        vault.store(other(chosen)).put(name, {"password": f"of {name}"}, name[0])
    vault.store().put("c/webhook-1", {"current": "whsec"}, "c")


def everything_is_read(vault: Vault, chosen: CredentialStore) -> bool:
    return all(vault.store(chosen).get(name) == {"password": f"of {name}"} for name in NAMES)


class Told:
    """What was reported."""

    def __init__(self) -> None:
        self.became: dict[str, Moved] = {}
        self.errors: list[Exception] = []

    def __call__(self, name: str, became: Moved, error: Exception | None = None) -> None:
        self.became[name] = became
        self.errors += [error] if error else []


@BOTH_WAYS
def test_what_was_kept_before_the_choice_is_read_from_where_it_is(vault: Vault, chosen: CredentialStore):
    furnish(vault, chosen)
    assert everything_is_read(vault, chosen)
    assert kept(vault, other(chosen)) == set(NAMES)
    assert set(vault.store(chosen).names("c/2")) == {"c/2", "c/2/edit"}


@BOTH_WAYS
def test_everything_is_moved_and_nothing_stays_behind(vault: Vault, chosen: CredentialStore):
    furnish(vault, chosen)
    told = Told()
    assert vault.move(chosen).run(told)
    assert told.became == dict.fromkeys(NAMES, Moved.MOVED)
    assert (kept(vault, chosen), kept(vault, other(chosen))) == (set(NAMES), set())
    assert everything_is_read(vault, chosen)
    assert json.loads(vault.secrets["hub/connections/c/webhook-1"]) == {"current": "whsec"}
    told = Told()
    assert vault.move(chosen).run(told)
    assert told.became == {}


def test_there_and_back_leaves_what_was_there(vault: Vault):
    furnish(vault, SEALED)
    before = vault.secrets
    assert vault.move(SEALED).run(Told())
    assert vault.move(SECRETS).run(Told())
    assert {name: value for name, value in vault.secrets.items() if name not in vault.keys} == before
    assert [item["sk"] for item in vault.everything] == ["CLIENT_KEY", "CLIENT_KEY"]


@BOTH_WAYS
@BEFORE_AND_AFTER
def test_a_move_that_dies_anywhere_is_ended_by_the_next_one(
    vault: Vault, interference: Interference, chosen: CredentialStore, before: bool
):
    deaths = 0
    for number in range(300):
        furnish(vault, chosen)
        died = interference.at(number, dies, before=before)
        try:
            vault.move(chosen).run(Told())
        except Killed:
            deaths += 1
        interference.end()
        assert everything_is_read(vault, chosen)
        assert everything_is_read(vault, other(chosen)), "a deployment that is rolled back must go on"
        assert vault.move(chosen).run(Told())
        assert (kept(vault, chosen), kept(vault, other(chosen))) == (set(NAMES), set())
        assert everything_is_read(vault, chosen)
        assert not notes(vault)
        if not died.happened:
            break
        assert vault.move(other(chosen)).run(Told())
    assert not died.happened
    assert number > 20


def notes(vault: Vault) -> list[Any]:
    return [item for item in vault.everything if item["listed_as"] in (Kind.PENDING, Kind.MOVING)]


@BOTH_WAYS
@BEFORE_AND_AFTER
def test_a_move_that_dies_can_be_gone_back_on(
    vault: Vault, interference: Interference, chosen: CredentialStore, before: bool
):
    for number in range(300):
        furnish(vault, chosen)
        died = interference.at(number, dies, before=before)
        with suppress(Killed):
            vault.move(chosen).run(Told())
        interference.end()
        assert vault.move(other(chosen)).run(Told())
        assert (kept(vault, chosen), kept(vault, other(chosen))) == (set(), set(NAMES))
        assert everything_is_read(vault, other(chosen))
        assert not notes(vault)
        if not died.happened:
            break
    assert number > 20


@BOTH_WAYS
def test_two_that_move_at_once_end_in_the_same(vault: Vault, interference: Interference, chosen: CredentialStore):
    for number in range(300):
        furnish(vault, chosen)
        met = interference.at(number, lambda: vault.move(chosen).run(Told()) and None, before=True)
        vault.move(chosen).run(Told())
        interference.end()
        assert vault.move(chosen).run(Told())
        assert (kept(vault, chosen), kept(vault, other(chosen))) == (set(NAMES), set())
        assert everything_is_read(vault, chosen)
        assert not notes(vault)
        if not met.happened:
            break
        assert vault.move(other(chosen)).run(Told())
    assert number > 20


@BOTH_WAYS
@pytest.mark.parametrize("dies_too", [False, True], ids=["", "and the move dies"])
def test_what_somebody_deletes_at_any_step_stays_deleted(
    vault: Vault, interference: Interference, chosen: CredentialStore, dies_too: bool
):
    """Between any two requests of the move; and the promise holds at once, not only after the next move."""
    for number in range(300):
        furnish(vault, chosen)

        def deletes() -> None:
            vault.store(chosen).delete("c/2")
            if dies_too:
                raise Killed

        met = interference.at(number, deletes, before=True)
        with suppress(Killed):
            vault.move(chosen).run(Told())
        interference.end()
        if met.happened and not dies_too:
            assert not can_be_read(vault, chosen, "c/2")
        assert vault.move(chosen).run(Told())
        assert vault.move(chosen).run(Told())
        if not met.happened:
            break
        assert "c/2" not in kept(vault, chosen) | kept(vault, other(chosen))
        assert not notes(vault)
        assert vault.move(other(chosen)).run(Told())
    assert number > 20


def can_be_read(vault: Vault, chosen: CredentialStore, name: str) -> bool:
    try:
        vault.store(chosen).get(name)
    except SecretGone:
        return False
    return True


@BOTH_WAYS
def test_whoever_reads_while_it_is_moved_finds_it(vault: Vault, interference: Interference, chosen: CredentialStore):
    """The whole move happens between any two requests of the reader."""
    for number in range(10):
        furnish(vault, chosen)
        reader, read = vault.store(chosen), list[dict[str, str]]()
        met = interference.at(number, lambda: vault.move(chosen).run(Told()) and None, before=True)
        read.append(reader.get("c/1"))
        interference.end()
        assert read == [{"password": "of c/1"}]
        assert vault.move(other(chosen)).run(Told())
        if not met.happened:
            break
    assert number >= 1


@BOTH_WAYS
def test_what_an_open_wizard_may_still_change_is_moved_when_it_has_ended(vault: Vault, chosen: CredentialStore):
    furnish(vault, chosen)
    vault.open_names = {"c/2/edit"}
    told = Told()
    assert not vault.move(chosen).run(told)
    assert told.became["c/2/edit"] is Moved.OPEN
    assert kept(vault, other(chosen)) == {"c/2/edit"}
    vault.store(chosen).put("c/2/edit", {"password": "answered again"}, "c")
    assert kept(vault, other(chosen)) == set(), "the older value would come back with the older choice"
    vault.open_names = set()
    assert vault.move(chosen).run(Told())
    assert vault.store(chosen).get("c/2/edit") == {"password": "answered again"}


@BOTH_WAYS
def test_an_answer_that_was_given_again_is_not_replaced_by_the_older_one(vault: Vault, chosen: CredentialStore):
    """Whoever wrote it died before the older value was removed."""
    furnish(vault, chosen)
    platform = vault.platform()
    store = platform.sealed_credentials if chosen is SEALED else platform.secret_per_connection
    store.put("c/1", {"password": "newer"}, "c")
    assert vault.move(chosen).run(Told())
    assert vault.store(chosen).get("c/1") == {"password": "newer"}
    assert kept(vault, other(chosen)) == set()


def test_one_that_cannot_be_moved_keeps_no_other_waiting_and_is_not_removed(vault: Vault):
    furnish(vault, SECRETS)
    (item,) = [item for item in vault.items if item["sk"] == "CREDENTIALS#1" and item["pk"] == "CLIENT#c"]
    vault.sealed.table.put(item | {"version": "another"})
    told = Told()
    assert not vault.move(SECRETS).run(told)
    assert told.became == dict.fromkeys(NAMES, Moved.MOVED) | {"c/1": Moved.FAILED}
    assert [type(error) for error in told.errors] == [NotFound]
    assert kept(vault, SEALED) == {"c/1"}


def test_what_does_not_open_takes_nobodys_place(vault: Vault):
    furnish(vault, SEALED)
    vault.sealed.put("c/1", {"password": "newer"}, "c")
    (item,) = vault.items
    vault.sealed.table.put(item | {"version": "another"})
    told = Told()
    assert not vault.move(SEALED).run(told)
    assert told.became["c/1"] is Moved.FAILED
    assert "c/1" in kept(vault, SECRETS)


@BOTH_WAYS
def test_errors_and_reports_of_a_move_have_no_secret(vault: Vault, interference: Interference, chosen: CredentialStore):
    furnish(vault, chosen)
    told = Told()

    def breaks() -> None:
        raise RuntimeError("no")

    interference.at(6, breaks, before=True)
    assert not vault.move(chosen).run(told)
    interference.end()
    said = repr(told.became) + repr(told.errors)
    assert not [hidden for hidden in ("of c/1", "of d/1", *vault.secrets.values()) if hidden in said]
