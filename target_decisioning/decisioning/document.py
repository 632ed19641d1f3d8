"""The artifact's bytes as JSON that can be trusted to be JSON.

    bytes | text | dict  --read-->  dict of plain values that nobody else holds

Stricter than Python's ``json`` where that would let a surprise through (NaN, a key twice, numbers that no double
holds), and with JavaScript's numbers: an integer beyond 2^53 reads as the double nearest to it.
Source: semantics.md 2.2 and 3.6, faults.md E11.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

from target_decisioning.decisioning.nesting import cut_text, cut_value
from target_decisioning.errors import ArtifactInvalid

MAX_KEYS = 10_000
"""Keys of one object; the maps from location names to rules may hold more (MAX_LOCATIONS)."""
MAX_LOCATIONS = 1_000_000

LOCATION_MAPS = ("rules.mboxes", "rules.views")
_WHOLE = "the document"
_SAFE_DIGITS = 15  # every integer of so many digits is a double
_LONGEST_NAME = 80


def read(source: Any) -> dict[str, Any]:
    """Return the artifact as a fresh dict.

    Args:
        source: JSON as bytes (UTF-8, or UTF-16 or -32 by its first bytes) or text, or the value that it stands for.

    Raises:
        ArtifactInvalid: no JSON object, or one that breaks a limit.
    """
    text = _text(source) if isinstance(source, bytes | bytearray | str) else dump(source)
    try:
        document, reader = _parse(text)
    except RecursionError:
        document, reader = _parse(cut_text(text))
    reader.check(document)
    if not isinstance(document, dict):
        raise ArtifactInvalid((_WHOLE, json_kind(document), "an object with version, meta and rules"))
    return document


def dump(payload: Any) -> str:
    """Return a JSON value as text; what nests deeper than 200 levels is left out, and makes what holds it invalid.

    Raises:
        ArtifactInvalid: it is no JSON value, or nests deeper than any document may.
    """
    try:
        try:
            return json.dumps(payload)
        except RecursionError:
            return json.dumps(cut_value(payload))
    except (TypeError, ValueError, RecursionError) as error:
        raise ArtifactInvalid((_WHOLE, f"a value that is no JSON ({error})", "JSON values only")) from error


def load(text: str) -> Any:
    """Return the value of a text that ``dump`` gave; what nests deeper than 200 levels may be left out."""
    try:
        return json.loads(text)
    except RecursionError:
        return json.loads(cut_text(text))


def json_kind(value: Any) -> str:
    """Name the JSON type of *value* for a message."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")


def place(path: str, key: str) -> str:
    """Return the path of what *path* holds under *key*, fit for a message: ``rules.mboxes["home"]``, ``meta.x``."""
    if path not in LOCATION_MAPS and key.isidentifier() and len(key) <= _LONGEST_NAME:
        return f"{path}.{key}" if path else key
    return f"{path}[{quoted(key)}]"


def quoted(name: str) -> str:
    """Return a name of any length and any characters, fit for a message."""
    shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."
    return json.dumps(shown, ensure_ascii=not shown.isprintable())


def _text(source: bytes | bytearray | str) -> str:
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    try:
        return source.decode(json.detect_encoding(source), "surrogatepass")
    except UnicodeDecodeError as error:
        raise ArtifactInvalid((f"byte {error.start}", "bytes that are no text", "JSON in UTF-8")) from error


def _parse(text: str) -> tuple[Any, _Reader]:
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
        raise ArtifactInvalid((f"line {error.lineno} column {error.colno}", *_in_plain_words(error))) from error
    return document, reader


_EXPECTED = {
    "Expecting value": "a JSON value",
    "Expecting property name": "a key in double quotes",
    "Expecting ',' delimiter": "a comma, or the end of the list or object",
    "Expecting ':' delimiter": "a colon after the key",
    "Extra data": "the end of the document",
    "Unterminated string": "a text that ends in a double quote",
    "Invalid control character": "text without control characters",
    "Invalid \\": "an escape that JSON knows",
}
"""How what ``json`` says begins -> what JSON has there."""


def _in_plain_words(error: json.JSONDecodeError) -> tuple[str, str]:
    """Return what stands where *error* says, and what would be right there."""
    expected = next((words for begins, words in _EXPECTED.items() if error.msg.startswith(begins)), "JSON")
    if not error.doc.strip():
        return "nothing", "JSON"
    return quoted(error.doc[error.pos]) if error.pos < len(error.doc) else "the end of the document", expected


class _Reader:
    """What ``json.loads`` calls for each object and number. It cannot tell where they stand: ``_placed`` does.

    Equal texts become one: names, types and tokens stand in many places of an artifact.
    """

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self.wide: list[dict[str, Any]] = []
        self.refused: list[tuple[Any, str, str]] = []
        """Values, or what stands in their place, each with what was found and what was expected."""

    def object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        share = self._texts.setdefault
        result = {key: share(value, value) if type(value) is str else value for key, value in pairs}
        if len(result) != len(pairs):
            self.refused.append((result, f"the key {quoted(_twice(pairs))} twice", "each key once"))
        if len(result) > MAX_KEYS:
            self.wide.append(result)
        return result

    def integer(self, digits: str) -> Any:
        if len(digits) <= _SAFE_DIGITS:
            return int(digits)
        value = self.number(digits)
        return int(value) if isinstance(value, float) else value

    def number(self, digits: str) -> Any:
        value = float(digits)
        if math.isinf(value):
            found = f"a number of {len(digits)} characters ({digits[:12]}...)"
            return self._stand_in(found, "a number that a double can hold")
        return value

    def constant(self, name: str) -> Any:
        return self._stand_in(name, "a number as JSON has them")

    def check(self, document: Any) -> None:
        """Raise if anything in *document* was refused, or is too wide."""
        rules = document.get("rules") if isinstance(document, dict) else None
        maps = [rules.get("mboxes"), rules.get("views")] if isinstance(rules, dict) else []
        for found in self.wide:
            limit = MAX_LOCATIONS if any(found is one for one in maps) else MAX_KEYS
            if len(found) > limit:
                self.refused.append((found, f"an object of {len(found)} keys", f"at most {limit}"))
        if self.refused:
            raise ArtifactInvalid(*_placed(self.refused, document))

    def _stand_in(self, found: str, expected: str) -> Any:
        stand_in = object()
        self.refused.append((stand_in, found, expected))
        return stand_in


def _twice(pairs: list[tuple[str, Any]]) -> str:
    counted = Counter(key for key, _ in pairs)
    return counted.most_common(1)[0][0]


def _placed(refused: list[tuple[Any, str, str]], document: Any) -> Iterator[tuple[str, str, str]]:
    wanted = {id(value) for value, _, _ in refused}
    paths = {id(node): path for path, node in _walk(document) if id(node) in wanted}
    for value, found, expected in refused:
        yield paths.get(id(value)) or _WHOLE, found, expected


def _walk(document: Any) -> Iterator[tuple[str, Any]]:
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        path, node = waiting.pop()
        yield path, node
        if type(node) is dict:
            waiting.extend((place(path, key), child) for key, child in node.items())
        elif type(node) is list:
            waiting.extend((f"{path}[{index}]", child) for index, child in enumerate(node))
