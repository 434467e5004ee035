"""A sealed value opens where it was sealed and nowhere else, and its key is seen by nobody."""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from erphub.platform import redaction
from erphub.platform.aws import clients
from erphub.platform.aws.credentials.client_keys import KEPT_IN_MEMORY
from erphub.platform.aws.credentials.sealed import client_key_key, credentials_key
from erphub.platform.aws.credentials.sealing import NotOpened, Place, seal, unseal
from erphub.platform.errors import NotFound, SecretGone
from erphub.platform.settings import CredentialStore
from erphub.platform.tenants import acting_for
from tests.platform.aws.credentials.conftest import Interference, Killed, Vault, dies
from tests.support.integration import integration

PLACE = Place("c", "1", ("login", "password"), "v1", "k1")
FIELDS = {"login": "ola", "password": "korrekt-hest-batteri"}
KEY = bytes(range(32))


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place("d", "1", ("login", "password"), "v1", "k1"),
        Place("c", "2", ("login", "password"), "v1", "k1"),
        Place("c", "1/edit", ("login", "password"), "v1", "k1"),
        Place("c", "1", ("login",), "v1", "k1"),
        Place("c", "1", ("login", "password", "token"), "v1", "k1"),
        Place("c", "1", ("login,password",), "v1", "k1"),
        Place("c", "1", ("login", "password"), "v2", "k1"),
        Place("c", "1", ("login", "password"), "v1", "k2"),
    ],
    ids=["client", "connection", "draft", "fewer fields", "more fields", "fields run together", "version", "key"],
)
def test_a_value_opens_in_no_other_place(elsewhere: Place):
    sealed = seal(KEY, FIELDS, PLACE)
    assert unseal(KEY, sealed, PLACE) == FIELDS
    with pytest.raises(NotOpened):
        unseal(KEY, sealed, elsewhere)


def test_a_value_opens_with_no_other_key_and_not_when_a_bit_of_it_was_changed():
    sealed = seal(KEY, FIELDS, PLACE)
    with pytest.raises(NotOpened):
        unseal(bytes(32), sealed, PLACE)
    for place in (0, 11, 12, len(sealed) - 1):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(NotOpened):
            unseal(KEY, bytes(altered), PLACE)
    for cut in (b"", sealed[:5], sealed[:12], sealed[:-1]):
        with pytest.raises(NotOpened):
            unseal(KEY, cut, PLACE)


