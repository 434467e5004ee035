"""Files at the stand-in: PDF through REST, page images through SOAP, and how each is found beside its voucher."""

import hashlib
from base64 import b64encode
from datetime import timedelta
from typing import Any

import httpx
import pytest

from local.erps.twentyfourseven import App, seed
from tests.standins.twentyfourseven.soap_client import NIL, Fault, Soap, Xml
from tests.standins.twentyfourseven.test_ledger import bundle, lines_of, shop, voucher

PDF = b"%PDF-1.7 a settlement"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


def upload(rest: httpx.Client, content: bytes = PDF) -> dict[str, object]:
    given = rest.post("/fileUpload", json={"contentType": "application/pdf"}).json()
    assert given["uploadMethod"] == "PUT"
    put = httpx.Request("PUT", given["uploadUrl"], content=content, headers={"Content-Type": "application/pdf"})
    assert rest.send(put).status_code == 200
    return rest.get(f"/fileUpload/{given['fileId']}").json()


def test_a_pdf_is_uploaded_and_posted_with_its_voucher(rest: httpx.Client) -> None:
    given = rest.post("/fileUpload", json={"contentType": "application/pdf"}).json()
    assert rest.get(f"/fileUpload/{given['fileId']}").json() == {"fileId": given["fileId"], "status": "Pending"}
    done = upload(rest)
    assert done["status"] == "Completed"
    assert rest.post("/transactions", json=voucher(documentId=done["documentId"])).status_code == 201
    assert {line["documentId"] for line in lines_of(rest)} == {done["documentId"]}
    document = rest.get(f"/documents/{done['documentId']}").json()
    assert rest.send(httpx.Request("GET", document["downloadUrl"])).content == PDF


def test_what_is_no_pdf_fails_as_an_upload(rest: httpx.Client) -> None:
    assert upload(rest, b"hello")["status"] == "Failed"


def test_an_upload_address_needs_its_signature_and_ends(app: App, rest: httpx.Client) -> None:
    url = rest.post("/fileUpload", json={"contentType": "application/pdf"}).json()["uploadUrl"]
    headers = {"Content-Type": "application/pdf"}
    assert rest.send(httpx.Request("PUT", url.partition("?")[0], content=PDF, headers=headers)).status_code == 403
    now = app.world.now()
    app.world.clock = lambda: now + timedelta(minutes=16)
    assert rest.send(httpx.Request("PUT", url, content=PDF, headers=headers)).status_code == 403


def test_uploading_twice_makes_one_document(app: App, rest: httpx.Client) -> None:
    given = rest.post("/fileUpload", json={"contentType": "application/pdf"}).json()
    for _ in range(2):
        rest.send(httpx.Request("PUT", given["uploadUrl"], content=PDF, headers={"Content-Type": "application/pdf"}))
    assert len(shop(app).documents) == 1


# --- SOAP ------------------------------------------------------------------------------------------------------------


def image(file: int, stamp: int) -> Xml:
    frame: Xml = [("ImageFrameInfo", [
        ("Id", 1), ("StampNo", stamp), ("MetaData", [("KeyValuePair", [("Key", "Comment"), ("Value",
        "Z 17")])]), ("Status", 0),
    ])]  # fmt: skip
    return [("Id", file), ("Type", "Png"), ("StampNo", stamp), ("FrameInfo", frame)]


def save_image(soap: Soap, content: bytes = PNG, location: str = "Journal") -> int:
    file = int(soap("Attachment", "Create", [("type", "Png")])["Id"])
    half = len(content) // 2
    for offset, chunk in ((0, content[:half]), (half, content[half:])):
        asked: Xml = [("file", image(file, 0)), ("buffer", b64encode(chunk).decode()), ("offset", offset)]
        soap("Attachment", "AppendChunk", asked)
    stamp = int(soap("Attachment", "GetStampNo"))
    soap("Attachment", "Save", [("file", image(file, stamp)), ("location", location)])
    return stamp


def found(soap: Soap, status: str, stamp: int) -> list[dict[str, Any]]:
    asked: Xml = [
        ("StampNo", [("int", stamp)]),
        ("HasStampNo", NIL),
        ("FileApproved", NIL),
        ("AttachmentStatus", [("FlagType", status)]),
    ]
    return soap("Attachment", "GetFileInfo", [("parameters", asked)])


def test_a_page_image_goes_up_in_chunks(app: App, soap: Soap) -> None:
    stamp = save_image(soap)
    (document,) = shop(app).documents.values()
    assert document.content == PNG
    assert document.stamp == stamp
    here: Xml = [("file", image(document.id, stamp))]
    assert soap("Attachment", "GetSize", here) == str(len(PNG))
    assert soap("Attachment", "GetChecksum", here) == hashlib.md5(PNG).hexdigest()
    part = soap("Attachment", "DownloadChunk", [*here, ("offset", 1), ("bufferSize", 3)])
    assert part == b64encode(b"PNG").decode()


def test_pdf_is_refused_as_an_attachment(soap: Soap) -> None:
    with pytest.raises(Fault, match="Pdf is not supported"):
        soap("Attachment", "Create", [("type", "Pdf")])
    with pytest.raises(Fault, match="not of the type Png"):
        save_image(soap, PDF)


def test_a_stamp_number_is_read_but_not_reserved(soap: Soap) -> None:
    first = soap("Attachment", "GetStampNo")
    assert soap("Attachment", "GetStampNo") == first
    assert save_image(soap) == int(first)
    assert int(soap("Attachment", "GetStampNo")) == int(first) + 1


def test_a_chunk_must_not_be_larger_than_a_request_may_be(app: App, soap: Soap) -> None:
    app.world.chunk_kilobytes = 4
    assert soap("Attachment", "GetMaxRequestLength") == "4"
    with pytest.raises(Fault, match="Maximum request length exceeded"):
        save_image(soap)


def test_the_file_tells_whether_a_draft_or_the_ledger_has_its_voucher(app: App, soap: Soap) -> None:
    stamp = save_image(soap)
    assert len(found(soap, "None", stamp)) == 1
    assert found(soap, "PrepostedInJournal", stamp) == []
    assert soap("Account", "SaveBundleList", bundle(1, extra=[("StampNo", stamp)]))["Type"] == "Ok"
    (file,) = found(soap, "PrepostedInJournal", stamp)
    assert file["FrameInfo"][0]["MetaData"] == [{"Key": "Comment", "Value": "Z 17"}]
    assert found(soap, "PostedInJournal", stamp) == []
    shop(app).drafts.clear()
    assert soap("Account", "SaveBundleList", bundle(2, option=0, extra=[("StampNo", stamp)]))["Type"] == "Ok"
    assert len(found(soap, "PostedInJournal", stamp)) == 1


def test_an_image_may_wait_in_the_inbox_alone(app: App, soap: Soap) -> None:
    save_image(soap, location="Retrieval")
    assert [d.location for d in app.world.organisation(seed.SHOP).documents.values()] == ["Retrieval"]
    with pytest.raises(Fault, match="not implemented"):
        save_image(soap, location="Scanning")
