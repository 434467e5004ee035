"""Documents go in order: what an invoice names goes first, what waits says for what, and nothing holds up the rest."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from erphub.erp.documents import DocumentKind
from erphub.sync.export_log.models import EntryStatus
from tests.support.sync import SyncHub, z_report

C, P, Z, I = DocumentKind.CUSTOMER, DocumentKind.PRODUCT, DocumentKind.SETTLEMENT, DocumentKind.INVOICE  # noqa: E741
DOCUMENTS: dict[DocumentKind, dict[str, Any]] = {
    C: {"name": "Fjell Bygg AS", "organisation_no": "999888777"},
    P: {"number": "KAFFE", "name": "Kaffe", "price": "79.00"},
    Z: z_report(1),
    I: {
        "date": "2026-01-31", "customer_id": "one", "number": "F1",
        "lines": [
            {"product_no": "KAFFE", "description": "Kaffe", "quantity": "1", "unit_price": "79", "vat_rate": "25"},
        ],
    },
}  # fmt: skip


def hand_in(hub: SyncHub, kind: DocumentKind) -> None:
    hub.submit(kind.value, "KAFFE" if kind is P else "one", **DOCUMENTS[kind])


def status(hub: SyncHub, kind: DocumentKind) -> EntryStatus:
    return hub.entry(kind, "KAFFE" if kind is P else "one").status


@pytest.mark.parametrize(
    "order", list(permutations(DOCUMENTS)), ids=lambda order: "-".join(kind.value[0] for kind in order)
)
def test_however_they_come_all_go_with_one_transfer(hub: SyncHub, order: tuple[DocumentKind, ...]) -> None:
    for kind in order:
        hand_in(hub, kind)
        hub.clock.pass_(minutes=1)
    assert hub.transfer().counts.sent == 4
    made = [record.kind for record in hub.erp.records.values()]
    assert made.index(C) < made.index(I)
    assert made.index(P) < made.index(I)


FAULTS = ["refuse", "down", "lost_before", "late", "boom"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("first", [C, P, Z])
def test_one_that_cannot_go_holds_up_only_what_names_it(hub: SyncHub, first: DocumentKind, fault: str) -> None:
    for kind in DOCUMENTS:
        hand_in(hub, kind)
    before = {C: 0, P: 1, Z: 2}[first]
    hub.erp.faults = ["ok"] * before + [fault]
    hub.transfer()
    assert status(hub, first) is not EntryStatus.SENT
    others = {kind for kind in DOCUMENTS if kind not in (first, I if first is C else first)}
    assert {kind for kind in others if status(hub, kind) is not EntryStatus.SENT} == set()
    if first is C:
        waiting = hub.entry(I, "one")
        assert (waiting.status, waiting.code) == (EntryStatus.PENDING, "waits_for_customer")
        assert "customer" in waiting.detail


def test_an_invoice_follows_its_customer_as_soon_as_that_is_there(hub: SyncHub) -> None:
    hand_in(hub, C)
    hand_in(hub, I)
    hub.erp.faults = ["lost_before"]
    hub.transfer()
    assert hub.entry(I, "one").code == "waits_for_customer"
    hub.clock.now += timedelta(hours=1)
    hub.transfer()
    assert (status(hub, C), status(hub, I)) == (EntryStatus.SENT, EntryStatus.SENT)


def test_an_invoice_of_a_customer_that_never_came_says_so(hub: SyncHub) -> None:
    hand_in(hub, I)
    hand_in(hub, Z)
    hub.transfer()
    refused = hub.entry(I, "one")
    assert (refused.status, refused.code) == (EntryStatus.REJECTED, "customer_unknown")
    assert status(hub, Z) is EntryStatus.SENT
