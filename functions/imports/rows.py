"""The door to the rows of the lake; apart from the others because it carries the table engine."""

from erphub import wiring
from erphub.lake.rows.schemas import RowsPage, RowsQuery
from erphub.platform.http.router import Router
from erphub.platform.identity import Permission

door = Router(wiring.house.hall)
handler = door


@door.get("/clients/{client}/datasets/{dataset}/rows", needs=Permission.DATA_VIEW)
def list_rows(client: str, dataset: str, query: RowsQuery) -> RowsPage:
    """Read rows of a dataset, page by page, all from one state of the lake."""
    return wiring.imports.rows().page(client, dataset, query)
