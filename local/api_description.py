"""The API's description as it is kept in docs/openapi.json: every route, with what it can go wrong with."""

import json
from typing import Any

from erphub import openapi
from local import answer_examples
from local.operation_problems import problems_of


def document() -> dict[str, Any]:
    """The OpenAPI document of the API."""
    return openapi.document(openapi.routes(), problems_of, answer_examples.read())


def text() -> str:
    """The document as a file."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
