"""A customer's companies in the tenant table: one item per identity, put only where there is none, with its licence."""

from collections.abc import Sequence
from typing import Any

from erphub.companies.models import CompanyUse, KnownCompany, Licences, used_up
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.writes import Key, Write


class CompanyTable:
    """Satisfies `companies.ports.CompanyStore`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, customer_id: str, ids: Sequence[str]) -> dict[str, KnownCompany]:
        """See the port."""
        wanted = [company_key(customer_id, one) for one in dict.fromkeys(ids)]
        return {found.id: found for found in map(_company, self._table.get_many(wanted))}

    def held(self, customer_id: str, connection_id: str) -> Sequence[KnownCompany]:
        """See the port."""
        key = company_key(customer_id, "")
        return [found for found in map(_company, self._table.all(key["pk"], key["sk"])) if found.held_by(connection_id)]

    def take(self, customer_id: str, companies: Sequence[KnownCompany]) -> None:
        """See the port."""
        licences = self.licences(customer_id)
        if licences.allowed is not None and licences.used + len(companies) > licences.allowed:
            raise used_up(licences, len(companies))
        new = [Write(put=_item(customer_id, one), condition="attribute_not_exists(pk)") for one in companies]
        self._table.transact([*new, _counted(customer_id, len(companies), licences.allowed)])

    def put_holders(self, customer_id: str, company: KnownCompany, holders: Sequence[CompanyUse]) -> None:
        """See the port."""
        unchanged: dict[str, Any] = {"condition": "rev = :rev", "values": {"rev": company.rev}}
        if holders:
            after = company.model_copy(update={"holders": list(holders), "rev": company.rev + 1})
            self._table.transact([Write(put=_item(customer_id, after), **unchanged)])
        else:
            gone = Write(delete=company_key(customer_id, company.id), **unchanged)
            self._table.transact([gone, _counted(customer_id, -1, None)])

    def licences(self, customer_id: str) -> Licences:
        """See the port."""
        return _licences(self._table.get(licences_key(customer_id)) or {})

    def allow(self, customer_id: str, allowed: int | None) -> Licences:
        """See the port."""
        key = licences_key(customer_id)
        if allowed is None:
            return _licences(self._table.update(key, "REMOVE allowed"))
        return _licences(self._table.update(key, "SET allowed = :allowed", allowed=allowed))

    def allow_twice(self, customer_id: str, twice: bool) -> Licences:
        """See the port."""
        return _licences(self._table.update(licences_key(customer_id), "SET same_company_twice = :twice", twice=twice))


def _counted(customer_id: str, by: int, allowed: int | None) -> Write:
    """Count licences. Taking some holds only while as many are allowed as when it was decided."""
    write: dict[str, Any] = {"update": licences_key(customer_id), "expression": "ADD used :by"}
    if by > 0 and allowed is not None:
        room = "allowed = :allowed AND (attribute_not_exists(used) OR used <= :most)"
        return Write(**write, condition=room, values={"by": by, "allowed": allowed, "most": allowed - by})
    condition = "attribute_not_exists(allowed)" if by > 0 else None
    return Write(**write, condition=condition, values={"by": by})


def _licences(item: Item) -> Licences:
    allowed = item.get("allowed")
    return Licences(
        used=int(item.get("used", 0)),
        allowed=None if allowed is None else int(allowed),
        same_company_twice=bool(item.get("same_company_twice", False)),
    )


def _item(customer_id: str, company: KnownCompany) -> Item:
    return {
        **company_key(customer_id, company.id),
        "id": company.id,
        "erp_system": company.erp_system,
        "key": company.key,
        "name": company.name,
        "holders": [f"{holder.client_id}/{holder.connection_id}" for holder in company.holders],
        "rev": company.rev,
    }


def _company(item: Item) -> KnownCompany:
    pairs = [str(holder).split("/") for holder in item["holders"]]
    return KnownCompany(
        id=item["id"],
        erp_system=item["erp_system"],
        key=item["key"],
        name=item["name"],
        holders=[CompanyUse(client_id=client, connection_id=connection) for client, connection in pairs],
        rev=int(item["rev"]),
    )


def company_key(customer_id: str, identity: str) -> Key:
    """The key of a customer's company, by what it is and not by who connected it."""
    return make_key(f"CUSTOMER#{customer_id}", "COMPANY", identity)


def licences_key(customer_id: str) -> Key:
    """The key of a customer's licences."""
    return make_key(f"CUSTOMER#{customer_id}", "LICENCES")
