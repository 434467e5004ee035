"""The list of datasets with their columns."""

from erphub.lake.datasets.schemas import DatasetPage
from erphub.lake.datasets.service import Datasets
from erphub.platform.http.router import Router
from erphub.platform.identity import Permission

router = Router("Imports")


@router.get("/clients/{client}/datasets", needs=Permission.DATA_VIEW)
def list_datasets(service: Datasets, client: str) -> DatasetPage:
    """List the datasets with their Arrow schemas."""
    return service.list(client)
