"""The catalogue has no store: it is what the adapters say of themselves. What they keep hangs on a connection."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.erp.service import ErpSystems
    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services


def erp_systems(services: "Services") -> "ErpSystems":
    """The catalogue as the API shows it."""
    from erphub.erp.service import ErpSystems

    return ErpSystems(services.platform.settings.egress_addresses)


def dependents(services: "Services") -> "Sequence[Dependent]":
    """What adapters keep of a connection."""
    from erphub.erp.dependents import erp_dependents

    return erp_dependents(services.platform.table)


PROVIDES = (erp_systems,)
TAKES_PART = (dependents,)
