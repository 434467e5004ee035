"""A proxy before the local AWS that numbers every request and has one, or two, of them go wrong.

What goes wrong is what a network and a busy service do: a request that never got there, an answer that never came back,
half of either, a refusal, an answer that says "failed" though it was stored, and a service that is out of reach from
that request on until whoever asked has given up.

The proxy is a process of its own, because the table engine keeps its process's other threads from answering while it
waits for an answer itself.
"""

import contextlib
import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit


class Fault(StrEnum):
    """What can become of a request."""

    LOST = "request lost"
    """Nothing was stored, no answer came."""
    CUT = "request cut in the middle"
    """Half of it arrived: nothing was stored, no answer came."""
    THROTTLED = "refused as throttled"
    UNANSWERED = "stored, answer lost"
    HALF_ANSWERED = "stored, answer cut in the middle"
    DENIED = "stored, answered 500"
    AWAY = "request lost, then out of reach"
    """From this request on nothing gets through until the function has ended."""
    AWAY_AFTER = "stored, answer lost, then out of reach"

    @property
    def stores(self) -> bool:
        """Whether the request takes effect."""
        return self in (Fault.UNANSWERED, Fault.HALF_ANSWERED, Fault.DENIED, Fault.AWAY_AFTER)

    @property
    def lasts(self) -> bool:
        """Whether nothing gets through afterwards."""
        return self in (Fault.AWAY, Fault.AWAY_AFTER)


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def service(self) -> str:
        """The service that it is for, by the name that botocore knows it by."""
        word = self.headers.get("x-amz-target", "").partition(".")[0]
        known = {"DynamoDB_20120810": "dynamodb", "AWSStepFunctions": "stepfunctions", "AWSEvents": "events"}
        if word:
            return known.get(word) or {"TrentService": "kms"}.get(word, word)
        return "lambda" if self.target.startswith("/2015-03-31/functions") else "s3"

    @property
    def operation(self) -> str:
        """The operation asked for."""
        if target := self.headers.get("x-amz-target"):
            return target.rpartition(".")[2]
        return "Invoke" if self.service == "lambda" else self._s3_operation()

    def _s3_operation(self) -> str:
        parts = urlsplit(self.target)
        asked = parse_qs(parts.query, keep_blank_values=True)
        inside = len(parts.path.strip("/").split("/")) > 1
        match self.method:
            case "GET" if "versions" in asked:
                return "ListObjectVersions"
            case "GET":
                return "GetObject" if inside else "ListObjectsV2"
            case "PUT" if "x-amz-copy-source" in self.headers:
                return "CopyObject"
            case "PUT":
                return "UploadPart" if "partNumber" in asked else "PutObject"
            case "POST" if "delete" in asked:
                return "DeleteObjects"
            case "POST":
                return "CreateMultipartUpload" if "uploads" in asked else "CompleteMultipartUpload"
            case "HEAD":
                return "HeadObject"
            case _:
                return "DeleteObject"

    def __str__(self) -> str:
        about = urlsplit(self.target).path if self.service == "s3" else _names(self.body)
        return f"{self.service}.{self.operation} {about}"


@dataclass(frozen=True)
class Answer:
    """An answer as it is given."""

    status: int
    headers: Mapping[str, str]
    body: bytes


type Answerer = Callable[[Request], Answer]

ELSEWHERE = ("stepfunctions", "lambda", "events")
"""Services that whoever tests answers itself."""


