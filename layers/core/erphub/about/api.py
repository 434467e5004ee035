"""The API's description of itself, and of what can go wrong."""

from erphub.about.catalogue import find_problem, page_of_problems
from erphub.about.schemas import ProblemTypePage, ProblemTypeView
from erphub.about.service import built_description
from erphub.platform.http.router import RawJson, Router
from erphub.platform.identity import AccessLevel
from erphub.platform.wire import PageQuery

router = Router("About")


@router.get("/openapi.json", needs=AccessLevel.PUBLIC)
def describe_api() -> RawJson:
    """Describe this API (OpenAPI 3.1)."""
    return RawJson(built_description())


@router.get("/problems", needs=AccessLevel.PUBLIC)
def list_problems(query: PageQuery) -> ProblemTypePage:
    """List the codes of errors, with what each means and what to do."""
    return page_of_problems(query)


@router.get("/problems/{code}", needs=AccessLevel.PUBLIC)
def get_problem(code: str) -> ProblemTypeView:
    """Explain the code of an error: what it means and what to do."""
    return find_problem(code)
