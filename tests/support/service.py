"""What the clients in memory have in common: requests are held to botocore's model and counted; refusals are AWS's."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import botocore.session
from botocore.exceptions import ClientError, ParamValidationError
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from erphub.platform.aws.clients import calls

type Hook = Callable[..., None]


@functools.cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


@functools.cache
def _check(service: str, shape_name: str) -> Callable[[Any], bool]:
    """Whether botocore would surely send a value of this shape, told in a tenth of its time; where it is not sure,
    botocore is asked. What XML's protocols send may stand in headers, which it looks at otherwise."""
    model = _model(service)
    shape: Any = model.shape_for(shape_name)
    if model.metadata["protocol"] != "json" or not shape.metadata.keys().isdisjoint({"union", "document"}):
        return _is_not_known
    check, least = functools.partial(_check, service), shape.metadata.get("min")
    match shape.type_name:
        case "string":
            return lambda value: isinstance(value, str) and (least is None or len(value) >= least)
        case "boolean":
            return lambda value: isinstance(value, bool)
        case "blob":
            return lambda value: isinstance(value, bytes)
        case "integer" | "long":
            return lambda value: isinstance(value, int) and (least is None or value >= least)
        case "list":
            member = shape.member.name
            return lambda value: (
                isinstance(value, list) and len(value) >= (least or 0) and all(map(check(member), value))
            )
        case "map":
            key, member = shape.key.name, shape.value.name
            return lambda value: (
                isinstance(value, dict) and all(map(check(key), value)) and all(map(check(member), value.values()))
            )
        case "structure":
            members = {name: member.name for name, member in shape.members.items()}
            required = frozenset(shape.required_members)
            return lambda value: (
                isinstance(value, dict)
                and required <= value.keys() <= members.keys()
                and all(check(members[name])(one) for name, one in value.items())
            )
        case _:
            return _is_not_known


def _is_not_known(value: Any) -> bool:
    return False


_validator = ParamValidator()


def operation(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method that is an operation: `put_item` is `PutItem`. It gets no request that botocore would not send."""
    wire_name = "".join(word.capitalize() for word in function.__name__.split("_"))

    @functools.wraps(function)
    def called(self: "Service", **request: Any) -> Any:
        shape = _model(self.name).operation_model(wire_name).input_shape
        if not _check(self.name, shape.name)(request):
            problems = _validator.validate(request, shape)
            if problems.has_errors():
                raise ParamValidationError(report=problems.generate_report())
        return self.answer(wire_name, lambda: function(self, **request))

    return called


class Service:
    """One client in memory."""

    name: str

    def __init__(self, hooks: list[Hook]) -> None:
        self._hooks = hooks
        self._doing = ""

    def answer(self, wire_name: str, work: Callable[[], Any]) -> Any:
        """Count the call, do the work, and tell whoever wants to know that the answer is there."""
        calls[f"{self.name}.{wire_name}"] += 1
        self._doing = wire_name
        answer = self.perform(work)
        for hook in self._hooks:
            hook(event_name=f"after-call.{self.name}.{wire_name}")
        return answer

    def perform(self, work: Callable[[], Any]) -> Any:
        """Do the work of one request."""
        return work()

    def error(self, code: str, message: str, **more: Any) -> ClientError:
        """AWS's refusal."""
        return ClientError({"Error": {"Code": code, "Message": message}, **more}, self._doing)

    def get_paginator(self, name: str) -> "Paginator":
        return Paginator(getattr(self, name))


class Paginator:
    """Everything on one page."""

    def __init__(self, operation: Callable[..., Any]) -> None:
        self._operation = operation

    def paginate(self, **request: Any) -> Iterator[Any]:
        yield self._operation(**request)
