"""Documents: shown before they are sent, posted once, found by their key; a system that takes none says so."""

from dataclasses import replace

import pytest

from erphub.erp import catalogue
from erphub.erp.description import AdapterCapability
from erphub.erp.posting import ListsSetup, PostsDocuments, ReadsChanges
from erphub.erp.service import ErpSystems
from erphub.platform.errors import ErpRefused
from tests.erp.conformance.subjects import KEY, Documents, Subject
from tests.erp.systems.twentyfourseven.conftest import PDF


def posts(subject: Subject) -> tuple[PostsDocuments, Documents] | None:
    """The system and what it is given; None for one that takes no documents, and says so wherever it is asked."""
    system = subject.open()
    if subject.documents is None:
        assert AdapterCapability.DOCUMENTS not in catalogue.describe(subject.erp_system).capabilities
        assert AdapterCapability.DOCUMENTS not in ErpSystems([]).get(subject.erp_system).capabilities
        assert not isinstance(system, PostsDocuments | ListsSetup | ReadsChanges)
        return None
    assert AdapterCapability.DOCUMENTS in catalogue.describe(subject.erp_system).capabilities
    assert isinstance(system, PostsDocuments)
    return system, subject.documents


def test_a_preview_shows_the_key_and_sends_nothing(subject: Subject) -> None:
    if (asked := posts(subject)) is None:
        return
    system, documents = asked
    held = documents.held()
    shown = system.preview(documents.accepted, documents.posting())
    assert KEY in str(shown)
    assert documents.held() == held
    assert system.find(documents.accepted.kind, documents.posting(), documents.accepted) is None


def test_what_was_posted_is_there_once_and_found_by_its_key_alone(subject: Subject) -> None:
    if (asked := posts(subject)) is None:
        return
    system, documents = asked
    held = documents.held()
    posted = system.push(documents.accepted, documents.posting())
    assert posted.reference
    assert documents.held() == held + 1
    found = subject.open()
    assert isinstance(found, PostsDocuments)
    again = found.find(documents.accepted.kind, documents.posting(), documents.accepted)
    assert again is not None
    assert again.reference == posted.reference
    assert system.find(documents.accepted.kind, documents.posting("EH-OTHER"), documents.accepted) is None


def test_what_cannot_be_posted_is_refused_before_anything_is_sent(subject: Subject) -> None:
    if (asked := posts(subject)) is None:
        return
    system, documents = asked
    held, posting = documents.held(), replace(documents.posting(), routing=documents.refused_routing)
    for attempt in (system.preview, system.push):
        with pytest.raises(ErpRefused) as refused:
            attempt(documents.refused, posting)
        assert refused.value.code != "internal_error"
        assert refused.value.detail
    assert documents.held() == held


def test_a_pdf_is_kept_with_what_was_posted_or_refused_as_not_offered(subject: Subject) -> None:
    if (asked := posts(subject)) is None:
        return
    system, documents = asked
    posting = replace(documents.posting(), pdf=PDF if documents.attaches else None, pdf_name="Z-1.pdf")
    posted = system.push(documents.accepted, posting)
    if documents.attaches:
        assert (posted if posted.attached else system.attach(posted, posting, PDF, "Z-1.pdf")).attached
        return
    assert not posted.attached
    with pytest.raises(ErpRefused) as refused:
        system.attach(posted, posting, PDF, "Z-1.pdf")
    assert refused.value.code == "attachments_not_offered"
