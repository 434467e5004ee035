"""Customers and suppliers as actors over SOAP.

A group of a record (addresses, phones, e-mail addresses) is sent whole, with what was there: what the service does with
the parts of a group that are left out is not said anywhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import batched, groupby
from typing import TYPE_CHECKING, Any

from erphub.erp.actors import Actor, ActorField, ActorType
from erphub.erp.systems.twentyfourseven import actors, problems
from erphub.erp.systems.twentyfourseven.actors import FIRST_NAME, IS_COMPANY, LAST_NAME, NAME, NUMBER
from erphub.erp.systems.twentyfourseven.endpoints import COMPANY
from erphub.erp.systems.twentyfourseven.rest import parse_instant
from erphub.erp.systems.twentyfourseven.soap import Soap
from erphub.erp.systems.twentyfourseven.soap_register import AT_ONCE, COMPANY_PROPERTIES, SoapCustomers, row_of, strings
from erphub.erp.systems.twentyfourseven.xml import Node, children, text

if TYPE_CHECKING:
    from erphub.erp.systems.twentyfourseven.xml import Element

_PROPERTIES = (*COMPANY_PROPERTIES, "Url")
_PATHS: Mapping[str, tuple[str, ...]] = {
    NUMBER: ("Id",),
    "VATNO": ("OrganizationNumber",),
    "POSTALAD1": ("Addresses", "Post", "Street"),
    "POSTALZIP": ("Addresses", "Post", "PostalCode"),
    "POSTALCITY": ("Addresses", "Post", "PostalArea"),
    "STREETAD1": ("Addresses", "Visit", "Street"),
    "STREETZIP": ("Addresses", "Visit", "PostalCode"),
    "STREETCITY": ("Addresses", "Visit", "PostalArea"),
    "COUNTRY": ("Addresses", "Visit", "Country"),
    "FAX": ("PhoneNumbers", "Fax", "Value"),
    "PHONE_MOBILE": ("PhoneNumbers", "Mobile", "Value"),
    "PHONE": ("PhoneNumbers", "Work", "Value"),
    "EMAIL_INVOICE": ("EmailAddresses", "Invoice", "Value"),
    "EMAIL": ("EmailAddresses", "Work", "Value"),
    "URL": ("Url",),
}
"""Where each field stands, in the order of the service's schema."""
_TYPES = {ActorType.CUSTOMER: "Business", ActorType.SUPPLIER: "Supplier"}


