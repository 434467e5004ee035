"""A company that a connection has only because it has all there are goes to a connection that names it.

The first one keeps what it imported and sent; its imports go on without the company. It gives up none that its sync's
settings name, and never its last one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from erphub.companies.models import CompanyTaker, CompanyUse, GivenUp, KnownCompany, company_identity
from erphub.companies.ports import CompanyStore
from erphub.connections.models import Connection
from erphub.connections.ports import CompanyUsers, ConnectionStore, UsedCompanies
from erphub.platform.errors import Conflict, Unavailable


@dataclass(frozen=True)
class TakeOvers:
    """Which companies can be taken over, and how."""

    store: CompanyStore
    connections: ConnectionStore
    used: UsedCompanies
    users: CompanyUsers

    def is_given_up(self, company: KnownCompany, taker: CompanyTaker) -> bool:
        """Whether the only connection that has a company gives it up to another, of the same client, that names it; to
        those alone who may edit it."""
        [use, *others] = company.uses
        holder = self.connections.get(use.client_id, use.connection_id)
        if others or use.client_id != taker.client_id or holder is None or not holder.includes_new_companies:
            return False
        if holder.is_being_deleted or not (holder.is_shared or holder.owner == taker.user):
            return False
        key = self._own_key(holder, company)
        kept = [one.key for one in self.used.companies(use.client_id, use.connection_id) if one.key != key]
        return bool(kept) and not self.users.is_used(use.client_id, use.connection_id, key)

    def take(
        self, customer_id: str, wanted: Sequence[KnownCompany], me: CompanyUse, taker: CompanyTaker
    ) -> list[GivenUp]:
        """Take those that are given up, in one write each: whatever happens, a company has one connection.

        It goes from the first connection's list before: cut off in between, or refused, it is back with that
        connection's next import.
        """
        taken: list[GivenUp] = []
        for one in self.store.find(customer_id, [each.id for each in wanted]).values():
            if one.is_used_by(me.connection_id) or not self.is_given_up(one, taker):
                continue
            given_up = self._remove(one)
            try:
                self.store.replace_uses(customer_id, one, [me])
            except (Conflict, Unavailable):
                continue  # somebody changed it at this moment: it is claimed as any other is, or refused
            taken.append(given_up)
        return taken

    def _remove(self, company: KnownCompany) -> GivenUp:
        use = company.uses[0]
        holder = self.connections.get(use.client_id, use.connection_id)
        key = self._own_key(holder, company) if holder else company.key
        if holder is not None:
            self.used.remove_company(holder, key)
        return GivenUp(use.client_id, use.connection_id, key, company.name)

    def _own_key(self, holder: Connection, company: KnownCompany) -> str:
        """The company as the connection calls it."""
        own = self.used.companies(holder.client_id, holder.id)
        return next((one.key for one in own if company_identity(holder.erp_system, one) == company.id), company.key)
