"""What each operation can be answered with, for the API's description: bodies, headers, and problems by their codes."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from erphub import openapi_headers
from erphub.openapi_headers import RATE_LIMITS, RETRY_AFTER

if TYPE_CHECKING:
    from erphub.platform.http.router import Route

type Json = dict[str, Any]

SCHEMAS = "#/components/schemas/"
_EXAMPLES = "#/components/examples/"
_RESPONSES = "#/components/responses/"
_PROBLEM_TYPE = "application/problem+json"
_WORDS: Mapping[int, str] = {
    400: "The request is none that can be read.",
    401: "Nothing that says who is calling, or what has expired or was revoked.",
    403: "The caller belongs here and may not do this.",
    404: "Nothing there, or nothing the caller may know of.",
    409: "Somebody or something was first.",
    410: "It was there and has ended, or what was looked at is no longer kept: begin anew.",
    412: "What is there is not what `If-Match` or `If-None-Match` asks for, or has no version.",
    413: "The body is too large.",
    415: "The body is none of the media types listed.",
    422: "The request is not valid; `errors` says where.",
    428: "The request lacks a condition that is needed here.",
    429: "Too many in a time; `Retry-After` and `retry_after` say how many seconds to wait.",
    500: "Something went wrong here.",
    502: "It was not done, or nobody knows whether it was.",
    503: "The hub, the network or the ERP does not answer now; `Retry-After` says how many seconds to wait.",
    504: "The answer took too long; the work may have been done nevertheless.",
}
WAITED_FOR = (429, 503)
"""Statuses with the header Retry-After."""
PROBLEM_SCHEMA: Json = {
    "title": "Problem",
    "description": "What went wrong (RFC 9457): a sentence for people, a stable code for programs.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "description": "The address that explains the code: `/problems/{code}`"},
        "title": {"type": "string", "description": "The code in words"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened and what to do, for people"},
        "code": {"type": "string", "description": "What happened, for programs"},
        "errors": {
            "type": "array",
            "description": "Every wrong part of the request",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


@dataclass(frozen=True)
class PossibleProblems:
    """What an operation can go wrong with."""

    documents: Sequence[Mapping[str, Any]]
    """A problem document for each status and code."""
    field_codes: Sequence[str] = ()
    """What `errors` of a 422 can say of fields, beside what is said of any form."""

    def by_status(self) -> Mapping[int, Sequence[Mapping[str, Any]]]:
        """The documents by status, both in order."""
        statuses = sorted({one["status"] for one in self.documents})
        return {
            status: sorted((one for one in self.documents if one["status"] == status), key=lambda one: one["code"])
            for status in statuses
        }


type ProblemsOf = Callable[["Route"], PossibleProblems]


class Responses:
    """The answers of all operations; those to a status that most of them share are components."""

    def __init__(
        self, declared: "Sequence[Route]", problems_of: ProblemsOf, answers: Mapping[str, Any] | None = None
    ) -> None:
        """`answers` are examples of good answers, by operation."""
        self._answers = answers or {}
        self._problems = {route.operation: problems_of(route) for route in declared}
        documents = [one for problems in self._problems.values() for one in problems.documents]
        pairs = {(one["code"], one["status"]) for one in documents}
        self._several = {code for code, count in Counter(code for code, _ in pairs).items() if count > 1}
        self.examples = {
            self._name(one): {"summary": one["title"], "value": dict(one)}
            for one in sorted(documents, key=lambda one: (one["code"], one["status"]))
        }
        self._shared = _most_frequent(self._of_problems(one) for one in self._problems.values())

    def components(self) -> Json:
        """The answers that are shared, by name."""
        problems = {f"Problem{status}": said for status, said in sorted(self._shared.items())}
        return openapi_headers.NOT_MODIFIED | problems

    def of(self, route: "Route", given: Json | None) -> Json:
        """The answers of an operation; `given` is the schema of its body, when that is JSON."""
        answers = {str(route.status): _success(route, given, self._answers)}
        if route.awaited is not None:
            answers = {"200": {**answers[str(route.status)], "description": "It has ended"}} | answers
        if (name := openapi_headers.not_modified(route)) is not None:
            answers["304"] = {"$ref": f"{_RESPONSES}{name}"}
        return answers | {
            str(status): {"$ref": f"{_RESPONSES}Problem{status}"} if said == self._shared[status] else said
            for status, said in self._of_problems(self._problems[route.operation]).items()
        }

    def asks_erp(self, route: "Route") -> bool:
        """Whether the ERP itself can refuse it."""
        return "erp_refused" in {one["code"] for one in self._problems[route.operation].documents}

    def _name(self, problem: Mapping[str, Any]) -> str:
        return f"{problem['code']}_{problem['status']}" if problem["code"] in self._several else problem["code"]

    def _of_problems(self, problems: PossibleProblems) -> dict[int, Json]:
        return {status: self._answer(status, found, problems) for status, found in problems.by_status().items()}

    def _answer(self, status: int, found: Iterable[Mapping[str, Any]], problems: PossibleProblems) -> Json:
        examples = {one["code"]: {"$ref": f"{_EXAMPLES}{self._name(one)}"} for one in found}
        words = f"{_WORDS[status]} `code` is {_any_of(examples)}."
        if "invalid_request" in examples and problems.field_codes:
            words += f" Beside what is said of any form, `errors` can say {_any_of(problems.field_codes)}."
        headers = (RETRY_AFTER if status in WAITED_FOR else {}) | (RATE_LIMITS if status == WAITED_FOR[0] else {})
        content = {_PROBLEM_TYPE: {"schema": {"$ref": f"{SCHEMAS}Problem"}, "examples": examples}}
        return {"description": words} | ({"headers": headers} if headers else {}) | {"content": content}


def _success(route: "Route", given: Json | None, answers: Mapping[str, Any]) -> Json:
    good: Json = {"description": "Done"}
    if headers := openapi_headers.of_answer(route):
        good["headers"] = headers
    if given is not None:
        is_csv = getattr(route.gives, "__name__", "") == "Text"
        example = {"example": answers[route.operation]} if route.operation in answers else {}
        said = ("text/csv", {"schema": {"type": "string"}}) if is_csv else ("application/json", given)
        good["content"] = {said[0]: said[1] | example}
    return good


def _most_frequent(answers: Iterable[Mapping[int, Json]]) -> dict[int, Json]:
    """Of each status the answer that most operations have."""
    counted: dict[int, Counter[str]] = {}
    known: dict[str, Json] = {}
    for one in answers:
        for status, said in one.items():
            known[repr(said)] = said
            counted.setdefault(status, Counter())[repr(said)] += 1
    return {status: known[count.most_common(1)[0][0]] for status, count in counted.items()}


def _any_of(codes: Iterable[str]) -> str:
    """The codes as part of a sentence."""
    *first, last = (f"`{code}`" for code in codes)
    return f"{', '.join(first)} or {last}" if first else last
