"""Where two JSON values differ, told as paths: for expected answers that are long, partial, or leave things open."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

ANY = {
    "expect.any(String)": lambda value: isinstance(value, str),
    "expect.any(Number)": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "expect.any(Object)": lambda value: isinstance(value, dict),
}
"""What an expected value may leave open."""


def differences(expected: Any, actual: Any, *, may_add: Collection[str] | None = (), where: str = "") -> Iterator[str]:
    """Yield a line for each place where *actual* is not as *expected*.

    An object may have the keys *may_add* though none were expected (None: any keys). Lists must be equally long.
    """
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in expected.keys() | actual.keys():
            place = f"{where}.{key}".lstrip(".")
            if key not in actual:
                yield f"{place}: missing; expected {expected[key]!r}"
            elif key in expected:
                yield from differences(expected[key], actual[key], may_add=may_add, where=place)
            elif may_add is not None and key not in may_add:
                yield f"{place}: unexpected {actual[key]!r}"
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, (wanted, got) in enumerate(zip(expected, actual, strict=True)):
            yield from differences(wanted, got, may_add=may_add, where=f"{where}[{index}]")
    elif not _is_same(expected, actual):
        yield f"{where}: found {actual!r}; expected {expected!r}"


def _is_same(expected: Any, actual: Any) -> bool:
    """Compare as JSON does: 1 and 1.0 are one number, true is none."""
    if isinstance(expected, str) and expected in ANY:
        return ANY[expected](actual)
    return bool(expected == actual) and isinstance(expected, bool) == isinstance(actual, bool)