class SoapActors:
    """The customers and suppliers of one company."""

    fields: Sequence[ActorField] = actors.FIELDS_OF_USER

    def __init__(self, soap: Soap, company: str) -> None:
        self._soap = soap
        self._company = company

    def get(self, actor_type: ActorType, keys: Sequence[str]) -> Mapping[str, Actor]:
        """Many in one call."""
        wanted = [int(key) for key in keys if actors.is_key(key)]
        records = self._records(wanted) if wanted else []
        found = (_actor(actor_type, one) for one in records if _is_of(actor_type, one))
        return {actor.key: actor for actor in found}

    def changed_since(self, actor_type: ActorType, since: datetime | None) -> Iterator[Actor]:
        """The longest ago first; all there are by pages, as they come."""
        pages = SoapCustomers(self._soap, self._company).changed_keys(since)
        found = (
            _actor(actor_type, one)
            for page in pages
            for keys in batched(page, AT_ONCE, strict=False)
            for one in self._records(keys)
            if _is_of(actor_type, one)
        )
        if since is None:
            return found
        return iter(sorted(found, key=lambda actor: (actor.changed_at is not None, actor.changed_at, actor.key)))

    def keys(self, actor_type: ActorType) -> Iterator[str]:  # noqa: ARG002 - of the register: the list says no types
        """Of all customers and suppliers."""
        for page in SoapCustomers(self._soap, self._company).changed_keys(None):
            yield from map(str, page)

    def create(self, actor_type: ActorType, values: Mapping[str, str | None], marker: str) -> str:
        """A company, or a person when only a person's names are given."""
        given = {name: value for name, value in values.items() if value}
        kind = _TYPES[actor_type] if given.get(NAME) else "Consumer"
        return self._save(None, given, kind, marker)

    def find_created(self, marker: str) -> str | None:
        """By our key."""
        return next((text(one, "Id") for one in self._companies((("ExternalId", marker),))), None)

    def save(self, actor_type: ActorType, key: str, values: Mapping[str, str | None]) -> None:
        """A person's name is written as its two."""
        before = self.get(actor_type, [key]).get(key)
        if before is None:
            raise problems.ACTOR_GONE(number=key)
        groups = {path[0] for name, path in _PATHS.items() if name in values}
        beside = {name: before.values[name] for name, path in _PATHS.items() if len(path) > 1 and path[0] in groups}
        given = beside | dict(values)
        if NAME in given and before.values[IS_COMPANY] == "false":
            given[FIRST_NAME], given[LAST_NAME] = actors.names_of(given.pop(NAME) or "")
        self._save(key, given, None, None)

    def _save(self, key: str | None, values: Mapping[str, str | None], kind: str | None, marker: str | None) -> str:
        company: Node = (
            ("Id", int(key) if key else None),
            ("ExternalId", marker),
            ("OrganizationNumber", _spelled(values, "VATNO")),
            ("Name", values.get(NAME) or values.get(LAST_NAME)),
            ("FirstName", values.get(FIRST_NAME)),
            ("Addresses", _group(values, "Addresses")),
            ("PhoneNumbers", _group(values, "PhoneNumbers")),
            ("EmailAddresses", _group(values, "EmailAddresses")),
            ("Url", _spelled(values, "URL")),
            ("Type", kind),
        )
        body: Node = (("companies", (("Company", [company]),)),)
        result = self._soap.write(COMPANY, "SaveCompanies", body, self._company, repeatable=key is not None)
        return text(row_of(result, "Company"), "Id") or key or ""

    def _records(self, keys: Sequence[int]) -> list["Element"]:
        return self._companies((("CompanyIds", (("int", list(keys)),)),))

    def _companies(self, search: Node) -> list["Element"]:
        body: Node = (("searchParams", search), ("returnProperties", strings(_PROPERTIES)))
        return list(children(self._soap.read(COMPANY, "GetCompanies", body, self._company), "Company"))


def _spelled(values: Mapping[str, str | None], key: str) -> str | None:
    """A value as it is sent: empty text empties the field, and what is left out stays as it is."""
    return (values[key] or "") if key in values else None


def _group(values: Mapping[str, str | None], name: str) -> Node | None:
    """The values that lie in an element, nested as the schema has them."""
    inside = [(path[1:], values[key] or "") for key, path in _PATHS.items() if key in values and path[0] == name]
    return _nested(inside) if inside else None


def _nested(values: Sequence[tuple[tuple[str, ...], str]]) -> Node:
    nodes: list[tuple[str, Any]] = []
    for name, group in groupby(values, key=lambda one: one[0][0]):
        inner = [(path[1:], value) for path, value in group]
        nodes.append((name, _nested(inner) if inner[0][0] else inner[0][1]))
    return tuple(nodes)


def _is_of(actor_type: ActorType, one: "Element") -> bool:
    return actors.is_of(actor_type, is_supplier=text(one, "Type") == "Supplier")


def _actor(actor_type: ActorType, one: "Element") -> Actor:
    values = {key: (text(one, *path) or "").strip() or None for key, path in _PATHS.items()}
    is_company = text(one, "Type") != "Consumer"
    first, last = (None, None) if is_company else (text(one, "FirstName"), text(one, "Name"))
    name = text(one, "Name") if is_company else " ".join(filter(None, (first, last)))
    own = {NAME: name or None, FIRST_NAME: first or None, LAST_NAME: last or None, IS_COMPANY: str(is_company).lower()}
    return Actor(actor_type, text(one, "Id") or "", values | own, parse_instant(text(one, "DateChanged")))
