"""Makes each service once, when it is first asked for, from what the capabilities' `wiring` modules say.

`wiring` is the only module of a capability that names a store and a service together:

    PROVIDES     the functions that make its services; what each returns says what it makes
    TAKES_PART   the functions that make what it puts into extension points of lower packages; what each returns says
                 which point

`wiring` modules are read by functions that lack some layers, and by requests that need one service of many. So a
provider imports what it makes inside itself.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from threading import RLock
from typing import Any, cast

from erphub.platform.resources import PlatformResources

type Provider = Callable[["Services"], Any]


class Services:
    """One function's services, by class. Asking twice gives the same one; threads may ask at once."""

    def __init__(
        self,
        capabilities: Sequence[str],
        platform: PlatformResources | None = None,
        given: Mapping[type[Any], Any] | None = None,
    ) -> None:
        """`capabilities` from the lowest to the uppermost; `given` is used in place of what the wiring would make."""
        self.platform = platform or PlatformResources()
        self._capabilities = tuple(capabilities)
        self.given: Mapping[type[Any], Any] = dict(given or {})
        self._made: dict[type[Any], Any] = dict(self.given)
        self._making = RLock()

    def get[T](self, kind: type[T]) -> T:
        """The service of this class. Raises LookupError when no capability provides it."""
        with self._making:
            if kind not in self._made:
                self._made[kind] = self._provider(kind)(self)
            return cast("T", self._made[kind])

    def all[T](self, point: type[T]) -> tuple[T, ...]:
        """What takes part in an extension point, the uppermost capability's first; a provider gives one or several."""
        found: list[T] = []
        for capability in reversed(self._capabilities):
            for provider in _providers(capability, "TAKES_PART"):
                if provided_by(provider) == point.__name__:
                    found.append(cast("T", provider(self)))
                elif provided_by(provider) == f"Sequence[{point.__name__}]":
                    found.extend(cast("Sequence[T]", provider(self)))
        return tuple(found)

    def _provider(self, kind: type[Any]) -> Provider:
        capability = kind.__module__.split(".")[1]
        if capability in self._capabilities:
            for provider in _providers(capability, "PROVIDES"):
                if provided_by(provider) == kind.__name__:
                    return provider
        raise LookupError(f"no capability of this function provides {kind.__module__}.{kind.__name__}")


def provided_by(provider: Provider) -> str:
    """The name of the class that a provider makes, from what it says it returns."""
    returned = provider.__annotations__["return"]
    return returned if isinstance(returned, str) else returned.__name__


def _providers(capability: str, which: str) -> Sequence[Provider]:
    return getattr(import_module(f"erphub.{capability}.wiring"), which, ())
