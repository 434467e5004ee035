"""A settlement's PDF: which of the files that a till handed over counts, and what is to be said of the others.

A file comes by one of two roads: put to the address that handing the document in answers with, or handed to the API.
Nothing is ever overwritten: the bucket keeps every version at the address, and what the API takes has a name of its
own, its digest. The first that is a PDF counts. Another one counts only when somebody says so (`replace`); put to the
address without a word it is noticed, waited with for as long as a PDF is waited for, and then left out and told.

What is no PDF counts as none that came: until the end of the wait the till can hand over the right one, and then the
hub makes one, for books take no voucher without its document. The entry says so (`pdf_code`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from erphub.platform.files import FileVersion, VersionedFiles
from erphub.sync import problems
from erphub.sync.export_log.models import MAX_PDF_BYTES, Entry, PdfFile, said_of_pdf

WAITS_FOR_PDF = ("waits_for_pdf", problems.PDF_INVALID.code, problems.PDF_AMBIGUOUS.code)
"""The codes of what waits for its PDF."""
_MAX_VERSIONS = 20
"""How many versions at one address are looked at; of more nobody can tell which was the first."""


def is_pdf(content: bytes) -> bool:
    """Whether a file is taken as a PDF: by its first bytes and its size."""
    return content.startswith(b"%PDF-") and len(content) <= MAX_PDF_BYTES


@dataclass(frozen=True)
class HandedOver:
    """What a till handed over for a document as it is now."""

    files: tuple[PdfFile, ...] = ()
    """Every file, those of earlier bodies too, in the order in which they came."""
    chosen: PdfFile | None = None
    """The one that counts."""
    code: str = ""
    """Why people should look, as in `Entry.pdf_code`."""

    @property
    def is_ready(self) -> bool:
        """Whether nothing is left to wait for."""
        return self.chosen is not None and not self.code

    def changes(self, entry: Entry) -> dict[str, Any]:
        """What of it an entry does not say yet."""
        digest = self.chosen.digest if self.chosen else ""
        known = {"pdfs": entry.pdfs, "pdf_digest": entry.pdf_digest, "pdf_code": entry.pdf_code}
        found = {"pdfs": self.files, "pdf_digest": digest, "pdf_code": self.code}
        return {name: value for name, value in found.items() if value != known[name]}

    def reason(self, until: datetime | None) -> str:
        """What is said while it is waited with; empty when there is nothing to say but that it has not come."""
        at = f"{until:%Y-%m-%d %H:%M} UTC" if until else "once"
        goes = "the first" if self.chosen else "one that the hub makes"
        return f"{said_of_pdf(self.code)} Else {goes} goes with the voucher, at {at}." if self.code else ""


@dataclass(frozen=True)
class HandedPdfs:
    """Looks at what was handed over."""

    files: VersionedFiles
    _read: dict[tuple[str, str], PdfFile] = field(default_factory=dict[tuple[str, str], PdfFile])
    """What was read of versions, which never change."""

    def look(self, entry: Entry) -> HandedOver:
        """What was handed over for the entry's present body, by whichever road."""
        here = [one for one in entry.pdfs if one.revision == entry.revision]
        known = {(one.name, one.version) for one in here}
        digests = {one.digest for one in here}
        came = tuple(one for one in self._at_address(entry) if (one.name, one.version) not in known)
        first_of = dict[str, PdfFile]()
        for one in came:
            if one.digest not in digests:
                first_of.setdefault(one.digest, one)
        new = tuple(first_of.values())
        chosen = next((one for one in here if one.digest == entry.pdf_digest), None)
        code = entry.pdf_code
        if (chosen is not None and new) or (chosen is None and len(came) > _MAX_VERSIONS):
            code = problems.PDF_AMBIGUOUS.code
        elif chosen is None and here and not new:
            code = entry.pdf_code or problems.PDF_INVALID.code
        elif chosen is None:
            first = next((number for number, one in enumerate(new) if one.is_pdf), len(new))
            chosen = new[first] if first < len(new) else None
            code = _code(bool(chosen), len(new) - first, bool(new))
        return HandedOver(entry.pdfs + new, chosen, code)

    def content(self, file: PdfFile) -> bytes:
        """The bytes of one of the files. Raises NotFound when its time is over."""
        return self.files.read(file.name, file.version)

    def _at_address(self, entry: Entry) -> Iterator[PdfFile]:
        if entry.wants_pdf_until is None:
            return
        same = dict[str, PdfFile]()
        for version in self.files.versions(entry.pdf_file, _MAX_VERSIONS + 1):
            found = same.get(version.tag) or self._file(entry, version)
            same[version.tag] = found
            yield found

    def _file(self, entry: Entry, version: FileVersion) -> PdfFile:
        key = (entry.pdf_file, version.id)
        if key not in self._read:
            small = 0 < version.size <= MAX_PDF_BYTES
            content = self.files.read(*key) if small else b""
            self._read[key] = PdfFile(
                name=entry.pdf_file,
                version=version.id,
                digest=sha256(content).hexdigest() if small else f"{version.size} bytes",
                size_bytes=version.size,
                is_pdf=is_pdf(content),
                revision=entry.revision,
                received_at=version.written_at,
            )
        return self._read[key]


def _code(has_pdf: bool, different: int, has_any: bool) -> str:
    if has_pdf:
        return problems.PDF_AMBIGUOUS.code if different > 1 else ""
    return problems.PDF_INVALID.code if has_any else ""
