"""Bytes as choices: what a fuzzer mutates, read as numbers, texts, JSON, artifacts and requests.

Any bytes make something, and a small change of them makes a small change of it; when they end, the smallest thing is
chosen, so everything ends.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

One = TypeVar("One")

MOST_DEPTH = 6
ODD_NUMBERS = (0, 1, -1, 0.5, -0.0, 2**31, 2**53, 2**53 + 1, -(2**63), 10**400, 1e308, 5e-324)
NO_NUMBERS = (float("nan"), float("inf"), float("-inf"))
ODD_TEXTS = (
    "",
    " ",
    ".",
    "..",
    "a.b",
    "__class__",
    "__proto__",
    "constructor",
    "\x00",
    "\r\nX: y",
    "\ud800",
    "\U0001f600",
    "\u0130",
    "%00",
    "%zz",
    "#",
    "|",
    "${user.name}",
    "1e400",
    "NaN",
    "0x10",
    "x" * 300,
)


class Choices:
    """Reads choices from *data*, from its start."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def are_over(self) -> bool:
        """Whether nothing is left to choose by."""
        return self._at >= len(self._data)

    def number(self, below: int) -> int:
        """Choose from 0 to *below*, that not included."""
        byte = self._take(1)
        return byte[0] % below if byte else 0

    def one_of(self, things: Sequence[One]) -> One:
        """Choose one thing."""
        return things[self.number(min(len(things), 256))]

    def chance(self, one_in: int) -> bool:
        """Choose whether; never when the choices are over."""
        return not self.are_over and self.number(one_in) == one_in - 1

    def text(self) -> str:
        """Choose a text: an odd one, or some of the bytes."""
        if self.chance(8):
            return self.one_of(ODD_TEXTS)
        return self._take(self.number(12)).decode("utf-8", "replace")

    def rest(self) -> bytes:
        """Take all that is left."""
        return self._take(len(self._data))

    def scalar(self, *, finite: bool = True) -> Any:
        """Choose a value that is no container."""
        kind = self.number(8)
        if kind < 2:
            return (None, True, False)[self.number(3)]
        if kind == 2:
            return self.number(100)
        if kind == 3:
            return self.one_of(ODD_NUMBERS if finite else ODD_NUMBERS + NO_NUMBERS)
        if kind == 4:
            return self._double()
        return self.text()

    def json(self, keys: Sequence[str] = (), depth: int = MOST_DEPTH) -> Any:
        """Choose any JSON value; names of members come from *keys* for the most part."""
        kind = self.number(6) if depth else 0
        if kind == 4:
            return self.some(lambda: self.json(keys, depth - 1))
        if kind == 5:
            return {self.key(keys): self.json(keys, depth - 1) for _ in range(self.number(5))}
        return self.scalar()

    def key(self, keys: Sequence[str]) -> str:
        """Choose a member's name."""
        return self.text() if not keys or self.chance(6) else self.one_of(keys)

    def some(self, make: Callable[[], One], most: int = 4) -> list[One]:
        """Choose how many, and make as many."""
        return [make() for _ in range(self.number(most + 1))]

    def _double(self) -> float:
        (value,) = struct.unpack("<d", self._take(8).ljust(8, b"\0"))
        return float(value) if value == value and abs(value) != float("inf") else 0.0

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken
