"""What makes two documents the same thing in the world, whatever id they are handed in under and by whichever road.

    settlement    the shop, the register, the Z-report's number and its day
    invoice       the shop and the till's own number; without a number, its whole content
    customer, product    their id alone

A register numbers its Z-reports consecutively (SAF-T Cash Register 1.00, `reportID` within `registerID`), so number and
day name one of its days for ever. The id under which a document is handed in is a handle, and a till that exports a day
once more often has another.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, cast

from erphub.erp.documents import Document, Invoice, Settlement
from erphub.sync import problems
from erphub.sync.canonical import digest, from_text, plain, shop_words, to_text
from erphub.sync.export_log.models import BEFORE_FROM_DATE, SKIPPED_UNCERTAIN, Entry, EntryStatus
from erphub.sync.locations.models import normalized, rate_key, register_key
from erphub.sync.settings.located import shops_of
from erphub.sync.settings.models import Sync

_WORDS_OF_IDENTITY = ("number", "department")
"""Fields of an invoice that are the same thing however they are spelled."""
_MAX_SHOWN = 5
"""How many differences a sentence names; the answer's `differences` has all."""


def identity_of(document: Document, shop: str) -> str:
    """What a document is, as a digest; empty for one that is what its id says.

    `shop` is where the till stands, in one of the spellings of `settings.located.shops_of`.
    """
    match document:
        case Settlement():
            parts = ("settlement", shop, register_key(document.till), str(document.number), document.date.isoformat())
        case Invoice() if document.number:
            parts = ("invoice", shop, normalized(document.number))
        case Invoice():
            parts = ("invoice without a number", shop, to_text(document))
        case _:
            return ""
    return digest("\n".join(parts))


def identities_of(document: Document, sync: Sync) -> list[str]:
    """The identity under which a document is kept, and those that it has by the other spellings of its shop."""
    found = [identity_of(document, shop) for shop in shops_of(sync, *shop_words(document))]
    return [identity for identity in dict.fromkeys(found) if identity]


def is_same_report(other: Entry, document: Settlement, sync: Sync) -> bool:
    """Whether what is kept is a Z-report of this number, shop and register, however they are spelled; a register that
    is named for the first time is the only one of its shop."""
    register = register_key(other.till or document.till)
    if (other.number, register) != (document.number, register_key(document.till)):
        return False
    kept, given = (set(shops_of(sync, word, document.till)) for word in (other.department, document.department))
    return not kept.isdisjoint(given)


def may_be_same(other: Entry, document: Document, sync: Sync) -> bool:
    """Whether what is kept under one of the document's identities can be it.

    Of no shop while there are locations, it is nobody's, and so not this shop's, unless it went to its books before.
    """
    named = bool(normalized(shop_words(document)[0]))
    return bool(normalized(other.department) or other.destination) or not (named and sync.settings.locations)


def gives_way(other: Entry) -> bool:
    """Whether the document that has an identity leaves it to another: somebody left it out, and the ERP does not have
    it."""
    return other.status is EntryStatus.SKIPPED and other.code not in (SKIPPED_UNCERTAIN, BEFORE_FROM_DATE)


def require_same_content(other: Entry, coming: Document) -> None:
    """What came is what is kept already under another id. Raises Conflict where it is not, or cannot be told.

    `another_content` with the differences; `invoice_repeated` for equal invoices without a number to tell them apart.
    """
    if isinstance(coming, Invoice) and not coming.number:
        raise problems.INVOICE_REPEATED(external_id=other.external_id, entry_id=other.id)
    found = _differences(other, coming)
    if not found:
        return
    shown = "; ".join(f"{one['field']}: {one['kept']} kept, {one['given']} given" for one in found[:_MAX_SHOWN])
    raise problems.ANOTHER_CONTENT(
        document=other.title or "This document",
        external_id=other.external_id,
        difference=shown,
        entry_id=other.id,
        reference=other.reference,
        differences=found,
    )


def _differences(other: Entry, coming: Document) -> list[dict[str, str]]:
    if other.body_hash == digest(to_text(coming)):
        return []
    if not other.body:
        return [{"field": "document", "kept": "another content, of which only the digest remains", "given": "this one"}]
    kept, given = (dict(_content(document)) for document in (from_text(other.body), coming))
    none = "none"
    return [
        {"field": name, "kept": kept.get(name, none), "given": given.get(name, none)}
        for name in dict.fromkeys((*kept, *given))
        if kept.get(name, none) != given.get(name, none)
    ]


def _content(document: Document) -> Iterator[tuple[str, str]]:
    """What is posted of a document, by names that people read: neither a comment nor the order of lines."""
    if isinstance(document, Settlement):
        yield "currency", document.currency
        sums = defaultdict[str, Decimal](Decimal)
        for line in document.sales:
            sums[f"sales at {rate_key(line.vat_rate)} %"] += line.amount
            sums[f"VAT at {rate_key(line.vat_rate)} %"] += line.vat
        for payment in document.payments:
            sums[payment.means.value] += payment.amount
        sums["stock change"] += document.stock_change or Decimal(0)
        yield from ((name, f"{amount:.2f}") for name, amount in sums.items() if amount)
        return
    yield from _flat({name: value for name, value in plain(document).items() if name not in _WORDS_OF_IDENTITY})


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in cast(Mapping[str, Any], value).items():
            yield from _flat(item, f"{name}/{key}" if name else key)
    elif isinstance(value, list):
        for number, item in enumerate(cast(list[Any], value), 1):
            yield from _flat(item, f"{name}/{number}")
    else:
        yield name, str(value)
