"""What was handed in can be read back, as it came and as it was sent."""

import pytest

from erphub.connections.models import ConnectionStatus
from erphub.erp.documents import DocumentKind
from erphub.platform.errors import NotFound
from erphub.sync.documents.reading import DocumentReader
from erphub.sync.documents.schemas import DocumentQuery, DocumentView
from erphub.sync.export_log.models import EntryStatus
from erphub.sync.export_log.schemas import LogQuery
from tests.support.sync import CLIENT, CONNECTION, SyncHub, z_report

Z = DocumentKind.SETTLEMENT


def reader(hub: SyncHub) -> DocumentReader:
    return DocumentReader(hub.exports)


def test_a_document_is_read_as_it_was_handed_in_and_as_it_was_sent(hub: SyncHub) -> None:
    hub.submit("customer", "K1", name="Fjell AS", email="post@fjell.example")
    entry, attempts = reader(hub).get(CLIENT, CONNECTION, "customer", "K1")
    view = DocumentView.of_read(entry, attempts, {})
    assert view.document == {"kind": "customer", "name": "Fjell AS", "email": "post@fjell.example"}
    assert view.sent_document is None
    hub.transfer()
    view = DocumentView.of_read(*reader(hub).get(CLIENT, CONNECTION, "customer", "K1"), {})
    assert (view.status, view.reference) == (EntryStatus.SENT, "1")
    assert view.sent_document == {"kind": "customer", "name": "F…", "email": "p…"}


def test_documents_are_listed_by_kind_and_status(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.submit("customer", "K1", name="Fjell AS")
    hub.transfer()
    hub.settlement(2)
    query = DocumentQuery(kind=Z, status=EntryStatus.PENDING)
    assert [one.external_id for one in reader(hub).list_documents(CLIENT, CONNECTION, query).items] == ["Z2"]


@pytest.mark.parametrize(
    ("kind", "name", "code"), [("settlement", "Z9", "document_not_found"), ("x", "1", "unknown_kind")]
)
def test_what_is_not_there_is_said(hub: SyncHub, kind: str, name: str, code: str) -> None:
    for read in (reader(hub).get, hub.pdfs.link):
        with pytest.raises(NotFound) as caught:
            read(CLIENT, CONNECTION, kind, name)
        assert caught.value.code == code


def test_the_tills_pdf_is_read_back_by_an_address_for_a_few_minutes(hub: SyncHub) -> None:
    entry = hub.submit("settlement", "Z1", pdf_follows=True, **z_report(1)).entry
    with pytest.raises(NotFound) as caught:
        hub.pdfs.link(CLIENT, CONNECTION, "settlement", "Z1")
    assert caught.value.code == "pdf_not_found"
    hub.files.files[entry.pdf_file] = b"%PDF-1.4 the till's own"
    link = hub.pdfs.link(CLIENT, CONNECTION, "settlement", "Z1")
    assert link.url.endswith("settlement-Z1.pdf")
    assert 0 < (link.expires_at - hub.clock()).total_seconds() <= 300


# --- what waits says for what ----------------------------------------------------------------------------------------


def waits_for(hub: SyncHub, name: str = "Z1") -> tuple[str, str]:
    page = hub.exports.list_entries(CLIENT, CONNECTION, LogQuery())
    [entry] = [one for one in page.items if one.external_id == name]
    assert entry.status is EntryStatus.PENDING
    return entry.code, entry.detail


def test_what_waits_says_for_what(hub: SyncHub) -> None:
    hub.submit("settlement", "Z1", pdf_follows=True, **z_report(1))
    assert waits_for(hub) == (
        "waits_for_pdf",
        "It waits for its PDF, until 2026-02-01 08:30 UTC at most; then the hub makes one.",
    )
    hub.submit("settlement", "Z2", **z_report(2))
    code, detail = waits_for(hub, "Z2")
    assert code == "waits_for_transfer"
    assert " UTC." in detail
    hub.save(is_automatic=False)
    assert "by hand" in waits_for(hub, "Z2")[1]


@pytest.mark.parametrize("status", ["paused", "reauth_required"])
def test_what_waits_for_its_connection_says_so(hub: SyncHub, status: str) -> None:
    hub.settlement(1)
    assert hub.connections.connection is not None
    hub.connections.connection = hub.connections.connection.model_copy(update={"status": ConnectionStatus(status)})
    code, _ = waits_for(hub)
    assert code == {"paused": "connection_paused"}.get(status, status)
