"""The words of messages: the kind of a value, never the value itself, which may be a visitor's; what was meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from target_decisioning.forks import late_import


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


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return which of *known* a misspelt *name* is nearest to, ``""`` if to none.

    *cutoff*: how alike they must be at least, 0 to 1.
    """
    with late_import:
        from difflib import get_close_matches
    return next(iter(get_close_matches(name, list(known), 1, cutoff)), "")
