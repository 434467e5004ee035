"""A settlement's PDF is replaced only with a word, every one is kept, and the entry says which one the ERP has."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from erphub.erp.documents import DocumentKind
from erphub.platform.errors import Conflict, HubError, Invalid, NotFound
from erphub.sync.documents.models import PdfOutcome
from erphub.sync.export_log.models import BY_THE_HUB, Attachment, Entry, EntryStatus
from erphub.sync.export_log.schemas import PdfView, SkipRequest
from tests.support.ledger import Died
from tests.support.sync import CLIENT, CONNECTION, SyncHub, z_report

Z = DocumentKind.SETTLEMENT
A, B, NONE = b"%PDF-1.4 the first", b"%PDF-1.4 another", b"MZ not a pdf"
MINE = (CLIENT, CONNECTION, "settlement", "Z1")


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def hand_in(hub: SyncHub, content: bytes, *, replace: bool = False) -> PdfOutcome:
    return hub.pdfs.hand_in(MINE, "ada", content, replace=replace)[1]


def put(hub: SyncHub, *contents: bytes) -> None:
    """The till puts these to the address, one over the other."""
    for content in contents:
        hub.files.files[hub.entry(Z, "Z1").pdf_file] = content


def pdfs_in_erp(hub: SyncHub) -> list[bytes]:
    return [pdf for voucher in hub.vouchers(Z, "Z1") for pdf in voucher.pdfs]


def shown(hub: SyncHub) -> PdfView:
    view = PdfView.of(hub.entry(Z, "Z1"))
    assert view is not None
    return view


@pytest.fixture
def waiting(hub: SyncHub) -> SyncHub:
    """A settlement whose PDF was announced."""
    hub.submit("settlement", "Z1", pdf_follows=True, **z_report(1))
    return hub


# --- the address: whatever is put there, in whatever order -----------------------------------------------------------


@pytest.mark.parametrize(
    ("puts", "code", "first"),
    [
        ([], "waits_for_pdf", None),
        ([A], "", A),
        ([A, A], "", A),
        ([A, A, A], "", A),
        ([NONE], "pdf_invalid", None),
        ([b""], "pdf_invalid", None),
        ([NONE, NONE], "pdf_invalid", None),
        ([NONE, A], "", A),
        ([b"", A, A], "", A),
        ([A, B], "pdf_ambiguous", A),
        ([A, NONE], "pdf_ambiguous", A),
        ([A, B, A], "pdf_ambiguous", A),
        ([B, A], "pdf_ambiguous", B),
        ([A, B, NONE], "pdf_ambiguous", A),
        ([NONE, A, B], "pdf_ambiguous", A),
        ([A] * 30, "pdf_ambiguous", None),
    ],
)
def test_what_is_put_to_the_address(waiting: SyncHub, puts: list[bytes], code: str, first: bytes | None) -> None:
    """One PDF goes at once; what is none, or not said which, is waited with and told, and then goes as well."""
    put(waiting, *puts)
    waiting.transfer()
    entry = waiting.entry(Z, "Z1")
    if code:
        assert (entry.status, entry.code, pdfs_in_erp(waiting)) == (EntryStatus.PENDING, code, [])
        assert "2026-02-01 08:30 UTC" in entry.detail
        waiting.clock.pass_(minutes=31)
        waiting.transfer()
    entry, view = waiting.entry(Z, "Z1"), shown(waiting)
    assert (entry.status, entry.attachment) == (EntryStatus.SENT, Attachment.ATTACHED)
    assert pdfs_in_erp(waiting) == [first or b"%PDF-rendered"], "a voucher never goes without its document"
    assert view.code == ("" if code == "waits_for_pdf" else code)
    assert (view.is_made_by_hub, view.sent_digest) == (first is None, digest(first) if first else None)
    assert bool(view.detail) == bool(view.code)
    read = {waiting.files.read(one.name, one.version) for one in entry.pdfs}
    assert read == set(puts), "each is kept"


def test_the_same_reason_is_written_once(waiting: SyncHub) -> None:
    put(waiting, NONE)
    waiting.transfer()
    before = waiting.entry(Z, "Z1")
    waiting.transfer()
    assert waiting.entry(Z, "Z1").rev == before.rev


def test_the_word_settles_what_was_put_twice(waiting: SyncHub) -> None:
    put(waiting, A, B)
    waiting.transfer()
    assert hand_in(waiting, B, replace=True) is PdfOutcome.REPLACED
    assert hand_in(waiting, B) is PdfOutcome.UNCHANGED
    assert (waiting.entry(Z, "Z1").code, shown(waiting).code) == ("", "")
    waiting.transfer()
    assert pdfs_in_erp(waiting) == [B]
    assert [one.digest for one in shown(waiting).files] == [digest(A), digest(B)]


def test_the_first_can_be_confirmed_too(waiting: SyncHub) -> None:
    put(waiting, A, B)
    assert hand_in(waiting, A, replace=True) is PdfOutcome.REPLACED
    waiting.transfer()
    assert (pdfs_in_erp(waiting), shown(waiting).code) == ([A], "")


def test_what_is_put_over_one_that_was_handed_in_is_noticed(waiting: SyncHub) -> None:
    assert hand_in(waiting, A) is PdfOutcome.CREATED
    put(waiting, B)
    waiting.transfer()
    assert waiting.entry(Z, "Z1").code == "pdf_ambiguous"
    waiting.clock.pass_(minutes=31)
    waiting.transfer()
    assert (pdfs_in_erp(waiting), shown(waiting).code) == ([A], "pdf_ambiguous")


# --- by the API ------------------------------------------------------------------------------------------------------


def test_a_pdf_is_handed_in_without_having_been_announced(hub: SyncHub) -> None:
    hub.settlement(1)
    assert hand_in(hub, A) is PdfOutcome.CREATED
    assert hub.pdfs.link(*MINE).url.startswith(f"memory:{hub.entry(Z, 'Z1').pdf_name(digest(A))}")
    hub.transfer()
    assert (pdfs_in_erp(hub), shown(hub).sent_digest) == ([A], digest(A))


def test_another_pdf_needs_the_word_and_both_are_kept(hub: SyncHub) -> None:
    hub.settlement(1)
    assert hand_in(hub, A) is PdfOutcome.CREATED
    with pytest.raises(Conflict) as caught:
        hand_in(hub, B)
    assert (caught.value.code, caught.value.members["digest"]) == ("pdf_exists", digest(A))
    assert "replace=true" in caught.value.detail
    assert hand_in(hub, B, replace=True) is PdfOutcome.REPLACED
    entry = hub.entry(Z, "Z1")
    assert [hub.files.read(one.name, one.version) for one in entry.pdfs] == [A, B]
    assert [one.received_from for one in entry.pdfs] == ["ada", "ada"]
    hub.transfer()
    assert pdfs_in_erp(hub) == [B]


def test_back_to_an_earlier_one_is_a_replacement_as_well(hub: SyncHub) -> None:
    hub.settlement(1)
    for content, replace in ((A, False), (B, True), (A, True)):
        hand_in(hub, content, replace=replace)
    assert [one.digest for one in shown(hub).files] == [digest(B), digest(A)]
    hub.transfer()
    assert pdfs_in_erp(hub) == [A]


@pytest.mark.parametrize("content", [NONE, b"", b"%PDF", b" %PDF-1.4", b"%PDF-1.4" + bytes(10 << 20)])
@pytest.mark.parametrize("replace", [False, True])
def test_what_is_no_pdf_is_refused_at_once(hub: SyncHub, content: bytes, replace: bool) -> None:
    hub.settlement(1)
    hand_in(hub, A)
    with pytest.raises(Invalid) as caught:
        hand_in(hub, content, replace=replace)
    assert caught.value.code == "pdf_invalid"
    assert shown(hub).digest == digest(A)


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ((CLIENT, CONNECTION, "settlement", "Z9"), "document_not_found"),
        ((CLIENT, CONNECTION, "receipt", "Z1"), "unknown_kind"),
        ((CLIENT, CONNECTION, "customer", "K1"), "pdf_not_taken"),
    ],
)
def test_only_a_settlement_that_is_there_has_a_pdf(hub: SyncHub, named: Any, code: str) -> None:
    hub.submit("customer", "K1", name="Fjell AS")
    with pytest.raises(HubError) as caught:
        hub.pdfs.hand_in(named, "ada", A)
    assert caught.value.code == code


def test_a_pdf_goes_with_the_body_it_came_with_alone(hub: SyncHub) -> None:
    hub.settlement(1)
    hand_in(hub, A)
    hub.settlement(1, amount="250.00")
    with pytest.raises(NotFound):
        hub.pdfs.link(*MINE)
    assert hand_in(hub, A) is PdfOutcome.CREATED, "the till says that it is of the new body too"
    assert [one.revision for one in shown(hub).files] == [1, 2]


def test_replacing_without_end_is_refused(hub: SyncHub) -> None:
    hub.settlement(1)
    for number in range(50):
        hand_in(hub, A + str(number).encode(), replace=True)
    with pytest.raises(Conflict) as caught:
        hand_in(hub, B, replace=True)
    assert caught.value.code == "pdf_too_often"


# --- where the document stands ---------------------------------------------------------------------------------------


def sent(hub: SyncHub) -> None:
    hand_in(hub, A)
    hub.transfer()


def sent_with_the_hubs(hub: SyncHub) -> None:
    hub.transfer()


def refused(hub: SyncHub) -> None:
    hand_in(hub, A)
    hub.erp.attach_faults = ["refuse"]
    hub.transfer()
    assert hub.entry(Z, "Z1").attachment is Attachment.REFUSED


def failed(hub: SyncHub) -> None:
    hand_in(hub, A)
    hub.erp.attach_faults = ["down"]
    hub.transfer()
    assert hub.entry(Z, "Z1").attachment is Attachment.FAILED


def uncertain(hub: SyncHub) -> None:
    hand_in(hub, A)
    hub.erp.faults = ["lost_after"]
    hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.UNCERTAIN


def rejected(hub: SyncHub) -> None:
    hand_in(hub, A)
    hub.erp.faults = ["refuse"]
    hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.REJECTED


def skipped(hub: SyncHub) -> None:
    hand_in(hub, A)
    hub.exports.skip(CLIENT, CONNECTION, hub.entry(Z, "Z1").id, "ada", SkipRequest(reason="twice"))


@pytest.mark.parametrize(
    ("stands", "error", "code", "in_erp"),
    [
        (sent, "", "pdf_replaced_late", [A]),
        (sent_with_the_hubs, "", "pdf_replaced_late", [b"%PDF-rendered"]),
        (refused, "", "", [B]),
        (failed, "being_sent", "", [A]),
        (uncertain, "being_sent", "", [A]),
        (rejected, "", "", []),
        (skipped, "", "", []),
    ],
)
def test_a_voucher_is_never_silently_different(
    hub: SyncHub, stands: Callable[[SyncHub], None], error: str, code: str, in_erp: list[bytes]
) -> None:
    """Where the ERP has a PDF, or may have, it keeps that one, and the entry says so."""
    hub.settlement(1)
    stands(hub)
    with pytest.raises(Conflict, check=lambda refusal: refusal.code == error) if error else nullcontext():
        assert hand_in(hub, B, replace=True) in (PdfOutcome.REPLACED, PdfOutcome.CREATED)
    hub.clock.pass_(hours=9)
    hub.transfer()
    view = shown(hub)
    assert (view.code, pdfs_in_erp(hub)) == (code, in_erp)
    assert view.digest == (digest(A) if error else digest(B))
    if code:
        there = in_erp[0]
        assert "earlier" in view.detail
        assert view.sent_digest == (digest(there) if there == A else None)
        assert view.is_made_by_hub == (there != A)


def test_a_pdf_said_to_be_the_one_that_is_there_says_nothing_more(hub: SyncHub) -> None:
    hub.settlement(1)
    sent(hub)
    hand_in(hub, B, replace=True)
    hand_in(hub, A, replace=True)
    assert shown(hub).code == ""


# --- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["keep", "save_before", "save_after"])
@pytest.mark.parametrize("earlier", [False, True])
def test_a_fault_on_the_way_loses_nothing_and_changes_nothing_twice(
    hub: SyncHub, monkeypatch: pytest.MonkeyPatch, stage: str, earlier: bool
) -> None:
    """Before the file, between it and the entry, and after with the answer lost: the till hands it in again."""
    hub.settlement(1)
    if earlier:
        hand_in(hub, A)
    store, save, keep = hub.entries, type(hub.entries).save, hub.files.keep

    def dies(*_: object) -> None:
        raise Died

    def dies_after(self: object, entry: Entry, days: int) -> Entry:
        save(store, entry, days)
        raise Died

    with monkeypatch.context() as patch:
        if stage == "keep":
            patch.setattr(hub.files, "keep", dies)
        else:
            patch.setattr(type(store), "save", dies if stage == "save_before" else dies_after)
        with pytest.raises(Died):
            hand_in(hub, B, replace=earlier)
    assert hub.files.keep == keep
    kept = stage == "save_after"
    assert shown(hub).digest == (digest(B) if kept else digest(A) if earlier else None)
    again = hand_in(hub, B, replace=earlier)
    assert again is (PdfOutcome.UNCHANGED if kept else PdfOutcome.REPLACED if earlier else PdfOutcome.CREATED)
    assert [one.digest for one in shown(hub).files] == [digest(one) for one in ([A, B] if earlier else [B])]
    hub.transfer()
    assert pdfs_in_erp(hub) == [B]


@pytest.mark.parametrize(("other", "code"), [(A, ""), (B, "pdf_exists")])
def test_two_at_once_are_one_or_the_second_is_told(
    hub: SyncHub, monkeypatch: pytest.MonkeyPatch, other: bytes, code: str
) -> None:
    hub.settlement(1)
    keep, meanwhile = hub.files.keep, [other]

    def raced(name: str, content: bytes, kind: str) -> None:
        keep(name, content, kind)
        if meanwhile:
            hand_in(hub, meanwhile.pop())

    monkeypatch.setattr(hub.files, "keep", raced)
    with pytest.raises(Conflict, check=lambda refusal: refusal.code == code) if code else nullcontext():
        assert hand_in(hub, A) is PdfOutcome.UNCHANGED
    assert [one.digest for one in shown(hub).files] == [digest(other)]


def test_the_transfer_that_began_meanwhile_takes_the_earlier_one_and_the_till_is_told(hub: SyncHub) -> None:
    hub.settlement(1)
    hand_in(hub, A)
    push = hub.erp.push
    seen: list[str] = []

    def watched(document: Any, posting: Any) -> Any:
        with pytest.raises(Conflict) as caught:
            hand_in(hub, B, replace=True)
        seen.append(caught.value.code)
        return push(document, posting)

    hub.erp.push = watched
    hub.transfer()
    assert (seen, pdfs_in_erp(hub), shown(hub).sent_digest) == (["being_sent"], [A], digest(A))


def test_a_transfer_that_died_sends_the_same_pdf_again(waiting: SyncHub) -> None:
    """What counts was written down with the claim: put over it since then, another one does not go instead."""
    put(waiting, A)
    waiting.erp.faults = ["die_before"]
    waiting.transfer()
    assert waiting.entry(Z, "Z1").offered_pdf == digest(A)
    put(waiting, B)
    waiting.clock.pass_(hours=3)
    waiting.transfer()
    assert (pdfs_in_erp(waiting), shown(waiting).code) == ([A], "pdf_ambiguous")


def test_one_that_cannot_be_made_is_said_to_be_missing(hub: SyncHub) -> None:
    def broken(_: Any) -> bytes:
        raise RuntimeError

    hub.pdf = broken
    hub.settlement(1)
    hub.transfer()
    entry = hub.entry(Z, "Z1")
    assert (entry.attachment, entry.code, entry.offered_pdf) == (Attachment.REFUSED, "attachment_refused", "")
    hand_in(hub, A)
    hub.transfer()
    assert (pdfs_in_erp(hub), shown(hub).sent_digest) == ([A], digest(A))
    assert BY_THE_HUB not in hub.entry(Z, "Z1").offered_pdf


def test_a_wait_is_as_long_as_it_was(waiting: SyncHub) -> None:
    """Neither what is wrong with the files nor looking at them prolongs it."""
    until = waiting.entry(Z, "Z1").wants_pdf_until
    put(waiting, NONE)
    waiting.transfer()
    assert waiting.entry(Z, "Z1").wants_pdf_until == until
    assert until == waiting.clock() + timedelta(minutes=30)