class Answers:
    """The services that are answered in this process, on a port of their own: the proxy hands their requests on."""

    def __init__(self) -> None:
        self.by_service: dict[str, Answerer] = {}
        self._server = _Server(("127.0.0.1", 0), _Answering)
        self._server.answers = self
        self.port = int(self._server.server_address[1])
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class FaultProxy:
    """The proxy, as whoever tests steers it: a process before the local AWS at `upstream`, a port on loopback."""

    def __init__(self, upstream: int) -> None:
        self.answers = Answers()
        command = [sys.executable, "-m", __spec__.name, str(upstream), str(self.answers.port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        port = int(self._process.stdout.readline())
        self.address = f"http://127.0.0.1:{port}"
        self._steering = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def expect(self, faults: Mapping[int, Fault]) -> None:
        """Count from one again; these requests go wrong."""
        self._say("expect", {str(number): fault.value for number, fault in faults.items()})

    def rest(self) -> None:
        """Count no more; everything gets through."""
        self._say("rest")

    def light(self) -> None:
        """Whoever was out of reach has ended: the next one is in reach again."""
        self._say("light")

    def calls(self) -> list[tuple[str, str]]:
        """The requests since `expect`, in the order in which they came: the service and what was asked of it."""
        return [(service, about) for service, about in self._say("calls")]

    def struck(self) -> list[int]:
        """Numbers of the requests that went wrong."""
        return self._say("struck")

    def close(self) -> None:
        self._steering.close()
        self._process.communicate()
        self.answers.close()

    def _say(self, word: str, given: Any = None) -> Any:
        self._steering.request("POST", f"{_STEERING}{word}", json.dumps(given))
        return json.loads(self._steering.getresponse().read())


_STEERING = "/_faults/"


@dataclass
class Faults:
    """What the proxy knows: which request is next, and which are to go wrong."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    faults: dict[int, Fault] = field(default_factory=dict)
    struck: list[int] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)
    dark: bool = False
    counting: bool = False

    def steer(self, word: str, given: Any) -> Any:
        with self.lock:
            match word:
                case "expect":
                    self.calls, self.struck, self.dark, self.counting = [], [], False, True
                    self.faults = {int(number): Fault(fault) for number, fault in given.items()}
                case "rest":
                    self.dark = self.counting = False
                case "light":
                    self.dark = False
                case _:
                    return getattr(self, word)
        return None

    def fate(self, request: Request) -> Fault | None:
        """Count the request; what becomes of it."""
        with self.lock:
            if not self.counting:
                return None
            self.calls.append((request.service, str(request)))
            if self.dark:
                return Fault.LOST
            fault = self.faults.get(len(self.calls))
            if fault is not None:
                self.struck.append(len(self.calls))
                self.dark = fault.lasts
            return fault


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    answers: Answers
    faults: Faults
    upstream: int
    elsewhere: int
    """Where the services are that the local AWS is not asked for."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is nothing to write about: the proxy makes it happen."""


class _Serving(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the proxy keeps what came itself."""

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.serve(Request(self.command, self.path, headers, self._body()))

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET

    def serve(self, request: Request) -> None:
        raise NotImplementedError

    def handle_expect_100(self) -> bool:
        """Say at once that a body may come: whoever waits for it would wait for a second."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            pieces: list[bytes] = []
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(pieces)
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _give(self, answer: Answer, *, half: bool = False) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name not in ("connection", "transfer-encoding", "content-length", "keep-alive"):
                self.send_header(name, value)
        silent = self.command == "HEAD" or answer.status == 204
        told = answer.headers.get("content-length", "0") if self.command == "HEAD" else str(len(answer.body))
        if answer.status != 204:
            self.send_header("content-length", told)
        if half and (silent or not answer.body):
            self._headers_buffer: list[bytes] = []
            self.wfile.write(b"HTTP/1.1 2")
            self._drop()
            return
        self.end_headers()
        if not silent:
            self.wfile.write(answer.body[: len(answer.body) // 2] if half else answer.body)
        self.wfile.flush()
        if half:
            self._drop()

    def _drop(self) -> None:
        """Hang up without a word."""
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True


class _Answering(_Serving):
    def serve(self, request: Request) -> None:
        self._give(self.server.answers.by_service[request.service](request))


class _Handler(_Serving):
    def setup(self) -> None:
        super().setup()
        self._up: dict[int, http.client.HTTPConnection] = {}

    def serve(self, request: Request) -> None:
        if request.target.startswith(_STEERING):
            said = self.server.faults.steer(request.target.removeprefix(_STEERING), json.loads(request.body))
            self._give(answered(said))
            return
        match self.server.faults.fate(request):
            case None:
                self._give(self._answer(request))
            case Fault.LOST | Fault.AWAY:
                self._drop()
            case Fault.CUT:
                self._hand_on_half(request)
                self._drop()
            case Fault.THROTTLED:
                self._give(throttled(request))
            case Fault.UNANSWERED | Fault.AWAY_AFTER:
                self._answer(request)
                self._drop()
            case Fault.HALF_ANSWERED:
                self._give(self._answer(request), half=True)
            case Fault.DENIED:
                self._answer(request)
                self._give(failed(request))

    def finish(self) -> None:
        super().finish()
        for up in self._up.values():
            up.close()

    def _answer(self, request: Request) -> Answer:
        port = self.server.elsewhere if request.service in ELSEWHERE else self.server.upstream
        for last in (False, True):
            try:
                return self._asked(port, request)
            except (http.client.HTTPException, OSError):
                # An idle connection had been closed; what was asked is answered on another one.
                self._up.pop(port).close()
                if last:
                    raise
        raise AssertionError

    def _asked(self, port: int, request: Request) -> Answer:
        if port not in self._up:
            self._up[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            self._up[port].connect()
            self._up[port].sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._up[port].request(request.method, request.target, request.body, _handed_on(request))
        answer = self._up[port].getresponse()
        body = answer.read()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, names, body)

    def _hand_on_half(self, request: Request) -> None:
        """Send the head and half of the body, and go away."""
        if request.service in ELSEWHERE:
            return
        head = "".join(f"{name}: {value}\r\n" for name, value in _handed_on(request).items())
        size = f"content-length: {len(request.body)}\r\n"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.server.upstream)) as half:
            half.sendall(f"{request.method} {request.target} HTTP/1.1\r\n{head}{size}\r\n".encode())
            half.sendall(request.body[: len(request.body) // 2])


def _handed_on(request: Request) -> dict[str, str]:
    left_out = ("connection", "transfer-encoding", "content-length", "expect", "keep-alive")
    return {name: value for name, value in request.headers.items() if name not in left_out}


_THROTTLED = {
    "dynamodb": "com.amazonaws.dynamodb.v20120810#ThrottlingException",
    "stepfunctions": "ThrottlingException",
    "secretsmanager": "ThrottlingException",
    "events": "ThrottlingException",
    "kms": "ThrottlingException",
    "lambda": "TooManyRequestsException",
}
_FAILED = {
    "dynamodb": "com.amazonaws.dynamodb.v20120810#InternalServerError",
    "stepfunctions": "InternalFailure",
    "secretsmanager": "InternalServiceError",
    "events": "InternalException",
    "kms": "KMSInternalException",
    "lambda": "ServiceException",
}


def throttled(request: Request) -> Answer:
    """The service's own way to say that this was too much at once."""
    if request.service == "s3":
        return _xml(503, "SlowDown", "Please reduce your request rate.")
    return refusal(429 if request.service == "lambda" else 400, _THROTTLED[request.service], "Rate exceeded")


def failed(request: Request) -> Answer:
    """The service's own way to say that something went wrong inside it."""
    if request.service == "s3":
        return _xml(500, "InternalError", "We encountered an internal error. Please try again.")
    return refusal(500, _FAILED[request.service], "Internal server error")


def refusal(status: int, code: str, message: str) -> Answer:
    """A refusal in JSON."""
    headers = {"content-type": "application/x-amz-json-1.1", "x-amzn-errortype": code.rpartition("#")[2]}
    return Answer(status, headers, json.dumps({"__type": code, "message": message, "Message": message}).encode())


def answered(content: Any, status: int = 200) -> Answer:
    """An answer in JSON."""
    return Answer(status, {"content-type": "application/x-amz-json-1.1"}, json.dumps(content).encode())


def _xml(status: int, code: str, message: str) -> Answer:
    text = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Answer(status, {"content-type": "application/xml"}, text.encode())


def _names(body: bytes) -> str:
    """What a request in JSON is about: its keys, for whoever reads of a fault."""
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        return ""
    found: list[str] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            if "sk" in value and isinstance(value["sk"], dict):
                found.append(str(value["sk"].get("S")))
            for one in value.values():
                look(one)
        elif isinstance(value, list):
            for one in value:
                look(one)

    look(given)
    return " ".join(dict.fromkeys(found)) or " ".join(
        str(given.get(name)) for name in ("name", "Name", "SecretId") if name in given
    )


def main() -> None:
    """Serve as a proxy until whoever started it has gone; the first line written says on which port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.faults, server.upstream, server.elsewhere = Faults(), int(sys.argv[1]), int(sys.argv[2])
    print(server.server_address[1], flush=True)
    Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
