"""Customers and products over REST: found again by our key or their number, changed in place, never made twice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from erphub.erp.documents import Customer, DocumentKind, Product
from erphub.erp.posting import Change, Posted, Posting
from erphub.erp.systems.twentyfourseven import outcomes, parties, problems
from erphub.erp.systems.twentyfourseven.numbers import part, shown
from erphub.erp.systems.twentyfourseven.rest import Answer, Query, Rest, parse_instant
from erphub.platform.errors import ErpRefused

PAGE = 100


class RestCustomers:
    """A customer carries our key in `externalReference`."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def preview(self, customer: Customer, posting: Posting) -> Sequence[Mapping[str, Any]]:
        """The call that would be made."""
        creating = posting.previous is None
        method, path = ("POST", "/customers") if creating else ("PATCH", f"/customers/{posting.previous}")
        body = parties.customer_body(customer, posting.key, creating=creating)
        return [{"call": f"{method} {path}", "body": shown(body)}]

    def find(self, customer: Customer, posting: Posting) -> Posted | None:
        """Newest first: what is looked for is usually minutes old."""
        if posting.previous is not None:
            record = self._by_id(posting.previous)
            return _posted(record) if record and parties.same_customer(customer, record) else None
        for page in self._rest.pages("/customers", {"limit": PAGE, "sortBy": "createdAt:desc"}):
            for record in page:
                if record.get("externalReference") == posting.key:
                    return _posted(record)
        return None

    def push(self, customer: Customer, posting: Posting) -> Posted:
        """Change the customer that is known, or make one."""
        if posting.previous is not None:
            body = parties.customer_body(customer, posting.key, creating=False)
            answer = self._rest.write("PATCH", f"/customers/{posting.previous}", body, repeatable=True)
        else:
            body = parties.customer_body(customer, posting.key, creating=True)
            answer = self._rest.write("POST", "/customers", body)
        return _answered(answer, _posted)

    def _by_id(self, reference: str) -> dict[str, Any] | None:
        try:
            return self._rest.get(f"/customers/{reference}").body
        except ErpRefused as error:
            if error.code == "not_in_erp":
                return None
            raise

    def find_matching_record(self, customer: Customer, key: str) -> Change | None:
        """The customer with the same organisation number that no other customer of ours is bound to."""
        if not (customer.is_company and customer.organisation_no):
            return None
        found = self._rest.all("/customers", {"organizationNumber": customer.organisation_no, "limit": PAGE})
        for wanted in (key, None):
            for record in sorted(found, key=lambda one: int(one["id"])):
                if parties.bound_to(record.get("externalReference")) == wanted:
                    return _customer_change(record)
        return None

    def changed_since(self, since: datetime | None) -> Iterator[Change]:
        """Oldest first."""
        given: set[tuple[str, str]] = set()
        for record in self.records_changed_since(since):
            change = _customer_change(record)
            if (change.reference, change.version) not in given:
                given.add((change.reference, change.version))
                yield change

    def records_changed_since(self, since: datetime | None, only: Query | None = None) -> Iterator[dict[str, Any]]:
        """Oldest first, one perhaps twice. Each page asks from the last instant seen, as pages by number would slip
        under changes."""
        start: Query = {"limit": PAGE, "sortBy": "modifiedAt:asc"} | dict(only or {})
        ask: Query | None = dict(start) | ({"modifiedFrom": _zulu(since)} if since else {})
        while ask is not None:
            answer = self._rest.get("/customers", ask)
            records: list[dict[str, Any]] = answer.body
            yield from records
            ask = _onward(ask, answer, records, start)


def _onward(ask: Query, answer: Answer, records: list[dict[str, Any]], start: Query) -> Query | None:
    if answer.next is None or not records:
        return None
    first, last = parse_instant(records[0].get("modifiedAt")), parse_instant(records[-1].get("modifiedAt"))
    if first is not None and last is not None and last > first:
        return dict(start) | {"modifiedFrom": _zulu(last)}
    return {**ask, **answer.next}  # a whole page of one instant: on by number


