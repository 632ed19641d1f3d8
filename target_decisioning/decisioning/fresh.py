"""Copies of JSON values, for answers that share nothing a caller could change."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any


def fresh(value: Any) -> Any:
    """Return *value* with every object and list in it copied; texts and numbers are shared."""
    kind = type(value)
    if kind is dict:
        return {key: fresh(part) if type(part) in _CONTAINERS else part for key, part in value.items()}
    if kind is list:
        return [fresh(part) if type(part) in _CONTAINERS else part for part in value]
    return value


def copier(value: dict[str, Any] | list[Any]) -> Callable[[], Any]:
    """Return what makes a fresh copy of *value*: for a flat one, Python's own copy."""
    if _is_flat(value):
        return value.copy
    if isinstance(value, list) and all(is_container(part) and _is_flat(part) for part in value):
        return lambda: [part.copy() for part in value]
    return partial(fresh, value)


def _is_flat(value: dict[str, Any] | list[Any]) -> bool:
    return _CONTAINERS.isdisjoint(map(type, value.values() if isinstance(value, dict) else value))


def is_container(value: Any) -> bool:
    """Whether *value* is an object or a list, which a caller could change."""
    return type(value) in _CONTAINERS


_CONTAINERS = frozenset((dict, list))
