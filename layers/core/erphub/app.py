"""Puts a function together from the packages it serves.

Imports nothing that takes long: what an API needs is imported by `api`, while the garbage collector rests.
"""

import gc
import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from erphub.platform.acts import ActLog
    from erphub.platform.cursors import Cursors
    from erphub.platform.http.authorization import Authorization, Programs
    from erphub.platform.http.dispatch import Dispatcher
    from erphub.platform.http.request_limits import RequestLimits
    from erphub.platform.http.router import Route, Router
    from erphub.platform.idempotency import IdempotencyStore
    from erphub.platform.services import Services

ROUTES = Path(__file__).with_name("routes.json")
"""Written by `make openapi`."""
NEEDED_BY_EVERY_REQUEST = ("erphub.tenancy.access", "erphub.tenancy.dynamodb", "erphub.tenancy.wiring")
"""Loaded while the function starts, when it has a whole processor, and not while somebody waits."""


@contextmanager
def collector_at_rest() -> "Generator[None]":
    """Let the garbage collector rest while modules are loaded, and never look at what they left.

    Loading makes hundreds of thousands of objects that stay, and the collector goes through all of them again and
    again for nothing: a quarter of a cold start.
    """
    was_at_work = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_at_work:
            gc.freeze()
            gc.enable()


@cache
def services() -> "Services":
    """This function's services."""
    from erphub.capabilities import CAPABILITIES
    from erphub.platform.services import Services

    return Services(CAPABILITIES)


def api(*packages: str) -> "Dispatcher[PackageRoutes]":
    """The handler of the HTTP routes of these packages; one of several is loaded with the first request for it."""
    with collector_at_rest():
        from erphub.platform.http.dispatch import Dispatcher

        for module in NEEDED_BY_EVERY_REQUEST:
            import_module(module)
        if len(packages) == 1:
            router_of(packages[0])
    return Dispatcher(PackageRoutes(packages), ThisFunction())


class ThisFunction:
    """What requests are answered with. Satisfies `platform.http.dispatch.ServedBy`."""

    def service[T](self, kind: type[T]) -> T:
        """The service of this class."""
        return services().get(kind)

    def authorization(self) -> "Authorization":
        """Who decides about callers."""
        from erphub.tenancy.access import Authorizer

        return services().get(Authorizer)

    def programs(self) -> "Programs":
        """Who looks after programs that call with API keys."""
        from erphub.api_keys.usage import KeyUsage

        return services().get(KeyUsage)

    def act_log(self) -> "ActLog":
        """Where what people do is written down."""
        from erphub.audit.service import AuditLog

        return services().get(AuditLog)

    def idempotency(self) -> "IdempotencyStore":
        """Requests that come twice."""
        return services().platform.idempotency

    def cursors(self) -> "Cursors":
        """Where pages end."""
        return services().platform.cursors

    def limits(self) -> "RequestLimits":
        """How much there may be."""
        from erphub.tenancy.limits import TenantRequestLimits

        return services().get(TenantRequestLimits)

    def allowed_origins(self) -> frozenset[str]:
        """Origins of web pages that may call."""
        return frozenset(services().platform.settings.allowed_origins)


class PackageRoutes:
    """The routes of some packages; routes.json says which package has which, so that only that one is loaded."""

    def __init__(self, packages: Sequence[str]) -> None:
        """Of these packages, whatever others there are."""
        self.packages = tuple(packages)

    def find(self, method: str, resource: str) -> "Route | None":
        """The route of a method and a declared path."""
        package = self._table().get(resource, {}).get(method)
        return router_of(package).find(method, resource) if package in self.packages else None

    def methods(self, resource: str) -> list[str]:
        """The methods of a declared path; none when nothing is served there."""
        return [method for method, package in self._table().get(resource, {}).items() if package in self.packages]

    def all(self) -> "list[Route]":
        """All of them; every package is loaded for it."""
        return [route for package in self.packages for route in router_of(package).routes]

    @staticmethod
    @cache
    def _table() -> Mapping[str, Mapping[str, str]]:
        return json.loads(ROUTES.read_bytes())


@cache
def router_of(package: str) -> "Router":
    """What a package declares."""
    with collector_at_rest():
        return cast("Router", import_module(f"erphub.{package}.api").router)


def all_routes() -> "Iterator[tuple[str, Route]]":
    """Every route with its package, in the order of the documentation."""
    from erphub import capabilities

    for package in capabilities.api_packages():
        yield from ((package, route) for route in router_of(package).routes)


def route_table() -> dict[str, dict[str, str]]:
    """Which package has which route, by declared path and method: what routes.json holds."""
    table: dict[str, dict[str, str]] = {}
    for package, route in all_routes():
        table.setdefault(route.path, {})[route.method] = package
    return table
