"""The door for people and programs: who may do what, the catalogue, the wizard, the connections."""

from datetime import datetime
from typing import Any

from erphub import openapi, wiring
from erphub.audit.schemas import AuditPage
from erphub.companies.schemas import AllowedLicences, ChangedCustomer, CompanyPage, CompanySearch, LicencesView
from erphub.connections.schemas import ChangedConnection, ConnectionPage, ConnectionView, NewOwner
from erphub.deletions.schemas import DeletionQuery, DeletionView, PlanView
from erphub.erp import service as catalogue
from erphub.erp.service import SystemPage, SystemView
from erphub.events.schemas import Notification, NotificationPage, NotificationQuery
from erphub.platform.http.router import RawJson, Router
from erphub.platform.identity import AccessLevel, Caller, Member, Permission
from erphub.platform.wire import PageQuery
from erphub.tenancy.schemas import (
    AdministratorPage,
    AdministratorView,
    ChangedMember,
    ChangedRole,
    ClientPage,
    ClientView,
    CustomerView,
    Me,
    MemberPage,
    MemberView,
    NewClient,
    NewCustomer,
    RoleView,
)
from erphub.webhooks.schemas import ChangedWebhook, DeliveryPage, DeliveryView, NewWebhook, WebhookPage, WebhookView
from erphub.wizards.schemas import AskOwner, ChoiceSearch, FoundChoicePage, FoundCompanyPage, StartWizard, WizardView

door = Router(wiring.house.hall)
handler = door


@door.get("/openapi.json", needs=AccessLevel.PUBLIC)
def describe_api() -> RawJson:
    """Describe this API (OpenAPI 3.1)."""
    return RawJson(openapi.built())


# --- me and tenancy ---------------------------------------------------------------------------------------------------


@door.get("/me", needs=AccessLevel.SIGNED_IN)
def show_me(caller: Caller) -> Me:
    """Show the caller's customers and clients, and what may be done in each."""
    return wiring.house.tenants().me(caller)


@door.post("/customers", needs=AccessLevel.PLATFORM_ADMINISTRATOR)
def create_customer(body: NewCustomer) -> CustomerView:
    """Make a customer, with its first administrator and roles."""
    return wiring.house.tenants().create_customer(body)


