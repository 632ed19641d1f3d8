"""What an error message calls a value: its kind, never the value itself, which may be a visitor's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def kind_of(value: Any) -> str:
    """Return what *value* is in the words of JSON: ``text``, ``a number``, ``an object``, ``a list``, ..."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case bytes() | bytearray():
            return "bytes"
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
        case _:
            return f"an instance of {type(value).__name__}"
