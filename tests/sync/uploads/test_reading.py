"""Uploads that their reader cannot stand: a line is refused, a file that kills it ends, nothing stays."""

import codecs
import json
from typing import Any

import pytest

from erphub.erp.documents import DocumentKind
from erphub.sync.uploads import service
from erphub.sync.uploads.models import BadLine, Upload, UploadStatus
from erphub.sync.uploads.schemas import NewUpload, UploadView
from erphub.sync.uploads.service import MAX_READING_TIME, MAX_TRIES, UNREADABLE, upload_file_name
from tests.support.sync import CLIENT, CONNECTION, SyncHub


class KilledError(BaseException):
    """The process is gone: nothing that it would have done is done."""


def product(number: int) -> dict[str, Any]:
    return {"kind": "product", "external_id": f"p{number}", "number": str(number), "name": f"Øl {number}", "price": "1"}


def line(number: int) -> bytes:
    return json.dumps(product(number), ensure_ascii=False).encode()


def started(hub: SyncHub, data: bytes, on_bad_line: BadLine = BadLine.SKIP) -> Upload:
    made, _ = hub.uploads.create(CLIENT, CONNECTION, "till", NewUpload(on_bad_line=on_bad_line))
    hub.files.files[upload_file_name(made)] = data
    return hub.uploads.start(CLIENT, CONNECTION, made.id)


def read(hub: SyncHub, upload: Upload) -> Upload:
    return hub.uploads.read(CLIENT, CONNECTION, upload.id)


BAD_LINES = {
    "100,000 brackets": b"[" * 100_000,
    "100,000 objects": b'{"a":' * 100_000,
    "a number of 5,000 digits": b'{"kind":"product","external_id":"x","price":' + b"9" * 5000 + b"}",
    "a number beyond any float": b'{"kind":"product","external_id":"x","price":1e999}',
    "NaN": b'{"kind":"product","external_id":"x","price":NaN}',
    "a lone surrogate": b'{"kind":"product","external_id":"x","name":"\\ud800"}',
    "windows-1252": '{"kind":"product","external_id":"x","name":"Øl"}'.encode("cp1252"),
    "a list": b"[]",
    "a kind that is a list": b'{"kind":[],"external_id":"x"}',
    "an id that is a number": b'{"kind":"product","external_id":1}',
    "longer than any document": b'{"kind":"product","external_id":"x","name":"' + b"x" * 2_000_000 + b'"}',
    "NUL": b"\x00",
    "a kind there is none of": b'{"kind":"\xe2\x80\xae","external_id":"x"}',
}


@pytest.mark.parametrize("bad", BAD_LINES)
def test_a_bad_line_is_refused_and_the_others_are_taken(hub: SyncHub, bad: str) -> None:
    done = read(hub, started(hub, b"\n".join([line(1), BAD_LINES[bad], line(3)])))
    assert (done.status, done.accepted_count, done.refused_count) == (UploadStatus.DONE, 2, 1)
    assert [(error.line_number, bool(error.code), bool(error.detail)) for error in done.errors] == [(2, True, True)]


def test_a_line_that_breaks_its_reader_is_refused(hub: SyncHub, monkeypatch: pytest.MonkeyPatch) -> None:
    known = service.read_incoming

    def breaking(kind: str, external_id: str, fields: Any) -> Any:
        if external_id == "p2":
            raise MemoryError
        return known(kind, external_id, fields)

    monkeypatch.setattr(service, "read_incoming", breaking)
    done = read(hub, started(hub, b"\n".join([line(1), line(2), line(3)])))
    assert (done.accepted_count, [error.code for error in done.errors]) == (2, ["line_unreadable"])


def test_who_wants_all_or_nothing_gets_nothing_for_one_bad_line(hub: SyncHub) -> None:
    done = read(hub, started(hub, b"\n".join([line(1), b"[", line(3)]), BadLine.REFUSE_ALL))
    assert (done.status, done.accepted_count, done.line_count, done.refused_count) == (UploadStatus.FAILED, 0, 3, 1)
    assert done.problem is not None
    assert done.problem["code"] == "lines_refused"
    assert [error.line_number for error in done.errors] == [2]
    assert hub.entries.count(CLIENT, CONNECTION, "pending") == 0
    good = read(hub, started(hub, b"\n".join([line(1), line(3)]), BadLine.REFUSE_ALL))
    assert (good.status, good.accepted_count) == (UploadStatus.DONE, 2)
    assert UploadView.of(good).on_bad_line is BadLine.REFUSE_ALL


