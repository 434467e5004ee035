"""How a document is named: the same every time, in the export log and in the ERP."""

from erphub.erp.documents import DocumentKind
from erphub.platform.ids import derived_id


def entry_id(connection_id: str, kind: DocumentKind, external_id: str) -> str:
    """The export log's name of a document: always the same for the same document of a connection."""
    return derived_id("export", connection_id, kind.value, external_id)


def posting_key(entry: str) -> str:
    """The key under which the document can be found again in the ERP: at most 30 of A-Z, 0-9 and `-`."""
    return f"EH-{entry}"
