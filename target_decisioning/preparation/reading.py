"""A request as the caller has it, read into a fresh one that holds only what the wire knows.

    {"execute": {"mboxes": [{"name": "home", "nonsense": 1}]}}  --REQUEST-->  {"execute": {"mboxes": [...]}}

Each reader has one meaning and two uses: ``schema`` lets pydantic take, at once, a value that needs no mending;
``read`` takes any other, mends what the rules mend (unknown keys are dropped, null counts as absent), and raises
``Unreadable``, which gathers the path on its way up, where no rule does.

Source: semantics.md 1.5; limits: faults.md case 62.
"""

from __future__ import annotations

import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from target_decisioning.delivery.kinds import nearest

MAX_TEXT = 65_536
MAX_PARAMETERS = 10_000
MAX_ENTRIES = 10_000
MAX_NESTING = 100
"""Levels of a parameter's value: half of what the types of a request and an answer bear."""
LARGEST_NUMBER = sys.float_info.max
LARGEST_QUICK_INTEGER = 2**63 - 1

_CONTROL_CHARACTERS = "\x00-\x1f\x7f-\x9f"
_control_character = re.compile(f"[{_CONTROL_CHARACTERS}]").search


class Unreadable(Exception):
    """A value that no rule mends; ``path`` grows from the inside out."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(found, expected)
        self.found, self.expected = found, expected
        self.path: list[str] = []

    def where(self, root: str) -> str:
        """Return the path as text: ``request.execute.mboxes[0].name``."""
        return root + "".join(reversed(self.path))


class Reader(ABC):
    """How one kind of value is read."""

    @abstractmethod
    def read(self, value: Any) -> Any:
        """Return what *value*, which is not null, becomes; it shares no object or list with it."""

    @abstractmethod
    def schema(self) -> CoreSchema:
        """Return the schema of values that ``read`` gives back as they are."""

    def unknown(self, _value: Any) -> Iterator[tuple[str, str]]:
        """Yield the paths of keys in a value that was read, which nobody knows, each with the nearest known or ``""``.

        They are to be told, not to be mended.
        """
        yield from ()


class Scalar(Reader):
    """A text, number or truth value, of whatever type it comes."""

    def read(self, value: Any) -> Any:
        """Return it as a plain one."""
        if isinstance(value, str):
            if len(value) > MAX_TEXT:
                raise Unreadable(f"a text of {len(value)} characters", f"at most {MAX_TEXT}")
            return value if type(value) is str else str(getattr(value, "value", value))
        for kind in (bool, int, float):
            if isinstance(value, kind):
                return _finite(kind(value))
        raise Unreadable(kind_of(value), "a text or a number")

    def schema(self) -> CoreSchema:
        """Text first: it is what most are."""
        return core_schema.union_schema(
            [_TEXT, _INTEGER, _NUMBER, core_schema.bool_schema(strict=True)], mode="left_to_right"
        )


class Identifier(Scalar):
    """An id: a scalar without control characters."""

    def read(self, value: Any) -> Any:
        """Return it as a plain one."""
        value = super().read(value)
        if type(value) is str and _control_character(value):
            raise Unreadable("a control character", "an id without control characters")
        return _whole_text(value) if type(value) is str else value

    def schema(self) -> CoreSchema:
        """Only texts are taken at once."""
        return core_schema.str_schema(max_length=MAX_TEXT, strict=True, pattern=f"^[^{_CONTROL_CHARACTERS}]*$")


class Name(Scalar):
    """The name of an mbox: what is no text counts as blank."""

    def read(self, value: Any) -> Any:
        """Return it as a plain text."""
        return super().read(value) if isinstance(value, str) else ""

    def schema(self) -> CoreSchema:
        """Blank ones are taken too; they are looked for later."""
        return _TEXT


class Index(Reader):
    """The index of an mbox: what is no number counts as absent."""

    def read(self, value: Any) -> Any:
        """Return it, or None."""
        return _finite(value) if is_number(value) else None

    def schema(self) -> CoreSchema:
        """Whole numbers, which is what they are."""
        return _INTEGER


class Parameters(Reader):
    """Parameters: any key, any JSON value, null included."""

    def read(self, value: Any) -> dict[str, Any]:
        """Return a copy."""
        source = as_object(value)
        if len(source) > MAX_PARAMETERS:
            raise Unreadable(f"{len(source)} parameters", f"at most {MAX_PARAMETERS}")
        return {_key(key): self._parameter(key, raw) for key, raw in source.items()}

    def schema(self) -> CoreSchema:
        """Texts only, which is what parameters are."""
        key = core_schema.str_schema(strict=True)
        return core_schema.dict_schema(key, _TEXT, max_length=MAX_PARAMETERS, strict=True)

    def _parameter(self, key: Any, raw: Any) -> Any:
        try:
            return _free_form(raw)
        except Unreadable as unreadable:
            unreadable.path.append(f'["{str(key)[:80]}"]' if str(key).isprintable() else "[...]")
            raise


class AnObject(Reader):
    """An object of which only some keys are known."""

    def __init__(self, shape: Mapping[str, Reader]) -> None:
        self.shape = dict(shape)

    def read(self, value: Any) -> dict[str, Any]:
        """Return the known keys, each read by its reader; null and unknown ones are left out."""
        taken: dict[str, Any] = {}
        key: Any = ""
        source = as_object(value)
        try:
            for key, part in source.items():
                if part is not None and key in self.shape:
                    taken[key] = self.shape[key].read(part)
        except Unreadable as unreadable:
            unreadable.path.append(f".{key}")
            raise
        return taken

    def schema(self) -> CoreSchema:
        """A dict that has some of the keys; others are dropped."""
        fields = {key: core_schema.typed_dict_field(part.schema(), required=False) for key, part in self.shape.items()}
        return core_schema.typed_dict_schema(fields, extra_behavior="ignore", strict=True)

    def unknown(self, value: Any) -> Iterator[tuple[str, str]]:
        """Yield its own, and those in its parts."""
        source = as_object(value) if value or isinstance(value, Mapping) else {}
        for key, part in source.items():
            if key not in self.shape:
                yield f".{str(key)[:40]}", self._nearest(str(key)[:40])
            elif part is not None:
                yield from ((f".{key}{path}", close) for path, close in self.shape[key].unknown(part))

    def _nearest(self, key: str) -> str:
        names = {name.lower(): name for name in self.shape}
        return names.get(nearest(key.replace("_", "").lower(), names, 0.7), "")


class AList(Reader):
    """A list whose entries are all of one kind. *null_is*: what null counts as among them; None: as absent."""

    def __init__(self, entry: Reader, null_is: Any = None) -> None:
        self.entry = entry
        self.null_is = null_is

    def read(self, value: Any) -> list[Any]:
        """Return the entries, each read by the entry's reader."""
        if not isinstance(value, list | tuple):
            raise Unreadable(kind_of(value), "a list")
        if len(value) > MAX_ENTRIES:
            raise Unreadable(f"{len(value)} entries", f"at most {MAX_ENTRIES}")
        at, taken = 0, []
        try:
            for at, part in enumerate(value):  # noqa: B007 -- tells where an entry cannot be read
                known = self.null_is if part is None else part
                if known is not None:
                    taken.append(self.entry.read(known))
        except Unreadable as unreadable:
            unreadable.path.append(f"[{at}]")
            raise
        return taken

    def schema(self) -> CoreSchema:
        """A list, no longer than the limit."""
        return core_schema.list_schema(self.entry.schema(), max_length=MAX_ENTRIES, strict=True)

    def unknown(self, value: Any) -> Iterator[tuple[str, str]]:
        """Yield those in its entries."""
        for at, part in enumerate(value or ()):
            if part is not None:
                yield from ((f"[{at}]{path}", close) for path, close in self.entry.unknown(part))


_TEXT = core_schema.str_schema(max_length=MAX_TEXT, strict=True)
_INTEGER = core_schema.int_schema(ge=-LARGEST_QUICK_INTEGER, le=LARGEST_QUICK_INTEGER, strict=True)
_NUMBER = core_schema.float_schema(allow_inf_nan=False, strict=True)

SCALAR, IDENTIFIER, NAME, INDEX, PARAMETERS = Scalar(), Identifier(), Name(), Index(), Parameters()


def quick(reader: Reader) -> Callable[[Any], Any]:
    """Return a function that reads as *reader* does: what needs no mending, the usual case, by one call of pydantic."""
    take_at_once = SchemaValidator(reader.schema()).validate_python

    def read_quickly(value: Any) -> Any:
        try:
            return take_at_once(value)
        except ValidationError:
            pass  # what it says of the value is left behind here: what is raised below shows nobody's data
        return reader.read(value)

    return read_quickly


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


def _free_form(value: Any, levels: int = MAX_NESTING) -> Any:
    """Read any JSON value of at most so many *levels*, null included."""
    if value is None:
        return None
    if isinstance(value, str):
        return _whole_text(SCALAR.read(value))
    if not isinstance(value, Mapping | list | tuple):
        return SCALAR.read(value)
    if not levels:
        raise Unreadable("too many levels of nesting", f"at most {MAX_NESTING}")
    if isinstance(value, Mapping):
        return {_key(key): _free_form(part, levels - 1) for key, part in value.items()}
    return [_free_form(part, levels - 1) for part in value]


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
