"""Page images beside vouchers: uploaded in chunks under one stamp number, and found again by the text they carry.

A stamp number is read, not reserved, until an image is saved under it. So the images are saved first, then a look tells
whether somebody else took the same number in between; then ours move to another. Beside the key of its document a page
carries a digest of its PDF: pages of an earlier try are completed and used again, those of an earlier PDF never.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from itertools import batched
from typing import TYPE_CHECKING, Any, NamedTuple

from erphub.erp.posting import Posting
from erphub.erp.systems.twentyfourseven import problems
from erphub.erp.systems.twentyfourseven.endpoints import ATTACHMENT
from erphub.erp.systems.twentyfourseven.pages import render
from erphub.erp.systems.twentyfourseven.soap import Soap
from erphub.erp.systems.twentyfourseven.xml import NIL, Node, children, text, whole
from erphub.platform.lexical import is_digits

if TYPE_CHECKING:
    from erphub.erp.systems.twentyfourseven.xml import Element


JOURNAL, INBOX = "Journal", "Retrieval"
IN_DRAFT, IN_LEDGER = "PrepostedInJournal", "PostedInJournal"
IN_JOURNAL = (IN_DRAFT, IN_LEDGER)
_AT_ONCE = 200
"""How many stamp numbers are asked for in one call."""
_DIGEST = 8
"""Characters of a PDF's digest beside the key: enough to tell a settlement's one PDF from its other."""
_WORDS = re.compile("[A-Z0-9-]+")
"""What a document's key is made of."""
_OVERHEAD = 8 * 1024
"""Bytes of a request that are not the image."""
_TRIES = 3


class PagePlace(StrEnum):
    """Where pages have come to."""

    DRAFT = "draft"
    """A draft journal names them."""
    LEDGER = "ledger"
    """The ledger names them."""
    NOWHERE = "nowhere"
    """They are there, and nothing names them."""


class _Page(NamedTuple):
    file: int
    stamp: int
    number: int
    """Which page of its PDF; 0 when it does not say."""


@dataclass(frozen=True)
class _Listing:
    """The pages that were there at an instant, of those registered since a day."""

    at: datetime
    since: date
    pages: Mapping[str, Sequence[tuple[str, _Page]]]
    """By each word of their texts; a text beside each."""

    def holds(self, since: date, quiet_since: datetime | None) -> bool:
        """Whether nothing of a document can have come to it that is not in here."""
        return quiet_since is not None and quiet_since <= self.at and self.since <= since


