"""Secrets lie in a file of their owner alone, and nowhere else."""

import json
import stat

import pytest
from erphub_client.store import KeptSignIn, Profile, Store, StoreError
from pydantic import SecretStr

SECRET = "ehk_not_to_be_seen"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "config")


def profile(secret: str = SECRET) -> Profile:
    return Profile(url="https://hub.example.test", sign_in=KeptSignIn(api_key=SecretStr(secret)))


def test_a_profile_is_kept_for_its_owner_alone_and_read_again(store):
    store.keep("default", profile())
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    kept = store.profile("default")
    assert kept.sign_in.api_key.get_secret_value() == SECRET
    assert SECRET not in f"{kept!r}{kept}"
    assert json.loads(store.path.read_text())["profiles"]["default"]["sign_in"]["api_key"] == SECRET


def test_profiles_are_apart_and_one_can_be_forgotten(store):
    store.keep("default", profile("one"))
    store.keep("other", profile("two"))
    store.keep("default", None)
    assert (store.profile("default"), store.profile("other").sign_in.api_key.get_secret_value()) == (None, "two")
    assert [path.name for path in store.path.parent.iterdir()] == ["profiles.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_not_used(store, mode):
    store.keep("default", profile())
    store.path.chmod(mode)
    with pytest.raises(StoreError, match="chmod 600"):
        store.read()


@pytest.mark.parametrize("text", ["{", "[]", '{"profiles": 1}'])
def test_a_broken_file_is_told_and_left_alone(store, text):
    store.keep("default", profile())
    store.path.write_text(text)
    with pytest.raises(StoreError, match="cannot be read"):
        store.keep("other", profile())
    assert store.path.read_text() == text
