"""Companies of a customer are connected once: who has one already, what can be done about it, and the licences used.

A connection holds the companies it uses. Taking one that nobody holds is a single conditional write together with its
licence, so of any number of attempts one succeeds. Holding what another connection holds too is possible only
allow_duplicates, where the customer allows it, and uses no further licence.
"""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from erphub.companies import problems
from erphub.companies.models import CompanyTaker, CompanyUse, GivenUp, KnownCompany, Licences, company_identity, used_up
from erphub.companies.ports import CompanyStore, OwnerNotices
from erphub.companies.schemas import (
    AllowedAction,
    CompanyPage,
    CompanySearch,
    CompanyView,
    ConnectedElsewhere,
    LicencesView,
)
from erphub.companies.taking_over import TakeOvers
from erphub.connections.access import connection_not_found
from erphub.connections.models import Company, Connection
from erphub.connections.ports import ConnectionStore, UsedCompanies
from erphub.erp.system import FoundCompany
from erphub.platform.actors import ActorDirectory, ActorView
from erphub.platform.acts import describe_act
from erphub.platform.clock import Pause
from erphub.platform.errors import Conflict, Invalid, Unavailable
from erphub.platform.identity import Member
from erphub.tenancy.capability import CONNECTIONS_VIEW
from erphub.tenancy.ports import TenantDirectory
from erphub.tenancy.problems import CUSTOMER_GONE

_MAX_CLAIMED_AT_ONCE = 50
_MAX_ATTEMPTS = 40


