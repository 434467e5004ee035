"""REST: the files that go with a voucher."""

import secrets
from datetime import timedelta
from typing import Any

from .http import Request, Response, json_response
from .rest import Call, RestError, invalid, not_found, route
from .state import Document, Organisation, Upload, World, guid

UPLOAD_FOR = timedelta(minutes=15)


@route("POST", "/fileUpload", "api.accounting.transaction:write")
def file_upload(call: Call) -> Response:
    """Give an address that takes the bytes once, for a quarter of an hour."""
    content_type = call.body().get("contentType")
    if not isinstance(content_type, str) or "/" not in content_type:
        raise invalid(("contentType", "required"))
    made = Upload(guid(), content_type, secrets.token_hex(16), call.now + UPLOAD_FOR)
    call.org.uploads[made.id] = made
    url = f"{call.request.mount_url}/uploads/{call.org.id}/{made.id}?signature={made.signature}"
    return json_response({"uploadMethod": "PUT", "uploadUrl": url, "fileId": made.id})


@route("GET", "/fileUpload/{fileId}", "api.accounting.transaction:write")
def file_status(call: Call, fileId: str) -> Response:
    """What has become of an upload; its document once it is there."""
    found = call.org.uploads.get(fileId)
    if found is None:
        raise RestError(400, "BadRequestError", f"There is no file upload {fileId}.")
    shown: dict[str, Any] = {"fileId": found.id, "status": found.status}
    if found.document is not None:
        shown["documentId"] = found.document
    return json_response(shown)


@route("GET", "/documents/{documentId}", "api.accounting.transaction:read")
def document(call: Call, documentId: int) -> Response:
    """Where a document can be fetched."""
    found = next((d for d in call.org.stamps() if d.stamp == documentId), None)
    if found is None:
        raise not_found(f"Document {documentId}")
    base = f"{call.request.mount_url}/uploads/{call.org.id}/documents/{documentId}"
    pages = [{"sequenceNumber": 1, "thumbnailUrl": f"{base}/1/thumbnail", "previewUrl": f"{base}/1/preview"}]
    return json_response({"documentId": documentId, "contentType": found.type, "downloadUrl": base, "pages": pages})


def receive(world: World, request: Request) -> Response:
    """Bytes at a pre-signed address, or a document fetched from its own."""
    parts = request.path.removeprefix("/rest/uploads/").split("/")
    org = world.organisations.get(int(parts[0])) if parts[0].isdecimal() and len(parts) > 1 else None
    if org is None:
        return _storage(404, "NoSuchKey", "The specified key does not exist.")
    if request.method == "GET" and parts[1] == "documents" and len(parts) == 3:
        found = next((d for d in org.stamps() if str(d.stamp) == parts[2]), None)
        return Response(200, found.content, found.type) if found else _storage(404, "NoSuchKey", "No such document.")
    upload = org.uploads.get(parts[1])
    if upload is None or request.method != "PUT":
        return _storage(404, "NoSuchKey", "The specified key does not exist.")
    return _take(world, org, upload, request)


def _take(world: World, org: Organisation, upload: Upload, request: Request) -> Response:
    if request.query.get("signature") != upload.signature or world.now() >= upload.until:
        return _storage(403, "AccessDenied", "Request has expired or its signature is wrong.")
    if request.headers["content-type"] not in ("", upload.content_type):
        return _storage(403, "SignatureDoesNotMatch", "The content type is not the one that was signed.")
    if upload.document is not None:
        return Response(200, b"", "application/xml")
    if not request.body or (upload.content_type == "application/pdf" and not request.body.startswith(b"%PDF-")):
        upload.status = "Failed"
        return Response(200, b"", "application/xml")
    file_id, stamp = org.next("file"), org.next("stamp")
    org.documents[file_id] = Document(file_id, upload.content_type, request.body, stamp, "Journal", world.now())
    upload.status, upload.document = "Completed", stamp
    return Response(200, b"", "application/xml")


def _storage(status: int, code: str, words: str) -> Response:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{words}</Message></Error>"
    return Response(status, body.encode(), "application/xml")
