"""Rows of a dataset."""

from erphub.lake.capability import DATA_VIEW
from erphub.lake.rows.schemas import RowsPage, RowsQuery
from erphub.lake.rows.service import RowService
from erphub.platform.http.router import Router

router = Router("Imports")


@router.get("/clients/{client_id}/datasets/{dataset_id}/rows", needs=DATA_VIEW)
def list_rows(service: RowService, client_id: str, dataset_id: str, query: RowsQuery) -> RowsPage:
    """Read rows of a dataset, page by page, all from one state of the lake."""
    return service.list_rows(client_id, dataset_id, query)
