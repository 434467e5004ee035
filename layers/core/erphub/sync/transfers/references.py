"""The ERP's references of what an invoice names."""

from erphub.erp.documents import Document, DocumentKind, Invoice
from erphub.sync import problems
from erphub.sync.canonical import entry_id
from erphub.sync.export_log.models import Entry
from erphub.sync.export_log.ports import EntryStore
from erphub.sync.settings.models import SyncDirection, SyncSettings


def known_references(entries: EntryStore, settings: SyncSettings, entry: Entry, document: Document) -> dict[str, str]:
    """References as `Posting.known` has them: `customer:<external id>`, `product:<number>`; none but for an invoice.

    Raises ErpRefused when its customer was never handed over, Unavailable while that is not in the ERP yet.
    """
    if not isinstance(document, Invoice):
        return {}
    if settings.customer_direction is SyncDirection.OFF:
        known = {f"customer:{document.customer_id}": document.customer_id}
    else:
        known = {f"customer:{document.customer_id}": _customer(entries, settings, entry, document)}
    numbers = sorted({line.product_no for line in document.lines if line.product_no})
    names = [entry_id(entry.connection_id, DocumentKind.PRODUCT, number) for number in numbers]
    if names and settings.product_direction is not SyncDirection.OFF:
        products = entries.get_many(entry.client_id, entry.connection_id, names)
        known |= {
            f"product:{product.external_id}": product.reference for product in products if _is_in(product, settings)
        }
    return known


def _customer(entries: EntryStore, settings: SyncSettings, entry: Entry, invoice: Invoice) -> str:
    name = entry_id(entry.connection_id, DocumentKind.CUSTOMER, invoice.customer_id)
    customer = entries.get(entry.client_id, entry.connection_id, name)
    if customer is None:
        raise problems.CUSTOMER_UNKNOWN(customer_id=invoice.customer_id)
    if not customer.reference:
        raise problems.WAITS_FOR_CUSTOMER()
    if not _is_in(customer, settings):
        raise problems.CUSTOMER_IN_ANOTHER_COMPANY(
            customer_id=invoice.customer_id, customer_company=customer.destination["company"], company=settings.company
        )
    return customer.reference


def _is_in(record: Entry, settings: SyncSettings) -> bool:
    """Whether the ERP has it in the company of the settings."""
    return bool(record.reference) and record.destination.get("company", settings.company) == settings.company
