"""A request as the caller has it, read into a fresh one that holds only what the wire knows.

    {"execute": {"mboxes": [{"name": "home", "nonsense": 1}]}}  --take(REQUEST)-->  {"execute": {"mboxes": [...]}}

Unknown keys are dropped on every level, null counts as absent, parameters are taken as they are. What cannot be read
raises ``Unreadable``, which gathers the path on its way up. Source: semantics.md 1.5; limits: faults.md case 62.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

MAX_TEXT = 65_536
MAX_PARAMETERS = 10_000
MAX_ENTRIES = 10_000
MAX_NESTING = 100
"""Levels of a parameter's value: half of what the types of a request and an answer bear."""
LARGEST_NUMBER = sys.float_info.max

Reader = Callable[[Any], Any]
Shape = dict[str, Reader]
Answer = TypeVar("Answer")

_control_character = re.compile("[\x00-\x1f\x7f-\x9f]").search


class Unreadable(Exception):
    """A value that no rule mends; ``path`` grows from the inside out."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(found, expected)
        self.found, self.expected = found, expected
        self.path: list[str] = []

    def where(self, root: str) -> str:
        """Return the path as text: ``request.execute.mboxes[0].name``."""
        return root + "".join(reversed(self.path))


def take(source: Any, shape: Shape) -> dict[str, Any]:
    """Return the keys of *source* that *shape* knows, each read by its reader; null and unknown ones left out."""
    taken: dict[str, Any] = {}
    key = ""
    try:
        for key, value in (source if type(source) is dict else as_object(source)).items():
            if value is not None and key in shape:
                taken[key] = shape[key](value)
    except Unreadable as unreadable:
        unreadable.path.append(f".{key}" if key else "")
        raise
    return taken


def as_object(value: Any) -> dict[str, Any]:
    """Return a mapping or a typed model as a dict, which is only to be read."""
    if type(value) is dict:
        return value
    to_wire = getattr(value, "to_wire", None)
    if callable(to_wire):
        return dict(to_wire())
    if isinstance(value, Mapping):
        return dict(value)
    raise Unreadable(kind_of(value), "an object")


def an_object(shape: Shape) -> Reader:
    """Return the reader of an object of *shape*."""
    return lambda value: take(value, shape)


def a_list(read: Reader) -> Reader:
    """Return the reader of a list whose entries *read* reads."""
    return lambda value: entries(value, read)


def entries(value: Any, read: Callable[[Any], Answer]) -> list[Answer]:
    """Read each entry of a list."""
    if not isinstance(value, list | tuple):
        raise Unreadable(kind_of(value), "a list")
    if len(value) > MAX_ENTRIES:
        raise Unreadable(f"{len(value)} entries", f"at most {MAX_ENTRIES}")
    at = 0
    try:
        taken = []
        for at, entry in enumerate(value):  # noqa: B007 -- the index tells where an entry cannot be read
            taken.append(read(entry))
    except Unreadable as unreadable:
        unreadable.path.append(f"[{at}]")
        raise
    return taken


def scalar(value: Any) -> Any:
    """Read a text, number or truth value, of whatever type it comes."""
    kind = type(value)
    if kind is str:
        if len(value) > MAX_TEXT:
            raise Unreadable(f"a text of {len(value)} characters", f"at most {MAX_TEXT}")
        return value
    if kind is bool or kind is int or kind is float:
        return _finite(value)
    return _of_subclass(value)


def identifier(value: Any) -> Any:
    """Read an id: a scalar without control characters."""
    value = scalar(value)
    if type(value) is str and not value.isprintable() and _control_character(value):
        raise Unreadable("a control character", "an id without control characters")
    return value


def name(value: Any) -> str:
    """Read the name of an mbox: what is no text counts as blank."""
    value = value if isinstance(value, str) else ""
    return str(scalar(value))


def index(value: Any) -> Any:
    """Read the index of an mbox: what is no number counts as absent."""
    return _finite(value) if is_number(value) else None


def parameters(value: Any) -> dict[str, Any]:
    """Read parameters: any key, any JSON value, null included."""
    source = value if type(value) is dict else as_object(value)
    if len(source) > MAX_PARAMETERS:
        raise Unreadable(f"{len(source)} parameters", f"at most {MAX_PARAMETERS}")
    taken = {}
    for key, raw in source.items():
        if type(raw) is str and len(raw) <= MAX_TEXT and raw.isascii() and type(key) is str:
            taken[key] = raw
        else:
            taken[_key(key)] = _parameter(key, raw)
    return taken


def free_form(value: Any, levels: int = MAX_NESTING) -> Any:
    """Read any JSON value of at most so many *levels*."""
    kind = type(value)
    if value is None:
        return value
    if kind is bool or kind is int or kind is float:
        return _finite(value)
    if kind is str:
        return _whole_text(scalar(value))
    if not isinstance(value, Mapping | list | tuple):
        return _of_subclass(value)
    if not levels:
        raise Unreadable("too many levels of nesting", f"at most {MAX_NESTING}")
    if isinstance(value, Mapping):
        return {_key(key): free_form(part, levels - 1) for key, part in value.items()}
    return [free_form(part, levels - 1) for part in value]


def is_number(value: Any) -> bool:
    """Whether *value* is what JSON calls a number."""
    return type(value) is int or type(value) is float


def kind_of(value: Any) -> str:
    """Name the kind of *value* for a message; never the value."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    names = {str: "text", bool: "true or false", int: "a number", float: "a number", type(None): "null"}
    return names.get(type(value), f"a {type(value).__name__}")


def _parameter(key: Any, raw: Any) -> Any:
    try:
        return free_form(raw)
    except Unreadable as unreadable:
        unreadable.path.append(f'["{str(key)[:80]}"]' if str(key).isprintable() else "[...]")
        raise


def _finite(number: Any) -> Any:
    if -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
        return number
    raise Unreadable("a number that JSON does not have", "a finite number")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise Unreadable(f"a key that is {kind_of(key)}", "text keys")
    return key


def _whole_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Unreadable("half of a surrogate pair", "whole characters") from None
    return text


def _of_subclass(value: Any) -> Any:
    for kind in (str, bool, int, float):
        if isinstance(value, kind):
            return scalar(kind(value.value if hasattr(value, "value") else value))
    raise Unreadable(kind_of(value), "a text or a number")
