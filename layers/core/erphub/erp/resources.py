"""What an adapter is given beyond its settings and its secret: things that outlive one function and are shared."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from erphub.erp.rate_limits import RateLimiter
from erphub.erp.tokens import TokenStore
from erphub.platform.clock import Clock, Pause


class Redact(Protocol):
    """Keeps a secret out of all that is written down."""

    def __call__(self, value: str, /) -> None:
        """From now on."""
        ...


def redact_nothing(value: str, /) -> None:
    """For a process that writes no log."""


@dataclass(frozen=True)
class AdapterResources:
    """Made for one connection (or one wizard), so that an adapter knows neither tenants nor tables.

    `addresses` are a deployment's replacements of a vendor's fixed addresses, by the adapter's own names; a tenant
    never has a say in them. `applications` are what a vendor gave this deployment to identify itself, by the adapter's
    names.
    """

    tokens: TokenStore
    rate_limiter: RateLimiter
    clock: Clock
    addresses: Mapping[str, str] = field(default_factory=dict[str, str])
    applications: Mapping[str, str] = field(default_factory=dict[str, str])
    sql_server_reader: str = ""
    """By what the deployment wants rows of a SQL Server to be read; empty for what is usual."""
    pause: Pause = time.sleep
    redact: Redact = redact_nothing
    """Given every token that comes into this process, so that no log line shows it."""


@runtime_checkable
class UsesResources(Protocol):
    """An adapter that uses these things."""

    def use(self, resources: AdapterResources) -> None:
        """Use them from now on; called before anything else is asked."""
        ...
