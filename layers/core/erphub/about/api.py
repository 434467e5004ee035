"""The API's description of itself."""

from erphub.about.service import built_description
from erphub.platform.http.router import RawJson, Router
from erphub.platform.identity import AccessLevel

router = Router("About")


@router.get("/openapi.json", needs=AccessLevel.PUBLIC)
def describe_api() -> RawJson:
    """Describe this API (OpenAPI 3.1)."""
    return RawJson(built_description())
