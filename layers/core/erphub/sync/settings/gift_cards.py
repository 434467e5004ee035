"""The product under which gift cards are invoiced: made in the ERP when somebody asks for it, once."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from erphub.connections.access import require_resumed
from erphub.erp.documents import DocumentKind, Product
from erphub.erp.posting import Posting
from erphub.platform.acts import describe_act
from erphub.platform.clock import Clock, IdGenerator
from erphub.platform.errors import Uncertain
from erphub.platform.outbound import deadlines
from erphub.sync.canonical import entry_id, posting_key
from erphub.sync.settings.models import GIFT_CARD, GiftCardProduct
from erphub.sync.settings.ports import TransferLeases
from erphub.sync.settings.service import SyncService

_HOLD = timedelta(minutes=6)
"""How long nobody else writes to the ERP when it cannot be told whether it made the product."""


@dataclass(frozen=True)
class GiftCards:
    """Makes the product where it is missing; one that is there is left as it is."""

    syncs: SyncService
    leases: TransferLeases
    clock: Clock
    new_id: IdGenerator

    @deadlines.at_most(deadlines.LOOK_UP_SECONDS)
    def create(self, client_id: str, connection_id: str, company: str) -> GiftCardProduct:
        """Have the product in a company; which may be left out when the login reaches only one.

        Under the lease of transfers, for an ERP has one writer at a time; an answer that was lost keeps the lease, so
        that what arrives late is found by whoever asks again. Raises NotFound, Conflict (`transfer_running`,
        `connection_paused`), and what the ERP raises.
        """
        require_resumed(self.syncs.get_connection(client_id, connection_id))
        adapter = self.syncs.setup_source(client_id, connection_id)
        product = Product(number=GIFT_CARD, name="Gavekort", price=Decimal(0), vat_rate=Decimal(0))
        key = posting_key(entry_id(connection_id, DocumentKind.PRODUCT, GIFT_CARD))
        posting = Posting(key, {"company": company})
        now, writer = self.clock(), self.new_id()
        self.leases.acquire(client_id, connection_id, writer, writer, now + _HOLD, now)
        try:
            found = adapter.find(DocumentKind.PRODUCT, posting, product)
            made = found if found is not None else adapter.push(product, posting)
        except Uncertain:
            raise
        except Exception:
            self.leases.release(client_id, connection_id, writer, self.clock())
            raise
        self.leases.release(client_id, connection_id, writer, self.clock())
        describe_act(new={"company": company, "reference": made.reference, "is_new": found is None})
        return GiftCardProduct(reference=made.reference, is_new=found is None)