def test_the_same_credentials_are_sealed_differently_each_time():
    assert len({seal(KEY, FIELDS, PLACE)[:12] for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("taken", "put"), [("c/1", "c/2"), ("c/1", "c/1/edit"), ("c/1", "d/1")], ids=["connection", "draft", "client"]
)
def test_an_item_that_was_copied_over_another_does_not_open(vault: Vault, taken: str, put: str):
    sealed = vault.sealed
    for name in (taken, put):
        sealed.put(name, FIELDS, name[0])
    for whole in (False, True):  # only what is sealed, or all that stands beside it too
        item, victim = sealed.table.get(credentials_key(taken)), sealed.table.get(credentials_key(put))
        assert item is not None
        assert victim is not None
        forged = {**victim, "sealed": item["sealed"]} if not whole else {**item, **credentials_key(put)}
        sealed.table.put(forged)
        with pytest.raises(NotFound) as raised:
            sealed.get(put)
        # Of another client there is not even the key under this one's name.
        assert raised.value.code == ("secret_gone" if whole and put == "d/1" else "secret_unreadable")
        assert "korrekt" not in str(raised.value) + repr(raised.value.__cause__)


def test_an_item_that_was_put_back_under_a_newer_version_does_not_open(vault: Vault):
    sealed = vault.sealed
    sealed.put("c/1", FIELDS, "c")
    old = sealed.table.get(credentials_key("c/1"))
    sealed.put("c/1", {"login": "ola", "password": "newer"}, "c")
    new = sealed.table.get(credentials_key("c/1"))
    assert old is not None
    assert new is not None
    sealed.table.put({**new, "sealed": old["sealed"]})
    with pytest.raises(NotFound, match="can no longer be read"):
        sealed.get("c/1")


def test_a_value_that_does_not_open_is_not_looked_for_in_the_other_store(vault: Vault):
    vault.store(CredentialStore.SECRET_PER_CONNECTION).put("c/1", {"password": "older"}, "c")
    vault.sealed.put("c/1", FIELDS, "c")
    (item,) = vault.items
    vault.sealed.table.put({**item, "version": "another"})
    with pytest.raises(NotFound) as raised:
        vault.store().get("c/1")
    assert raised.value.code == "secret_unreadable"


def test_nothing_of_the_credentials_or_the_key_lies_in_the_table(vault: Vault):
    vault.store().put("c/1", FIELDS, "c")
    (key,) = vault.keys
    kept = repr(vault.everything)
    for hidden in (*FIELDS.values(), vault.secrets[key], repr(bytes.fromhex(vault.secrets[key]))[2:-1]):
        assert hidden not in kept


def test_a_client_has_one_key_for_all_of_its_credentials(vault: Vault):
    store = vault.store()
    for name in ("c/1", "c/2", "c/2/edit", "d/1"):
        store.put(name, FIELDS, name[0])
    assert [key.split("/")[2] for key in vault.keys] == ["c", "d"]
    assert len(vault.secrets) == 2, "a secret is there beside the keys"


def test_a_key_is_hidden_as_soon_as_it_is_made_or_read(vault: Vault, caplog: pytest.LogCaptureFixture):
    redaction.reset()
    vault.store().put("c/1", FIELDS, "c")
    key = next(value for name, value in vault.secrets.items() if name in vault.keys)
    for _ in ("made", "read"):
        assert redaction.clean_text(f"key {key}") == "key [hidden]"
        assert key not in redaction.clean_text(repr(bytes.fromhex(key).hex(" ")).replace(" ", ""))
        redaction.reset()
        assert vault.store().get("c/1") == FIELDS
    logging.getLogger().info("%s", vault.sealed)
    assert key not in caplog.text
    redaction.reset()


def test_a_key_stays_in_memory_for_five_minutes(vault: Vault):
    sealed = vault.sealed
    sealed.put("c/1", FIELDS, "c")
    sealed.get("c/1")
    asked = clients.calls["secretsmanager.GetSecretValue"]
    vault.later(seconds=KEPT_IN_MEMORY.total_seconds() - 1)
    sealed.get("c/1")
    assert clients.calls["secretsmanager.GetSecretValue"] == asked
    vault.later(seconds=1)
    sealed.put("d/1", FIELDS, "d")
    assert {client_id for _, client_id, _ in sealed.keys._known} == {"d"}, (
        "a key that nobody asked for again is still in memory"
    )
    sealed.get("c/1")
    assert timedelta(minutes=5) >= KEPT_IN_MEMORY


def test_a_key_in_memory_is_there_only_for_the_client_whose_work_brought_it_there(vault: Vault):
    """For another's work AWS is asked, which refuses what is not that one's."""
    sealed = vault.sealed
    with acting_for("c"):
        sealed.put("c/1", FIELDS, "c")
        asked = clients.calls["secretsmanager.GetSecretValue"]
        sealed.get("c/1")
        assert clients.calls["secretsmanager.GetSecretValue"] == asked
    with acting_for("d"):
        sealed.get("c/1")
    assert clients.calls["secretsmanager.GetSecretValue"] == asked + 1


def test_what_signs_webhooks_is_a_secret_of_its_own_whatever_is_chosen(vault: Vault):
    store = vault.store()
    store.put("c/webhook-1", {"current": "whsec"}, "c")
    assert json.loads(vault.secrets["hub/connections/c/webhook-1"]) == {"current": "whsec"}
    assert (vault.items, vault.keys) == ([], [])
    assert store.get("c/webhook-1") == {"current": "whsec"}
    store.delete("c/webhook-1")
    assert vault.secrets == {}


def test_two_that_make_a_clients_first_key_at_once_use_the_same_one(vault: Vault):
    stores, barrier = [vault.store() for _ in range(8)], threading.Barrier(8)

    def put(number: int) -> None:
        barrier.wait()
        stores[number].put(f"c/{number}", FIELDS, "c")

    threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(vault.keys) == 1
    assert [vault.store().get(f"c/{number}") for number in range(8)] == [FIELDS] * 8


@pytest.mark.parametrize("before", [True, False], ids=["before", "after, unanswered"])
def test_whoever_dies_storing_a_clients_first_credentials_does_it_again(
    vault: Vault, interference: Interference, before: bool
):
    for number in range(20):
        name = f"client{number}{before}/1"
        died = interference.at(number, dies, before=before)
        with suppress(Killed):
            vault.store().put(name, FIELDS, "c")
        interference.end()
        vault.store().put(name, FIELDS, "c")
        assert vault.store().get(name) == FIELDS
        assert len([key for key in vault.keys if f"/client{number}{before}/" in key]) == 1
        if not died.happened:
            break
    assert number >= 7


def test_what_is_read_while_its_key_is_replaced_is_read(vault: Vault, interference: Interference):
    """The item was read, then sealed anew, and its old key destroyed before that was read."""
    vault.sealed.put("c/1", FIELDS, "c")

    def rotate() -> None:
        rotation = vault.rotation
        rotation.begin("c")
        vault.later(minutes=16)
        assert rotation.finish("c")

    reader = vault.sealed
    happened = interference.at(0, rotate, before=False)
    assert reader.get("c/1") == FIELDS
    assert happened.happened


def test_nobody_is_given_a_key_that_was_destroyed(vault: Vault):
    store = vault.store()
    store.put("c/1", FIELDS, "c")
    vault.rotation.destroy("c")
    with pytest.raises(SecretGone):
        vault.store().get("c/1")
    assert vault.everything == []
    vault.rotation.destroy("c")


def test_a_copy_from_before_opens_no_more_once_the_clients_key_is_destroyed(vault: Vault):
    vault.store().put("c/1", FIELDS, "c")
    copies = vault.everything
    vault.rotation.destroy("c")
    vault.sealed.table.put_many(copies)
    with pytest.raises(SecretGone):
        vault.store().get("c/1")
    vault.store().put("c/2", FIELDS, "c")  # the key that is made now is another one
    with pytest.raises(NotFound):
        vault.store().get("c/1")
    assert vault.sealed.table.get(client_key_key("c")) is not None


@pytest.fixture
@integration
def python() -> Callable[[str], str]:
    """Another Python: what it prints."""

    def run(code: str) -> str:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()

    return run


def test_nothing_cryptographic_is_loaded_until_something_is_sealed(python: Callable[[str], str]):
    code = (  # in Lambda is no pyOpenSSL, which the tests' HTTP client would load
        "import sys; sys.modules['OpenSSL'] = None; from erphub.platform.resources import PlatformResources as P;"
        "from erphub.platform.settings import read_settings;"
        "p = P(read_settings({'SEALED_TABLE': 'c', 'CHOSEN_STORE': 'SealedPerClient'})); p.secrets;"
        "print('cryptography' in sys.modules)"
    )
    assert python(code) == "False"