class SoapImages:
    """Files of one company."""

    def __init__(self, soap: Soap, company: str) -> None:
        self._soap = soap
        self._company = company
        self._chunk = 0
        self._listings: dict[tuple[str, ...], _Listing] = {}

    def stamped(
        self, key: str, since: date, *, states: Sequence[str] = (), quiet_since: datetime | None = None
    ) -> int | None:
        """The stamp number of saved pages that carry the key, registered since the day; in one of the states given.

        `quiet_since`: see `Posting`.
        """
        return next((page.stamp for page in self._carrying(key, since, states, quiet_since)), None)

    def places(self, stamps: Sequence[int]) -> Mapping[int, PagePlace]:
        """Where the pages with these stamp numbers are; those that are no longer there are left out.

        Drafts are asked for first: pages only ever move from a draft to the ledger.
        """
        found: dict[int, PagePlace] = {}
        for some in batched(stamps, _AT_ONCE, strict=False):
            drafts = self._holding(some, IN_DRAFT)
            found |= dict.fromkeys(drafts, PagePlace.DRAFT)
            if others := [stamp for stamp in some if stamp not in drafts]:
                there, posted = self._holding(others), self._holding(others, IN_LEDGER)
                found |= dict.fromkeys(there, PagePlace.NOWHERE) | dict.fromkeys(posted, PagePlace.LEDGER)
        return found

    def _holding(self, stamps: Sequence[int], state: str = "") -> set[int]:
        """Those of the stamp numbers that saved pages have; in the state given."""
        return {whole(file, "StampNo") or 0 for file in self._files(stamps, state)}

    def beside_journal(self, pdf: bytes, comment: str, posting: Posting, since: date) -> int:
        """Save the PDF's pages beside the journal and give their stamp number; those of an earlier try are used again.

        Raises ErpRefused, Unavailable.
        """
        return self._once(pdf, comment, posting, since, JOURNAL)

    def to_inbox(self, pdf: bytes, comment: str, posting: Posting, since: date) -> int:
        """Put the pages into the Retrieval inbox, for somebody to add to the voucher; only those not there yet."""
        return self._once(pdf, comment, posting, since, INBOX)

    def _once(self, pdf: bytes, comment: str, posting: Posting, since: date, location: str) -> int:
        """Have every page of this very PDF there once, under one stamp number; those of another PDF are left alone."""
        mark = f"{posting.key} {sha256(pdf).hexdigest()[:_DIGEST]}"
        images = list(render(pdf))
        saved = self._carrying(mark, since, quiet_since=posting.quiet_since)
        there = {page.number: page for page in saved if 0 < page.number <= len(images)}
        if len(there) == len(images) and len({page.stamp for page in there.values()}) == 1:
            return there[1].stamp
        files = {
            number: there[number].file if number in there else self._upload(image)
            for number, image in enumerate(images, start=1)
        }
        stamp = there[min(there)].stamp if there else self._stamp()
        for _ in range(_TRIES):
            for number, file in files.items():
                if number not in there or there[number].stamp != stamp:
                    self._save(file, stamp, f"{comment} {mark}", number, location)
            if self._holders(stamp) == set(files.values()):
                return stamp
            stamp = self._stamp()
        raise problems.STAMP_TAKEN()

    def _carrying(
        self, words: str, since: date, states: Sequence[str] = (), quiet_since: datetime | None = None
    ) -> Iterator[_Page]:
        """The saved pages whose text has these words. Listed once for all documents that are quiet since before that:
        asked for by each, a month of many shops would list the pages of all the others again and again."""
        listing = self._listings.get(tuple(states))
        if listing is None or not listing.holds(since, quiet_since):
            listing = self._listings[tuple(states)] = self._list(since, states)
        yield from (page for said, page in listing.pages.get(words.split()[0], ()) if words in said)

    def _list(self, since: date, states: Sequence[str]) -> _Listing:
        at, pages = self._soap.clock(), defaultdict[str, list[tuple[str, _Page]]](list)
        parameters: Node = (
            ("AttachmentRegisteredAfter", since - timedelta(days=1)),
            ("HasStampNo", True),
            ("FileApproved", NIL),
            ("AttachmentStatus", (("FlagType", list(states)),) if states else None),
        )
        found = self._soap.read(ATTACHMENT, "GetFileInfo", (("parameters", parameters),), self._company)
        for file in children(found, "ImageFile"):
            details = dict(_meta(file))
            said, number = details.get("Comment", ""), details.get("PageNo", "")
            page = _Page(whole(file, "Id") or 0, whole(file, "StampNo") or 0, int(number) if is_digits(number) else 0)
            for word in set(_WORDS.findall(said)):
                pages[word].append((said, page))
        return _Listing(at, since, pages)

    def _stamp(self) -> int:
        return int(_must(self._soap.read(ATTACHMENT, "GetStampNo", (), self._company)).text or 0)

    def _holders(self, stamp: int) -> set[int]:
        return {whole(file, "Id") or 0 for file in self._files([stamp])}

    def _files(self, stamps: Sequence[int], state: str = "") -> Iterator["Element"]:
        parameters: Node = (
            ("StampNo", (("int", list(stamps)),)),
            ("HasStampNo", NIL),
            ("FileApproved", NIL),
            ("AttachmentStatus", (("FlagType", [state]),) if state else None),
        )
        found = self._soap.read(ATTACHMENT, "GetFileInfo", (("parameters", parameters),), self._company)
        yield from children(found, "ImageFile")

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


def _meta(file: "Element") -> Iterator[tuple[str, str]]:
    for pair in file.iterfind("{*}FrameInfo/{*}ImageFrameInfo/{*}MetaData/{*}KeyValuePair"):
        yield text(pair, "Key") or "", text(pair, "Value") or ""


def _must(element: "Element | None") -> "Element":
    if element is None:
        raise problems.ANSWER_WITHOUT_RESULT()
    return element
