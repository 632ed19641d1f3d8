"""What is remembered of an item that could not be delivered."""

from __future__ import annotations

from typing import Any, NamedTuple


class DeadLetter(NamedTuple):
    """An item that was given up: when (epoch ms), why, after how many tries, and its outline without its values."""

    given_up_ms: int
    error: str
    attempts: int
    outline: Any


def outline(item: Any, depth: int = 12) -> Any:
    """Return *item* with the name of its type in place of each value, to *depth* levels; keys and shape stay."""
    if depth and isinstance(item, dict):
        return {key: outline(value, depth - 1) for key, value in item.items()}
    if depth and isinstance(item, list):
        return [outline(value, depth - 1) for value in item]
    return type(item).__name__
