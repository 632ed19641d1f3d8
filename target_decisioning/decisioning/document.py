"""The artifact's bytes as JSON that can be trusted to be JSON.

    bytes | text | dict  --read-->  dict of plain values that nobody else holds

Stricter than Python's ``json`` where that would let a surprise through (NaN, a key twice, numbers that no double
holds), and with JavaScript's numbers: an integer beyond 2^53 reads as the double nearest to it.
Source: semantics.md 2.2 and 3.6, faults.md E11.
"""

from __future__ import annotations

import json
import math
from typing import Any

from target_decisioning.errors import ArtifactInvalid

MAX_KEYS = 10_000
"""Keys of one object; the maps from location names to rules may hold more (MAX_LOCATIONS)."""
MAX_LOCATIONS = 1_000_000
MAX_DEPTH = 200

_WHOLE = "the document"
_SAFE_DIGITS = 15  # every integer of so many digits is a double


def read(source: bytes | bytearray | str | dict[str, Any]) -> dict[str, Any]:
    """Return the artifact as a fresh dict.

    Raises:
        ArtifactInvalid: no JSON object, or one that breaks a limit.
    """
    text = _dump(source) if isinstance(source, dict) else source
    reader = _Reader()
    try:
        document = json.loads(
            text,
            object_pairs_hook=reader.object,
            parse_int=reader.integer,
            parse_float=reader.number,
            parse_constant=reader.constant,
        )
    except json.JSONDecodeError as error:
        raise ArtifactInvalid((f"line {error.lineno} column {error.colno}", error.msg, "JSON")) from error
    except UnicodeDecodeError as error:
        raise ArtifactInvalid((f"byte {error.start}", "bytes that are no text", "JSON in UTF-8")) from error
    except RecursionError as error:
        raise _too_deep() from error
    if not isinstance(document, dict):
        raise ArtifactInvalid((_WHOLE, json_kind(document), "an object with version, meta and rules"))
    _check_size(document, reader.wide)
    return document


def _dump(payload: dict[str, Any]) -> str:
    try:
        return json.dumps(payload)
    except RecursionError as error:
        raise _too_deep() from error
    except (TypeError, ValueError) as error:
        raise ArtifactInvalid((_WHOLE, f"a value that is no JSON ({error})", "JSON values only")) from error


class _Reader:
    """What ``json.loads`` calls for each object and number."""

    def __init__(self) -> None:
        self.wide: list[dict[str, Any]] = []

    def object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            raise ArtifactInvalid((f'key "{twice[:80]}"', "the same key twice in one object", "each key once"))
        if len(result) > MAX_KEYS:
            self.wide.append(result)
        return result

    def integer(self, digits: str) -> int | float:
        if len(digits) <= _SAFE_DIGITS:
            return int(digits)
        return int(self.number(digits))

    def number(self, digits: str) -> float:
        value = float(digits)
        if math.isinf(value):
            found = f"a number of {len(digits)} characters ({digits[:12]}...)"
            raise ArtifactInvalid((_WHOLE, found, "numbers that a double can hold"))
        return value

    def constant(self, name: str) -> float:
        raise ArtifactInvalid((_WHOLE, name, "JSON numbers only"))


def _check_size(document: dict[str, Any], wide: list[dict[str, Any]]) -> None:
    rules = document.get("rules")
    maps = [rules.get("mboxes"), rules.get("views")] if isinstance(rules, dict) else []
    for found in wide:
        limit = MAX_LOCATIONS if any(found is one for one in maps) else MAX_KEYS
        if len(found) > limit:
            raise ArtifactInvalid((_path_of(found, document), f"an object of {len(found)} keys", f"at most {limit}"))
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node) if type(child) in (dict, list)]
        if not level:
            return
    raise _too_deep()


def _children(node: Any) -> Any:
    return node.values() if type(node) is dict else node


def _path_of(wanted: dict[str, Any], document: dict[str, Any]) -> str:
    waiting: list[tuple[str, Any]] = list(document.items())
    while waiting:
        path, node = waiting.pop()
        if node is wanted:
            return path
        if type(node) is dict:
            waiting.extend((f"{path}.{key}", child) for key, child in node.items())
        elif type(node) is list:
            waiting.extend((f"{path}[{index}]", child) for index, child in enumerate(node))
    return _WHOLE


def _too_deep() -> ArtifactInvalid:
    return ArtifactInvalid((_WHOLE, f"more than {MAX_DEPTH} levels of nesting", f"at most {MAX_DEPTH}"))


def json_kind(value: Any) -> str:
    """Name the JSON type of *value* for a message."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")
