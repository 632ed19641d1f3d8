"""Where ``var`` finds a value: ``"page.domain"`` is a path of two parts.

Steps go through objects (own keys), lists (by index) and texts (by UTF-16 unit), and to the ``length`` of the last
two; never to an attribute of a Python object. Source: semantics.md 3.6, ``var``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

from target_decisioning.decisioning.javascript import LONGEST_TEXT, UNDEFINED, to_text, utf16_length, utf16_slice

Sort = Literal["number", "time", "sure", "known", "open", "odd"]
"""What the path promises to whoever compiles it; a promise that the data break costs time, never the right answer.

``number``, ``time``: one part, always there, a number or a text; ``sure``: every part is always there; ``known``:
the first is always there and an object; ``open``: nothing is known; ``odd``: a part means something to a list or
a text, or there are many parts.
"""
_SORTS: Final[dict[tuple[str, int], Sort]] = {
    ("allocation", 1): "number",
    ("current_timestamp", 1): "number",
    ("current_day", 1): "number",
    ("current_time", 1): "time",
    ("page", 2): "sure",
    ("referring", 2): "sure",
    ("user", 2): "sure",
}
_KNOWN: Final = frozenset({"page", "referring", "user", "geo", "mbox"})
_MOST_PARTS: Final = 8
_LONGEST_KEPT: Final = 128


class PathKind(NamedTuple):
    """Of which sort a path is, and how many of the condition's literals it takes: its parts, or one tuple of them."""

    sort: Sort
    slots: int


def path_of(key: str) -> tuple[PathKind, tuple[Any, ...]]:
    """Return a path's kind and the literals it takes, for the text of a ``var`` (not empty)."""
    return _known_path(key) if len(key) <= _LONGEST_KEPT else _path(key)


def _path(key: str) -> tuple[PathKind, tuple[Any, ...]]:
    parts = tuple(map(sys.intern, key.split(".")))
    if len(parts) > _MOST_PARTS or any(_means_something_to_a_list(part) for part in parts):
        return PathKind("odd", 1), (parts,)
    sort = _SORTS.get((parts[0], len(parts)), "known" if parts[0] in _KNOWN and len(parts) > 1 else "open")
    return PathKind(sort, len(parts)), parts


_known_path = lru_cache(maxsize=4096)(_path)


def _means_something_to_a_list(part: str) -> bool:
    return part == "length" or part.isdecimal()


def read(data: Any, parts: Iterable[str], default: Any = None) -> Any:
    """Follow *parts* through *data*; *default* where a step finds nothing. A null at the end is an answer."""
    for part in parts:
        if data is None or data is UNDEFINED:
            return default
        data = member(data, part)
        if data is UNDEFINED:
            return default
    return data


def read_key(data: Any, key: Any = UNDEFINED, default: Any = UNDEFINED, *_: Any) -> Any:
    """Return the value of ``var`` for a key that is only known now; no key, null or ``""`` is the whole of *data*."""
    if key is UNDEFINED or key is None or (isinstance(key, str) and not key):
        return data
    parts = to_text(key, LONGEST_TEXT).split(".")
    return read(data, parts, None if default is UNDEFINED else default)


def member(value: Any, key: str) -> Any:
    """Return ``value[key]`` as JavaScript has it for own properties, else ``UNDEFINED``."""
    if isinstance(value, dict):
        return value.get(key, UNDEFINED)
    if not isinstance(value, (list, str)):
        return UNDEFINED
    if key == "length":
        return utf16_length(value) if isinstance(value, str) else len(value)
    index = _index(key)
    if index is None:
        return UNDEFINED
    if isinstance(value, str):
        return utf16_slice(value, index, index + 1) or UNDEFINED
    return value[index] if index < len(value) else UNDEFINED


def _index(key: str) -> int | None:
    """The list index that *key* spells: digits without leading zeros."""
    if not (key.isascii() and key.isdecimal() and len(key) < 10) or (key[0] == "0" and key != "0"):
        return None
    return int(key)
