"""The capabilities of the hub, the one list: from the lowest to the uppermost, each imports only those before it.

Their manifests are read by name. So this list stands below all of them, where roles and subscriptions can ask it which
permissions and types of events there are.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module

from erphub.platform.capability import ADMINISTRATOR, Capability, EventType, Limit, Permission

CAPABILITIES = (
    "tenancy",
    "audit",
    "events",
    "api_keys",
    "sign_in",
    "webhooks",
    "erp",
    "lake",
    "connections",
    "companies",
    "wizards",
    "imports",
    "sync",
    "links",
    "deletions",
    "about",
)
"""Their packages below `erphub`; each has a `capability` with its manifest."""


@cache
def manifests() -> tuple[Capability, ...]:
    """What each capability says about itself."""
    return tuple(import_module(f"erphub.{name}.capability").capability for name in CAPABILITIES)


def api_packages() -> tuple[str, ...]:
    """The packages that have routes, in the order of the documentation."""
    return tuple(package for manifest in manifests() for package in manifest.packages)


@cache
def permissions() -> Mapping[str, Permission]:
    """Every permission by its name. Raises ValueError when two capabilities declare the same."""
    return _by_name(permission for manifest in manifests() for permission in manifest.permissions)


@cache
def event_types() -> Mapping[str, EventType]:
    """Every type of event by its name. Raises ValueError when two capabilities declare the same."""
    return _by_name(event_type for manifest in manifests() for event_type in manifest.events)


@cache
def limits() -> Mapping[str, Limit]:
    """Every limit by its name. Raises ValueError when two capabilities declare the same."""
    found: dict[str, Limit] = {}
    for limit in (limit for manifest in manifests() for limit in manifest.limits):
        if limit.name in found:
            raise ValueError(f"two capabilities declare {limit.name}")
        found[limit.name] = limit
    return found


@cache
def built_in_roles() -> Mapping[str, frozenset[Permission]]:
    """The roles that every customer begins with, and what each allows as long as nobody has changed it."""
    names = dict.fromkeys([ADMINISTRATOR, *sorted({role for one in permissions().values() for role in one.roles})])
    return {name: frozenset(one for one in permissions().values() if name in one.roles) for name in names}


def _by_name[T: str](declared: Iterable[T]) -> Mapping[str, T]:
    found: dict[str, T] = {}
    for one in declared:
        if one in found:
            raise ValueError(f"two capabilities declare {one}")
        found[str(one)] = one
    return found
