"""Clients of a customer: the tenants that everything else belongs to."""

from dataclasses import dataclass

from erphub.platform.acts import describe_act
from erphub.platform.capability import ADMINISTRATOR
from erphub.platform.clock import Clock, IdGenerator
from erphub.platform.identity import Caller
from erphub.platform.wire import PageQuery
from erphub.tenancy.models import Client, Membership
from erphub.tenancy.ports import ClientStore
from erphub.tenancy.schemas import ClientPage, ClientView, NewClient


@dataclass(frozen=True)
class ClientService:
    """Clients, made and listed by their customer's administrators."""

    store: ClientStore
    clock: Clock
    new_id: IdGenerator

    def create(self, customer_id: str, caller: Caller, body: NewClient) -> ClientView:
        """Make a client; whoever makes it is its first member, as administrator."""
        client = Client(self.new_id(), customer_id, body.name, self.clock())
        describe_act(new={"client_id": client.id})
        self.store.add(client, Membership(client.id, customer_id, caller.user, ADMINISTRATOR, caller.email))
        return _view(client)

    def list_clients(self, customer_id: str, query: PageQuery) -> ClientPage:
        """A page of the customer's clients."""
        page = self.store.get_page(customer_id, query.limit, query.next)
        return ClientPage(items=[_view(client) for client in page.items], next=page.next)


def _view(client: Client) -> ClientView:
    return ClientView(
        id=client.id,
        customer_id=client.customer_id,
        name=client.name,
        created_at=client.created_at,
        version=client.version,
    )
