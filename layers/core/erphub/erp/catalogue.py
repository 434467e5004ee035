"""The ERP systems the hub knows: a list of modules, each with a DESCRIPTION and `connect`, none knowing another.

Reading the catalogue imports no driver and no table engine, so the API can list it at no cost.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol, cast

from erphub.erp import problems
from erphub.erp.actors import KnowsActors
from erphub.erp.description import AdapterCapability, Description
from erphub.erp.posting import PostsDocuments
from erphub.erp.reading import ReadsDatasets
from erphub.erp.resources import AdapterResources, UsesResources
from erphub.erp.system import ErpAdapter, ListsCompanies
from erphub.platform import redaction

MODULES = ("visma_business", "sqlserver_generic", "twentyfourseven.system")
"""The modules in `systems`, in the order in which they are offered. A new system is one more, and its name here."""

CAPABILITIES: Mapping[AdapterCapability, type] = {
    AdapterCapability.COMPANIES: ListsCompanies,
    AdapterCapability.DATASETS: ReadsDatasets,
    AdapterCapability.DOCUMENTS: PostsDocuments,
    AdapterCapability.ACTORS: KnowsActors,
}
"""Which protocol a system must satisfy to offer a capability."""


class SystemModule(Protocol):
    """What a module in this folder offers."""

    DESCRIPTION: Description

    def connect(
        self, settings: Mapping[str, Any], secret: Mapping[str, str], *, networks: Sequence[str], transport: Any = None
    ) -> ErpAdapter:
        """The connected system. Nothing is dialled until it is asked something."""
        ...


def _modules() -> Sequence[SystemModule]:
    return [cast(SystemModule, import_module(f"erphub.erp.systems.{name}")) for name in MODULES]


def _module(erp_system: str) -> SystemModule:
    for module in _modules():
        if module.DESCRIPTION.id == erp_system:
            return module
    raise problems.UNKNOWN_ERP_SYSTEM(erp_system=erp_system)


def catalogue() -> list[Description]:
    """Every ERP system, in the order in which they are offered."""
    return [module.DESCRIPTION for module in _modules()]


def describe(erp_system: str) -> Description:
    """One ERP system. Raises NotFound (`unknown_erp_system`)."""
    return _module(erp_system).DESCRIPTION


def open_system(
    erp_system: str,
    settings: Mapping[str, Any],
    secret: Mapping[str, str],
    *,
    networks: Sequence[str] = (),
    transport: Any = None,
    resources: AdapterResources | None = None,
) -> ErpAdapter:
    """The connected system. Nothing is dialled until it is asked something.

    `settings` are the answers of all steps, flat; `secret` those of the secret fields. `networks` (CIDR) are internal
    networks a tenant may nevertheless connect to. `transport` replaces the way to the outside in tests. `resources`
    are what outlives one function (tokens, a rate limit), for systems that have a use for it. Raises NotFound, and
    Invalid when the settings cannot be right.
    """
    # From here on no error, problem or log line says what the system is opened with.
    redaction.redact(secret.values())
    system = _module(erp_system).connect(settings, secret, networks=networks, transport=transport)
    if resources is not None and isinstance(system, UsesResources):
        system.use(resources)
    return system
