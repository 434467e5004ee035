"""Requests to the hub: signed in, sent again where that is safe, answers as models, problems as exceptions."""

import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import date
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar, cast, overload
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from erphub_client.problems import HubProblem, NotFound, NotSignedIn, NotUnderstood, not_reached, problem_of
from erphub_client.retries import Retries, may_repeat

T = TypeVar("T")
ItemT = TypeVar("ItemT")


class Page(Protocol[ItemT]):
    """A page of a list; `next` is the cursor of the page after it."""

    @property
    def items(self) -> list[ItemT]:
        """What is on it."""
        ...

    @property
    def next(self) -> str | None:
        """None on the last page."""
        ...


class Sleep(Protocol):
    """How a pause is made."""

    def __call__(self, seconds: float, /) -> None:
        """Wait for so many seconds, as `time.sleep` does."""
        ...


class Token(Protocol):
    """What signs requests."""

    def current(self) -> str:
        """The token, or the API key, to show now. Raises NotSignedIn."""
        ...

    def renewed(self, refused: str) -> str | None:
        """Another one, after the hub refused this one; None when there is none. Raises NotSignedIn."""
        ...


class FixedToken:
    """An API key, or a token that somebody else renews."""

    def __init__(self, token: str) -> None:
        self._token = token

    def current(self) -> str:
        """The token."""
        return self._token

    def renewed(self, refused: str) -> str | None:  # noqa: ARG002
        """There is no other."""
        return None


class Requests:
    """What the operations are made with. Use as a context manager, or `close` it."""

    def __init__(
        self,
        base_url: str,
        token: str | Token,
        *,
        retries: Retries | None = None,
        timeout: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Sleep | None = None,
    ) -> None:
        """`base_url` is the deployment's address; `token` an API key, or what gives the tokens of a person."""
        self._token = FixedToken(token) if isinstance(token, str) else token
        self._retries = retries or Retries()
        self.sleep = sleep or time.sleep
        self._http = httpx.Client(
            base_url=base_url.rstrip("/"),
            timeout=timeout,
            transport=transport,
            headers={"User-Agent": "erphub-client/1", "Accept": "application/json, application/problem+json, */*"},
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def put_file(self, url: str, content: bytes, headers: Mapping[str, str], method: str = "PUT") -> None:
        """Put a file where the hub said, without any token of ours. Raises HubProblem."""
        request = httpx.Request(method, url, content=content, headers=dict(headers))
        self._exchange(request, signed=False)

    @overload
    def _send(self, answer: None, method: str, path: str, names: tuple[str, ...], **sent: Any) -> None: ...
    @overload
    def _send(self, answer: type[T], method: str, path: str, names: tuple[str, ...], **sent: Any) -> T: ...
    def _send(self, answer: type[T] | None, method: str, path: str, names: tuple[str, ...], **sent: Any) -> T | None:
        """Send one operation with its `body` or `content`, `query` and `headers`. Raises HubProblem."""
        request = self._request(method, filled_in(path, names), **sent)
        response = self._exchange(request, gone_is_done=method == "DELETE" and answer is None)
        if answer is None:
            return None
        if answer is str:
            return cast(T, response.text)
        try:
            return TypeAdapter(answer).validate_json(response.content)
        except ValidationError as error:
            detail = f"The answer to {method} {path} is none that this client knows. Take the hub's version of it."
            raise NotUnderstood(response.status_code, {"code": "not_understood", "detail": detail}) from error

    def _request(
        self,
        method: str,
        path: str,
        *,
        body: BaseModel | Mapping[str, Any] | None = None,
        content: bytes | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
    ) -> httpx.Request:
        sent = {} if content is None else {"Content-Type": "application/octet-stream"}
        if method == "POST":
            sent["Idempotency-Key"] = str(uuid.uuid4())
        return self._http.build_request(
            method,
            path,
            params=_texts(query or {}),
            headers=sent | _texts(headers or {}),
            json=None if body is None else _sendable(body),
            content=content,
        )

    def _pages(
        self, page: type[Page[T]], path: str, names: tuple[str, ...], query: Mapping[str, Any] | None = None
    ) -> Iterator[T]:
        cursor: str | None = None
        while True:
            found = self._send(page, "GET", path, names, query={**(query or {}), "next": cursor})
            yield from found.items
            cursor = found.next
            if not cursor:
                return

    def _exchange(self, request: httpx.Request, *, signed: bool = True, gone_is_done: bool = False) -> httpx.Response:
        """The successful answer, after as many tries as are safe. Raises HubProblem."""
        tried = 0
        token = self._token.current() if signed else ""
        while True:
            tried += 1
            if signed:
                request.headers["Authorization"] = f"Bearer {token}"
            error: httpx.TransportError | None = None
            try:
                response = self._http.send(request)
            except httpx.TransportError as met:
                error, problem = met, not_reached(met)
            else:
                if response.is_success:
                    return response
                problem = problem_of(response)
                if gone_is_done and tried > 1 and isinstance(problem, NotFound):
                    return httpx.Response(204, request=request)  # a try whose answer was lost has done it
                if isinstance(problem, NotSignedIn) and tried == 1 and (other := self._token.renewed(token)):
                    token = other
                    continue
            self._pause_or_raise(request, tried, problem, error)

    def _pause_or_raise(
        self, request: httpx.Request, tried: int, problem: HubProblem, error: httpx.TransportError | None
    ) -> None:
        pause = (
            self._retries.pause(tried, problem) if may_repeat(request.method, request.headers, problem, error) else None
        )
        if pause is None:
            raise problem from error
        self.sleep(pause)


def filled_in(path: str, names: tuple[str, ...]) -> str:
    """A path of the description with its places filled, each as one step whatever stands in it."""
    parts = iter(names)
    return "/".join(quote(next(parts), safe="") if step.startswith("{") else step for step in path.split("/"))


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """What is given, as it stands in an address or a header."""
    return {name: _text(value) for name, value in values.items() if value is not None}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def _sendable(body: BaseModel | Mapping[str, Any]) -> Any:
    if isinstance(body, BaseModel):
        return body.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return dict(body)
