"""Signing in over SOAP: a table of operation, status and body; only a plain refusal asks a person."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from erphub.erp.systems.twentyfourseven import soap_sign_in
from erphub.erp.systems.twentyfourseven.endpoints import Endpoints
from erphub.erp.systems.twentyfourseven.rate_limits import InProcessRateLimiter
from erphub.erp.systems.twentyfourseven.soap import Login, Soap
from erphub.erp.systems.twentyfourseven.tokens import InProcessTokenStore, Tokens
from erphub.platform.errors import CredentialsRefused, ErpRefused, HubError, Unavailable
from tests.erp.systems.twentyfourseven.test_sign_in import STATUSES

NOW = datetime(2026, 3, 5, tzinfo=UTC)
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
OURS = "http://24sevenOffice.com/webservices"


def envelope(content: str) -> bytes:
    return f'<?xml version="1.0"?><s:Envelope xmlns:s="{SOAP}"><s:Body>{content}</s:Body></s:Envelope>'.encode()


def fault(words: str, whose: str = "Server") -> bytes:
    return envelope(f"<s:Fault><faultcode>s:{whose}</faultcode><faultstring>{words}</faultstring></s:Fault>")


REFUSALS = {
    "known words": fault("Server was unable to process request. ---&gt; Invalid credential"),
    "known words, ours": fault("Wrong password", "Client"),
    "blocked": fault("The provided IdentityId is blocked: 7"),
}
DENIED = {"no access": fault("No license for this user.")}
PASSING = {
    "login failed for another reason": fault("Login failed: the database is not available"),
    "login failed, a time-out": fault("Login failed. Timeout expired."),
    "too many": fault("Invalid credential cache, too many calls, try again later"),
    "unknown words": fault("Object reference not set to an instance of an object."),
    "unknown words, ours": fault("The request could not be read.", "Client"),
    "no session, where one is asked for": fault("Not authenticated. The session is missing or has expired."),
    "no words": fault(""),
    "no fault within": envelope("<s:Fault/>"),
    "a page": b"<html><body>Invalid credential: login failed</body></html>",
    "a page that is no XML": b"<!doctype html><br>Wrong password",
    "empty": b"",
    "cut": REFUSALS["known words"][:-30],
    "another answer": envelope(f'<LogoutResponse xmlns="{OURS}"/>'),
    "JSON": b'{"error": "invalid_client"}',
    "no text": b"\xff\xfe\x00",
    "nothing in the envelope": envelope(""),
}
BODIES = REFUSALS | DENIED | PASSING
OPERATIONS = sorted(soap_sign_in.OPERATIONS)


def answered(operation: str, status: int, body: bytes) -> Any:
    """What a user meets who signs in and gets this answer."""

    def handle(request: httpx.Request) -> httpx.Response:
        asked = request.headers["SOAPAction"].strip('"').rpartition("/")[2]
        if asked == operation:
            return httpx.Response(status, content=body)
        who = "<Identity><Id>i</Id><Client><Id>1</Id><Name>Butikk</Name></Client></Identity>"
        result = f"<{asked}Result>{who}</{asked}Result>"
        return httpx.Response(200, content=envelope(f'<{asked}Response xmlns="{OURS}">{result}</{asked}Response>'))

    http = httpx.Client(transport=httpx.MockTransport(handle))
    tokens = Tokens(InProcessTokenStore(), lambda: NOW, pause=lambda _: None)
    login = Login("kari@example.com", "password", "application")
    soap = Soap(http, Endpoints(), login, tokens, InProcessRateLimiter(lambda: NOW), lambda: NOW, pause=lambda _: None)
    try:
        return soap.sign_in("")
    except HubError as error:
        return error


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("status", [200, *STATUSES])
def test_only_a_plain_refusal_asks_a_person(status: int, body: str, operation: str) -> None:
    met = answered(operation, status, BODIES[body])
    if body in REFUSALS and status in (200, 400, 401, 403, 500):
        assert isinstance(met, CredentialsRefused)
    elif body in DENIED and status in (200, 400, 401, 403, 500):
        assert type(met) is ErpRefused
    else:
        assert isinstance(met, Unavailable)


@pytest.mark.parametrize("status", [200, *STATUSES])
@pytest.mark.parametrize("result", ["", "<LoginResult/>", "<LoginResult> </LoginResult>"])
def test_no_session_is_a_refusal_when_the_service_itself_says_so(status: int, result: str) -> None:
    met = answered("Login", status, envelope(f'<LoginResponse xmlns="{OURS}">{result}</LoginResponse>'))
    assert isinstance(met, CredentialsRefused if status == 200 else Unavailable)


@pytest.mark.parametrize("found", ["a b", "a;b=c", "æ", "s" * 201, "<b>a</b>"])
def test_what_is_no_session_is_waited_for(found: str) -> None:
    body = envelope(f'<LoginResponse xmlns="{OURS}"><LoginResult>{found}</LoginResult></LoginResponse>')
    assert isinstance(answered("Login", 200, body), Unavailable)


def test_a_session_lets_in() -> None:
    body = envelope(f'<LoginResponse xmlns="{OURS}"><LoginResult>abc123</LoginResult></LoginResponse>')
    assert answered("Login", 200, body) == "abc123"


@pytest.mark.parametrize(
    "identity", ["<Identity/>", "<Identity><Id><b/></Id></Identity>", "<Identity><Id>1</Id></Identity>"]
)
def test_an_identity_without_its_number_is_waited_for(identity: str) -> None:
    operation = "GetIdentitiesWithCredential"
    result = f"<{operation}Result><Identity>{identity}</Identity></{operation}Result>"
    body = envelope(f'<{operation}Response xmlns="{OURS}">{result}</{operation}Response>')
    assert isinstance(answered(operation, 200, body), Unavailable)


def test_nobody_by_that_name_and_password_reaches_no_company() -> None:
    operation = "GetIdentitiesWithCredential"
    body = envelope(f'<{operation}Response xmlns="{OURS}"><{operation}Result/></{operation}Response>')
    assert isinstance(answered(operation, 200, body), CredentialsRefused)
