"""What several parts of a sync show."""

from erphub.platform.errors import FieldError, HubError, Invalid
from erphub.platform.wire import Model


class FieldErrorView(Model):
    """What is wrong with one field: where, as a code, and as a sentence."""

    pointer: str
    code: str
    detail: str

    @classmethod
    def of(cls, error: FieldError) -> "FieldErrorView":
        """The view of an error."""
        return cls(pointer=error.pointer, code=error.code, detail=error.detail)


def field_errors(error: HubError) -> list[FieldErrorView]:
    """What is wrong field by field, where an error says so."""
    return [FieldErrorView.of(one) for one in error.errors] if isinstance(error, Invalid) else []