def _zulu(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _customer_change(record: dict[str, Any]) -> Change:
    customer = parties.customer_of(record)
    reference = record.get("externalReference") or None
    return Change(
        DocumentKind.CUSTOMER,
        str(record["id"]),
        reference,
        parse_instant(record.get("modifiedAt")) or datetime.now(UTC),
        parties.version(customer),
        customer,
    )


def _posted(record: Mapping[str, Any]) -> Posted:
    return Posted(str(record["id"]), details={"version": parties.version(parties.customer_of(record))})


def _answered(answer: Answer, posted: Callable[[Mapping[str, Any]], Posted]) -> Posted:
    record = part(answer.body)
    if "id" not in record:
        raise outcomes.unreadable(writes=True, trace_id=answer.trace_id)
    found = posted(record)
    return Posted(found.reference, trace_id=answer.trace_id, details=found.details)


class RestProducts:
    """A product is known by its number."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._ids: dict[str, str] = {}

    def preview(self, product: Product, posting: Posting) -> Sequence[Mapping[str, Any]]:
        """The call that would be made."""
        known = self._known(product, posting)
        method, path = ("POST", "/products") if known is None else ("PATCH", f"/products/{known}")
        return [{"call": f"{method} {path}", "body": shown(self._body(product, posting, creating=known is None))}]

    def find(self, product: Product, posting: Posting) -> Posted | None:  # noqa: ARG002 - its own number is its key
        """The product with this number, whatever it says: sending again changes it to what it should say."""
        records = self._by_number(product.number)
        return _posted_product(records[0]) if records else None

    def find_matching_record(self, product: Product) -> Change | None:
        """The product with this number. Raises ErpRefused (`product_number_not_unique`)."""
        record = self._the_one(product.number)
        return _product_change(record) if record else None

    def push(self, product: Product, posting: Posting) -> Posted:
        """Change the product with this number, or make it."""
        known = self._known(product, posting)
        body = self._body(product, posting, creating=known is None)
        if known is None:
            answer = self._rest.write("POST", "/products", body)
        else:
            answer = self._rest.write("PATCH", f"/products/{known}", body, repeatable=True)
        return _answered(answer, _posted_product)

    def id_of(self, number: str, known: Mapping[str, str]) -> str | None:
        """The ERP's id of the product with this number."""
        if f"product:{number}" in known:
            return known[f"product:{number}"]
        if number not in self._ids:
            records = self._by_number(number)
            if not records:
                return None
            self._ids[number] = str(records[0]["id"])
        return self._ids[number]

    def _known(self, product: Product, posting: Posting) -> str | None:
        if posting.previous is not None:
            return posting.previous
        record = self._the_one(product.number)
        return str(record["id"]) if record else None

    def _the_one(self, number: str) -> dict[str, Any] | None:
        records = self._by_number(number)
        if len(records) > 1:
            raise problems.PRODUCT_NUMBER_NOT_UNIQUE(count=len(records), number=number)
        return records[0] if records else None

    def _by_number(self, number: str) -> list[dict[str, Any]]:
        found = self._rest.all("/products", {"productNumber": number, "limit": PAGE})
        return [record for record in found if record.get("number") == number]

    def _body(self, product: Product, posting: Posting, *, creating: bool) -> dict[str, Any]:
        category = self._category if creating else None
        return parties.product_body(product, category=category, stock=bool(posting.routing.get("stock_quantities")))

    @cached_property
    def _category(self) -> int:
        """New products go to the first category; whoever minds moves them, and they stay where they are moved to."""
        found = self._rest.get("/productcategories").body
        if not found:
            raise problems.PRODUCT_CATEGORY_MISSING()
        return min(int(one["id"]) for one in found)

    def changed_since(self, since: datetime | None) -> Iterator[Change]:
        """All are read, as REST cannot be asked for changed products; those that changed are given, oldest first."""
        changes = [
            _product_change(record) for page in self._rest.pages("/products", {"limit": PAGE}) for record in page
        ]
        changes.sort(key=lambda change: (change.changed_at, change.reference))
        yield from (change for change in changes if since is None or change.changed_at >= since)


def _product_change(record: dict[str, Any]) -> Change:
    return Change(
        DocumentKind.PRODUCT,
        str(record["id"]),
        record.get("number") or None,
        parse_instant(record.get("modifiedAt")) or datetime.now(UTC),
        _product_version(record),
        parties.product_of(record),
    )


def _posted_product(record: Mapping[str, Any]) -> Posted:
    return Posted(str(record["id"]), details={"version": _product_version(record)})


def _product_version(record: Mapping[str, Any]) -> str:
    return parties.version(parties.product_of(record))
