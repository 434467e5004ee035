"""Page images beside vouchers: uploaded in chunks under one stamp number, and found again by the text they carry.

A stamp number is read, not reserved, until an image is saved under it. So the images are saved first, then a look tells
whether somebody else took the same number in between; then ours move to another.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from ...errors import ErpRefused, Unavailable
from .pages import render
from .places import ATTACHMENT
from .soap import Soap
from .xml import NIL, Node, children, text, whole

if TYPE_CHECKING:
    from .xml import Element

JOURNAL, INBOX = "Journal", "Retrieval"
IN_JOURNAL = ("PrepostedInJournal", "PostedInJournal")
_OVERHEAD = 8 * 1024
"""Bytes of a request that are not the image."""
_TRIES = 3


class SoapImages:
    """Files of one company."""

    def __init__(self, soap: Soap, company: str) -> None:
        self._soap = soap
        self._company = company
        self._chunk = 0

    def stamped(self, key: str, since: date, *, states: Sequence[str] = ()) -> int | None:
        """The stamp number of saved pages that carry the key, registered since the day; in one of the states given."""
        parameters: Node = (
            ("AttachmentRegisteredAfter", since - timedelta(days=1)),
            ("HasStampNo", True),
            ("FileApproved", NIL),
            ("AttachmentStatus", (("FlagType", list(states)),) if states else None),
        )
        found = self._soap.read(ATTACHMENT, "GetFileInfo", (("parameters", parameters),), self._company)
        for file in children(found, "ImageFile"):
            if key in " ".join(_comments(file)):
                return whole(file, "StampNo")
        return None

    def save(self, pdf: bytes, comment: str) -> int:
        """Save the PDF's pages beside the journal and give their stamp number. Raises ErpRefused, Unavailable."""
        files = [self._upload(image) for image in render(pdf)]
        for _ in range(_TRIES):
            stamp = self._stamp()
            for number, file in enumerate(files, start=1):
                self._save(file, stamp, comment, number, JOURNAL)
            if self._holders(stamp) == set(files):
                return stamp
        raise Unavailable("Other programs are saving vouchers' images at the same time. Try again.", code="stamp_taken")

    def to_inbox(self, pdf: bytes, comment: str) -> None:
        """Put the pages into the Retrieval inbox, for somebody to add to the voucher."""
        stamp = self._stamp()
        for number, image in enumerate(render(pdf), start=1):
            self._save(self._upload(image), stamp, comment, number, INBOX)

    def _stamp(self) -> int:
        return int(_must(self._soap.read(ATTACHMENT, "GetStampNo", (), self._company)).text or 0)

    def _holders(self, stamp: int) -> set[int]:
        parameters: Node = (("StampNo", (("int", [stamp]),)), ("HasStampNo", NIL), ("FileApproved", NIL))
        found = self._soap.read(ATTACHMENT, "GetFileInfo", (("parameters", parameters),), self._company)
        return {whole(file, "Id") or 0 for file in children(found, "ImageFile")}

    def _upload(self, image: bytes) -> int:
        created = _must(self._soap.write(ATTACHMENT, "Create", (("type", "Png"),), self._company, repeatable=True))
        file = whole(created, "Id") or 0
        size = self._chunk_size()
        for offset in range(0, len(image), size):
            body: Node = (
                ("file", _file(file)),
                ("buffer", image[offset : offset + size]),
                ("offset", offset),
            )
            self._soap.write(ATTACHMENT, "AppendChunk", body, self._company, repeatable=True)
        return file

    def _chunk_size(self) -> int:
        """How many bytes of image fit into one request: the most there may be, less the envelope, in base 64."""
        if not self._chunk:
            kilobytes = int(_must(self._soap.read(ATTACHMENT, "GetMaxRequestLength", (), self._company)).text or 0)
            self._chunk = max((kilobytes * 1024 - _OVERHEAD) * 3 // 4 // 3 * 3, 3 * 1024)
        return self._chunk

    def _save(self, file: int, stamp: int, comment: str, page: int, location: str) -> None:
        meta: Node = (("KeyValuePair", [_pair("Comment", comment), _pair("PageNo", str(page))]),)
        frame: Node = (("Id", 1), ("StampNo", stamp), ("MetaData", meta), ("Status", 0))
        body: Node = (("file", _file(file, stamp, frame)), ("location", location))
        self._soap.write(ATTACHMENT, "Save", body, self._company, repeatable=True)


def _file(file: int, stamp: int = 0, frame: Node | None = None) -> Node:
    frames: Any = (("ImageFrameInfo", frame),) if frame is not None else None
    return (("Id", file), ("Type", "Png"), ("StampNo", stamp), ("FrameInfo", frames))


def _pair(key: str, value: str) -> Node:
    return (("Key", key), ("Value", value))


def _comments(file: "Element") -> Iterator[str]:
    for frame in file.iterfind("{*}FrameInfo/{*}ImageFrameInfo/{*}MetaData/{*}KeyValuePair"):
        if text(frame, "Key") == "Comment":
            yield text(frame, "Value") or ""


def _must(element: "Element | None") -> "Element":
    if element is None:
        raise ErpRefused("24SevenOffice answered without a result.", code="erp_answer_broken")
    return element
