"""The stand-in 24SevenOffice as one WSGI app: which part answers a call, what is counted, and which fault strikes."""

import threading
from collections.abc import Iterable
from datetime import timedelta
from typing import Self
from wsgiref.types import StartResponse, WSGIEnvironment

from . import (
    admin,
    rest,
    rest_files,
    rest_ledger,
    rest_orders,
    rest_trade,
    seed,
    soap,
    soap_files,
    soap_ledger,
    soap_orders,
    soap_signin,
    soap_trade,
)
from .faults import AFTER, BEFORE, SAVE_ANSWERS, Dropped, Fault, Faults
from .http import MalformedError, Request, Response, json_response, read, write
from .state import World

PARTS = (
    rest_ledger,
    rest_files,
    rest_trade,
    rest_orders,
    soap_signin,
    soap_ledger,
    soap_files,
    soap_trade,
    soap_orders,
)
"""Importing them declares what they answer."""


class App:
    """Answers calls of REST, SOAP, the token endpoint, pre-signed uploads and the admin view, over one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults = Faults()
        self.stopping = threading.Event()
        """Set when the server ends, so that nothing waits on."""

    @classmethod
    def seeded(cls, lines: int = 0) -> Self:
        """A fresh world, with so many ledger lines in its first company."""
        app = cls(seed.world())
        if lines:
            seed.fill_ledger(app.world.organisation(seed.SHOP), lines, app.world.now())
        return app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI. Raises Dropped when no answer is to arrive."""
        return write(self.answer(read(environ)), start_response)

    def answer(self, request: Request) -> Response:
        """Answer one call. Raises Dropped."""
        if request.path.startswith("/_admin"):
            return self._admin(request)
        operation = operation_of(request)
        with self.world.lock:
            self.world.calls[operation] += 1
        fault = self.faults.take(operation)
        if fault is None:
            return self._work(request)
        return self._strike(fault, operation, request)

    def _strike(self, fault: Fault, operation: str, request: Request) -> Response:
        if fault.kind in BEFORE:
            return self._fail(fault, operation)
        if fault.kind in SAVE_ANSWERS:
            service, name = soap.asked_for(request)
            if service is None or name != "SaveBundleList":
                return self._work(request)
            return soap.answered(service, name, {"Type": SAVE_ANSWERS[fault.kind], "Description": "As told to."})
        if fault.kind == "session_expired":
            self._forget(request)
        if fault.kind == "slow":
            self.stopping.wait(fault.seconds)
        response = self._work(request)
        if fault.kind in AFTER:
            return self._fail(fault, operation)
        if fault.kind == "late":
            self.stopping.wait(fault.seconds)
        response.half = fault.kind == "half"
        return response

    def _fail(self, fault: Fault, operation: str) -> Response:
        kind, by_soap = fault.kind, operation.startswith("soap:")
        if kind.startswith(("timeout", "cut")):
            raise Dropped(waits=kind.startswith("timeout"), seconds=fault.seconds)
        if kind == "quarantine":
            return soap.fault(soap.quarantine(1, self.world.now() + timedelta(seconds=fault.seconds)))
        if kind == "identity_blocked":
            return soap.fault(soap.UNABLE + "The provided IdentityId is blocked.")
        status, words = (
            (429, "Too many requests.") if kind == "rate_limited" else (500, "An unexpected error occurred.")
        )
        if by_soap:
            response = soap.fault(soap.UNABLE + words, status=status)
        else:
            name = "TooManyRequestsError" if status == 429 else "InternalServerError"
            response = json_response({"error": {"name": name, "message": words}, "trackingId": "stand-in"}, status)
            response.headers["X-Trace-Id"] = "stand-in"
        if status == 429:
            response.headers["Retry-After"] = str(int(fault.seconds))
        return response

    def _forget(self, request: Request) -> None:
        with self.world.lock:
            self.world.tokens.pop(request.headers.get("authorization", "").partition(" ")[2], None)
            self.world.sessions.pop(soap.session_id_of(request) or "", None)

    def _work(self, request: Request) -> Response:
        with self.world.lock:
            if request.path == "/login/oauth/token" and request.method == "POST":
                return rest.give_token(self.world, request)
            if request.path.startswith("/rest/uploads/"):
                return rest_files.receive(self.world, request)
            if request.path.startswith(rest.PREFIX + "/"):
                return self._rest(request)
            if request.path.startswith(("/api/", "/webservices/")):
                return soap.handle(self.world, request)
        return json_response(
            {"error": {"name": "NotFoundError", "message": f"There is nothing at {request.path}."}}, 404
        )

    def _rest(self, request: Request) -> Response:
        try:
            return rest.handle(self.world, request)
        except MalformedError as error:
            response = json_response(
                {"error": {"name": "BadRequestError", "message": str(error)}, "trackingId": "stand-in"}, 400
            )
            response.headers["X-Trace-Id"] = "stand-in"
            return response

    def _admin(self, request: Request) -> Response:
        try:
            with self.world.lock:
                return admin.handle(self.world, self.faults, request)
        except (admin.AdminError, MalformedError) as error:
            return json_response({"error": str(error)}, 400)


def operation_of(request: Request) -> str:
    """What a call is called in counts and faults: `rest:GET /accounts/{id}`, `soap:Login`, `token`, `upload`."""
    if request.path.startswith("/rest/uploads/"):
        return "upload"
    if request.path.startswith(rest.PREFIX + "/"):
        return rest.operation(request)
    if request.path == "/login/oauth/token":
        return "token"
    service, name = soap.asked_for(request)
    return f"soap:{name}" if service is not None else "other"
