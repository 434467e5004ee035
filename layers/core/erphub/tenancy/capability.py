"""What customers, clients and their members bring to the hub."""

from erphub.platform.capability import Act, Capability, Limit, LimitKind, LimitScope, Permission, Variable

# Routes of events and webhooks, which stand below connections, ask for these two as well.
CONNECTIONS_MANAGE = Permission("connections:manage", "Connect ERP systems, change and delete connections")
CONNECTIONS_VIEW = Permission("connections:view", "See connections and what became of them", {"accountant", "viewer"})
MEMBERS_MANAGE = Permission("members:manage", "Say who belongs to the client, and in which role")
# Roles hold the strings of capabilities to come: vouchers, data access.
VOUCHERS_VIEW = Permission("vouchers:view", "See vouchers with their documents", {"accountant"})
ACCESS_MANAGE = Permission("access:manage", "Say who may read which rows")
ACCESS_APPROVE = Permission("access:approve", "Approve what others ask to read")

CLIENTS = Limit("clients", 500, "Clients of a customer", scope=LimitScope.CUSTOMER)
REQUESTS = Limit("requests_per_minute", 3_000, "Requests to a client", LimitKind.RATE, seconds=60)
CALLER_REQUESTS = Limit(
    "caller_requests_per_minute", 6_000, "Requests of a caller", LimitKind.RATE, LimitScope.CALLER, seconds=60
)
WAITS = Limit("waits_per_minute", 60, "Requests that wait for the work they began", LimitKind.RATE, seconds=60)
INVITATIONS = Limit("invitations_per_day", 30, "Invitations to a client", LimitKind.RATE, seconds=86400)
CALLER_INVITATIONS = Limit(
    "caller_invitations_per_day", 60, "Invitations by one person", LimitKind.RATE, LimitScope.CALLER, seconds=86400
)
CUSTOMER_CREATED = Act("customer.created", "A customer was made")
ADMINISTRATOR_ADDED = Act("administrator.added", "Somebody administers the customer from now on")
ADMINISTRATOR_REMOVED = Act("administrator.removed", "Somebody administers the customer no longer")
CLIENT_CREATED = Act("client.created", "A client was made")
ROLE_SAVED = Act("role.saved", "A role was made, or what it allows was changed")
ROLE_DELETED = Act("role.deleted", "A role was deleted")
MEMBER_SAVED = Act("member.saved", "A member has another role")
INVITATION_CREATED = Act("invitation.created", "Somebody was invited, or is offered another role than before")
INVITATION_ACCEPTED = Act("invitation.accepted", "Somebody accepted an invitation and is a member from now on")
INVITATION_DECLINED = Act("invitation.declined", "Somebody declined an invitation")
INVITATION_REVOKED = Act("invitation.revoked", "Somebody is invited no longer")
INVITATION_EXPIRED = Act("invitation.expired", "An invitation was not answered in time")
LIMIT_CHANGED = Act("limit.changed", "A limit of a customer was changed")
MEMBER_REMOVED = Act("member.removed", "Somebody is a member no longer")

capability = Capability(
    "tenancy",
    "Customers, clients, roles and members",
    packages=("tenancy",),
    permissions=(
        CONNECTIONS_MANAGE,
        CONNECTIONS_VIEW,
        MEMBERS_MANAGE,
        VOUCHERS_VIEW,
        ACCESS_MANAGE,
        ACCESS_APPROVE,
    ),
    limits=(CLIENTS, REQUESTS, CALLER_REQUESTS, WAITS, INVITATIONS, CALLER_INVITATIONS),
    environment=(Variable("USER_POOL_ID"), Variable("LIMITS")),
    acts=(
        CUSTOMER_CREATED,
        ADMINISTRATOR_ADDED,
        ADMINISTRATOR_REMOVED,
        CLIENT_CREATED,
        ROLE_SAVED,
        ROLE_DELETED,
        MEMBER_SAVED,
        INVITATION_CREATED,
        INVITATION_ACCEPTED,
        INVITATION_DECLINED,
        INVITATION_REVOKED,
        INVITATION_EXPIRED,
        LIMIT_CHANGED,
        MEMBER_REMOVED,
    ),
)
