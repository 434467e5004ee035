"""Speaking 24SevenOffice's REST API: signed in, paged, patient, and honest about what is not known."""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import httpx

from erphub.erp.rate_limits import RateLimiter, waiting
from erphub.erp.systems.twentyfourseven import numbers, outcomes, problems, sign_in
from erphub.erp.systems.twentyfourseven.endpoints import Endpoints
from erphub.erp.systems.twentyfourseven.passes import RepeatedReading
from erphub.erp.systems.twentyfourseven.rate_limits import ASKED
from erphub.erp.systems.twentyfourseven.tokens import Tokens
from erphub.erp.tokens import Token
from erphub.platform.clock import Clock, Pause
from erphub.platform.errors import HubError, Unavailable

ATTEMPTS = 3
"""How often a read is tried before the caller is told; what writes is tried once."""
PATIENCE = timedelta(seconds=10)
"""A Retry-After up to this long is waited out on the spot; a longer one is the scheduler's business."""
_NEXT = re.compile(r'<(?P<url>[^>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)

type Query = Mapping[str, str | int | bool]


@dataclass(frozen=True)
class Application:
    """Who we are to REST: an application's credentials, and the organisation that has connected it."""

    client_id: str
    client_secret: str
    organisation: str


@dataclass(frozen=True)
class Answer:
    """What came back: the parsed body, the vendor's id of the exchange, and where the next page is."""

    body: Any
    trace_id: str | None
    next: Query | None = None


class Rest:
    """One organisation over REST."""

    def __init__(
        self,
        http: httpx.Client,
        endpoints: Endpoints,
        application: Application,
        tokens: Tokens,
        rate_limiter: RateLimiter,
        clock: Clock,
        *,
        pause: Pause = time.sleep,
    ) -> None:
        self._http = http
        self._endpoints = endpoints
        self._application = application
        self._tokens = tokens
        self._rate_limiter = rate_limiter
        self._clock = clock
        self._pause = pause
        self.lists = RepeatedReading()

    # --- signing in --------------------------------------------------------------------------------------------------

    def sign_in(self, *, anew: bool = False) -> str:
        """A valid access token; `anew` asks for one even when there is one. Raises CredentialsRefused, Unavailable."""
        return self._tokens.current(self._name, self._fetch, anew=anew)

    @property
    def _name(self) -> str:
        return f"rest:{self._application.client_id}:{self._application.organisation}"

    def _fetch(self) -> Token:
        asked = self._clock()
        form = {
            "grant_type": "client_credentials",
            "client_id": self._application.client_id,
            "client_secret": self._application.client_secret,
            "login_organization": self._application.organisation,
            "audience": "https://api.24sevenoffice.com",
        }
        try:
            response = self._http.post(f"{self._endpoints.login}/oauth/token", data=form)
        except httpx.HTTPError as error:
            raise outcomes.lost(error, writes=False) from error
        if response.status_code == 429:
            raise waiting(outcomes.retry_after(response.headers, asked), asked, ASKED)
        if response.status_code >= 500:
            raise outcomes.server_error(response.status_code, response.text[:200], writes=False)
        if response.status_code != 200:
            raise sign_in.refusal(response)
        return sign_in.token(response, asked)

    # --- asking ------------------------------------------------------------------------------------------------------

    def get(self, path: str, query: Query | None = None) -> Answer:
        """Read, with patience for what passes. Raises ErpRefused, CredentialsRefused, Unavailable."""
        failure: HubError | None = None
        for attempt in range(ATTEMPTS):
            if attempt:
                self._pause(0.3 * 4**attempt)
            try:
                return self._once("GET", path, query=query)
            except Unavailable as error:
                if error.code in ("erp_busy", "sign_in_busy"):
                    raise
                failure = error
        raise cast(HubError, failure)

    def pages(self, path: str, query: Query | None = None) -> Iterator[list[dict[str, Any]]]:
        """Every record of a list once, page by page, though records come and go meanwhile."""

        def read_once() -> Iterator[dict[str, dict[str, Any]]]:
            return ({_identity(record): record for record in page} for page in self.pages_once(path, query))

        return self.lists.records(read_once)

    def pages_once(self, path: str, query: Query | None = None) -> Iterator[list[dict[str, Any]]]:
        """Every page of a list, read once, following `link: rel=next`: for what is reconciled by its sums.

        The same page twice ends in Unavailable, not in a loop.
        """
        seen: set[str] = set()
        ask: Query | None = dict(query or {})
        while ask is not None:
            answer = self.get(path, ask)
            if not isinstance(answer.body, list):
                raise outcomes.unreadable(writes=False, trace_id=answer.trace_id)
            yield cast(list[dict[str, Any]], answer.body)
            ask = None if answer.next is None else {**ask, **answer.next}
            if ask is not None and str(sorted(ask.items())) in seen:
                raise problems.PAGES_IN_A_CIRCLE()
            seen.add(str(sorted((ask or {}).items())))

    def all(self, path: str, query: Query | None = None) -> list[dict[str, Any]]:
        """Every item of a list."""
        return [item for page in self.pages(path, query) for item in page]

    def write(self, method: str, path: str, body: Any, *, repeatable: bool = False) -> Answer:
        """Send something that changes the ERP, once.

        `repeatable` says that doing it again changes nothing more; then a lost answer is Unavailable rather than
        Uncertain. Raises ErpRefused (not applied), Unavailable (not applied, or repeatable), Uncertain.
        """
        content = numbers.dumps(body).encode()
        return self._once(method, path, content=content, writes=not repeatable)

    def put_presigned(self, method: str, url: str, content: bytes, media_type: str) -> None:
        """Send a file to an address the ERP gave for it. Our token stays at home. Raises Unavailable, ErpRefused."""
        if urlsplit(url).scheme != urlsplit(self._endpoints.rest).scheme:
            raise problems.UPLOAD_ADDRESS_REFUSED()
        try:
            response = self._http.request(method, url, content=content, headers={"Content-Type": media_type})
        except httpx.HTTPError as error:
            raise outcomes.lost(error, writes=False) from error
        if response.status_code in (429, 503) or response.status_code >= 500:
            raise outcomes.server_error(response.status_code, "", writes=False)
        if response.status_code >= 400:
            raise outcomes.refused(response.status_code, None)

    def _once(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        writes: bool = False,
    ) -> Answer:
        token = self.sign_in()
        response = self._exchange(method, path, token, query, content, headers, writes=writes)
        if response.status_code == 401:  # refused as a whole, so not applied: once more with a new token
            token = self._tokens.current(self._name, self._fetch, not_this=token)
            response = self._exchange(method, path, token, query, content, headers, writes=writes)
        return self._judged(response, writes=writes)

    def _exchange(
        self,
        method: str,
        path: str,
        token: str,
        query: Query | None,
        content: bytes | None,
        headers: Mapping[str, str] | None,
        *,
        writes: bool,
    ) -> httpx.Response:
        allowed_waits = 2
        while True:
            self._rate_limiter.acquire("rest")
            sent = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
            if content is not None:
                sent["Content-Type"] = "application/json"
            try:
                response = self._http.request(
                    method,
                    f"{self._endpoints.rest}/v1{path}",
                    params=_spelled(query),
                    content=content,
                    headers=sent | dict(headers or {}),
                )
            except httpx.HTTPError as error:
                raise outcomes.lost(error, writes=writes) from error
            if response.status_code != 429:
                return response
            now = self._clock()
            until = outcomes.retry_after(response.headers, now)
            self._rate_limiter.block("rest", until)
            if until - now > PATIENCE or not allowed_waits:
                raise waiting(until, now, ASKED)
            allowed_waits -= 1
            self._pause(max(0.0, (until - now).total_seconds()) + 0.01)

    def _judged(self, response: httpx.Response, *, writes: bool) -> Answer:
        trace_id = response.headers.get("x-trace-id")
        status = response.status_code
        try:
            body = numbers.loads(response.content) if response.content else None
        except ValueError as error:
            if status < 400:
                raise outcomes.unreadable(writes=writes, trace_id=trace_id) from error
            body = None
        if status < 300:
            return Answer(body, trace_id, _next_page(response))
        if status >= 500:
            raise outcomes.server_error(status, outcomes.error_message(body), writes=writes, trace_id=trace_id)
        if status == 401:
            raise outcomes.signed_out_again(outcomes.error_message(body))
        if status == 403:
            message = outcomes.error_message(body)
            raise outcomes.module_missing(message, trace_id) or outcomes.permission_denied(message, trace_id)
        if status == 408:
            raise outcomes.server_error(status, outcomes.error_message(body), writes=writes, trace_id=trace_id)
        raise outcomes.refused(status, body, trace_id)


def _spelled(query: Query | None) -> dict[str, str]:
    """Query values as the API spells them; true and false in small letters."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in (query or {}).items()
    }


def _identity(record: Mapping[str, Any]) -> str:
    """What a record is known by through all pages."""
    return str(record["id"]) if "id" in record else numbers.dumps(record)


def _next_page(response: httpx.Response) -> Query | None:
    """The query of the next page. Only the query: the address stays ours, whatever the header says."""
    found = _NEXT.search(response.headers.get("link", ""))
    return dict(parse_qsl(urlsplit(found["url"]).query)) if found else None


def parse_instant(text: Any) -> datetime | None:
    """An instant of an answer in UTC; a zone-less one is taken as UTC, as the vendor says they are."""
    from datetime import UTC

    if not isinstance(text, str) or not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
