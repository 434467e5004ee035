"""Values of an item as DynamoDB keeps and counts them."""

from decimal import Context, Decimal

from tests.support.grammar import Refused, Wire

_EXACTLY = Context(prec=200)


def kept(value: Wire) -> Wire:
    """A value as DynamoDB keeps it: numbers without the zeros that say nothing. Raises Refused."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            number = Decimal(content)
            if len(number.normalize(_EXACTLY).as_tuple().digits) > 38:
                raise Refused("Attempting to store more than 38 significant digits in a Number")
            return {"N": format(number.normalize(_EXACTLY), "f")}
        case "M":
            return {"M": {name: kept(one) for name, one in content.items()}}
        case "L":
            return {"L": [kept(one) for one in content]}
        case "S" | "B" | "BOOL" | "NULL":
            return value
        case _:
            raise NotImplementedError(f"a value of kind {kind}")


def size(item: Wire) -> int:
    """About as many bytes as DynamoDB counts."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Wire) -> int:
    if len(value) != 1:
        raise Refused("Supplied AttributeValue has more than one datatypes set, must contain exactly one")
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return len(content)
        case "N":
            return len(content) // 2 + 1
        case "M":
            return 3 + size(content)
        case "L":
            return 3 + sum(map(_value_size, content))
        case _:
            return 1
