"""What the clients in memory have in common: requests are held to botocore's model and counted; refusals are AWS's."""

import functools
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import botocore.session
from botocore.exceptions import ClientError, ParamValidationError
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from erphub.platform.aws.clients import calls

type Hook = Callable[..., None]


@functools.cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


class _Validator(ParamValidator):
    """botocore's, in less time where a table's plain values are concerned: most of what is sent is those."""

    _PLAIN: ClassVar = {"S": str, "N": str, "BOOL": bool}
    _MAX_NAME_LENGTH = 65535

    def _validate_map(self, param: Any, shape: Any, errors: Any, name: str) -> None:
        if shape.value.name == "AttributeValue" and isinstance(param, dict):
            param = {key: value for key, value in param.items() if not self._is_plain(key, value)}
        super()._validate_map(param, shape, errors, name)

    def _is_plain(self, name: Any, value: Any) -> bool:
        if type(name) is not str or len(name) > self._MAX_NAME_LENGTH or type(value) is not dict or len(value) != 1:
            return False
        ((kind, content),) = value.items()
        return isinstance(content, self._PLAIN.get(kind, ()))


_validator = _Validator()


def operation(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method that is an operation: `put_item` is `PutItem`. It gets no request that botocore would not send."""
    wire_name = "".join(word.capitalize() for word in function.__name__.split("_"))

    @functools.wraps(function)
    def called(self: "Service", **request: Any) -> Any:
        problems = _validator.validate(request, _model(self.name).operation_model(wire_name).input_shape)
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
