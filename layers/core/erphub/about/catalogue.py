"""The catalogue of problems, as it was built from what the packages declare."""

from bisect import bisect_right
from functools import cache
from importlib.resources import files

from pydantic import TypeAdapter

from erphub.about import problems
from erphub.about.schemas import ProblemTypePage, ProblemTypeView
from erphub.platform.wire import PageQuery

_CATALOGUE = TypeAdapter(list[ProblemTypeView])


@cache
def _built() -> list[ProblemTypeView]:
    return _CATALOGUE.validate_json(files("erphub").joinpath("problems.json").read_bytes())


def page_of_problems(query: PageQuery) -> ProblemTypePage:
    """Some of the codes, in their order; `next` is the last of them."""
    known = _built()
    start = 0 if query.next is None else bisect_right(known, query.next, key=lambda one: one.code)
    items = known[start : start + query.limit]
    return ProblemTypePage(items=items, next=items[-1].code if start + len(items) < len(known) else None)


def find_problem(code: str) -> ProblemTypeView:
    """What a code stands for. Raises NotFound (`problem_not_found`)."""
    for one in _built():
        if one.code == code:
            return one
    raise problems.PROBLEM_NOT_FOUND(code=code)
