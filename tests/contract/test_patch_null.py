"""Null has one meaning in every body that changes part of something: it is as if the field were left out."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from erphub import openapi
from erphub.platform.wire import Model

BODIES = {route.operation: route.takes for route in openapi.routes() if route.method == "PATCH"}


def test_every_body_of_a_patch_is_looked_at() -> None:
    assert len(BODIES) >= 4


@pytest.mark.parametrize(("operation", "body"), BODIES.items(), ids=BODIES)
def test_null_is_refused_or_the_same_as_left_out(operation: str, body: Any) -> None:
    assert isinstance(body, type)
    assert issubclass(body, Model)
    told = body.__doc__ or ""
    for name, field in body.model_fields.items():
        if _takes_null(body, name):
            assert not field.is_required(), f"{operation}: null of {name} is not what leaving it out is"
            assert field.get_default(call_default_factory=True) is None, f"{operation}: {name}"
            assert "null, stays as it is" in told, f"{operation} says what null means"


def _takes_null(body: type[BaseModel], name: str) -> bool:
    try:
        body.model_validate({name: None})
    except ValidationError as error:
        return not any(one["loc"][:1] == (name,) for one in error.errors())
    return True
