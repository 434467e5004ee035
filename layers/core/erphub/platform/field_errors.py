"""What is wrong with a request, field by field, in the hub's own words and codes.

Requests are read by pydantic, whose words and types of errors are those of its version: none of them leaves here. Every
type it knows has a code and a sentence below, the same as a wizard's forms use (`erp/forms.py`); a test walks the
library's list. What our own checks say (`PydanticCustomError`) keeps its code; a `ValueError` of ours keeps its words.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from erphub.platform.errors import FieldError

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails


class Words(NamedTuple):
    """How one type of error is told: `{…}` in the sentence is what the library's context says."""

    code: str
    sentence: str


NOT_VALID = Words("not_valid", "This is not valid.")
_TEXT = Words("wrong_type", "This must be a text.")
_OBJECT = Words("wrong_type", "This must be an object.")
_LIST = Words("wrong_type", "This must be a list.")
_FLAG = Words("wrong_type", "This must be true or false.")
_WHOLE = Words("wrong_type", "This must be a whole number.")
_NUMBER = Words("wrong_type", "This must be a number.")
_REQUIRED = Words("required", "This is needed.")
_UNKNOWN = Words("unknown_field", "There is no such field.")
_CHOICE = Words("not_a_choice", "Choose one of: {expected}.")
_FORM = Words("bad_form", "This does not have the expected form.")
_DAY = Words("date_form", "A day is written as 2026-03-05, without a time.")
_TIME = Words("time_form", "A time is written as 08:30:00.")
_INSTANT = Words("instant_form", "An instant is written with its zone, as 2026-03-05T08:30:00Z.")
_DURATION = Words("duration_form", "A duration is written as PT1H30M.")
_ADDRESS = Words("address_form", "This must be an address such as https://example.com/.")
_AMOUNT = Words("decimal_form", "An amount is written with digits and a point, as 1250.00.")
_UUID = Words("bad_form", "This must be a UUID.")

