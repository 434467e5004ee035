"""What every store of credentials does: one secret per connection, sealed per client, each alone and as chosen."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from erphub.platform import redaction
from erphub.platform.aws.secrets import SecretsManager
from erphub.platform.errors import NotFound
from erphub.platform.secrets import StoredSecrets
from erphub.platform.settings import CredentialStore
from tests.platform.aws.credentials.conftest import Vault
from tests.support.aws import AWS, CREDENTIALS, make_table
from tests.support.connect import FakeSecrets

STORES = {
    "fake": lambda _: FakeSecrets(),
    "secret per connection": lambda _: SecretsManager("hub/connections/"),
    "sealed per client": lambda vault: vault.sealed,
    "secret per connection, chosen": lambda vault: vault.store(CredentialStore.SECRET_PER_CONNECTION),
    "sealed per client, chosen": lambda vault: vault.store(CredentialStore.SEALED_PER_CLIENT),
}


@pytest.fixture(params=AWS)
def vault(request: pytest.FixtureRequest) -> Iterator[Vault]:
    with AWS[request.param]():
        make_table(CREDENTIALS, "credentials")
        vault = Vault()
        vault.now = datetime.now(UTC)
        yield vault


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, vault: Vault) -> StoredSecrets:
    return STORES[request.param](vault)


def test_credentials_are_kept_to_the_letter(store: StoredSecrets):
    fields = {"password": "å\"'\\ 🔑\u0001", "empty": "", "login": "ola"}
    store.put("c/1", fields, "c")
    assert store.get("c/1") == fields


def test_credentials_written_again_replace_those_before(store: StoredSecrets):
    store.put("c/1", {"password": "old", "extra": "x"}, "c")
    store.put("c/1", {"password": "new"}, "c")
    store.put("c/1", {"password": "new"}, "c")
    assert store.get("c/1") == {"password": "new"}


def test_deleted_credentials_are_gone_at_once_and_can_be_made_again(store: StoredSecrets):
    store.put("c/1", {"password": "old"}, "c")
    store.delete("c/1")
    with pytest.raises(NotFound, match="no longer kept") as raised:
        store.get("c/1")
    assert raised.value.code == "secret_gone"
    store.delete("c/1")
    store.put("c/1", {"password": "again"}, "c")
    assert store.get("c/1") == {"password": "again"}


def test_a_draft_has_credentials_of_its_own(store: StoredSecrets):
    store.put("c/1", {"password": "in use"}, "c")
    store.put("c/1/wizard", {"password": "draft"}, "c")
    store.put("c/2", {"password": "another"}, "c")
    store.delete("c/1/wizard")
    assert (store.get("c/1"), store.get("c/2")) == ({"password": "in use"}, {"password": "another"})


def test_two_clients_with_a_connection_of_one_name_have_each_their_own(store: StoredSecrets):
    store.put("c/1", {"password": "c's"}, "c")
    store.put("d/1", {"password": "d's"}, "d")
    assert (store.get("c/1"), store.get("d/1")) == ({"password": "c's"}, {"password": "d's"})


def test_credentials_are_found_by_when_they_were_last_written(store: StoredSecrets):
    store.put("c/1", {"password": "x"}, "c")
    store.put("c/2", {"password": "x"}, "c")
    now = datetime.now(UTC)
    assert sorted(store.stored_before(now + timedelta(minutes=1))) == ["c/1", "c/2"]
    assert list(store.stored_before(now - timedelta(minutes=1))) == []


@pytest.mark.parametrize("store", [name for name in STORES if name != "fake"], indirect=True)
def test_credentials_are_found_by_how_their_names_begin(store: StoredSecrets):
    for name in ("c/1", "c/1/wizard", "c/10", "c/2", "d/1"):
        store.put(name, {"password": "x"}, name[0])
    assert sorted(store.names("c/1")) == ["c/1", "c/1/wizard", "c/10"]


def test_credentials_that_are_read_or_written_are_hidden_from_then_on(store: StoredSecrets):
    redaction.reset()
    guarded = redaction.GuardedSecrets(store)
    guarded.put("c/1", {"password": "korrekt-hest"}, "c")
    assert redaction.clean_text("it said korrekt-hest") == "it said [hidden]"
    redaction.reset()
    guarded.get("c/1")
    assert redaction.clean_text("it said korrekt-hest") == "it said [hidden]"
    redaction.reset()
