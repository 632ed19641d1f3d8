"""What a condition sees of an mbox's parameters: dotted names as nested objects, each text also in lower case.

    {"a.b": "X", "n": 5}  -->  {"a": {"b": "X", "b_lc": "x"}, "n": 5}

Parameters are a visitor's input: any name is plain data, and neither a name with many dots nor a deeply nested
value costs more than a few levels. The result may be shared and may share lists with the request: read-only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 16
"""Levels that a name or a value may open; beyond, a name stays flat and a value stays as it is."""

NO_PARAMETERS: dict[str, Any] = {}


def unflatten(parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the ``mbox`` object of the context. Read-only.

    A name is opened at its dots unless it begins or ends with one, has two in a row, or more than 16 parts. Where
    two names disagree (``a`` and ``a.b``), the later one wins (D3). Source: semantics.md 3.2.
    """
    if not parameters:
        return NO_PARAMETERS
    for name in parameters:
        if "." in name:
            return _with_lower_case(_opened(parameters), 1)
    return _with_lower_case(dict(parameters), 1)


def _opened(parameters: Mapping[str, Any]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for name, value in parameters.items():
        parts = name.split(".")
        if len(parts) == 1 or len(parts) > MAX_DEPTH or "" in parts:
            root[name] = _own(value)
        else:
            _put(root, parts, _own(value))
    return root


def _put(root: dict[str, Any], parts: list[str], value: Any) -> None:
    """Set *value* at the end of *parts*; what stands in the way and is no object gives way to one."""
    level = root
    for part in parts[:-1]:
        below = level.get(part)
        if not isinstance(below, dict):
            below = level[part] = {}
        level = below
    level[parts[-1]] = value


def _own(value: Any, depth: int = 1) -> Any:
    """Return *value* so that its objects may be added to: the request's own stay as they are."""
    if not isinstance(value, Mapping) or depth >= MAX_DEPTH:
        return value
    return {name: _own(below, depth + 1) for name, below in value.items()}


def _with_lower_case(level: dict[str, Any], depth: int) -> dict[str, Any]:
    """Add ``NAME_lc`` for each text of *level*, in order: a ``NAME_lc`` that stood there gives way, but not its own."""
    for name in tuple(level):
        value = level[name]
        if isinstance(value, str):
            level[name + "_lc"] = value.lower()
        elif isinstance(value, Mapping) and depth < MAX_DEPTH:
            level[name] = _with_lower_case(dict(value), depth + 1)
    return level
