"""What a condition sees of an mbox's parameters: dotted names as nested objects, each text also in lower case.

    {"a.b": "X", "n": 5}  -->  {"a": {"b": "X", "b_lc": "x"}, "n": 5}

Parameters are a visitor's input: any name is plain data, and neither a name with many dots nor a deeply nested
value costs more than a few levels. The result may be shared and may share lists with the request: read-only.
"""

from __future__ import annotations

from typing import Any

MAX_DEPTH = 16
"""Levels that a name or a value may open; beyond, a name stays flat and a value stays as it is."""

NO_PARAMETERS: dict[str, Any] = {}


def unflatten(parameters: dict[str, Any] | None) -> dict[str, Any]:
    """Return the ``mbox`` object of the context. Read-only.

    A name is opened at its dots unless it begins or ends with one, has two in a row, or more than 16 parts. Where
    two names disagree (``a`` and ``a.b``), the later one wins (D3). Source: semantics.md 3.2.
    """
    if not parameters:
        return NO_PARAMETERS
    root: dict[str, Any] = {}
    for name, value in parameters.items():
        own = _own(value, 1) if type(value) is dict else value
        if "." in name:
            _put(root, name, own)
        else:
            root[name] = own
    _add_lower_case(root, 1)
    return root


def _put(root: dict[str, Any], name: str, value: Any) -> None:
    """Set *value* where the dots of *name* lead; what stands in the way and is no object gives way to one."""
    parts = name.split(".")
    if len(parts) > MAX_DEPTH or "" in parts:
        root[name] = value
        return
    last = parts.pop()
    level = root
    for part in parts:
        below = level.get(part)
        if type(below) is not dict:
            below = level[part] = {}
        level = below
    level[last] = value


def _own(value: dict[str, Any], depth: int) -> dict[str, Any]:
    """Return *value* so that its objects may be added to: the request's own stay as they are."""
    if depth >= MAX_DEPTH:
        return value
    return {name: _own(below, depth + 1) if type(below) is dict else below for name, below in value.items()}


def _add_lower_case(level: dict[str, Any], depth: int) -> None:
    """Add ``NAME_lc`` for each text of *level*, in order: a ``NAME_lc`` that stood there gives way, but not its own."""
    for name in tuple(level):
        value = level[name]
        if type(value) is str:
            level[name + "_lc"] = value.lower()
        elif type(value) is dict and depth < MAX_DEPTH:
            _add_lower_case(value, depth + 1)
