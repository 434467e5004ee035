"""How much a client may have: shown to its members, raised by operators."""

from dataclasses import dataclass

from erphub import capabilities
from erphub.platform import logging
from erphub.platform.acts import describe_act
from erphub.platform.capability import Limit, LimitScope
from erphub.platform.errors import Invalid
from erphub.platform.http.request_limits import RequestLimits
from erphub.platform.identity import Caller, Member
from erphub.platform.limits import Limits, LimitUse, Owner
from erphub.tenancy import problems
from erphub.tenancy.ports import ClientStore, CustomerStore
from erphub.tenancy.schemas import ChangedLimit, LimitPage, LimitView


class TenantLimits(Limits):
    """The limits of customers, clients and callers."""


class TenantRequestLimits(RequestLimits):
    """How many requests callers and clients may make."""


@dataclass(frozen=True)
class LimitService:
    """The use-cases behind the limits' routes."""

    limits: TenantLimits
    clients: ClientStore
    customers: CustomerStore

    def list_limits(self, member: Member) -> LimitPage:
        """Where the client, its customer and the caller stand with every limit."""
        owners = {
            LimitScope.CLIENT: Owner(LimitScope.CLIENT, member.client_id),
            LimitScope.CUSTOMER: Owner(LimitScope.CUSTOMER, member.customer_id),
            LimitScope.CALLER: Owner(LimitScope.CALLER, member.user),
        }
        known = capabilities.limits().values()
        return LimitPage(items=[_view(self.limits.use(limit, owners[limit.scope])) for limit in known], next=None)

    def set_maximum(self, caller: Caller, customer_id: str, name: str, body: ChangedLimit) -> LimitView:
        """Set the maximum of a client, or of the customer. Raises NotFound, Invalid (`limit_of_another`)."""
        if self.customers.get(customer_id) is None:
            raise problems.CUSTOMER_GONE()
        owner = Owner(LimitScope.CUSTOMER, customer_id)
        if body.client_id is not None:
            client = self.clients.get(body.client_id)
            if client is None or client.customer_id != customer_id:
                raise Invalid.of(problems.CLIENT_UNKNOWN("/client_id"))
            owner = Owner(LimitScope.CLIENT, client.id)
        limit = _known(owner.scope, name)
        describe_act(old={"maximum": self.limits.maximum(limit, owner)}, client_id=body.client_id)
        self.limits.set_maximum(limit, owner, body.maximum)
        about = {"limit": name, "owner": owner.id, "maximum": body.maximum, "by": caller.user}
        logging.logger().info("a limit was set", extra=about)
        return _view(self.limits.use(limit, owner))


def _known(scope: LimitScope, name: str) -> Limit:
    limit = capabilities.limits().get(name)
    if limit is None:
        raise problems.LIMIT_NOT_FOUND()
    if limit.scope is not scope:
        raise problems.LIMIT_OF_ANOTHER(scope=limit.scope)
    return limit


def _view(use: LimitUse) -> LimitView:
    limit = use.limit
    return LimitView(
        name=limit.name,
        summary=limit.summary,
        kind=limit.kind,
        scope=limit.scope,
        maximum=use.maximum,
        used=use.used,
        window_seconds=limit.seconds or None,
        resets_at=use.resets_at,
    )
