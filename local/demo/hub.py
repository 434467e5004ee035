"""The hub as its users' programs see it: requests over HTTP with a token, and waiting for what takes a while."""

import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import httpx


class DemoFailed(RuntimeError):
    """Something was not as it must be; the text is for the person who watches."""


class Hub:
    """One signed-in user of one client. `requests` counts what was asked."""

    def __init__(self, api_url: str, token: str, client_id: str) -> None:
        self._http = httpx.Client(base_url=api_url, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        self._client = f"/clients/{client_id}"
        self.requests = 0

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """Look at something. A path that begins with `.` is one of the client's. Raises DemoFailed."""
        return self._call("GET", path, params=query)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask for something new. Raises DemoFailed."""
        return self._call("POST", path, json=body)

    def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Answer or replace something. Raises DemoFailed."""
        return self._call("PUT", path, json=body)

    def post_xml(self, path: str, content: bytes) -> dict[str, Any]:
        """Hand in an XML file as it is. Raises DemoFailed."""
        return self._call("POST", path, content=content, headers={"Content-Type": "application/xml"})

    def upload(self, path: str, form: str, content: bytes) -> dict[str, Any]:
        """Hand in many documents as one file, and wait until it was read. Raises DemoFailed."""
        made = self.post(path, {"format": form})
        slot = made["upload"]
        try:
            headers: dict[str, str] = slot["headers"]
            httpx.request(slot["method"], slot["url"], content=content, headers=headers, timeout=60).raise_for_status()
        except httpx.HTTPError as error:
            raise DemoFailed(f"The file could not be put to its place: {error}") from error
        self.post(f"{path}/{made['id']}/take", {})
        return until(
            lambda: self.get(f"{path}/{made['id']}"), lambda seen: seen["status"] not in ("open", "reading"), 180
        )

    def _call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        address = self._client + path[1:] if path.startswith("./") else path
        self.requests += 1
        try:
            answer = self._http.request(method, address, **more)
        except httpx.HTTPError as error:
            raise DemoFailed(f"The hub did not answer {method} {path}: {error}") from error
        if answer.is_success:
            return cast(dict[str, Any], answer.json()) if answer.content else {}
        raise DemoFailed(f"The hub answered {method} {path} with {answer.status_code}: {_said(answer)}")

    def pages(self, path: str, *, limit: int = 200, **query: str | int) -> Iterator[list[dict[str, Any]]]:
        """Every page of a list. Raises DemoFailed."""
        following: dict[str, str] = {}
        while True:
            page = self.get(path, limit=limit, **query, **following)
            yield page["items"]
            if page["next"] is None:
                return
            following = {"next": page["next"]}


def _said(answer: httpx.Response) -> str:
    """What a problem document says, or the beginning of whatever came instead."""
    if "json" in answer.headers.get("content-type", ""):
        problem = cast(dict[str, Any], answer.json())
        wrong = cast(list[dict[str, str]], problem.get("errors") or [])
        errors = [f"{one['pointer']}: {one['detail']}" for one in wrong]
        return " ".join([str(problem.get("detail", "")), *errors])
    return answer.text[:300]


def until[T](look: Callable[[], T], done: Callable[[T], bool], seconds: float, every: float = 0.25) -> T:
    """Look again and again until it is done. Raises DemoFailed when that takes longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if done(seen):
            return seen
        if time.monotonic() > deadline:
            raise DemoFailed(f"The hub has been at it for more than {seconds:.0f} seconds; something is stuck.")
        time.sleep(every)
