"""People are recognised by tokens that their pool signed for this deployment, and by no others."""

import base64
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from erphub.platform.errors import Unavailable
from erphub.sign_in.signing_keys import SigningKeys
from tests.sign_in.conftest import APP, NOW, SUB, Door, access_claims, id_claims, jwk, private_key, signed


def test_an_id_token_says_who_somebody_is_and_their_confirmed_address(door: Door):
    ends = str(int(NOW.timestamp()) + 3600)
    assert door.ask(signed(id_claims())) == {
        "user": SUB,
        "method": "id_token",
        "email": "kari@example.test",
        "valid_until": ends,
    }
    for not_confirmed in (False, "false", ...):
        assert "email" not in door.ask(signed(id_claims(email_verified=not_confirmed)))


def test_of_an_access_token_the_address_is_looked_up(door: Door):
    said = door.ask(signed(access_claims(), "access"))
    assert (said["user"], said["method"], said["email"]) == (SUB, "access_token", "kari@example.test")
    door.pool.people[SUB] = None
    assert "email" not in door.ask(signed(access_claims(), "access"))
    door.pool.people.clear()
    assert door.ask(signed(access_claims(), "access")) is None, "somebody who is no longer in the pool"


def encoded(part: dict[str, Any]) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def public_pem(name: str) -> bytes:
    """A public key as a text, which everybody can have."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private_key(name).public_key().public_bytes(serialization.Encoding.PEM, form)


REFUSED: dict[str, dict[str, Any]] = {
    "of another pool": {"iss": "https://cognito-idp.eu-north-1.amazonaws.com/eu-north-1_OTHER"},
    "of no pool": {"iss": ...},
    "for another app client": {"aud": "another", "client_id": "another"},
    "for no app client": {"aud": ..., "client_id": ...},
    "expired": {"exp": int(NOW.timestamp())},
    "without an end": {"exp": ...},
    "with an end that is no number": {"exp": "tomorrow"},
    "not yet": {"nbf": int(NOW.timestamp()) + 60},
    "issued later": {"iat": int(NOW.timestamp()) + 60},
    "a refresh token": {"token_use": "refresh"},
    "of no use": {"token_use": ...},
    "of nobody": {"sub": ...},
    "of a number": {"sub": 7},
}


@pytest.mark.parametrize("made", [id_claims, access_claims], ids=["id", "access"])
@pytest.mark.parametrize("what", REFUSED)
def test_a_token_that_is_wrong_in_one_thing_lets_nobody_in(door: Door, made: Any, what: str):
    assert door.ask(signed(made())), "the same without it does"
    assert door.ask(signed(made(**REFUSED[what]))) is None


def test_what_is_signed_by_others_or_by_nobody_lets_nobody_in(door: Door):
    good = signed(id_claims())
    head, body, signature = good.split(".")
    none = encoded({"alg": "none", "kid": "id"})
    symmetric, other = encoded({"alg": "HS256", "kid": "id"}), encoded(id_claims(sub="other"))
    by_public = base64.urlsafe_b64encode(hmac.digest(public_pem("id"), f"{symmetric}.{body}".encode(), "sha256"))
    forged = {
        "signed with another key": signed(id_claims(), "stranger", kid="id"),
        "of a key that the pool does not have": signed(id_claims(), "stranger"),
        "without a key's name": jwt.encode(id_claims(), private_key("id"), algorithm="RS256"),
        "without a signature": f"{head}.{body}.",
        "that says it needs none": f"{none}.{body}.",
        "signed with the public key as a secret": f"{symmetric}.{body}.{by_public.decode().rstrip('=')}",
        "by another algorithm": jwt.encode(id_claims(), private_key("id"), "PS256", headers={"kid": "id"}),
        "changed": f"{head}.{other}.{signature}",
        "of nothing": "",
        "of dots": "..",
        "too long": good + "A" * 9000,
        "of other letters": "æøå.æøå.æøå",
        "with a key's name that is no text": jwt.encode(
            id_claims(), private_key("id"), "RS256", headers={"kid": "id"}
        ).replace(head, encoded({"alg": "RS256", "kid": 7})),
    }
    assert door.ask(good)
    assert {what: door.ask(token) for what, token in forged.items()} == dict.fromkeys(forged)


def test_an_id_token_for_somebody_else_is_no_access_token_for_us(door: Door):
    assert door.ask(signed(id_claims(aud="another", client_id=APP))) is None
    assert door.ask(signed(access_claims(client_id="another", aud=APP), "access")) is None


def test_a_clock_that_is_a_little_ahead_does_not_keep_anybody_out(door: Door):
    assert door.ask(signed(id_claims(iat=int(NOW.timestamp()) + 4)))


def test_keys_are_fetched_once_and_anew_for_a_new_one(door: Door):
    for _ in range(3):
        assert door.ask(signed(id_claims()))
        assert door.ask(signed(access_claims(), "access"))
    assert door.pool.fetched == 1
    door.pool.names.append("next")
    door.pass_time(minutes=2)
    assert door.ask(signed(id_claims(), "next"))
    assert door.pool.fetched == 2


def test_made_up_key_names_do_not_make_it_fetch_without_end(door: Door):
    for number in range(50):
        assert door.ask(signed(id_claims(), "stranger", kid=f"made-up-{number}")) is None
        door.pass_time(seconds=1)
    assert door.pool.fetched == 1
    door.pass_time(seconds=60)
    door.ask(signed(id_claims(), "stranger", kid="made-up"))
    assert door.pool.fetched == 2


def test_keys_that_cannot_be_fetched_anew_stay_in_use_and_without_any_nobody_is_refused(door: Door):
    door.pool.is_away = True
    with pytest.raises(Unavailable):
        door.ask(signed(id_claims()))
    door.pool.is_away = False
    assert door.ask(signed(id_claims(exp=int(NOW.timestamp()) + 90_000))), "asked again at once"
    door.pool.is_away = True
    door.pass_time(hours=13)
    assert door.ask(signed(id_claims(exp=int(NOW.timestamp()) + 90_000)))
    with pytest.raises(Unavailable):
        door.ask(signed(access_claims(exp=int(NOW.timestamp()) + 90_000), "access"))


def test_what_is_no_key_to_sign_with_is_passed_over():
    good = jwk("id")
    odd = [{}, {"kty": "EC", "kid": "e"}, good | {"use": "enc", "kid": "c"}, good | {"n": 7, "kid": "n"}, good]
    keys = SigningKeys(lambda: {"keys": odd}, lambda: NOW)
    assert [name for name in ("e", "c", "n", "id") if keys.find(name)] == ["id"]
