"""SOAP: page images beside vouchers, uploaded in chunks under a number that is read and not reserved. No PDF."""

import hashlib
from collections.abc import Mapping
from typing import Any

from .http import inner, listed
from .soap import UNABLE, SoapCall, SoapFault, operation
from .soap_ledger import stamped
from .state import Document, Organisation

BEGINNINGS = {
    "Png": (b"\x89PNG\r\n\x1a\n",), "Jpeg": (b"\xff\xd8\xff",), "Gif": (b"GIF8",), "Bmp": (b"BM",),
    "Tiff": (b"II*\x00", b"MM\x00*"), "Wmf": (b"\xd7\xcd\xc6\x9a", b"\x01\x00\x09\x00"),
}  # fmt: skip
"""How a file of each type begins."""


@operation("Attachment", "Create")
def create(call: SoapCall) -> dict[str, Any]:
    """A file without content yet; only what is saved stays."""
    kind = call.arguments.get("type", "")
    if kind not in BEGINNINGS:
        raise SoapFault(UNABLE + f"The file type {kind} is not supported.")
    made = Document(call.org.next("file"), kind)
    call.org.documents[made.id] = made
    return _shown(made)


def _shown(document: Document) -> dict[str, Any]:
    return {
        "Id": document.id,
        "Type": document.type if document.type in BEGINNINGS else "Unknown",
        "StampNo": document.stamp,
        "StampMeta": [{"Key": key, "Value": value} for key, value in document.stamp_meta],
        "FrameInfo": document.frames,
        "ContactId": [],
    }


def _file(call: SoapCall) -> Document:
    asked: Mapping[str, Any] = inner(call.arguments.get("file"))
    found = call.org.documents.get(asked.get("Id", 0))
    if found is None:
        raise SoapFault(UNABLE + f"There is no file {asked.get('Id')}.")
    return found


@operation("Attachment", "AppendChunk")
def append_chunk(call: SoapCall) -> None:
    """Bytes at an offset; the same chunk again changes nothing."""
    _append(call, call.arguments.get("buffer") or b"")


@operation("Attachment", "AppendChunkByLength")
def append_chunk_by_length(call: SoapCall) -> None:
    """As AppendChunk, of the buffer's first bytes."""
    _append(call, (call.arguments.get("buffer") or b"")[: call.arguments.get("bufferLength", 0)])


def _append(call: SoapCall, chunk: bytes) -> None:
    found, offset = _file(call), call.arguments.get("offset", 0)
    if len(call.request.body) > call.world.chunk_kilobytes * 1024:
        raise SoapFault(UNABLE + "Maximum request length exceeded.")
    if not 0 <= offset <= len(found.content):
        raise SoapFault(
            UNABLE + f"Offset {offset} is beyond the end of the file, which has {len(found.content)} bytes."
        )
    found.content = found.content[:offset] + chunk + found.content[offset + len(chunk) :]


@operation("Attachment", "DownloadChunk")
def download_chunk(call: SoapCall) -> bytes:
    """Some bytes of a file."""
    offset, size = call.arguments.get("offset", 0), call.arguments.get("bufferSize", 0)
    return _file(call).content[offset : offset + size]


@operation("Attachment", "GetSize")
def get_size(call: SoapCall) -> int:
    """How many bytes have come."""
    return len(_file(call).content)


@operation("Attachment", "GetChecksum")
def get_checksum(call: SoapCall) -> str:
    """The MD5 of what has come, in hexadecimal."""
    return hashlib.md5(_file(call).content, usedforsecurity=False).hexdigest()


@operation("Attachment", "GetMaxRequestLength")
def get_max_request_length(call: SoapCall) -> int:
    """In kilobytes, envelope included."""
    if call.session is None:
        raise SoapFault(UNABLE + "Not authenticated. The session is missing or has expired.")
    return call.world.chunk_kilobytes


@operation("Attachment", "GetStampNo")
def get_stamp_no(call: SoapCall) -> int:
    """The next stamp number; without a Save it is the next for everyone."""
    return call.org.counters["stamp"] + 1


@operation("Attachment", "Save")
def save(call: SoapCall) -> None:
    """Keep a file: in the inbox of the Retrieval module, or beside the journal."""
    found = _file(call)
    asked: Mapping[str, Any] = call.arguments["file"]
    location = call.arguments.get("location", "")
    if location not in ("Retrieval", "Journal"):
        raise SoapFault(UNABLE + f"The location {location} is not implemented.")
    if not found.content.startswith(BEGINNINGS[found.type]):
        raise SoapFault(UNABLE + f"The file is not of the type {found.type}.")
    frames: list[dict[str, Any]] = listed(asked.get("FrameInfo"))
    stamp = asked.get("StampNo") or next((f["StampNo"] for f in frames if f.get("StampNo")), 0)
    if location == "Journal" and not stamp:
        raise SoapFault(UNABLE + "A file beside the journal needs a stamp number.")
    found.stamp, found.location, found.saved, found.frames = stamp, location, call.now, frames
    found.stamp_meta = [(pair.get("Key", ""), pair.get("Value", "")) for pair in listed(asked.get("StampMeta"))]
    call.org.counters["stamp"] = max(call.org.counters["stamp"], stamp)


def flags(org: Organisation, document: Document) -> set[str]:
    """Where a file has come to: named by a draft journal, or by the ledger."""
    found: set[str] = set()
    if document.stamp and any(document.stamp in stamped(draft) for draft in org.drafts.values()):
        found.add("PrepostedInJournal")
    if document.stamp and any(line.document == document.stamp for line in org.lines()):
        found.add("PostedInJournal")
    return found or {"None"}


@operation("Attachment", "GetFileInfo")
def get_file_info(call: SoapCall) -> list[dict[str, Any]]:
    """Saved files that fit everything asked."""
    asked: Mapping[str, Any] = inner(call.arguments.get("parameters"))
    stamps, files = listed(asked.get("StampNo")), listed(asked.get("FileId"))
    registered, changed = asked.get("AttachmentRegisteredAfter"), asked.get("AttachmentChangedAfter")
    wanted = set(listed(asked.get("AttachmentStatus")))
    since = max((at for at in (registered, changed) if at is not None), default=None)
    return [
        _shown(d) for d in call.org.documents.values()
        if d.saved is not None
        and (not stamps or d.stamp in stamps) and (not files or d.id in files)
        and (since is None or d.saved >= since)
        and ("HasStampNo" not in asked or bool(d.stamp) == asked["HasStampNo"])
        and (not wanted or wanted & flags(call.org, d))
    ]  # fmt: skip
