"""How a model reads its fields: worked out once per class, from its annotations.

    annotation                            what is read
    Model | None                          an object, or a model of that class
    list[...] | None                      a list, each entry read in its turn
    dict[str, Any] | None                 an object, copied
    an Enum | str | None                  the member of that wire text; anything else as it is
    anything else                         anything, as it is

None passes everywhere. ``RequestError.where`` grows from the inside out: a reader raises with the rest of the path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from target_decisioning.delivery.kinds import kind_of
from target_decisioning.delivery.plain import copied
from target_decisioning.errors import RequestError

Read = Callable[[Any, bool], Any]
"""``read(value, wire_only)``: *wire_only* says that nested objects are spelled as the wire has them."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a model class needs to read and write its fields.

    ``by_wire_name`` and ``by_any_name`` lead from a key to the field's name and reader (None: anything goes),
    ``wire_names`` from a field's name to its key, ``blank`` holds every field as absent.
    """

    by_wire_name: dict[str, tuple[str, Read | None]]
    by_any_name: dict[str, tuple[str, Read | None]]
    wire_names: dict[str, str]
    blank: dict[str, None]


def make_plan(wire_names: dict[str, str], annotations: Mapping[str, Any], other_names: Mapping[str, str]) -> Plan:
    """Return the plan for fields of these names and resolved annotations; *other_names* lead to fields too."""
    readers = {name: _reader(annotations[name]) for name in wire_names}
    by_wire_name = {wire: (name, readers[name]) for name, wire in wire_names.items()}
    by_own_name = {name: (name, readers[name]) for name in wire_names}
    by_other_name = {other: by_own_name[name] for other, name in other_names.items()}
    return Plan(by_wire_name, by_other_name | by_own_name | by_wire_name, wire_names, dict.fromkeys(wire_names))


def misfit(value: Any, expected: str) -> RequestError:
    """Return the error for *value*, to be raised; its path is still empty."""
    return RequestError("", kind_of(value), expected)


def _reader(annotation: Any) -> Read | None:
    kinds = _alternatives(annotation)
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, Enum):
            return _enum_reader(kind)
    if len(kinds) > 1:
        return None
    if hasattr(kinds[0], "read_field"):
        return kinds[0].read_field  # type: ignore[no-any-return]  # a model class
    if get_origin(kinds[0]) is list:
        return _list_reader(*get_args(kinds[0]))
    return _read_object if get_origin(kinds[0]) is dict else None


def _alternatives(annotation: Any) -> list[Any]:
    if get_origin(annotation) not in (Union, UnionType):
        return [annotation]
    return [kind for kind in get_args(annotation) if kind is not NoneType]


def _enum_reader(enum: type[Enum]) -> Read:
    members = {member.value: member for member in enum}

    def read(value: Any, _wire_only: bool) -> Any:
        return members.get(value, value) if isinstance(value, str) else copied(value)

    return read


def _list_reader(entry: Any) -> Read:
    read_entry = _reader(entry)

    def read(value: Any, wire_only: bool) -> Any:
        if value is None:
            return None
        if not isinstance(value, list | tuple):
            raise misfit(value, "a list")
        if read_entry is None:
            return copied(value)
        entries: list[Any] = []
        try:
            for part in value:
                entries.append(read_entry(part, wire_only))  # noqa: PERF401  the error needs to know how far it got
        except RequestError as error:
            raise RequestError(f"[{len(entries)}]{error.where}", error.found, error.expected) from None
        return entries

    return read


def _read_object(value: Any, _wire_only: bool) -> Any:
    if value is None or type(value) is dict or isinstance(value, Mapping):
        return copied(value)
    raise misfit(value, "an object")
