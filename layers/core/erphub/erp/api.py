"""The catalogue of ERP systems."""

from erphub.erp import service as catalogue
from erphub.erp.service import SystemPage, SystemView
from erphub.platform.http.router import Router
from erphub.platform.identity import AccessLevel

router = Router("ERP systems")


@router.get("/erp-systems", needs=AccessLevel.SIGNED_IN)
def list_systems() -> SystemPage:
    """List the ERP systems that can be connected."""
    return catalogue.systems()


@router.get("/erp-systems/{system}", needs=AccessLevel.SIGNED_IN)
def show_system(system: str) -> SystemView:
    """Show an ERP system: documentation, capabilities, and the wizard's steps as JSON Schema."""
    return catalogue.system(system)
