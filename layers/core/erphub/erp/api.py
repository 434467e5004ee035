"""The catalogue of ERP systems."""

from erphub.erp.schemas import ErpSystemPage, ErpSystemView
from erphub.erp.service import ErpSystems
from erphub.platform.http.router import Router
from erphub.platform.identity import AccessLevel

router = Router("ERP systems")


@router.get("/erp-systems", needs=AccessLevel.SIGNED_IN)
def list_erp_systems(systems: ErpSystems) -> ErpSystemPage:
    """List the ERP systems that can be connected."""
    return systems.list()


@router.get("/erp-systems/{erp_system}", needs=AccessLevel.SIGNED_IN)
def get_erp_system(erp_system: str, systems: ErpSystems) -> ErpSystemView:
    """Show an ERP system: documentation, capabilities, the wizard's steps as JSON Schema, addresses to let through."""
    return systems.get(erp_system)
