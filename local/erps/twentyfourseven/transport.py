"""Reaching a WSGI app in process through httpx, with the failures a wire would show."""

from typing import Any

import httpx

from .faults import Dropped


class Transport(httpx.BaseTransport):
    """A WSGI app as an httpx transport. A lost answer is a read time-out or a closed connection, half of one is too."""

    def __init__(self, app: Any) -> None:
        self._wsgi = httpx.WSGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request. Raises httpx.ReadTimeout, httpx.RemoteProtocolError."""
        try:
            response = self._wsgi.handle_request(request)
        except Dropped as dropped:
            if dropped.waits:
                raise httpx.ReadTimeout("The read operation timed out", request=request) from dropped
            raise httpx.RemoteProtocolError(
                "Server disconnected without sending a response.", request=request
            ) from dropped
        body = response.read()
        declared_length = response.headers.get("content-length")
        if declared_length is not None and int(declared_length) != len(body):
            words = (
                f"peer closed connection without sending complete message body ({len(body)} of {declared_length} bytes)"
            )
            raise httpx.RemoteProtocolError(words, request=request)
        return httpx.Response(response.status_code, headers=response.headers, content=body)
