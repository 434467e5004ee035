"""A PDF as page images: 24SevenOffice's inbox takes no PDF, so its pages are drawn and sent as PNG."""

import struct
import zlib
from collections.abc import Iterator
from typing import Any

from erphub.erp.systems.twentyfourseven import problems

DPI = 150
"""Sharp enough to read a receipt on a screen; an A4 page of text is about 150 kB."""
MOST_PAGES = 30
_MOST_PIXELS = 25_000_000


def render(pdf: bytes) -> Iterator[bytes]:
    """Each page as a PNG. Raises ErpRefused (`pdf_unreadable`, `pdf_too_long`)."""
    import pypdfium2  # pyright: ignore[reportMissingTypeStubs]

    try:
        document: Any = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError as error:
        raise problems.PDF_UNREADABLE() from error
    try:
        if not 0 < len(document) <= MOST_PAGES:
            raise problems.PDF_TOO_LONG(maximum=MOST_PAGES)
        for number in range(len(document)):
            yield _page(document[number])
    finally:
        document.close()


def _page(page: Any) -> bytes:
    width, height = page.get_size()  # in points, 72 to the inch
    scale = min(DPI / 72, (_MOST_PIXELS / max(width * height, 1)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True)
    try:
        return png(bitmap.width, bitmap.height, bitmap.stride, bytes(bitmap.buffer))
    finally:
        bitmap.close()
        page.close()


def png(width: int, height: int, stride: int, grey: bytes) -> bytes:
    """Grey pixels, `stride` bytes a row, as a PNG."""
    rows = b"".join(b"\x00" + grey[at * stride : at * stride + width] for at in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
