"""What is wrong with a request, field by field, in the hub's own words and codes.

Requests are read by pydantic, whose words and types of errors are those of its version: none of them leaves here. Every
type it knows has a code and a sentence below, the same as a wizard's forms use (`erp/forms.py`); a test walks the
library's list. What our own checks say (`PydanticCustomError`) keeps its code; a `ValueError` of ours keeps its words.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from erphub.platform import problems
from erphub.platform.errors import FieldError
from erphub.platform.problem_types import FieldProblemType

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails


WORDS: Mapping[str, FieldProblemType] = {
    **dict.fromkeys(("missing", "missing_argument", "missing_keyword_only_argument"), problems.REQUIRED),
    **dict.fromkeys(("missing_positional_only_argument", "missing_sentinel_error"), problems.REQUIRED),
    **dict.fromkeys(
        ("extra_forbidden", "unexpected_keyword_argument", "unexpected_positional_argument"), problems.UNKNOWN_FIELD
    ),
    **dict.fromkeys(("no_such_attribute", "invalid_key"), problems.UNKNOWN_FIELD),
    **dict.fromkeys(("string_type", "string_unicode", "string_not_ascii"), problems.TEXT_NEEDED),
    **dict.fromkeys(("bytes_type", "bytes_invalid_encoding"), problems.TEXT_NEEDED),
    **dict.fromkeys(
        ("model_type", "model_attributes_type", "dataclass_type", "dataclass_exact_type"), problems.OBJECT_NEEDED
    ),
    **dict.fromkeys(
        ("dict_type", "frozen_dict_type", "ordered_dict_type", "counter_type", "mapping_type"), problems.OBJECT_NEEDED
    ),
    **dict.fromkeys(("arguments_type", "get_attribute_error"), problems.OBJECT_NEEDED),
    **dict.fromkeys(("list_type", "tuple_type", "named_tuple_type", "deque_type", "set_type"), problems.LIST_NEEDED),
    **dict.fromkeys(("frozen_set_type", "iterable_type", "iteration_error"), problems.LIST_NEEDED),
    **dict.fromkeys(("bool_type", "bool_parsing"), problems.FLAG_NEEDED),
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), problems.WHOLE_NUMBER_NEEDED),
    **dict.fromkeys(
        ("float_type", "float_parsing", "finite_number", "fraction_type", "fraction_parsing"), problems.NUMBER_NEEDED
    ),
    **dict.fromkeys(("complex_type", "complex_str_parsing"), problems.NUMBER_NEEDED),
    **dict.fromkeys(
        ("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"), problems.DATE_FORM
    ),
    **dict.fromkeys(("time_type", "time_parsing"), problems.TIME_FORM),
    **dict.fromkeys(("datetime_type", "datetime_parsing", "datetime_object_invalid"), problems.INSTANT_FORM),
    **dict.fromkeys(
        ("datetime_from_date_parsing", "timezone_naive", "timezone_aware", "timezone_offset"), problems.INSTANT_FORM
    ),
    **dict.fromkeys(("time_delta_type", "time_delta_parsing"), problems.DURATION_FORM),
    **dict.fromkeys(("url_type", "url_parsing", "url_syntax_violation", "url_scheme"), problems.ADDRESS_FORM),
    **dict.fromkeys(("uuid_type", "uuid_parsing", "uuid_version"), problems.NO_UUID),
    **dict.fromkeys(("decimal_type", "decimal_parsing"), problems.AMOUNT_FORM),
    **dict.fromkeys(("enum", "literal_error"), problems.NOT_A_CHOICE),
    **dict.fromkeys(("union_tag_invalid",), problems.NOT_A_KIND),
    **dict.fromkeys(("union_tag_not_found",), problems.KIND_REQUIRED),
    **dict.fromkeys(("date_past", "datetime_past"), problems.TOO_LATE),
    **dict.fromkeys(("date_future", "datetime_future"), problems.TOO_EARLY),
    "none_required": problems.NULL_NEEDED,
    "string_pattern_mismatch": problems.BAD_FORM,
    "string_too_short": problems.TOO_SHORT,
    "string_too_long": problems.TOO_LONG,
    "bytes_too_short": problems.TOO_FEW_BYTES,
    "bytes_too_long": problems.TOO_MANY_BYTES,
    "url_too_long": problems.TOO_LONG,
    "too_short": problems.TOO_FEW,
    "too_long": problems.TOO_MANY,
    "greater_than": problems.NOT_MORE,
    "greater_than_equal": problems.TOO_SMALL,
    "less_than": problems.NOT_LESS,
    "less_than_equal": problems.TOO_GREAT,
    "multiple_of": problems.NOT_A_MULTIPLE,
    "decimal_max_digits": problems.TOO_MANY_DIGITS,
    "decimal_max_places": problems.TOO_MANY_DECIMALS,
    "decimal_whole_digits": problems.TOO_MANY_WHOLE_DIGITS,
    "json_type": problems.NO_JSON,
    "json_invalid": problems.NO_JSON,
    **dict.fromkeys(("recursion_loop", "recursion_depth_exceeded"), problems.TOO_DEEP),
    **dict.fromkeys(
        ("frozen_field", "frozen_instance", "needs_python_object", "default_factory_not_called"), problems.NOT_VALID
    ),
    **dict.fromkeys(("set_item_not_hashable", "is_instance_of", "is_subclass_of", "callable_type"), problems.NOT_VALID),
    **dict.fromkeys(("ellipsis_error", "multiple_argument_values"), problems.NOT_VALID),
    **dict.fromkeys(("value_error", "assertion_error"), problems.NOT_VALID),
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
        return problems.NOT_VALID_BECAUSE(where, reason=_sentence(str(said)))
    words = WORDS.get(kind)
    if words is None:
        return FieldError(where, kind, wrong["msg"])
    return words(where, **_said(words, context))


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


def _said(words: FieldProblemType, context: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the library's context says; of what it does not say, nothing."""
    return {name: context.get(name, "…") for name in words.values}


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].removesuffix('.')}"