def test_an_upload_that_kills_its_worker_ends_with_what_was_taken_before(
    hub: SyncHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_BATCH_LINES", 2)
    known = service.read_incoming

    def deadly(kind: str, external_id: str, fields: Any) -> Any:
        if external_id == "p6":
            raise KilledError
        return known(kind, external_id, fields)

    monkeypatch.setattr(service, "read_incoming", deadly)
    upload = started(hub, b"\n".join(line(number) for number in range(1, 9)))
    for _ in range(MAX_TRIES):
        with pytest.raises(KilledError):
            read(hub, upload)
    assert hub.uploads.get(CLIENT, CONNECTION, upload.id).status is UploadStatus.READING
    hub.clock.pass_(seconds=MAX_READING_TIME.total_seconds() + 1)
    ended = hub.uploads.get(CLIENT, CONNECTION, upload.id)
    assert (ended.status, ended.accepted_count, ended.line_count) == (UploadStatus.FAILED, 4, 4)
    assert ended.problem is not None
    assert ended.problem["code"] == UNREADABLE
    assert "line 4" in ended.problem["detail"]
    assert read(hub, ended) == ended, "a late try changes nothing"


def test_a_third_failure_says_so_at_once(hub: SyncHub, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Any) -> Any:
        raise RuntimeError("nobody thought of this")

    upload = started(hub, line(1))
    monkeypatch.setattr(hub.uploads.documents.entries, "get_many", lambda *_: broken(0))
    for _ in range(MAX_TRIES - 1):
        with pytest.raises(RuntimeError):
            read(hub, upload)
    assert read(hub, upload).status is UploadStatus.FAILED


def test_who_takes_over_goes_on_behind_what_was_taken(hub: SyncHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_BATCH_LINES", 2)
    known, killed = service.read_incoming, list[str]()

    def once_deadly(kind: str, external_id: str, fields: Any) -> Any:
        if external_id == "p5" and not killed:
            killed.append(external_id)
            raise KilledError
        return known(kind, external_id, fields)

    monkeypatch.setattr(service, "read_incoming", once_deadly)
    upload = started(hub, b"\n".join(line(number) for number in range(1, 8)))
    with pytest.raises(KilledError):
        read(hub, upload)
    done = read(hub, upload)
    assert (done.status, done.line_count, done.accepted_count, done.unchanged_count) == (UploadStatus.DONE, 7, 7, 0)


SALES = {"sales": [{"vat_rate": "25", "amount": "125.00", "vat": "25.00"}]}
DOCUMENTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "settlement": (
        {"date": "2026-01-05", "number": 1, "payments": [{"means": "cash", "amount": "125.00"}]} | SALES,
        {"comment": "counted again"},
    ),
    "invoice": (
        {
            "date": "2026-01-05",
            "number": "F1",
            "customer_id": "k",
            "lines": [{"description": "Øl", "quantity": "1", "unit_price": "80.00", "vat_rate": "25"}],
        },
        {"your_reference": "Kari"},
    ),
    "customer": ({"name": "Nordlys"}, {"email": "post@nordlys.example"}),
    "product": ({"number": "1", "name": "Øl", "price": "1.00"}, {"name": "Stout"}),
}
"""Of each kind a document, and what is otherwise in it later."""


@pytest.mark.parametrize("kind", DOCUMENTS)
@pytest.mark.parametrize("handed_in", ["before the file", "after the file", "after the file, as in it", "twice in it"])
def test_a_file_that_is_read_late_replaces_nothing_that_came_after_it(hub: SyncHub, kind: str, handed_in: str) -> None:
    document, otherwise = DOCUMENTS[kind]
    name = {"kind": kind, "external_id": "d1"}
    listed = [name | document, name | document | otherwise] if handed_in == "twice in it" else [name | document]
    if handed_in == "before the file":
        hub.submit(kind, "d1", **document | otherwise)
        hub.clock.pass_(seconds=1)
    upload = started(hub, "\n".join(map(json.dumps, listed)).encode())
    hub.clock.pass_(seconds=1)
    if handed_in.startswith("after"):
        hub.submit(kind, "d1", **document | ({} if handed_in.endswith("as in it") else otherwise))
        hub.clock.pass_(seconds=1)
    done = read(hub, upload)
    kept = json.loads(hub.entry(DocumentKind(kind), "d1").body)
    (field, later), *_ = otherwise.items()
    is_late = handed_in in ("after the file", "twice in it")
    assert (kept.get(field) == later) == is_late
    refused = ["superseded"] if handed_in == "after the file" else []
    assert [one.code for one in done.errors] == refused
    assert (done.status, done.unchanged_count) == (UploadStatus.DONE, int(handed_in.endswith("as in it")))


def test_a_mark_at_the_beginning_is_no_part_of_the_first_line(hub: SyncHub) -> None:
    done = read(hub, started(hub, codecs.BOM_UTF8 + line(1)))
    assert (done.accepted_count, done.refused_count) == (1, 0)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_told(hub: SyncHub, encoding: str) -> None:
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(encoding, b"")
    done = read(hub, started(hub, mark + b"\n".join([line(1), line(2)]).decode().encode(encoding)))
    assert done.status is UploadStatus.FAILED
    assert done.problem is not None
    assert done.problem["code"] == "encoding_unsupported"
