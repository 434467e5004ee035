"""Looks into Arrow columns: values as Python has them, and the memory of text, which no kernel of the layer searches.

Source: Apache Arrow, "The Arrow C data interface": ArrowArray, and the PyCapsule interface.
"""

import ctypes
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from arro3.core import Array


class _ArrowArray(ctypes.Structure):
    """The beginning of the struct: what follows is for its owner."""

    _fields_ = (
        ("length", ctypes.c_int64),
        ("null_count", ctypes.c_int64),
        ("offset", ctypes.c_int64),
        ("n_buffers", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    )


_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.argtypes, _pointer.restype = (ctypes.py_object, ctypes.c_char_p), ctypes.c_void_p


def values_of(column: "Array") -> list[Any]:
    """The values of a column as Python objects."""
    return cast(Any, column).to_pylist()


def holds(column: "Array", sought: str) -> bool:
    """Whether a `Utf8` column (not `LargeUtf8`) has these characters anywhere, or perhaps where two values meet."""
    _, capsule = column.__arrow_c_array__()
    array = _ArrowArray.from_address(_pointer(capsule, b"arrow_array"))
    _, offsets, data = array.buffers[:3]
    if not array.length or not offsets or not data:
        return False
    ends = (ctypes.c_int32 * (array.offset + array.length + 1)).from_address(offsets)
    first, end = ends[array.offset], ends[array.offset + array.length]
    return sought.encode() in ctypes.string_at(data + first, end - first)
