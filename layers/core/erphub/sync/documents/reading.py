"""Documents as they were handed in, read back by the till's own ids."""

from dataclasses import dataclass

from erphub.erp.documents import DocumentKind
from erphub.platform.errors import NotFound
from erphub.platform.pages import Page
from erphub.sync import problems
from erphub.sync.canonical import entry_id
from erphub.sync.documents.schemas import DocumentQuery
from erphub.sync.export_log.models import Attempt, Entry
from erphub.sync.export_log.schemas import LogQuery
from erphub.sync.export_log.service import ExportLogService


@dataclass(frozen=True)
class DocumentReader:
    """Reads documents."""

    log: ExportLogService

    def list_documents(self, client_id: str, connection_id: str, query: DocumentQuery) -> Page[Entry]:
        """A page of documents, the newest day first. Raises NotFound (`sync_not_set_up`)."""
        asked = LogQuery(status=query.status, kind=query.kind, limit=query.limit, next=query.next)
        return self.log.list_entries(client_id, connection_id, asked)

    def get(self, client_id: str, connection_id: str, kind: str, external_id: str) -> tuple[Entry, list[Attempt]]:
        """A document with every attempt to send it. Raises NotFound (`unknown_kind`, `document_not_found`)."""
        if kind not in {known.value for known in DocumentKind}:
            raise problems.UNKNOWN_KIND(kind=kind)
        name = entry_id(connection_id, DocumentKind(kind), external_id)
        try:
            return self.log.get(client_id, connection_id, name)
        except NotFound as error:
            if error.code == "entry_not_found":
                raise problems.DOCUMENT_NOT_FOUND() from error
            raise
