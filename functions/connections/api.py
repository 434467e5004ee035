"""The door for people and programs: who may do what, the catalogue, the wizard, the connections."""

from datetime import datetime
from typing import Any

from erphub import catalogue, openapi, web, wiring
from erphub.catalogue import SystemPage, SystemView
from erphub.models.audit import AuditPage
from erphub.models.connection import ChangedConnection, CompanyPage, ConnectionPage, ConnectionView
from erphub.models.identity import Caller, Member, Permission, Standing
from erphub.models.tenancy import (
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
from erphub.models.wire import PageQuery
from erphub.models.wizard import CompanySearch, FoundCompanyPage, StartWizard, WizardView

door = web.Door(wiring.hall)
handler = door


@door.get("/openapi.json", needs=Standing.PUBLIC)
def describe_api() -> web.RawJson:
    """Describe this API (OpenAPI 3.1)."""
    return web.RawJson(openapi.built())


# --- me and tenancy ---------------------------------------------------------------------------------------------------


@door.get("/me", needs=Standing.SIGNED_IN)
def show_me(caller: Caller) -> Me:
    """Show the caller's customers and clients, and what may be done in each."""
    return wiring.tenants().me(caller)


@door.post("/customers", needs=Standing.PLATFORM_ADMINISTRATOR)
def create_customer(body: NewCustomer) -> CustomerView:
    """Make a customer, with its first administrator and roles."""
    return wiring.tenants().create_customer(body)


@door.get("/customers/{customer}", needs=Standing.CUSTOMER_ADMINISTRATOR)
def show_customer(customer: str) -> CustomerView:
    """Show a customer with its administrators and roles."""
    return wiring.tenants().customer(customer)


@door.get("/customers/{customer}/clients", needs=Standing.CUSTOMER_ADMINISTRATOR)
def list_clients(customer: str, query: PageQuery) -> ClientPage:
    """List the clients of a customer."""
    return wiring.tenants().clients(customer, query)


@door.post("/customers/{customer}/clients", needs=Standing.CUSTOMER_ADMINISTRATOR)
def create_client(customer: str, caller: Caller, body: NewClient) -> ClientView:
    """Make a client; the caller becomes its first member, as administrator."""
    return wiring.tenants().create_client(customer, caller, body)


@door.get("/customers/{customer}/roles/{role}", needs=Standing.CUSTOMER_ADMINISTRATOR)
def show_role(customer: str, role: str) -> RoleView:
    """Show a role and what it allows."""
    return wiring.tenants().role(customer, role)


@door.put("/customers/{customer}/roles/{role}", needs=Standing.CUSTOMER_ADMINISTRATOR)
def put_role(customer: str, role: str, body: ChangedRole) -> RoleView:
    """Make a role, or change what it allows."""
    return wiring.tenants().put_role(customer, role, body)


@door.delete("/customers/{customer}/roles/{role}", needs=Standing.CUSTOMER_ADMINISTRATOR)
def delete_role(customer: str, role: str) -> None:
    """Delete a role that nobody has."""
    wiring.tenants().delete_role(customer, role)


@door.get("/clients/{client}/members", needs=Permission.MEMBERS_MANAGE)
def list_members(member: Member, query: PageQuery) -> MemberPage:
    """List the members of a client."""
    return wiring.tenants().members(member, query)


@door.put("/clients/{client}/members/{user}", needs=Permission.MEMBERS_MANAGE)
def put_member(member: Member, user: str, body: ChangedMember) -> MemberView:
    """Give a user a role in the client; an e-mail address nobody has yet is invited."""
    return wiring.tenants().put_member(member, user, body)


@door.delete("/clients/{client}/members/{user}", needs=Permission.MEMBERS_MANAGE)
def remove_member(member: Member, user: str) -> None:
    """Take a user out of the client."""
    wiring.tenants().remove_member(member, user)


# --- the catalogue ----------------------------------------------------------------------------------------------------


@door.get("/erp-systems", needs=Standing.SIGNED_IN)
def list_systems() -> SystemPage:
    """List the ERP systems that can be connected."""
    return catalogue.systems()


@door.get("/erp-systems/{system}", needs=Standing.SIGNED_IN)
def show_system(system: str) -> SystemView:
    """Show an ERP system: documentation, capabilities, and the wizard's steps as JSON Schema."""
    return catalogue.system(system)


# --- the wizard -------------------------------------------------------------------------------------------------------


@door.post("/clients/{client}/wizards", needs=Permission.CONNECTIONS_MANAGE)
def start_wizard(member: Member, body: StartWizard) -> WizardView:
    """Start a wizard that connects an ERP system."""
    return wiring.wizards().start(member, body)


@door.get("/clients/{client}/wizards/{wizard}", needs=Permission.CONNECTIONS_MANAGE)
def show_wizard(member: Member, wizard: str) -> WizardView:
    """Show where a wizard stands."""
    return wiring.wizards().get(member, wizard)


@door.get("/clients/{client}/wizards/{wizard}/companies", needs=Permission.CONNECTIONS_MANAGE)
def list_found_companies(member: Member, wizard: str, query: CompanySearch) -> FoundCompanyPage:
    """List or search the companies the login can see."""
    return wiring.wizards().companies(member, wizard, query)


@door.put("/clients/{client}/wizards/{wizard}/steps/{step}", needs=Permission.CONNECTIONS_MANAGE, status=202)
def answer_step(member: Member, wizard: str, step: str, body: dict[str, Any], received: datetime) -> WizardView:
    """Answer a step with its fields; look at the wizard until it waits again."""
    return wiring.wizards().answer(member, wizard, step, body, received)


@door.delete("/clients/{client}/wizards/{wizard}", needs=Permission.CONNECTIONS_MANAGE)
def cancel_wizard(member: Member, wizard: str) -> None:
    """Cancel a wizard and forget its password."""
    wiring.wizards().cancel(member, wizard)


# --- connections ------------------------------------------------------------------------------------------------------


@door.get("/clients/{client}/connections", needs=Permission.CONNECTIONS_VIEW)
def list_connections(member: Member, query: PageQuery) -> ConnectionPage:
    """List the connections of a client."""
    return wiring.connections().page(member, query)


@door.get("/clients/{client}/connections/{connection}", needs=Permission.CONNECTIONS_VIEW)
def show_connection(member: Member, connection: str) -> ConnectionView:
    """Show a connection with its last test."""
    return wiring.connections().get(member, connection)


@door.patch("/clients/{client}/connections/{connection}", needs=Permission.CONNECTIONS_MANAGE)
def change_connection(member: Member, connection: str, body: ChangedConnection) -> ConnectionView:
    """Rename a connection, or let others edit it."""
    return wiring.connections().change(member, connection, body)


@door.post("/clients/{client}/connections/{connection}/test", needs=Permission.CONNECTIONS_MANAGE, status=202)
def test_connection(member: Member, connection: str) -> ConnectionView:
    """Start a test of a connection; its result appears in `last_test`."""
    return wiring.connections().test(member, connection)


@door.get("/clients/{client}/connections/{connection}/companies", needs=Permission.CONNECTIONS_VIEW)
def list_companies(member: Member, connection: str, query: CompanySearch) -> CompanyPage:
    """List or search the companies a connection uses."""
    return wiring.connections().companies(member, connection, query)


@door.get("/clients/{client}/connections/{connection}/audit", needs=Permission.CONNECTIONS_MANAGE)
def list_audit(member: Member, connection: str, query: PageQuery) -> AuditPage:
    """List what was done to a connection, by whom, when and from where, the newest first; also after it was deleted."""
    return wiring.audit().page(member, connection, query)
