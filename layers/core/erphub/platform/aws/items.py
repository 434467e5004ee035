"""DynamoDB's way of writing values, to and from plain ones: text, whole and decimal numbers, truth, lists, mappings.

Written here because the one in boto3 brings all of boto3 with it, which is two thirds of a cold start.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

type Item = dict[str, Any]


def encode(item: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values to DynamoDB's; None values are left out, so that an absent attribute and None are one."""
    return {name: encode_value(value) for name, value in item.items() if value is not None}


def decode(item: Mapping[str, Any]) -> Item:
    """DynamoDB's values to plain ones; numbers come as Decimal."""
    return {name: decode_value(value) for name, value in item.items()}


def encode_value(value: Any) -> dict[str, Any]:
    """One value. Raises TypeError for what cannot be kept exactly (a float)."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": str(value)}
    if isinstance(value, (int, Decimal)):
        return {"N": str(value)}
    if isinstance(value, (bytes, bytearray)):
        return {"B": bytes(value)}
    if isinstance(value, Mapping):
        pairs = cast(Mapping[str, Any], value).items()
        return {"M": {name: encode_value(one) for name, one in pairs}}
    if isinstance(value, (list, tuple)):
        return {"L": [encode_value(one) for one in cast(list[Any], value)]}
    raise TypeError(f"a {type(value).__name__} cannot be kept in the table")


def decode_value(value: Mapping[str, Any]) -> Any:
    """One value back. Raises TypeError for a kind the hub never writes."""
    ((kind, content),) = value.items()
    match kind:
        case "S" | "BOOL" | "B":
            return content
        case "N":
            return Decimal(content)
        case "NULL":
            return None
        case "M":
            return {name: decode_value(one) for name, one in content.items()}
        case "L":
            return [decode_value(one) for one in content]
        case _:
            raise TypeError(f"the table holds a value of kind {kind}")


def without_decimals(value: Any) -> Any:
    """A decoded value with whole numbers in place of Decimals, for records that keep no fractions."""
    if isinstance(value, Mapping):
        return {name: without_decimals(one) for name, one in cast(Mapping[str, Any], value).items()}
    if isinstance(value, list):
        return [without_decimals(one) for one in cast(list[Any], value)]
    return int(value) if isinstance(value, Decimal) else value
