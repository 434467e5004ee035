"""A key by its form: found by whoever searches for lost ones, and told from what only looks like one."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from erphub.api_keys.credentials.models import (
    MAX_KEY,
    PATTERN,
    Credential,
    KeySecret,
    digest_of,
    key_id_of,
    new_key,
    prefix_of,
)
from erphub.platform.ids import new_id

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


def test_a_key_is_found_by_the_documented_pattern_in_whatever_stands_around_it():
    key_id = new_id()
    key = new_key(key_id)
    for around in ('api_key = "{}"', "Authorization: Bearer {}\n", "https://x.test/?k={}&y", "{}", "KEY={};"):
        (found,) = re.findall(rf"\b{PATTERN}\b", around.format(key))
        assert found == key
    assert len(key) == MAX_KEY
    assert key.startswith(prefix_of(key_id) + "_")
    assert key_id_of(key) == key_id


def test_the_pattern_is_the_one_that_the_documentation_gives():
    assert PATTERN in (ROOT / "docs/signing-in.md").read_text("utf-8")


def test_a_key_with_one_character_changed_is_told_without_asking_anybody():
    key = new_key(new_id())
    for at in range(4, len(key)):
        other = "0" if key[at] != "0" else "1"
        assert key_id_of(key[:at] + other + key[at + 1 :]) is None


def test_what_is_no_key_is_none():
    key = new_key(new_id())
    for text in ("", "ehk_", key[:-1], key + "0", " " + key, key.lower(), key.replace("ehk_", "sk_"), key + "\n"):
        assert key_id_of(text) is None


def test_two_keys_share_no_secret_and_what_is_kept_does_not_hold_it():
    key_id = new_id()
    first, second = new_key(key_id), new_key(key_id)
    assert first != second
    kept = str(credential(key_id, KeySecret(digest_of(first))).as_document())
    assert first[31:] not in kept
    assert digest_of(first) in kept


def credential(key_id: str, *secrets: KeySecret, expires_at: datetime | None = None) -> Credential:
    return Credential(key_id, new_id(), "Till", ("192.0.2.0/24",), expires_at, secrets)


def test_a_secret_counts_until_it_ends_and_the_key_with_the_first_of_its_ends():
    key_id = new_id()
    old, new, other = new_key(key_id), new_key(key_id), new_key(key_id)
    soon, later = NOW + timedelta(hours=1), NOW + timedelta(days=1)
    kept = credential(key_id, KeySecret(digest_of(old), soon), KeySecret(digest_of(new)), expires_at=later)
    found, newest = kept.find(old, NOW), kept.find(new, NOW)
    assert found
    assert newest
    assert (kept.ends_at(found), kept.ends_at(newest)) == (soon, later)
    assert kept.find(other, NOW) is None
    assert kept.find(old, soon) is None, "it ends at that instant"
    assert kept.find(new, soon)
    assert kept.find(new, later) is None


def test_what_is_kept_is_read_as_it_was():
    kept = credential(new_id(), KeySecret("a" * 64, NOW), KeySecret("b" * 64), expires_at=NOW)
    assert Credential.read(kept.as_document()) == kept
