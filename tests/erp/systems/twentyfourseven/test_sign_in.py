"""The token endpoint: a table of status and body, and of lives of tokens."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from erphub.erp.systems.twentyfourseven import sign_in
from erphub.platform.errors import CredentialsRefused, Unavailable

NOW = datetime(2026, 3, 5, tzinfo=UTC)
STATUSES = [100, 101, 103, 201, 202, 204, 206, 300, 301, 302, 304, 307, 308, *range(400, 419), 421, 422, 423, 425, 426]
STATUSES += [428, 429, 431, 451, 499, *range(500, 512), 520, 521, 522, 525, 530, 599]
OTHERS = ["invalid_request", "unsupported_grant_type", "invalid_scope", "server_error", "temporarily_unavailable", ""]
BODIES = {
    **{f"JSON, {word}": json.dumps({"error": word}).encode() for word in (*sorted(sign_in.REFUSALS), *OTHERS)},
    "JSON, an error that is no text": b'{"error": ["invalid_client"]}',
    "JSON, an error as an object": b'{"error": {"message": "invalid_client"}}',
    "JSON without error": b"{}",
    "JSON, a list": b'["invalid_client"]',
    "JSON, a text": b'"invalid_client"',
    "JSON cut off": b'{"error": "invalid_client"',
    "deep": b"[" * 100_000,
    "a page": b"<html>invalid_client</html>",
    "empty": b"",
    "no text": b"\xff\xfe\x00",
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("status", STATUSES)
def test_only_a_plain_refusal_asks_a_person(status: int, body: str) -> None:
    found = sign_in.refusal(httpx.Response(status, content=BODIES[body]))
    plain = status in (400, 401, 403) and body.removeprefix("JSON, ") in sign_in.REFUSALS
    assert isinstance(found, CredentialsRefused if plain else Unavailable)


@pytest.mark.parametrize(
    ("stated", "used"),
    [
        *[(3600, 3600), ("3600", 3600), (1, 1), (86400, 86400), (10**17, 86400), (10**30, 600), ("9" * 17, 86400)],
        *[
            (value, 600)
            for value in (0, -1, "-1", None, True, "", "soon", "²", "１", "3600.5", [], {}, "1e3", "9" * 5000)
        ],
    ],
)
def test_a_token_is_used_for_a_sensible_time(stated: object, used: int) -> None:
    body = json.dumps({"access_token": "t", "expires_in": stated})
    assert sign_in.token(httpx.Response(200, text=body), NOW).expires_at == NOW + timedelta(seconds=used)


@pytest.mark.parametrize("token", [None, "", 1, True, [], "a b", "a\r\nb", "æ", "t" * 8001])
def test_what_is_no_token_is_waited_for(token: object) -> None:
    with pytest.raises(Unavailable):
        sign_in.token(httpx.Response(200, text=json.dumps({"access_token": token, "expires_in": 60})), NOW)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b"null", b"[" * 100_000])
def test_a_200_without_a_token_is_waited_for(body: bytes) -> None:
    with pytest.raises(Unavailable):
        sign_in.token(httpx.Response(200, content=body), NOW)