@door.get("/customers/{customer}", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def show_customer(customer: str) -> CustomerView:
    """Show a customer with its administrators and roles."""
    return wiring.house.tenants().customer(customer)


@door.get("/customers/{customer}/administrators", needs=AccessLevel.ANY_ADMINISTRATOR)
def list_administrators(customer: str, query: PageQuery) -> AdministratorPage:
    """List who administers a customer."""
    return wiring.house.tenants().administrators(customer, query)


@door.put("/customers/{customer}/administrators/{user}", needs=AccessLevel.ANY_ADMINISTRATOR)
def put_administrator(customer: str, user: str) -> AdministratorView:
    """Let somebody administer a customer, by user id or e-mail address; an address nobody has is invited."""
    return wiring.house.tenants().put_administrator(customer, user)


@door.delete("/customers/{customer}/administrators/{user}", needs=AccessLevel.ANY_ADMINISTRATOR)
def remove_administrator(customer: str, user: str) -> None:
    """Let somebody administer a customer no longer; the last one stays."""
    wiring.house.tenants().remove_administrator(customer, user)


@door.patch("/customers/{customer}", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def change_customer(customer: str, body: ChangedCustomer) -> LicencesView:
    """Allow, or no longer allow, that a company is knowingly connected more than once."""
    return wiring.connect.identities().allow_twice(customer, body.same_company_twice)


@door.get("/customers/{customer}/licences", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def show_licences(customer: str) -> LicencesView:
    """Show the licences used and allowed; a company counts once, however many connections have it."""
    return wiring.connect.identities().licences(customer)


@door.put("/customers/{customer}/licences", needs=AccessLevel.PLATFORM_ADMINISTRATOR)
def allow_licences(customer: str, body: AllowedLicences) -> LicencesView:
    """Set how many companies a customer may use."""
    return wiring.connect.identities().allow(customer, body.allowed)


@door.get("/customers/{customer}/clients", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def list_clients(customer: str, query: PageQuery) -> ClientPage:
    """List the clients of a customer."""
    return wiring.house.tenants().clients(customer, query)


@door.post("/customers/{customer}/clients", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def create_client(customer: str, caller: Caller, body: NewClient) -> ClientView:
    """Make a client; the caller becomes its first member, as administrator."""
    return wiring.house.tenants().create_client(customer, caller, body)


@door.get("/customers/{customer}/roles/{role}", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def show_role(customer: str, role: str) -> RoleView:
    """Show a role and what it allows."""
    return wiring.house.tenants().role(customer, role)


@door.put("/customers/{customer}/roles/{role}", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def put_role(customer: str, role: str, body: ChangedRole) -> RoleView:
    """Make a role, or change what it allows."""
    return wiring.house.tenants().put_role(customer, role, body)


@door.delete("/customers/{customer}/roles/{role}", needs=AccessLevel.CUSTOMER_ADMINISTRATOR)
def delete_role(customer: str, role: str) -> None:
    """Delete a role that nobody has."""
    wiring.house.tenants().delete_role(customer, role)


@door.get("/clients/{client}/members", needs=Permission.MEMBERS_MANAGE)
def list_members(member: Member, query: PageQuery) -> MemberPage:
    """List the members of a client."""
    return wiring.house.tenants().members(member, query)


@door.put("/clients/{client}/members/{user}", needs=Permission.MEMBERS_MANAGE)
def put_member(member: Member, user: str, body: ChangedMember) -> MemberView:
    """Give a user a role in the client; an e-mail address nobody has yet is invited."""
    return wiring.house.tenants().put_member(member, user, body)


@door.delete("/clients/{client}/members/{user}", needs=Permission.MEMBERS_MANAGE)
def remove_member(member: Member, user: str) -> None:
    """Take a user out of the client."""
    wiring.house.tenants().remove_member(member, user)


# --- the catalogue ----------------------------------------------------------------------------------------------------


@door.get("/erp-systems", needs=AccessLevel.SIGNED_IN)
def list_systems() -> SystemPage:
    """List the ERP systems that can be connected."""
    return catalogue.systems()


@door.get("/erp-systems/{system}", needs=AccessLevel.SIGNED_IN)
def show_system(system: str) -> SystemView:
    """Show an ERP system: documentation, capabilities, and the wizard's steps as JSON Schema."""
    return catalogue.system(system)


# --- the wizard -------------------------------------------------------------------------------------------------------


@door.post("/clients/{client}/wizards", needs=Permission.CONNECTIONS_MANAGE)
def start_wizard(member: Member, body: StartWizard) -> WizardView:
    """Start a wizard that connects an ERP system, or that edits a connection from any of its steps."""
    return wiring.connect.wizards().start(member, body)


@door.get("/clients/{client}/wizards/{wizard}", needs=Permission.CONNECTIONS_MANAGE)
def show_wizard(member: Member, wizard: str) -> WizardView:
    """Show where a wizard stands."""
    return wiring.connect.wizards().get(member, wizard)


@door.get("/clients/{client}/wizards/{wizard}/companies", needs=Permission.CONNECTIONS_MANAGE)
def list_found_companies(member: Member, wizard: str, query: CompanySearch) -> FoundCompanyPage:
    """List or search the companies the login can see."""
    return wiring.connect.wizards().companies(member, wizard, query)


@door.get("/clients/{client}/wizards/{wizard}/choices/{field}", needs=Permission.CONNECTIONS_MANAGE)
def list_choices(member: Member, wizard: str, field: str, query: ChoiceSearch) -> FoundChoicePage:
    """List or search what a field can be chosen from in the chosen companies, as the ERP has it (`departments`)."""
    return wiring.connect.wizards().choices(member, wizard, field, query)


@door.post("/clients/{client}/wizards/{wizard}/steps/{step}/refresh", needs=Permission.CONNECTIONS_MANAGE, status=202)
def refresh_step(member: Member, wizard: str, step: str, received: datetime) -> WizardView:
    """Have the ERP asked again what a step is chosen from (`companies`, `departments`); the wizard then waits there."""
    return wiring.connect.wizards().refresh(member, wizard, step, received)


@door.put("/clients/{client}/wizards/{wizard}/steps/{step}", needs=Permission.CONNECTIONS_MANAGE, status=202)
def answer_step(member: Member, wizard: str, step: str, body: dict[str, Any], received: datetime) -> WizardView:
    """Answer a step with its fields; look at the wizard until it waits again."""
    return wiring.connect.wizards().answer(member, wizard, step, body, received)


@door.delete("/clients/{client}/wizards/{wizard}", needs=Permission.CONNECTIONS_MANAGE)
def cancel_wizard(member: Member, wizard: str) -> None:
    """Cancel a wizard and forget its password."""
    wiring.connect.wizards().cancel(member, wizard)


@door.post("/clients/{client}/wizards/{wizard}/access-requests", needs=Permission.CONNECTIONS_MANAGE, status=202)
def ask_owner(member: Member, wizard: str, body: AskOwner) -> None:
    """Ask the people of the connection that has a company already to let the caller in; they are told once a day."""
    wiring.connect.wizards().ask_owner(member, wizard, body)


# --- connections ------------------------------------------------------------------------------------------------------


@door.get("/clients/{client}/connections", needs=Permission.CONNECTIONS_VIEW)
def list_connections(member: Member, query: PageQuery) -> ConnectionPage:
    """List the connections of a client."""
    return wiring.connect.connections().page(member, query)


@door.get("/clients/{client}/connections/{connection}", needs=Permission.CONNECTIONS_VIEW)
def show_connection(member: Member, connection: str) -> ConnectionView:
    """Show a connection with its last test."""
    return wiring.connect.connections().get(member, connection)


@door.patch("/clients/{client}/connections/{connection}", needs=Permission.CONNECTIONS_MANAGE)
def change_connection(member: Member, connection: str, body: ChangedConnection) -> ConnectionView:
    """Rename a connection, or let others edit it."""
    return wiring.connect.connections().change(member, connection, body)


@door.post("/clients/{client}/connections/{connection}/test", needs=Permission.CONNECTIONS_MANAGE, status=202)
def test_connection(member: Member, connection: str) -> ConnectionView:
    """Start a test of a connection; its result appears in `last_test`."""
    return wiring.connect.connections().test(member, connection)


@door.get("/clients/{client}/connections/{connection}/companies", needs=Permission.CONNECTIONS_VIEW)
def list_companies(member: Member, connection: str, query: CompanySearch) -> CompanyPage:
    """List or search the companies a connection uses."""
    return wiring.connect.identities().page(member, connection, query)


@door.get("/clients/{client}/connections/{connection}/audit", needs=Permission.CONNECTIONS_MANAGE)
def list_audit(member: Member, connection: str, query: PageQuery) -> AuditPage:
    """List what was done to a connection, by whom, when and from where, the newest first; also after it was deleted."""
    return wiring.connect.connections().trail(member, connection, query)


@door.post(
    "/clients/{client}/connections/{connection}/transfer-ownership", needs=Permission.CONNECTIONS_MANAGE, status=200
)
def transfer_ownership(member: Member, connection: str, body: NewOwner) -> ConnectionView:
    """Give a connection to another member; one whose owner has left can be taken by whoever may manage connections."""
    return wiring.connect.connections().hand_over(member, connection, body)


@door.post("/clients/{client}/connections/{connection}/pause", needs=Permission.CONNECTIONS_MANAGE, status=200)
def pause_connection(member: Member, connection: str) -> ConnectionView:
    """Stop a connection's imports and transfers until it is resumed."""
    wiring.events.pausing().pause(member, connection)
    return wiring.connect.connections().get(member, connection)


@door.post("/clients/{client}/connections/{connection}/resume", needs=Permission.CONNECTIONS_MANAGE, status=200)
def resume_connection(member: Member, connection: str) -> ConnectionView:
    """Let a paused connection go on, and make up for what was missed."""
    wiring.events.pausing().resume(member, connection)
    return wiring.connect.connections().get(member, connection)


# --- notifications and webhooks ---------------------------------------------------------------------------------------


@door.get("/clients/{client}/notifications", needs=Permission.CONNECTIONS_VIEW)
def list_notifications(member: Member, query: NotificationQuery) -> NotificationPage:
    """List what the client was told, the newest first."""
    return wiring.events.notifications().page(member, query)


@door.post(
    "/clients/{client}/notifications/{notification}/acknowledge", needs=Permission.CONNECTIONS_MANAGE, status=200
)
def acknowledge_notification(member: Member, notification: str) -> Notification:
    """Say that somebody sees to it."""
    return wiring.events.notifications().acknowledge(member, notification)


@door.get("/clients/{client}/webhooks", needs=Permission.CONNECTIONS_MANAGE)
def list_webhooks(member: Member, query: PageQuery) -> WebhookPage:
    """List where events are sent."""
    return wiring.events.webhooks().page(member, query)


@door.post("/clients/{client}/webhooks", needs=Permission.CONNECTIONS_MANAGE)
def create_webhook(member: Member, body: NewWebhook) -> WebhookView:
    """Register an address for events; the secret they are signed with is in this answer alone."""
    return wiring.events.webhooks().create(member, body)


@door.get("/clients/{client}/webhooks/{webhook}", needs=Permission.CONNECTIONS_MANAGE)
def show_webhook(member: Member, webhook: str) -> WebhookView:
    """Show a webhook."""
    return wiring.events.webhooks().get(member, webhook)


@door.patch("/clients/{client}/webhooks/{webhook}", needs=Permission.CONNECTIONS_MANAGE)
def change_webhook(member: Member, webhook: str, body: ChangedWebhook) -> WebhookView:
    """Change a webhook, switch it on or off, or give it a new secret."""
    return wiring.events.webhooks().change(member, webhook, body)


@door.delete("/clients/{client}/webhooks/{webhook}", needs=Permission.CONNECTIONS_MANAGE)
def delete_webhook(member: Member, webhook: str) -> None:
    """Delete a webhook with its secret and its log."""
    wiring.events.webhooks().delete(member, webhook)


@door.get("/clients/{client}/webhooks/{webhook}/deliveries", needs=Permission.CONNECTIONS_MANAGE)
def list_deliveries(member: Member, webhook: str, query: PageQuery) -> DeliveryPage:
    """List what was sent to a webhook, with every try, the newest first."""
    return wiring.events.webhooks().deliveries(member, webhook, query)


@door.post(
    "/clients/{client}/webhooks/{webhook}/deliveries/{delivery}/replay",
    needs=Permission.CONNECTIONS_MANAGE,
    status=202,
)
def replay_delivery(member: Member, webhook: str, delivery: str) -> DeliveryView:
    """Send a message again, under the same id; it goes within a minute."""
    return wiring.events.webhooks().replay(member, webhook, delivery)


# --- deletion ---------------------------------------------------------------------------------------------------------


@door.post(
    "/clients/{client}/connections/{connection}/deletion-preview", needs=Permission.CONNECTIONS_MANAGE, status=200
)
def preview_deletion(member: Member, connection: str) -> PlanView:
    """Show everything that goes when a connection is deleted, and what stays; gives the token that DELETE needs."""
    return wiring.deletion.desk().preview(member, connection)


@door.delete("/clients/{client}/connections/{connection}", needs=Permission.CONNECTIONS_MANAGE, status=202)
def delete_connection(member: Member, connection: str, query: DeletionQuery) -> DeletionView:
    """Delete a connection with all that the preview showed: unusable at once, removed after the time of grace."""
    return wiring.deletion.desk().delete(member, connection, query.plan_token)


@door.post("/clients/{client}/connections/{connection}/restore", needs=Permission.CONNECTIONS_MANAGE, status=200)
def restore_connection(member: Member, connection: str) -> ConnectionView:
    """Bring a deleted connection back within the time of grace, with all that belongs to it; it is paused."""
    return wiring.deletion.desk().restore(member, connection)
