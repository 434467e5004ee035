"""Whether a connection may use the areas of 24SevenOffice that it needs, each tried by itself."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from erphub.erp.probes import Stage
from erphub.erp.systems.twentyfourseven import problems
from erphub.erp.transports.http.stages import Step
from erphub.platform.errors import ErpRefused

type Call = Callable[[], object]
"""Asks something small of an area. Raises HubError."""


class Area(StrEnum):
    """The areas, as 24SevenOffice calls them where it gives access."""

    CRM = "CRM"
    ACCOUNTING = "Accounting"
    ADMIN = "Admin"
    PRODUCTS = "Products"
    INVOICING = "Invoicing"


_HOLDS: Mapping[Area, str] = {
    Area.CRM: "customers",
    Area.ACCOUNTING: "accounts, VAT codes and vouchers",
    Area.ADMIN: "the company, its departments and voucher types",
    Area.PRODUCTS: "products and sales types",
    Area.INVOICING: "orders and invoices",
}


def area_step(area: Area, who: str, *calls: Call) -> Step:
    """The step of a connection test that tries an area. `who` signs in: `user`, or `integration`."""

    def trial() -> str:
        try:
            for call in calls:
                call()
        except ErpRefused as error:
            if error.code == "permission_denied":
                raise problems.AREA_CLOSED(who=who, area=area, holds=_HOLDS[area], **_details(error)) from error
            if error.code == "module_missing":
                raise problems.AREA_MISSING(area=area, holds=_HOLDS[area], **_details(error)) from error
            raise
        return f"{area} can be used."

    return Step(Stage.PERMISSIONS, trial, area.value)


def _details(error: ErpRefused) -> dict[str, object]:
    return {name: error.members[name] for name in ("erp_message", "erp_trace_id") if error.members.get(name)}
