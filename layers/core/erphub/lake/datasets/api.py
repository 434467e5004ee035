"""The list of datasets with their columns."""

from erphub.lake.capability import DATA_VIEW
from erphub.lake.datasets.schemas import DatasetPage
from erphub.lake.datasets.service import DatasetService
from erphub.platform.http.router import Router

router = Router("Imports")


@router.get("/clients/{client_id}/datasets", needs=DATA_VIEW)
def list_datasets(service: DatasetService, client_id: str) -> DatasetPage:
    """List the datasets with their Arrow schemas."""
    return service.list_datasets(client_id)
