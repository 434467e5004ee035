"""Customers, clients and members, as stored."""

from datetime import datetime

from erphub.platform.aws.table import Table
from erphub.tenancy.access import Authorizer
from erphub.tenancy.dynamodb import ClientTable, CustomerTable, MemberTable, PlatformAdministratorTable, RoleTable
from erphub.tenancy.models import Client, Customer, Membership, User


def add_customer(table: Table, customer_id: str, administrator: str, now: datetime) -> None:
    """A customer with its administrator."""
    CustomerTable(table).add(Customer(customer_id, "Example AS", now), User(administrator, address(administrator)))


def add_client(table: Table, client_id: str, customer_id: str, administrator: str, now: datetime) -> None:
    """A client whose first member administers it."""
    first = Membership(client_id, customer_id, administrator, "administrator", address(administrator))
    ClientTable(table).add(Client(client_id, customer_id, f"Client of {administrator}", now), first)


def add_member(table: Table, client_id: str, customer_id: str, user: str, role: str) -> None:
    """Another member of a client."""
    MemberTable(table).save(Membership(client_id, customer_id, user, role, address(user)), None, None)


def authorizer_over(table: Table) -> Authorizer:
    """Decides about callers from this table."""
    return Authorizer(MemberTable(table), RoleTable(table), CustomerTable(table), PlatformAdministratorTable(table))


def address(user: str) -> str:
    """A test user's e-mail address."""
    return f"{user}@example.test"