WORDS: Mapping[str, Words] = {
    **dict.fromkeys(("missing", "missing_argument", "missing_keyword_only_argument"), _REQUIRED),
    **dict.fromkeys(("missing_positional_only_argument", "missing_sentinel_error"), _REQUIRED),
    **dict.fromkeys(("extra_forbidden", "unexpected_keyword_argument", "unexpected_positional_argument"), _UNKNOWN),
    **dict.fromkeys(("no_such_attribute", "invalid_key"), _UNKNOWN),
    **dict.fromkeys(("string_type", "string_unicode", "string_not_ascii"), _TEXT),
    **dict.fromkeys(("bytes_type", "bytes_invalid_encoding"), _TEXT),
    **dict.fromkeys(("model_type", "model_attributes_type", "dataclass_type", "dataclass_exact_type"), _OBJECT),
    **dict.fromkeys(("dict_type", "frozen_dict_type", "ordered_dict_type", "counter_type", "mapping_type"), _OBJECT),
    **dict.fromkeys(("arguments_type", "get_attribute_error"), _OBJECT),
    **dict.fromkeys(("list_type", "tuple_type", "named_tuple_type", "deque_type", "set_type"), _LIST),
    **dict.fromkeys(("frozen_set_type", "iterable_type", "iteration_error"), _LIST),
    **dict.fromkeys(("bool_type", "bool_parsing"), _FLAG),
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), _WHOLE),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number", "fraction_type", "fraction_parsing"), _NUMBER),
    **dict.fromkeys(("complex_type", "complex_str_parsing"), _NUMBER),
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"), _DAY),
    **dict.fromkeys(("time_type", "time_parsing"), _TIME),
    **dict.fromkeys(("datetime_type", "datetime_parsing", "datetime_object_invalid"), _INSTANT),
    **dict.fromkeys(("datetime_from_date_parsing", "timezone_naive", "timezone_aware", "timezone_offset"), _INSTANT),
    **dict.fromkeys(("time_delta_type", "time_delta_parsing"), _DURATION),
    **dict.fromkeys(("url_type", "url_parsing", "url_syntax_violation", "url_scheme"), _ADDRESS),
    **dict.fromkeys(("uuid_type", "uuid_parsing", "uuid_version"), _UUID),
    **dict.fromkeys(("decimal_type", "decimal_parsing"), _AMOUNT),
    **dict.fromkeys(("enum", "literal_error"), _CHOICE),
    **dict.fromkeys(("union_tag_invalid",), Words("not_a_choice", "Choose one of: {expected_tags}.")),
    **dict.fromkeys(("union_tag_not_found",), Words("required", "Say by {discriminator} which it is.")),
    **dict.fromkeys(("date_past", "datetime_past"), Words("too_late", "This must lie in the past.")),
    **dict.fromkeys(("date_future", "datetime_future"), Words("too_early", "This must lie in the future.")),
    "none_required": Words("wrong_type", "This must be null."),
    "string_pattern_mismatch": _FORM,
    "string_too_short": Words("too_short", "This needs at least this many characters: {min_length}."),
    "string_too_long": Words("too_long", "This may have at most {max_length} characters."),
    "bytes_too_short": Words("too_short", "This needs at least this many bytes: {min_length}."),
    "bytes_too_long": Words("too_long", "This may have at most {max_length} bytes."),
    "url_too_long": Words("too_long", "This may have at most {max_length} characters."),
    "too_short": Words("too_few", "There must be at least {min_length}."),
    "too_long": Words("too_many", "There may be at most {max_length}."),
    "greater_than": Words("too_small", "This must be more than {gt}."),
    "greater_than_equal": Words("too_small", "This must be {ge} or more."),
    "less_than": Words("too_large", "This must be less than {lt}."),
    "less_than_equal": Words("too_large", "This must be {le} or less."),
    "multiple_of": Words("not_valid", "This must be a multiple of {multiple_of}."),
    "decimal_max_digits": Words("too_many_digits", "This may have at most {max_digits} digits."),
    "decimal_max_places": Words("too_many_decimals", "This may have at most this many decimals: {decimal_places}."),
    "decimal_whole_digits": Words(
        "too_many_digits", "Before the point this may have at most this many digits: {whole_digits}."
    ),
    "json_type": Words("malformed_json", "This is not valid JSON."),
    "json_invalid": Words("malformed_json", "This is not valid JSON."),
    **dict.fromkeys(("recursion_loop", "recursion_depth_exceeded"), Words("too_deep", "This is nested too deeply.")),
    **dict.fromkeys(
        ("frozen_field", "frozen_instance", "needs_python_object", "default_factory_not_called"), NOT_VALID
    ),
    **dict.fromkeys(("set_item_not_hashable", "is_instance_of", "is_subclass_of", "callable_type"), NOT_VALID),
    **dict.fromkeys(("ellipsis_error", "multiple_argument_values"), NOT_VALID),
    **dict.fromkeys(("value_error", "assertion_error"), NOT_VALID),
}
"""Every type of error that pydantic knows, as it is told."""


def field_errors(error: "ValidationError", given: Any) -> list[FieldError]:
    """Everything that is wrong with what was given: where, its code, a sentence; nothing that was sent is in them."""
    found = [_field_error(wrong, given) for wrong in error.errors(include_input=False, include_url=False)]
    return list(dict.fromkeys(found))


def _field_error(wrong: "ErrorDetails", given: Any) -> FieldError:
    kind, context = wrong["type"], wrong.get("ctx", {})
    where = _pointer(wrong["loc"], given, is_missing=kind == "missing")
    if kind == "value_error" and isinstance(said := context.get("error"), ValueError):
        return FieldError(where, NOT_VALID.code, _sentence(str(said)))
    words = WORDS.get(kind)
    if words is None:
        return FieldError(where, kind, wrong["msg"])
    return FieldError(where, words.code, words.sentence.format_map(_Said(context)))


def _pointer(where: tuple[int | str, ...], given: Any, *, is_missing: bool) -> str:
    """A JSON pointer (RFC 6901) into what was given. The library's names of what a union could be are left out."""
    steps: list[int | str] = []
    for at, part in enumerate(where):
        is_there = (isinstance(given, Mapping) and part in given) or (isinstance(given, list) and isinstance(part, int))
        if is_there:
            given = cast(Any, given)[part] if isinstance(given, Mapping) or part < len(given) else None
        if is_there or (is_missing and at == len(where) - 1):
            steps.append(part)
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


class _Said(dict[str, Any]):
    """What the library's context says; of what it does not say, nothing."""

    def __missing__(self, key: str) -> str:
        return "…"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].removesuffix('.')}."
