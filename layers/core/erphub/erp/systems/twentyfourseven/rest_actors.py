"""Customers and suppliers as actors over REST: only what has changed is sent."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from erphub.erp.actors import Actor, ActorField, ActorType
from erphub.erp.systems.twentyfourseven import actors, outcomes, problems
from erphub.erp.systems.twentyfourseven.actors import FIRST_NAME, IS_COMPANY, LAST_NAME, NAME, NUMBER
from erphub.erp.systems.twentyfourseven.numbers import part
from erphub.erp.systems.twentyfourseven.rest import Rest, parse_instant
from erphub.erp.systems.twentyfourseven.rest_register import PAGE, RestCustomers
from erphub.platform.errors import ErpRefused

_PATHS: Mapping[str, tuple[str, ...]] = {
    NAME: ("name",),
    "VATNO": ("organizationNumber",),
    NUMBER: ("id",),
    FIRST_NAME: ("person", "firstName"),
    LAST_NAME: ("person", "lastName"),
    "EMAIL": ("email", "contact"),
    "EMAIL_INVOICE": ("email", "billing"),
    "PHONE": ("phone",),
    "PHONE_MOBILE": ("mobilePhone",),
    "STREETAD1": ("address", "visit", "street"),
    "STREETZIP": ("address", "visit", "postalCode"),
    "STREETCITY": ("address", "visit", "postalArea"),
    "COUNTRY": ("address", "visit", "countryCode"),
    "POSTALAD1": ("address", "postal", "street"),
    "POSTALZIP": ("address", "postal", "postalCode"),
    "POSTALCITY": ("address", "postal", "postalArea"),
}


class RestActors:
    """The customers and suppliers of the organisation."""

    fields: Sequence[ActorField] = actors.FIELDS_OF_ORGANISATION

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def get(self, actor_type: ActorType, keys: Sequence[str]) -> Mapping[str, Actor]:
        """One call for each: REST takes no list of ids."""
        found = (self._one(actor_type, key) for key in keys if actors.is_key(key))
        return {actor.key: actor for actor in found if actor is not None}

    def changed_since(self, actor_type: ActorType, since: Any) -> Iterator[Actor]:
        """The longest ago first."""
        for record in RestCustomers(self._rest).records_changed_since(since, _query(actor_type)):
            yield _actor(actor_type, record)

    def keys(self, actor_type: ActorType) -> Iterator[str]:
        """Read until two readings agree."""
        for page in self._rest.pages("/customers", {"limit": PAGE} | _query(actor_type)):
            yield from (str(record["id"]) for record in page)

    def create(self, actor_type: ActorType, values: Mapping[str, str | None], marker: str) -> str:
        """A company, or a person when only a person's names are given."""
        is_company = bool(values.get(NAME))
        body = _body({name: value for name, value in values.items() if value}, is_company=is_company)
        body |= {
            "isCompany": is_company,
            "isSupplier": actor_type is ActorType.SUPPLIER,
            "externalReference": marker,
        }
        answer = self._rest.write("POST", "/customers", body)
        record = part(answer.body)
        if "id" not in record:
            raise outcomes.unreadable(writes=True, trace_id=answer.trace_id)
        return str(record["id"])

    def find_created(self, marker: str) -> str | None:
        """Newest first: what is looked for is usually minutes old."""
        for page in self._rest.pages("/customers", {"limit": PAGE, "sortBy": "createdAt:desc"}):
            for record in page:
                if record.get("externalReference") == marker:
                    return str(record["id"])
        return None

    def save(self, actor_type: ActorType, key: str, values: Mapping[str, str | None]) -> None:
        """A person's name is written as its two."""
        before = self._one(actor_type, key)
        if before is None:
            raise problems.ACTOR_GONE(number=key)
        body = _body(values, is_company=before.values[IS_COMPANY] == "true")
        self._rest.write("PATCH", f"/customers/{key}", body, repeatable=True)

    def _one(self, actor_type: ActorType, key: str) -> Actor | None:
        try:
            record = self._rest.get(f"/customers/{key}").body
        except ErpRefused as error:
            if error.code == "not_in_erp":
                return None
            raise
        return _actor(actor_type, record) if _is_of(actor_type, record) else None


def _query(actor_type: ActorType) -> dict[str, str]:
    return {"isSupplier": "true"} if actor_type is ActorType.SUPPLIER else {}


def _is_of(actor_type: ActorType, record: Mapping[str, Any]) -> bool:
    return actors.is_of(actor_type, is_supplier=bool(record.get("isSupplier")))


def _body(values: Mapping[str, str | None], *, is_company: bool) -> dict[str, Any]:
    """The fields as REST nests them; null empties one."""
    body: dict[str, Any] = {}
    given = dict(values)
    if not is_company and (name := given.pop(NAME, None)):
        given[FIRST_NAME], given[LAST_NAME] = actors.names_of(name)
    for key, value in given.items():
        *above, last = _PATHS[key]
        inner = body
        for name in above:
            inner = inner.setdefault(name, {})
        inner[last] = value
    return body


def _actor(actor_type: ActorType, record: Mapping[str, Any]) -> Actor:
    values = {key: _text(part(record, *path[:-1]).get(path[-1])) for key, path in _PATHS.items()}
    values[IS_COMPANY] = str(bool(record.get("isCompany"))).lower()
    names = " ".join(filter(None, (values[FIRST_NAME], values[LAST_NAME])))
    values[NAME] = values[NAME] or names or None
    return Actor(actor_type, str(record["id"]), values, parse_instant(record.get("modifiedAt")))


def _text(value: Any) -> str | None:
    if isinstance(value, list):  # seen for streets
        value = " ".join(str(one) for one in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return None if value is None or not str(value).strip() else str(value).strip()
