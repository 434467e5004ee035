"""Documents as a till hands them over: read strictly, named the same way every time, shown without personal data."""

import json
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from erphub.erp.documents import HANDED_IN, Customer, Document, DocumentKind, Invoice, Product, Settlement
from erphub.platform.errors import Invalid
from erphub.platform.field_errors import field_errors
from erphub.platform.ids import derived_id
from erphub.sync import problems

_SHAPES: Mapping[DocumentKind, type[Settlement | Invoice | Customer | Product]] = {
    DocumentKind.SETTLEMENT: Settlement,
    DocumentKind.INVOICE: Invoice,
    DocumentKind.CUSTOMER: Customer,
    DocumentKind.PRODUCT: Product,
}
_ANY = TypeAdapter[Document](Document)
_PERSONAL = frozenset({"name", "organisation_no", "email", "phone", "street", "postal_code", "your_reference"})


def shapes_by_name() -> Mapping[str, type[BaseModel]]:
    """What a body that is handed in may be, by its name in the API's description."""
    return {f"{shape.__name__}Document": shape for shape in _SHAPES.values()}


def entry_id(connection_id: str, kind: DocumentKind, external_id: str) -> str:
    """The export log's name of a document: always the same for the same document of a connection."""
    return derived_id("export", connection_id, kind.value, external_id)


def posting_key(entry: str) -> str:
    """The key under which the document can be found again in the ERP: at most 30 of A-Z, 0-9 and `-`."""
    return f"EH-{entry}"


def read_received(kind: DocumentKind, fields: Mapping[str, Any]) -> Document:
    """A document as somebody hands it in: as `read_document`, and refused where a text holds hidden characters."""
    return read_document(kind, fields, HANDED_IN)


def read_document(kind: DocumentKind, fields: Mapping[str, Any], context: Mapping[str, bool] | None = None) -> Document:
    """A document of the kind. Raises Invalid with everything that is wrong at once."""
    if fields.get("kind", kind.value) != kind.value:
        raise Invalid.of(problems.KIND_DIFFERS("/kind", kind=kind.value, given=fields["kind"]))
    try:
        return _SHAPES[kind].model_validate({**fields, "kind": kind.value}, context=context)
    except ValidationError as error:
        raise problems.DOCUMENT_INVALID(errors=field_errors(error, fields)) from error


def from_text(text: str) -> Document:
    """A document as it was kept."""
    return _ANY.validate_json(text)


def to_text(document: Document) -> str:
    """A document as it is kept: the same text for the same content, however its numbers were written."""
    return json.dumps(plain(document), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def plain(document: Document) -> dict[str, Any]:
    """A document as plain data, amounts as text without needless zeros."""
    return cast(dict[str, Any], _plain(document.model_dump(exclude_defaults=True) | {"kind": document.kind.value}))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in cast(Mapping[str, Any], value).items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in cast(list[Any], value)]
    if isinstance(value, Decimal):
        return format(value.normalize() + 0, "f")
    return value if value is None or isinstance(value, (bool, int)) else str(value)


def digest(text: str) -> str:
    """What tells two bodies apart."""
    return sha256(text.encode()).hexdigest()


def shop_words(document: Document) -> tuple[str, str]:
    """The till's words for the shop and the register that a document is of; empty where it says none."""
    return getattr(document, "department", ""), getattr(document, "till", "")


def title(document: Document) -> str:
    """A few words by which a person knows the document; no personal data."""
    match document:
        case Settlement():
            turnover = sum((line.amount for line in document.sales), Decimal(0))
            where = "".join(f" {word}" for word in (document.department, document.till) if word)
            return f"Z-report {document.number}{where} of {document.date}, {turnover:,.2f} {document.currency}"
        case Invoice():
            number = f" {document.number}" if document.number else ""
            return f"Invoice{number} of {document.date}, {len(document.lines)} lines"
        case Customer():
            return "Company" if document.is_company else "Private customer"
        case Product():
            return f"Product {document.number} {document.name}"


def masked(document: Document) -> dict[str, Any]:
    """The document as it may be shown in a log: what identifies a person is cut to its first letter."""
    return cast(dict[str, Any], _masked(plain(document), _personal(document.kind)))


def masked_fields(kind: DocumentKind, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a document, by whatever they are grouped, as they may be shown in a log."""
    return cast(dict[str, Any], _masked(dict(fields), _personal(kind)))


def _personal(kind: DocumentKind) -> frozenset[str]:
    return _PERSONAL if kind in (DocumentKind.CUSTOMER, DocumentKind.INVOICE) else frozenset()


def _masked(value: Any, personal: frozenset[str]) -> Any:
    if isinstance(value, dict):
        fields = cast(dict[str, Any], value)
        return {
            name: f"{item[:1]}…" if _last(name) in personal and isinstance(item, str) else _masked(item, personal)
            for name, item in fields.items()
        }
    if isinstance(value, list):
        return [_masked(item, personal) for item in cast(list[Any], value)]
    return value


def _last(name: str) -> str:
    """Nested fields stand under dotted names where two sides are compared: `address.street`."""
    return name.rpartition(".")[2]
