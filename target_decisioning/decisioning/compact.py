"""JSON values in little memory: what only traces, explanations and pickles read again.

    {"a": 1, "b": 2}  --record-->  (("a", "b"), 1, 2)  --restore-->  {"a": 1, "b": 2}, a new one each time

A dict of thirteen entries takes 464 bytes, its record 168: records with the same keys share those. Python's collector
of cycles has less to look through, too.
"""

from __future__ import annotations

from typing import Any

from target_decisioning.decisioning.document import dump

Record = tuple[Any, ...]
"""The keys of an object, then its values."""
_TEXTS = {str}


class Compactor:
    """Makes values compact; what equal ones have in common is kept once."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._keys: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._labels: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}

    def text(self, value: Any) -> str:
        """Return *value* as JSON, for ``document.load``."""
        text = dump(value)
        return self._texts.setdefault(text, text)

    def record(self, value: dict[str, Any]) -> Record:
        """Return an object as a record, for ``restore``; what it holds stays as it is."""
        keys = tuple(value)
        return (self._keys.setdefault(keys, keys), *value.values())

    def labels(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return *value*, or, if it holds only texts, one dict for all that are equal."""
        if set(map(type, value.values())) <= _TEXTS:
            return self._labels.setdefault(tuple(value.items()), value)
        return value


def restore(record: Record) -> dict[str, Any]:
    """Return the object that became *record*; objects and lists in it are the same ones."""
    keys, *values = record
    return dict(zip(keys, values, strict=True))
