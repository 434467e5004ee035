"""A customer's companies in the tenant table: one item per identity, put only where there is none, with its licence."""

from collections.abc import Sequence
from typing import Any, override

from erphub.companies.models import CompanyUse, KnownCompany, Licences, used_up
from erphub.companies.ports import CompanyStore
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.writes import Key, Write


class CompanyTable(CompanyStore):
    """One item per company, and one that counts the licences."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def find(self, customer_id: str, ids: Sequence[str]) -> dict[str, KnownCompany]:
        wanted = [company_key(customer_id, one) for one in dict.fromkeys(ids)]
        return {found.id: found for found in map(_company, self._table.get_many(wanted))}

    @override
    def list_used(self, customer_id: str, connection_id: str) -> Sequence[KnownCompany]:
        key = company_key(customer_id, "")
        return [
            found
            for found in map(_company, self._table.read_all(key["pk"], key["sk"]))
            if found.is_used_by(connection_id)
        ]

    @override
    def claim(self, customer_id: str, companies: Sequence[KnownCompany]) -> None:
        licences = self.licences(customer_id)
        if licences.allowed is not None and licences.used + len(companies) > licences.allowed:
            raise used_up(licences, len(companies))
        new = [Write(put=_item(customer_id, one), condition="attribute_not_exists(pk)") for one in companies]
        self._table.transact([*new, _count_licences(customer_id, len(companies), licences.allowed)])

    @override
    def replace_uses(self, customer_id: str, company: KnownCompany, uses: Sequence[CompanyUse]) -> None:
        unchanged: dict[str, Any] = {"condition": "rev = :rev", "values": {"rev": company.rev}}
        if uses:
            after = company.model_copy(update={"uses": list(uses), "rev": company.rev + 1})
            self._table.transact([Write(put=_item(customer_id, after), **unchanged)])
        else:
            gone = Write(delete=company_key(customer_id, company.id), **unchanged)
            self._table.transact([gone, _count_licences(customer_id, -1, None)])

    @override
    def licences(self, customer_id: str) -> Licences:
        return _licences(self._table.get(licences_key(customer_id)) or {})

    @override
    def set_allowed(self, customer_id: str, allowed: int | None) -> Licences:
        key = licences_key(customer_id)
        if allowed is None:
            return _licences(self._table.update(key, "REMOVE allowed"))
        return _licences(self._table.update(key, "SET allowed = :allowed", allowed=allowed))

    @override
    def set_allow_duplicates(self, customer_id: str, allow: bool) -> Licences:
        return _licences(self._table.update(licences_key(customer_id), "SET allow_duplicates = :allow", allow=allow))


def _count_licences(customer_id: str, by: int, allowed: int | None) -> Write:
    """Count licences. Taking some holds only while as many are allowed as when it was decided."""
    write: dict[str, Any] = {"update": licences_key(customer_id), "expression": "ADD used :by"}
    if by > 0 and allowed is not None:
        still_allowed = "allowed = :allowed AND (attribute_not_exists(used) OR used <= :most)"
        return Write(**write, condition=still_allowed, values={"by": by, "allowed": allowed, "most": allowed - by})
    condition = "attribute_not_exists(allowed)" if by > 0 else None
    return Write(**write, condition=condition, values={"by": by})


def _licences(item: Item) -> Licences:
    allowed = item.get("allowed")
    return Licences(
        used=int(item.get("used", 0)),
        allowed=None if allowed is None else int(allowed),
        allow_duplicates=bool(item.get("allow_duplicates", False)),
    )


def _item(customer_id: str, company: KnownCompany) -> Item:
    return {
        **company_key(customer_id, company.id),
        "id": company.id,
        "erp_system": company.erp_system,
        "key": company.key,
        "name": company.name,
        "uses": [f"{use.client_id}/{use.connection_id}" for use in company.uses],
        "rev": company.rev,
    }


def _company(item: Item) -> KnownCompany:
    pairs = [str(use).split("/") for use in item["uses"]]
    return KnownCompany(
        id=item["id"],
        erp_system=item["erp_system"],
        key=item["key"],
        name=item["name"],
        uses=[CompanyUse(client_id=client, connection_id=connection) for client, connection in pairs],
        rev=int(item["rev"]),
    )


def company_key(customer_id: str, identity: str) -> Key:
    """The key of a customer's company, by what it is and not by who connected it."""
    return make_key(f"CUSTOMER#{customer_id}", "COMPANY", identity)


def licences_key(customer_id: str) -> Key:
    """The key of a customer's licences."""
    return make_key(f"CUSTOMER#{customer_id}", "LICENCES")
