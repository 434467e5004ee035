"""Customers: made by the platform, looked after by their administrators."""

from dataclasses import dataclass

from erphub.platform.actors import ActorView
from erphub.platform.acts import describe_act
from erphub.platform.clock import Clock, IdGenerator
from erphub.platform.identity import Caller
from erphub.platform.wire import PageQuery
from erphub.tenancy import problems
from erphub.tenancy.invitations.service import InvitationService
from erphub.tenancy.models import Customer, User
from erphub.tenancy.people import USER_ID, PersonLookup, unknown_user
from erphub.tenancy.ports import CustomerStore, MemberStore, RoleStore
from erphub.tenancy.schemas import AdministratorPage, CustomerView, NewCustomer, person_view, role_view


@dataclass(frozen=True)
class CustomerService:
    """Customers and who administers them."""

    store: CustomerStore
    roles: RoleStore
    people: PersonLookup
    members: MemberStore
    invitations: InvitationService
    clock: Clock
    new_id: IdGenerator

    def create(self, body: NewCustomer) -> CustomerView:
        """Make a customer with its first administrator and roles; an unknown e-mail address is invited."""
        administrator = self.people.find_or_invite(body.administrator, "/administrator")
        customer = Customer(self.new_id(), body.name, self.clock())
        describe_act(new={"administrator": _details(administrator)}, customer_id=customer.id)
        self.store.add(customer, administrator)
        return self.get(customer.id)

    def get(self, customer_id: str) -> CustomerView:
        """The customer with its administrators and roles. Raises NotFound."""
        customer = self._require(customer_id)
        return CustomerView(
            id=customer.id,
            name=customer.name,
            administrators=[person_view(user) for user in self.store.get_administrators(customer_id)],
            roles=[role_view(role) for role in self.roles.get_all(customer_id)],
            created_at=customer.created_at,
            version=customer.version,
        )

    def list_administrators(self, customer_id: str, query: PageQuery) -> AdministratorPage:
        """A page of those who administer a customer. Raises NotFound."""
        self._require(customer_id)
        page = self.store.get_administrator_page(customer_id, query.limit, query.next)
        return AdministratorPage(items=[person_view(user) for user in page.items], next=page.next)

    def add_administrator(self, customer_id: str, caller: Caller, who: str) -> ActorView:
        """Let somebody administer a customer; an unknown e-mail address is invited, an id names the customer's people.

        Raises NotFound, Invalid, TooMany.
        """
        self._require(customer_id)
        if "@" in who:
            user = self.people.find_by_address(who, "")
            if user is None:
                self.invitations.count_caller(caller.user)
                user = self.people.invite(who)
        else:
            user = self._find_own(customer_id, who)
        describe_act(new=_details(user))
        self.store.add_administrator(customer_id, user)
        return person_view(user)

    def remove_administrator(self, customer_id: str, who: str) -> None:
        """Somebody administers a customer no longer. Raises NotFound, Conflict (`last_administrator`)."""
        user = self.people.find_id(who)
        administrators = [one.id for one in self.store.get_administrators(customer_id)]
        if user not in administrators:
            raise problems.ADMINISTRATOR_NOT_FOUND()
        remaining = next((one for one in administrators if one != user), None)
        if remaining is None:
            raise problems.LAST_ADMINISTRATOR()
        describe_act(new={"user_id": user})
        self.store.remove_administrator(customer_id, user, remaining)

    def _find_own(self, customer_id: str, user_id: str) -> User:
        """Somebody of the customer. Raises Invalid: of others, an id tells nothing."""
        known = bool(USER_ID.fullmatch(user_id)) and (
            customer_id in self.members.find_affiliations(user_id).customer_ids
            or self.store.is_administrator(customer_id, user_id)
        )
        if not known:
            raise unknown_user("")
        return self.people.find_or_invite(user_id, "")

    def _require(self, customer_id: str) -> Customer:
        customer = self.store.get(customer_id)
        if customer is None:
            raise problems.CUSTOMER_NOT_FOUND()
        return customer


def _details(user: User) -> dict[str, str | None]:
    return {"user_id": user.id, "email": user.email}
