"""The catalogue of ERP systems."""

from erphub.erp import service
from erphub.erp.schemas import ErpSystemPage, ErpSystemView
from erphub.platform.http.router import Router
from erphub.platform.identity import AccessLevel

router = Router("ERP systems")


@router.get("/erp-systems", needs=AccessLevel.SIGNED_IN)
def list_erp_systems() -> ErpSystemPage:
    """List the ERP systems that can be connected."""
    return service.list_erp_systems()


@router.get("/erp-systems/{erp_system}", needs=AccessLevel.SIGNED_IN)
def get_erp_system(erp_system: str) -> ErpSystemView:
    """Show an ERP system: documentation, capabilities, and the wizard's steps as JSON Schema."""
    return service.get_erp_system(erp_system)
