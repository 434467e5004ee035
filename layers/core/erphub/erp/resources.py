"""What an ERP column is lent beyond its settings and its secret: things that outlive one function and are shared."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from erphub.erp.rate_limits import RateLimiter
from erphub.erp.tokens import TokenStore
from erphub.platform.clock import Clock


@dataclass(frozen=True)
class AdapterResources:
    """Made for one connection (or one wizard), so that a column knows neither tenants nor tables.

    `addresses` are a deployment's replacements of a vendor's fixed addresses, by the column's own names; a tenant never
    has a say in them. `applications` are what a vendor gave this deployment to identify itself, by the column's names.
    """

    tokens: TokenStore
    budget: RateLimiter
    clock: Clock
    addresses: Mapping[str, str] = field(default_factory=dict[str, str])
    applications: Mapping[str, str] = field(default_factory=dict[str, str])
    sleep: Callable[[float], None] = time.sleep
    """Waits so many seconds."""
    hide: Callable[[str], None] | None = None
    """Told of every token that comes into this process, so that no log line shows it."""


@runtime_checkable
class UsesResources(Protocol):
    """A column that can be lent these things."""

    def lend(self, shared: AdapterResources) -> None:
        """Use them from now on; called before anything else is asked."""
        ...
