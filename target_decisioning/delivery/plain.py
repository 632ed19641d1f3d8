"""Copies of JSON-like values: nothing in a copy is shared with what was copied.

``copied`` keeps every value as it is; ``plain`` also turns what has an evident JSON form into it. Both hold values
to ``MAX_DEPTH`` levels, so that neither a hostile nesting nor a list that contains itself exhausts the stack.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from target_decisioning.delivery.kinds import kind_of
from target_decisioning.errors import RequestError

MAX_DEPTH: Final = 200
SCALARS: Final = frozenset({str, int, float, bool, type(None)})


def copied(value: Any, depth: int = MAX_DEPTH) -> Any:
    """Return *value* with every object, list and tuple in it made anew; everything else is the same object.

    Raises:
        RequestError: for a key that is no text, or a nesting deeper than *depth*.
    """
    if type(value) in SCALARS:
        return value
    if type(value) is dict or (type(value) is not list and isinstance(value, Mapping)):
        _check_depth(depth)
        return {_text_key(key): copied(part, depth - 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        _check_depth(depth)
        return [copied(part, depth - 1) for part in value]
    return value


def plain(value: Any, depth: int = MAX_DEPTH) -> Any:
    """Return *value* as ``json.dumps`` takes it.

    Enum members become their values, models their wire form, dates ISO 8601 text, UUIDs text, decimals numbers.

    Raises:
        RequestError: for a value without a JSON form, a key that is no text, or a nesting deeper than *depth*.
    """
    kind = type(value)
    if kind in SCALARS:
        return value
    if kind is list:
        return _plain_list(value, depth)
    if kind is dict:
        return _plain_object(value, depth)
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, Mapping):
        return _plain_object(value, depth)
    if isinstance(value, list | tuple):
        return _plain_list(value, depth)
    return _plain_scalar(value)


def _plain_object(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    _check_depth(depth)
    return {
        key if type(key) is str else _text_key(key): part if type(part) in SCALARS else plain(part, depth - 1)
        for key, part in value.items()
    }


def _plain_list(value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
    _check_depth(depth)
    return [part if type(part) in SCALARS else plain(part, depth - 1) for part in value]


def _plain_scalar(value: Any) -> Any:
    match value:
        case str() | int() | float():
            return value
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case Decimal():
            return float(value)
    if hasattr(value, "to_wire"):
        return value.to_wire()
    raise RequestError("", kind_of(value), "a value with a JSON form")


def _text_key(key: Any) -> str:
    if isinstance(key, str):
        return key
    raise RequestError("", f"a key that is {kind_of(key)}", "keys that are text")


def _check_depth(depth: int) -> None:
    if depth <= 0:
        raise RequestError("", "a deeper nesting", f"at most {MAX_DEPTH} levels")
