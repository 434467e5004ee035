"""What the token endpoint's answers mean: only a plain refusal needs a person, all else passes and is waited for.

| answer | meaning |
|---|---|
| 200 with `access_token` | signed in; `expires_in` within bounds |
| 400, 401, 403 with `error` one of `REFUSALS` in JSON | wrong credentials, or an application not connected |
| anything else: 1xx to 5xx, a page, no body, JSON without such an `error` | the service is not itself: again later |

Source: RFC 6749, 5.1 and 5.2; `access_denied` is the vendor's own.
"""

import re
from datetime import datetime, timedelta
from typing import Any

import httpx

from erphub.erp.systems.twentyfourseven import numbers, outcomes, problems
from erphub.erp.tokens import Token
from erphub.platform.errors import HubError

REFUSALS = frozenset({"invalid_client", "invalid_grant", "unauthorized_client", "access_denied"})
_REFUSING = frozenset({400, 401, 403})
LONGEST_LIFE = timedelta(days=1)
UNSTATED_LIFE = timedelta(minutes=10)
"""How long a token is used whose life is not stated, or not as a number of seconds above zero."""
_TOKEN = re.compile(r"[\x21-\x7e]{1,8000}")
_SECONDS = re.compile(r"[0-9]{1,18}")


def token(response: httpx.Response, asked: datetime) -> Token:
    """The token of a 200. Raises Unavailable when there is none in it."""
    body = _body(response)
    value = body.get("access_token")
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        raise outcomes.unreadable(writes=False)
    return Token(value, asked + life(body.get("expires_in")))


def life(expires_in: Any) -> timedelta:
    """How long a token is used: as stated, a day at most."""
    spelled = str(expires_in) if type(expires_in) is int or isinstance(expires_in, str) else ""
    if not _SECONDS.fullmatch(spelled) or not int(spelled):
        return UNSTATED_LIFE
    return timedelta(seconds=min(int(spelled), int(LONGEST_LIFE.total_seconds())))


def refusal(response: httpx.Response) -> HubError:
    """What an answer other than 200 means."""
    body, status = _body(response), response.status_code
    message = str(body.get("error_description") or body.get("error") or "")[:300]
    error = body.get("error")
    if status not in _REFUSING or not isinstance(error, str) or error not in REFUSALS:
        return outcomes.server_error(status, message, writes=False)
    if status == 403:
        return problems.APPLICATION_NOT_CONNECTED(erp_message=message)
    return problems.CLIENT_REFUSED(erp_message=message)


def _body(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer; empty when it is none."""
    try:
        return dict(numbers.part(numbers.loads(response.content)))
    except ValueError:
        return {}
