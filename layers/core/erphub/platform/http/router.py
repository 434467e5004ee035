"""Routes, declared once with everything that holds for them.

A handler's parameters say what it wants: `caller`, `member`, `body`, `query`, `received`, `version` (what `If-Match`
asks for, where no body says it), the names in the path, and else a service by its class. Its return type says what it
gives, its first line what it does. From the same declarations come the checks of every request, the audit log, the
OpenAPI document, the gateway's definition and the tests of every route.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from erphub.platform.capability import Act, Audited, ByService, Limit, OneOf, Permission
from erphub.platform.identity import AccessLevel
from erphub.platform.wire import Model

if TYPE_CHECKING:
    from pydantic import BaseModel

_GIVEN = {"caller", "member", "body", "query", "received", "version"}


type Handler = Callable[..., Any]


@dataclass(frozen=True)
class RawJson:
    """An answer that is JSON text already."""

    text: str


@dataclass(frozen=True)
class Text:
    """An answer that is no JSON."""

    text: str
    content_type: str


class Shapes(Protocol):
    """What a body may be."""

    def __call__(self) -> "Mapping[str, type[BaseModel] | Mapping[str, Any]]":
        """The shapes by their names in the description: models, or JSON Schemas."""
        ...


@dataclass(frozen=True)
class AnyOf:
    """What a mapping may be, for the description: one of some shapes, of which the address or the body tells which."""

    description: str
    shapes: Shapes
    """Asked when the description is made."""


class IsFinished(Protocol):
    """Whether work has come to its end."""

    def __call__(self, shown: Any, /) -> bool:
        """By what the route shows that shows it."""
        ...


@dataclass(frozen=True)
class Awaited:
    """Work that a route begins, for whoever prefers to wait for its end (`Prefer: wait=20`)."""

    shown_at: str
    """The declared path of the GET that shows it. What stands in its places is named by the request's own path, and
    the last one where it is not by the answer's `id`; the GET shows what the route gives, or more."""
    is_finished: IsFinished


@dataclass(frozen=True)
class Route:
    """One route and all that is promised about it."""

    method: str
    path: str
    handler: Handler
    needs: Permission | AccessLevel
    status: int
    area: str
    """Its heading in the documentation."""
    takes: Any = None
    """The body: a Model, `bytes` when it is a file, or a mapping when the address says what is in it: then annotated
    with what that may be, `Annotated[dict[str, Any], AnyOf(…)]`."""
    query: type[Model] | None = None
    gives: Any = None
    wants: tuple[str, ...] = field(default=())
    """The handler's parameters that come from the request."""
    audited: Audited | None = None
    """What it is in the audit log; None when it changes nothing (GET)."""
    services: Mapping[str, type[Any]] = field(default_factory=dict[str, type[Any]])
    """Its other parameters, with the classes of the services they take."""
    limit: Limit | None = None
    """What it adds one to."""
    awaited: Awaited | None = None
    """What whoever prefers it waits for."""

    @property
    def takes_version(self) -> bool:
        """Whether it can be told which version it is to change, so takes `If-Match`."""
        return "version" in self.wants or "version" in getattr(self.takes, "model_fields", ())

    @property
    def acts(self) -> tuple[Act, ...]:
        """The acts that it may be."""
        if isinstance(self.audited, ByService | OneOf):
            return self.audited.acts
        return (self.audited,) if isinstance(self.audited, Act) else ()

    @property
    def operation(self) -> str:
        """Its name in the OpenAPI document."""
        return self.handler.__name__

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the path, in order."""
        return path_names(self.path)


class Router:
    """The routes of one package."""

    def __init__(self, area: str) -> None:
        """`area` is the heading under which the documentation lists them."""
        self.area = area
        self.routes: list[Route] = []

    def find(self, method: str, resource: str) -> Route | None:
        """The route of a method and a declared path."""
        return next((route for route in self.routes if (route.method, route.path) == (method, resource)), None)

    def methods(self, resource: str) -> list[str]:
        """The methods of a declared path; none when nothing is served there."""
        return [route.method for route in self.routes if route.path == resource]

    def get(self, path: str, needs: Permission | AccessLevel) -> Callable[[Handler], Handler]:
        """Declare a GET route."""
        return self._declare("GET", path, needs, 200, None)

    def post(
        self,
        path: str,
        needs: Permission | AccessLevel,
        audit: Audited,
        status: int = 201,
        limit: Limit | None = None,
        awaited: Awaited | None = None,
    ) -> Callable[[Handler], Handler]:
        """Declare a POST route; `limit` is what it adds one to, `awaited` the work that it begins."""
        return self._declare("POST", path, needs, status, audit, limit, awaited)

    def put(
        self,
        path: str,
        needs: Permission | AccessLevel,
        audit: Audited,
        status: int = 200,
        awaited: Awaited | None = None,
    ) -> Callable[[Handler], Handler]:
        """Declare a PUT route; `awaited` is the work that it begins."""
        return self._declare("PUT", path, needs, status, audit, awaited=awaited)

    def patch(
        self,
        path: str,
        needs: Permission | AccessLevel,
        audit: Audited,
        status: int = 200,
    ) -> Callable[[Handler], Handler]:
        """Declare a PATCH route."""
        return self._declare("PATCH", path, needs, status, audit)

    def delete(
        self,
        path: str,
        needs: Permission | AccessLevel,
        audit: Audited,
        status: int = 204,
    ) -> Callable[[Handler], Handler]:
        """Declare a DELETE route."""
        return self._declare("DELETE", path, needs, status, audit)

    def _declare(
        self,
        method: str,
        path: str,
        needs: Permission | AccessLevel,
        status: int,
        audit: Audited | None,
        limit: Limit | None = None,
        awaited: Awaited | None = None,
    ) -> Callable[[Handler], Handler]:
        if isinstance(needs, Permission) != path.startswith("/clients/{client_id}"):
            raise TypeError(f"{method} {path}: a client's route needs a permission, any other an access level")

        def register(handler: Handler) -> Handler:
            hints = dict(handler.__annotations__)
            gives = hints.pop("return", None)
            if gives is None and status != HTTPStatus.NO_CONTENT:
                raise TypeError(f"{method} {path}: an answer without a body is a 204, not a {status}")
            of_request = _GIVEN | set(path_names(path))
            self.routes.append(
                Route(
                    method,
                    path,
                    handler,
                    needs,
                    status,
                    self.area,
                    hints.get("body"),
                    hints.get("query"),
                    gives,
                    tuple(name for name in hints if name in of_request),
                    audit,
                    {name: kind for name, kind in hints.items() if name not in of_request},
                    limit,
                    awaited,
                )
            )
            return handler

        return register


def path_names(path: str) -> tuple[str, ...]:
    """The names in a declared path, in order."""
    return tuple(re.findall(r"{(\w+)}", path))