@dataclass(frozen=True)
class CompanyRegistry:
    """Who has which company."""

    store: CompanyStore
    connections: ConnectionStore
    used: UsedCompanies
    tenancy: TenantDirectory
    notices: OwnerNotices
    actors: ActorDirectory
    take_overs: TakeOvers
    pause: Pause = time.sleep

    # --- for whoever chooses -----------------------------------------------------------------------------------------

    def find_elsewhere(
        self, member: Member, erp_system: str, found: Sequence[FoundCompany], connection_id: str
    ) -> dict[str, ConnectedElsewhere]:
        """Which of the companies found another connection of the customer has, by key, as far as one may know."""
        known = self._known(member.customer_id, erp_system, found)
        others = {key: one for key, one in known.items() if not one.is_used_by(connection_id)}
        twice = self.store.licences(member.customer_id).allow_duplicates if others else False
        me = CompanyTaker(member.client_id, member.user)
        given_up = {key for key, one in others.items() if self.take_overs.is_given_up(one, me)}
        return {
            key: self._visible_use(member, one.uses[0], twice=twice, given_up=key in given_up)
            for key, one in others.items()
        }

    def _visible_use(self, member: Member, use: CompanyUse, *, twice: bool, given_up: bool) -> ConnectedElsewhere:
        """Where a company is connected, as far as the member may know."""
        again = [AllowedAction.CONTINUE] if twice else []
        if given_up:
            again = [AllowedAction.TAKE_OVER, *again]
        if CONNECTIONS_VIEW not in self.tenancy.permissions_of(use.client_id, member.user):
            return ConnectedElsewhere(allowed_actions=[AllowedAction.REQUEST_ACCESS, *again])
        client = self.tenancy.client(use.client_id)
        connection = self.connections.get(use.client_id, use.connection_id)
        return ConnectedElsewhere(
            client_id=use.client_id,
            client_name=client.name if client else None,
            connection_id=use.connection_id,
            connection_name=connection.name if connection else None,
            owner=self._owner(connection) if connection else None,
            allowed_actions=[AllowedAction.USE_EXISTING, AllowedAction.REQUEST_ACCESS, *again],
        )

    def _owner(self, connection: Connection) -> ActorView:
        return self.actors.find(connection.client_id, [connection.owner])[connection.owner]

    def require_free(
        self,
        member: Member,
        erp_system: str,
        chosen: Sequence[FoundCompany],
        connection_id: str,
        *,
        by_name: bool,
        allow_duplicates: bool,
    ) -> None:
        """Check a choice before it is kept. Raises Conflict (`company_connected`, `licences_used_up`).

        What is chosen `by_name` may be taken over from a connection to all companies.
        """
        elsewhere = self.find_elsewhere(member, erp_system, chosen, connection_id)
        if by_name:
            take_over = AllowedAction.TAKE_OVER
            elsewhere = {key: where for key, where in elsewhere.items() if take_over not in where.allowed_actions}
        licences = self.store.licences(member.customer_id)
        if elsewhere and not (allow_duplicates and licences.allow_duplicates):
            shown = [{"key": key, **where.model_dump(mode="json")} for key, where in elsewhere.items()]
            names = {company.key: company.name for company in chosen}
            raise _connected([names[key] for key in elsewhere], companies=shown)
        known = self._known(member.customer_id, erp_system, chosen)
        new = len(chosen) - len(known)
        if licences.allowed is not None and new and licences.used + new > licences.allowed:
            raise used_up(licences, new)

    def request_access(self, member: Member, erp_system: str, company: FoundCompany, connection_id: str) -> None:
        """Tell the people of the connection that has a company who would like to use it. Raises Invalid.

        They read its name as they know it: the asker's server can call a company whatever it likes.
        """
        known = self._known(member.customer_id, erp_system, [company]).get(company.key)
        if known is None or known.is_used_by(connection_id):
            raise Invalid.of(problems.COMPANY_FREE("/company_key"))
        use, who = known.uses[0], member.name or "Somebody"
        connection = self.connections.get(use.client_id, use.connection_id)
        theirs = self._own_companies(connection).get(known.id) if connection else None
        self.notices.request_access(
            use,
            f"{member.user} {known.id}",
            f"{who} would like to use {theirs.name if theirs else 'a company'}, which this connection has. Invite them"
            " to the client, or tell them why not.",
            {
                "company_key": theirs.key if theirs else None,
                "company_name": theirs.name if theirs else None,
                "user_id": member.user,
                "email": member.email,
            },
        )

    def list_companies(self, member: Member, connection_id: str, query: CompanySearch) -> CompanyPage:
        """A page of a connection's companies. Raises NotFound."""
        connection = self.connections.get(member.client_id, connection_id)
        if connection is None:
            raise connection_not_found()
        found, following = self.used.search_companies(
            member.client_id, connection_id, query.search or "", query.limit, query.next
        )
        twice = self.connected_elsewhere(member.customer_id, connection, found)
        items = [CompanyView(key=one.key, name=one.name, is_connected_elsewhere=one.key in twice) for one in found]
        return CompanyPage(items=items, next=following)

    def connected_elsewhere(self, customer_id: str, connection: Connection, companies: Sequence[Company]) -> set[str]:
        """The keys of those of a connection's companies that another connection has too."""
        ids = {company_identity(connection.erp_system, company): company.key for company in companies}
        found = self.store.find(customer_id, list(ids))
        return {ids[one.id] for one in found.values() if any(use.connection_id != connection.id for use in one.uses)}

    def _known(self, customer_id: str, erp_system: str, found: Sequence[FoundCompany]) -> dict[str, KnownCompany]:
        ids = {one.key: company_identity(erp_system, as_company(one)) for one in found}
        known = self.store.find(customer_id, list(ids.values())) if ids else {}
        return {key: known[id_] for key, id_ in ids.items() if id_ in known}

    # --- for connections that come, change and go --------------------------------------------------------------------

    def claim(
        self,
        customer_id: str,
        connection: Connection,
        companies: Sequence[Company],
        *,
        allow_duplicates: bool,
        taker: CompanyTaker | None = None,
    ) -> list[GivenUp]:
        """Make the connection hold these companies; again is fine. What it newly held is released when one is refused.

        The answer names those that a connection to all companies gave up to the `taker`. Raises Conflict
        (`company_connected`, `licences_used_up`), Unavailable.
        """
        me = CompanyUse(client_id=connection.client_id, connection_id=connection.id)
        wanted = {
            one.id: one
            for one in (
                KnownCompany(
                    id=company_identity(connection.erp_system, company),
                    erp_system=connection.erp_system,
                    key=company.key,
                    name=company.name,
                    uses=[me],
                )
                for company in companies
            )
        }
        mine = {id_ for id_, one in self.store.find(customer_id, list(wanted)).items() if one.is_used_by(connection.id)}
        left = [one for id_, one in wanted.items() if id_ not in mine]
        given_up: list[GivenUp] = []
        try:
            if taker is not None:
                given_up = self.take_overs.take(customer_id, left, me, taker)
            for start in range(0, len(left), _MAX_CLAIMED_AT_ONCE):
                self._claim(
                    customer_id, left[start : start + _MAX_CLAIMED_AT_ONCE], me, allow_duplicates=allow_duplicates
                )
        except (Conflict, Unavailable):
            self._release_all(customer_id, [one.id for one in left], me)
            raise
        return given_up

    def _claim(
        self, customer_id: str, wanted: Sequence[KnownCompany], me: CompanyUse, *, allow_duplicates: bool
    ) -> None:
        for attempt in range(_MAX_ATTEMPTS):
            known = self.store.find(customer_id, [one.id for one in wanted])
            others = [one for one in known.values() if not one.is_used_by(me.connection_id)]
            if others and not (allow_duplicates and self.store.licences(customer_id).allow_duplicates):
                names = {one.id: one.name for one in wanted}
                raise _connected([names[one.id] for one in others])
            try:
                for one in others:
                    self.store.replace_uses(customer_id, one, [*one.uses, me])
                new = [one for one in wanted if one.id not in known]
                if new:
                    self.store.claim(customer_id, new)
            except Conflict as error:
                if error.code != "version_conflict":
                    raise
            except Unavailable:
                if attempt == _MAX_ATTEMPTS - 1:
                    raise
            else:
                return
            self._wait(attempt)
        raise problems.TOO_MANY_CHOOSING()

    def claim_new_companies(
        self, connection: Connection, found: Sequence[FoundCompany], skipped: Callable[[FoundCompany, Conflict], None]
    ) -> list[FoundCompany]:
        """Those of the companies found that a connection to all of them may use; new ones that are free are taken.

        Raises Unavailable.
        """
        customer_id = self._customer_of(connection.client_id)
        if customer_id is None:
            return []
        known = self._known(customer_id, connection.erp_system, found)
        used = {company.key for company in self.used.companies(connection.client_id, connection.id)}
        mine: list[FoundCompany] = []
        for one in found:
            company = known.get(one.key)
            try:
                if company is None or not company.is_used_by(connection.id):
                    self.claim(customer_id, connection, [as_company(one)], allow_duplicates=False)
            except Conflict as error:
                skipped(one, error)
                continue
            if one.key not in used:
                self.used.add_company(connection, as_company(one))
            mine.append(one)
        return mine

    def release(
        self, client_id: str, connection_id: str, keep: Iterable[str] = (), customer_id: str | None = None
    ) -> int:
        """Let a connection's companies go, but those whose identities are to `keep`; again is fine. Says how many."""
        customer_id = customer_id or self._customer_of(client_id)
        if customer_id is None:
            return 0
        kept_ids = set(keep)
        released = [one.id for one in self.store.list_used(customer_id, connection_id) if one.id not in kept_ids]
        self._release_all(customer_id, released, CompanyUse(client_id=client_id, connection_id=connection_id))
        return len(released)

    def list_used(self, client_id: str, connection_id: str) -> Sequence[KnownCompany]:
        """The companies in use that a connection holds; a licence comes free with each that nobody else holds.

        Asked for by the connection's own companies: a customer may have ten thousand others.
        """
        customer_id, connection = self._customer_of(client_id), self.connections.get(client_id, connection_id)
        if not customer_id or connection is None:
            return []
        names = self._own_companies(connection)
        found = self.store.find(customer_id, list(names))
        held = [one for one in found.values() if one.is_used_by(connection_id)]
        # What is kept says how whoever was first names it: that may have been another client.
        return [one.model_copy(update={"key": names[one.id].key, "name": names[one.id].name}) for one in held]

    def _own_companies(self, connection: Connection) -> dict[str, Company]:
        """A connection's companies by identity, with the keys and names that it knows them by."""
        companies = self.used.companies(connection.client_id, connection.id)
        return {company_identity(connection.erp_system, company): company for company in companies}

    def _release_all(self, customer_id: str, ids: Sequence[str], me: CompanyUse) -> None:
        for id_ in ids:
            for attempt in range(_MAX_ATTEMPTS):
                if self._try_release(customer_id, id_, me):
                    break
                self._wait(attempt)
            else:
                raise problems.TOO_MANY_CHOOSING()

    def _try_release(self, customer_id: str, id_: str, me: CompanyUse) -> bool:
        """Whether the connection no longer holds the company; tries once to make it so."""
        one = self.store.find(customer_id, [id_]).get(id_)
        if one is None or not one.is_used_by(me.connection_id):
            return True
        try:
            self.store.replace_uses(customer_id, one, [use for use in one.uses if use != me])
        except (Conflict, Unavailable):
            return False  # somebody else changes it at this moment; the caller looks again
        return True

    def _wait(self, attempt: int) -> None:
        self.pause(random.uniform(0, min(0.02 * 2**attempt, 0.5)))  # noqa: S311 — only spreads the attempts

    def _customer_of(self, client_id: str) -> str | None:
        client = self.tenancy.client(client_id)
        return client.customer_id if client else None

    # --- licences ----------------------------------------------------------------------------------------------------

    def licences(self, customer_id: str) -> LicencesView:
        """Used and allowed."""
        return _view(self.store.licences(customer_id))

    def set_licences(self, customer_id: str, allowed: int | None) -> LicencesView:
        """Set how many companies a customer may use. Raises NotFound."""
        if self.tenancy.customer(customer_id) is None:
            raise CUSTOMER_GONE()
        describe_act(old={"licences_allowed": self.licences(customer_id).licences_allowed})
        return _view(self.store.set_allowed(customer_id, allowed))

    def set_allow_duplicates(self, customer_id: str, allow: bool) -> LicencesView:
        """Set whether a company may allow_duplicates be connected more than once; those that are stay."""
        describe_act(old={"allow_duplicates": self.licences(customer_id).allow_duplicates})
        return _view(self.store.set_allow_duplicates(customer_id, allow))


def as_company(found: FoundCompany) -> Company:
    """A company found, as a connection keeps it."""
    return Company(key=found.key, name=found.name, attributes=dict(found.attributes))


def _connected(names: Sequence[str], **details: Any) -> Conflict:
    some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return problems.COMPANY_CONNECTED(names=some, **details)


def _view(licences: Licences) -> LicencesView:
    return LicencesView(
        licences_used=licences.used, licences_allowed=licences.allowed, allow_duplicates=licences.allow_duplicates
    )
